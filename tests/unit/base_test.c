/* base_test.c - promises of base.h that need no kernel but files */
#include <ctrcompose/base.h>

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *text;
	int r;
	uint64_t value;
} sizes[] = {
	{ "0", 0, 0 },
	{ "512", 0, 512 },
	{ "1k", 0, 1024 },
	{ "1KB", 0, 1024 },
	{ "1KiB", 0, 1024 },
	{ "1.5g", 0, 1610612736 },
	{ "64 m", 0, 67108864 },
	{ ".5k", 0, 512 },
	{ "", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ "1x", -EINVAL, 0 },
	{ "1 ", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 },
	{ "0x10", -EINVAL, 0 },
	{ "1e3", -EINVAL, 0 },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "9223372036854775808", -ERANGE, 0 },
	{ "99999999p", -ERANGE, 0 },
};

START_TEST(sizes_are_strict)
{
	uint64_t v = 77;

	ck_assert_int_eq(parse_bytes(sizes[_i].text, &v), sizes[_i].r);
	ck_assert_uint_eq(v, sizes[_i].r == 0 ? sizes[_i].value : 77);
}
END_TEST

static const struct {
	const char *text;
	int r;
	uint64_t us;
} durations[] = {
	{ "1m30s", 0, 90000000 },    { "500ms", 0, 500000 }, { "1.5h", 0, 5400000000ULL },
	{ "1d", 0, 86400000000ULL }, { ".5s", 0, 500000 },   { "0s", 0, 0 },
	{ "5", -EINVAL, 0 },         { "", -EINVAL, 0 },     { "1S", -EINVAL, 0 },
	{ "1 s", -EINVAL, 0 },       { "-1s", -ERANGE, 0 },  { "99999999999999h", -ERANGE, 0 },
};

START_TEST(durations_follow_go)
{
	uint64_t v = 77;

	ck_assert_int_eq(parse_duration_us(durations[_i].text, &v), durations[_i].r);
	ck_assert_uint_eq(v, durations[_i].r == 0 ? durations[_i].us : 77);
}
END_TEST

START_TEST(signals_have_many_spellings)
{
	int sig = 0;

	ck_assert_int_eq(parse_signal("SIGTERM", &sig), 0);
	ck_assert_int_eq(sig, SIGTERM);
	ck_assert_int_eq(parse_signal("usr1", &sig), 0);
	ck_assert_int_eq(sig, SIGUSR1);
	ck_assert_int_eq(parse_signal("9", &sig), 0);
	ck_assert_int_eq(sig, SIGKILL);
	ck_assert_int_eq(parse_signal("SIGRTMIN+3", &sig), 0);
	ck_assert_int_eq(sig, SIGRTMIN + 3);
	ck_assert_int_eq(parse_signal("SIGNOPE", &sig), -EINVAL);
	ck_assert_int_eq(parse_signal("0", &sig), -ERANGE);
	ck_assert_int_eq(parse_signal("RTMIN+99", &sig), -EINVAL);
}
END_TEST

START_TEST(numbers_do_not_wrap)
{
	int64_t i;
	uint16_t p;

	ck_assert_int_eq(parse_i64("-9223372036854775808", &i), 0);
	ck_assert_int_eq(i, INT64_MIN);
	ck_assert_int_eq(parse_i64("9223372036854775808", &i), -ERANGE);
	ck_assert_int_eq(parse_port("65536", &p), -ERANGE);
	ck_assert_int_eq(parse_port("0", &p), -ERANGE);
	ck_assert_int_eq(parse_port("80", &p), 0);
}
END_TEST

START_TEST(errors_read_from_the_outside_in)
{
	auto_err struct err err = ERR_INIT;

	ck_assert_int_eq(err_set(&err, ENOENT, "no file '%s'", "x"), -ENOENT);
	ck_assert_int_eq(err_wrap(&err, err.code, "services.web"), -ENOENT);
	ck_assert_str_eq(err_text(&err), "services.web: no file 'x'");
	ck_assert_int_eq(err_set(NULL, EINVAL, "unheard"), -EINVAL);
}
END_TEST

START_TEST(map_keeps_order_and_survives_removal)
{
	auto_map struct map m = { 0 };
	char key[16];
	int values[500];

	for (int i = 0; i < 500; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		map_put(&m, key, &values[i]);
	}
	for (int i = 0; i < 500; i += 2) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		ck_assert_ptr_eq(map_remove(&m, key), &values[i]);
	}
	ck_assert_uint_eq(m.live, 250);
	ck_assert_ptr_eq(map_get(&m, "k499"), &values[499]);
	ck_assert_ptr_null(map_get(&m, "k498"));
	map_put(&m, "k0", &values[1]);
	ck_assert_ptr_eq(map_get(&m, "k0"), &values[1]);
	ck_assert_str_eq(m.entries[m.n - 1].key, "k0");
}
END_TEST

