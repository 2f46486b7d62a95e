/* cmd_volume.c - ctrcompose volume: create, inspect, ls, prune, rm. */
#include "containers/inspect.h"
#include "screen/screen.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cmd_volume_store(struct volume_store **out, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_close int dir = -1;
	int r = state_paths_open(&paths, err);

	if (r < 0)
		return r;
	dir = open(paths.state, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open %s", paths.state);
	return volume_store_open(dir, paths.state, out, err);
}

struct users {
	const char *volume; /* NULL: of which volumes are there any */
	struct strs *out;
};

static void add_users(const struct state_container *c, void *arg)
{
	const struct users *u = arg;

	for (size_t i = 0; i < c->mounts.n; i++) {
		const char *name = c->mounts.v[i].volume;

		if (name && (!u->volume || strcmp(name, u->volume) == 0))
			strs_add(u->out, u->volume ? c->name : name);
	}
}

int cmd_volume_users(const char *volume, struct strs *out, struct err *err)
{
	struct users u = { volume, out };

	return cmd_each_container(false, add_users, &u, err);
}

/* ---- create ----------------------------------------------------------------------------------- */
static struct strs create_labels;

static const struct opt create_opts[] = {
	{ 0, "label", OPT_LIST, &create_labels, "KEY=VALUE", "Add a label" },
};

static int create_run(int argc, char **argv, struct err *err)
{
	auto_volume_store struct volume_store *s = NULL;
	auto_sbuf struct sbuf out = SBUF_INIT;
	auto_free struct kv *kv = xcalloc(create_labels.n + 1, sizeof(*kv));
	struct kvs labels = { kv, create_labels.n };
	int r = cmd_volume_store(&s, err);

	for (size_t i = 0; i < labels.n; i++) {
		char *eq = strchr(create_labels.v[i], '=');

		if (eq)
			*eq = '\0';
		kv[i] = (struct kv){ create_labels.v[i], eq ? eq + 1 : "" };
	}
	for (int i = 0; r == 0 && i < argc; i++) {
		r = volume_create(s, argv[i], NULL, false, &labels, NULL, err);
		if (r == 0)
			cmd_did(&out, "Volume", argv[i], "Created");
	}
	strs_clear(&create_labels);
	return r < 0 ? r : cmd_print(&out, err);
}

static const struct cmd create = {
	.name = "create",
	.summary = "Make volumes",
	.operands = "VOLUME...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(create_opts),
	.dry = DRY_IN_COPY,
	.run = create_run,
};

/* ---- inspect, ls ------------------------------------------------------------------------------ */
static const char *inspect_format;

static const struct opt inspect_opts[] = {
	{ 'f', "format", OPT_STRING, &inspect_format, "FORMAT",
	  "json, or a template like '{{.Name}}'" },
};

static int inspect_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return inspect_names(argv, "volume", inspect_format, err);
}

static const struct cmd inspect = {
	.name = "inspect",
	.summary = "Show all about volumes, as JSON",
	.operands = "VOLUME...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(inspect_opts),
	.run = inspect_run,
};

static struct {
	bool quiet;
	const char *format;
} ls_arg;

static const struct opt ls_opts[] = {
	{ 'q', "quiet", OPT_FLAG, &ls_arg.quiet, NULL, "Only print names" },
	{ 0, "format", OPT_STRING, &ls_arg.format, "FORMAT",
	  "table (default), json, or a template" },
};

