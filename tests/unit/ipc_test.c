/* Frames arrive whole with their descriptors; nonsense, strangers and slow peers harm nobody else. */
#include "../../pkg/ipc/ipc_priv.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK(call)                                                             \
	do {                                                                 \
		auto_err struct err err = ERR_INIT;                          \
		ck_assert_msg((call) == 0, "%s: %s", #call, err_text(&err)); \
	} while (0)

enum { ANSWER_MAX = 1 << 20 }; /* waits for a slow peer with room to spare */

static char dir[] = "/tmp/ctrcompose-ipc-XXXXXX";
static char *path;
static struct ipc_server *srv;

/* What the server saw. */
static struct {
	int requests, closed, drained;
	size_t len, nfds;
	char *frame;
	int kept_fd;
	struct ipc_conn *conn;
	bool echo, hang_up, keep;
} seen;

static void on_request(void *arg, struct ipc_conn *conn, const char *frame, size_t len, int *fds,
		       size_t nfds)
{
	ck_assert_ptr_eq(arg, &seen);
	ck_assert_int_eq(frame[len], '\0');
	seen.requests++;
	seen.conn = conn;
	seen.len = len;
	seen.nfds = nfds;
	free(seen.frame);
	seen.frame = xstrndup(frame, len);
	if (seen.keep && nfds) {
		seen.kept_fd = fds[0];
		fds[0] = -1;
	}
	if (seen.echo)
		OK(ipc_send(conn, frame, len, fds, nfds, &err));
	if (seen.hang_up)
		ipc_close(conn);
}

static void on_closed(void *arg, struct ipc_conn *conn)
{
	ck_assert_ptr_eq(arg, &seen);
	seen.closed++;
	if (seen.conn == conn)
		seen.conn = NULL;
}

static void on_drained(void *arg, struct ipc_conn *conn)
{
	ck_assert_ptr_eq(arg, &seen);
	ck_assert_uint_eq(ipc_queued(conn), 0);
	seen.drained++;
}

static const struct ipc_ops ops = { on_request, on_closed, on_drained };

static void setup(void)
{
	memset(&seen, 0, sizeof(seen));
	seen.kept_fd = -1;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	path = path_join(dir, "ctl");
	OK(ipc_listen(path, getuid(), &ops, &seen, &srv, &err));
}

static void teardown(void)
{
	ipc_server_free(srv);
	srv = NULL;
	ck_assert_int_eq(access(path, F_OK), -1);
	free(path);
	free(seen.frame);
	ck_assert_int_eq(path_remove_tree(AT_FDCWD, dir), 0);
}

/* Dispatch until nothing is ready. */
static void serve(void)
{
	struct pollfd p = { .fd = ipc_server_fd(srv), .events = POLLIN };

	while (poll(&p, 1, 0) > 0)
		ipc_server_dispatch(srv, EPOLLIN);
}

static struct ipc_conn *client(void)
{
	struct ipc_conn *c = NULL;

	OK(ipc_connect(path, &c, &err));
	serve();
	return c;
}

/* A socket that need not keep to the protocol. */
static int raw_client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	ck_assert_int_lt(snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path),
			 (int)sizeof(addr.sun_path));
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Wait for a child while the server runs. */
static void serve_until(pid_t pid)
{
	struct pollfd p = { .fd = ipc_server_fd(srv), .events = POLLIN };
	int status = -1;

	while (waitpid(pid, &status, WNOHANG) == 0)
		if (poll(&p, 1, 1) > 0)
			ipc_server_dispatch(srv, EPOLLIN);
	ck_assert_int_eq(status, 0);
	serve();
}

static char *pattern(size_t len)
{
	char *text = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i % 23);
	text[len] = '\0';
	return text;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

START_TEST(a_frame_and_its_answer)
{
	struct ipc_conn *c = client();
	auto_free char *frame = NULL;
	size_t len = 0, nfds = 9;
	int fds[IPC_FDS_MAX];

	seen.echo = true;
	OK(ipc_send(c, "hello", 5, NULL, 0, &err));
	serve();
	ck_assert_str_eq(seen.frame, "hello");
	OK(ipc_recv(c, UINT64_MAX, &frame, &len, fds, &nfds, &err));
	ck_assert_str_eq(frame, "hello");
	ck_assert_uint_eq(len, 5);
	ck_assert_uint_eq(nfds, 0);
	ipc_close(c);
	serve();
	ck_assert_int_eq(seen.closed, 1);
	ck_assert_uint_eq(ipc_server_conns(srv), 0);
}
END_TEST

