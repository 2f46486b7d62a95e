/* net_fw_test.c - the rule list of a project and the script that makes it true: pure. */
#include "../../pkg/net/net_priv.h"
#include <check.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct net_network network(const char *bridge, const char *subnet)
{
	struct net_network net = { .name = bridge };

	(void)snprintf(net.bridge, sizeof(net.bridge), "%s", bridge);
	ck_assert_int_eq(net_prefix_parse(subnet, &net.subnet), 0);
	return net;
}

static struct net_port port(const char *host_ip, uint16_t host, const char *ip, uint16_t target)
{
	struct net_port p = { .host_port = host, .target_port = target };

	if (host_ip)
		ck_assert_int_eq(net_ip_parse(host_ip, &p.host_ip), 0);
	ck_assert_int_eq(net_ip_parse(ip, &p.target_ip), 0);
	return p;
}

/* "table suffix args" of every rule, suffix without the tag. */
static char *dump(const struct fw_rules *r, bool v6)
{
	struct sbuf out = SBUF_INIT;

	for (size_t i = 0; i < r->n; i++) {
		const struct fw_rule *rule = &r->v[i];
		const char *chain = rule->chain;

		if (rule->v6 != v6 || str_ends(rule->args, "-j RETURN"))
			continue;
		if (str_starts(chain, r->tag))
			chain += strlen(r->tag) + 1;
		else if (!rule->hook)
			ck_abort_msg("rule in foreign chain %s", chain);
		sbuf_addf(&out, "%s %s %.*s\n", rule->table, chain,
			  rule->hook ? (int)(strstr(rule->args, r->tag) - rule->args) : 200,
			  rule->args);
	}
	return sbuf_take(&out);
}

static void expect(const struct net_network *nets, size_t n_nets, const struct net_port *ports,
		   size_t n_ports, bool v6, const char *want)
{
	auto_fw_rules struct fw_rules r;
	auto_free char *got = NULL;

	fw_build("p", nets, n_nets, ports, n_ports, &r);
	got = dump(&r, v6);
	ck_assert_str_eq(got, want);
}

START_TEST(nothing_needs_no_rules)
{
	expect(NULL, 0, NULL, 0, false, "");
	expect(NULL, 0, NULL, 0, true, "");
}
END_TEST

START_TEST(plain_network)
{
	struct net_network net = network("cc-1", "10.1.0.0/24");

	expect(&net, 1, NULL, 0, false,
	       "mangle ISO ! -i cc-1 -o cc-1 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP\n"
	       "filter FWD -o cc-1 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT\n"
	       "filter FWD -i cc-1 -o cc-1 -j ACCEPT\n"
	       "nat POST -s 10.1.0.0/24 ! -o cc-1 -j MASQUERADE\n"
	       "filter FWD -i cc-1 -j ACCEPT\n"
	       "mangle FORWARD -j \n"
	       "nat POSTROUTING -j \n"
	       "filter FORWARD -j \n");
	expect(&net, 1, NULL, 0, true, "");
}
END_TEST

START_TEST(a_shared_network_is_guarded_without_ports_too)
{
	struct net_network net = network("cc-1", "10.1.0.0/24");
	auto_fw_rules struct fw_rules r;

	net.shared = true;
	fw_build("p", &net, 1, NULL, 0, &r);
	ck_assert_uint_eq(fw_count(&r, false, "raw", NULL), 3);
	ck_assert_str_eq(r.v[0].args, "-d 127.0.0.0/8 -i cc-1 -j DROP");
	ck_assert_uint_eq(fw_count(&r, true, NULL, NULL), 0);
}
END_TEST

START_TEST(internal_network_has_no_way_in_or_out)
{
	struct net_network net = network("cc-1", "10.1.0.0/24");
	struct net_port p = port(NULL, 80, "10.1.0.2", 80);
	auto_fw_rules struct fw_rules r;

	net.internal = true;
	expect(&net, 1, &p, 1, false,
	       "mangle ISO ! -i cc-1 -o cc-1 -j DROP\n"
	       "mangle ISO -i cc-1 ! -o cc-1 -j DROP\n"
	       "filter FWD -i cc-1 -o cc-1 -j ACCEPT\n"
	       "mangle FORWARD -j \n"
	       "filter FORWARD -j \n");
	fw_build("p", &net, 1, &p, 1, &r);
	ck_assert_uint_eq(r.sysctls.n, 1); /* no forwarding for it either */
	ck_assert_str_eq(r.sysctls.v[0].path, "net/ipv4/conf/cc-1/route_localnet");
	ck_assert_str_eq(r.sysctls.v[0].value, "0");
}
END_TEST

