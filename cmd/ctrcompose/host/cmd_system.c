/* cmd_system.c - ctrcompose system df, prune: what all projects of this host take on disk. */
#include "containers/container.h"
#include "images/store.h"
#include "networks/networks.h"
#include "screen/screen.h"
#include "stack/online.h"
#include "volumes/store.h"

#include <ctrcompose/engine.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- df --------------------------------------------------------------------------------------- */
struct use {
	const char *type;
	size_t total, active;
	uint64_t bytes, reclaimable;
};
enum { IMAGES, CONTAINERS, VOLUMES, CACHE, OTHER, USES };

static int count_images(struct use *u, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_strs struct strs used = { 0 };
	struct image_disk d;
	int r = cmd_image_store(&s, err);

	if (r == 0)
		r = cmd_used_images(NULL, &used, err);
	if (r == 0)
		r = image_disk(s, &used, &d, err);
	if (r < 0)
		return r;
	u[IMAGES] = (struct use){ "Images", d.images, d.images_active, d.images_bytes,
				  d.images_reclaimable };
	u[CACHE] = (struct use){ "Build Cache", d.cache, 0, d.cache_bytes, d.cache_bytes };
	return 0;
}

struct containers {
	struct use *use;
	char *all; /* the folder of what they have written */
};

static void add_container(const struct state_container *c, void *data)
{
	const struct containers *l = data;
	auto_free char *path = path_join(l->all, c->id);
	uint64_t bytes = path_space(AT_FDCWD, path);

	l->use->total++;
	l->use->active += container_is_up(c);
	l->use->bytes += bytes;
	l->use->reclaimable += container_is_up(c) ? 0 : bytes;
}

static int count_containers(struct use *u, const struct state_paths *paths, struct err *err)
{
	auto_free char *all = path_join(paths->state, "containers");
	struct containers l = { u, all };

	u->type = "Containers";
	return cmd_each_container(true, add_container, &l, err);
}

static int count_volumes(struct use *u, const struct state_paths *paths, struct err *err)
{
	auto_volume_store struct volume_store *s = NULL;
	auto_volume_records struct volume_records list = { 0 };
	auto_strs struct strs used = { 0 };
	auto_free char *all = path_join(paths->state, "volumes");
	int r = cmd_volume_store(&s, err);

	u->type = "Local Volumes";
	if (r == 0)
		r = cmd_volume_users(NULL, &used, err);
	if (r == 0)
		r = volume_list(s, NULL, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		auto_free char *path = path_join(all, list.v[i].name);
		uint64_t bytes = path_space(AT_FDCWD, path);
		bool active = strs_has(&used, list.v[i].name);

		u->total++;
		u->active += active;
		u->bytes += bytes;
		u->reclaimable += active ? 0 : bytes;
	}
	return r;
}

static int count(struct use u[USES], struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	uint64_t sum = 0, all;
	int r = state_paths_open(&paths, err);

	if (r == 0)
		r = count_images(u, err);
	if (r == 0)
		r = count_containers(&u[CONTAINERS], &paths, err);
	if (r == 0)
		r = count_volumes(&u[VOLUMES], &paths, err);
	if (r < 0)
		return r;
	/* Records, logs, indexes, downloads on their way: all rows together are what du says. */
	all = path_space(AT_FDCWD, paths.state);
	for (size_t i = 0; i < OTHER; i++)
		sum += u[i].bytes;
	u[OTHER] = (struct use){ .type = "Other", .bytes = all > sum ? all - sum : 0 };
	return 0;
}

static const char *df_format;

static const struct opt df_opts[] = {
	{ 0, "format", OPT_STRING, &df_format, "FORMAT", "table (default), json, or a template" },
};

