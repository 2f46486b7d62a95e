/* net_pin_test.c - what gets out of an endpoint, frame by frame, on a real kernel. */
#include <arpa/inet.h>
#include <check.h>
#include <ctrcompose/net.h>
#include <ctrcompose/netlink.h>
#include <ctype.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK(call)                                                          \
	do {                                                              \
		struct err err_ = ERR_INIT, *e = &err_;                   \
		int r_ = (call);                                          \
		ck_assert_msg(r_ == 0, "%s: %s", #call, err_text(&err_)); \
		err_clear(&err_);                                         \
	} while (0)

/* Bytes in hex, and what stands for those of a, who sends, of b, of the gateway, of everybody and of
 * nobody: MACs, IPv4 and IPv6 addresses; LA is the link-local address of a. */
static const struct word {
	const char *name, *hex;
} words[] = {
	{ "MA", "02420a4d0002" },
	{ "MB", "02420a4d0003" },
	{ "MG", "02420a4d0001" },
	{ "ALL", "ffffffffffff" },
	{ "4A", "0a4d0002" },
	{ "4B", "0a4d0003" },
	{ "4G", "0a4d0001" },
	{ "4N", "00000000" },
	{ "6A", "fd770000000000000000000000000002" },
	{ "6B", "fd770000000000000000000000000003" },
	{ "LA", "fe8000000000000000420afffe4d0002" },
	{ "LB", "fe8000000000000000420afffe4d0003" },
	{ "6N", "00000000000000000000000000000000" },
	/* The beginnings of headers: of IPv4 up to the protocol, of IPv6 up to the length. */
	{ "IP", "0800 4500 002c 0000 0000 40" },
	{ "IPFRAG", "0800 4500 002c 0000 0010 40" },
	{ "IPOPT", "0800 4600 0030 0000 0000 40" },
	{ "IP6", "86dd 6000 0000 0018" },
	{ "ARP", "0806 0001 0800 0604" },
};

static const struct frame {
	const char *what;
	bool passes;
	const char *bytes;
} frames[] = {
	{ "IPv4 of its own", true, "MB MA IP 11 0000 4A 4B" },
	{ "IPv4 as a neighbour", false, "MB MA IP 11 0000 4B 4B" },
	{ "IPv4 as the gateway", false, "MB MA IP 11 0000 4G 4B" },
	{ "IPv4 from nowhere", false, "MB MA IP 11 0000 4N 4B" },
	{ "IPv4 with a neighbour's MAC", false, "ALL MB IP 11 0000 4A 4B" },
	{ "IPv4 with the gateway's MAC", false, "ALL MG IP 11 0000 4A 4B" },
	{ "IPv4 that ends early", false, "MB MA 0800 4500 002c 0000" },
	{ "an echo request", true, "MB MA IP 01 0000 4A 4B 0800 0000" },
	{ "a redirect", false, "MB MA IP 01 0000 4A 4B 0501 0000 4A" },
	{ "a redirect behind options", false, "MB MA IPOPT 01 0000 4A 4B 01010101 0501 0000" },
	{ "an echo request behind options", true, "MB MA IPOPT 01 0000 4A 4B 05050505 0800 0000" },
	{ "a later fragment that looks like a redirect", true, "MB MA IPFRAG 01 0000 4A 4B 0501" },
	{ "ICMP without a type", false, "MB MA IP 01 0000 4A 4B" },
	{ "a router advertisement of IPv4", false, "MB MA IP 01 0000 4A 4B 0900 0000" },
	{ "an ARP question", true, "ALL MA ARP 0001 MA 4A 000000000000 4B" },
	{ "an ARP answer", true, "MB MA ARP 0002 MA 4A MB 4B" },
	{ "an ARP probe", true, "ALL MA ARP 0001 MA 4N 000000000000 4B" },
	{ "an ARP answer for the gateway", false, "MB MA ARP 0002 MA 4G MB 4B" },
	{ "an ARP question in a neighbour's name", false, "ALL MA ARP 0001 MA 4B 000000000000 4G" },
	{ "an ARP answer with another MAC", false, "MB MA ARP 0002 MG 4A MB 4B" },
	{ "ARP of another kind", false, "MB MA 0806 0006 0800 0604 0002 MA 4A MB 4B" },
	{ "ARP of other sizes", false, "MB MA 0806 0001 0800 0804 0002 MA 4A MB 4B" },
	{ "reverse ARP", false, "MB MA 8035 0001 0800 0604 0004 MA 4A MB 4B" },
	{ "a VLAN tag", false, "MB MA 8100 0005 IP 11 0000 4A 4B" },
	{ "another protocol", false, "MB MA 88cc 00000000000000000000000000000000000000000000" },
	{ "IPv6 of its own", true, "MB MA IP6 11 40 6A 6B" },
	{ "IPv6 from its link-local address", true, "MB MA IP6 11 40 LA LB" },
	{ "IPv6 as a neighbour", false, "MB MA IP6 11 40 6B 6B" },
	{ "IPv6 as a neighbour's link-local address", false, "MB MA IP6 11 40 LB 6B" },
	{ "IPv6 that ends early", false, "MB MA IP6 11 40 6A" },
	{ "a neighbour solicitation", true, "MB MA IP6 3a ff 6A 6B 8700 0000 00000000 6B" },
	{ "a search for duplicates", true, "MB MA IP6 3a ff 6N 6B 8700 0000 00000000 6A" },
	{ "a report of groups from nobody", true, "MB MA IP6 00 01 6N 6B 3a00050200000100" },
	{ "a report of groups", true, "MB MA IP6 00 01 LA 6B 3a00050200000100" },
	{ "an echo request from nobody", false, "MB MA IP6 3a ff 6N 6B 8000 0000" },
	{ "UDP from nobody", false, "MB MA IP6 11 40 6N 6B" },
	{ "a neighbour advertisement", true,
	  "MB MA IP6 3a ff 6A 6B 8800 0000 e0000000 6A 0201 MA" },
	{ "one for a neighbour", false, "MB MA IP6 3a ff 6A 6B 8800 0000 e0000000 6B 0201 MA" },
	{ "one for its link-local address", false, "MB MA IP6 3a ff 6A 6B 8800 0000 e0000000 LB" },
	{ "one that ends early", false, "MB MA IP6 3a ff 6A 6B 8800 0000 e0000000" },
	{ "a router solicitation", true, "MB MA IP6 3a ff LA 6B 8500 0000 00000000" },
	{ "a router advertisement", false, "MB MA IP6 3a ff LA 6B 8600 0000 40000708 0000" },
	{ "one behind hop-by-hop options", false, "MB MA IP6 00 ff LA 6B 3a00050200000100 8600" },
	{ "one behind destination options", false, "MB MA IP6 3c ff LA 6B 3a00050200000100 8600" },
	{ "one that came over a router", true, "MB MA IP6 3a fe LA 6B 8600 0000 40000708 0000" },
	{ "a redirect of IPv6", false, "MB MA IP6 3a ff LA 6B 8900 0000 00000000 6B 6B" },
};

static const char marker[] = "ALL MA IP fd 0000 4A 4B 6d61726b6572";

static size_t put_hex(const char *hex, size_t n, uint8_t *out)
{
	size_t len = 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		unsigned byte;

		if (hex[i] == ' ' && hex[++i] == '\0')
			break;
		ck_assert_int_eq(sscanf(hex + i, "%2x", &byte), 1);
		out[len++] = (uint8_t)byte;
	}
	return len;
}

