/* pack.c - a folder as a tar that is the same for the same tree; see archive.h */
#include "lib.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { DEPTH_MAX = 400, CHUNK = 1 << 16 }; /* one descriptor per level */

struct packer {
	const struct archive_lib *lib;
	struct archive *tar;
	archive_sink_fn *sink;
	void *sink_arg;
	dev_t dev;
	struct map first; /* "inode" -> path of the first name of a file with several */
	struct sbuf path; /* of the member at hand */
	unsigned depth;
	bool layer; /* overlayfs's marks are translated */
	int failed;
	struct err err;
	char *chunk;
};

static la_ssize_t write_sink(struct archive *a, void *arg, const void *data, size_t len)
{
	struct packer *p = arg;
	int r;

	(void)a;
	if (p->failed < 0)
		return -1;
	r = p->sink(p->sink_arg, data, len, &p->err);
	if (r < 0) {
		p->failed = r;
		return -1;
	}
	return (la_ssize_t)len;
}

static int tar_failed(struct packer *p, struct err *err)
{
	const char *why = p->lib->archive_error_string(p->tar);

	if (p->failed < 0)
		return err_set(err, p->failed, "%s", err_text(&p->err));
	return err_set(err, EIO, "'%s': %s", sbuf_str(&p->path), why ? why : "cannot be packed");
}

static int read_names(int fd, struct strs *names)
{
	DIR *dir = fdopendir(fd); /* takes fd over */
	struct dirent *e;

	if (!dir) {
		(void)close(fd);
		return -errno;
	}
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			strs_add(names, e->d_name);
	(void)closedir(dir);
	strs_sort(names);
	return 0;
}

static void add_xattrs(const struct packer *p, struct archive_entry *e, int fd)
{
	char names[4096], value[4096];
	ssize_t n = flistxattr(fd, names, sizeof(names));

	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		ssize_t len;

		if (!str_starts(names + i, "user.") &&
		    strcmp(names + i, "security.capability") != 0)
			continue;
		len = fgetxattr(fd, names + i, value, sizeof(value));
		if (len >= 0)
			p->lib->archive_entry_xattr_add_entry(e, names + i, value, (size_t)len);
	}
}

static int pack_content(struct packer *p, int fd, int64_t size, struct err *err)
{
	while (size > 0) {
		size_t want = size < CHUNK ? (size_t)size : CHUNK;
		ssize_t n = fd_read_full(fd, p->chunk, want);

		if (n < 0)
			return err_set(err, (int)n, "'%s': %s", sbuf_str(&p->path),
				       strerror((int)-n));
		if ((size_t)n < want)
			return err_set(err, EIO, "'%s' became shorter while it was read",
				       sbuf_str(&p->path));
		if (p->lib->archive_write_data(p->tar, p->chunk, want) < 0)
			return tar_failed(p, err);
		size -= n;
	}
	return 0;
}

/* Header of what `st` says, then the content of fd if it is a file. */
static int pack_member(struct packer *p, struct archive_entry *e, int dir, const char *name, int fd,
		       const struct stat *st, struct err *err)
{
	const struct archive_lib *l = p->lib;
	char target[4096], inode[32];
	const char *first = NULL;
	ssize_t n;

	l->archive_entry_set_pathname(e, sbuf_str(&p->path));
	l->archive_entry_set_filetype(e, st->st_mode & S_IFMT);
	l->archive_entry_set_perm(e, st->st_mode & 07777);
	l->archive_entry_set_uid(e, st->st_uid);
	l->archive_entry_set_gid(e, st->st_gid);
	l->archive_entry_set_mtime(e, st->st_mtim.tv_sec, 0);
	l->archive_entry_set_size(e, 0);
	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(dir, name, target, sizeof(target) - 1);
		if (n < 0)
			return err_errno(err, "'%s'", sbuf_str(&p->path));
		target[n] = '\0';
		l->archive_entry_set_symlink(e, target);
	}
	if (S_ISREG(st->st_mode) && st->st_nlink > 1) {
		(void)snprintf(inode, sizeof(inode), "%" PRIu64, (uint64_t)st->st_ino);
		first = map_get(&p->first, inode);
		if (first)
			l->archive_entry_set_hardlink(e, first);
		else
			map_put(&p->first, inode, xstrdup(sbuf_str(&p->path)));
	}
	if (S_ISREG(st->st_mode) && !first)
		l->archive_entry_set_size(e, st->st_size);
	if (fd >= 0 && !first)
		add_xattrs(p, e, fd);
	if (l->archive_write_header(p->tar, e) < ARCHIVE_WARN)
		return tar_failed(p, err);
	return S_ISREG(st->st_mode) && !first ? pack_content(p, fd, st->st_size, err) : 0;
}

static int pack_folder(struct packer *p, int fd, struct err *err);

