/* client.c - the commands' end: connects, sends and waits. */
#include "ipc_priv.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int ipc_connect(const char *path, struct ipc_conn **out, struct err *err)
{
	auto_close int fd = -1;
	auto_close int dir_fd = -1;
	struct sockaddr_un addr;
	const char *name;
	int r = socket_address(path, &addr, &dir_fd, &name);

	if (r < 0)
		return err_set(err, r, "connect to '%s': %s", path, strerror(-r));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, "make a socket");
	do
		r = connect(fd, (const struct sockaddr *)&addr, sizeof(addr));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_errno(err, "connect to '%s'", path);
	*out = conn_new(steal_fd(&fd), NULL);
	return 0;
}

/* A part of a millisecond is waited for as a whole one: never too short, never a busy loop. */
static int wait_input(int fd, uint64_t until_us)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		uint64_t now = now_mono_us();
		uint64_t left_ms = until_us > now ? (until_us - now) / 1000 + 1 : 0;
		int ms = until_us == UINT64_MAX ? -1 : left_ms > 60000 ? 60000 : (int)left_ms;
		int r = poll(&p, 1, ms);

		if (r > 0)
			return 0;
		if (r < 0)
			return -errno;
		if (now_mono_us() >= until_us)
			return -ETIMEDOUT;
	}
}

static int receive_frame(struct ipc_conn *conn, uint64_t until_us)
{
	for (;;) {
		int r = conn_receive(conn);

		if (r == 1)
			return 0;
		if (r == -EAGAIN)
			r = wait_input(conn->fd, until_us);
		if (r < 0)
			return r;
	}
}

int ipc_recv(struct ipc_conn *conn, uint64_t timeout_us, char **frame, size_t *len, int *fds,
	     size_t *nfds, struct err *err)
{
	uint64_t now = now_mono_us();
	uint64_t until = timeout_us > UINT64_MAX - now ? UINT64_MAX : now + timeout_us;
	int r = receive_frame(conn, until);

	if (r == -ECONNRESET)
		return err_set(err, r, "the supervisor closed the connection");
	if (r == -ETIMEDOUT)
		return err_set(err, r, "the supervisor did not answer in time");
	if (r < 0)
		return err_set(err, r, "receive: %s", strerror(-r));
	if (fds && nfds) {
		memcpy(fds, conn->in_fds, conn->n_in_fds * sizeof(int));
		*nfds = conn->n_in_fds;
		conn->n_in_fds = 0;
	}
	*len = conn->in.len;
	*frame = sbuf_take(&conn->in);
	conn_reset_input(conn);
	return 0;
}
