/* supervisor.h - the supervisor's own structs: the process, its containers, its jobs */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include "private.h"

struct sup;

enum hooks_phase { HOOKS_NONE, HOOKS_POST_START, HOOKS_PRE_STOP };

/* Commands of the service that run in its container, one after the other. */
struct hooks {
	enum hooks_phase phase;
	size_t at; /* the one that runs */
	struct probe process;
	struct loop_source *exit_src, *out_src;
	struct sbuf text; /* the last of its output */
};

/* A process that does what takes long. */
struct aside {
	struct sup *sup;
	struct ctr *ctr; /* whose volumes it fills; NULL: it removes */
	int pidfd;       /* -1: there is none */
	struct loop_source *src;
};

/* One container as the supervisor sees it. */
struct ctr {
	struct sup *sup;
	struct unit *unit;
	enum svc_state st;
	bool asked;   /* a person stopped it */
	bool started; /* its program has run since a job asked for it */
	bool ran;     /* the last start came to an exec */
	bool failed;  /* the last start did not, or a hook after it failed */
	bool refused; /* a hook before the stop failed: it runs on */
	bool again;   /* a dead supervisor has asked it to stop: when it does it is started again */
	bool killed;  /* the stop that is under way has come to SIGKILL */
	bool stuck;   /* and that did not end it in time: `error` says who is left */
	struct loop_source *status_src, *exit_src, *timer, *health_timer;
	struct loop_source *probe_src, *probe_out;
	struct probe probe;
	bool probing;
	uint64_t probe_began_us;
	struct sbuf probe_text;
	struct health_track health;
	struct hooks hooks;
	struct aside filler;
	bool filled;  /* what its volumes needed has been tried, in this job */
	bool run_due; /* a one-off, when they are filled */
	uint64_t started_us;
	unsigned quick;            /* deaths in a row soon after the start */
	int64_t grace_us;          /* of the stop that is under way; -1 = the service's */
	bool exit_pending;         /* ended, the keeper's record is awaited */
	uint64_t ended_us;         /* then: when that was seen */
	struct unit_stdio io;      /* of a one-off */
	struct ipc_conn *attached; /* who waits for a one-off's end */
};

enum step { STEP_PENDING, STEP_RUNNING, STEP_DONE, STEP_FAILED, STEP_SKIPPED };

struct job {
	struct plan *plan;
	struct ipc_conn *conn; /* NULL: the client has gone */
	enum step *steps;
	char *error; /* the first one */
	struct {
		struct strs runs, started, rests, lost;
	} kept; /* names of those that were to be replaced and are not; lost: with the reason */
	bool cancelled, unmade; /* unmade: a container could not be made */
};

struct ear {
	struct ipc_conn *conn; /* as long as it is there */
	char *name;            /* of the container, which need not be there yet */
	int fds[2];            /* standard output and error */
};

struct sup {
	const struct supervisor_args *args;
	struct loop *loop;
	struct state_project *state;
	struct engine *engine;
	struct fd_store *fds;
	struct ipc_server *ipc;
	struct {
		struct ctr **v;
		size_t n, cap;
	} ctrs;
	struct job *job;
	struct aside remover;
	uint64_t exits_offset;
	struct {
		struct state_exit *v;
		size_t n, cap;
	} exits; /* read, not yet claimed */
	struct loop_source *save_timer, *wake_src;
	struct {
		struct ipc_conn **v;
		size_t n, cap;
	} settling; /* whoever waits for the end of the job */
	struct {
		struct ear *v;
		size_t n, cap;
	} ears;             /* whoever wants to hear what a container prints */
	struct sbuf events; /* not yet written */
	bool dirty, forget, fw_dirty, listening, rebooted;
	bool job_due; /* something happened that a job may wait for */
};

/* supervisor.c */
void sup_changed(struct sup *s); /* save soon */
int sup_save(struct sup *s, struct err *err);
bool sup_find_exit(struct sup *s, pid_t pid, uint64_t start_time, struct state_exit *out);
void sup_idle_check(struct sup *s);
/* The job has ended: those who wait for that hear of it. */
void sup_settled(struct sup *s);
/* {"e":"done","error":...}; NULL: it went well */
void sup_reply_done(struct ipc_conn *conn, const char *error);

