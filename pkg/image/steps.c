/* steps.c - what steps of builds made, in a folder for another machine: an OCI layout whose config
 * says which key each layer stands for; see image.h */
#include "private.h"

#include <ctrcompose/archive.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char media_manifest[] = "application/vnd.oci.image.manifest.v1+json";

void image_steps_clear(struct image_steps *l)
{
	free(l->v);
	*l = (struct image_steps){ 0 };
}

bool image_steps_add(struct image_steps *l, const char *key, const struct image_layer *layer)
{
	struct image_step *st;

	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].key, key) == 0)
			return false;
	st = vec_push(l);
	memcpy(st->key, key, DIGEST_HEX);
	st->layer = *layer;
	return true;
}

/* ---- The config; pure ------------------------------------------------------------------------- */
/* As a file of the store has it: blanks are its separators. */
static bool created_ok(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n < sizeof(((struct image_layer *)0)->created) &&
	       strspn(s, "0123456789-:.TZ+") == n;
}

int steps_from(const struct json *j, struct image_steps *out, struct err *err)
{
	const struct json *records = json_get(j, "records");

	if (json_kind(records) != JSON_ARRAY)
		return err_set(err, EBADMSG, "it has no steps of builds");
	if (json_count(records) > IMAGE_STEPS_MAX)
		return err_set(err, E2BIG, "it has more than %d steps", IMAGE_STEPS_MAX);
	for (const struct json *c = json_first(records); c; c = json_next(c)) {
		const char *key = json_str(c, "key", ""), *layer = json_str(c, "layer", NULL);
		const char *created = json_str(c, "created", "");
		struct image_layer l = { 0 };
		int64_t size = json_int(c, "size", -1);

		if (!digest_hex_ok(key) || size < 0 || !created_ok(created) ||
		    (layer && !digest_of(layer)))
			return err_set(err, EBADMSG, "one of its steps makes no sense");
		if (layer)
			memcpy(l.diff, digest_of(layer), DIGEST_HEX);
		l.size = (uint64_t)size;
		(void)snprintf(l.created, sizeof(l.created), "%s", created);
		(void)image_steps_add(out, key, &l);
	}
	return 0;
}

int image_steps_parse(const char *text, size_t len, struct image_steps *out, struct err *err)
{
	auto_json struct json *j = NULL;
	int r = json_parse(text, len, &j, err);

	return r < 0 ? r : steps_from(j, out, err);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct image_step *)a)->key, ((const struct image_step *)b)->key);
}

/* In an order that does not depend on which stage was faster. */
struct json *image_steps_json(const struct image_steps *l)
{
	auto_free struct image_step *v = xcalloc(l->n + 1, sizeof(*v));
	struct json *j = json_object(), *records = json_add_array(j, "records");

	if (l->n)
		memcpy(v, l->v, l->n * sizeof(*v));
	qsort(v, l->n, sizeof(*v), by_key);
	for (size_t i = 0; i < l->n; i++) {
		struct json *o = json_add_object(records, NULL);
		auto_free char *layer = xasprintf("sha256:%s", v[i].layer.diff);

		json_add_str(o, "key", v[i].key);
		if (*v[i].layer.diff)
			json_add_str(o, "layer", layer);
		json_add_int(o, "size", (int64_t)v[i].layer.size);
		json_add_str(o, "created", v[i].layer.created);
	}
	return j;
}

static char *config_text(const struct image_steps *l)
{
	auto_json struct json *j = image_steps_json(l);

	return json_print(j);
}

/* ---- The folder ------------------------------------------------------------------------------- */
struct layout {
	const char *path;
	int top, blobs;
	struct map kept; /* hex of blobs */
};

static void layout_close(struct layout *l)
{
	auto_close_fn(&l->top);
	auto_close_fn(&l->blobs);
	map_clear(&l->kept);
}
#define auto_layout __attribute__((cleanup(layout_close)))

/* Builds may have the same folder at the same time: who writes has it alone. Where it can't be locked,
 * it is as good as it is. */
static void layout_lock(const struct layout *l, bool alone)
{
	while (flock(l->top, alone ? LOCK_EX : LOCK_SH) < 0 && errno == EINTR)
		;
}

static int layout_open(struct layout *l, const char *path, bool write, struct err *err)
{
	*l = (struct layout){ .path = path, .top = -1, .blobs = -1 };
	l->top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->top >= 0)
		l->blobs = openat(l->top, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->blobs < 0)
		return err_errno(err, "the cache %s", path);
	layout_lock(l, write);
	return 0;
}

/* A JSON blob whose digest is right. */
static int read_blob(const struct layout *l, const char *hex, char **text, size_t *len,
		     struct err *err)
{
	auto_free char *t = NULL;
	char is[DIGEST_HEX];
	int r = file_read(l->blobs, hex, IMAGE_JSON_MAX, &t, len);

