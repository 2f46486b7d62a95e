/* job.c - carries out one plan: begins every action whose predecessors are done */
#include "supervisor.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(struct job *j, const char *kind, const char *name, const char *status,
		const char *detail, bool warning)
{
	auto_json struct json *o = NULL;
	auto_free char *text = NULL;

	if (!j->conn)
		return;
	o = json_object();
	json_add_str(o, "e", "progress");
	json_add_str(o, "kind", kind);
	json_add_str(o, "name", name);
	json_add_str(o, "status", status);
	if (detail)
		json_add_str(o, "detail", detail);
	if (warning)
		json_add_bool(o, "warning", true);
	text = json_print(o);
	(void)ipc_send(j->conn, text, strlen(text), NULL, 0, NULL);
}

static void say_step(struct job *j, const struct plan_action *a, const char *status,
		     const char *detail)
{
	say(j, plan_kind(a->op), a->name, status, detail, false);
}

void job_note(struct sup *s, const struct ctr *c, const char *status, const char *detail)
{
	if (s->job)
		say(s->job, "Container", c->unit->c->name, status, detail, false);
}

static void fail(struct job *j, size_t i, const char *why)
{
	j->steps[i] = STEP_FAILED;
	j->unmade |= j->plan->actions.v[i].op == PLAN_CREATE;
	if (!j->error)
		j->error = xstrdup(why);
}

static void done(struct sup *s, struct job *j, size_t i)
{
	const struct plan_action *a = &j->plan->actions.v[i];

	const struct ctr *c = a->op == PLAN_START ? ctr_find(s, a->name) : NULL;
	auto_free char *unpublished = c ? engine_unpublished(c->unit) : NULL;

	j->steps[i] = STEP_DONE;
	if (a->op == PLAN_NETWORK_DOWN && engine_network_left(s->engine, a->name))
		say(j, plan_kind(a->op), a->name, "Resource is still in use", NULL, true);
	else if (unpublished)
		say(j, plan_kind(a->op), a->name, plan_done(a->op), unpublished, true);
	else if (!(a->op == PLAN_CREATE && a->old)) /* its place is not its own yet */
		say_step(j, a, plan_done(a->op), NULL);
}

static struct ctr *ctr_of(struct sup *s, const struct plan_action *a)
{
	return a->op == PLAN_STOP && a->old ? replace_old(s, a->old) : ctr_find(s, a->name);
}

/* All before it are at their end, and the new one is not on its way to somewhere. */
static int ready_to_settle(struct sup *s, const struct job *j, const struct plan_action *a)
{
	const struct ctr *fresh = replace_new(s, a->old), *before = replace_old(s, a->old);

	for (size_t k = 0; k < a->n_after; k++)
		if (j->steps[a->after[k]] == STEP_PENDING || j->steps[a->after[k]] == STEP_RUNNING)
			return 0;
	if (before && (before->exit_pending || before->st == SVC_STOPPING))
		return 0;
	return !(fresh && fresh->failed && (fresh->exit_pending || fresh->st != SVC_STOPPED));
}

/* -1: some predecessor failed; 0: not yet; 1: go. */
static int ready(struct sup *s, const struct job *j, const struct plan_action *a)
{
	struct ctr *c = a->op == PLAN_REMOVE || a->op == PLAN_START ? ctr_find(s, a->name) : NULL;

	for (size_t k = 0; k < a->n_after; k++) {
		enum step st = j->steps[a->after[k]];

		if (st == STEP_FAILED || st == STEP_SKIPPED)
			return -1;
		if (st != STEP_DONE)
			return 0;
	}
	if (a->op == PLAN_START && c && c->st == SVC_STOPPED && filler_works(c))
		return 0;
	/* One that has ended: how it did is known in a moment. */
	return !(c && c->exit_pending);
}

static bool gives_way(const struct plan_action *a)
{
	return a->old && (a->op == PLAN_STOP || a->op == PLAN_SWAP);
}

