/* lib.h - libarchive, loaded when first needed: it brings libxml2 and ICU, which cost every start
 * of a process milliseconds that only few commands have a use for. */
#ifndef CTRCOMPOSE_ARCHIVE_LIB_H
#define CTRCOMPOSE_ARCHIVE_LIB_H

#include <ctrcompose/archive.h>

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

/* One line per function used; typed by libarchive's own header. */
#define ARCHIVE_LIB_FUNCTIONS(X)                   \
	X(archive_error_string)                    \
	X(archive_errno)                           \
	X(archive_read_new)                        \
	X(archive_read_free)                       \
	X(archive_read_open2)                      \
	X(archive_read_support_filter_gzip)        \
	X(archive_read_support_filter_xz)          \
	X(archive_read_support_filter_zstd)        \
	X(archive_read_support_format_tar)         \
	X(archive_read_support_format_raw)         \
	X(archive_read_support_format_empty)       \
	X(archive_read_next_header)                \
	X(archive_read_data)                       \
	X(archive_read_data_block)                 \
	X(archive_write_new)                       \
	X(archive_write_free)                      \
	X(archive_write_close)                     \
	X(archive_write_open)                      \
	X(archive_write_set_format_pax_restricted) \
	X(archive_write_set_format_raw)            \
	X(archive_write_add_filter_gzip)           \
	X(archive_write_set_options)               \
	X(archive_write_set_bytes_per_block)       \
	X(archive_write_set_bytes_in_last_block)   \
	X(archive_write_header)                    \
	X(archive_write_data)                      \
	X(archive_entry_new)                       \
	X(archive_entry_free)                      \
	X(archive_entry_pathname)                  \
	X(archive_entry_symlink)                   \
	X(archive_entry_hardlink)                  \
	X(archive_entry_filetype)                  \
	X(archive_entry_perm)                      \
	X(archive_entry_uid)                       \
	X(archive_entry_gid)                       \
	X(archive_entry_size)                      \
	X(archive_entry_mtime)                     \
	X(archive_entry_mtime_nsec)                \
	X(archive_entry_mtime_is_set)              \
	X(archive_entry_xattr_reset)               \
	X(archive_entry_xattr_next)                \
	X(archive_entry_set_pathname)              \
	X(archive_entry_set_hardlink)              \
	X(archive_entry_set_symlink)               \
	X(archive_entry_set_size)                  \
	X(archive_entry_set_filetype)              \
	X(archive_entry_set_perm)                  \
	X(archive_entry_set_uid)                   \
	X(archive_entry_set_gid)                   \
	X(archive_entry_set_mtime)                 \
	X(archive_entry_xattr_add_entry)

struct archive_lib {
	ARCHIVE_LIB_FUNCTIONS(LIB_FIELD)
};

/* NULL with err set when it cannot be loaded. */
const struct archive_lib *archive_lib_get(struct err *err);

/* Names in an archive are UTF-8 or plain bytes, whatever the user's locale: libarchive asks the
 * calling thread's. Give what enter returned to leave. */
locale_t archive_lib_enter(void);
void archive_lib_leave(locale_t before);

/* An open tar for reading; callbacks as in archive.h. Private to this folder. */
struct archive_stream {
	const struct archive_lib *lib;
	struct archive *tar;
	archive_source_fn *src;
	void *src_arg;
	char *buf;
	int failed;     /* negative errno of the source */
	struct err err; /* and its sentence */
};

enum archive_stream_kind {
	ARCHIVE_STREAM_TAR,       /* members of a tar, compressed or not */
	ARCHIVE_STREAM_RAW,       /* one member: the bytes after decompression */
	ARCHIVE_STREAM_PLAIN_TAR, /* src is ignored, src_arg is a struct ahead * */
	ARCHIVE_STREAM_SEEK,      /* as TAR; src_arg is an int *: a descriptor to seek in */
};
int archive_stream_open(struct archive_stream *s, enum archive_stream_kind kind,
			archive_source_fn *src, void *src_arg, struct err *err);
void archive_stream_close(struct archive_stream *s);
#define auto_archive_stream __attribute__((cleanup(archive_stream_close)))
/* 1: *entry is the next member; 0: the end. */
int archive_stream_next(struct archive_stream *s, struct archive_entry **entry, struct err *err);
/* What went wrong last: the source's own words, or the library's. */
int archive_stream_failed(struct archive_stream *s, struct err *err);

#endif
