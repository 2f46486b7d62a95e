/* What a container prints is in its files, byte for byte, in bounded files and bounded memory. */
#include "logs_make.h"

#include <sys/resource.h>
#include <sys/wait.h>

static struct loop *loop;
static struct logs_pump *pump;
static int out_fd, err_fd; /* the container's ends */

static void open_pump(uint64_t max_size, unsigned max_files)
{
	struct logs_pump_config cfg = {
		.dir = dir, .name = "web", .max_size = max_size, .max_files = max_files
	};
	int o, e;

	OK(logs_fifo_make(dir_fd, "1", &o, &err));
	OK(logs_fifo_make(dir_fd, "2", &e, &err));
	OK(logs_pump_new(loop, &cfg, o, e, &pump, &err));
}

static void setup(void)
{
	dir_open();
	OK(loop_new(&loop, &err));
	open_pump(0, 0);
	OK(logs_fifo_open_writer(dir_fd, "1", &out_fd, &err));
	OK(logs_fifo_open_writer(dir_fd, "2", &err_fd, &err));
}

static void teardown(void)
{
	(void)close(out_fd);
	(void)close(err_fd);
	logs_pump_free(pump);
	loop_free(loop);
	dir_close();
}

static void again(uint64_t max_size, unsigned max_files)
{
	logs_pump_free(pump);
	pump = NULL;
	open_pump(max_size, max_files);
}

static void turn_all(void)
{
	while (loop_turn(loop, 0) > 0)
		;
}

/* Until the pump has moved so many bytes in all. */
static void wait_moved(const struct logs_pump *p, uint64_t bytes)
{
	while (logs_pump_stats(p).bytes < bytes)
		(void)loop_turn(loop, LOOP_NEVER);
	turn_all();
}

static void print_through(const struct logs_pump *p, int fd, const char *text)
{
	uint64_t before = logs_pump_stats(p).bytes;

	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	wait_moved(p, before + strlen(text));
}

static void print(int fd, const char *text)
{
	print_through(pump, fd, text);
}

/* A process that writes to fd while we pump: n times the bytes of text. */
static void flood(int fd, const char *text, size_t len, size_t n)
{
	uint64_t before = logs_pump_stats(pump).bytes;
	pid_t pid = fork();
	int status = -1;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		for (size_t i = 0; i < n; i++)
			if (fd_write_all(fd, text, len) < 0)
				_exit(1);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		(void)loop_turn(loop, 1000);
	ck_assert_int_eq(status, 0);
	wait_moved(pump, before + len * n);
}

static size_t count_raw(uint64_t *parts)
{
	struct sbuf got = SBUF_INIT;
	struct logs_query q = ALL_LINES;
	struct logs_reader *r = reader(&q, NAMES("web"));
	size_t raw = 0;

	read_all(r, &got);
	logs_reader_free(r);
	for (size_t i = 0; parts && i < got.len; i++)
		*parts += got.s[i] == '+';
	for (size_t i = 0; i < got.len; i++)
		raw += got.s[i] == 'x';
	sbuf_clear(&got);
	return raw;
}

START_TEST(lines_of_both_streams)
{
	print(out_fd, "one\ntwo\n");
	print(err_fd, "oops\n");
	print(out_fd, "\nthree\n");
	EXPECT(ALL_LINES, NAMES("web"), "0:one|0:two|0e:oops|0:|0:three|");
	ck_assert_uint_eq(logs_pump_stats(pump).lines, 5);
	ck_assert_uint_eq(logs_pump_stats(pump).bytes, 20);
	ck_assert_uint_eq(logs_pump_stats(pump).lost, 0);
}
END_TEST

START_TEST(a_prompt_without_newline_is_there_at_once_and_goes_on)
{
	print(out_fd, "name? ");
	EXPECT(ALL_LINES, NAMES("web"), "0:name? +");
	print(out_fd, "bob\n");
	EXPECT(ALL_LINES, NAMES("web"), "0:name? +0:bob|");
}
END_TEST

