/* put.c - the requests: links, addresses, default routes. */
#include "netlink_priv.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#define CREATE (NLM_F_CREATE | NLM_F_EXCL)

/* Attributes are put one after the other; the first that does not fit is remembered in b. */
struct put {
	struct nl_batch *b;
	struct nl_msg *msg;
};

static struct put put_begin(struct nl_batch *b, int type, int flags, const void *head, size_t len)
{
	struct put p = { b, nlmsg_alloc_simple(type, flags) };

	if (p.msg && nlmsg_append(p.msg, (void *)(uintptr_t)head, len, NLMSG_ALIGNTO) < 0)
		b->failed = -EMSGSIZE;
	if (!p.msg)
		b->failed = -ENOMEM;
	return p;
}

static void put_data(const struct put *p, int type, const void *data, size_t len)
{
	if (p->msg && nla_put(p->msg, type, (int)len, data) < 0)
		p->b->failed = -EMSGSIZE;
}

static void put_str(const struct put *p, int type, const char *s)
{
	put_data(p, type, s, strlen(s) + 1);
}

static void put_u32(const struct put *p, int type, uint32_t v)
{
	put_data(p, type, &v, sizeof(v));
}

static void put_u8(const struct put *p, int type, uint8_t v)
{
	put_data(p, type, &v, sizeof(v));
}

static struct nlattr *nest(const struct put *p, int type)
{
	struct nlattr *a = p->msg ? nla_nest_start(p->msg, type) : NULL;

	if (!a)
		p->b->failed = -EMSGSIZE;
	return a;
}

static void unnest(const struct put *p, struct nlattr *a)
{
	if (a)
		(void)nla_nest_end(p->msg, a);
}

#define put_end(p, ...)                                          \
	do {                                                     \
		auto_nlmsg struct nl_msg *end_ = (p)->msg;       \
		if (end_ && !(p)->b->failed)                     \
			nl_batch_add((p)->b, end_, __VA_ARGS__); \
	} while (0)

/* A request about one link that is there. */
static struct put put_link(struct nl_batch *b, int type, int index, const char *name,
			   unsigned flags)
{
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = flags, .ifi_change = flags
	};
	struct put p = put_begin(b, type, 0, &link, sizeof(link));

	if (index == 0 && name)
		put_str(&p, IFLA_IFNAME, name);
	return p;
}

void nl_put_bridge(struct nl_batch *b, const char *name, uint32_t group, unsigned mtu,
		   const uint8_t mac[6])
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct put p = put_begin(b, RTM_NEWLINK, CREATE, &link, sizeof(link));
	struct nlattr *info, *data;

	put_str(&p, IFLA_IFNAME, name);
	if (group)
		put_u32(&p, IFLA_GROUP, group);
	if (mtu)
		put_u32(&p, IFLA_MTU, mtu);
	if (mac)
		put_data(&p, IFLA_ADDRESS, mac, 6);
	info = nest(&p, IFLA_LINKINFO);
	put_str(&p, IFLA_INFO_KIND, "bridge");
	data = nest(&p, IFLA_INFO_DATA);
	put_u8(&p, IFLA_BR_MCAST_SNOOPING, 0);
	put_u32(&p, IFLA_BR_FORWARD_DELAY, 0);
	put_u32(&p, IFLA_BR_STP_STATE, 0);
	unnest(&p, data);
	unnest(&p, info);
	put_end(&p, "create bridge '%s'", name);
}

