/* fw_build.c - the firewall of a project as one list of rules. Pure.
 *
 * What stands where, and why there:
 *   raw PREROUTING     loopback guard: before connection tracking and before any DNAT.
 *   mangle FORWARD     isolation. All drops are here, because mangle runs before filter: so they
 *                      hold whatever another project or a foreign rule accepts in filter.
 *   nat PREROUTING, OUTPUT, POSTROUTING   published ports, masquerading.
 *   filter FORWARD     accepts only, in first place, so that a policy of DROP (Docker, ufw) and
 *                      foreign drops do not cut our networks off.
 * Words are in the order in which iptables-save prints them.
 */
#include "net_priv.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOPBACK_NET 0x7f000000U

enum place { RAW, ISO, DNAT, POST, FWD, N_PLACES };

static const struct place_info {
	const char *table, *suffix;
	struct {
		const char *chain, *only6, *match;
	} hooks[2];
} places[N_PLACES] = {
	[RAW] = { "raw", "RAW", { { "PREROUTING", "", "" } } },
	[ISO] = { "mangle", "ISO", { { "FORWARD", "", "" } } },
	[DNAT] = { "nat",
		   "NAT",
		   { { "PREROUTING", "", "-m addrtype --dst-type LOCAL " },
		     /* What comes from ::1 can't leave the host: the proxy carries it. */
		     { "OUTPUT", "! -d ::1/128 ", "-m addrtype --dst-type LOCAL " } } },
	[POST] = { "nat", "POST", { { "POSTROUTING", "", "" } } },
	[FWD] = { "filter", "FWD", { { "FORWARD", "", "" } } },
};

/* Bridges of others: what goes there is for their rules to judge, not for our accept. */
static const char *const foreign_bridges[] = { "docker+", "br-+",   "podman+", "cni+",
					       "virbr+",  "lxcbr+", "lxdbr+",  "incusbr+" };

struct builder {
	struct fw_rules *out;
	const char *chain[N_PLACES];
	bool v6;
};

static void add(struct builder *b, enum place at, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void add(struct builder *b, enum place at, const char *fmt, ...)
{
	auto_sbuf struct sbuf args = SBUF_INIT;
	struct fw_rule *rule = vec_push(b->out);
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&args, fmt, ap);
	va_end(ap);
	*rule = (struct fw_rule){ .v6 = b->v6,
				  .table = places[at].table,
				  .chain = b->chain[at],
				  .args = arena_strdup(&b->out->arena, sbuf_str(&args)) };
}

static void add_sysctl(struct fw_rules *r, const char *value, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

static void add_sysctl(struct fw_rules *r, const char *value, const char *fmt, ...)
{
	auto_sbuf struct sbuf path = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&path, fmt, ap);
	va_end(ap);
	*vec_push(&r->sysctls) = (struct fw_sysctl){
		arena_strdup(&r->arena, sbuf_str(&path)),
		arena_strdup(&r->arena, value),
	};
}

/* ---- Subnets and addresses as text ----------------------------------------------------------- */
static void subnet_text(const struct net_network *net, bool v6, char out[NET_PREFIX6_LEN])
{
	if (v6)
		(void)net_prefix6_format(&net->subnet6, out);
	else
		(void)net_prefix_format(net->subnet, out);
}

static bool is_loopback(const struct net_port *p)
{
	return p->host_ip >> 24 == LOOPBACK_NET >> 24;
}

/* The network whose container the port leads to; NULL when it has none that is open. */
static const struct net_network *network_of(const struct net_network *nets, size_t n,
					    const struct net_port *p)
{
	for (size_t i = 0; i < n; i++)
		if (!nets[i].internal && net_prefix_has(nets[i].subnet, p->target_ip))
			return &nets[i];
	return NULL;
}

/* Does this port have a rule for this family? */
static bool port_in(const struct builder *b, const struct net_port *p)
{
	if (b->v6) /* [::1] cannot be translated; a port for one IPv4 address has no IPv6 side */
		return p->target_ip6 &&
		       (p->host_ip6 ? !IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)p->host_ip6)
				    : p->host_ip == 0);
	return !p->no_ipv4;
}

