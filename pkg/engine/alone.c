/* alone.c - networks that are no project's: made and removed by a person; see engine.h */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int engine_network_create(const struct state_paths *paths, const struct network *def,
			  struct err *err)
{
	auto_shared struct state_shared *s = xcalloc(1, sizeof(*s));
	auto_nl struct nl_conn *nl = NULL;
	auto_close int lock = -1, ipam = -1;
	int r = state_shared_lock(paths, true, &lock, err);

	if (r == 0)
		r = nl_conn_open(&nl, err);
	if (r == 0)
		r = engine_network_define(paths, nl, NULL, def, &s->net, &ipam, err);
	s->created_ns = now_real_ns();
	return r < 0 ? r : state_shared_save(paths, s, err);
}

struct owner {
	const char *name;
	char *project;
};

static void match(const char *project, const struct state_network *net, void *arg)
{
	struct owner *o = arg;

	if (project && !o->project && str_eq(net->name, o->name))
		o->project = xstrdup(project);
}

static int not_alone(const struct state_paths *paths, const char *name, struct err *err)
{
	struct owner o = { .name = name };
	auto_free char *project = NULL;

	state_networks_each(paths, NULL, match, &o);
	project = o.project;
	if (!project)
		return err_set(err, ENOENT, "there is no network %s", name);
	return err_set(err, EBUSY,
		       "network %s belongs to project %s: `ctrcompose -p %s down` removes it", name,
		       project, project);
}

static int in_use(const struct state_shared *s, struct err *err)
{
	auto_strs struct strs users = { 0 };
	auto_sbuf struct sbuf list = SBUF_INIT;

	state_shared_others(s, NULL, &users);
	for (size_t i = 0; i < users.n; i++)
		sbuf_addf(&list, "%s%s", i ? ", " : "", users.v[i]);
	return err_set(err, EBUSY, "network %s is in use by project%s %s", s->net.name,
		       users.n == 1 ? "" : "s", sbuf_str(&list));
}

int engine_network_remove(const struct state_paths *paths, const char *name, struct err *err)
{
	struct net_network net = { .name = name };
	auto_shared struct state_shared *s = NULL;
	auto_nl struct nl_conn *nl = NULL;
	auto_close int lock = -1;
	int r;

	if (!state_shared_exists(paths, name))
		return not_alone(paths, name, err);
	r = state_shared_lock(paths, true, &lock, err);
	if (r == 0)
		r = state_shared_load(paths, name, &s, err);
	if (r < 0)
		return r;
	state_shared_refresh(paths, s);
	if (s->owned)
		return not_alone(paths, name, err);
	if (state_shared_used(s))
		return in_use(s, err);
	/* It goes with its last project, unless that one was killed. */
	(void)snprintf(net.bridge, sizeof(net.bridge), "%s", s->net.bridge);
	r = nl_conn_open(&nl, err);
	if (r == 0)
		r = net_network_down(nl, &net, err);
	return r < 0 ? r : state_shared_remove(paths, name, err);
}
