/* ports.c - the host's side of published ports: taken before anything starts, kept while the
 * container runs; see engine.h */
#include "private.h"

#include <ctrcompose/compose.h>
#include <stdlib.h>
#include <string.h>

static int target_of(const struct unit *u, uint32_t *ip)
{
	const struct state_endpoint *ep = engine_published(u->engine, u->c);

	return ep && ep->ip ? net_ip_parse(ep->ip, ip) : -ENOENT;
}

char *engine_unpublished(const struct unit *u)
{
	const struct state_endpoint *ep = engine_way_out(u->engine, u->c);

	if (u->c->ports.n == 0 || !ep || engine_is_bridged(u->engine, ep->network))
		return NULL;
	return xasprintf("container %s: ports are not published: its way out is network %s, where "
			 "it has the address %s",
			 u->c->name, ep->network, ep->ip);
}

/* ---- Who has it -------------------------------------------------------------------------------- */
static bool publishes(const struct state_container *c, const char *host_ip, uint16_t port,
		      const char *proto)
{
	for (size_t i = 0; c->pid && i < c->ports.n; i++) {
		const struct state_port *p = &c->ports.v[i];

		if (p->published == port && str_eq(p->proto, proto) &&
		    (!host_ip || !p->host_ip || str_eq(host_ip, p->host_ip)))
			return true;
	}
	return false;
}

static const char *publisher_in(const struct state_project *s, const char *host_ip, uint16_t port,
				const char *proto)
{
	for (size_t i = 0; i < s->containers.n; i++)
		if (publishes(s->containers.v[i], host_ip, port, proto))
			return s->containers.v[i]->name;
	return NULL;
}

/* "project shop (container shop-web-1)", or NULL. */
static char *publisher(const struct engine *e, const char *host_ip, uint16_t port,
		       const char *proto)
{
	auto_strs struct strs projects = { 0 };
	const char *name = publisher_in(e->state, host_ip, port, proto);

	if (name)
		return xasprintf("container %s", name);
	(void)state_list_projects(e->paths, &projects, NULL);
	for (size_t i = 0; i < projects.n; i++) {
		auto_state struct state_project *other = NULL;

		if (str_eq(projects.v[i], e->state->name) ||
		    state_load(e->paths, projects.v[i], &other, NULL) < 0)
			continue;
		(void)state_refresh(e->paths, other, NULL, NULL);
		name = publisher_in(other, host_ip, port, proto);
		if (name)
			return xasprintf("project %s (container %s)", projects.v[i], name);
	}
	return NULL;
}

static int reserve(const struct engine *e, const char *host_ip, uint16_t lo, uint16_t hi,
		   const char *proto, struct net_reserved *out, struct err *err)
{
	auto_err struct err why = ERR_INIT;
	auto_free char *owner = NULL;
	int r = net_port_reserve(host_ip, lo, hi, str_eq(proto, "udp"), out, &why);

	if (r == -EADDRINUSE && lo == hi)
		owner = publisher(e, host_ip, lo, proto);
	if (owner)
		return err_set(err, r, "port %u/%s%s%s is in use by %s", lo, proto,
			       host_ip ? " on " : "", host_ip ? host_ip : "", owner);
	return r < 0 ? err_set(err, r, "%s", err_text(&why)) : 0;
}

/* ---- Before anything is started ---------------------------------------------------------------- */
struct checked { /* ports that are free, held until the last one is looked at */
	struct {
		const char *container, *host_ip, *proto;
		uint16_t port;
		struct net_reserved reserved;
	} * v;
	size_t n, cap;
};

static int check_port(const struct engine *e, struct checked *seen, const char *container,
		      const char *host_ip, uint16_t port, const char *proto, struct err *err)
{
	struct net_reserved reserved;
	int r;

	/* Ours: the plan will stop it first, or the start says what is wrong. */
	if (port == 0 || publisher_in(e->state, NULL, port, proto))
		return 0;
	for (size_t i = 0; i < seen->n; i++)
		if (seen->v[i].port == port && str_eq(seen->v[i].proto, proto) &&
		    (!host_ip || !seen->v[i].host_ip || str_eq(host_ip, seen->v[i].host_ip)))
			return err_set(err, -EADDRINUSE,
				       "container %s: port %u/%s is published by container %s too",
				       container, port, proto, seen->v[i].container);
	r = reserve(e, host_ip, port, port, proto, &reserved, err);
	if (r < 0)
		return err_wrap(err, r, "container %s", container);
	*vec_push(seen) = (__typeof__(*seen->v)){ container, host_ip, proto, port, reserved };
	return 0;
}

