/* net.h - the networks of a project: addresses, bridges, veths, firewall rules, published ports.
 *
 * IPv4 addresses are uint32_t in host byte order, IPv6 ones 16 bytes in network order. Strings in
 * the structs are borrowed from the caller. Functions marked "pure" touch nothing and need no
 * root. All others are for root in the host's namespaces and one thread: net_attach() and friends
 * visit container namespaces with setns(2) and are back in the caller's when they return.
 *
 * Floor 3.
 */
#ifndef CTRCOMPOSE_NET_H
#define CTRCOMPOSE_NET_H

#include <ctrcompose/base.h>

#define NET_IFNAME 16 /* with the NUL */

struct nl_conn; /* netlink.h */
struct loop;    /* loop.h */

/* ---- Prefixes (pure) ------------------------------------------------------------------------- */
struct net_prefix {
	uint32_t addr; /* host bits are zero in a subnet */
	unsigned len;  /* 0..32 */
};
struct net_prefix6 {
	uint8_t addr[16];
	unsigned len; /* 0..128 */
};
struct net_prefixes { /* a vector: vec_push(), free(l.v) */
	struct net_prefix *v;
	size_t n, cap;
};
struct net_prefixes6 {
	struct net_prefix6 *v;
	size_t n, cap;
};
#define NET_IP_LEN      16 /* "255.255.255.255" and NUL */
#define NET_PREFIX_LEN  20
#define NET_PREFIX6_LEN 50
int net_ip_parse(const char *s, uint32_t *out);                /* -EINVAL */
int net_prefix_parse(const char *s, struct net_prefix *out);   /* "10.1.0.0/16"; -EINVAL */
int net_prefix6_parse(const char *s, struct net_prefix6 *out); /* "fd00::/64"; -EINVAL */
int net_ip6_parse(const char *s, uint8_t out[16]);
const char *net_ip_format(uint32_t ip, char out[NET_IP_LEN]); /* returns out */
const char *net_prefix_format(struct net_prefix p, char out[NET_PREFIX_LEN]);
const char *net_prefix6_format(const struct net_prefix6 *p, char out[NET_PREFIX6_LEN]);
bool net_prefix_overlap(struct net_prefix a, struct net_prefix b);
bool net_prefix6_overlap(const struct net_prefix6 *a, const struct net_prefix6 *b);
bool net_prefix_has(struct net_prefix p, uint32_t ip);
bool net_prefix6_has(const struct net_prefix6 *p, const uint8_t ip[16]);

/* ---- Networks -------------------------------------------------------------------------------- */
enum net_kind {
	NET_BRIDGE,
	NET_MACVLAN, /* endpoints are children of a link of the host, */
	NET_IPVLAN   /* with a MAC of their own, or its */
};
struct net_network {
	enum net_kind kind;
	const char *name;        /* as the host knows it: "shop_default" */
	char bridge[NET_IFNAME]; /* net_bridge_name() */
	struct net_prefix subnet;
	uint32_t gateway;        /* address of the bridge, inside subnet; 0 = the first one */
	struct net_prefix range; /* addresses are picked here; len 0 = the whole subnet */
	bool internal;           /* no way in or out */
	bool no_host;            /* the bridge has no address of the host's */
	bool shared;             /* containers of other projects are on it too */
	unsigned mtu;            /* 0 = 1500 */
	bool ipv6;
	struct net_prefix6 subnet6;
	uint8_t gateway6[16];  /* all zero = the first one */
	uint32_t group;        /* link group of the project that uses it: net_group() */
	uint32_t bridge_group; /* that of its bridge; 0: the same */
	int ifindex;           /* of the bridge or parent; filled in by net_network_up() */
	/* macvlan, ipvlan: a parent like eth0.50 that is not there is made: VLAN 50 of eth0. */
	char parent[NET_IFNAME];
	unsigned mode; /* net_child_mode() */
};

