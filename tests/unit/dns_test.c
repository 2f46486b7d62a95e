/* dns_test.c - answers of the name server, and answers of upstreams that are none. */
#include <check.h>
#include <ctrcompose/dns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { A = 1, PTR = 12, AAAA = 28, SRV = 33, ANY = 255 };
enum { OK = 0, NXDOMAIN = 3, NOTIMP = 4 };

static struct dns_zone *front, *back;

static void add(struct dns_zone *z, const char *owner, const char *name, const char *ip)
{
	struct dns_addr addr;

	ck_assert_int_eq(dns_addr_parse(ip, &addr), 0);
	ck_assert_int_eq(dns_zone_add(z, owner, name, &addr, NULL), 0);
}

static void setup(void)
{
	front = dns_zone_new("shop_front");
	back = dns_zone_new("shop_back");
	for (int i = 1; i <= 3; i++) {
		char owner[8], ip[16];

		(void)snprintf(owner, sizeof(owner), "c%d", i);
		(void)snprintf(ip, sizeof(ip), "10.0.0.%d", i);
		add(front, owner, "web", ip);
		add(front, owner, "www", ip);
	}
	add(front, "c1", "web", "fd00::1");
	add(front, "c1", "shop-web-1", "10.0.0.1");
	add(back, "c4", "db", "10.1.0.4");
}

static void teardown(void)
{
	dns_zone_free(front);
	dns_zone_free(back);
}

/* A question in out; its length. */
static size_t ask(const char *name, unsigned type, uint8_t *out)
{
	size_t at = 12;

	memset(out, 0, 512);
	out[0] = 0x12;
	out[1] = 0x34;
	out[2] = 1; /* recursion desired */
	out[5] = 1;
	while (*name) {
		size_t n = strcspn(name, ".");

		out[at++] = (uint8_t)n;
		memcpy(out + at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	out[at++] = 0;
	out[at + 1] = (uint8_t)type;
	out[at + 3] = 1;
	return at + 4;
}

struct said {
	enum dns_verdict verdict;
	unsigned rcode, answers;
	uint8_t last; /* byte of the first address */
	uint8_t bytes[512];
	size_t n;
};

static struct said answer(const char *name, unsigned type, unsigned rotation)
{
	const struct dns_zone *zones[] = { front };
	static const struct dns_alias aliases[] = { { "shop", "web" } };
	struct dns_view view = { .zones = zones,
				 .n_zones = 1,
				 .aliases = aliases,
				 .n_aliases = 1,
				 .forward = true,
				 .rotation = rotation };
	struct said s = { .n = 0 };
	uint8_t q[512];
	size_t n = ask(name, type, q);

	s.verdict = dns_answer(&view, q, n, false, s.bytes, sizeof(s.bytes), &s.n);
	if (s.verdict != DNS_ANSWERED)
		return s;
	ck_assert_uint_ge(s.n, n);
	ck_assert_mem_eq(s.bytes, q, 2);
	s.rcode = s.bytes[3] & 15;
	s.answers = s.bytes[7];
	if (s.answers)
		s.last = s.bytes[n + 12 + s.bytes[n + 11] - 1];
	return s;
}

static const struct row {
	const char *name;
	unsigned type;
	enum dns_verdict verdict;
	unsigned rcode, answers;
} rows[] = {
	{ "web", A, DNS_ANSWERED, OK, 3 },
	{ "WEB", A, DNS_ANSWERED, OK, 3 },
	{ "www", A, DNS_ANSWERED, OK, 3 },
	{ "shop", A, DNS_ANSWERED, OK, 3 },
	{ "shop-web-1", A, DNS_ANSWERED, OK, 1 },
	{ "web.shop_front", A, DNS_ANSWERED, OK, 3 },
	{ "web", AAAA, DNS_ANSWERED, OK, 1 },
	{ "shop-web-1", AAAA, DNS_ANSWERED, OK, 0 }, /* it is there, without such an address */
	{ "web", SRV, DNS_ANSWERED, OK, 0 },
	{ "web", ANY, DNS_ANSWERED, OK, 0 },
	{ "_http._tcp.web.shop_front", SRV, DNS_ANSWERED, NXDOMAIN, 0 },
	{ "db", A, DNS_ANSWERED, NXDOMAIN, 0 }, /* of another network */
	{ "db.shop_back", A, DNS_FORWARD, 0, 0 },
	{ "nobody", A, DNS_ANSWERED, NXDOMAIN, 0 },
	{ "nobody.shop_front", A, DNS_ANSWERED, NXDOMAIN, 0 },
	{ "example.org", A, DNS_FORWARD, 0, 0 },
	{ "1.2.0.192.in-addr.arpa", PTR, DNS_FORWARD, 0, 0 },
};

START_TEST(each_name_and_type)
{
	const struct row *r = &rows[_i];
	struct said s = answer(r->name, r->type, 0);

	ck_assert_msg(s.verdict == r->verdict, "%s", r->name);
	ck_assert_msg(s.rcode == r->rcode, "%s: %u", r->name, s.rcode);
	ck_assert_msg(s.answers == r->answers, "%s: %u", r->name, s.answers);
}
END_TEST

START_TEST(replicas_take_turns)
{
	ck_assert_uint_eq(answer("web", A, 0).last, 1);
	ck_assert_uint_eq(answer("web", A, 1).last, 2);
	ck_assert_uint_eq(answer("web", A, 5).last, 3);
}
END_TEST

START_TEST(who_is_set_aside_is_named_only_where_nobody_else_is)
{
	dns_zone_set_aside(front, "c1", true);
	ck_assert_uint_eq(answer("web", A, 0).answers, 2);
	ck_assert_uint_eq(answer("web", A, 0).last, 2);
	ck_assert_uint_eq(answer("shop-web-1", A, 0).answers, 1);
	dns_zone_set_aside(front, "c2", true);
	dns_zone_set_aside(front, "c3", true);
	ck_assert_uint_eq(answer("web", A, 0).answers, 3);
	dns_zone_set_aside(front, "c2", false);
	ck_assert_uint_eq(answer("web", A, 0).answers, 1);
	dns_zone_remove_owner(front, "c2");
	ck_assert_uint_eq(answer("web", A, 0).answers, 2);
}
END_TEST

START_TEST(an_upstream_that_lies)
{
	uint8_t q[512], a[512], other[512];
	size_t n = ask("example.org", A, q), m;

	memcpy(a, q, n);
	ck_assert(!dns_is_answer(q, n, a, n)); /* a question */
	a[2] |= 0x80;
	ck_assert(dns_is_answer(q, n, a, n));
	a[13] = 'E'; /* names know no case */
	ck_assert(dns_is_answer(q, n, a, n));
	a[0] ^= 1;
	ck_assert(!dns_is_answer(q, n, a, n));
	m = ask("example.com", A, other);
	other[2] |= 0x80;
	ck_assert(!dns_is_answer(q, n, other, m));
	m = ask("example.org", AAAA, other);
	other[2] |= 0x80;
	ck_assert(!dns_is_answer(q, n, other, m));
	for (size_t cut = 0; cut < n; cut++)
		ck_assert(!dns_is_answer(q, n, q, cut));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dns");
	TCase *tc = tcase_create("dns");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, each_name_and_type, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, replicas_take_turns);
	tcase_add_test(tc, who_is_set_aside_is_named_only_where_nobody_else_is);
	tcase_add_test(tc, an_upstream_that_lies);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