static int ls_run(int argc, char **argv, struct err *err)
{
	auto_volume_store struct volume_store *s = NULL;
	auto_volume_records struct volume_records list = { 0 };
	auto_json struct json *rows = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = cmd_volume_store(&s, err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = volume_list(s, global.project_name, &list, err);
	for (size_t i = 0; i < list.n; i++)
		json_add(rows, NULL, inspect_volume(&list.v[i]));
	if (r < 0)
		return r;
	r = template_print(ls_arg.quiet
				   ? "{{.Name}}"
				   : template_of(ls_arg.format, "table {{.Driver}}\t{{.Name}}"),
			   rows, NULL, &out, err);
	return r < 0 ? r : cmd_print(&out, err);
}

static const struct cmd ls = {
	.name = "ls",
	.alias = "list",
	.summary = "List volumes; with -p NAME those of a project",
	CMD_OPTS(ls_opts),
	.run = ls_run,
};

/* ---- rm, prune -------------------------------------------------------------------------------- */
static bool rm_force, prune_force, prune_all;

static const struct opt rm_opts[] = {
	{ 'f', "force", OPT_FLAG, &rm_force, NULL, "A missing volume is no error" },
};

static int rm_run(int argc, char **argv, struct err *err)
{
	auto_volume_store struct volume_store *s = NULL;
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = cmd_volume_store(&s, err), shown;

	for (int i = 0; r == 0 && i < argc; i++) {
		auto_strs struct strs users = { 0 };

		r = cmd_volume_users(argv[i], &users, err);
		if (r == 0)
			r = volume_remove(s, argv[i], &users, err);
		if (r == -ENOENT && rm_force) {
			err_clear(err);
			r = 0;
		} else if (r == 0) {
			cmd_did(&out, "Volume", argv[i], "Removed");
		}
	}
	shown = cmd_print(&out, r < 0 ? NULL : err);
	return r < 0 ? r : shown;
}

static const struct cmd rm = {
	.name = "rm",
	.alias = "remove",
	.summary = "Remove volumes",
	.operands = "VOLUME...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(rm_opts),
	.dry = DRY_IN_COPY,
	.run = rm_run,
};

static const struct opt prune_opts[] = {
	{ 'a', "all", OPT_FLAG, &prune_all, NULL, "Named volumes too, not only anonymous ones" },
	{ 'f', "force", OPT_FLAG, &prune_force, NULL, "Do not ask" },
};

int cmd_volumes_prune(bool all, struct strs *removed, uint64_t *freed, struct err *err)
{
	auto_volume_store struct volume_store *s = NULL;
	auto_volume_records struct volume_records list = { 0 };
	auto_strs struct strs used = { 0 };
	int r = cmd_volume_store(&s, err);

	if (r == 0)
		r = cmd_volume_users(NULL, &used, err);
	if (r == 0)
		r = volume_list(s, NULL, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct volume_record *v = &list.v[i];
		uint64_t bytes = freed ? path_space(AT_FDCWD, v->path) : 0;

		if (strs_has(&used, v->name) || (!all && !v->anonymous))
			continue;
		r = volume_remove(s, v->name, NULL, err);
		if (r < 0)
			break;
		strs_add(removed, v->name);
		if (freed)
			*freed += bytes;
	}
	return r;
}

static int prune_run(int argc, char **argv, struct err *err)
{
	auto_strs struct strs removed = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r;

	(void)argc;
	(void)argv;
	r = prune_force
		    ? 1
		    : cmd_confirm(prune_all ? "Remove all volumes that no container has?"
					    : "Remove all anonymous volumes that no container has?",
				  err);
	if (r <= 0)
		return r;
	r = cmd_volumes_prune(prune_all, &removed, NULL, err);
	for (size_t i = 0; i < removed.n; i++)
		cmd_did(&out, "Volume", removed.v[i], "Removed");
	return r < 0 ? r : cmd_print(&out, err);
}

static const struct cmd prune = {
	.name = "prune",
	.summary = "Remove volumes that no container has",
	CMD_OPTS(prune_opts),
	.dry = DRY_IN_COPY,
	.run = prune_run,
};

static const struct cmd *const subs[] = { &create, &inspect, &ls, &prune, &rm, NULL };

const struct cmd cmd_volume = {
	.name = "volume",
	.summary = "Manage volumes",
	.operands = "COMMAND",
	.subs = subs,
};
