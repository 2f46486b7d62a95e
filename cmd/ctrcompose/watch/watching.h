/* watching.h - `watch` beside an attached `up`. */
#ifndef CMD_WATCHING_H
#define CMD_WATCHING_H

#include "cmd.h"

/* Whether there is something to watch for these services (NULL-terminated; none: all). */
int watch_check(struct project *p, char *const *services, struct err *err);
/* quiet: no lines of builds. A `watch --no-up` of its own process, whose lines go to standard error, and its end (0: none). */
int watch_beside(const struct project *p, char *const *services, bool quiet, pid_t *out,
		 struct err *err);
void watch_end(pid_t pid);

#endif
