/* answer.c - from a question to an answer, without a socket (RFC 1035, 6891); see dns.h */
#include "private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct question {
	char name[NAME_MAX_LEN + 1]; /* lower case, no trailing dot */
	uint16_t type, class;
	size_t end; /* after the question */
	bool edns;
	size_t room; /* bytes the asker takes over UDP */
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* One name without compression: there is nothing before it that it could point to. */
static bool read_name(const uint8_t *q, size_t n, size_t *at, char *out)
{
	size_t len = 0;

	while (*at < n && q[*at] != 0) {
		size_t label = q[*at];

		if (label > LABEL_MAX || *at + 1 + label >= n || len + label + 1 > NAME_MAX_LEN - 1)
			return false;
		if (len)
			out[len++] = '.';
		for (size_t i = 0; i < label; i++) {
			uint8_t c = q[*at + 1 + i];

			out[len++] = c == 0 || c == '.' ? '?' : (char)tolower(c);
		}
		*at += 1 + label;
	}
	out[len] = '\0';
	if (*at >= n)
		return false;
	*at += 1;
	return true;
}

static bool read_question(const uint8_t *q, size_t n, struct question *out)
{
	size_t at = HEADER;

	*out = (struct question){ .room = UDP_PLAIN };
	if (get16(q + 4) != 1 || !read_name(q, n, &at, out->name) || at + 4 > n)
		return false;
	out->type = get16(q + at);
	out->class = get16(q + at + 2);
	out->end = at + 4;
	/* OPT is a root name, so it stands right behind the question. */
	if (get16(q + 10) > 0 && get16(q + 6) == 0 && get16(q + 8) == 0 && out->end + 11 <= n &&
	    q[out->end] == 0 && get16(q + out->end + 1) == TYPE_OPT) {
		out->edns = true;
		out->room = get16(q + out->end + 3);
		if (out->room < UDP_PLAIN)
			out->room = UDP_PLAIN;
		if (out->room > UDP_EDNS)
			out->room = UDP_EDNS;
	}
	return true;
}

bool dns_is_answer(const uint8_t *question, size_t question_n, const uint8_t *a, size_t n)
{
	struct question asked, said;

	if (question_n < HEADER || n < HEADER || memcmp(a, question, 2) != 0 || !(a[2] & 0x80))
		return false;
	if (get16(a + 4) == 0) /* FORMERR and the like need not repeat it */
		return (a[3] & 15) != RC_OK && get16(a + 6) == 0;
	return read_question(question, question_n, &asked) && read_question(a, n, &said) &&
	       asked.type == said.type && asked.class == said.class &&
	       strcmp(asked.name, said.name) == 0;
}

/* ---- What is known ---------------------------------------------------------------------------- */
struct found {
	struct dns_addr v[128];
	size_t n;
	bool known; /* the name is there, with whatever addresses */
};

static void take(struct found *f, const struct dns_entry *e, int family)
{
	f->known = true;
	if (e->addr.family == family && f->n < ARRAY_LEN(f->v))
		f->v[f->n++] = e->addr;
}

static void collect(const struct dns_zone *z, const char *name, int family, struct found *f)
{
	uint64_t hash = str_hash(name);
	bool aside = false;

	for (size_t i = 0; i < z->names.n; i++) {
		const struct dns_entry *e = &z->names.v[i];

		if (e->hash != hash || strcmp(e->name, name) != 0)
			continue;
		aside |= e->aside;
		if (!e->aside)
			take(f, e, family);
	}
	if (!aside || f->known)
		return;
	for (size_t i = 0; i < z->names.n; i++) /* all of them are: better than nobody */
		if (z->names.v[i].hash == hash && strcmp(z->names.v[i].name, name) == 0)
			take(f, &z->names.v[i], family);
}

static void find(const struct dns_view *view, const char *name, int family, struct found *f)
{
	for (size_t i = 0; i < view->n_aliases; i++)
		if (strcmp(view->aliases[i].name, name) == 0)
			name = view->aliases[i].target;
	for (size_t i = 0; i < view->n_zones && !f->known; i++) {
		const struct dns_zone *z = view->zones[i];
		size_t n = strlen(name), net = strlen(z->network);

		collect(z, name, family, f);
		if (!f->known && n > net + 1 && name[n - net - 1] == '.' &&
		    strcmp(name + n - net, z->network) == 0) {
			char first[NAME_MAX_LEN + 1];

			memcpy(first, name, n - net - 1);
			first[n - net - 1] = '\0';
			collect(z, first, family, f);
		}
	}
}

/* Whose business the name is: a single label, or one below a network of ours. */
static bool is_ours(const struct dns_view *view, const char *name)
{
	size_t n = strlen(name);

	if (!strchr(name, '.'))
		return true;
	for (size_t i = 0; i < view->n_zones; i++) {
		size_t net = strlen(view->zones[i]->network);

		if (n > net + 1 && name[n - net - 1] == '.' &&
		    strcmp(name + n - net, view->zones[i]->network) == 0)
			return true;
	}
	return false;
}

