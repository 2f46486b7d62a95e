/* cmd_image.c - ctrcompose image: load, import, ls, rm, inspect, tag. */
#include "container.h"
#include "store.h"

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

/* ---- load ------------------------------------------------------------------------------------- */
static struct {
	const char *input;
	bool quiet;
} load_arg;

static const struct opt load_opts[] = {
	{'i',  "input", OPT_STRING, &load_arg.input, "FILE",
         "Read FILE instead of standard input"                              },
	{ 'q', "quiet", OPT_FLAG,   &load_arg.quiet, NULL,   "Print nothing"},
};

static int load_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_strs struct strs names = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = cmd_image_store(&s, err);

	(void)argc;
	(void)argv;
	if (r == 0 && !load_arg.input && isatty(STDIN_FILENO))
		return usage_error(
			err, "image load: give the archive with -i FILE or on standard input");
	if (r == 0)
		r = load_arg.input && strcmp(load_arg.input, "-") != 0
			    ? image_load_file(s, load_arg.input, &names, err)
			    : image_load(s, STDIN_FILENO, "standard input", &names, err);
	for (size_t i = 0; r == 0 && !load_arg.quiet && i < names.n; i++)
		sbuf_addf(&out, "Loaded image%s: %s\n",
			  str_starts(names.v[i], "sha256:") ? " ID" : "", names.v[i]);
	return r < 0 ? r : cmd_print(&out, err);
}

static const struct cmd load = {
	.name = "load",
	.summary = "Load images from an archive (docker save, OCI layout)",
	CMD_OPTS(load_opts),
	.run = load_run,
};

/* ---- import ----------------------------------------------------------------------------------- */
static struct {
	struct strs changes;
	const char *message;
} import_arg;

static const struct opt import_opts[] = {
	{'c',  "change",  OPT_LIST,   &import_arg.changes, "INSTRUCTION",
         "Apply a Dockerfile instruction (CMD, ENV, USER ...)"                            },
	{ 'm', "message", OPT_STRING, &import_arg.message, "TEXT",        "Commit message"},
};

static int import_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_free const char **words = xcalloc(import_arg.changes.n + 1, sizeof(*words));
	struct list changes = { words, import_arg.changes.n };
	auto_sbuf struct sbuf out = SBUF_INIT;
	char id[65];
	int r = cmd_image_store(&s, err);

	for (size_t i = 0; i < changes.n; i++)
		words[i] = import_arg.changes.v[i];
	if (r == 0)
		r = image_import(s, argv[0], argc > 1 ? argv[1] : NULL, &changes,
				 import_arg.message, id, err);
	strs_clear(&import_arg.changes);
	if (r < 0)
		return r;
	sbuf_addf(&out, "sha256:%s\n", id);
	return cmd_print(&out, err);
}

static const struct cmd import = {
	.name = "import",
	.summary =
		"Make an image from a root file system: a tar, a folder, or - for standard input",
	.operands = "FILE|FOLDER|- [NAME[:TAG]]",
	.min_operands = 1,
	.max_operands = 2,
	CMD_OPTS(import_opts),
	.run = import_run,
};

/* ---- ls --------------------------------------------------------------------------------------- */
static struct {
	bool quiet, no_trunc;
	const char *format;
} ls_arg;

static const struct opt ls_opts[] = {
	{'q', "quiet",    OPT_FLAG,   &ls_arg.quiet,    NULL,     "Only print ids" },
	{ 0,  "no-trunc", OPT_FLAG,   &ls_arg.no_trunc, NULL,     "Print whole ids"},
	{ 0,  "format",   OPT_STRING, &ls_arg.format,   "FORMAT",
         "table (default), json, or a template"                                    },
};

static void add_image(struct json *rows, const struct image_summary *m, const char *ref)
{
	struct json *row = json_add_object(rows, NULL);
	const char *colon = ref ? strrchr(ref, ':') : NULL;
	auto_free char *name = ref ? xstrndup(ref, colon ? (size_t)(colon - ref) : strlen(ref))
				   : xstrdup("<none>");
	auto_free char *id = xasprintf("%s%.*s", ls_arg.no_trunc ? "sha256:" : "",
				       ls_arg.no_trunc ? 64 : 12, m->id);
	char size[16];

	format_bytes(m->size, size);
	json_add_str(row, "ID", id);
	json_add_str(row, "Repository", name);
	json_add_str(row, "Tag", colon ? colon + 1 : "<none>");
	json_add_str(row, "Size", size);
	json_add_str(row, "CreatedAt", m->created);
}

