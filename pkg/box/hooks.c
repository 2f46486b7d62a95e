/* hooks.c - hooks of the OCI runtime specification, while a container is made; see private.h
 *
 * All mounts are there and the host's root is still the root of the child when they run. The
 * container's root, until then over the host's, moves to a place that has a path: beside the
 * config.json that hooks look for, on a tmpfs of the child's own mount namespace. That goes away
 * with the host's root. Hooks of the runtime's namespaces are run by a process that is forked
 * before the child: it sees the same place by the child's root in proc.
 */
#include "private.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Every Linux has it, whoever is root in a user namespace can get at it, and no hook needs what is
 * there. A run folder may lie where only the host's root comes to. */
#define PLACE "/proc/fs"

static bool has(const struct box_spec *spec, bool inside)
{
	for (size_t i = 0; i < spec->n_hooks; i++)
		if (spec->hooks[i].inside == inside)
			return true;
	return false;
}

static int run_all(const struct box_spec *spec, const struct hook_world *w, struct sbuf *why)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < spec->n_hooks; i++)
		if (spec->hooks[i].inside == w->inside)
			r = hook_run(&spec->hooks[i], w, why);
	return r;
}

const char *hooks_refused(const struct box_spec *spec)
{
	/* A neighbour that may trace would find a process with the host's root there. */
	return spec->pid == BOX_JOIN && has(spec, true)
		       ? "hooks are not run in the PID namespace of another container"
		       : NULL;
}

/* ---- In the runtime's namespaces --------------------------------------------------------------- */
static int receive(int sock, void *data, size_t len)
{
	ssize_t n;

	do
		n = recv(sock, data, len, 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len ? 0 : -EIO;
}

static void runner(const struct box_spec *spec, int sock) __attribute__((noreturn));
static void runner(const struct box_spec *spec, int sock)
{
	struct frame f = { .type = FRAME_FAILED };
	auto_sbuf struct sbuf why = SBUF_INIT;
	char bundle[64], go;
	struct hook_world w = { .id = spec->id, .bundle = bundle, .peer = sock };
	int keep[] = { sock };

	child_prepare(keep, ARRAY_LEN(keep));
	if (receive(sock, &w.pid, sizeof(w.pid)) < 0 || receive(sock, &go, 1) < 0)
		_exit(0);
	(void)snprintf(bundle, sizeof(bundle), "/proc/%d/root" PLACE, (int)w.pid);
	f.code = run_all(spec, &w, &why);
	(void)snprintf(f.text, sizeof(f.text), "%s", sbuf_str(&why));
	(void)frame_send(sock, &f, -1);
	_exit(0);
}

/* Like the container's process a sibling of ours, or else a child of init's: nobody here waits. */
int hooks_runner_start(struct setup *s, struct err *err)
{
	bool sibling = s->spec->process.clone_parent;
	auto_close int pidfd = -1;
	int pair[2], status;
	pid_t pid;

	if (!has(s->spec, false))
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, "make a socket pair");
	pid = clone_child(0, -1, sibling, &pidfd);
	if (pid == 0) {
		(void)close(pair[0]); /* its end is how the runner knows */
		if (!sibling)
			pid = clone_child(0, -1, false, &pidfd);
		if (pid == 0)
			runner(s->spec, pair[1]);
		_exit(pid < 0);
	}
	(void)close(pair[1]);
	s->runner = pair[0];
	if (pid < 0)
		return err_wrap(err, pid, "make a process for hooks");
	while (!sibling && waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return 0;
}

int hooks_runner_tell(const struct setup *s, pid_t pid, struct err *err)
{
	if (s->runner < 0 || send(s->runner, &pid, sizeof(pid), MSG_NOSIGNAL) == sizeof(pid))
		return 0;
	return err_errno(err, "tell the process for hooks of the container");
}

static void await_runner(const struct setup *s)
{
	char go = CTL_GO;
	struct frame f;
	int fd, r;

	if (send(s->runner, &go, 1, MSG_NOSIGNAL) != 1)
		child_fail(s->ctl, -errno, "have hooks run");
	r = frame_recv(s->runner, &f, &fd, 0);
	if (r != 1)
		child_fail(s->ctl, r < 0 ? r : -EIO, "wait for hooks");
	if (f.code < 0)
		child_fail(s->ctl, 0, "%s", f.text);
	(void)close(s->runner);
}

/* ---- In the child ------------------------------------------------------------------------------ */
static void make_place(const struct setup *s)
{
	static const struct fs_opt opts[] = { { "mode", "755" }, { "size", "1m" } };
	auto_free char *config = hook_config(s->spec);
	auto_close int dir = fs_make("tmpfs", opts, ARRAY_LEN(opts),
				     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	auto_close int file = -1, at = -1;

	if (dir < 0 || move_mount(dir, "", AT_FDCWD, PLACE, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		child_fail(s->ctl, dir < 0 ? dir : -errno, "make a place for hooks at " PLACE);
	file = openat(dir, "config.json", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (file < 0 || fd_write_all(file, config, strlen(config)) < 0 ||
	    mkdirat(dir, "rootfs", 0755) < 0)
		child_fail(s->ctl, -errno, "write the configuration for hooks");
	at = openat(dir, "rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0 || move_mount(s->spec->root_fd, "", at, "",
				 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		child_fail(s->ctl, -errno, "show the root to hooks");
}

void child_hooks(const struct setup *s)
{
	auto_sbuf struct sbuf why = SBUF_INIT;
	const struct hook_world w = { .id = s->spec->id,
				      .bundle = PLACE,
				      .pid = getpid(),
				      .peer = s->ctl,
				      .inside = true,
				      .first = s->spec->pid == BOX_OWN };

	if (s->spec->n_hooks == 0)
		return;
	make_place(s);
	if (s->runner >= 0)
		await_runner(s);
	if (run_all(s->spec, &w, &why) < 0)
		child_fail(s->ctl, 0, "%s", sbuf_str(&why));
}
