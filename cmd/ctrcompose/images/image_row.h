/* image_row.h - an image as a row of `image ls` and of `images`: the same cells in the same words. */
#ifndef CMD_IMAGE_ROW_H
#define CMD_IMAGE_ROW_H

#include "cmd.h"
#include "screen/screen.h"

struct image_cells {
	const char *id;      /* 64 digits, or "" */
	const char *ref;     /* "example.org:5000/app:1"; NULL or "": it has no name */
	const char *created; /* RFC 3339, or "" */
	uint64_t size;
	bool no_trunc; /* the whole id */
};

/* "example.org:5000/app:1" into its name, which the caller frees, and its tag, "" for none. */
char *image_split(const char *ref, const char **tag);
/* The keys of `docker image ls --format json`, as text for people. */
void image_row(struct json *row, const struct image_cells *c);
/* Their columns: CONTAINER, IMAGE ID, CREATED. */
extern const struct template_header image_headers[];

#endif
