/* fw_watch.c - listens to the kernel's own tables for rules that somebody takes out; see net.h and
 * nfnetlink(7). Changes of iptables-nft come as nf_tables messages; legacy tables tell of none, and
 * are looked at from time to time. */
#include "fw_legacy.h"
#include "net_priv.h"

#include <ctrcompose/loop.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A flush comes as many messages, and a reload puts back a part of it: look when it is over. */
enum { SETTLE_US = 300000, LOOK_US = 5000000, BUFFER = 32768 };

/* Which attribute names the chain; 0: the message is about a table. */
static const struct loss {
	unsigned type, chain;
} losses[] = {
	{ NFT_MSG_DELTABLE, 0 },
	{ NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME },
	{ NFT_MSG_DELRULE, NFTA_RULE_CHAIN },
};

/* The text of an attribute, or NULL; it ends within the attribute. */
static const char *text_of(const char *attrs, size_t len, unsigned type)
{
	struct nlattr a;

	for (size_t at = 0; len - at >= sizeof(a); at += (size_t)NLA_ALIGN(a.nla_len)) {
		memcpy(&a, attrs + at, sizeof(a));
		if (a.nla_len < NLA_HDRLEN || a.nla_len > len - at)
			return NULL;
		if ((a.nla_type & NLA_TYPE_MASK) == type)
			return memchr(attrs + at + NLA_HDRLEN, 0, a.nla_len - NLA_HDRLEN)
				       ? attrs + at + NLA_HDRLEN
				       : NULL;
		if ((size_t)NLA_ALIGN(a.nla_len) > len - at)
			return NULL;
	}
	return NULL;
}

static bool is_loss(unsigned type, const char *attrs, size_t len, const char *tag)
{
	static const char *const hooks[] = { "PREROUTING", "FORWARD", "OUTPUT", "POSTROUTING" };

	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		const char *chain;

		if (type != (NFNL_SUBSYS_NFTABLES << 8 | losses[i].type))
			continue;
		if (!losses[i].chain)
			return true;
		chain = text_of(attrs, len, losses[i].chain);
		if (chain && str_starts(chain, tag))
			return true;
		for (size_t h = 0; chain && h < ARRAY_LEN(hooks); h++)
			if (strcmp(chain, hooks[h]) == 0)
				return true;
	}
	return false;
}

bool fw_watch_lost(const void *messages, size_t len, const char *tag)
{
	const size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const char *p = messages;
	struct nlmsghdr h;

	for (; len >= sizeof(h); p += NLMSG_ALIGN(h.nlmsg_len), len -= NLMSG_ALIGN(h.nlmsg_len)) {
		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len)
			return false;
		if (h.nlmsg_len > head && is_loss(h.nlmsg_type, p + head, h.nlmsg_len - head, tag))
			return true;
		if (NLMSG_ALIGN(h.nlmsg_len) > len)
			return false;
	}
	return false;
}

struct fw_watch {
	char tag[20];
	int fd; /* -1: legacy tables */
	struct loop_source *io, *timer;
	void (*fn)(void *arg);
	void *arg;
};

static void on_message(void *arg, uint32_t events)
{
	struct fw_watch *w = arg;
	char buf[BUFFER];
	bool lost = false;
	ssize_t n;

	(void)events;
	while ((n = recv(w->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0 || (n < 0 && errno == ENOBUFS))
		lost |= n < 0 || fw_watch_lost(buf, (size_t)n, w->tag);
	if (lost)
		(void)loop_timer_set(w->timer, SETTLE_US);
}

static void on_settled(void *arg)
{
	const struct fw_watch *w = arg;

	if (w->fd < 0)
		(void)loop_timer_set(w->timer, LOOK_US);
	w->fn(w->arg);
}

static int open_socket(void)
{
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int group = NFNLGRP_NFTABLES;

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return steal_fd(&fd);
}

int fw_watch_start(struct loop *loop, const char *project, void (*fn)(void *arg), void *arg,
		   struct fw_watch **out, struct err *err)
{
	struct fw_watch *w;
	int fd = fw_legacy() ? -1 : open_socket(), r;

	*out = NULL;
	if (fd < 0 && !fw_legacy()) /* a kernel without nf_tables */
		return 0;
	w = xcalloc(1, sizeof(*w));
	fw_tag(project, w->tag);
	w->fd = fd;
	w->fn = fn;
	w->arg = arg;
	r = loop_timer_add(loop, fd < 0 ? LOOK_US : LOOP_NEVER, on_settled, w, &w->timer, err);
	if (r == 0 && fd >= 0)
		r = loop_io_add(loop, fd, EPOLLIN, on_message, w, &w->io, err);
	if (r < 0)
		fw_watch_stop(w);
	else
		*out = w;
	return r;
}

void fw_watch_again(struct fw_watch *w)
{
	if (w)
		(void)loop_timer_set(w->timer, LOOK_US);
}

void fw_watch_stop(struct fw_watch *w)
{
	if (!w)
		return;
	loop_source_free(w->io);
	loop_source_free(w->timer);
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w);
}
