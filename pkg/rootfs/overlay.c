/* overlay.c - the root of a container as a detached overlay; see rootfs.h
 *
 * The order that works with idmapped layers on kernels from 6.1 on: the store is an attached
 * idmapped mount, layers are named relative to it, and during the creation of the super block the
 * mounter's file system ids are the mapped root's. With others the work directory can't be made
 * (EOVERFLOW) and the kernel quietly mounts read-only.
 */
#include "private.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	LOWER_MAX = 500, /* OVL_MAX_STACK */
	VALUE_MAX = 255, /* one fsconfig string */
};

/* ---- The mounter's ids ------------------------------------------------------------------------ */

/* Leaving file system id 0 drops the file capabilities from the effective set. */
static void raise_caps(bool mounter)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	if (syscall(SYS_capget, &head, sets) < 0)
		return;
	for (int i = 0; i < 2; i++)
		sets[i].effective = sets[i].permitted;
	/* A container writes with the power of who mounted its root: not beyond quotas, and not into
	 * the blocks that are kept for the host's root. */
	if (mounter)
		sets[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective &= ~CAP_TO_MASK(CAP_SYS_RESOURCE);
	(void)syscall(SYS_capset, &head, sets);
}

static void act_as(uid_t uid, gid_t gid, bool mounter)
{
	(void)setfsgid(gid);
	(void)setfsuid(uid);
	raise_caps(mounter);
}

void rootfs_act_as(uid_t uid, gid_t gid)
{
	act_as(uid, gid, false);
}

struct as_mapped {
	int cwd_fd;
};

static int enter_mapped(struct as_mapped *m, int store_fd, uid_t uid, gid_t gid)
{
	m->cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->cwd_fd < 0 || fchdir(store_fd) < 0)
		return -errno;
	act_as(uid, gid, true);
	return 0;
}

static void leave_mapped(const struct as_mapped *m)
{
	rootfs_act_as(0, 0);
	if (m->cwd_fd >= 0) {
		(void)!fchdir(m->cwd_fd);
		(void)close(m->cwd_fd);
	}
}
#define auto_leave __attribute__((cleanup(leave_mapped)))

/* ---- The mount -------------------------------------------------------------------------------- */

int rootfs_kernel_says(int fs, struct err *err, const char *doing)
{
	int code = -errno;
	char line[512];
	ssize_t n = read(fs, line, sizeof(line) - 1);

	if (n <= 2)
		return err_set(err, code, "%s: %s", doing, strerrordesc_np(-code));
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return err_set(err, code, "%s: %s (%s)", doing, strerrordesc_np(-code), line + 2);
}

static int set_string(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

static bool labels_one(const struct rootfs_overlay *o)
{
	return o->context && o->empty && !o->upper && o->n_lower == 1;
}

/* "top:...:bottom", the kernel's order. ':' and '\' in names would have to be escaped. */
static int join_lower(const struct rootfs_overlay *o, struct sbuf *out, struct err *err)
{
	for (size_t i = o->n_lower; i-- > 0;) {
		if (strpbrk(o->lower[i], ":\\,"))
			return err_set(err, -EINVAL, "the layer name '%s' cannot be mounted",
				       o->lower[i]);
		sbuf_addf(out, "%s%s", out->len > 0 ? ":" : "", o->lower[i]);
	}
	if (labels_one(o))
		sbuf_addf(out, ":%s", o->empty);
	return 0;
}

static int set_lower(int fs, const struct rootfs_overlay *o, const struct sbuf *joined)
{
	if (joined->len <= VALUE_MAX)
		return set_string(fs, "lowerdir", sbuf_str(joined));
	for (size_t i = o->n_lower; i-- > 0;) /* Linux 6.5 */
		if (set_string(fs, "lowerdir+", o->lower[i]) < 0)
			return -1;
	return 0;
}

/* ---- Before Linux 6.5 ------------------------------------------------------------------------- */
/* Layers by the numbers of descriptors, as they are seen from /proc/self/fd: the first is the store. */
struct numbers {
	int fds[LOWER_MAX + 1];
	size_t n;
};

static void close_numbers(struct numbers *k)
{
	while (k->n > 0)
		(void)close(k->fds[--k->n]);
}
#define auto_numbers __attribute__((cleanup(close_numbers)))

static int number(struct numbers *k, const char *path, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "open '%s'", path);
	k->fds[k->n++] = fd;
	return fd;
}

static int number_all(const struct rootfs_overlay *o, struct numbers *k, struct sbuf *out,
		      struct err *err)
{
	int fd = number(k, ".", err);

	for (size_t i = o->n_lower; i-- > 0 && fd >= 0;) {
		fd = number(k, o->lower[i], err);
		sbuf_addf(out, "%s%d", out->len > 0 ? ":" : "", fd);
	}
	if (fd < 0)
		return fd;
	return chdir("/proc/self/fd") < 0 ? err_errno(err, "enter '/proc/self/fd'") : 0;
}

/* store: where upper and work are, "" or "N/" */
static void mount_data(const struct rootfs_overlay *o, const char *lower, const char *store,
		       struct sbuf *out)
{
	sbuf_addf(out, "index=off,lowerdir=%s", lower);
	if (o->upper)
		sbuf_addf(out, ",upperdir=%s%s,workdir=%s%s%s", store, o->upper, store, o->work,
			  o->skip_sync ? ",volatile" : "");
	if (o->context)
		sbuf_addf(out, ",context=\"%s\"", o->context);
}