START_TEST(drain_moves_what_is_left_and_ends_open_lines)
{
	ck_assert_int_eq(fd_write_all(out_fd, "last words", 10), 0);
	logs_pump_drain(pump);
	logs_pump_drain(pump);
	EXPECT(ALL_LINES, NAMES("web"), "0:last words+0:|");
	print(out_fd, "next life\n");
	EXPECT(ALL_LINES, NAMES("web"), "0:last words+0:|0:next life|");
}
END_TEST

START_TEST(binary_bytes_come_back)
{
	char text[257];
	auto_free char *file = NULL;
	size_t len;

	for (int i = 0; i < 256; i++)
		text[i] = (char)(i == '\n' ? 'n' : i);
	text[256] = '\n';
	ck_assert_int_eq(fd_write_all(out_fd, text, sizeof(text)), 0);
	wait_moved(pump, sizeof(text));
	ck_assert_int_eq(file_read(dir_fd, "web.log", 1 << 20, &file, &len), 0);
	ck_assert_uint_eq(len, RECORD_HEAD_LEN + 257);
	ck_assert_mem_eq(file + RECORD_HEAD_LEN, text, 257);
}
END_TEST

START_TEST(a_long_line_is_cut_at_the_limit)
{
	auto_free char *text = xmalloc(LOGS_LINE_MAX + 2);
	uint64_t parts = 0;

	memset(text, 'x', LOGS_LINE_MAX + 1);
	text[LOGS_LINE_MAX] = '\n';
	ck_assert_int_eq(fd_write_all(out_fd, text, LOGS_LINE_MAX + 1), 0);
	wait_moved(pump, LOGS_LINE_MAX + 1);
	ck_assert_uint_eq(count_raw(&parts), LOGS_LINE_MAX);
	ck_assert_uint_eq(parts, 0);
	text[LOGS_LINE_MAX] = 'x';
	text[LOGS_LINE_MAX + 1] = '\n';
	ck_assert_int_eq(fd_write_all(out_fd, text, LOGS_LINE_MAX + 2), 0);
	wait_moved(pump, 2 * LOGS_LINE_MAX + 3);
	ck_assert_uint_eq(count_raw(&parts), 2 * LOGS_LINE_MAX + 1);
	ck_assert_uint_eq(parts, 1);
}
END_TEST

START_TEST(a_line_of_100_mb_needs_no_memory)
{
	enum { PIECE = 100000, PIECES = 1000 };
	auto_free char *text = xmalloc(PIECE);
	struct rusage before, after;
	uint64_t parts = 0;

	again(200U << 20, 2);
	memset(text, 'x', PIECE);
	ck_assert_int_eq(getrusage(RUSAGE_SELF, &before), 0);
	flood(out_fd, text, PIECE, PIECES);
	ck_assert_int_eq(getrusage(RUSAGE_SELF, &after), 0);
	ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 32 << 10); /* kB */
	ck_assert_uint_eq(logs_pump_stats(pump).bytes, (uint64_t)PIECE * PIECES);
	ck_assert_uint_eq(count_raw(&parts), (size_t)PIECE * PIECES);
}
END_TEST

START_TEST(newlines_alone_are_lines)
{
	auto_free char *text = xmalloc(100000);

	again(100U << 20, 2);
	memset(text, '\n', 100000);
	flood(out_fd, text, 100000, 5);
	ck_assert_uint_eq(logs_pump_stats(pump).lines, 500000);
	ck_assert_uint_eq(size_of("web.log"), 500000 * (RECORD_HEAD_LEN + 1));
}
END_TEST

