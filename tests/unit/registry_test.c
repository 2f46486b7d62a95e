/* registry_test.c - what is read of WWW-Authenticate headers and Docker's config.json */
#include <ctrcompose/registry.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *header;
	int result;
	bool bearer;
	const char *realm, *service, *scope;
} challenges[] = {
	{ "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull\"", 0, true,
	  "https://a/t", "s", "repository:x:pull" },
	{ "bearer  Realm = \"https://a/t\" , service=tok", 0, true, "https://a/t", "tok", NULL },
	{ "Bearer realm=\"a\\\"b\"", 0, true, "a\"b", NULL, NULL },
	{ "Bearer realm=\"one\", realm=\"two\"", 0, true, "one", NULL, NULL },
	{ "Basic realm=\"x\"", 0, false, "x", NULL, NULL },
	{ "Basic", 0, false, NULL, NULL, NULL },
	{ "Basic realm=\"x\", Bearer realm=\"y\"", 0, false, "x", NULL, NULL },
	{ "Bearer", -EBADMSG, false, NULL, NULL, NULL },
	{ "Bearer realm=\"open", -EBADMSG, false, NULL, NULL, NULL },
	{ "Bearer realm=", -EBADMSG, false, NULL, NULL, NULL },
	{ "Negotiate", -EBADMSG, false, NULL, NULL, NULL },
	{ "", -EBADMSG, false, NULL, NULL, NULL },
};

static void same(const char *a, const char *b)
{
	ck_assert_msg(a == b || (a && b && strcmp(a, b) == 0), "'%s' is not '%s'", a ? a : "(none)",
		      b ? b : "(none)");
}

START_TEST(a_challenge_is_understood_or_refused)
{
	struct registry_challenge c;
	int r = registry_challenge_parse(challenges[_i].header, &c);

	ck_assert_int_eq(r, challenges[_i].result);
	if (r < 0)
		return;
	ck_assert_int_eq(c.bearer, challenges[_i].bearer);
	same(c.realm, challenges[_i].realm);
	same(c.service, challenges[_i].service);
	same(c.scope, challenges[_i].scope);
	registry_challenge_clear(&c);
}
END_TEST

static const struct {
	const char *config, *host;
	int result;
	const char *user, *password, *identity, *helper;
} logins[] = {
	{ "{\"auths\":{\"h:5000\":{\"auth\":\"dTpwOnE=\"}}}", "h:5000", 0, "u", "p:q", NULL, NULL },
	{ "{\"auths\":{\"https://h:5000/v2/\":{\"auth\":\"dTpw\"}}}", "h:5000", 0, "u", "p", NULL,
	  NULL },
	{ "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"dTpw\"}}}", "docker.io", 0, "u",
	  "p", NULL, NULL },
	{ "{\"auths\":{\"h\":{\"auth\":\"dTpw\"}}}", "h.evil", 0, NULL, NULL, NULL, NULL },
	{ "{\"auths\":{\"h\":{\"username\":\"a\",\"password\":\"b\"}}}", "h", 0, "a", "b", NULL,
	  NULL },
	{ "{\"auths\":{\"h\":{\"identitytoken\":\"t\"}}}", "h", 0, NULL, NULL, "t", NULL },
	{ "{\"credHelpers\":{\"h\":\"pass\"},\"credsStore\":\"other\"}", "h", 0, NULL, NULL, NULL,
	  "pass" },
	{ "{\"credsStore\":\"other\"}", "h", 0, NULL, NULL, NULL, "other" },
	{ "{\"credsStore\":\"../x\"}", "h", -EBADMSG, NULL, NULL, NULL, NULL },
	{ "{\"auths\":{\"h\":{\"auth\":\"***\"}}}", "h", -EBADMSG, NULL, NULL, NULL, NULL },
	{ "{\"auths\":{\"h\":{\"auth\":\"dXA=\"}}}", "h", -EBADMSG, NULL, NULL, NULL, NULL },
	{ "{}", "h", 0, NULL, NULL, NULL, NULL },
	{ "no json", "h", -EBADMSG, NULL, NULL, NULL, NULL },
};

START_TEST(a_login_is_found_for_its_host_alone)
{
	auto_err struct err err = ERR_INIT;
	struct registry_login l;
	int r = registry_login_parse(logins[_i].config, strlen(logins[_i].config), logins[_i].host,
				     &l, &err);

	ck_assert_int_eq(r, logins[_i].result);
	same(l.user, logins[_i].user);
	same(l.password, logins[_i].password);
	same(l.identity, logins[_i].identity);
	same(l.helper, logins[_i].helper);
	registry_login_clear(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("registry");
	TCase *t = tcase_create("pure");
	SRunner *run = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, a_challenge_is_understood_or_refused, 0, ARRAY_LEN(challenges));
	tcase_add_loop_test(t, a_login_is_found_for_its_host_alone, 0, ARRAY_LEN(logins));
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
