/* dry.c - --dry-run of commands that change nothing but the stores: they run as ever, so that what they say is
 * what they would do, and why they would fail. What they change is a copy: overlays over the state and
 * run folders, in namespaces that end with this process. */
#include "screen/screen.h"

#include <ctrcompose/rootfs.h>
#include <sched.h>
#include <unistd.h>

int cmd_enter_copy(struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	int r = geteuid() == 0 ? state_paths_open(&paths, err)
			       : err_set(err, EPERM, "--dry-run needs root: run it with sudo");

	if (r == 0)
		r = rootfs_enter_private(err);
	/* Bridges, too. */
	if (r == 0 && unshare(CLONE_NEWNET) < 0)
		r = err_errno(err, "make a network namespace");
	if (r == 0)
		r = rootfs_forgetful(paths.state, err);
	if (r == 0)
		r = rootfs_forgetful(paths.run, err);
	return r < 0 ? err_wrap(err, r, "--dry-run") : 0;
}

static struct progress *lines; /* of this command, below one head */

void cmd_did(struct sbuf *out, const char *kind, const char *name, const char *done)
{
	if (!global.dry_run)
		sbuf_addf(out, "%s\n", name);
	else if (lines || progress_open("Running", &lines, NULL) == 0)
		progress_step(lines, kind, name, done, NULL);
}

void cmd_did_all(void)
{
	progress_close(steal(lines));
}
