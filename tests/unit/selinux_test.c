/* selinux_test.c - labels, the policy's files, categories: selinux.h */
#include <ctrcompose/selinux.h>

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* ---- Labels ------------------------------------------------------------------------------------ */
static const struct {
	const char *text;
	bool good;
} contexts[] = {
	{ "system_u:system_r:container_t:s0", true },
	{ "system_u:system_r:container_t:s0:c1,c2", true },
	{ "u:r:t:s0-s0:c0.c1023", true },
	{ "u:r:t", true },
	{ "u:r", false },
	{ "u:r:", false },
	{ "u:r:t:", false },
	{ ":r:t", false },
	{ "", false },
	{ "u:r:t x", false },
	{ "u:r:t\nx", false },
	{ "u:r:t:s0 c1", false },
	{ "u:r:t:s0\",uid=0", false },
};

START_TEST(contexts_are_parsed)
{
	auto_selinux_context struct selinux_context c = { 0 };
	int r = selinux_context_parse(contexts[_i].text, &c);
	auto_free char *again = r == 0 ? selinux_context_format(&c) : NULL;

	ck_assert_int_eq(r, contexts[_i].good ? 0 : -EINVAL);
	if (r == 0)
		ck_assert_str_eq(again, contexts[_i].text);
}
END_TEST

/* ---- The policy's files ------------------------------------------------------------------------ */
static const struct {
	const char *text, *type;
	int r;
} configs[] = {
	{ "# SELINUXTYPE=no\nSELINUX=permissive\nSELINUXTYPE=default\n", "default", 0 },
	{ "SELINUXTYPE = targeted \t\r\nSETLOCALDEFS=0", "targeted", 0 },
	{ "SELINUXTYPE=a\nSELINUXTYPE=b", "b", 0 },
	{ "SELINUX=enforcing\n", NULL, -ENOENT },
	{ "", NULL, -ENOENT },
	{ "SELINUXTYPE=\n", NULL, -EINVAL },
	{ "SELINUXTYPE=..\n", NULL, -EINVAL },
	{ "SELINUXTYPE=a/b\n", NULL, -EINVAL },
	{ "SELINUXTYPEX=a\n", NULL, -ENOENT },
};

START_TEST(config_names_the_policy)
{
	auto_free char *type = NULL;

	ck_assert_int_eq(selinux_config_type(configs[_i].text, &type), configs[_i].r);
	if (configs[_i].type)
		ck_assert_str_eq(type, configs[_i].type);
	else
		ck_assert_ptr_null(type);
}
END_TEST

static const struct {
	const char *text, *process, *file, *layer;
	int r;
} defaults[] = {
	{ "process = \"system_u:system_r:container_t:s0\"\n"
	  "content = \"system_u:object_r:virt_var_lib_t:s0\"\n"
	  "file = \"system_u:object_r:container_file_t:s0\"\n"
	  "ro_file=\"system_u:object_r:container_ro_file_t:s0\"\n",
	  "system_u:system_r:container_t:s0", "system_u:object_r:container_file_t:s0",
	  "system_u:object_r:container_ro_file_t:s0", 0 },
	{ "file=u:r:f\nprocess=u:r:p", "u:r:p", "u:r:f", "u:r:f", 0 },
	{ "process = \"u:r:p\"\n", NULL, NULL, NULL, -ENOENT },
	{ "process = \"u:r:p\"\nfile = \"nothing\"\n", NULL, NULL, NULL, -EINVAL },
	{ "process = \"\nfile = \"u:r:f\"\n", NULL, NULL, NULL, -EINVAL },
};

START_TEST(policy_has_labels)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };

	ck_assert_int_eq(selinux_defaults_parse(defaults[_i].text, &d), defaults[_i].r);
	if (defaults[_i].r < 0) {
		ck_assert_ptr_null(d.process);
		return;
	}
	ck_assert_str_eq(d.process, defaults[_i].process);
	ck_assert_str_eq(d.file, defaults[_i].file);
	ck_assert_str_eq(d.layer, defaults[_i].layer);
}
END_TEST

/* ---- Categories -------------------------------------------------------------------------------- */
START_TEST(pairs_are_read)
{
	static const char *const bad[] = { "s0",       "s0:c1",          "s0:c2,c1",
					   "s0:c1,c1", "s0:c1,c1024",    "s0:c1,c2,c3",
					   "s0:c1.c2", "s0-s0:c0.c1023", "",
					   ":c1,c2",   "s0:c1,c2 ",      "s0:c,c2" };
	struct selinux_pair p;

	ck_assert(selinux_pair_parse("s0:c1,c1023", &p));
	ck_assert_uint_eq(p.low, 1);
	ck_assert_uint_eq(p.high, 1023);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!selinux_pair_parse(bad[i], &p), "%s", bad[i]);
}
END_TEST

START_TEST(pairs_are_given_once)
{
	enum { N = 200 };
	struct selinux_pair taken[N];

	for (size_t n = 0; n < N; n++) {
		/* The same seed each time: as unlucky as can be. */
		ck_assert_int_eq(selinux_pair_choose(7, taken, n, &taken[n]), 0);
		ck_assert_uint_lt(taken[n].low, taken[n].high);
		ck_assert_uint_lt(taken[n].high, 1022);
		for (size_t i = 0; i < n; i++)
			ck_assert(taken[i].low != taken[n].low || taken[i].high != taken[n].high);
	}
}
END_TEST

