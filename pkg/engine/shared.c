/* shared.c - networks that several projects have, or none: joining, leaving, addresses that others
 * have there; see private.h */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The lock --------------------------------------------------------------------------------- */
void engine_settle(struct engine *e)
{
	auto_close_fn(&e->share_fd);
	e->share_fd = -1;
	e->share_exclusive = false;
	for (size_t i = 0; i < e->nets.n; i++)
		e->nets.v[i]->others_known = false;
}

static int lock(struct engine *e, struct err *err)
{
	int r = 0;

	if (e->share_exclusive)
		return 0;
	if (e->share_fd >=
	    0) { /* what was chosen so far has to be seen by those who come in between */
		r = state_save(e->paths, e->state, err);
		engine_settle(e);
	}
	if (r == 0)
		r = state_shared_lock(e->paths, true, &e->share_fd, err);
	e->share_exclusive = r == 0;
	return r;
}

/* ---- Joining ---------------------------------------------------------------------------------- */
static uint32_t nobodys_group(const struct engine *e, const char *network)
{
	auto_free char *name = xasprintf("network %s", network);

	return net_group(e->paths->run, name);
}

int engine_shared_read(const struct engine *e, const struct state_network *rec,
		       struct net_network *net, struct err *err)
{
	auto_shared struct state_shared *s = NULL;
	int r;

	if (!rec->external && !state_shared_exists(e->paths, rec->name))
		return 0;
	r = state_shared_load(e->paths, rec->name, &s, err);
	if (r < 0)
		return r;
	net->shared = true;
	net->bridge_group =
		s->owned ? net_group(e->paths->run, s->project) : nobodys_group(e, rec->name);
	return 0;
}

struct search {
	const char *name, *me;
	struct state_shared *found;
};

static void match(const char *project, const struct state_network *net, void *arg)
{
	struct search *s = arg;

	if (s->found || !project || str_eq(project, s->me) || !str_eq(net->name, s->name))
		return;
	s->found = xcalloc(1, sizeof(*s->found));
	s->found->project = xstrdup(project);
	s->found->owned = true;
	state_network_copy(&s->found->net, net);
}

/* As it is shared already, or by the project that has it: the first one to join it. */
static int find(const struct engine *e, const char *name, struct state_shared **out,
		struct err *err)
{
	struct search s = { .name = name, .me = e->state->name };
	int r = state_shared_load(e->paths, name, out, err);

	if (r != -ENOENT)
		return r;
	err_clear(err);
	state_networks_each(e->paths, e->state, match, &s);
	if (!s.found)
		return err_set(err, ENOENT,
			       "network %s declared as external, but could not be found: "
			       "`ctrcompose network create %s` makes it",
			       name, name);
	*out = s.found;
	return 0;
}

int engine_external_check(const struct engine *e, const struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];
		auto_shared struct state_shared *s = NULL;

		for (size_t k = 0; a->op == PLAN_NETWORK_UP && k < plan->n_networks; k++)
			if (plan->networks[k].external && !s &&
			    str_eq(plan->networks[k].key, a->service) &&
			    find(e, plan->networks[k].name, &s, err) < 0)
				return err->code;
	}
	return 0;
}

static void record(struct engine *e, const struct network *def, const struct state_shared *s)
{
	struct state_network *rec = state_network_find(e->state, def->key);

	if (!rec) {
		rec = state_network_add(e->state);
		state_network_copy(rec, &s->net);
		state_set(&rec->key, def->key);
	}
	rec->external = def->external;
}

/* It was this project's, and others kept it going. */
static int take_back(struct engine *e, struct state_shared *s, struct err *err)
{
	struct net_network net = { .name = s->net.name };

	s->owned = true;
	(void)snprintf(net.bridge, sizeof(net.bridge), "%s", s->net.bridge);
	return net_network_regroup(e->nl, &net, net_group(e->paths->run, e->state->name), err);
}

static int enter(struct engine *e, const struct network *def, struct state_shared *s,
		 struct err *err)
{
	bool mine = str_eq(s->project, e->state->name);

	state_shared_refresh(e->paths, s);
	if (def->external && !(mine && s->owned)) {
		state_shared_join(s, e->state->name);
		return 0;
	}
	if (mine)
		return s->owned ? 0 : take_back(e, s, err);
	return err_set(err, EEXIST,
		       "network %s is there already and %s%s: `external: true` uses it", def->name,
		       s->project ? "was made by project " : "is no project's",
		       s->project ? s->project : "");
}

