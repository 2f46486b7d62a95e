/* attach.c - endpoints: links from the host's side in one batch, addresses and routes inside each
 * namespace in one more. */
#include "net_priv.h"
#include "pin.h"
#include <ctrcompose/netlink.h>

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define LOOPBACK 1 /* its index in every namespace */

static int visit(int netns_fd, struct err *err)
{
	return setns(netns_fd, CLONE_NEWNET) < 0
		       ? err_errno(err, "enter the network namespace of a container")
		       : 0;
}

/* Work done in the wrong namespace would harm the host: rather die than stay. */
static void come_back(int home)
{
	if (setns(home, CLONE_NEWNET) == 0)
		return;
	log_line(LOG_ERROR, "cannot return to the host's network namespace");
	abort();
}

static int home_open(struct err *err)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open the host's network namespace") : fd;
}

/* Checked by whoever read them: see net.h for what they look like. */
static int write_sysctls(const struct net_endpoint *ep, struct err *err)
{
	auto_free char *all = xstrdup(ep->sysctls ? ep->sysctls : "");
	char *rest = all, *one;

	while ((one = strsep(&rest, ",")) && *one) {
		auto_sbuf struct sbuf path = SBUF_INIT;
		char *value = strchr(one, '='), *key = one, *part;
		int r;

		if (!value)
			return err_set(err, EINVAL, "sysctl '%s' of an endpoint has no value", one);
		*value++ = '\0';
		while ((part = strsep(&key, ".")))
			sbuf_addf(&path, "%s%s", path.len ? "/" : "",
				  strcmp(part, "IFNAME") == 0 ? ep->ifname : part);
		r = net_sysctl(sbuf_str(&path), value);
		if (r < 0)
			return err_set(err, r, "sysctl %s of an endpoint: %s", sbuf_str(&path),
				       strerror(-r));
	}
	return 0;
}

static void add_link_locals(struct nl_batch *batch, const struct net_endpoint *ep, int index)
{
	for (size_t i = 0; i < ep->n_link_local4; i++)
		nl_put_addr4(batch, index, ep->link_local4[i], 16);
	for (size_t i = 0; ep->has_ipv6 && i < ep->n_link_local6; i++)
		nl_put_addr6(batch, index, ep->link_local6[i], 64);
}

static void configure_one(struct nl_batch *batch, const struct net_endpoint *ep, int index)
{
	const struct net_network *net = ep->network;
	bool route = ep->default_route && !net->internal;
	uint8_t gateway6[16];

	/* Before the link is up: nothing is ever sent from an address nobody asked for. */
	(void)net_sysctl_if("ipv6", ep->ifname, "disable_ipv6", ep->has_ipv6 ? "0" : "1");
	nl_put_addr4(batch, index, ep->ipv4, net->subnet.len);
	if (ep->has_ipv6) {
		(void)net_sysctl_if("ipv6", ep->ifname, "accept_ra", "0");
		(void)net_sysctl_if("ipv6", ep->ifname, "accept_dad", "0");
		nl_put_addr6(batch, index, ep->ipv6, net->subnet6.len);
	}
	add_link_locals(batch, ep, index);
	nl_put_link_up(batch, index, ep->ifname);
	if (route && net_child_routed(net)) {
		nl_put_default_link(batch, AF_INET, index);
		if (ep->has_ipv6)
			nl_put_default_link(batch, AF_INET6, index);
		return;
	}
	if (route)
		nl_put_default4(batch, index, net_gateway(net));
	if (route && ep->has_ipv6) {
		net_gateway6(net, gateway6);
		nl_put_default6(batch, index, gateway6);
	}
}

/* In the container's namespace. */
static int configure_inside(const struct net_endpoint *eps, size_t n, int loopback_fd,
			    struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	auto_nl struct nl_conn *nl = NULL;
	int r = nl_conn_open(&nl, err);

	if (r < 0)
		return r;
	nl_put_link_up(&batch, LOOPBACK, "lo");
	if (loopback_fd >= 0) {
		nl_put_program(&batch, LOOPBACK, true, loopback_fd, "ctrcompose");
		nl_batch_tolerate(&batch, -EEXIST); /* attached before */
	}
	for (size_t i = 0; i < n; i++) {
		unsigned index = if_nametoindex(eps[i].ifname);

		if (index == 0)
			return err_errno(err, "link '%s' of a container", eps[i].ifname);
		configure_one(&batch, &eps[i], (int)index);
		r = write_sysctls(&eps[i], err);
		if (r < 0)
			return r;
	}
	return nl_batch_send(nl, &batch, err);
}

/* Where iptables sees bridged packets, a container that calls its own published port is answered
 * by the bridge at once, out of the port the call came in. */
static bool needs_hairpin(void)
{
	auto_free char *text = NULL;

	return file_read(AT_FDCWD, "/proc/sys/net/bridge/bridge-nf-call-iptables", 8, &text,
			 NULL) == 0 &&
	       text[0] != '0';
}

void net_endpoint_mac(const struct net_endpoint *ep, uint8_t out[6])
{
	static const uint8_t none[6];

	memcpy(out, ep->mac, sizeof(ep->mac));
	if (memcmp(out, none, sizeof(none)) == 0)
		net_mac_of(ep->ipv4, out);
}

static void put_veth(struct nl_batch *batch, const struct net_endpoint *ep, const uint8_t mac[6])
{
	struct nl_veth veth = { .host_if = ep->host_if,
				.master = ep->network->ifindex,
				.group = ep->network->group,
				.mtu = ep->network->mtu,
				.peer_if = ep->ifname,
				.peer_netns_fd = ep->netns_fd,
				.peer_mac = mac };

	nl_put_veth(batch, &veth);
}

