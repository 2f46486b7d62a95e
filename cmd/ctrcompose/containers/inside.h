/* inside.h - what `exec` and `run` share: which container, and its standard streams. */
#ifndef CMD_INSIDE_H
#define CMD_INSIDE_H

#include "cmd.h"

/* The replica `index` of a service, 0: the first one that runs. */
int find_running(const struct state_project *s, const char *service, int64_t index,
		 struct state_container **out, struct err *err);

/* Pipes for a process without a terminal: it never gets our own descriptors, which may be those of
 * a person's terminal. */
struct pipes {
	int in, out, err; /* our ends; -1 once they have ended */
	int theirs[3];    /* stdin, stdout, stderr of the process */
};
#define auto_pipes __attribute__((cleanup(pipes_close)))
int pipes_open(struct pipes *p, struct err *err);
void pipes_started(struct pipes *p); /* the process has its ends */
/* Copy until out and err have ended, or done_fd is readable and nothing is left to read. */
int pipes_run(struct pipes *p, int done_fd, struct err *err);
void pipes_close(struct pipes *p);

/* --interactive=false: standard input is empty. */
int no_input(struct err *err);

#endif
