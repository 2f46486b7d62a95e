/* create.c - the parent's side of a new container; see box.h */
#include "private.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern const char box_init_start[], box_init_end[];

/* ---- Made once per process -------------------------------------------------------------------- */
static int host_null(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd;
}

static const struct hiers *host_hiers(void)
{
	static struct hiers h;
	static bool done;
	auto_free char *text = NULL;

	if (!done && file_read(AT_FDCWD, "/proc/self/cgroup", 1 << 16, &text, NULL) == 0)
		hiers_parse(text, &h);
	done = true;
	return &h;
}

/* The init as a sealed memory file: no path leads to it and nobody can write it. */
static int init_fd(struct err *err)
{
	static int kept = -1;
	size_t len = (size_t)(box_init_end - box_init_start);
	auto_close int fd = -1;

	if (kept >= 0)
		return kept;
	fd = memfd_create("init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_errno(err, "make a memory file for the init");
	if (fd_write_all(fd, box_init_start, len) < 0 || fchmod(fd, 0555) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_errno(err, "write the init");
	kept = steal_fd(&fd);
	return kept;
}

/* ---- Clone ------------------------------------------------------------------------------------ */
static uint64_t namespaces(const struct box_spec *spec)
{
	uint64_t flags = CLONE_NEWNS;

	if (!spec->uts_host)
		flags |= CLONE_NEWUTS;
	if (spec->ipc == BOX_OWN)
		flags |= CLONE_NEWIPC;
	if (spec->pid == BOX_OWN)
		flags |= CLONE_NEWPID;
	if (spec->net == BOX_NET_NEW || spec->net == BOX_NET_NONE)
		flags |= CLONE_NEWNET;
	return flags;
}

static bool joins(const struct box_spec *spec)
{
	return spec->net == BOX_NET_JOIN || spec->ipc == BOX_JOIN || spec->pid == BOX_JOIN;
}

/* clone3; the child's pid, 0 in the child, or a negative errno. */
static pid_t clone_child(uint64_t flags, const struct box_process *p, bool sibling, int *pidfd)
{
	struct clone_args args = { .flags = flags | CLONE_PIDFD,
				   .pidfd = (uint64_t)(uintptr_t)pidfd,
				   .exit_signal = sibling ? 0 : SIGCHLD };
	pid_t pid;

	if (sibling)
		args.flags |= CLONE_PARENT;
	if (p->v2_dirfd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)p->v2_dirfd;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	return pid < 0 ? -errno : pid;
}

/* Join namespaces of another container, and its user namespace first, which owns them. */
static void join_all(const struct setup *s)
{
	const struct box_spec *spec = s->spec;
	const int fds[] = { spec->net == BOX_NET_JOIN ? spec->netns_fd : -1,
			    spec->ipc == BOX_JOIN ? spec->ipcns_fd : -1,
			    spec->pid == BOX_JOIN ? spec->pidns_fd : -1 };
	bool in_user = !spec->uid_base;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		int user;

		if (fds[i] < 0 || in_user)
			continue;
		user = ioctl(fds[i], NS_GET_USERNS);
		if (user < 0 || setns(user, CLONE_NEWUSER) < 0)
			child_fail(s->ctl, -errno, "join the user namespace of another container");
		(void)close(user);
		in_user = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0 && setns(fds[i], 0) < 0)
			child_fail(s->ctl, -errno, "join a namespace of another container");
}

/* A short-lived process joins what is to be shared and makes the container's process there: a
 * sibling of itself, so a child of whoever is to be its parent. */
static void joiner(struct setup *s) __attribute__((noreturn));
static void joiner(struct setup *s)
{
	struct frame f = { .type = FRAME_PID };
	int pidfd = -1;
	pid_t pid;

	join_all(s);
	pid = clone_child(namespaces(s->spec), &s->spec->process, true, &pidfd);
	if (pid < 0)
		child_fail(s->ctl, pid, "make the process");
	if (pid == 0)
		child_main(s);
	f.pid = pid;
	(void)frame_send(s->ctl, &f, pidfd);
	_exit(0);
}

static int start_joined(struct setup *s, struct box *out, struct err *err)
{
	const struct box_process *p = &s->spec->process;
	struct box_process plain = { .v2_dirfd = -1 };
	auto_close int helper_fd = -1;
	struct frame f;
	pid_t helper = clone_child(0, &plain, p->clone_parent, &helper_fd);
	int r;

	if (helper < 0)
		return err_wrap(err, helper, "make a process");
	if (helper == 0)
		joiner(s);
	r = frame_recv(out->ctl_fd, &f, &out->pidfd, 0);
	if (!p->clone_parent)
		while (waitpid(helper, NULL, __WALL) < 0 && errno == EINTR)
			;
	if (r == 1 && f.type == FRAME_PID) {
		out->pid = f.pid;
		return 0;
	}
	return err_set(err, r == 1 && f.code ? f.code : -EIO, "%s",
		       r == 1 ? f.text : "a process ended while it joined namespaces");
}

static int start_own(struct setup *s, struct box *out, struct err *err)
{
	const struct box_spec *spec = s->spec;
	uint64_t flags = namespaces(spec) | (spec->uid_base ? CLONE_NEWUSER : 0);
	pid_t pid = clone_child(flags, &spec->process, spec->process.clone_parent, &out->pidfd);

	if (pid < 0)
		return err_wrap(err, pid, "make the container's process");
	if (pid == 0)
		child_main(s);
	out->pid = pid;
	return 0;
}

/* ---- What only the parent may do to it -------------------------------------------------------- */
static int put_maps(const struct box_spec *spec, pid_t pid, struct err *err)
{
	static const char *const files[] = { "uid_map", "gid_map" };
	char text[64], path[64];

	(void)snprintf(text, sizeof(text), "0 %u %u\n", spec->uid_base,
		       spec->uid_count ? spec->uid_count : 65536);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int r;

		(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
		r = file_put(AT_FDCWD, path, text);
		if (r < 0)
			return err_wrap(err, r, "map the ids of the container");
	}
	return 0;
}

static int put_limits(const struct box_spec *spec, pid_t pid, struct err *err)
{
	for (size_t i = 0; i < spec->n_rlimits; i++) {
		const struct box_rlimit *want = &spec->rlimits[i];
		struct rlimit64 lim = { want->soft, want->hard }, now;

		if (syscall(SYS_prlimit64, pid, want->resource, &lim, NULL) == 0)
			continue;
		if (want->must)
			return err_errno(err, "set a resource limit to %llu:%llu",
					 (unsigned long long)want->soft,
					 (unsigned long long)want->hard);
		if (syscall(SYS_prlimit64, pid, want->resource, NULL, &now) == 0) {
			lim.rlim_max = now.rlim_max;
			if (lim.rlim_cur > lim.rlim_max)
				lim.rlim_cur = lim.rlim_max;
			(void)syscall(SYS_prlimit64, pid, want->resource, &lim, NULL);
		}
	}
	return 0;
}

static void put_oom(const struct box_spec *spec, pid_t pid)
{
	char path[64], text[16];

	if (spec->oom_score_adj == BOX_OOM_KEEP)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	(void)snprintf(text, sizeof(text), "%d", spec->oom_score_adj);
	(void)file_put(AT_FDCWD, path, text);
}

static int dress(const struct box_spec *spec, struct box *out, struct err *err)
{
	char path[64], go = CTL_GO;
	int r = 0;

	if (spec->uid_base && !joins(spec))
		r = put_maps(spec, out->pid, err);
	if (r == 0)
		r = put_limits(spec, out->pid, err);
	if (r < 0)
		return r;
	put_oom(spec, out->pid);
	if (spec->net == BOX_NET_NEW) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)out->pid);
		out->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (out->netns_fd < 0)
			return err_errno(err, "open the container's network namespace");
	}
	if (send(out->ctl_fd, &go, 1, MSG_NOSIGNAL) != 1)
		return err_errno(err, "tell the container's process to go on");
	return 0;
}

