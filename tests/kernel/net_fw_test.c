/* net_fw_test.c - the rules on a real kernel: a host, a neighbour on its wire, two projects.
 *
 *   outside 203.0.113.9 --- 203.0.113.1 host --- cc-one 10.77.0.0/24: a .2, b .3   (project one)
 *                                           \--- cc-in  10.79.0.0/24: d .2         (internal)
 *                                           \--- cc-two 10.78.0.0/24: c .2         (project two)
 */
#include <arpa/inet.h>
#include <check.h>
#include <ctrcompose/net.h>
#include <ctrcompose/netlink.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct nl_conn *nl;
static int host, outside, a, b, c, d;
static struct net_network one, two, inner;
static bool bridge_nf = true;
static char path_dir[] = "/tmp/fwtest.XXXXXX";

#define OK(call)                                                          \
	do {                                                              \
		struct err err_ = ERR_INIT, *e = &err_;                   \
		int r_ = (call);                                          \
		ck_assert_msg(r_ == 0, "%s: %s", #call, err_text(&err_)); \
		err_clear(&err_);                                         \
	} while (0)

static int ns_fd(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void enter(int fd)
{
	ck_assert_int_eq(setns(fd, CLONE_NEWNET), 0);
}

static int new_ns(void)
{
	int fd;

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	fd = ns_fd();
	enter(host);
	return fd;
}

static struct net_network network(const char *bridge, const char *subnet)
{
	struct net_network net = { .name = bridge, .group = 0x40000001 };

	(void)snprintf(net.bridge, sizeof(net.bridge), "%s", bridge);
	ck_assert_int_eq(net_prefix_parse(subnet, &net.subnet), 0);
	OK(net_network_up(nl, &net, e));
	return net;
}

static void attach(const struct net_network *net, int fd, uint32_t last)
{
	struct net_endpoint ep = { .network = net,
				   .ifname = "eth0",
				   .ipv4 = net->subnet.addr + last,
				   .netns_fd = fd,
				   .default_route = true };

	(void)snprintf(ep.host_if, sizeof(ep.host_if), "v%x", ep.ipv4);
	OK(net_attach(nl, NULL, &ep, 1, e));
}

/* Which iptables the module finds: 0 = the host's, 1 = the legacy ones. */
static void use_tables(int legacy)
{
	static const char *const programs[] = { "-save", "-restore", "" };
	char link[128], target[128];

	if (!legacy)
		return;
	ck_assert_ptr_nonnull(mkdtemp(path_dir));
	for (size_t i = 0; i < 2 * ARRAY_LEN(programs); i++) {
		const char *ip = i & 1 ? "ip6" : "ip", *program = programs[i / 2];

		(void)snprintf(link, sizeof(link), "%s/%stables%s", path_dir, ip, program);
		(void)snprintf(target, sizeof(target), "/usr/sbin/%stables-legacy%s", ip, program);
		ck_assert_int_eq(symlink(target, link), 0);
	}
	(void)snprintf(target, sizeof(target), "%s:/usr/sbin:/usr/bin:/sbin:/bin", path_dir);
	(void)setenv("PATH", target, 1);
}

static void sh(const char *command)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, strdup(command), NULL };
	char *output = NULL;
	int status = proc_run(argv, NULL, 0, &output);

	ck_assert_msg(status == 0, "%s: %s", command, output);
	free(argv[2]);
	free(output);
}

static void topology(void)
{
	struct nl_batch batch = { .buf = NULL };
	struct nl_veth wire = { .host_if = "wan0", .peer_if = "eth0" };

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	host = ns_fd();
	OK(nl_conn_open(&nl, e));
	outside = new_ns(), a = new_ns(), b = new_ns(), c = new_ns(), d = new_ns();
	/* With br_netfilter loaded, bridged packets pass the same rules, unless switched off. */
	(void)file_put(AT_FDCWD, "/proc/sys/net/bridge/bridge-nf-call-iptables",
		       bridge_nf ? "1" : "0");
	wire.peer_netns_fd = outside;
	nl_put_link_up(&batch, 1, "lo");
	nl_put_veth(&batch, &wire);
	OK(nl_batch_send(nl, &batch, e));
	nl_batch_clear(&batch);
	sh("ip addr add 203.0.113.1/24 dev wan0");
	enter(outside);
	sh("ip link set lo up; ip link set eth0 up; ip addr add 203.0.113.9/24 dev eth0;"
	   "ip route add 10.0.0.0/8 via 203.0.113.1; ip route add 127.0.0.5 via 203.0.113.1 || true");
	enter(host);
	one = network("cc-one", "10.77.0.0/24");
	two = network("cc-two", "10.78.0.0/24");
	inner = network("cc-in", "10.79.0.0/24");
	inner.internal = true;
	attach(&one, a, 2);
	attach(&one, b, 3);
	attach(&two, c, 2);
	attach(&inner, d, 2);
	enter(d); /* a container that gives itself a way out */
	sh("ip route add default via 10.79.0.1");
	enter(host);
}