static size_t frame_of(const char *text, uint8_t *out)
{
	size_t len = 0;

	while (*text) {
		size_t n = strcspn(text, " "), i = 0;

		while (i < ARRAY_LEN(words) &&
		       (strlen(words[i].name) != n || strncmp(words[i].name, text, n) != 0))
			i++;
		if (i < ARRAY_LEN(words))
			len += put_hex(words[i].hex, strlen(words[i].hex), out + len);
		else
			len += put_hex(text, n, out + len);
		text += n + (text[n] == ' ');
	}
	return len;
}

static struct nl_conn *nl;
static struct net_pins *pins;
static int ns[3], home, raw[3]; /* a, b and c, who came later */
static struct net_endpoint eps[3];
static struct net_network net = { .name = "t_default", .bridge = "cc-test", .group = 7 };

static void enter(int fd)
{
	ck_assert_int_eq(setns(fd, CLONE_NEWNET), 0);
}

static int here(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void no_netfilter_on_bridges(const char *key)
{
	auto_free char *path = xasprintf("/proc/sys/net/bridge/bridge-nf-call-%s", key);

	(void)file_put(AT_FDCWD, path, "0");
}

static int raw_socket(void)
{
	struct sockaddr_ll sa = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)if_nametoindex("eth0") };
	struct timeval late = { .tv_sec = 5 };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &late, sizeof(late));
	return fd;
}

