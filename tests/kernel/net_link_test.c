/* net_link_test.c - bridges and veths on a real kernel, in network namespaces of the test's own. */
#include <arpa/inet.h>
#include <check.h>
#include <ctrcompose/net.h>
#include <ctrcompose/netlink.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUP 0x40000007U

static struct nl_conn *nl;
static struct net_pins *pins;

static int ns_fd(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* A new namespace to play the host in. */
static void setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(nl_conn_open(&nl, NULL), 0);
	pins = net_pins_new();
}

static void teardown(void)
{
	net_pins_free(pins);
	nl_conn_close(&nl);
}

static void enter(int fd)
{
	ck_assert_int_eq(setns(fd, CLONE_NEWNET), 0);
}

static int new_ns(void)
{
	int home = ns_fd(), fd;

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	fd = ns_fd();
	enter(home);
	(void)close(home);
	return fd;
}

static struct net_network network(void)
{
	struct net_network net = { .name = "t_default", .bridge = "cc-test", .group = GROUP };

	ck_assert_int_eq(net_prefix_parse("10.77.0.0/24", &net.subnet), 0);
	return net;
}

static struct net_endpoint endpoint(const struct net_network *net, int i, int fd)
{
	struct net_endpoint ep = { .network = net,
				   .ifname = "eth0",
				   .ipv4 = net->subnet.addr + 2 + (uint32_t)i,
				   .netns_fd = fd,
				   .default_route = true };

	(void)snprintf(ep.host_if, sizeof(ep.host_if), "cvt%d", i);
	return ep;
}