int box_create(const struct box_spec *spec, struct box *out, struct err *err)
{
	auto_free size_t *order = xcalloc(spec->n_mounts + 1, sizeof(*order));
	struct setup s = { .spec = spec, .hiers = host_hiers(), .order = order, .init_fd = -1 };
	auto_close int theirs = -1;
	int ctl[2], r;

	*out = (struct box)BOX_INIT;
	if (!spec->process.argv || !spec->process.argv[0])
		return err_set(err, EINVAL, "a container needs a command");
	(void)snprintf(out->program, sizeof(out->program), "%s", spec->process.argv[0]);
	order_mounts(spec->mounts, spec->n_mounts, order);
	if (spec->init) {
		s.init_fd = init_fd(err);
		if (s.init_fd < 0)
			return s.init_fd;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl) < 0)
		return err_errno(err, "make a socket pair");
	out->ctl_fd = ctl[0];
	s.ctl = theirs = ctl[1];
	s.null_fd = host_null();
	r = joins(spec) ? start_joined(&s, out, err) : start_own(&s, out, err);
	if (r == 0)
		r = dress(spec, out, err);
	if (r < 0) {
		if (out->pidfd >= 0)
			(void)pidfd_kill(out->pidfd, SIGKILL);
		box_close(out);
	}
	return r;
}