enum net_kind net_kind_of(const char *driver); /* "bridge" or NULL, "macvlan", "ipvlan" (pure) */
/* macvlan_mode or ipvlan_mode as Docker's drivers have it; NULL: the default (pure). -EINVAL: its kind
 * has no such mode. */
int net_child_mode(struct net_network *net, const char *mode);

/* Names derived from who owns them (pure): `owner` is the run folder, so that two users' stacks
 * with the same names do not meet. */
void net_bridge_name(const char *owner, const char *network, char out[NET_IFNAME]);
/* `container` is the container's id, `network` its network's name. */
void net_host_if_name(const char *container, const char *network, char out[NET_IFNAME]);
uint32_t net_group(const char *owner, const char *project); /* never 0 */

/* A free subnet (pure): overlaps nothing in `host` (routes and addresses) nor in `taken`. pools
 * NULL: 172.17-31.0.0/16, then 192.168.0.0/16 by /20, then 10.0.0.0/8 by /24. A default route
 * (len 0) in the lists is ignored. -ENOSPC when all are in use. */
struct net_pool {
	struct net_prefix base;
	unsigned size; /* length of the prefixes cut out of it */
};
struct net_pools { /* a vector: free(l.v) */
	struct net_pool *v;
	size_t n, cap;
};
/* {"default-address-pools": [{"base": "10.200.0.0/16", "size": 24}]}, as Docker's daemon.json has it
 * (pure); appends. Pools of IPv6 are passed over. */
int net_pools_parse(const char *text, size_t len, struct net_pools *out, struct err *err);
int net_pick_subnet(const struct net_prefixes *host, const struct net_prefixes *taken,
		    const struct net_pool *pools, size_t n_pools, struct net_prefix *out,
		    struct err *err);
/* A private IPv6 /64 (fd..) that overlaps none in `used`, the same for the same name (pure). */
void net_pick_subnet6(const char *owner, const char *network, const struct net_prefixes6 *used,
		      struct net_prefix6 *out);
/* All IPv4 routes (every table) and addresses of this namespace; appends to *out. */
int net_host_routes(struct nl_conn *nl, struct net_prefixes *out, struct err *err);
/* All IPv6 routes but default ones. */
int net_host_routes6(struct nl_conn *nl, struct net_prefixes6 *out, struct err *err);

/* A free address (pure): not the network's own, its broadcast, its gateway, nor a taken one.
 * wanted 0: any. -EADDRINUSE: wanted is taken; -EINVAL: wanted is outside; -ENOSPC: full. */
int net_pick_address(const struct net_network *net, const uint32_t *taken, size_t n_taken,
		     uint32_t wanted, uint32_t *out, struct err *err);
uint32_t net_gateway(const struct net_network *net); /* gateway, or the first address (pure) */
void net_gateway6(const struct net_network *net, uint8_t out[16]);
/* The IPv6 address that goes with an IPv4 one: the subnet's prefix, the IPv4's host part (pure). */
void net_address6(const struct net_network *net, uint32_t ipv4, uint8_t out[16]);
/* The IPv4 address that the IPv6 one goes with; false: none of this network's does (pure). */
bool net_address4(const struct net_network *net, const uint8_t ipv6[16], uint32_t *out);

/* Make the bridge, give it its address, bring it up; fine if it is there with that address.
 * Sets net->ifindex. On failure nothing new is left. */
int net_network_up(struct nl_conn *nl, struct net_network *net, struct err *err);
/* Put its bridge into the group, so that it goes with that one's links; missing is success. */
int net_network_regroup(struct nl_conn *nl, const struct net_network *net, uint32_t group,
			struct err *err);
/* Delete one network's bridge; missing is success. */
int net_network_down(struct nl_conn *nl, const struct net_network *net, struct err *err);
/* Delete every link of the group (veths and bridges) in one message; none is success. */
int net_networks_down(struct nl_conn *nl, uint32_t group, struct err *err);

