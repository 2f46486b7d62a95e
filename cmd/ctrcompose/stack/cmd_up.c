/* cmd_up.c - ctrcompose up and create: make what the file says come true. */
#include "images/building.h"
#include "images/pulling.h"
#include "stack/follow.h"
#include "stack/online.h"
#include "watch/watching.h"

#include <stdlib.h>
#include <string.h>

static struct {
	bool detach, wait, no_start, no_deps, force, no_recreate, orphans, renew, quiet_pull, build,
		no_build, no_color, no_prefix, timestamps, abort_exit, abort_failure, dependencies,
		always_deps, yes, quiet_build, menu, watch;
	int64_t timeout, wait_timeout;
	const char *exit_from, *pull;
	struct strs scale, attach, no_attach;
} arg = { .timeout = -1 };

static const struct opt opts[] = {
	{ 0, "abort-on-container-exit", OPT_FLAG, &arg.abort_exit, NULL,
	  "Stop all when one container ends" },
	{ 0, "abort-on-container-failure", OPT_FLAG, &arg.abort_failure, NULL,
	  "Stop all when one container fails" },
	{ 0, "always-recreate-deps", OPT_FLAG, &arg.always_deps, NULL,
	  "With --force-recreate: make dependencies anew as well" },
	{ 0, "attach", OPT_LIST, &arg.attach, "SERVICE", "Show the output of these services only" },
	{ 0, "attach-dependencies", OPT_FLAG, &arg.dependencies, NULL,
	  "Show the output of dependencies as well" },
	{ 'd', "detach", OPT_FLAG, &arg.detach, NULL, "Return when everything runs" },
	{ 0, "exit-code-from", OPT_STRING, &arg.exit_from, "SERVICE",
	  "Exit as this service does; stops all when it ends" },
	{ 0, "force-recreate", OPT_FLAG, &arg.force, NULL, "Make containers anew in any case" },
	{ 0, "menu", OPT_FLAG, &arg.menu, NULL, NULL },
	{ 0, "no-attach", OPT_LIST, &arg.no_attach, "SERVICE", "Leave out the output of these" },
	{ 0, "no-color", OPT_FLAG, &arg.no_color, NULL, "No colours in log lines" },
	{ 0, "no-deps", OPT_FLAG, &arg.no_deps, NULL, "Leave dependencies alone" },
	{ 0, "no-log-prefix", OPT_FLAG, &arg.no_prefix, NULL, "No prefixes in log lines" },
	{ 0, "no-recreate", OPT_FLAG, &arg.no_recreate, NULL, "Keep containers that exist" },
	{ 0, "no-start", OPT_FLAG, &arg.no_start, NULL, "Make containers, start none" },
	{ 0, "build", OPT_FLAG, &arg.build, NULL, "Build images before containers are made" },
	{ 0, "no-build", OPT_FLAG, &arg.no_build, NULL, "Never build an image" },
	{ 'y', "yes", OPT_FLAG, &arg.yes, NULL, "Nothing is asked: accepted for scripts" },
	{ 0, "quiet-build", OPT_FLAG, &arg.quiet_build, NULL, "No lines of builds but what fails" },
	{ 0, "quiet-pull", OPT_FLAG, &arg.quiet_pull, NULL, "No progress lines for pulls" },
	{ 0, "pull", OPT_STRING, &arg.pull, "POLICY",
	  "always, missing, never, build: for all services" },
	{ 0, "remove-orphans", OPT_FLAG, &arg.orphans, NULL,
	  "Remove containers of services that the file does not have" },
	{ 'V', "renew-anon-volumes", OPT_FLAG, &arg.renew, NULL, "Make anonymous volumes anew" },
	{ 0, "scale", OPT_LIST, &arg.scale, "SERVICE=N", "How many containers of a service" },
	{ 't', "timeout", OPT_TIMEOUT, &arg.timeout, "SECONDS", "Grace period before SIGKILL" },
	{ 0, "timestamps", OPT_FLAG, &arg.timestamps, NULL, "Show times in log lines" },
	{ 0, "wait", OPT_FLAG, &arg.wait, NULL,
	  "Wait until services run and are healthy; implies -d" },
	{ 0, "wait-timeout", OPT_TIMEOUT, &arg.wait_timeout, "SECONDS", "At most this long" },
	{ 'w', "watch", OPT_FLAG, &arg.watch, NULL,
	  "Bring files that change to the services, as `watch` does" },
};