static void add_use(struct json *rows, const struct use *u)
{
	struct json *row = json_add_object(rows, NULL);
	char size[16], part[16], number[24];
	auto_free char *reclaimable = NULL;

	format_bytes(u->bytes, size);
	format_bytes(u->reclaimable, part);
	reclaimable =
		u->bytes ? xasprintf("%s (%" PRIu64 "%%)", part, u->reclaimable * 100 / u->bytes)
			 : xstrdup(part);
	json_add_str(row, "Type", u->type);
	(void)snprintf(number, sizeof(number), "%zu", u->total);
	json_add_str(row, "TotalCount", number);
	(void)snprintf(number, sizeof(number), "%zu", u->active);
	json_add_str(row, "Active", number);
	json_add_str(row, "Size", size);
	json_add_str(row, "Reclaimable", reclaimable);
	json_add_int(row, "SizeBytes", (int64_t)u->bytes);
	json_add_int(row, "ReclaimableBytes", (int64_t)u->reclaimable);
}

static int df_run(int argc, char **argv, struct err *err)
{
	static const struct template_header headers[] = { { "TotalCount", "TOTAL" },
							  { NULL, NULL } };
	static const char table[] = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}"
				    "\t{{.Reclaimable}}";
	auto_json struct json *rows = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct use u[USES] = { 0 };
	int r = count(u, err);

	(void)argc;
	(void)argv;
	if (r < 0)
		return r;
	for (size_t i = 0; i < USES; i++)
		add_use(rows, &u[i]);
	r = template_print(template_of(df_format, table), rows, headers, &out, err);
	return r < 0 ? r : cmd_print(&out, err);
}

static const struct cmd df = {
	.name = "df",
	.summary = "Show what images, containers, volumes and the cache of builds take on disk",
	CMD_OPTS(df_opts),
	.run = df_run,
};

/* ---- prune ------------------------------------------------------------------------------------ */
static struct {
	bool all, containers, force, volumes;
} arg;

static const struct opt prune_opts[] = {
	{ 'a', "all", OPT_FLAG, &arg.all, NULL, "Also images with a name that no container has" },
	{ 0, "containers", OPT_FLAG, &arg.containers, NULL,
	  "Also stopped containers, and networks of projects of which nothing runs; with -p NAME "
	  "only of that one" },
	{ 'f', "force", OPT_FLAG, &arg.force, NULL, "Do not ask" },
	{ 0, "volumes", OPT_FLAG, &arg.volumes, NULL,
	  "Also anonymous volumes that no container has" },
};

static int confirmed(struct err *err)
{
	auto_free char *question = xasprintf(
		"Remove %snetworks that no project has, the cache of builds%s and all images %sthat no container has?",
		arg.containers ? "all stopped containers, " : "",
		arg.volumes ? ", anonymous volumes" : "", arg.all ? "" : "without a name ");

	return arg.force ? 1 : cmd_confirm(question, err);
}

static void add_list(struct sbuf *out, const char *kind, const struct strs *l)
{
	bool title = l->n && !global.dry_run;

	if (title)
		sbuf_addf(out, "Deleted %ss:\n", kind);
	if (str_eq(kind, "Image"))
		image_report(out, l);
	for (size_t i = 0; !str_eq(kind, "Image") && i < l->n; i++)
		cmd_did(out, kind, l->v[i], "Removed");
	if (title)
		sbuf_addc(out, '\n');
}

/* --dry-run: what is left for the rest of the command to look at. */
static int forget_removed(const struct online *o, const struct plan *plan, struct err *err)
{
	auto_free char *all = path_join(o->paths.state, "containers");
	auto_close int dir = open(all, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];
		struct state_container *c = NULL;

		if (a->op == PLAN_NETWORK_DOWN)
			state_network_remove(o->state, a->service);
		if (a->op != PLAN_REMOVE || state_find(o->state, a->name, &c, NULL) < 0)
			continue;
		if (dir >= 0)
			(void)path_remove_tree(dir, c->id);
		state_container_remove(o->state, c);
	}
	return state_save(&o->paths, o->state, err);
}

/* Of what runs nothing goes; a project of which nothing runs goes as with `down`. */
static int plan_stopped(const struct online *o, struct plan **out, struct strs *report,
			struct err *err)
{
	struct plan_options po = { .grace_us = -1 };
	bool up = false;

	for (size_t i = 0; i < o->state->containers.n; i++) {
		const struct state_container *c = o->state->containers.v[i];

		if (container_is_up(c))
			up = true;
		else
			strs_add(report, c->name);
	}
	return up ? plan_verb(PLAN_VERB_RM, NULL, o->state, &po, out, err)
		  : plan_down(NULL, o->state, &po, out, err);
}

