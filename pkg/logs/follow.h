/* follow.h - being told when there may be more; for read.c */
#ifndef LOGS_FOLLOW_H
#define LOGS_FOLLOW_H

#include "private.h"

int follow_open(struct err *err); /* an inotify descriptor */
/* Hear of new files in the folder of the source, and of the rest of its open file. 1: the file is
 * watched from now on, look once more; 0: nothing new. */
int follow_folder(int fd, const struct source *s, struct err *err);
int follow_file(int fd, struct source *s, struct err *err);
void follow_forget(int fd, struct source *s);
void follow_clear(int fd); /* what was heard so far */

#endif
