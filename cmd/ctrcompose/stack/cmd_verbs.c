/* cmd_verbs.c - ctrcompose start, stop, restart, kill, rm: over containers that are there. */
#include "stack/online.h"

#include <ctrcompose/supervise.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct {
	int64_t timeout;
	const char *signal;
	bool all, no_deps, force, stop, volumes, orphans, wait, boot;
	int64_t wait_timeout;
} arg = { .timeout = -1 };

/* NULL-terminated; the names belong to the project. */
static const char **services_of(const struct project *p)
{
	const char **v = xcalloc(p->n_services + p->n_disabled + 1, sizeof(*v));

	for (size_t i = 0; i < p->n_services; i++)
		v[i] = p->services[i].name;
	for (size_t i = 0; i < p->n_disabled; i++)
		v[p->n_services + i] = p->disabled[i].name;
	return v;
}

/* That is no failure: what was asked for is so. */
static const char *const nothing[] = {
	[PLAN_VERB_START] = "no container to start: all run",
	[PLAN_VERB_STOP] = "no container to stop: none runs",
	[PLAN_VERB_RESTART] = "no container to restart",
	[PLAN_VERB_KILL] = "no container to kill",
	[PLAN_VERB_RM] = "No stopped containers",
	[PLAN_VERB_PAUSE] = "no container to pause: none runs",
	[PLAN_VERB_UNPAUSE] = "no container to unpause: none is paused",
};

/* 1: yes, 0: no */
static int confirm_rm(const struct plan *plan, struct err *err)
{
	auto_sbuf struct sbuf question = SBUF_INIT;

	for (size_t i = 0; i < plan->actions.n; i++)
		sbuf_addf(&question, "%s%s", i ? ", " : "Going to remove ",
			  plan->actions.v[i].name);
	return cmd_confirm(sbuf_str(&question), err);
}

static int apply(enum plan_verb verb, char **argv, const struct plan_options *given,
		 struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	auto_plan struct plan *plan = NULL;
	auto_free const char **names = NULL;
	struct plan_options po = *given;
	int r;

	o.beside =
		verb == PLAN_VERB_KILL; /* what is stopped with patience can be killed meanwhile */
	r = online_open(&o, err);
	po.services = online_words(argv);
	if (r == 0 && verb == PLAN_VERB_KILL && !arg.orphans && !argv[0] && o.project)
		po.services = names = services_of(o.project);
	if (r == 0 && o.state->containers.n == 0 && verb != PLAN_VERB_RM)
		r = argv[0] ? cmd_check_services(argv, o.project, o.state, err) : 0;
	if (r == 0 && o.state->containers.n == 0 && verb == PLAN_VERB_START)
		r = err_set(err, ENOENT,
			    "project %s has no containers to start: make them with `up`", o.name);
	if (r == 0 && verb == PLAN_VERB_RM && arg.stop) {
		r = plan_verb(PLAN_VERB_STOP, o.project, o.state, &po, &plan, err);
		if (r == 0)
			r = online_apply(&o, plan, "Stopping", err);
		plan_free(steal(plan));
		if (r == 0)
			r = online_refresh(&o, err);
		for (size_t i = 0; r == 0 && global.dry_run && i < o.state->containers.n; i++)
			if (cmd_wants(argv, o.state->containers.v[i]->service))
				o.state->containers.v[i]->status = STATE_EXITED; /* it would be */
	}
	if (r == 0)
		r = plan_verb(verb, o.project, o.state, &po, &plan, err);
	if (r == 0 && plan->actions.n == 0)
		cmd_note("%s", nothing[verb]);
	else if (r == 0 && verb == PLAN_VERB_RM && !arg.force) {
		r = confirm_rm(plan, err);
		if (r <= 0)
			return r;
		r = 0;
	}
	if (arg.wait && arg.wait_timeout > 0)
		o.patience_us = (uint64_t)arg.wait_timeout;
	return r < 0 ? r : online_apply(&o, plan, "Running", err);
}

/* ---- With the host: what ctrcompose@.service calls --------------------------------------------- */
static bool resumes(const struct state_container *c)
{
	auto_arena struct arena a = { 0 };
	struct service *svc = NULL;

	return compose_service_from_json(&a, c->service, c->config_json, &svc, NULL) == 0 &&
	       svc_resumes(svc->restart, c->exit_code, c->halted);
}

