/* disk.c - what images take on disk, counted as du does; see image.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>

uint64_t store_space(struct image_store *s)
{
	return path_space(s->images, ".") + path_space(s->layers, ".");
}

/* Who has a layer or a blob. */
enum { BY_IMAGE = 1, BY_ACTIVE = 2, BY_CACHE = 4 };

static void mark(struct map *m, const char *hex, uintptr_t who)
{
	if (*hex)
		map_put(m, hex, (void *)((uintptr_t)map_get(m, hex) | who));
}

static void mark_image(struct map *layers, struct map *blobs, const struct index_image *img,
		       bool active)
{
	uintptr_t who = BY_IMAGE | (active ? BY_ACTIVE : 0);

	mark(blobs, img->id, who);
	mark(blobs, img->manifest, who);
	for (size_t i = 0; i < img->layers.n; i++) {
		mark(layers, img->layers.v[i].diff, who);
		mark(blobs, img->layers.v[i].blob, who);
	}
}

static void add_up(int dirfd, const struct map *who, struct image_disk *d, uint64_t *sum)
{
	for (size_t i = 0; i < who->n; i++) {
		uintptr_t by = (uintptr_t)who->entries[i].value;
		uint64_t bytes = path_space(dirfd, who->entries[i].key);

		*sum += bytes;
		if (by & BY_IMAGE)
			d->images_bytes += bytes;
		else
			d->cache_bytes += bytes;
		if ((by & BY_IMAGE) && !(by & (BY_ACTIVE | BY_CACHE)))
			d->images_reclaimable += bytes;
	}
}

int image_disk(struct image_store *s, const struct strs *used, struct image_disk *out,
	       struct err *err)
{
	auto_index struct index ix = { 0 };
	auto_map struct map layers = { 0 }, blobs = { 0 }, cached = { 0 };
	struct image_disk d = { 0 };
	uint64_t sum = 0, mounts, all;
	int r = index_read(s, &ix, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ix.n; i++) {
		bool active = used && strs_has(used, ix.v[i].id);

		d.images++;
		d.images_active += active;
		mark_image(&layers, &blobs, &ix.v[i], active);
	}
	d.cache = store_cached_layers(s, &cached);
	for (size_t i = 0; i < cached.n; i++)
		mark(&layers, cached.entries[i].key, BY_CACHE);
	add_up(s->layers, &layers, &d, &sum);
	add_up(s->blobs, &blobs, &d, &sum);
	mounts = path_space(s->images, "mounts");
	d.cache_bytes += mounts;
	sum += mounts;
	all = store_space(s);
	d.rest_bytes = all > sum ? all - sum : 0;
	*out = d;
	return 0;
}