START_TEST(files_are_rotated_and_bounded)
{
	again(10000, 3);
	for (int i = 0; i < 1000; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "this is line number %d\n", i);
		print(out_fd, text);
	}
	ck_assert(there("web.log") && there("web.log.1") && there("web.log.2"));
	ck_assert(!there("web.log.3"));
	ck_assert_uint_le(size_of("web.log"), 10000);
	ck_assert_uint_le(size_of("web.log.1"), 10000);
	ck_assert_uint_gt(size_of("web.log.1"), 9000);
	EXPECT(((struct logs_query){ .tail = 2 }), NAMES("web"),
	       "0:this is line number 998|0:this is line number 999|");
}
END_TEST

START_TEST(a_flood_stays_within_the_bound)
{
	static const char line[] = "0123456789012345678901234567890123456789\n";
	uint64_t total;

	again(100000, 3);
	flood(out_fd, line, sizeof(line) - 1, 100000);
	ck_assert_uint_eq(logs_pump_stats(pump).lines, 100000);
	total = size_of("web.log") + size_of("web.log.1") + size_of("web.log.2");
	ck_assert_uint_le(total, 300000);
	ck_assert(!there("web.log.3"));
}
END_TEST

START_TEST(a_flood_does_not_starve_another_container)
{
	static const char line[] = "0123456789012345678901234567890123456789\n";
	struct logs_pump_config cfg = { .dir = dir, .name = "calm" };
	struct logs_pump *calm;
	int fd, w, turns = 0;
	pid_t pid;

	again(100000, 2);
	OK(logs_fifo_make(dir_fd, "c", &fd, &err));
	OK(logs_pump_new(loop, &cfg, fd, -1, &calm, &err));
	OK(logs_fifo_open_writer(dir_fd, "c", &w, &err));
	pid = fork();
	if (pid == 0)
		while (fd_write_all(out_fd, line, sizeof(line) - 1) == 0)
			;
	wait_moved(pump, 1 << 20);
	for (int i = 1; i <= 100; i++) {
		ck_assert_int_eq(fd_write_all(w, "here\n", 5), 0);
		for (; logs_pump_stats(calm).bytes < 5 * (uint64_t)i; turns++)
			(void)loop_turn(loop, LOOP_NEVER);
	}
	ck_assert_int_lt(turns, 1000); /* its turn comes after a few of the others' */
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	logs_pump_free(calm);
	(void)close(w);
}
END_TEST

START_TEST(a_slow_reader_stops_nobody)
{
	static const char line[] = "0123456789012345678901234567890123456789\n";
	struct logs_query q = { .tail = -1, .follow = true };
	auto_sbuf struct sbuf got = SBUF_INIT;
	struct logs_reader *r;

	again(100000, 2);
	print(out_fd, "first\n");
	r = reader(&q, NAMES("web"));
	read_all(r, &got);
	flood(out_fd, line, sizeof(line) - 1, 200000);
	ck_assert_uint_eq(logs_pump_stats(pump).lines, 200001);
	print(out_fd, "last\n");
	read_all(r, &got);
	ck_assert(str_starts(got.s, "0:first|0:0123"));
	ck_assert(str_ends(got.s, "0:last|"));
	logs_reader_free(r);
}
END_TEST

START_TEST(one_file_starts_over)
{
	again(1000, 1);
	for (int i = 0; i < 100; i++)
		print(out_fd, "a line of the container\n");
	ck_assert_uint_le(size_of("web.log"), 1000);
	ck_assert(!there("web.log.1"));
}
END_TEST

START_TEST(fewer_files_than_before_removes_the_rest)
{
	for (int i = 1; i < 6; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "web.log.%d", i);
		put_record(name, T0, LOGS_STDOUT, 'F', "x");
	}
	again(0, 3);
	ck_assert(there("web.log.1") && there("web.log.2"));
	ck_assert(!there("web.log.3") && !there("web.log.4") && !there("web.log.5"));
	logs_pump_free(pump);
	pump = NULL;
	ck_assert_int_eq(logs_rename(dir, "web", "x_web"), 0);
	ck_assert(!there("web.log") && !there("web.log.1") && !there("web.pos"));
	ck_assert(there("x_web.log") && there("x_web.log.1") && there("x_web.log.2"));
	ck_assert_int_eq(logs_rename(dir, "x_web", "web"), 0);
	ck_assert_int_eq(logs_rename(dir, "x_web", "web"), 0);
	ck_assert_int_eq(logs_rename("/nonexistent", "a", "b"), 0);
	ck_assert(there("web.log") && there("web.log.2") && !there("x_web.pos"));
	ck_assert_int_eq(logs_remove(dir, "web"), 0);
	ck_assert(!there("web.log") && !there("web.log.1") && !there("web.pos"));
	ck_assert_int_eq(logs_remove(dir, "web"), 0);
	ck_assert_int_eq(logs_remove("/nonexistent", "web"), 0);
}
END_TEST

