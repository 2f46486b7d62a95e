/* netlink.h - rtnetlink in batches: many requests, one sendmsg, the kernel's own words on refusal.
 *
 * A connection belongs to the network namespace it was opened in, for good. A batch is filled by
 * the nl_put_* functions, sent by nl_batch_send() and empty afterwards; it may be used again. The
 * kernel carries out every request of a batch in order, also those after a refused one.
 *
 * IPv4 addresses are uint32_t in host byte order, IPv6 ones 16 bytes in network order.
 *
 * Floor 1. The only place that includes libnl.
 */
#ifndef CTRCOMPOSE_NETLINK_H
#define CTRCOMPOSE_NETLINK_H

#include <ctrcompose/base.h>

#define NL_IFNAME 16 /* with the NUL */

struct nl_conn;

/* Opens in the namespace of the calling thread. */
int nl_conn_open(struct nl_conn **out, struct err *err);
void nl_conn_close(struct nl_conn **nl);
#define auto_nl __attribute__((cleanup(nl_conn_close)))

/* A zeroed struct nl_batch is a valid empty one. */
struct nl_batch {
	uint8_t *buf;
	size_t len, cap;
	struct {
		struct nl_note {
			char *doing;  /* for the error text: "create bridge 'x'" */
			int tolerate; /* this negative errno counts as success, or 0 */
			int *result;  /* of this request, or NULL */
		} * v;
		size_t n, cap;
	} notes;
	int failed; /* a request could not be built */
};
#define auto_nlbatch __attribute__((cleanup(nl_batch_clear)))
void nl_batch_clear(struct nl_batch *b);

/* Send all, wait for all answers, empty the batch. Returns the first refusal as its errno, with
 * the kernel's extended-ack text in err. An empty batch is success. */
int nl_batch_send(struct nl_conn *nl, struct nl_batch *b, struct err *err);
/* From now on the last request of the batch succeeds with this errno as well (e.g. -EEXIST). */
void nl_batch_tolerate(struct nl_batch *b, int code);
/* nl_batch_send() stores the answer to the last request here: 0 or a negative errno. It stays as
 * it was when the request was never answered. */
void nl_batch_watch(struct nl_batch *b, int *result);

/* Create, down, in the link group; no spanning tree, no multicast snooping. mtu 0: default.
 * mac NULL: the kernel makes one up. */
void nl_put_bridge(struct nl_batch *b, const char *name, uint32_t group, unsigned mtu,
		   const uint8_t mac[6]);

struct nl_veth {
	const char *host_if; /* in the connection's namespace; up from the start */
	int master;          /* ifindex of its bridge, 0 = none */
	uint32_t group;
	unsigned mtu; /* 0 = default, both ends */
	const char *peer_if;
	int peer_netns_fd;       /* the peer is born there, down */
	const uint8_t *peer_mac; /* 6 bytes or NULL */
};
void nl_put_veth(struct nl_batch *b, const struct nl_veth *v);

/* Kinds of links that few projects have: these go through libnl-route, which is loaded here.
 * -ENOTSUP: it is not there. */
int nl_kinds_open(struct err *err);
struct nl_child {
	const char *kind; /* "macvlan" or "ipvlan" */
	const char *name; /* where it is born, down */
	int parent;       /* ifindex in the connection's namespace */
	int netns_fd;
	const uint8_t *mac; /* 6 bytes or NULL */
	unsigned mtu;       /* 0 = the parent's */
	unsigned mode;
};
void nl_put_child(struct nl_batch *b, const struct nl_child *c);
void nl_put_vlan(struct nl_batch *b, const char *name, int parent, unsigned id, uint32_t group);

/* By index, or by name when index is 0. */
void nl_put_link_up(struct nl_batch *b, int index, const char *name);
/* For a port of a bridge: no link-local IPv6 address of its own; hairpin: what came in may leave
 * through it again. */
void nl_put_bridge_port(struct nl_batch *b, const char *name, bool hairpin);
/* A BPF program (of the kind SCHED_CLS) decides about all that comes in by the link, before a bridge
 * sees it, or (egress) goes out. It stays as long as the link. -EEXIST where there is such a
 * program already. */
void nl_put_program(struct nl_batch *b, int index, bool egress, int prog_fd, const char *name);
void nl_put_master(struct nl_batch *b, const char *name, int master);
void nl_put_link_group(struct nl_batch *b, const char *name, uint32_t group);
void nl_put_link_del(struct nl_batch *b, const char *name);
/* All links of the group at once; -ENODEV when there is none. Group 0, which every link of the
 * host is in, is refused (-EINVAL). */
void nl_put_group_del(struct nl_batch *b, uint32_t group);
void nl_put_addr4(struct nl_batch *b, int index, uint32_t addr, unsigned prefix);
/* Usable at once: no duplicate address detection. */
void nl_put_addr6(struct nl_batch *b, int index, const uint8_t addr[16], unsigned prefix);
void nl_put_default4(struct nl_batch *b, int index, uint32_t gateway);
void nl_put_default6(struct nl_batch *b, int index, const uint8_t gateway[16]);
/* Of a family, by the link alone. */
void nl_put_default_link(struct nl_batch *b, int family, int index);

/* Links that are deleted in this namespace: a descriptor that is readable when some were. */
int nl_gone_open(struct err *err);
/* fn gets the index of each of them since the last call; true: there were more than the kernel kept, so
 * the caller has to look. */
bool nl_gone_read(int fd, void (*fn)(int index, void *arg), void *arg);

/* Dumps call fn once per object; fn returns < 0 to stop with that value. */
struct nl_link {
	int index, master;
	uint32_t group, flags; /* IFF_* */
	char name[NL_IFNAME];
	char kind[16]; /* "bridge", "veth", ... or "" */
};
struct nl_route {
	int family;      /* AF_INET or AF_INET6 */
	uint8_t dst[16]; /* network order, the first 4 bytes for IPv4 */
	unsigned prefix; /* 0: a default route */
	unsigned table;
	int oif; /* 0 = none */
};
struct nl_addr_info {
	int family, index;
	uint8_t addr[16];
	unsigned prefix;
};
int nl_each_link(struct nl_conn *nl, int (*fn)(const struct nl_link *, void *), void *arg,
		 struct err *err);
int nl_each_route(struct nl_conn *nl, int family, int (*fn)(const struct nl_route *, void *),
		  void *arg, struct err *err);
int nl_each_addr(struct nl_conn *nl, int family, int (*fn)(const struct nl_addr_info *, void *),
		 void *arg, struct err *err);
/* One link by name: -ENODEV (and err untouched) when there is none. */
int nl_link_get(struct nl_conn *nl, const char *name, struct nl_link *out, struct err *err);

#endif