static void teardown(void)
{
	const int fds[] = { outside, a, b, c, d, host };

	nl_conn_close(&nl);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	(void)path_remove_tree(AT_FDCWD, path_dir);
}

static struct sockaddr_in at(const char *ip, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };

	ck_assert_int_eq(inet_pton(AF_INET, ip, &sa.sin_addr), 1);
	return sa;
}

/* Does a connection from `from` to ip:port end up at the server (port 80 in `to`)? */
static bool tcp(int from, int to, const char *ip, uint16_t port)
{
	struct sockaddr_in any = at("0.0.0.0", 80), sa = at(ip, port);
	struct pollfd p = { .events = POLLOUT };
	int server, client, error = 1;
	socklen_t len = sizeof(error);
	const int on = 1;
	bool ok;

	enter(to);
	server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ck_assert_int_eq(bind(server, (struct sockaddr *)&any, sizeof(any)), 0);
	ck_assert_int_eq(listen(server, 8), 0);
	enter(from);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)connect(client, (struct sockaddr *)&sa, sizeof(sa));
	p.fd = client;
	ok = poll(&p, 1, 300) == 1 && getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	     error == 0;
	if (ok) { /* and it is this server, not another */
		struct pollfd in = { .fd = server, .events = POLLIN };
		int got = poll(&in, 1, 300) == 1 ? accept4(server, NULL, NULL, SOCK_CLOEXEC) : -1;

		ok = got >= 0;
		(void)close(got);
	}
	(void)close(client);
	(void)close(server);
	enter(host);
	return ok;
}

static struct net_port port(const char *host_ip, uint16_t number, const char *target)
{
	struct net_port p = { .host_port = number, .target_port = 80 };

	if (host_ip)
		ck_assert_int_eq(net_ip_parse(host_ip, &p.host_ip), 0);
	ck_assert_int_eq(net_ip_parse(target, &p.target_ip), 0);
	return p;
}

static char *save(void)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" },
			 (char[]){ "iptables-save | grep -v '^[#:]'" }, NULL };
	char *output = NULL;

	(void)proc_run(argv, NULL, 0, &output);
	return output;
}

static void apply_one(void)
{
	struct net_network nets[] = { one, inner };
	struct net_port ports[] = { port(NULL, 8080, "10.77.0.2"),
				    port("127.0.0.1", 8081, "10.77.0.3"),
				    port(NULL, 8082, "10.79.0.2") };
	struct fw_rules r;

	fw_build("one", nets, 2, ports, 3, &r);
	OK(fw_apply(&r, e));
	fw_rules_clear(&r);
}

static void apply_two(void)
{
	struct net_port p = port(NULL, 9090, "10.78.0.2");
	struct fw_rules r;

	fw_build("two", &two, 1, &p, 1, &r);
	OK(fw_apply(&r, e));
	fw_rules_clear(&r);
}

START_TEST(traffic_goes_where_it_should)
{
	/* Order of the projects must not matter: the second comes first in every chain. */
	use_tables(_i & 1);
	bridge_nf = !!(_i & 1) == !!(_i & 2);
	topology();
	sh("iptables -P FORWARD DROP");
	if (_i & 2) {
		apply_one();
		apply_two();
	} else {
		apply_two();
		apply_one();
	}
	/* published: from outside, the host, its loopback, the same network, itself, another project */
	ck_assert(tcp(outside, a, "203.0.113.1", 8080));
	ck_assert(tcp(host, a, "203.0.113.1", 8080));
	ck_assert(tcp(host, a, "127.0.0.1", 8080));
	ck_assert(tcp(host, b, "127.0.0.1", 8081));
	ck_assert(tcp(b, a, "203.0.113.1", 8080));
	ck_assert(tcp(a, a, "203.0.113.1", 8080));
	ck_assert(tcp(a, a, "10.77.0.1", 8080));
	ck_assert(tcp(c, a, "203.0.113.1", 8080));
	ck_assert(tcp(a, c, "203.0.113.1", 9090));
	/* out, and the host to its containers */
	ck_assert(tcp(a, outside, "203.0.113.9", 80));
	ck_assert(tcp(host, a, "10.77.0.2", 80));
	ck_assert(tcp(a, b, "10.77.0.3", 80));
	/* not: loopback ports from elsewhere, direct routing, between projects */
	ck_assert(!tcp(outside, b, "203.0.113.1", 8081));
	ck_assert(!tcp(outside, b, "10.77.0.3", 80));
	ck_assert(!tcp(c, b, "203.0.113.1", 8081));
	ck_assert(!tcp(c, a, "10.77.0.2", 80));
	ck_assert(!tcp(a, c, "10.78.0.2", 80));
	/* not: anything into or out of the internal network */
	ck_assert(!tcp(outside, d, "203.0.113.1", 8082));
	ck_assert(!tcp(outside, d, "10.79.0.2", 80));
	ck_assert(!tcp(d, outside, "203.0.113.9", 80));
	ck_assert(!tcp(d, c, "203.0.113.1", 9090));
	ck_assert(!tcp(a, d, "10.79.0.2", 80));
	ck_assert(tcp(host, d, "10.79.0.2", 80));
}
END_TEST

