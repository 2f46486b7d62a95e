/* unpack.c - a layer into a folder: the streams, the bounds, and the order; see archive.h */
#include "unpack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FIRST = 64 << 10 };

/* The bytes after decompression, on their way to the reader of the tar. */
struct raw {
	archive_source_fn *src;
	void *src_arg;
	char *first; /* what came first, to see what it is */
	size_t n_first, at_first;
	struct archive_stream stream; /* of one that is packed */
	bool packed;
	uint64_t bytes, max, looked; /* looked: at the disk, last */
	int dir;
	bool ended;
};

enum archive_packing archive_packing_of(const void *head, size_t n)
{
	static const unsigned char xz[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };
	const unsigned char *s = head;

	if (n >= sizeof(xz) && memcmp(s, xz, sizeof(xz)) == 0)
		return ARCHIVE_XZ;
	if (n >= 2 && s[0] == 0x1f && s[1] == 0x8b)
		return ARCHIVE_PACKED;
	/* zstd, and its frames to be skipped, 0x184d2a50 to 5f */
	if (n >= 4 && ((s[0] == 0x28 && s[1] == 0xb5 && s[2] == 0x2f && s[3] == 0xfd) ||
		       ((s[0] & 0xf0) == 0x50 && s[1] == 0x2a && s[2] == 0x4d && s[3] == 0x18)))
		return ARCHIVE_PACKED;
	return n < sizeof(xz) ? ARCHIVE_PACKED : ARCHIVE_PLAIN;
}

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

static ssize_t read_packed(void *arg, void *buf, size_t len, struct err *err)
{
	struct raw *raw = arg;
	size_t n = raw->n_first - raw->at_first;

	if (n == 0)
		return raw->src(raw->src_arg, buf, len, err);
	n = n < len ? n : len;
	memcpy(buf, raw->first + raw->at_first, n);
	raw->at_first += n;
	return (ssize_t)n;
}

static ssize_t read_raw(void *arg, void *buf, size_t len, struct err *err)
{
	struct raw *raw = arg;
	ssize_t n;

	if (raw->ended)
		return 0;
	n = raw->packed ? archive_member_read(&raw->stream, buf, len, err)
			: read_packed(raw, buf, len, err);
	if (n <= 0) {
		raw->ended = true;
		return n;
	}
	raw->bytes += (uint64_t)n;
	if (raw->bytes > raw->max)
		return err_set(err, E2BIG, "it is larger than %llu bytes",
			       (unsigned long long)raw->max);
	return check_disk(raw, err) < 0 ? -ENOSPC : n;
}

static int raw_open(struct raw *raw, struct err *err)
{
	struct archive_entry *e;
	ssize_t n;
	int r;

	raw->first = xmalloc(FIRST);
	n = raw->src(raw->src_arg, raw->first, FIRST, err);
	if (n < 0)
		return (int)n;
	raw->n_first = (size_t)n;
	raw->ended = n == 0; /* no byte at all: an empty layer */
	raw->packed = n > 0 && archive_packing_of(raw->first, (size_t)n) != ARCHIVE_PLAIN;
	if (!raw->packed)
		return 0;
	r = archive_stream_open(&raw->stream, ARCHIVE_STREAM_RAW, read_packed, raw, err);
	if (r == 0)
		r = archive_stream_next(&raw->stream, &e, err);
	raw->ended = r == 0;
	return r < 0 ? r : 0;
}

static void raw_close(struct raw *raw)
{
	if (raw->packed)
		archive_stream_close(&raw->stream);
	free(raw->first);
}

static void see_nothing(void *arg, const void *data, size_t len)
{
	(void)arg, (void)data, (void)len;
}

/* What follows the end mark of the tar belongs to its digest as well. */
static int drain(struct ahead *ahead, struct err *err)
{
	const void *data;
	ssize_t n;

	do
		n = ahead_next(ahead, &data, err);
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

static int unpack_stream(struct ahead *ahead, struct unpack *u, struct err *err)
{
	auto_archive_stream struct archive_stream tar = { 0 };
	int r = archive_stream_open(&tar, ARCHIVE_STREAM_PLAIN_TAR, NULL, ahead, err);

	if (r < 0)
		return r;
	u->lib = tar.lib;
	u->tar = &tar; /* cppcheck-suppress autoVariables ; it ends with this function, as u does */
	r = unpack_all(u, err);
	return r < 0 ? r : drain(ahead, err);
}

int archive_unpack(archive_source_fn *src, void *src_arg, int dirfd, struct archive_unpack *opt,
		   struct err *err)
{
	struct raw raw = { .src = src,
			   .src_arg = src_arg,
			   .dir = dirfd,
			   .max = opt->max_bytes ? opt->max_bytes : ARCHIVE_BYTES_MAX };
	struct unpack u = { .opt = opt, .root = dirfd, .parent = -1 };
	struct ahead *ahead;
	locale_t before;
	int r;

	opt->entries = opt->bytes = opt->skipped = 0;
	if (!archive_lib_get(err))
		return -ENOTSUP;
	before = archive_lib_enter();
	r = raw_open(&raw, err);
	if (r == 0) {
		ahead = ahead_open(read_raw, &raw, opt->tap ? opt->tap : see_nothing, opt->tap_arg);
		r = unpack_stream(ahead, &u, err);
		ahead_close(ahead);
	}
	archive_lib_leave(before);
	unpack_forget_parent(&u);
	for (size_t i = 0; i < u.folders.n; i++)
		free(u.folders.v[i].path);
	free(u.folders.v);
	raw_close(&raw);
	return r;
}