static int may_begin(struct sup *s, const struct job *j, const struct plan_action *a)
{
	if (a->op == PLAN_SETTLE)
		return ready_to_settle(s, j, a);
	if (j->cancelled || (gives_way(a) && j->unmade))
		return -1;
	return ready(s, j, a);
}

static int begin_resource(struct sup *s, struct job *j, const struct plan_action *a, bool *quiet,
			  struct err *err)
{
	bool created = false;
	int r = 0;

	if (a->op == PLAN_NETWORK_UP) {
		for (size_t i = 0; i < j->plan->n_networks; i++)
			if (strcmp(j->plan->networks[i].key, a->service) == 0)
				r = engine_network_up(s->engine, &j->plan->networks[i], &created,
						      err);
		*quiet = !created;
	} else if (a->op == PLAN_VOLUME_MAKE) {
		for (size_t i = 0; i < j->plan->n_volumes; i++)
			if (strcmp(j->plan->volumes[i].key, a->service) == 0)
				r = engine_volume_make(s->engine, &j->plan->volumes[i], &created,
						       err);
		*quiet = !created;
	} else if (a->op == PLAN_NETWORK_DOWN) {
		r = engine_networks_down(s->engine, err);
	} else {
		r = engine_volume_remove(s->engine, a->name, err);
	}
	s->dirty = true;
	return r;
}

static int begin_create(struct sup *s, struct job *j, const struct plan_action *a, struct err *err)
{
	struct unit *u = NULL;
	int r = engine_create(s->engine, j->plan, a, &u, err);

	if (r < 0)
		return r;
	(void)ctr_new(s, u);
	event_note(s, u->c, "create", NULL, NULL);
	s->dirty = true;
	return 0;
}

static int begin_remove(struct sup *s, const struct plan_action *a, bool volumes, struct err *err)
{
	struct ctr *c = ctr_find(s, a->name);
	struct unit *u;

	if (!c)
		return 0;
	if (c->st != SVC_STOPPED)
		return err_set(err, EBUSY, "container %s is running", a->name);
	u = c->unit;
	ctr_free(c);
	event_note(s, u->c, "destroy", NULL, NULL);
	s->dirty = true;
	return engine_remove(u, volumes, err);
}

static void halt(struct ctr *c, bool halted)
{
	c->sup->dirty |= c->unit->c->halted != halted;
	c->unit->c->halted = halted;
}

static void begin_start(struct job *j, size_t i, struct ctr *c)
{
	halt(c, false);
	say_step(j, &j->plan->actions.v[i], "Starting", NULL);
	j->steps[i] = STEP_RUNNING;
	c->started = c->st == SVC_RUNNING && c->hooks.phase == HOOKS_NONE;
	c->quick = 0;
	c->unit->c->restarts = 0; /* those of its policy count from here on */
	ctr_event(c, EV_START);
}

static void begin_stop(struct job *j, size_t i, struct ctr *c)
{
	c->grace_us = j->plan->actions.v[i].grace_us;
	if (j->plan->actions.v[i].old)
		replace_stops(c);
	else if (!j->plan->actions.v[i].for_boot)
		halt(c, true);
	if (c->st == SVC_STOPPED) {
		j->steps[i] = STEP_DONE;
		return;
	}
	say_step(j, &j->plan->actions.v[i], "Stopping", NULL);
	j->steps[i] = STEP_RUNNING;
	ctr_stop(c);
}

static int kill_one(struct sup *s, const struct plan_action *a, struct ctr *c, struct err *err)
{
	auto_free char *number = xasprintf("%d", a->signal);
	bool deaf;

	if (!c)
		return 0;
	event_note(s, c->unit->c, "kill", "signal", number);
	/* Who sends one of these wants it down: its restart policy does not bring it back. */
	if (a->signal == SIGKILL || a->signal == engine_stop_signal(c->unit, &deaf))
		halt(c, true);
	return engine_signal(c->unit, a->signal, err);
}

