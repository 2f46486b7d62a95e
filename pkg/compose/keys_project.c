/* keys_project.c - the top level: networks, volumes, secrets, configs, models, include. */
#include "keys.h"

#include <string.h>

/* ---- networks */
static const char *refuse_driver(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && *s && strcmp(s, "bridge") != 0 && strcmp(s, "macvlan") != 0 &&
			       strcmp(s, "ipvlan") != 0
		       ? "the drivers are bridge, macvlan and ipvlan"
		       : NULL;
}

/* The options of Docker's drivers that have a meaning here; those that say what is so anyway. */
static const char *refuse_network_opts(const struct yaml_node *v)
{
	static const struct {
		const char *key, *only; /* NULL: any value */
	} known[] = {
		{ "com.docker.network.bridge.name", NULL },
		{ "com.docker.network.driver.mtu", NULL },
		{ "parent", NULL },
		{ "macvlan_mode", NULL },
		{ "ipvlan_mode", NULL },
		{ "ipvlan_flag", NULL },
		{ "com.docker.network.bridge.enable_icc", "true" },
		{ "com.docker.network.bridge.enable_ip_masquerade", "true" },
		{ "com.docker.network.enable_ipv6", "false" },
		{ "com.docker.network.container_iface_prefix", "eth" },
	};

	for (size_t i = 0; i < v->m.n; i++) {
		bool ok = false;

		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			ok |= strcmp(v->m.v[i].key, known[k].key) == 0 &&
			      (!known[k].only || str_eq(yaml_str(v->m.v[i].value), known[k].only));
		if (!ok)
			return "of Docker's driver options there are com.docker.network.bridge.name, "
			       "com.docker.network.driver.mtu, parent, macvlan_mode, ipvlan_mode and "
			       "ipvlan_flag";
	}
	return NULL;
}

static const char *refuse_volume_opts(const struct yaml_node *v)
{
	static const char *const known[] = { "type", "device", "o" };
	const char *o = yaml_str(yaml_get(v, "o")), *device = yaml_str(yaml_get(v, "device"));
	const char *type = yaml_str(yaml_get(v, "type"));
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		n += yaml_get(v, known[i]) != NULL;
	if (n < v->m.n)
		return "the local driver's options are type, device and o";
	if (n == 0 || str_eq(type, "tmpfs"))
		return NULL;
	if (!device || !*device)
		return "the option device is missing";
	if (volume_is_bind(o))
		return *device == '/' ? NULL : "the device of a bind is an absolute path";
	return type && *type && strcmp(type, "none") != 0
		       ? NULL
		       : "the option type is missing: a kind of file system as in mount(8), or o: bind";
}

static const char *refuse_without_ipv4(const struct yaml_node *v)
{
	return v->type == YAML_BOOL && !v->b ? "every network has IPv4; enable_ipv6 adds IPv6"
					     : NULL;
}

static const char *refuse_ipam_driver(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && strcmp(s, "default") != 0 ? "only 'default' is supported" : NULL;
}

static const char *refuse_range6(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && strchr(s, ':') ? "IPv6 addresses follow the IPv4 ones: only an IPv4 range works"
				   : NULL;
}

static const char *refuse_subnets(const struct yaml_node *v)
{
	size_t n[2] = { 0 };

	for (size_t i = 0; v->type == YAML_LIST && i < v->m.n; i++) {
		const char *subnet = yaml_str(yaml_get(v->m.v[i].value, "subnet"));

		n[subnet && strchr(subnet, ':')]++;
	}
	return n[0] > 1 || n[1] > 1 ? "a network has one IPv4 and one IPv6 subnet at most" : NULL;
}

static const struct key ipam_config_keys[] = {
	KEY("subnet", s_str, RUNS, NULL),
	KEY_IF("ip_range", s_str, RUNS, "IPv4", refuse_range6),
	KEY("gateway", s_str, RUNS, NULL),
	KEY("aux_addresses", s_str_map, RUNS, NULL),
	END,
};
static const struct shape s_ipam_config = { .types = T_MAP, .keys = ipam_config_keys };
static const struct shape s_ipam_configs = {
	.types = T_LIST, .item = &s_ipam_config, .merge = MERGE_BY_ID, .ident = id_subnet
};
static const struct key ipam_keys[] = {
	KEY_IF("driver", s_str, RUNS, "default", refuse_ipam_driver),
	KEY_IF("config", s_ipam_configs, RUNS, "one subnet of each family", refuse_subnets),
	KEY("options", s_str_map, NOT_YET, NULL),
	END,
};
static const struct shape s_ipam = { .types = T_MAP, .keys = ipam_keys };

#define N(field) offsetof(struct network, field)
static const struct key external_keys[] = {
	KEY("name", s_str, RUNS, NULL),
	END,
};
static const struct shape s_external = { .types = T_BOOL | T_STR | T_MAP,
					 .cast = AS_BOOL,
					 .keys = external_keys };
