/* selinux.h - SELinux labels for containers: what the host's policy says they are, which categories
 * are free, whether we may give them, and files that get one.
 *
 * A label is user:role:type or user:role:type:level, as the kernel has it ("raw"). Functions return
 * 0 or a negative errno with a sentence in err.
 */
#ifndef CTRCOMPOSE_SELINUX_H
#define CTRCOMPOSE_SELINUX_H

#include <ctrcompose/base.h>

bool selinux_enabled(void); /* enforcing or not */

/* ---- Labels: pure ------------------------------------------------------------------------------ */
enum { SELINUX_LABEL_MAX = 4096 };
struct selinux_context {
	char *user, *role, *type;
	char *level; /* "s0:c1,c2", or NULL: the policy has none */
};
/* -EINVAL: not a label. */
int selinux_context_parse(const char *text, struct selinux_context *out);
char *selinux_context_format(const struct selinux_context *c); /* caller frees */
void selinux_context_clear(struct selinux_context *c);
#define auto_selinux_context __attribute__((cleanup(selinux_context_clear)))

/* ---- What the policy says: pure ---------------------------------------------------------------- */
/* The text of /etc/selinux/config: SELINUXTYPE, the folder of the policy. -ENOENT: it is not in it;
 * -EINVAL: it is not the name of a folder. Caller frees *out. */
int selinux_config_type(const char *text, char **out);

struct selinux_defaults { /* without categories */
	char *process, *file;
	char *layer; /* of files below a container's root, which it reads and executes */
};
/* The text of .../contexts/lxc_contexts. -ENOENT: one is missing; -EINVAL: one is not a label. */
int selinux_defaults_parse(const char *text, struct selinux_defaults *out);
void selinux_defaults_clear(struct selinux_defaults *d);
#define auto_selinux_defaults __attribute__((cleanup(selinux_defaults_clear)))

/* ---- Categories: pure -------------------------------------------------------------------------- */
/* Two that differ make a container's level its own. The last two, 1022 and 1023, belong to what has
 * no process label: no container is given them. */
struct selinux_pair {
	uint16_t low, high;
};
/* "s0:c1,c2", nothing else. */
bool selinux_pair_parse(const char *level, struct selinux_pair *out);
/* One that is not taken; the same again for the same seed. -ENOSPC: all are. */
int selinux_pair_choose(uint64_t seed, const struct selinux_pair *taken, size_t n,
			struct selinux_pair *out);

/* ---- Labels of a container: pure --------------------------------------------------------------- */
struct selinux_labels {
	char *process; /* NULL: what the policy gives to a program that we start */
	char *file;    /* of its root, of file systems in memory, of what is its alone */
};
/* options: the values of label= ("type:t", "level:s0:c1,c2", "disable", "nested"), in their order. */
int selinux_labels_make(const struct selinux_defaults *d, const char *const *options, size_t n,
			struct selinux_pair pair, struct selinux_labels *out, struct err *err);
void selinux_labels_clear(struct selinux_labels *l);
#define auto_selinux_labels __attribute__((cleanup(selinux_labels_clear)))
/* A file label that every container may use: without categories. Caller frees. NULL: not a label. */
char *selinux_shared(const char *file);
/* NULL: what is below may be given another label; else why not. A host does not work any more when
 * its own folders have the labels of containers. path: absolute, clean. */
const char *selinux_relabel_refused(const char *path, const char *home);

/* ---- The kernel -------------------------------------------------------------------------------- */
/* -ENODEV: SELinux is off; -ENOTSUP: containers get no labels here, and why. A look at some files of a
 * few bytes each: the policy may be another one next time. */
int selinux_defaults(struct selinux_defaults *out, struct err *err);
int selinux_check(const char *label, struct err *err); /* -EINVAL: the policy does not have it */
/* Whether our own domain may start programs that have the label. -EACCES: it may not. */
int selinux_may_start(const char *label, bool no_new_privs, struct err *err);
/* Whether containers with these options can be made: for what people ask, before anything is made.
 * Without options: 0 as well where containers get no labels. */
int selinux_check_options(const char *const *options, size_t n, bool no_new_privs, struct err *err);
/* Pairs of all processes that have one, appended. */
struct selinux_pairs {
	struct selinux_pair *v;
	size_t n, cap;
};
void selinux_pairs_running(struct selinux_pairs *out);

/* ---- Files ------------------------------------------------------------------------------------- */
/* A file, or a folder with all that is below it but not what is mounted there. Links are labelled,
 * not followed, but for those that lead to path itself. What has the label already is left alone.
 * -EPERM: see selinux_relabel_refused(); -EOPNOTSUP: its file system has no labels of its own. */
int selinux_relabel(const char *path, const char *label, struct err *err);
/* What fd refers to (O_PATH will do); path is for messages. */
int selinux_relabel_fd(int fd, const char *path, const char *label, struct err *err);
/* Only if path itself has another label. */
int selinux_relabel_once(const char *path, const char *label, struct err *err);
/* What fd refers to; O_PATH does too. 0 or -errno. */
int selinux_label_fd(int fd, const char *label);
/* Sockets that this thread makes from now on, until NULL is given. 0 or -errno. */
int selinux_label_sockets(const char *label);

#endif