/* Whether a step about the container that takes this one's place has failed: its line says so. */
static bool has_failed(const struct job *j, const struct plan_action *settle)
{
	for (size_t i = 0; i < j->plan->actions.n; i++) {
		const struct plan_action *a = &j->plan->actions.v[i];

		if (j->steps[i] == STEP_FAILED &&
		    (str_eq(a->old, settle->old) ||
		     (a->op == PLAN_START && str_eq(a->name, settle->name))))
			return true;
	}
	return false;
}

static void note_kept(struct job *j, const struct plan_action *a, const struct ctr *c,
		      struct strs *to, const char *status)
{
	strs_add(to, c->unit->c->name);
	if (!has_failed(j, a))
		say(j, "Container", c->unit->c->name, status, "as it was", false);
}

static void note_lost(struct job *j, const struct ctr *c, const char *why)
{
	strs_addf(&j->kept.lost, "%s can't be started again: %s", c->unit->c->name, why);
}

static void begin_settle(struct sup *s, struct job *j, size_t i)
{
	const struct plan_action *a = &j->plan->actions.v[i];
	const struct ctr *before = replace_old(s, a->old); /* it is there if it is not REPLACED */
	auto_err struct err err = ERR_INIT;
	bool good = true;

	for (size_t k = 0; k < a->n_after; k++)
		good &= j->steps[a->after[k]] == STEP_DONE;
	j->steps[i] = good ? STEP_DONE : STEP_SKIPPED;
	switch (replace_settle(s, a->old, good, j->plan->remove_volumes, &err)) {
	case REPLACED:
		break;
	case REPLACE_OLD_RUNS:
		note_kept(j, a, before, &j->kept.runs, "Running");
		break;
	case REPLACE_OLD_RESTS:
		note_kept(j, a, before, &j->kept.rests, "Kept");
		break;
	case REPLACE_OLD_STARTS:
		j->steps[i] = STEP_RUNNING;
		break;
	case REPLACE_FAILED:
		if (good)
			fail(j, i, err_text(&err));
		else
			note_lost(j, before, err_text(&err));
		break;
	}
}

static void begin(struct sup *s, struct job *j, size_t i)
{
	const struct plan_action *a = &j->plan->actions.v[i];
	auto_err struct err err = ERR_INIT;
	struct ctr *c = ctr_of(s, a);
	bool quiet = false;
	int r = 0;

	j->steps[i] = STEP_RUNNING;
	switch (a->op) {
	case PLAN_NETWORK_UP:
	case PLAN_NETWORK_DOWN:
	case PLAN_VOLUME_MAKE:
	case PLAN_VOLUME_REMOVE:
		r = begin_resource(s, j, a, &quiet, &err);
		break;
	case PLAN_CREATE:
		if (a->reason)
			say_step(j, a, "Recreate", a->reason);
		r = begin_create(s, j, a, &err);
		break;
	case PLAN_REMOVE:
		r = begin_remove(s, a, j->plan->remove_volumes || a->oneoff, &err);
		break;
	case PLAN_START:
		if (c) {
			begin_start(j, i, c);
			return;
		}
		r = err_set(&err, ENOENT, "container %s is gone", a->name);
		break;
	case PLAN_STOP:
		if (c) {
			begin_stop(j, i, c);
			return;
		}
		break;
	case PLAN_KILL:
		r = kill_one(s, a, c, &err);
		break;
	case PLAN_PAUSE:
	case PLAN_UNPAUSE:
		r = c ? ctr_pause(c, a->op == PLAN_PAUSE, &err)
		      : err_set(&err, ENOENT, "container %s is gone", a->name);
		break;
	case PLAN_KEEP:
		if (c)
			c->started = true;
		break;
	case PLAN_WAIT:
		say_step(j, a, "Waiting", NULL);
		return;
	case PLAN_SWAP:
		replace_swap(s, a->old);
		break;
	case PLAN_SETTLE:
		begin_settle(s, j, i);
		return;
	case PLAN_OPS:
		break;
	}
	if (r < 0) {
		say_step(j, a, "Error", err_text(&err));
		fail(j, i, err_text(&err));
	} else if (quiet) {
		j->steps[i] = STEP_DONE;
	} else {
		done(s, j, i);
	}
}

