/* internal.h - what the files of this folder share; not for others. */
#ifndef CTRCOMPOSE_STATE_INTERNAL_H
#define CTRCOMPOSE_STATE_INTERNAL_H

#include <ctrcompose/state.h>

struct json;

#define STATE_VERSION  1
#define STATE_SIZE_MAX (64U << 20)
#define ID_DIGITS      64

/* A struct as a table of its fields: encoding, decoding and freeing read the same rows. */
struct table;
extern const struct table project_table, container_table;
extern const struct table network_table, shared_table, endpoint_table, port_table, mount_table;

/* live_only: those rows alone that a live record has. */
void table_encode(const struct table *t, const void *base, bool live_only, struct json *out);
/* Fields that are not there are left as they are, unless they are required. */
int table_decode(const struct table *t, const struct json *j, bool live_only, const char *where,
		 void *base, struct err *err);
void table_clear(const struct table *t, void *base);

/* A body with version and checksum around it, and off again (checked). */
void envelope_add(const char *body, struct sbuf *out);
int envelope_open(const char *text, size_t len, const char *where, const char **body,
		  size_t *body_len, struct err *err);

bool id_ok(const char *id);

#endif
