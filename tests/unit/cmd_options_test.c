/* cmd_options_test.c - how command lines are read, and the help that the same table makes. */
#include "cmd.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct {
	bool follow, all, trunc;
	const char *name;
	struct strs list, commas;
	int64_t number, timeout;
	uint64_t duration, when;
} v;

static const struct opt opts[] = {
	{ 'a', "all", OPT_FLAG, &v.all, NULL, "all of them" },
	{ 'f', "follow", OPT_FLAG, &v.follow, NULL, "go on" },
	{ 0, "no-trunc", OPT_UNFLAG, &v.trunc, NULL, "do not cut" },
	{ 'N', "name", OPT_STRING, &v.name, "NAME", "a name" },
	{ 'l', "list", OPT_LIST, &v.list, "X", "many" },
	{ 0, "commas", OPT_COMMAS, &v.commas, "X,Y", "many\nin one word" },
	{ 'n', "number", OPT_INT, &v.number, "N", "a number" },
	{ 't', "timeout", OPT_TIMEOUT, &v.timeout, "SECONDS", "patience" },
	{ 'd', "duration", OPT_DURATION, &v.duration, "D", "a while" },
	{ 0, "since", OPT_TIME, &v.when, "TIME", "from then on" },
	{ 0, "secret-all", OPT_FLAG, &v.all, NULL, NULL },
};
static const struct opt extra_opts[] = {
	{ 0, "progress", OPT_STRING, &v.name, "X", "elsewhere" },
	{ 'Z', "zeal", OPT_FLAG, &v.all, NULL, "elsewhere" },
};

static const struct cmd cmd = { .name = "try", .summary = "Try.", CMD_OPTS(opts) };
static const struct cmd cmd_strict = { .name = "exec",
				       CMD_OPTS(opts),
				       .operands_end_options = true };
static const struct cmd extra = { .name = "extra", CMD_OPTS(extra_opts) };

static char storage[512];
static char *words[32];

