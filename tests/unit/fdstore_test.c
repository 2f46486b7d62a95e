/* What one user of a store leaves, the next finds; what is dropped is really closed. */
#include <check.h>
#include <ctrcompose/fdstore.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];
static struct fd_store *st;

static void setup(void)
{
	ck_assert_int_eq(fd_store_pair(ends, NULL), 0);
	st = fd_store_open(ends);
}

static void teardown(void)
{
	fd_store_close(st);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void next_user(void)
{
	fd_store_close(st);
	st = fd_store_open(ends);
}

/* A pipe whose write end goes into the store: the read end tells when the last copy is closed. */
static int put_pipe(const char *name)
{
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(fd_store_put(st, name, &p[1], 1), 0);
	(void)close(p[1]);
	return p[0];
}

static bool closed(int reader)
{
	char c;

	return read(reader, &c, 1) == 0;
}

START_TEST(the_next_user_finds_it)
{
	int a = put_pipe("a"), b = put_pipe("b"), fds[FD_STORE_FDS];
	char c = 0;

	ck_assert_uint_eq(fd_store_take(st, "a", fds), 0); /* its own */
	next_user();
	ck_assert_uint_eq(fd_store_take(st, "a", fds), 1);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(write(fds[0], "x", 1), 1);
	ck_assert_int_eq(read(a, &c, 1), 1);
	ck_assert_int_eq(c, 'x');
	(void)close(fds[0]);
	ck_assert_uint_eq(fd_store_take(st, "a", fds), 0); /* taken once */
	ck_assert_uint_eq(fd_store_take(st, "c", fds), 0);
	next_user(); /* and the one after it finds both again */
	ck_assert(!closed(a) && !closed(b));
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(fd_store_take(st, i ? "a" : "b", fds), 1);
		(void)close(fds[0]);
	}
	(void)close(a);
	(void)close(b);
}
END_TEST

START_TEST(dropped_is_closed_by_the_sweep)
{
	int a = put_pipe("a"), b = put_pipe("b"), c = put_pipe("c");

	fd_store_drop(st, "b");
	ck_assert(!closed(b));
	fd_store_sweep(st);
	ck_assert(closed(b) && !closed(a) && !closed(c));
	next_user();
	fd_store_drop(st, "a");
	fd_store_drop(st, "nothing");
	fd_store_sweep(st);
	ck_assert(closed(a) && !closed(c));
	fd_store_drop_untaken(st);
	fd_store_sweep(st);
	ck_assert(closed(c));
	(void)close(a);
	(void)close(b);
	(void)close(c);
}
END_TEST

START_TEST(a_name_that_comes_again_is_the_new_one)
{
	int old = put_pipe("a"), new = put_pipe("a"), fds[FD_STORE_FDS];

	next_user(); /* before anybody has swept */
	ck_assert_uint_eq(fd_store_take(st, "a", fds), 1);
	fd_store_sweep(st);
	ck_assert(closed(old) && !closed(new));
	(void)close(fds[0]);
	fd_store_drop(st, "a");
	fd_store_sweep(st);
	ck_assert(closed(new));
	(void)close(old);
	(void)close(new);
}
END_TEST

START_TEST(many_and_in_turn)
{
	enum { MANY = 400 };
	int readers[MANY];
	char name[16];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		readers[i] = put_pipe(name);
	}
	for (int round = 0; round < 3; round++)
		next_user();
	for (int i = 0; i < MANY; i += 2) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		fd_store_drop(st, name);
	}
	fd_store_sweep(st);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(closed(readers[i]), i % 2 == 0);
		(void)close(readers[i]);
	}
}
END_TEST

START_TEST(killed_while_the_queue_turns)
{
	int a = put_pipe("a"), fds[FD_STORE_FDS];
	char bytes[256], control[64];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *head;
	ssize_t n = recvmsg(ends[0], &msg, MSG_PEEK | MSG_CMSG_CLOEXEC);

	/* Sent again, and not yet taken off the front. */
	ck_assert_int_gt(n, 0);
	iov.iov_len = (size_t)n;
	ck_assert_int_eq(sendmsg(ends[1], &msg, 0), n);
	head = CMSG_FIRSTHDR(&msg);
	ck_assert_ptr_nonnull(head);
	memcpy(fds, CMSG_DATA(head), sizeof(int));
	(void)close(fds[0]);
	next_user();
	ck_assert_uint_eq(fd_store_take(st, "a", fds), 1);
	(void)close(fds[0]);
	ck_assert(!closed(a));
	fd_store_drop(st, "a");
	fd_store_sweep(st);
	ck_assert(closed(a));
	(void)close(a);
}
END_TEST

START_TEST(refused)
{
	char name[FD_STORE_NAME_MAX + 1];
	int fds[FD_STORE_FDS + 1] = { 0 };

	memset(name, 'n', sizeof(name));
	name[FD_STORE_NAME_MAX] = '\0';
	ck_assert_int_eq(fd_store_put(st, name, fds, 1), -EINVAL);
	ck_assert_int_eq(fd_store_put(st, "a", fds, FD_STORE_FDS + 1), -EINVAL);
	ck_assert_int_eq(fd_store_put(st, "a", fds, 0), -EINVAL);
	fds[0] = -1;
	ck_assert_int_eq(fd_store_put(st, "a", fds, 1), -EBADF);
	ck_assert_int_eq(fd_store_put(NULL, "a", fds, 1), 0);
	ck_assert_uint_eq(fd_store_take(NULL, "a", fds), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fdstore");
	TCase *t = tcase_create("fdstore");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_next_user_finds_it);
	tcase_add_test(t, dropped_is_closed_by_the_sweep);
	tcase_add_test(t, a_name_that_comes_again_is_the_new_one);
	tcase_add_test(t, many_and_in_turn);
	tcase_add_test(t, killed_while_the_queue_turns);
	tcase_add_test(t, refused);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
