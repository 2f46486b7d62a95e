/* subnet.c - what a new network is: its name, its subnets, its bridge; see private.h */
#include "private.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* One chooser at a time on this host, until the choice is on disk. */
static int ipam_lock(const struct state_paths *paths, int *fd, struct err *err)
{
	auto_free char *path = path_join(paths->state, "ipam.lock");
	auto_close int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (f < 0 || flock(f, LOCK_EX) < 0)
		return err_errno(err, "lock %s", path);
	*fd = steal_fd(&f);
	return 0;
}

/* Subnets that are written down, of projects that run and of others. */
struct survey {
	const char *name; /* of the new network */
	struct net_prefixes taken;
	struct net_prefixes6 taken6;
	bool there;   /* one of that name is there already */
	char *holder; /* whose it is; NULL: nobody's */
};

static void survey(const char *project, const struct state_network *net, void *arg)
{
	struct survey *s = arg;
	struct net_prefix p;
	struct net_prefix6 p6;

	if (net->subnet6 && net_prefix6_parse(net->subnet6, &p6) == 0)
		*vec_push(&s->taken6) = p6;
	if (net->subnet && net_prefix_parse(net->subnet, &p) == 0)
		*vec_push(&s->taken) = p;
	if (!s->there && str_eq(net->name, s->name)) {
		s->there = true;
		s->holder = project ? xstrdup(project) : NULL;
	}
}

static int no_namesake(const struct survey *s, struct err *err)
{
	if (!s->there)
		return 0;
	if (!s->holder)
		return err_set(err, EEXIST,
			       "network %s is there already and is no project's: `external: true` "
			       "uses it",
			       s->name);
	return err_set(err, EEXIST,
		       "network %s is there already and belongs to project %s: `external: true` "
		       "uses it",
		       s->name, s->holder);
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

static int choose_subnet(struct nl_conn *nl, const struct network *def,
			 const struct net_prefixes *taken, struct net_prefix *out, struct err *err)
{
	struct net_prefixes host = { 0 };
	struct net_pools pools = { 0 };
	int r;

	if (def->subnet)
		return net_prefix_parse(def->subnet, out) < 0
			       ? err_set(err, EINVAL,
					 "networks.%s: '%s' is not a subnet like 10.1.0.0/24",
					 def->key, def->subnet)
			       : 0;
	r = read_pools(&pools, err);
	if (r == 0)
		r = net_host_routes(nl, &host, err);
	if (r == 0)
		r = net_pick_subnet(&host, taken, pools.n ? pools.v : NULL, pools.n, out, err);
	free(host.v);
	free(pools.v);
	return r;
}

/* The one that is written, else, where IPv6 is asked for, one of this network alone (RFC 4193). */
static void record_subnet6(struct state_network *rec, const struct state_paths *paths,
			   const struct network *def, const struct net_prefixes6 *used)
{
	char text[NET_PREFIX6_LEN];
	struct net_prefix6 p;

	if (def->subnet6) {
		state_set(&rec->subnet6, def->subnet6);
		state_set(&rec->gateway6, def->gateway6);
	} else if (def->enable_ipv6) {
		net_pick_subnet6(paths->run, def->name, used, &p);
		state_set(&rec->subnet6, net_prefix6_format(&p, text));
	}
}

static void record_subnet(struct state_network *rec, const struct state_paths *paths,
			  const struct network *def, struct net_prefix subnet,
			  const struct net_prefixes6 *used6)
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
	record_subnet6(rec, paths, def, used6);
	net_bridge_name(paths->run, def->name, net.bridge);
	state_set(&rec->bridge, net.bridge);
}

static bool inside(const struct state_network *rec, const char *address)
{
	struct net_prefix6 six;
	struct net_prefix four;
	uint8_t ip6[16];
	uint32_t ip;

	if (strchr(address, ':'))
		return rec->subnet6 && net_ip6_parse(address, ip6) == 0 &&
		       net_prefix6_parse(rec->subnet6, &six) == 0 && net_prefix6_has(&six, ip6);
	return net_ip_parse(address, &ip) == 0 && net_prefix_parse(rec->subnet, &four) == 0 &&
	       net_prefix_has(four, ip);
}

/* What is written lies in the subnets. */
static int check_addresses(const struct state_network *rec, const struct network *def,
			   struct err *err)
{
	const char *const gateways[] = { def->gateway, def->gateway6 };
	struct net_prefix subnet, range;
	struct net_prefix6 six;

