/* ports.c - published ports: [ip:][host:]container[/protocol] to the long syntax. */
#include "canon.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* 49152-65535 and the like; each is a mapping of its own in what `config` prints. */
#define PORTS_MAX 24000

struct range {
	uint16_t lo, hi;
};

static int parse_range(const char *text, struct range *out)
{
	auto_free char *lo = xstrdup(text);
	char *hi = strchr(lo, '-');
	uint64_t a, b;

	if (hi)
		*hi++ = '\0';
	if (parse_u64(lo, &a) < 0 || a > UINT16_MAX)
		return -EINVAL;
	b = a;
	if (hi && (parse_u64(hi, &b) < 0 || b > UINT16_MAX || b < a))
		return -EINVAL;
	*out = (struct range){ (uint16_t)a, (uint16_t)b };
	return 0;
}

static bool is_address(const char *text)
{
	struct in6_addr addr;
	auto_free char *plain = xstrdup(text);
	char *zone = strchr(plain, '%');

	if (zone)
		*zone = '\0';
	return inet_pton(AF_INET, text, &addr) == 1 || inet_pton(AF_INET6, plain, &addr) == 1;
}

static struct yaml_node *new_port(struct load *l, const struct yaml_node *at, const char *ip,
				  const char *published, uint16_t target, const char *protocol)
{
	struct yaml_node *map = yaml_new(l->a, YAML_MAP, at);

	yaml_put(l->a, map, "mode", yaml_new_str(l->a, "ingress", at));
	if (ip && *ip)
		yaml_put(l->a, map, "host_ip", yaml_new_str(l->a, ip, at));
	yaml_put(l->a, map, "target", yaml_new_int(l->a, target, at));
	if (published && *published)
		yaml_put(l->a, map, "published", yaml_new_str(l->a, published, at));
	yaml_put(l->a, map, "protocol", yaml_new_str(l->a, protocol, at));
	return map;
}

static void short_port(struct load *l, const struct at *at, const struct yaml_node *n,
		       struct yaml_node *list)
{
	char *text = arena_strdup(l->a, yaml_text(l->a, n)), *slash = strchr(text, '/');
	char *container, *host = NULL, *ip = NULL, *colon;
	const char *protocol = "tcp";
	struct range c, h = { 0, 0 };

	if (slash) {
		*slash = '\0';
		protocol = slash + 1;
		for (char *p = slash + 1; *p; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p += 'a' - 'A';
		if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 &&
		    strcmp(protocol, "sctp") != 0) {
			problem(l, n, at, "'%s' is no protocol: tcp, udp or sctp", protocol);
			return;
		}
	}
	colon = strrchr(text, ':');
	container = colon ? colon + 1 : text;
	if (colon) {
		*colon = '\0';
		colon = strrchr(text, ':');
		host = colon ? colon + 1 : text;
		if (colon) {
			*colon = '\0';
			ip = text;
		}
	}
	if (ip && *ip == '[') {
		size_t len = strlen(ip);

		if (ip[len - 1] == ']') {
			ip[len - 1] = '\0';
			ip++;
		}
	} else if (ip && strchr(ip, ':')) {
		problem(l, n, at, "an IPv6 address needs brackets: [::1]:80:80");
		return;
	}
	if (ip && *ip && !is_address(ip)) {
		problem(l, n, at, "'%s' is not an IP address", ip);
		return;
	}
	if (parse_range(container, &c) < 0) {
		problem(l, n, at, "'%s' is not a port or range of the container", container);
		return;
	}
	if (host && *host && parse_range(host, &h) < 0) {
		problem(l, n, at, "'%s' is not a port or range of the host", host);
		return;
	}
	if (host && *host && h.hi - h.lo != c.hi - c.lo && c.lo != c.hi) {
		problem(l, n, at, "the ranges %s and %s differ in length", host, container);
		return;
	}
	l->ports += (size_t)(c.hi - c.lo) + 1;
	if (l->ports > PORTS_MAX) {
		problem(l, n, at, "more than %d ports in one project", PORTS_MAX);
		return;
	}
	for (unsigned i = 0; i <= (unsigned)(c.hi - c.lo); i++) {
		const char *published = NULL;

		if (host && *host)
			published = c.lo == c.hi && h.lo != h.hi
					    ? arena_printf(l->a, "%u-%u", h.lo, h.hi)
					    : arena_printf(l->a, "%u", h.lo + i);
		yaml_add(l->a, list, new_port(l, n, ip, published, (uint16_t)(c.lo + i), protocol));
	}
}

static void long_port(struct load *l, const struct at *at, struct yaml_node *n,
		      struct yaml_node *list)
{
	const struct yaml_node *ip = yaml_get(n, "host_ip");

	if (ip && ip->type == YAML_STR && *ip->s && !is_address(ip->s))
		problem(l, ip, at, "'%s' is not an IP address", ip->s);
	if (!yaml_get(n, "mode"))
		yaml_put(l->a, n, "mode", yaml_new_str(l->a, "ingress", n));
	if (!yaml_get(n, "protocol"))
		yaml_put(l->a, n, "protocol", yaml_new_str(l->a, "tcp", n));
	yaml_add(l->a, list, n);
}

struct yaml_node *canon_ports(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *list = yaml_new(l->a, YAML_LIST, n);

	for (size_t i = 0; i < n->m.n; i++) {
		struct at here = { at, NULL, i };
		struct yaml_node *item = n->m.v[i].value;

		if (item->type == YAML_MAP)
			long_port(l, &here, item, list);
		else if (item->type == YAML_FLOAT)
			problem(l, item, &here, "'%s' is not a port", yaml_text(l->a, item));
		else
			short_port(l, &here, item, list);
	}
	return list;
}
