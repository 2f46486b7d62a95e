/* build.h - images from Dockerfiles.
 *
 * Floor 4. Stages that do not need each other go on at the same time; each RUN is a container of
 * its own (box.h). A step whose inputs were seen before is not done again: its key is a digest of
 * the layers below it, of what it says and of the content it reads.
 *
 * The caller is a process of its own for this: root, one thread. It enters a mount namespace of its
 * own when the first RUN comes.
 */
#ifndef CTRCOMPOSE_BUILD_H
#define CTRCOMPOSE_BUILD_H

#include <ctrcompose/base.h>
#include <ctrcompose/box.h>
#include <ctrcompose/image.h>
#include <ctrcompose/model.h>
#include <ctrcompose/state.h>

struct build_secret {
	const char *id;
	const char *data; /* its content */
	size_t len;
};

/* An item of cache_from or cache_to (to): "type=local,dest=FOLDER,mode=max", "type=registry,ref=NAME",
 * "type=inline", or a name of an image alone. Pure. */
enum build_cache_type {
	BUILD_CACHE_OTHER,
	BUILD_CACHE_LOCAL,
	BUILD_CACHE_REGISTRY,
	BUILD_CACHE_INLINE
};
struct build_cache {
	enum build_cache_type type; /* OTHER: nothing is taken from it or written to it */
	const char *where;          /* LOCAL: the folder, as written; REGISTRY: the name */
	bool all;                   /* mode=max: also of stages that are not part of the image */
};
/* -EINVAL: one without what it needs; -ENOTSUP: with an option that it has not. */
int build_cache_parse(struct arena *a, const char *text, bool to, struct build_cache *out,
		      struct err *err);

struct build_request {
	const char *name;        /* in messages: the service */
	const char *context;     /* absolute path of a folder, or an address for build_fetch() */
	const char *dockerfile;  /* absolute, or below the context; NULL: "Dockerfile" */
	const char *inline_text; /* instead of a file, or NULL */
	const char *target;      /* a stage, or NULL: the last one */
	const char
		*network; /* of RUN: "none", "host"; NULL and "default": its own, with a way out */
	struct kvs args, labels;
	/* name -> absolute folder, "docker-image://REF", "oci-layout:///PATH:TAG", or an address */
	struct kvs contexts;
	bool fetched; /* the context is somebody else's: none of its links is followed out */
	struct build_secret *secrets;
	size_t n_secrets;
	struct kvs ssh;                            /* id -> path of an agent's socket */
	struct list tags;                          /* names of the image */
	struct build_cache *cache_from, *cache_to; /* those of type OTHER are passed over */
	size_t n_cache_from, n_cache_to;
	struct list no_cache_stages; /* names of stages that are built in any case */
	struct kvs extra_hosts;      /* name -> address or "host-gateway" */
	const struct box_rlimit *rlimits;
	size_t n_rlimits;
	bool no_cache;
	bool pull;       /* the caller looks for newer images that it begins with */
	bool insecure;   /* RUN --security=insecure is allowed */
	uint64_t memory; /* bytes for each RUN; 0: no bound */
	uint64_t shm_size;
};

enum build_event_kind {
	BUILD_STEP,   /* begins; title: "[web builder 2/5] RUN make" */
	BUILD_CACHED, /* was done before */
	BUILD_OUTPUT, /* text of len bytes: what the step prints, in pieces */
	BUILD_DONE,   /* the step ended well */
	BUILD_FAILED,
};
struct build_event {
	enum build_event_kind kind;
	const char *name; /* of the request */
	unsigned step;    /* from 1, over all requests */
	const char *title;
	const char *text;
	size_t len;
};

struct build_world {
	const struct state_paths *paths;
	const char *project; /* whose range of user ids is used */
	struct image_store *images;
	bool offline; /* ADD fetches nothing */
	/* An image (its name in normal form) that nobody could know of before is to come into the store:
	 * of an ONBUILD in an image that was just made, or of a mount with variables. NULL: none does. */
	int (*pull)(void *arg, const char *normal, struct err *err);
	const volatile bool *cancelled; /* -EINTR soon after it turned true */
	void (*event)(void *arg, const struct build_event *e);
	void (*warn)(void *arg, const char *text); /* what does not end the build; or NULL */
	void *arg;
};

/* The name of this machine's platform: "linux/amd64". */
const char *build_platform(void);
/* Whether a platform is this machine's own: "linux/amd64", "amd64", "linux/arm64/v8". */
bool build_platform_ok(const char *platform);
/* Take away what builders that were killed have left: containers, control groups, networks. */
void build_sweep(const struct state_paths *paths);
/* Contexts that are addresses, of repositories and of tar archives, become folders: *work, the caller's to close when all is
 * built (NULL: there are none, also after a failure it may be set). Paths go to the arena. */
int build_fetch(struct image_store *s, struct build_request *req, size_t n, bool offline,
		struct arena *a, struct image_work **work, struct err *err);
/* Names of the images that the target of all[which] needs and no stage makes: of FROM, --from and
 * contexts, and of what ONBUILD says in images of the store (NULL: that is not looked at) that none of
 * the n builds makes anew. It reads the Dockerfile, and says what is wrong with it. */
int build_inputs(const struct build_request *all, size_t n, size_t which,
		 struct image_store *images, struct strs *refs, struct err *err);
/* Whether one of its tags is the name, in normal form. */
bool build_makes(const struct build_request *req, const char *normal);
/* ids: per request the id of its image. A request that names the image of another waits for it. */
int build_run(const struct build_world *w, const struct build_request *req, size_t n,
	      char (*ids)[65], struct err *err);

#endif
