/* walk.c - the members of an archive, one after the other; see archive.h */
#include "lib.h"

static enum archive_kind kind_of(const struct archive_lib *l, struct archive_entry *e)
{
	if (l->archive_entry_hardlink(e))
		return ARCHIVE_HARDLINK;
	switch (l->archive_entry_filetype(e)) {
	case AE_IFREG:
		return ARCHIVE_FILE;
	case AE_IFDIR:
		return ARCHIVE_FOLDER;
	case AE_IFLNK:
		return ARCHIVE_SYMLINK;
	default:
		return ARCHIVE_OTHER;
	}
}

static int walk(struct archive_stream *s, archive_member_fn *fn, void *fn_arg, struct err *err)
{
	struct archive_entry *e;
	uint64_t n = 0;
	int r;

	while ((r = archive_stream_next(s, &e, err)) > 0) {
		const char *path = s->lib->archive_entry_pathname(e);
		struct archive_member m = {
			.path = path,
			.kind = kind_of(s->lib, e),
			.stream = s,
		};
		int64_t size = s->lib->archive_entry_size(e);

		if (++n > ARCHIVE_ENTRIES_MAX)
			return err_set(err, E2BIG, "the archive has more than %llu members",
				       ARCHIVE_ENTRIES_MAX);
		if (!path)
			return err_set(err, EBADMSG, "member %llu has no name",
				       (unsigned long long)n);
		if (m.kind == ARCHIVE_HARDLINK)
			m.link = s->lib->archive_entry_hardlink(e);
		else if (m.kind == ARCHIVE_SYMLINK)
			m.link = s->lib->archive_entry_symlink(e);
		m.size = size > 0 ? (uint64_t)size : 0;
		r = fn(fn_arg, &m, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return r;
}

static int open_and_walk(enum archive_stream_kind kind, archive_source_fn *src, void *src_arg,
			 archive_member_fn *fn, void *fn_arg, struct err *err)
{
	auto_archive_stream struct archive_stream s = { 0 };
	locale_t before;
	int r = archive_stream_open(&s, kind, src, src_arg, err);

	if (r < 0)
		return r;
	before = archive_lib_enter();
	r = walk(&s, fn, fn_arg, err);
	archive_lib_leave(before);
	return r;
}

int archive_walk(archive_source_fn *src, void *src_arg, archive_member_fn *fn, void *fn_arg,
		 struct err *err)
{
	return open_and_walk(ARCHIVE_STREAM_TAR, src, src_arg, fn, fn_arg, err);
}

int archive_walk_fd(int fd, archive_member_fn *fn, void *fn_arg, struct err *err)
{
	return open_and_walk(ARCHIVE_STREAM_SEEK, archive_source_fd, &fd, fn, fn_arg, err);
}

ssize_t archive_member_read(struct archive_stream *s, void *buf, size_t len, struct err *err)
{
	for (;;) {
		la_ssize_t n = s->lib->archive_read_data(s->tar, buf, len);

		if (n >= 0)
			return n;
		if (n != ARCHIVE_RETRY)
			return archive_stream_failed(s, err);
	}
}
