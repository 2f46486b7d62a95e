/* load.h - what load.c (the stream) and load_parse.c (what it means) share. */
#ifndef CTRCOMPOSE_IMAGE_LOAD_H
#define CTRCOMPOSE_IMAGE_LOAD_H

#include "private.h"

struct text {
	char *s;
	size_t len;
};

struct load {
	struct image_store *store;
	const char *what;
	int work;
	struct index index; /* as it was when the load began */
	struct map texts;   /* path -> struct text */
	struct map layers;  /* path -> struct new_layer */
	struct map links;   /* path -> path */
	/* The archive can be read twice. First only texts; `wanted` (path -> load) are the layers that
	 * they name and the store lacks; then only these are unpacked. */
	bool first_look, second_look;
	struct map wanted;
	size_t texts_size, members, descriptors;
	struct new_images images;
	struct strs names; /* as they were, for the report */
};

/* The path of a member, as a key. The caller frees. */
char *load_clean_name(const char *path);
void load_clear(struct load *l);
/* Fill in images and names from what was read. */
int load_understand(struct load *l, struct err *err);

#endif
