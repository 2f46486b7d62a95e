/* store.h - the stores that commands open: images and volumes. */
#ifndef CMD_STORE_H
#define CMD_STORE_H

#include <ctrcompose/image.h>
#include <ctrcompose/volume.h>

int cmd_image_store(struct image_store **out, struct err *err);
/* An image_used_fn: ids of the images that the containers of all projects have. */
int cmd_used_images(void *arg, struct strs *used, struct err *err);
/* What image_remove() and image_prune() say, line by line. */
void image_report(struct sbuf *out, const struct strs *lines);
int cmd_volume_store(struct volume_store **out, struct err *err);
/* Names of the containers, of all projects, that have this volume; NULL: of each volume that one
 * has. */
int cmd_volume_users(const char *volume, struct strs *out, struct err *err);
/* Away with volumes that no container has: anonymous ones, with all also those with a name. Their
 * names into *removed, their bytes on disk into *freed (may be NULL). */
int cmd_volumes_prune(bool all, struct strs *removed, uint64_t *freed, struct err *err);

#endif
