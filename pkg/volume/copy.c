/* copy.c - the content of an image's folder into an empty volume; see volume.h */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { DEPTH_MAX = 512, XATTRS_MAX = 65536, MARK_MODE = 0600 };

struct copy {
	uint32_t shift;
	dev_t dev; /* mounts are not crossed */
	/* Hard links: where an inode with several names went first, relative to the top. */
	struct map links;
	int top;
	struct err *err;
};

static int copy_folder(struct copy *c, int src, int dst, const char *path, unsigned depth);

static int broken(struct copy *c, const char *doing, const char *path)
{
	return err_errno(c->err, "%s '%s'", doing, path);
}

static uint32_t shifted(const struct copy *c, uint32_t id)
{
	return id >= c->shift ? id - c->shift : id;
}

/* ---- Attributes ------------------------------------------------------------------------------- */
static void copy_xattrs(int src, int dst)
{
	auto_free char *names = xmalloc(XATTRS_MAX);
	auto_free char *value = xmalloc(XATTRS_MAX);
	ssize_t n = flistxattr(src, names, XATTRS_MAX);

	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		ssize_t len;

		if (strncmp(names + i, "user.", 5) != 0 &&
		    strcmp(names + i, "security.capability") != 0)
			continue;
		len = fgetxattr(src, names + i, value, XATTRS_MAX);
		if (len >= 0)
			(void)fsetxattr(dst, names + i, value, (size_t)len, 0);
	}
}

static int dress(struct copy *c, int src, int dst, const struct stat *st, const char *path)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(dst, shifted(c, st->st_uid), shifted(c, st->st_gid)) < 0)
		return broken(c, "give an owner to", path);
	copy_xattrs(src, dst); /* after the chown, which takes capabilities away */
	if (fchmod(dst, st->st_mode & 07777) < 0 || futimens(dst, times) < 0)
		return broken(c, "set the mode of", path);
	return 0;
}

/* ---- One entry -------------------------------------------------------------------------------- */
static int copy_bytes(struct copy *c, int src, int dst, const char *path)
{
	ssize_t n;

	do
		n = copy_file_range(src, NULL, dst, NULL, 1 << 30, 0);
	while (n > 0);
	if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
		do
			n = sendfile(dst, src, NULL, 1 << 30);
		while (n > 0);
	return n < 0 ? broken(c, "copy", path) : 0;
}

