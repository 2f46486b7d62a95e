/* relabel.c - labels on files: by descriptor, so that what is looked at is what is labelled, and
 * nobody leads us elsewhere meanwhile; see selinux.h */
#include <ctrcompose/selinux.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NAME "security.selinux"

enum { DEPTH_MAX = 2048 };

static bool has_label(int fd, const char *label)
{
	char path[FD_NAME_MAX], now[SELINUX_LABEL_MAX + 1];
	ssize_t n;

	fd_name(fd, path);
	n = getxattr(path, NAME, now, sizeof(now) - 1);
	if (n < 0)
		return false;
	now[n] = '\0';
	return strcmp(now, label) == 0;
}

int selinux_label_fd(int fd, const char *label)
{
	char path[FD_NAME_MAX];

	if (has_label(fd, label))
		return 0;
	fd_name(fd, path);
	return setxattr(path, NAME, label, strlen(label) + 1, 0) < 0 ? -errno : 0;
}

struct relabel {
	const char *label;
	uint64_t mount;   /* everything is of this one */
	struct sbuf path; /* of what is being done, for the message */
};

static bool on_same_mount(const struct relabel *w, int fd, mode_t *mode)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &st) < 0)
		return false;
	*mode = st.stx_mode;
	return !(st.stx_mask & STATX_MNT_ID) || st.stx_mnt_id == w->mount;
}

static int one(struct relabel *w, int fd, mode_t mode, unsigned depth);

static int child(struct relabel *w, int dir, const char *name, unsigned depth)
{
	auto_close int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	size_t len = w->path.len;
	mode_t mode;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* gone meanwhile */
	if (!on_same_mount(w, fd, &mode))
		return 0;
	sbuf_addf(&w->path, "/%s", name);
	r = one(w, fd, mode, depth);
	if (r == 0)
		w->path.s[w->path.len = len] = '\0';
	return r;
}

static int children(struct relabel *w, int fd, unsigned depth)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!dir)
		return -errno;
	while (r == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = child(w, dirfd(dir), e->d_name, depth + 1);
	(void)closedir(dir);
	return r;
}

/* A folder comes after what is in it: one that has the label is done. */
static int one(struct relabel *w, int fd, mode_t mode, unsigned depth)
{
	int r = 0;

	if (depth > DEPTH_MAX)
		return -ELOOP;
	if (S_ISDIR(mode))
		r = children(w, fd, depth);
	return r < 0 ? r : selinux_label_fd(fd, w->label);
}

/* What was opened, whatever links led there. */
static int check_real(int fd, const char *path, struct err *err)
{
	auto_free char *real = fd_path(fd);
	const char *why;

	if (!real)
		return err_errno(err, "find out where %s is", path);
	why = selinux_relabel_refused(real, getenv("HOME"));
	return why ? err_set(err, -EPERM, "SELinux labels of %s are not changed: %s", real, why)
		   : 0;
}

int selinux_relabel_fd(int fd, const char *path, const char *label, struct err *err)
{
	struct relabel w = { .label = label, .path = SBUF_INIT };
	struct statx st;
	int r;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &st) < 0)
		return err_errno(err, "look at %s", path);
	r = check_real(fd, path, err);
	if (r < 0)
		return r;
	w.mount = st.stx_mnt_id;
	sbuf_adds(&w.path, path);
	r = one(&w, fd, st.stx_mode, 0);
	if (r < 0)
		r = err_set(err, r, "give the SELinux label %s to %s: %s", label, sbuf_str(&w.path),
			    strerrordesc_np(-r));
	sbuf_clear(&w.path);
	return r;
}

static int open_path(const char *path, struct err *err)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open %s", path) : fd;
}

int selinux_relabel(const char *path, const char *label, struct err *err)
{
	auto_close int fd = open_path(path, err);

	return fd < 0 ? fd : selinux_relabel_fd(fd, path, label, err);
}

int selinux_relabel_once(const char *path, const char *label, struct err *err)
{
	auto_close int fd = open_path(path, err);

	if (fd < 0)
		return fd;
	return has_label(fd, label) ? check_real(fd, path, err)
				    : selinux_relabel_fd(fd, path, label, err);
}
