/* network.c - the project's bridges and their addresses; see engine.h */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct engine_net *engine_net_find(struct engine *e, const char *name)
{
	for (size_t i = 0; i < e->nets.n; i++)
		if (strcmp(e->nets.v[i]->name, name) == 0)
			return e->nets.v[i];
	return NULL;
}

static void net_free(struct engine_net *n)
{
	dns_zone_free(n->zone);
	strs_clear(&n->guests);
	strs_clear(&n->others);
	free(n->name);
	free(n);
}

void engine_nets_free(struct engine *e)
{
	for (size_t i = 0; i < e->nets.n; i++)
		net_free(e->nets.v[i]);
	free(e->nets.v);
	e->nets.v = NULL;
	e->nets.n = e->nets.cap = 0;
}

/* What the record says, as net has it. */
static int from_record(const struct engine *e, const struct state_network *rec, const char *name,
		       struct net_network *out, struct err *err)
{
	int r;

	*out = (struct net_network){ .name = name, .internal = rec->internal };
	(void)snprintf(out->bridge, sizeof(out->bridge), "%s", rec->bridge ? rec->bridge : "");
	if (!rec->bridge)
		net_bridge_name(e->paths->run, name, out->bridge);
	out->mtu = rec->mtu;
	out->kind = rec->parent ? net_kind_of(rec->driver) : NET_BRIDGE;
	out->no_host = net_kind_of(rec->driver) != NET_BRIDGE;
	(void)snprintf(out->parent, sizeof(out->parent), "%s", rec->parent ? rec->parent : "");
	if (net_child_mode(out, rec->mode) < 0)
		return err_set(err, EINVAL, "network %s: there is no mode '%s' of driver %s", name,
			       rec->mode, rec->driver);
	out->group = net_group(e->paths->run, e->state->name);
	r = engine_shared_read(e, rec, out, err);
	if (r < 0)
		return r;
	if (net_prefix_parse(rec->subnet, &out->subnet) < 0)
		return err_set(err, EINVAL, "network %s: '%s' is not a subnet like 10.1.0.0/24",
			       name, rec->subnet);
	if (rec->gateway && net_ip_parse(rec->gateway, &out->gateway) < 0)
		return err_set(err, EINVAL, "network %s: '%s' is not an address", name,
			       rec->gateway);
	if (rec->ip_range && net_prefix_parse(rec->ip_range, &out->range) < 0)
		return err_set(err, EINVAL, "network %s: '%s' is not a range like 10.1.0.128/25",
			       name, rec->ip_range);
	if (!rec->subnet6)
		return 0;
	out->ipv6 = true;
	if (net_prefix6_parse(rec->subnet6, &out->subnet6) < 0)
		return err_set(err, EINVAL, "network %s: '%s' is not an IPv6 subnet", name,
			       rec->subnet6);
	if (rec->gateway6 && net_ip6_parse(rec->gateway6, out->gateway6) < 0)
		return err_set(err, EINVAL, "network %s: '%s' is not an IPv6 address", name,
			       rec->gateway6);
	return 0;
}

int engine_net_ensure(struct engine *e, const char *name, struct engine_net **out, struct err *err)
{
	struct engine_net *n = engine_net_find(e, name);
	const struct state_network *rec;
	int r;

	if (!n) {
		rec = state_network_named(e->state, name);
		if (!rec)
			return err_set(err, ENOENT, "network %s is not there", name);
		n = xcalloc(1, sizeof(*n));
		n->name = xstrdup(name);
		r = from_record(e, rec, n->name, &n->net, err);
		if (r == 0)
			r = net_network_up(e->nl, &n->net, err);
		if (r < 0) {
			net_free(n);
			return r;
		}
		n->zone = dns_zone_new(name);
		*vec_push(&e->nets) = n;
		e->fw_due = true;
		if (n->net.shared)
			engine_guests_refresh(e);
	}
	*out = n;
	return 0;
}

/* It could not be written down: nobody must find the bridge. */
static void forget_net(struct engine *e, const char *name)
{
	for (size_t i = 0; i < e->nets.n; i++) {
		struct engine_net *n = e->nets.v[i];

		if (strcmp(n->name, name) != 0)
			continue;
		(void)net_network_down(e->nl, &n->net, NULL);
		net_free(n);
		e->nets.v[i] = e->nets.v[--e->nets.n];
		return;
	}
}

/* What an earlier file had by this key stays until the project goes, by its own name. */
static void set_aside(struct engine *e, const struct network *def)
{
	struct state_network *rec = state_network_find(e->state, def->key);

	if (rec && (rec->external != def->external || !str_eq(rec->name, def->name)))
		state_set(&rec->key, rec->name);
}

static int make(struct engine *e, const struct network *def, struct err *err)
{
	struct state_network *rec = state_network_add(e->state);
	struct engine_net *n = NULL;
	auto_close int lock = -1;
	int r = engine_network_define(e->paths, e->nl, e->state, def, rec, &lock, err);

	if (r == 0)
		r = engine_net_ensure(e, def->name, &n, err);
	if (r == 0)
		r = state_save(e->paths, e->state, err);
	if (r < 0) {
		forget_net(e, def->name);
		state_set(&rec->key, ""); /* it may have none yet */
		state_network_remove(e->state, "");
	}
	return r;
}

int engine_network_up(struct engine *e, const struct network *def, bool *created, struct err *err)
{
	const struct state_network *rec;
	struct engine_net *n = NULL;
	int r = 0;

	set_aside(e, def);
	if (def->external || state_shared_exists(e->paths, def->name))
		r = engine_shared_join(e, def, err);
	rec = r == 0 ? state_network_find(e->state, def->key) : NULL;
	if (rec)
		return engine_net_ensure(e, rec->name, &n, err);
	if (r == 0)
		r = make(e, def, err);
	*created = r == 0;
	return r;
}

int engine_networks_down(struct engine *e, struct err *err)
{
	auto_fw_rules struct fw_rules none = { 0 };
	int r = engine_groups_remove(e, err);

	if (r < 0 || e->state->networks.n == 0)
		return r;
	fw_build(e->dir, NULL, 0, NULL, 0, &none);
	r = fw_begin(e->fw, &none, err);
	if (r == 0)
		r = engine_shared_leave(e, err);
	if (r == 0)
		r = net_networks_down(e->nl, net_group(e->paths->run, e->state->name), err);
	if (r == 0)
		r = fw_wait(e->fw, err);
	if (r < 0)
		return r;
	while (e->state->networks.n > 0)
		state_network_remove(e->state, e->state->networks.v[0].key);
	engine_nets_free(e);
	engine_guests_refresh(e);
	return 0;
}
