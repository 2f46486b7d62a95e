/* commit.c - new layers and images become visible, all at once; see private.h */
#include "private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void new_layer_clear(struct new_layer *l)
{
	free(l->dir);
	free(l->blob_file);
	free(l->problem);
	*l = (struct new_layer){ 0 };
}

void new_image_clear(struct new_image *n)
{
	free(n->config);
	free(n->manifest_text);
	free(n->created);
	strs_clear(&n->refs);
	strs_clear(&n->digests);
	free(n->layers.v);
	*n = (struct new_image){ 0 };
}

static int put_blob(struct image_store *s, const char *hex, const char *text, size_t len,
		    struct err *err)
{
	int r = file_replace(s->blobs, hex, text, len, 0600, true);

	return r < 0 ? err_wrap(err, r, "write %s/images/blobs/sha256/%s", s->path, hex) : 0;
}

/* Into its place, unless another one was faster. The content was synced by the caller. */
static int put_layer(struct image_store *s, int work, const struct new_layer *l, struct err *err)
{
	/* It was there when it was looked for, but the lock is ours only now. */
	if (l->known && faccessat(s->layers, l->diff, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ESTALE,
			       "layer %.12s was removed by another command meanwhile: try again",
			       l->diff);
	if (l->known)
		return 0;
	if (l->blob_file && renameat(work, l->blob_file, s->blobs, l->blob) < 0 && errno != ENOENT)
		return err_errno(err, "put a layer's blob into %s/images", s->path);
	if (!l->dir)
		return 0;
	if (renameat(work, l->dir, s->layers, l->diff) == 0 || errno == ENOTEMPTY ||
	    errno == EEXIST || errno == ENOENT)
		return 0; /* ENOENT: the same layer twice, it is there already */
	return err_errno(err, "put a layer into %s", s->layers_path);
}

/* What a build was made of came with bytes that can't always be made again: they stay as long as one of
 * the images does that have the layer. */
static void keep_blobs(const struct index *ix, struct index_image *img)
{
	for (size_t i = 0; i < img->layers.n; i++) {
		struct index_layer *l = &img->layers.v[i];
		const struct index_layer *other = l->blob[0] ? NULL : index_layer(ix, l->diff);

		if (other)
			memcpy(l->blob, other->blob, sizeof(l->blob));
	}
}

static void list_image(struct index *ix, const struct new_image *n)
{
	struct index_image *img = index_by_id(ix, n->id);
	bool fresh = !img;

	if (fresh) {
		img = vec_push(ix);
		memcpy(img->id, n->id, sizeof(img->id));
		img->created = xstrdup(n->created ? n->created : "");
	}
	/* The same config with other blobs: those of a manifest are worth more than none. */
	for (size_t i = 0; i < n->layers.n && (fresh || n->manifest[0]); i++) {
		struct index_layer *l =
			i < img->layers.n ? &img->layers.v[i] : vec_push(&img->layers);

		memcpy(l->diff, n->layers.v[i]->diff, sizeof(l->diff));
		memcpy(l->blob, n->layers.v[i]->blob, sizeof(l->blob));
		l->size = n->layers.v[i]->size;
	}
	keep_blobs(ix, img);
	if (n->manifest[0])
		memcpy(img->manifest, n->manifest, sizeof(img->manifest));
	if (n->checked)
		img->checked = n->checked;
	for (size_t i = 0; i < n->digests.n; i++)
		index_tag(ix, img, n->digests.v[i]);
	for (size_t i = 0; i < n->refs.n; i++)
		index_tag(ix, img, n->refs.v[i]);
}

int store_commit(struct image_store *s, int work, struct new_images *images, struct err *err)
{
	auto_close int lock = store_lock(s, err);
	auto_index struct index ix = { 0 };
	int r = lock < 0 ? lock : index_read(s, &ix, err);

	/* Layers must be on disk before an index names them. */
	if (r == 0 && syncfs(s->layers) < 0)
		r = err_errno(err, "write %s", s->layers_path);
	for (size_t i = 0; r == 0 && i < images->n; i++) {
		struct new_image *n = &images->v[i];

		r = put_blob(s, n->id, n->config, n->config_len, err);
		if (r == 0 && n->manifest[0])
			r = put_blob(s, n->manifest, n->manifest_text, n->manifest_len, err);
		for (size_t k = 0; r == 0 && k < n->layers.n; k++)
			r = put_layer(s, work, n->layers.v[k], err);
		if (r == 0)
			list_image(&ix, n);
	}
	if (r == 0)
		r = index_write(s, &ix, err);
	store_release(s);
	if (r == 0)
		store_sweep(s, &ix);
	return r;
}