static void attach(size_t i)
{
	int on = 0;

	eps[i] = (struct net_endpoint){ .network = &net,
					.ifname = "eth0",
					.ipv4 = net.subnet.addr + 2 + (uint32_t)i,
					.has_ipv6 = true,
					.netns_fd = ns[i] };
	(void)snprintf(eps[i].host_if, sizeof(eps[i].host_if), "cvt%zu", i);
	net_address6(&net, eps[i].ipv4, eps[i].ipv6);
	OK(net_attach(nl, pins, &eps[i], 1, e));
	enter(ns[i]);
	raw[i] = raw_socket();
	(void)setsockopt(raw[i], SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on));
	enter(home);
}

static void setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	home = here();
	no_netfilter_on_bridges("iptables");
	no_netfilter_on_bridges("ip6tables");
	no_netfilter_on_bridges("arptables");
	ck_assert_int_eq(nl_conn_open(&nl, NULL), 0);
	pins = net_pins_new();
	ck_assert_int_eq(net_prefix_parse("10.77.0.0/24", &net.subnet), 0);
	net.ipv6 = true;
	ck_assert_int_eq(net_prefix6_parse("fd77::/64", &net.subnet6), 0);
	OK(net_network_up(nl, &net, e));
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
		ns[i] = here();
		enter(home);
	}
	attach(0);
	attach(1);
}

static void teardown(void)
{
	net_pins_free(pins);
	nl_conn_close(&nl);
}

static void send_frame(int fd, const uint8_t *frame, size_t n)
{
	ck_assert_int_eq(send(fd, frame, n, 0), (ssize_t)n);
}

static void drain(int fd)
{
	uint8_t got[2048];

	while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
		;
}

/* Whether b gets the frame before it gets the marker that is sent behind it. */
static bool arrives(const uint8_t *frame, size_t n)
{
	uint8_t last[256], got[2048];
	size_t last_n = frame_of(marker, last);

	drain(raw[1]);
	send_frame(raw[0], frame, n);
	send_frame(raw[0], last, last_n);
	for (bool found = false;;) {
		ssize_t len = recv(raw[1], got, sizeof(got), 0);

		ck_assert_msg(len > 0, "the marker never came");
		if ((size_t)len >= last_n && memcmp(got, last, last_n) == 0)
			return found;
		/* What is there in both: a tag is taken off on the way. */
		found |= (size_t)len >= n && memcmp(got, frame, n) == 0;
		found |= n > 12 && frame[12] == 0x81 && memcmp(got + 14, frame + 18, 20) == 0;
	}
}

START_TEST(only_what_is_its_own_gets_out)
{
	const struct frame *f = &frames[_i];
	uint8_t frame[256];
	size_t n = frame_of(f->bytes, frame);

	ck_assert_msg(arrives(frame, n) == f->passes, "%s: %s", f->what,
		      f->passes ? "it did not arrive" : "it arrived");
}
END_TEST

/* The frames that are held back are held back by the pins alone. */
START_TEST(without_pins_all_of_it_arrives)
{
	const struct frame *f = &frames[_i];
	uint8_t frame[256];
	size_t n = frame_of(f->bytes, frame);

	OK(net_detach(nl, eps, 1, e));
	net_pins_free(steal(pins));
	attach(0);
	/* A bridge does not carry what comes from its own MAC, nor does it see a frame that is too
	 * short for its header. */
	if (memcmp(frame + 6, "\x02\x42\x0a\x4d\x00\x01", 6) != 0)
		ck_assert_msg(arrives(frame, n), "%s", f->what);
}
END_TEST