/* ---- Per network ----------------------------------------------------------------------------- */
static void isolate(struct builder *b, const struct net_network *net)
{
	if (net->internal) {
		add(b, ISO, "! -i %s -o %s -j DROP", net->bridge, net->bridge);
		add(b, ISO, "-i %s ! -o %s -j DROP", net->bridge, net->bridge);
		return;
	}
	/* Answers and published ports come in; direct routing from outside and from other bridges
	 * does not. */
	add(b, ISO, "! -i %s -o %s -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
	    net->bridge, net->bridge);
}

static void accept_in(struct builder *b, const struct net_network *net)
{
	if (!net->internal)
		add(b, FWD, "-o %s -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT",
		    net->bridge);
	/* Bridged packets pass here too where bridge-nf-call-iptables is on. */
	add(b, FWD, "-i %s -o %s -j ACCEPT", net->bridge, net->bridge);
}

static void masquerade(struct builder *b, const struct net_network *net)
{
	char subnet[NET_PREFIX6_LEN];

	subnet_text(net, b->v6, subnet);
	add(b, POST, "-s %s ! -o %s -j MASQUERADE", subnet, net->bridge);
}

/* What published ports need of the network they lead to. */
static void serve_ports(struct builder *b, const struct net_network *net, bool loopback)
{
	char subnet[NET_PREFIX6_LEN];

	/* A container that calls a published port of its own network: the answer has to come back
	 * through here, not straight from the neighbour. */
	subnet_text(net, b->v6, subnet);
	add(b, POST, "-s %s -o %s -m conntrack --ctstate DNAT -j MASQUERADE", subnet, net->bridge);
	if (!loopback || b->v6)
		return;
	/* 127.0.0.1 of the host: allowed onto the bridge. */
	add(b, POST, "-s 127.0.0.0/8 -o %s -j MASQUERADE", net->bridge);
	add_sysctl(b->out, "1", "net/ipv4/conf/%s/route_localnet", net->bridge);
}

/* Nothing of 127.0.0.0/8 is accepted from there. */
static void guard_loopback(struct builder *b, const struct net_network *net)
{
	add(b, RAW, "-d 127.0.0.0/8 -i %s -j DROP", net->bridge);
	add(b, RAW, "-s 127.0.0.0/8 -i %s -j DROP", net->bridge);
}

/* ---- Per port -------------------------------------------------------------------------------- */
static void publish(struct builder *b, const struct net_port *p)
{
	const char *proto = p->udp ? "udp" : "tcp";
	char host[INET6_ADDRSTRLEN] = "", target[INET6_ADDRSTRLEN];

	if (b->v6) {
		if (p->host_ip6)
			(void)inet_ntop(AF_INET6, p->host_ip6, host, sizeof(host));
		(void)inet_ntop(AF_INET6, p->target_ip6, target, sizeof(target));
	} else {
		if (p->host_ip)
			(void)net_ip_format(p->host_ip, host);
		(void)net_ip_format(p->target_ip, target);
	}
	/* A neighbour on the wire may send to 127.0.0.1; translated, it would get in. */
	if (!b->v6 && is_loopback(p))
		add(b, RAW, "-d %s/32 ! -i lo -p %s -m %s --dport %u -j DROP", host, proto, proto,
		    p->host_port);
	add(b, DNAT, "%s%s%s-p %s -m %s --dport %u -j DNAT --to-destination %s%s%s:%u",
	    host[0] ? "-d " : "", host,
	    !host[0] ? ""
	    : b->v6  ? "/128 "
		     : "/32 ",
	    proto, proto, p->host_port, b->v6 ? "[" : "", target, b->v6 ? "]" : "", p->target_port);
}

