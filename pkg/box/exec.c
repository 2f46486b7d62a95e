/* exec.c - one more process in a container: probes, `exec`; see box.h */
#include "private.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct exec {
	const struct box_exec_spec *spec;
	int ctl, null_fd;
};

static void keep_only(const struct exec *e)
{
	const struct box_process *p = &e->spec->process;
	int keep[16 + 32];
	size_t n = 0;

	keep[n++] = e->ctl;
	keep[n++] = e->null_fd;
	keep[n++] = p->stdin_fd;
	keep[n++] = p->stdout_fd;
	keep[n++] = p->stderr_fd;
	keep[n++] = e->spec->pidfd;
	keep[n++] = p->v2_dirfd;
	for (size_t i = 0; i < p->n_tasks && n < ARRAY_LEN(keep); i++)
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
		{"user",    CLONE_NEWUSER  },
                { "mnt",    CLONE_NEWNS    },
                { "uts",    CLONE_NEWUTS   },
		{ "ipc",    CLONE_NEWIPC   },
                { "pid",    CLONE_NEWPID   },
                { "net",    CLONE_NEWNET   },
		{ "cgroup", CLONE_NEWCGROUP},
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
	if (frame_send(e->ctl, &f, tty->master) < 0)
		_exit(125);
	(void)close(tty->master);
}

static void inside(const struct exec *e, bool user) __attribute__((noreturn));
static void inside(const struct exec *e, bool user)
{
	struct child_tty tty = { -1, -1 };
	struct become b;
	static const gid_t none[1];

	if (user && (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0 ||
		     syscall(SYS_setgroups, 0, none) < 0))
		child_fail(e->ctl, -errno, "become root in the container");
	if (e->spec->process.tty)
		open_terminal(e, &tty);
	b = (struct become){ .p = &e->spec->process,
			     .ctl = e->ctl,
			     .null_fd = e->null_fd,
			     .init_fd = -1,
			     .tty = tty };
	child_become(&b);
}

/* Joins, then makes the process, a sibling of itself. The group comes first: what is in the
 * container never runs outside of its limits. */
static void joiner(const struct exec *e) __attribute__((noreturn));
static void joiner(const struct exec *e)
{
	const struct box_process *p = &e->spec->process;
	struct frame f = { .type = FRAME_PID };
	int pidfd = -1, flags = differing(e->spec->pid), r;
	struct clone_args args = { .flags = CLONE_PIDFD | CLONE_PARENT,
				   .pidfd = (uint64_t)(uintptr_t)&pidfd };
	pid_t pid;

	keep_only(e);
	if (flags < 0)
		child_fail(e->ctl, flags, "look at the namespaces of the container");
	r = child_join(p->tasks_fds, p->n_tasks);
	if (r < 0)
		child_fail(e->ctl, r, "join the control group");
	if (p->v2_dirfd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)p->v2_dirfd;
	}
	if (flags && setns(e->spec->pidfd, flags) < 0)
		child_fail(e->ctl, -errno, "join the container's namespaces");
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		child_fail(e->ctl, -errno, "make a process in the container");
	if (pid == 0)
		inside(e, (flags & CLONE_NEWUSER) != 0);
	f.pid = pid;
	(void)frame_send(e->ctl, &f, pidfd);
	_exit(0);
}

/* The terminal may come before the pid: they are sent by two processes. */
static int await_pid(struct box *out, bool sibling, struct err *err)
{
	struct frame failed = { 0 };

	while (out->pid == 0) {
		struct frame f;
		int fd, r = frame_recv(out->ctl_fd, &f, &fd, 0);

		if (r <= 0 && failed.type)
			break; /* it was the joiner that failed */
		if (r <= 0)
			return err_set(err, EIO, "the process ended while it joined the container");
		if (f.type == FRAME_FAILED)
			failed =
				f; /* of the process, whose pid is still to come, or of the joiner */
		if (f.type == FRAME_PID) {
			out->pid = f.pid;
			out->pidfd = steal_fd(&fd);
		} else if (f.type == FRAME_TTY) {
			out->tty_fd = steal_fd(&fd);
		} else if (f.type == FRAME_EXEC) {
			out->reached_exec = true;
		}
		auto_close_fn(&fd);
	}
	if (!failed.type)
		return 0;
	out->exit_code = failed.exit_code;
	while (out->pid && !sibling && waitpid(out->pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return err_set(err, failed.code ? failed.code : -EIO, "%s", failed.text);
}

int box_exec(const struct box_exec_spec *spec, struct box *out, struct err *err)
{
	struct exec e = { .spec = spec };
	auto_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	auto_close int theirs = -1;
	bool sibling = spec->process.clone_parent;
	struct clone_args args = { .flags = sibling ? CLONE_PARENT : 0,
				   .exit_signal = sibling ? 0 : SIGCHLD };
	int ctl[2], r;
	pid_t pid;

	*out = (struct box)BOX_INIT;
	if (!spec->process.argv || !spec->process.argv[0])
		return err_set(err, EINVAL, "exec needs a command");
	(void)snprintf(out->program, sizeof(out->program), "%s", spec->process.argv[0]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl) < 0)
		return err_errno(err, "make a socket pair");
	out->ctl_fd = ctl[0];
	e.ctl = theirs = ctl[1];
	e.null_fd = null;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		joiner(&e);
	if (pid < 0) {
		r = err_errno(err, "make a process");
	} else {
		auto_close_fn(&theirs);
		theirs = -1;
		r = await_pid(out, sibling, err);
		if (!sibling)
			while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
				;
	}
	if (r < 0)
		box_close(out);
	return r;
}
