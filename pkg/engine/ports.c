/* ports.c - the host's side of published ports: taken before anything starts, kept while the
 * container runs; see engine.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static int target_of(const struct unit *u, uint32_t *ip)
{
	for (size_t i = 0; i < u->c->endpoints.n; i++)
		if (u->c->endpoints.v[i].ip)
			return net_ip_parse(u->c->endpoints.v[i].ip, ip);
	return -ENOENT;
}

int unit_ports_open(struct unit *u, struct err *err)
{
	uint32_t target = 0;
	int r = 0;

	if (u->svc->n_ports == 0 || (u->c->oneoff && u->c->ports.n == 0))
		return 0;
	if (target_of(u, &target) < 0)
		return 0; /* no network of its own: nothing to publish to */
	u->ports = xcalloc(u->c->ports.n, sizeof(*u->ports));
	for (size_t i = 0; r == 0 && i < u->c->ports.n; i++) {
		struct state_port *p = &u->c->ports.v[i];
		const struct service_port *want = &u->svc->ports[i];
		bool udp = strcmp(p->proto, "udp") == 0;
		struct unit_port *mine = &u->ports[i];
		uint16_t lo = p->published ? p->published : want->published_lo;
		uint16_t hi = p->published ? p->published : want->published_hi;

		mine->reserved = (struct net_reserved){ -1, -1, 0 };
		u->n_ports = i + 1;
		r = net_port_reserve(p->host_ip, lo, hi, udp, &mine->reserved, err);
		if (r == 0)
			r = net_proxy_start(u->engine->loop, &mine->reserved, udp, target,
					    p->target, &mine->proxy, err);
		if (r == 0)
			p->published = mine->reserved.port;
	}
	if (r < 0)
		unit_ports_close(u);
	return r;
}

void unit_ports_close(struct unit *u)
{
	for (size_t i = 0; i < u->n_ports; i++) {
		if (u->ports[i].proxy)
			net_proxy_stop(&u->ports[i].proxy);
		net_reserved_close(&u->ports[i].reserved);
	}
	free(steal(u->ports));
	u->n_ports = 0;
}
