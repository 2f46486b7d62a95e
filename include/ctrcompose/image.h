/* image.h - the store of images: load, import, find, list, remove.
 *
 *   <state>/images/index.json           what there is; replaced in one step
 *   <state>/images/lock                 flock of those who change it
 *   <state>/images/blobs/sha256/<hex>   configs and manifests
 *   <state>/layers/<diff id hex>/       an unpacked layer, shared, content-addressed, root 0755
 *   <state>/layers/tmp-*                being unpacked; swept when its maker is gone
 *
 * An image is in index.json or it does not exist: a load that is killed leaves nothing that can be
 * seen, and the next writer sweeps what it left. Readers need no lock.
 * The id of an image is the SHA-256 of its config, 64 hex digits without "sha256:".
 * References are normalised as docker does: "busybox" is docker.io/library/busybox:latest.
 */
#ifndef CTRCOMPOSE_IMAGE_H
#define CTRCOMPOSE_IMAGE_H

#include <ctrcompose/base.h>
#include <ctrcompose/json.h>
#include <ctrcompose/model.h>

#define IMAGE_LAYERS_MAX 500 /* what overlayfs takes */

struct image_store;
/* state_dirfd is borrowed for the call; state_path is for messages and paths. Makes the folders. */
int image_store_open(int state_dirfd, const char *state_path, struct image_store **out,
		     struct err *err);
void image_store_close(struct image_store *s); /* NULL is fine */
void auto_image_store_fn(struct image_store **s);
#define auto_image_store __attribute__((cleanup(auto_image_store_fn)))
/* "<state>/layers", owned by the store; and an O_PATH descriptor of it. */
const char *image_layers_path(const struct image_store *s);
int image_layers_fd(const struct image_store *s);

/* ---- One image -------------------------------------------------------------------------------
 * Strings are never NULL unless said; all belong to the image.
 */
struct image {
	struct arena arena;
	char id[65];
	const char *name; /* familiar name that was asked for, else its first, else "sha256:<12>" */
	struct list refs; /* normalised: docker.io/library/busybox:latest */
	struct list digests; /* docker.io/library/busybox@sha256:... */
	struct list layers;  /* diff ids in hex, lowest first, no duplicates: <layers>/<hex> */
	struct list env;     /* "KEY=value" */
	struct list entrypoint, cmd; /* n == 0: none */
	const char *user;            /* "" = root */
	const char *working_dir;     /* absolute, "/" if the image has none */
	int stop_signal;             /* 0 = none given */
	struct list ports;           /* "80/tcp", sorted */
	struct list volumes;         /* absolute, clean paths, sorted */
	struct kvs labels;
	struct healthcheck health; /* .set: the image has one; .disable: NONE */
	const char *architecture, *os;
	const char *created; /* RFC 3339, or "" */
	uint64_t size;       /* bytes of the unpacked files */
};
void image_free(struct image *img);
void auto_image_fn(struct image **img);
#define auto_image __attribute__((cleanup(auto_image_fn)))

/* "name[:tag][@sha256:...]", "sha256:<hex>" or the beginning of an id; a name goes first.
 * -ENOENT with a sentence that says how to get it; -ENOTUNIQ; -EINVAL: not a reference. */
int image_find(struct image_store *s, const char *ref, struct image **out, struct err *err);
/* As `docker image inspect` has it: an object with Id, RepoTags, Config, RootFS ... */
int image_inspect(struct image_store *s, const char *ref, struct json **out, struct err *err);

struct image_summary {
	char id[65];
	struct strs refs; /* familiar, sorted; none: dangling */
	char *created;    /* RFC 3339 or "" */
	uint64_t size;
};
struct image_list {
	struct image_summary *v;
	size_t n, cap;
};
/* Newest first. */
int image_list(struct image_store *s, struct image_list *out, struct err *err);
void image_list_clear(struct image_list *l);
#define auto_image_list __attribute__((cleanup(image_list_clear)))

/* ---- Changing the store ---------------------------------------------------------------------- */
/* An archive of `docker save` or an OCI layout as tar, plain or compressed, from fd's position on
 * (a pipe will do). `what` names it in messages. Adds to *loaded the familiar name of each
 * reference, or "sha256:<id>" of an image without one. */
int image_load(struct image_store *s, int fd, const char *what, struct strs *loaded,
	       struct err *err);
int image_load_file(struct image_store *s, const char *path, struct strs *loaded, struct err *err);
/* "oci-layout://PATH[:TAG][@sha256:...]": an image of an OCI layout that is a folder. Without tag and
 * digest it is the one with the tag latest, or the only one there is. Pure; strings are the arena's. */
struct image_layout {
	const char *path, *tag, *digest; /* tag and digest may be NULL; the digest is what counts */
};
int image_layout_parse(struct arena *a, const char *text, struct image_layout *out,
		       struct err *err);
/* It becomes an image of the store, without a name; digests are checked. */
int image_load_layout(struct image_store *s, const struct image_layout *which, char id[65],
		      struct err *err);