/* ---- Endpoints ------------------------------------------------------------------------------- */
enum { NET_LINK_LOCALS = 2 };
struct net_endpoint {
	const struct net_network *network; /* up: ifindex is set */
	char host_if[NET_IFNAME];          /* net_host_if_name() */
	char ifname[NET_IFNAME];           /* "eth0" in the container */
	uint32_t ipv4;
	uint8_t mac[6]; /* all zero: net_mac_of(ipv4) */
	bool has_ipv6;  /* with an IPv6 network; ipv6 from net_address6() or the user */
	uint8_t ipv6[16];
	int netns_fd;       /* of the container; borrowed */
	bool default_route; /* through this network's gateway; ignored when internal */
	uint32_t link_local4[NET_LINK_LOCALS];
	uint8_t link_local6[NET_LINK_LOCALS][16]; /* with has_ipv6 */
	size_t n_link_local4, n_link_local6;
	const char *sysctls; /* "net.ipv4.conf.IFNAME.KEY=VALUE,...", or NULL */
};
void net_mac_of(uint32_t ipv4, uint8_t out[6]); /* 02:42:a:b:c:d (pure) */

/* With pins, what a container sends to 127.0.0.11:53 arrives at this port of that address, and comes back
 * from 53: a service may bind 0.0.0.0:53 while the name server is there too. */
#define NET_NAMES_PORT 65353

/* What net_attach() holds endpoints to. It stays in the kernel as long as the links do, also after
 * net_pins_free(). A kernel that lacks what it needs is said once in the log. */
struct net_pins;
struct net_pins *net_pins_new(void);
void net_pins_free(struct net_pins *pins); /* NULL is fine */
/* For doctor: whether this kernel can do it. */
int net_pins_try(struct err *err);

/* Wire any number of endpoints: one message batch on the host's side, one per namespace (endpoints
 * of one netns stand side by side): lo up, address, link up, default route. On failure the veths
 * made by this call are deleted again. With pins, nothing leaves an endpoint but what is sent from
 * its own MAC and addresses; no ARP, router advertisement or redirect that speaks for another. */
int net_attach(struct nl_conn *nl, struct net_pins *pins, const struct net_endpoint *eps, size_t n,
	       struct err *err);
/* Delete their links; missing ones are fine. (Closing the namespace does it too, some time later.) */
int net_detach(struct nl_conn *nl, const struct net_endpoint *eps, size_t n, struct err *err);
/* Put the host's side of an endpoint on the bridge again, which was made anew; -ENODEV where it is gone
 * is fine. */
struct nl_batch;
void net_put_rejoin(struct nl_batch *batch, const struct net_network *net, const char *host_if);
/* For a container without networks. */
int net_loopback_up(int netns_fd, struct err *err);

/* ---- Firewall -------------------------------------------------------------------------------- */
struct net_port {           /* one published port of one container */
	uint32_t host_ip;   /* 0 = all IPv4 addresses; 127.0.0.1: this host only */
	uint16_t host_port; /* the one that was reserved */
	bool udp;
	uint32_t target_ip; /* the container's address */
	uint16_t target_port;
	const uint8_t *host_ip6;   /* NULL = all IPv6 addresses */
	const uint8_t *target_ip6; /* NULL = no IPv6 rule */
	bool no_ipv4;              /* published on an IPv6 address only */
};

struct fw_rule {
	bool v6;
	const char *table; /* "raw", "mangle", "nat", "filter" */
	const char *chain; /* one of ours, or a built-in one where it is a hook */
	const char *args;  /* as iptables takes them: "-i cc-1 -j DROP" */
	bool hook;         /* stands in a built-in chain, first place */
};
struct fw_rules {
	struct arena arena;
	char tag[20]; /* begins the name of every chain of the project */
	struct fw_rule *v;
	size_t n, cap;
	struct {
		struct fw_sysctl { /* written after the rules are in; path below /proc/sys */
			const char *path, *value;
		} * v;
		size_t n, cap;
	} sysctls;
};
/* The whole rule list of a project (pure); empty when nothing needs rules. `project` is any string
 * that is unique on this host (run folder + project name). Release with fw_rules_clear(). */
