/* cmd_image.c - ctrcompose image: its subcommands, and ls, inspect, tag. */
#include "images/cmd_image.h"
#include "containers/inspect.h"
#include "images/image_row.h"
#include "images/store.h"
#include "screen/screen.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cmd_image_store(struct image_store **out, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_close int dir = -1;
	int r = state_paths_open(&paths, err);

	if (r < 0)
		return r;
	dir = open(paths.state, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open %s", paths.state);
	return image_store_open(dir, paths.state, out, err);
}

/* Its own image, and those it has mounted. */
static void add_used(const struct state_container *c, void *arg)
{
	struct strs *out = arg;

	if (c->image_id)
		strs_add(out, c->image_id);
	for (size_t i = 0; i < c->mounts.n; i++)
		if (str_eq(c->mounts.v[i].kind, "image"))
			strs_add(out, c->mounts.v[i].source);
}

int cmd_used_images(void *arg, struct strs *out, struct err *err)
{
	(void)arg;
	return cmd_each_container(false, add_used, out, err);
}

/* ---- ls --------------------------------------------------------------------------------------- */
static struct {
	bool quiet, no_trunc;
	const char *format;
} ls_arg;

static const struct opt ls_opts[] = {
	{ 'q', "quiet", OPT_FLAG, &ls_arg.quiet, NULL, "Only print ids" },
	{ 0, "no-trunc", OPT_FLAG, &ls_arg.no_trunc, NULL, "Print whole ids" },
	{ 0, "format", OPT_STRING, &ls_arg.format, "FORMAT",
	  "table (default), json, or a template" },
};

static void add_image(struct json *rows, const struct image_summary *m, const char *ref)
{
	image_row(json_add_object(rows, NULL),
		  &(struct image_cells){ .id = m->id,
					 .ref = ref,
					 .created = m->created,
					 .size = m->size,
					 .no_trunc = ls_arg.no_trunc });
}

static int ls_run(int argc, char **argv, struct err *err)
{
	static const char table[] =
		"table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
	auto_image_store struct image_store *s = NULL;
	auto_image_list struct image_list list = { 0 };
	auto_json struct json *rows = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = cmd_image_store(&s, err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = image_list(s, &list, err);
	for (size_t i = 0; i < list.n; i++) {
		for (size_t k = 0; k < list.v[i].refs.n; k++)
			add_image(rows, &list.v[i], list.v[i].refs.v[k]);
		if (list.v[i].refs.n == 0)
			add_image(rows, &list.v[i], NULL);
	}
	if (r < 0)
		return r;
	r = template_print(ls_arg.quiet ? "{{.ID}}" : template_of(ls_arg.format, table), rows,
			   image_headers, &out, err);
	return r < 0 ? r : cmd_print(&out, err);
}

static const struct cmd ls = {
	.name = "ls",
	.alias = "list",
	.summary = "List images",
	CMD_OPTS(ls_opts),
	.run = ls_run,
};

/* ---- inspect, tag ----------------------------------------------------------------------------- */
static const char *inspect_format;

static const struct opt inspect_opts[] = {
	{ 'f', "format", OPT_STRING, &inspect_format, "FORMAT",
	  "json, or a template like '{{.Id}}'" },
};

static int inspect_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return inspect_names(argv, "image", inspect_format, err);
}

static const struct cmd inspect = {
	.name = "inspect",
	.summary = "Show all about images, as JSON",
	.operands = "IMAGE...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(inspect_opts),
	.run = inspect_run,
};

static int tag_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	int r = cmd_image_store(&s, err);

	(void)argc;
	if (r == 0)
		r = image_tag(s, argv[0], argv[1], err);
	if (r == 0 && global.dry_run)
		cmd_did(NULL, "Image", argv[1], "Tagged");
	return r;
}

static const struct cmd tag = {
	.name = "tag",
	.summary = "Give an image one more name",
	.operands = "IMAGE NAME[:TAG]",
	.min_operands = 2,
	.max_operands = 2,
	.dry = DRY_IN_COPY,
	.run = tag_run,
};

static const struct cmd *const subs[] = { &image_import_cmd,
					  &inspect,
					  &image_load_cmd,
					  &ls,
					  &image_prune_cmd,
					  &image_pull_cmd,
					  &image_push_cmd,
					  &image_rm,
					  &image_save_cmd,
					  &tag,
					  NULL };

const struct cmd cmd_image = {
	.name = "image",
	.summary = "Manage images",
	.operands = "COMMAND",
	.subs = subs,
};
