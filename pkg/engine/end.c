/* end.c - signals, the end of a container's process, and its control group; see engine.h */
#include "private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STRAY_WAIT_US = 2000000 };

/* ---- Control group ---------------------------------------------------------------------------- */
static bool is_open_group(const struct unit *u)
{
	return u->svc->privileged || unit_needs_devices(u->svc);
}

/* The path of its cgroup_parent: *path stays NULL where it has none, or the root. What it says was
 * checked before; a name that means nothing here any more is none, and fails when it is started. */
static int parent_of(const struct unit *u, char **path, bool *slice, struct err *err)
{
	auto_free char *at = NULL;
	int r = 0;

	*slice = false;
	if (u->svc->cgroup_parent)
		r = cgroup_parent_path(u->svc->cgroup_parent, u->engine->systemd, &at, slice, err);
	if (r == 0 && at && *at)
		*path = steal(at);
	return r < 0 ? err_wrap(err, r, "service %s: cgroup_parent", u->c->service) : 0;
}

/* The project's group for such containers, which stands below the cgroup_parent, if there is one. */
static char *group_path(const struct unit *u)
{
	auto_free char *parent = NULL;
	bool slice;

	(void)parent_of(u, &parent, &slice, NULL);
	return xasprintf("%s%s%s%s", parent ? parent : "", parent ? "/" : "", u->engine->cgroup,
			 is_open_group(u) ? ".open" : "");
}

char *unit_cgroup(const struct unit *u)
{
	auto_free char *group = group_path(u);

	return path_join(group, u->c->id);
}

int unit_group(struct unit *u, const struct cgroup_limits *limits, struct err *err)
{
	struct engine *e = u->engine;
	bool open = is_open_group(u), slice;
	bool *made = open ? &e->open_group_made : &e->group_made;
	auto_free char *parent = NULL, *path = group_path(u);
	int r = parent_of(u, &parent, &slice, err);

	/* Others may take a group away that is empty and theirs: below a parent it is made each time. */
	if (r == 0 && parent)
		r = cgroup_parent_ready(e->cgroups, parent, slice, limits, err);
	else if (r == 0 && *made)
		return 0;
	if (r == 0)
		r = cgroup_group(e->cgroups, path,
				 open ? CGROUP_DEVICES_ANY : CGROUP_DEVICES_DEFAULT, err);
	if (!parent)
		*made = r == 0;
	return r < 0 && parent ? err_wrap(err, r, "service %s: cgroup_parent", u->c->service) : r;
}

void unit_group_leave(const struct unit *u)
{
	auto_free char *path = NULL, *own = NULL;
	auto_err struct err err = ERR_INIT;

	if (!u->svc->cgroup_parent)
		return;
	path = group_path(u);
	own = unit_cgroup(u); /* still there where it ended while nobody looked */
	if (cgroup_remove(u->engine->cgroups, own, &err) < 0)
		log_line(LOG_WARN, "%s: %s", u->c->name, err_text(&err));
	cgroup_group_leave(u->engine->cgroups, path);
}

/* The project has no containers left. */
int engine_groups_remove(struct engine *e, struct err *err)
{
	auto_free char *open = xasprintf("%s.open", e->cgroup);
	int r = cgroup_group_remove(e->cgroups, e->cgroup, err);

	if (r == 0)
		r = cgroup_group_remove(e->cgroups, open, err);
	e->group_made = e->open_group_made = false;
	return r;
}

/* ---- Signals ---------------------------------------------------------------------------------- */
int engine_signal(struct unit *u, int sig, struct err *err)
{
	int r;

	if (u->pidfd < 0)
		return err_set(err, ESRCH, "container %s is not running", u->c->name);
	r = sig == SIGKILL ? engine_kill(u, err) : pidfd_kill(u->pidfd, sig);
	return r < 0 && r != -ESRCH ? err_wrap(err, r, "signal container %s", u->c->name) : 0;
}

/* Whether the process handles a signal, from the SigCgt line of its status. */
static bool catches(pid_t pid, int sig)
{
	auto_free char *path = xasprintf("/proc/%d/status", (int)pid);
	auto_free char *text = NULL;
	const char *line;

	if (file_read(-1, path, 65536, &text, NULL) < 0)
		return true;
	line = strstr(text, "\nSigCgt:");
	if (!line)
		return true;
	return (strtoull(line + 8, NULL, 16) >> (sig - 1) & 1) != 0;
}

