/* changes.h - what changes below some folders of this host: inotify over whole trees. */
#ifndef CMD_CHANGES_H
#define CMD_CHANGES_H

#include "cmd.h"

struct changes;
/* skip: whether a folder (absolute) and all in it is of no interest. */
typedef bool changes_skip_fn(void *arg, const char *path);
int changes_open(changes_skip_fn *skip, void *arg, struct changes **out, struct err *err);
void changes_close(struct changes *c); /* NULL is fine */
/* Watch a folder with all below it; of a file the folder it is in. */
int changes_add(struct changes *c, const char *path, struct err *err);
/* Sleep until something changed and then until nothing has for quiet_ms (at most long_ms): absolute
 * paths, each once, of what was written, made, renamed or removed. *lost: more happened than the
 * kernel could tell, everything may have changed. Nothing and 0 after a signal. */
int changes_wait(struct changes *c, int quiet_ms, int long_ms, struct strs *paths, bool *lost,
		 struct err *err);

#endif
