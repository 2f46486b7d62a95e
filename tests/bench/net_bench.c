/* net_bench.c - what endpoints and names cost, beside what the kernel asks for the same by itself.
 *
 *   net_bench endpoints N   adding N one by one, microseconds each: ours, and the bare requests;
 *                           removing all of them at once, milliseconds
 *   net_bench names N       a name of N services: median of one question after the other in
 *                           microseconds; answers per second on one core that the asker shares, and
 *                           per second of the server's own time
 *
 * Run it in a network namespace made for it.
 */
#include <arpa/inet.h>
#include <ctrcompose/dns.h>
#include <ctrcompose/net.h>
#include <ctrcompose/netlink.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUP 0x4000beefU

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "net_bench: %s: %s\n", what, strerror(-r));
	exit(1);
}

static int here(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int new_ns(int home)
{
	int fd;

	must(unshare(CLONE_NEWNET), "unshare");
	fd = here();
	must(setns(home, CLONE_NEWNET), "setns");
	return fd;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* ---- Endpoints --------------------------------------------------------------------------------- */
/* What any way of doing it needs: a veth, and inside lo up, an address, up, a route. */
static void bare(struct nl_conn *nl, const struct net_endpoint *ep, int home)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	auto_nl struct nl_conn *in = NULL;
	struct nl_veth veth = { .host_if = ep->host_if,
				.master = ep->network->ifindex,
				.group = GROUP,
				.peer_if = ep->ifname,
				.peer_netns_fd = ep->netns_fd };
	int index;

	nl_put_veth(&batch, &veth);
	must(nl_batch_send(nl, &batch, NULL), "create a veth");
	must(setns(ep->netns_fd, CLONE_NEWNET), "setns");
	must(nl_conn_open(&in, NULL), "netlink");
	index = (int)if_nametoindex(ep->ifname);
	nl_put_link_up(&batch, 1, "lo");
	nl_put_addr4(&batch, index, ep->ipv4, 16);
	nl_put_link_up(&batch, index, NULL);
	nl_put_default4(&batch, index, net_gateway(ep->network));
	must(nl_batch_send(in, &batch, NULL), "configure a veth");
	must(setns(home, CLONE_NEWNET), "setns");
}

static double adding(struct nl_conn *nl, size_t n, bool ours, double *removal_ms)
{
	struct net_network net = { .name = "bench", .bridge = "cc-bench", .group = GROUP };
	struct net_pins *pins = net_pins_new();
	double *us = xcalloc(n, sizeof(*us)), result;
	int home = here(), *ns = xcalloc(n, sizeof(*ns));
	uint64_t t0;

	must(net_prefix_parse("10.99.0.0/16", &net.subnet), "prefix");
	must(net_network_up(nl, &net, NULL), "bridge");
	for (size_t i = 0; i < n; i++)
		ns[i] = new_ns(home);
	for (size_t i = 0; i < n; i++) {
		struct net_endpoint ep = { .network = &net,
					   .ifname = "eth0",
					   .ipv4 = net.subnet.addr + 2 + (uint32_t)i,
					   .netns_fd = ns[i],
					   .default_route = true };

		(void)snprintf(ep.host_if, sizeof(ep.host_if), "ccb%zu", i);
		t0 = now_mono_us();
		if (ours)
			must(net_attach(nl, pins, &ep, 1, NULL), "attach");
		else
			bare(nl, &ep, home);
		us[i] = (double)(now_mono_us() - t0);
	}
	t0 = now_mono_us();
	must(net_networks_down(nl, GROUP, NULL), "remove");
	*removal_ms = (double)(now_mono_us() - t0) / 1000;
	result = median(us, n);
	for (size_t i = 0; i < n; i++)
		(void)close(ns[i]);
	(void)close(home);
	net_pins_free(pins);
	free(us);
	free(ns);
	return result;
}

static void endpoints(size_t n)
{
	auto_nl struct nl_conn *nl = NULL;
	double our[3], floor[3], ours_ms[3], floor_ms[3], a, b;

	must(nl_conn_open(&nl, NULL), "netlink");
	for (size_t i = 0; i < 3; i++) {
		floor[i] = adding(nl, n, false, &floor_ms[i]);
		our[i] = adding(nl, n, true, &ours_ms[i]);
	}
	a = median(our, 3);
	b = median(floor, 3);
	printf("endpoint added           %8.0f us    bare veth %8.0f us    ratio %.2f\n", a, b,
	       a / b);
	a = median(ours_ms, 3);
	b = median(floor_ms, 3);
	printf("%zu endpoints removed    %8.1f ms    bare veth %8.1f ms    ratio %.2f\n", n, a, b,
	       a / b);
}

/* ---- Names ------------------------------------------------------------------------------------- */
enum { WINDOW = 32, ONES = 20000, MANY_US = 3000000 };

static size_t question(uint8_t *q, unsigned id, unsigned service)
{
	char name[16];
	int n = snprintf(name, sizeof(name), "s%u", service);
	uint8_t head[12] = { (uint8_t)(id >> 8), (uint8_t)id, 1, 0, 0, 1 };

	memcpy(q, head, 12);
	q[12] = (uint8_t)n;
	memcpy(q + 13, name, (size_t)n);
	memcpy(q + 13 + n, "\0\0\1\0\1", 5);
	return 18 + (size_t)n;
}

static int asker(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)inet_pton(AF_INET, DNS_ADDRESS, &sa.sin_addr);
	must(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0, "connect");
	return fd;
}

