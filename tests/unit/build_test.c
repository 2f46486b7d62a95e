/* build_test.c - symbolic modes of COPY --chmod, platforms */
#include "../../pkg/build/run.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* As chmod(1) with umask 0 has them. */
static const struct {
	const char *text;
	mode_t before, after;
	bool folder;
} modes[] = {
	{ "u=rwX,go=rX", 0600, 0644, false }, { "u=rwX,go=rX", 0700, 0755, false },
	{ "u=rwX,go=rX", 0600, 0755, true },  { "+x", 0644, 0755, false },
	{ "a-w", 0777, 0555, false },         { "go-rwx", 0777, 0700, false },
	{ "u+s", 0755, 04755, false },        { "g+s", 0755, 02755, false },
	{ "o+s", 0755, 0755, false },         { "+t", 0777, 01777, true },
	{ "ug=rw", 0, 0660, false },          { "g=u", 0740, 0770, false },
	{ "o=g,g-w", 0670, 0657, false },     { "u=", 04777, 0077, false },
	{ "u+r-w", 0200, 0400, false },       { "=", 0777, 0, false },
};
static const char *const no_modes[] = { "",    "x",     "u",       "u+r,",  ",u+r",
					"u+q", "0644x", "u+r g+r", "+r,,-w" };

START_TEST(a_symbolic_mode_does_what_chmod_does)
{
	mode_t m = 07777;

	ck_assert_int_eq(
		chmod_symbolic(modes[_i].text, modes[_i].before | S_IFREG, modes[_i].folder, &m),
		0);
	ck_assert_msg(m == modes[_i].after, "%s of %o is %o, not %o", modes[_i].text,
		      modes[_i].before, m, modes[_i].after);
}
END_TEST

START_TEST(what_is_no_symbolic_mode_is_refused)
{
	mode_t m;

	ck_assert_int_eq(chmod_symbolic(no_modes[_i], 0, false, &m), -EINVAL);
}
END_TEST

START_TEST(only_this_machine_is_a_platform)
{
	ck_assert(build_platform_ok(build_platform()));
	ck_assert(build_platform_ok(build_platform() + strlen("linux/")));
	ck_assert(!build_platform_ok("linux/s390x"));
	ck_assert(!build_platform_ok("windows/amd64"));
	ck_assert(!build_platform_ok(""));
}
END_TEST

static const struct {
	const char *text;
	bool to;
	int r;
	enum build_cache_type type;
	bool all;
	const char *where;
} caches[] = {
	{ "type=local,src=c", false, 0, BUILD_CACHE_LOCAL, false, "c" },
	{ "src=/a=b,type=local", false, 0, BUILD_CACHE_LOCAL, false, "/a=b" },
	{ "type=local,dest=c,mode=max", true, 0, BUILD_CACHE_LOCAL, true, "c" },
	{ "type=local,dest=c,mode=min", true, 0, BUILD_CACHE_LOCAL, false, "c" },
	{ "type=local,src=", false, -EINVAL, 0, false, NULL },
	{ "type=local,dest=c", false, -ENOTSUP, 0, false, NULL },
	{ "type=local,dest=c,mode=all", true, -ENOTSUP, 0, false, NULL },
	{ "type=local,src=c,mode=max", false, -ENOTSUP, 0, false, NULL },
	{ "type=local,src=c,ref=x", false, -ENOTSUP, 0, false, NULL },
	{ "type=local,src=c,what", false, -ENOTSUP, 0, false, NULL },
	{ "type=registry,ref=app:cache,mode=max", true, 0, BUILD_CACHE_REGISTRY, true,
	  "app:cache" },
	{ "type=registry,ref=app:cache", false, 0, BUILD_CACHE_REGISTRY, false, "app:cache" },
	{ "type=registry,ref=a,oci-mediatypes=true,image-manifest=true", true, 0,
	  BUILD_CACHE_REGISTRY, false, "a" },
	{ "type=registry,ref=a,image-manifest=false", true, -ENOTSUP, 0, false, NULL },
	{ "type=registry,ref=a,compression=zstd", true, -ENOTSUP, 0, false, NULL },
	{ "type=registry,ref=a,dest=b", true, -ENOTSUP, 0, false, NULL },
	{ "type=registry,ref=a,mode=max", false, -ENOTSUP, 0, false, NULL },
	{ "type=registry", true, -EINVAL, 0, false, NULL },
	{ "type=registry,ref=A", true, -EINVAL, 0, false, NULL },
	{ "type=inline", true, 0, BUILD_CACHE_INLINE, false, NULL },
	{ "type=inline,mode=max", true, -ENOTSUP, 0, false, NULL },
	{ "type=inline", false, -EINVAL, 0, false, NULL },
	{ "type=gha,scope=x", false, 0, BUILD_CACHE_OTHER, false, NULL },
	{ "type=s3,mode=max", true, 0, BUILD_CACHE_OTHER, false, NULL },
	{ "app:cache", false, 0, BUILD_CACHE_REGISTRY, false, "app:cache" },
	{ "localhost:5000/app", true, 0, BUILD_CACHE_REGISTRY, false, "localhost:5000/app" },
	{ "No Name", false, -EINVAL, 0, false, NULL },
	{ "", false, -EINVAL, 0, false, NULL },
};

