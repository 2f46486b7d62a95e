/* private.h - what the files of the builder share. */
#ifndef CTRCOMPOSE_BUILD_PRIVATE_H
#define CTRCOMPOSE_BUILD_PRIVATE_H

#include <ctrcompose/box.h>
#include <ctrcompose/build.h>
#include <ctrcompose/cgroup.h>
#include <ctrcompose/digest.h>
#include <ctrcompose/dns.h>
#include <ctrcompose/dockerfile.h>
#include <ctrcompose/json.h>
#include <ctrcompose/loop.h>
#include <ctrcompose/net.h>
#include <ctrcompose/rootfs.h>
#include <ctrcompose/selinux.h>

#define BUILD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum stage_status { STAGE_WAITS, STAGE_READY, STAGE_RUNS, STAGE_DONE, STAGE_UNUSED };

struct build;
struct run; /* a RUN on its way */

struct layers {
	struct image_layer *v;
	size_t n, cap;
};

/* One stage being built. */
struct stage {
	struct build *b;
	const struct df_stage *def;
	size_t index;
	enum stage_status status;
	bool *needs;                   /* earlier stages, by index */
	size_t at;                     /* the next instruction */
	unsigned step, n_steps, shown; /* shown: number of the step in events */
	char *title;
	struct json *config; /* whole: architecture, config, history ... */
	struct layers layers;
	char created[RFC3339_LEN];     /* of the newest layer */
	struct strs args;              /* "NAME=value" in force */
	struct strs shell;             /* words; empty: the default */
	bool cmd_set, started, cached; /* cached: the step at hand was not done */
	bool announced;                /* the step at hand, which had to wait */
	struct dockerfile **triggers;  /* of the base image's ONBUILD */
	size_t n_triggers, trigger;
	struct run *run;
};

/* One request being built. */
struct build {
	struct builder *all;
	const struct build_request *req;
	struct dockerfile *file;
	struct strs globals; /* "NAME=value" before the first FROM, with the predefined ones */
	struct stage *stages;
	size_t n, target;
	int context; /* -1: not open yet */
	struct df_ignore *ignore;
	bool ignore_read;
	bool *after; /* builds, by index, whose images this one begins with; NULL: none */
	bool committed;
	struct image_steps steps; /* that were done or known */
};

struct builder {
	const struct build_world *w;
	struct build *v;
	size_t n;
	char (*ids)[65];
	unsigned steps;
	struct image_work *work;
	unsigned names; /* of folders in the work folder */
	struct cgroup_system *cgroups;
	char id[13];           /* names what is outside of the process */
	int mark;              /* see world.c; -1: none yet */
	char *group;           /* of control groups */
	bool group_made[2];    /* [true]: the one without rules for devices */
	struct build_net *net; /* of RUNs; NULL: not needed yet */
	struct {
		struct image_remote **v;
		size_t n, cap;
	} remotes;          /* of cache_from */
	struct map layouts; /* "oci-layout://..." -> id of its image, a string */
	bool waits;         /* a stage waits for somebody else's cache folder */
	bool ready;         /* the mount namespace */
	char *view;         /* the idmapped store; NULL: it can't be */
	int userns;
	uint32_t uid_base;
	struct selinux_labels labels; /* of RUNs; NULL: none */
	char *layer_label;            /* of what lies below their roots */
};

/* ---- job.c */
int build_open(struct build *b, struct err *err); /* reads the Dockerfile; nothing is done yet */
void build_clear(struct build *b);
/* A small file of the context. */
int context_read(const struct build *b, const char *name, char **text, size_t *len);
/* What the request says that a name stands for, written in full or not; NULL: nothing. */
const char *build_context(const struct build *b, const char *name);
/* What of this is no folder, as an image of the store: a name or an id, the builder's. */
int build_context_image(const struct build *b, const char *named, const char **ref,
			struct err *err);
/* The stage that a name (or a number) means, of those before one; SIZE_MAX: none, or the request
 * has something else for it. */
size_t build_earlier(const struct build *b, const char *name, size_t before, bool numbers);

/* The earlier stages that instructions read from; they are built as well. */
void stage_needs(struct stage *s, const struct df_instruction *v, size_t n);

/* ---- inputs.c: images that builds begin with */
/* What "--from=x" or "--mount=...,from=x" names, or NULL; caller frees. */
char *flag_from(const struct df_pair *flag);
/* Which build has to wait for which. */
int build_order(struct builder *all, struct err *err);
/* The same of what the triggers of the stage read, when they are known. 1: it has to wait. */
int build_order_triggers(struct stage *s, struct err *err);
/* An image that could not be known of before the build is pulled if the store lacks it. */
int build_want_image(const struct build *b, const char *ref, struct err *err);

/* ---- cache.c: cache_from, cache_to */
int build_cache_in(struct builder *all, struct err *err);
int build_cache_out(struct builder *all, struct err *err);
/* Whether one of the registries knows a step that the store does not; it is in the store then. */
bool build_cache_ask(struct builder *all, const char *key);
/* type=inline: the steps become part of the config of the image. */
void build_cache_inline(struct stage *s);
void build_cache_close(struct builder *all);

