/* network.c - the project's bridges and their addresses; see engine.h */
#include "private.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct engine_net *engine_net_find(struct engine *e, const char *name)
{
	for (size_t i = 0; i < e->nets.n; i++)
		if (strcmp(e->nets.v[i]->name, name) == 0)
			return e->nets.v[i];
	return NULL;
}

void engine_nets_free(struct engine *e)
{
	for (size_t i = 0; i < e->nets.n; i++) {
		dns_zone_free(e->nets.v[i]->zone);
		free(e->nets.v[i]->name);
		free(e->nets.v[i]);
	}
	free(e->nets.v);
	e->nets.v = NULL;
	e->nets.n = e->nets.cap = 0;
}

/* What the record says, as net has it. */
static int from_record(const struct engine *e, const struct state_network *rec, const char *name,
		       struct net_network *out, struct err *err)
{
	*out = (struct net_network){ .name = name, .internal = rec->internal };
	(void)snprintf(out->bridge, sizeof(out->bridge), "%s", rec->bridge ? rec->bridge : "");
	if (!rec->bridge)
		net_bridge_name(e->paths->run, name, out->bridge);
	out->mtu = rec->mtu;
	out->group = net_group(e->paths->run, e->state->name);
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
	const struct state_network *rec = NULL;
	int r;

	if (!n) {
		for (size_t i = 0; i < e->state->networks.n; i++)
			if (strcmp(e->state->networks.v[i].name, name) == 0)
				rec = &e->state->networks.v[i];
		if (!rec)
			return err_set(err, ENOENT, "network %s is not there", name);
		n = xcalloc(1, sizeof(*n));
		n->name = xstrdup(name);
		r = from_record(e, rec, n->name, &n->net, err);
		if (r == 0)
			r = net_network_up(e->nl, &n->net, err);
		if (r < 0) {
			free(n->name);
			free(n);
			return r;
		}
		n->zone = dns_zone_new(name);
		*vec_push(&e->nets) = n;
		e->fw_due = true;
	}
	*out = n;
	return 0;
}

/* Subnets that other projects have written down, running or not. */
static void taken_subnets(const struct engine *e, struct net_prefixes *out)
{
	auto_strs struct strs projects = { 0 };

	(void)state_list_projects(e->paths, &projects, NULL);
	for (size_t i = 0; i < projects.n; i++) {
		auto_state struct state_project *other = NULL;
		const struct state_project *s = e->state;

		if (strcmp(projects.v[i], e->state->name) != 0) {
			if (state_load(e->paths, projects.v[i], &other, NULL) < 0)
				continue;
			s = other;
		}
		for (size_t k = 0; k < s->networks.n; k++) {
			struct net_prefix p;

			if (s->networks.v[k].subnet &&
			    net_prefix_parse(s->networks.v[k].subnet, &p) == 0)
				*vec_push(out) = p;
		}
	}
}

