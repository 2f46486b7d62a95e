/* image_test.c - names of images, and which image of an index is taken */
#include "../../pkg/image/private.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *ref, *normal, *familiar; /* normal NULL: refused */
} refs[] = {
	{ "redis", "docker.io/library/redis:latest", "redis:latest" },
	{ "redis:7", "docker.io/library/redis:7", "redis:7" },
	{ "a/b:1", "docker.io/a/b:1", "a/b:1" },
	{ "library/redis", "docker.io/library/redis:latest", "redis:latest" },
	{ "index.docker.io/redis", "docker.io/library/redis:latest", "redis:latest" },
	{ "localhost/x", "localhost/x:latest", "localhost/x:latest" },
	{ "localhost:5000/x/y:1", "localhost:5000/x/y:1", "localhost:5000/x/y:1" },
	{ "HOST/x", "HOST/x:latest", "HOST/x:latest" },
	{ "redis:7@sha256:" HEX, "docker.io/library/redis@sha256:" HEX, "redis@sha256:" HEX },
	/* Short forms that would mean something else. */
	{ "docker.io/quay.io/x", "docker.io/quay.io/x:latest", "docker.io/quay.io/x:latest" },
	{ "docker.io/localhost/x", "docker.io/localhost/x:latest", "docker.io/localhost/x:latest" },
	{ "library/" HEX, "docker.io/library/" HEX ":latest", "library/" HEX ":latest" },
	{ "x/" A50 A50 A50 A50 A50, NULL, NULL },
	{ A50 A50 A50 A50 "/" A50, NULL, NULL }, /* too long with what is added */
	{ HEX, NULL, NULL },
	{ "", NULL, NULL },
	{ "Redis", NULL, NULL },
	{ "a//b", NULL, NULL },
	{ "../a", NULL, NULL },
	{ "a:b:c", NULL, NULL },
	{ "a:", NULL, NULL },
	{ "a@sha256:12", NULL, NULL },
	{ "a b", NULL, NULL },
};

START_TEST(a_name_has_one_normal_form_and_a_short_one_that_means_the_same)
{
	auto_free char *normal = NULL, *familiar = NULL, *back = NULL;
	auto_err struct err err = ERR_INIT;
	int r = image_ref_normal(refs[_i].ref, &normal, &err);

	if (!refs[_i].normal) {
		ck_assert_int_eq(r, -EINVAL);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(normal, refs[_i].normal);
	familiar = image_ref_familiar(normal);
	ck_assert_str_eq(familiar, refs[_i].familiar);
	ck_assert_int_eq(image_ref_normal(familiar, &back, &err), 0);
	ck_assert_str_eq(back, normal);
}
END_TEST

static const struct {
	const char *list, *platform;
	char first; /* of the digest; '-': none */
} lists[] = {
#define ONE(c, p) "{\"digest\":\"sha256:" c HEX_REST "\",\"platform\":" p "}"
#define HEX_REST  "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	{ "[" ONE("a", "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}") "," ONE(
		  "b", "{\"os\":\"linux\",\"architecture\":\"amd64\"}") "]",
	  "linux/amd64", 'b' },
	{ "[" ONE("a", "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}") "]",
	  "linux/arm64/v8", 'a' },
	{ "[" ONE("a", "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}") "]",
	  "arm64", 'a' },
	{ "[" ONE("a", "{\"os\":\"linux\",\"architecture\":\"arm64\"}") "]", "linux/arm64/v8",
	  'a' },
	{ "[" ONE("a", "{\"os\":\"linux\",\"architecture\":\"arm64\"}") "]", "aarch64", 'a' },
	{ "[" ONE("a", "{\"os\":\"linux\",\"architecture\":\"amd64\"}") "]", "linux/x86_64", 'a' },
	{ "[" ONE("a", "{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v6\"}") "]",
	  "linux/arm/v7", '-' },
	{ "[" ONE("a", "{\"os\":\"unknown\",\"architecture\":\"unknown\"}") "]", "linux/amd64",
	  '-' },
	{ "[{\"digest\":\"sha256:short\"}]", NULL, '-' },
	{ "[{}]", "linux/amd64", '-' },
	{ "[]", NULL, '-' },
	{ "{\"a\":1}", NULL, '-' },
};

