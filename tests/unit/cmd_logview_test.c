/* cmd_logview_test.c - how lines of containers are shown: whole, in bounded memory, exits after them. */
#include "containers/container.h"
#include "logs_make.h"
#include "screen/logview.h"

static struct state_paths paths;
static char *logs;
static int out_fd = -1;

static const struct logs_query all = { .tail = -1 }, following = { .tail = -1, .follow = true };

static void setup(void)
{
	auto_free char *state = NULL, *out = NULL;

	dir_open();
	state = path_join(dir, "state");
	out = path_join(dir, "out");
	(void)setenv("CTRCOMPOSE_STATE", state, 1);
	(void)setenv("CTRCOMPOSE_RUN", state, 1);
	OK(state_paths_open(&paths, &err));
	logs = state_project_dir(&paths, "shop");
	ck_assert_int_eq(path_mkdirs(logs, 0755), 0);
	(void)close(dir_fd);
	dir_fd = open(logs, O_DIRECTORY | O_CLOEXEC);
	out_fd = open(out, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(dup2(out_fd, STDOUT_FILENO), 0);
}

static void teardown(void)
{
	(void)close(out_fd);
	free(logs);
	state_paths_clear(&paths);
	dir_close();
}

/* What was printed since the last call. */
static char *printed(void)
{
	static char text[1 << 20];
	ssize_t n;

	ck_assert_int_eq(lseek(out_fd, 0, SEEK_SET), 0);
	n = fd_read_full(out_fd, text, sizeof(text) - 1);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	ck_assert_int_eq(ftruncate(out_fd, 0), 0);
	return text;
}

static struct logview *view(const struct logs_query *q, struct logview_options opt)
{
	struct logview *v = NULL;

	OK(logview_open(q, &opt, &v, &err));
	return v;
}

static void add(struct logview *v, const char *id, const char *name)
{
	auto_free char *id_copy = xstrdup(id), *name_copy = xstrdup(name);
	struct state_container c = { .id = id_copy, .name = name_copy };

	OK(logview_add(v, &paths, "shop", &c, &err));
}

static const struct {
	const char *name, *label;
} labels[] = {
	{ "shop-web-1", "web-1" }, { "shop-", "shop-" },           { "shop", "shop" },
	{ "mine", "mine" },        { "shopping-1", "shopping-1" },
};

static int exited(struct logview *v, const char *id, int code, bool restarting, struct err *err)
{
	auto_free char *copy = xstrdup(id);

	return logview_exited(v, &(struct state_container){ .id = copy, .exit_code = code },
			      restarting, err);
}

START_TEST(labels_leave_the_project_out)
{
	auto_free char *name = xstrdup(labels[_i].name);
	struct state_container c = { .name = name };

	ck_assert_str_eq(container_label("shop", &c), labels[_i].label);
}
END_TEST

START_TEST(the_widest_name_counts)
{
	struct logview *v = view(&all, (struct logview_options){ 0 });

	put_record("shop-a-1.log", T0, LOGS_STDOUT, 'F', "one");
	put_record("a-long-name.log", T0 + 1, LOGS_STDERR, 'F', "two");
	add(v, "1", "shop-a-1");
	add(v, "2", "a-long-name");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "a-1          | one\na-long-name  | two\n");
	ck_assert_int_eq(logview_fd(v), -1);
	logview_close(v);
	ck_assert_str_eq(printed(), "");
}
END_TEST

START_TEST(open_lines_of_both_streams_are_held_until_they_end)
{
	struct logview *v =
		view(&following, (struct logview_options){ .no_prefix = true, .timestamps = true });

	add(v, "1", "shop-a-1");
	put_record("shop-a-1.log", T0, LOGS_STDOUT, 'P', "name");
	put_record("shop-a-1.log", T0 + 1, LOGS_STDERR, 'P', "war");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "");
	put_record("shop-a-1.log", T0 + 2, LOGS_STDOUT, 'F', "s");
	put_record("shop-a-1.log", T0 + 3, LOGS_STDERR, 'P', "ning");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "2026-01-01T00:00:00.000000000Z names\n");
	logview_close(v);
	ck_assert_str_eq(printed(), "2026-01-01T00:00:00.000000001Z warning\n");
}
END_TEST

/* 10 parts of the greatest length. */
static void put_long(const char *file, char c, bool end)
{
	auto_free char *text = xcalloc(1, LOGS_LINE_MAX + 1);

	memset(text, c, LOGS_LINE_MAX);
	for (int i = 0; i < 10; i++)
		put_record(file, T0 + SEC, LOGS_STDOUT, 'P', text);
	if (end)
		put_record(file, T0 + SEC, LOGS_STDOUT, 'F', "end");
}

static size_t count(const char *s, char c)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == c;
	return n;
}

