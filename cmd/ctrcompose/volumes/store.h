/* store.h - the store of volumes as commands use it */
#ifndef CMD_VOLUME_STORE_H
#define CMD_VOLUME_STORE_H

#include <ctrcompose/volume.h>

int cmd_volume_store(struct volume_store **out, struct err *err);
/* Names of the containers, of all projects, that have this volume; NULL: of each volume that one
 * has. */
int cmd_volume_users(const char *volume, struct strs *out, struct err *err);
/* Away with volumes that no container has: anonymous ones, with all also those with a name. Their
 * names into *removed, their bytes on disk into *freed (may be NULL). */
int cmd_volumes_prune(bool all, struct strs *removed, uint64_t *freed, struct err *err);

#endif
