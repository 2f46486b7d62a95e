/* endpoint.c - a container's places in its networks: what they are, and their links */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_internal(const struct engine *e, const char *network)
{
	const struct state_network *rec = state_network_named(e->state, network);

	return rec && rec->internal;
}

bool engine_is_bridged(const struct engine *e, const char *network)
{
	const struct state_network *rec = state_network_named(e->state, network);

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

int unit_endpoints_choose(struct unit *u, const struct plan *plan, struct err *err)
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
		r = unit_choose_addresses(u, plan, rec, net, sn, ep, err);
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
