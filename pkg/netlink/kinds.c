/* kinds.c - macvlan, ipvlan and VLAN links, as libnl-route builds them; see netlink.h */
#include "netlink_priv.h"

#include <netlink/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/ipvlan.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/vlan.h>
#include <string.h>
#include <sys/socket.h>

#define ROUTE_LIB_FUNCTIONS(X)         \
	X(rtnl_link_build_add_request) \
	X(rtnl_link_ipvlan_alloc)      \
	X(rtnl_link_ipvlan_set_mode)   \
	X(rtnl_link_macvlan_alloc)     \
	X(rtnl_link_macvlan_set_mode)  \
	X(rtnl_link_put)               \
	X(rtnl_link_set_addr)          \
	X(rtnl_link_set_group)         \
	X(rtnl_link_set_link)          \
	X(rtnl_link_set_mtu)           \
	X(rtnl_link_set_name)          \
	X(rtnl_link_set_ns_fd)         \
	X(rtnl_link_vlan_alloc)        \
	X(rtnl_link_vlan_set_id)

static struct {
	ROUTE_LIB_FUNCTIONS(LIB_FIELD)
} lib;

int nl_kinds_open(struct err *err)
{
	static const struct lib_symbol symbols[] = { ROUTE_LIB_FUNCTIONS(LIB_SYMBOL) };
	static struct lib file = { .soname = "libnl-route-3.so.200",
				   .needed = "macvlan and ipvlan need libnl-route (package "
					     "libnl-route-3-200)",
				   .symbols = symbols,
				   .n_symbols = ARRAY_LEN(symbols) };

	return lib_get(&file, err);
}

static void link_free(struct rtnl_link **link)
{
	if (*link)
		lib.rtnl_link_put(*link);
}
#define auto_link __attribute__((cleanup(link_free)))

/* How it went so far in r; the request becomes the next one of the batch. */
static void add(struct nl_batch *b, struct rtnl_link *link, int r, const char *kind,
		const char *name)
{
	auto_nlmsg struct nl_msg *msg = NULL;

	if (r == 0)
		r = lib.rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &msg);
	if (r < 0)
		b->failed = -EINVAL; /* libnl has numbers of its own */
	else
		nl_batch_add(b, msg, "create %s '%s'", kind, name);
}

void nl_put_child(struct nl_batch *b, const struct nl_child *c)
{
	bool macvlan = strcmp(c->kind, "macvlan") == 0;
	auto_link struct rtnl_link *link =
		macvlan ? lib.rtnl_link_macvlan_alloc() : lib.rtnl_link_ipvlan_alloc();
	int r;

	if (!link) {
		b->failed = -ENOMEM;
		return;
	}
	lib.rtnl_link_set_name(link, c->name);
	lib.rtnl_link_set_link(link, c->parent);
	lib.rtnl_link_set_ns_fd(link, c->netns_fd);
	if (c->mtu)
		lib.rtnl_link_set_mtu(link, c->mtu);
	if (c->mac) {
		struct nl_addr *mac = nl_addr_build(AF_LLC, c->mac, 6);

		if (mac)
			lib.rtnl_link_set_addr(link, mac);
		nl_addr_put(mac);
	}
	r = macvlan ? lib.rtnl_link_macvlan_set_mode(link, c->mode)
		    : lib.rtnl_link_ipvlan_set_mode(link, (uint16_t)c->mode);
	add(b, link, r, c->kind, c->name);
}

void nl_put_vlan(struct nl_batch *b, const char *name, int parent, unsigned id, uint32_t group)
{
	auto_link struct rtnl_link *link = lib.rtnl_link_vlan_alloc();

	if (!link) {
		b->failed = -ENOMEM;
		return;
	}
	lib.rtnl_link_set_name(link, name);
	lib.rtnl_link_set_link(link, parent);
	lib.rtnl_link_set_group(link, group);
	add(b, link, lib.rtnl_link_vlan_set_id(link, (uint16_t)id), "VLAN", name);
}
