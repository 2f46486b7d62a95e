/* ipam.c - which subnet a network gets and which address a container. All pure. */
#include <ctrcompose/net.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static const struct net_pool default_pools[] = {
	{ { IP(172, 17, 0, 0), 16 }, 16 },  { { IP(172, 18, 0, 0), 15 }, 16 },
	{ { IP(172, 20, 0, 0), 14 }, 16 },  { { IP(172, 24, 0, 0), 13 }, 16 },
	{ { IP(192, 168, 0, 0), 16 }, 20 }, { { IP(10, 0, 0, 0), 8 }, 24 },
};

static uint32_t last_of(struct net_prefix p)
{
	return p.len == 0 ? UINT32_MAX : p.addr | (uint32_t)((uint64_t)UINT32_MAX >> p.len);
}

static int by_addr(const void *a, const void *b)
{
	const struct net_prefix *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* Used ranges, sorted and merged, so that one pass over a pool finds the first gap. */
static struct net_prefixes sorted(const struct net_prefixes *host, const struct net_prefixes *taken)
{
	const struct net_prefixes *lists[] = { host, taken };
	struct net_prefixes all = { 0 };

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; lists[l] && i < lists[l]->n; i++)
			if (lists[l]->v[i].len >
			    0) /* a default route covers nothing in particular */
				*vec_push(&all) = lists[l]->v[i];
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), by_addr);
	return all;
}

/* The first subnet of the pool that overlaps none of `used`. */
static bool first_gap(const struct net_prefixes *used, const struct net_pool *pool,
		      struct net_prefix *out)
{
	uint64_t at = pool->base.addr, end = (uint64_t)last_of(pool->base) + 1;
	uint64_t step = 1ULL << (32 - pool->size);

	for (size_t i = 0; i <= used->n && at < end; i++) {
		/* Everything before used[i] is behind `at`: a gap as far as used[i] begins. */
		if (i == used->n || used->v[i].addr >= at + step) {
			*out = (struct net_prefix){ (uint32_t)at, pool->size };
			return true;
		}
		if (last_of(used->v[i]) >= at)
			at = ((uint64_t)last_of(used->v[i]) / step + 1) * step;
	}
	return false;
}

int net_pick_subnet(const struct net_prefixes *host, const struct net_prefixes *taken,
		    const struct net_pool *pools, size_t n_pools, struct net_prefix *out,
		    struct err *err)
{
	struct net_prefixes used = sorted(host, taken);
	bool found = false;

	if (!pools) {
		pools = default_pools;
		n_pools = ARRAY_LEN(default_pools);
	}
	for (size_t i = 0; i < n_pools && !found; i++)
		if (pools[i].size >= pools[i].base.len && pools[i].size > 0 && pools[i].size <= 30)
			found = first_gap(&used, &pools[i], out);
	free(used.v);
	if (found)
		return 0;
	return err_set(err, -ENOSPC,
		       "no free subnet is left: all address pools overlap routes of this host or "
		       "other networks; give the network a subnet of its own (ipam.config.subnet)");
}

static bool overlaps(const struct net_prefix6 *p, const struct net_prefixes6 *used)
{
	for (size_t i = 0; i < used->n; i++)
		if (net_prefix6_overlap(p, &used->v[i]))
			return true;
	return false;
}

void net_pick_subnet6(const char *owner, const char *network, const struct net_prefixes6 *used,
		      struct net_prefix6 *out)
{
	enum { TRIES = 1000 }; /* a route to all of fd00::/8 leaves nothing to look for */

	for (unsigned try = 0; try < TRIES; try++) {
		auto_free char *text = try ? xasprintf("subnet6\n%s\n%s\n%u", owner, network, try)
					   : xasprintf("subnet6\n%s\n%s", owner, network);
		uint64_t h = str_hash(text);

		memset(out, 0, sizeof(*out));
		out->len = 64;
		out->addr[0] = 0xfd;
		for (unsigned i = 1; i < 8; i++, h >>= 8)
			out->addr[i] = (uint8_t)h;
		if (!overlaps(out, used))
			return;
	}
}