static void check_wait(struct sup *s, struct job *j, size_t i, const struct ctr *c)
{
	const struct plan_action *a = &j->plan->actions.v[i];
	struct svc_view view = ctr_view(c);
	enum dep_condition cond = a->condition;
	auto_free char *why = NULL;
	auto_free char *text = NULL;
	enum verdict v;

	/* --wait: running is enough without a check, and so is a good end. */
	if (a->final && view.started && !view.running && view.exit_code == 0)
		cond = DEP_COMPLETED;
	else if (a->final && view.health == HEALTH_NONE)
		cond = view.running ? DEP_STARTED : DEP_COMPLETED;
	v = svc_condition(cond, &view, &why);
	if (v == VERDICT_WAIT)
		return;
	if (v == VERDICT_MET) {
		j->steps[i] = STEP_DONE;
		say_step(j, a,
			 cond == DEP_COMPLETED ? "Exited"
			 : cond == DEP_HEALTHY ? "Healthy"
					       : "Started",
			 NULL);
		return;
	}
	if (!a->required) {
		j->steps[i] = STEP_DONE;
		say(j, "Container", a->name, "Skipped", why, true);
		return;
	}
	if (a->oneoff)
		text = xasprintf("service \"%s\": its pre_start step %s exited with %d", a->service,
				 a->name, view.exit_code);
	else if (a->final)
		text = steal(why);
	else if (cond == DEP_COMPLETED)
		text = xasprintf("service \"%s\" didn't complete successfully: exit %d", a->service,
				 view.exit_code);
	else
		text = xasprintf("dependency failed to start: %s", why);
	say_step(j, a, "Error", text);
	fail(j, i, text);
	(void)s;
}

/* The old one is started again. */
static void check_settle(struct sup *s, struct job *j, size_t i)
{
	const struct ctr *c = replace_old(s, j->plan->actions.v[i].old);

	if (c && !c->started && !c->failed && c->st != SVC_STOPPED)
		return;
	j->steps[i] = STEP_SKIPPED;
	if (c && c->started)
		note_kept(j, &j->plan->actions.v[i], c, &j->kept.started, "Started");
	else if (c)
		note_lost(j, c, c->unit->c->error ? c->unit->c->error : "it has ended");
}

/* A running step: has what it waits for come true? */
static void check(struct sup *s, struct job *j, size_t i)
{
	const struct plan_action *a = &j->plan->actions.v[i];
	struct ctr *c = ctr_of(s, a);

	if (a->op == PLAN_SETTLE) {
		check_settle(s, j, i);
		return;
	}
	if (!c) {
		fail(j, i, "a container went away in between");
		return;
	}
	if (a->op == PLAN_START) {
		if ((c->failed && c->st != SVC_STOPPING) || c->stuck) {
			auto_free char *why = xasprintf("container %s: %s", a->name,
							c->unit->c->error ? c->unit->c->error
									  : "could not be started");

			fail(j, i, why);
		} else if (c->started) {
			done(s, j, i);
		} else if (c->st == SVC_STOPPED) {
			auto_free char *why =
				xasprintf("container %s was stopped before it ran", a->name);

			fail(j, i, why);
		}
	} else if (a->op == PLAN_STOP) {
		if (c->refused) {
			auto_free char *why = xasprintf(
				"container %s: %s (`ctrcompose kill` ends it without hooks)",
				a->name, c->unit->c->error ? c->unit->c->error : "runs on");

			say_step(j, a, "Error", why);
			fail(j, i, why);
		} else if (c->stuck) {
			auto_free char *why =
				xasprintf("container %s: %s", a->name, c->unit->c->error);

			say_step(j, a, "Error", why);
			fail(j, i, why);
		} else if (c->st == SVC_STOPPED) {
			done(s, j, i);
		}
	} else if (a->op == PLAN_WAIT) {
		check_wait(s, j, i, c);
	}
}