START_TEST(published_ports)
{
	struct net_network net = network("cc-1", "10.1.0.0/24");
	struct net_port ports[] = { port(NULL, 8080, "10.1.0.2", 80),
				    port("127.0.0.1", 5432, "10.1.0.3", 5432),
				    port("192.0.2.7", 53, "10.1.0.4", 53) };
	auto_fw_rules struct fw_rules r;

	ports[2].udp = true;
	expect(&net, 1, ports, 3, false,
	       "nat NAT -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.0.2:80\n"
	       "raw RAW -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 5432 -j DROP\n"
	       "nat NAT -d 127.0.0.1/32 -p tcp -m tcp --dport 5432 -j DNAT --to-destination 10.1.0.3:5432\n"
	       "nat NAT -d 192.0.2.7/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.1.0.4:53\n"
	       "nat POST -s 10.1.0.0/24 -o cc-1 -m conntrack --ctstate DNAT -j MASQUERADE\n"
	       "nat POST -s 127.0.0.0/8 -o cc-1 -j MASQUERADE\n"
	       "raw RAW -d 127.0.0.0/8 -i cc-1 -j DROP\n"
	       "raw RAW -s 127.0.0.0/8 -i cc-1 -j DROP\n"
	       "mangle ISO ! -i cc-1 -o cc-1 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP\n"
	       "filter FWD -o cc-1 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT\n"
	       "filter FWD -i cc-1 -o cc-1 -j ACCEPT\n"
	       "nat POST -s 10.1.0.0/24 ! -o cc-1 -j MASQUERADE\n"
	       "filter FWD -i cc-1 -j ACCEPT\n"
	       "raw PREROUTING -j \n"
	       "mangle FORWARD -j \n"
	       "nat PREROUTING -m addrtype --dst-type LOCAL -j \n"
	       "nat OUTPUT -m addrtype --dst-type LOCAL -j \n"
	       "nat POSTROUTING -j \n"
	       "filter FORWARD -j \n");
	fw_build("p", &net, 1, ports, 3, &r);
	ck_assert_uint_eq(r.sysctls.n, 2);
	ck_assert_str_eq(r.sysctls.v[0].path, "net/ipv4/conf/cc-1/route_localnet");
	ck_assert_str_eq(r.sysctls.v[0].value, "1");
}
END_TEST

START_TEST(a_port_on_one_address_needs_no_loopback)
{
	struct net_network net = network("cc-1", "10.1.0.0/24");
	struct net_port p = port("192.0.2.7", 53, "10.1.0.4", 53);
	auto_fw_rules struct fw_rules r;

	fw_build("p", &net, 1, &p, 1, &r);
	for (size_t i = 0; i < r.n; i++)
		ck_assert_str_ne(r.v[i].table, "raw");
	ck_assert_uint_eq(r.sysctls.n, 2);
	ck_assert_str_eq(r.sysctls.v[0].value, "0");
	ck_assert_str_eq(r.sysctls.v[1].path, "net/ipv4/ip_forward");
}
END_TEST

START_TEST(ipv6_only_where_there_is_ipv6)
{
	struct net_network net = network("cc-1", "10.1.0.0/24");
	struct net_port p = port(NULL, 8080, "10.1.0.2", 80);
	uint8_t ip6[16];

	ck_assert_int_eq(net_ip6_parse("fd00::2", ip6), 0);
	p.target_ip6 = ip6;
	expect(&net, 1, &p, 1, true, "");
	net.ipv6 = true;
	ck_assert_int_eq(net_prefix6_parse("fd00::/64", &net.subnet6), 0);
	expect(&net, 1, &p, 1, true,
	       "nat NAT -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd00::2]:80\n"
	       "nat POST -s fd00::/64 -o cc-1 -m conntrack --ctstate DNAT -j MASQUERADE\n"
	       "mangle ISO ! -i cc-1 -o cc-1 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP\n"
	       "filter FWD -o cc-1 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT\n"
	       "filter FWD -i cc-1 -o cc-1 -j ACCEPT\n"
	       "nat POST -s fd00::/64 ! -o cc-1 -j MASQUERADE\n"
	       "filter FWD -i cc-1 -j ACCEPT\n"
	       "mangle FORWARD -j \n"
	       "nat PREROUTING -m addrtype --dst-type LOCAL -j \n"
	       "nat OUTPUT ! -d ::1/128 -m addrtype --dst-type LOCAL -j \n"
	       "nat POSTROUTING -j \n"
	       "filter FORWARD -j \n");
}
END_TEST

