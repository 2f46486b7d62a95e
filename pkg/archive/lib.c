/* lib.c - the library behind a table, and a stream on top of it; see lib.h */
#include "unpack.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 1 << 17 };

static struct archive_lib lib;
static locale_t utf8;

static bool start(void)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return true;
}

const struct archive_lib *archive_lib_get(struct err *err)
{
	static const struct lib_symbol symbols[] = { ARCHIVE_LIB_FUNCTIONS(LIB_SYMBOL) };
	static struct lib file = { .soname = "libarchive.so.13",
				   .needed = "archives need libarchive (package libarchive13)",
				   .symbols = symbols,
				   .n_symbols = ARRAY_LEN(symbols),
				   .start = start };

	return lib_get(&file, err) < 0 ? NULL : &lib;
}

locale_t archive_lib_enter(void)
{
	return utf8 ? uselocale(utf8) : (locale_t)0;
}

void archive_lib_leave(locale_t before)
{
	if (before)
		(void)uselocale(before);
}

static la_ssize_t read_ahead(struct archive *a, void *arg, const void **out)
{
	struct archive_stream *s = arg;
	ssize_t n = s->failed < 0 ? -1 : ahead_next(s->src_arg, out, &s->err);

	(void)a;
	if (n < 0 && s->failed == 0)
		s->failed = (int)n;
	return n < 0 ? -1 : n;
}

static la_ssize_t read_source(struct archive *a, void *arg, const void **out)
{
	struct archive_stream *s = arg;
	ssize_t n;

	(void)a;
	if (s->failed < 0)
		return -1;
	n = s->src(s->src_arg, s->buf, READ_SIZE, &s->err);
	if (n < 0) {
		s->failed = (int)n;
		return -1;
	}
	*out = s->buf;
	return n;
}

/* How far it got: less than asked for at the end of the file, 0 where there is no seeking. */
static la_int64_t skip_source(struct archive *a, void *arg, la_int64_t want)
{
	const struct archive_stream *s = arg;
	const int *fd = s->src_arg;
	off_t at = lseek(*fd, 0, SEEK_CUR);
	struct stat st;

	(void)a;
	if (at < 0 || fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= at)
		return 0;
	if (want > st.st_size - at)
		want = st.st_size - at;
	return lseek(*fd, at + want, SEEK_SET) < 0 ? 0 : want;
}

int archive_stream_failed(struct archive_stream *s, struct err *err)
{
	const char *why;

	if (s->failed < 0)
		return err_set(err, s->failed, "%s", err_text(&s->err));
	why = s->lib->archive_error_string(s->tar);
	return err_set(err, EBADMSG, "%s", why ? why : "not a tar archive");
}

int archive_stream_open(struct archive_stream *s, enum archive_stream_kind kind,
			archive_source_fn *src, void *src_arg, struct err *err)
{
	const struct archive_lib *l = archive_lib_get(err);

	*s = (struct archive_stream){ .lib = l, .src = src, .src_arg = src_arg };
	if (!l)
		return -ENOTSUP;
	s->tar = l->archive_read_new();
	if (!s->tar)
		abort();
	s->buf = kind == ARCHIVE_STREAM_PLAIN_TAR ? NULL : xmalloc(READ_SIZE);
	if (kind == ARCHIVE_STREAM_RAW) {
		l->archive_read_support_format_raw(s->tar);
		l->archive_read_support_format_empty(s->tar);
	} else {
		l->archive_read_support_format_tar(s->tar);
		l->archive_read_support_format_empty(s->tar);
	}
	if (kind != ARCHIVE_STREAM_PLAIN_TAR) {
		l->archive_read_support_filter_gzip(s->tar);
		l->archive_read_support_filter_xz(s->tar);
		l->archive_read_support_filter_zstd(s->tar);
	}
	if (l->archive_read_open2(
		    s->tar, s, NULL, kind == ARCHIVE_STREAM_PLAIN_TAR ? read_ahead : read_source,
		    kind == ARCHIVE_STREAM_SEEK ? skip_source : NULL, NULL) != ARCHIVE_OK)
		return archive_stream_failed(s, err);
	return 0;
}

void archive_stream_close(struct archive_stream *s)
{
	if (s->tar)
		(void)s->lib->archive_read_free(s->tar);
	free(s->buf);
	err_clear(&s->err);
	*s = (struct archive_stream){ 0 };
}

int archive_stream_next(struct archive_stream *s, struct archive_entry **entry, struct err *err)
{
	int r;

	do
		r = s->lib->archive_read_next_header(s->tar, entry);
	while (r == ARCHIVE_RETRY);
	if (r == ARCHIVE_EOF)
		return 0;
	/* A warning is about metadata that could not be read in full; the member is there. */
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return archive_stream_failed(s, err);
	return 1;
}

ssize_t archive_source_fd(void *arg, void *buf, size_t len, struct err *err)
{
	for (;;) {
		ssize_t n = read(*(int *)arg, buf, len);

		if (n >= 0)
			return n;
		if (errno != EINTR)
			return err_errno(err, "read");
	}
}

int archive_sink_fd(void *arg, const void *data, size_t len, struct err *err)
{
	int r = fd_write_all(*(int *)arg, data, len);

	return r < 0 ? err_set(err, r, "write: %s", strerror(-r)) : 0;
}
