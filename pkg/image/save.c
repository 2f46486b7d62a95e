/* save.c - images as one archive that docker, podman and we can load: an OCI layout that has the
 * manifest.json of `docker save` as well; see image.h */
#include "private.h"

#include <ctrcompose/archive.h>
#include <stdlib.h>
#include <string.h>

struct save {
	struct image_store *store;
	struct archive_out *out;
	struct map written;          /* hex of blobs */
	struct json *index, *docker; /* lists of descriptors, and of images */
};

static int put_text(struct save *sv, const char *name, const char *text, size_t len,
		    struct err *err)
{
	int r = archive_out_member(sv->out, name, len, err);

	return r < 0 ? r : archive_out_data(sv->out, text, len, err);
}

static bool seen(struct save *sv, const char *hex)
{
	if (map_has(&sv->written, hex))
		return true;
	map_put(&sv->written, hex, sv);
	return false;
}

static int put_blob(struct save *sv, const char *hex, const char *text, size_t len, struct err *err)
{
	auto_free char *name = xasprintf("blobs/sha256/%s", hex);

	return seen(sv, hex) ? 0 : put_text(sv, name, text, len, err);
}

static int to_archive(void *arg, const void *data, size_t len, struct err *err)
{
	return archive_out_data(arg, data, len, err);
}

static int put_layer(struct save *sv, const struct export_layer *l, struct err *err)
{
	auto_free char *name = xasprintf("blobs/sha256/%s", l->digest);
	int r;

	if (seen(sv, l->digest))
		return 0;
	r = archive_out_member(sv->out, name, l->size, err);
	return r < 0 ? r : export_layer_write(sv->store, l, to_archive, sv->out, err);
}

static void describe(struct save *sv, const struct export *e, const char *normal)
{
	struct json *o = descriptor_add(sv->index, NULL, e->manifest_media, e->manifest_digest,
					e->manifest_len),
		    *a;
	const char *colon = normal ? strrchr(normal, ':') : NULL;

	if (!colon)
		return;
	a = json_add_object(o, "annotations");
	json_add_str(a, "io.containerd.image.name", normal);
	json_add_str(a, "org.opencontainers.image.ref.name", colon + 1);
}

static int save_image(struct save *sv, const struct index_image *img, const struct strs *refs,
		      struct err *err)
{
	auto_export struct export e = { 0 };
	auto_free char *config = xasprintf("blobs/sha256/%s", img->id);
	struct json *entry, *tags, *layers;
	int r = export_prepare(sv->store, img, &e, err);

	for (size_t i = 0; r == 0 && i < e.layers.n; i++)
		r = put_layer(sv, &e.layers.v[i], err);
	if (r == 0)
		r = put_blob(sv, img->id, e.config, e.config_len, err);
	if (r == 0)
		r = put_blob(sv, e.manifest_digest, e.manifest, e.manifest_len, err);
	if (r < 0)
		return r;
	entry = json_add_object(sv->docker, NULL);
	json_add_str(entry, "Config", config);
	tags = json_add_array(entry, "RepoTags");
	for (size_t i = 0; i < refs->n; i++) {
		auto_free char *familiar = image_ref_familiar(refs->v[i]);

		json_add_str(tags, NULL, familiar);
		describe(sv, &e, refs->v[i]);
	}
	if (refs->n == 0)
		describe(sv, &e, NULL);
	layers = json_add_array(entry, "Layers");
	for (size_t i = 0; i < e.layers.n; i++) {
		auto_free char *path = xasprintf("blobs/sha256/%s", e.layers.v[i].digest);

		json_add_str(layers, NULL, path);
	}
	return 0;
}

/* An image that was named several times is saved once, with all those names. */
struct asked {
	struct index_image *img;
	struct strs refs;
};
struct asked_list {
	struct asked *v;
	size_t n, cap;
};

static void ask(struct asked_list *l, struct index_image *img, const char *normal)
{
	size_t i = 0;

	while (i < l->n && l->v[i].img != img)
		i++;
	if (i == l->n)
		vec_push(l)->img = img;
	if (normal && !strchr(normal, '@') && !strs_has(&l->v[i].refs, normal))
		strs_add(&l->v[i].refs, normal);
}

static int save_all(struct save *sv, const struct asked_list *l, struct err *err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	auto_json struct json *index = json_object();
	auto_free char *index_text = NULL, *docker_text = NULL;
	int r = put_text(sv, "oci-layout", layout, strlen(layout), err);

	json_add_int(index, "schemaVersion", 2);
	json_add_str(index, "mediaType", "application/vnd.oci.image.index.v1+json");
	sv->index = json_add_array(index, "manifests");
	for (size_t i = 0; r == 0 && i < l->n; i++)
		r = save_image(sv, l->v[i].img, &l->v[i].refs, err);
	if (r < 0)
		return r;
	index_text = json_print(index);
	docker_text = json_print(sv->docker);
	r = put_text(sv, "index.json", index_text, strlen(index_text), err);
	return r < 0 ? r : put_text(sv, "manifest.json", docker_text, strlen(docker_text), err);
}

int image_save(struct image_store *s, const struct list *refs, archive_sink_fn *sink,
	       void *sink_arg, struct err *err)
{
	struct save sv = { .store = s };
	auto_archive_out struct archive_out *out = NULL;
	auto_json struct json *docker = json_array();
	auto_index struct index ix = { 0 };
	struct asked_list asked = { 0 };
	int r = index_read(s, &ix, err);

	for (size_t i = 0; r == 0 && i < refs->n; i++) {
		auto_free char *normal = NULL;
		struct index_image *img = NULL;

		r = index_resolve(&ix, refs->v[i], &img, &normal, err);
		if (r == 0)
			ask(&asked, img, normal);
	}
	if (r == 0)
		r = archive_out_open(ARCHIVE_OUT_TAR, sink, sink_arg, &out, err);
	if (r == 0) {
		sv.out = out;
		sv.docker = docker;
		r = save_all(&sv, &asked, err);
	}
	if (r == 0)
		r = archive_out_close(steal(out), err);
	for (size_t i = 0; i < asked.n; i++)
		strs_clear(&asked.v[i].refs);
	free(asked.v);
	map_clear(&sv.written);
	return r;
}
