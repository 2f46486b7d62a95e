/* forward.c - questions about the world go to the host's resolvers; see dns.h
 *
 * Each has a socket of its own, connected to one upstream: a random port, and answers of anybody
 * else never arrive. Over UDP the upstreams are tried in turn; what was asked over TCP goes on
 * over TCP.
 */
#include "private.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	TRY_US = 1500000,
	ROUNDS = 2,
	PENDING_MAX = 512,
	PENDING_OF_ONE_MAX = 128, /* so that one container can not keep the others from it */
	REREAD_US = 2000000,
};

struct dns_pending {
	struct dns_pending *next;
	struct dns_server *srv;
	struct dns_origin from;
	struct loop_source *io, *timer;
	int fd;
	unsigned tries;
	size_t first, at; /* of the upstreams: asked first, asked last */
	bool tcp, sent;
	uint8_t *q;
	size_t n;
	uint8_t *in; /* TCP: length and answer so far */
	size_t have;
	uint16_t asked_id; /* the asker's; q has one of ours */
};

static void try_next(struct dns_pending *p);

static void pending_close(struct dns_pending *p)
{
	loop_source_free(p->io);
	p->io = NULL;
	auto_close_fn(&p->fd);
	p->fd = -1;
	p->have = 0;
	p->sent = false;
}

static void pending_free(struct dns_pending *p)
{
	struct dns_pending **at = &p->srv->pending;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->srv->stats.pending--;
	p->from.ep->pending--;
	pending_close(p);
	loop_source_free(p->timer);
	if (p->from.client)
		p->from.client->waiting--;
	free(p->q);
	free(p->in);
	free(p);
}

void dns_forget(struct dns_server *srv, const struct dns_endpoint *ep,
		const struct dns_client *client)
{
	struct dns_pending *next;

	for (struct dns_pending *p = srv->pending; p; p = next) {
		next = p->next;
		if (p->from.ep == ep && (!client || p->from.client == client))
			pending_free(p);
	}
}

/* The upstreams of who asks: its own, else the host's. */
static size_t upstreams_of(const struct dns_pending *p, const struct dns_addr **out)
{
	const struct dns_endpoint *ep = p->from.ep;

	*out = ep->n_upstreams ? ep->upstreams : p->srv->upstreams;
	return ep->n_upstreams ? ep->n_upstreams : p->srv->n_upstreams;
}

static bool is_refusal(const uint8_t *a)
{
	unsigned rcode = a[3] & 15;

	return rcode == RC_SERVFAIL || rcode == RC_NOTIMP || rcode == RC_REFUSED;
}

/* What the asker gets has the asker's number. */
static void own_id(const struct dns_pending *p, uint8_t *a)
{
	a[0] = (uint8_t)(p->asked_id >> 8);
	a[1] = (uint8_t)p->asked_id;
}

static void answered(struct dns_pending *p, uint8_t *a, size_t n)
{
	const struct dns_addr *ups;

	if (!dns_is_answer(p->q, p->n, a, n))
		return; /* the true one may still come */
	if (is_refusal(a) && p->tries < upstreams_of(p, &ups)) {
		try_next(p);
		return;
	}
	*(p->from.ep->n_upstreams ? &p->from.ep->good : &p->srv->good) = p->at;
	own_id(p, a);
	p->srv->stats.forwarded++;
	dns_deliver(&p->from, a, n);
	pending_free(p);
}

static void failed(struct dns_pending *p)
{
	uint8_t out[UDP_PLAIN];
	size_t n = dns_refuse(p->q, p->n, RC_SERVFAIL, out, sizeof(out));

	own_id(p, out);
	p->srv->stats.failed++;
	dns_deliver(&p->from, out, n);
	pending_free(p);
}

static void on_udp(void *arg, uint32_t events)
{
	struct dns_pending *p = arg;
	static uint8_t buf[DNS_PACKET_MAX];
	ssize_t n = recv(p->fd, buf, sizeof(buf), MSG_DONTWAIT);

	(void)events;
	if (n >= 0)
		answered(p, buf, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		try_next(p); /* nobody listens there */
}

static void on_tcp(void *arg, uint32_t events)
{
	struct dns_pending *p = arg;
	uint8_t head[2] = { (uint8_t)(p->n >> 8), (uint8_t)p->n };
	ssize_t n;

	if (!p->sent) {
		struct iovec iov[2] = { { head, 2 }, { p->q, p->n } };
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

		if (events & (EPOLLERR | EPOLLHUP)) {
			try_next(p);
			return;
		}
		n = sendmsg(p->fd, &msg, MSG_NOSIGNAL);
		if (n != (ssize_t)(p->n + 2)) {
			try_next(p);
			return;
		}
		p->sent = true;
		loop_source_free(p->io);
		p->io = NULL;
		(void)loop_io_add(p->srv->loop, p->fd, EPOLLIN, on_tcp, p, &p->io, NULL);
		return;
	}
	n = recv(p->fd, p->in + p->have, DNS_PACKET_MAX + 2 - p->have, MSG_DONTWAIT);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			try_next(p);
		return;
	}
	p->have += (size_t)n;
	if (p->have >= 2 && p->have - 2 >= (size_t)(p->in[0] << 8 | p->in[1]))
		answered(p, p->in + 2, (size_t)(p->in[0] << 8 | p->in[1]));
}