/* A neighbour that addresses 127.0.0.1 on the wire, and a container that does. */
START_TEST(loopback_is_not_reached_from_the_wire)
{
	use_tables(_i);
	topology();
	apply_one();
	enter(outside);
	sh("ip route del local 127.0.0.0/8 dev lo table local; ip route del local 127.0.0.1 dev lo "
	   "table local; ip route add 127.0.0.1 via 203.0.113.1 src 203.0.113.9;"
	   "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet");
	enter(a);
	sh("ip route del local 127.0.0.0/8 dev lo table local; ip route del local 127.0.0.1 dev lo "
	   "table local; ip route add 127.0.0.1 via 10.77.0.1 src 10.77.0.2;"
	   "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet");
	enter(host);
	ck_assert(!tcp(outside, b, "127.0.0.1", 8081));
	ck_assert(!tcp(a, b, "127.0.0.1", 8081));
	ck_assert(!tcp(a, host, "127.0.0.1", 80));
}
END_TEST

START_TEST(apply_is_idempotent_and_removal_exact)
{
	char *before, *first, *second, *after;

	use_tables(_i);
	topology();
	sh("iptables -N MINE; iptables -A MINE -s 192.0.2.1 -j DROP; iptables -A FORWARD -j MINE;"
	   "iptables -t nat -A PREROUTING -p tcp --dport 1 -j REDIRECT --to-ports 2;"
	   "iptables -t raw -A PREROUTING -s 192.0.2.2 -j DROP;"
	   "iptables -t mangle -A FORWARD -s 192.0.2.2 -j ACCEPT");
	before = save();
	apply_one();
	first = save();
	apply_one();
	second = save();
	ck_assert_str_ne(before, first);
	ck_assert_str_eq(first, second);
	free(second);
	/* Somebody restarts a firewall: everything is flushed, then our rules come back. */
	sh("iptables -F FORWARD; iptables -A FORWARD -j MINE; iptables -t nat -F OUTPUT");
	apply_one();
	second = save();
	ck_assert_str_eq(first, second);
	apply_two();
	OK(fw_remove("two", e));
	free(second);
	second = save();
	ck_assert_str_eq(first, second);
	OK(fw_remove("one", e));
	OK(fw_remove("one", e));
	after = save();
	ck_assert_str_eq(before, after);
	free(before);
	free(first);
	free(second);
	free(after);
}
END_TEST

START_TEST(the_words_of_iptables_reach_the_user)
{
	struct fw_rule bad = { .table = "filter",
			       .chain = "CC-000000000001-FWD",
			       .args = "-j NOSUCH" };
	struct fw_rules r = { .tag = "CC-000000000001", .v = &bad, .n = 1 };
	auto_err struct err err = ERR_INIT;

	use_tables(_i);
	topology();
	ck_assert_int_eq(fw_apply(&r, &err), _i ? -EINVAL : -EIO);
	ck_assert_msg(strstr(err_text(&err), "NOSUCH"), "%s", err_text(&err));
	(void)setenv("PATH", "/nonexistent", 1);
	err_clear(&err);
}
END_TEST

/* Both kinds of tables, both families: each rule, and the same as a person would have given it. */
START_TEST(saved_is_what_was_asked_for)
{
	bool v6 = _i & 2;
	struct net_port ports[] = { port(NULL, 8080, "10.77.0.2"),
				    port("127.0.0.1", 8081, "10.77.0.3") };
	uint8_t target[16];
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, NULL, NULL };
	auto_free char *saved = NULL;
	struct fw_rules r;

	use_tables(_i & 1);
	topology();
	one.ipv6 = true;
	ck_assert_int_eq(net_prefix6_parse("fd00:77::/64", &one.subnet6), 0);
	net_address6(&one, ports[0].target_ip, target);
	ports[0].target_ip6 = target;
	fw_build("one", &one, 1, ports, 2, &r);
	OK(fw_apply(&r, e));
	argv[2] = xasprintf("ip%stables-%s-save", v6 ? "6" : "", _i & 1 ? "legacy" : "nft");
	ck_assert_int_eq(proc_run(argv, NULL, 0, &saved), 0);
	ck_assert(fw_holds(&r, v6, saved));
	for (size_t i = 0; i < r.n; i++) {
		auto_free char *line = xasprintf("-A %s %s\n", r.v[i].chain, r.v[i].args);

		if (r.v[i].v6 == v6)
			ck_assert_msg(strstr(saved, line) != NULL, "%s is not in\n%s", line, saved);
	}
	fw_rules_clear(&r);
	free(argv[2]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("net_fw_kernel");
	TCase *tc = tcase_create("fw");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, traffic_goes_where_it_should, 0, 4);
	tcase_add_loop_test(tc, loopback_is_not_reached_from_the_wire, 0, 2);
	tcase_add_loop_test(tc, apply_is_idempotent_and_removal_exact, 0, 2);
	tcase_add_loop_test(tc, the_words_of_iptables_reach_the_user, 0, 2);
	tcase_add_loop_test(tc, saved_is_what_was_asked_for, 0, 4);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
