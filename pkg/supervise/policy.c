/* policy.c - restart, backoff, health and conditions as functions of values; see supervise.h */
#include <ctrcompose/supervise.h>

enum { BACKOFF_FIRST_US = 100 * 1000, BACKOFF_MAX_US = 60 * 1000 * 1000 };

bool svc_restarts(enum restart_policy policy, unsigned max, int exit_code, unsigned restarts,
		  bool asked)
{
	if (asked)
		return false;
	switch (policy) {
	case RESTART_NO:
		return false;
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_ON_FAILURE:
		return exit_code != 0 && (max == 0 || restarts < max);
	}
	return false;
}

bool svc_resumes(enum restart_policy policy, int exit_code, bool halted)
{
	return policy == RESTART_ALWAYS ||
	       (!halted && svc_restarts(policy, 0, exit_code, 0, false));
}

uint64_t svc_backoff_us(unsigned quick)
{
	uint64_t us = BACKOFF_FIRST_US;

	while (quick-- > 0 && us < BACKOFF_MAX_US)
		us *= 2;
	return us < BACKOFF_MAX_US ? us : BACKOFF_MAX_US;
}

static uint64_t or_default(uint64_t given, uint64_t otherwise)
{
	return given ? given : otherwise;
}

void health_probe(struct health_track *t, const struct healthcheck *hc, bool success,
		  uint64_t since_start_us)
{
	unsigned retries = hc->retries ? hc->retries : HEALTH_RETRIES;

	if (success) {
		*t = (struct health_track){ HEALTH_HEALTHY, 0 };
		return;
	}
	if (t->status == HEALTH_STARTING && since_start_us < hc->start_period_us)
		return;
	if (++t->failures >= retries)
		t->status = HEALTH_UNHEALTHY;
}

uint64_t health_delay_us(const struct health_track *t, const struct healthcheck *hc,
			 uint64_t since_start_us)
{
	if (t->status == HEALTH_STARTING && since_start_us < hc->start_period_us)
		return or_default(hc->start_interval_us, HEALTH_START_INTERVAL_US);
	return or_default(hc->interval_us, HEALTH_INTERVAL_US);
}

enum verdict svc_condition(enum dep_condition cond, const struct svc_view *v, char **why)
{
	if (!v->started)
		return VERDICT_WAIT;
	switch (cond) {
	case DEP_STARTED:
		return VERDICT_MET;
	case DEP_HEALTHY:
		if (v->health == HEALTH_NONE) {
			*why = xasprintf("container %s has no healthcheck configured", v->name);
			return VERDICT_FAILED;
		}
		if (!v->running) {
			*why = xasprintf("container %s exited (%d)", v->name, v->exit_code);
			return VERDICT_FAILED;
		}
		if (v->health == HEALTH_UNHEALTHY) {
			*why = xasprintf("container %s is unhealthy", v->name);
			return VERDICT_FAILED;
		}
		return v->health == HEALTH_HEALTHY ? VERDICT_MET : VERDICT_WAIT;
	case DEP_COMPLETED:
		if (v->running)
			return VERDICT_WAIT;
		if (v->exit_code == 0)
			return VERDICT_MET;
		*why = xasprintf("container %s exited (%d)", v->name, v->exit_code);
		return VERDICT_FAILED;
	}
	return VERDICT_WAIT;
}
