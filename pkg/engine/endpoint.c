/* endpoint.c - a container's place in its networks: addresses, veths, names */
#include "private.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct taken {
	uint32_t *v;
	size_t n, cap;
};

/* pairs, or NULL: an IPv6 address of this network takes the IPv4 one that it would go with. */
static void take(const struct net_network *pairs, const char *address, struct taken *out)
{
	uint8_t six[16];
	uint32_t ip;

	if (!address)
		return;
	if (net_ip_parse(address, &ip) == 0 ||
	    (pairs && net_ip6_parse(address, six) == 0 && net_address4(pairs, six, &ip)))
		*vec_push(out) = ip;
}

static void taken_on(const struct engine *e, const struct state_network *rec,
		     const struct engine_net *net, const struct net_network *pairs,
		     struct taken *out)
{
	const char *network = rec->name;
	uint8_t gateway6[16];
	uint32_t ip;

	for (size_t i = 0; i < rec->reserved.n; i++)
		take(pairs, rec->reserved.v[i], out);
	for (size_t i = 0; i < net->others.n; i++)
		take(pairs, net->others.v[i], out);
	if (pairs) {
		net_gateway6(pairs, gateway6);
		if (net_address4(pairs, gateway6, &ip))
			*vec_push(out) = ip;
	}
	for (size_t i = 0; i < e->state->containers.n; i++) {
		const struct state_container *c = e->state->containers.v[i];

		for (size_t k = 0; k < c->endpoints.n; k++) {
			if (!str_eq(c->endpoints.v[k].network, network))
				continue;
			take(pairs, c->endpoints.v[k].ip, out);
			take(pairs, c->endpoints.v[k].ip6, out);
		}
	}
}

/* Which address of the network: the one that is asked for, else a free one. */
static int choose_ip(struct unit *u, const struct state_network *rec, const struct engine_net *net,
		     const struct service_network *sn, struct state_endpoint *ep, struct err *err)
{
	/* Both families are chosen together, unless the file names one of them. */
	bool pairs = net->net.ipv6 && !sn->ipv4_address && !sn->ipv6_address;
	struct taken taken = { 0 };
	char text[NET_IP_LEN];
	uint32_t wanted = 0, ip = 0;
	int r = 0;

	if (sn->ipv4_address && net_ip_parse(sn->ipv4_address, &wanted) < 0)
		r = err_set(err, EINVAL, "'%s' is not an IPv4 address", sn->ipv4_address);
	taken_on(u->engine, rec, net, pairs ? &net->net : NULL, &taken);
	if (r == 0)
		r = net_pick_address(&net->net, taken.v, taken.n, wanted, &ip, err);
	free(taken.v);
	if (r < 0)
		return err_wrap(err, r, "container %s on network %s", u->c->name, net->name);
	state_set(&ep->ip, net_ip_format(ip, text));
	return 0;
}

static int check_ip6(const struct unit *u, const struct state_network *rec,
		     const struct engine_net *net, const char *text, struct err *err)
{
	const struct state_project *s = u->engine->state;
	uint8_t ip[16], other[16];

	if (net_ip6_parse(text, ip) < 0)
		return err_set(err, EINVAL, "container %s: '%s' is not an IPv6 address", u->c->name,
			       text);
	if (!net_prefix6_has(&net->net.subnet6, ip))
		return err_set(err, EINVAL,
			       "container %s: %s is not in the IPv6 subnet of network %s",
			       u->c->name, text, net->name);
	net_gateway6(&net->net, other);
	if (memcmp(ip, other, 16) == 0)
		return err_set(err, EADDRINUSE, "container %s: %s is the gateway of network %s",
			       u->c->name, text, net->name);
	for (size_t i = 0; i < rec->reserved.n; i++)
		if (net_ip6_parse(rec->reserved.v[i], other) == 0 && memcmp(ip, other, 16) == 0)
			return err_set(err, EADDRINUSE,
				       "container %s: %s is one of the aux_addresses of network %s",
				       u->c->name, text, net->name);
	for (size_t i = 0; i < net->others.n; i++)
		if (net_ip6_parse(net->others.v[i], other) == 0 && memcmp(ip, other, 16) == 0)
			return err_set(
				err, EADDRINUSE,
				"container %s: %s is in use by another project on network %s",
				u->c->name, text, net->name);
	for (size_t i = 0; i < s->containers.n; i++)
		for (size_t k = 0; k < s->containers.v[i]->endpoints.n; k++) {
			const char *has = s->containers.v[i]->endpoints.v[k].ip6;

			if (has && net_ip6_parse(has, other) == 0 && memcmp(ip, other, 16) == 0)
				return err_set(err, EADDRINUSE, "container %s: %s is in use by %s",
					       u->c->name, text, s->containers.v[i]->name);
		}
	return 0;
}

