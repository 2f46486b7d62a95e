/* health.c - runs the probes: one at a time per container, bounded in time and output */
#include "supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { PROBE_OUTPUT_MAX = 4096 };

static void probe_start(void *arg);

static void probe_end(struct ctr *c)
{
	loop_source_free(c->probe_src);
	loop_source_free(c->probe_out);
	c->probe_src = c->probe_out = NULL;
	auto_close_fn(&c->probe.out_fd);
	auto_close_fn(&c->probe.pidfd);
	c->probing = false;
}

struct dying {
	struct loop_source *src;
	int pidfd;
};

static void on_reaped(void *arg, const siginfo_t *info)
{
	struct dying *d = arg;

	(void)info;
	loop_source_free(d->src);
	(void)close(d->pidfd);
	free(d);
}

void probe_kill(struct sup *s, struct probe *p)
{
	struct dying *d;

	if (p->pidfd < 0)
		return;
	engine_probe_kill(p);
	d = xcalloc(1, sizeof(*d));
	d->pidfd = steal_fd(&p->pidfd);
	if (loop_child_add(s->loop, d->pidfd, on_reaped, d, &d->src, NULL) < 0)
		on_reaped(d, NULL);
}

/* The process still runs. */
static void probe_abort(struct ctr *c)
{
	struct probe p = c->probe;

	c->probe.pidfd = -1;
	probe_end(c);
	probe_kill(c->sup, &p);
}

static void health_status(struct ctr *c, enum health was)
{
	static const enum state_health as_state[] = {
		[HEALTH_NONE] = STATE_HEALTH_NONE,
		[HEALTH_STARTING] = STATE_HEALTH_STARTING,
		[HEALTH_HEALTHY] = STATE_HEALTHY,
		[HEALTH_UNHEALTHY] = STATE_UNHEALTHY,
	};
	struct state_container *sc = c->unit->c;

	sc->health = as_state[c->health.status];
	state_set(&sc->health_log, c->probe_text.len ? sbuf_str(&c->probe_text) : NULL);
	if (c->health.status == was) {
		if (c->sup->job) /* whoever waits for it may be told why it takes so long */
			(void)state_live_save(c->sup->args->paths, c->sup->state, sc, NULL);
		return;
	}
	engine_names_health(c->unit);
	if (c->health.status == HEALTH_UNHEALTHY)
		log_line(LOG_WARN, "%s: unhealthy; the last probe said: %s", sc->name,
			 c->probe_text.len ? sbuf_str(&c->probe_text) : "(nothing)");
	if (c->health.status != HEALTH_STARTING) {
		auto_free char *action =
			xasprintf("health_status: %s", state_health_name(sc->health));

		event_note(c->sup, sc, action, NULL, NULL);
	}
	(void)state_live_save(c->sup->args->paths, c->sup->state, sc, NULL);
	sup_changed(c->sup);
	c->sup->job_due = true; /* after this turn: a job may free containers */
}

static void next_probe(struct ctr *c)
{
	uint64_t wait =
		health_delay_us(&c->health, &c->unit->health, now_mono_us() - c->started_us);

	(void)loop_timer_set(c->health_timer, wait);
}

static void verdict(struct ctr *c, bool success)
{
	enum health was = c->health.status;

	health_probe(&c->health, &c->unit->health, success, c->probe_began_us - c->started_us);
	health_status(c, was);
	if (c->st == SVC_RUNNING)
		next_probe(c);
}

static void on_output(void *arg, uint32_t events)
{
	struct ctr *c = arg;
	char chunk[1024];
	ssize_t n = read(c->probe.out_fd, chunk, sizeof(chunk));

	(void)events;
	if (n <= 0) {
		loop_source_free(c->probe_out);
		c->probe_out = NULL;
		return;
	}
	if (c->probe_text.len < PROBE_OUTPUT_MAX)
		sbuf_add(&c->probe_text, chunk,
			 (size_t)n < PROBE_OUTPUT_MAX - c->probe_text.len
				 ? (size_t)n
				 : PROBE_OUTPUT_MAX - c->probe_text.len);
}

static void on_probe_exit(void *arg, const siginfo_t *info)
{
	struct ctr *c = arg;
	bool success = info->si_code == CLD_EXITED && info->si_status == 0;

	while (c->probe_out && c->probe_text.len < PROBE_OUTPUT_MAX)
		on_output(c, EPOLLIN);
	probe_end(c);
	verdict(c, success);
}

/* Between probes the timer starts one; during a probe it is the time limit. */
static void probe_start(void *arg)
{
	auto_err struct err err = ERR_INIT;
	struct ctr *c = arg;
	uint64_t limit =
		c->unit->health.timeout_us ? c->unit->health.timeout_us : HEALTH_TIMEOUT_US;
	int r;

	if (c->unit->c->status == STATE_PAUSED)
		return; /* nothing in it can answer */
	if (c->probing) {
		probe_abort(c);
		sbuf_clear(&c->probe_text);
		sbuf_addf(&c->probe_text, "the probe took longer than %u ms",
			  (unsigned)(limit / 1000));
		verdict(c, false);
		return;
	}
	sbuf_clear(&c->probe_text);
	c->probe_began_us = now_mono_us();
	c->probe.out_fd = c->probe.pidfd = -1;
	r = engine_probe_start(c->unit, &c->probe, &err);
	if (r == 0)
		r = loop_child_add(c->sup->loop, c->probe.pidfd, on_probe_exit, c, &c->probe_src,
				   &err);
	if (r < 0) {
		sbuf_adds(&c->probe_text, err_text(&err));
		probe_abort(c); /* where it runs: nobody would look after it */
		verdict(c, false);
		return;
	}
	c->probing = true;
	(void)loop_io_add(c->sup->loop, c->probe.out_fd, EPOLLIN, on_output, c, &c->probe_out,
			  NULL);
	(void)loop_timer_set(c->health_timer, limit);
}

void ctr_health_begin(struct ctr *c)
{
	const struct healthcheck *hc = &c->unit->health;

	c->health = (struct health_track){ HEALTH_NONE, 0 };
	if (!hc->set || hc->disable || hc->test.n == 0)
		return;
	c->health.status = HEALTH_STARTING;
	c->unit->c->health = STATE_HEALTH_STARTING;
	if (!c->health_timer)
		(void)loop_timer_add(c->sup->loop, LOOP_NEVER, probe_start, c, &c->health_timer,
				     NULL);
	/* The first probe runs at once: what is ready early is used early. */
	(void)loop_timer_set(c->health_timer, 0);
}

void ctr_health_go_on(struct ctr *c)
{
	if (c->health.status != HEALTH_NONE && !c->probing)
		(void)loop_timer_set(c->health_timer, 0);
}

void ctr_health_end(struct ctr *c)
{
	if (c->health_timer)
		(void)loop_timer_set(c->health_timer, LOOP_NEVER);
	if (c->probing)
		probe_abort(c);
}
