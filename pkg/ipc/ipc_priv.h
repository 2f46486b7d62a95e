/* ipc_priv.h - one end of a connection and its packets; only for pkg/ipc and its fuzz target.
 *
 * On the wire a frame is one or more packets: a byte (PACKET_LAST or PACKET_MORE) and up to
 * PACKET_MAX bytes of text. Descriptors travel with the first packet.
 */
#ifndef CTRCOMPOSE_IPC_PRIV_H
#define CTRCOMPOSE_IPC_PRIV_H

#include <ctrcompose/ipc.h>
#include <sys/un.h>

#define PACKET_MAX (32U << 10)
enum { PACKET_LAST = 0, PACKET_MORE = 1 };

struct packet { /* waits for a slow peer */
	struct packet *next;
	size_t len;
	size_t n_fds;
	int fds[IPC_FDS_MAX];
	char bytes[];
};

struct ipc_conn {
	struct ipc_server *srv; /* NULL: the client's end, which blocks */
	struct ipc_conn *next, **link;
	int fd;
	struct ipc_peer peer;
	void *data;
	bool gone; /* closed; the memory goes at the end of the dispatch */

	struct sbuf in;
	int in_fds[IPC_FDS_MAX];
	size_t n_in_fds;

	struct packet *out, **out_tail;
	size_t queued;
	bool want_out; /* EPOLLOUT is on */
};

struct ipc_server {
	int listen_fd, epoll_fd, dir_fd, spare_fd;
	char *name; /* of the socket in dir_fd */
	uid_t owner;
	uint64_t dev, ino;
	struct ipc_ops ops;
	void *arg;
	struct ipc_conn *conns, *graves;
	size_t n_conns;
	bool dispatching, finishing;
};

struct ipc_conn *conn_new(int fd, struct ipc_server *srv);
void conn_release(struct ipc_conn *conn);
/* Take one packet apart: 1 the frame in conn->in is whole, 0 more to come, -EPROTO. */
int conn_feed(struct ipc_conn *conn, const char *bytes, size_t len);
/* Receive one packet: 1 whole frame, 0 more to come, -EAGAIN, -ECONNRESET, -EPROTO. */
int conn_receive(struct ipc_conn *conn);
void conn_reset_input(struct ipc_conn *conn); /* also closes descriptors nobody took */
/* Send what is queued: 1 all gone, 0 the peer is slow, or a negative errno. */
int conn_flush(struct ipc_conn *conn);
/* Server: flush, and watch for room when the peer is slow. */
int conn_push(struct ipc_conn *conn, struct err *err);
/* Where to bind or connect: a path that fits. Keeps the folder open in *dir_fd while it is used. */
int socket_address(const char *path, struct sockaddr_un *addr, int *dir_fd, const char **name);

#endif