/* ---- scope.c: variables; pure */
const char *strs_value(const struct strs *pairs, const char *name);
void strs_put(struct strs *pairs, const char *name, const char *value);
const char *stage_env(const struct stage *s, const char *name); /* ENV alone */
int stage_expand(const struct stage *s, const char *word, bool raw, char **out, struct err *err);
int build_globals(struct build *b, struct err *err);
int build_expand(const struct build *b, const char *word, char **out, struct err *err);

/* ---- config.c: instructions that change the config only; pure */
struct json *stage_config(const struct stage *s); /* its "config" object */
void config_env(struct stage *s, const char *name, const char *value);
bool config_step(enum df_op op);
int config_apply(struct stage *s, const struct df_instruction *in, struct err *err);
void config_history(struct stage *s, const char *by, bool empty);
int config_finish(struct stage *s, char **text, struct err *err);
const char *config_text(const struct stage *s, const char *key, const char *otherwise);

/* ---- layer.c: a folder that becomes a layer */
struct new_root {
	struct builder *all;
	char name[24], work[24]; /* in the work folder */
	int fd;                  /* the root, writable */
	bool alone; /* it began with nothing, but layers will be below: its folders hide none */
};
/* mapped: as containers see it; else with the ids on disk. */
int root_open(struct stage *s, bool mapped, struct new_root *out, struct err *err);
/* The same without writing; caller closes. */
int root_view(struct stage *s, struct err *err);
/* What was written becomes the newest layer of the stage, if it is anything, and what key stands for; by is
 * what the history says. */
int root_keep(struct stage *s, struct new_root *root, const char *key, const char *by,
	      struct err *err);
void root_drop(struct new_root *root);
void stage_add_layer(struct stage *s, const struct image_layer *l);
void stage_chain(const struct stage *s, struct digest *d); /* adds what lies below to a key */
void key_add(struct digest *d, const char *s);             /* with its end */
bool stage_cached(struct stage *s, const char *key, const char *by);

/* ---- tree.c: files of a context or of another stage */
struct source {
	int root; /* owned */
	const struct df_ignore *ignore;
	struct df_ignore *own; /* or NULL: what ignore is then; owned */
	bool keep_owner;
	const char *what; /* for messages */
};
void build_source_close(struct source *src);
/* from: NULL the context; a stage, a named context, an image. */
int build_source_open(struct stage *s, const char *from, struct source *out, struct err *err);
struct copy {
	const struct source *src;
	const struct df_ignore *exclude;
	bool parents;
	bool own; /* uid and gid are given */
	uid_t uid;
	gid_t gid;
	int mode;         /* -1: as they are, or as symbolic says */
	char *symbolic;   /* owned by the step; NULL: none */
	const char *dest; /* absolute in the image */
	bool into;        /* dest is a folder in any case */
	bool archives;    /* ADD: tar files are unpacked */
	char *const *paths;
	size_t n;
};
/* All names, kinds, modes and contents into the digest. */
int copy_digest(const struct copy *c, struct digest *d, struct err *err);
/* d (or NULL) sees the same, of what is written. */
int copy_write(const struct copy *c, int root, struct digest *d, struct err *err);
/* As path_mkdirs_in(), and the folders that are made have an owner. */
int mkdirs_owned(int root, const char *path, uid_t uid, gid_t gid);
/* A text as a file. */
int copy_text(const struct copy *c, int root, const char *path, const char *text, struct err *err);

/* ---- fetch.c: addresses of ADD */
bool is_address(const char *word);
/* They become files of a folder of the work folder: *dir, the caller's. checksum: of the one that is
 * wanted, "sha256:...", or NULL. */
int fetch_all(struct stage *s, const struct strs *urls, const char *checksum, struct strs *names,
	      int *dir, struct err *err);

/* A repository; keep, commit: what --keep-git-dir and --checksum say, or NULL. */
int fetch_repository(struct stage *s, const char *address, const char *keep, const char *commit,
		     int *dir, struct err *err);

/* ---- git.c: a repository as a folder of the work folder */
struct git_how {
	const char *address;
	const char *commit; /* what it has to be, or its beginning; NULL: whatever it is */
	bool keep;          /* the folder .git */
	bool offline;
};
/* Below at, which has no such name yet. *path: the part that the address names; caller frees. */
int git_fetch(int at, const char *name, const struct git_how *how, char **path, struct err *err);

/* ---- chmod.c; pure: what "u=rwX,go-w" makes of a mode. -EINVAL: it is something else. */
int chmod_symbolic(const char *text, mode_t mode, bool folder, mode_t *out);

/* ---- copy.c, run.c: 0 done, 1 goes on in the background, -EAGAIN: has to be tried later */
int step_copy(struct stage *s, const struct df_instruction *in, struct err *err);
int step_workdir(struct stage *s, const struct df_instruction *in, struct err *err);
int step_run(struct stage *s, const struct df_instruction *in, struct err *err);
/* Descriptors to wait for: *out the output, *end the program's end; -1: none. */
void run_fds(const struct run *run, int *out, int *end, int *ctl);
/* Something was readable. 1: goes on; 0: the step is done. */
int run_turn(struct stage *s, struct err *err);
void run_abort(struct stage *s);
void run_world_close(struct builder *b);

/* ---- net.c: the name server of RUNs */
int build_net_fd(const struct builder *b); /* to wait for; -1: none */
void build_net_turn(struct builder *b);
void build_net_remove(const char *run, const char *id);

void step_event(struct stage *s, enum build_event_kind kind, const char *text, size_t len);

#endif
