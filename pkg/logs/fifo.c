/* fifo.c - the named pipes between a container and its supervisor; see logs.h */
#include "private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_fifo(int dirfd, const char *name, int flags, int *out, struct err *err)
{
	auto_close int fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags);
	struct stat st;

	if (fd < 0)
		return err_errno(err, "open FIFO '%s'", name);
	if (fstat(fd, &st) < 0)
		return err_errno(err, "look at FIFO '%s'", name);
	if (!S_ISFIFO(st.st_mode))
		return err_set(err, -EEXIST, "'%s' is there, but is no FIFO", name);
	*out = steal_fd(&fd);
	return 0;
}

int logs_fifo_make(int dirfd, const char *name, int *out, struct err *err)
{
	int r;

	if (mkfifoat(dirfd, name, 0600) < 0 && errno != EEXIST)
		return err_errno(err, "make FIFO '%s'", name);
	r = open_fifo(dirfd, name, O_NONBLOCK, out, err);
	/* Only a wish: without privilege the sum of all pipes is bounded. */
	if (r == 0)
		(void)fcntl(*out, F_SETPIPE_SZ, LOGS_PIPE_SIZE);
	return r;
}

/* Readable as well: while the supervisor is away, the container itself is the reader that keeps
 * the kernel from sending SIGPIPE. */
int logs_fifo_open_writer(int dirfd, const char *name, int *out, struct err *err)
{
	return open_fifo(dirfd, name, 0, out, err);
}
