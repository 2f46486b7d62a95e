/* online.h - what commands that change a project share: its lock, its record, one plan carried out. */
#ifndef CMD_ONLINE_H
#define CMD_ONLINE_H

#include "cmd.h"
#include <ctrcompose/daemon.h>
#include <ctrcompose/plan.h>

/* What a container prints whose log keeps nothing. */
struct ear {
	char *name; /* the container's */
	int fds[2]; /* standard output and error; -1: somebody has them */
};

struct online {
	struct state_paths paths;
	char *name;
	struct project *project; /* NULL: no file was read */
	struct state_project *state;
	int lock;             /* the project's flock, until online_close() */
	bool beside;          /* for signals: another command may be working */
	uint64_t patience_us; /* how long online_apply() may take; 0: as long as it takes */
	bool listen;          /* online_apply() also makes ears */
	struct {
		struct ear *v;
		size_t n, cap;
	} ears;
	struct daemon_client *client; /* once a plan was carried out; keeps the supervisor there */
};
#define ONLINE_INIT         \
	{                   \
		.lock = -1, \
	}
#define auto_online __attribute__((cleanup(online_close)))

/* A project of a file, with what is asked for checked against what the runtime carries out. */
int online_open_file(struct online *o, const struct cmd_load *how, struct err *err);
/* A project that exists; a file is read where one is found. */
int online_open(struct online *o, struct err *err);
void online_close(struct online *o);
/* Read the record again: something has changed it. */
int online_refresh(struct online *o, struct err *err);
/* Carry the plan out with progress lines; with --dry-run only say what would be done. An empty
 * plan starts nothing. what: the word of the head line, "Running". */
int online_apply(struct online *o, const struct plan *plan, const char *what, struct err *err);
/* The network or the volume that the action would make is there: nothing happens. */
bool online_is_there(const struct online *o, const struct plan_action *a);
/* A plan that was begun then has failed: adds to the sentence what its containers said last, the log
 * lines of those that ended, the output of the last health probe. */
void why_failed(const struct online *o, const struct plan *plan, uint64_t since_ns,
		struct err *err);
/* The words as plan options want them: NULL if there are none. */
const char *const *online_words(char **argv);

#endif