void nl_put_veth(struct nl_batch *b, const struct nl_veth *v)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
				  .ifi_flags = IFF_UP,
				  .ifi_change = IFF_UP };
	/* IFF_UP on the peer is -ENOTCONN: the pair is not joined yet when it would be opened. */
	struct ifinfomsg peer_link = { .ifi_family = AF_UNSPEC };
	struct put p = put_begin(b, RTM_NEWLINK, CREATE, &link, sizeof(link));
	struct nlattr *info, *data, *peer;

	put_str(&p, IFLA_IFNAME, v->host_if);
	if (v->master)
		put_u32(&p, IFLA_MASTER, (uint32_t)v->master);
	if (v->group)
		put_u32(&p, IFLA_GROUP, v->group);
	if (v->mtu)
		put_u32(&p, IFLA_MTU, v->mtu);
	info = nest(&p, IFLA_LINKINFO);
	put_str(&p, IFLA_INFO_KIND, "veth");
	data = nest(&p, IFLA_INFO_DATA);
	peer = nest(&p, VETH_INFO_PEER);
	if (p.msg && nlmsg_append(p.msg, &peer_link, sizeof(peer_link), NLMSG_ALIGNTO) < 0)
		b->failed = -EMSGSIZE;
	put_str(&p, IFLA_IFNAME, v->peer_if);
	if (v->mtu)
		put_u32(&p, IFLA_MTU, v->mtu);
	if (v->peer_mac)
		put_data(&p, IFLA_ADDRESS, v->peer_mac, 6);
	if (v->peer_netns_fd >= 0)
		put_u32(&p, IFLA_NET_NS_FD, (uint32_t)v->peer_netns_fd);
	unnest(&p, peer);
	unnest(&p, data);
	unnest(&p, info);
	put_end(&p, "create veth '%s' with '%s'", v->host_if, v->peer_if);
}

void nl_put_link_up(struct nl_batch *b, int index, const char *name)
{
	struct put p = put_link(b, RTM_NEWLINK, index, name, IFF_UP);

	put_end(&p, "bring up link '%s'", name);
}

void nl_put_bridge_port(struct nl_batch *b, const char *name, bool hairpin)
{
	struct put p = put_link(b, RTM_NEWLINK, 0, name, 0);
	struct nlattr *spec = nest(&p, IFLA_AF_SPEC);
	struct nlattr *inet6 = nest(&p, AF_INET6);
	struct nlattr *info, *data;

	put_u8(&p, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	unnest(&p, inet6);
	unnest(&p, spec);
	if (hairpin) {
		info = nest(&p, IFLA_LINKINFO);
		put_str(&p, IFLA_INFO_SLAVE_KIND, "bridge");
		data = nest(&p, IFLA_INFO_SLAVE_DATA);
		put_u8(&p, IFLA_BRPORT_MODE, 1);
		unnest(&p, data);
		unnest(&p, info);
	}
	put_end(&p, "set up bridge port '%s'", name);
}

void nl_put_program(struct nl_batch *b, int index, bool egress, int prog_fd, const char *name)
{
	struct tcmsg qdisc = { .tcm_family = AF_UNSPEC,
			       .tcm_ifindex = index,
			       .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
			       .tcm_parent = TC_H_CLSACT };
	struct tcmsg filter = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = index,
				.tcm_handle = 1,
				.tcm_parent = TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS
									    : TC_H_MIN_INGRESS),
				.tcm_info = TC_H_MAKE(1U << 16, htons(ETH_P_ALL)) };
	struct put p = put_begin(b, RTM_NEWQDISC, CREATE, &qdisc, sizeof(qdisc));
	struct nlattr *options;

	put_str(&p, TCA_KIND, "clsact");
	put_end(&p, "look at what passes link %d", index);
	nl_batch_tolerate(b, -EEXIST);
	p = put_begin(b, RTM_NEWTFILTER, CREATE, &filter, sizeof(filter));
	put_str(&p, TCA_KIND, "bpf");
	options = nest(&p, TCA_OPTIONS);
	put_u32(&p, TCA_BPF_FD, (uint32_t)prog_fd);
	put_str(&p, TCA_BPF_NAME, name);
	put_u32(&p, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	unnest(&p, options);
	put_end(&p, "have a program decide about what passes link %d", index);
}

void nl_put_master(struct nl_batch *b, const char *name, int master)
{
	struct put p = put_link(b, RTM_NEWLINK, 0, name, 0);

	put_u32(&p, IFLA_MASTER, (uint32_t)master);
	put_end(&p, "put link '%s' on its bridge", name);
}

