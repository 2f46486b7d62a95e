/* observe.h - what commands share that look at a project without changing it: no lock, no supervisor. */
#ifndef CMD_OBSERVE_H
#define CMD_OBSERVE_H

#include "cmd.h"

struct observed {
	struct state_paths paths;
	char *name;
	struct project *project; /* NULL: no file was read */
	struct state_project *state;
};
#define auto_observed __attribute__((cleanup(observe_end)))

/* services: the operands, checked against what is known; NULL or empty: all. */
int observe(struct observed *o, char *const *services, struct err *err);
/* Read the record again. */
int observe_again(struct observed *o, struct err *err);
void observe_end(struct observed *o);

/* The replica `index` of a service, 0: the one with the lowest number. running: others do not
 * count. oneoffs: so do containers of `run`, after all others. */
struct pick {
	const char *service;
	int64_t index;
	bool running, oneoffs;
};
int observe_pick(const struct state_project *s, const struct pick *p, struct state_container **out,
		 struct err *err);

/* Containers in the order of names; free v. */
struct chosen {
	struct state_container **v;
	size_t n, cap;
};
/* Those of the services; stopped ones only with all, one-offs too then. */
void observe_choose(const struct state_project *s, char *const *services, bool all,
		    struct chosen *out);

/* A descriptor (inotify) that turns readable when a container of the project changes or goes. */
int observe_watch(const struct observed *o, struct err *err);
/* Sleep until then, at most timeout_ms; what waits is taken. */
void observe_sleep(int watch, int timeout_ms);

/* "4.27MB" with so many digits: powers of 1000; "1.5GiB": powers of 1024. */
void human_size(double bytes, int digits, char out[24]);
void binary_size(double bytes, char out[24]);

#endif