static int create_links(struct nl_conn *nl, const struct net_endpoint *eps, size_t n, int *results,
			struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	bool hairpin = needs_hairpin();

	for (size_t i = 0; i < n; i++) {
		const struct net_endpoint *ep = &eps[i];
		uint8_t mac[6];

		net_endpoint_mac(ep, mac);
		results[i] = -ECANCELED;
		if (ep->network->kind != NET_BRIDGE) {
			net_put_child(&batch, ep, mac); /* goes with its namespace */
			continue;
		}
		put_veth(&batch, ep, mac);
		nl_batch_watch(&batch, &results[i]);
		/* It needs no address, and would announce one to the containers. */
		nl_put_bridge_port(&batch, ep->host_if, hairpin);
		nl_batch_tolerate(&batch, -EAFNOSUPPORT);
	}
	return nl_batch_send(nl, &batch, err);
}

void net_put_rejoin(struct nl_batch *batch, const struct net_network *net, const char *host_if)
{
	nl_put_master(batch, host_if, net->ifindex);
	nl_batch_tolerate(batch, -ENODEV);
	if (needs_hairpin()) {
		nl_put_bridge_port(batch, host_if, true);
		nl_batch_tolerate(batch, -ENODEV);
	}
}

static void remove_made(struct nl_conn *nl, const struct net_endpoint *eps, size_t n,
			const int *results)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };

	for (size_t i = 0; i < n; i++) {
		if (results[i] != 0)
			continue;
		nl_put_link_del(&batch, eps[i].host_if);
		nl_batch_tolerate(&batch, -ENODEV);
	}
	(void)nl_batch_send(nl, &batch, NULL);
}

/* Asking a link for its carrier makes the kernel (6.8 and later) act on a carrier change it has
 * only queued. Until it does, the link drops what it should send. */
static void settle(int sock, const char *ifname)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GLINK };
	struct ifreq req = { .ifr_data = (void *)&value };

	memcpy(req.ifr_name, ifname, strnlen(ifname, sizeof(req.ifr_name) - 1));
	(void)ioctl(sock, SIOCETHTOOL, &req);
}

/* The first packet of a container and the first one to it arrive: a lost SYN costs a second. */
static void settle_all(const struct net_endpoint *eps, size_t n)
{
	auto_close int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < n; i++)
		if (eps[i].network->kind == NET_BRIDGE)
			settle(sock, eps[i].host_if);
	for (size_t i = 0; i < n; i++)
		if (eps[i].network->kind == NET_BRIDGE &&
		    (i == 0 || eps[i].network != eps[i - 1].network))
			settle(sock, eps[i].network->bridge);
}

int net_attach(struct nl_conn *nl, struct net_pins *pins, const struct net_endpoint *eps, size_t n,
	       struct err *err)
{
	auto_free int *results = xcalloc(n + 1, sizeof(*results));
	auto_close int home = home_open(err);
	int r;

	if (home < 0)
		return home;
	r = create_links(nl, eps, n, results, err);
	if (r == 0)
		r = pins_put(pins, nl, eps, n, err);
	for (size_t i = 0, end; i < n && r == 0; i = end) {
		for (end = i + 1; end < n && eps[end].netns_fd == eps[i].netns_fd;)
			end++;
		r = visit(eps[i].netns_fd, err);
		if (r == 0)
			r = configure_inside(&eps[i], end - i, pins_loopback(pins), err);
		come_back(home);
		if (r < 0)
			r = err_wrap(err, r, "network '%s'", eps[i].network->name);
	}
	if (r < 0)
		remove_made(nl, eps, n, results);
	else
		settle_all(eps, n);
	return r;
}

/* Those that are children of a link of the host are in the container's namespace alone. */
static int detach_inside(const struct net_endpoint *ep, int home, struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	auto_nl struct nl_conn *nl = NULL;
	int r = visit(ep->netns_fd, err);

	if (r < 0)
		return r;
	r = nl_conn_open(&nl, err);
	if (r == 0) {
		nl_put_link_del(&batch, ep->ifname);
		nl_batch_tolerate(&batch, -ENODEV);
		r = nl_batch_send(nl, &batch, err);
	}
	come_back(home);
	return r;
}

static int detach_children(const struct net_endpoint *eps, size_t n, struct err *err)
{
	auto_close int home = -1;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (eps[i].network->kind == NET_BRIDGE)
			continue;
		if (home < 0)
			home = home_open(err);
		r = home < 0 ? home : detach_inside(&eps[i], home, err);
	}
	return r;
}

int net_detach(struct nl_conn *nl, const struct net_endpoint *eps, size_t n, struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	int r;

	for (size_t i = 0; i < n; i++) {
		if (eps[i].network->kind != NET_BRIDGE)
			continue;
		nl_put_link_del(&batch, eps[i].host_if);
		nl_batch_tolerate(&batch, -ENODEV);
	}
	r = nl_batch_send(nl, &batch, err);
	return r < 0 ? r : detach_children(eps, n, err);
}

int net_loopback_up(int netns_fd, struct err *err)
{
	auto_close int home = home_open(err);
	int r;

	if (home < 0)
		return home;
	r = visit(netns_fd, err);
	if (r == 0)
		r = configure_inside(NULL, 0, -1, err);
	come_back(home);
	return r;
}
