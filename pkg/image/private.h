/* private.h - what the files of the image store share. */
#ifndef CTRCOMPOSE_IMAGE_PRIVATE_H
#define CTRCOMPOSE_IMAGE_PRIVATE_H

#include <ctrcompose/digest.h>
#include <ctrcompose/image.h>

#define IMAGE_JSON_MAX (8U << 20) /* bytes of a manifest or config */

struct image_store {
	int images, layers, blobs; /* folders; layers is O_RDONLY, for flock and readdir */
	int layers_path_fd;        /* O_PATH */
	char *path, *layers_path;
	int hold;      /* shared lock of who counts on what it saw in the store; -1: none */
	bool building; /* it is held until the store is closed */
};

/* ---- index.json ------------------------------------------------------------------------------ */
struct index_layer {
	char diff[DIGEST_HEX];
	char blob
		[DIGEST_HEX]; /* of the bytes as they came; "": not kept, re-made from the folder */
	uint64_t size;        /* bytes of its files */
};
struct index_image {
	char id[DIGEST_HEX];
	char manifest[DIGEST_HEX]; /* "" when it came without one */
	char *created;
	struct strs refs, digests; /* normalised */
	int64_t checked; /* when a registry was last asked, seconds since 1970; 0: never */
	struct {
		struct index_layer *v;
		size_t n, cap;
	} layers; /* lowest first, may hold duplicates */
};
struct index {
	struct index_image *v;
	size_t n, cap;
};
#define auto_index __attribute__((cleanup(index_clear)))
int index_read(struct image_store *s, struct index *out, struct err *err);
int index_write(struct image_store *s, const struct index *ix, struct err *err);
void index_clear(struct index *ix);
struct index_image *index_by_id(const struct index *ix, const char *id);
struct index_image *index_by_ref(const struct index *ix, const char *normal);
/* One whose bytes are kept, if an image has such a one. */
const struct index_layer *index_layer(const struct index *ix, const char *diff);
/* The image that `ref` means; *normal (may be NULL) the name it went by, NULL by id; caller frees. */
int index_resolve(const struct index *ix, const char *ref, struct index_image **out, char **normal,
		  struct err *err);
/* Give the image the name; whoever had it loses it. */
void index_tag(struct index *ix, struct index_image *img, const char *normal);
void index_drop(struct index *ix, struct index_image *img);
uint64_t index_size(const struct index_image *img);
bool strs_drop(struct strs *l, const char *s); /* whether it was there */

/* ---- The folders ------------------------------------------------------------------------------
 * Writers hold the lock: a descriptor, released by closing it.
 */
int store_lock(struct image_store *s, struct err *err);
/* A folder layers/tmp-* of our own, locked as long as *fd is open. *name is its name; caller frees. */
int store_work_open(struct image_store *s, char **name, int *fd, struct err *err);
void store_work_remove(struct image_store *s, const char *name);
/* Under the lock, after index_write(): away with what no image refers to and with the work folders
 * of the dead. What cannot go now is left for the next. */
void store_sweep(struct image_store *s, const struct index *ix);
/* A writer holds the store from store_work_open() on, so that nobody sweeps what it counts on; its
 * commit or store_work_remove() lets go, unless it builds. */
void store_release(struct image_store *s);
/* The store without anybody who holds it, until this is closed; under the lock. Negative: somebody
 * does. */
int store_alone(struct image_store *s);
/* Bytes that the store takes on disk, as du counts them. */
uint64_t store_space(struct image_store *s);
/* Diff ids that steps of builds have made, as keys; how many steps there are. */
size_t store_cached_layers(struct image_store *s, struct map *out);
int store_blob_read(struct image_store *s, const char *hex, char **text, size_t *len,
		    struct err *err);
/* Names of a folder but those that begin with a dot. */
int store_names(int dirfd, struct strs *out);

/* ---- A new layer and a new image -------------------------------------------------------------- */
struct new_layer {
	char *dir;             /* its folder in the work folder; NULL: the store has it */
	char *blob_file;       /* the bytes as they came, in the work folder; NULL: not kept */
	char diff[DIGEST_HEX]; /* of the tar */
	char came[DIGEST_HEX]; /* of the bytes as they came */
	char blob
		[DIGEST_HEX]; /* of the bytes that are kept: those that came, but the plain tar of what
				* came as xz, which no registry takes; "": none */
	uint64_t size;
	char *problem; /* why it could not be unpacked; only bad if somebody needs it */
	bool known;    /* not unpacked: an image of the store has it */
};
void new_layer_clear(struct new_layer *l);
struct new_image {
	char id[DIGEST_HEX], manifest[DIGEST_HEX];
	char *config, *manifest_text; /* texts */
	size_t config_len, manifest_len;
	char *created;
	struct strs refs, digests; /* normalised */
	int64_t checked;           /* see index_image */
	struct {
		struct new_layer **v; /* borrowed */
		size_t n, cap;
	} layers;
};
struct new_images {
	struct new_image *v;
	size_t n, cap;
};
void new_image_clear(struct new_image *n);
/* Unpack a stream into work/name. With keep its bytes are left in work/name.blob. -EBADMSG: it is no
 * layer. */
