/* archive.h - tar archives, plain or compressed by gzip, zstd or xz: read, unpack, pack.
 *
 * Floor 1. The only place that sees libarchive, which is loaded on first use: -ENOTSUP with a
 * sentence when it is not installed. Everything in an archive is hostile: names never leave the
 * folder unpacked to, numbers are bounded before they are believed.
 */
#ifndef CTRCOMPOSE_ARCHIVE_H
#define CTRCOMPOSE_ARCHIVE_H

#include <ctrcompose/base.h>

/* Where bytes come from: as read(2), 0 at the end; a negative errno with err set stops it all. */
typedef ssize_t archive_source_fn(void *arg, void *buf, size_t len, struct err *err);
ssize_t archive_source_fd(void *arg, void *buf, size_t len, struct err *err); /* arg: int * */
/* Where bytes go to: all of them, or a negative errno. */
typedef int archive_sink_fn(void *arg, const void *data, size_t len, struct err *err);
int archive_sink_fd(void *arg, const void *data, size_t len, struct err *err); /* arg: int * */

/* ---- Reading ---------------------------------------------------------------------------------
 * fn is called for each member in order. It may read the member's content with
 * archive_member_read(), also partly or not at all. Its negative return ends the walk and is
 * the result; 1 ends it with success.
 */
enum archive_kind {
	ARCHIVE_FILE,
	ARCHIVE_FOLDER,
	ARCHIVE_SYMLINK,
	ARCHIVE_HARDLINK,
	ARCHIVE_OTHER
};
struct archive_stream;
struct archive_member {
	const char *path; /* as the archive has it, not cleaned */
	const char *link; /* target of a symlink or hardlink, else NULL */
	enum archive_kind kind;
	uint64_t size; /* what the header says */
	struct archive_stream *stream;
};
typedef int archive_member_fn(void *arg, const struct archive_member *m, struct err *err);

/* -EBADMSG: not an archive, or cut off. */
int archive_walk(archive_source_fn *src, void *src_arg, archive_member_fn *fn, void *fn_arg,
		 struct err *err);
/* The same of a descriptor: in a plain tar that is a regular file, what fn leaves unread is skipped
 * by seeking. */
int archive_walk_fd(int fd, archive_member_fn *fn, void *fn_arg, struct err *err);
ssize_t archive_member_read(struct archive_stream *s, void *buf, size_t len, struct err *err);

/* ---- Unpacking a layer -----------------------------------------------------------------------
 * Below dirfd and nowhere else; ".." and "/" lead to dirfd itself, links are resolved inside.
 * Owners, modes, times, symlinks, hardlinks, FIFOs, xattrs user.* (but user.overlay.*) and
 * security.capability are kept; devices and sockets are skipped. The last of two members with
 * one name wins. The folder dirfd itself keeps the mode and owner it has.
 * ".wh.NAME" and ".wh..wh..opq" become what overlayfs understands: a character device 0:0, and
 * trusted.overlay.opaque = "y" on the folder.
 */
/* How the first bytes of a stream say that it is packed; with few of them, PACKED means "maybe". */
enum archive_packing { ARCHIVE_PLAIN, ARCHIVE_PACKED, ARCHIVE_XZ };
enum archive_packing archive_packing_of(const void *head, size_t n);

typedef void archive_tap_fn(void *arg, const void *data, size_t len);
struct archive_unpack {
	uint64_t max_entries, max_bytes; /* 0: ARCHIVE_*_MAX */
	/* If set: sees each byte of the tar stream after decompression, in order, to its end. It and the
	 * source may be called by a thread of their own each, which are gone afterwards. */
	archive_tap_fn *tap;
	void *tap_arg;
	/* Results. */
	uint64_t entries, bytes, skipped;
};
#define ARCHIVE_ENTRIES_MAX (4ULL << 20)
#define ARCHIVE_BYTES_MAX   (256ULL << 30)

/* On failure a part may have been unpacked: remove the folder. -E2BIG: beyond a bound. -ENOSPC: the
 * disk is nearly full. */
int archive_unpack(archive_source_fn *src, void *src_arg, int dirfd, struct archive_unpack *opt,
		   struct err *err);

/* ---- Writing ----------------------------------------------------------------------------------
 * A plain tar of files (root's, 0644, of 1970), or one stream through gzip, whose bytes depend on
 * nothing but what goes in. Each member has exactly as many bytes as were announced.
 */
struct archive_out;
enum archive_out_kind { ARCHIVE_OUT_TAR, ARCHIVE_OUT_GZIP };
int archive_out_open(enum archive_out_kind kind, archive_sink_fn *sink, void *sink_arg,
		     struct archive_out **out, struct err *err);
int archive_out_member(struct archive_out *o, const char *name, uint64_t size, struct err *err);
int archive_out_data(struct archive_out *o, const void *data, size_t len, struct err *err);
/* Writes the end, and frees in any case. */
int archive_out_close(struct archive_out *o, struct err *err);
void archive_out_free(struct archive_out *o); /* gives up; NULL is fine */
void auto_archive_out_fn(struct archive_out **o);
#define auto_archive_out __attribute__((cleanup(auto_archive_out_fn)))

/* ---- Packing ---------------------------------------------------------------------------------
 * The content of the folder dirfd as a plain tar (pax), names sorted: the same tree gives the same
 * bytes. Stays on its file system; devices and sockets are left out.
 */
int archive_pack(int dirfd, archive_sink_fn *sink, void *sink_arg, struct err *err);
/* The same of an unpacked layer: overlayfs's whiteouts and opaque folders become ".wh." members. */
int archive_pack_layer(int dirfd, archive_sink_fn *sink, void *sink_arg, struct err *err);

#endif