/* "2.0.17.172.in-addr.arpa" and the nibbles of ip6.arpa. */
static bool reverse(const char *name, struct dns_addr *out)
{
	unsigned a, b, c, d;
	int end = 0;

	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &a, &b, &c, &d, &end) == 4 && end > 0 &&
	    !name[end] && (a | b | c | d) < 256) {
		*out = (struct dns_addr){
			.family = AF_INET, .ip = { (uint8_t)d, (uint8_t)c, (uint8_t)b, (uint8_t)a }
		};
		return true;
	}
	if (strlen(name) != 72 || strcmp(name + 63, ".ip6.arpa") != 0)
		return false;
	*out = (struct dns_addr){ .family = AF_INET6 };
	for (size_t i = 0; i < 32; i++) {
		int h = (unsigned char)name[i * 2];

		if (!isxdigit(h) || (i < 31 && name[i * 2 + 1] != '.'))
			return false;
		h = isdigit(h) ? h - '0' : h - 'a' + 10;
		out->ip[15 - i / 2] |= (uint8_t)(i % 2 ? h << 4 : h);
	}
	return true;
}

static const char *ptr_of(const struct dns_view *view, const struct dns_addr *addr)
{
	for (size_t i = 0; i < view->n_zones; i++)
		for (size_t k = 0; k < view->zones[i]->ptrs.n; k++)
			if (addr_eq(&view->zones[i]->ptrs.v[k].addr, addr))
				return view->zones[i]->ptrs.v[k].name;
	return NULL;
}

/* ---- Writing ---------------------------------------------------------------------------------- */
struct reply {
	uint8_t *out;
	size_t cap, len;
	unsigned answers;
	bool truncated;
};

static void begin(struct reply *r, const uint8_t *q, const struct question *qu, unsigned rcode)
{
	memcpy(r->out, q, qu->end);
	r->out[2] = (uint8_t)(0x84 | (q[2] & 1)); /* QR, AA, RD as asked */
	r->out[3] = (uint8_t)(0x80 | rcode);      /* RA */
	memset(r->out + 6, 0, 6);
	r->len = qu->end;
}

static uint8_t *record(struct reply *r, unsigned type, size_t data)
{
	uint8_t *p = r->out + r->len;

	if (r->len + 12 + data > r->cap) {
		r->truncated = true;
		return NULL;
	}
	put16(p, 0xc000 | HEADER); /* the question's name */
	put16(p + 2, type);
	put16(p + 4, CLASS_IN);
	put16(p + 6, 0);
	put16(p + 8, DNS_TTL_S);
	put16(p + 10, (unsigned)data);
	r->len += 12 + data;
	r->answers++;
	return p + 12;
}

static void put_name(uint8_t *p, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		*p++ = (uint8_t)n;
		memcpy(p, name, n);
		p += n;
		name += n + (name[n] == '.');
	}
	*p = 0;
}

static void finish(struct reply *r, const struct question *qu)
{
	put16(r->out + 6, r->answers);
	if (r->truncated)
		r->out[2] |= 2;
	if (qu->edns && r->len + 11 <= r->cap) {
		uint8_t *p = r->out + r->len;

		memset(p, 0, 11);
		put16(p + 1, TYPE_OPT);
		put16(p + 3, UDP_EDNS);
		put16(r->out + 10, 1);
		r->len += 11;
	}
}

size_t dns_refuse(const uint8_t *q, size_t n, unsigned rcode, uint8_t *out, size_t cap)
{
	struct question qu;
	struct reply r = { .out = out, .cap = cap };

	if (n >= HEADER && read_question(q, n, &qu) && qu.end <= cap) {
		begin(&r, q, &qu, rcode);
		r.out[2] &= (uint8_t)~4; /* not our own word */
		finish(&r, &qu);
		return r.len;
	}
	memcpy(out, q, HEADER);
	out[2] = (uint8_t)(0x80 | (q[2] & 0x79));
	out[3] = (uint8_t)rcode;
	memset(out + 4, 0, 8);
	return HEADER;
}

enum dns_verdict dns_answer(const struct dns_view *view, const uint8_t *q, size_t n, bool tcp,
			    uint8_t *out, size_t cap, size_t *len)
{
	struct question qu;
	struct reply r = { .out = out };
	struct dns_addr addr;
	struct found f = { .n = 0 };
	const char *ptr = NULL;
	unsigned rcode;

	if (n < HEADER || (q[2] & 0x80))
		return DNS_DROP;
	if ((q[2] >> 3 & 15) != 0 || !read_question(q, n, &qu)) {
		*len = dns_refuse(q, n, (q[2] >> 3 & 15) ? RC_NOTIMP : RC_FORMERR, out, cap);
		return DNS_ANSWERED;
	}
	r.cap = tcp || cap < qu.room ? cap : qu.room;
	if (qu.edns)
		r.cap -= 11; /* for the OPT of the answer */
	if (qu.type == TYPE_PTR && reverse(qu.name, &addr))
		ptr = ptr_of(view, &addr);
	else if (qu.class == CLASS_IN)
		find(view, qu.name, qu.type == TYPE_AAAA ? AF_INET6 : AF_INET, &f);
	if (!ptr && !f.known && view->forward && !is_ours(view, qu.name))
		return DNS_FORWARD;
	rcode = ptr || f.known ? RC_OK : RC_NXDOMAIN;
	begin(&r, q, &qu, rcode);
	if (ptr) {
		uint8_t *p = record(&r, TYPE_PTR, strlen(ptr) + 2);

		if (p)
			put_name(p, ptr);
	}
	for (size_t i = 0; (qu.type == TYPE_A || qu.type == TYPE_AAAA) && i < f.n; i++) {
		size_t size = qu.type == TYPE_A ? 4 : 16;
		uint8_t *p = record(&r, qu.type, size);

		if (p)
			memcpy(p, f.v[(i + view->rotation) % f.n].ip, size);
	}
	if (qu.edns)
		r.cap += 11;
	finish(&r, &qu);
	*len = r.len;
	return DNS_ANSWERED;
}
