/* private.h - what the files of the volume store share */
#ifndef VOLUME_PRIVATE_H
#define VOLUME_PRIVATE_H

#include <ctrcompose/volume.h>

struct volume_store {
	int dir; /* <state>/volumes */
	char *path;
};

#endif