/* ---- Registries ---------------------------------------------------------------------------------
 * Settings and credentials are found as registry.h says.
 */
/* What the pulls that run at the same time in one process have in common, each on a thread and with a
 * store of its own: a layer that several lack is fetched by one of them. */
struct image_pulls;
struct image_pulls *image_pulls_new(void);
void image_pulls_free(struct image_pulls **t); /* when all of them have returned */
struct image_pull_how {
	const char *platform; /* "linux/arm64"; NULL: this machine's */
	void (*progress)(void *arg, uint64_t bytes, uint64_t all); /* or NULL */
	void *arg;
	const volatile bool *cancelled; /* or NULL */
	struct image_pulls *together;   /* or NULL */
};
/* Ask the registry, fetch what the store lacks. *fresh (may be NULL): the name stands for another
 * image now. -ENOENT, -EACCES: the registry has none for us. A partial image is never seen. */
int image_pull(struct image_store *s, const char *ref, const struct image_pull_how *how,
	       bool *fresh, struct err *err);
/* Whether the store has it for that platform. */
bool image_is_for(struct image_store *s, const char *ref, const char *platform);
/* "docker.io/library/redis@sha256:..." for a name: as the registry gave it, or, with ask, as it would
 * give it now. The caller frees *pinned. */
int image_pin(struct image_store *s, const char *ref, bool ask, char **pinned, struct err *err);
/* When a registry was last asked for this image, in seconds since 1970; 0: never. */
int image_checked(struct image_store *s, const char *ref, int64_t *when);
/* An image of the store to the registry its name says. */
int image_push(struct image_store *s, const char *ref,
	       void (*progress)(void *arg, uint64_t bytes, uint64_t all), void *arg,
	       struct err *err);

/* Images as one archive, an OCI layout with docker's manifest.json; each of refs is one or one more
 * name of one. What came with a manifest leaves with the same digests. sink as archive_sink_fn. */
int image_save(struct image_store *s, const struct list *refs,
	       int (*sink)(void *arg, const void *data, size_t len, struct err *err),
	       void *sink_arg, struct err *err);

/* A root file system (tar, compressed or not, or a folder; "-" = standard input) as an image of one
 * layer. ref may be NULL. Each of changes is an instruction of a Dockerfile: CMD, ENTRYPOINT, ENV,
 * EXPOSE, HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR. id may be NULL. */
int image_import(struct image_store *s, const char *path, const char *ref,
		 const struct list *changes, const char *message, char id[65], struct err *err);
/* An image of the store and one more layer: a folder as overlayfs writes it. */
struct image_extend {
	const char *parent;           /* its id */
	int folder;                   /* readable */
	struct list changes;          /* as of image_import() */
	const char *ref;              /* or NULL */
	const char *message, *author; /* or NULL */
};
int image_extend(struct image_store *s, const struct image_extend *x, char id[65], struct err *err);
/* Only the changes, on a config object ("Cmd", "Env" ...): pure. */
int image_change(struct json *config, const char *instruction, struct err *err);

/* One more name for an image; taken away from the image that had it. */
int image_tag(struct image_store *s, const char *ref, const char *new_ref, struct err *err);
/* By name: untag, and when that was the last name, delete. By id: delete if it has at most one
 * name, or force. used: ids that containers have; such an image is not deleted (-EBUSY), but may
 * lose a name that is not its last. Adds "Untagged: ..." and "Deleted: ..." to *report. Layers
 * without an image go. used and report may be NULL. */
int image_remove(struct image_store *s, const char *ref, bool force, const struct strs *used,
		 struct strs *report, struct err *err);

/* Ids of the images that containers have, asked for while nobody else changes the store. */
typedef int image_used_fn(void *arg, struct strs *used, struct err *err);
struct image_prune_how {
	bool all;                  /* those with names as well, not only the nameless */
	uint64_t before_ns;        /* made before this; 0: whenever */
	const struct strs *labels; /* "key" or "key=value", all of them; NULL: whatever labels */
};
/* Away with images that no container has. Adds "untagged: ..." and "deleted: ..." to *report;
 * *freed is the disk space it gave back. report and freed may be NULL. */
int image_prune(struct image_store *s, const struct image_prune_how *how, image_used_fn *used,
		void *used_arg, struct strs *report, uint64_t *freed, struct err *err);
/* Away with the layers that only steps of builds have. */
int image_cache_prune(struct image_store *s, uint64_t *freed, struct err *err);

/* Bytes on disk, as `du` counts them. images_bytes + cache_bytes + rest_bytes is what du says of
 * <state>/images and <state>/layers together. */
struct image_disk {
	size_t images, images_active; /* active: a container has it */
	uint64_t images_bytes;        /* their layers and blobs; what is shared counts once */
	uint64_t images_reclaimable;  /* of it, what only images without a container have */
	size_t cache;                 /* steps of builds */
	uint64_t cache_bytes; /* layers that only they have, folders of RUN --mount=type=cache */
	uint64_t rest_bytes;  /* indexes, locks, downloads and work in progress */
};
int image_disk(struct image_store *s, const struct strs *used, struct image_disk *out,
	       struct err *err);

