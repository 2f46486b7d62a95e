/* cmd_image.h - the subcommands of `image` that have files of their own. */
#ifndef CMD_IMAGE_H
#define CMD_IMAGE_H

#include "cmd.h"
#include "images/store.h"

extern const struct cmd image_import_cmd, image_load_cmd, image_save_cmd, image_rm, image_prune_cmd,
	image_pull_cmd, image_push_cmd;

#endif
