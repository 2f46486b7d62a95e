/* ctr.c - feeds what happens to a container into the table and carries out what it says */
#include "supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EXIT_RECORD_WAIT_US = 500000, EXIT_LOOK_US = 10000, KILL_WAIT_US = 10000000 };

static void on_timer(void *arg);
static void on_end(void *arg, uint32_t events);

struct ctr *ctr_find(struct sup *s, const char *name)
{
	for (size_t i = 0; i < s->ctrs.n; i++)
		if (strcmp(s->ctrs.v[i]->unit->c->name, name) == 0)
			return s->ctrs.v[i];
	return NULL;
}

struct ctr *ctr_new(struct sup *s, struct unit *u)
{
	struct ctr *c = xcalloc(1, sizeof(*c));

	c->sup = s;
	c->unit = u;
	c->grace_us = -1;
	c->hooks.process.pidfd = c->hooks.process.out_fd = -1;
	c->io.fds[0] = c->io.fds[1] = c->io.fds[2] = -1;
	c->filler.pidfd = -1;
	u->owner = c;
	*vec_push(&s->ctrs) = c;
	sup_ears(s, u);
	return c;
}

static void drop_sources(struct ctr *c)
{
	struct loop_source **all[] = { &c->status_src, &c->exit_src };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		loop_source_free(*all[i]);
		*all[i] = NULL;
	}
}

static void close_streams(struct ctr *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->io.fds); i++) {
		auto_close_fn(&c->io.fds[i]);
		c->io.fds[i] = -1;
	}
}

void ctr_run(struct ctr *c)
{
	c->run_due = false;
	ctr_event(c, EV_START);
	close_streams(c);
}

void ctr_left(struct ctr *c)
{
	c->attached = NULL;
	if (!c->run_due)
		return;
	c->run_due = false;
	aside_end(&c->filler);
	close_streams(c);
}

void ctr_free(struct ctr *c)
{
	struct sup *s = c->sup;

	for (size_t i = 0; i < s->ctrs.n; i++)
		if (s->ctrs.v[i] == c)
			s->ctrs.v[i] = s->ctrs.v[--s->ctrs.n];
	aside_end(&c->filler);
	ctr_health_end(c);
	ctr_hooks_free(c);
	drop_sources(c);
	loop_source_free(c->timer);
	loop_source_free(c->health_timer);
	close_streams(c);
	sbuf_clear(&c->probe_text);
	free(c);
}

static void arm(struct ctr *c, uint64_t delay_us)
{
	if (!c->timer)
		(void)loop_timer_add(c->sup->loop, delay_us, on_timer, c, &c->timer, NULL);
	else
		(void)loop_timer_set(c->timer, delay_us);
}

static void set_status(struct ctr *c, enum state_status status)
{
	c->unit->c->status = status;
	(void)state_live_save(c->sup->args->paths, c->sup->state, c->unit->c, NULL);
	sup_changed(c->sup);
}

static void start_failed(struct ctr *c, const struct err *err)
{
	state_set(&c->unit->c->error, err_text(err));
	log_line(LOG_ERROR, "%s: %s", c->unit->c->name, err_text(err));
	c->failed = true;
	job_note(c->sup, c, "Error", err_text(err));
	if (c->attached)
		sup_reply_done(c->attached, err_text(err));
}

/* The one who waits for a one-off hears how it ended; after a failed start too. */
static void tell_exit(struct ctr *c)
{
	auto_free char *text = NULL;

	if (!c->attached)
		return;
	text = xasprintf("{\"e\":\"exit\",\"code\":%d}", c->unit->c->exit_code);
	(void)ipc_send(c->attached, text, strlen(text), NULL, 0, NULL);
	c->attached = NULL;
}

/* The one who asked for a one-off hears that it runs, and gets its terminal. */
static void tell_running(struct ctr *c)
{
	static const char text[] = "{\"e\":\"running\"}";

	if (!c->attached)
		return;
	(void)ipc_send(c->attached, text, sizeof(text) - 1, &c->unit->tty_fd,
		       c->unit->tty_fd >= 0 ? 1 : 0, NULL);
	auto_close_fn(&c->unit->tty_fd);
	c->unit->tty_fd = -1;
}

