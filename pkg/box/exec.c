/* exec.c - one more process in a container: probes, `exec`; see box.h */
#include "private.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct exec {
	const struct box_exec_spec *spec;
	int ctl, null_fd, init_fd;
};

static void keep_only(const struct exec *e)
{
	const struct box_process *p = &e->spec->process;
	size_t n = 0, max = p->n_tasks + 9;
	int *keep = xcalloc(max, sizeof(*keep));

	keep[n++] = e->ctl;
	keep[n++] = e->null_fd;
	keep[n++] = e->init_fd;
	keep[n++] = p->stdin_fd;
	keep[n++] = p->stdout_fd;
	keep[n++] = p->stderr_fd;
	keep[n++] = e->spec->pidfd;
	keep[n++] = p->v2_dirfd;
	for (size_t i = 0; i < p->n_tasks; i++)
		keep[n++] = p->tasks_fds[i];
	child_prepare(keep, n);
}

/* All namespaces that differ from ours: joining one's own user namespace is refused. */
static int differing(pid_t pid)
{
	static const struct {
		const char *name;
		int flag;
	} all[] = {
		{ "user", CLONE_NEWUSER },     { "mnt", CLONE_NEWNS },  { "uts", CLONE_NEWUTS },
		{ "ipc", CLONE_NEWIPC },       { "pid", CLONE_NEWPID }, { "net", CLONE_NEWNET },
		{ "cgroup", CLONE_NEWCGROUP },
	};
	int flags = 0;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct stat theirs, ours;
		char path[64];

		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, all[i].name);
		if (stat(path, &theirs) < 0)
			return -errno;
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", all[i].name);
		if (stat(path, &ours) < 0)
			return -errno;
		if (theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev)
			flags |= all[i].flag;
	}
	return flags;
}

static void open_terminal(const struct exec *e, struct child_tty *tty)
{
	auto_close int pts = open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct frame f = { .type = FRAME_TTY };
	int r = pts < 0 ? -errno : tty_open(pts, tty);

	if (r < 0)
		child_fail(e->ctl, r, "open a terminal");
	r = frame_send(e->ctl, &f, tty->master);
	if (r < 0)
		child_fail(e->ctl, r, "hand over the terminal");
	(void)close(tty->master);
}

static void inside(const struct exec *e, bool user, const struct limits *l)
	__attribute__((noreturn));
static void inside(const struct exec *e, bool user, const struct limits *l)
{
	struct child_tty tty = { -1, -1 };
	struct become b;

	/* Nothing that leads out of the container is open while its files are looked at. */
	(void)close(e->spec->pidfd);
	auto_close_fn(&e->spec->process.v2_dirfd);
	for (size_t i = 0; i < e->spec->process.n_tasks; i++)
		(void)close(e->spec->process.tasks_fds[i]);
	if (user)
		child_become_root(e->ctl);
	if (e->spec->process.tty)
		open_terminal(e, &tty);
	limits_take(l);
	b = (struct become){ .p = &e->spec->process,
			     .ctl = e->ctl,
			     .null_fd = e->null_fd,
			     .init_fd = e->init_fd,
			     .tty = tty };
	child_become(&b);
}

/* As likely to be killed for want of memory as the container's first process. */
static void copy_oom(const struct exec *e)
{
	auto_free char *text = NULL;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)e->spec->pid);
	if (file_read(AT_FDCWD, path, 64, &text, NULL) < 0)
		return; /* gone: setns will tell */
	/* Without CAP_SYS_RESOURCE it can't fall below ours, which then is the nearest. */
	(void)file_put(AT_FDCWD, "/proc/self/oom_score_adj", text);
}

static int cgroup_namespace(const struct exec *e)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/cgroup", (int)e->spec->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		child_fail(e->ctl, -errno, "open the container's cgroup namespace");
	return fd;
}

/* Both ends of what keeps the process where it is until its pid is told: once it has begun the program,
 * whoever is root in the container can speak in its name. */
static void gate_open(const struct exec *e, int gate[2])
{
	if (pipe2(gate, O_CLOEXEC) < 0)
		child_fail(e->ctl, -errno, "make a pipe");
}

static void gate_wait(const int gate[2])
{
	char byte;

	(void)close(gate[1]);
	if (fd_read_full(gate[0], &byte, 1) != 1)
		_exit(125);
	(void)close(gate[0]);
}

/* The process's own part of the joining: its group comes before anything of the container is looked at. The
 * joiner is never in it: who waits for the joiner would wait for a container that leaves itself no time.
 * The cgroup namespace comes last: with nsdelegate nobody may be made in a group from within the namespace
 * that begins there. */
static void settle(const struct exec *e, const int gate[2], int cgroup_fd)
{
	int r;

	gate_wait(gate);
	r = child_join(e->spec->process.tasks_fds, e->spec->process.n_tasks);
	if (r < 0)
		child_fail(e->ctl, r, "join the control group");
	if (cgroup_fd >= 0 && setns(cgroup_fd, CLONE_NEWCGROUP) < 0)
		child_fail(e->ctl, -errno, "join the container's cgroup namespace");
	auto_close_fn(&cgroup_fd);
}

