/* steps_remote.c - steps of builds that a registry has, one by one as they are needed; see image.h */
#include "private.h"

#include <ctrcompose/archive.h>
#include <ctrcompose/registry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct image_remote {
	struct image_work *work;
	struct registry *reg;
	char *normal;
	const volatile bool *cancelled;
	struct image_steps steps;
	struct strs diffs; /* of each layer: the digest of its tar, */
	struct strs hexes; /* of its blob */
	struct json *manifest;
};

void image_remote_close(struct image_remote *r)
{
	if (!r)
		return;
	registry_close(&r->reg);
	image_steps_clear(&r->steps);
	strs_clear(&r->diffs);
	strs_clear(&r->hexes);
	json_free(r->manifest);
	free(r->normal);
	free(r);
}

static void auto_image_remote_fn(struct image_remote **r)
{
	image_remote_close(*r);
}
#define auto_image_remote __attribute__((cleanup(auto_image_remote_fn)))

/* What the config says: of steps alone, or of an image that has some beside all else. */
static int read_config(struct image_remote *r, const char *text, size_t len, struct err *err)
{
	auto_json struct json *j = NULL;
	const struct json *inside;
	int result = json_parse(text, len, &j, err);

	if (result < 0)
		return result;
	if (str_eq(json_str(json_get(r->manifest, "config"), "mediaType", ""), MEDIA_STEPS)) {
		for (size_t i = 0; i < r->hexes.n; i++)
			strs_add(&r->diffs, r->hexes.v[i]);
		return steps_from(j, &r->steps, err);
	}
	inside = json_get(j, IMAGE_STEPS_KEY);
	if (!inside)
		return err_set(err, ENODATA, "it is an image without steps of builds");
	result = config_diff_ids(j, &r->diffs, err);
	if (result == 0 && r->diffs.n != r->hexes.n)
		result = err_set(err, EBADMSG, "the config names %zu layers, the manifest %zu",
				 r->diffs.n, r->hexes.n);
	return result < 0 ? result : steps_from(inside, &r->steps, err);
}

static int read_remote(struct image_remote *r, struct err *err)
{
	auto_registry_manifest struct registry_manifest m = { 0 };
	char pinned[DIGEST_HEX], config[DIGEST_HEX];
	auto_free char *text = NULL;
	size_t len = 0;
	int64_t size;
	int result = pull_manifest(r->reg, r->normal, NULL, &m, pinned, err);

	if (result < 0)
		return result;
	result = image_manifest_parse(m.text, m.len, config, &r->hexes, err);
	if (result == 0)
		result = json_parse(m.text, m.len, &r->manifest, err);
	if (result < 0)
		return err_wrap(err, result, "%s: its manifest", r->normal);
	size = json_int(json_get(r->manifest, "config"), "size", -1);
	if (size < 0)
		return err_set(err, EBADMSG, "%s: its config has no size", r->normal);
	result = pull_text(r->reg, r->normal, config, (uint64_t)size, r->cancelled, &text, &len,
			   err);
	if (result < 0)
		return result;
	result = read_config(r, text, len, err);
	return result < 0 ? err_wrap(err, result, "%s", r->normal) : 0;
}

int image_remote_open(struct image_work *w, const char *ref, const volatile bool *cancelled,
		      struct image_remote **out, struct err *err)
{
	auto_image_remote struct image_remote *r = xcalloc(1, sizeof(*r));
	auto_free char *docker = NULL, *hosts = NULL;
	struct registry_settings settings;
	int result = image_ref_normal(ref, &r->normal, err);

	if (result < 0)
		return result;
	registry_settings_find(&docker, &hosts);
	settings = (struct registry_settings){ docker, hosts };
	r->work = w;
	r->cancelled = cancelled;
	result = registry_open(r->normal, &settings, false, &r->reg, err);
	if (result == 0)
		result = read_remote(r, err);
	if (result < 0)
		return result;
	*out = steal(r);
	return 0;
}

