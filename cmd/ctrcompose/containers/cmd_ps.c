/* cmd_ps.c - ctrcompose ps: the containers of the project. Reads the record, needs no supervisor. */
#include "containers/container.h"
#include "containers/observe.h"
#include "images/store.h"
#include "screen/screen.h"

#include <stdlib.h>
#include <string.h>

static struct {
	struct strs status, filters;
	const char *format;
	bool all, orphans, quiet, services, trunc;
} arg = { .orphans = true, .trunc = true };

static const struct opt opts[] = {
	{ 'a', "all", OPT_FLAG, &arg.all, NULL, "Also stopped containers and those of `run`" },
	{ 0, "filter", OPT_LIST, &arg.filters, "NAME=VALUE",
	  "Only status=..., health=... or name=..." },
	{ 0, "format", OPT_STRING, &arg.format, "FORMAT",
	  "table, json, or a template like '{{.Name}} {{.Status}}'" },
	{ 0, "no-trunc", OPT_UNFLAG, &arg.trunc, NULL, "Cut nothing short" },
	{ 0, "orphans", OPT_FLAG, &arg.orphans, NULL,
	  "Also containers of services that the file does not have (default)" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "Only ids" },
	{ 0, "services", OPT_FLAG, &arg.services, NULL, "Only the names of services" },
	{ 0, "status", OPT_COMMAS, &arg.status, "STATUS",
	  "Only created, running, paused, restarting, exited, dead or removing" },
};

struct shown {
	struct state_container **v;
	size_t n, cap;
};

/* ---- What to show */
static int check_status(const char *name, struct err *err)
{
	auto_sbuf struct sbuf known = SBUF_INIT;

	for (enum state_status s = 0; s < STATE_STATUSES; s++) {
		if (str_eq(state_status_name(s), name))
			return 0;
		sbuf_addf(&known, "%s%s", s ? ", " : "", state_status_name(s));
	}
	return usage_error(err, "there is no status '%s'; there are: %s", name, sbuf_str(&known));
}

static int check_args(struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < arg.filters.n && r == 0; i++) {
		const char *f = arg.filters.v[i];

		if (str_starts(f, "status="))
			strs_add(&arg.status, f + strlen("status="));
		else if (!str_starts(f, "health=") && !str_starts(f, "name="))
			r = usage_error(err,
					"--filter: '%s' is none of status=, health=, name=", f);
	}
	for (size_t i = 0; i < arg.status.n && r == 0; i++)
		r = check_status(arg.status.v[i], err);
	return r;
}

/* Filters of one kind are alternatives, kinds add up. */
static bool passes(const char *kind, const char *value, bool substring)
{
	size_t n = strlen(kind);
	bool any = false;

	for (size_t i = 0; i < arg.filters.n; i++) {
		const char *f = arg.filters.v[i];

		if (strncmp(f, kind, n) != 0 || f[n] != '=')
			continue;
		any = true;
		if (substring ? strstr(value, f + n + 1) != NULL : str_eq(value, f + n + 1))
			return true;
	}
	return !any;
}

static bool wanted(const struct state_container *c, const struct project *p, char **services)
{
	bool all = arg.all || arg.status.n > 0;

	if (!cmd_wants(services, c->service))
		return false;
	if (!all && (c->oneoff || !container_is_up(c)))
		return false;
	if (!arg.orphans && p && !project_service(p, c->service))
		return false;
	if (arg.status.n && !strs_has(&arg.status, state_status_name(c->status)))
		return false;
	return passes("health", state_health_name(c->health), false) &&
	       passes("name", c->name, true);
}

/* ---- Forms */
static void print_services(const struct shown *l, struct sbuf *out)
{
	auto_strs struct strs seen = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		if (strs_has(&seen, l->v[i]->service))
			continue;
		strs_add(&seen, l->v[i]->service);
		sbuf_addf(out, "%s\n", l->v[i]->service);
	}
}

static void print_table(const struct json *rows, struct sbuf *out)
{
	static const char *const headers[] = { "NAME",    "IMAGE",  "COMMAND", "SERVICE",
					       "CREATED", "STATUS", "PORTS",   NULL };
	static const char *const keys[] = { "Name",       "Image",  "Command", "Service",
					    "RunningFor", "Status", "Ports" };
	auto_table struct table t;

	table_start(&t, headers);
	for (const struct json *row = json_first(rows); row; row = json_next(row))
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			table_cell(&t, json_str(row, keys[i], ""));
	table_text(&t, out);
}

static const struct template_header headers[] = {
	{ "ID", "CONTAINER ID" },
	{ "RunningFor", "CREATED" },
	{ NULL, NULL },
};

/* Configs of the images that were asked for, by id: many containers have the same one. */
struct images {
	struct image_store *store;
	struct json *known;
};

static const struct json *config_of(struct images *images, const struct state_container *c)
{
	auto_sbuf struct sbuf words = SBUF_INIT;
	struct json *config = NULL;

	if (!c->image_id || container_command(c, NULL, &words))
		return NULL;
	if (!json_get(images->known, c->image_id)) {
		if (!images->store && cmd_image_store(&images->store, NULL) < 0)
			return NULL;
		if (image_config(images->store, c->image_id, &config, NULL) < 0)
			config = json_object();
		json_add(images->known, c->image_id, config);
	}
	return json_get(json_get(images->known, c->image_id), "config");
}

static int print_rows(const struct state_project *s, const struct shown *l, struct sbuf *out,
		      struct err *err)
{
	auto_json struct json *rows = json_array(), *known = json_object();
	auto_image_store struct image_store *store = NULL;
	struct images images = { .known = known };
	uint64_t now = now_real_ns();

	for (size_t i = 0; i < l->n; i++)
		json_add(rows, NULL,
			 container_row(s, l->v[i], config_of(&images, l->v[i]), now, arg.trunc));
	store = images.store; /* closed at the end */
	if (!arg.format || str_eq(arg.format, "table")) {
		print_table(rows, out);
		return 0;
	}
	return template_print(template_of(arg.format, NULL), rows, headers, out, err);
}

static int run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct shown l = { 0 };
	int r = check_args(err);

	(void)argc;
	if (r == 0)
		r = observe(&o, argv, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < o.state->containers.n; i++)
		if (wanted(o.state->containers.v[i], o.project, argv))
			*vec_push(&l) = o.state->containers.v[i];
	containers_sort(l.v, l.n);
	if (arg.quiet)
		for (size_t i = 0; i < l.n; i++)
			sbuf_addf(&out, "%s\n", l.v[i]->id);
	else if (arg.services)
		print_services(&l, &out);
	else
		r = print_rows(o.state, &l, &out, err);
	free(l.v);
	return r < 0 ? r : cmd_print(&out, err);
}

const struct cmd cmd_ps = {
	.name = "ps",
	.summary = "List containers",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
