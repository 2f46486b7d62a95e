/* proxy_tcp.c - connections carried from the reserved sockets to the container.
 *
 * A connection is two descriptors and, while one side is slow, what that side has not taken yet:
 * bytes are read only when there is nothing left to write, so an idle one costs no buffer. The end
 * of a stream is passed on as such (shutdown), an abortion as an abortion (RST).
 */
#include "proxy.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS    1024
#define MAX_ACCEPTS  64 /* in one turn of the loop */
#define CHUNK        (128 * 1024)
#define MAX_CHUNKS   4      /* in one turn, for one direction */
#define FULL_WAIT_US 100000 /* out of descriptors: ask again after that */

struct end {
	struct pair *pair;
	int fd;
	struct loop_source *src;
	bool eof;  /* nothing more comes from it */
	bool shut; /* nothing more goes to it */
	struct {   /* read from the other end, not taken by this one yet */
		uint8_t *v;
		size_t len, at;
	} left;
};
struct pair {
	LIST_ENTRY(pair) link;
	struct tcp_proxy *proxy;
	bool connected;
	struct end ends[2]; /* the client, the container */
};
struct tcp_proxy {
	struct loop *loop;
	struct sockaddr_in target;
	struct listener {
		struct tcp_proxy *proxy;
		int fd;
		struct loop_source *src;
	} listeners[2];
	struct loop_source *retry;
	LIST_HEAD(pair_list, pair) pairs;
	size_t n_pairs;
	uint8_t buf[CHUNK];
};

static void listen_on(struct tcp_proxy *p, bool on)
{
	for (size_t i = 0; i < ARRAY_LEN(p->listeners); i++)
		if (p->listeners[i].src)
			(void)loop_source_enable(p->listeners[i].src, on);
}

/* ---- A pair ---------------------------------------------------------------------------------- */
static struct end *other(struct end *e)
{
	return e == &e->pair->ends[0] ? &e->pair->ends[1] : &e->pair->ends[0];
}

static void pair_free(struct pair *c, bool abort)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct tcp_proxy *p = c->proxy;

	for (size_t i = 0; i < 2; i++) {
		struct end *e = &c->ends[i];

		loop_source_free(e->src);
		if (e->fd >= 0 && abort)
			(void)setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		if (e->fd >= 0)
			(void)close(e->fd);
		free(e->left.v);
	}
	LIST_REMOVE(c, link);
	free(c);
	if (p->n_pairs-- == MAX_PAIRS)
		listen_on(p, true);
}