START_TEST(a_line_too_long_to_hold_is_one_line_all_the_same)
{
	struct logview *v = view(&all, (struct logview_options){ 0 });
	char *text;

	put_record("shop-b-1.log", T0 + SEC, LOGS_STDOUT, 'F', "other");
	put_long("shop-a-1.log", 'x', true);
	add(v, "1", "shop-a-1");
	add(v, "2", "shop-b-1");
	OK(logview_pump(v, &err));
	logview_close(v);
	text = printed();
	ck_assert_uint_eq(count(text, 'x'), 10 * LOGS_LINE_MAX);
	ck_assert_uint_eq(count(text, '\n'), 2);
	ck_assert_uint_eq(count(text, '|'), 2);
	ck_assert(str_starts(text, "a-1  | xxx"));
	ck_assert(str_ends(text, "xxxend\nb-1  | other\n"));
}
END_TEST

START_TEST(who_comes_in_between_gets_a_line_of_its_own)
{
	struct logview *v = view(&following, (struct logview_options){ 0 });

	add(v, "1", "shop-a-1");
	add(v, "2", "shop-b-1");
	put_long("shop-a-1.log", 'x', false);
	OK(logview_pump(v, &err));
	ck_assert_uint_eq(count(printed(), '\n'), 0);
	put_record("shop-b-1.log", T0 + 2 * SEC, LOGS_STDOUT, 'F', "other");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "\nb-1  | other\n");
	put_record("shop-a-1.log", T0 + 3 * SEC, LOGS_STDOUT, 'F', "tail");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "a-1  | tail\n");
	logview_close(v);
}
END_TEST

START_TEST(an_exit_comes_after_all_that_was_printed)
{
	struct logview *v = view(&following, (struct logview_options){ 0 });

	add(v, "1", "shop-a-1");
	OK(logview_pump(v, &err));
	put_record("shop-a-1.log", T0, LOGS_STDOUT, 'F', "line");
	put_record("shop-a-1.log", T0 + 1, LOGS_STDOUT, 'P', "open");
	OK(exited(v, "1", 3, false, &err));
	ck_assert_str_eq(printed(), "a-1  | line\na-1  | open\na-1 exited with code 3\n");
	put_record("shop-a-1.log", T0 + 2, LOGS_STDOUT, 'F', "again");
	OK(exited(v, "1", 1, true, &err));
	ck_assert_str_eq(printed(), "a-1  | again\na-1 exited with code 1 (restarting)\n");
	OK(exited(v, "nobody", 1, false, &err));
	logview_close(v);
	ck_assert_str_eq(printed(), "");
}
END_TEST

START_TEST(a_container_in_the_place_of_another)
{
	struct logview *v = view(&following, (struct logview_options){ 0 });

	put_record("shop-a-1.log", T0, LOGS_STDOUT, 'F', "old");
	add(v, "1", "shop-a-1");
	add(v, "1", "shop-a-1");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "a-1  | old\n");
	ck_assert_int_eq(logs_remove(logs, "shop-a-1"), 0);
	put_record("shop-a-1.log", T0 + 1, LOGS_STDOUT, 'F', "new");
	OK(logview_pump(v, &err)); /* before anybody told us */
	logview_remove(v, "1");
	add(v, "2", "shop-a-1");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "a-1  | new\n");
	put_record("shop-a-1.log", T0 + 2, LOGS_STDOUT, 'F', "more");
	OK(exited(v, "2", 0, false, &err));
	ck_assert_str_eq(printed(), "a-1  | more\na-1 exited with code 0\n");
	logview_close(v);
}
END_TEST

START_TEST(a_removed_container_comes_back_later)
{
	struct logview *v = view(&following, (struct logview_options){ 0 });

	put_record("shop-a-1.log", T0, LOGS_STDOUT, 'F', "old");
	add(v, "1", "shop-a-1");
	logview_remove(v, "1");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "a-1  | old\n");
	ck_assert_int_eq(logs_remove(logs, "shop-a-1"), 0);
	put_record("shop-a-1.log", T0 + 1, LOGS_STDOUT, 'F', "new");
	add(v, "2", "shop-a-1");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "a-1  | new\n");
	logview_close(v);
}
END_TEST

START_TEST(tail_is_for_what_is_there_at_first)
{
	struct logs_query q = { .tail = 0, .follow = true };
	struct logview *v = view(&q, (struct logview_options){ 0 });

	put_record("shop-a-1.log", T0, LOGS_STDOUT, 'F', "old");
	add(v, "1", "shop-a-1");
	OK(logview_pump(v, &err));
	put_record("shop-b-1.log", T0, LOGS_STDOUT, 'F', "new");
	add(v, "2", "shop-b-1");
	OK(logview_pump(v, &err));
	ck_assert_str_eq(printed(), "b-1  | new\n");
	logview_close(v);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cmd_logview");
	TCase *t = tcase_create("view");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, labels_leave_the_project_out, 0, ARRAY_LEN(labels));
	tcase_add_test(t, the_widest_name_counts);
	tcase_add_test(t, open_lines_of_both_streams_are_held_until_they_end);
	tcase_add_test(t, a_line_too_long_to_hold_is_one_line_all_the_same);
	tcase_add_test(t, who_comes_in_between_gets_a_line_of_its_own);
	tcase_add_test(t, an_exit_comes_after_all_that_was_printed);
	tcase_add_test(t, a_container_in_the_place_of_another);
	tcase_add_test(t, a_removed_container_comes_back_later);
	tcase_add_test(t, tail_is_for_what_is_there_at_first);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
