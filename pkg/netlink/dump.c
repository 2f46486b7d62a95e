/* dump.c - reading what is there: links, routes, addresses. */
#include "netlink_priv.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

struct link_ctx {
	int (*fn)(const struct nl_link *link, void *arg);
	void *arg;
};

static void copy_str(char *out, size_t size, const struct nlattr *a)
{
	if (a)
		(void)nla_strlcpy(out, a, size);
}

static int on_link(struct nlmsghdr *hdr, void *arg)
{
	const struct link_ctx *ctx = arg;
	const struct ifinfomsg *info = NLMSG_DATA(hdr);
	struct nlattr *a[IFLA_MAX + 1], *in[IFLA_INFO_MAX + 1];
	struct nl_link link = { .index = info->ifi_index, .flags = info->ifi_flags };

	if (nlmsg_parse(hdr, sizeof(*info), a, IFLA_MAX, NULL) < 0)
		return 0;
	copy_str(link.name, sizeof(link.name), a[IFLA_IFNAME]);
	if (a[IFLA_MASTER])
		link.master = (int)nla_get_u32(a[IFLA_MASTER]);
	if (a[IFLA_GROUP])
		link.group = nla_get_u32(a[IFLA_GROUP]);
	if (a[IFLA_LINKINFO] && nla_parse_nested(in, IFLA_INFO_MAX, a[IFLA_LINKINFO], NULL) >= 0)
		copy_str(link.kind, sizeof(link.kind), in[IFLA_INFO_KIND]);
	return ctx->fn(&link, ctx->arg);
}

int nl_each_link(struct nl_conn *nl, int (*fn)(const struct nl_link *, void *), void *arg,
		 struct err *err)
{
	auto_nlmsg struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_DUMP);
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct link_ctx ctx = { fn, arg };

	if (!msg || nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0)
		return err_set(err, -ENOMEM, "list links: out of memory");
	return nl_dump_each(nl, msg, RTM_NEWLINK, on_link, &ctx, "list links", err);
}

static int keep_link(const struct nl_link *link, void *arg)
{
	*(struct nl_link *)arg = *link;
	return 0;
}

int nl_link_get(struct nl_conn *nl, const char *name, struct nl_link *out, struct err *err)
{
	/* ACK: the answer is one link and then an error message with 0, which ends nl_dump_each(). */
	auto_nlmsg struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_ACK);
	auto_err struct err why = ERR_INIT;
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nl_link link = { .index = 0 };
	struct link_ctx ctx = { keep_link, &link };
	int r;

	if (!msg || nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, IFLA_IFNAME, name) < 0)
		return err_set(err, -ENOMEM, "look up link '%s': out of memory", name);
	r = nl_dump_each(nl, msg, RTM_NEWLINK, on_link, &ctx, "look up a link", &why);
	if (r == -ENODEV)
		return r;
	if (r < 0)
		return err_set(err, r, "%s", err_text(&why));
	*out = link;
	return 0;
}

struct route_ctx {
	int (*fn)(const struct nl_route *route, void *arg);
	void *arg;
};

static int on_route(struct nlmsghdr *hdr, void *arg)
{
	const struct route_ctx *ctx = arg;
	const struct rtmsg *rt = NLMSG_DATA(hdr);
	struct nlattr *a[RTA_MAX + 1];
	struct nl_route route = { .family = rt->rtm_family,
				  .prefix = rt->rtm_dst_len,
				  .table = rt->rtm_table };

	if (nlmsg_parse(hdr, sizeof(*rt), a, RTA_MAX, NULL) < 0)
		return 0;
	if (a[RTA_TABLE])
		route.table = nla_get_u32(a[RTA_TABLE]);
	if (a[RTA_OIF])
		route.oif = (int)nla_get_u32(a[RTA_OIF]);
	if (a[RTA_DST])
		(void)nla_memcpy(route.dst, a[RTA_DST], sizeof(route.dst));
	return ctx->fn(&route, ctx->arg);
}

int nl_each_route(struct nl_conn *nl, int family, int (*fn)(const struct nl_route *, void *),
		  void *arg, struct err *err)
{
	auto_nlmsg struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg head = { .rtm_family = (uint8_t)family };
	struct route_ctx ctx = { fn, arg };

	if (!msg || nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0)
		return err_set(err, -ENOMEM, "list routes: out of memory");
	return nl_dump_each(nl, msg, RTM_NEWROUTE, on_route, &ctx, "list routes", err);
}

struct addr_ctx {
	int (*fn)(const struct nl_addr_info *addr, void *arg);
	void *arg;
};

static int on_addr(struct nlmsghdr *hdr, void *arg)
{
	const struct addr_ctx *ctx = arg;
	const struct ifaddrmsg *ifa = NLMSG_DATA(hdr);
	struct nlattr *a[IFA_MAX + 1];
	struct nl_addr_info addr = { .family = ifa->ifa_family,
				     .index = (int)ifa->ifa_index,
				     .prefix = ifa->ifa_prefixlen };

	if (nlmsg_parse(hdr, sizeof(*ifa), a, IFA_MAX, NULL) < 0)
		return 0;
	/* IFA_ADDRESS is the far end on a point-to-point link; IFA_LOCAL is always ours. */
	if (a[IFA_LOCAL])
		(void)nla_memcpy(addr.addr, a[IFA_LOCAL], sizeof(addr.addr));
	else if (a[IFA_ADDRESS])
		(void)nla_memcpy(addr.addr, a[IFA_ADDRESS], sizeof(addr.addr));
	return ctx->fn(&addr, ctx->arg);
}

int nl_each_addr(struct nl_conn *nl, int family, int (*fn)(const struct nl_addr_info *, void *),
		 void *arg, struct err *err)
{
	auto_nlmsg struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg head = { .ifa_family = (uint8_t)family };
	struct addr_ctx ctx = { fn, arg };

	if (!msg || nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0)
		return err_set(err, -ENOMEM, "list addresses: out of memory");
	return nl_dump_each(nl, msg, RTM_NEWADDR, on_addr, &ctx, "list addresses", err);
}
