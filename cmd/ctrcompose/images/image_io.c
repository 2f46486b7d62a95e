/* image_io.c - ctrcompose image load, import, save. */
#include "files/outfile.h"
#include "images/cmd_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- load ------------------------------------------------------------------------------------- */
static struct {
	const char *input;
	bool quiet;
} load_arg;

static const struct opt load_opts[] = {
	{ 'i', "input", OPT_STRING, &load_arg.input, "FILE",
	  "Read FILE instead of standard input" },
	{ 'q', "quiet", OPT_FLAG, &load_arg.quiet, NULL, "Print nothing" },
};

static void say_loaded(struct sbuf *out, const char *name)
{
	auto_free char *line =
		xasprintf("Loaded image%s: %s", str_starts(name, "sha256:") ? " ID" : "", name);

	cmd_did(out, "Image", global.dry_run ? name : line, "Loaded");
}

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
		say_loaded(&out, names.v[i]);
	return r < 0 ? r : cmd_print(&out, err);
}

const struct cmd image_load_cmd = {
	.name = "load",
	.summary = "Load images from an archive (docker save, OCI layout)",
	CMD_OPTS(load_opts),
	.dry = DRY_IN_COPY,
	.run = load_run,
};

/* ---- import ----------------------------------------------------------------------------------- */
static struct {
	struct strs changes;
	const char *message;
} import_arg;

static const struct opt import_opts[] = {
	{ 'c', "change", OPT_LIST, &import_arg.changes, "INSTRUCTION",
	  "Apply a Dockerfile instruction (CMD, ENV, USER ...)" },
	{ 'm', "message", OPT_STRING, &import_arg.message, "TEXT", "Commit message" },
};

static int import_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_free const char **words = xcalloc(import_arg.changes.n + 1, sizeof(*words));
	struct list changes = { words, import_arg.changes.n };
	auto_sbuf struct sbuf out = SBUF_INIT;
	auto_free char *name = NULL;
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
	name = xasprintf("sha256:%s", id);
	cmd_did(&out, "Image", global.dry_run && argc > 1 ? argv[1] : name, "Imported");
	return cmd_print(&out, err);
}

const struct cmd image_import_cmd = {
	.name = "import",
	.summary =
		"Make an image from a root file system: a tar, a folder, or - for standard input",
	.operands = "FILE|FOLDER|- [NAME[:TAG]]",
	.min_operands = 1,
	.max_operands = 2,
	CMD_OPTS(import_opts),
	.dry = DRY_IN_COPY,
	.run = import_run,
};

/* ---- save ------------------------------------------------------------------------------------- */
static const char *save_output;

static const struct opt save_opts[] = {
	{ 'o', "output", OPT_STRING, &save_output, "FILE",
	  "Write to FILE instead of standard output" },
};

static int save_dry(struct image_store *s, const struct list *refs, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < refs->n; i++) {
		auto_image struct image *img = NULL;

		r = image_find(s, refs->v[i], &img, err);
		if (r == 0)
			cmd_did(NULL, "Image", refs->v[i], "Saved");
	}
	return r;
}

static int save_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_outfile struct outfile out = OUTFILE_INIT;
	struct list refs = { (const char **)(uintptr_t)argv, (size_t)argc };
	int r = outfile_check(save_output, "image save", err);

	if (r == 0)
		r = cmd_image_store(&s, err);
	if (r == 0 && global.dry_run)
		return save_dry(s, &refs, err);
	if (r == 0)
		r = outfile_open(&out, save_output, 0600, err);
	if (r == 0)
		r = image_save(s, &refs, outfile_write, &out, err);
	return r < 0 ? r : outfile_done(&out, err);
}

const struct cmd image_save_cmd = {
	.name = "save",
	.summary = "Write images to an archive that docker, podman and `image load` read",
	.operands = "IMAGE...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(save_opts),
	.run = save_run,
};