#define OK(call)                                                          \
	do {                                                              \
		struct err err_ = ERR_INIT, *e = &err_;                   \
		int r_ = (call);                                          \
		ck_assert_msg(r_ == 0, "%s: %s", #call, err_text(&err_)); \
		err_clear(&err_);                                         \
	} while (0)

static int count_link(const struct nl_link *link, void *arg)
{
	(void)link;
	++*(int *)arg;
	return 0;
}

static int links(void)
{
	int n = 0;

	ck_assert_int_eq(nl_each_link(nl, count_link, &n, NULL), 0);
	return n;
}

#define TRIES 20 /* of 100 ms: a bridge or a neighbour table may lose the first packets */

/* UDP sent from the namespace `from` is received in `to` at ip. */
static bool reaches(int from, int to, int family, const char *ip)
{
	struct sockaddr_storage sa = { .ss_family = (sa_family_t)family };
	struct sockaddr_in *in = (struct sockaddr_in *)&sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&sa;
	struct timeval soon = { .tv_usec = 100000 };
	int home = ns_fd(), rx, tx;
	char c = 0;
	bool ok = false;

	if (family == AF_INET)
		ck_assert_int_eq(inet_pton(family, ip, &in->sin_addr), 1);
	else
		ck_assert_int_eq(inet_pton(family, ip, &in6->sin6_addr), 1);
	in->sin_port = htons(999); /* same place in both */
	enter(to);
	rx = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(rx, (struct sockaddr *)&sa, family == AF_INET ? sizeof(*in) : sizeof(*in6)) < 0)
		ck_abort_msg("bind %s: %s", ip, strerror(errno));
	(void)setsockopt(rx, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	enter(from);
	tx = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (int i = 0; i < TRIES && !ok; i++) {
		(void)sendto(tx, "x", 1, 0, (struct sockaddr *)&sa,
			     family == AF_INET ? sizeof(*in) : sizeof(*in6));
		ok = recv(rx, &c, 1, 0) == 1 && c == 'x';
	}
	enter(home);
	(void)close(rx);
	(void)close(tx);
	(void)close(home);
	return ok;
}

START_TEST(two_containers_and_the_host_reach_each_other)
{
	struct net_network net = network();
	struct net_endpoint eps[2];
	int a = new_ns(), b = new_ns(), host = ns_fd();

	OK(net_network_up(nl, &net, e));
	ck_assert_int_gt(net.ifindex, 0);
	eps[0] = endpoint(&net, 0, a);
	eps[1] = endpoint(&net, 1, b);
	OK(net_attach(nl, pins, eps, 2, e));
	ck_assert(reaches(a, b, AF_INET, "10.77.0.3"));
	ck_assert(reaches(host, a, AF_INET, "10.77.0.2"));
	ck_assert(reaches(a, host, AF_INET, "10.77.0.1"));
	ck_assert(reaches(a, a, AF_INET, "127.0.0.1"));
	ck_assert_int_eq(links(), 4); /* lo, bridge, two veths */
	OK(net_networks_down(nl, GROUP, e));
	ck_assert_int_eq(links(), 1);
	OK(net_networks_down(nl, GROUP, e)); /* nothing there is fine */
}
END_TEST

/* The global IPv6 addresses of the thread's namespace that are still checked for duplicates. */
static int tentative_addresses(void)
{
	auto_free char *text = NULL;
	unsigned scope, flags;
	int n = 0;

	ck_assert_int_eq(file_read(AT_FDCWD, "/proc/thread-self/net/if_inet6", 4096, &text, NULL),
			 0);
	for (char *line = text; line && *line; line = strchr(line, '\n') + 1)
		if (sscanf(line, "%*s %*x %*x %x %x", &scope, &flags) == 2 && scope == 0 &&
		    (flags & IFA_F_TENTATIVE))
			n++;
	return n;
}

/* Detecting duplicates takes a second, in which an address can't be used. */
START_TEST(ipv6_works_at_once)
{
	struct net_network net = network();
	struct net_endpoint eps[2];
	int a = new_ns(), b = new_ns(), home = ns_fd();

	net.ipv6 = true;
	ck_assert_int_eq(net_prefix6_parse("fd77::/64", &net.subnet6), 0);
	OK(net_network_up(nl, &net, e));
	for (int i = 0; i < 2; i++) {
		eps[i] = endpoint(&net, i, i ? b : a);
		eps[i].has_ipv6 = true;
		net_address6(&net, eps[i].ipv4, eps[i].ipv6);
	}
	OK(net_attach(nl, pins, eps, 2, e));
	enter(a);
	ck_assert_int_eq(tentative_addresses(), 0);
	enter(home);
	ck_assert(reaches(a, b, AF_INET6, "fd77::3"));
	(void)close(home);
}
END_TEST

START_TEST(ipv4_networks_have_no_ipv6_at_all)
{
	struct net_network net = network();
	int a = new_ns(), home = ns_fd();
	struct net_endpoint ep;
	char *text;

	OK(net_network_up(nl, &net, e));
	ep = endpoint(&net, 0, a);
	OK(net_attach(nl, pins, &ep, 1, e));
	ck_assert_int_eq(file_read(AT_FDCWD, "/proc/thread-self/net/if_inet6", 4096, &text, NULL),
			 0);
	ck_assert_ptr_null(strstr(text, "cc-test"));
	ck_assert_ptr_null(strstr(text, "cvt0"));
	free(text);
	enter(a);
	ck_assert_int_eq(file_read(AT_FDCWD, "/proc/thread-self/net/if_inet6", 4096, &text, NULL),
			 0);
	ck_assert_ptr_null(strstr(text, "eth0"));
	free(text);
	enter(home);
}
END_TEST

START_TEST(network_up_twice_is_one_network)
{
	struct net_network net = network(), again = network(), other = network();
	auto_err struct err err = ERR_INIT;

	OK(net_network_up(nl, &net, e));
	OK(net_network_up(nl, &again, e));
	ck_assert_int_eq(net.ifindex, again.ifindex);
	ck_assert_int_eq(net_prefix_parse("10.78.0.0/24", &other.subnet), 0);
	ck_assert_int_eq(net_network_up(nl, &other, &err), -EEXIST);
	ck_assert_str_eq(err_text(&err),
			 "network 't_default': bridge 'cc-test' exists with another address");
	ck_assert_int_eq(links(), 2); /* and the first one is unharmed */
	OK(net_network_down(nl, &net, e));
	OK(net_network_down(nl, &net, e));
	ck_assert_int_eq(links(), 1);
}
END_TEST

START_TEST(failed_attach_leaves_nothing_and_names_the_link)
{
	struct net_network net = network();
	auto_err struct err err = ERR_INIT;
	struct net_endpoint eps[3];
	int a = new_ns(), b = new_ns();

	OK(net_network_up(nl, &net, e));
	eps[0] = endpoint(&net, 0, a);
	eps[1] = endpoint(&net, 1, a); /* eth0 is there already */
	eps[2] = endpoint(&net, 2, b);
	ck_assert_int_eq(net_attach(nl, pins, eps, 3, &err), -EEXIST);
	ck_assert_msg(strstr(err_text(&err), "cvt1"), "%s", err_text(&err));
	ck_assert_int_eq(links(), 2);
}
END_TEST

START_TEST(attach_twice_keeps_the_first)
{
	struct net_network net = network();
	struct net_endpoint ep;
	int a = new_ns(), host = ns_fd();

	OK(net_network_up(nl, &net, e));
	ep = endpoint(&net, 0, a);
	OK(net_attach(nl, pins, &ep, 1, e));
	ck_assert_int_eq(net_attach(nl, pins, &ep, 1, NULL), -EEXIST);
	ck_assert(reaches(host, a, AF_INET, "10.77.0.2"));
	OK(net_detach(nl, &ep, 1, e));
	OK(net_detach(nl, &ep, 1, e));
	ck_assert_int_eq(links(), 2);
}
END_TEST

START_TEST(two_networks_one_default_route)
{
	struct net_network one = network(), two = network();
	struct net_endpoint eps[2];
	int a = new_ns(), home = ns_fd();
	char *text;

	two.name = "t_back";
	(void)snprintf(two.bridge, sizeof(two.bridge), "cc-back");
	ck_assert_int_eq(net_prefix_parse("10.78.0.0/24", &two.subnet), 0);
	OK(net_network_up(nl, &one, e));
	OK(net_network_up(nl, &two, e));
	eps[0] = endpoint(&one, 0, a);
	eps[1] = endpoint(&two, 1, a);
	eps[1].default_route = false;
	(void)snprintf(eps[1].ifname, sizeof(eps[1].ifname), "eth1");
	OK(net_attach(nl, pins, eps, 2, e));
	enter(a);
	ck_assert_int_eq(file_read(AT_FDCWD, "/proc/thread-self/net/route", 4096, &text, NULL), 0);
	ck_assert_ptr_nonnull(strstr(text, "eth0\t00000000\t01004D0A"));
	ck_assert_ptr_null(strstr(text, "eth1\t00000000"));
	ck_assert_ptr_nonnull(strstr(text, "eth1\t00004E0A"));
	free(text);
	enter(home);
}
END_TEST

START_TEST(host_routes_see_addresses_and_routes)
{
	struct net_network net = network();
	struct net_prefixes seen = { 0 };
	struct net_prefix got;
	const struct net_pool pool = { net.subnet, 25 };
	bool found = false;

	OK(net_network_up(nl, &net, e));
	OK(net_host_routes(nl, &seen, e));
	for (size_t i = 0; i < seen.n; i++)
		found |= seen.v[i].addr == net.subnet.addr && seen.v[i].len == 24;
	ck_assert(found);
	ck_assert_int_eq(net_pick_subnet(&seen, NULL, &pool, 1, &got, NULL), -ENOSPC);
	free(seen.v);
}
END_TEST

START_TEST(loopback_alone)
{
	int a = new_ns();

	OK(net_loopback_up(a, e));
	ck_assert(reaches(a, a, AF_INET, "127.0.0.1"));
}
END_TEST

/* More requests than one chunk, and the kernel's words for one bad among them. */
START_TEST(large_batch_and_the_words_of_the_kernel)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	auto_err struct err err = ERR_INIT;
	char name[NL_IFNAME];

	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "br%d", i);
		nl_put_bridge(&batch, name, GROUP, 0, NULL);
	}
	OK(nl_batch_send(nl, &batch, e));
	ck_assert_int_eq(links(), 301);
	nl_put_bridge(&batch, "br7", GROUP, 0, NULL);
	nl_put_bridge(&batch, "late", GROUP, 0, NULL);
	ck_assert_int_eq(nl_batch_send(nl, &batch, &err), -EEXIST);
	ck_assert_str_eq(err_text(&err), "create bridge 'br7': File exists");
	ck_assert_int_eq(links(), 302);
	err_clear(&err);
	nl_put_bridge(&batch, "fat", GROUP, 70000, NULL);
	ck_assert_int_eq(nl_batch_send(nl, &batch, &err), -EINVAL);
	ck_assert_msg(strstr(err_text(&err), "mtu greater than device maximum"), "%s",
		      err_text(&err));
	nl_put_group_del(&batch, 0);
	ck_assert_int_eq(nl_batch_send(nl, &batch, NULL), -EINVAL);
	ck_assert_int_eq(links(), 302);
	OK(net_networks_down(nl, GROUP, e));
	ck_assert_int_eq(links(), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { two_containers_and_the_host_reach_each_other,
				       ipv6_works_at_once,
				       ipv4_networks_have_no_ipv6_at_all,
				       network_up_twice_is_one_network,
				       failed_attach_leaves_nothing_and_names_the_link,
				       attach_twice_keeps_the_first,
				       two_networks_one_default_route,
				       host_routes_see_addresses_and_routes,
				       loopback_alone,
				       large_batch_and_the_words_of_the_kernel };
	Suite *s = suite_create("net_link");
	TCase *tc = tcase_create("link");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
