/* find.c - what is in the store, for readers: no lock, one index; see image.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>

void image_free(struct image *img)
{
	if (!img)
		return;
	arena_free(&img->arena);
	free(img);
}

void auto_image_fn(struct image **img)
{
	image_free(*img);
}

static struct list copy_strs(struct arena *a, const struct strs *l)
{
	struct list out = { .v = arena_array(a, l->n + 1, sizeof(*out.v)), .n = l->n };

	for (size_t i = 0; i < l->n; i++)
		out.v[i] = arena_strdup(a, l->v[i]);
	return out;
}

static const char *display_name(struct arena *a, const struct index_image *ii, const char *asked)
{
	auto_free char *familiar = NULL;

	if (!asked && ii->refs.n > 0)
		asked = ii->refs.v[0];
	if (!asked)
		return arena_printf(a, "sha256:%.12s", ii->id);
	familiar = image_ref_familiar(asked);
	return arena_strdup(a, familiar);
}

int image_find(struct image_store *s, const char *ref, struct image **out, struct err *err)
{
	auto_index struct index ix = { 0 };
	auto_image struct image *img = NULL;
	auto_free char *normal = NULL, *text = NULL;
	struct index_image *ii = NULL;
	size_t len = 0;
	int r = index_read(s, &ix, err);

	if (r == 0)
		r = index_resolve(&ix, ref, &ii, &normal, err);
	if (r == 0)
		r = store_blob_read(s, ii->id, &text, &len, err);
	if (r < 0)
		return r;
	img = xcalloc(1, sizeof(*img));
	r = image_config_parse(text, len, img, err);
	if (r < 0)
		return err_wrap(err, r, "image '%s'", ref);
	memcpy(img->id, ii->id, sizeof(img->id));
	img->refs = copy_strs(&img->arena, &ii->refs);
	img->digests = copy_strs(&img->arena, &ii->digests);
	img->name = display_name(&img->arena, ii, normal);
	img->size = index_size(ii);
	*out = steal(img);
	return 0;
}

static void add_familiar(struct json *parent, const char *key, const struct strs *l)
{
	struct json *array = json_add_array(parent, key);

	for (size_t i = 0; i < l->n; i++) {
		auto_free char *s = image_ref_familiar(l->v[i]);

		json_add_str(array, NULL, s);
	}
}

static struct json *describe(const struct index_image *ii, const struct json *config)
{
	static const char *const same[][2] = {
		{ "Comment", "comment" }, { "Created", "created" },
		{ "Author", "author" },   { "Architecture", "architecture" },
		{ "Variant", "variant" }, { "Os", "os" },
	};
	struct json *o = json_object(), *root;
	const struct json *c = json_get(config, "config");

	{
		auto_free char *id = xasprintf("sha256:%s", ii->id);

		json_add_str(o, "Id", id);
	}
	add_familiar(o, "RepoTags", &ii->refs);
	add_familiar(o, "RepoDigests", &ii->digests);
	json_add_str(o, "Parent", "");
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		if (strcmp(same[i][0], "Variant") != 0 || json_get(config, same[i][1]))
			json_add_str(o, same[i][0], json_str(config, same[i][1], ""));
	json_add_str(o, "DockerVersion", json_str(config, "docker_version", ""));
	if (json_kind(c) == JSON_OBJECT)
		json_add(o, "Config", json_copy(c));
	else
		(void)json_add_object(o, "Config");
	json_add_int(o, "Size", (int64_t)index_size(ii));
	root = json_add_object(o, "RootFS");
	json_add_str(root, "Type", "layers");
	root = json_add_array(root, "Layers");
	for (size_t i = 0; i < ii->layers.n; i++) {
		auto_free char *diff = xasprintf("sha256:%s", ii->layers.v[i].diff);

		json_add_str(root, NULL, diff);
	}
	return o;
}

int image_inspect(struct image_store *s, const char *ref, struct json **out, struct err *err)
{
	auto_index struct index ix = { 0 };
	auto_json struct json *config = NULL;
	auto_free char *text = NULL;
	struct index_image *ii = NULL;
	size_t len = 0;
	int r = index_read(s, &ix, err);

	if (r == 0)
		r = index_resolve(&ix, ref, &ii, NULL, err);
	if (r == 0)
		r = store_blob_read(s, ii->id, &text, &len, err);
	if (r == 0)
		r = json_parse(text, len, &config, err);
	if (r < 0)
		return r;
	*out = describe(ii, config);
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct image_summary *x = a, *y = b;
	int c = strcmp(y->created, x->created);

	return c ? c : strcmp(x->id, y->id);
}

int image_list(struct image_store *s, struct image_list *out, struct err *err)
{
	auto_index struct index ix = { 0 };
	int r = index_read(s, &ix, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ix.n; i++) {
		struct image_summary *sum = vec_push(out);

		memcpy(sum->id, ix.v[i].id, sizeof(sum->id));
		sum->created = xstrdup(ix.v[i].created);
		sum->size = index_size(&ix.v[i]);
		for (size_t k = 0; k < ix.v[i].refs.n; k++) {
			auto_free char *familiar = image_ref_familiar(ix.v[i].refs.v[k]);

			strs_add(&sum->refs, familiar);
		}
		strs_sort(&sum->refs);
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), newest_first);
	return 0;
}

void image_list_clear(struct image_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		strs_clear(&l->v[i].refs);
		free(l->v[i].created);
	}
	free(l->v);
	*l = (struct image_list){ 0 };
}