int engine_stop_signal(const struct unit *u, bool *deaf)
{
	int sig = u->svc->stop_signal;

	if (!sig && u->image)
		sig = u->image->stop_signal;
	if (!sig)
		sig = SIGTERM;
	*deaf = !u->svc->init && sig != SIGKILL && sig != SIGSTOP && u->c->pid > 0 &&
		!catches(u->c->pid, sig);
	return sig;
}

int engine_pause(struct unit *u, bool pause, struct err *err)
{
	auto_free char *path = unit_cgroup(u);
	int r = pause ? cgroup_freeze(u->engine->cgroups, path, err)
		      : cgroup_thaw(u->engine->cgroups, path, err);

	return r < 0 ? err_wrap(err, r, "container %s", u->c->name) : 0;
}

int engine_kill(struct unit *u, struct err *err)
{
	auto_free char *path = unit_cgroup(u);

	/* The end of the first process ends all the others of its PID namespace. */
	if (u->pidfd >= 0)
		(void)pidfd_kill(u->pidfd, SIGKILL);
	return cgroup_kill(u->engine->cgroups, path, 0, err);
}

int engine_survivors(struct unit *u, struct err *err)
{
	auto_free char *path = unit_cgroup(u);

	return cgroup_kill(u->engine->cgroups, path, 1, err);
}

void unit_group_clear(struct unit *u)
{
	auto_free char *path = unit_cgroup(u);
	auto_err struct err err = ERR_INIT;
	int r;

	if (cgroup_is_empty(u->engine->cgroups, path))
		return;
	log_line(LOG_WARN, "%s: a process of a start nobody finished is ended", u->c->name);
	r = cgroup_kill(u->engine->cgroups, path, STRAY_WAIT_US, &err);
	if (r == 0)
		r = cgroup_remove(u->engine->cgroups, path, &err);
	if (r < 0)
		log_line(LOG_WARN, "%s: %s", u->c->name, err_text(&err));
}

/* ---- The end ---------------------------------------------------------------------------------- */
/* "64.0M": near its limit a round number would hide by how much. */
static void tenths(uint64_t bytes, char out[16])
{
	bool giga = bytes >= 1U << 30;

	(void)snprintf(out, 16, "%.1f%c", (double)bytes / (giga ? 1 << 30 : 1 << 20),
		       giga ? 'G' : 'M');
}

static void note_oom(struct unit *u, const char *path)
{
	struct cgroup_stats st = { 0 };
	uint64_t kills = 0;

	if (cgroup_oom_kills(u->engine->cgroups, path, &kills) < 0 || kills == 0)
		return;
	u->c->oom_killed = true;
	if (cgroup_stats(u->engine->cgroups, path, &st, NULL) == 0) {
		char peak[16], limit[16];
		auto_free char *text = NULL;

		tenths(st.memory_peak, peak);
		format_bytes(u->svc->mem_limit, limit);
		/* Without a limit of its own it was that of its cgroup_parent, or the host had no more. */
		text = u->svc->mem_limit ? xasprintf("OOM-killed (peak %s of %s)", peak, limit)
					 : xasprintf("OOM-killed (peak %s)", peak);
		state_set(&u->c->error, text);
	}
}

void engine_reap(struct unit *u)
{
	auto_free char *path = unit_cgroup(u);
	auto_err struct err err = ERR_INIT;

	note_oom(u, path);
	unit_names_close(u);
	unit_ports_close(u);
	unit_net_release(u);
	if (u->pump)
		logs_pump_drain(u->pump);
	if (u->box) {
		box_close(u->box);
		free(steal(u->box));
	}
	auto_close_fn(&u->status_fd);
	u->status_fd = -1;
	auto_close_fn(&u->pidfd);
	auto_close_fn(&u->netns_fd);
	auto_close_fn(&u->tty_fd);
	unit_outlive_end(u, "terminal");
	u->pidfd = u->netns_fd = u->tty_fd = -1;
	u->c->pid = 0;
	u->c->start_time = 0;
	(void)cgroup_kill(u->engine->cgroups, path, 0, NULL);
	if (cgroup_remove(u->engine->cgroups, path, &err) < 0)
		log_line(LOG_WARN, "%s: %s", u->c->name, err_text(&err));
}
