/* supervise.h - what happens next to a container: pure tables and functions, no processes here.
 *
 * Floor 4. The daemon feeds events in and carries the actions out.
 */
#ifndef CTRCOMPOSE_SUPERVISE_H
#define CTRCOMPOSE_SUPERVISE_H

#include <ctrcompose/base.h>
#include <ctrcompose/model.h>

enum svc_state {
	SVC_STOPPED,  /* created or exited; nothing runs */
	SVC_STARTING, /* made, its program is not executing yet */
	SVC_RUNNING,
	SVC_STOPPING, /* asked to end, grace period runs */
	SVC_BACKOFF,  /* ended, will be started again when the timer fires */
	SVC_STATES
};

enum svc_event {
	EV_START, /* wanted up */
	EV_EXEC,  /* its program runs */
	EV_EXIT,  /* it ended (or could not be started) and its policy lets it rest */
	EV_CRASH, /* it ended and its policy wants it again */
	EV_STOP,  /* wanted down */
	EV_TIMER, /* the grace period or the backoff is over */
	SVC_EVENTS
};

enum svc_action {
	ACT_NONE,
	ACT_SPAWN,
	ACT_TERM,        /* stop signal, and arm the grace timer */
	ACT_KILL,        /* SIGKILL for the whole group */
	ACT_ARM_BACKOFF, /* after svc_backoff_us() */
	ACT_REST,        /* clean up behind it: it stays down */
};

struct svc_step {
	bool allowed;
	enum svc_state next;
	enum svc_action action;
};

/* The one place that knows the life of a container. */
struct svc_step svc_next(enum svc_state state, enum svc_event event);
const char *svc_state_name(enum svc_state state);

/* Whether it runs again after a boot of the host, as Docker's daemon has it: halted is true when a
 * person stopped it before. */
bool svc_resumes(enum restart_policy policy, int exit_code, bool halted);
/* Whether the policy starts it again. `restarts` counts those so far; `asked` is true when a
 * person stopped it. */
bool svc_restarts(enum restart_policy policy, unsigned max, int exit_code, unsigned restarts,
		  bool asked);
/* 100 ms, doubling with each quick death up to 60 s. `quick` counts deaths in a row within
 * SVC_CALM_US of the start. */
uint64_t svc_backoff_us(unsigned quick);
#define SVC_CALM_US (10 * 1000000ULL)

/* ---- Health ---------------------------------------------------------------------------------- */
enum health { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct health_track {
	enum health status;
	unsigned failures; /* in a row, outside the start period */
};
/* Account for one probe. since_start_us: from the start of the container to the probe's start. */
void health_probe(struct health_track *t, const struct healthcheck *hc, bool success,
		  uint64_t since_start_us);
/* How long to wait before the next probe. */
uint64_t health_delay_us(const struct health_track *t, const struct healthcheck *hc,
			 uint64_t since_start_us);

/* ---- Waiting for a condition of depends_on --------------------------------------------------- */
enum verdict { VERDICT_WAIT, VERDICT_MET, VERDICT_FAILED };

struct svc_view { /* what is known of one container */
	const char *name;
	bool started;  /* its program has run since `up` asked for it */
	bool running;  /* or waiting to be started again */
	int exit_code; /* when not running */
	enum health health;
};
/* On VERDICT_FAILED *why is a sentence as docker compose words it; the caller frees it. */
enum verdict svc_condition(enum dep_condition cond, const struct svc_view *v, char **why);

#endif
