/* index.c - index.json: which images there are; see private.h */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { INDEX_VERSION = 1, INDEX_MAX = 64 << 20 };

bool strs_drop(struct strs *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i], s) != 0)
			continue;
		free(l->v[i]);
		memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v)); /* with the NULL */
		l->n--;
		return true;
	}
	return false;
}

static void image_clear(struct index_image *img)
{
	free(img->created);
	free(img->layers.v);
	strs_clear(&img->refs);
	strs_clear(&img->digests);
}

void index_clear(struct index *ix)
{
	for (size_t i = 0; i < ix->n; i++)
		image_clear(&ix->v[i]);
	free(ix->v);
	*ix = (struct index){ 0 };
}

void index_drop(struct index *ix, struct index_image *img)
{
	size_t i = (size_t)(img - ix->v);

	image_clear(img);
	memmove(img, img + 1, (ix->n - i - 1) * sizeof(*img));
	ix->n--;
}

static void read_strs(const struct json *array, struct strs *out)
{
	for (const struct json *c = json_first(array); c; c = json_next(c))
		if (json_string(c))
			strs_add(out, json_string(c));
}

/* Digests of the index become names of files: nothing but hex gets through. */
static int read_image(const struct json *j, struct index_image *img)
{
	const char *id = json_str(j, "id", ""), *manifest = json_str(j, "manifest", "");
	const struct json *layers = json_get(j, "layers");

	if (!digest_hex_ok(id) || (*manifest && !digest_hex_ok(manifest)))
		return -EBADMSG;
	memcpy(img->id, id, DIGEST_HEX);
	if (*manifest)
		memcpy(img->manifest, manifest, DIGEST_HEX);
	img->created = xstrdup(json_str(j, "created", ""));
	read_strs(json_get(j, "refs"), &img->refs);
	read_strs(json_get(j, "digests"), &img->digests);
	img->checked = json_int(j, "checked", 0);
	for (const struct json *c = json_first(layers); c; c = json_next(c)) {
		const char *diff = json_str(c, "diff", "");
		struct index_layer *l;

		if (!digest_hex_ok(diff))
			return -EBADMSG;
		l = vec_push(&img->layers);
		memcpy(l->diff, diff, DIGEST_HEX);
		if (digest_hex_ok(json_str(c, "blob", "")))
			memcpy(l->blob, json_str(c, "blob", ""), DIGEST_HEX);
		l->size = (uint64_t)json_int(c, "size", 0);
	}
	return 0;
}

int index_read(struct image_store *s, struct index *out, struct err *err)
{
	auto_index struct index ix = { 0 };
	auto_free char *text = NULL;
	auto_json struct json *j = NULL;
	size_t len;
	int r = file_read(s->images, "index.json", INDEX_MAX, &text, &len);

	if (r == -ENOENT) {
		*out = (struct index){ 0 };
		return 0;
	}
	if (r < 0)
		return err_set(err, r, "%s/images/index.json: %s", s->path, strerror(-r));
	r = json_parse(text, len, &j, err);
	if (r < 0)
		return err_wrap(err, r, "%s/images/index.json", s->path);
	if (json_int(j, "version", 0) != INDEX_VERSION)
		return err_set(err, EPROTO,
			       "%s/images/index.json is of another version of ctrcompose", s->path);
	for (const struct json *c = json_first(json_get(j, "images")); c; c = json_next(c)) {
		r = read_image(c, vec_push(&ix));
		if (r < 0)
			return err_set(err, r, "%s/images/index.json: entry %zu is damaged",
				       s->path, ix.n);
	}
	*out = ix;
	ix = (struct index){ 0 };
	return 0;
}

static void write_strs(struct json *parent, const char *key, const struct strs *l)
{
	struct json *array = json_add_array(parent, key);

	for (size_t i = 0; i < l->n; i++)
		json_add_str(array, NULL, l->v[i]);
}

