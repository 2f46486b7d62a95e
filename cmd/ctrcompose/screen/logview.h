/* logview.h - what containers print, with prefixes: for `logs` and an attached `up` */
#ifndef CMD_LOGVIEW_H
#define CMD_LOGVIEW_H

#include "cmd.h"

/* ---- Log lines ---------------------------------------------------------------------------------
 * What containers print, with prefixes: for `logs` and an attached `up`. Lines are whole: parts of
 * one are held until it ends, up to a bound.
 */
struct logs_query;
struct logview_options {
	bool no_color, no_prefix, timestamps;
};
struct logview;
/* The query is copied; its tail is meant for the containers added before the first
 * logview_pump(). Lines go to standard output. */
int logview_open(const struct logs_query *query, const struct logview_options *opt,
		 struct logview **out, struct err *err);
/* Prints open lines; NULL is fine. */
void logview_close(struct logview *v);
void logview_close_fn(struct logview **v);
#define auto_logview __attribute__((cleanup(logview_close_fn)))
/* Show a container; one that is shown already is left alone, and one that takes the place of
 * another of that name goes on where that one was. */
int logview_add(struct logview *v, const struct state_paths *paths, const char *project,
		const struct state_container *c, struct err *err);
/* What that container prints comes from these as well, standard output and error: they become the
 * view's, -1 here. */
int logview_listen(struct logview *v, const char *name, int fds[2], struct err *err);
/* Its container has been removed: the rest of its log is printed with the next logview_pump(). A
 * stopped one may start again: leave it. */
void logview_remove(struct logview *v, const char *id);
/* Print what there is now; comes back from a flood once in a while. */
int logview_pump(struct logview *v, struct err *err);
int logview_fd(const struct logview *v); /* readable: logview_pump(); -1 without follow */
/* "a-1 exited with code 3", after all that the container printed. */
int logview_exited(struct logview *v, const struct state_container *c, bool restarting,
		   struct err *err);

#endif
