/* fdstore.h - descriptors that outlive the process that uses them, as systemd's file descriptor store
 * (sd_pid_notify_with_fds(3)) has it, but nobody serves it.
 *
 * Floor 1. Two processes hold both ends of one socket pair. The one that uses the store sends its
 * descriptors into it (unix(7), SCM_RIGHTS); the other only keeps the pair open. When the user is
 * killed, the next one finds in the queue what the last had.
 *
 * fd_store_take(), _put(), _drop() and _sweep() do nothing for a store of NULL.
 */
#ifndef CTRCOMPOSE_FDSTORE_H
#define CTRCOMPOSE_FDSTORE_H

#include <ctrcompose/base.h>

#define FD_STORE_FDS      FDS_MAX /* descriptors of one name */
#define FD_STORE_NAME_MAX 80      /* bytes of a name with its NUL */

struct fd_store;

/* The pair, for whoever starts the users of the store. */
int fd_store_pair(int ends[2], struct err *err);

/* Finds what the last user has left. ends are borrowed. */
struct fd_store *fd_store_open(const int ends[2]);
/* What is in the queue stays there. */
void fd_store_close(struct fd_store *st);

/* What the last user had put under this name: the count, 0 for none. The caller's; a copy stays in
 * the store until fd_store_drop(). */
size_t fd_store_take(struct fd_store *st, const char *name, int fds[FD_STORE_FDS]);
/* Copies go into the store, in the place of what the name had. -EAGAIN: it is full. */
int fd_store_put(struct fd_store *st, const char *name, const int *fds, size_t n);
/* Copies of this name are closed by the next fd_store_sweep(). */
void fd_store_drop(struct fd_store *st, const char *name);
/* Drop all that the last user has left and nobody has taken. */
void fd_store_drop_untaken(struct fd_store *st);
/* Costs as much as there is in the store; nothing if nothing was dropped. */
void fd_store_sweep(struct fd_store *st);

#endif