static int copy_file(struct copy *c, int src_dir, int dst_dir, const char *name, const char *path)
{
	auto_close int src =
		openat(src_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	auto_close int dst = -1;
	struct stat st;
	int r;

	if (src < 0 || fstat(src, &st) < 0)
		return broken(c, "open", path);
	if (!S_ISREG(st.st_mode))
		return 0;
	dst = openat(dst_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (dst < 0)
		return broken(c, "make", path);
	r = copy_bytes(c, src, dst, path);
	return r < 0 ? r : dress(c, src, dst, &st, path);
}

static int copy_symlink(struct copy *c, int src_dir, int dst_dir, const char *name,
			const struct stat *st, const char *path)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	char target[4097];
	ssize_t n = readlinkat(src_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return broken(c, "read the link", path);
	target[n] = '\0';
	if (symlinkat(target, dst_dir, name) < 0 ||
	    fchownat(dst_dir, name, shifted(c, st->st_uid), shifted(c, st->st_gid),
		     AT_SYMLINK_NOFOLLOW) < 0)
		return broken(c, "make the link", path);
	(void)utimensat(dst_dir, name, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

/* With its mode from the start: to change it by name would follow whatever is there by then. */
static int copy_fifo(struct copy *c, int dst_dir, const char *name, const struct stat *st,
		     const char *path)
{
	mode_t mask = umask(0);
	int r = mkfifoat(dst_dir, name, st->st_mode & 01777) < 0 ? -errno : 0;

	(void)umask(mask);
	if (r < 0)
		return err_set(c->err, r, "make '%s': %s", path, strerror(-r));
	return fchownat(dst_dir, name, shifted(c, st->st_uid), shifted(c, st->st_gid),
			AT_SYMLINK_NOFOLLOW) < 0
		       ? broken(c, "make", path)
		       : 0;
}

static int copy_below(struct copy *c, int src_dir, int dst_dir, const char *name, const char *path,
		      unsigned depth)
{
	auto_close int src = openat(src_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_close int dst = -1;

	if (src < 0)
		return broken(c, "open", path);
	if (mkdirat(dst_dir, name, 0700) < 0)
		return broken(c, "make", path);
	dst = openat(dst_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dst < 0)
		return broken(c, "open", path);
	return copy_folder(c, src, dst, path, depth + 1);
}

/* Other containers may write to the volume meanwhile: the first name is looked for inside of it. */
static bool link_to(struct copy *c, const char *first, int dst_dir, const char *name)
{
	const char *slash = strrchr(first, '/');
	auto_free char *folder = slash ? xstrndup(first, (size_t)(slash - first)) : xstrdup(".");
	auto_close int dir = path_open_in(c->top, folder, O_PATH | O_DIRECTORY, 0);

	return dir >= 0 && linkat(dir, slash ? slash + 1 : first, dst_dir, name, 0) == 0;
}

/* True when it is one more name of something that was copied already. */
static bool linked(struct copy *c, int dst_dir, const char *name, const struct stat *st,
		   const char *path)
{
	char key[48];
	const char *first;

	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return false;
	(void)snprintf(key, sizeof(key), "%llu", (unsigned long long)st->st_ino);
	first = map_get(&c->links, key);
	if (first)
		return link_to(c, first, dst_dir, name);
	map_put(&c->links, key, xstrdup(path));
	return false;
}

static int copy_entry(struct copy *c, int src, int dst, const char *name, const char *path,
		      unsigned depth)
{
	struct stat st;

	if (fstatat(src, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return broken(c, "look at", path);
	if (linked(c, dst, name, &st, path))
		return 0;
	if (S_ISDIR(st.st_mode))
		return st.st_dev == c->dev ? copy_below(c, src, dst, name, path, depth) : 0;
	if (S_ISREG(st.st_mode))
		return copy_file(c, src, dst, name, path);
	if (S_ISLNK(st.st_mode))
		return copy_symlink(c, src, dst, name, &st, path);
	if (S_ISFIFO(st.st_mode))
		return copy_fifo(c, dst, name, &st, path);
	return 0; /* devices and sockets stay behind */
}

static int copy_folder(struct copy *c, int src, int dst, const char *path, unsigned depth)
{
	int fd = openat(src, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	if (!d || fstat(src, &st) < 0)
		r = broken(c, "list", path);
	if (depth > DEPTH_MAX)
		r = err_set(c->err, ELOOP, "'%s' is nested too deeply", path);
	while (r == 0 && (e = readdir(d))) {
		auto_free char *below = NULL;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		below = *path ? path_join(path, e->d_name) : xstrdup(e->d_name);
		r = copy_entry(c, src, dst, e->d_name, below, depth);
	}
	if (d)
		(void)closedir(d);
	return r < 0 ? r : dress(c, src, dst, &st, *path ? path : ".");
}

/* ---- The whole -------------------------------------------------------------------------------- */
static int is_empty(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int empty = 1;

	if (!d)
		return -errno;
	while (empty && (e = readdir(d)))
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	(void)closedir(d);
	return empty;
}

int volume_copy_tree(int src_dirfd, int dst_dirfd, uint32_t uid_shift, struct err *err)
{
	struct copy c = { .shift = uid_shift, .top = dst_dirfd, .err = err };
	int r = is_empty(dst_dirfd);
	struct stat st;

	if (r < 0 || fstat(src_dirfd, &st) < 0)
		return err_errno(err, "copy into a volume");
	if (r == 0)
		return err_set(err, ENOTEMPTY, "the volume is not empty");
	c.dev = st.st_dev;
	r = copy_folder(&c, src_dirfd, dst_dirfd, "", 0);
	for (size_t i = 0; i < c.links.n; i++)
		free(c.links.entries[i].value);
	map_clear(&c.links);
	return r;
}

bool volume_is_filled(struct volume_store *s, const char *name)
{
	auto_free char *mark = xasprintf("%s/filled", name);

	return faccessat(s->dir, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Beside _data: "filling" is locked by who copies, and not empty once that has begun; "filled": this volume
 * is never looked at again. */
static int begin_filling(int dir)
{
	int fd = openat(dir, "filling", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MARK_MODE);

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			(void)close(fd);
			return -errno;
		}
	return fd;
}

static int make_empty(int dir)
{
	int r = path_remove_tree(dir, "_data");

	if (r == 0 && mkdirat(dir, "_data", 0755) < 0)
		r = -errno;
	return r;
}

int volume_copy_up(struct volume_store *s, const char *name, int src_dirfd, uint32_t uid_shift,
		   bool *copied, struct err *err)
{
	auto_close int dir = openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_close int data = -1, mark = -1, filled = -1;
	struct stat st;
	int r = 0;

	if (copied)
		*copied = false;
	if (dir < 0)
		return err_errno(err, "open volume %s", name);
	if (volume_is_filled(s, name))
		return 0;
	mark = begin_filling(dir);
	if (mark < 0 || fstat(mark, &st) < 0)
		return err_wrap(err, mark < 0 ? mark : -errno, "mark volume %s", name);
	if (volume_is_filled(s, name)) { /* by whom we have waited for */
		(void)unlinkat(dir, "filling", 0);
		return 0;
	}
	if (st.st_size > 0) { /* somebody began and was killed */
		r = make_empty(dir);
		if (r < 0)
			return err_wrap(err, r, "empty volume %s again", name);
	}
	data = openat(dir, "_data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (data < 0)
		return err_errno(err, "open volume %s", name);
	r = is_empty(data);
	if (r < 0)
		return err_wrap(err, r, "list volume %s", name);
	if (r == 0) { /* somebody's content: never to be emptied by us */
		filled = openat(dir, "filled", O_WRONLY | O_CREAT | O_CLOEXEC, MARK_MODE);
		(void)unlinkat(dir, "filling", 0);
		return 0;
	}
	r = fd_write_all(mark, "begun\n", 6);
	if (r < 0)
		return err_wrap(err, r, "mark volume %s", name);
	r = volume_copy_tree(src_dirfd, data, uid_shift, err);
	if (r < 0)
		return err_wrap(err, r, "fill volume %s from the image", name);
	if (copied)
		*copied = true;
	if (renameat(dir, "filling", dir, "filled") < 0)
		return err_errno(err, "mark volume %s", name);
	return 0;
}