/* What the owner of the host wrote down; none: the default ones. */
static int read_pools(struct net_pools *out, struct err *err)
{
	const char *path = getenv("CTRCOMPOSE_NETWORKS");
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (!path || !*path)
		path = "/etc/ctrcompose/networks.json";
	r = file_read(AT_FDCWD, path, 1 << 20, &text, &len);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = net_pools_parse(text, len, out, err);
	else
		(void)err_set(err, r, "%s", strerror(-r));
	return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

static int choose_subnet(struct engine *e, const struct network *def, struct net_prefix *out,
			 struct err *err)
{
	struct net_prefixes host = { 0 }, taken = { 0 };
	struct net_pools pools = { 0 };
	int r;

	if (def->subnet) {
		if (net_prefix_parse(def->subnet, out) < 0)
			return err_set(err, EINVAL,
				       "networks.%s: '%s' is not a subnet like 10.1.0.0/24",
				       def->key, def->subnet);
		return 0;
	}
	r = read_pools(&pools, err);
	if (r == 0)
		r = net_host_routes(e->nl, &host, err);
	if (r == 0) {
		taken_subnets(e, &taken);
		r = net_pick_subnet(&host, &taken, pools.n ? pools.v : NULL, pools.n, out, err);
	}
	free(host.v);
	free(taken.v);
	free(pools.v);
	return r;
}

/* One chooser at a time on this host, until the choice is on disk. */
static int ipam_lock(const struct engine *e, int *fd, struct err *err)
{
	auto_free char *path = path_join(e->paths->state, "ipam.lock");
	auto_close int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (f < 0 || flock(f, LOCK_EX) < 0)
		return err_errno(err, "lock %s", path);
	*fd = steal_fd(&f);
	return 0;
}

/* The one that is written, else, where IPv6 is asked for, one of this network alone (RFC 4193). */
static void record_subnet6(struct state_network *rec, const struct engine *e,
			   const struct network *def)
{
	char text[NET_PREFIX6_LEN];
	struct net_prefix6 p;

	if (def->subnet6) {
		state_set(&rec->subnet6, def->subnet6);
		state_set(&rec->gateway6, def->gateway6);
	} else if (def->enable_ipv6) {
		net_pick_subnet6(e->paths->run, def->name, &p);
		state_set(&rec->subnet6, net_prefix6_format(&p, text));
	}
}

static void record_subnet(struct state_network *rec, const struct engine *e,
			  const struct network *def, struct net_prefix subnet)
{
	char text[NET_PREFIX_LEN], ip[NET_IP_LEN];
	struct net_network net = { .subnet = subnet };

	if (def->gateway)
		(void)net_ip_parse(def->gateway, &net.gateway);
	state_set(&rec->subnet, net_prefix_format(subnet, text));
	state_set(&rec->gateway, net_ip_format(net_gateway(&net), ip));
	state_set(&rec->ip_range, def->ip_range);
	for (size_t i = 0; i < def->aux_addresses.n; i++)
		strs_add(&rec->reserved, def->aux_addresses.v[i].value);
	record_subnet6(rec, e, def);
	net_bridge_name(e->paths->run, def->name, net.bridge);
	state_set(&rec->bridge, net.bridge);
}

/* What the file asks for of the bridge itself. */
static int take_options(struct state_network *rec, const struct network *def, struct err *err)
{
	const char *name = kvs_get(&def->driver_opts, "com.docker.network.bridge.name");
	const char *mtu = kvs_get(&def->driver_opts, "com.docker.network.driver.mtu");
	uint64_t v;

	if (mtu && *mtu) {
		if (parse_u64(mtu, &v) < 0 || v < 68 || v > 65535)
			return err_set(err, EINVAL, "network %s: '%s' is no MTU", def->name, mtu);
		rec->mtu = (unsigned)v;
	}
	if (!name || !*name)
		return 0;
	if (strlen(name) >= NET_IFNAME || strpbrk(name, "/ \t:%") || str_starts(name, "."))
		return err_set(err, EINVAL,
			       "network %s: '%s' is no name for a bridge (at most 15 characters)",
			       def->name, name);
	if (if_nametoindex(name))
		return err_set(err, EEXIST, "network %s: a link called %s is there already",
			       def->name, name);
	state_set(&rec->bridge, name);
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
		dns_zone_free(n->zone);
		free(n->name);
		free(n);
		e->nets.v[i] = e->nets.v[--e->nets.n];
		return;
	}
}

int engine_network_up(struct engine *e, const struct network *def, bool *created, struct err *err)
{
	struct state_network *rec = state_network_find(e->state, def->key);
	struct engine_net *n = NULL;
	auto_close int lock = -1;
	struct net_prefix subnet;
	int r;

	if (rec)
		return rec->external ? 0 : engine_net_ensure(e, rec->name, &n, err);
	if (def->external)
		return err_set(
			err, ENOENT,
			"network %s is declared external, but networks of others can't be joined yet",
			def->name);
	r = ipam_lock(e, &lock, err);
	if (r == 0)
		r = choose_subnet(e, def, &subnet, err);
	if (r < 0)
		return err_wrap(err, r, "network %s", def->name);
	rec = state_network_add(e->state);
	state_set(&rec->key, def->key);
	state_set(&rec->name, def->name);
	state_set(&rec->driver, def->driver ? def->driver : "bridge");
	rec->internal = def->internal;
	record_subnet(rec, e, def, subnet);
	r = take_options(rec, def, err);
	if (r == 0)
		r = engine_net_ensure(e, def->name, &n, err);
	if (r == 0)
		r = state_save(e->paths, e->state, err);
	if (r < 0) {
		forget_net(e, def->name);
		state_network_remove(e->state, def->key);
		return r;
	}
	*created = true;
	return 0;
}

int engine_networks_down(struct engine *e, struct err *err)
{
	auto_fw_rules struct fw_rules none = { 0 };
	int r;

	r = engine_groups_remove(e, err);
	if (r < 0 || e->state->networks.n == 0)
		return r;
	fw_build(e->dir, NULL, 0, NULL, 0, &none);
	r = fw_begin(e->fw, &none, err);
	if (r == 0)
		r = net_networks_down(e->nl, net_group(e->paths->run, e->state->name), err);
	if (r == 0)
		r = fw_wait(e->fw, err);
	if (r < 0)
		return r;
	while (e->state->networks.n > 0)
		state_network_remove(e->state, e->state->networks.v[0].key);
	engine_nets_free(e);
	return 0;
}