static int read_scale(struct arena *a, struct plan_options *po, struct err *err)
{
	struct kv *kv = arena_array(a, arg.scale.n + 1, sizeof(*kv));

	for (size_t i = 0; i < arg.scale.n; i++) {
		char *eq = strchr(arg.scale.v[i], '=');
		uint64_t n;

		if (!eq || parse_u64(eq + 1, &n) < 0)
			return usage_error(err, "--scale needs SERVICE=N, not '%s'",
					   arg.scale.v[i]);
		*eq = '\0';
		kv[i] = (struct kv){ arg.scale.v[i], eq + 1 };
	}
	po->scale = kv;
	po->n_scale = arg.scale.n;
	return 0;
}

static int check(struct err *err)
{
	if (arg.force && arg.no_recreate)
		return usage_error(err, "--force-recreate and --no-recreate exclude each other");
	if (arg.always_deps && arg.no_recreate)
		return usage_error(err,
				   "--always-recreate-deps and --no-recreate exclude each other");
	if (arg.build && arg.no_build)
		return usage_error(err, "--build and --no-build exclude each other");
	if (pull_check_policy(arg.pull, err) < 0)
		return -EINVAL;
	if (arg.exit_from)
		arg.abort_exit = true;
	if (arg.wait)
		arg.detach = true;
	if (arg.menu)
		return usage_error(err, "--menu: there are no shortcuts; --watch, `attach` and "
					"`down` do the same");
	if (arg.watch && (arg.detach || arg.no_start))
		return usage_error(err, "--watch and %s exclude each other",
				   arg.detach ? "-d" : "--no-start");
	if (arg.watch && arg.no_build)
		return usage_error(err, "--watch and --no-build exclude each other");
	if (arg.detach && (arg.abort_exit || arg.abort_failure))
		return usage_error(err, "--abort-on-container-exit and -d exclude each other");
	return 0;
}

/* With COMPOSE_REMOVE_ORPHANS and COMPOSE_IGNORE_ORPHANS of the environment or .env. */
static int check_orphans(const struct project *p, struct err *err)
{
	if (p->ignore_orphans && (arg.orphans || p->remove_orphans))
		return usage_error(err, "COMPOSE_IGNORE_ORPHANS and %s exclude each other",
				   arg.orphans ? "--remove-orphans" : "COMPOSE_REMOVE_ORPHANS");
	arg.orphans |= p->remove_orphans;
	return 0;
}

static void warn_orphans(const struct strs *names)
{
	auto_sbuf struct sbuf list = SBUF_INIT;

	for (size_t i = 0; i < names->n; i++)
		sbuf_addf(&list, "%s%s", i ? " " : "", names->v[i]);
	if (names->n)
		cmd_warn(
			"Found orphan containers ([%s]) for this project. If you removed or renamed this "
			"service in your compose file, you can run this command with the "
			"--remove-orphans flag to clean it up.",
			sbuf_str(&list));
}

/* Two projects of one name from two folders are two projects to people. */
static int check_folder(const struct online *o, struct err *err)
{
	if (!o->state->working_dir || o->state->containers.n == 0 ||
	    str_eq(o->state->working_dir, o->project->working_dir))
		return 0;
	return err_set(
		err, EEXIST,
		"project %s exists already, from %s: take it down there, or choose another name with -p",
		o->name, o->state->working_dir);
}

