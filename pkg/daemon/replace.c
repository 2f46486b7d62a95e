/* replace.c - a container takes another's place, or that one has it back; see plan.h */
#include "supervisor.h"

#include <stdlib.h>
#include <string.h>

static struct ctr *by_id(struct sup *s, const char *id)
{
	for (size_t i = 0; id && i < s->ctrs.n; i++)
		if (strcmp(s->ctrs.v[i]->unit->c->id, id) == 0)
			return s->ctrs.v[i];
	return NULL;
}

struct ctr *replace_old(struct sup *s, const char *old)
{
	return by_id(s, old);
}

struct ctr *replace_new(struct sup *s, const char *old)
{
	const struct state_container *c = state_replacement(s->state, old);

	return c ? by_id(s, c->id) : NULL;
}

void replace_stops(struct ctr *before)
{
	before->unit->c->resume = true;
	(void)state_live_save(before->sup->args->paths, before->sup->state, before->unit->c, NULL);
}

void replace_swap(struct sup *s, const char *old)
{
	struct ctr *before = replace_old(s, old), *fresh = replace_new(s, old);

	if (before)
		engine_leave_name(before->unit);
	if (!fresh)
		return;
	engine_take_name(fresh->unit);
	sup_ears(s, fresh->unit);
	s->dirty = true;
}

static int away(struct sup *s, struct ctr *c, bool volumes, struct err *err)
{
	struct unit *u = c->unit;

	ctr_free(c);
	event_note(s, u->c, "destroy", NULL, NULL);
	s->dirty = true;
	return engine_remove(u, volumes, err);
}

static int commit(struct sup *s, struct ctr *before, struct ctr *fresh, bool volumes,
		  struct err *err)
{
	engine_take_name(fresh->unit);
	state_set(&fresh->unit->c->replaces, NULL);
	fresh->unit->c->resume = false;
	s->dirty = true;
	return before ? away(s, before, volumes, err) : 0;
}

/* Whether another one runs that has got its address meanwhile. */
static const char *address_taken(struct sup *s, const struct ctr *c)
{
	for (size_t i = 0; i < s->state->containers.n; i++) {
		const struct state_container *o = s->state->containers.v[i], *mine = c->unit->c;

		for (size_t k = 0; o != mine && o->pid > 0 && k < o->endpoints.n; k++)
			for (size_t m = 0; m < mine->endpoints.n; m++)
				if (str_eq(o->endpoints.v[k].network,
					   mine->endpoints.v[m].network) &&
				    str_eq(o->endpoints.v[k].ip, mine->endpoints.v[m].ip))
					return o->name;
	}
	return NULL;
}

/* The old one as it was, but for its process; *resume: that is wanted as well. */
static int give_back(struct sup *s, struct ctr *before, struct ctr *fresh, bool *resume,
		     struct err *err)
{
	int r = 0;

	*resume = fresh && fresh->unit->c->resume && before->st == SVC_STOPPED;
	if (fresh)
		r = away(s, fresh, true, err);
	if (before) {
		engine_take_name(before->unit);
		before->unit->c->resume = false;
	}
	s->dirty = true;
	return r;
}

/* It has the name, and the old one did not run: what is to be seen is how the new one failed. */
static bool has_no_rival(const struct state_container *fresh)
{
	return !fresh->resume && strcmp(fresh->name, state_own_name(fresh)) == 0;
}

enum replaced replace_settle(struct sup *s, const char *old, bool good, bool volumes,
			     struct err *err)
{
	struct ctr *before = replace_old(s, old), *fresh = replace_new(s, old);
	const char *taken;
	bool resume;

	if (!before)
		return REPLACED;
	if (fresh && (good || has_no_rival(fresh->unit->c)))
		return commit(s, before, fresh, volumes, err) < 0 ? REPLACE_FAILED : REPLACED;
	if (give_back(s, before, fresh, &resume, err) < 0)
		return REPLACE_FAILED;
	if (!resume)
		return before->st == SVC_STOPPED ? REPLACE_OLD_RESTS : REPLACE_OLD_RUNS;
	taken = address_taken(s, before);
	if (taken) {
		(void)err_set(err, EADDRINUSE, "%s has its address", taken);
		return REPLACE_FAILED;
	}
	before->started = false;
	ctr_event(before, EV_START);
	return REPLACE_OLD_STARTS;
}

/* One that replaces another at the time when a supervisor takes over. */
static struct ctr *undecided(struct sup *s)
{
	for (size_t i = 0; i < s->ctrs.n; i++)
		if (s->ctrs.v[i]->unit->c->replaces)
			return s->ctrs.v[i];
	return NULL;
}

void replace_recover(struct sup *s, bool rebooted)
{
	struct ctr *fresh;

	while ((fresh = undecided(s))) {
		struct ctr *before = by_id(s, fresh->unit->c->replaces);
		auto_err struct err err = ERR_INIT;
		bool resume = false, stops = before && before->unit->c->resume;
		int r;

		if (!before || state_replaces_for_good(fresh->unit->c)) {
			stops = false;
			r = commit(s, before, fresh, false, &err);
		} else {
			r = give_back(s, before, fresh, &resume, &err);
		}
		if (r < 0)
			log_line(LOG_WARN, "%s: %s", s->args->project, err_text(&err));
		if (stops && before->st != SVC_STOPPED)
			before->again = true;
		if (resume && !rebooted && !address_taken(s, before))
			ctr_resume(before);
	}
}
