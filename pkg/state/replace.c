/* replace.c - two containers of which one takes the other's place: their names, and which one is left;
 * see state.h */
#include "internal.h"

#include <string.h>

enum { MARK_DIGITS = 12 };

struct state_container *state_replaced(const struct state_project *s,
				       const struct state_container *c)
{
	for (size_t i = 0; c->replaces && i < s->containers.n; i++)
		if (str_eq(s->containers.v[i]->id, c->replaces))
			return s->containers.v[i];
	return NULL;
}

struct state_container *state_replacement(const struct state_project *s, const char *id)
{
	for (size_t i = 0; id && i < s->containers.n; i++)
		if (str_eq(s->containers.v[i]->replaces, id))
			return s->containers.v[i];
	return NULL;
}

char *state_spare_name(const char *id, const char *name)
{
	return xasprintf("%.*s_%s", MARK_DIGITS, id, name);
}

static bool is_marked(const char *name, const char *id)
{
	return id && strlen(name) > MARK_DIGITS + 1 && strncmp(name, id, MARK_DIGITS) == 0 &&
	       name[MARK_DIGITS] == '_';
}

const char *state_own_name(const struct state_container *c)
{
	bool marked = is_marked(c->name, c->replaces) || is_marked(c->name, c->id);

	return marked ? c->name + MARK_DIGITS + 1 : c->name;
}

bool state_replaces_for_good(const struct state_container *c)
{
	return c->started_ns != 0;
}

static void take_own_name(struct state_container *c)
{
	memmove(c->name, state_own_name(c), strlen(state_own_name(c)) + 1);
}

void state_hide_replaced(struct state_project *s)
{
	for (size_t i = s->containers.n; i-- > 0;) {
		struct state_container *c = s->containers.v[i], *old;

		if (!c->replaces)
			continue;
		old = state_replaced(s, c);
		if (!old || state_replaces_for_good(c)) {
			take_own_name(c);
			state_set(&c->replaces, NULL);
			if (old)
				state_container_remove(s, old);
		} else {
			take_own_name(old);
			if (c->resume && old->status == STATE_EXITED)
				old->status = STATE_RESTARTING;
			state_container_remove(s, c);
		}
		i = s->containers.n; /* others have moved */
	}
}