void nl_put_link_group(struct nl_batch *b, const char *name, uint32_t group)
{
	struct put p = put_link(b, RTM_NEWLINK, 0, name, 0);

	put_u32(&p, IFLA_GROUP, group);
	put_end(&p, "put link '%s' into group %u", name, group);
}

void nl_put_link_del(struct nl_batch *b, const char *name)
{
	struct put p = put_link(b, RTM_DELLINK, 0, name, 0);

	put_end(&p, "delete link '%s'", name);
}

void nl_put_group_del(struct nl_batch *b, uint32_t group)
{
	struct put p = put_link(b, RTM_DELLINK, 0, NULL, 0);

	if (group == 0)
		b->failed = -EINVAL;
	put_u32(&p, IFLA_GROUP, group);
	put_end(&p, "delete links of group %u", group);
}

void nl_put_addr4(struct nl_batch *b, int index, uint32_t addr, unsigned prefix)
{
	struct ifaddrmsg head = { .ifa_family = AF_INET,
				  .ifa_prefixlen = (uint8_t)prefix,
				  .ifa_index = (unsigned)index };
	struct put p = put_begin(b, RTM_NEWADDR, CREATE, &head, sizeof(head));
	uint32_t net = htonl(addr);
	char text[INET_ADDRSTRLEN];

	put_u32(&p, IFA_LOCAL, net);
	put_u32(&p, IFA_ADDRESS, net);
	if (prefix < 31)
		put_u32(&p, IFA_BROADCAST, net | htonl((uint32_t)(UINT32_MAX >> prefix)));
	(void)inet_ntop(AF_INET, &net, text, sizeof(text));
	put_end(&p, "add address %s/%u", text, prefix);
}

void nl_put_addr6(struct nl_batch *b, int index, const uint8_t addr[16], unsigned prefix)
{
	struct ifaddrmsg head = { .ifa_family = AF_INET6,
				  .ifa_prefixlen = (uint8_t)prefix,
				  .ifa_flags = IFA_F_NODAD | IFA_F_PERMANENT,
				  .ifa_index = (unsigned)index };
	struct put p = put_begin(b, RTM_NEWADDR, CREATE, &head, sizeof(head));
	char text[INET6_ADDRSTRLEN];

	put_data(&p, IFA_LOCAL, addr, 16);
	put_data(&p, IFA_ADDRESS, addr, 16);
	(void)inet_ntop(AF_INET6, addr, text, sizeof(text));
	put_end(&p, "add address %s/%u", text, prefix);
}

static void put_default(struct nl_batch *b, int family, int index, const void *gateway, size_t len)
{
	struct rtmsg head = { .rtm_family = (uint8_t)family,
			      .rtm_table = RT_TABLE_MAIN,
			      .rtm_protocol = RTPROT_STATIC,
			      .rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
			      .rtm_type = RTN_UNICAST };
	struct put p = put_begin(b, RTM_NEWROUTE, CREATE, &head, sizeof(head));
	char text[INET6_ADDRSTRLEN] = "its link";

	if (gateway) {
		put_data(&p, RTA_GATEWAY, gateway, len);
		(void)inet_ntop(family, gateway, text, sizeof(text));
	}
	put_u32(&p, RTA_OIF, (uint32_t)index);
	put_end(&p, "add the default route by %s", text);
}

void nl_put_default4(struct nl_batch *b, int index, uint32_t gateway)
{
	uint32_t net = htonl(gateway);

	put_default(b, AF_INET, index, &net, sizeof(net));
}

void nl_put_default6(struct nl_batch *b, int index, const uint8_t gateway[16])
{
	put_default(b, AF_INET6, index, gateway, 16);
}

void nl_put_default_link(struct nl_batch *b, int family, int index)
{
	put_default(b, family, index, NULL, 0);
}