static void on_status(void *arg, uint32_t events)
{
	auto_err struct err err = ERR_INIT;
	struct ctr *c = arg;
	int r = engine_started(c->unit, &err);

	(void)events;
	if (r == -EAGAIN)
		return;
	/* In this order: a child that is just being made has a copy of the descriptor, and epoll would
	 * go on telling of a source that is freed. */
	loop_source_free(steal(c->status_src));
	auto_close_fn(&c->unit->status_fd);
	c->unit->status_fd = -1;
	if (r < 0) {
		start_failed(c, &err);
		return; /* its process ends by itself, on_end() goes on */
	}
	c->unit->c->started_ns = now_real_ns();
	c->started_us = now_mono_us();
	c->ran = true;
	c->started = !ctr_hooks_wanted(c, HOOKS_POST_START);
	state_set(&c->unit->c->error, NULL);
	set_status(c, STATE_RUNNING);
	event_note(c->sup, c->unit->c, "start", NULL, NULL);
	tell_running(c);
	ctr_event(c, EV_EXEC);
	ctr_health_begin(c);
	if (!c->started && c->st == SVC_RUNNING)
		ctr_hooks_begin(c, HOOKS_POST_START);
}

static void spawn(struct ctr *c)
{
	auto_err struct err err = ERR_INIT;
	struct sup *s = c->sup;
	int r;

	c->failed = false;
	c->ran = false;
	c->asked = false;
	c->killed = c->stuck = false;
	c->grace_us = -1;
	c->unit->c->want_running = true;
	c->unit->c->oom_killed = false;
	c->unit->c->exit_code = 0;
	r = engine_spawn(c->unit, &c->io, &err);
	if (r == 0)
		r = loop_io_add(s->loop, c->unit->status_fd, EPOLLIN | EPOLLHUP, on_status, c,
				&c->status_src, &err);
	if (r == 0)
		r = loop_io_add(s->loop, c->unit->pidfd, EPOLLIN, on_end, c, &c->exit_src, &err);
	if (r < 0) {
		start_failed(c, &err);
		drop_sources(c);
		c->unit->c->exit_code = c->unit->start_exit;
		c->unit->c->want_running = false;
		(void)engine_kill(c->unit, NULL);
		engine_reap(c->unit);
		set_status(c, STATE_EXITED);
		c->st = SVC_STOPPED;
		tell_exit(c);
		return;
	}
	s->fw_dirty |= c->unit->c->ports.n > 0;
}

int ctr_pause(struct ctr *c, bool pause, struct err *err)
{
	int r;

	if (c->st != SVC_RUNNING)
		return err_set(err, ESRCH, "container %s is not running", c->unit->c->name);
	r = engine_pause(c->unit, pause, err);
	if (r == 0) {
		if (pause)
			ctr_health_end(c);
		set_status(c, pause ? STATE_PAUSED : STATE_RUNNING);
		if (!pause)
			ctr_health_go_on(c);
		event_note(c->sup, c->unit->c, pause ? "pause" : "unpause", NULL, NULL);
	}
	return r;
}

static void unfreeze(struct ctr *c) /* or a signal would wait for ever */
{
	if (c->unit->c->status != STATE_PAUSED)
		return;
	(void)engine_pause(c->unit, false, NULL);
	set_status(c, STATE_RUNNING);
	ctr_health_go_on(c);
}

/* Some processes no signal ends: they wait in the kernel, for a disk or a server. */
static void kill_all(struct ctr *c)
{
	c->killed = true;
	c->stuck = false;
	(void)engine_kill(c->unit, NULL);
	arm(c, KILL_WAIT_US);
}

static void survived(struct ctr *c)
{
	auto_err struct err err = ERR_INIT;

	if (engine_survivors(c->unit, &err) == 0) { /* dead, and its end is on its way */
		arm(c, KILL_WAIT_US);
		return;
	}
	c->stuck = true;
	state_set(&c->unit->c->error, err_text(&err));
	log_line(LOG_ERROR, "%s: %s", c->unit->c->name, err_text(&err));
	c->sup->job_due = true;
}

