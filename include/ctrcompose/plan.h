/* plan.h - from what is wanted and what is there to an ordered list of actions. Pure.
 *
 * Floor 4. `up`, `down`, --dry-run and recovery all carry out the same kind of plan. An action may
 * begin when all actions in its `after` list have succeeded; nothing else orders them.
 */
#ifndef CTRCOMPOSE_PLAN_H
#define CTRCOMPOSE_PLAN_H

#include <ctrcompose/base.h>
#include <ctrcompose/model.h>
#include <ctrcompose/state.h>

enum plan_op {
	PLAN_NETWORK_UP,
	PLAN_NETWORK_DOWN,
	PLAN_VOLUME_MAKE,
	PLAN_VOLUME_REMOVE,
	PLAN_CREATE,
	PLAN_START,
	PLAN_STOP,
	PLAN_KILL,
	PLAN_PAUSE,
	PLAN_UNPAUSE,
	PLAN_REMOVE,
	PLAN_KEEP, /* is as it should be: only reported */
	PLAN_WAIT, /* until the condition holds for the container */
	PLAN_SWAP, /* the new one gets the name, the old one (`old`), which has stopped, a spare one */
	/* Begins when all before it has come to an end, well or not: the old one (`old`) goes, or the
	 * new one does, and the old one is as it was. */
	PLAN_SETTLE,
	PLAN_OPS
};

struct plan_action {
	enum plan_op op;
	const char *name;    /* of the container, network or volume, as the host knows it */
	const char *service; /* key of the service, network or volume */
	/* Id of the container that is replaced: of the CREATE of the new one, the STOP of the old one, and
	 * what comes after; else NULL. No old one is stopped before all new ones are made. */
	const char *old;
	unsigned number; /* of the container */
	bool oneoff;
	bool use_aliases;             /* PLAN_CREATE of a one-off: it has the service's names too */
	const struct service *svc;    /* PLAN_CREATE */
	const char *config_json;      /* PLAN_CREATE: what the supervisor decodes svc from */
	const char *config_hash;      /* PLAN_CREATE */
	enum dep_condition condition; /* PLAN_WAIT */
	bool required;                /* PLAN_WAIT: false turns a failure into a warning */
	bool final;         /* PLAN_WAIT of --wait: a one-shot that exited with 0 counts */
	int signal;         /* PLAN_KILL */
	int64_t grace_us;   /* PLAN_STOP: -1 = the service's own */
	bool for_boot;      /* PLAN_STOP: the host goes down, no person asked for it */
	const char *reason; /* why, for people: "configuration changed"; or NULL */
	size_t *after;
	size_t n_after, cap_after;
};

struct plan {
	struct arena arena;
	const char *project, *working_dir;
	struct list config_files;
	struct {
		struct plan_action *v;
		size_t n, cap;
	} actions;
	const struct network *networks; /* definitions PLAN_NETWORK_UP refers to by key */
	size_t n_networks;
	const struct volume *volumes; /* those that PLAN_CREATE refers to by key */
	size_t n_volumes;
	bool forget;         /* `down`: nothing of the project is kept afterwards */
	bool remove_volumes; /* anonymous volumes go with their containers */
};

/* Nothing but signals: it can be carried out beside another plan. */
bool plan_is_kill(const struct plan *p);
void plan_free(struct plan *p);
void auto_plan_fn(struct plan **p);
#define auto_plan __attribute__((cleanup(auto_plan_fn)))

struct plan_options {
	const char *const *services; /* NULL-terminated; NULL or empty: all */
	bool no_deps, no_start, no_recreate, remove_orphans, wait;
	bool force_recreate;       /* the services that are named; without names, all */
	bool always_recreate_deps; /* force_recreate: also what those depend on */
	bool use_aliases;          /* of run */
	bool remove_volumes;       /* of rm and down; of up: anonymous ones are made anew */
	int64_t grace_us;          /* -1: each service's own */
	int signal;                /* of kill; 0: SIGKILL */
	bool for_boot;             /* of stop: see plan_action */
	/* of start: those it is true for; NULL: all */
	bool (*only)(const struct state_container *c);
	const struct kv *scale; /* service -> decimal count */
	size_t n_scale;
};

/* Orphans are containers of services the file does not have; their names are appended to
 * *orphans (may be NULL). -ENOENT: no such service, with the known ones named. */
int plan_up(const struct project *want, const struct state_project *have,
	    const struct plan_options *opt, struct plan **out, struct strs *orphans,
	    struct err *err);
/* want may be NULL (no compose file at hand): everything of the project goes. */
int plan_down(const struct project *want, const struct state_project *have,
	      const struct plan_options *opt, struct plan **out, struct err *err);
/* start, stop, restart, kill, rm, pause and unpause over containers that are there. */
enum plan_verb {
	PLAN_VERB_START,
	PLAN_VERB_STOP,
	PLAN_VERB_RESTART,
	PLAN_VERB_KILL,
	PLAN_VERB_RM,
	PLAN_VERB_PAUSE,
	PLAN_VERB_UNPAUSE
};
int plan_verb(enum plan_verb verb, const struct project *want, const struct state_project *have,
	      const struct plan_options *opt, struct plan **out, struct err *err);

/* A one-off container of `run`: what it depends on comes up first (but for no_deps), networks and
 * volumes it needs are made; then PLAN_CREATE, and PLAN_START if start is set. svc is the service
 * as it is to be; volumes it names that `want` does not have are in extra. */
int plan_run(const struct project *want, const struct state_project *have,
	     const struct plan_options *opt, const struct service *svc, const char *name,
	     bool start, const struct volume *extra, size_t n_extra, struct plan **out,
	     struct err *err);
/* Only this container goes, with its anonymous volumes; it is stopped first. */
void plan_remove_one(const struct state_project *have, const struct state_container *c,
		     struct plan **out);

/* Only this container is paused, or goes on. */
void plan_pause_one(const struct state_project *have, const struct state_container *c, bool pause,
		    struct plan **out);

/* The words of progress lines: "Container", "Starting", "Started". */
const char *plan_kind(enum plan_op op);
const char *plan_doing(enum plan_op op);
const char *plan_done(enum plan_op op);

/* The plan as text for the control socket, and back (checked: it comes from outside). */
void plan_encode(const struct plan *p, struct sbuf *out);
int plan_decode(const char *text, size_t len, struct plan **out, struct err *err);

#endif