const struct key network_keys[] = {
	DEC("name", s_str_set, RUNS, NULL, dec_str, N(name)),
	DEC_IF("driver", s_str, RUNS, "bridge, macvlan, ipvlan", dec_str, N(driver), refuse_driver),
	DEC_IF("driver_opts", s_str_map, RUNS, "bridge.name, driver.mtu, parent, modes", dec_kvs,
	       N(driver_opts), refuse_network_opts),
	DEC("ipam", s_ipam, RUNS, "one IPv4 and one IPv6 subnet", dec_ipam, 0),
	DEC("external", s_external, RUNS, NULL, dec_bool, N(external)),
	DEC("internal", s_bool, RUNS, NULL, dec_bool, N(internal)),
	KEY_IF("enable_ipv4", s_bool_keep, RUNS, "true", refuse_without_ipv4),
	DEC("enable_ipv6", s_bool_keep, RUNS, NULL, dec_bool, N(enable_ipv6)),
	DEC("attachable", s_bool, IGNORED, "no Swarm", dec_bool, N(attachable)),
	DEC("labels", s_labels, RUNS, NULL, dec_kvs, N(labels)),
	END,
};
const struct shape shape_network = { .types = T_MAP | T_NULL,
				     .keys = network_keys,
				     .canon = canon_resource };

/* ---- volumes */
static const char *refuse_local(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && strcmp(s, "local") != 0 && *s ? "only 'local' is supported" : NULL;
}

#define V(field) offsetof(struct volume, field)
const struct key volume_keys[] = {
	DEC("name", s_str_set, RUNS, NULL, dec_str, V(name)),
	DEC_IF("driver", s_str, RUNS, "local", dec_str, V(driver), refuse_local),
	DEC_IF("driver_opts", s_str_map, RUNS,
	       "of a bind, a tmpfs or a file system like nfs, whose server sees the ids of this "
	       "machine: with userns_mode host those inside",
	       dec_kvs, V(driver_opts), refuse_volume_opts),
	DEC("external", s_external, RUNS, NULL, dec_bool, V(external)),
	DEC("labels", s_labels, RUNS, NULL, dec_kvs, V(labels)),
	END,
};
const struct shape shape_volume = { .types = T_MAP | T_NULL,
				    .keys = volume_keys,
				    .check = check_external,
				    .canon = canon_resource };

/* ---- secrets, configs, models */
static const struct key secret_keys[] = {
	KEY("name", s_str_set, RUNS, NULL),
	KEY("environment", s_str, RUNS, NULL),
	KEY("file", s_path, RUNS, NULL),
	KEY("external", s_external, NOT_YET, NULL),
	KEY("labels", s_labels, RUNS, NULL),
	KEY("driver", s_str, NOT_YET, NULL),
	KEY("driver_opts", s_str_map, NOT_YET, NULL),
	KEY("template_driver", s_str, NOT_YET, NULL),
	END,
};
static const struct shape s_secret = {
	.types = T_MAP, .keys = secret_keys, .check = check_secret, .canon = canon_resource
};
static const struct key config_keys[] = {
	KEY("name", s_str_set, RUNS, NULL),           KEY("content", s_str, RUNS, NULL),
	KEY("environment", s_str, RUNS, NULL),        KEY("file", s_path, RUNS, NULL),
	KEY("external", s_external, NOT_YET, NULL),   KEY("labels", s_labels, RUNS, NULL),
	KEY("template_driver", s_str, NOT_YET, NULL), END,
};
static const struct shape s_config = {
	.types = T_MAP, .keys = config_keys, .check = check_config, .canon = canon_resource
};
static const struct key model_keys[] = {
	KEY("name", s_str, NOT_YET, NULL),
	KEY("model", s_str, NOT_YET, NULL),
	KEY("context_size", s_int, NOT_YET, NULL),
	KEY("runtime_flags", s_str_append, NOT_YET, NULL),
	END,
};
static const char *const model_required[] = { "model", NULL };
static const struct shape s_model = { .types = T_MAP,
				      .keys = model_keys,
				      .required = model_required };

/* ---- include */
static const struct key include_keys[] = {
	KEY("path", s_str_or_list, LOADS, NULL),
	KEY("env_file", s_str_or_list, LOADS, NULL),
	KEY("project_directory", s_str, LOADS, NULL),
	END,
};
static const struct shape s_include = { .types = T_STR | T_MAP, .keys = include_keys };

/* ---- all */
#define SECTION(value_shape)                                                        \
	(const struct shape)                                                        \
	{                                                                           \
		.types = T_MAP, .value = &(value_shape), .name_ok = service_name_ok \
	}
const struct key project_keys[] = {
	KEY("version", s_str, IGNORED, "obsolete, warned about"),
	KEY("name", s_str, LOADS, NULL),
	KEY("include", ITEMS(s_include), LOADS, NULL),
	KEY("services", SECTION(shape_service), RUNS, NULL),
	KEY("models", SECTION(s_model), NOT_YET, NULL),
	KEY("networks", SECTION(shape_network), RUNS, NULL),
	KEY("volumes", SECTION(shape_volume), RUNS, NULL),
	KEY("secrets", SECTION(s_secret), RUNS, NULL),
	KEY("configs", SECTION(s_config), RUNS, NULL),
	END,
};
const struct shape shape_project = { .types = T_MAP, .keys = project_keys };