uint32_t net_gateway(const struct net_network *net)
{
	return net->gateway ? net->gateway : net->subnet.addr + 1;
}

void net_gateway6(const struct net_network *net, uint8_t out[16])
{
	static const uint8_t none[16];

	if (memcmp(net->gateway6, none, sizeof(none)) != 0) {
		memcpy(out, net->gateway6, 16);
		return;
	}
	memcpy(out, net->subnet6.addr, 16);
	out[15] |= 1;
}

void net_address6(const struct net_network *net, uint32_t ipv4, uint8_t out[16])
{
	uint32_t host = ipv4 - net->subnet.addr;

	memcpy(out, net->subnet6.addr, 16);
	for (unsigned i = 0; i < 4; i++)
		if (8 * (12 + i) >= net->subnet6.len) /* only bytes that belong to the host part */
			out[12 + i] |= (uint8_t)(host >> (24 - 8 * i));
}

bool net_address4(const struct net_network *net, const uint8_t ipv6[16], uint32_t *out)
{
	uint8_t back[16];
	uint32_t host = 0;

	for (unsigned i = 0; i < 4; i++)
		host |= (uint32_t)(ipv6[12 + i] ^ net->subnet6.addr[12 + i]) << (24 - 8 * i);
	*out = net->subnet.addr + host;
	if (!net_prefix_has(net->subnet, *out))
		return false;
	net_address6(net, *out, back);
	return memcmp(back, ipv6, sizeof(back)) == 0;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Neither the network itself nor its broadcast; a /31 and a /32 have neither. */
static bool is_host(struct net_prefix p, uint32_t ip)
{
	return net_prefix_has(p, ip) && (p.len >= 31 || (ip != p.addr && ip != last_of(p)));
}

static int check_wanted(const struct net_network *net, const uint32_t *taken, size_t n_taken,
			uint32_t wanted, struct err *err)
{
	char ip[NET_IP_LEN], subnet[NET_PREFIX_LEN];

	(void)net_ip_format(wanted, ip);
	if (!is_host(net->subnet, wanted))
		return err_set(err, -EINVAL,
			       "network '%s': address %s is not a host of its subnet %s", net->name,
			       ip, net_prefix_format(net->subnet, subnet));
	if (wanted == net_gateway(net))
		return err_set(err, -EADDRINUSE, "network '%s': address %s is its gateway",
			       net->name, ip);
	for (size_t i = 0; i < n_taken; i++)
		if (taken[i] == wanted)
			return err_set(err, -EADDRINUSE, "network '%s': address %s is in use",
				       net->name, ip);
	return 0;
}

int net_pick_address(const struct net_network *net, const uint32_t *taken, size_t n_taken,
		     uint32_t wanted, uint32_t *out, struct err *err)
{
	struct net_prefix range = net->range.len ? net->range : net->subnet;
	uint64_t at = range.addr, end = (uint64_t)last_of(range) + 1;
	auto_free uint32_t *order = NULL;
	char text[NET_PREFIX_LEN];
	size_t i = 0;

	if (wanted) {
		int r = check_wanted(net, taken, n_taken, wanted, err);

		if (r == 0)
			*out = wanted;
		return r;
	}
	if (n_taken > 0) {
		order = xreallocarray(NULL, n_taken, sizeof(*order));
		memcpy(order, taken, n_taken * sizeof(*order));
		qsort(order, n_taken, sizeof(*order), by_value);
	}
	for (; at < end; at++) {
		while (i < n_taken && order[i] < at)
			i++;
		if ((i < n_taken && order[i] == at) || at == net_gateway(net) ||
		    !is_host(net->subnet, (uint32_t)at))
			continue;
		*out = (uint32_t)at;
		return 0;
	}
	return err_set(err, -ENOSPC, "network '%s': all addresses of %s are in use", net->name,
		       net_prefix_format(range, text));
}
