/* store.h - the store of images as commands use it */
#ifndef CMD_IMAGE_STORE_H
#define CMD_IMAGE_STORE_H

#include <ctrcompose/image.h>

int cmd_image_store(struct image_store **out, struct err *err);
/* An image_used_fn: ids of the images that the containers of all projects have. */
int cmd_used_images(void *arg, struct strs *used, struct err *err);
/* What image_remove() and image_prune() say, line by line. */
void image_report(struct sbuf *out, const struct strs *lines);

#endif
