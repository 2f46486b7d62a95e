/* net_ipam_test.c - subnets, addresses and names: pure, no root. */
#include <check.h>
#include <ctrcompose/net.h>
#include <stdlib.h>
#include <string.h>

static struct net_prefix P(const char *s) {
	struct net_prefix p;

	ck_assert_int_eq(net_prefix_parse(s, &p), 0);
	return p;
}

static uint32_t
A(const char *s)
{
	uint32_t ip;

	ck_assert_int_eq(net_ip_parse(s, &ip), 0);
	return ip;
}

static void expect_prefix(struct net_prefix p, const char *want)
{
	char text[NET_PREFIX_LEN];

	ck_assert_str_eq(net_prefix_format(p, text), want);
}

START_TEST(prefix_is_parsed_strictly)
{
	static const char *const bad[] = { "",
					   "10.0.0.0",
					   "10.0.0.0/",
					   "10.0.0.0/33",
					   "10.0.0/8",
					   "10.0.0.0/-1",
					   "10.0.0.0/8 ",
					   "a/8",
					   "1000.0.0.0/8",
					   "fd00::/8" };
	struct net_prefix p;

	expect_prefix(P("10.1.2.3/8"), "10.0.0.0/8");
	expect_prefix(P("0.0.0.0/0"), "0.0.0.0/0");
	expect_prefix(P("1.2.3.4/32"), "1.2.3.4/32");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(net_prefix_parse(bad[i], &p), -EINVAL);
}
END_TEST

START_TEST(prefix6_loses_host_bits)
{
	struct net_prefix6 p;

	ck_assert_int_eq(net_prefix6_parse("fd00:1:2:3:4::1/62", &p), 0);
	ck_assert_uint_eq(p.addr[7], 0);
	ck_assert_uint_eq(p.addr[9], 0);
	ck_assert_uint_eq(p.len, 62);
	ck_assert_int_eq(net_prefix6_parse("fd00::/129", &p), -EINVAL);
}
END_TEST

START_TEST(prefixes_overlap_both_ways)
{
	ck_assert(net_prefix_overlap(P("10.0.0.0/8"), P("10.9.0.0/16")));
	ck_assert(net_prefix_overlap(P("10.9.0.0/16"), P("10.0.0.0/8")));
	ck_assert(!net_prefix_overlap(P("10.8.0.0/16"), P("10.9.0.0/16")));
	ck_assert(net_prefix_overlap(P("0.0.0.0/0"), P("10.9.0.0/16")));
}
END_TEST

START_TEST(first_subnet_is_the_first_of_the_pools)
{
	struct net_prefixes none = { 0 };
	struct net_prefix got;

	ck_assert_int_eq(net_pick_subnet(&none, &none, NULL, 0, &got, NULL), 0);
	expect_prefix(got, "172.17.0.0/16");
	ck_assert_int_eq(net_pick_subnet(NULL, NULL, NULL, 0, &got, NULL), 0);
	expect_prefix(got, "172.17.0.0/16");
}
END_TEST

START_TEST(subnet_avoids_routes_and_networks)
{
	struct net_prefixes host = { 0 }, taken = { 0 };
	struct net_prefix got;

	*vec_push(&host) = P("0.0.0.0/0"); /* a default route blocks nothing */
	*vec_push(&host) = P("172.18.5.0/24");
	*vec_push(&taken) = P("172.17.0.0/16");
	ck_assert_int_eq(net_pick_subnet(&host, &taken, NULL, 0, &got, NULL), 0);
	expect_prefix(got, "172.19.0.0/16");
	/* A VPN that takes all of 172.16/12 and a part of 192.168. */
	*vec_push(&host) = P("172.16.0.0/12");
	*vec_push(&host) = P("192.168.1.0/24");
	ck_assert_int_eq(net_pick_subnet(&host, &taken, NULL, 0, &got, NULL), 0);
	expect_prefix(got, "192.168.16.0/20");
	free(host.v);
	free(taken.v);
}
END_TEST

START_TEST(many_networks_never_overlap)
{
	struct net_prefixes taken = { 0 };
	struct net_prefix got;

	for (int i = 0; i < 2000; i++) {
		ck_assert_int_eq(net_pick_subnet(NULL, &taken, NULL, 0, &got, NULL), 0);
		for (size_t k = 0; k < taken.n; k++)
			ck_assert(!net_prefix_overlap(taken.v[k], got));
		*vec_push(&taken) = got;
	}
	free(taken.v);
}
END_TEST

START_TEST(pool_that_is_full_says_so)
{
	const struct net_pool pool = { P("10.5.0.0/23"), 24 };
	struct net_prefixes taken = { 0 };
	auto_err struct err err = ERR_INIT;
	struct net_prefix got;

	*vec_push(&taken) = P("10.5.1.0/24");
	ck_assert_int_eq(net_pick_subnet(NULL, &taken, &pool, 1, &got, &err), 0);
	expect_prefix(got, "10.5.0.0/24");
	*vec_push(&taken) = got;
	ck_assert_int_eq(net_pick_subnet(NULL, &taken, &pool, 1, &got, &err), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(err_text(&err), "ipam.config.subnet"));
	free(taken.v);
}
END_TEST

