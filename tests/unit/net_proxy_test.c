/* What a proxy carries takes turns with what containers print. */
#include <ctrcompose/loop.h>
#include <ctrcompose/net.h>

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK(call)                                                             \
	do {                                                                 \
		auto_err struct err err = ERR_INIT;                          \
		ck_assert_msg((call) == 0, "%s: %s", #call, err_text(&err)); \
	} while (0)

static void on_line(void *arg, uint32_t events)
{
	(void)events;
	++*(int *)arg;
}

static void connect_to(int fd, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(port) };

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

START_TEST(a_flood_of_datagrams_does_not_keep_a_log_waiting)
{
	enum { FLOOD = 200 }; /* more than three turns take */
	auto_loop struct loop *loop = NULL;
	struct loop_source *line = NULL;
	struct net_reserved port, nobody;
	struct net_proxy *proxy = NULL;
	auto_close int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fds[2], heard = 0;

	OK(loop_new(&loop, &err));
	OK(net_port_reserve("127.0.0.1", 0, 0, true, &port, &err));
	OK(net_port_reserve("127.0.0.1", 0, 0, true, &nobody, &err));
	OK(net_proxy_start(loop, &port, true, INADDR_LOOPBACK, nobody.port, &proxy, &err));
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	OK(loop_io_add(loop, fds[0], EPOLLIN, on_line, &heard, &line, &err));
	ck_assert_int_eq(loop_source_priority(line, LOOP_LATE), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	connect_to(s, port.port);
	for (int i = 0; i < FLOOD; i++)
		ck_assert_int_eq(send(s, "y", 1, 0), 1);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(loop_turn(loop, 0), 1);
	ck_assert_int_ge(heard, 1);
	net_proxy_stop(&proxy);
	net_reserved_close(&port);
	net_reserved_close(&nobody);
	loop_source_free(line);
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

START_TEST(a_flood_of_bytes_does_not_keep_a_log_waiting)
{
	auto_loop struct loop *loop = NULL;
	struct loop_source *line = NULL;
	struct net_reserved port, sink;
	struct net_proxy *proxy = NULL;
	auto_close int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	static char data[1 << 16];
	int fds[2], heard = 0;

	OK(loop_new(&loop, &err));
	OK(net_port_reserve("127.0.0.1", 0, 0, false, &port, &err));
	OK(net_port_reserve("127.0.0.1", 0, 0, false, &sink, &err));
	OK(net_proxy_start(loop, &port, false, INADDR_LOOPBACK, sink.port, &proxy, &err));
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	OK(loop_io_add(loop, fds[0], EPOLLIN, on_line, &heard, &line, &err));
	ck_assert_int_eq(loop_source_priority(line, LOOP_LATE), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(fcntl(s, F_SETFL, 0), 0);
	connect_to(s, port.port);
	ck_assert_int_eq(fcntl(s, F_SETFL, O_NONBLOCK), 0);
	/* Accepted, connected to the other side, carried: each a turn of its own, and always more to do. */
	for (int i = 0; i < 2; i++) {
		while (send(s, data, sizeof(data), MSG_NOSIGNAL) > 0)
			;
		ck_assert_int_eq(loop_turn(loop, 0), 1);
	}
	ck_assert_int_ge(heard, 1);
	net_proxy_stop(&proxy);
	net_reserved_close(&port);
	net_reserved_close(&sink);
	loop_source_free(line);
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("net_proxy");
	TCase *t = tcase_create("net_proxy");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, a_flood_of_datagrams_does_not_keep_a_log_waiting);
	tcase_add_test(t, a_flood_of_bytes_does_not_keep_a_log_waiting);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
