/* supervise_test.c - the life of a container, restart, health and conditions */
#include <ctrcompose/supervise.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(down_during_backoff_does_not_spawn)
{
	struct svc_step s = svc_next(SVC_BACKOFF, EV_STOP);

	ck_assert_int_eq(s.action, ACT_REST);
	ck_assert_int_eq(s.next, SVC_STOPPED);
}
END_TEST

START_TEST(an_event_the_table_does_not_allow_changes_nothing)
{
	for (int st = 0; st < SVC_STATES; st++)
		for (int ev = 0; ev < SVC_EVENTS; ev++) {
			struct svc_step s = svc_next((enum svc_state)st, (enum svc_event)ev);

			if (!s.allowed) {
				ck_assert_int_eq((int)s.next, st);
				ck_assert_int_eq(s.action, ACT_NONE);
			}
		}
}
END_TEST

START_TEST(a_stopped_container_stays_stopped_whatever_its_policy)
{
	ck_assert_int_eq(svc_next(SVC_STOPPING, EV_CRASH).next, SVC_STOPPED);
	ck_assert(!svc_restarts(RESTART_ALWAYS, 0, 1, 0, true));
}
END_TEST

START_TEST(on_failure_counts_its_tries)
{
	ck_assert(svc_restarts(RESTART_ON_FAILURE, 2, 1, 0, false));
	ck_assert(svc_restarts(RESTART_ON_FAILURE, 2, 1, 1, false));
	ck_assert(!svc_restarts(RESTART_ON_FAILURE, 2, 1, 2, false));
	ck_assert(!svc_restarts(RESTART_ON_FAILURE, 0, 0, 0, false));
	ck_assert(svc_restarts(RESTART_ON_FAILURE, 0, 1, 1000, false));
	ck_assert(svc_restarts(RESTART_UNLESS_STOPPED, 0, 0, 5, false));
	ck_assert(!svc_restarts(RESTART_NO, 0, 1, 0, false));
}
END_TEST

START_TEST(backoff_doubles_to_a_minute)
{
	ck_assert_uint_eq(svc_backoff_us(0), 100000);
	ck_assert_uint_eq(svc_backoff_us(1), 200000);
	ck_assert_uint_eq(svc_backoff_us(9), 51200000);
	ck_assert_uint_eq(svc_backoff_us(10), 60000000);
	ck_assert_uint_eq(svc_backoff_us(1000000), 60000000);
}
END_TEST

START_TEST(failures_in_the_start_period_do_not_count)
{
	struct healthcheck hc = {
		.retries = 2, .start_period_us = 1000, .interval_us = 500, .start_interval_us = 10
	};
	struct health_track t = { HEALTH_STARTING, 0 };

	health_probe(&t, &hc, false, 10);
	health_probe(&t, &hc, false, 20);
	health_probe(&t, &hc, false, 30);
	ck_assert_int_eq(t.status, HEALTH_STARTING);
	ck_assert_uint_eq(health_delay_us(&t, &hc, 40), 10);
	health_probe(&t, &hc, false, 1000);
	ck_assert_int_eq(t.status, HEALTH_STARTING);
	ck_assert_uint_eq(health_delay_us(&t, &hc, 1000), 500);
	health_probe(&t, &hc, false, 1500);
	ck_assert_int_eq(t.status, HEALTH_UNHEALTHY);
	health_probe(&t, &hc, true, 2000);
	ck_assert_int_eq(t.status, HEALTH_HEALTHY);
	ck_assert_uint_eq(t.failures, 0);
}
END_TEST

static const struct {
	enum dep_condition cond;
	struct svc_view view;
	enum verdict verdict;
	const char *why;
} conditions[] = {
	{ DEP_STARTED, { "c", false, false, 0, HEALTH_NONE }, VERDICT_WAIT, NULL },
	{ DEP_STARTED, { "c", true, true, 0, HEALTH_NONE }, VERDICT_MET, NULL },
	{ DEP_STARTED, { "c", true, false, 3, HEALTH_NONE }, VERDICT_MET, NULL },
	{ DEP_HEALTHY, { "c", true, true, 0, HEALTH_STARTING }, VERDICT_WAIT, NULL },
	{ DEP_HEALTHY, { "c", true, true, 0, HEALTH_HEALTHY }, VERDICT_MET, NULL },
	{ DEP_HEALTHY,
	  { "c", true, true, 0, HEALTH_UNHEALTHY },
	  VERDICT_FAILED,
	  "container c is unhealthy" },
	{ DEP_HEALTHY,
	  { "c", true, false, 3, HEALTH_STARTING },
	  VERDICT_FAILED,
	  "container c exited (3)" },
	{ DEP_HEALTHY,
	  { "c", true, true, 0, HEALTH_NONE },
	  VERDICT_FAILED,
	  "container c has no healthcheck configured" },
	{ DEP_COMPLETED, { "c", true, true, 0, HEALTH_NONE }, VERDICT_WAIT, NULL },
	{ DEP_COMPLETED, { "c", true, false, 0, HEALTH_NONE }, VERDICT_MET, NULL },
	{ DEP_COMPLETED,
	  { "c", true, false, 4, HEALTH_NONE },
	  VERDICT_FAILED,
	  "container c exited (4)" },
};

START_TEST(conditions_are_judged_as_compose_words_them)
{
	auto_free char *why = NULL;

	ck_assert_int_eq(svc_condition(conditions[_i].cond, &conditions[_i].view, &why),
			 conditions[_i].verdict);
	ck_assert_pstr_eq(why, conditions[_i].why);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("supervise");
	TCase *t = tcase_create("supervise");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_test(t, down_during_backoff_does_not_spawn);
	tcase_add_test(t, an_event_the_table_does_not_allow_changes_nothing);
	tcase_add_test(t, a_stopped_container_stays_stopped_whatever_its_policy);
	tcase_add_test(t, on_failure_counts_its_tries);
	tcase_add_test(t, backoff_doubles_to_a_minute);
	tcase_add_test(t, failures_in_the_start_period_do_not_count);
	tcase_add_loop_test(t, conditions_are_judged_as_compose_words_them, 0,
			    ARRAY_LEN(conditions));
	suite_add_tcase(suite, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