static void add_names(struct sbuf *out, const struct strs *l, const char *one, const char *many)
{
	enum { SHOWN = 5 };

	for (size_t i = 0; i < l->n && i < SHOWN; i++)
		sbuf_addf(out, "%s%s", i ? ", " : "; ", l->v[i]);
	if (l->n > SHOWN)
		sbuf_addf(out, " and %zu more", l->n - SHOWN);
	if (l->n)
		sbuf_addf(out, " %s", l->n == 1 ? one : many);
}

/* What became of those that were to be replaced belongs to the reason why they are not. */
static void tell_kept(struct job *j)
{
	struct sbuf text = SBUF_INIT;

	sbuf_adds(&text, j->error);
	add_names(&text, &j->kept.runs, "runs on as it was", "run on as they were");
	add_names(&text, &j->kept.started, "was started again as it was",
		  "were started again as they were");
	add_names(&text, &j->kept.rests, "is kept as it was", "are kept as they were");
	for (size_t i = 0; i < j->kept.lost.n; i++)
		sbuf_addf(&text, "; %s", j->kept.lost.v[i]);
	free(j->error);
	j->error = sbuf_take(&text);
}

static void finish(struct sup *s)
{
	struct job *j = s->job;
	auto_err struct err err = ERR_INIT;

	s->job = NULL;
	fillers_end(s);
	if (j->error)
		tell_kept(j);
	if (s->dirty && !(j->plan->forget && !j->error))
		(void)sup_save(s, &err);
	if (err.code && !j->error)
		j->error = xstrdup(err_text(&err));
	if (j->plan->forget && !j->error)
		s->forget = true;
	/* It came to nothing: there is no project. */
	if (j->error && s->state->containers.n == 0 && s->state->networks.n == 0)
		s->forget = true;
	events_flush(s);
	/* Those it only joined: no step of a plan is about them. */
	if (s->forget && engine_networks_down(s->engine, &err) < 0 && !j->error)
		j->error = xstrdup(err_text(&err));
	engine_settle(s->engine);
	if (s->forget && j->plan->remove_volumes)
		engine_volumes_sweep(s->engine);
	if (s->forget && engine_take_trash(s->engine)) /* nothing runs that waits for us */
		(void)engine_empty_trash(s->args->paths, s->args->project);
	if (s->forget) {
		auto_free char *sock = control_path(s->args->paths, s->args->project);

		(void)state_project_remove(s->args->paths, s->args->project, NULL);
		(void)unlink(sock); /* nobody new: whoever comes starts over */
	}
	if (j->conn)
		sup_reply_done(j->conn, j->error);
	sup_settled(s);
	plan_free(j->plan);
	strs_clear(&j->kept.runs);
	strs_clear(&j->kept.started);
	strs_clear(&j->kept.rests);
	strs_clear(&j->kept.lost);
	free(j->steps);
	free(j->error);
	free(j);
	if (s->forget)
		ipc_server_finish(s->ipc); /* whoever is still connected keeps nothing alive */
	sup_idle_check(s);                 /* its client may have gone long ago */
}

/* What is stopped for another to take its place is stopped when all that can be made is made; starts
 * wait for all of that, and for the record to be on disk: a crash then finds a record for each process. */
enum phase { PHASE_MAKE, PHASE_GIVE_WAY, PHASE_START };

static enum phase phase_of(const struct plan_action *a)
{
	if (a->op == PLAN_START)
		return PHASE_START;
	return gives_way(a) ? PHASE_GIVE_WAY : PHASE_MAKE;
}