void fw_build(const char *project, const struct net_network *nets, size_t n_nets,
	      const struct net_port *ports, size_t n_ports, struct fw_rules *out);
bool fw_equal(const struct fw_rules *a, const struct fw_rules *b);
void fw_rules_clear(struct fw_rules *r);
#define auto_fw_rules __attribute__((cleanup(fw_rules_clear)))
/* The input for iptables-restore (v6: ip6tables-restore) that makes `r` true on a host whose
 * `iptables-save` printed `saved` (pure). r->n == 0: removes what has the tag. "" = nothing to do.
 * Caller frees. */
char *fw_script(const struct fw_rules *r, bool v6, const char *saved);

/* What iptables-save would print about us with these rules in place, as far as fw_script() reads it
 * (pure). Caller frees. */
char *fw_saved(const struct fw_rules *r, bool v6);
/* Whether `saved` still has all of them, and no other in chains of ours (pure). */
bool fw_holds(const struct fw_rules *r, bool v6, const char *saved);

/* Put the rules in place, replacing those of the project that are there; the bridges must be up.
 * Idempotent, whatever is there. Turns forwarding on when needed. */
int fw_apply(const struct fw_rules *r, struct err *err);
/* Remove all chains of the project and the jumps to them. Nothing there is success. */
int fw_remove(const char *project, struct err *err);

/* The firewall of a running project. It knows what it put in place, so that a change is a single
 * transaction and nothing has to be read before it; and it may be carried out aside. */
struct fw;
/* fresh: no rules of this project can be there. */
struct fw *fw_new(const char *project, bool fresh);
void fw_free(struct fw *f); /* the rules stay */
/* Begin to make them true and take them over (*rules is empty then); fw_wait() says how it ended. */
int fw_begin(struct fw *f, struct fw_rules *rules, struct err *err);
int fw_wait(struct fw *f, struct err *err);
/* Put back what others have taken out since: 1 then, 0 when all was there. */
int fw_check(struct fw *f, struct err *err);

/* fn is called some time after rules of ours, or of a built-in chain they hang in, may have been taken
 * out: the kernel tells of it, or, with legacy tables, it's called every few seconds. */
struct fw_watch;
int fw_watch_start(struct loop *loop, const char *project, void (*fn)(void *arg), void *arg,
		   struct fw_watch **out, struct err *err);
void fw_watch_again(struct fw_watch *w); /* fn is called a few seconds from now; NULL: it is not */
void fw_watch_stop(struct fw_watch *w);
/* Whether messages of nfnetlink(7) tell of a loss for chains with this tag (pure; any bytes). */
bool fw_watch_lost(const void *messages, size_t len, const char *tag);
/* For doctor: which program, which back end, is forwarding on. Caller frees. */
char *fw_describe(void);

/* ---- Published ports ------------------------------------------------------------------------- */
struct net_reserved {
	int fd4, fd6; /* bound, non-blocking, tcp: listening; -1 = not that family */
	uint16_t port;
};
/* Take port lo..hi (the first free one; 0,0 = an ephemeral one) for the host. host_ip NULL: all
 * addresses of both families (IPv6 is left out on a host without it). -EADDRINUSE: the sentence
 * names the port and the program that holds it. Release with net_reserved_close(). */
int net_port_reserve(const char *host_ip, uint16_t lo, uint16_t hi, bool udp,
		     struct net_reserved *out, struct err *err);
void net_reserved_close(struct net_reserved *r);
/* Who is bound to this port: "nginx (pid 812)", or NULL if it cannot be told. Caller frees. */
char *net_port_owner(uint16_t port, bool udp);

/* Carries what DNAT cannot (connections to [::1], and 127.0.0.1 without route_localnet) from the
 * reserved sockets to the container. Borrows the sockets: close the proxy first. */
struct net_proxy;
int net_proxy_start(struct loop *loop, const struct net_reserved *from, bool udp,
		    uint32_t target_ip, uint16_t target_port, struct net_proxy **out,
		    struct err *err);
void net_proxy_stop(struct net_proxy **p);

#endif