START_TEST(they_stay_when_their_maker_goes_and_others_come)
{
	uint8_t frame[256], own[256];
	size_t n = frame_of("MB MA IP 11 0000 4G 4B", frame);
	size_t n_own = frame_of("MB MA IP 11 0000 4A 4B", own);

	net_pins_free(pins);
	pins = net_pins_new();
	attach(2);
	ck_assert(!arrives(frame, n));
	ck_assert(arrives(own, n_own));
}
END_TEST

/* Whether what is sent by the endpoint, which is in the namespace of b, gets to a: it is found in its
 * table. An address in use is asked for, which does not depend on the routes there. */
static bool speaks(const struct net_endpoint *ep)
{
	struct sockaddr_ll sa = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	uint8_t frame[256], got[2048];
	size_t n = frame_of("ALL MB ARP 0001 MB 4B 000000000000 4A", frame);
	struct timeval late = { .tv_sec = 2 };
	bool found = false;
	int tx;

	enter(ns[1]);
	sa.sll_ifindex = (int)if_nametoindex(ep->ifname);
	tx = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(tx, (struct sockaddr *)&sa, sizeof(sa)), 0);
	enter(home);
	drain(raw[0]);
	(void)setsockopt(raw[0], SOL_SOCKET, SO_RCVTIMEO, &late, sizeof(late));
	send_frame(tx, frame, n);
	for (ssize_t len; !found && (len = recv(raw[0], got, sizeof(got), 0)) > 0;)
		found = (size_t)len >= n && memcmp(got, frame, n) == 0;
	(void)close(tx);
	return found;
}

START_TEST(more_endpoints_than_one_table_holds)
{
	uint8_t frame[256], own[256];
	size_t n = frame_of("MB MA IP 11 0000 4G 4B", frame);
	size_t n_own = frame_of("MB MA IP 11 0000 4A 4B", own);

	for (int round = 0; round < 6; round++) {
		struct net_network other = net;
		struct net_endpoint many[200];

		other.group = 8;
		for (size_t i = 0; i < ARRAY_LEN(many); i++) {
			many[i] = eps[1];
			many[i].network = &other;
			many[i].has_ipv6 = false;
			(void)snprintf(many[i].host_if, sizeof(many[i].host_if), "cvm%zu", i);
			(void)snprintf(many[i].ifname, sizeof(many[i].ifname), "many%zu", i);
		}
		OK(net_attach(nl, pins, many, ARRAY_LEN(many), e));
		for (size_t i = 0; i < ARRAY_LEN(many); i++)
			ck_assert_msg(speaks(&many[i]), "round %d, %zu", round, i);
		OK(net_networks_down(nl, other.group, e));
	}
	ck_assert(!arrives(frame, n));
	ck_assert(arrives(own, n_own));
}
END_TEST

START_TEST(a_network_of_ipv4_carries_no_ipv6)
{
	uint8_t frame[256];
	size_t n = frame_of("MB MA IP6 11 40 6A 6B", frame);
	struct net_endpoint ep = eps[0];

	OK(net_detach(nl, eps, 1, e));
	ep.has_ipv6 = false;
	OK(net_attach(nl, pins, &ep, 1, e));
	enter(ns[0]);
	raw[0] = raw_socket();
	enter(home);
	ck_assert(!arrives(frame, n));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("net_pin");
	TCase *tc = tcase_create("pin");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, only_what_is_its_own_gets_out, 0, ARRAY_LEN(frames));
	tcase_add_loop_test(tc, without_pins_all_of_it_arrives, 0, ARRAY_LEN(frames));
	tcase_add_test(tc, they_stay_when_their_maker_goes_and_others_come);
	tcase_add_test(tc, more_endpoints_than_one_table_holds);
	tcase_add_test(tc, a_network_of_ipv4_carries_no_ipv6);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