/* Words are separated by one blank; "" for none. */
static int parse_with(const struct cmd *c, const char *line, bool *help, struct err *err)
{
	int n = 0;
	char *rest = NULL;

	memset(&v, 0, sizeof(v));
	v.trunc = true;
	ck_assert(strlen(line) < sizeof(storage));
	strcpy(storage, line);
	for (char *w = strtok_r(storage, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
		words[n++] = w;
	words[n] = NULL;
	*help = false;
	return opts_parse(c, &extra, n, words, help, err);
}

static int parse(const char *line)
{
	auto_err struct err err = ERR_INIT;
	bool help;
	int r = parse_with(&cmd, line, &help, &err);

	ck_assert_msg(r >= 0, "%s: %s", line, err_text(&err));
	return r;
}

START_TEST(flags_take_every_spelling)
{
	ck_assert_int_eq(parse("-af"), 0);
	ck_assert(v.all && v.follow);
	parse("--all=false --follow=true");
	ck_assert(!v.all && v.follow);
	parse("-a=0 -f=1");
	ck_assert(!v.all && v.follow);
	parse("--no-trunc");
	ck_assert(!v.trunc);
	parse("--no-trunc=false");
	ck_assert(v.trunc);
}
END_TEST

START_TEST(values_may_be_attached_or_follow)
{
	static const char *const lines[] = { "-n5",   "-n 5",       "-n=5",
					     "-afn5", "--number 5", "--number=5" };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		ck_assert_int_eq(parse(lines[i]), 0);
		ck_assert_int_eq(v.number, 5);
	}
	parse("--name=");
	ck_assert_str_eq(v.name, "");
	parse("--name --all");
	ck_assert_str_eq(v.name, "--all");
	ck_assert(!v.all);
	parse("--name a=b");
	ck_assert_str_eq(v.name, "a=b");
}
END_TEST

START_TEST(operands_and_options_mix)
{
	ck_assert_int_eq(parse("one -a two --number 3 - three"), 4);
	ck_assert_str_eq(words[0], "one");
	ck_assert_str_eq(words[1], "two");
	ck_assert_str_eq(words[2], "-");
	ck_assert_str_eq(words[3], "three");
	ck_assert_ptr_null(words[4]);
	ck_assert(v.all);
	ck_assert_int_eq(parse("one -- -a --number"), 3);
	ck_assert_str_eq(words[1], "-a");
	ck_assert(!v.all);
}
END_TEST

START_TEST(the_first_operand_can_end_the_options)
{
	auto_err struct err err = ERR_INIT;
	bool help;

	ck_assert_int_eq(parse_with(&cmd_strict, "-a web ls -l --nope -- x", &help, &err), 6);
	ck_assert(v.all);
	ck_assert_str_eq(words[1], "ls");
	ck_assert_str_eq(words[4], "--");
	ck_assert_int_eq(v.list.n, 0);
}
END_TEST

START_TEST(long_names_may_be_cut_while_they_are_unique)
{
	parse("--foll");
	ck_assert(v.follow);
	parse("--num 4");
	ck_assert_int_eq(v.number, 4);
	/* A hidden option and those of the other table have to be written out. */
	parse("--secret-all");
	ck_assert(v.all);
	parse("--progress plain");
	ck_assert_str_eq(v.name, "plain");
}
END_TEST

START_TEST(lists_collect)
{
	parse("-l a --list=b -lc --commas x,y --commas z");
	ck_assert_int_eq(v.list.n, 3);
	ck_assert_str_eq(v.list.v[2], "c");
	ck_assert_int_eq(v.commas.n, 3);
	ck_assert_str_eq(v.commas.v[1], "y");
	strs_clear(&v.list);
	strs_clear(&v.commas);
}
END_TEST

START_TEST(times_have_units)
{
	parse("-t 10");
	ck_assert_int_eq(v.timeout, 10000000);
	parse("-t 1m30s");
	ck_assert_int_eq(v.timeout, 90000000);
	parse("-t=-1");
	ck_assert(v.timeout == INT64_MAX);
	parse("-t 0");
	ck_assert_int_eq(v.timeout, 0);
	parse("--duration 500ms");
	ck_assert_int_eq(v.duration, 500000);
}
END_TEST

START_TEST(help_is_seen_before_mistakes)
{
	auto_err struct err err = ERR_INIT;
	bool help;

	ck_assert_int_ge(parse_with(&cmd, "-a --help --nonsense", &help, &err), 0);
	ck_assert(help);
	ck_assert_int_ge(parse_with(&cmd, "-h", &help, &err), 0);
	ck_assert(help);
}
END_TEST

static const struct {
	const char *line, *text;
} mistakes[] = {
	{ "--nonsense", "unknown option '--nonsense'" },
	{ "--folow", "unknown option '--folow'; did you mean '--follow'?" },
	{ "--zea", "unknown option '--zea'" },
	{ "--secret", "unknown option '--secret'" },
	{ "-aZ", "unknown option '-Z' in '-aZ'" },
	{ "--n x", "option '--n' is ambiguous: '--no-trunc' or '--name'?" },
	{ "--name", "option '--name' needs a value" },
	{ "-n", "option '-n' needs a value" },
	{ "-n five", "-n: 'five' is not a number" },
	{ "--num=5x", "--number: '5x' is not a number" },
	{ "--all=maybe", "--all: 'maybe' is not true or false" },
	{ "-t soon", "-t: 'soon' is not a number of seconds or a duration like 1m30s" },
	{ "-t -2", "-t: '-2' is not a number of seconds or a duration like 1m30s" },
	{ "-t 99999999999999",
	  "-t: '99999999999999' is not a number of seconds or a duration like 1m30s" },
	{ "-d 5", "-d: '5' is not a duration like 1m30s" },
	{ "--since yesterday",
	  "--since: 'yesterday' is not a time like 2026-01-02T13:23:37Z or a duration like 42m" },
};

START_TEST(mistakes_are_named)
{
	auto_err struct err err = ERR_INIT;
	bool help;

	ck_assert_int_eq(parse_with(&cmd, mistakes[_i].line, &help, &err), -EINVAL);
	ck_assert_str_eq(err_text(&err), mistakes[_i].text);
	ck_assert(usage_error_happened());
}
END_TEST

START_TEST(the_help_comes_from_the_table)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	cmd_usage(&cmd, "ctrcompose", &out);
	ck_assert(str_starts(sbuf_str(&out),
			     "Usage:  ctrcompose try [OPTIONS]\n\nTry.\n\nOptions:\n"));
	ck_assert(strstr(sbuf_str(&out), "  -a, --all               all of them\n"));
	ck_assert(strstr(sbuf_str(&out), "      --commas X,Y        many\n"
					 "                          in one word\n"));
	ck_assert(!strstr(sbuf_str(&out), "secret"));
}
END_TEST

