/* endpoint.c - the sockets in one container's network namespace; see dns.h */
#include "private.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BURST = 32,
	CLIENTS_MAX = 32,
	CLIENT_IDLE_US = 10000000,
	QUESTION_MAX = 2048,
	REACH_MS = 100
};

static struct dns_view view_of(struct dns_endpoint *ep)
{
	return (struct dns_view){ .zones = (const struct dns_zone *const *)ep->zones,
				  .n_zones = ep->n_zones,
				  .aliases = ep->aliases,
				  .n_aliases = ep->n_aliases,
				  .forward = ep->forward,
				  .rotation = ep->rotation++ };
}

static void client_free(struct dns_client *c)
{
	struct dns_client **at = &c->ep->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->ep->n_clients--;
	dns_forget(c->ep->srv, c->ep, c);
	loop_source_free(c->io);
	loop_source_free(c->timer);
	auto_close_fn(&c->fd);
	free(c);
}

void dns_deliver(const struct dns_origin *to, const uint8_t *answer, size_t n)
{
	if (!to->client) {
		(void)sendto(to->ep->udp, answer, n, MSG_DONTWAIT | MSG_NOSIGNAL,
			     (const struct sockaddr *)to->addr, to->addr_len);
		return;
	}
	{
		uint8_t head[2] = { (uint8_t)(n >> 8), (uint8_t)n };
		struct iovec iov[2] = { { head, 2 }, { (void *)(uintptr_t)answer, n } };
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

		(void)sendmsg(to->client->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

/* The answer, where there is one at once: its length, else 0. */
static size_t question(const struct dns_origin *from, const uint8_t *q, size_t n, uint8_t *out,
		       size_t cap)
{
	struct dns_endpoint *ep = from->ep;
	struct dns_view view = view_of(ep);
	size_t len = 0;

	if (ep->srv->before)
		ep->srv->before(ep->srv->before_arg);
	switch (dns_answer(&view, q, n, from->client != NULL, out, cap, &len)) {
	case DNS_ANSWERED:
		ep->srv->stats.answered++;
		return len;
	case DNS_FORWARD:
		dns_forward(from, q, n);
		break;
	case DNS_DROP:
		ep->srv->stats.dropped++;
		break;
	}
	return 0;
}

/* Many questions with one system call, and their answers with another. */
static void on_udp(void *arg, uint32_t events)
{
	static uint8_t in[BURST][QUESTION_MAX], out[BURST][UDP_EDNS];
	static struct dns_origin from[BURST];
	struct mmsghdr asked[BURST], said[BURST];
	struct iovec in_at[BURST], out_at[BURST];
	struct dns_endpoint *ep = arg;
	unsigned answers = 0;
	int n;

	(void)events;
	for (size_t i = 0; i < BURST; i++) {
		from[i] = (struct dns_origin){ .ep = ep };
		in_at[i] = (struct iovec){ in[i], sizeof(in[i]) };
		asked[i].msg_hdr = (struct msghdr){ .msg_name = from[i].addr,
						    .msg_namelen = sizeof(from[i].addr),
						    .msg_iov = &in_at[i],
						    .msg_iovlen = 1 };
	}
	n = recvmmsg(ep->udp, asked, BURST, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		size_t len;

		from[i].addr_len = asked[i].msg_hdr.msg_namelen;
		len = question(&from[i], in[i], asked[i].msg_len, out[answers], UDP_EDNS);
		if (!len)
			continue;
		out_at[answers] = (struct iovec){ out[answers], len };
		said[answers].msg_hdr = (struct msghdr){ .msg_name = from[i].addr,
							 .msg_namelen = from[i].addr_len,
							 .msg_iov = &out_at[answers],
							 .msg_iovlen = 1 };
		answers++;
	}
	for (unsigned sent = 0; sent < answers;) {
		int r = sendmmsg(ep->udp, said + sent, answers - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		sent += r > 0 ? (unsigned)r : 1; /* who can't be told asks again */
	}
}

/* ---- TCP -------------------------------------------------------------------------------------- */
static void on_client(void *arg, uint32_t events)
{
	static uint8_t out[DNS_PACKET_MAX];
	struct dns_client *c = arg;
	size_t answer;
	ssize_t n = recv(c->fd, c->buf + c->have, sizeof(c->buf) - c->have, MSG_DONTWAIT);

	(void)events;
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			client_free(c);
		return;
	}
	c->have += (size_t)n;
	(void)loop_timer_set(c->timer, CLIENT_IDLE_US);
	for (;;) {
		size_t len = c->have >= 2 ? (size_t)(c->buf[0] << 8 | c->buf[1]) : 0;
		struct dns_origin from = { .ep = c->ep, .client = c };

		if (c->have < 2 || (len <= sizeof(c->buf) - 2 && c->have < len + 2))
			return;
		if (len > sizeof(c->buf) - 2 || c->waiting >= 16) {
			client_free(c);
			return;
		}
		answer = question(&from, c->buf + 2, len, out, sizeof(out));
		if (answer)
			dns_deliver(&from, out, answer);
		c->have -= len + 2;
		memmove(c->buf, c->buf + 2 + len, c->have);
	}
}

static void on_idle(void *arg)
{
	client_free(arg);
}

static void on_accept(void *arg, uint32_t events)
{
	struct dns_endpoint *ep = arg;
	int fd = accept4(ep->tcp, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct dns_client *c;

	(void)events;
	if (fd < 0)
		return;
	if (ep->n_clients >= CLIENTS_MAX) {
		(void)close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	*c = (struct dns_client){ .ep = ep, .next = ep->clients, .fd = fd };
	ep->clients = c;
	ep->n_clients++;
	if (loop_io_add(ep->srv->loop, fd, EPOLLIN, on_client, c, &c->io, NULL) < 0 ||
	    loop_timer_add(ep->srv->loop, CLIENT_IDLE_US, on_idle, c, &c->timer, NULL) < 0)
		client_free(c);
}

/* ---- Opening ---------------------------------------------------------------------------------- */
static struct sockaddr_in own_address(uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };

	(void)inet_pton(AF_INET, DNS_ADDRESS, &sa.sin_addr);
	return sa;
}

static int bound(int type, uint16_t port, struct err *err)
{
	struct sockaddr_in sa = own_address(port);
	auto_close int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int one = 1;

	if (fd < 0)
		return err_errno(err, "make a socket for the name server");
	/* So that a service may bind 0.0.0.0:53 with SO_REUSEADDR: ours is the closer match. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 16) < 0))
		return err_errno(err, "bind %s:%u for the name server", DNS_ADDRESS, port);
	return steal_fd(&fd);
}

/* Whether what is sent to DNS_PORT really comes in here. */
static bool is_reached(int udp)
{
	struct sockaddr_in sa = own_address(DNS_PORT);
	struct pollfd p = { .fd = udp, .events = POLLIN };
	char c;

	return sendto(udp, "", 1, MSG_NOSIGNAL, (struct sockaddr *)&sa, sizeof(sa)) == 1 &&
	       poll(&p, 1, REACH_MS) == 1 && recv(udp, &c, 1, 0) == 1;
}

static void close_both(struct dns_endpoint *ep)
{
	auto_close_fn(&ep->udp);
	auto_close_fn(&ep->tcp);
	ep->udp = ep->tcp = -1;
}

static int bind_both(struct dns_endpoint *ep, uint16_t port, struct err *err)
{
	ep->udp = bound(SOCK_DGRAM, port, err);
	if (ep->udp < 0)
		return ep->udp;
	ep->tcp = bound(SOCK_STREAM, port, err);
	return ep->tcp < 0 ? ep->tcp : 0;
}

/* In the container's namespace. */
static int bind_inside(struct dns_endpoint *ep, uint16_t inside, struct err *err)
{
	if (inside && !ep->srv->direct) {
		if (bind_both(ep, inside, NULL) == 0 && is_reached(ep->udp))
			return 0;
		close_both(ep);
		ep->srv->direct = true;
	}
	return bind_both(ep, DNS_PORT, err);
}

static int open_sockets(struct dns_endpoint *ep, int netns_fd, uint16_t inside, struct err *err)
{
	static int home = -1;
	int r;

	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return err_errno(err, "open our network namespace");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_errno(err, "enter a container's network namespace");
	r = bind_inside(ep, inside, err);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* everything we did from here on would be in the wrong place */
	return r;
}

/* As names are compared; the caller's. */
static char *lower(const char *name)
{
	char *out = xstrdup(name);

	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

void dns_endpoint_configure(struct dns_endpoint *ep, const struct dns_endpoint_config *cfg)
{
	free(ep->zones);
	free(ep->upstreams);
	for (size_t i = 0; i < ep->n_aliases; i++) {
		free((void *)(uintptr_t)ep->aliases[i].name);
		free((void *)(uintptr_t)ep->aliases[i].target);
	}
	free(ep->aliases);
	ep->zones = xcalloc(cfg->n_zones + 1, sizeof(struct dns_zone *));
	ep->upstreams = xcalloc(cfg->n_upstreams + 1, sizeof(*ep->upstreams));
	ep->aliases = xcalloc(cfg->n_aliases + 1, sizeof(*ep->aliases));
	for (size_t i = 0; i < cfg->n_zones; i++)
		ep->zones[i] = cfg->zones[i];
	for (size_t i = 0; i < cfg->n_upstreams; i++)
		ep->upstreams[i] = cfg->upstreams[i];
	for (size_t i = 0; i < cfg->n_aliases; i++)
		ep->aliases[i] = (struct dns_alias){ lower(cfg->aliases[i].name),
						     lower(cfg->aliases[i].target) };
	ep->n_zones = cfg->n_zones;
	ep->n_upstreams = cfg->n_upstreams;
	ep->good = 0;
	ep->n_aliases = cfg->n_aliases;
	ep->forward = cfg->forward;
}

int dns_server_open_in(struct dns_server *srv, int netns_fd, const struct dns_endpoint_config *cfg,
		       struct dns_endpoint **out, struct err *err)
{
	struct dns_endpoint *ep = xcalloc(1, sizeof(*ep));
	int r;

	*ep = (struct dns_endpoint){ .srv = srv, .next = srv->endpoints, .udp = -1, .tcp = -1 };
	if (cfg->sockets) {
		ep->udp = cfg->sockets[0];
		ep->tcp = cfg->sockets[1];
	}
	srv->endpoints = ep;
	dns_endpoint_configure(ep, cfg);
	r = cfg->sockets ? 0 : open_sockets(ep, netns_fd, cfg->inside, err);
	if (r == 0)
		r = loop_io_add(srv->loop, ep->udp, EPOLLIN, on_udp, ep, &ep->udp_io, err);
	if (r == 0)
		r = loop_io_add(srv->loop, ep->tcp, EPOLLIN, on_accept, ep, &ep->tcp_io, err);
	if (r < 0) {
		dns_endpoint_close(ep);
		return r;
	}
	*out = ep;
	return 0;
}

void dns_endpoint_sockets(const struct dns_endpoint *ep, int sockets[2])
{
	sockets[0] = ep->udp;
	sockets[1] = ep->tcp;
}

void dns_endpoint_close(struct dns_endpoint *ep)
{
	static const struct dns_endpoint_config none;
	struct dns_endpoint **at;

	if (!ep)
		return;
	for (at = &ep->srv->endpoints; *at != ep; at = &(*at)->next)
		;
	*at = ep->next;
	while (ep->clients)
		client_free(ep->clients);
	dns_forget(ep->srv, ep, NULL);
	loop_source_free(ep->udp_io);
	loop_source_free(ep->tcp_io);
	close_both(ep);
	dns_endpoint_configure(ep, &none);
	free(ep->zones);
	free(ep->upstreams);
	free(ep->aliases);
	free(ep);
}