static int apply(struct online *o, char **argv, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_plan struct plan *plan = NULL;
	auto_strs struct strs orphans = { 0 };
	struct plan_options po = { .services = online_words(argv),
				   .no_deps = arg.no_deps,
				   .no_start = arg.no_start,
				   .force_recreate = arg.force,
				   .always_recreate_deps = arg.always_deps,
				   .no_recreate = arg.no_recreate,
				   .remove_orphans = arg.orphans,
				   .remove_volumes = arg.renew,
				   .wait = arg.wait,
				   .grace_us = arg.timeout };
	int r = read_scale(&a, &po, err);

	if (r == 0)
		r = check_folder(o, err);
	if (r == 0)
		r = plan_up(o->project, o->state, &po, &plan, &orphans, err);
	if (r < 0)
		return r;
	if (!o->project->ignore_orphans)
		warn_orphans(&orphans);
	o->listen = !arg.detach && !arg.no_start;
	if (arg.wait && arg.wait_timeout > 0)
		o->patience_us = (uint64_t)arg.wait_timeout;
	return online_apply(o, plan, "Running", err);
}

static int attached(struct online *o, char **argv, uint64_t since_ns, struct err *err)
{
	struct follow_options f = {
		.view = { .no_color = arg.no_color,
			  .no_prefix = arg.no_prefix,
			  .timestamps = arg.timestamps },
		.only = &arg.attach,
		.without = &arg.no_attach,
		.services = argv,
		.dependencies = arg.dependencies,
		.abort_on_exit = arg.abort_exit,
		.abort_on_failure = arg.abort_failure,
		.exit_from = arg.exit_from,
		.grace_us = arg.timeout,
		.since_ns = since_ns,
	};

	pid_t watcher = 0;
	int r = arg.watch ? watch_beside(o->project, argv, arg.quiet_build, &watcher, err) : 0;

	if (r == 0)
		r = follow_up(o, &f, err);
	watch_end(watcher);
	return r;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	struct cmd_load how = { .services = argv };
	uint64_t began = now_real_ns();
	int r = check(err);

	(void)argc;
	if (r == 0)
		r = online_open_file(&o, &how, err);
	if (r == 0)
		r = check_orphans(o.project, err);
	if (r == 0 && arg.watch)
		r = watch_check(o.project, argv, err);
	if (r == 0)
		r = pull_for_up(&o, argv, arg.pull, arg.quiet_pull, err);
	if (r == 0)
		r = build_for_up(&o, argv, arg.build, arg.no_build, arg.quiet_build, err);
	if (r == 0)
		r = apply(&o, argv, err);
	if (r == 0 && !arg.detach && !arg.no_start && !global.dry_run)
		r = attached(&o, argv, began, err);
	strs_clear(&arg.scale);
	strs_clear(&arg.attach);
	strs_clear(&arg.no_attach);
	return r;
}

const struct cmd cmd_up = {
	.name = "up",
	.summary = "Create and start containers",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};

/* ---- create ----------------------------------------------------------------------------------- */
static const struct opt create_opts[] = {
	{ 0, "build", OPT_FLAG, &arg.build, NULL, "Build images before containers are made" },
	{ 'y', "yes", OPT_FLAG, &arg.yes, NULL, "Nothing is asked: accepted for scripts" },
	{ 0, "quiet-build", OPT_FLAG, &arg.quiet_build, NULL, "No lines of builds but what fails" },
	{ 0, "pull", OPT_STRING, &arg.pull, "POLICY", "always, missing, never, build" },
	{ 0, "quiet-pull", OPT_FLAG, &arg.quiet_pull, NULL, "No progress lines for pulls" },
	{ 0, "no-build", OPT_FLAG, &arg.no_build, NULL, "Never build an image" },
	{ 0, "force-recreate", OPT_FLAG, &arg.force, NULL, "Make containers anew in any case" },
	{ 0, "no-recreate", OPT_FLAG, &arg.no_recreate, NULL, "Keep containers that exist" },
	{ 0, "remove-orphans", OPT_FLAG, &arg.orphans, NULL,
	  "Remove containers of services that the file does not have" },
	{ 0, "scale", OPT_LIST, &arg.scale, "SERVICE=N", "How many containers of a service" },
};

static int create_run(int argc, char **argv, struct err *err)
{
	arg.no_start = true;
	return run(argc, argv, err);
}

const struct cmd cmd_create = {
	.name = "create",
	.summary = "Create containers without starting them",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(create_opts),
	.run = create_run,
};
