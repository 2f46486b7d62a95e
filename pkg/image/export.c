/* export.c - what leaves the store, by `image save` and `push`; see private.h */
#include "private.h"

#include <ctrcompose/archive.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OCI "application/vnd.oci.image."
static const char media_manifest[] = OCI "manifest.v1+json";
static const char media_config[] = OCI "config.v1+json";
static const char media_tar[] = OCI "layer.v1.tar";
static const char media_gzip[] = OCI "layer.v1.tar+gzip";
static const char media_zstd[] = OCI "layer.v1.tar+zstd";

void export_clear(struct export *e)
{
	free(e->manifest);
	free(e->config);
	free(e->layers.v);
	*e = (struct export){ 0 };
}

static const char *media_of(int fd)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	unsigned char head[4] = { 0 };

	if (pread(fd, head, sizeof(head), 0) < 0)
		return media_tar;
	if (memcmp(head, gzip, sizeof(gzip)) == 0)
		return media_gzip;
	return memcmp(head, zstd, sizeof(zstd)) == 0 ? media_zstd : media_tar;
}

int export_layer_find(struct image_store *s, const struct index_layer *l, struct export_layer *out,
		      struct err *err)
{
	auto_close int fd = -1;
	struct stat st;
	char packed[DIGEST_HEX];
	int r;

	memcpy(out->diff, l->diff, DIGEST_HEX);
	if (l->blob[0])
		fd = openat(s->blobs, l->blob, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		memcpy(out->digest, l->blob, DIGEST_HEX);
		out->size = (uint64_t)st.st_size;
		out->media = media_of(fd);
		return 0;
	}
	r = layer_pack_digest(s->layers, l->diff, packed, &out->size, err);
	if (r < 0)
		return err_wrap(err, r, "layer %.12s", l->diff);
	if (strcmp(packed, l->diff) != 0)
		return err_set(
			err, ENODATA,
			"layer %.12s is not kept as it came, and can't be made again bit by bit: "
			"load or pull the image again",
			l->diff);
	memcpy(out->digest, l->diff, DIGEST_HEX);
	out->media = media_tar;
	out->packed = true;
	return 0;
}

struct json *descriptor_add(struct json *parent, const char *key, const char *media,
			    const char *hex, uint64_t size)
{
	struct json *o = json_add_object(parent, key);
	auto_free char *digest = xasprintf("sha256:%s", hex);

	json_add_str(o, "mediaType", media);
	json_add_str(o, "digest", digest);
	json_add_int(o, "size", (int64_t)size);
	return o;
}

void export_make_manifest(struct export *e, const char *config_digest)
{
	auto_json struct json *j = json_object();
	struct json *layers;

	json_add_int(j, "schemaVersion", 2);
	json_add_str(j, "mediaType", media_manifest);
	(void)descriptor_add(j, "config", e->config_media ? e->config_media : media_config,
			     config_digest, e->config_len);
	layers = json_add_array(j, "layers");
	for (size_t i = 0; i < e->layers.n; i++)
		(void)descriptor_add(layers, NULL, e->layers.v[i].media, e->layers.v[i].digest,
				     e->layers.v[i].size);
	free(e->manifest);
	e->manifest = json_print(j);
	e->manifest_len = strlen(e->manifest);
	e->manifest_media = media_manifest;
	digest_text(e->manifest, e->manifest_len, e->manifest_digest);
}

/* The manifest that came with the image, if it still describes what there is. */
static bool use_own_manifest(struct image_store *s, const struct index_image *img, struct export *e)
{
	auto_json struct json *j = NULL;
	auto_strs struct strs layers = { 0 };
	char config[DIGEST_HEX];

	if (!img->manifest[0] ||
	    store_blob_read(s, img->manifest, &e->manifest, &e->manifest_len, NULL) < 0 ||
	    image_manifest_parse(e->manifest, e->manifest_len, config, &layers, NULL) < 0 ||
	    json_parse(e->manifest, e->manifest_len, &j, NULL) < 0 ||
	    strcmp(config, img->id) != 0 || layers.n != e->layers.n)
		return false;
	for (size_t i = 0; i < layers.n; i++)
		if (strcmp(layers.v[i], e->layers.v[i].digest) != 0)
			return false;
	memcpy(e->manifest_digest, img->manifest, DIGEST_HEX);
	e->manifest_media =
		str_starts(json_str(j, "mediaType", media_manifest), "application/vnd.docker.")
			? "application/vnd.docker.distribution.manifest.v2+json"
			: media_manifest;
	return true;
}

int export_prepare(struct image_store *s, const struct index_image *img, struct export *out,
		   struct err *err)
{
	auto_export struct export e = { 0 };
	int r = store_blob_read(s, img->id, &e.config, &e.config_len, err);

	for (size_t i = 0; r == 0 && i < img->layers.n; i++)
		r = export_layer_find(s, &img->layers.v[i], vec_push(&e.layers), err);
	if (r < 0)
		return r;
	if (!use_own_manifest(s, img, &e))
		export_make_manifest(&e, img->id);
	*out = e;
	e = (struct export){ 0 };
	return 0;
}

int export_layer_write(struct image_store *s, const struct export_layer *l, archive_sink_fn *sink,
		       void *arg, struct err *err)
{
	auto_free char *buf = NULL;
	auto_close int fd = openat(l->packed ? s->layers : s->blobs, l->digest,
				   O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return err_errno(err, "layer %.12s", l->diff);
	if (l->packed)
		return archive_pack_layer(fd, sink, arg, err);
	buf = xmalloc(1 << 18);
	while (r == 0 && (n = fd_read_full(fd, buf, 1 << 18)) != 0)
		r = n < 0 ? err_set(err, (int)n, "layer %.12s: %s", l->diff, strerror((int)-n))
			  : sink(arg, buf, (size_t)n, err);
	return r;
}
