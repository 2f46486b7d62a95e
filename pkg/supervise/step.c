/* step.c - the life of a container as a table; see supervise.h */
#include <ctrcompose/supervise.h>

/* Indexed by name on both sides: a new state or event cannot shift the others. */
static const struct svc_step steps[SVC_STATES][SVC_EVENTS] = {
	[SVC_STOPPED] = {
		[EV_START] = { true, SVC_STARTING, ACT_SPAWN },
		[EV_STOP]  = { true, SVC_STOPPED, ACT_NONE },
	},
	[SVC_STARTING] = {
		[EV_START] = { true, SVC_STARTING, ACT_NONE },
		[EV_EXEC]  = { true, SVC_RUNNING, ACT_NONE },
		[EV_EXIT]  = { true, SVC_STOPPED, ACT_REST },
		[EV_CRASH] = { true, SVC_BACKOFF, ACT_ARM_BACKOFF },
		[EV_STOP]  = { true, SVC_STOPPING, ACT_KILL },
	},
	[SVC_RUNNING] = {
		[EV_START] = { true, SVC_RUNNING, ACT_NONE },
		[EV_EXIT]  = { true, SVC_STOPPED, ACT_REST },
		[EV_CRASH] = { true, SVC_BACKOFF, ACT_ARM_BACKOFF },
		[EV_STOP]  = { true, SVC_STOPPING, ACT_TERM },
	},
	[SVC_STOPPING] = {
		[EV_EXEC]  = { true, SVC_STOPPING, ACT_NONE },
		[EV_EXIT]  = { true, SVC_STOPPED, ACT_REST },
		[EV_CRASH] = { true, SVC_STOPPED, ACT_REST },
		[EV_TIMER] = { true, SVC_STOPPING, ACT_KILL },
		[EV_STOP]  = { true, SVC_STOPPING, ACT_NONE },
	},
	[SVC_BACKOFF] = {
		[EV_START] = { true, SVC_STARTING, ACT_SPAWN },
		[EV_TIMER] = { true, SVC_STARTING, ACT_SPAWN },
		[EV_STOP]  = { true, SVC_STOPPED, ACT_REST },
	},
};

static const char *const names[SVC_STATES] = {
	[SVC_STOPPED] = "stopped",   [SVC_STARTING] = "starting", [SVC_RUNNING] = "running",
	[SVC_STOPPING] = "stopping", [SVC_BACKOFF] = "backoff",
};

struct svc_step svc_next(enum svc_state state, enum svc_event event)
{
	struct svc_step step = steps[state][event];

	if (!step.allowed)
		step.next = state;
	return step;
}

const char *svc_state_name(enum svc_state state)
{
	return names[state];
}
