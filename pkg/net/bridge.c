/* bridge.c - the host's side of networks: routes that are there, bridges up and down. */
#include "net_priv.h"
#include <ctrcompose/netlink.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

int net_sysctl(const char *path, const char *value)
{
	auto_free char *full = xasprintf("/proc/sys/%s", path);
	char now[32] = "";
	auto_close int fd = open(full, O_RDONLY | O_CLOEXEC);

	/* Often right already, and then a read-only /proc/sys is no obstacle. */
	if (fd >= 0 && fd_read_full(fd, now, sizeof(now) - 1) > 0) {
		now[strcspn(now, "\n")] = '\0';
		if (str_eq(now, value))
			return 0;
	}
	return file_put(AT_FDCWD, full, value);
}

int net_sysctl_if(const char *family, const char *ifname, const char *key, const char *value)
{
	auto_free char *path = xasprintf("net/%s/conf/%s/%s", family, ifname, key);

	return net_sysctl(path, value);
}

/* ---- What the host has ----------------------------------------------------------------------- */
static int add_route(const struct nl_route *route, void *arg)
{
	struct net_prefixes *out = arg;
	uint32_t dst;

	if (route->family != AF_INET || route->prefix == 0)
		return 0;
	memcpy(&dst, route->dst, sizeof(dst));
	*vec_push(out) = (struct net_prefix){ ntohl(dst), route->prefix };
	return 0;
}

static int add_addr(const struct nl_addr_info *addr, void *arg)
{
	struct net_prefixes *out = arg;
	struct net_prefix p = { 0, addr->prefix };

	if (addr->family != AF_INET || addr->prefix == 0 || addr->prefix > 32)
		return 0;
	memcpy(&p.addr, addr->addr, sizeof(p.addr));
	p.addr = ntohl(p.addr) & UINT32_MAX << (32 - p.len);
	*vec_push(out) = p;
	return 0;
}

int net_host_routes(struct nl_conn *nl, struct net_prefixes *out, struct err *err)
{
	int r = nl_each_route(nl, AF_INET, add_route, out, err);

	return r < 0 ? r : nl_each_addr(nl, AF_INET, add_addr, out, err);
}

static int add_route6(const struct nl_route *route, void *arg)
{
	struct net_prefixes6 *out = arg;
	struct net_prefix6 *p;

	if (route->family != AF_INET6 || route->prefix == 0)
		return 0;
	p = vec_push(out);
	memcpy(p->addr, route->dst, sizeof(p->addr));
	p->len = route->prefix;
	return 0;
}

int net_host_routes6(struct nl_conn *nl, struct net_prefixes6 *out, struct err *err)
{
	return nl_each_route(nl, AF_INET6, add_route6, out, err);
}

/* ---- Bridge ---------------------------------------------------------------------------------- */
struct bridge_look {
	int index;
	uint32_t want;
	unsigned len;
	bool has_ours, has_other;
};

static int look_at_addr(const struct nl_addr_info *addr, void *arg)
{
	struct bridge_look *look = arg;
	uint32_t ip;

	if (addr->index != look->index || addr->family != AF_INET)
		return 0;
	memcpy(&ip, addr->addr, sizeof(ip));
	if (ntohl(ip) == look->want && addr->prefix == look->len)
		look->has_ours = true;
	else
		look->has_other = true;
	return 0;
}

/* The name is taken: fine if it is a bridge that has our address, or none yet. */
static int adopt(struct nl_conn *nl, const struct net_network *net, const struct nl_link *link,
		 bool *has_addr, struct err *err)
{
	struct bridge_look look = { link->index, net_gateway(net), net->subnet.len, false, false };
	int r;

	if (!str_eq(link->kind, "bridge"))
		return err_set(err, -EEXIST, "link '%s' exists and is no bridge", net->bridge);
	r = nl_each_addr(nl, AF_INET, look_at_addr, &look, err);
	if (r < 0)
		return r;
	if (look.has_other && !look.has_ours)
		return err_set(err, -EEXIST, "bridge '%s' exists with another address",
			       net->bridge);
	*has_addr = look.has_ours;
	return 0;
}

static void set_ipv6(const char *ifname, bool on)
{
	/* ENOENT: a kernel without IPv6, which is what is asked for then. */
	(void)net_sysctl_if("ipv6", ifname, "disable_ipv6", on ? "0" : "1");
	if (on)
		(void)net_sysctl_if("ipv6", ifname, "accept_ra", "0");
}

static int configure(struct nl_conn *nl, const struct net_network *net, bool has_addr,
		     struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	uint8_t gateway6[16];

	set_ipv6(net->bridge, net->ipv6 && !net->no_host);
	if (!has_addr && !net->no_host) {
		nl_put_addr4(&batch, net->ifindex, net_gateway(net), net->subnet.len);
		nl_batch_tolerate(&batch, -EEXIST);
	}
	if (net->ipv6 && !net->no_host) {
		net_gateway6(net, gateway6);
		nl_put_addr6(&batch, net->ifindex, gateway6, net->subnet6.len);
		nl_batch_tolerate(&batch, -EEXIST);
	}
	nl_put_link_up(&batch, net->ifindex, net->bridge);
	return nl_batch_send(nl, &batch, err);
}

static int bridge_up(struct nl_conn *nl, struct net_network *net, struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	struct nl_link link;
	bool has_addr = false;
	int created = -EIO, r;
	uint8_t mac[6];

	/* A bridge without an address of its own takes that of a port, and changes it with them. */
	net_mac_of(net_gateway(net), mac);
	nl_put_bridge(&batch, net->bridge, net->bridge_group ? net->bridge_group : net->group,
		      net->mtu, mac);
	nl_batch_tolerate(&batch, -EEXIST);
	nl_batch_watch(&batch, &created);
	r = nl_batch_send(nl, &batch, err);
	if (r == 0) {
		r = nl_link_get(nl, net->bridge, &link, err);
		if (r == -ENODEV)
			r = err_set(err, r, "bridge '%s' vanished while it was made", net->bridge);
	}
	if (r == 0 && created == -EEXIST)
		r = adopt(nl, net, &link, &has_addr, err);
	if (r == 0) {
		net->ifindex = link.index;
		r = configure(nl, net, has_addr, err);
	}
	if (r < 0 && created == 0)
		(void)net_network_down(nl, net, NULL);
	return r;
}

int net_network_up(struct nl_conn *nl, struct net_network *net, struct err *err)
{
	int r = net->kind != NET_BRIDGE ? net_child_up(nl, net, err) : bridge_up(nl, net, err);

	return r < 0 ? err_wrap(err, r, "network '%s'", net->name) : 0;
}

int net_network_regroup(struct nl_conn *nl, const struct net_network *net, uint32_t group,
			struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };

	if (net->kind != NET_BRIDGE)
		return 0;
	nl_put_link_group(&batch, net->bridge, group);
	nl_batch_tolerate(&batch, -ENODEV);
	return nl_batch_send(nl, &batch, err);
}

int net_network_down(struct nl_conn *nl, const struct net_network *net, struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };

	if (net->kind != NET_BRIDGE)
		return net_child_down(nl, net, err);
	nl_put_link_del(&batch, net->bridge);
	nl_batch_tolerate(&batch, -ENODEV);
	return nl_batch_send(nl, &batch, err);
}

int net_networks_down(struct nl_conn *nl, uint32_t group, struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };

	nl_put_group_del(&batch, group);
	nl_batch_tolerate(&batch, -ENODEV);
	return nl_batch_send(nl, &batch, err);
}