START_TEST(lists_compare)
{
	struct net_network net = network("cc-1", "10.1.0.0/24");
	struct net_port p = port(NULL, 8080, "10.1.0.2", 80);
	auto_fw_rules struct fw_rules a, b, c, d;

	fw_build("p", &net, 1, &p, 1, &a);
	fw_build("p", &net, 1, &p, 1, &b);
	fw_build("q", &net, 1, &p, 1, &c);
	p.host_port++;
	fw_build("p", &net, 1, &p, 1, &d);
	ck_assert(fw_equal(&a, &b));
	ck_assert(!fw_equal(&a, &c));
	ck_assert(!fw_equal(&a, &d));
	for (size_t i = 0; i < a.n; i++)
		ck_assert_uint_le(strlen(a.v[i].chain), 28);
}
END_TEST

START_TEST(script_replaces_and_removes_only_ours)
{
	struct fw_rule rules[] = {
		{ .table = "filter", .chain = "CC-000000000001-FWD", .args = "-i cc-1 -j ACCEPT" },
		{ .table = "filter",
		  .chain = "FORWARD",
		  .args = "-j CC-000000000001-FWD",
		  .hook = true },
	};
	struct fw_rules r = { .tag = "CC-000000000001", .v = rules, .n = 2 };
	struct fw_rules none = { .tag = "CC-000000000001" };
	static const char saved[] =
		"# Generated\n*nat\n:PREROUTING ACCEPT [0:0]\n:CC-000000000001-NAT - [0:0]\n"
		":CC-000000000002-NAT - [0:0]\n"
		"-A PREROUTING -m addrtype --dst-type LOCAL -j CC-000000000001-NAT\n"
		"-A PREROUTING -m addrtype --dst-type LOCAL -j CC-000000000002-NAT\n"
		"-A CC-000000000001-NAT -p tcp -j DNAT --to-destination 1.2.3.4\nCOMMIT\n"
		"*filter\n:FORWARD DROP [0:0]\n:CC-000000000001-FWD - [0:0]\n"
		"-A FORWARD -j DOCKER-USER\n-A FORWARD -j CC-000000000001-FWD\nCOMMIT\n";
	auto_free char *fresh = fw_script(&r, false, "");
	auto_free char *again = fw_script(&r, false, saved);
	auto_free char *gone = fw_script(&none, false, saved);
	auto_free char *idle = fw_script(&none, false, "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n");
	auto_free char *v6 = fw_script(&r, true, "");

	ck_assert_str_eq(fresh, "*filter\n:CC-000000000001-FWD - [0:0]\n"
				"-A CC-000000000001-FWD -i cc-1 -j ACCEPT\n"
				"-I FORWARD 1 -j CC-000000000001-FWD\nCOMMIT\n");
	ck_assert_str_eq(
		again, "*nat\n-D PREROUTING -m addrtype --dst-type LOCAL -j CC-000000000001-NAT\n"
		       "-F CC-000000000001-NAT\n-X CC-000000000001-NAT\nCOMMIT\n"
		       "*filter\n:CC-000000000001-FWD - [0:0]\n-D FORWARD -j CC-000000000001-FWD\n"
		       "-A CC-000000000001-FWD -i cc-1 -j ACCEPT\n"
		       "-I FORWARD 1 -j CC-000000000001-FWD\nCOMMIT\n");
	ck_assert_str_eq(gone,
			 "*nat\n-D PREROUTING -m addrtype --dst-type LOCAL -j CC-000000000001-NAT\n"
			 "-F CC-000000000001-NAT\n-X CC-000000000001-NAT\nCOMMIT\n"
			 "*filter\n-D FORWARD -j CC-000000000001-FWD\n"
			 "-F CC-000000000001-FWD\n-X CC-000000000001-FWD\nCOMMIT\n");
	ck_assert_str_eq(idle, "");
	ck_assert_str_eq(v6, "");
}
END_TEST

