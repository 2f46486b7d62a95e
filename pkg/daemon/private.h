/* private.h - shared by the files of daemon/ */
#ifndef DAEMON_PRIVATE_H
#define DAEMON_PRIVATE_H

#include <ctrcompose/base.h>
#include <ctrcompose/daemon.h>
#include <ctrcompose/engine.h>
#include <ctrcompose/fdstore.h>
#include <ctrcompose/ipc.h>
#include <ctrcompose/json.h>
#include <ctrcompose/loop.h>
#include <ctrcompose/plan.h>
#include <ctrcompose/state.h>
#include <ctrcompose/supervise.h>

/* What the keeper hands to each supervisor it starts. */
struct supervisor_args {
	const struct state_paths *paths;
	const char *project;
	int wake_fd;  /* readable: the keeper wrote exit records */
	int store[2]; /* fd_store_pair(): what must outlive a supervisor */
	int ready_fd; /* write "" and close when listening, else an error sentence; -1 later on */
};
enum supervisor_exit {
	SUPERVISOR_DONE,    /* nothing is left to look after */
	SUPERVISOR_REFUSED, /* could not begin, and ready_fd was told why */
	SUPERVISOR_FAILED   /* there is work for another one */
};
/* Runs to the end of the project; returns an enum supervisor_exit. */
int supervisor_main(const struct supervisor_args *args);

#define LOG_FILE     "supervisor.log" /* in the project's folder: what keeper and supervisor say */
#define LOG_FILE_OLD LOG_FILE ".1"

char *control_path(const struct state_paths *paths, const char *project);

#endif