static void on_late(void *arg)
{
	try_next(arg);
}

static socklen_t fill(const struct dns_addr *a, uint16_t port, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (a->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->ip, 4);
		return sizeof(*in);
	}
	{
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, a->ip, 16);
	}
	return sizeof(struct sockaddr_in6);
}

static bool ask(struct dns_pending *p, const struct dns_addr *up, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = fill(up, port, &sa);
	int type = (p->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;

	p->fd = socket(up->family, type, 0);
	if (p->fd < 0 || (connect(p->fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS))
		return false;
	if (!p->tcp && send(p->fd, p->q, p->n, MSG_NOSIGNAL) != (ssize_t)p->n)
		return false;
	if (loop_io_add(p->srv->loop, p->fd, p->tcp ? EPOLLOUT : EPOLLIN, p->tcp ? on_tcp : on_udp,
			p, &p->io, NULL) < 0)
		return false;
	return loop_timer_set(p->timer, TRY_US) == 0;
}

static void try_next(struct dns_pending *p)
{
	uint16_t port = p->from.ep->n_upstreams ? DNS_PORT : p->srv->port;
	const struct dns_addr *ups;
	size_t n = upstreams_of(p, &ups);

	while (p->tries < n * ROUNDS) {
		pending_close(p);
		p->at = (p->first + p->tries++) % n;
		if (ask(p, &ups[p->at], port))
			return;
	}
	failed(p);
}

static void read_host(struct dns_server *srv)
{
	auto_free char *text = NULL;
	uint64_t now = now_mono_us();

	if (srv->fixed || (srv->read_us && now - srv->read_us < REREAD_US))
		return;
	srv->read_us = now;
	if (file_read(AT_FDCWD, "/etc/resolv.conf", 65536, &text, NULL) == 0)
		srv->n_upstreams =
			dns_parse_resolv_conf(text, srv->upstreams, ARRAY_LEN(srv->upstreams));
}

void dns_forward(const struct dns_origin *from, const uint8_t *q, size_t n)
{
	struct dns_server *srv = from->ep->srv;
	struct dns_pending *p = xcalloc(1, sizeof(*p));
	uint16_t id;
	char hex[5];

	read_host(srv);
	*p = (struct dns_pending){ .srv = srv, .from = *from, .fd = -1, .n = n };
	p->q = xmalloc(n);
	memcpy(p->q, q, n);
	p->tcp = from->client != NULL;
	if (p->tcp) {
		p->in = xmalloc(DNS_PACKET_MAX + 2);
		from->client->waiting++;
	}
	id_random_hex(hex, 4);
	id = (uint16_t)strtoul(hex, NULL, 16);
	p->asked_id = (uint16_t)(q[0] << 8 | q[1]);
	p->q[0] = (uint8_t)(id >> 8);
	p->q[1] = (uint8_t)id;
	p->first = from->ep->n_upstreams ? from->ep->good : srv->good;
	p->next = srv->pending;
	srv->pending = p;
	srv->stats.pending++;
	from->ep->pending++;
	if (srv->stats.pending > PENDING_MAX || from->ep->pending > PENDING_OF_ONE_MAX ||
	    loop_timer_add(srv->loop, LOOP_NEVER, on_late, p, &p->timer, NULL) < 0)
		failed(p);
	else
		try_next(p);
}

int dns_server_new(struct loop *loop, struct dns_server **out, struct err *err)
{
	struct dns_server *srv = xcalloc(1, sizeof(*srv));

	(void)err;
	srv->loop = loop;
	srv->port = DNS_PORT;
	*out = srv;
	return 0;
}

void dns_server_before(struct dns_server *srv, void (*fn)(void *arg), void *arg)
{
	srv->before = fn;
	srv->before_arg = arg;
}

void dns_server_free(struct dns_server *srv)
{
	if (!srv)
		return;
	while (srv->endpoints)
		dns_endpoint_close(srv->endpoints);
	free(srv);
}

int dns_server_set_upstreams(struct dns_server *srv, const struct dns_addr *addrs, size_t n,
			     uint16_t port)
{
	if (n > DNS_UPSTREAMS_MAX)
		return -E2BIG;
	memcpy(srv->upstreams, addrs, n * sizeof(*addrs));
	srv->n_upstreams = n;
	srv->port = port ? port : DNS_PORT;
	srv->fixed = true;
	return 0;
}

struct dns_stats dns_server_stats(const struct dns_server *srv)
{
	return srv->stats;
}
