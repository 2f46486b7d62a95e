/* private.h - what the files of this module share. */
#ifndef ROOTFS_PRIVATE_H
#define ROOTFS_PRIVATE_H

#include <ctrcompose/rootfs.h>

/* Idmap a detached mount. -EINVAL: its file system can't. */
int rootfs_set_idmap(int fd, int userns_fd, bool recursive);
/* errno as an error, with the kernel's own words about the last fsconfig(2) when it has any. */
int rootfs_kernel_says(int fs, struct err *err, const char *doing);

#endif