int layer_unpack(int work, const char *name, bool keep,
		 ssize_t (*src)(void *, void *, size_t, struct err *), void *arg,
		 struct new_layer *out, struct err *err);
/* Digest and length of the tar that the layer folder/name packs to. size may be NULL. */
int layer_pack_digest(int folder, const char *name, char hex[DIGEST_HEX], uint64_t *size,
		      struct err *err);
/* All of them into the store at once. */
int store_commit(struct image_store *s, int work, struct new_images *images, struct err *err);

/* ---- What a registry gives: pull.c --------------------------------------------------------------- */
struct registry;
struct registry_manifest;
/* From what the name stands for to the manifest of one image; pinned is the digest of the former. */
int pull_manifest(struct registry *reg, const char *what, const char *platform,
		  struct registry_manifest *m, char pinned[DIGEST_HEX], struct err *err);
/* A small blob; caller frees. */
int pull_text(struct registry *reg, const char *what, const char *hex, uint64_t size,
	      const volatile bool *cancelled, char **text, size_t *len, struct err *err);

/* ---- Pulls at the same time: image_pulls ------------------------------------------------------ */
struct puller;
struct puller *pulls_begin(struct image_pulls *t); /* belongs to t */
/* owners: `me` for a layer that is wanted, NULL for one that is not; instead of me who fetches it. */
void pulls_claim(struct image_pulls *t, struct puller *me, const struct strs *diffs,
		 struct puller **owners);
/* Until none of the others is at work any more; what they have fetched is in the store then. */
void pulls_wait(struct image_pulls *t, const struct puller *me, struct puller *const *owners,
		size_t n);
void pulls_end(struct image_pulls *t, struct puller *me);

/* ---- An image on its way out -------------------------------------------------------------------
 * The manifest that it came with, if all its blobs are kept; else one made of what there is.
 */
struct export_layer {
	char digest[DIGEST_HEX], diff[DIGEST_HEX];
	uint64_t size;
	const char *media; /* type */
	bool packed;       /* no blob: the folder is packed again, with this digest */
};
struct export
{
	char *manifest, *config;
	size_t manifest_len, config_len;
	char manifest_digest[DIGEST_HEX];
	const char *manifest_media;
	const char *config_media; /* NULL: that of an image */
	struct {
		struct export_layer *v;
		size_t n, cap;
	} layers;
};
#define auto_export __attribute__((cleanup(export_clear)))
void export_clear(struct export *e);
int export_prepare(struct image_store *s, const struct index_image *img, struct export *out,
		   struct err *err);
/* A layer of the store, as it can leave. */
int export_layer_find(struct image_store *s, const struct index_layer *l, struct export_layer *out,
		      struct err *err);
/* A manifest of what `layers` has now, instead of the one there was. */
void export_make_manifest(struct export *e, const char *config_digest);
/* What names a blob in manifests and indexes; it belongs to parent. */
struct json *descriptor_add(struct json *parent, const char *key, const char *media,
			    const char *hex, uint64_t size);
/* The bytes of a layer. */
int export_layer_write(struct image_store *s, const struct export_layer *l,
		       int (*sink)(void *, const void *, size_t, struct err *), void *arg,
		       struct err *err);

struct image_store *image_work_store(const struct image_work *w);

/* ---- Steps of builds: steps.c ----------------------------------------------------------------- */
#define MEDIA_STEPS "application/vnd.ctrcompose.steps.v1+json"
int steps_from(const struct json *j, struct image_steps *out, struct err *err);

/* ---- JSON ------------------------------------------------------------------------------------- */
/* diff ids in hex, lowest first, as they stand. */
int config_diff_ids(const struct json *config, struct strs *out, struct err *err);
/* "sha256:<hex>" to hex; NULL when it is none. */
const char *digest_of(const char *s);
/* docker.io/library/x:tag and a digest in hex to docker.io/library/x@sha256:...; caller frees. */
char *ref_with_digest(const char *normal, const char *hex);
const char *host_architecture(void);
/* Of the "manifests" of an index the one for a platform (NULL: this machine's), its digest in hex;
 * NULL: -ENOENT. Pure. */
const char *index_choose(const struct json *list, const char *platform, const char *what,
			 struct err *err);

#endif