START_TEST(an_empty_frame_is_empty_also_after_a_full_one)
{
	struct ipc_conn *c = client();
	auto_free char *frame = NULL;
	size_t len = 9;

	OK(ipc_send(c, "full", 4, NULL, 0, &err));
	OK(ipc_send(c, "", 0, NULL, 0, &err));
	serve();
	ck_assert_int_eq(seen.requests, 2);
	ck_assert_uint_eq(seen.len, 0);
	ck_assert_str_eq(seen.frame, "");
	OK(ipc_send(seen.conn, "", 0, NULL, 0, &err));
	OK(ipc_recv(c, UINT64_MAX, &frame, &len, NULL, NULL, &err));
	ck_assert_uint_eq(len, 0);
	ck_assert_str_eq(frame, "");
	ipc_close(c);
}
END_TEST

static const size_t sizes[] = {
	1, PACKET_MAX - 1, PACKET_MAX, PACKET_MAX + 1, 3 * PACKET_MAX, ANSWER_MAX - 1, ANSWER_MAX
};

START_TEST(long_frames_arrive_whole)
{
	size_t want = sizes[_i];
	auto_free char *text = pattern(want);
	pid_t pid;

	seen.echo = true;
	pid = fork();
	if (pid == 0) {
		struct ipc_conn *c;
		char *frame;
		size_t len;

		if (ipc_connect(path, &c, NULL) < 0 || ipc_send(c, text, want, NULL, 0, NULL) < 0 ||
		    ipc_recv(c, UINT64_MAX, &frame, &len, NULL, NULL, NULL) < 0)
			_exit(1);
		_exit(len == want && memcmp(frame, text, want) == 0 ? 0 : 2);
	}
	serve_until(pid);
	ck_assert_uint_eq(seen.len, want);
	ck_assert_str_eq(seen.frame, text);
}
END_TEST

START_TEST(the_longest_request_arrives_whole)
{
	auto_free char *text = pattern(IPC_FRAME_MAX);
	pid_t pid = fork();

	if (pid == 0) {
		struct ipc_conn *c;

		_exit(ipc_connect(path, &c, NULL) < 0 ||
		      ipc_send(c, text, IPC_FRAME_MAX, NULL, 0, NULL) < 0);
	}
	serve_until(pid);
	ck_assert_uint_eq(seen.len, IPC_FRAME_MAX);
	ck_assert_str_eq(seen.frame, text);
}
END_TEST

START_TEST(a_frame_too_long_is_refused_at_once)
{
	struct ipc_conn *c = client();
	auto_free char *text = pattern(IPC_FRAME_MAX + 1);
	int fds[IPC_FDS_MAX + 1] = { 0 };

	ck_assert_int_eq(ipc_send(c, text, IPC_FRAME_MAX + 1, NULL, 0, NULL), -EMSGSIZE);
	ck_assert_int_eq(ipc_send(c, "x", 1, fds, IPC_FDS_MAX + 1, NULL), -EMSGSIZE);
	OK(ipc_send(c, "x", 1, NULL, 0, &err));
	serve();
	ck_assert_int_eq(seen.requests, 1);
	ipc_close(c);
}
END_TEST

START_TEST(a_part_of_a_frame_waits_for_the_rest)
{
	auto_close int fd = raw_client();

	ck_assert_int_eq(send(fd, "\1ab", 3, 0), 3);
	serve();
	ck_assert_int_eq(seen.requests, 0);
	ck_assert_int_eq(send(fd, "\0cd", 3, 0), 3);
	serve();
	ck_assert_int_eq(seen.requests, 1);
	ck_assert_str_eq(seen.frame, "abcd");
}
END_TEST

START_TEST(the_client_keeps_a_part_over_a_timeout)
{
	int ends[2];
	struct ipc_conn *c;
	auto_free char *frame = NULL;
	size_t len;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	c = conn_new(ends[0], NULL);
	ck_assert_int_eq(send(ends[1], "\1ab", 3, 0), 3);
	ck_assert_int_eq(ipc_recv(c, 1000, &frame, &len, NULL, NULL, NULL), -ETIMEDOUT);
	ck_assert_int_eq(send(ends[1], "\0c", 2, 0), 2);
	OK(ipc_recv(c, UINT64_MAX, &frame, &len, NULL, NULL, &err));
	ck_assert_str_eq(frame, "abc");
	(void)close(ends[1]);
	free(steal(frame));
	ck_assert_int_eq(ipc_recv(c, UINT64_MAX, &frame, &len, NULL, NULL, NULL), -ECONNRESET);
	ipc_close(c);
}
END_TEST