static void ask_to_stop(struct ctr *c)
{
	uint64_t grace = c->grace_us >= 0 ? (uint64_t)c->grace_us : c->unit->svc->stop_grace_us;
	bool deaf = false;
	int sig;

	if (c->exit_pending)
		return; /* it has ended: only how is not known yet */
	unfreeze(c);
	sig = engine_stop_signal(c->unit, &deaf);
	if (deaf || grace == 0) {
		if (deaf)
			log_line(LOG_INFO,
				 "%s: its first process has no handler for %s: killed at once",
				 c->unit->c->name, signal_name(sig));
		kill_all(c);
		return;
	}
	(void)engine_signal(c->unit, sig, NULL);
	arm(c, grace);
}

static void rest(struct ctr *c)
{
	if (c->timer)
		(void)loop_timer_set(c->timer, LOOP_NEVER);
	c->unit->c->want_running = false;
	set_status(c, STATE_EXITED);
}

static void act(struct ctr *c, enum svc_action action)
{
	switch (action) {
	case ACT_NONE:
		break;
	case ACT_SPAWN:
		spawn(c);
		break;
	case ACT_TERM:
		ask_to_stop(c);
		break;
	case ACT_KILL:
		kill_all(c);
		break;
	case ACT_ARM_BACKOFF:
		c->unit->c->restarts++;
		arm(c, svc_backoff_us(c->quick));
		log_line(LOG_INFO, "%s: exited with %d, restart %u in %u ms", c->unit->c->name,
			 c->unit->c->exit_code, c->unit->c->restarts,
			 (unsigned)(svc_backoff_us(c->quick) / 1000));
		c->quick++;
		set_status(c, STATE_RESTARTING);
		break;
	case ACT_REST:
		rest(c);
		break;
	}
}

void ctr_event(struct ctr *c, enum svc_event ev)
{
	struct svc_step step = svc_next(c->st, ev);

	if (ev == EV_STOP)
		c->asked = true;
	if (step.allowed) {
		c->st = step.next;
		act(c, step.action);
	}
	c->sup->job_due = true; /* after this turn: a job may free containers */
}

void ctr_stop(struct ctr *c)
{
	c->refused = false;
	if (c->stuck)
		kill_all(c); /* one more look */
	if (c->st != SVC_RUNNING || c->exit_pending || c->hooks.phase != HOOKS_NONE ||
	    !ctr_hooks_wanted(c, HOOKS_PRE_STOP)) {
		ctr_event(c, EV_STOP);
		return;
	}
	c->asked = true;
	unfreeze(c);
	ctr_hooks_begin(c, HOOKS_PRE_STOP);
}

void ctr_hooks_done(struct ctr *c, enum hooks_phase phase, bool success)
{
	c->sup->job_due = true;
	if (phase == HOOKS_POST_START && success) {
		c->started = true;
		return;
	}
	if (phase == HOOKS_POST_START) {
		c->failed = true;
		job_note(c->sup, c, "Error", c->unit->c->error);
	}
	if (c->exit_pending)
		return; /* it has ended by itself */
	if (phase == HOOKS_PRE_STOP && !success) {
		c->asked = false;
		c->sup->dirty |= c->unit->c->halted;
		c->unit->c->halted = false;
		c->refused = true;
		return;
	}
	ctr_event(c, EV_STOP);
}

static void on_timer(void *arg)
{
	struct ctr *c = arg;

	if (c->exit_pending)
		ctr_exit_known(c);
	else if (c->st == SVC_STOPPING && c->killed)
		survived(c);
	else
		ctr_event(c, EV_TIMER);
}

static void note_end(const struct ctr *c)
{
	const struct state_container *sc = c->unit->c;
	auto_free char *code = xasprintf("%d", sc->exit_code);

	if (sc->oom_killed)
		event_note(c->sup, sc, "oom", NULL, NULL);
	event_note(c->sup, sc, "die", "exitCode", code);
	if (c->asked)
		event_note(c->sup, sc, "stop", NULL, NULL);
}

