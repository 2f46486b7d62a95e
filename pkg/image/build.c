/* build.c - layers that steps of builds make, and the images made of them; see image.h */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct image_work {
	struct image_store *store;
	char *name, *path;
	int fd;
};

int image_work_open(struct image_store *s, struct image_work **out, struct err *err)
{
	struct image_work *w = xcalloc(1, sizeof(*w));
	int r;

	w->store = s;
	w->fd = -1;
	r = store_work_open(s, &w->name, &w->fd, err);
	if (r < 0) {
		free(w);
		return r;
	}
	w->path = path_join("layers", w->name);
	*out = w;
	return 0;
}

void image_work_close(struct image_work *w)
{
	if (!w)
		return;
	store_work_remove(w->store, w->name);
	auto_close_fn(&w->fd);
	free(w->name);
	free(w->path);
	free(w);
}

int image_work_fd(const struct image_work *w)
{
	return w->fd;
}

struct image_store *image_work_store(const struct image_work *w)
{
	return w->store;
}

const char *image_work_name(const struct image_work *w)
{
	return w->path;
}

/* ---- The cache: one file per key with "diff size created" ------------------------------------- */
static int cache_open(struct image_store *s)
{
	int fd;

	if (mkdirat(s->images, "cache", 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(s->images, "cache", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool cache_read(int dir, const char *key, struct image_layer *out)
{
	auto_free char *text = NULL;
	char diff[DIGEST_HEX + 1];

	if (file_read(dir, key, 256, &text, NULL) < 0)
		return false;
	*out = (struct image_layer){ 0 };
	if (sscanf(text, "%65s %" SCNu64 " %39s", diff, &out->size, out->created) != 3)
		return false;
	if (strcmp(diff, "-") == 0)
		return true;
	if (!digest_hex_ok(diff))
		return false;
	memcpy(out->diff, diff, DIGEST_HEX);
	return true;
}

bool image_cache_find(struct image_store *s, const char *key, struct image_layer *out)
{
	auto_close int dir = cache_open(s);
	struct image_layer l;

	if (dir < 0 || !digest_hex_ok(key) || !cache_read(dir, key, &l) ||
	    (*l.diff && faccessat(s->layers, l.diff, F_OK, AT_SYMLINK_NOFOLLOW) < 0))
		return false;
	*out = l;
	return true;
}

size_t store_cached_layers(struct image_store *s, struct map *out)
{
	size_t n = 0;
	int fd = cache_open(s);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct image_layer l;
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (digest_hex_ok(e->d_name) && cache_read(dirfd(dir), e->d_name, &l)) {
			n++;
			if (*l.diff)
				map_put(out, l.diff, s);
		}
	if (dir)
		(void)closedir(dir);
	else
		auto_close_fn(&fd);
	return n;
}

int image_cache_put(struct image_work *w, const char *name, const char *key,
		    const struct image_layer *l, struct err *err)
{
	struct image_store *s = w->store;
	auto_close int lock = -1, dir = -1;
	auto_free char *text =
		xasprintf("%s %" PRIu64 " %s\n", *l->diff ? l->diff : "-", l->size, l->created);
	int r;

	/* The layer must be on disk before anything names it. */
	if (*l->diff && syncfs(s->layers) < 0)
		return err_errno(err, "write %s", s->layers_path);
	lock = store_lock(s, err);
	if (lock < 0)
		return lock;
	dir = cache_open(s);
	if (dir < 0)
		return err_set(err, dir, "%s/images/cache: %s", s->path, strerror(-dir));
	if (name && *l->diff && renameat(w->fd, name, s->layers, l->diff) < 0 &&
	    errno != ENOTEMPTY && errno != EEXIST)
		return err_errno(err, "put a layer into %s", s->layers_path);
	r = file_replace(dir, key, text, strlen(text), 0600, false);
	return r < 0 ? err_set(err, r, "write %s/images/cache: %s", s->path, strerror(-r)) : 0;
}

int image_cache_clear(struct image_store *s, struct err *err)
{
	auto_close int lock = store_lock(s, err), alone = -1;
	auto_index struct index ix = { 0 };
	int r = lock < 0 ? lock : index_read(s, &ix, err);

	if (r == 0)
		r = path_remove_tree(s->images, "cache");
	if (r == 0 && (alone = store_alone(s)) >= 0)
		r = path_remove_tree(s->images, "mounts"); /* no build has one of them now */
	auto_close_fn(&alone);
	alone = -1;
	if (r < 0)
		return err_wrap(err, r, "%s/images", s->path);
	store_sweep(s, &ix);
	return 0;
}

/* ---- Images ----------------------------------------------------------------------------------- */
int image_config(struct image_store *s, const char *ref, struct json **out, struct err *err)
{
	auto_index struct index ix = { 0 };
	auto_free char *text = NULL;
	struct index_image *ii = NULL;
	size_t len = 0;
	int r = index_read(s, &ix, err);

	if (r == 0)
		r = index_resolve(&ix, ref, &ii, NULL, err);
	if (r == 0)
		r = store_blob_read(s, ii->id, &text, &len, err);
	return r < 0 ? r : json_parse(text, len, out, err);
}

void image_layer_sizes(struct image_store *s, struct image_layer *v, size_t n)
{
	auto_index struct index ix = { 0 };

	if (index_read(s, &ix, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct index_layer *l = index_layer(&ix, v[i].diff);

		if (l)
			v[i].size = l->size;
	}
}

static bool nothing_new(struct image_store *s, const struct new_image *n)
{
	auto_index struct index ix = { 0 };
	const struct index_image *img;

	if (index_read(s, &ix, NULL) < 0)
		return false;
	img = index_by_id(&ix, n->id);
	for (size_t i = 0; img && i < n->refs.n; i++)
		if (!strs_has(&img->refs, n->refs.v[i]))
			return false;
	for (size_t i = 0; img && i < img->layers.n; i++) {
		const struct index_layer *l = index_layer(&ix, img->layers.v[i].diff);

		if (!img->layers.v[i].blob[0] && l && l->blob[0])
			return false; /* it is to keep those bytes as well */
	}
	return img != NULL;
}

int image_commit(struct image_store *s, const char *config, const struct image_layer *layers,
		 size_t n, const struct list *refs, char id[65], struct err *err)
{
	auto_free struct new_layer *own = xcalloc(n + 1, sizeof(*own));
	struct new_image img = { .config = xstrdup(config), .config_len = strlen(config) };
	struct new_images all = { .v = &img, .n = 1 };
	auto_json struct json *j = NULL;
	int r = json_parse(config, img.config_len, &j, err);

	if (r == 0)
		img.created = xstrdup(json_str(j, "created", ""));
	digest_text(config, img.config_len, img.id);
	for (size_t i = 0; r == 0 && i < refs->n; i++) {
		auto_free char *normal = NULL;

		r = image_ref_normal(refs->v[i], &normal, err);
		if (r == 0)
			strs_add(&img.refs, normal);
	}
	for (size_t i = 0; i < n; i++) {
		own[i].known = true;
		own[i].size = layers[i].size;
		memcpy(own[i].diff, layers[i].diff, DIGEST_HEX);
		*vec_push(&img.layers) = &own[i];
	}
	if (r == 0 && !nothing_new(s, &img))
		r = store_commit(s, -1, &all, err);
	if (r == 0)
		memcpy(id, img.id, DIGEST_HEX);
	new_image_clear(&img);
	return r;
}