#define NOW 1800000000000000000ULL

static const struct {
	const char *text;
	uint64_t ns;
} times[] = {
	{ "2026-01-02T03:04:05Z", 1767323045000000000ULL },
	{ "2026-01-02T03:04:05.25Z", 1767323045250000000ULL },
	{ "2026-01-02T03:04:05+02:00", 1767315845000000000ULL },
	{ "2026-01-02T03:04:05-00:30", 1767324845000000000ULL },
	{ "2026-01-02T03:04", 1767323040000000000ULL }, /* local time; TZ is UTC in this test */
	{ "2026-01-02", 1767312000000000000ULL },
	{ "1767323045", 1767323045000000000ULL },
	{ "1767323045.5", 1767323045500000000ULL },
	{ "42m", NOW - 42 * 60 * 1000000000ULL },
	{ "1h30m", NOW - 90 * 60 * 1000000000ULL },
	{ "500ms", NOW - 500000000ULL },
};

START_TEST(times_are_understood)
{
	uint64_t ns;

	setenv("TZ", "UTC", 1);
	ck_assert_msg(parse_when(times[_i].text, NOW, &ns) == 0, "%s", times[_i].text);
	ck_assert_uint_eq(ns, times[_i].ns);
}
END_TEST

static const char *const no_times[] = {
	"",
	"x",
	"-5",
	"2026",
	"2026-13-01T00:00:00Z",
	"2026-01-02T25:00:00Z",
	"2026-01-02T03:04:05ZZ",
	"2026-01-02T03:04:05+2:00",
	"2026-01-02T",
	"1767323045.",
	"99999999999999999999",
	"5 minutes",
	"1969-01-01",
};

START_TEST(other_texts_are_no_times)
{
	uint64_t ns = 7;

	/* "2026" is a moment of 1970: a number of seconds. */
	if (str_eq(no_times[_i], "2026"))
		ck_assert_int_eq(parse_when("2026", NOW, &ns), 0);
	else
		ck_assert_msg(parse_when(no_times[_i], NOW, &ns) < 0, "%s", no_times[_i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cmd_options");
	TCase *t = tcase_create("options");
	SRunner *sr;
	int failed;

	tcase_add_test(t, flags_take_every_spelling);
	tcase_add_test(t, values_may_be_attached_or_follow);
	tcase_add_test(t, operands_and_options_mix);
	tcase_add_test(t, the_first_operand_can_end_the_options);
	tcase_add_test(t, long_names_may_be_cut_while_they_are_unique);
	tcase_add_test(t, lists_collect);
	tcase_add_test(t, times_have_units);
	tcase_add_test(t, help_is_seen_before_mistakes);
	tcase_add_loop_test(t, mistakes_are_named, 0, ARRAY_LEN(mistakes));
	tcase_add_test(t, the_help_comes_from_the_table);
	tcase_add_loop_test(t, times_are_understood, 0, ARRAY_LEN(times));
	tcase_add_loop_test(t, other_texts_are_no_times, 0, ARRAY_LEN(no_times));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
