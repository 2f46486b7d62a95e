/* image_rm.c - ctrcompose image rm, prune. */
#include "images/cmd_image.h"

#include <ctype.h>
#include <string.h>

/* "Untagged: box:latest", "Deleted: sha256:..." */
void image_report(struct sbuf *out, const struct strs *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		const char *name = strchr(lines->v[i], ' ');
		auto_free char *what = xstrndup(lines->v[i], strcspn(lines->v[i], ":"));

		what[0] = (char)toupper((unsigned char)what[0]);
		cmd_did(out, "Image", global.dry_run && name ? name + 1 : lines->v[i], what);
	}
}

/* ---- rm --------------------------------------------------------------------------------------- */
static bool rm_force;

static const struct opt rm_opts[] = {
	{ 'f', "force", OPT_FLAG, &rm_force, NULL, "Also an image with several names" },
};

static int rm_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_strs struct strs used = { 0 }, report = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = cmd_image_store(&s, err), shown;

	if (r == 0)
		r = cmd_used_images(NULL, &used, err);
	for (int i = 0; r == 0 && i < argc; i++)
		r = image_remove(s, argv[i], rm_force, &used, &report, err);
	image_report(&out, &report);
	shown = cmd_print(&out, r < 0 ? NULL : err);
	return r < 0 ? r : shown;
}

const struct cmd image_rm = {
	.name = "rm",
	.alias = "remove",
	.summary = "Remove images",
	.operands = "IMAGE...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(rm_opts),
	.dry = DRY_IN_COPY,
	.run = rm_run,
};

/* ---- prune ------------------------------------------------------------------------------------ */
static struct {
	bool all, force;
	struct strs filters;
} prune_arg;

static const struct opt prune_opts[] = {
	{ 'a', "all", OPT_FLAG, &prune_arg.all, NULL,
	  "Also images with a name that no container has" },
	{ 0, "filter", OPT_LIST, &prune_arg.filters, "FILTER",
	  "Only those that match: until=WHEN, label=KEY[=VALUE]" },
	{ 'f', "force", OPT_FLAG, &prune_arg.force, NULL, "Do not ask" },
};

static int read_filters(struct image_prune_how *how, struct strs *labels, struct err *err)
{
	for (size_t i = 0; i < prune_arg.filters.n; i++) {
		const char *f = prune_arg.filters.v[i];

		if (str_starts(f, "label="))
			strs_add(labels, f + strlen("label="));
		else if (!str_starts(f, "until=") ||
			 parse_when(f + strlen("until="), now_real_ns(), &how->before_ns) < 0)
			return usage_error(err,
					   "image prune: '%s' is neither until=WHEN nor "
					   "label=KEY[=VALUE]",
					   f);
	}
	how->labels = labels;
	return 0;
}

static int prune_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_strs struct strs labels = { 0 }, report = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct image_prune_how how = { .all = prune_arg.all };
	uint64_t freed = 0;
	char size[16];
	int r = read_filters(&how, &labels, err);

	(void)argc;
	(void)argv;
	strs_clear(&prune_arg.filters);
	if (r < 0)
		return r;
	r = prune_arg.force ? 1
			    : cmd_confirm(how.all ? "Remove all images that no container has?"
						  : "Remove all images without a name that no "
						    "container has?",
					  err);
	if (r <= 0)
		return r;
	r = cmd_image_store(&s, err);
	if (r == 0)
		r = image_prune(s, &how, cmd_used_images, NULL, &report, &freed, err);
	if (r < 0)
		return r;
	if (report.n && !global.dry_run)
		sbuf_adds(&out, "Deleted Images:\n");
	image_report(&out, &report);
	format_bytes(freed, size);
	sbuf_addf(&out, "%sTotal reclaimed space: %s\n", report.n && !global.dry_run ? "\n" : "",
		  size);
	return cmd_print(&out, err);
}

const struct cmd image_prune_cmd = {
	.name = "prune",
	.summary = "Remove images that no container has",
	CMD_OPTS(prune_opts),
	.dry = DRY_IN_COPY,
	.run = prune_run,
};
