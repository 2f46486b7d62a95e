/* userns.c - a private mount namespace, and user namespaces that only carry a map; see rootfs.h */
#include <ctrcompose/rootfs.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXTENTS_MAX = 340 };

int rootfs_enter_private(struct err *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return err_errno(err, "make a mount namespace");
	/* Slave, not private: what the host mounts or unmounts later reaches us too, so we never
	 * keep a device of the host busy. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_errno(err, "detach the mount namespace from the host's");
	return 0;
}

static pid_t last; /* killed, not yet reaped */

void rootfs_userns_reap(void)
{
	while (last > 0 && waitpid(last, NULL, __WALL) < 0 && errno == EINTR)
		;
	last = 0;
}

static int idle(void *arg)
{
	(void)arg;
	for (;;)
		(void)syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	return 0;
}

/* A child that only exists: its namespace is opened through /proc, then it is killed. It shares the
 * memory, so that nothing is copied for it, and needs no more of it than a stack. */
static pid_t clone_idle(void)
{
	static _Alignas(16) char stack[4096];

	rootfs_userns_reap();
	return clone(idle, stack + sizeof(stack), CLONE_NEWUSER | CLONE_VM | CLONE_FILES, NULL);
}

static int put_map(pid_t pid, const char *file, const struct rootfs_extent *map, size_t n,
		   struct err *err)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	char path[64];
	int r;

	for (size_t i = 0; i < n; i++)
		sbuf_addf(&text, "%u %u %u\n", map[i].disk, map[i].host, map[i].count);
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	r = file_put(AT_FDCWD, path, sbuf_str(&text));
	if (r < 0)
		return err_set(err, r, "write the %s of a user namespace: %s", file,
			       strerrordesc_np(-r));
	return 0;
}

int rootfs_userns_map(const struct rootfs_extent *uids, size_t n_uids,
		      const struct rootfs_extent *gids, size_t n_gids, struct err *err)
{
	char path[64];
	pid_t pid;
	int r;

	if (n_uids == 0 || n_gids == 0 || n_uids > EXTENTS_MAX || n_gids > EXTENTS_MAX)
		return err_set(err, -EINVAL, "a map of ids has 1 to %d ranges", EXTENTS_MAX);
	pid = clone_idle();
	if (pid < 0)
		return err_errno(err, "make a user namespace");
	r = put_map(pid, "uid_map", uids, n_uids, err);
	if (r == 0)
		r = put_map(pid, "gid_map", gids, n_gids, err);
	if (r == 0) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		r = open(path, O_RDONLY | O_CLOEXEC);
		if (r < 0)
			r = err_errno(err, "open a user namespace");
	}
	/* Its end can take a while on a busy machine: nobody waits for it here. */
	(void)kill(pid, SIGKILL);
	last = pid;
	return r;
}

int rootfs_userns(uint32_t base, uint32_t count, struct err *err)
{
	const struct rootfs_extent all = { 0, base, count };

	return rootfs_userns_map(&all, 1, &all, 1, err);
}

/* Disk id `own` <-> container id 0; every other id keeps itself. */
static size_t owner_extents(uint32_t base, uint32_t count, uint32_t own, bool share_zero,
			    struct rootfs_extent out[4])
{
	size_t n = 0;

	if (own == 0) {
		out[n++] = (struct rootfs_extent){ 0, base, count };
		return n;
	}
	out[n++] = (struct rootfs_extent){ own, base, 1 };
	if (own >= count) { /* a person's id above the range: the rest stays as it is */
		out[n++] = (struct rootfs_extent){ 1, base + 1, count - 1 };
		return n;
	}
	if (share_zero)
		out[n++] = (struct rootfs_extent){ 0, base + own, 1 };
	if (own > 1)
		out[n++] = (struct rootfs_extent){ 1, base + 1, own - 1 };
	if (own + 1 < count)
		out[n++] = (struct rootfs_extent){ own + 1, base + own + 1, count - own - 1 };
	return n;
}

int rootfs_userns_owner(uint32_t base, uint32_t count, uid_t uid, gid_t gid, bool share_zero,
			struct err *err)
{
	struct rootfs_extent uids[4], gids[4];
	size_t n_uids, n_gids;

	if (count < 2)
		return err_set(err, -EINVAL, "a range of %u ids is too small", count);
	n_uids = owner_extents(base, count, uid, share_zero, uids);
	n_gids = owner_extents(base, count, gid, share_zero, gids);
	return rootfs_userns_map(uids, n_uids, gids, n_gids, err);
}
