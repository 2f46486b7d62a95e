/* daemon.h - the process that looks after one project, its keeper, and how commands talk to it.
 *
 * Floor 6. The keeper waits for children and starts the supervisor again when it dies; the
 * supervisor carries out plans, pumps logs, probes health, restarts, answers names. Both belong
 * to one project and are gone when nothing of it runs.
 */
#ifndef CTRCOMPOSE_DAEMON_H
#define CTRCOMPOSE_DAEMON_H

#include <ctrcompose/base.h>
#include <ctrcompose/plan.h>
#include <ctrcompose/state.h>

struct daemon_client;

/* Whether there is a keeper or a supervisor of the project, be it on its way out or back. */
bool daemon_lives(const struct state_paths *paths, const char *project);
/* Connect to the project's supervisor, starting one where none is. The caller is root. */
int daemon_connect(const struct state_paths *paths, const char *project, struct daemon_client **out,
		   struct err *err);
/* Connect to a supervisor that is there, for the holder of the project's lock: returns once what
 * an earlier command left under way has come to its end, so that the record says what is there; one
 * that its keeper is about to start again is waited for. -ENOENT: there is none. */
int daemon_find(const struct state_paths *paths, const char *project, struct daemon_client **out,
		struct err *err);
/* The same without the lock and without waiting: to send signals beside what another command does. */
int daemon_reach(const struct state_paths *paths, const char *project, struct daemon_client **out,
		 struct err *err);
int daemon_fd(const struct daemon_client *c); /* readable: something was said, or it is gone */
void daemon_close(struct daemon_client **c);
#define auto_daemon __attribute__((cleanup(daemon_close)))

struct daemon_progress {
	const char *kind, *name; /* "Container", "shop-web-1" */
	const char *status;      /* "Starting", "Started", "Error" */
	const char *detail;      /* or NULL */
	bool warning;            /* detail is a warning to be shown to the person */
};
typedef void daemon_progress_fn(void *arg, const struct daemon_progress *p);

/* Carry out the plan; fn (may be NULL) hears of every step. Returns 0 when all of it is done,
 * else what went wrong. -EINTR when `cancel` (may be NULL) became true: the job is dropped, what
 * is there stays. */
int daemon_apply(struct daemon_client *c, const struct plan *plan, daemon_progress_fn *fn,
		 void *arg, const volatile bool *cancel, struct err *err);

/* A one-off container, made by a plan with one PLAN_CREATE and no start. */
struct daemon_run {
	const char *name; /* of the container */
	bool tty;
	int fds[3]; /* for stdin, stdout, stderr of the container; ignored with tty */
};
/* Start it. *master is the terminal with tty, else -1. */
int daemon_run_start(struct daemon_client *c, const struct daemon_run *run, int *master,
		     struct err *err);
/* To a container with a terminal that runs: what it prints comes to the other end of sock, and *master
 * is for what is typed and for the size. */
int daemon_attach(struct daemon_client *c, const char *name, int sock, int *master,
		  struct err *err);
/* Hear what the container of that name prints, standard output and standard error, from now on or, if
 * it is not there yet, from its start: as long as the connection is there. What the reader is too slow
 * for is lost to it. The descriptors do not block. */
int daemon_listen(struct daemon_client *c, const char *name, int streams[2], struct err *err);

/* Wait for its end, also after a start that failed: 125, 126 or 127 then. */
int daemon_run_wait(struct daemon_client *c, int *exit_code, struct err *err);

/* Start keeper and supervisor of the project; returns when its socket listens. -EBUSY: a family
 * lives already (and may be starting or ending). */
int keeper_start(const struct state_paths *paths, const char *project, struct err *err);

#endif
