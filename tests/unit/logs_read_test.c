/* Logs come back in the order of time, from the right place, without reading what nobody asked for,
 * and following loses nothing when files are rotated. */
#include "logs_make.h"

#include <poll.h>
#include <sys/wait.h>

static struct logs_query tail_of(int64_t n)
{
	return (struct logs_query){ .tail = n };
}

static struct logs_query between(uint64_t since, uint64_t until)
{
	return (struct logs_query){ .tail = -1, .since_ns = since, .until_ns = until };
}

static const struct logs_query following = { .tail = -1, .follow = true };

static void put_lines(const char *file, unsigned from, unsigned upto)
{
	for (unsigned i = from; i < upto; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%u", i);
		put_record(file, T0 + i * SEC, LOGS_STDOUT, 'F', text);
	}
}

/* ---- Order */

START_TEST(sources_are_merged_by_time)
{
	put_record("a.log", T0 + 1, LOGS_STDOUT, 'F', "one");
	put_record("b.log", T0 + 2, LOGS_STDERR, 'F', "two");
	put_record("a.log", T0 + 3, LOGS_STDOUT, 'F', "three");
	put_record("c.log", T0 + 3, LOGS_STDOUT, 'F', "same");
	put_record("b.log", T0 + 4, LOGS_STDOUT, 'F', "four");
	EXPECT(ALL_LINES, NAMES("a", "b", "c", "none"), "0:one|1e:two|0:three|2:same|1:four|");
}
END_TEST

START_TEST(nothing_gets_between_the_parts_of_a_line)
{
	put_record("a.log", T0 + 1, LOGS_STDOUT, 'P', "be");
	put_record("b.log", T0 + 2, LOGS_STDOUT, 'F', "other");
	put_record("a.log", T0 + 3, LOGS_STDOUT, 'P', "gi");
	put_record("a.log", T0 + 5, LOGS_STDOUT, 'F', "n");
	put_record("b.log", T0 + 4, LOGS_STDOUT, 'F', "more");
	EXPECT(ALL_LINES, NAMES("a", "b"), "0:be+0:gi+0:n|1:other|1:more|");
}
END_TEST

START_TEST(older_files_come_first_also_with_a_gap)
{
	put_lines("a.log.3", 0, 2);
	put_lines("a.log.1", 2, 4);
	put_lines("a.log", 4, 5);
	EXPECT(ALL_LINES, NAMES("a"), "0:0|0:1|0:2|0:3|0:4|");
	ck_assert_int_eq(unlinkat(dir_fd, "a.log", 0), 0); /* killed amid a rotation */
	EXPECT(ALL_LINES, NAMES("a"), "0:0|0:1|0:2|0:3|");
}
END_TEST

START_TEST(what_is_no_record_is_shown)
{
	auto_close int fd = openat(dir_fd, "a.log", O_WRONLY | O_CREAT | O_APPEND, 0600);

	put_lines("a.log", 0, 1);
	ck_assert_int_eq(fd_write_all(fd, "garbage\n\n", 9), 0);
	put_lines("a.log", 1, 2);
	ck_assert_int_eq(fd_write_all(fd, "2026-01-01T00:00:0", 18), 0);
	EXPECT(ALL_LINES, NAMES("a"), "0:0|0:garbage|0:|0:1|");
}
END_TEST