/* ---- Descriptors ----------------------------------------------------------------------------- */

static size_t open_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(descriptors_travel_and_can_be_kept)
{
	struct ipc_conn *c = client();
	auto_free char *frame = NULL;
	int fds[2], got[IPC_FDS_MAX];
	size_t len, nfds;
	char byte = 0;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	seen.keep = true;
	OK(ipc_send(c, "take", 4, fds, 2, &err));
	serve();
	ck_assert_uint_eq(seen.nfds, 2);
	ck_assert_int_eq(fcntl(seen.kept_fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(read(seen.kept_fd, &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');

	OK(ipc_send(seen.conn, "back", 4, &seen.kept_fd, 1, &err));
	OK(ipc_recv(c, UINT64_MAX, &frame, &len, got, &nfds, &err));
	ck_assert_uint_eq(nfds, 1);
	ck_assert_int_eq(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	(void)close(got[0]);
	(void)close(seen.kept_fd);
	(void)close(fds[0]);
	(void)close(fds[1]);
	ipc_close(c);
}
END_TEST

START_TEST(descriptors_nobody_takes_are_closed)
{
	size_t before = open_fds();
	struct ipc_conn *c = client();
	auto_free char *frame = NULL;
	int fds[IPC_FDS_MAX] = { 0, 1, 2, 0 };
	size_t len;

	OK(ipc_send(c, "a", 1, fds, IPC_FDS_MAX, &err));
	serve();
	ck_assert_uint_eq(seen.nfds, IPC_FDS_MAX);
	OK(ipc_send(seen.conn, "b", 1, fds, 1, &err));
	OK(ipc_recv(c, UINT64_MAX, &frame, &len, NULL, NULL, &err));
	OK(ipc_send(seen.conn, "never read", 10, fds, 1, &err));
	ipc_close(c);
	serve();
	ck_assert_uint_eq(open_fds(), before);
}
END_TEST

static void send_fds(int fd, const char *bytes, size_t len, const int *fds, size_t n)
{
	char room[CMSG_SPACE(16 * sizeof(int))] __attribute__((aligned(8))) = { 0 };
	char copy[16];
	struct iovec iov = { copy, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room };
	struct cmsghdr *c = (struct cmsghdr *)room;

	memcpy(copy, bytes, len);
	msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	ck_assert_int_eq(sendmsg(fd, &msg, 0), (ssize_t)len);
}

START_TEST(too_many_descriptors_break_the_connection_and_leak_nothing)
{
	static const int fds[16] = { 0 };
	size_t before = open_fds();
	int at_once = raw_client(), one_by_one = raw_client();

	serve();
	send_fds(at_once, "\0x", 2, fds, 16);
	serve();
	ck_assert_int_eq(seen.requests, 0);
	ck_assert_int_eq(seen.closed, 1);
	for (int i = 0; i < 3; i++)
		send_fds(one_by_one, "\1x", 2, fds, 2);
	serve();
	ck_assert_int_eq(seen.requests, 0);
	ck_assert_int_eq(seen.closed, 2);
	(void)close(at_once);
	(void)close(one_by_one);
	ck_assert_uint_eq(open_fds(), before);
}
END_TEST

/* ---- Peers that misbehave -------------------------------------------------------------------- */

static const struct {
	const char *bytes;
	size_t len;
} nonsense[] = { { "\2x", 2 }, { "x", 1 }, { "\1", 1 }, { "{\"a\":1}", 7 } };

START_TEST(nonsense_closes_that_connection_only)
{
	struct ipc_conn *good = client();
	auto_close int fd = raw_client();
	char byte;

	ck_assert_int_eq(send(fd, nonsense[_i].bytes, nonsense[_i].len, 0),
			 (ssize_t)nonsense[_i].len);
	serve();
	ck_assert_int_eq(seen.requests, 0);
	ck_assert_int_eq(seen.closed, 1);
	ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
	OK(ipc_send(good, "fine", 4, NULL, 0, &err));
	serve();
	ck_assert_int_eq(seen.requests, 1);
	ipc_close(good);
}
END_TEST

START_TEST(a_packet_or_frame_too_long_closes)
{
	auto_close int big = raw_client(), endless = raw_client();
	auto_free char *text = xcalloc(1, PACKET_MAX + 2);

	ck_assert_int_eq(send(big, text, PACKET_MAX + 2, 0), PACKET_MAX + 2);
	serve();
	ck_assert_int_eq(seen.closed, 1);
	text[0] = PACKET_MORE;
	for (size_t i = 0; i <= IPC_FRAME_MAX / PACKET_MAX; i++) {
		ck_assert_int_eq(send(endless, text, PACKET_MAX + 1, 0), PACKET_MAX + 1);
		serve();
	}
	ck_assert_int_eq(seen.closed, 2);
	ck_assert_int_eq(seen.requests, 0);
}
END_TEST

START_TEST(a_slow_reader_is_queued_then_dropped)
{
	struct ipc_conn *slow = client(), *good;
	auto_free char *text = pattern(100000);
	struct ipc_conn *conn;
	int r = 0;

	OK(ipc_send(slow, "stream", 6, NULL, 0, &err));
	serve();
	conn = seen.conn;
	good = client();
	for (int i = 0; i < 100 && r == 0; i++)
		r = ipc_send(conn, text, 100000, NULL, 0, NULL);
	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert_uint_le(ipc_queued(conn), IPC_QUEUE_MAX + 100);
	ck_assert_int_eq(seen.closed, 0);
	serve();
	ck_assert_int_eq(seen.closed, 1);
	ck_assert_uint_eq(ipc_server_conns(srv), 1);
	OK(ipc_send(good, "fine", 4, NULL, 0, &err));
	serve();
	ck_assert_int_eq(seen.requests, 2);
	ipc_close(slow);
	ipc_close(good);
}
END_TEST

START_TEST(what_was_queued_is_sent_and_drained_is_told)
{
	struct ipc_conn *c = client();
	auto_free char *text = pattern(ANSWER_MAX), *frame = NULL;
	size_t len = 0;

	OK(ipc_send(c, "go", 2, NULL, 0, &err));
	serve();
	OK(ipc_send(seen.conn, text, ANSWER_MAX, NULL, 0, &err));
	ck_assert_uint_gt(ipc_queued(seen.conn), 0);
	OK(ipc_send(seen.conn, "end", 3, NULL, 0, &err));
	while (!frame) {
		int r = ipc_recv(c, 0, &frame, &len, NULL, NULL, NULL);

		ck_assert(r == 0 || r == -ETIMEDOUT);
		serve();
	}
	ck_assert_uint_eq(len, ANSWER_MAX);
	ck_assert_str_eq(frame, text);
	free(steal(frame));
	OK(ipc_recv(c, UINT64_MAX, &frame, &len, NULL, NULL, &err));
	ck_assert_str_eq(frame, "end");
	ck_assert_int_eq(seen.drained, 1);
	ipc_close(c);
}
END_TEST

START_TEST(a_server_that_finishes_gives_each_what_is_theirs_and_lets_nobody_in)
{
	struct ipc_conn *idle = client(), *slow = client(), *late = NULL;
	auto_free char *text = pattern(ANSWER_MAX), *frame = NULL, *none = NULL;
	size_t len = 0;

	OK(ipc_send(slow, "go", 2, NULL, 0, &err));
	serve();
	OK(ipc_send(seen.conn, text, ANSWER_MAX, NULL, 0, &err));
	ck_assert_uint_gt(ipc_queued(seen.conn), 0);
	ipc_server_finish(srv);
	ck_assert_int_eq(seen.closed, 1);
	ck_assert_uint_eq(ipc_server_conns(srv), 1);
	ck_assert_int_eq(ipc_recv(idle, UINT64_MAX, &none, &len, NULL, NULL, NULL), -ECONNRESET);
	while (!frame) {
		int r = ipc_recv(slow, 0, &frame, &len, NULL, NULL, NULL);

		ck_assert(r == 0 || r == -ETIMEDOUT);
		serve();
	}
	ck_assert_str_eq(frame, text);
	ck_assert_uint_eq(ipc_server_conns(srv), 0);
	OK(ipc_connect(path, &late, &err));
	serve();
	ck_assert_int_eq(ipc_recv(late, UINT64_MAX, &none, &len, NULL, NULL, NULL), -ECONNRESET);
	ipc_close(idle);
	ipc_close(slow);
	ipc_close(late);
}
END_TEST

START_TEST(a_request_is_served_though_its_sender_is_gone)
{
	struct ipc_conn *c = client();

	OK(ipc_send(c, "bye", 3, NULL, 0, &err));
	ipc_close(c);
	serve();
	ck_assert_str_eq(seen.frame, "bye");
	ck_assert_int_eq(seen.closed, 1);
}
END_TEST

START_TEST(the_server_may_hang_up_in_a_request)
{
	struct ipc_conn *c = client();
	auto_free char *frame = NULL;
	size_t len;

	seen.hang_up = true;
	OK(ipc_send(c, "a", 1, NULL, 0, &err));
	OK(ipc_send(c, "b", 1, NULL, 0, &err));
	serve();
	ck_assert_int_eq(seen.requests, 1);
	ck_assert_int_eq(seen.closed, 1);
	ck_assert_int_eq(ipc_recv(c, UINT64_MAX, &frame, &len, NULL, NULL, NULL), -ECONNRESET);
	(void)signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(ipc_send(c, "c", 1, NULL, 0, NULL), -EPIPE);
	ipc_close(c);
}
END_TEST

START_TEST(there_is_a_bound_of_peers)
{
	static int fds[IPC_CONNS_MAX + 1];
	struct rlimit many = { 2048, 2048 };
	char byte;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &many), 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = raw_client();
		serve();
	}
	ck_assert_uint_eq(ipc_server_conns(srv), IPC_CONNS_MAX);
	ck_assert_int_eq(recv(fds[IPC_CONNS_MAX], &byte, 1, MSG_DONTWAIT), 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	serve();
	ck_assert_uint_eq(ipc_server_conns(srv), 0);
}
END_TEST

START_TEST(out_of_descriptors_turns_away_instead_of_spinning)
{
	int fd = raw_client(), top = dup(fd);
	struct rlimit old, none;
	char byte;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ (rlim_t)top, old.rlim_max };
	(void)close(top);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	serve(); /* would not come back */
	ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	(void)close(fd);
	ipc_close(client());
}
END_TEST

START_TEST(strangers_are_turned_away_without_a_word)
{
	pid_t pid;

	ck_assert_int_eq(getuid(), 0);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	pid = fork();
	if (pid == 0) {
		int fd;
		char byte;

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		fd = raw_client();
		_exit(recv(fd, &byte, 1, 0) == 0 ? 0 : 2);
	}
	serve_until(pid);
	ck_assert_int_eq(seen.requests, 0);
	ck_assert_int_eq(seen.closed, 0);
}
END_TEST

START_TEST(the_owner_and_root_are_welcome)
{
	auto_free char *own = path_join(dir, "own");
	struct ipc_server *mine;
	struct stat st;
	pid_t pid;

	ck_assert_int_eq(getuid(), 0);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	OK(ipc_listen(own, 65534, &ops, &seen, &mine, &err));
	ck_assert_int_eq(stat(own, &st), 0);
	ck_assert_uint_eq(st.st_uid, 65534);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ipc_server_free(srv);
	srv = mine;
	pid = fork();
	if (pid == 0) {
		struct ipc_conn *c;

		if (setgid(65534) < 0 || setuid(65534) < 0 || ipc_connect(own, &c, NULL) < 0)
			_exit(1);
		_exit(ipc_send(c, "me", 2, NULL, 0, NULL) == 0 ? 0 : 2);
	}
	serve_until(pid);
	ck_assert_str_eq(seen.frame, "me");
}
END_TEST

/* ---- The socket file ------------------------------------------------------------------------- */

START_TEST(the_file_is_private)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_live_socket_stays_a_dead_one_is_replaced)
{
	struct ipc_server *other = NULL;
	pid_t pid;

	ck_assert_int_eq(ipc_listen(path, 0, &ops, &seen, &other, NULL), -EADDRINUSE);
	ipc_server_free(srv);
	pid = fork(); /* dies without removing its socket */
	if (pid == 0)
		_exit(ipc_listen(path, 0, &ops, &seen, &other, NULL) < 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(access(path, F_OK), 0);
	OK(ipc_listen(path, getuid(), &ops, &seen, &srv, &err));
	ipc_close(client());
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
	auto_free char *file = path_join(dir, "file");
	auto_close int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct ipc_server *other = NULL;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_lt(ipc_listen(file, 0, &ops, &seen, &other, NULL), 0);
	ck_assert_int_eq(access(file, F_OK), 0);
}
END_TEST

START_TEST(nobody_listens)
{
	auto_free char *none = path_join(dir, "none");
	struct ipc_conn *c;

	ck_assert_int_eq(ipc_connect(none, &c, NULL), -ENOENT);
	ck_assert_int_eq(ipc_connect("/nonexistent/x/y", &c, NULL), -ENOENT);
}
END_TEST

START_TEST(long_paths_work)
{
	auto_free char *deep =
		path_join(dir, "a-folder-with-a-name-that-is-quite-long-for-a-socket/"
			       "and-another-one-below-that-is-not-short-either/ctl");
	auto_free char *folder = xstrndup(deep, strlen(deep) - 4);
	struct ipc_server *far;
	struct ipc_conn *c;

	ck_assert_int_eq(path_mkdirs(folder, 0755), 0);
	OK(ipc_listen(deep, getuid(), &ops, &seen, &far, &err));
	OK(ipc_connect(deep, &c, &err));
	ipc_close(c);
	ipc_server_free(far);
	ck_assert_int_eq(access(deep, F_OK), -1);
}
END_TEST

START_TEST(a_socket_of_somebody_else_at_our_path_is_not_removed)
{
	struct ipc_server *other;

	ck_assert_int_eq(unlink(path), 0);
	OK(ipc_listen(path, getuid(), &ops, &seen, &other, &err));
	ipc_server_free(srv);
	srv = other;
	ck_assert_int_eq(access(path, F_OK), 0);
	ipc_close(client());
}
END_TEST

START_TEST(each_end_knows_the_other)
{
	struct ipc_conn *c = client();
	int mine = 0;

	OK(ipc_send(c, "x", 1, NULL, 0, &err));
	serve();
	ck_assert_int_eq(ipc_peer(seen.conn).pid, getpid());
	ck_assert_uint_eq(ipc_peer(seen.conn).uid, getuid());
	ck_assert_ptr_null(ipc_data(seen.conn));
	ipc_set_data(seen.conn, &mine);
	ck_assert_ptr_eq(ipc_data(seen.conn), &mine);
	ipc_close(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipc");
	TCase *t = tcase_create("ipc");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_frame_and_its_answer);
	tcase_add_test(t, an_empty_frame_is_empty_also_after_a_full_one);
	tcase_add_loop_test(t, long_frames_arrive_whole, 0, ARRAY_LEN(sizes));
	tcase_add_test(t, the_longest_request_arrives_whole);
	tcase_add_test(t, a_frame_too_long_is_refused_at_once);
	tcase_add_test(t, a_part_of_a_frame_waits_for_the_rest);
	tcase_add_test(t, the_client_keeps_a_part_over_a_timeout);
	tcase_add_test(t, descriptors_travel_and_can_be_kept);
	tcase_add_test(t, descriptors_nobody_takes_are_closed);
	tcase_add_test(t, too_many_descriptors_break_the_connection_and_leak_nothing);
	tcase_add_loop_test(t, nonsense_closes_that_connection_only, 0, ARRAY_LEN(nonsense));
	tcase_add_test(t, a_packet_or_frame_too_long_closes);
	tcase_add_test(t, a_slow_reader_is_queued_then_dropped);
	tcase_add_test(t, what_was_queued_is_sent_and_drained_is_told);
	tcase_add_test(t, a_server_that_finishes_gives_each_what_is_theirs_and_lets_nobody_in);
	tcase_add_test(t, a_request_is_served_though_its_sender_is_gone);
	tcase_add_test(t, the_server_may_hang_up_in_a_request);
	tcase_add_test(t, there_is_a_bound_of_peers);
	tcase_add_test(t, out_of_descriptors_turns_away_instead_of_spinning);
	tcase_add_test(t, strangers_are_turned_away_without_a_word);
	tcase_add_test(t, the_owner_and_root_are_welcome);
	tcase_add_test(t, the_file_is_private);
	tcase_add_test(t, a_live_socket_stays_a_dead_one_is_replaced);
	tcase_add_test(t, a_file_that_is_no_socket_is_left_alone);
	tcase_add_test(t, nobody_listens);
	tcase_add_test(t, long_paths_work);
	tcase_add_test(t, a_socket_of_somebody_else_at_our_path_is_not_removed);
	tcase_add_test(t, each_end_knows_the_other);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
