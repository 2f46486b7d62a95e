/* unpack.h - what unpack.c and place.c share. */
#ifndef CTRCOMPOSE_ARCHIVE_UNPACK_H
#define CTRCOMPOSE_ARCHIVE_UNPACK_H

#include "lib.h"

#include <time.h>

struct unpack {
	const struct archive_lib *lib;
	struct archive_stream *tar;
	struct archive_unpack *opt;
	int root;

	/* The folder of the last member, since neighbours follow each other. */
	char *parent_path; /* NULL: none */
	int parent;

	/* Times of folders are set last: what comes into them would change them. */
	struct {
		struct unpack_folder {
			char *path;
			struct timespec mtime;
		} * v;
		size_t n, cap;
	} folders;
};

/* ahead.c: a stream of which each byte is shown to tap, by a thread of its own once there is much of
 * it, while another one reads on. fill returns the bytes it gave, 0 at the end, a negative errno. */
struct ahead;
struct ahead *ahead_open(archive_source_fn *fill, void *fill_arg, archive_tap_fn *tap,
			 void *tap_arg) __attribute__((returns_nonnull));
/* The next bytes, as long as nothing else is asked for; 0 at the end. */
ssize_t ahead_next(struct ahead *a, const void **data, struct err *err);
/* Afterwards tap has seen all that fill gave, if ahead_next() came to the end. */
void ahead_close(struct ahead *a);

/* Put one member in its place. */
int unpack_place(struct unpack *u, struct archive_entry *e, struct err *err);
/* An O_PATH descriptor of the folder `path` ("/", "/a/b"), made where missing; the caller closes. */
int unpack_folder_open(struct unpack *u, const char *path);
/* Descriptor of the folder, kept in u until another is asked for. */
int unpack_parent(struct unpack *u, const char *path);
void unpack_forget_parent(struct unpack *u);

#endif