static int check_created(const struct engine *e, struct checked *seen, struct arena *a,
			 const struct plan_action *action, struct err *err)
{
	struct service *svc = NULL;
	int r;

	if (!strstr(action->config_json, "\"ports\""))
		return 0;
	r = compose_service_from_json(a, action->service, action->config_json, &svc, err);
	for (size_t i = 0; r == 0 && i < svc->n_ports; i++) {
		const struct service_port *p = &svc->ports[i];

		if (p->published_lo == p->published_hi)
			r = check_port(e, seen, action->name, p->host_ip, p->published_lo,
				       p->protocol, err);
	}
	return r;
}

static int check_there(const struct engine *e, struct checked *seen, const char *name,
		       struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < e->state->containers.n; i++) {
		const struct state_container *c = e->state->containers.v[i];

		for (size_t k = 0; str_eq(c->name, name) && r == 0 && k < c->ports.n; k++)
			r = check_port(e, seen, c->name, c->ports.v[k].host_ip,
				       c->ports.v[k].published, c->ports.v[k].proto, err);
	}
	return r;
}

static const struct plan_action *creation(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->actions.n; i++)
		if (plan->actions.v[i].op == PLAN_CREATE && str_eq(plan->actions.v[i].name, name))
			return &plan->actions.v[i];
	return NULL;
}

int engine_ports_check(const struct engine *e, const struct plan *plan, struct err *err)
{
	struct checked seen = { 0 };
	auto_arena struct arena a = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->actions.n; i++) {
		const struct plan_action *start = &plan->actions.v[i], *made;

		if (start->op != PLAN_START)
			continue;
		made = creation(plan, start->name);
		r = made ? check_created(e, &seen, &a, made, err)
			 : check_there(e, &seen, start->name, err);
	}
	for (size_t i = 0; i < seen.n; i++)
		net_reserved_close(&seen.v[i].reserved);
	free(seen.v);
	return r;
}

/* ---- While it runs ----------------------------------------------------------------------------- */
int unit_ports_open(struct unit *u, struct err *err)
{
	uint32_t target = 0;
	int r = 0;

	if (u->svc->n_ports == 0 || (u->c->oneoff && u->c->ports.n == 0))
		return 0;
	if (target_of(u, &target) < 0)
		return 0; /* no network of its own: nothing to publish to */
	u->ports = xcalloc(u->c->ports.n, sizeof(*u->ports));
	for (size_t i = 0; r == 0 && i < u->c->ports.n; i++) {
		struct state_port *p = &u->c->ports.v[i];
		const struct service_port *want = &u->svc->ports[i];
		bool udp = strcmp(p->proto, "udp") == 0;
		struct unit_port *mine = &u->ports[i];
		uint16_t lo = p->published ? p->published : want->published_lo;
		uint16_t hi = p->published ? p->published : want->published_hi;

		mine->reserved = (struct net_reserved){ -1, -1, 0 };
		u->n_ports = i + 1;
		r = reserve(u->engine, p->host_ip, lo, hi, p->proto, &mine->reserved, err);
		if (r == 0)
			r = net_proxy_start(u->engine->loop, &mine->reserved, udp, target,
					    p->target, &mine->proxy, err);
		if (r == 0)
			p->published = mine->reserved.port;
	}
	if (r < 0)
		unit_ports_close(u);
	return r;
}

void unit_ports_close(struct unit *u)
{
	for (size_t i = 0; i < u->n_ports; i++) {
		if (u->ports[i].proxy)
			net_proxy_stop(&u->ports[i].proxy);
		net_reserved_close(&u->ports[i].reserved);
	}
	free(steal(u->ports));
	u->n_ports = 0;
}