static int ls_run(int argc, char **argv, struct err *err)
{
	static const char format[] = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Size}}";
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
	if (ls_arg.quiet) {
		r = template_print("{{.ID}}", rows, &out, err);
	} else if (str_eq(ls_arg.format, "json")) {
		for (const struct json *c = json_first(rows); c; c = json_next(c)) {
			auto_free char *line = json_print(c);

			sbuf_addf(&out, "%s\n", line);
		}
	} else {
		r = template_print(ls_arg.format && strcmp(ls_arg.format, "table") != 0
					   ? ls_arg.format
					   : format,
				   rows, &out, err);
	}
	return r < 0 ? r : cmd_print(&out, err);
}

static const struct cmd ls = {
	.name = "ls",
	.alias = "list",
	.summary = "List images",
	CMD_OPTS(ls_opts),
	.run = ls_run,
};

/* ---- rm --------------------------------------------------------------------------------------- */
static bool rm_force;

static const struct opt rm_opts[] = {
	{'f', "force", OPT_FLAG, &rm_force, NULL, "Also an image with several names"},
};

static int used_images(struct strs *out, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_strs struct strs names = { 0 };
	int r = state_paths_open(&paths, err);

	if (r == 0)
		r = state_list_projects(&paths, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_state struct state_project *p = NULL;

		r = state_load(&paths, names.v[i], &p, err);
		for (size_t k = 0; r == 0 && k < p->containers.n; k++)
			if (p->containers.v[k]->image_id)
				strs_add(out, p->containers.v[k]->image_id);
	}
	return r;
}

static int rm_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_strs struct strs used = { 0 }, report = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = cmd_image_store(&s, err), shown;

	if (r == 0)
		r = used_images(&used, err);
	for (int i = 0; r == 0 && i < argc; i++)
		r = image_remove(s, argv[i], rm_force, &used, &report, err);
	for (size_t i = 0; i < report.n; i++)
		sbuf_addf(&out, "%s\n", report.v[i]);
	shown = cmd_print(&out, r < 0 ? NULL : err);
	return r < 0 ? r : shown;
}

static const struct cmd rm = {
	.name = "rm",
	.alias = "remove",
	.summary = "Remove images",
	.operands = "IMAGE...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(rm_opts),
	.run = rm_run,
};

/* ---- inspect, tag ----------------------------------------------------------------------------- */
static int inspect_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_json struct json *all = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	auto_free char *text = NULL;
	int r = cmd_image_store(&s, err);

	for (int i = 0; r == 0 && i < argc; i++) {
		struct json *one = NULL;

		r = image_inspect(s, argv[i], &one, err);
		if (r == 0)
			json_add(all, NULL, one);
	}
	if (r < 0)
		return r;
	text = json_print_pretty(all);
	sbuf_addf(&out, "%s\n", text);
	return cmd_print(&out, err);
}

static const struct cmd inspect = {
	.name = "inspect",
	.summary = "Show all about images, as JSON",
	.operands = "IMAGE...",
	.min_operands = 1,
	.max_operands = -1,
	.run = inspect_run,
};

static int tag_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	int r = cmd_image_store(&s, err);

	(void)argc;
	return r < 0 ? r : image_tag(s, argv[0], argv[1], err);
}

static const struct cmd tag = {
	.name = "tag",
	.summary = "Give an image one more name",
	.operands = "IMAGE NAME[:TAG]",
	.min_operands = 2,
	.max_operands = 2,
	.run = tag_run,
};

static const struct cmd *const subs[] = { &import, &inspect, &load, &ls, &rm, &tag, NULL };

const struct cmd cmd_image = {
	.name = "image",
	.summary = "Manage images",
	.operands = "COMMAND",
	.subs = subs,
};
