/* address_check.c - before anything is done: whether addresses that the file gives are free, so that no
 * container is removed for one that can not be made */
#include "private.h"

#include <ctrcompose/compose.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of_network(const struct plan *plan, const char *key)
{
	for (size_t i = 0; i < plan->n_networks; i++)
		if (str_eq(plan->networks[i].key, key))
			return plan->networks[i].name;
	return NULL;
}

bool engine_goes(const struct plan *plan, const struct state_container *c)
{
	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];

		if ((a->op == PLAN_REMOVE && str_eq(a->name, c->name)) ||
		    (a->op == PLAN_SETTLE && str_eq(a->old, c->id)))
			return true;
	}
	return false;
}

static bool same_address(const char *text, const struct state_endpoint *e)
{
	uint8_t a[16], b[16];
	uint32_t ip, other;

	if (net_ip_parse(text, &ip) == 0)
		return e->ip && net_ip_parse(e->ip, &other) == 0 && ip == other;
	return net_ip6_parse(text, a) == 0 && e->ip6 && net_ip6_parse(e->ip6, b) == 0 &&
	       memcmp(a, b, sizeof(a)) == 0;
}

struct given {
	const char *container, *network, *address;
};

struct given_list {
	struct given *v;
	size_t n, cap;
};

static int check_address(const struct engine *e, const struct plan *plan, struct given_list *seen,
			 const struct given *g, struct err *err)
{
	const char *user = NULL;

	for (size_t i = 0; g->address && i < e->state->containers.n; i++) {
		const struct state_container *c = e->state->containers.v[i];

		for (size_t k = 0; k < c->endpoints.n; k++)
			if (str_eq(c->endpoints.v[k].network, g->network) &&
			    same_address(g->address, &c->endpoints.v[k]) && !engine_goes(plan, c))
				user = c->name;
	}
	for (size_t i = 0; g->address && i < seen->n; i++)
		if (str_eq(seen->v[i].network, g->network) &&
		    str_eq(seen->v[i].address, g->address))
			user = seen->v[i].container;
	if (user)
		return err_set(err, EADDRINUSE, "container %s: %s is in use by %s", g->container,
			       g->address, user);
	if (g->address)
		*vec_push(seen) = *g;
	return 0;
}

int engine_addresses_check(const struct engine *e, const struct plan *plan, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct given_list seen = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->actions.n; i++) {
		const struct plan_action *make = &plan->actions.v[i];
		struct service *svc = NULL;

		if (make->op != PLAN_CREATE || !strstr(make->config_json, "_address\""))
			continue;
		r = compose_service_from_json(&a, make->service, make->config_json, &svc, err);
		for (size_t k = 0; r == 0 && k < svc->n_networks; k++) {
			const struct service_network *sn = &svc->networks[k];
			struct given g = { make->name, name_of_network(plan, sn->network),
					   sn->ipv4_address };

			r = check_address(e, plan, &seen, &g, err);
			g.address = sn->ipv6_address;
			if (r == 0)
				r = check_address(e, plan, &seen, &g, err);
		}
	}
	free(seen.v);
	return r;
}