START_TEST(a_torn_record_is_cut_off)
{
	auto_close int fd = openat(dir_fd, "web.log", O_WRONLY | O_APPEND);

	print(out_fd, "whole\n");
	ck_assert_int_eq(fd_write_all(fd, "2026-01-02T03:0", 15), 0);
	again(0, 0);
	print(out_fd, "next\n");
	EXPECT(ALL_LINES, NAMES("web"), "0:whole|0:next|");
}
END_TEST

START_TEST(a_full_disk_is_counted_and_stops_nobody)
{
	struct rlimit small = { 4096, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
	static const char line[] = "a line that may not fit any more\n";
	uint64_t lost;

	/* For write(2) a limit on file sizes is what a full disk is: a part, then nothing. */
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 200; i++)
		print(out_fd, line);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	lost = logs_pump_stats(pump).lost;
	ck_assert_uint_eq(lost % (sizeof(line) - 1), 0);
	ck_assert_uint_eq(lost / (sizeof(line) - 1) +
				  size_of("web.log") / (RECORD_HEAD_LEN + sizeof(line) - 1),
			  200);
	print(out_fd, "back\n");
	EXPECT(((struct logs_query){ .tail = 1 }), NAMES("web"), "0:back|");
	ck_assert_uint_eq(logs_pump_stats(pump).lost, lost);
}
END_TEST

START_TEST(nothing_is_written_with_discard)
{
	struct logs_pump_config cfg = { .dir = dir, .name = "quiet", .discard = true };
	struct logs_pump *p;
	int fd, w;

	OK(logs_fifo_make(dir_fd, "q", &fd, &err));
	OK(logs_pump_new(loop, &cfg, fd, -1, &p, &err));
	OK(logs_fifo_open_writer(dir_fd, "q", &w, &err));
	print_through(p, w, "hello\n");
	ck_assert_uint_eq(logs_pump_stats(p).bytes, 6);
	ck_assert(!there("quiet.log"));
	logs_pump_free(p);
	(void)close(w);
}
END_TEST

static void keep_raw(void *arg, enum logs_stream stream, const void *data, size_t len)
{
	ck_assert_int_eq(stream, LOGS_STDOUT);
	sbuf_add(arg, data, len);
}

START_TEST(a_terminal_has_one_stream_and_raw_bytes_are_seen)
{
	auto_sbuf struct sbuf raw = SBUF_INIT;
	struct logs_pump_config cfg = {
		.dir = dir, .name = "tty", .raw = keep_raw, .raw_arg = &raw
	};
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), slave;
	struct logs_pump *p;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(slave, 0);
	OK(logs_pump_new(loop, &cfg, master, -1, &p, &err));
	ck_assert_int_eq(write(slave, "hi\n", 3), 3);
	wait_moved(p, 4); /* the kernel passes it on in its own time */
	ck_assert_str_eq(sbuf_str(&raw), "hi\r\n");
	ck_assert_int_eq(write(slave, "bye", 3), 3);
	wait_moved(p, 7);
	(void)close(slave);
	turn_all(); /* does not spin on the terminal nobody has open */
	logs_pump_drain(p);
	EXPECT(ALL_LINES, NAMES("tty"), "0:hi\r|0:bye+0:|");
	logs_pump_free(p);
}
END_TEST

