/* plan.c - the list itself, and the words people see; see plan.h */
#include "private.h"

#include <stdlib.h>

struct plan *plan_new(const char *project)
{
	struct plan *p = xcalloc(1, sizeof(*p));

	p->project = arena_strdup(&p->arena, project);
	return p;
}

bool plan_is_kill(const struct plan *p)
{
	for (size_t i = 0; i < p->actions.n; i++)
		if (p->actions.v[i].op != PLAN_KILL)
			return false;
	return true;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->actions.n; i++)
		free(p->actions.v[i].after);
	free(p->actions.v);
	arena_free(&p->arena);
	free(p);
}

void auto_plan_fn(struct plan **p)
{
	plan_free(*p);
}

size_t plan_add(struct plan *p, enum plan_op op, const char *name, const char *service)
{
	struct plan_action *a = vec_push(&p->actions);

	a->op = op;
	a->name = name;
	a->service = service;
	a->grace_us = -1;
	a->required = true;
	return p->actions.n - 1;
}

void plan_after(struct plan *p, size_t action, size_t before)
{
	struct plan_action *a = &p->actions.v[action];

	if (before == PLAN_NONE || before == action)
		return;
	for (size_t i = 0; i < a->n_after; i++)
		if (a->after[i] == before)
			return;
	if (a->n_after == a->cap_after) {
		a->cap_after = a->cap_after ? a->cap_after * 2 : 4;
		a->after = xreallocarray(a->after, a->cap_after, sizeof(*a->after));
	}
	a->after[a->n_after++] = before;
}

static const struct {
	const char *kind, *doing, *done;
} words[PLAN_OPS] = {
	[PLAN_NETWORK_UP] = { "Network", "Creating", "Created" },
	[PLAN_NETWORK_DOWN] = { "Network", "Removing", "Removed" },
	[PLAN_VOLUME_MAKE] = { "Volume", "Creating", "Created" },
	[PLAN_VOLUME_REMOVE] = { "Volume", "Removing", "Removed" },
	[PLAN_CREATE] = { "Container", "Creating", "Created" },
	[PLAN_START] = { "Container", "Starting", "Started" },
	[PLAN_STOP] = { "Container", "Stopping", "Stopped" },
	[PLAN_KILL] = { "Container", "Killing", "Killed" },
	[PLAN_PAUSE] = { "Container", "Pausing", "Paused" },
	[PLAN_UNPAUSE] = { "Container", "Unpausing", "Unpaused" },
	[PLAN_REMOVE] = { "Container", "Removing", "Removed" },
	[PLAN_KEEP] = { "Container", "Running", "Running" },
	[PLAN_WAIT] = { "Container", "Waiting", "Healthy" },
	[PLAN_SWAP] = { "Container", "Recreating", "Recreated" },
	[PLAN_SETTLE] = { "Container", "Replacing", "Replaced" },
};

const char *plan_kind(enum plan_op op)
{
	return words[op].kind;
}

const char *plan_doing(enum plan_op op)
{
	return words[op].doing;
}

const char *plan_done(enum plan_op op)
{
	return words[op].done;
}
