/* conn.c - frames to packets and back, descriptors with them; used by both ends. */
#include "ipc_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int socket_address(const char *path, struct sockaddr_un *addr, int *dir_fd, const char **name)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir = NULL;
	int n;

	*name = slash ? slash + 1 : path;
	if (!**name)
		return -EINVAL;
	if (!slash)
		dir = xstrdup(".");
	else
		dir = slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	*dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir_fd < 0)
		return -errno;

	/* The kernel takes 107 bytes; this way only the last part counts. */
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	n = snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s", *dir_fd, *name);
	if (n < 0 || (size_t)n >= sizeof(addr->sun_path)) {
		(void)close(*dir_fd);
		*dir_fd = -1;
		return -ENAMETOOLONG;
	}
	return 0;
}

struct ipc_conn *conn_new(int fd, struct ipc_server *srv)
{
	struct ipc_conn *conn = xcalloc(1, sizeof(*conn));
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	conn->fd = fd;
	conn->srv = srv;
	conn->out_tail = &conn->out;
	conn->peer.uid = (uid_t)-1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		conn->peer = (struct ipc_peer){ cred.pid, cred.uid, cred.gid };
	return conn;
}

static void close_fds(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

static void packet_free(struct packet *p)
{
	close_fds(p->fds, p->n_fds);
	free(p);
}

void conn_release(struct ipc_conn *conn)
{
	while (conn->out) {
		struct packet *p = conn->out;

		conn->out = p->next;
		packet_free(p);
	}
	conn_reset_input(conn);
	sbuf_clear(&conn->in);
	if (conn->fd >= 0)
		(void)close(conn->fd);
	free(conn);
}

void ipc_set_data(struct ipc_conn *conn, void *data)
{
	conn->data = data;
}

void *ipc_data(const struct ipc_conn *conn)
{
	return conn->data;
}

struct ipc_peer ipc_peer(const struct ipc_conn *conn)
{
	return conn->peer;
}

size_t ipc_queued(const struct ipc_conn *conn)
{
	return conn->queued;
}

int ipc_conn_fd(const struct ipc_conn *conn)
{
	return conn->fd;
}

/* ---- In -------------------------------------------------------------------------------------- */

void conn_reset_input(struct ipc_conn *conn)
{
	close_fds(conn->in_fds, conn->n_in_fds);
	conn->n_in_fds = 0;
	/* A big frame now and then must not keep a megabyte for good. */
	if (conn->in.cap > 2UL * PACKET_MAX)
		sbuf_clear(&conn->in);
	conn->in.len = 0;
}

int conn_feed(struct ipc_conn *conn, const char *bytes, size_t len)
{
	if (len < 1 || len - 1 > PACKET_MAX)
		return -EPROTO;
	if (bytes[0] != PACKET_LAST && bytes[0] != PACKET_MORE)
		return -EPROTO;
	/* An endless row of empty packets would keep us busy for nothing. */
	if (bytes[0] == PACKET_MORE && len == 1)
		return -EPROTO;
	if (conn->in.len + (len - 1) > IPC_FRAME_MAX)
		return -EPROTO;
	sbuf_add(&conn->in, bytes + 1, len - 1);
	return bytes[0] == PACKET_LAST;
}

int conn_receive(struct ipc_conn *conn)
{
	char bytes[PACKET_MAX + 1];
	size_t n_fds = IPC_FDS_MAX - conn->n_in_fds; /* a frame has so many in all its packets */
	ssize_t n = fd_recv(conn->fd, bytes, sizeof(bytes), conn->in_fds + conn->n_in_fds, &n_fds,
			    MSG_DONTWAIT);

	conn->n_in_fds += n_fds;
	if (n == -EAGAIN)
		return -EAGAIN;
	if (n == -EMSGSIZE)
		return -EPROTO;
	return n <= 0 ? -ECONNRESET : conn_feed(conn, bytes, (size_t)n);
}

/* ---- Out ------------------------------------------------------------------------------------- */

static struct packet *packet_new(char kind, const char *bytes, size_t len)
{
	struct packet *p = xmalloc(sizeof(*p) + len + 1);

	p->next = NULL;
	p->len = len + 1;
	p->n_fds = 0;
	p->bytes[0] = kind;
	memcpy(p->bytes + 1, bytes, len);
	return p;
}

static void enqueue(struct ipc_conn *conn, struct packet *p)
{
	*conn->out_tail = p;
	conn->out_tail = &p->next;
	conn->queued += p->len;
}

int conn_flush(struct ipc_conn *conn)
{
	while (conn->out) {
		struct packet *p = conn->out;
		int r = fd_send(conn->fd, p->bytes, p->len, p->fds, p->n_fds, MSG_DONTWAIT);

		if (r == -EAGAIN || r == -ENOBUFS)
			return 0;
		if (r < 0)
			return r;
		conn->out = p->next;
		if (!conn->out)
			conn->out_tail = &conn->out;
		conn->queued -= p->len;
		packet_free(p);
	}
	return 1;
}

static int copy_fds(struct packet *p, const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

		if (fd < 0)
			return -errno;
		p->fds[p->n_fds++] = fd;
	}
	return 0;
}

int ipc_send(struct ipc_conn *conn, const char *frame, size_t len, const int *fds, size_t nfds,
	     struct err *err)
{
	size_t at = 0;

	if (conn->gone)
		return err_set(err, -EPIPE, "send: the other side is gone");
	if (len > IPC_FRAME_MAX || nfds > IPC_FDS_MAX)
		return err_set(err, -EMSGSIZE, "send: a frame of %zu bytes is too long", len);
	if (conn->srv && conn->queued + len > IPC_QUEUE_MAX) {
		/* The hang-up brings it to the dispatch, which drops it. */
		(void)shutdown(conn->fd, SHUT_RDWR);
		return err_set(err, -ENOBUFS, "send: the other side does not read");
	}

	do {
		size_t part = len - at < PACKET_MAX ? len - at : PACKET_MAX;
		char kind = at + part < len ? PACKET_MORE : PACKET_LAST;
		struct packet *p = packet_new(kind, frame + at, part);
		int r = 0;

		if (conn->srv) {
			r = at == 0 ? copy_fds(p, fds, nfds) : 0;
			if (r < 0)
				packet_free(p);
			else
				enqueue(conn, p);
		} else {
			r = fd_send(conn->fd, p->bytes, p->len, fds, at == 0 ? nfds : 0, 0);
			packet_free(p);
		}
		if (r < 0)
			return err_set(err, r, "send: %s", strerror(-r));
		at += part;
	} while (at < len);
	return conn->srv ? conn_push(conn, err) : 0;
}