/* ---- start ------------------------------------------------------------------------------------ */
static const struct opt start_opts[] = {
	{ 0, "boot", OPT_FLAG, &arg.boot, NULL,
	  "Only what its restart policy brings back after a boot of the host" },
	{ 0, "wait", OPT_FLAG, &arg.wait, NULL, "Wait until the services run and are healthy" },
	{ 0, "wait-timeout", OPT_TIMEOUT, &arg.wait_timeout, "SECONDS", "At most this long" },
};

static int start_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return apply(PLAN_VERB_START, argv,
		     &(struct plan_options){
			     .grace_us = -1, .wait = arg.wait, .only = arg.boot ? resumes : NULL },
		     err);
}

const struct cmd cmd_start = {
	.name = "start",
	.summary = "Start stopped services",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(start_opts),
	.run = start_run,
};

/* ---- stop, restart ---------------------------------------------------------------------------- */
static const struct opt stop_opts[] = {
	{ 0, "boot", OPT_FLAG, &arg.boot, NULL,
	  "The host goes down: `start --boot` brings them back" },
	{ 't', "timeout", OPT_TIMEOUT, &arg.timeout, "SECONDS", "Grace period before SIGKILL" },
};

static int stop_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return apply(PLAN_VERB_STOP, argv,
		     &(struct plan_options){ .grace_us = arg.timeout, .for_boot = arg.boot }, err);
}

const struct cmd cmd_stop = {
	.name = "stop",
	.summary = "Stop services, keep their containers",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(stop_opts),
	.run = stop_run,
};

static const struct opt restart_opts[] = {
	{ 0, "no-deps", OPT_FLAG, &arg.no_deps, NULL, "Leave services alone that depend on them" },
	{ 't', "timeout", OPT_TIMEOUT, &arg.timeout, "SECONDS", "Grace period before SIGKILL" },
};

static int restart_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return apply(PLAN_VERB_RESTART, argv,
		     &(struct plan_options){ .grace_us = arg.timeout, .no_deps = arg.no_deps },
		     err);
}

const struct cmd cmd_restart = {
	.name = "restart",
	.summary = "Stop and start services again",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(restart_opts),
	.run = restart_run,
};

/* ---- pause, unpause --------------------------------------------------------------------------- */
static int pause_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return apply(PLAN_VERB_PAUSE, argv, &(struct plan_options){ .grace_us = -1 }, err);
}

const struct cmd cmd_pause = {
	.name = "pause",
	.summary = "Stop all processes of services where they are",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	.run = pause_run,
};

static int unpause_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return apply(PLAN_VERB_UNPAUSE, argv, &(struct plan_options){ .grace_us = -1 }, err);
}

const struct cmd cmd_unpause = {
	.name = "unpause",
	.summary = "Let paused services go on",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	.run = unpause_run,
};

/* ---- kill ------------------------------------------------------------------------------------- */
static const struct opt kill_opts[] = {
	{ 0, "remove-orphans", OPT_FLAG, &arg.orphans, NULL,
	  "Also containers of services that the file does not have" },
	{ 's', "signal", OPT_STRING, &arg.signal, "SIGNAL", "SIGKILL (default) or another one" },
};

static int kill_run(int argc, char **argv, struct err *err)
{
	struct plan_options po = { .grace_us = -1, .signal = SIGKILL };

	(void)argc;
	if (arg.signal && parse_signal(arg.signal, &po.signal) < 0)
		return usage_error(err, "'%s' is not a signal", arg.signal);
	return apply(PLAN_VERB_KILL, argv, &po, err);
}

const struct cmd cmd_kill = {
	.name = "kill",
	.summary = "Send a signal to services",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(kill_opts),
	.run = kill_run,
};

/* ---- rm --------------------------------------------------------------------------------------- */
static const struct opt rm_opts[] = {
	{ 'a', "all", OPT_FLAG, &arg.all, NULL, NULL },
	{ 'f', "force", OPT_FLAG, &arg.force, NULL, "Do not ask" },
	{ 's', "stop", OPT_FLAG, &arg.stop, NULL, "Stop the containers first" },
	{ 'v', "volumes", OPT_FLAG, &arg.volumes, NULL, "Remove their anonymous volumes" },
};

static int rm_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return apply(PLAN_VERB_RM, argv,
		     &(struct plan_options){ .grace_us = -1, .remove_volumes = arg.volumes }, err);
}

const struct cmd cmd_rm = {
	.name = "rm",
	.summary = "Remove stopped containers",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(rm_opts),
	.run = rm_run,
};