/* One round; true if something moved. */
static bool round_of(struct sup *s, struct job *j, enum phase phase)
{
	bool moved = false;

	for (size_t i = 0; i < j->plan->actions.n; i++) {
		const struct plan_action *a = &j->plan->actions.v[i];

		if (j->steps[i] == STEP_RUNNING) {
			check(s, j, i);
			moved |= j->steps[i] != STEP_RUNNING;
		} else if (j->steps[i] == STEP_PENDING && phase_of(a) == phase) {
			int r = may_begin(s, j, a);

			if (r < 0) {
				j->steps[i] = STEP_SKIPPED;
				j->unmade |= a->op == PLAN_CREATE;
			} else if (r > 0)
				begin(s, j, i);
			moved |= r != 0;
		}
	}
	return moved;
}

void job_advance(struct sup *s)
{
	static bool inside; /* steps call back into the containers, which call this again */
	struct job *j = s->job;
	bool open = false;

	if (!j || inside)
		return;
	inside = true;
	do {
		auto_err struct err err = ERR_INIT;

		while (round_of(s, j, PHASE_MAKE))
			;
		if (s->dirty && !j->plan->forget && sup_save(s, &err) < 0 && !j->error) {
			j->error = xstrdup(err_text(&err));
			j->cancelled = true;
		}
		engine_settle(s->engine);
	} while (round_of(s, j, PHASE_GIVE_WAY) || round_of(s, j, PHASE_START));
	inside = false;
	for (size_t i = 0; i < j->plan->actions.n; i++)
		open |= j->steps[i] == STEP_PENDING ||
			(j->steps[i] == STEP_RUNNING &&
			 !(j->cancelled && j->plan->actions.v[i].op == PLAN_WAIT));
	if (!open && !remover_works(s))
		finish(s);
}

void job_begin(struct sup *s, struct plan *plan, struct ipc_conn *conn)
{
	struct job *j = xcalloc(1, sizeof(*j));
	auto_err struct err err = ERR_INIT;

	j->plan = plan;
	j->conn = conn;
	j->steps = xcalloc(plan->actions.n + 1, sizeof(*j->steps));
	s->job = j;
	if (plan->working_dir)
		state_set(&s->state->working_dir, plan->working_dir);
	if (plan->config_files.n) {
		strs_clear(&s->state->config_files);
		for (size_t i = 0; i < plan->config_files.n; i++)
			strs_add(&s->state->config_files, plan->config_files.v[i]);
	}
	if (engine_external_check(s->engine, plan, &err) < 0 ||
	    engine_ports_check(s->engine, plan, &err) < 0 ||
	    engine_addresses_check(s->engine, plan, &err) < 0) {
		j->error = xstrdup(err_text(&err));
		j->cancelled = true;
	}
	job_advance(s);
}

void job_client_gone(struct sup *s, const struct ipc_conn *conn)
{
	if (!s->job || s->job->conn != conn)
		return;
	s->job->conn = NULL;
	for (size_t i = 0; i < s->job->plan->actions.n; i++) {
		struct ctr *c = s->job->steps[i] == STEP_RUNNING
					? ctr_find(s, s->job->plan->actions.v[i].name)
					: NULL;

		if (c)
			ctr_hooks_abort(c, "was cut short: nobody waits for it any more");
		/* Hooks of its devices may take for ever. */
		if (c && c->st == SVC_STARTING && c->unit->svc->n_requests)
			ctr_stop(c);
	}
	/* Half a `down` or `stop` is finished; an `up` nobody waits for any more goes no further. */
	for (size_t i = 0; i < s->job->plan->actions.n; i++)
		if (s->job->plan->actions.v[i].op == PLAN_START)
			s->job->cancelled = true;
	job_advance(s);
}

void job_kill(struct sup *s, const struct plan *plan, struct ipc_conn *conn)
{
	auto_err struct err err = ERR_INIT;
	struct job beside = { .conn = conn };
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];

		r = kill_one(s, a, ctr_find(s, a->name), &err);
		say_step(&beside, a, r < 0 ? "Error" : plan_done(a->op),
			 r < 0 ? err_text(&err) : NULL);
	}
	sup_reply_done(conn, r < 0 ? err_text(&err) : NULL);
}