START_TEST(a_line_of_nonsense_needs_no_memory)
{
	auto_sbuf struct sbuf got = SBUF_INIT;
	auto_free char *block = xmalloc(1 << 20);
	auto_close int fd = openat(dir_fd, "a.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	struct logs_query q = ALL_LINES;
	struct logs_reader *r;
	size_t xs = 0;

	memset(block, 'x', 1 << 20);
	ck_assert_int_eq(fd_write_all(fd, block, 1 << 20), 0);
	ck_assert_int_eq(fd_write_all(fd, "\n", 1), 0);
	r = reader(&q, NAMES("a"));
	read_all(r, &got);
	logs_reader_free(r);
	for (size_t i = 0; i < got.len; i++)
		xs += got.s[i] == 'x';
	ck_assert_uint_eq(xs, 1 << 20);
	ck_assert_int_eq(got.s[got.len - 1], '|');
}
END_TEST

static int stop_at_two(void *arg, const struct logs_line *line)
{
	int *n = arg;

	(void)line;
	return ++*n == 2 ? 7 : 0;
}

START_TEST(reading_in_steps)
{
	auto_sbuf struct sbuf got = SBUF_INIT;
	struct logs_query q = ALL_LINES;
	struct logs_reader *r;
	int n = 0;

	put_lines("a.log", 0, 5);
	r = reader(&q, NAMES("a"));
	ck_assert_int_eq(logs_reader_fd(r), -1);
	ck_assert_int_eq(logs_reader_read(r, 1, collect, &got, NULL), 1);
	ck_assert_str_eq(sbuf_str(&got), "0:0|");
	ck_assert_int_eq(logs_reader_read(r, 0, stop_at_two, &n, NULL), 7);
	read_all(r, &got);
	ck_assert_str_eq(sbuf_str(&got), "0:0|0:3|0:4|");
	logs_reader_free(r);
}
END_TEST

START_TEST(a_folder_that_is_not_there)
{
	auto_err struct err e = ERR_INIT;
	struct logs_query q = ALL_LINES;
	struct logs_reader *r = NULL;
	size_t i;

	OK(logs_reader_new(&q, &r, &err));
	ck_assert_int_eq(logs_reader_add(r, "/nonexistent", "a", &i, &e), -ENOENT);
	ck_assert_str_eq(err_text(&e), "open log folder '/nonexistent': No such file or directory");
	logs_reader_free(r);
}
END_TEST

/* ---- Tail */

START_TEST(the_last_lines)
{
	put_lines("a.log", 0, 4);
	EXPECT(tail_of(0), NAMES("a"), "");
	EXPECT(tail_of(1), NAMES("a"), "0:3|");
	EXPECT(tail_of(3), NAMES("a"), "0:1|0:2|0:3|");
	EXPECT(tail_of(4), NAMES("a"), "0:0|0:1|0:2|0:3|");
	EXPECT(tail_of(9), NAMES("a"), "0:0|0:1|0:2|0:3|");
	EXPECT(tail_of(9), NAMES("none"), "");
}
END_TEST

START_TEST(the_last_lines_of_each_source)
{
	put_lines("a.log", 0, 4);
	put_lines("b.log", 2, 7);
	EXPECT(tail_of(2), NAMES("a", "b"), "0:2|0:3|1:5|1:6|");
}
END_TEST

START_TEST(the_last_lines_over_rotated_files)
{
	put_lines("a.log.2", 0, 3);
	put_lines("a.log.1", 3, 6);
	put_lines("a.log", 6, 7);
	EXPECT(tail_of(1), NAMES("a"), "0:6|");
	EXPECT(tail_of(2), NAMES("a"), "0:5|0:6|");
	EXPECT(tail_of(4), NAMES("a"), "0:3|0:4|0:5|0:6|");
	EXPECT(tail_of(5), NAMES("a"), "0:2|0:3|0:4|0:5|0:6|");
	EXPECT(tail_of(7), NAMES("a"), "0:0|0:1|0:2|0:3|0:4|0:5|0:6|");
	EXPECT(tail_of(8), NAMES("a"), "0:0|0:1|0:2|0:3|0:4|0:5|0:6|");
}
END_TEST

START_TEST(a_line_of_many_parts_is_one)
{
	put_lines("a.log", 0, 2);
	put_record("a.log", T0 + 5 * SEC, LOGS_STDOUT, 'P', "x");
	put_record("a.log", T0 + 5 * SEC, LOGS_STDOUT, 'P', "y");
	put_record("a.log", T0 + 5 * SEC, LOGS_STDOUT, 'F', "z");
	EXPECT(tail_of(1), NAMES("a"), "0:x+0:y+0:z|");
	EXPECT(tail_of(2), NAMES("a"), "0:1|0:x+0:y+0:z|");
	put_record("a.log", T0 + 6 * SEC, LOGS_STDOUT, 'P', "open");
	EXPECT(tail_of(1), NAMES("a"), "0:open+");
	EXPECT(tail_of(2), NAMES("a"), "0:x+0:y+0:z|0:open+");
}
END_TEST

/* ---- Time */

START_TEST(since_and_until_include_their_instant)
{
	put_lines("a.log.1", 0, 3);
	put_lines("a.log", 3, 6);
	EXPECT(between(T0 + 2 * SEC, 0), NAMES("a"), "0:2|0:3|0:4|0:5|");
	EXPECT(between(T0 + 2 * SEC + 1, 0), NAMES("a"), "0:3|0:4|0:5|");
	EXPECT(between(0, T0 + 3 * SEC), NAMES("a"), "0:0|0:1|0:2|0:3|");
	EXPECT(between(T0 + 1 * SEC, T0 + 4 * SEC - 1), NAMES("a"), "0:1|0:2|0:3|");
	EXPECT(between(T0 + 9 * SEC, 0), NAMES("a"), "");
	EXPECT(between(1, T0 - 1), NAMES("a"), "");
}
END_TEST

START_TEST(tail_counts_from_until_and_not_before_since)
{
	struct logs_query q = { .tail = 2, .until_ns = T0 + 3 * SEC };

	put_lines("a.log.1", 0, 3);
	put_lines("a.log", 3, 6);
	EXPECT(q, NAMES("a"), "0:2|0:3|");
	q.since_ns = T0 + 3 * SEC;
	EXPECT(q, NAMES("a"), "0:3|");
}
END_TEST

/* ---- Big files */

enum { BIG_LINES = 700000 };

/* 64 MB, a line a second with a gap of nothing in the middle. */
static void make_big(void)
{
	auto_close int fd = openat(dir_fd, "big.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	auto_sbuf struct sbuf b = SBUF_INIT;

	for (unsigned i = 0; i < BIG_LINES; i++) {
		char head[RECORD_HEAD_LEN];
		uint64_t gap = i > BIG_LINES / 2 ? 1000000 : 0;

		record_head(head, T0 + (i + gap) * SEC, i % 3 ? LOGS_STDOUT : LOGS_STDERR);
		sbuf_add(&b, head, sizeof(head));
		sbuf_addf(&b, "%07u a line of forty more bytes, as usual ones\n", i);
		if (b.len > 1 << 20 || i == BIG_LINES - 1) {
			ck_assert_int_eq(fd_write_all(fd, b.s, b.len), 0);
			b.len = 0;
		}
	}
}

/* Bytes this process has read so far. */
static uint64_t bytes_read(void)
{
	auto_free char *text = NULL;
	const char *at;
	uint64_t n = 0;

	ck_assert_int_eq(file_read(AT_FDCWD, "/proc/self/io", 4096, &text, NULL), 0);
	at = strstr(text, "rchar: ");
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(sscanf(at, "rchar: %" SCNu64, &n), 1);
	return n;
}

static int first_and_last(void *arg, const struct logs_line *line)
{
	unsigned *n = arg, v = 0;
	char text[8] = { 0 };

	memcpy(text, line->text, 7);
	ck_assert_int_eq(sscanf(text, "%u", &v), 1);
	if (n[2]++ == 0)
		n[0] = v;
	n[1] = v;
	return 0;
}

static const struct {
	struct logs_query q;
	unsigned first, last, count;
} big[] = {
	{ { .tail = 10 }, BIG_LINES - 10, BIG_LINES - 1, 10 },
	{ { .tail = 1000 }, BIG_LINES - 1000, BIG_LINES - 1, 1000 },
	{ { .tail = -1, .since_ns = T0 + 1000 * SEC, .until_ns = T0 + 1009 * SEC },
	  1000,
	  1009,
	  10 },
	{ { .tail = -1, .since_ns = T0, .until_ns = T0 + 5 * SEC }, 0, 5, 6 },
	{ { .tail = -1, .since_ns = T0 + 340000 * SEC + 1, .until_ns = T0 + 340100 * SEC },
	  340001,
	  340100,
	  100 },
	{ { .tail = 5, .until_ns = T0 + 5000 * SEC }, 4996, 5000, 5 },
	{ { .tail = -1, .since_ns = T0 + 360000 * SEC, .until_ns = T0 + 1350003 * SEC },
	  350001,
	  350003,
	  3 },
	{ { .tail = 5, .since_ns = T0 + 1699990 * SEC }, BIG_LINES - 5, BIG_LINES - 1, 5 },
	{ { .tail = -1, .since_ns = T0 + 1699990 * SEC }, BIG_LINES - 10, BIG_LINES - 1, 10 },
};

START_TEST(big_files_are_not_read_to_find_a_place)
{
	make_big();
	for (size_t i = 0; i < ARRAY_LEN(big); i++) {
		unsigned n[3] = { 0 };
		uint64_t before = bytes_read();
		struct logs_query q = big[i].q;
		struct logs_reader *r = reader(&q, NAMES("big"));

		OK(logs_reader_read(r, 0, first_and_last, n, &err));
		logs_reader_free(r);
		ck_assert_uint_eq(n[0], big[i].first);
		ck_assert_uint_eq(n[1], big[i].last);
		ck_assert_uint_eq(n[2], big[i].count);
		ck_assert_uint_lt(bytes_read() - before, 2 << 20);
	}
}
END_TEST

START_TEST(all_of_a_big_file)
{
	unsigned n[3] = { 0 };
	struct logs_query q = ALL_LINES;
	struct logs_reader *r;

	make_big();
	r = reader(&q, NAMES("big"));
	OK(logs_reader_read(r, 0, first_and_last, n, &err));
	logs_reader_free(r);
	ck_assert_uint_eq(n[2], BIG_LINES);
}
END_TEST

/* ---- Following */

static bool readable(const struct logs_reader *r)
{
	struct pollfd p = { .fd = logs_reader_fd(r), .events = POLLIN };

	ck_assert_int_ge(p.fd, 0);
	return poll(&p, 1, 0) > 0;
}

#define EXPECT_MORE(r, want)                              \
	do {                                              \
		auto_sbuf struct sbuf more_ = SBUF_INIT;  \
		read_all(r, &more_);                      \
		ck_assert_str_eq(sbuf_str(&more_), want); \
	} while (0)

START_TEST(following_hears_of_more)
{
	struct logs_reader *r;

	put_lines("a.log", 0, 2);
	r = reader(&following, NAMES("a", "b"));
	EXPECT_MORE(r, "0:0|0:1|");
	EXPECT_MORE(r, "");
	ck_assert(!readable(r));
	put_lines("a.log", 2, 3);
	ck_assert(readable(r));
	EXPECT_MORE(r, "0:2|");
	ck_assert(!readable(r));
	put_lines("b.log", 3, 5); /* was not there before */
	ck_assert(readable(r));
	EXPECT_MORE(r, "1:3|1:4|");
	put_lines("b.log", 5, 6);
	ck_assert(readable(r));
	EXPECT_MORE(r, "1:5|");
	logs_reader_free(r);
}
END_TEST

START_TEST(following_from_the_tail)
{
	struct logs_query q = { .tail = 1, .follow = true };
	struct logs_reader *r;

	put_lines("a.log", 0, 3);
	r = reader(&q, NAMES("a"));
	EXPECT_MORE(r, "0:2|");
	put_lines("a.log", 3, 5);
	EXPECT_MORE(r, "0:3|0:4|");
	logs_reader_free(r);
	q.tail = 0;
	r = reader(&q, NAMES("a"));
	EXPECT_MORE(r, "");
	put_lines("a.log", 5, 6);
	ck_assert(readable(r));
	EXPECT_MORE(r, "0:5|");
	logs_reader_free(r);
}
END_TEST

START_TEST(following_waits_for_the_rest_of_a_record)
{
	struct logs_reader *r = reader(&following, NAMES("a"));
	auto_close int fd = openat(dir_fd, "a.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	char head[RECORD_HEAD_LEN];

	record_head(head, T0, LOGS_STDOUT);
	ck_assert_int_eq(fd_write_all(fd, head, 12), 0);
	EXPECT_MORE(r, "");
	ck_assert_int_eq(fd_write_all(fd, head + 12, sizeof(head) - 12), 0);
	EXPECT_MORE(r, "");
	ck_assert_int_eq(fd_write_all(fd, "x\n", 2), 0);
	EXPECT_MORE(r, "0:x|");
	logs_reader_free(r);
}
END_TEST

static void rotate(const char *name, unsigned files)
{
	for (unsigned n = files; n > 0; n--) {
		auto_free char *from = log_file_name(name, n - 1), *to = log_file_name(name, n);

		(void)renameat(dir_fd, from, dir_fd, to);
	}
}

START_TEST(following_survives_rotation)
{
	struct logs_reader *r;

	put_lines("a.log", 0, 1);
	r = reader(&following, NAMES("a"));
	EXPECT_MORE(r, "0:0|");
	put_lines("a.log", 1, 2);
	rotate("a", 3);
	put_lines("a.log", 2, 3);
	rotate("a", 3);
	put_lines("a.log", 3, 4);
	ck_assert(readable(r));
	EXPECT_MORE(r, "0:1|0:2|0:3|");
	rotate("a", 3);
	EXPECT_MORE(r, "");
	put_lines("a.log", 4, 5);
	ck_assert(readable(r));
	EXPECT_MORE(r, "0:4|");
	logs_reader_free(r);
}
END_TEST

START_TEST(who_reads_too_slowly_goes_on_at_the_oldest)
{
	struct logs_reader *r;

	put_lines("a.log", 0, 1);
	r = reader(&following, NAMES("a"));
	EXPECT_MORE(r, "0:0|");
	put_lines("a.log", 1, 2);
	for (unsigned i = 2; i < 6; i++) {
		rotate("a", 2);
		put_lines("a.log", i, i + 1);
	}
	EXPECT_MORE(r, "0:1|0:3|0:4|0:5|"); /* the open file is read to its end; 2 is lost */
	logs_reader_free(r);
}
END_TEST

START_TEST(a_removed_source_ends_with_its_files)
{
	struct logs_reader *r;

	put_lines("a.log", 0, 1);
	put_lines("b.log", 0, 1);
	r = reader(&following, NAMES("a", "b"));
	EXPECT_MORE(r, "0:0|1:0|");
	put_lines("a.log", 1, 2);
	rotate("a", 2);
	put_lines("a.log", 2, 3);
	logs_reader_remove(r, 0);
	EXPECT_MORE(r, "0:1|0:2|");
	put_lines("a.log", 3, 4);
	put_lines("b.log", 3, 4);
	EXPECT_MORE(r, "1:3|");
	logs_reader_free(r);
}
END_TEST

START_TEST(a_removed_log_that_comes_again_is_read_anew)
{
	struct logs_reader *r;

	put_lines("a.log", 0, 1);
	r = reader(&following, NAMES("a"));
	EXPECT_MORE(r, "0:0|");
	put_lines("a.log", 1, 2);
	ck_assert_int_eq(logs_remove(dir, "a"), 0);
	EXPECT_MORE(r, "0:1|");
	put_lines("a.log", 5, 6);
	ck_assert(readable(r));
	EXPECT_MORE(r, "0:5|");
	logs_reader_free(r);
}
END_TEST

START_TEST(following_ends_at_until)
{
	struct logs_query q = { .tail = -1, .until_ns = T0 + 2 * SEC, .follow = true };
	struct logs_reader *r;

	put_lines("a.log", 0, 1);
	r = reader(&q, NAMES("a"));
	put_lines("a.log", 1, 5);
	EXPECT_MORE(r, "0:0|0:1|0:2|");
	put_lines("a.log", 2, 3);
	EXPECT_MORE(r, "");
	logs_reader_free(r);
}
END_TEST

START_TEST(sources_may_be_added_while_following)
{
	struct logs_reader *r;
	size_t index;

	put_lines("a.log", 0, 1);
	r = reader(&following, NAMES("a"));
	EXPECT_MORE(r, "0:0|");
	put_lines("b.log", 1, 2);
	OK(logs_reader_add(r, dir, "b", &index, &err));
	ck_assert_uint_eq(index, 1);
	EXPECT_MORE(r, "1:1|");
	logs_reader_free(r);
}
END_TEST

/* ---- A writer meanwhile */

static void write_numbers(unsigned n)
{
	struct log_file f = { .max_size = 20000, .max_files = 200 };

	if (log_file_open(&f, dir, "w", NULL) < 0)
		_exit(1);
	for (unsigned i = 0; i < n; i++) {
		char rec[RECORD_HEAD_LEN + 16];
		int len;

		record_head(rec, T0 + i, LOGS_STDOUT);
		len = snprintf(rec + RECORD_HEAD_LEN, 16, "%07u\n", i);
		if (log_file_reserve(&f, RECORD_HEAD_LEN + (size_t)len) < 0 ||
		    log_file_append(&f, rec, RECORD_HEAD_LEN + (size_t)len) == 0)
			_exit(2);
	}
	_exit(0);
}

static int in_order(void *arg, const struct logs_line *line)
{
	unsigned *next = arg, v = 0;
	char text[8] = { 0 };

	ck_assert_uint_eq(line->len, 7);
	memcpy(text, line->text, 7);
	ck_assert_int_eq(sscanf(text, "%u", &v), 1);
	ck_assert_uint_eq(v, *next);
	++*next;
	return 0;
}

START_TEST(a_writer_that_rotates_all_the_time_is_followed_without_loss)
{
	enum { LINES = 60000 }; /* 144 files */
	struct logs_reader *r = reader(&following, NAMES("w"));
	unsigned next = 0;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		write_numbers(LINES);
	while (next < LINES) {
		struct pollfd p = { .fd = logs_reader_fd(r), .events = POLLIN };

		if (status == -1 && waitpid(pid, &status, WNOHANG) == pid)
			ck_assert_int_eq(status, 0);
		/* All has been told: without a word about it, nobody would wake us. */
		ck_assert(poll(&p, 1, status == -1 ? 100 : 0) > 0 || status == -1);
		OK(logs_reader_read(r, 0, in_order, &next, &err));
	}
	if (status == -1)
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	logs_reader_free(r);
}
END_TEST

static int write_more(void *arg, const struct logs_line *line)
{
	unsigned *n = arg;

	(void)line;
	put_lines("a.log", *n, *n + 1);
	if (*n % 10 == 0)
		rotate("a", 100);
	++*n;
	ck_assert_uint_lt(*n, 1000); /* would go on for ever */
	return 0;
}

START_TEST(without_follow_reading_ends_however_much_comes)
{
	struct logs_query q = ALL_LINES;
	struct logs_reader *r;
	unsigned n = 100;

	put_lines("a.log", 0, 100);
	r = reader(&q, NAMES("a"));
	OK(logs_reader_read(r, 0, write_more, &n, &err));
	ck_assert_uint_eq(n, 200);
	logs_reader_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("logs_read");
	TCase *t = tcase_create("read"), *f = tcase_create("follow");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, dir_open, dir_close);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, sources_are_merged_by_time);
	tcase_add_test(t, nothing_gets_between_the_parts_of_a_line);
	tcase_add_test(t, older_files_come_first_also_with_a_gap);
	tcase_add_test(t, what_is_no_record_is_shown);
	tcase_add_test(t, a_line_of_nonsense_needs_no_memory);
	tcase_add_test(t, reading_in_steps);
	tcase_add_test(t, a_folder_that_is_not_there);
	tcase_add_test(t, the_last_lines);
	tcase_add_test(t, the_last_lines_of_each_source);
	tcase_add_test(t, the_last_lines_over_rotated_files);
	tcase_add_test(t, a_line_of_many_parts_is_one);
	tcase_add_test(t, since_and_until_include_their_instant);
	tcase_add_test(t, tail_counts_from_until_and_not_before_since);
	tcase_add_test(t, big_files_are_not_read_to_find_a_place);
	tcase_add_test(t, all_of_a_big_file);
	tcase_add_checked_fixture(f, dir_open, dir_close);
	tcase_set_timeout(f, 120);
	tcase_add_test(f, following_hears_of_more);
	tcase_add_test(f, following_from_the_tail);
	tcase_add_test(f, following_waits_for_the_rest_of_a_record);
	tcase_add_test(f, following_survives_rotation);
	tcase_add_test(f, who_reads_too_slowly_goes_on_at_the_oldest);
	tcase_add_test(f, a_removed_source_ends_with_its_files);
	tcase_add_test(f, a_removed_log_that_comes_again_is_read_anew);
	tcase_add_test(f, following_ends_at_until);
	tcase_add_test(f, sources_may_be_added_while_following);
	tcase_add_test(f, a_writer_that_rotates_all_the_time_is_followed_without_loss);
	tcase_add_test(f, without_follow_reading_ends_however_much_comes);
	suite_add_tcase(s, t);
	suite_add_tcase(s, f);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