START_TEST(pairs_are_a_function_of_the_seed)
{
	const uint64_t seeds[] = { 0, 1, 520990, 520991, UINT64_MAX };
	struct selinux_pair a, b;

	for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
		ck_assert_int_eq(selinux_pair_choose(seeds[i], NULL, 0, &a), 0);
		ck_assert_int_eq(selinux_pair_choose(seeds[i], NULL, 0, &b), 0);
		ck_assert(a.low == b.low && a.high == b.high);
		ck_assert_uint_lt(a.low, a.high);
		ck_assert_uint_lt(a.high, 1022);
		ck_assert_int_eq(selinux_pair_choose(seeds[i], &a, 1, &b), 0);
		ck_assert(a.low != b.low || a.high != b.high);
	}
}
END_TEST

/* ---- Labels of a container --------------------------------------------------------------------- */
static const struct {
	const char *options[4];
	const char *process, *file; /* file NULL: refused */
} made[] = {
	{ { NULL }, "u:r:p:s0:c5,c9", "u:object_r:f:s0:c5,c9" },
	{ { "nested" }, "u:r:p:s0:c5,c9", "u:object_r:f:s0:c5,c9" },
	{ { "type:q" }, "u:r:q:s0:c5,c9", "u:object_r:f:s0:c5,c9" },
	{ { "filetype:g" }, "u:r:p:s0:c5,c9", "u:object_r:g:s0:c5,c9" },
	{ { "user:v", "role:s" }, "v:s:p:s0:c5,c9", "v:object_r:f:s0:c5,c9" },
	{ { "level:s0:c1,c2" }, "u:r:p:s0:c1,c2", "u:object_r:f:s0:c1,c2" },
	{ { "level:s0", "level:s0:c3" }, "u:r:p:s0:c3", "u:object_r:f:s0:c3" },
	{ { "disable" }, NULL, "u:object_r:f:s0:c1022,c1023" },
	{ { "type:q", "disable", "filetype:g" }, NULL, "u:object_r:f:s0:c1022,c1023" },
	{ { "type:" }, NULL, NULL },
	{ { "type:a:b" }, NULL, NULL },
	{ { "user:a:b" }, NULL, NULL },
	{ { "type:a b" }, NULL, NULL },
	{ { "level:s0,uid=0 x" }, NULL, NULL },
	{ { "enable" }, NULL, NULL },
	{ { "colour:red" }, NULL, NULL },
};

START_TEST(labels_are_made)
{
	static char process[] = "u:r:p:s0", file[] = "u:object_r:f:s0";
	const struct selinux_defaults d = { process, file, file };
	auto_selinux_labels struct selinux_labels l = { 0 };
	auto_err struct err err = ERR_INIT;
	size_t n = 0;
	int r;

	while (made[_i].options[n])
		n++;
	r = selinux_labels_make(&d, made[_i].options, n, (struct selinux_pair){ 5, 9 }, &l, &err);
	ck_assert_int_eq(r, made[_i].file ? 0 : -EINVAL);
	if (!made[_i].process)
		ck_assert_ptr_null(l.process);
	else
		ck_assert_str_eq(l.process, made[_i].process);
	if (!made[_i].file)
		ck_assert_ptr_null(l.file);
	else
		ck_assert_str_eq(l.file, made[_i].file);
}
END_TEST

START_TEST(policy_without_levels)
{
	static char process[] = "u:r:p", file[] = "u:object_r:f";
	const struct selinux_defaults d = { process, file, file };
	auto_selinux_labels struct selinux_labels l = { 0 };
	auto_free char *shared = NULL;

	ck_assert_int_eq(selinux_labels_make(&d, NULL, 0, (struct selinux_pair){ 5, 9 }, &l, NULL),
			 0);
	ck_assert_str_eq(l.process, "u:r:p");
	ck_assert_str_eq(l.file, "u:object_r:f");
	shared = selinux_shared(l.file);
	ck_assert_str_eq(shared, "u:object_r:f");
}
END_TEST

START_TEST(shared_has_no_categories)
{
	auto_free char *a = selinux_shared("u:object_r:f:s0:c1,c2");
	auto_free char *b = selinux_shared("u:object_r:f:s0");

	ck_assert_str_eq(a, "u:object_r:f:s0");
	ck_assert_str_eq(b, "u:object_r:f:s0");
	ck_assert_ptr_null(selinux_shared("nothing"));
}
END_TEST

START_TEST(folders_of_the_host)
{
	static const char *const no[] = { "/",           "/etc",     "/usr",    "/usr/lib",
					  "/home",       "/root",    "/var",    "/var/lib",
					  "/home/alice", "/dev/shm", "/sys/fs", "/proc/1",
					  "/srv/home" };
	static const char *const yes[] = { "/srv/data", "/home/alice/site", "/var/lib/app",
					   "/root/x",   "/etcetera",        "/data" };

	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		ck_assert_msg(selinux_relabel_refused(no[i], "/srv/home") != NULL, "%s", no[i]);
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		ck_assert_msg(!selinux_relabel_refused(yes[i], NULL), "%s", yes[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("selinux");
	TCase *t = tcase_create("selinux");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, contexts_are_parsed, 0, (int)ARRAY_LEN(contexts));
	tcase_add_loop_test(t, config_names_the_policy, 0, (int)ARRAY_LEN(configs));
	tcase_add_loop_test(t, policy_has_labels, 0, (int)ARRAY_LEN(defaults));
	tcase_add_test(t, pairs_are_read);
	tcase_add_test(t, pairs_are_given_once);
	tcase_add_test(t, pairs_are_a_function_of_the_seed);
	tcase_add_loop_test(t, labels_are_made, 0, (int)ARRAY_LEN(made));
	tcase_add_test(t, policy_without_levels);
	tcase_add_test(t, shared_has_no_categories);
	tcase_add_test(t, folders_of_the_host);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
