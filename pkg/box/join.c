/* join.c - a container in namespaces of other containers; see private.h
 *
 * A short-lived process joins them while it is still the host's root, who may enter any, goes into
 * the user namespace last, and makes the container's process there: a sibling of itself, so a
 * child of whoever is to be its parent.
 */
#include "private.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

bool joins(const struct box_spec *spec)
{
	return spec->net == BOX_NET_JOIN || spec->ipc == BOX_JOIN || spec->pid == BOX_JOIN;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

/* The user namespace that owns what is joined; ours does not count. */
static int owner_of(const struct joining *j, int *out, struct err *err)
{
	auto_close int ours = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);

	if (ours < 0)
		return err_errno(err, "open our user namespace");
	for (size_t i = 0; i < ARRAY_LEN(j->fds); i++) {
		int user;

		if (j->fds[i] < 0)
			continue;
		user = ioctl(j->fds[i], NS_GET_USERNS);
		if (user < 0)
			return err_errno(err, "find the user namespace of another container");
		if (!same_file(user, ours)) {
			*out = user;
			return 0;
		}
		(void)close(user);
	}
	return 0;
}

int joining_open(const struct box_spec *spec, struct joining *j, struct err *err)
{
	int r = 0;

	*j = (struct joining){
		.fds = { spec->pid == BOX_JOIN ? spec->pidns_fd : -1,
			 spec->ipc == BOX_JOIN ? spec->ipcns_fd : -1,
			 spec->net == BOX_NET_JOIN ? spec->netns_fd : -1 },
		.user_fd = -1,
		.shm_mntns_fd = spec->ipc == BOX_JOIN ? spec->shm_mntns_fd : -1,
	};
	if (!joins(spec)) {
		j->new_user = spec->uid_base != 0;
		return 0;
	}
	if (spec->uid_base)
		r = owner_of(j, &j->user_fd, err);
	j->new_user = spec->uid_base && j->user_fd < 0;
	return r;
}

/* ---- In the short-lived process --------------------------------------------------------------- */
/* The other container's /dev/shm, whatever it may have done to its mounts since. */
static int clone_shm(int ctl, int mntns_fd)
{
	auto_close int ours = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	auto_close int root = -1, dir = -1;
	struct statfs fs;
	int shm;

	if (ours < 0 || setns(mntns_fd, CLONE_NEWNS) < 0)
		child_fail(ctl, -errno, "enter the mounts of another container");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	dir = root < 0 ? -errno : path_open_in(root, "/dev/shm", O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		child_fail(ctl, dir, "open /dev/shm of another container");
	if (fstatfs(dir, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		child_fail(ctl, 0, "/dev/shm of another container is not a tmpfs");
	shm = fs_clone(dir, "");
	if (shm < 0)
		child_fail(ctl, shm, "share /dev/shm of another container");
	if (setns(ours, CLONE_NEWNS) < 0)
		child_fail(ctl, -errno, "come back from the mounts of another container");
	return shm;
}

static void join_all(struct setup *s, const struct joining *j)
{
	if (j->shm_mntns_fd >= 0)
		s->shm_fd = clone_shm(s->ctl, j->shm_mntns_fd);
	for (size_t i = 0; i < ARRAY_LEN(j->fds); i++)
		if (j->fds[i] >= 0 && setns(j->fds[i], 0) < 0)
			child_fail(s->ctl, -errno, "join a namespace of another container");
	if (j->user_fd >= 0 && setns(j->user_fd, CLONE_NEWUSER) < 0)
		child_fail(s->ctl, -errno, "join the user namespace of another container");
}

static void joiner(struct setup *s, const struct joining *j) __attribute__((noreturn));
static void joiner(struct setup *s, const struct joining *j)
{
	struct frame f = { .type = FRAME_PID };
	uint64_t flags = clone_namespaces(s->spec) | (j->new_user ? CLONE_NEWUSER : 0);
	int pidfd = -1, r;
	pid_t pid;

	child_keyring(s->ctl, s->spec->process.label);
	limits_raise();
	join_all(s, j);
	pid = clone_child(flags, s->spec->process.v2_dirfd, true, &pidfd);
	if (pid < 0)
		child_fail(s->ctl, pid, "make the process");
	if (pid == 0)
		child_main(s);
	f.pid = pid;
	r = frame_send(s->ctl, &f, pidfd);
	if (r < 0)
		child_fail(s->ctl, r, "hand over the process");
	_exit(0);
}

int joining_start(struct setup *s, const struct joining *j, struct box *out, struct err *err)
{
	bool sibling = s->spec->process.clone_parent;
	auto_close int helper_fd = -1;
	struct frame f;
	pid_t helper = clone_child(0, -1, sibling, &helper_fd);
	int r;

	if (helper < 0)
		return err_wrap(err, helper, "make a process");
	if (helper == 0)
		joiner(s, j);
	r = frame_recv(out->ctl_fd, &f, &out->pidfd, 0);
	while (!sibling && waitpid(helper, NULL, __WALL) < 0 && errno == EINTR)
		;
	if (r == 1 && f.type == FRAME_PID) {
		out->pid = f.pid;
		return 0;
	}
	return err_set(err, r == 1 && f.code ? f.code : -EIO, "%s",
		       r == 1 ? f.text : "a process ended while it joined namespaces");
}
