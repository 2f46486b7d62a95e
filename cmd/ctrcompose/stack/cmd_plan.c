/* cmd_plan.c - ctrcompose plan: what `up` would do, without doing any of it. */
#include "images/building.h"

#include <ctrcompose/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_CHANGES = 2 };

static struct {
	bool force, no_recreate, no_deps, orphans;
	const char *format;
} arg;

static const struct opt opts[] = {
	{ 0, "force-recreate", OPT_FLAG, &arg.force, NULL, "As for `up`" },
	{ 0, "format", OPT_STRING, &arg.format, "FORMAT", "text (default) or json" },
	{ 0, "no-deps", OPT_FLAG, &arg.no_deps, NULL, "As for `up`" },
	{ 0, "no-recreate", OPT_FLAG, &arg.no_recreate, NULL, "As for `up`" },
	{ 0, "remove-orphans", OPT_FLAG, &arg.orphans, NULL, "As for `up`" },
};

/* What a person wants to know: not that nothing happens, nor what is waited for. */
static bool is_change(const struct online *o, const struct plan_action *a)
{
	return a->op != PLAN_KEEP && a->op != PLAN_WAIT && a->op != PLAN_SWAP &&
	       !online_is_there(o, a);
}

static const char *mark(enum plan_op op)
{
	switch (op) {
	case PLAN_NETWORK_UP:
	case PLAN_VOLUME_MAKE:
	case PLAN_CREATE:
		return "+";
	case PLAN_NETWORK_DOWN:
	case PLAN_VOLUME_REMOVE:
	case PLAN_REMOVE:
	case PLAN_SETTLE:
		return "-";
	default:
		return " ";
	}
}

static void as_text(const struct online *o, const struct plan *plan, const struct strs *orphans,
		    struct sbuf *out)
{
	static const char *const verbs[PLAN_OPS] = {
		[PLAN_NETWORK_UP] = "create",  [PLAN_NETWORK_DOWN] = "remove",
		[PLAN_VOLUME_MAKE] = "create", [PLAN_VOLUME_REMOVE] = "remove",
		[PLAN_CREATE] = "create",      [PLAN_START] = "start",
		[PLAN_STOP] = "stop",          [PLAN_KILL] = "kill",
		[PLAN_PAUSE] = "pause",        [PLAN_UNPAUSE] = "unpause",
		[PLAN_REMOVE] = "remove",      [PLAN_KEEP] = "keep",
		[PLAN_WAIT] = "wait",          [PLAN_SETTLE] = "remove the old one",
	};
	size_t n = 0;

	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];

		if (!is_change(o, a))
			continue;
		n++;
		sbuf_addf(out, "%s %-9s %s: %s%s%s%s\n", mark(a->op), plan_kind(a->op), a->name,
			  verbs[a->op], a->reason ? " (" : "", a->reason ? a->reason : "",
			  a->reason ? ")" : "");
	}
	for (size_t i = 0; i < orphans->n; i++)
		sbuf_addf(out, "? Container %s: an orphan, --remove-orphans would remove it\n",
			  orphans->v[i]);
	if (n == 0)
		sbuf_adds(out, "Nothing to do: all is as the file says.\n");
}

static void as_json(const struct online *o, const struct plan *plan, const struct strs *orphans,
		    struct sbuf *out)
{
	auto_json struct json *all = json_object();
	struct json *actions = json_add_array(all, "actions"), *names;
	auto_free char *text = NULL;
	size_t changes = 0;

	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];
		struct json *row = json_add_object(actions, NULL), *after;

		changes += is_change(o, a);
		json_add_str(row, "kind", plan_kind(a->op));
		json_add_str(row, "name", a->name);
		json_add_str(row, "action", plan_doing(a->op));
		json_add_bool(row, "change", is_change(o, a));
		if (a->service)
			json_add_str(row, "service", a->service);
		if (a->reason)
			json_add_str(row, "reason", a->reason);
		after = json_add_array(row, "after");
		for (size_t k = 0; k < a->n_after; k++)
			json_add_int(after, NULL, (int64_t)a->after[k]);
	}
	names = json_add_array(all, "orphans");
	for (size_t i = 0; i < orphans->n; i++)
		json_add_str(names, NULL, orphans->v[i]);
	json_add_int(all, "changes", (int64_t)changes);
	text = json_print_pretty(all);
	sbuf_addf(out, "%s\n", text);
}

static int load(struct online *o, char **argv, struct err *err)
{
	struct cmd_load how = { .services = argv };
	int r = cmd_load_project_with(&how, &o->project, err);

	if (r == 0)
		r = cmd_check_runs(o->project, err);
	if (r == 0) {
		o->name = xstrdup(o->project->name);
		r = state_paths_open(&o->paths, err);
	}
	if (r == 0)
		r = online_refresh(
			o, err); /* no lock: whoever works on it now may change the answer */
	return r < 0 ? r : images_identify(o, err);
}

static int run(int argc, char **argv, struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	auto_plan struct plan *plan = NULL;
	auto_strs struct strs orphans = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct plan_options po = { .services = online_words(argv),
				   .no_deps = arg.no_deps,
				   .force_recreate = arg.force,
				   .no_recreate = arg.no_recreate,
				   .remove_orphans = arg.orphans,
				   .grace_us = -1 };
	bool changes = false;
	int r;

	(void)argc;
	if (arg.format && !str_eq(arg.format, "text") && !str_eq(arg.format, "json"))
		return usage_error(err, "--format: '%s' is neither text nor json", arg.format);
	r = load(&o, argv, err);
	if (r == 0)
		r = plan_up(o.project, o.state, &po, &plan, &orphans, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->actions.n; i++)
		changes |= is_change(&o, &plan->actions.v[i]);
	if (str_eq(arg.format, "json"))
		as_json(&o, plan, &orphans, &out);
	else
		as_text(&o, plan, &orphans, &out);
	r = cmd_print(&out, err);
	return r < 0 ? r : changes ? EXIT_CHANGES : 0;
}

const struct cmd cmd_plan = {
	.name = "plan",
	.summary = "Show what `up` would do; exit status 2 when that is anything",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
