/* online.c - one command at a time changes a project; see online.h. */
#include "stack/online.h"
#include "screen/screen.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_US = 300000 };

static int need_root(struct err *err)
{
	if (geteuid() == 0)
		return 0;
	return err_set(
		err, EPERM,
		"containers need root: namespaces, mounts and networks are made; run it with sudo");
}

/* Wait for another command's end, and say so if it takes long. */
static int take_lock(struct online *o, struct err *err)
{
	int r = state_lock(&o->paths, o->name, o->beside ? 0 : PATIENCE_US, &o->lock, NULL);

	if ((r == -EAGAIN || r == -ETIMEDOUT) && o->beside)
		return 0;
	if (r != -EAGAIN && r != -ETIMEDOUT)
		return r < 0 ? state_lock(&o->paths, o->name, 0, &o->lock, err) : 0;
	cmd_warn("another command is working on project %s: waiting for its end", o->name);
	return state_lock(&o->paths, o->name, UINT64_MAX, &o->lock, err);
}

static int open_rest(struct online *o, struct err *err)
{
	int r = need_root(err);

	if (r == 0)
		r = state_paths_open(&o->paths, err);
	if (r == 0)
		r = take_lock(o, err);
	if (r == 0)
		r = (o->beside ? daemon_reach : daemon_find)(&o->paths, o->name, &o->client, err);
	if (r == -ENOENT) {
		err_clear(err);
		r = 0;
	}
	return r < 0 ? r : online_refresh(o, err);
}

int online_open_file(struct online *o, const struct cmd_load *how, struct err *err)
{
	int r = cmd_load_project_with(how, &o->project, err);

	if (r < 0)
		return r;
	r = cmd_check_runs(o->project, err);
	if (r < 0)
		return r;
	o->name = xstrdup(o->project->name);
	return open_rest(o, err);
}

int online_open(struct online *o, struct err *err)
{
	int r = cmd_find_project(&o->name, &o->project, err);

	return r < 0 ? r : open_rest(o, err);
}

int online_refresh(struct online *o, struct err *err)
{
	state_free(steal(o->state));
	return cmd_load_state(&o->paths, o->name, &o->state, err);
}

/* A project without a record is none: what the lock has made goes again. */
static void forget_nothing(const struct online *o)
{
	auto_free char *dir = NULL, *record = NULL;

	if (o->lock < 0 || !o->name)
		return;
	dir = state_project_dir(&o->paths, o->name);
	record = path_join(dir, "state.json");
	if (access(record, F_OK) < 0 && errno == ENOENT)
		(void)state_project_remove(&o->paths, o->name, NULL);
}

void online_close(struct online *o)
{
	if (!o->client)
		forget_nothing(o);
	daemon_close(&o->client);
	for (size_t i = 0; i < o->ears.n; i++) {
		auto_close_fn(&o->ears.v[i].fds[0]);
		auto_close_fn(&o->ears.v[i].fds[1]);
		free(o->ears.v[i].name);
	}
	free(o->ears.v);
	auto_close_fn(&o->lock);
	o->lock = -1;
	state_free(o->state);
	project_free(o->project);
	free(o->name);
	state_paths_clear(&o->paths);
}

const char *const *online_words(char **argv)
{
	return argv && argv[0] ? (const char *const *)(uintptr_t)argv : NULL;
}

/* ---- Plans ------------------------------------------------------------------------------------ */
static void show(void *arg, const struct daemon_progress *p)
{
	if (p->warning && p->detail)
		progress_warn(arg, p->detail);
	progress_step(arg, p->kind, p->name, p->status, p->warning ? NULL : p->detail);
}

bool online_is_there(const struct online *o, const struct plan_action *a)
{
	if (a->op == PLAN_VOLUME_MAKE)
		return strs_has(&o->state->volumes, a->name);
	return a->op == PLAN_NETWORK_UP && state_network_named(o->state, a->name);
}

static int dry(const struct online *o, const struct plan *plan, struct progress *pg)
{
	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];

		if (a->op == PLAN_WAIT || a->op == PLAN_SETTLE ||
		    (a->op == PLAN_CREATE && a->old) || online_is_there(o, a))
			continue;
		progress_step(pg, plan_kind(a->op), a->name, plan_done(a->op), a->reason);
	}
	return 0;
}

/* ---- A time limit */
static volatile bool out_of_time;

static void on_alarm(int sig)
{
	(void)sig;
	out_of_time = true;
	cmd_cancelled = true;
}

static void set_limit(uint64_t us)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval t = { .it_value = { (time_t)(us / 1000000),
					     (suseconds_t)(us % 1000000) } };

	(void)sigaction(SIGALRM, &sa, NULL);
	(void)setitimer(ITIMER_REAL, &t, NULL);
}

static int apply_in_time(struct online *o, const struct plan *plan, struct progress *pg,
			 struct err *err)
{
	uint64_t began = now_real_ns();
	int r;

	if (o->patience_us)
		set_limit(o->patience_us);
	r = daemon_apply(o->client, plan, show, pg, &cmd_cancelled, err);
	if (o->patience_us)
		set_limit(0);
	if (r == -EINTR && out_of_time) {
		err_clear(err);
		r = err_set(err, ETIMEDOUT, "application not healthy after %llus",
			    (unsigned long long)(o->patience_us / 1000000));
	}
	if (r < 0 && r != -EINTR)
		why_failed(o, plan, began, err);
	return r;
}

/* Before its first line: for what the plan starts or finds running. */
static int make_ears(struct online *o, const struct plan *plan, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];
		const struct service *svc =
			a->service ? project_service(o->project, a->service) : NULL;
		struct ear ear = { .fds = { -1, -1 } };

		if ((a->op != PLAN_START && a->op != PLAN_KEEP) || !svc || !svc->log_none)
			continue;
		r = daemon_listen(o->client, a->name, ear.fds, err);
		ear.name = xstrdup(a->name);
		*vec_push(&o->ears) = ear;
	}
	return r;
}

/* All that looked after it were killed: somebody has to again, also when nothing else is to be done. */
static bool is_orphan(const struct online *o)
{
	for (size_t i = 0; !o->client && i < o->state->containers.n; i++) {
		enum state_status status = o->state->containers.v[i]->status;

		if (status == STATE_RUNNING || status == STATE_PAUSED || status == STATE_RESTARTING)
			return true;
	}
	return false;
}

int online_apply(struct online *o, const struct plan *plan, const char *what, struct err *err)
{
	auto_progress struct progress *pg = NULL;
	bool work =
		is_orphan(o) || (plan->forget && (o->state->containers.n || o->state->networks.n));
	int r = 0;

	for (size_t i = 0; i < plan->actions.n; i++)
		work = work || plan->actions.v[i].op != PLAN_KEEP;
	/* Before the progress lines: they have a thread, and this forks. */
	if (work && !global.dry_run && !o->client)
		r = daemon_connect(&o->paths, o->name, &o->client, err);
	if (r == 0 && o->listen && o->client && !global.dry_run)
		r = make_ears(o, plan, err);
	if (r == 0)
		r = progress_open(what, &pg, err);
	if (r < 0)
		return r;
	cmd_catch_interrupts();
	if (global.dry_run || !work)
		return dry(o, plan, pg);
	return apply_in_time(o, plan, pg, err);
}
