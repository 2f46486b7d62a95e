/* cmd_images.c - ctrcompose images: what the project's containers were made from. */
#include "containers/observe.h"
#include "images/image_row.h"
#include "images/store.h"
#include "screen/screen.h"

#include <stdlib.h>
#include <string.h>

static struct {
	const char *format;
	bool quiet;
} arg;

static const struct opt opts[] = {
	{ 0, "format", OPT_STRING, &arg.format, "FORMAT", "table (default), json, or a template" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "Only ids" },
};

static void add_row(struct json *rows, struct image_store *store, const struct state_container *c)
{
	auto_image struct image *img = NULL;
	auto_free char *id = xasprintf("sha256:%s", c->image_id ? c->image_id : "");
	auto_free char *platform = NULL, *repository = NULL;
	struct json *row = json_add_object(rows, NULL);
	const char *tag;

	/* An image that was removed since is known by what the record says. */
	if (c->image_id)
		(void)image_find(store, c->image_id, &img, NULL);
	platform = img ? xasprintf("%s/%s", img->os, img->architecture) : xstrdup("");
	repository = image_split(c->image ? c->image : "", &tag);
	if (!*tag && !strchr(c->image ? c->image : "", '@'))
		tag = "latest";
	json_add_str(row, "ID", id);
	json_add_str(row, "ContainerName", c->name);
	json_add_str(row, "Repository", repository);
	json_add_str(row, "Tag", tag);
	json_add_str(row, "Platform", platform);
	json_add_int(row, "Size", img ? (int64_t)img->size : 0);
	if (img && img->created[0])
		json_add_str(row, "Created", img->created);
}

static void add_ids(const struct json *rows, struct sbuf *out)
{
	auto_strs struct strs seen = { 0 };

	for (const struct json *row = json_first(rows); row; row = json_next(row)) {
		const char *id = json_str(row, "ID", "") + strlen("sha256:");

		if (strs_has(&seen, id))
			continue;
		strs_add(&seen, id);
		sbuf_addf(out, "%s\n", id);
	}
}

static struct json *for_people(const struct json *rows)
{
	struct json *out = json_array();

	for (const struct json *row = json_first(rows); row; row = json_next(row)) {
		struct json *cells = json_add_object(out, NULL);
		const char *tag = json_str(row, "Tag", "");
		auto_free char *ref = xasprintf("%s%s%s", json_str(row, "Repository", ""),
						tag[0] ? ":" : "", tag);

		image_row(cells,
			  &(struct image_cells){ .id = json_str(row, "ID", "") + strlen("sha256:"),
						 .ref = ref,
						 .created = json_str(row, "Created", ""),
						 .size = (uint64_t)json_int(row, "Size", 0) });
		json_add_str(cells, "ContainerName", json_str(row, "ContainerName", ""));
		json_add_str(cells, "Platform", json_str(row, "Platform", ""));
	}
	return out;
}

static int print(const struct json *rows, struct sbuf *out, struct err *err)
{
	static const char table[] =
		"table {{.ContainerName}}\t{{.Repository}}\t{{.Tag}}\t{{.Platform}}"
		"\t{{.ID}}\t{{.Size}}\t{{.CreatedSince}}";
	auto_json struct json *cells = NULL;
	auto_free char *text = NULL;

	if (arg.quiet) {
		add_ids(rows, out);
		return 0;
	}
	if (str_eq(arg.format, "json")) { /* one array, as docker compose has it */
		text = json_print(rows);
		sbuf_addf(out, "%s\n", text);
		return 0;
	}
	cells = for_people(rows);
	return template_print(template_of(arg.format, table), cells, image_headers, out, err);
}

static int run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	auto_observed struct observed o = { 0 };
	auto_json struct json *rows = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct chosen l = { 0 };
	int r;

	(void)argc;
	if (arg.format && !str_starts(arg.format, "table") && !str_eq(arg.format, "json") &&
	    !strstr(arg.format, "{{"))
		return usage_error(err, "--format: '%s' is neither table nor json, nor a template",
				   arg.format);
	r = observe(&o, argv, err);
	if (r == 0)
		r = cmd_image_store(&store, err);
	if (r < 0)
		return r;
	observe_choose(o.state, argv, true, &l);
	for (size_t i = 0; i < l.n; i++)
		add_row(rows, store, l.v[i]);
	free(l.v);
	r = print(rows, &out, err);
	return r < 0 ? r : cmd_print(&out, err);
}

const struct cmd cmd_images = {
	.name = "images",
	.summary = "List the images of the project's containers",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