/* Those that wait for a container of this name hear it from now on. */
void sup_ears(struct sup *s, struct unit *u);

/* aside.c: whether a process removes what is much, or fills volumes before the container can start, begun
 * now if there is something to do. It calls job_advance() when it has ended. */
bool remover_works(struct sup *s);
bool filler_works(struct ctr *c);
/* For a one-off that is to start now: ctr_run() comes when that is done. */
bool filler_runs(struct ctr *c);
void fillers_end(struct sup *s); /* with the job that waits for them */
void aside_end(struct aside *a); /* at once; none is fine */

/* record.c */
void record_watch(struct sup *s);

/* events.c: <state>/projects/<project>/events, a line of JSON each, and events.1 with older ones. */
void event_note(struct sup *s, const struct state_container *c, const char *action, const char *key,
		const char *value); /* key NULL: no attribute of its own */
void events_flush(struct sup *s);

/* ctr.c */
struct ctr *ctr_new(struct sup *s, struct unit *u);
void ctr_free(struct ctr *c);
struct ctr *ctr_find(struct sup *s, const char *name);
void ctr_event(struct ctr *c, enum svc_event ev);
int ctr_pause(struct ctr *c, bool pause, struct err *err);
void ctr_adopted(struct ctr *c);    /* watch what still runs */
void ctr_exit_known(struct ctr *c); /* the keeper wrote something */
void ctr_stop(struct ctr *c);       /* its hooks first */
void ctr_hooks_done(struct ctr *c, enum hooks_phase phase, bool success);
struct svc_view ctr_view(const struct ctr *c);

void ctr_resume(struct ctr *c); /* soon, as after a crash */
void ctr_run(struct ctr *c);    /* a one-off; its streams are the program's from now on */
void ctr_left(struct ctr *c);   /* by who waited for its end: it does not start any more */

/* replace.c: old is the id of the container that is replaced */
struct ctr *replace_old(struct sup *s, const char *old);
struct ctr *replace_new(struct sup *s, const char *old); /* NULL: not made, or settled */
void replace_stops(struct ctr *before); /* a supervisor that comes in between knows */
void replace_swap(struct sup *s, const char *old);
enum replaced {
	REPLACED,
	REPLACE_OLD_RUNS,   /* it never stopped */
	REPLACE_OLD_STARTS, /* its start is under way */
	REPLACE_OLD_RESTS,  /* it did not run before */
	REPLACE_FAILED
};
/* good: the new one is as it should be. Neither of them may be on its way to somewhere. */
enum replaced replace_settle(struct sup *s, const char *old, bool good, bool volumes,
			     struct err *err);
/* After a supervisor that died in the middle. */
void replace_recover(struct sup *s, bool rebooted);

/* health.c */
void ctr_health_begin(struct ctr *c);
void ctr_health_end(
	struct ctr *c); /* also of a pause's begin: the probe under way counts nothing */
void ctr_health_go_on(struct ctr *c); /* after a pause */
/* SIGKILL for all of it; it is reaped when it has ended, and its pidfd closed. */
void probe_kill(struct sup *s, struct probe *p);

/* hooks.c */
bool ctr_hooks_wanted(const struct ctr *c, enum hooks_phase phase);
void ctr_hooks_begin(struct ctr *c, enum hooks_phase phase); /* ctr_hooks_done() comes */
/* Nobody waits any more, or the container has ended: the one that runs fails. */
void ctr_hooks_abort(struct ctr *c, const char *how);
void ctr_hooks_free(struct ctr *c);

/* job.c */
/* A plan of nothing but signals, beside the job. */
void job_kill(struct sup *s, const struct plan *plan, struct ipc_conn *conn);
void job_begin(struct sup *s, struct plan *plan, struct ipc_conn *conn);
void job_advance(struct sup *s);
void job_client_gone(struct sup *s, const struct ipc_conn *conn);
void job_note(struct sup *s, const struct ctr *c, const char *status, const char *detail);

#endif