START_TEST(last_pool_ends_at_the_end_of_the_address_space)
{
	const struct net_pool pool = { P("255.255.0.0/16"), 17 };
	struct net_prefixes taken = { 0 };
	struct net_prefix got;

	*vec_push(&taken) = P("255.255.0.0/17");
	ck_assert_int_eq(net_pick_subnet(NULL, &taken, &pool, 1, &got, NULL), 0);
	expect_prefix(got, "255.255.128.0/17");
	*vec_push(&taken) = got;
	ck_assert_int_eq(net_pick_subnet(NULL, &taken, &pool, 1, &got, NULL), -ENOSPC);
	free(taken.v);
}
END_TEST

START_TEST(address_skips_network_gateway_broadcast_and_taken)
{
	struct net_network net = { .name = "n", .subnet = P("10.1.0.0/29") };
	uint32_t taken[8], got;
	size_t n = 0;

	for (uint32_t want = A("10.1.0.2"); want <= A("10.1.0.6"); want++) {
		ck_assert_int_eq(net_pick_address(&net, taken, n, 0, &got, NULL), 0);
		ck_assert_uint_eq(got, want);
		taken[n++] = got;
	}
	ck_assert_int_eq(net_pick_address(&net, taken, n, 0, &got, NULL), -ENOSPC);
}
END_TEST

START_TEST(address_is_picked_from_the_range)
{
	struct net_network net = { .name = "n",
				   .subnet = P("10.1.0.0/16"),
				   .gateway = A("10.1.5.0"),
				   .range = P("10.1.5.0/24") };
	uint32_t got;

	ck_assert_int_eq(net_pick_address(&net, NULL, 0, 0, &got, NULL), 0);
	ck_assert_uint_eq(got, A("10.1.5.1"));
}
END_TEST

START_TEST(wanted_address_is_checked)
{
	static const struct {
		const char *ip;
		int r;
	} cases[] = { { "10.1.0.9", 0 },           { "10.1.0.2", -EADDRINUSE },
		      { "10.1.0.1", -EADDRINUSE }, { "10.1.0.0", -EINVAL },
		      { "10.1.0.255", -EINVAL },   { "10.2.0.9", -EINVAL } };
	struct net_network net = { .name = "n", .subnet = P("10.1.0.0/24") };
	const uint32_t taken[] = { A("10.1.0.2") };
	uint32_t got;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_err struct err err = ERR_INIT;

		ck_assert_int_eq(net_pick_address(&net, taken, 1, A(cases[i].ip), &got, &err),
				 cases[i].r);
		if (cases[i].r < 0)
			ck_assert_ptr_nonnull(strstr(err_text(&err), cases[i].ip));
		else
			ck_assert_uint_eq(got, A(cases[i].ip));
	}
}
END_TEST

START_TEST(ipv6_address_follows_the_ipv4_one)
{
	struct net_network net = { .name = "n", .subnet = P("172.18.0.0/16"), .ipv6 = true };
	uint8_t ip[16], want[16];

	ck_assert_int_eq(net_prefix6_parse("fd00:1::/64", &net.subnet6), 0);
	net_address6(&net, A("172.18.1.2"), ip);
	ck_assert_int_eq(net_ip6_parse("fd00:1::102", want), 0);
	ck_assert_mem_eq(ip, want, 16);
	net_gateway6(&net, ip);
	ck_assert_int_eq(net_ip6_parse("fd00:1::1", want), 0);
	ck_assert_mem_eq(ip, want, 16);
}
END_TEST

