/* cdi.h - devices by name: the Container Device Interface of the CNCF, up to version 1.1.
 *
 * A vendor's spec file says what a container needs to have a device: nodes, mounts, environment,
 * groups, hooks. "vendor.com/class=name" is a device of the kind "vendor.com/class".
 *
 * Floor 2. Everything but cdi_load() is pure. Whoever may write spec files decides what is run as
 * root here; what they say is checked and bounded all the same. Functions return 0 or a negative
 * errno with a sentence in err.
 */
#ifndef CTRCOMPOSE_CDI_H
#define CTRCOMPOSE_CDI_H

#include <ctrcompose/base.h>

#define CDI_DIRS     "/etc/cdi:/var/run/cdi" /* unless the environment has CTRCOMPOSE_CDI */
#define CDI_FILE_MAX (1 << 20)               /* bytes of a spec file */
enum {
	CDI_FILES_MAX = 256,  /* of one folder */
	CDI_ITEMS_MAX = 1024, /* devices of a spec, entries of a list */
	CDI_TEXT_MAX = 4096,  /* bytes of a string */
	CDI_GIDS_MAX = 32,    /* additional groups of a container */
};

/* ---- Names ------------------------------------------------------------------------------------- */
bool cdi_qualified(const char *name); /* is of the form vendor.com/class=name */

/* ---- What a device asks for: `at` is where its spec says so, "/etc/cdi/x.yaml:3:7" ------------- */
struct cdi_node {
	const char *path;       /* in the container, absolute */
	const char *host;       /* where it is found when type or major are not given */
	char type;              /* 'b', 'c', 'p' or 0: the host's */
	uint32_t major, minor;  /* 0 and 0: the host's */
	const char *access;     /* out of "rwm", may be "" */
	int64_t mode, uid, gid; /* -1: not given */
	const char *at;
};

struct cdi_mount {
	const char *host, *target;  /* absolute; of a tmpfs host means nothing */
	bool tmpfs;                 /* else a bind */
	const char *const *options; /* of mount(8), see cdi_mount_flags() */
	size_t n_options;
	const char *at;
};

enum cdi_hook_kind { /* as the OCI runtime specification has them */
		     CDI_PRESTART,
		     CDI_CREATE_RUNTIME,
		     CDI_CREATE_CONTAINER,
		     CDI_START_CONTAINER,
		     CDI_POSTSTART,
		     CDI_POSTSTOP,
};

struct cdi_hook {
	enum cdi_hook_kind kind;
	const char *path;        /* absolute, of the host */
	const char *const *args; /* NULL terminated, with the program's name; at least that */
	const char *const *env;  /* NULL terminated */
	unsigned timeout_s;      /* 0: none */
	const char *at;
};

/* All that a container's devices ask for together, in order: where two say something of one thing
 * (a path, a variable), the later one wins. Borrows from the struct cdi. */
struct cdi_edits {
	struct {
		const char **v; /* "KEY=value" */
		size_t n, cap;
	} env;
	struct {
		const struct cdi_node **v;
		size_t n, cap;
	} nodes;
	struct {
		const struct cdi_mount **v;
		size_t n, cap;
	} mounts;
	struct {
		const struct cdi_hook **v;
		size_t n, cap;
	} hooks;
	struct {
		uint32_t *v;
		size_t n, cap;
	} gids;
};
void cdi_edits_clear(struct cdi_edits *e);
#define auto_cdi_edits __attribute__((cleanup(cdi_edits_clear)))

/* Options of a bind as MOUNT_ATTR_*. Later ones win. -EINVAL: one that is none, named by *bad. */
struct cdi_flags {
	unsigned attrs;
	bool recursive; /* with what is mounted below */
	bool slave;     /* mounts that the host makes below it later show up */
};
int cdi_mount_flags(const struct cdi_mount *m, struct cdi_flags *out, const char **bad);

/* ---- The specs of a machine -------------------------------------------------------------------- */
struct cdi;

struct cdi *cdi_new(void);
void cdi_free(struct cdi *c);
void auto_cdi_fn(struct cdi **c);
#define auto_cdi __attribute__((cleanup(auto_cdi_fn)))

/* The text of one spec, JSON or YAML, of a folder: those of a folder with a higher number win, two
 * in one folder that have the same device are both of no use for it. A broken spec is kept with
 * what is wrong, and only matters to who asks for a device of its kind. */
void cdi_add(struct cdi *c, unsigned folder, const char *file, const char *text, size_t len);
/* Reads *.json and *.yaml of the folders (CTRCOMPOSE_CDI, else CDI_DIRS). Folders that are not
 * there have none; a file that can't be read is a broken one. */
struct cdi *cdi_load(void);
const char *cdi_folders(const struct cdi *c); /* that were read: "/etc/cdi:/var/run/cdi" */

/* Qualified names of all devices that can be had, sorted. */
void cdi_devices(const struct cdi *c, struct strs *out);
/* Sentences about broken files and devices that two files of a folder have. */
void cdi_problems(const struct cdi *c, struct strs *out);

/* ---- Asking ------------------------------------------------------------------------------------ */
/* As `gpus` and deploy.resources.reservations.devices have it, and Docker reads it. */
struct cdi_request {
	const char *driver;     /* NULL or "", "nvidia", "amd", "cdi" */
	int64_t count;          /* -1: all; ignored with ids */
	const char *const *ids; /* names in their kind, or qualified */
	size_t n_ids;
	const char *const *capabilities;
	size_t n_capabilities;
};

/* What is wrong with it wherever it is asked, or NULL. */
const char *cdi_request_problem(const struct cdi_request *r);
/* The qualified names that it means on a machine with these specs, added to *out. They need not be
 * there: cdi_resolve() tells. */
void cdi_names(const struct cdi *c, const struct cdi_request *r, struct strs *out);
/* What these devices ask for, added to *out: each spec's own edits once, before the first of its
 * devices. -ENOENT: no such device, the sentence says which there are; -EEXIST: two files have it;
 * -EBADMSG: its spec is broken; -ENOTSUP: it asks for what is not carried out here. */
int cdi_resolve(const struct cdi *c, const struct strs *names, struct cdi_edits *out,
		struct err *err);

#endif