	if (r < 0)
		return err_set(err, EBADMSG, "blob %.12s: %s", hex, strerror(-r));
	digest_text(t, *len, is);
	if (strcmp(is, hex) != 0)
		return err_set(err, EBADMSG, "blob %.12s has another content than its name says",
			       hex);
	*text = steal(t);
	return 0;
}

/* -ENOENT: there is no index yet. -EBADMSG: it is of something else. */
static int read_steps(const struct layout *l, struct image_steps *out, struct strs *layers,
		      struct err *err)
{
	auto_free char *index = NULL, *manifest = NULL, *config = NULL;
	auto_json struct json *j = NULL;
	char hex[DIGEST_HEX];
	const char *first;
	size_t len;
	int r = file_read(l->top, "index.json", IMAGE_JSON_MAX, &index, &len);

	if (r < 0)
		return err_set(err, r, "index.json: %s", strerror(-r));
	r = json_parse(index, len, &j, err);
	if (r < 0)
		return err_wrap(err, r, "index.json");
	first = digest_of(json_str(json_first(json_get(j, "manifests")), "digest", ""));
	if (!first)
		return err_set(err, EBADMSG, "index.json: it names no manifest");
	r = read_blob(l, first, &manifest, &len, err);
	if (r == 0)
		r = image_manifest_parse(manifest, len, hex, layers, err);
	if (r == 0)
		r = read_blob(l, hex, &config, &len, err);
	return r < 0 ? r : image_steps_parse(config, len, out, err);
}

/* ---- In --------------------------------------------------------------------------------------- */
struct import {
	struct image_work *work;
	const struct layout *from;
	const struct strs *layers;
	int fd; /* of the work folder */
	unsigned n;
};

static int take_layer(struct import *im, struct image_step *st, char **name, struct err *err)
{
	const char *diff = st->layer.diff;
	auto_close int fd = -1;
	struct new_layer y = { 0 };
	int r;

	if (!strs_has(im->layers, diff))
		return err_set(err, EBADMSG, "layer %.12s is not in the manifest", diff);
	fd = openat(im->from->blobs, diff, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, EBADMSG, "layer %.12s: %s", diff, strerror(errno));
	*name = xasprintf("step%u", im->n++);
	r = layer_unpack(im->fd, *name, false, archive_source_fd, &fd, &y, err);
	if (r == 0 && strcmp(y.diff, diff) != 0)
		r = err_set(err, EBADMSG, "layer %.12s has another content than its name says",
			    diff);
	st->layer.size = y.size;
	new_layer_clear(&y);
	return r < 0 ? err_wrap(err, r, "layer %.12s", diff) : 0;
}

static int take_step(struct import *im, struct image_store *s, struct image_step *st,
		     struct err *err)
{
	auto_free char *name = NULL;
	struct image_layer known;
	int r = 0;

