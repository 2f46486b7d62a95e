/* follow.h - an attached `up`: output of the containers until their end or the person's. */
#ifndef CMD_FOLLOW_H
#define CMD_FOLLOW_H

#include "screen/logview.h"
#include "stack/online.h"

struct follow_options {
	struct logview_options view;
	const struct strs *only, *without; /* names of services; empty: no choice */
	char *const *services;             /* operands of the command */
	bool dependencies;                 /* show what was only started for others */
	bool abort_on_exit, abort_on_failure;
	const char *exit_from; /* or NULL */
	uint64_t since_ns;     /* lines of this run */
	int64_t grace_us;
};
/* Gives the lock of o back first. 0, the exit status of the container that decides it, or -EINTR. */
int follow_up(struct online *o, const struct follow_options *opt, struct err *err);

#endif
