/* out.c - members one after the other into a tar, or a stream through gzip; see archive.h */
#include "lib.h"

#include <stdlib.h>
#include <string.h>

struct archive_out {
	const struct archive_lib *lib;
	struct archive *a;
	archive_sink_fn *sink;
	void *sink_arg;
	int failed;
	struct err err;
};

static la_ssize_t write_sink(struct archive *a, void *arg, const void *data, size_t len)
{
	struct archive_out *o = arg;

	(void)a;
	if (o->failed == 0)
		o->failed = o->sink(o->sink_arg, data, len, &o->err);
	return o->failed < 0 ? -1 : (la_ssize_t)len;
}

static int out_failed(struct archive_out *o, struct err *err)
{
	const char *why = o->lib->archive_error_string(o->a);

	if (o->failed < 0)
		return err_set(err, o->failed, "%s", err_text(&o->err));
	return err_set(err, EIO, "%s", why ? why : "the archive can't be written");
}

static bool begin(struct archive_out *o, enum archive_out_kind kind)
{
	const struct archive_lib *l = o->lib;

	/* Fast rather than small; no time in the header, so that the same bytes give the same. */
	if (kind == ARCHIVE_OUT_GZIP &&
	    (l->archive_write_set_format_raw(o->a) != ARCHIVE_OK ||
	     l->archive_write_add_filter_gzip(o->a) != ARCHIVE_OK ||
	     l->archive_write_set_options(o->a, "gzip:compression-level=4,gzip:!timestamp") !=
		     ARCHIVE_OK))
		return false;
	if (kind == ARCHIVE_OUT_TAR &&
	    l->archive_write_set_format_pax_restricted(o->a) != ARCHIVE_OK)
		return false;
	return l->archive_write_set_bytes_per_block(o->a, 1 << 16) == ARCHIVE_OK &&
	       l->archive_write_set_bytes_in_last_block(o->a, 1) == ARCHIVE_OK &&
	       l->archive_write_open(o->a, o, NULL, write_sink, NULL) == ARCHIVE_OK;
}

int archive_out_open(enum archive_out_kind kind, archive_sink_fn *sink, void *sink_arg,
		     struct archive_out **out, struct err *err)
{
	const struct archive_lib *l = archive_lib_get(err);
	auto_archive_out struct archive_out *o = NULL;

	if (!l)
		return -ENOTSUP;
	o = xcalloc(1, sizeof(*o));
	o->lib = l;
	o->sink = sink;
	o->sink_arg = sink_arg;
	o->a = l->archive_write_new();
	if (!o->a)
		abort();
	if (!begin(o, kind))
		return out_failed(o, err);
	*out = steal(o);
	return 0;
}

int archive_out_member(struct archive_out *o, const char *name, uint64_t size, struct err *err)
{
	const struct archive_lib *l = o->lib;
	struct archive_entry *e = l->archive_entry_new();
	int r;

	if (!e)
		abort();
	l->archive_entry_set_pathname(e, name);
	l->archive_entry_set_filetype(e, AE_IFREG);
	l->archive_entry_set_perm(e, 0644);
	l->archive_entry_set_size(e, (la_int64_t)size);
	l->archive_entry_set_mtime(e, 0, 0);
	r = l->archive_write_header(o->a, e);
	l->archive_entry_free(e);
	return r < ARCHIVE_WARN ? out_failed(o, err) : 0;
}

int archive_out_data(struct archive_out *o, const void *data, size_t len, struct err *err)
{
	const char *at = data;

	while (len > 0) {
		la_ssize_t n = o->lib->archive_write_data(o->a, at, len);

		if (n < 0)
			return out_failed(o, err);
		if (n == 0)
			return err_set(err, EIO, "a member is longer than was announced");
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int archive_out_close(struct archive_out *o, struct err *err)
{
	int r = o->lib->archive_write_close(o->a) == ARCHIVE_OK ? 0 : out_failed(o, err);

	archive_out_free(o);
	return r;
}

void archive_out_free(struct archive_out *o)
{
	if (!o)
		return;
	if (o->a) {
		/* Nothing more reaches the sink. */
		if (o->failed == 0)
			o->failed = -ECANCELED;
		(void)o->lib->archive_write_free(o->a);
	}
	err_clear(&o->err);
	free(o);
}

void auto_archive_out_fn(struct archive_out **o)
{
	archive_out_free(*o);
}
