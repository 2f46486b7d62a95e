/* internal.h - what the files of this folder share; not for others. */
#ifndef CTRCOMPOSE_CGROUP_INTERNAL_H
#define CTRCOMPOSE_CGROUP_INTERNAL_H

#include <ctrcompose/cgroup.h>

#define BIT(c) (1U << (c))

struct hier {                 /* one mounted hierarchy */
	const char *mount;    /* borrowed from the layout */
	unsigned controllers; /* of enum cgroup_controller, as bits; v2: those it owns */
	bool v2;
};

struct cgroup_system {
	struct cgroup_layout layout;
	struct hier hiers[CGROUP_CONTROLLERS + 1];
	size_t n;
};

/* h is declared here. NOLINTBEGIN(bugprone-macro-parentheses) */
#define EACH_HIER(h, sys) \
	for (const struct hier *h = (sys)->hiers; h < (sys)->hiers + (sys)->n; h++)
/* NOLINTEND(bugprone-macro-parentheses) */

/* The hierarchy that counts or limits c, or NULL. */
const struct hier *hier_of(const struct cgroup_system *sys, enum cgroup_controller c);
const struct hier *hier_unified(const struct cgroup_system *sys);

/* "<mount>/<path>", or "<mount>/<path>/<file>" with a file; caller frees. */
char *hier_path(const struct hier *h, const char *path, const char *file);
bool hier_has(const struct hier *h, const char *path);
/* Content of one small file; negative errno without a sentence. */
int hier_read(const struct hier *h, const char *path, const char *file, char **out);
int hier_write(const struct hier *h, const char *path, const char *file, const char *value,
	       struct err *err);
/* -EINVAL unless path is relative, clean and without empty, "." or ".." parts. */
int path_check(const char *path, struct err *err);

/* A group that we made carries a mark, and a name of ours is ours: what others made is neither
 * removed nor changed. */
void group_mark(const char *dir);
bool group_is_ours(const struct hier *h, const char *path);
/* "ctrcompose", or that with a run folder's number. */
bool group_own_name(const char *name, size_t len);
/* Those of wanted that a v2 group does not hand down to its children. */
int group_withheld(const struct hier *h, const char *path, unsigned *wanted);
/* "+cpu +memory", of bits; for cgroup.subtree_control. */
void group_plus(unsigned controllers, struct sbuf *out);

/* Put the device rules in force on a folder of the v1 devices hierarchy, or on a v2 one. */
int devices_v1(const struct hier *h, const char *path, const struct cgroup_device *extra,
	       size_t n_extra, struct err *err);
int devices_v2(const struct hier *h, const char *path, const struct cgroup_device *extra,
	       size_t n_extra, struct err *err);

/* v1: cpu_rt_runtime of a group whose period is set already, and room for it in those above. */
int realtime_set(const struct hier *h, const char *path, const char *runtime, struct err *err);

/* Sleeps a little longer each time, from 100 us to 10 ms; false once the deadline has passed. */
struct backoff {
	uint64_t deadline_us, next_us;
};
bool backoff_wait(struct backoff *b);

#endif
