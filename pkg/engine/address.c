/* address.c - which addresses of a network a container gets: those that are asked for, else free ones */
#include "private.h"

#include <arpa/inet.h>
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

/* The container whose place it takes gives its addresses away; so do others that go, to the one who asks
 * for them: what is merely free must be free as well if the others stay after all. */
static bool gives_way(const struct unit *u, const struct plan *plan,
		      const struct state_container *c, bool asked)
{
	return str_eq(u->c->replaces, c->id) || (asked && engine_goes(plan, c));
}

static void taken_on(const struct unit *u, const struct plan *plan, bool asked,
		     const struct state_network *rec, const struct engine_net *net,
		     const struct net_network *pairs, struct taken *out)
{
	const struct engine *e = u->engine;
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
		size_t n = gives_way(u, plan, c, asked) ? 0 : c->endpoints.n;

		for (size_t k = 0; k < n; k++) {
			if (!str_eq(c->endpoints.v[k].network, network))
				continue;
			take(pairs, c->endpoints.v[k].ip, out);
			take(pairs, c->endpoints.v[k].ip6, out);
		}
	}
}

/* Which address of the network: the one that is asked for, else a free one. */
static int choose_ip(struct unit *u, const struct plan *plan, const struct state_network *rec,
		     const struct engine_net *net, const struct service_network *sn,
		     struct state_endpoint *ep, struct err *err)
{
	/* Both families are chosen together, unless the file names one of them. */
	bool pairs = net->net.ipv6 && !sn->ipv4_address && !sn->ipv6_address;
	struct taken taken = { 0 };
	char text[NET_IP_LEN];
	uint32_t wanted = 0, ip = 0;
	int r = 0;

	if (sn->ipv4_address && net_ip_parse(sn->ipv4_address, &wanted) < 0)
		r = err_set(err, EINVAL, "'%s' is not an IPv4 address", sn->ipv4_address);
	taken_on(u, plan, sn->ipv4_address != NULL, rec, net, pairs ? &net->net : NULL, &taken);
	if (r == 0)
		r = net_pick_address(&net->net, taken.v, taken.n, wanted, &ip, err);
	free(taken.v);
	if (r < 0)
		return err_wrap(err, r, "container %s on network %s", u->c->name, net->name);
	state_set(&ep->ip, net_ip_format(ip, text));
	return 0;
}

static int check_ip6(const struct unit *u, const struct plan *plan, const struct state_network *rec,
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

			if (has && net_ip6_parse(has, other) == 0 && memcmp(ip, other, 16) == 0 &&
			    !gives_way(u, plan, s->containers.v[i], true))
				return err_set(err, EADDRINUSE, "container %s: %s is in use by %s",
					       u->c->name, text, s->containers.v[i]->name);
		}
	return 0;
}

static int choose_ip6(struct unit *u, const struct plan *plan, const struct state_network *rec,
		      const struct engine_net *net, const struct service_network *sn,
		      struct state_endpoint *ep, struct err *err)
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
	r = check_ip6(u, plan, rec, net, address, err);
	if (r == 0)
		state_set(&ep->ip6, address);
	return r;
}

int unit_choose_addresses(struct unit *u, const struct plan *plan, const struct state_network *rec,
			  const struct engine_net *net, const struct service_network *sn,
			  struct state_endpoint *ep, struct err *err)
{
	int r = choose_ip(u, plan, rec, net, sn, ep, err);

	return r < 0 ? r : choose_ip6(u, plan, rec, net, sn, ep, err);
}