START_TEST(ipv4_address_is_found_again_from_the_ipv6_one)
{
	static const struct {
		const char *subnet6, *ip6, *ip; /* ip NULL: no IPv4 address goes with it */
	} cases[] = {
		{ "fd00:1::/64", "fd00:1::102", "172.18.1.2" },
		{ "fd00:1::/64", "fd00:1::1:0:0:102", NULL },
		{ "fd00:1::/64", "fd00:2::102", NULL },
		{ "fd00:1::/64", "fd00:1::1:102", NULL }, /* outside of the /16 */
		{ "fd00:1::/64", "fd00:1::ffff:ffff", NULL },
		{ "fd00:1::5:0/112", "fd00:1::5:102", "172.18.1.2" },
		{ "fd00:1::5:0/112", "fd00:1::6:102", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_network net = { .subnet = P("172.18.0.0/16"), .ipv6 = true };
		uint8_t ip6[16];
		uint32_t ip = 0;

		ck_assert_int_eq(net_prefix6_parse(cases[i].subnet6, &net.subnet6), 0);
		ck_assert_int_eq(net_ip6_parse(cases[i].ip6, ip6), 0);
		ck_assert_int_eq(net_address4(&net, ip6, &ip), cases[i].ip != NULL);
		if (cases[i].ip)
			ck_assert_uint_eq(ip, A(cases[i].ip));
	}
}
END_TEST

START_TEST(names_fit_and_depend_on_both_parts)
{
	char a[NET_IFNAME], b[NET_IFNAME];
	struct net_prefix6 x, y, z;
	struct net_prefixes6 used = { 0 };
	uint8_t mac[6];

	net_bridge_name("/run/ctrcompose", "shop_default", a);
	ck_assert_uint_eq(strlen(a), 14);
	ck_assert(str_starts(a, "cc-"));
	net_bridge_name("/run/user/1000/ctrcompose", "shop_default", b);
	ck_assert_str_ne(a, b);
	net_host_if_name("0123", "shop_default", a);
	ck_assert_uint_le(strlen(a), 15);
	ck_assert(str_starts(a, "cv"));
	ck_assert_uint_ne(net_group("/run", "a"), 0);
	ck_assert_uint_ne(net_group("/run", "a"), net_group("/run", "b"));
	ck_assert_int_gt((int)net_group("/run", "a"), 0);
	net_pick_subnet6("/run", "a", &used, &x);
	net_pick_subnet6("/run", "b", &used, &y);
	ck_assert_uint_eq(x.addr[0], 0xfd);
	ck_assert_mem_ne(x.addr, y.addr, 16);
	*vec_push(&used) = x; /* a VPN's, say */
	used.v[0].len = 48;
	net_pick_subnet6("/run", "a", &used, &z);
	ck_assert_uint_eq(z.addr[0], 0xfd);
	ck_assert(!net_prefix6_overlap(&x, &z));
	used.v[0].len = 0; /* all of it: what is chosen then is the caller's risk, and it ends */
	net_pick_subnet6("/run", "a", &used, &z);
	free(used.v);
	net_mac_of(0x0a010203, mac);
	ck_assert_mem_eq(mac, "\x02\x42\x0a\x01\x02\x03", 6);
}
END_TEST

START_TEST(pools_are_read_as_docker_has_them)
{
	static const char good[] =
		"{\"default-address-pools\": [{\"base\": \"10.200.0.0/16\", \"size\": 24},"
		"{\"base\": \"fd00::/48\", \"size\": 64}, {\"base\": \"10.9.0.0/28\", \"size\": 28}]}";
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "{\"default-address-pools\": 5}", "default-address-pools is not a list" },
		{ "{\"default-address-pools\": [{\"base\": \"x\", \"size\": 24}]}",
		  "base: 'x' is not" },
		{ "{\"default-address-pools\": [{\"base\": \"10.0.0.0/16\", \"size\": 8}]}",
		  "size: 8 is not" },
		{ "{\"default-address-pools\": [{\"base\": \"10.0.0.0/16\"}]}", "size: 0 is not" },
		{ "[", "" },
	};
	struct net_prefixes none = { 0 };
	struct net_pools pools = { 0 };
	struct net_prefix p;

	ck_assert_int_eq(net_pools_parse(good, sizeof(good) - 1, &pools, NULL), 0);
	ck_assert_uint_eq(pools.n, 2);
	ck_assert_int_eq(net_pick_subnet(&none, &none, pools.v, pools.n, &p, NULL), 0);
	expect_prefix(p, "10.200.0.0/24");
	free(pools.v);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_err struct err err = ERR_INIT;

		pools = (struct net_pools){ 0 };
		ck_assert_int_lt(net_pools_parse(bad[i].text, strlen(bad[i].text), &pools, &err),
				 0);
		ck_assert_msg(strstr(err_text(&err), bad[i].why) != NULL, "%s", err_text(&err));
		free(pools.v);
	}
	pools = (struct net_pools){ 0 };
	ck_assert_int_eq(net_pools_parse("{}", 2, &pools, NULL), 0);
	ck_assert_uint_eq(pools.n, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { prefix_is_parsed_strictly,
				       prefix6_loses_host_bits,
				       prefixes_overlap_both_ways,
				       first_subnet_is_the_first_of_the_pools,
				       subnet_avoids_routes_and_networks,
				       many_networks_never_overlap,
				       pool_that_is_full_says_so,
				       last_pool_ends_at_the_end_of_the_address_space,
				       address_skips_network_gateway_broadcast_and_taken,
				       address_is_picked_from_the_range,
				       wanted_address_is_checked,
				       ipv6_address_follows_the_ipv4_one,
				       ipv4_address_is_found_again_from_the_ipv6_one,
				       pools_are_read_as_docker_has_them,
				       names_fit_and_depend_on_both_parts };
	Suite *s = suite_create("net_ipam");
	TCase *tc = tcase_create("ipam");
	SRunner *sr;
	int failed;

	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
