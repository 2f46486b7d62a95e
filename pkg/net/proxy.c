/* proxy.c - from the reserved sockets to the container, where the kernel cannot do it alone. */
#include "proxy.h"

#include <stdlib.h>

struct net_proxy {
	struct tcp_proxy *tcp; /* one of the two */
	struct udp_proxy *udp;
};

int proxy_watch(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *arg,
		struct loop_source **out, struct err *err)
{
	int r = loop_io_add(loop, fd, events, fn, arg, out, err);

	return r < 0 ? r : loop_source_priority(*out, LOOP_LATE);
}

int net_proxy_start(struct loop *loop, const struct net_reserved *from, bool udp,
		    uint32_t target_ip, uint16_t target_port, struct net_proxy **out,
		    struct err *err)
{
	const struct sockaddr_in target = { .sin_family = AF_INET,
					    .sin_addr.s_addr = htonl(target_ip),
					    .sin_port = htons(target_port) };
	auto_free struct net_proxy *p = xcalloc(1, sizeof(*p));
	int r = udp ? udp_proxy_new(loop, from, target, &p->udp, err)
		    : tcp_proxy_new(loop, from, target, &p->tcp, err);

	if (r < 0)
		return err_wrap(err, r, "proxy of port %u/%s", from->port, udp ? "udp" : "tcp");
	*out = steal(p);
	return 0;
}

void net_proxy_stop(struct net_proxy **p)
{
	if (!*p)
		return;
	tcp_proxy_free((*p)->tcp);
	udp_proxy_free((*p)->udp);
	free(steal(*p));
}
