/* private.h - shared by the files of daemon/ */
#ifndef DAEMON_PRIVATE_H
#define DAEMON_PRIVATE_H

#include <ctrcompose/base.h>
#include <ctrcompose/daemon.h>
#include <ctrcompose/engine.h>
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
	int ready_fd; /* write "" and close when listening, else an error sentence; -1 later on */
};
/* Runs to the end of the project: 0 when nothing is left to look after. */
int supervisor_main(const struct supervisor_args *args);

char *control_path(const struct state_paths *paths, const char *project);

#endif