int engine_shared_join(struct engine *e, const struct network *def, struct err *err)
{
	const struct state_network *rec = state_network_find(e->state, def->key);
	auto_shared struct state_shared *s = NULL;
	int r;

	if (rec && !rec->external && !state_shared_exists(e->paths, def->name))
		return 0;
	r = lock(e, err);
	if (r == 0)
		r = find(e, def->name, &s, err);
	if (r == -ENOENT && !def->external) { /* gone in this moment */
		err_clear(err);
		return 0;
	}
	if (r == 0)
		r = enter(e, def, s, err);
	if (r == 0)
		r = state_shared_save(e->paths, s, err);
	if (r < 0)
		return r;
	record(e, def, s);
	return state_save(e->paths, e->state, err);
}

/* ---- Leaving ---------------------------------------------------------------------------------- */
static int leave(struct engine *e, const struct state_network *rec, struct err *err)
{
	struct net_network net = { .name = rec->name };
	auto_shared struct state_shared *s = NULL;
	int r;

	if (!state_shared_exists(e->paths, rec->name))
		return 0;
	r = state_shared_load(e->paths, rec->name, &s, err);
	if (r < 0)
		return r;
	state_shared_refresh(e->paths, s);
	state_shared_leave(s, e->state->name);
	(void)snprintf(net.bridge, sizeof(net.bridge), "%s", rec->bridge);
	if (!rec->external && state_shared_used(s)) {
		strs_add(&e->left, rec->name);
		r = net_network_regroup(e->nl, &net, nobodys_group(e, rec->name), err);
	} else if (!state_shared_used(s)) {
		r = net_network_down(e->nl, &net, err);
	}
	if (r == 0)
		r = state_shared_kept(s) ? state_shared_save(e->paths, s, err)
					 : state_shared_remove(e->paths, rec->name, err);
	return r;
}

int engine_shared_leave(struct engine *e, struct err *err)
{
	/* Who joins one of them just now has the lock. */
	int r = lock(e, err);

	for (size_t i = 0; r == 0 && i < e->state->networks.n; i++)
		r = leave(e, &e->state->networks.v[i], err);
	return r;
}

bool engine_network_left(const struct engine *e, const char *name)
{
	return strs_has(&e->left, name);
}

/* ---- Addresses -------------------------------------------------------------------------------- */
static bool any_shared(const struct engine *e)
{
	for (size_t i = 0; i < e->state->networks.n; i++)
		if (e->state->networks.v[i].external ||
		    state_shared_exists(e->paths, e->state->networks.v[i].name))
			return true;
	return false;
}

void engine_shared_notice(struct engine *e, struct engine_net *n)
{
	if (n->net.shared || !state_shared_exists(e->paths, n->name))
		return;
	n->net.shared = true;
	e->fw_due = true;
	engine_guests_refresh(e);
}

static void read_others(const struct engine *e, struct engine_net *n)
{
	auto_shared struct state_shared *s = NULL;
	auto_strs struct strs members = { 0 };

	strs_clear(&n->others);
	if (state_shared_load(e->paths, n->name, &s, NULL) < 0)
		return;
	state_shared_others(s, e->state->name, &members);
	for (size_t i = 0; i < members.n; i++) {
		auto_state struct state_project *p = NULL;

		if (state_load_all(e->paths, members.v[i], &p, NULL) < 0)
			continue;
		for (size_t k = 0; k < p->containers.n; k++)
			for (size_t m = 0; m < p->containers.v[k]->endpoints.n; m++) {
				const struct state_endpoint *ep =
					&p->containers.v[k]->endpoints.v[m];

				if (!str_eq(ep->network, n->name))
					continue;
				if (ep->ip)
					strs_add(&n->others, ep->ip);
				if (ep->ip6)
					strs_add(&n->others, ep->ip6);
			}
	}
}

int engine_shared_choose(struct engine *e, struct engine_net *n, struct err *err)
{
	int r = 0;

	if (e->share_fd < 0) {
		r = state_shared_lock(e->paths, false, &e->share_fd, err);
		if (r == 0 && any_shared(e)) {
			engine_settle(e);
			r = lock(e, err);
		}
	}
	if (r < 0)
		return r;
	engine_shared_notice(e, n);
	if (n->net.shared && !n->others_known)
		read_others(e, n);
	n->others_known = true;
	return 0;
}