START_TEST(a_plain_pipe_ends)
{
	struct logs_pump_config cfg = { .dir = dir, .name = "pipe" };
	struct logs_pump *p;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	OK(logs_pump_new(loop, &cfg, fds[0], -1, &p, &err));
	ck_assert_int_eq(fd_write_all(fds[1], "a\nb", 3), 0);
	(void)close(fds[1]);
	wait_moved(p, 3);
	EXPECT(ALL_LINES, NAMES("pipe"), "0:a|0:b+0:|");
	logs_pump_free(p);
}
END_TEST

START_TEST(who_writes_lives_without_a_pump)
{
	logs_pump_free(pump);
	pump = NULL;
	(void)signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(fd_write_all(out_fd, "alone\n", 6), 0);
	open_pump(0, 0);
	wait_moved(pump, 6);
	EXPECT(ALL_LINES, NAMES("web"), "0:alone|");
}
END_TEST

START_TEST(a_file_is_no_fifo)
{
	auto_err struct err e = ERR_INIT;
	int fd;

	put_record("3", T0, LOGS_STDOUT, 'F', "x");
	ck_assert_int_eq(logs_fifo_make(dir_fd, "3", &fd, &e), -EEXIST);
	ck_assert_int_eq(logs_fifo_open_writer(dir_fd, "4", &fd, NULL), -ENOENT);
}
END_TEST

/* ---- Killed between the file and the FIFO ---------------------------------------------------- */

/* As the journal, the file and the FIFO are when the pump is killed at that point. */
static void pretend_kill(const char *in_fifo, const char *in_file, uint32_t pending)
{
	struct journal j;
	struct log_file f = { .max_size = LOGS_SIZE_MAX, .max_files = 3 };

	logs_pump_free(pump);
	pump = NULL;
	OK(log_file_open(&f, dir, "web", &err));
	journal_open(&j, dir_fd, "web");
	j.v[0] = (struct journal_entry){ .ino = f.ino, .offset = f.size, .pending = pending };
	journal_put(&j);
	journal_close(&j);
	log_file_close(&f);
	if (in_file)
		put_record("web.log", now_real_ns(), LOGS_STDOUT, 'F', in_file);
	ck_assert_int_eq(fd_write_all(out_fd, in_fifo, strlen(in_fifo)), 0);
	open_pump(0, 0);
	turn_all();
}

START_TEST(killed_before_the_write_loses_nothing)
{
	print(out_fd, "tick\n");
	pretend_kill("tick\n", NULL, 5);
	EXPECT(ALL_LINES, NAMES("web"), "0:tick|0:tick|");
}
END_TEST

START_TEST(killed_after_the_write_repeats_nothing)
{
	print(out_fd, "tick\n");
	pretend_kill("tick\ntock\n", "tick", 5);
	EXPECT(ALL_LINES, NAMES("web"), "0:tick|0:tick|0:tock|");
}
END_TEST

START_TEST(killed_amid_the_write_goes_on_there)
{
	pretend_kill("a\nb\nc\n", "a", 6);
	EXPECT(ALL_LINES, NAMES("web"), "0:a|0:b|0:c|");
}
END_TEST

START_TEST(killed_after_all_of_it_takes_the_same_line_again)
{
	print(out_fd, "tick\n");
	pretend_kill("tick\n", "tick", 0);
	EXPECT(ALL_LINES, NAMES("web"), "0:tick|0:tick|0:tick|");
}
END_TEST

static void pump_in_child(void)
{
	struct loop *own;
	struct logs_pump_config cfg = {
		.dir = dir, .name = "web", .max_size = 1 << 20, .max_files = 100
	};
	struct logs_pump *p;
	int o;

	if (loop_new(&own, NULL) < 0 || logs_fifo_make(dir_fd, "1", &o, NULL) < 0 ||
	    logs_pump_new(own, &cfg, o, -1, &p, NULL) < 0)
		_exit(1);
	for (;;)
		(void)loop_turn(own, LOOP_NEVER);
}

