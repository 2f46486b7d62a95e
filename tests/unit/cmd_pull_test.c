/* cmd_pull_test.c - when a registry is asked for an image */
#include "images/pulling.h"

#include <check.h>
#include <stdlib.h>

static const struct {
	const char *policy;
	bool has_image, has_build;
	int64_t age_s;
	enum pull_decision decision;
} cases[] = {
	{ NULL, true, false, -1, PULL_NO },
	{ NULL, false, false, -1, PULL_YES },
	{ NULL, false, true, -1, PULL_NO },
	{ "missing", false, true, -1, PULL_YES },
	{ "if_not_present", true, false, -1, PULL_NO },
	{ "always", true, false, 0, PULL_YES },
	{ "never", false, false, -1, PULL_REFUSED },
	{ "never", true, false, -1, PULL_NO },
	{ "never", false, true, -1, PULL_NO },
	{ "build", false, true, -1, PULL_NO },
	{ "daily", true, false, 86399, PULL_NO },
	{ "daily", true, false, 86400, PULL_YES },
	{ "daily", true, false, -1, PULL_YES },
	{ "weekly", true, false, 604799, PULL_NO },
	{ "every_1h30m", true, false, 5399, PULL_NO },
	{ "every_1h30m", true, false, 5400, PULL_YES },
	{ "every_2d", false, false, 0, PULL_YES },
	{ "refresh", true, false, 0, PULL_YES },
};

START_TEST(a_policy_decides)
{
	ck_assert_int_eq(pull_decide(cases[_i].policy, cases[_i].has_image, cases[_i].has_build,
				     cases[_i].age_s),
			 cases[_i].decision);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pull");
	TCase *t = tcase_create("policy");
	SRunner *run = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, a_policy_decides, 0, ARRAY_LEN(cases));
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
