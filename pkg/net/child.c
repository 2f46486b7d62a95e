/* child.c - macvlan and ipvlan: endpoints that are children of a link of the host; see net.h */
#include "net_priv.h"
#include <ctrcompose/netlink.h>

#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

static const struct mode {
	enum net_kind kind;
	const char *name;
	unsigned value;
} modes[] = {
	{ NET_MACVLAN, "bridge", MACVLAN_MODE_BRIDGE },
	{ NET_MACVLAN, "private", MACVLAN_MODE_PRIVATE },
	{ NET_MACVLAN, "vepa", MACVLAN_MODE_VEPA },
	{ NET_MACVLAN, "passthru", MACVLAN_MODE_PASSTHRU },
	{ NET_IPVLAN, "l2", IPVLAN_MODE_L2 },
	{ NET_IPVLAN, "l3", IPVLAN_MODE_L3 },
	{ NET_IPVLAN, "l3s", IPVLAN_MODE_L3S },
};

enum net_kind net_kind_of(const char *driver)
{
	return str_eq(driver, "macvlan")  ? NET_MACVLAN
	       : str_eq(driver, "ipvlan") ? NET_IPVLAN
					  : NET_BRIDGE;
}

int net_child_mode(struct net_network *net, const char *mode)
{
	if (net->kind == NET_BRIDGE)
		return mode ? -EINVAL : 0;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) /* the first one of a kind is the default */
		if (modes[i].kind == net->kind && (!mode || strcmp(modes[i].name, mode) == 0)) {
			net->mode = modes[i].value;
			return 0;
		}
	return -EINVAL;
}

bool net_child_routed(const struct net_network *net)
{
	return net->kind == NET_IPVLAN && net->mode != IPVLAN_MODE_L2;
}

/* "eth0.50": VLAN 50 of eth0. 0: no such thing. */
static unsigned vlan_of(const char *name, char base[NET_IFNAME])
{
	const char *dot = strrchr(name, '.');
	uint64_t id;

	if (!dot || dot == name || parse_u64(dot + 1, &id) < 0 || id < 1 || id > 4094)
		return 0;
	(void)snprintf(base, NET_IFNAME, "%.*s", (int)(dot - name), name);
	return (unsigned)id;
}

static uint32_t group_of(const struct net_network *net)
{
	return net->bridge_group ? net->bridge_group : net->group;
}

/* The VLAN that the parent is the name of: ours, and so it goes with our other links. */
static int make_vlan(struct nl_conn *nl, const struct net_network *net, struct nl_link *out,
		     struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	char base[NET_IFNAME];
	unsigned id = vlan_of(net->parent, base);
	int r = id ? nl_link_get(nl, base, out, err) : -ENODEV;

	if (r == -ENODEV)
		return err_set(err, ENODEV, "its parent, link %s, is not there", net->parent);
	if (r < 0)
		return r;
	nl_put_vlan(&batch, net->parent, out->index, id, group_of(net));
	nl_batch_tolerate(&batch, -EEXIST);
	nl_put_link_up(&batch, 0, net->parent);
	r = nl_batch_send(nl, &batch, err);
	return r < 0 ? r : nl_link_get(nl, net->parent, out, err);
}

int net_child_up(struct nl_conn *nl, struct net_network *net, struct err *err)
{
	struct nl_link parent = { 0 };
	int r = nl_kinds_open(err);

	if (r == 0)
		r = nl_link_get(nl, net->parent, &parent, err);
	if (r == -ENODEV)
		r = make_vlan(nl, net, &parent, err);
	if (r == 0)
		net->ifindex = parent.index;
	return r;
}

int net_child_down(struct nl_conn *nl, const struct net_network *net, struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	struct nl_link parent = { 0 };
	int r = nl_link_get(nl, net->parent, &parent, err);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	if (group_of(net) == 0 || parent.group != group_of(net))
		return 0; /* the host's */
	nl_put_link_del(&batch, net->parent);
	nl_batch_tolerate(&batch, -ENODEV);
	return nl_batch_send(nl, &batch, err);
}

void net_put_child(struct nl_batch *batch, const struct net_endpoint *ep, const uint8_t mac[6])
{
	const struct net_network *net = ep->network;
	bool macvlan = net->kind == NET_MACVLAN;
	struct nl_child child = { .kind = macvlan ? "macvlan" : "ipvlan",
				  .name = ep->ifname,
				  .parent = net->ifindex,
				  .netns_fd = ep->netns_fd,
				  .mac = macvlan ? mac : NULL, /* ipvlan: the parent's */
				  .mtu = net->mtu,
				  .mode = net->mode };

	nl_put_child(batch, &child);
}
