/* copying.h - copies files between two places that may both be hostile: by descriptors, never through a
 * symbolic link below them. */
#ifndef CMD_COPYING_H
#define CMD_COPYING_H

#include "cmd.h"

struct copying {
	bool keep_owner;     /* ids are copied; else owner_uid and owner_gid get all */
	bool drop_set_id;    /* what was set-uid for somebody there is not for whom gets it */
	uint32_t from_shift; /* of ids in the source */
	uint32_t to_shift;   /* of ids in the destination */
	uid_t owner_uid;     /* in the destination, without its shift */
	gid_t owner_gid;
	uint64_t bytes, skipped; /* results; skipped: devices, sockets, FIFOs */
};

/* Copy `name` in the folder `from` to `to_name` in the folder `to`: a file replaces a file, a folder is
 * merged into a folder; a file never replaces a folder or the other way round. */
int copy_entry(struct copying *c, int from, const char *name, int to, const char *to_name,
	       struct err *err);
/* The content of one folder into another. */
int copy_content(struct copying *c, int from, int to, struct err *err);

/* Run fn in a process of its own: what it does to its ids and mounts ends with it. */
int cmd_apart(int (*fn)(void *arg, struct err *err), void *arg, struct err *err);

#endif