/* What we remember of ourselves changes the same as what iptables-save prints of it. */
START_TEST(known_rules_stand_for_saved_ones)
{
	struct net_network nets[] = { network("cc-1", "10.1.0.0/24"),
				      network("cc-2", "10.2.0.0/24") };
	struct net_port ports[] = { port(NULL, 8080, "10.1.0.2", 80) };
	auto_fw_rules struct fw_rules all, one, none = { .n = 0 };
	auto_free char *saved = NULL, *shrink = NULL, *gone = NULL;

	fw_build("p", nets, 2, ports, 1, &all);
	fw_build("p", nets, 1, NULL, 0, &one);
	memcpy(none.tag, all.tag, sizeof(none.tag));
	saved = fw_saved(&all, false);
	ck_assert(fw_holds(&all, false, saved));
	ck_assert(!fw_holds(&one, false, saved));
	ck_assert(fw_holds(&none, false, ""));
	shrink = fw_script(&one, false, saved);
	ck_assert_ptr_nonnull(strstr(shrink, "*raw\n-D PREROUTING -j CC-"));
	ck_assert_ptr_null(strstr(shrink, "cc-2"));
	gone = fw_script(&none, false, saved);
	for (size_t i = 0; i < all.n; i++)
		if (!all.v[i].hook) {
			auto_free char *chain = xasprintf("-X %s\n", all.v[i].chain);

			ck_assert_ptr_nonnull(strstr(gone, chain));
		}
	ck_assert_ptr_null(strstr(gone, "-A "));
}
END_TEST

START_TEST(a_missing_rule_is_seen)
{
	struct net_network nets[] = { network("cc-1", "10.1.0.0/24") };
	auto_fw_rules struct fw_rules r;
	auto_free char *saved = NULL;

	fw_build("p", nets, 1, NULL, 0, &r);
	saved = fw_saved(&r, false);
	for (char *line = saved; *line; line = strchr(line, '\n') + 1)
		if (str_starts(line, "-A ")) {
			*line = '#';
			ck_assert(!fw_holds(&r, false, saved));
			*line = '-';
		}
	ck_assert(fw_holds(&r, false, saved));
	ck_assert(!fw_holds(&r, false, "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"));
}
END_TEST

/* One nf_tables message with one attribute. */
static size_t message(char *buf, unsigned type, unsigned attr, const char *text)
{
	struct nlattr a = { .nla_len = (uint16_t)(NLA_HDRLEN + strlen(text) + 1),
			    .nla_type = (uint16_t)attr };
	struct nlmsghdr h = { .nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
			      .nlmsg_len = NLMSG_HDRLEN + sizeof(struct nfgenmsg) + a.nla_len };

	memset(buf, 0, NLMSG_ALIGN(h.nlmsg_len));
	memcpy(buf, &h, sizeof(h));
	buf += NLMSG_HDRLEN + sizeof(struct nfgenmsg);
	memcpy(buf, &a, sizeof(a));
	memcpy(buf + NLA_HDRLEN, text, strlen(text) + 1);
	return NLMSG_ALIGN(h.nlmsg_len);
}

START_TEST(losses_are_heard_of)
{
	static const struct {
		unsigned type, attr;
		const char *text;
		bool lost;
	} cases[] = {
		{ NFT_MSG_DELRULE, NFTA_RULE_CHAIN, "CC-1-FWD", true },
		{ NFT_MSG_DELRULE, NFTA_RULE_CHAIN, "FORWARD", true },
		{ NFT_MSG_DELRULE, NFTA_RULE_CHAIN, "CC-2-FWD", false },
		{ NFT_MSG_DELRULE, NFTA_RULE_TABLE, "CC-1-FWD", false },
		{ NFT_MSG_NEWRULE, NFTA_RULE_CHAIN, "CC-1-FWD", false },
		{ NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "CC-1-POST", true },
		{ NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "DOCKER", false },
		{ NFT_MSG_DELTABLE, NFTA_TABLE_NAME, "nat", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char buf[512];
		size_t first = message(buf, NFT_MSG_NEWGEN, NFTA_GEN_ID, "x");
		size_t n =
			first + message(buf + first, cases[i].type, cases[i].attr, cases[i].text);

		ck_assert_msg(fw_watch_lost(buf, n, "CC-1-") == cases[i].lost, "case %zu", i);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { nothing_needs_no_rules,
				       plain_network,
				       a_shared_network_is_guarded_without_ports_too,
				       internal_network_has_no_way_in_or_out,
				       published_ports,
				       a_port_on_one_address_needs_no_loopback,
				       ipv6_only_where_there_is_ipv6,
				       lists_compare,
				       script_replaces_and_removes_only_ours,
				       known_rules_stand_for_saved_ones,
				       a_missing_rule_is_seen,
				       losses_are_heard_of };
	Suite *s = suite_create("net_fw");
	TCase *tc = tcase_create("fw");
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