/* ---- Building ----------------------------------------------------------------------------------
 * <state>/images/cache/<key>: which layer a step of a build made; it keeps the layer. Layers are
 * made in a work folder <state>/layers/tmp-*, which goes when it is closed or its maker is dead.
 */
struct image_work;
/* From now until the store is closed, layers stay that nothing names (any more): a build has seen
 * them. Whoever sweeps meanwhile leaves them to the next one. */
int image_hold(struct image_store *s, struct err *err);
int image_work_open(struct image_store *s, struct image_work **out, struct err *err);
void image_work_close(struct image_work *w);             /* NULL is fine */
int image_work_fd(const struct image_work *w);           /* of the folder */
const char *image_work_name(const struct image_work *w); /* "layers/tmp-...", below the state */

struct image_layer {
	char diff[65]; /* "": the step changed nothing */
	uint64_t size;
	char created[40]; /* RFC 3339 */
};
/* False: no step with this key is known, or its layer is gone. */
bool image_cache_find(struct image_store *s, const char *key, struct image_layer *out);
/* The folder `name` of the work folder is l (NULL: the store has it); it becomes part of the store
 * (unless l->diff is "") and what the key stands for. */
int image_cache_put(struct image_work *w, const char *name, const char *key,
		    const struct image_layer *l, struct err *err);
/* Steps in a folder for another machine: an OCI layout. */
#define IMAGE_STEPS_MAX 10000
struct image_step {
	char key[65];
	struct image_layer layer;
};
struct image_steps {
	struct image_step *v;
	size_t n, cap;
};
void image_steps_clear(struct image_steps *l);
/* False: it is there already. */
bool image_steps_add(struct image_steps *l, const char *key, const struct image_layer *layer);
/* The folder is made, or has been written by this before (-EEXIST); others of its layers go. */
int image_steps_export(struct image_store *s, const char *path, const struct image_steps *steps,
		       struct err *err);
/* Steps that the store lacks become known, with their layers, after their digests were checked.
 * -ENOENT: no such folder. */
int image_steps_import(struct image_work *w, const char *path, struct err *err);
/* The same at a registry, under a name. */
int image_steps_push(struct image_store *s, const char *ref, const struct image_steps *steps,
		     struct err *err);
/* What a registry has under a name: steps as image_steps_push() puts them there, or an image that has them
 * in its config (-ENODATA: it has none). Layers are fetched when their step is asked for. */
struct image_remote;
int image_remote_open(struct image_work *w, const char *ref, const volatile bool *cancelled,
		      struct image_remote **out, struct err *err);
void image_remote_close(struct image_remote *r); /* NULL is fine */
/* 1: the step with that key is known now, with its layer; 0: the registry has none. */
int image_remote_take(struct image_remote *r, const char *key, struct err *err);
/* The steps that an image of the store has in its config become known; no such image is fine. */
int image_steps_known(struct image_work *w, const char *ref, struct err *err);
/* In the config of an image: {"records": [...]}, as in the config of steps alone. The caller's. */
#define IMAGE_STEPS_KEY "ctrcompose.steps"
struct json *image_steps_json(const struct image_steps *steps);
/* Its config; pure. */
int image_steps_parse(const char *text, size_t len, struct image_steps *out, struct err *err);
/* Forget all steps; their layers go with them unless an image has them. */
int image_cache_clear(struct image_store *s, struct err *err);
/* The config of an image as it is stored. */
int image_config(struct image_store *s, const char *ref, struct json **out, struct err *err);
/* Fill in the sizes of layers that images have; others stay as they are. */
void image_layer_sizes(struct image_store *s, struct image_layer *v, size_t n);
/* A config whose layers are all in the store becomes an image with these names (normalised here).
 * Nothing is written when there is nothing new. */
int image_commit(struct image_store *s, const char *config, const struct image_layer *layers,
		 size_t n, const struct list *refs, char id[65], struct err *err);

/* ---- References ------------------------------------------------------------------------------ */
/* Normal form "docker.io/library/busybox:latest", "...@sha256:..." when a digest is given. Caller
 * frees *out. */
int image_ref_normal(const char *ref, char **out, struct err *err);
/* The short form of a normal one: "busybox:latest". Caller frees. */
char *image_ref_familiar(const char *normal);

/* ---- Pure: the JSON of others ---------------------------------------------------------------- */
/* Fill the fields of *img that the config describes; `text` is an image config (OCI or docker). */
int image_config_parse(const char *text, size_t len, struct image *img, struct err *err);
/* A manifest (OCI or docker schema 2): digest in hex of the config and of each layer. */
int image_manifest_parse(const char *text, size_t len, char config[65], struct strs *layers,
			 struct err *err);

#endif
