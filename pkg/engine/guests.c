/* guests.c - what containers of other projects are called on the networks that this one has with
 * them: read from their records, again when these have changed and somebody asks; see private.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>

struct engine_guests {
	struct loop_source *networks;
	bool old; /* some record has changed since they were read */
	struct {
		struct host { /* another project */
			struct engine *e;
			char *project;
			struct loop_source *record, *live;
		} * *v;
		size_t n, cap;
	} hosts;
};

/* ---- Watching --------------------------------------------------------------------------------- */
static void on_record(void *arg, uint32_t mask, const char *name)
{
	struct host *h = arg;

	(void)mask;
	(void)name;
	h->e->guests->old = true;
}

static void on_live(void *arg, uint32_t mask, const char *name)
{
	struct host *h = arg;

	if (mask & IN_IGNORED) { /* its folder went: it will have another */
		loop_source_free(h->live);
		h->live = NULL;
	}
	on_record(h, mask, name);
}

/* What has happened to records is seen before the questions that come after it. */
static int watch(struct engine *e, const char *dir, loop_watch_fn *fn, void *arg,
		 struct loop_source **out, struct err *err)
{
	int r = loop_watch_add(e->loop, dir, IN_MOVED_TO | IN_DELETE, fn, arg, out, err);

	return r < 0 ? r : loop_source_priority(*out, LOOP_EARLY);
}

static void watch_host(struct host *h)
{
	const struct state_paths *paths = h->e->paths;
	auto_free char *dir = state_project_dir(paths, h->project);
	auto_free char *run = state_run_dir(paths, h->project), *live = path_join(run, "c");

	/* Those that are not there yet come before the record is written. */
	if (!h->record)
		(void)watch(h->e, dir, on_record, h, &h->record, NULL);
	if (!h->live)
		(void)watch(h->e, live, on_live, h, &h->live, NULL);
}

static void host_free(struct host *h)
{
	loop_source_free(h->record);
	loop_source_free(h->live);
	free(h->project);
	free(h);
}

static void watch_all(struct engine *e, const struct strs *projects)
{
	struct engine_guests *g = e->guests;

	for (size_t i = g->hosts.n; i-- > 0;) {
		if (strs_has(projects, g->hosts.v[i]->project))
			continue;
		host_free(g->hosts.v[i]);
		g->hosts.v[i] = g->hosts.v[--g->hosts.n];
	}
	for (size_t i = 0; i < projects->n; i++) {
		struct host *h = NULL;

		for (size_t k = 0; k < g->hosts.n; k++)
			if (str_eq(g->hosts.v[k]->project, projects->v[i]))
				h = g->hosts.v[k];
		if (!h) {
			h = xcalloc(1, sizeof(*h));
			h->e = e;
			h->project = xstrdup(projects->v[i]);
			*vec_push(&g->hosts) = h;
		}
		watch_host(h);
	}
}

/* ---- Names ------------------------------------------------------------------------------------ */
static void forget(struct engine_net *n)
{
	for (size_t i = 0; i < n->guests.n; i++)
		dns_zone_remove_owner(n->zone, n->guests.v[i]);
	strs_clear(&n->guests);
}

static void invite(struct engine *e, const struct state_container *c)
{
	for (size_t i = 0; i < c->endpoints.n; i++) {
		struct engine_net *n = engine_net_find(e, c->endpoints.v[i].network);

		if (!n || !n->net.shared)
			continue;
		engine_names_add(c, &c->endpoints.v[i], NULL, n->zone);
		dns_zone_set_aside(n->zone, c->id, c->health == STATE_UNHEALTHY);
		strs_add(&n->guests, c->id);
	}
}

void engine_guests_refresh(struct engine *e)
{
	auto_strs struct strs projects = { 0 };

	if (!e->guests)
		return;
	e->guests->old = false;
	for (size_t i = 0; i < e->nets.n; i++) {
		auto_shared struct state_shared *s = NULL;

		forget(e->nets.v[i]);
		if (e->nets.v[i]->net.shared &&
		    state_shared_load(e->paths, e->nets.v[i]->name, &s, NULL) == 0)
			state_shared_others(s, e->state->name, &projects);
	}
	watch_all(e, &projects); /* first: what changes from here on is seen */
	for (size_t i = 0; i < projects.n; i++) {
		auto_state struct state_project *p = NULL;

		if (state_load(e->paths, projects.v[i], &p, NULL) < 0 ||
		    state_refresh(e->paths, p, NULL, NULL) < 0)
			continue;
		for (size_t k = 0; k < p->containers.n; k++)
			if (p->containers.v[k]->pid > 0)
				invite(e, p->containers.v[k]);
	}
}

static void before_question(void *arg)
{
	struct engine *e = arg;

	if (e->guests->old)
		engine_guests_refresh(e);
}

/* Somebody joins a network of ours, or leaves one. */
static void on_network(void *arg, uint32_t mask, const char *name)
{
	struct engine *e = arg;

	(void)mask;
	for (size_t i = 0; i < e->nets.n; i++) {
		struct engine_net *n = e->nets.v[i];
		auto_free char *file = xasprintf("%s.json", n->name);
		auto_err struct err err = ERR_INIT;

		if (!str_eq(name, file))
			continue;
		engine_shared_notice(e, n);
		e->guests->old = true;
		if (e->fw_due && engine_firewall(e, &err) < 0)
			log_line(LOG_ERROR, "%s: %s", e->state->name, err_text(&err));
	}
}

int engine_guests_open(struct engine *e, struct err *err)
{
	auto_free char *dir = state_shared_dir(e->paths);
	struct engine_guests *g = xcalloc(1, sizeof(*g));
	int r = path_mkdirs(dir, 0700);

	e->guests = g;
	if (r < 0)
		return err_set(err, r, "make folder %s: %s", dir, strerror(-r));
	dns_server_before(e->dns, before_question, e);
	if (watch(e, dir, on_network, e, &g->networks, err) < 0) {
		/* Another program has used up the limit of watches, say. */
		log_line(LOG_WARN, "%s: %s: names of others on shared networks may be old",
			 e->state->name, err_text(err));
		err_clear(err);
	}
	return 0;
}

void engine_guests_close(struct engine *e)
{
	struct engine_guests *g = steal(e->guests);

	if (!g)
		return;
	for (size_t i = 0; i < g->hosts.n; i++)
		host_free(g->hosts.v[i]);
	free(g->hosts.v);
	loop_source_free(g->networks);
	free(g);
}