/* An empty file with the name that means "gone" in a layer. */
static int pack_mark(struct packer *p, const char *name, struct err *err)
{
	struct archive_entry *e = p->lib->archive_entry_new();
	const struct stat st = { .st_mode = S_IFREG, .st_nlink = 1 };
	size_t len = p->path.len;
	int r;

	sbuf_addf(&p->path, "%s%s", len > 0 ? "/" : "", name);
	r = pack_member(p, e, -1, name, -1, &st, err);
	p->lib->archive_entry_free(e);
	p->path.len = len;
	p->path.s[len] = '\0';
	return r;
}

static int pack_whiteout(struct packer *p, const char *name, struct err *err)
{
	auto_free char *mark = xasprintf(".wh.%s", name);

	return pack_mark(p, mark, err);
}

static bool is_opaque(int fd)
{
	char value;

	return fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static int pack_name(struct packer *p, int dir, const char *name, struct err *err)
{
	size_t len = p->path.len;
	struct archive_entry *e;
	auto_close int fd = -1;
	struct stat st;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "'%s/%s'", sbuf_str(&p->path), name);
	if (p->layer && S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0))
		return pack_whiteout(p, name, err);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode) &&
	    !S_ISFIFO(st.st_mode))
		return 0;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_errno(err, "'%s/%s'", sbuf_str(&p->path), name);
	}
	if (st.st_dev != p->dev && !S_ISDIR(st.st_mode))
		return 0;
	sbuf_addf(&p->path, "%s%s", len > 0 ? "/" : "", name);
	e = p->lib->archive_entry_new();
	r = pack_member(p, e, dir, name, fd, &st, err);
	p->lib->archive_entry_free(e);
	/* Of what is mounted here only the mount point is packed. */
	if (r == 0 && S_ISDIR(st.st_mode) && st.st_dev == p->dev)
		r = pack_folder(p, fd, err);
	p->path.len = len;
	if (p->path.s)
		p->path.s[len] = '\0';
	return r;
}

static int pack_folder(struct packer *p, int fd, struct err *err)
{
	auto_strs struct strs names = { 0 };
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = copy < 0 ? -errno : read_names(copy, &names);

	if (r < 0)
		return err_set(err, r, "read folder '%s': %s", sbuf_str(&p->path), strerror(-r));
	if (p->depth >= DEPTH_MAX)
		return err_set(err, ELOOP, "'%s' is nested too deep", sbuf_str(&p->path));
	p->depth++;
	if (p->layer && p->depth > 1 && is_opaque(fd))
		r = pack_mark(p, ".wh..wh..opq", err);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = pack_name(p, fd, names.v[i], err);
	p->depth--;
	return r;
}

static int pack(struct packer *p, int dirfd, struct err *err)
{
	const struct archive_lib *l = p->lib;
	int r;

	if (l->archive_write_set_format_pax_restricted(p->tar) != ARCHIVE_OK ||
	    l->archive_write_set_bytes_per_block(p->tar, 1 << 16) != ARCHIVE_OK ||
	    l->archive_write_set_bytes_in_last_block(p->tar, 1) != ARCHIVE_OK ||
	    l->archive_write_open(p->tar, p, NULL, write_sink, NULL) != ARCHIVE_OK)
		return tar_failed(p, err);
	r = pack_folder(p, dirfd, err);
	if (r == 0 && l->archive_write_close(p->tar) != ARCHIVE_OK)
		r = tar_failed(p, err);
	return r;
}

static int pack_tree(int dirfd, bool layer, archive_sink_fn *sink, void *sink_arg, struct err *err)
{
	struct packer p = {
		.lib = archive_lib_get(err), .sink = sink, .sink_arg = sink_arg, .layer = layer
	};
	locale_t before;
	struct stat st;
	int r;

	if (!p.lib)
		return -ENOTSUP;
	if (fstat(dirfd, &st) < 0)
		return err_errno(err, "the folder");
	p.dev = st.st_dev;
	p.tar = p.lib->archive_write_new();
	if (!p.tar)
		abort();
	p.chunk = xmalloc(CHUNK);
	before = archive_lib_enter();
	r = pack(&p, dirfd, err);
	archive_lib_leave(before);
	(void)p.lib->archive_write_free(p.tar);
	for (size_t i = 0; i < p.first.n; i++)
		free(p.first.entries[i].value);
	map_clear(&p.first);
	sbuf_clear(&p.path);
	err_clear(&p.err);
	free(p.chunk);
	return r;
}

int archive_pack(int dirfd, archive_sink_fn *sink, void *sink_arg, struct err *err)
{
	return pack_tree(dirfd, false, sink, sink_arg, err);
}

int archive_pack_layer(int dirfd, archive_sink_fn *sink, void *sink_arg, struct err *err)
{
	return pack_tree(dirfd, true, sink, sink_arg, err);
}
