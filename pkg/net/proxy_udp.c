/* proxy_udp.c - datagrams carried from the reserved sockets to the container and back.
 *
 * Every client has a socket of its own towards the container, so that the container tells them
 * apart and answers find their way. It goes when nothing came for IDLE_US, or, when there are too
 * many, as the one that was silent longest. An answer leaves from the address that was asked.
 */
#include "proxy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS   1024
#define N_BUCKETS     1024 /* a power of two */
#define MAX_DATAGRAMS 64   /* in one turn of the loop */
#define DATAGRAM_MAX  65536
#define IDLE_US       (90 * UINT64_C(1000000))

union addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};
/* Who asked, and which address of ours: zeroed before it is filled, compared as bytes. */
struct key {
	union addr from;
	union {
		struct in_addr ip4;
		struct in6_addr ip6;
	} asked;
	unsigned ifindex; /* of a link-local IPv6 address */
};
struct client {
	TAILQ_ENTRY(client) by_age;
	LIST_ENTRY(client) in_bucket;
	struct udp_proxy *proxy;
	struct key key;
	int fd;  /* connected to the container */
	int via; /* the reserved socket it came by */
	struct loop_source *src;
	uint64_t last_us;
};
struct udp_proxy {
	struct loop *loop;
	struct sockaddr_in target;
	struct udp_listener {
		struct udp_proxy *proxy;
		int fd;
		struct loop_source *src;
	} listeners[2];
	struct loop_source *timer;
	TAILQ_HEAD(client_queue, client) clients; /* the one silent longest first */
	size_t n_clients;
	LIST_HEAD(bucket, client) buckets[N_BUCKETS];
	uint8_t buf[DATAGRAM_MAX];
};

/* ---- Clients --------------------------------------------------------------------------------- */
static struct bucket *bucket_of(struct udp_proxy *p, const struct key *key)
{
	const uint8_t *bytes = (const uint8_t *)key;
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < sizeof(*key); i++)
		h = (h ^ bytes[i]) * UINT64_C(1099511628211);
	return &p->buckets[(h ^ h >> 32) & (N_BUCKETS - 1)];
}

static void client_free(struct client *c)
{
	struct udp_proxy *p = c->proxy;

	TAILQ_REMOVE(&p->clients, c, by_age);
	LIST_REMOVE(c, in_bucket);
	p->n_clients--;
	loop_source_free(c->src);
	(void)close(c->fd);
	free(c);
}

static void touch(struct client *c)
{
	TAILQ_REMOVE(&c->proxy->clients, c, by_age);
	TAILQ_INSERT_TAIL(&c->proxy->clients, c, by_age);
	c->last_us = now_mono_us();
}

static void drop_idle(void *arg)
{
	struct udp_proxy *p = arg;
	uint64_t now = now_mono_us();
	struct client *c;

	while ((c = TAILQ_FIRST(&p->clients)) && now - c->last_us >= IDLE_US)
		client_free(c);
	(void)loop_timer_set(p->timer, c ? IDLE_US - (now - c->last_us) : LOOP_NEVER);
}

