/* zone.c - the names of one network; see dns.h */
#include "private.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int dns_addr_parse(const char *text, struct dns_addr *out)
{
	*out = (struct dns_addr){ .family = strchr(text, ':') ? AF_INET6 : AF_INET };
	return inet_pton(out->family, text, out->ip) == 1 ? 0 : -EINVAL;
}

bool addr_eq(const struct dns_addr *a, const struct dns_addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, a->family == AF_INET ? 4 : 16) == 0;
}

bool name_ok(const char *name)
{
	size_t n = strlen(name), label = 0;

	if (n == 0 || n > NAME_MAX_LEN - 2)
		return false;
	for (; *name; name++) {
		if (*name == '.' && label == 0)
			return false;
		label = *name == '.' ? 0 : label + 1;
		if (label > LABEL_MAX || isspace((unsigned char)*name) ||
		    iscntrl((unsigned char)*name))
			return false;
	}
	return label > 0;
}

struct dns_zone *dns_zone_new(const char *network)
{
	struct dns_zone *z = xcalloc(1, sizeof(*z));

	z->network = xstrdup(network);
	for (char *c = z->network; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return z;
}

static void entry_clear(struct dns_entry *e)
{
	free(e->name);
	free(e->owner);
}

void dns_zone_free(struct dns_zone *z)
{
	if (!z)
		return;
	for (size_t i = 0; i < z->names.n; i++)
		entry_clear(&z->names.v[i]);
	for (size_t i = 0; i < z->ptrs.n; i++)
		entry_clear(&z->ptrs.v[i]);
	free(z->names.v);
	free(z->ptrs.v);
	free(z->network);
	free(z);
}

static struct dns_entry entry(const char *owner, const char *name, const struct dns_addr *addr)
{
	struct dns_entry e = { .name = xstrdup(name), .owner = xstrdup(owner), .addr = *addr };

	for (char *c = e.name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	e.hash = str_hash(e.name);
	return e;
}

int dns_zone_add(struct dns_zone *z, const char *owner, const char *name,
		 const struct dns_addr *addr, struct err *err)
{
	struct dns_entry e;

	if (!name_ok(name))
		return err_set(err, EINVAL, "'%s' can't be a name on a network", name);
	e = entry(owner, name, addr);
	for (size_t i = 0; i < z->names.n; i++)
		if (strcmp(z->names.v[i].name, e.name) == 0 &&
		    strcmp(z->names.v[i].owner, owner) == 0 && addr_eq(&z->names.v[i].addr, addr)) {
			entry_clear(&e);
			return 0;
		}
	*vec_push(&z->names) = e;
	return 0;
}

int dns_zone_add_ptr(struct dns_zone *z, const char *owner, const struct dns_addr *addr,
		     const char *name, struct err *err)
{
	if (!name_ok(name))
		return err_set(err, EINVAL, "'%s' can't be a name on a network", name);
	for (size_t i = 0; i < z->ptrs.n; i++)
		if (addr_eq(&z->ptrs.v[i].addr, addr)) {
			entry_clear(&z->ptrs.v[i]);
			z->ptrs.v[i] = entry(owner, name, addr);
			return 0;
		}
	*vec_push(&z->ptrs) = entry(owner, name, addr);
	return 0;
}

void dns_zone_remove_owner(struct dns_zone *z, const char *owner)
{
	size_t kept = 0;

	for (size_t i = 0; i < z->names.n; i++) {
		if (strcmp(z->names.v[i].owner, owner) == 0)
			entry_clear(&z->names.v[i]);
		else
			z->names.v[kept++] = z->names.v[i];
	}
	z->names.n = kept;
	kept = 0;
	for (size_t i = 0; i < z->ptrs.n; i++) {
		if (strcmp(z->ptrs.v[i].owner, owner) == 0)
			entry_clear(&z->ptrs.v[i]);
		else
			z->ptrs.v[kept++] = z->ptrs.v[i];
	}
	z->ptrs.n = kept;
}

void dns_zone_set_aside(struct dns_zone *z, const char *owner, bool aside)
{
	for (size_t i = 0; i < z->names.n; i++)
		if (strcmp(z->names.v[i].owner, owner) == 0)
			z->names.v[i].aside = aside;
}

size_t dns_parse_resolv_conf(const char *text, struct dns_addr *out, size_t max)
{
	size_t n = 0;

	while (*text && n < max) {
		size_t len = strcspn(text, "\n");
		char line[128];

		if (len < sizeof(line) && strncmp(text, "nameserver", 10) == 0) {
			char *ip, *end;

			memcpy(line, text, len);
			line[len] = '\0';
			ip = line + 10 + strspn(line + 10, " \t");
			end = ip + strcspn(ip, " \t%#;\r");
			*end = '\0';
			if (dns_addr_parse(ip, &out[n]) == 0)
				n++;
		}
		text += len + (text[len] == '\n');
	}
	return n;
}