/* All of it, or what is not taken now is kept. */
static int give(struct end *to, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(to->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n < 0) {
			to->left.v = xmalloc(len);
			memcpy(to->left.v, data, len);
			to->left.len = len;
			to->left.at = 0;
			return 0;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int give_left(struct end *to)
{
	while (to->left.at < to->left.len) {
		ssize_t n = send(to->fd, to->left.v + to->left.at, to->left.len - to->left.at,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		to->left.at += (size_t)n;
	}
	free(steal(to->left.v));
	to->left.len = to->left.at = 0;
	return 0;
}

static int take(struct end *from)
{
	struct tcp_proxy *p = from->pair->proxy;
	struct end *to = other(from);

	for (int i = 0; i < MAX_CHUNKS && !from->eof && !to->left.v; i++) {
		ssize_t n = recv(from->fd, p->buf, sizeof(p->buf), MSG_DONTWAIT);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		from->eof = n == 0;
		r = give(to, p->buf, (size_t)n);
		if (r < 0)
			return r;
	}
	return 0;
}

static int pass_on_eof(struct end *from)
{
	struct end *to = other(from);

	if (!from->eof || to->left.v || to->shut)
		return 0;
	to->shut = true;
	return shutdown(to->fd, SHUT_WR) < 0 && errno != ENOTCONN ? -errno : 0;
}

/* A source without anything to wait for is off: a hang-up would be reported again and again. */
static void watch(struct end *e)
{
	uint32_t events = 0;

	if (!e->pair->connected) {
		events = e == &e->pair->ends[1] ? EPOLLOUT : 0;
	} else {
		events |= !e->eof && !other(e)->left.v ? EPOLLIN : 0;
		events |= e->left.v ? EPOLLOUT : 0;
	}
	if (events)
		(void)loop_io_mod(e->src, events);
	(void)loop_source_enable(e->src, events != 0);
}

static int check_connected(struct pair *c)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(c->ends[1].fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	c->connected = error == 0;
	return -error;
}

static void end_ready(void *arg, uint32_t events)
{
	struct end *e = arg;
	struct pair *c = e->pair;
	int r = 0;

	if (!c->connected)
		r = check_connected(c);
	else if (events & EPOLLOUT)
		r = give_left(e);
	if (r == 0 && c->connected && (events & ~(uint32_t)EPOLLOUT))
		r = take(e);
	for (size_t i = 0; i < 2 && r == 0; i++)
		r = pass_on_eof(&c->ends[i]);
	if (r < 0 || (c->ends[0].shut && c->ends[1].shut)) {
		pair_free(c, r < 0);
		return;
	}
	watch(&c->ends[0]);
	watch(&c->ends[1]);
}

/* ---- New ones -------------------------------------------------------------------------------- */
static void set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },    { SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 120 }, { IPPROTO_TCP, TCP_KEEPINTVL, 30 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(options[i].value));
}

static int pair_connect(struct pair *c)
{
	struct tcp_proxy *p = c->proxy;
	int r;

	c->ends[1].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->ends[1].fd < 0)
		return -errno;
	for (size_t i = 0; i < 2; i++)
		set_options(c->ends[i].fd);
	if (connect(c->ends[1].fd, (const struct sockaddr *)&p->target, sizeof(p->target)) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	for (size_t i = 0; i < 2; i++) {
		r = proxy_watch(p->loop, c->ends[i].fd, EPOLLOUT, end_ready, &c->ends[i],
				&c->ends[i].src, NULL);
		if (r < 0)
			return r;
		watch(&c->ends[i]);
	}
	return 0;
}

static void pair_new(struct tcp_proxy *p, int client)
{
	struct pair *c = xcalloc(1, sizeof(*c));

	c->proxy = p;
	c->ends[0] = (struct end){ .pair = c, .fd = client };
	c->ends[1] = (struct end){ .pair = c, .fd = -1 };
	LIST_INSERT_HEAD(&p->pairs, c, link);
	if (++p->n_pairs == MAX_PAIRS) /* the others wait in the backlog */
		listen_on(p, false);
	if (pair_connect(c) < 0)
		pair_free(c, true);
}

static void try_again(void *arg)
{
	struct tcp_proxy *p = arg;

	listen_on(p, p->n_pairs < MAX_PAIRS);
}

static void client_ready(void *arg, uint32_t events)
{
	struct listener *l = arg;
	struct tcp_proxy *p = l->proxy;

	(void)events;
	for (int i = 0; i < MAX_ACCEPTS && p->n_pairs < MAX_PAIRS; i++) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			pair_new(p, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			listen_on(p, false);
			(void)loop_timer_set(p->retry, FULL_WAIT_US);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

int tcp_proxy_new(struct loop *loop, const struct net_reserved *from, struct sockaddr_in target,
		  struct tcp_proxy **out, struct err *err)
{
	const int fds[] = { from->fd4, from->fd6 };
	struct tcp_proxy *p = xcalloc(1, sizeof(*p));
	int r = loop_timer_add(loop, LOOP_NEVER, try_again, p, &p->retry, err);

	p->loop = loop;
	p->target = target;
	LIST_INIT(&p->pairs);
	for (size_t i = 0; i < ARRAY_LEN(fds) && r == 0; i++) {
		struct listener *l = &p->listeners[i];

		*l = (struct listener){ .proxy = p, .fd = fds[i] };
		if (fds[i] >= 0)
			r = proxy_watch(loop, fds[i], EPOLLIN, client_ready, l, &l->src, err);
	}
	if (r < 0)
		tcp_proxy_free(p);
	else
		*out = p;
	return r;
}

void tcp_proxy_free(struct tcp_proxy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < ARRAY_LEN(p->listeners); i++)
		loop_source_free(steal(p->listeners[i].src));
	loop_source_free(p->retry);
	while (!LIST_EMPTY(&p->pairs))
		pair_free(LIST_FIRST(&p->pairs), true);
	free(p);
}