static void number_lines(unsigned n)
{
	char text[32];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(text, sizeof(text), "line %u\n", i);
		if (fd_write_all(out_fd, text, strlen(text)) < 0)
			_exit(1);
	}
	_exit(0);
}

struct numbered {
	unsigned next;
	struct sbuf line;
};

static int check_number(void *arg, const struct logs_line *line)
{
	struct numbered *c = arg;
	char want[32];

	sbuf_add(&c->line, line->text, line->len);
	if (line->partial)
		return 0;
	(void)snprintf(want, sizeof(want), "line %u", c->next++);
	ck_assert_str_eq(sbuf_str(&c->line), want);
	c->line.len = 0;
	return 0;
}

/* A container that prints all the time; its pump is killed again and again. */
START_TEST(kill_nine_loses_and_repeats_no_line)
{
	enum { LINES = 300000 };
	struct numbered c = { 0, SBUF_INIT };
	struct logs_query q = ALL_LINES;
	struct logs_reader *r;
	int status = -1, kills = 0;
	pid_t writer;

	logs_pump_free(pump);
	pump = NULL;
	writer = fork();
	if (writer == 0)
		number_lines(LINES);
	while (waitpid(writer, &status, WNOHANG) == 0) {
		pid_t pid = fork();

		if (pid == 0)
			pump_in_child();
		(void)usleep(500 + (useconds_t)(kills % 40) * 173);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		kills++;
	}
	ck_assert_int_eq(status, 0);
	ck_assert_int_gt(kills, 0);
	open_pump(1 << 20, 100);
	turn_all();
	r = reader(&q, NAMES("web"));
	OK(logs_reader_read(r, 0, check_number, &c, &err));
	logs_reader_free(r);
	sbuf_clear(&c.line);
	ck_assert_uint_eq(c.next, LINES);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("logs");
	TCase *t = tcase_create("pump"), *k = tcase_create("kill");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, lines_of_both_streams);
	tcase_add_test(t, a_prompt_without_newline_is_there_at_once_and_goes_on);
	tcase_add_test(t, drain_moves_what_is_left_and_ends_open_lines);
	tcase_add_test(t, binary_bytes_come_back);
	tcase_add_test(t, a_long_line_is_cut_at_the_limit);
	tcase_add_test(t, a_line_of_100_mb_needs_no_memory);
	tcase_add_test(t, newlines_alone_are_lines);
	tcase_add_test(t, files_are_rotated_and_bounded);
	tcase_add_test(t, a_flood_stays_within_the_bound);
	tcase_add_test(t, a_flood_does_not_starve_another_container);
	tcase_add_test(t, a_slow_reader_stops_nobody);
	tcase_add_test(t, one_file_starts_over);
	tcase_add_test(t, fewer_files_than_before_removes_the_rest);
	tcase_add_test(t, a_torn_record_is_cut_off);
	tcase_add_test(t, a_full_disk_is_counted_and_stops_nobody);
	tcase_add_test(t, nothing_is_written_with_discard);
	tcase_add_test(t, a_terminal_has_one_stream_and_raw_bytes_are_seen);
	tcase_add_test(t, a_plain_pipe_ends);
	tcase_add_test(t, who_writes_lives_without_a_pump);
	tcase_add_test(t, a_file_is_no_fifo);
	tcase_add_checked_fixture(k, setup, teardown);
	tcase_set_timeout(k, 120);
	tcase_add_test(k, killed_before_the_write_loses_nothing);
	tcase_add_test(k, killed_after_the_write_repeats_nothing);
	tcase_add_test(k, killed_amid_the_write_goes_on_there);
	tcase_add_test(k, killed_after_all_of_it_takes_the_same_line_again);
	tcase_add_test(k, kill_nine_loses_and_repeats_no_line);
	suite_add_tcase(s, t);
	suite_add_tcase(s, k);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