static void ended(struct ctr *c, int wait_status)
{
	struct state_container *sc = c->unit->c;
	uint64_t lived = now_mono_us() - c->started_us;
	bool again;

	c->exit_pending = false;
	if (c->stuck)
		state_set(&sc->error, NULL);
	c->killed = c->stuck = false;
	if (c->timer)
		(void)loop_timer_set(c->timer, LOOP_NEVER);
	ctr_health_end(c);
	drop_sources(c);
	sc->exit_code = c->failed && !c->ran ? c->unit->start_exit : state_exit_code(wait_status);
	sc->finished_ns = now_real_ns();
	engine_reap(c->unit);
	note_end(c);
	c->sup->fw_dirty |= sc->ports.n > 0;
	if (lived >= SVC_CALM_US)
		c->quick = 0;
	again = (c->ran || !c->failed) &&
		svc_restarts(c->unit->svc->restart, c->unit->svc->restart_max, sc->exit_code,
			     sc->restarts, c->asked || sc->halted);
	again |= c->again && !c->asked;
	c->again = false;
	tell_exit(c);
	ctr_event(c, again ? EV_CRASH : EV_EXIT);
	sup_idle_check(c->sup);
}

void ctr_exit_known(struct ctr *c)
{
	struct state_container *sc = c->unit->c;
	struct state_exit e;
	int status;

	if (!c->exit_pending)
		return;
	/* Who is not the keeper's child (it came after them) leaves its status with the kernel. */
	if (sup_find_exit(c->sup, sc->pid, sc->start_time, &e))
		ended(c, e.wait_status);
	else if (proc_zombie_status(sc->pid, sc->start_time, &status) == 0 ||
		 pidfd_wait_status(c->unit->pidfd, &status) == 0)
		ended(c, status);
	else if (now_mono_us() - c->ended_us >= EXIT_RECORD_WAIT_US)
		ended(c, 255 << 8); /* nobody knows */
	else
		arm(c, EXIT_LOOK_US);
}

/* Both events of a short life can come in one turn of the loop, in either order: what the child said
 * is heard before its end is. */
static void hear_last_words(struct ctr *c)
{
	if (c->status_src)
		on_status(c, EPOLLHUP);
	if (c->status_src) {
		auto_err struct err err = ERR_INIT;

		(void)err_set(&err, ECHILD, "its first process was killed before it ran a program");
		start_failed(c, &err);
	}
}

/* Its process has ended: how, the keeper writes down. */
static void wait_for_record(struct ctr *c)
{
	c->exit_pending = true;
	ctr_health_end(c);
	ctr_hooks_abort(c, "was cut short by the end of the container");
	c->ended_us = now_mono_us();
	ctr_exit_known(c);
}

static void on_end(void *arg, uint32_t events)
{
	struct ctr *c = arg;

	(void)events;
	hear_last_words(c);
	loop_source_free(c->exit_src);
	c->exit_src = NULL;
	wait_for_record(c);
}

void ctr_resume(struct ctr *c)
{
	c->st = SVC_BACKOFF;
	c->unit->c->want_running = true;
	set_status(c, STATE_RESTARTING);
	arm(c, svc_backoff_us(0));
}

void ctr_adopted(struct ctr *c)
{
	enum state_status status = c->unit->c->status;
	bool runs = c->unit->pidfd >= 0;

	if (!runs && c->unit->c->want_running && status == STATE_RESTARTING) {
		ctr_resume(c);
		return;
	}
	if (!runs && status != STATE_RUNNING && status != STATE_PAUSED)
		return;
	c->st = SVC_RUNNING;
	c->started = true;
	c->ran = true;
	c->started_us = now_mono_us();
	if (!runs) { /* it has ended since that was written */
		wait_for_record(c);
		return;
	}
	(void)loop_io_add(c->sup->loop, c->unit->pidfd, EPOLLIN, on_end, c, &c->exit_src, NULL);
	ctr_health_begin(c);
	log_line(LOG_INFO, "%s: adopted, pid %d", c->unit->c->name, (int)c->unit->c->pid);
}

struct svc_view ctr_view(const struct ctr *c)
{
	return (struct svc_view){
		.name = c->unit->c->name,
		.started = c->started || c->failed,
		.running = c->st == SVC_RUNNING || c->st == SVC_STARTING || c->st == SVC_BACKOFF ||
			   c->exit_pending,
		.exit_code = c->unit->c->exit_code,
		.health = c->unit->health.set && !c->unit->health.disable ? c->health.status
									  : HEALTH_NONE,
	};
}
