/* intake.c - tee(2) copies what waits in a FIFO without a byte being moved: so it can be written to
 * the file before it leaves the FIFO, and a kill in between loses nothing. */
#include "intake.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct intake shared = { NULL, NULL, { -1, -1 }, -1 };
static unsigned users;

static void release(void)
{
	const int *fds[] = { &shared.pipe[0], &shared.pipe[1], &shared.null_fd };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (*fds[i] >= 0)
			(void)close(*fds[i]);
	shared.pipe[0] = shared.pipe[1] = shared.null_fd = -1;
	free(steal(shared.data));
	free(steal(shared.batch));
}

static int open_all(struct err *err)
{
	if (pipe2(shared.pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(err, "make a pipe for logs");
	/* tee(2) copies as many buffers as this pipe has room for. */
	(void)fcntl(shared.pipe[1], F_SETPIPE_SZ, LOGS_PIPE_SIZE);
	shared.null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return shared.null_fd < 0 ? err_errno(err, "open /dev/null") : 0;
}

int intake_get(struct intake **out, struct err *err)
{
	if (users == 0) {
		int r = open_all(err);

		if (r < 0) {
			release();
			return r;
		}
		shared.data = xmalloc(LOGS_PIPE_SIZE);
		shared.batch = xmalloc(BATCH_MAX);
	}
	users++;
	*out = &shared;
	return 0;
}

void intake_put(void)
{
	if (--users == 0)
		release();
}

static ssize_t read_once(int fd, char *data, size_t len)
{
	ssize_t n;

	do
		n = read(fd, data, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t intake_look(struct intake *in, int fd, bool *copied)
{
	ssize_t n;

	do
		n = tee(fd, in->pipe[1], LOGS_PIPE_SIZE, SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);
	*copied = n >= 0;
	if (n < 0 && errno != EINVAL)
		return -errno;
	if (n < 0) /* no pipe: a terminal */
		return read_once(fd, in->data, LOGS_PIPE_SIZE);
	return n == 0 ? 0 : fd_read_full(in->pipe[0], in->data, (size_t)n);
}

void intake_take_out(struct intake *in, int fd, size_t len)
{
	char none[4096];

	while (len > 0) {
		ssize_t n = splice(fd, NULL, in->null_fd, NULL, len, SPLICE_F_NONBLOCK);

		if (n < 0 && errno == EINVAL) /* a kernel whose /dev/null can't splice */
			n = read_once(fd, none, len < sizeof(none) ? len : sizeof(none));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* somebody else reads the FIFO as well */
			return;
		len -= (size_t)n;
	}
}