static int choose_ip6(struct unit *u, const struct state_network *rec, const struct engine_net *net,
		      const struct service_network *sn, struct state_endpoint *ep, struct err *err)
{
	const char *address = sn->ipv6_address;
	char text[INET6_ADDRSTRLEN];
	uint8_t ip6[16];
	uint32_t ip;
	int r = 0;

	if (sn->ipv6_address && !net->net.ipv6)
		return err_set(
			err, EINVAL,
			"container %s: ipv6_address on network %s, which has no IPv6: it needs "
			"enable_ipv6: true",
			u->c->name, net->name);
	if (!net->net.ipv6 || net_ip_parse(ep->ip, &ip) < 0)
		return 0;
	if (!address) {
		net_address6(&net->net, ip, ip6);
		address = inet_ntop(AF_INET6, ip6, text, sizeof(text));
	}
	r = check_ip6(u, rec, net, address, err);
	if (r == 0)
		state_set(&ep->ip6, address);
	return r;
}

static void add_aliases(struct unit *u, const struct service_network *sn, struct state_endpoint *ep)
{
	if (u->use_aliases) {
		strs_add(&ep->aliases, u->c->service);
		for (size_t i = 0; i < sn->aliases.n; i++)
			if (!strs_has(&ep->aliases, sn->aliases.v[i]))
				strs_add(&ep->aliases, sn->aliases.v[i]);
	}
	if (!strs_has(&ep->aliases, u->c->name))
		strs_add(&ep->aliases, u->c->name);
}

static const struct state_network *record_of(const struct engine *e, const char *network)
{
	for (size_t i = 0; i < e->state->networks.n; i++)
		if (str_eq(e->state->networks.v[i].name, network))
			return &e->state->networks.v[i];
	return NULL;
}

static bool is_internal(const struct engine *e, const char *network)
{
	const struct state_network *rec = record_of(e, network);

	return rec && rec->internal;
}

bool engine_is_bridged(const struct engine *e, const char *network)
{
	const struct state_network *rec = record_of(e, network);

	return !rec || net_kind_of(rec->driver) == NET_BRIDGE;
}

static bool names_taken(const struct state_container *c, const char *name)
{
	for (size_t i = 0; i < c->endpoints.n; i++)
		if (str_eq(c->endpoints.v[i].ifname, name))
			return true;
	return false;
}

/* Names that are given, and for the others the first of eth0, eth1, ... that is free. */
static int choose_names(struct unit *u, struct err *err)
{
	bool given = false;
	unsigned next = 0;

	for (size_t i = 0; i < u->svc->n_networks; i++) {
		const char *name = u->svc->networks[i].interface_name;

		if (name && names_taken(u->c, name))
			return err_set(err, EEXIST,
				       "container %s: two networks have the interface_name %s",
				       u->c->name, name);
		state_set(&u->c->endpoints.v[i].ifname, name);
		given |= name != NULL;
	}
	for (size_t i = 0; given && i < u->c->endpoints.n; i++) {
		char name[16];

		if (u->c->endpoints.v[i].ifname)
			continue;
		do
			(void)snprintf(name, sizeof(name), "eth%u", next++);
		while (names_taken(u->c, name));
		state_set(&u->c->endpoints.v[i].ifname, name);
	}
	return 0;
}

/* Where somebody asked for it: the default route of the highest gw_priority, that of an internal
 * network leads nowhere. */
static void choose_way_out(struct unit *u)
{
	size_t best = SIZE_MAX;
	bool asked = false;

	for (size_t i = 0; i < u->svc->n_networks; i++) {
		int mine = u->svc->networks[i].gw_priority;

		asked |= mine != 0;
		if (!is_internal(u->engine, u->c->endpoints.v[i].network) &&
		    (best == SIZE_MAX || mine > u->svc->networks[best].gw_priority))
			best = i;
	}
	if (asked && best != SIZE_MAX)
		u->c->endpoints.v[best].way_out = true;
}

int unit_endpoints_choose(struct unit *u, struct err *err)
{
	struct engine *e = u->engine;

	for (size_t i = 0; i < u->svc->n_networks; i++) {
		const struct service_network *sn = &u->svc->networks[i];
		const struct state_network *rec = state_network_find(e->state, sn->network);
		struct engine_net *net = NULL;
		char host_if[NET_IFNAME], mac[18];
		struct state_endpoint *ep;
		uint8_t hw[6];
		uint32_t ip;
		int r;

		if (!rec)
			return err_set(err, ENOENT, "network %s is not there", sn->network);
		r = engine_net_ensure(e, rec->name, &net, err);
		if (r == 0)
			r = engine_shared_choose(e, net, err);
		if (r < 0)
			return r;
		ep = state_endpoint_add(u->c);
		state_set(&ep->network, rec->name);
		r = choose_ip(u, rec, net, sn, ep, err);
		if (r == 0)
			r = choose_ip6(u, rec, net, sn, ep, err);
		if (r < 0)
			return r;
		(void)net_ip_parse(ep->ip, &ip);
		net_mac_of(ip, hw);
		(void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", hw[0], hw[1],
			       hw[2], hw[3], hw[4], hw[5]);
		state_set(&ep->mac, sn->mac_address ? sn->mac_address : mac);
		net_host_if_name(u->c->id, rec->name, host_if);
		state_set(&ep->host_if, host_if);
		add_aliases(u, sn, ep);
	}
	choose_way_out(u);
	return choose_names(u, err);
}