/* A long list fits only into the single page of mount(2), and a very long one only by numbers. It
 * needs a place: the upper folder itself, in our own mount namespace, for a moment. The caller's
 * working folder is the store, and it is another one afterwards. */
static int overlay_by_mount(const struct rootfs_overlay *o, const struct sbuf *lower,
			    struct err *err)
{
	auto_numbers struct numbers numbers = { .n = 0 };
	auto_sbuf struct sbuf data = SBUF_INIT, place = SBUF_INIT, short_lower = SBUF_INIT;
	auto_close int fd = -1;
	char store[16] = "";
	int code;

	mount_data(o, sbuf_str(lower), store, &data);
	if (data.len >= (size_t)sysconf(_SC_PAGESIZE)) {
		int r = number_all(o, &numbers, &short_lower, err);

		if (r < 0)
			return r;
		(void)snprintf(store, sizeof(store), "%d/", numbers.fds[0]);
		sbuf_clear(&data);
		mount_data(o, sbuf_str(&short_lower), store, &data);
	}
	sbuf_addf(&place, "%s%s", store, o->upper ? o->upper : o->lower[0]);
	if (mount("overlay", sbuf_str(&place), "overlay", MS_NODEV, sbuf_str(&data)) < 0)
		return err_errno(err, "mount %zu layers", o->n_lower);
	fd = open_tree(AT_FDCWD, sbuf_str(&place), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	code = errno;
	(void)umount2(sbuf_str(&place), MNT_DETACH);
	if (fd < 0)
		return err_set(err, -code, "clone the mount of %zu layers: %s", o->n_lower,
			       strerrordesc_np(code));
	return steal_fd(&fd);
}

/* ---- By fsopen -------------------------------------------------------------------------------- */
/* Before Linux 6.5 "lowerdir+" is either too much at once, or taken and not understood in the end. */
static bool list_refused(const struct sbuf *lower)
{
	return errno == EINVAL && lower->len > VALUE_MAX;
}

static int overlay_by_fsopen(const struct rootfs_overlay *o, const struct sbuf *lower,
			     struct err *err)
{
	auto_close int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return err_errno(err, "open the overlay file system");
	if (set_lower(fs, o, lower) < 0)
		return list_refused(lower) ? overlay_by_mount(o, lower, err)
					   : rootfs_kernel_says(fs, err, "mount the layers");
	if (set_string(fs, "index", "off") < 0 ||
	    (o->context && set_string(fs, "context", o->context) < 0))
		return rootfs_kernel_says(fs, err, "mount the layers");
	if (o->upper &&
	    (set_string(fs, "upperdir", o->upper) < 0 || set_string(fs, "workdir", o->work) < 0 ||
	     (o->skip_sync && fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)))
		return rootfs_kernel_says(fs, err, "mount the writable layer");
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return list_refused(lower) ? overlay_by_mount(o, lower, err)
					   : rootfs_kernel_says(fs, err, "mount the layers");
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
	return fd < 0 ? rootfs_kernel_says(fs, err, "mount the layers") : fd;
}

/* One layer and nothing to write: overlay wants two, a clone does. */
static int one_layer(const struct rootfs_overlay *o, int store_fd, struct err *err)
{
	const struct rootfs_bind bind = {
		.dirfd = store_fd,
		.path = o->lower[0],
		.userns_fd = -1,
		.read_only = true,
	};

	return rootfs_bind(&bind, err);
}

int rootfs_overlay(const struct rootfs_overlay *o, struct err *err)
{
	auto_close int store_fd = open(o->store, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_sbuf struct sbuf lower = SBUF_INIT;
	auto_close int fd = -1;
	struct statvfs st;
	int r;

	if (store_fd < 0)
		return err_errno(err, "open '%s'", o->store);
	if (o->n_lower == 0 || o->n_lower > LOWER_MAX)
		return err_set(err, -EINVAL, "an image has 1 to %d layers, not %zu", LOWER_MAX,
			       o->n_lower);
	if (!o->upper && o->n_lower == 1 && !labels_one(o))
		return one_layer(o, store_fd, err);
	r = join_lower(o, &lower, err);
	if (r < 0)
		return r;
	{
		auto_leave struct as_mapped mapped = { -1 };

		r = enter_mapped(&mapped, store_fd, o->uid, o->gid);
		if (r < 0)
			return err_set(err, r, "enter '%s': %s", o->store, strerrordesc_np(-r));
		if (o->upper) {
			/* What a volatile mount leaves to say that its upper was not synced. */
			auto_free char *left = path_join(o->work, "work/incompat");

			r = path_remove_tree(AT_FDCWD, left);
			if (r < 0)
				return err_set(err, r, "remove '%s/%s': %s", o->store, left,
					       strerrordesc_np(-r));
		}
		fd = overlay_by_fsopen(o, &lower, err);
	}
	if (fd < 0)
		return steal_fd(&fd);
	if (o->upper && (fstatvfs(fd, &st) < 0 || st.f_flag & ST_RDONLY))
		return err_set(err, -EROFS, "the writable layer '%s/%s' was mounted read-only",
			       o->store, o->upper);
	return steal_fd(&fd);
}