	if (image_cache_find(s, st->key, &known))
		return 0;
	if (*st->layer.diff && faccessat(s->layers, st->layer.diff, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		r = take_layer(im, st, &name, err);
	return r < 0 ? r : image_cache_put(im->work, name, st->key, &st->layer, err);
}

int image_steps_import(struct image_work *w, const char *path, struct err *err)
{
	auto_layout struct layout l;
	auto_strs struct strs layers = { 0 };
	struct image_steps steps = { 0 };
	struct import im = { .work = w, .from = &l, .layers = &layers, .fd = image_work_fd(w) };
	int r = layout_open(&l, path, false, err);

	if (r < 0)
		return r;
	r = read_steps(&l, &steps, &layers, err);
	for (size_t i = 0; r == 0 && i < steps.n; i++)
		r = take_step(&im, image_work_store(w), &steps.v[i], err);
	image_steps_clear(&steps);
	return r < 0 ? err_wrap(err, r, "the cache %s", path) : 0;
}

/* ---- Out -------------------------------------------------------------------------------------- */
struct writer {
	int fd;
	struct digest *digest;
	uint64_t size;
};

static int write_some(void *arg, const void *data, size_t len, struct err *err)
{
	struct writer *w = arg;
	int r = fd_write_all(w->fd, data, len);

	digest_add(w->digest, data, len);
	w->size += len;
	return r < 0 ? err_set(err, r, "write: %s", strerror(-r)) : 0;
}

/* A whole blob is seen or none. */
static int put_layer(struct image_store *s, struct layout *l, const char *diff, uint64_t *size,
		     struct err *err)
{
	auto_free char *tmp = xasprintf(".%s", diff);
	auto_close int dir = -1, fd = -1;
	struct writer w = { 0 };
	struct stat st;
	char is[DIGEST_HEX];
	int r;

	if (fstatat(l->blobs, diff, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		*size = (uint64_t)st.st_size;
		return 0;
	}
	dir = openat(s->layers, diff, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "layer %.12s", diff);
	fd = openat(l->blobs, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, "make a file");
	w = (struct writer){ .fd = fd, .digest = digest_new() };
	r = archive_pack_layer(dir, write_some, &w, err);
	digest_end(w.digest, is);
	if (r == 0 && strcmp(is, diff) != 0)
		r = err_set(err, ENODATA, "it can't be made again bit by bit");
	if (r == 0 && (fsync(fd) < 0 || renameat(l->blobs, tmp, l->blobs, diff) < 0))
		r = err_errno(err, "write");
	if (r < 0)
		(void)unlinkat(l->blobs, tmp, 0);
	*size = w.size;
	return r < 0 ? err_wrap(err, r, "layer %.12s", diff) : 0;
}

static int put_text(struct layout *l, const char *text, char hex[DIGEST_HEX], struct err *err)
{
	int r;

	digest_text(text, strlen(text), hex);
	map_put(&l->kept, hex, l);
	r = file_replace(l->blobs, hex, text, strlen(text), 0644, true);
	return r < 0 ? err_set(err, r, "write: %s", strerror(-r)) : 0;
}

static int put_layers(struct image_store *s, struct layout *l, const struct image_steps *steps,
		      struct json *list, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < steps->n; i++) {
		const char *diff = steps->v[i].layer.diff;
		uint64_t size = 0;

		if (!*diff || map_has(&l->kept, diff))
			continue;
		map_put(&l->kept, diff, l);
		r = put_layer(s, l, diff, &size, err);
		if (r == 0)
			(void)descriptor_add(list, NULL, "application/vnd.oci.image.layer.v1.tar",
					     diff, size);
	}
	return r;
}

static int put_all(struct image_store *s, struct layout *l, const struct image_steps *steps,
		   struct err *err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	auto_json struct json *manifest = json_object(), *index = json_object();
	auto_free char *config = config_text(steps), *text = NULL, *index_text = NULL;
	struct json *list;
	char hex[DIGEST_HEX];
	int r = put_text(l, config, hex, err);

	json_add_int(manifest, "schemaVersion", 2);
	json_add_str(manifest, "mediaType", media_manifest);
	(void)descriptor_add(manifest, "config", MEDIA_STEPS, hex, strlen(config));
	list = json_add_array(manifest, "layers");
	if (r == 0)
		r = put_layers(s, l, steps, list, err);
	text = json_print(manifest);
	if (r == 0)
		r = put_text(l, text, hex, err);
	json_add_int(index, "schemaVersion", 2);
	json_add_str(index, "mediaType", "application/vnd.oci.image.index.v1+json");
	(void)descriptor_add(json_add_array(index, "manifests"), NULL, media_manifest, hex,
			     strlen(text));
	index_text = json_print(index);
	if (r == 0)
		r = file_replace(l->top, "oci-layout", layout, strlen(layout), 0644, false);
	if (r == 0)
		r = file_replace(l->top, "index.json", index_text, strlen(index_text), 0644, true);
	return r < 0 && !err->code ? err_set(err, r, "write: %s", strerror(-r)) : r;
}

/* Of earlier times. Names that are no digests are somebody else's. */
static void drop_others(const struct layout *l)
{
	int copy = openat(l->blobs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (digest_hex_ok(e->d_name) && !map_has(&l->kept, e->d_name))
			(void)unlinkat(l->blobs, e->d_name, 0);
	if (dir)
		(void)closedir(dir);
}

/* What is there must be a cache of ours. */
static int check_old(const struct layout *l, struct err *err)
{
	struct image_steps old = { 0 };
	auto_strs struct strs layers = { 0 };
	auto_err struct err why = ERR_INIT;
	int r = read_steps(l, &old, &layers, &why);

	image_steps_clear(&old);
	return r == 0 || r == -ENOENT
		       ? 0
		       : err_set(err, EEXIST, "something else is there (%s)", err_text(&why));
}

int image_steps_export(struct image_store *s, const char *path, const struct image_steps *steps,
		       struct err *err)
{
	auto_layout struct layout l = { .top = -1, .blobs = -1 };
	auto_free char *blobs = path_join(path, "blobs/sha256");
	int r = path_mkdirs(blobs, 0755);

	if (r < 0)
		return err_set(err, r, "make %s: %s", blobs, strerror(-r));
	r = layout_open(&l, path, true, err);
	if (r < 0)
		return r;
	r = check_old(&l, err);
	if (r == 0)
		r = put_all(s, &l, steps, err);
	if (r == 0)
		drop_others(&l);
	return r < 0 ? err_wrap(err, r, "the cache %s", path) : 0;
}
