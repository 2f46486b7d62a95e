/* private.h - shared by the files of cdi/ */
#ifndef CDI_PRIVATE_H
#define CDI_PRIVATE_H

#include <ctrcompose/cdi.h>

#define CDI_LIST(type)         \
	struct {               \
		const type *v; \
		size_t n;      \
	}

/* A containerEdits section. */
struct cdi_section {
	CDI_LIST(char *) env;
	CDI_LIST(struct cdi_node) nodes;
	CDI_LIST(struct cdi_mount) mounts;
	CDI_LIST(struct cdi_hook) hooks;
	CDI_LIST(uint32_t) gids;
	const char *refused; /* what of it is not carried out here, with its place; or NULL */
};

struct cdi_device {
	const char *name;
	struct cdi_section edits;
};

struct cdi_spec {
	unsigned folder;
	const char *file;
	const char *kind;   /* NULL: it is too broken to tell */
	const char *broken; /* why it is of no use, or NULL */
	struct cdi_section edits;
	CDI_LIST(struct cdi_device) devices;
};

struct cdi {
	struct arena arena;
	struct {
		struct cdi_spec **v;
		size_t n, cap;
	} specs;
	const char *folders; /* as they were given; NULL: none were read */
};

/* names.c: "vendor.com/class", "name" */
bool cdi_kind_ok(const char *kind);
bool cdi_device_ok(const char *name);
/* Length of the kind in a qualified name; 0: it is none. */
size_t cdi_kind_len(const char *name);

/* spec.c: out->kind is set as soon as it is known, whatever follows. */
int cdi_parse(struct arena *a, const char *file, const char *text, size_t len, struct cdi_spec *out,
	      struct err *err);

/* store.c: the device of a qualified name; errors as cdi_resolve() has them */
int cdi_find(const struct cdi *c, const char *name, const struct cdi_spec **spec,
	     const struct cdi_device **device, struct err *err);
bool cdi_has_kind(const struct cdi *c, const char *kind);

#endif