/* Joins, then makes the process, a sibling of itself. */
static void joiner(const struct exec *e) __attribute__((noreturn));
static void joiner(const struct exec *e)
{
	const struct box_process *p = &e->spec->process;
	struct frame f = { .type = FRAME_PID };
	int pidfd = -1, cgroup_fd = -1, flags = differing(e->spec->pid), gate[2], r;
	struct limits l;
	pid_t pid;

	keep_only(e);
	limits_raise();
	if (flags < 0)
		child_fail(e->ctl, flags, "look at the namespaces of the container");
	child_keyring(e->ctl, p->label);
	copy_oom(e);
	if (flags & CLONE_NEWCGROUP)
		cgroup_fd = cgroup_namespace(e);
	flags &= ~CLONE_NEWCGROUP;
	if (flags && setns(e->spec->pidfd, flags) < 0)
		child_fail(e->ctl, -errno, "join the container's namespaces");
	limits_read(e->spec->pid, &l);
	gate_open(e, gate);
	pid = clone_child(0, p->v2_dirfd, true, &pidfd);
	if (pid < 0)
		child_fail(e->ctl, pid, "make a process in the container");
	if (pid == 0) {
		settle(e, gate, cgroup_fd);
		inside(e, (flags & CLONE_NEWUSER) != 0, &l);
	}
	f.pid = pid;
	r = frame_send(e->ctl, &f, pidfd);
	if (r < 0)
		child_fail(e->ctl, r, "hand over the process");
	(void)fd_write_all(gate[1], "", 1);
	_exit(0);
}

/* ---- The parent ------------------------------------------------------------------------------- */
enum { JOIN_WAIT_MS = 10000 };

/* A frame, or -ETIMEDOUT: in a frozen control group nothing goes on. */
static int next_frame(struct box *out, struct frame *f, int *fd)
{
	struct pollfd p = { .fd = out->ctl_fd, .events = POLLIN };
	int r;

	*fd = -1;
	do
		r = poll(&p, 1, JOIN_WAIT_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	return frame_recv(out->ctl_fd, f, fd, MSG_DONTWAIT);
}

/* The first thing that is told, by the joiner: the pid, or why there is none. */
static int await_pid(struct box *out, struct err *err)
{
	auto_close int fd = -1;
	struct frame f = { 0 };
	int r = next_frame(out, &f, &fd);

	if (r == -ETIMEDOUT)
		return err_set(err, r,
			       "the process does not get into the container: is it paused?");
	if (r == 1 && f.type == FRAME_PID && f.pid > 0) {
		out->pid = f.pid;
		out->pidfd = steal_fd(&fd);
		return 0;
	}
	if (r < 0)
		return err_wrap(err, r, "hear from the process that joins the container");
	if (r == 0 || f.type != FRAME_FAILED)
		return err_set(err, EIO, "the process ended while it joined the container");
	out->exit_code = f.exit_code;
	return err_set(err, f.code ? f.code : -EIO, "%s", f.text);
}

/* The host's id of the container's root. */
static uid_t root_of(pid_t pid)
{
	auto_free char *text = NULL;
	char path[64], *end;
	unsigned long base;

	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	if (file_read(AT_FDCWD, path, 4096, &text, NULL) < 0 || strtoul(text, &end, 10) != 0)
		return 0;
	base = strtoul(end, NULL, 10);
	return (uid_t)base;
}

static void reap(pid_t pid, int options)
{
	while (waitpid(pid, NULL, __WALL | options) < 0 && errno == EINTR)
		;
}

static int start(const struct exec *e, int *theirs, struct box *out, struct err *err)
{
	bool sibling = e->spec->process.clone_parent;
	auto_close int helper_fd = -1;
	pid_t helper = clone_child(0, -1, sibling, &helper_fd);
	int r;

	if (helper < 0)
		return err_wrap(err, helper, "make a process");
	if (helper == 0)
		joiner(e);
	auto_close_fn(theirs);
	*theirs = -1;
	r = await_pid(out, err);
	if (r == -ETIMEDOUT)
		(void)pidfd_kill(helper_fd, SIGKILL); /* which it hears when it thaws */
	if (!sibling)
		reap(helper, r == -ETIMEDOUT ? WNOHANG : 0);
	return r;
}

int box_exec(const struct box_exec_spec *spec, struct box *out, struct err *err)
{
	struct exec e = { .spec = spec };
	auto_close int theirs = -1;
	int ctl[2], r;

	*out = (struct box)BOX_INIT;
	if (!spec->process.argv || !spec->process.argv[0])
		return err_set(err, EINVAL, "exec needs a command");
	e.null_fd = host_null(err);
	e.init_fd = e.null_fd < 0 ? e.null_fd : init_file(err);
	if (e.init_fd < 0)
		return e.init_fd;
	(void)snprintf(out->program, sizeof(out->program), "%s", spec->process.argv[0]);
	r = dress_streams(&spec->process, root_of(spec->pid), err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl) < 0)
		return err_errno(err, "make a socket pair");
	out->ctl_fd = ctl[0];
	e.ctl = theirs = ctl[1];
	r = start(&e, &theirs, out, err);
	if (r < 0)
		box_close(out);
	return r;
}
