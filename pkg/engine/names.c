/* names.c - what containers are called on their networks, and the name server of each */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void engine_names_add(const struct state_container *c, const struct state_endpoint *ep,
		      const char *hostname, struct dns_zone *zone)
{
	struct dns_addr addr[2];
	auto_free char *full = xasprintf("%s.%s", c->name, ep->network);
	char short_id[13];

	(void)snprintf(short_id, sizeof(short_id), "%s", c->id);
	for (size_t k = 0; k < 2; k++) {
		const char *text = k ? ep->ip6 : ep->ip;

		if (!text || dns_addr_parse(text, &addr[k]) < 0)
			continue;
		for (size_t i = 0; i < ep->aliases.n; i++)
			(void)dns_zone_add(zone, c->id, ep->aliases.v[i], &addr[k], NULL);
		(void)dns_zone_add(zone, c->id, short_id, &addr[k], NULL);
		if (hostname)
			(void)dns_zone_add(zone, c->id, hostname, &addr[k], NULL);
		(void)dns_zone_add_ptr(zone, c->id, &addr[k], full, NULL);
	}
}

void engine_names_health(struct unit *u)
{
	for (size_t i = 0; i < u->c->endpoints.n; i++) {
		struct engine_net *net = engine_net_find(u->engine, u->c->endpoints.v[i].network);

		if (net)
			dns_zone_set_aside(net->zone, u->c->id, u->c->health == STATE_UNHEALTHY);
	}
}

/* links: names that only this container knows. The number of aliases, which are in the arena. */
static size_t link_names(struct arena *a, const struct list *links, struct dns_alias *out)
{
	size_t n = 0;

	for (size_t i = 0; i < links->n; i++) {
		const char *colon = strchr(links->v[i], ':');

		if (colon)
			out[n++] = (struct dns_alias){
				.name = colon + 1,
				.target = arena_printf(a, "%.*s", (int)(colon - links->v[i]),
						       links->v[i]),
			};
	}
	return n;
}

int unit_names_open(struct unit *u, struct err *err)
{
	size_t n = u->c->endpoints.n;
	auto_arena struct arena arena = { 0 }; /* not the unit's: that one outlives many starts */
	auto_free struct dns_zone **zones = xcalloc(n + 1, sizeof(struct dns_zone *));
	auto_free struct dns_addr *ups = xcalloc(u->svc->dns.n + 1, sizeof(*ups));
	auto_free struct dns_alias *aliases =
		xcalloc(u->svc->links.n + u->svc->external_links.n + 1, sizeof(*aliases));
	struct dns_endpoint_config cfg = {
		.zones = zones, .upstreams = ups, .aliases = aliases, .inside = NET_NAMES_PORT
	};
	int sockets[2], r;

	if (n == 0 || u->netns_fd < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct state_endpoint *ep = &u->c->endpoints.v[i];
		struct engine_net *net = engine_net_find(u->engine, ep->network);

		if (!net)
			continue;
		engine_names_add(u->c, ep, u->svc->hostname, net->zone);
		zones[cfg.n_zones++] = net->zone;
		cfg.forward |= !net->net.internal;
	}
	for (size_t i = 0; i < u->svc->dns.n; i++)
		if (dns_addr_parse(u->svc->dns.v[i], &ups[cfg.n_upstreams]) == 0)
			cfg.n_upstreams++;
	engine_names_health(u);
	cfg.n_aliases = link_names(&arena, &u->svc->links, aliases);
	cfg.n_aliases += link_names(&arena, &u->svc->external_links, aliases + cfg.n_aliases);
	if (unit_outlived(u, "names", sockets, 2))
		cfg.sockets = sockets;
	r = dns_server_open_in(u->engine->dns, u->netns_fd, &cfg, &u->dns, err);
	if (r == 0 && !cfg.sockets) {
		dns_endpoint_sockets(u->dns, sockets);
		unit_outlive(u, "names", sockets, 2);
	}
	return r;
}

void unit_names_close(struct unit *u)
{
	for (size_t i = 0; i < u->c->endpoints.n; i++) {
		struct engine_net *net = engine_net_find(u->engine, u->c->endpoints.v[i].network);

		if (net)
			dns_zone_remove_owner(net->zone, u->c->id);
	}
	dns_endpoint_close(steal(u->dns));
	unit_outlive_end(u, "names");
}
