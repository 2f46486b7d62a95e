/* pin.c - each endpoint is held to its own MAC and addresses; see net.h
 *
 * One program serves all: it finds the endpoint by the link that a frame comes in on. It hangs in the
 * kernel's traffic control, where no firewall is flushed, and goes with the link. */
#include "pin.h"
#include "bpf_ops.h"
#include "net_priv.h"

#include <arpa/inet.h>
#include <ctrcompose/netlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAP_ENTRIES = 1024 };

struct net_pins {
	int map_fd, prog_fd; /* -1: not yet, or not any more */
	int loopback_fd;
	bool refused; /* and said so */
};

void pin_of(const struct net_endpoint *ep, struct pin *out)
{
	uint8_t m[6], link_local[16] = { 0xfe, 0x80 };

	net_endpoint_mac(ep, m);
	memcpy(link_local + 8, (uint8_t[]){ m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5] },
	       8); /* as the kernel makes it up, RFC 4291 */
	memset(out, 0, sizeof(*out));
	memcpy(out->mac, m, sizeof(m));
	for (size_t i = 0; i < PIN_ADDRESSES; i++) {
		out->ip4[i] = htonl(i < ep->n_link_local4 ? ep->link_local4[i] : ep->ipv4);
		memcpy(out->ip6[i], i == 0 ? link_local : ep->ipv6, 16);
		if (i < ep->n_link_local6)
			memcpy(out->ip6[PIN_ADDRESSES - 1 - i], ep->link_local6[i], 16);
	}
	out->has_ip6 = ep->has_ipv6;
}

static int make_map(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(struct pin);
	attr.max_entries = MAP_ENTRIES;
	attr.map_flags = BPF_F_NO_PREALLOC;
	return bpf_call(BPF_MAP_CREATE, &attr);
}

static int add_entry(int map_fd, uint32_t ifindex, const struct net_endpoint *ep)
{
	union bpf_attr attr;
	struct pin pin;

	pin_of(ep, &pin);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map_fd;
	attr.key = (uintptr_t)&ifindex;
	attr.value = (uintptr_t)&pin;
	return bpf_call(BPF_MAP_UPDATE_ELEM, &attr);
}

static void forget(struct net_pins *pins)
{
	auto_close_fn(&pins->map_fd);
	auto_close_fn(&pins->prog_fd);
	pins->map_fd = pins->prog_fd = -1;
}

static int ready(struct net_pins *pins)
{
	if (pins->prog_fd >= 0)
		return 0;
	if (pins->loopback_fd < 0) /* without it the name server has the port to itself */
		pins->loopback_fd = loopback_program_load();
	pins->map_fd = make_map();
	if (pins->map_fd >= 0)
		pins->prog_fd = pin_program_load(pins->map_fd);
	return pins->map_fd < 0 ? pins->map_fd : pins->prog_fd < 0 ? pins->prog_fd : 0;
}

static int put_one(struct net_pins *pins, struct nl_conn *nl, struct nl_batch *batch,
		   const struct net_endpoint *ep, struct err *err)
{
	unsigned index = if_nametoindex(ep->host_if);
	int r = index ? ready(pins) : -errno;

	if (r == 0)
		r = add_entry(pins->map_fd, index, ep);
	if (r ==
	    -E2BIG) { /* full, mostly of links that are gone: what is there keeps its own map */
		r = nl_batch_send(nl, batch, err); /* as long as the program has its number */
		forget(pins);
		if (r == 0)
			r = ready(pins);
		if (r == 0)
			r = add_entry(pins->map_fd, index, ep);
	}
	if (r == 0)
		nl_put_program(batch, (int)index, false, pins->prog_fd, "ctrcompose");
	else if (!err->code)
		(void)err_set(err, r, "hold link '%s' to its addresses: %s", ep->host_if,
			      strerror(-r));
	return r;
}

/* What a kernel says that lacks a part of this, or does not let us. */
static bool is_lack(int code)
{
	return code == -ENOSYS || code == -EPERM || code == -ENOENT || code == -EOPNOTSUPP ||
	       code == -EINVAL;
}

int pins_put(struct net_pins *pins, struct nl_conn *nl, const struct net_endpoint *eps, size_t n,
	     struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	auto_err struct err why = ERR_INIT;
	int r = 0;

	if (!pins || pins->refused)
		return 0;
	for (size_t i = 0; i < n && r == 0; i++)
		/* A child of the host's link has no side of ours where it could be held. */
		r = eps[i].network->kind == NET_BRIDGE ? put_one(pins, nl, &batch, &eps[i], &why)
						       : ready(pins);
	if (r == 0)
		r = nl_batch_send(nl, &batch, &why);
	if (r == 0 || !is_lack(r))
		return r < 0 ? err_set(err, r, "%s", err_text(&why)) : 0;
	pins->refused = true;
	log_line(LOG_WARN,
		 "%s: services with NET_RAW can pretend to be others of their networks; this needs "
		 "the kernel's cls_bpf and sch_ingress",
		 err_text(&why));
	return 0;
}

int pins_loopback(const struct net_pins *pins)
{
	return pins && !pins->refused ? pins->loopback_fd : -1;
}

int net_pins_try(struct err *err)
{
	struct net_pins pins = { -1, -1, -1, false };
	int r = ready(&pins);

	forget(&pins);
	auto_close_fn(&pins.loopback_fd);
	return r < 0 ? err_set(err, r, "%s", strerror(-r)) : 0;
}

struct net_pins *net_pins_new(void)
{
	struct net_pins *pins = xcalloc(1, sizeof(*pins));

	*pins = (struct net_pins){ -1, -1, -1, false };
	return pins;
}

void net_pins_free(struct net_pins *pins)
{
	if (!pins)
		return;
	forget(pins);
	auto_close_fn(&pins->loopback_fd);
	free(pins);
}
