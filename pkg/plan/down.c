/* down.c - what `down` and the verbs over existing containers have to do; see plan.h */
#include "private.h"

#include <ctrcompose/compose.h>

#include <stdlib.h>
#include <string.h>

struct item {
	const struct state_container *c;
	const struct service *svc; /* as it was when the container was made; NULL if unreadable */
	size_t rank;               /* dependents come before what they depend on */
	size_t stop, start;
};

struct work {
	struct plan *plan;
	const struct plan_options *opt;
	struct item *items;
	size_t n;
};

static bool named(const struct plan_options *opt, const char *service)
{
	if (!opt->services || !opt->services[0])
		return true;
	for (const char *const *s = opt->services; *s; s++)
		if (strcmp(*s, service) == 0)
			return true;
	return false;
}

static int check_names(const struct plan_options *opt, const struct project *want,
		       const struct state_project *have, struct err *err)
{
	auto_strs struct strs known = { 0 };

	for (size_t i = 0; want && i < want->n_services; i++)
		strs_add(&known, want->services[i].name);
	for (size_t i = 0; want && i < want->n_disabled; i++)
		strs_add(&known, want->disabled[i].name);
	for (size_t i = 0; i < have->containers.n; i++)
		if (!strs_has(&known, have->containers.v[i]->service))
			strs_add(&known, have->containers.v[i]->service);
	for (const char *const *s = opt->services; s && *s; s++)
		if (!strs_has(&known, *s))
			return compose_no_service(*s, &known, err);
	return 0;
}

static bool depends(const struct item *a, const struct item *b)
{
	for (size_t i = 0; a->svc && i < a->svc->n_deps; i++)
		if (strcmp(a->svc->deps[i].service, b->c->service) == 0)
			return true;
	return false;
}

static int by_rank(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Longest chain of dependents above each item; bounded, so that stale cycles do no harm. */
static void rank_all(struct work *w)
{
	bool changed = true;

	for (size_t round = 0; changed && round <= w->n; round++) {
		changed = false;
		for (size_t i = 0; i < w->n; i++)
			for (size_t k = 0; k < w->n; k++)
				if (depends(&w->items[i], &w->items[k]) &&
				    w->items[k].rank <= w->items[i].rank) {
					w->items[k].rank = w->items[i].rank + 1;
					changed = true;
				}
	}
	qsort(w->items, w->n, sizeof(*w->items), by_rank);
}

static void collect(struct work *w, const struct state_project *have, bool all)
{
	w->items = arena_array(&w->plan->arena, have->containers.n + 1, sizeof(*w->items));
	for (size_t i = 0; i < have->containers.n; i++) {
		const struct state_container *c = have->containers.v[i];
		struct service *svc = NULL;

		if (!named(w->opt, c->service) || (c->oneoff && !all))
			continue;
		if (c->config_json)
			(void)compose_service_from_json(&w->plan->arena, c->service, c->config_json,
							&svc, NULL);
		w->items[w->n++] =
			(struct item){ .c = c, .svc = svc, .stop = PLAN_NONE, .start = PLAN_NONE };
	}
	rank_all(w);
}

static bool alive(const struct state_container *c)
{
	return c->status == STATE_RUNNING || c->status == STATE_RESTARTING ||
	       c->status == STATE_PAUSED;
}

/* Dependents first; a service is asked to stop when all that need it have ended. */
static void stop_all(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct item *it = &w->items[i];

		if (!alive(it->c))
			continue;
		it->stop = plan_add(w->plan, PLAN_STOP, it->c->name, it->c->service);
		w->plan->actions.v[it->stop].for_boot = w->opt->for_boot;
		w->plan->actions.v[it->stop].grace_us = w->opt->grace_us;
		for (size_t k = 0; k < i; k++)
			if (depends(&w->items[k], it))
				plan_after(w->plan, it->stop, w->items[k].stop);
	}
}