static void set_source(struct msghdr *msg, const struct key *key)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (key->from.sa.sa_family == AF_INET) {
		const struct in_pktinfo info = { .ipi_spec_dst = key->asked.ip4 };

		*c = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		msg->msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		const struct in6_pktinfo info = { key->asked.ip6, key->ifindex };

		*c = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IPV6, IPV6_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		msg->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

static void answer(struct client *c, size_t len)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = { .space = { 0 } };
	struct iovec iov = { c->proxy->buf, len };
	struct msghdr msg = { .msg_name = &c->key.from,
			      .msg_namelen = c->key.from.sa.sa_family == AF_INET
						     ? sizeof(struct sockaddr_in)
						     : sizeof(struct sockaddr_in6),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	set_source(&msg, &c->key);
	/* A datagram may be lost: the client asks again. */
	(void)sendmsg(c->via, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void answer_ready(void *arg, uint32_t events)
{
	struct client *c = arg;

	(void)events;
	for (int i = 0; i < MAX_DATAGRAMS; i++) {
		ssize_t n = recv(c->fd, c->proxy->buf, sizeof(c->proxy->buf), MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) /* "refused" of an earlier datagram, and with that it is read */
			continue;
		touch(c);
		answer(c, (size_t)n);
	}
}

static struct client *client_new(struct udp_proxy *p, const struct key *key, int via)
{
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct client *c;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&p->target, sizeof(p->target)) < 0)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	*c = (struct client){
		.proxy = p, .key = *key, .fd = steal_fd(&fd), .via = via, .last_us = now_mono_us()
	};
	if (p->n_clients == MAX_CLIENTS)
		client_free(TAILQ_FIRST(&p->clients));
	if (p->n_clients++ == 0)
		(void)loop_timer_set(p->timer, IDLE_US);
	TAILQ_INSERT_TAIL(&p->clients, c, by_age);
	LIST_INSERT_HEAD(bucket_of(p, key), c, in_bucket);
	if (proxy_watch(p->loop, c->fd, EPOLLIN, answer_ready, c, &c->src, NULL) == 0)
		return c;
	client_free(c);
	return NULL;
}

static struct client *client_of(struct udp_proxy *p, const struct key *key, int via)
{
	struct client *c;

	LIST_FOREACH (c, bucket_of(p, key), in_bucket)
		/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): zeroed */
		if (memcmp(&c->key, key, sizeof(*key)) == 0) {
			touch(c);
			return c;
		}
	/* Out of descriptors: rather lose the one silent longest than the new one. */
	c = client_new(p, key, via);
	if (!c && p->n_clients > 0) {
		client_free(TAILQ_FIRST(&p->clients));
		c = client_new(p, key, via);
	}
	return c;
}

/* ---- Reserved sockets ------------------------------------------------------------------------ */
static void read_asked(struct msghdr *msg, struct key *key)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			key->asked.ip4 = info.ipi_spec_dst;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			key->asked.ip6 = info.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				key->ifindex = info.ipi6_ifindex;
		}
	}
}

static ssize_t receive(struct udp_listener *l, struct key *key)
{
	union {
		struct cmsghdr align;
		char space[256];
	} control;
	struct iovec iov = { l->proxy->buf, sizeof(l->proxy->buf) };
	struct msghdr msg = { .msg_name = &key->from,
			      .msg_namelen = sizeof(key->from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;

	memset(key, 0, sizeof(*key));
	n = recvmsg(l->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n >= 0)
		read_asked(&msg, key);
	return n;
}

static void datagram_ready(void *arg, uint32_t events)
{
	struct udp_listener *l = arg;

	(void)events;
	for (int i = 0; i < MAX_DATAGRAMS; i++) {
		struct client *c;
		struct key key;
		ssize_t n = receive(l, &key);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			continue;
		c = client_of(l->proxy, &key, l->fd);
		if (c)
			(void)send(c->fd, l->proxy->buf, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

int udp_proxy_new(struct loop *loop, const struct net_reserved *from, struct sockaddr_in target,
		  struct udp_proxy **out, struct err *err)
{
	const int fds[] = { from->fd4, from->fd6 };
	struct udp_proxy *p = xcalloc(1, sizeof(*p));
	int r = loop_timer_add(loop, LOOP_NEVER, drop_idle, p, &p->timer, err);

	p->loop = loop;
	p->target = target;
	TAILQ_INIT(&p->clients);
	for (size_t i = 0; i < ARRAY_LEN(fds) && r == 0; i++) {
		struct udp_listener *l = &p->listeners[i];

		*l = (struct udp_listener){ .proxy = p, .fd = fds[i] };
		if (fds[i] >= 0)
			r = proxy_watch(loop, fds[i], EPOLLIN, datagram_ready, l, &l->src, err);
	}
	if (r < 0)
		udp_proxy_free(p);
	else
		*out = p;
	return r;
}

void udp_proxy_free(struct udp_proxy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < ARRAY_LEN(p->listeners); i++)
		loop_source_free(steal(p->listeners[i].src));
	loop_source_free(p->timer);
	while (!TAILQ_EMPTY(&p->clients))
		client_free(TAILQ_FIRST(&p->clients));
	free(p);
}
