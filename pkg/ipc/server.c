/* server.c - the listening socket and its peers behind one epoll descriptor. */
#include "ipc_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 32, ACCEPTS_AT_ONCE = 32, PACKETS_AT_ONCE = 40 };

/* ---- Listening ------------------------------------------------------------------------------- */

static int try_connect(const struct sockaddr_un *addr)
{
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	return connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno : 0;
}

/* A socket file that outlived its server makes bind(2) fail: nobody answers, so it may go. */
static int remove_dead(int dir_fd, const char *name, const struct sockaddr_un *addr)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (try_connect(addr) != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
}

static int bind_socket(struct ipc_server *srv, const struct sockaddr_un *addr)
{
	struct stat st;
	int r;

	srv->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (srv->listen_fd < 0)
		return -errno;
	/* Before bind: the file is born with this mode, nobody gets in between. */
	if (fchmod(srv->listen_fd, 0600) < 0)
		return -errno;
	if (bind(srv->listen_fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0) {
		if (errno != EADDRINUSE)
			return -errno;
		r = remove_dead(srv->dir_fd, srv->name, addr);
		if (r < 0)
			return r;
		if (bind(srv->listen_fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
			return -errno;
	}
	if (fstatat(srv->dir_fd, srv->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	srv->dev = st.st_dev;
	srv->ino = st.st_ino;
	if (st.st_uid != srv->owner &&
	    fchownat(srv->dir_fd, srv->name, srv->owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return listen(srv->listen_fd, 128) < 0 ? -errno : 0;
}

static int start_watching(struct ipc_server *srv)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	srv->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (srv->epoll_fd < 0)
		return -errno;
	if (epoll_ctl(srv->epoll_fd, EPOLL_CTL_ADD, srv->listen_fd, &ev) < 0)
		return -errno;
	srv->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 0;
}

int ipc_listen(const char *path, uid_t owner, const struct ipc_ops *ops, void *arg,
	       struct ipc_server **out, struct err *err)
{
	struct ipc_server *srv = xcalloc(1, sizeof(*srv));
	struct sockaddr_un addr;
	const char *name;
	int r;

	srv->listen_fd = srv->epoll_fd = srv->dir_fd = srv->spare_fd = -1;
	srv->owner = owner;
	srv->ops = *ops;
	srv->arg = arg;
	r = socket_address(path, &addr, &srv->dir_fd, &name);
	if (r == 0) {
		srv->name = xstrdup(name);
		r = bind_socket(srv, &addr);
	}
	if (r == 0)
		r = start_watching(srv);
	if (r < 0) {
		ipc_server_free(srv);
		return err_set(err, r, "listen on '%s': %s", path, strerror(-r));
	}
	*out = srv;
	return 0;
}

int ipc_server_fd(const struct ipc_server *srv)
{
	return srv->epoll_fd;
}

size_t ipc_server_conns(const struct ipc_server *srv)
{
	return srv->n_conns;
}

static void remove_socket(struct ipc_server *srv)
{
	struct stat st;

	if (!srv->ino || fstatat(srv->dir_fd, srv->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (st.st_dev == srv->dev && st.st_ino == srv->ino)
		(void)unlinkat(srv->dir_fd, srv->name, 0);
}

void ipc_server_free(struct ipc_server *srv)
{
	const int *fds[] = { &srv->listen_fd, &srv->epoll_fd, &srv->dir_fd, &srv->spare_fd };

	if (!srv)
		return;
	while (srv->conns)
		ipc_close(srv->conns);
	remove_socket(srv);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (*fds[i] >= 0)
			(void)close(*fds[i]);
	free(srv->name);
	free(srv);
}

/* ---- Peers ----------------------------------------------------------------------------------- */

void ipc_close(struct ipc_conn *conn)
{
	struct ipc_server *srv;

	if (!conn || conn->gone)
		return;
	srv = conn->srv;
	if (!srv) {
		conn_release(conn);
		return;
	}
	conn->gone = true;
	*conn->link = conn->next;
	if (conn->next)
		conn->next->link = conn->link;
	srv->n_conns--;
	/* Closing alone is not enough: a child between clone and exec may have a copy, and then epoll
	 * goes on telling of a peer that is freed. */
	(void)epoll_ctl(srv->epoll_fd, EPOLL_CTL_DEL, conn->fd, NULL);
	(void)close(steal_fd(&conn->fd));
	if (srv->ops.closed)
		srv->ops.closed(srv->arg, conn);
	if (srv->dispatching) {
		/* This round of events may still name it. */
		conn->next = srv->graves;
		srv->graves = conn;
	} else {
		conn_release(conn);
	}
}

void ipc_server_finish(struct ipc_server *srv)
{
	struct ipc_conn *next;

	srv->finishing = true;
	for (struct ipc_conn *conn = srv->conns; conn; conn = next) {
		next = conn->next;
		if (!conn->queued)
			ipc_close(conn);
	}
}

void ipc_close_fn(struct ipc_conn **conn)
{
	ipc_close(*conn);
}

static int want_output(struct ipc_conn *conn, bool on)
{
	struct epoll_event ev = { .events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = conn };

	if (conn->want_out == on)
		return 0;
	if (epoll_ctl(conn->srv->epoll_fd, EPOLL_CTL_MOD, conn->fd, &ev) < 0)
		return -errno;
	conn->want_out = on;
	return 0;
}

int conn_push(struct ipc_conn *conn, struct err *err)
{
	int r = conn->want_out ? 0 : conn_flush(conn);

	if (r == 0)
		r = want_output(conn, true);
	if (r < 0) {
		(void)shutdown(conn->fd, SHUT_RDWR);
		return err_set(err, r, "send: %s", strerror(-r));
	}
	return 0;
}

static void adopt(struct ipc_server *srv, int fd)
{
	struct ipc_conn *conn = conn_new(fd, srv);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = conn };
	bool welcome = conn->peer.uid == 0 || conn->peer.uid == srv->owner;

	if (!welcome || srv->finishing || srv->n_conns >= IPC_CONNS_MAX ||
	    epoll_ctl(srv->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		conn_release(conn);
		return;
	}
	conn->next = srv->conns;
	conn->link = &srv->conns;
	if (conn->next)
		conn->next->link = &conn->next;
	srv->conns = conn;
	srv->n_conns++;
}

/* Out of descriptors: without this the loop would spin on a peer it can't accept. */
static bool turn_away(struct ipc_server *srv)
{
	int fd;

	if (srv->spare_fd < 0)
		return false;
	(void)close(steal_fd(&srv->spare_fd));
	fd = accept4(srv->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		(void)close(fd);
	srv->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd >= 0;
}

static void accept_some(struct ipc_server *srv)
{
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = accept4(srv->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			adopt(srv, fd);
		else if ((errno == EMFILE || errno == ENFILE) && turn_away(srv))
			continue;
		else if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static void hand_over(struct ipc_conn *conn)
{
	struct ipc_server *srv = conn->srv;

	srv->ops.request(srv->arg, conn, sbuf_str(&conn->in), conn->in.len, conn->in_fds,
			 conn->n_in_fds);
	conn_reset_input(conn);
}

static void on_input(struct ipc_conn *conn)
{
	for (int i = 0; i < PACKETS_AT_ONCE && !conn->gone; i++) {
		int r = conn_receive(conn);

		if (r == -EAGAIN)
			return;
		if (r < 0) {
			ipc_close(conn);
			return;
		}
		if (r == 1) {
			hand_over(conn);
			return; /* one request a turn: the others get theirs */
		}
	}
}

static void on_output(struct ipc_conn *conn)
{
	int r = conn_flush(conn);

	if (r > 0)
		r = want_output(conn, false);
	else if (r == 0)
		return;
	if (r < 0 || conn->srv->finishing)
		ipc_close(conn);
	else if (conn->srv->ops.drained)
		conn->srv->ops.drained(conn->srv->arg, conn);
}

void ipc_server_dispatch(void *arg, uint32_t events)
{
	struct ipc_server *srv = arg;
	struct epoll_event evs[EVENTS_AT_ONCE];
	int n = epoll_wait(srv->epoll_fd, evs, EVENTS_AT_ONCE, 0);

	(void)events;
	srv->dispatching = true;
	for (int i = 0; i < n; i++) {
		struct ipc_conn *conn = evs[i].data.ptr;

		if (!conn) {
			accept_some(srv);
			continue;
		}
		if (!conn->gone && (evs[i].events & EPOLLOUT))
			on_output(conn);
		if (!conn->gone && (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
			on_input(conn);
	}
	srv->dispatching = false;
	while (srv->graves) {
		struct ipc_conn *conn = srv->graves;

		srv->graves = conn->next;
		conn_release(conn);
	}
}