START_TEST(a_cache_names_a_folder_a_registry_the_image_or_is_of_another_type)
{
	auto_arena struct arena a = { 0 };
	struct build_cache c = { 0 };

	ck_assert_int_eq(build_cache_parse(&a, caches[_i].text, caches[_i].to, &c, NULL),
			 caches[_i].r);
	if (caches[_i].r < 0)
		return;
	ck_assert_int_eq(c.type, caches[_i].type);
	ck_assert_int_eq(c.all, caches[_i].all);
	ck_assert_pstr_eq(c.where, caches[_i].where);
}
END_TEST

START_TEST(flags_name_what_they_read_from)
{
	static const struct {
		struct df_pair flag;
		const char *from;
	} rows[] = {
		{ { "from", "x" }, "x" },
		{ { "mount", "type=bind,from=x,target=/y" }, "x" },
		{ { "mount", "from=x" }, "x" },
		{ { "mount", "type=bind,xfrom=x" }, NULL },
		{ { "mount", "type=cache,target=/y" }, NULL },
		{ { "chown", "from=1" }, NULL },
		{ { "from", NULL }, NULL },
	};
	auto_free char *from = flag_from(&rows[_i].flag);

	ck_assert(str_eq(from, rows[_i].from) || (!from && !rows[_i].from));
}
END_TEST

/* A stage whose ENV is A='$B' and whose argument is B=inner. */
START_TEST(options_of_mounts_are_expanded_once)
{
	static const struct {
		const char *text;
		enum run_mount kind;
		const char *target, *source, *id;
	} rows[] = {
		{ "target=/$B", RUN_BIND, "/inner", NULL, NULL },
		{ "target=/x,source=$A", RUN_BIND, "/x", "$B", NULL },
		{ "type=$KIND,target=/t/${A},id=$A-$B", RUN_CACHE, "/t/$B", NULL, "$B-inner" },
		{ "source=${LIST},target=/x", RUN_BIND, "/x", "a,type=tmpfs", NULL },
		{ "target=/x,source=\\$A", RUN_BIND, "/x", "$A", NULL },
		{ "source='$A',target=/x", RUN_BIND, "/x", "$A", NULL },
	};
	struct build_request req = { 0 };
	struct dockerfile file = { .escape = '\\' };
	struct build b = { .req = &req, .file = &file };
	struct run run = { 0 };
	auto_json struct json *config = json_object();
	struct stage s = { .b = &b, .run = &run, .config = config };
	struct mount m;

	(void)json_add_object(config, "config");
	config_env(&s, "A", "$B");
	config_env(&s, "KIND", "CACHE");
	config_env(&s, "LIST", "a,type=tmpfs");
	strs_add(&s.args, "B=inner");
	ck_assert_int_eq(mount_read(&s, rows[_i].text, &m, NULL), 0);
	ck_assert_int_eq(m.kind, rows[_i].kind);
	ck_assert_pstr_eq(m.target, rows[_i].target);
	ck_assert_pstr_eq(m.source, rows[_i].source);
	ck_assert_pstr_eq(m.id, rows[_i].id);
	strs_clear(&s.args);
	arena_free(&run.arena);
}
END_TEST

START_TEST(a_mount_has_a_bounded_number_of_options)
{
	struct build_request req = { 0 };
	struct dockerfile file = { .escape = '\\' };
	struct build b = { .req = &req, .file = &file };
	struct run run = { 0 };
	auto_json struct json *config = json_object();
	struct stage s = { .b = &b, .run = &run, .config = config };
	auto_sbuf struct sbuf text = SBUF_INIT;
	struct mount m;

	(void)json_add_object(config, "config");
	sbuf_adds(&text, "target=/x");
	for (int i = 0; i < 63; i++)
		sbuf_adds(&text, ",ro");
	ck_assert_int_eq(mount_read(&s, sbuf_str(&text), &m, NULL), 0);
	sbuf_adds(&text, ",ro");
	ck_assert_int_eq(mount_read(&s, sbuf_str(&text), &m, NULL), -E2BIG);
	arena_free(&run.arena);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("build");
	TCase *t = tcase_create("pure");
	SRunner *run = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, a_symbolic_mode_does_what_chmod_does, 0, ARRAY_LEN(modes));
	tcase_add_loop_test(t, what_is_no_symbolic_mode_is_refused, 0, ARRAY_LEN(no_modes));
	tcase_add_test(t, only_this_machine_is_a_platform);
	tcase_add_loop_test(t, flags_name_what_they_read_from, 0, 7);
	tcase_add_loop_test(t, a_cache_names_a_folder_a_registry_the_image_or_is_of_another_type, 0,
			    ARRAY_LEN(caches));
	tcase_add_loop_test(t, options_of_mounts_are_expanded_once, 0, 6);
	tcase_add_test(t, a_mount_has_a_bounded_number_of_options);
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