static int prune_project(const char *name, struct strs *report, struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	auto_plan struct plan *plan = NULL;
	int r;

	global.project_name = name;
	r = online_open(&o, err);
	if (r == 0)
		r = plan_stopped(&o, &plan, report, err);
	if (r == 0)
		r = online_apply(&o, plan, "Removing", err);
	return r == 0 && global.dry_run ? forget_removed(&o, plan, err) : r;
}

/* Stopped containers can be started again, with what they have written: they stay unless asked for. */
static void count_stopped(const struct state_container *c, void *data)
{
	size_t *n = data;

	*n += !container_is_up(c);
}

/* With -p NAME only of that one. */
static int prune_projects(struct strs *report, uint64_t *freed, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_free char *all = NULL;
	auto_strs struct strs names = { 0 };
	const char *asked = global.project_name;
	uint64_t before, after;
	int r = state_paths_open(&paths, err);

	if (r == 0)
		r = state_list_projects(&paths, &names, err);
	if (r < 0)
		return r;
	strs_clear(&global.files); /* projects as they were recorded, none of a file */
	all = path_join(paths.state, "containers");
	before = path_space(AT_FDCWD, all);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (!asked || str_eq(asked, names.v[i]))
			r = prune_project(names.v[i], report, err);
	global.project_name = asked;
	after = path_space(AT_FDCWD, all);
	*freed = before > after ? before - after : 0;
	return r;
}

/* What removals that were cut off have left. */
static int prune_trash(struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	int r = state_paths_open(&paths, err);

	if (r < 0)
		return r;
	r = engine_empty_trash(&paths, global.project_name);
	return r < 0 ? err_set(err, r,
			       "remove what is left of removed containers below %s/containers: %s",
			       paths.state, strerror(-r))
		     : 0;
}

static int prune_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_strs struct strs containers = { 0 }, volumes = { 0 }, images = { 0 };
	auto_strs struct strs networks = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct image_prune_how how = { .all = arg.all };
	uint64_t sum = 0, part = 0;
	size_t kept = 0;
	char size[16];
	int r;

	(void)argc;
	(void)argv;
	r = confirmed(err);
	if (r <= 0)
		return r;
	r = prune_trash(err);
	if (r == 0 && arg.containers)
		r = prune_projects(&containers, &sum, err);
	if (r == 0)
		r = cmd_image_store(&s, err);
	if (r == 0)
		r = cmd_networks_prune(&networks, err);
	if (r == 0 && arg.volumes)
		r = cmd_volumes_prune(false, &volumes, &part, err);
	sum += part;
	part = 0;
	if (r == 0)
		r = image_cache_prune(s, &part, err);
	sum += part;
	part = 0;
	if (r == 0)
		r = image_prune(s, &how, cmd_used_images, NULL, &images, &part, err);
	if (r == 0 && !arg.containers)
		r = cmd_each_container(true, count_stopped, &kept, err);
	if (r < 0)
		return r;
	format_bytes(sum + part, size);
	if (!global.dry_run) /* their plans have told */
		add_list(&out, "Container", &containers);
	add_list(&out, "Network", &networks);
	add_list(&out, "Volume", &volumes);
	add_list(&out, "Image", &images);
	if (kept)
		sbuf_addf(&out,
			  "Kept: %zu stopped container%s, which `start` can start again; "
			  "--containers removes %s\n",
			  kept, kept == 1 ? "" : "s", kept == 1 ? "it" : "them");
	sbuf_addf(&out, "Total reclaimed space: %s\n", size);
	return cmd_print(&out, err);
}

static const struct cmd prune = {
	.name = "prune",
	.summary = "Remove what no container has: images, networks, the cache of builds; "
		   "stopped containers stay without --containers",
	CMD_OPTS(prune_opts),
	.dry = DRY_IN_COPY,
	.run = prune_run,
};

static const struct cmd *const subs[] = { &df, &prune, NULL };

const struct cmd cmd_system = {
	.name = "system",
	.summary = "Disk use, and what can go",
	.operands = "COMMAND",
	.subs = subs,
};
