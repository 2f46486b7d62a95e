/* unpack.c - a layer into a folder: the streams, the bounds, and the order; see archive.h */
#include "unpack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The bytes after decompression, on their way to the reader of the tar. */
struct raw {
	struct archive_stream stream;
	struct archive_unpack *opt;
	uint64_t bytes, max, looked; /* looked: at the disk, last */
	int dir;
	bool ended;
};

/* A few bytes may stand for very many: the disk must have some left for everybody else, a twentieth
 * of it, up to a gigabyte. */
static int check_disk(struct raw *raw, struct err *err)
{
	enum { EVERY = 16 << 20 };
	struct statvfs fs;
	uint64_t kept;

	if (raw->bytes - raw->looked < EVERY && raw->looked)
		return 0;
	raw->looked = raw->bytes;
	if (fstatvfs(raw->dir, &fs) < 0)
		return 0;
	kept = (uint64_t)fs.f_blocks * fs.f_frsize / 20;
	kept = kept < 1 << 30 ? kept : 1 << 30;
	return (uint64_t)fs.f_bavail * fs.f_frsize >= kept
		       ? 0
		       : err_set(err, ENOSPC, "after %llu bytes the disk has less than %llu left",
				 (unsigned long long)raw->bytes, (unsigned long long)kept);
}

static ssize_t read_raw(void *arg, void *buf, size_t len, struct err *err)
{
	struct raw *raw = arg;
	ssize_t n;

	if (raw->ended)
		return 0;
	n = archive_member_read(&raw->stream, buf, len, err);
	if (n <= 0) {
		raw->ended = true;
		return n;
	}
	raw->bytes += (uint64_t)n;
	if (raw->bytes > raw->max)
		return err_set(err, E2BIG, "it is larger than %llu bytes",
			       (unsigned long long)raw->max);
	if (check_disk(raw, err) < 0)
		return -ENOSPC;
	if (raw->opt->tap)
		raw->opt->tap(raw->opt->tap_arg, buf, (size_t)n);
	return n;
}

/* What follows the end mark of the tar belongs to its digest as well. */
static int drain(struct raw *raw, struct err *err)
{
	auto_free char *buf = xmalloc(1 << 16);
	ssize_t n;

	do
		n = read_raw(raw, buf, 1 << 16, err);
	while (n > 0);
	return (int)n;
}

int unpack_folder_open(struct unpack *u, const char *path)
{
	auto_close int above = -1;
	auto_free char *parent = NULL;
	const char *slash;
	int fd = path_open_in(u->root, path, O_PATH | O_DIRECTORY, 0);

	if (fd != -ENOENT)
		return fd;
	slash = strrchr(path, '/');
	if (!slash || !slash[1])
		return -ENOENT;
	parent = slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	above = unpack_folder_open(u, parent);
	if (above < 0)
		return above;
	/* It may be there as a link that leads nowhere: then opening it again fails as before. */
	if (mkdirat(above, slash + 1, 0755) == 0)
		(void)!fchmodat(above, slash + 1, 0755, 0); /* whatever the umask */
	else if (errno != EEXIST)
		return -errno;
	return path_open_in(u->root, path, O_PATH | O_DIRECTORY, 0);
}

void unpack_forget_parent(struct unpack *u)
{
	free(u->parent_path);
	u->parent_path = NULL;
	if (u->parent >= 0)
		(void)close(u->parent);
	u->parent = -1;
}

int unpack_parent(struct unpack *u, const char *path)
{
	if (str_eq(u->parent_path, path))
		return u->parent;
	unpack_forget_parent(u);
	u->parent = unpack_folder_open(u, path);
	if (u->parent >= 0)
		u->parent_path = xstrdup(path);
	return u->parent;
}

static void set_folder_times(struct unpack *u)
{
	for (size_t i = u->folders.n; i-- > 0;) {
		const struct unpack_folder *f = &u->folders.v[i];
		const struct timespec times[2] = { f->mtime, f->mtime };
		auto_close int fd =
			path_open_in(u->root, f->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

		if (fd >= 0) /* else something else took its place */
			(void)futimens(fd, times);
	}
}

static int unpack_all(struct unpack *u, struct err *err)
{
	uint64_t max = u->opt->max_entries ? u->opt->max_entries : ARCHIVE_ENTRIES_MAX;
	struct archive_entry *e;
	int r;

	while ((r = archive_stream_next(u->tar, &e, err)) > 0) {
		if (++u->opt->entries > max)
			return err_set(err, E2BIG, "it has more than %llu members",
				       (unsigned long long)max);
		r = unpack_place(u, e, err);
		if (r < 0)
			return r;
	}
	if (r == 0)
		set_folder_times(u);
	return r;
}

static int unpack_stream(struct raw *raw, struct unpack *u, struct err *err)
{
	auto_archive_stream struct archive_stream tar = { 0 };
	struct archive_entry *e;
	int r = archive_stream_next(&raw->stream, &e, err);

	if (r < 0)
		return r;
	raw->ended = r == 0; /* no byte at all: an empty layer */
	r = archive_stream_open(&tar, ARCHIVE_STREAM_PLAIN_TAR, read_raw, raw, err);
	if (r < 0)
		return r;
	u->lib = tar.lib;
	u->tar = &tar; /* cppcheck-suppress autoVariables ; it ends with this function, as u does */
	r = unpack_all(u, err);
	return r < 0 ? r : drain(raw, err);
}

int archive_unpack(archive_source_fn *src, void *src_arg, int dirfd, struct archive_unpack *opt,
		   struct err *err)
{
	struct raw raw = { .opt = opt,
			   .dir = dirfd,
			   .max = opt->max_bytes ? opt->max_bytes : ARCHIVE_BYTES_MAX };
	struct unpack u = { .opt = opt, .root = dirfd, .parent = -1 };
	locale_t before;
	int r;

	opt->entries = opt->bytes = opt->skipped = 0;
	r = archive_stream_open(&raw.stream, ARCHIVE_STREAM_RAW, src, src_arg, err);
	if (r == 0) {
		before = archive_lib_enter();
		r = unpack_stream(&raw, &u, err);
		archive_lib_leave(before);
	}
	unpack_forget_parent(&u);
	for (size_t i = 0; i < u.folders.n; i++)
		free(u.folders.v[i].path);
	free(u.folders.v);
	archive_stream_close(&raw.stream);
	return r;
}