static void start_all(struct work *w)
{
	for (size_t i = w->n; i-- > 0;) {
		struct item *it = &w->items[i];

		if ((alive(it->c) && it->stop == PLAN_NONE) ||
		    (w->opt->only && !w->opt->only(it->c)))
			continue;
		it->start = plan_add(w->plan, PLAN_START, it->c->name, it->c->service);
		plan_after(w->plan, it->start, it->stop);
		for (size_t k = w->n; k-- > i + 1;)
			if (depends(it, &w->items[k]))
				plan_after(w->plan, it->start, w->items[k].start);
	}
	for (size_t i = 0; w->opt->wait && i < w->n; i++) {
		const struct item *it = &w->items[i];
		size_t at = plan_add(w->plan, PLAN_WAIT, it->c->name, it->c->service);

		w->plan->actions.v[at].condition = DEP_HEALTHY;
		w->plan->actions.v[at].required = true;
		w->plan->actions.v[at].final = true;
		plan_after(w->plan, at, it->start);
	}
}

static void after_all(struct plan *plan, size_t at, size_t last)
{
	for (size_t k = 0; k < last; k++)
		plan_after(plan, at, k);
}

/* Networks and volumes, once nothing is left that uses them. */
static void resources_down(struct plan *plan, const struct project *want,
			   const struct state_project *have, const struct plan_options *opt)
{
	auto_strs struct strs volumes = { 0 };
	size_t last = plan->actions.n;

	for (size_t i = 0; i < have->networks.n; i++) {
		const struct state_network *n = &have->networks.v[i];

		if (!n->external)
			after_all(plan, plan_add(plan, PLAN_NETWORK_DOWN, n->name, n->key), last);
	}
	if (!opt->remove_volumes)
		return;
	for (size_t i = 0; i < have->volumes.n; i++)
		strs_add(&volumes, have->volumes.v[i]);
	for (size_t i = 0; want && i < want->n_volumes; i++)
		if (!want->volumes[i].external && !strs_has(&volumes, want->volumes[i].name))
			strs_add(&volumes, want->volumes[i].name);
	for (size_t i = 0; i < volumes.n; i++) {
		const char *name = arena_strdup(&plan->arena, volumes.v[i]);

		after_all(plan, plan_add(plan, PLAN_VOLUME_REMOVE, name, name), last);
	}
}

int plan_down(const struct project *want, const struct state_project *have,
	      const struct plan_options *opt, struct plan **out, struct err *err)
{
	auto_plan struct plan *plan = plan_new(have->name);
	struct work w = { .plan = plan, .opt = opt };
	bool all = !opt->services || !opt->services[0];
	int r = check_names(opt, want, have, err);

	if (r < 0)
		return r;
	collect(&w, have, true);
	stop_all(&w);
	for (size_t i = 0; i < w.n; i++)
		plan_after(plan,
			   plan_add(plan, PLAN_REMOVE, w.items[i].c->name, w.items[i].c->service),
			   w.items[i].stop);
	if (all)
		resources_down(plan, want, have, opt);
	plan->remove_volumes = opt->remove_volumes;
	plan->forget = all;
	*out = steal(plan);
	return 0;
}

int plan_verb(enum plan_verb verb, const struct project *want, const struct state_project *have,
	      const struct plan_options *opt, struct plan **out, struct err *err)
{
	auto_plan struct plan *plan = plan_new(have->name);
	struct work w = { .plan = plan, .opt = opt };
	int r = check_names(opt, want, have, err);

	if (r < 0)
		return r;
	collect(&w, have, verb == PLAN_VERB_RM);
	if (verb == PLAN_VERB_STOP || verb == PLAN_VERB_RESTART)
		stop_all(&w);
	if (verb == PLAN_VERB_START || verb == PLAN_VERB_RESTART)
		start_all(&w);
	for (size_t i = 0; i < w.n; i++) {
		const struct state_container *c = w.items[i].c;

		if (verb == PLAN_VERB_KILL && alive(c)) {
			size_t at = plan_add(plan, PLAN_KILL, c->name, c->service);

			plan->actions.v[at].signal = opt->signal;
		}
		if (verb == PLAN_VERB_PAUSE && c->status == STATE_RUNNING)
			(void)plan_add(plan, PLAN_PAUSE, c->name, c->service);
		if (verb == PLAN_VERB_UNPAUSE && c->status == STATE_PAUSED)
			(void)plan_add(plan, PLAN_UNPAUSE, c->name, c->service);
		if (verb == PLAN_VERB_RM && !alive(c))
			(void)plan_add(plan, PLAN_REMOVE, c->name, c->service);
	}
	plan->remove_volumes = verb == PLAN_VERB_RM && opt->remove_volumes;
	*out = steal(plan);
	return 0;
}
