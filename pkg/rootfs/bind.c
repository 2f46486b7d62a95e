/* bind.c - clones of folders and files, idmapped where asked; see rootfs.h */
#include "private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int clone_tree(int dirfd, const char *path, bool recursive)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	int fd = open_tree(dirfd, path, flags | (recursive ? (unsigned)AT_RECURSIVE : 0));

	return fd < 0 ? -errno : fd;
}

int rootfs_set_idmap(int fd, int userns_fd, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)userns_fd,
	};

	return mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			     sizeof(attr)) < 0
		       ? -errno
		       : 0;
}

bool rootfs_idmap_supported(const char *path, int userns_fd)
{
	auto_close int fd = clone_tree(AT_FDCWD, path, false);

	return fd >= 0 && rootfs_set_idmap(fd, userns_fd, false) == 0;
}

int rootfs_attach_idmapped(const char *store_dir, const char *mountpoint_dir, int userns_fd,
			   struct err *err)
{
	auto_close int fd = clone_tree(AT_FDCWD, store_dir, false);
	int r;

	if (fd < 0)
		return err_set(err, fd, "open '%s': %s", store_dir, strerrordesc_np(-fd));
	r = rootfs_set_idmap(fd, userns_fd, false);
	if (r < 0)
		return err_set(err, -ENOTSUP, "the file system of '%s' has no idmapped mounts: %s",
			       store_dir, strerrordesc_np(-r));
	if (move_mount(fd, "", AT_FDCWD, mountpoint_dir, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_errno(err, "attach the store on '%s'", mountpoint_dir);
	return 0;
}

/* Whether mounts made below the path reach this namespace: mount_namespaces(7), proc(5). */
static bool is_propagated(int dirfd, const char *path)
{
	auto_free char *text = NULL, *id = NULL;
	struct statx st;

	if (statx(dirfd, path, AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0 ||
	    file_read(AT_FDCWD, "/proc/self/mountinfo", 16 << 20, &text, NULL) < 0)
		return false;
	id = xasprintf("%llu ", (unsigned long long)st.stx_mnt_id);
	for (char *next = text, *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
		char *end = strstr(line, " - ");

		if (!str_starts(line, id) || !end)
			continue;
		*end = '\0';
		return strstr(line, " shared:") || strstr(line, " master:");
	}
	return false;
}

int rootfs_bind(const struct rootfs_bind *b, struct err *err)
{
	auto_close int fd = clone_tree(b->dirfd, b->path, b->recursive);
	struct mount_attr attr = {
		.attr_set = (b->devices ? 0 : MOUNT_ATTR_NODEV) |
			    (b->read_only && !b->top_read_only ? MOUNT_ATTR_RDONLY : 0),
		.propagation = b->slave ? MS_SLAVE : MS_PRIVATE,
	};
	struct mount_attr top = { .attr_set = b->read_only ? MOUNT_ATTR_RDONLY : 0 };
	int r;

	if (fd < 0)
		return err_set(err, fd, "open '%s': %s", b->path, strerrordesc_np(-fd));
	if (b->slave && !is_propagated(b->dirfd, b->path))
		return err_set(err, -EINVAL,
			       "propagation of '%s': its mount on the host is private (mount "
			       "--make-shared)",
			       b->path);
	if (b->userns_fd >= 0) {
		r = rootfs_set_idmap(fd, b->userns_fd, b->recursive);
		if (r == -EINVAL && b->recursive) { /* tmpfs before Linux 6.3 */
			log_line(
				LOG_WARN,
				"%s: a file system mounted below it can't map ids: what is mounted "
				"there belongs to nobody inside",
				b->path);
			r = rootfs_set_idmap(fd, b->userns_fd, false);
		}
		if (r < 0)
			return err_set(err, r, "the file system of '%s' has no idmapped mounts: %s",
				       b->path, strerrordesc_np(-r));
	}
	if (mount_setattr(fd, "", AT_EMPTY_PATH | (b->recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0 ||
	    mount_setattr(fd, "", AT_EMPTY_PATH, &top, sizeof(top)) < 0)
		return err_errno(err, "set the options of the mount of '%s'", b->path);
	return steal_fd(&fd);
}
