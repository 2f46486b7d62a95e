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

/* Put one member in its place. */
int unpack_place(struct unpack *u, struct archive_entry *e, struct err *err);
/* An O_PATH descriptor of the folder `path` ("/", "/a/b"), made where missing; the caller closes. */
int unpack_folder_open(struct unpack *u, const char *path);
/* Descriptor of the folder, kept in u until another is asked for. */
int unpack_parent(struct unpack *u, const char *path);
void unpack_forget_parent(struct unpack *u);

#endif