START_TEST(arena_memory_is_zeroed_and_stays)
{
	auto_arena struct arena a = { 0 };
	char *first = arena_strdup(&a, "first");
	char *big = arena_alloc(&a, 100000);

	for (int i = 0; i < 1000; i++)
		ck_assert_str_eq(arena_printf(&a, "s%d", 7), "s7");
	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq(big[i], 0);
	ck_assert_str_eq(first, "first");
}
END_TEST

START_TEST(nearest_name_is_suggested)
{
	static const char *const keys[] = { "ports", "image", "volumes" };

	ck_assert_str_eq(str_nearest("prots", keys, 3), "ports");
	ck_assert_str_eq(str_nearest("volume", keys, 3), "volumes");
	ck_assert_ptr_null(str_nearest("entirely", keys, 3));
}
END_TEST

START_TEST(paths_are_cleaned_lexically)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "/a//b/./c/", "/a/b/c" },
		{ "/../a", "/a" },
		{ "a/../..", ".." },
		{ ".", "." },
		{ "/", "/" },
		{ "a/..", "." },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *s = path_clean(cases[i].in);

		ck_assert_str_eq(s, cases[i].out);
	}
}
END_TEST

static int temp_dir(char path[64])
{
	int fd;

	(void)strcpy(path, "/tmp/base_test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(path));
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(links_do_not_lead_out_of_the_root)
{
	char path[64];
	auto_close int root = temp_dir(path);
	auto_close int made = -1;
	auto_close int seen = -1;

	ck_assert_int_eq(mkdirat(root, "in", 0755), 0);
	ck_assert_int_eq(symlinkat("/etc", root, "abs"), 0);
	ck_assert_int_eq(symlinkat("../../../../../../etc", root, "in/up"), 0);
	ck_assert_int_eq(path_open_in(root, "abs/passwd", O_RDONLY, 0), -ENOENT);
	ck_assert_int_eq(path_open_in(root, "in/up/passwd", O_RDONLY, 0), -ENOENT);
	made = path_mkdirs_in(root, "/etc/deep/er", 0755);
	ck_assert_int_ge(made, 0);
	seen = path_open_in(root, "abs/deep/er", O_PATH | O_DIRECTORY, 0);
	ck_assert_int_ge(seen, 0);
	ck_assert_int_eq(path_remove_tree(AT_FDCWD, path), 0);
	ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(much_is_not_removed_in_passing)
{
	char path[64];
	auto_close int dir = temp_dir(path);

	ck_assert_int_eq(mkdirat(dir, "a", 0700), 0);
	ck_assert_int_eq(mkdirat(dir, "a/b", 0700), 0);
	ck_assert_int_eq(file_replace(dir, "a/b/c", "", 0, 0600, false), 0);
	ck_assert_int_eq(file_replace(dir, "a/d", "", 0, 0600, false), 0);
	ck_assert_int_eq(path_remove_small(dir, "a", 3), -EAGAIN);
	ck_assert_int_eq(faccessat(dir, "a", F_OK, 0), 0);
	ck_assert_int_eq(path_remove_small(dir, "a", 4), 0);
	ck_assert_int_lt(faccessat(dir, "a", F_OK, 0), 0);
	ck_assert_int_eq(path_remove_small(dir, "a", 1), 0);
	ck_assert_int_eq(path_remove_tree(AT_FDCWD, path), 0);
}
END_TEST

START_TEST(a_replaced_file_is_whole)
{
	char path[64];
	auto_close int dir = temp_dir(path);
	auto_free char *text = NULL;
	size_t len = 0;

	ck_assert_int_eq(file_replace(dir, "f", "one", 3, 0600, true), 0);
	ck_assert_int_eq(file_replace(dir, "f", "two!", 4, 0600, false), 0);
	ck_assert_int_eq(file_read(dir, "f", 100, &text, &len), 0);
	ck_assert_uint_eq(len, 4);
	ck_assert_str_eq(text, "two!");
	ck_assert_int_eq(file_read(dir, "f", 3, &text, NULL), -EFBIG);
	ck_assert_int_eq(path_remove_tree(AT_FDCWD, path), 0);
}
END_TEST

START_TEST(programs_run_with_input_and_output)
{
	static char words[][24] = { "cat", "sh", "-c", "echo no; exit 3", "no-such-program-here" };
	char *const cat[] = { words[0], NULL };
	char *const fail[] = { words[1], words[2], words[3], NULL };
	char *const none[] = { words[4], NULL };
	auto_free char *out = NULL;
	auto_free char *said = NULL;

	ck_assert_int_eq(proc_run(cat, "hello", 5, &out), 0);
	ck_assert_str_eq(out, "hello");
	ck_assert_int_eq(proc_run(fail, NULL, 0, &said), 3);
	ck_assert_str_eq(said, "no\n");
	ck_assert_int_eq(proc_run(none, NULL, 0, NULL), 127);
}
END_TEST

START_TEST(a_zombie_tells_how_it_ended)
{
	siginfo_t info;
	uint64_t start;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(proc_start_time(pid, &start), 0);
	ck_assert_int_eq(proc_zombie_status(pid, start, &status), 0);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_int_eq(proc_zombie_status(pid, start + 1, &status), -ENODATA);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_lt(proc_zombie_status(pid, start, &status), 0);
	ck_assert_int_eq(proc_start_time(getpid(), &start), 0);
	ck_assert_int_eq(proc_zombie_status(getpid(), start, &status), -ENODATA);
}
END_TEST

START_TEST(ages_are_worded_as_people_know_them)
{
	static const struct {
		uint64_t s;
		const char *words;
	} cases[] = {
		{ 0, "Less than a second" }, { 1, "1 second" },    { 59, "59 seconds" },
		{ 60, "About a minute" },    { 120, "2 minutes" }, { 3600, "About an hour" },
		{ 7200, "2 hours" },         { 172800, "2 days" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *s = format_age(cases[i].s);

		ck_assert_str_eq(s, cases[i].words);
	}
}
END_TEST

/* Deeper than a path may be long, with the names that the removal uses itself. */
START_TEST(a_tree_of_any_depth_is_removed)
{
	char top[] = "/dev/shm/base-deep.XXXXXX"; /* a disk takes seconds for that */
	auto_close int tmp = open("/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int at;

	ck_assert_ptr_nonnull(mkdtemp(top));
	at = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 5000; i++) {
		const char *name = i % 500 == 99 ? ".ctrcompose-1" : "d";
		int next;

		ck_assert_int_eq(mkdirat(at, name, 0700), 0);
		if (i % 100 == 0)
			(void)close(
				openat(at, ".ctrcompose-0", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	ck_assert_int_eq(path_remove_tree(tmp, top + strlen("/dev/shm/")), 0);
	ck_assert_int_ne(access(top, F_OK), 0);
}
END_TEST

START_TEST(text_of_others_has_no_control_characters)
{
	auto_sbuf struct sbuf b = SBUF_INIT;

	sbuf_add_clean(&b, "a\033[31mb\tc\nd\177\302\233e\303\244\302", "\n");
	ck_assert_str_eq(sbuf_str(&b), "a?[31mb?c\nd??e\303\244\302");
	ck_assert_uint_eq(control_len("\302\237"), 2);
	ck_assert_uint_eq(control_len("\302\240"), 0);
	ck_assert_uint_eq(control_len("\302"), 0);
	ck_assert_uint_eq(control_len(""), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *t = tcase_create("base");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_loop_test(t, sizes_are_strict, 0, ARRAY_LEN(sizes));
	tcase_add_loop_test(t, durations_follow_go, 0, ARRAY_LEN(durations));
	tcase_add_test(t, signals_have_many_spellings);
	tcase_add_test(t, numbers_do_not_wrap);
	tcase_add_test(t, errors_read_from_the_outside_in);
	tcase_add_test(t, map_keeps_order_and_survives_removal);
	tcase_add_test(t, arena_memory_is_zeroed_and_stays);
	tcase_add_test(t, nearest_name_is_suggested);
	tcase_add_test(t, paths_are_cleaned_lexically);
	tcase_add_test(t, links_do_not_lead_out_of_the_root);
	tcase_add_test(t, much_is_not_removed_in_passing);
	tcase_add_test(t, a_replaced_file_is_whole);
	tcase_add_test(t, programs_run_with_input_and_output);
	tcase_add_test(t, a_zombie_tells_how_it_ended);
	tcase_add_test(t, ages_are_worded_as_people_know_them);
	tcase_add_test(t, a_tree_of_any_depth_is_removed);
	tcase_add_test(t, text_of_others_has_no_control_characters);
	suite_add_tcase(suite, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
