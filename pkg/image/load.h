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
	/* Not an archive but a folder: what is needed of it is read when it is. */
	bool in_folder, nameless;
	int folder;
	size_t texts_size, members, descriptors;
	struct new_images images;
	struct strs names; /* as they were, for the report */
};

/* The path of a member, as a key. The caller frees. */
char *load_clean_name(const char *path);
void load_clear(struct load *l);
/* Fill in images and names from what was read. */
int load_understand(struct load *l, struct err *err);
/* The same of the one image of an OCI layout that is meant; see image_layout_parse(). */
int load_choose(struct load *l, const struct image_layout *which, struct err *err);

/* load_layout.c: a file of the folder becomes one of texts or layers, if it is there. */
void load_folder_text(struct load *l, const char *path);
void load_folder_layer(struct load *l, const char *path);

#endif