	if (def->subnet6 && net_prefix6_parse(def->subnet6, &six) < 0)
		return err_set(err, EINVAL, "network %s: '%s' is not a subnet like fd00:1::/64",
			       def->name, def->subnet6);
	for (size_t i = 0; i < ARRAY_LEN(gateways); i++)
		if (gateways[i] && !inside(rec, gateways[i]))
			return err_set(err, EINVAL,
				       "network %s: gateway %s is not an address of its subnet",
				       def->name, gateways[i]);
	for (size_t i = 0; i < def->aux_addresses.n; i++)
		if (!inside(rec, def->aux_addresses.v[i].value))
			return err_set(
				err, EINVAL,
				"network %s: aux address %s=%s is not an address of its subnet",
				def->name, def->aux_addresses.v[i].key,
				def->aux_addresses.v[i].value);
	if (def->ip_range && (net_prefix_parse(def->ip_range, &range) < 0 ||
			      net_prefix_parse(rec->subnet, &subnet) < 0 ||
			      range.len < subnet.len || !net_prefix_has(subnet, range.addr)))
		return err_set(err, EINVAL,
			       "network %s: ip_range %s is not a part of its subnet %s", def->name,
			       def->ip_range, rec->subnet);
	return 0;
}

/* What is asked for of a driver whose endpoints are children of a link of the host. */
static int take_child_options(struct state_network *rec, const struct network *def, struct err *err)
{
	bool macvlan = str_eq(rec->driver, "macvlan");
	const char *parent = kvs_get(&def->driver_opts, "parent");
	const char *mode = kvs_get(&def->driver_opts, macvlan ? "macvlan_mode" : "ipvlan_mode");
	const char *flag = kvs_get(&def->driver_opts, "ipvlan_flag");
	struct net_network net = { .kind = net_kind_of(rec->driver) };

	if (flag && *flag && strcmp(flag, "bridge") != 0)
		return err_set(err, ENOTSUP, "network %s: the only ipvlan_flag is bridge, not '%s'",
			       def->name, flag);
	if (parent && strlen(parent) >= NET_IFNAME)
		return err_set(err, EINVAL, "network %s: '%s' is no name of a link", def->name,
			       parent);
	state_set(&rec->parent, parent && *parent ? parent : NULL);
	state_set(&rec->mode, mode && *mode ? mode : NULL);
	if (!rec->parent && rec->mode)
		return err_set(err, EINVAL,
			       "network %s: a mode of driver %s needs the option parent", def->name,
			       rec->driver);
	rec->internal |= !rec->parent; /* there is no way out of what hangs on nothing */
	if (net_child_mode(&net, rec->mode) < 0)
		return err_set(err, EINVAL, "network %s: there is no mode '%s' of driver %s",
			       def->name, rec->mode, rec->driver);
	return 0;
}

/* Of the drivers' options each has its own. */
static int check_options(const struct state_network *rec, const struct network *def,
			 struct err *err)
{
	static const struct {
		const char *option, *driver; /* NULL: all but bridge */
	} own[] = {
		{ "parent", NULL },
		{ "macvlan_mode", "macvlan" },
		{ "ipvlan_mode", "ipvlan" },
		{ "ipvlan_flag", "ipvlan" },
		{ "com.docker.network.bridge.name", "bridge" },
	};

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (kvs_get(&def->driver_opts, own[i].option) &&
		    (own[i].driver ? !str_eq(rec->driver, own[i].driver)
				   : str_eq(rec->driver, "bridge")))
			return err_set(err, EINVAL, "network %s: driver %s has no option %s",
				       def->name, rec->driver, own[i].option);
	return 0;
}

/* What is asked for of the bridge itself. */
static int take_options(struct state_network *rec, const struct network *def, struct err *err)
{
	const char *name = kvs_get(&def->driver_opts, "com.docker.network.bridge.name");
	const char *mtu = kvs_get(&def->driver_opts, "com.docker.network.driver.mtu");
	uint64_t v;
	int r = check_options(rec, def, err);

	if (r == 0 && net_kind_of(rec->driver) != NET_BRIDGE)
		r = take_child_options(rec, def, err);
	if (r < 0)
		return r;
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

int engine_network_define(const struct state_paths *paths, struct nl_conn *nl,
			  const struct state_project *mine, const struct network *def,
			  struct state_network *rec, int *lock, struct err *err)
{
	struct survey all = { .name = def->name };
	struct net_prefix subnet;
	int r = ipam_lock(paths, lock, err);

	if (r < 0)
		return r;
	state_networks_each(paths, mine, survey, &all);
	r = no_namesake(&all, err);
	if (r == 0) {
		r = choose_subnet(nl, def, &all.taken, &subnet, err);
		if (r < 0)
			r = err_wrap(err, r, "network %s", def->name);
	}
	if (r == 0 && def->enable_ipv6 && !def->subnet6)
		r = net_host_routes6(nl, &all.taken6, err);
	if (r == 0)
		record_subnet(rec, paths, def, subnet, &all.taken6);
	free(all.taken.v);
	free(all.taken6.v);
	free(all.holder);
	if (r < 0)
		return r;
	state_set(&rec->key, def->key);
	state_set(&rec->name, def->name);
	state_set(&rec->driver, def->driver ? def->driver : "bridge");
	rec->internal = def->internal;
	for (size_t i = 0; i < def->labels.n; i++)
		strs_addf(&rec->labels, "%s=%s", def->labels.v[i].key, def->labels.v[i].value);
	r = check_addresses(rec, def, err);
	return r < 0 ? r : take_options(rec, def, err);
}