START_TEST(of_an_index_the_image_of_the_platform_is_taken)
{
	auto_json struct json *list = NULL;
	auto_err struct err err = ERR_INIT;
	const char *hex;

	ck_assert_int_eq(json_parse(lists[_i].list, strlen(lists[_i].list), &list, &err), 0);
	hex = index_choose(list, lists[_i].platform, "x", &err);
	if (lists[_i].first == '-')
		ck_assert_ptr_null(hex);
	else
		ck_assert_int_eq(hex ? hex[0] : 0, lists[_i].first);
	ck_assert(hex || err.code == -ENOENT);
}
END_TEST

static const char *const bad_steps[] = {
	"{}",
	"{\"records\":{}}",
	"{\"records\":[{\"key\":\"x\",\"size\":1,\"created\":\"2026\"}]}",
	"{\"records\":[{\"key\":\"" HEX "\",\"size\":-1,\"created\":\"2026\"}]}",
	"{\"records\":[{\"key\":\"" HEX "\",\"size\":1,\"created\":\"a b\"}]}",
	"{\"records\":[{\"key\":\"" HEX "\",\"size\":1,\"created\":\"2026\",\"layer\":\"../x\"}]}",
};

START_TEST(steps_that_make_no_sense_are_refused)
{
	struct image_steps steps = { 0 };
	auto_err struct err err = ERR_INIT;

	ck_assert_int_eq(image_steps_parse(bad_steps[_i], strlen(bad_steps[_i]), &steps, &err),
			 -EBADMSG);
	image_steps_clear(&steps);
}
END_TEST

START_TEST(steps_are_read_once_per_key)
{
	static const char text[] = "{\"records\":[{\"key\":\"" HEX
				   "\",\"size\":1,\"created\":\"2026-01-01T00:00:00Z\","
				   "\"layer\":\"sha256:" HEX "\"},{\"key\":\"" HEX
				   "\",\"size\":2,\"created\":\"2026-01-01T00:00:00Z\"}]}";
	struct image_steps steps = { 0 };
	auto_err struct err err = ERR_INIT;

	ck_assert_int_eq(image_steps_parse(text, strlen(text), &steps, &err), 0);
	ck_assert_int_eq(steps.n, 1);
	ck_assert_str_eq(steps.v[0].layer.diff, HEX);
	ck_assert_int_eq(steps.v[0].layer.size, 1);
	image_steps_clear(&steps);
}
END_TEST

START_TEST(a_layout_is_a_folder_a_tag_a_digest)
{
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct {
		const char *text;
		int r;
		const char *path, *tag, *digest;
	} rows[] = {
		{ "oci-layout:///a/b", 0, "/a/b", NULL, NULL },
		{ "oci-layout://b:1", 0, "b", "1", NULL },
		{ "oci-layout:///a:b/c:d", 0, "/a:b/c", "d", NULL },
		{ "oci-layout:///a:b/c", 0, "/a:b/c", NULL, NULL },
		{ "oci-layout:///a@sha256:" HEX, 0, "/a", NULL, "sha256:" HEX },
		{ "oci-layout:///a:t@sha256:" HEX, 0, "/a", "t", "sha256:" HEX },
		{ "oci-layout:///a@sha256:12", -EINVAL, NULL, NULL, NULL },
		{ "oci-layout:///a@", -EINVAL, NULL, NULL, NULL },
		{ "oci-layout:///a:", -EINVAL, NULL, NULL, NULL },
		{ "oci-layout://", -EINVAL, NULL, NULL, NULL },
		{ "oci-layout://:1", -EINVAL, NULL, NULL, NULL },
		{ "/a", -EINVAL, NULL, NULL, NULL },
	};
	auto_arena struct arena a = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image_layout l = { 0 };

		ck_assert_int_eq(image_layout_parse(&a, rows[i].text, &l, NULL), rows[i].r);
		if (rows[i].r < 0)
			continue;
		ck_assert_str_eq(l.path, rows[i].path);
		ck_assert_pstr_eq(l.tag, rows[i].tag);
		ck_assert_pstr_eq(l.digest, rows[i].digest);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("image");
	TCase *t = tcase_create("pure");
	SRunner *run = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, a_name_has_one_normal_form_and_a_short_one_that_means_the_same, 0,
			    ARRAY_LEN(refs));
	tcase_add_loop_test(t, of_an_index_the_image_of_the_platform_is_taken, 0, ARRAY_LEN(lists));
	tcase_add_loop_test(t, steps_that_make_no_sense_are_refused, 0, ARRAY_LEN(bad_steps));
	tcase_add_test(t, steps_are_read_once_per_key);
	tcase_add_test(t, a_layout_is_a_folder_a_tag_a_digest);
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