static void build_family(struct builder *b, const struct net_network *nets, size_t n_nets,
			 const struct net_port *ports, size_t n_ports)
{
	bool any_open = false;

	for (size_t i = 0; i < n_ports; i++) {
		const struct net_network *net = network_of(nets, n_nets, &ports[i]);

		if (net && port_in(b, &ports[i]) && (!b->v6 || net->ipv6))
			publish(b, &ports[i]);
	}
	for (size_t i = 0; i < n_nets; i++) {
		bool has_ports = false, loopback = false;

		if (b->v6 && !nets[i].ipv6)
			continue;
		for (size_t k = 0; k < n_ports; k++) {
			if (network_of(nets, n_nets, &ports[k]) != &nets[i] ||
			    !port_in(b, &ports[k]))
				continue;
			has_ports = true;
			loopback |= ports[k].host_ip == 0 || is_loopback(&ports[k]);
		}
		if (has_ports)
			serve_ports(b, &nets[i], loopback);
		/* Another project may have allowed it there. */
		if (!b->v6 && (loopback || nets[i].shared))
			guard_loopback(b, &nets[i]);
		else if (!b->v6) /* what was published on it before, or by others */
			add_sysctl(b->out, "0", "net/ipv4/conf/%s/route_localnet", nets[i].bridge);
		isolate(b, &nets[i]);
		accept_in(b, &nets[i]);
		if (!nets[i].internal)
			masquerade(b, &nets[i]);
		any_open |= !nets[i].internal;
	}
	for (size_t i = 0; any_open && i < ARRAY_LEN(foreign_bridges); i++)
		add(b, FWD, "-o %s -j RETURN", foreign_bridges[i]);
	for (size_t i = 0; i < n_nets; i++)
		if (!nets[i].internal && (!b->v6 || nets[i].ipv6))
			add(b, FWD, "-i %s -j ACCEPT", nets[i].bridge);
	if (any_open)
		add_sysctl(b->out, "1",
			   b->v6 ? "net/ipv6/conf/all/forwarding" : "net/ipv4/ip_forward");
}

/* The jumps into the chains that got rules. */
static void add_hooks(struct builder *b)
{
	for (enum place at = 0; at < N_PLACES; at++) {
		bool used = false;

		for (size_t i = 0; i < b->out->n; i++)
			used |= b->out->v[i].v6 == b->v6 && b->out->v[i].chain == b->chain[at];
		for (size_t h = 0; used && h < ARRAY_LEN(places[at].hooks); h++) {
			if (!places[at].hooks[h].chain)
				continue;
			*vec_push(b->out) = (struct fw_rule){
				.v6 = b->v6,
				.table = places[at].table,
				.chain = places[at].hooks[h].chain,
				.args = arena_printf(&b->out->arena, "%s%s-j %s",
						     b->v6 ? places[at].hooks[h].only6 : "",
						     places[at].hooks[h].match, b->chain[at]),
				.hook = true,
			};
		}
	}
}

void fw_tag(const char *project, char out[20])
{
	(void)snprintf(out, 20, "CC-%012llx", (unsigned long long)(str_hash(project) >> 16));
}

void fw_build(const char *project, const struct net_network *nets, size_t n_nets,
	      const struct net_port *ports, size_t n_ports, struct fw_rules *out)
{
	struct builder b = { .out = out };

	memset(out, 0, sizeof(*out));
	fw_tag(project, out->tag);
	for (enum place at = 0; at < N_PLACES; at++)
		b.chain[at] = arena_printf(&out->arena, "%s-%s", out->tag, places[at].suffix);
	for (int v6 = 0; v6 < 2; v6++) {
		b.v6 = v6;
		build_family(&b, nets, n_nets, ports, n_ports);
		add_hooks(&b);
	}
}

const char *const fw_tables[FW_TABLES] = { "raw", "mangle", "nat", "filter" };

bool fw_in_table(const struct fw_rule *rule, bool v6, const char *table)
{
	return rule->v6 == v6 && str_eq(rule->table, table);
}

size_t fw_count(const struct fw_rules *r, bool v6, const char *table, const char *chain)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->v[i].v6 == v6 && (!table || str_eq(r->v[i].table, table)) &&
		     (!chain || str_eq(r->v[i].chain, chain));
	return n;
}

bool fw_equal(const struct fw_rules *a, const struct fw_rules *b)
{
	if (a->n != b->n || a->sysctls.n != b->sysctls.n || !str_eq(a->tag, b->tag))
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct fw_rule *x = &a->v[i], *y = &b->v[i];

		if (x->v6 != y->v6 || x->hook != y->hook || !str_eq(x->table, y->table) ||
		    !str_eq(x->chain, y->chain) || !str_eq(x->args, y->args))
			return false;
	}
	for (size_t i = 0; i < a->sysctls.n; i++)
		if (!str_eq(a->sysctls.v[i].path, b->sysctls.v[i].path) ||
		    !str_eq(a->sysctls.v[i].value, b->sysctls.v[i].value))
			return false;
	return true;
}

void fw_rules_clear(struct fw_rules *r)
{
	free(r->v);
	free(r->sysctls.v);
	arena_free(&r->arena);
	memset(r, 0, sizeof(*r));
}