static double one_by_one(int fd, unsigned services)
{
	static double us[ONES];

	for (unsigned i = 0; i < ONES; i++) {
		struct timespec a, b;
		uint8_t q[64], answer[512];
		size_t n = question(q, i, i % services);

		(void)clock_gettime(CLOCK_MONOTONIC, &a);
		if (send(fd, q, n, 0) < 0 || recv(fd, answer, sizeof(answer), 0) < 28 ||
		    (answer[3] & 15) != 0)
			must(-EBADMSG, "an answer");
		(void)clock_gettime(CLOCK_MONOTONIC, &b);
		us[i] = (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
	}
	return median(us, ONES);
}

/* As many as it takes: a window of questions is always under way. */
static uint64_t many(int fd, unsigned services)
{
	uint8_t q[WINDOW][64], in[WINDOW][512];
	struct mmsghdr out[WINDOW], got[WINDOW];
	struct iovec out_at[WINDOW], in_at[WINDOW];
	uint64_t end = now_mono_us() + MANY_US, answers = 0;
	int due = WINDOW;

	memset(out, 0, sizeof(out));
	memset(got, 0, sizeof(got));
	for (unsigned i = 0; i < WINDOW; i++) {
		out_at[i] = (struct iovec){ q[i], question(q[i], i, i % services) };
		in_at[i] = (struct iovec){ in[i], sizeof(in[i]) };
		out[i].msg_hdr.msg_iov = &out_at[i];
		got[i].msg_hdr.msg_iov = &in_at[i];
		out[i].msg_hdr.msg_iovlen = got[i].msg_hdr.msg_iovlen = 1;
	}
	while (now_mono_us() < end) {
		must(sendmmsg(fd, out, (unsigned)due, 0) == due ? 0 : -EIO, "ask");
		due = recvmmsg(fd, got, WINDOW, MSG_WAITFORONE, NULL);
		must(due > 0 ? 0 : -EIO, "hear");
		answers += (uint64_t)due;
	}
	return answers;
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static double cpu_seconds(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void serve_until(struct loop *loop, pid_t client)
{
	while (waitpid(client, NULL, WNOHANG) == 0)
		(void)loop_turn(loop, 100000);
}

static void names(unsigned services)
{
	struct dns_zone *zone = dns_zone_new("bench");
	struct dns_endpoint_config cfg = { .zones = &zone, .n_zones = 1 };
	struct dns_server *srv = NULL;
	struct dns_endpoint *ep = NULL;
	struct loop *loop = NULL;
	auto_nl struct nl_conn *nl = NULL;
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	int home = here();
	double before;

	for (unsigned i = 0; i < services; i++) {
		char owner[16], name[3][32];
		struct dns_addr a = { .family = AF_INET,
				      .ip = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } };

		(void)snprintf(owner, sizeof(owner), "%u", i);
		(void)snprintf(name[0], sizeof(name[0]), "s%u", i);
		(void)snprintf(name[1], sizeof(name[1]), "bench-s%u-1", i);
		(void)snprintf(name[2], sizeof(name[2]), "%012x", i);
		for (size_t k = 0; k < 3; k++)
			must(dns_zone_add(zone, owner, name[k], &a, NULL), "name");
	}
	must(nl_conn_open(&nl, NULL), "netlink");
	nl_put_link_up(&batch, 1, "lo");
	must(nl_batch_send(nl, &batch, NULL), "lo");
	must(loop_new(&loop, NULL), "loop");
	must(dns_server_new(loop, &srv, NULL), "server");
	must(dns_server_open_in(srv, home, &cfg, &ep, NULL), "sockets");
	for (int phase = 0; phase < 2; phase++) {
		pid_t client;

		if (phase == 1) /* the asker too: this is all one core does */
			pin_to(0);
		(void)fflush(stdout);
		before = cpu_seconds();
		client = fork();
		if (client == 0) {
			if (phase == 0)
				printf("name, one by one         %8.1f us (median)\n",
				       one_by_one(asker(), services)); /* aim: < 55 */
			else
				printf("names, one core for both %8.0f answers/s\n",
				       (double)many(asker(), services) * 1e6 / MANY_US);
			(void)fflush(stdout);
			_exit(0);
		}
		serve_until(loop, client);
		if (phase == 1)
			printf("                         %8.0f answers per second of its own time\n",
			       (double)(dns_server_stats(srv).answered - ONES) /
				       (cpu_seconds() - before));
	}
	dns_server_free(srv);
	dns_zone_free(zone);
	loop_free(loop);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "endpoints") == 0)
		endpoints((size_t)atoi(argv[2]));
	else if (argc == 3 && strcmp(argv[1], "names") == 0)
		names((unsigned)atoi(argv[2]));
	else
		return 2;
	return 0;
}