const struct state_endpoint *engine_way_out(const struct engine *e, const struct state_container *c)
{
	for (size_t i = 0; i < c->endpoints.n; i++)
		if (c->endpoints.v[i].way_out)
			return &c->endpoints.v[i];
	for (size_t i = 0; i < c->endpoints.n; i++)
		if (!is_internal(e, c->endpoints.v[i].network))
			return &c->endpoints.v[i];
	return c->endpoints.n ? &c->endpoints.v[0] : NULL;
}

const struct state_endpoint *engine_published(const struct engine *e,
					      const struct state_container *c)
{
	const struct state_endpoint *ep = engine_way_out(e, c);

	return ep && engine_is_bridged(e, ep->network) ? ep : NULL;
}

static int mac_parse(const char *s, uint8_t out[6])
{
	unsigned b[6];

	if (sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return -EINVAL;
	for (size_t i = 0; i < 6; i++)
		out[i] = (uint8_t)b[i];
	return 0;
}

/* What the file says of the endpoint besides its address. */
static int take_extras(const struct unit *u, size_t i, struct net_endpoint *ep, struct err *err)
{
	const struct service_network *sn;

	if (i >= u->svc->n_networks)
		return 0;
	sn = &u->svc->networks[i];
	ep->sysctls = sn->sysctls;
	for (size_t k = 0; k < sn->link_local_ips.n; k++) {
		const char *text = sn->link_local_ips.v[k];
		bool six = strchr(text, ':') != NULL;
		size_t *n = six ? &ep->n_link_local6 : &ep->n_link_local4;
		bool fits = *n < NET_LINK_LOCALS;

		if (six && !ep->has_ipv6)
			return err_set(
				err, EINVAL,
				"container %s: link_local_ips: %s on network %s, which has no "
				"IPv6: it needs enable_ipv6: true",
				u->c->name, text, ep->network->name);
		if (!fits || (six ? net_ip6_parse(text, ep->link_local6[*n])
				  : net_ip_parse(text, &ep->link_local4[*n])) < 0)
			return err_set(err, EINVAL, "container %s: link_local_ips: '%s'",
				       u->c->name, text);
		++*n;
	}
	return 0;
}

/* Endpoint i as net has it. */
static int endpoint_of(struct unit *u, size_t i, struct net_endpoint *out, struct err *err)
{
	const struct state_endpoint *rec = &u->c->endpoints.v[i];
	struct engine_net *net = NULL;
	int r = engine_net_ensure(u->engine, rec->network, &net, err);

	if (r < 0)
		return r;
	*out = (struct net_endpoint){ .network = &net->net,
				      .netns_fd = u->netns_fd,
				      .default_route = rec == engine_way_out(u->engine, u->c) };
	(void)snprintf(out->host_if, sizeof(out->host_if), "%s", rec->host_if);
	if (rec->ifname)
		(void)snprintf(out->ifname, sizeof(out->ifname), "%s", rec->ifname);
	else
		(void)snprintf(out->ifname, sizeof(out->ifname), "eth%u", (unsigned)i & 0xffff);
	if (net_ip_parse(rec->ip, &out->ipv4) < 0 ||
	    (rec->mac && mac_parse(rec->mac, out->mac) < 0))
		return err_set(err, EINVAL, "container %s has no usable address on network %s",
			       u->c->name, rec->network);
	if (net->net.ipv6 && rec->ip6)
		out->has_ipv6 = net_ip6_parse(rec->ip6, out->ipv6) == 0;
	return take_extras(u, i, out, err);
}

int unit_net_attach(struct unit *u, bool again, struct err *err)
{
	struct engine *e = u->engine;
	size_t n = u->c->endpoints.n;
	auto_free struct net_endpoint *eps = xcalloc(n + 1, sizeof(*eps));
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = endpoint_of(u, i, &eps[i], err);
	if (r < 0 || n == 0)
		return r;
	if (again) /* the last run's veths may still be on their way out */
		(void)net_detach(e->nl, eps, n, NULL);
	r = net_attach(e->nl, e->pins, eps, n, err);
	if (r != -EEXIST || again)
		return r;
	err_clear(err); /* those of a start that came to nothing, then */
	(void)net_detach(e->nl, eps, n, NULL);
	return net_attach(e->nl, e->pins, eps, n, err);
}

void unit_net_release(struct unit *u)
{
	for (size_t i = 0; u->netns_fd >= 0 && i < u->c->endpoints.n; i++) {
		auto_err struct err err = ERR_INIT;
		struct net_endpoint ep;

		if (engine_is_bridged(u->engine, u->c->endpoints.v[i].network))
			continue;
		if (endpoint_of(u, i, &ep, &err) < 0 || net_detach(u->engine->nl, &ep, 1, &err) < 0)
			log_line(LOG_WARN, "%s: %s", u->c->name, err_text(&err));
	}
}

/* ---- Names ------------------------------------------------------------------------------------ */
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
	cfg.n_aliases = link_names(&u->arena, &u->svc->links, aliases);
	cfg.n_aliases += link_names(&u->arena, &u->svc->external_links, aliases + cfg.n_aliases);
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
