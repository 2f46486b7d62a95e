/* cmd_network_create.c - ctrcompose network create: a network that is no project's. */
#include "networks/networks.h"

#include <ctrcompose/engine.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	bool attachable, internal, ipv6;
	const char *driver;
	struct strs subnets, gateways, ranges, reserved, labels, opts;
} arg = { .driver = "bridge" };

static const struct opt opts[] = {
	{ 0, "attachable", OPT_FLAG, &arg.attachable, NULL, "No effect: every network is" },
	{ 0, "aux-address", OPT_LIST, &arg.reserved, "NAME=ADDRESS",
	  "An address that no container is given" },
	{ 'd', "driver", OPT_STRING, &arg.driver, "DRIVER", "bridge, macvlan or ipvlan" },
	{ 0, "gateway", OPT_LIST, &arg.gateways, "ADDRESS", "IPv4 or IPv6 address of the host" },
	{ 0, "internal", OPT_FLAG, &arg.internal, NULL, "No way in or out" },
	{ 0, "ip-range", OPT_LIST, &arg.ranges, "RANGE",
	  "Give containers addresses out of this part of the subnet" },
	{ 0, "ipv6", OPT_FLAG, &arg.ipv6, NULL, "Also IPv6" },
	{ 0, "label", OPT_LIST, &arg.labels, "KEY=VALUE", "Add a label" },
	{ 'o', "opt", OPT_LIST, &arg.opts, "KEY=VALUE",
	  "com.docker.network.bridge.name, com.docker.network.driver.mtu, parent, macvlan_mode, "
	  "ipvlan_mode, ipvlan_flag" },
	{ 0, "subnet", OPT_LIST, &arg.subnets, "SUBNET", "IPv4 and IPv6 subnet, one of each" },
};

/* One of each family at most. */
static int by_family(const struct strs *l, const char *option, const char **four, const char **six,
		     struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const char **to = strchr(l->v[i], ':') ? six : four;

		if (!to)
			return usage_error(err, "--%s: '%s' is not an IPv4 range", option, l->v[i]);
		if (*to)
			return usage_error(err, "--%s: '%s' is a second one of its family", option,
					   l->v[i]);
		*to = l->v[i];
	}
	return 0;
}

static struct kvs pairs(struct arena *a, struct strs *l)
{
	struct kv *kv = arena_array(a, l->n + 1, sizeof(*kv));

	for (size_t i = 0; i < l->n; i++) {
		char *eq = strchr(l->v[i], '=');

		if (eq)
			*eq = '\0';
		kv[i] = (struct kv){ l->v[i], eq ? eq + 1 : "" };
	}
	return (struct kvs){ kv, l->n };
}

static int check_opts(const struct kvs *o, struct err *err)
{
	static const char *const known[] = { "com.docker.network.bridge.name",
					     "com.docker.network.driver.mtu",
					     "parent",
					     "macvlan_mode",
					     "ipvlan_mode",
					     "ipvlan_flag" };

	for (size_t i = 0; i < o->n; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			found |= str_eq(o->v[i].key, known[k]);
		if (!found)
			return usage_error(err, "--opt: there is no %s", o->v[i].key);
	}
	return 0;
}

static int define(struct arena *a, const char *name, struct network *def, struct err *err)
{
	int r;

	*def = (struct network){ .key = name,
				 .name = name,
				 .driver = arg.driver,
				 .internal = arg.internal,
				 .labels = pairs(a, &arg.labels),
				 .driver_opts = pairs(a, &arg.opts),
				 .aux_addresses = pairs(a, &arg.reserved) };
	if (!str_eq(arg.driver, "bridge") && !str_eq(arg.driver, "macvlan") &&
	    !str_eq(arg.driver, "ipvlan"))
		return usage_error(err,
				   "--driver: '%s': the drivers are bridge, macvlan and ipvlan",
				   arg.driver);
	r = by_family(&arg.subnets, "subnet", &def->subnet, &def->subnet6, err);
	if (r == 0)
		r = by_family(&arg.gateways, "gateway", &def->gateway, &def->gateway6, err);
	if (r == 0)
		r = by_family(&arg.ranges, "ip-range", &def->ip_range, NULL, err);
	if (r == 0)
		r = check_opts(&def->driver_opts, err);
	def->enable_ipv6 = arg.ipv6 || def->subnet6;
	if (r == 0 && def->gateway && !def->subnet)
		r = usage_error(err, "--gateway %s needs a --subnet", def->gateway);
	if (r == 0 && def->ip_range && !def->subnet)
		r = usage_error(err, "--ip-range %s needs a --subnet", def->ip_range);
	return r;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	auto_arena struct arena a = { 0 };
	struct network def;
	char id[65];
	int r = define(&a, argv[0], &def, err);

	(void)argc;
	if (r == 0 && !state_network_name_ok(argv[0]))
		r = usage_error(err,
				"'%s' is no name for a network: letters, digits, '_', '.' and '-'",
				argv[0]);
	if (r == 0)
		r = state_paths_open(&paths, err);
	if (r == 0)
		r = engine_network_create(&paths, &def, err);
	if (r < 0)
		return r;
	network_id(&paths, argv[0], id);
	cmd_did(&out, "Network", global.dry_run ? argv[0] : id, "Created");
	return cmd_print(&out, err);
}

const struct cmd cmd_network_create = {
	.name = "create",
	.summary = "Make a network that projects can use as an external one",
	.operands = "NETWORK",
	.min_operands = 1,
	.max_operands = 1,
	CMD_OPTS(opts),
	.dry = DRY_IN_COPY,
	.run = run,
};
