/* mountfs.c - one mount at a time, by descriptors; see private.h */
#include "private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 8 };

int fs_make(const char *type, const struct fs_opt *opts, size_t n, unsigned attrs)
{
	auto_close int fs = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", type, 0) < 0) /* else it says "none" */
		return -errno;
	for (size_t i = 0; i < n; i++) {
		unsigned cmd = opts[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (fsconfig(fs, cmd, opts[i].key, opts[i].value, 0) < 0)
			return -errno;
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attrs);
	return fd < 0 ? -errno : fd;
}

static int clone_with(int dirfd, const char *path, unsigned flags)
{
	int fd =
		open_tree(dirfd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | flags);

	return fd < 0 ? -errno : fd;
}

int fs_clone(int dirfd, const char *path)
{
	return clone_with(dirfd, path, AT_SYMLINK_NOFOLLOW);
}

int fs_clone_all(int dirfd, const char *path)
{
	return clone_with(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_RECURSIVE);
}

/* Make the file at path. A link that leads nowhere (as /etc/resolv.conf does in some images) is
 * followed inside the root, and what it names is made. */
static int make_file(int root_fd, const char *path)
{
	char here[4096], link[4096];

	if (strlen(path) >= sizeof(here))
		return -ENAMETOOLONG;
	memcpy(here, path, strlen(path) + 1);
	for (int i = 0; i < LINKS_MAX; i++) {
		auto_close int dir = -1, fd = -1;
		char *slash = strrchr(here, '/');
		const char *name = slash ? slash + 1 : here;
		ssize_t n;

		if (*name == '\0' || strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
			return -EINVAL;
		if (slash) {
			*slash = '\0';
			dir = path_mkdirs_in(root_fd, here, 0755);
			*slash = '/';
		} else {
			dir = path_open_in(root_fd, ".", O_PATH | O_DIRECTORY, 0);
		}
		if (dir < 0)
			return dir;
		fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd >= 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
		n = readlinkat(dir, name, link, sizeof(link) - 1);
		if (n < 0)
			return errno == EINVAL ? 0 : -errno; /* somebody was faster */
		link[n] = '\0';
		if (link[0] == '/') {
			memcpy(here, link, (size_t)n + 1);
		} else {
			size_t keep = (size_t)(name - here);

			if (keep + (size_t)n >= sizeof(here))
				return -ENAMETOOLONG;
			memcpy(here + keep, link, (size_t)n + 1);
		}
	}
	return -ELOOP;
}

int place_target(const struct place *p, const char *target, bool folder, bool nofollow)
{
	int flags = O_PATH | (nofollow ? O_NOFOLLOW : 0);
	int fd = path_open_in(p->root_fd, target, flags, 0);
	struct stat st;

	if (fd == -ENOENT) {
		int r = folder ? path_mkdirs_in(p->root_fd, target, 0755)
			       : make_file(p->root_fd, target);

		if (r < 0)
			child_fail(p->ctl, r, "make the mount point '%s'", target);
		if (folder)
			(void)close(r);
		fd = path_open_in(p->root_fd, target, flags, 0);
	}
	if (fd < 0)
		child_fail(p->ctl, fd, "open the mount point '%s'", target);
	if (fstat(fd, &st) < 0)
		child_fail(p->ctl, -errno, "look at the mount point '%s'", target);
	if (S_ISLNK(st.st_mode))
		child_fail(p->ctl, 0, "the image has a link where '%s' has to be", target);
	if (folder != S_ISDIR(st.st_mode))
		child_fail(p->ctl, folder ? -ENOTDIR : -EISDIR, "mount a %s on '%s'",
			   folder ? "folder" : "file", target);
	return fd;
}

void place_mount_at(const struct place *p, int mnt, int target_fd, const char *name)
{
	if (mnt < 0)
		child_fail(p->ctl, mnt, "mount '%s'", name);
	if (move_mount(mnt, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
	    0)
		child_fail(p->ctl, -errno, "mount '%s'", name);
}

void place_mount(const struct place *p, int mnt, const char *target, bool folder)
{
	auto_close int at = place_target(p, target, folder, false);

	place_mount_at(p, mnt, at, target);
	(void)close(mnt);
}