int index_write(struct image_store *s, const struct index *ix, struct err *err)
{
	auto_json struct json *j = json_object();
	auto_free char *text = NULL;
	struct json *images;
	int r;

	json_add_int(j, "version", INDEX_VERSION);
	images = json_add_array(j, "images");
	for (size_t i = 0; i < ix->n; i++) {
		const struct index_image *img = &ix->v[i];
		struct json *o = json_add_object(images, NULL), *layers;

		json_add_str(o, "id", img->id);
		json_add_str(o, "manifest", img->manifest);
		json_add_str(o, "created", img->created);
		write_strs(o, "refs", &img->refs);
		write_strs(o, "digests", &img->digests);
		if (img->checked)
			json_add_int(o, "checked", img->checked);
		layers = json_add_array(o, "layers");
		for (size_t k = 0; k < img->layers.n; k++) {
			struct json *l = json_add_object(layers, NULL);

			json_add_str(l, "diff", img->layers.v[k].diff);
			if (img->layers.v[k].blob[0])
				json_add_str(l, "blob", img->layers.v[k].blob);
			json_add_int(l, "size", (int64_t)img->layers.v[k].size);
		}
	}
	text = json_print(j);
	r = file_replace(s->images, "index.json", text, strlen(text), 0600, true);
	return r < 0 ? err_set(err, r, "write %s/images/index.json: %s", s->path, strerror(-r)) : 0;
}

struct index_image *index_by_id(const struct index *ix, const char *id)
{
	for (size_t i = 0; i < ix->n; i++)
		if (strcmp(ix->v[i].id, id) == 0)
			return &ix->v[i];
	return NULL;
}

struct index_image *index_by_ref(const struct index *ix, const char *normal)
{
	bool digest = strchr(normal, '@') != NULL;

	for (size_t i = 0; i < ix->n; i++)
		if (strs_has(digest ? &ix->v[i].digests : &ix->v[i].refs, normal))
			return &ix->v[i];
	return NULL;
}

const struct index_layer *index_layer(const struct index *ix, const char *diff)
{
	const struct index_layer *found = NULL;

	for (size_t i = 0; i < ix->n; i++)
		for (size_t k = 0; k < ix->v[i].layers.n; k++) {
			const struct index_layer *l = &ix->v[i].layers.v[k];

			if (strcmp(l->diff, diff) != 0)
				continue;
			if (l->blob[0])
				return l;
			found = l;
		}
	return found;
}

static int by_prefix(const struct index *ix, const char *prefix, struct index_image **out,
		     struct err *err)
{
	struct index_image *found = NULL;

	for (size_t i = 0; i < ix->n; i++) {
		if (!str_starts(ix->v[i].id, prefix))
			continue;
		if (found)
			return err_set(
				err, ENOTUNIQ,
				"'%s' is the beginning of more than one image id: %.16s, %.16s",
				prefix, found->id, ix->v[i].id);
		found = &ix->v[i];
	}
	*out = found;
	return found ? 0 : -ENOENT;
}

int index_resolve(const struct index *ix, const char *ref, struct index_image **out, char **normal,
		  struct err *err)
{
	auto_free char *name = NULL;
	auto_err struct err why = ERR_INIT;
	const char *hex = str_starts(ref, "sha256:") ? ref + 7 : ref;
	struct index_image *found = NULL;
	size_t n = strlen(hex);
	bool id = n > 0 && n <= 64 && strspn(hex, "0123456789abcdef") == n;
	int r = hex == ref ? image_ref_normal(ref, &name, &why) : -EINVAL;

	if (r == 0)
		found = index_by_ref(ix, name);
	if (!found && id) {
		r = by_prefix(ix, hex, &found, err);
		if (r == -ENOTUNIQ)
			return r;
		free(name);
		name = NULL;
	}
	if (!found && r == -EINVAL && !id)
		return err_set(err, EINVAL, "%s", why.msg ? why.msg : "'sha256:' needs hex digits");
	if (!found)
		return err_set(
			err, ENOENT,
			"image '%s' is not here: load it with `ctrcompose image load -i FILE` "
			"or make it with `ctrcompose image import`",
			ref);
	*out = found;
	if (normal)
		*normal = steal(name);
	return 0;
}

void index_tag(struct index *ix, struct index_image *img, const char *normal)
{
	bool digest = strchr(normal, '@') != NULL;

	for (size_t i = 0; i < ix->n; i++)
		(void)strs_drop(digest ? &ix->v[i].digests : &ix->v[i].refs, normal);
	strs_add(digest ? &img->digests : &img->refs, normal);
}

uint64_t index_size(const struct index_image *img)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < img->layers.n; i++)
		sum += img->layers.v[i].size;
	return sum;
}
