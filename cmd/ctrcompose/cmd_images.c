/* cmd_images.c - ctrcompose images: what the project's containers were made from. */
#include "container.h"
#include "observe.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

static struct {
	const char *format;
	bool quiet;
} arg;

static const struct opt opts[] = {
	{ 0, "format", OPT_STRING, &arg.format, "FORMAT", "table (default) or json" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "Only ids" },
};

/* "example.org:5000/app:1" into its name and its tag. */
static char *split_tag(const char *ref, const char **tag)
{
	const char *slash = strrchr(ref, '/'), *colon = strrchr(ref, ':');
	size_t len = strcspn(ref, "@");

	*tag = "";
	if (ref[len] == '@' || !colon || (slash && colon < slash))
		return xstrndup(ref, len);
	*tag = colon + 1;
	return xstrndup(ref, (size_t)(colon - ref));
}

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
	repository = split_tag(c->image ? c->image : "", &tag);
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

static const char *or_none(const char *s)
{
	return s[0] ? s : "<none>";
}

static void add_table(const struct json *rows, struct sbuf *out)
{
	static const char *const headers[] = { "CONTAINER", "REPOSITORY", "TAG",     "PLATFORM",
					       "IMAGE ID",  "SIZE",       "CREATED", NULL };
	auto_table struct table t;
	uint64_t now = now_real_ns(), then;

	table_start(&t, headers);
	for (const struct json *row = json_first(rows); row; row = json_next(row)) {
		auto_sbuf struct sbuf ago = SBUF_INIT;
		char size[24];

		human_size((double)json_int(row, "Size", 0), 3, size);
		if (parse_when(json_str(row, "Created", ""), now, &then) == 0)
			container_ago(then, now, &ago);
		table_cell(&t, json_str(row, "ContainerName", ""));
		table_cell(&t, or_none(json_str(row, "Repository", "")));
		table_cell(&t, or_none(json_str(row, "Tag", "")));
		table_cell(&t, json_str(row, "Platform", ""));
		table_cellf(&t, "%.12s", json_str(row, "ID", "") + strlen("sha256:"));
		table_cell(&t, size);
		table_cell(&t, ago.len ? sbuf_str(&ago) : "N/A");
	}
	table_text(&t, out);
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
	if (arg.format && !str_eq(arg.format, "table") && !str_eq(arg.format, "json"))
		return usage_error(err, "--format: '%s' is neither table nor json", arg.format);
	r = observe(&o, argv, err);
	if (r == 0)
		r = cmd_image_store(&store, err);
	if (r < 0)
		return r;
	observe_choose(o.state, argv, true, &l);
	for (size_t i = 0; i < l.n; i++)
		add_row(rows, store, l.v[i]);
	free(l.v);
	if (arg.quiet) {
		add_ids(rows, &out);
	} else if (str_eq(arg.format, "json")) {
		auto_free char *text = json_print(rows);

		sbuf_addf(&out, "%s\n", text);
	} else {
		add_table(rows, &out);
	}
	return cmd_print(&out, err);
}

const struct cmd cmd_images = {
	.name = "images",
	.summary = "List the images of the project's containers",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