/* ---- One step --------------------------------------------------------------------------------- */
static int unpack(void *arg, size_t i, struct err *err)
{
	(void)arg, (void)i, (void)err; /* by the caller, when the blob is whole */
	return 0;
}

static int fetch_layer(struct image_remote *r, const char *hex, uint64_t size, const char *name,
		       struct image_layer *l, struct err *err)
{
	int work = image_work_fd(r->work), result;
	auto_close int fd = openat(work, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct registry_blob blob = { .size = size, .fd = fd };
	struct registry_fetch f = {
		.blobs = &blob, .n = 1, .done = unpack, .cancelled = r->cancelled
	};
	struct new_layer y = { 0 };

	if (fd < 0)
		return err_errno(err, "make a file for a layer");
	memcpy(blob.hex, hex, DIGEST_HEX);
	result = registry_fetch(r->reg, &f, err);
	if (result < 0)
		return result;
	result = layer_unpack(work, name, false, archive_source_fd, &fd, &y, err);
	if (result == 0 && strcmp(y.diff, l->diff) != 0)
		result = err_set(err, EBADMSG,
				 "layer sha256:%.12s unpacks to sha256:%s, not to sha256:%s", hex,
				 y.diff, l->diff);
	l->size = y.size;
	new_layer_clear(&y);
	if (result < 0)
		(void)path_remove_tree(work, name);
	return result;
}

static int take(struct image_remote *r, const struct image_step *st, struct err *err)
{
	auto_free char *name = xasprintf("remote-%s", st->key);
	const struct json *d = json_first(json_get(r->manifest, "layers"));
	struct image_store *s = image_work_store(r->work);
	struct image_layer l = st->layer;
	int64_t size;
	size_t i = 0;
	int result;

	if (!*l.diff || faccessat(s->layers, l.diff, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return image_cache_put(r->work, NULL, st->key, &l, err);
	while (i < r->diffs.n && strcmp(r->diffs.v[i], l.diff) != 0) {
		i++;
		d = json_next(d);
	}
	size = json_int(d, "size", -1);
	if (i == r->diffs.n || size < 0 || (uint64_t)size > ARCHIVE_BYTES_MAX)
		return err_set(err, EBADMSG, "layer %.12s is not in the manifest, or has no size",
			       l.diff);
	result = fetch_layer(r, r->hexes.v[i], (uint64_t)size, name, &l, err);
	return result < 0 ? result : image_cache_put(r->work, name, st->key, &l, err);
}

int image_remote_take(struct image_remote *r, const char *key, struct err *err)
{
	for (size_t i = 0; i < r->steps.n; i++)
		if (strcmp(r->steps.v[i].key, key) == 0) {
			int result = take(r, &r->steps.v[i], err);

			return result < 0 ? err_wrap(err, result, "%s", r->normal) : 1;
		}
	return 0;
}

/* ---- Of an image of the store ----------------------------------------------------------------- */
int image_steps_known(struct image_work *w, const char *ref, struct err *err)
{
	struct image_store *s = image_work_store(w);
	struct image_steps steps = { 0 };
	auto_json struct json *config = NULL;
	const struct json *inside;
	struct image_layer known;
	int r = image_config(s, ref, &config, NULL);

	inside = r == 0 ? json_get(config, IMAGE_STEPS_KEY) : NULL;
	if (!inside)
		return 0;
	r = steps_from(inside, &steps, err);
	for (size_t i = 0; r == 0 && i < steps.n; i++) {
		const struct image_step *st = &steps.v[i];

		if (image_cache_find(s, st->key, &known) ||
		    (*st->layer.diff &&
		     faccessat(s->layers, st->layer.diff, F_OK, AT_SYMLINK_NOFOLLOW) < 0))
			continue;
		r = image_cache_put(w, NULL, st->key, &st->layer, err);
	}
	image_steps_clear(&steps);
	return r < 0 ? err_wrap(err, r, "image %s", ref) : 0;
}
