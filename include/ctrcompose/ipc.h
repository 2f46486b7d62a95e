/* ipc.h - the control socket: text frames (JSON by agreement of both ends) and descriptors
 * between the supervisor and the commands, over AF_UNIX SOCK_SEQPACKET.
 *
 * Floor 1. The server is driven by its own epoll descriptor, so it needs no loop of ours:
 *   ipc_listen(path, owner, &ops, arg, &srv, err);
 *   loop_io_add(loop, ipc_server_fd(srv), EPOLLIN, ipc_server_dispatch, srv, &src, err);
 *
 * A frame has 0 to IPC_FRAME_MAX bytes and up to IPC_FDS_MAX descriptors; longer ones travel in
 * packets and arrive whole. Whoever connects must be root or the owner (SO_PEERCRED): others are
 * closed without a word. The same struct ipc_conn serves both ends.
 */
#ifndef CTRCOMPOSE_IPC_H
#define CTRCOMPOSE_IPC_H

#include <ctrcompose/base.h>

#define IPC_FRAME_MAX (32U << 20) /* bytes of one frame: plans of big projects are long */
#define IPC_FDS_MAX   FDS_MAX
#define IPC_QUEUE_MAX \
	(4U << 20)        /* bytes that may wait for a slow peer; what a server sends is shorter */
#define IPC_CONNS_MAX 256 /* peers at once; more are closed at once */

struct ipc_server;
struct ipc_conn;

struct ipc_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

struct ipc_ops {
	/* A frame came in; it is NUL terminated after len bytes and valid during the call. The
	 * descriptors are closed afterwards: set fds[i] = -1 to keep one. ipc_close(conn) is
	 * fine here. */
	void (*request)(void *arg, struct ipc_conn *conn, const char *frame, size_t len, int *fds,
			size_t nfds);
	/* May be NULL. The peer is gone, was too slow, or broke the protocol: conn is invalid
	 * after this call. Also called for ipc_close() and ipc_server_free(). */
	void (*closed)(void *arg, struct ipc_conn *conn);
	/* May be NULL. Everything queued has been sent: room for more of a long stream. */
	void (*drained)(void *arg, struct ipc_conn *conn);
};

/* ---- Server ----------------------------------------------------------------------------------
 * The socket file is made with mode 0600 and belongs to owner. A dead socket at path is replaced;
 * a live one is -EADDRINUSE. Paths may be as long as the file system allows, the last part of
 * them up to 80 bytes. ipc_server_free() removes the file if it is still ours.
 */
int ipc_listen(const char *path, uid_t owner, const struct ipc_ops *ops, void *arg,
	       struct ipc_server **out, struct err *err);
int ipc_server_fd(const struct ipc_server *srv);      /* readable: call ipc_server_dispatch() */
void ipc_server_dispatch(void *srv, uint32_t events); /* a loop_io_fn; never blocks */
size_t ipc_server_conns(const struct ipc_server *srv);
/* Nobody new is let in, and each peer is closed as soon as it has taken what is queued for it. */
void ipc_server_finish(struct ipc_server *srv);
void ipc_server_free(struct ipc_server *srv); /* NULL is fine; not inside a callback */

void ipc_set_data(struct ipc_conn *conn, void *data); /* the caller's own, NULL at first */
void *ipc_data(const struct ipc_conn *conn);
struct ipc_peer ipc_peer(const struct ipc_conn *conn);
size_t ipc_queued(const struct ipc_conn *conn); /* bytes not yet taken by the peer */

/* ---- Client ---------------------------------------------------------------------------------- */
/* -ENOENT or -ECONNREFUSED: nobody listens. */
int ipc_connect(const char *path, struct ipc_conn **out, struct err *err);
int ipc_conn_fd(const struct ipc_conn *conn); /* for poll(2) beside other things */
/* The next frame, allocated for the caller and NUL terminated. fds may be NULL (descriptors are
 * closed then), else it has room for IPC_FDS_MAX. -ETIMEDOUT after timeout_us (UINT64_MAX waits
 * for good; a part of a frame is kept for the next call), -ECONNRESET when the other side is gone,
 * -EPROTO for nonsense. */
int ipc_recv(struct ipc_conn *conn, uint64_t timeout_us, char **frame, size_t *len, int *fds,
	     size_t *nfds, struct err *err);

/* ---- Both ends -------------------------------------------------------------------------------
 * Descriptors are duplicated into the message: the caller keeps its own. On the client it blocks
 * until the kernel has taken the frame. On the server it never blocks: what the peer does not
 * take is queued; beyond IPC_QUEUE_MAX the peer is dropped (-ENOBUFS) in the next dispatch.
 * -EMSGSIZE: longer than IPC_FRAME_MAX. -EPIPE: the peer is gone.
 */
int ipc_send(struct ipc_conn *conn, const char *frame, size_t len, const int *fds, size_t nfds,
	     struct err *err);
void ipc_close(struct ipc_conn *conn); /* NULL is fine; unsent frames are lost */
void ipc_close_fn(struct ipc_conn **conn);
#define auto_ipc __attribute__((cleanup(ipc_close_fn)))

#endif
