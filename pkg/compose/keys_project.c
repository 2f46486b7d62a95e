/* keys_project.c - the top level: networks, volumes, secrets, configs, models, include. */
#include "keys.h"

#include <string.h>

/* ---- networks */
static const char *refuse_driver(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && strcmp(s, "bridge") != 0 && *s ? "only 'bridge' is supported yet" : NULL;
}

static const char *refuse_opts(const struct yaml_node *v)
{
	return v->m.n ? "driver options are not supported yet" : NULL;
}

static const char *refuse_ipam_driver(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && strcmp(s, "default") != 0 ? "only 'default' is supported" : NULL;
}

static const struct key ipam_config_keys[] = { KEY("subnet", s_str, RUNS, NULL),
					       KEY("ip_range", s_str, RUNS, NULL),
					       KEY("gateway", s_str, RUNS, NULL),
					       KEY("aux_addresses", s_str_map, NOT_YET, NULL),
					       { 0 } };
static const struct shape s_ipam_config = { .types = T_MAP, .keys = ipam_config_keys };
static const struct shape s_ipam_configs = {
	.types = T_LIST, .item = &s_ipam_config, .merge = MERGE_BY_ID, .ident = id_subnet
};
static const struct key ipam_keys[] = {
	{"driver", &s_str, RUNS, "default", NULL, 0, refuse_ipam_driver },
	KEY("config", s_ipam_configs, RUNS, NULL),
	KEY("options", s_str_map, NOT_YET, NULL),
	{ 0   }
};
static const struct shape s_ipam = { .types = T_MAP, .keys = ipam_keys };

#define N(field) offsetof(struct network, field)
static const struct key external_keys[] = { KEY("name", s_str, RUNS, NULL), { 0 } };
static const struct shape s_external = { .types = T_BOOL | T_STR | T_MAP,
					 .cast = AS_BOOL,
					 .keys = external_keys };
const struct key network_keys[] = {
	{"name",         &s_str, RUNS, NULL, dec_str, N(name), NULL },
	{ "driver",          &s_str, RUNS, "bridge", dec_str, N(driver), refuse_driver },
	{ "driver_opts",       &s_str_map, NOT_YET, NULL, dec_kvs, N(driver_opts), refuse_opts },
	{ "ipam",          &s_ipam, RUNS, "subnet, gateway, ip_range", dec_ipam, 0, NULL },
	{ "external",      &s_external, RUNS, NULL, dec_bool, N(external), NULL },
	{ "internal",          &s_bool, RUNS, NULL, dec_bool, N(internal), NULL },
	{ "enable_ipv4",       &s_bool_keep, NOT_YET, NULL, NULL, 0, NULL },
	{ "enable_ipv6", &s_bool_keep, RUNS, NULL, dec_bool, N(enable_ipv6), NULL },
	{ "attachable", &s_bool, IGNORED, "no Swarm", dec_bool, N(attachable), NULL },
	{ "labels",       &s_labels, RUNS, NULL, dec_kvs, N(labels), NULL },
	{ 0      }
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
	{"name",    &s_str, RUNS, NULL, dec_str, V(name), NULL },
	{ "driver",     &s_str, RUNS, "local", dec_str, V(driver), refuse_local },
	{ "driver_opts",  &s_str_map, NOT_YET, NULL, dec_kvs, V(driver_opts), refuse_opts },
	{ "external",     &s_external, RUNS, NULL, dec_bool, V(external), NULL },
	{ "labels", &s_labels, RUNS, NULL, dec_kvs, V(labels), NULL },
	{ 0    }
};
const struct shape shape_volume = { .types = T_MAP | T_NULL,
				    .keys = volume_keys,
				    .check = check_external,
				    .canon = canon_volume_opts };

/* ---- secrets, configs, models */
static const struct key secret_keys[] = { KEY("name", s_str, NOT_YET, NULL),
					  KEY("environment", s_str, NOT_YET, NULL),
					  KEY("file", s_path, NOT_YET, NULL),
					  KEY("external", s_external, NOT_YET, NULL),
					  KEY("labels", s_labels, NOT_YET, NULL),
					  KEY("driver", s_str, NOT_YET, NULL),
					  KEY("driver_opts", s_str_map, NOT_YET, NULL),
					  KEY("template_driver", s_str, NOT_YET, NULL),
					  { 0 } };
static const struct shape s_secret = {
	.types = T_MAP, .keys = secret_keys, .check = check_secret, .canon = canon_resource
};
static const struct key config_keys[] = { KEY("name", s_str, NOT_YET, NULL),
					  KEY("content", s_str, NOT_YET, NULL),
					  KEY("environment", s_str, NOT_YET, NULL),
					  KEY("file", s_path, NOT_YET, NULL),
					  KEY("external", s_external, NOT_YET, NULL),
					  KEY("labels", s_labels, NOT_YET, NULL),
					  KEY("template_driver", s_str, NOT_YET, NULL),
					  { 0 } };
static const struct shape s_config = {
	.types = T_MAP, .keys = config_keys, .check = check_config, .canon = canon_resource
};
static const struct key model_keys[] = { KEY("name", s_str, NOT_YET, NULL),
					 KEY("model", s_str, NOT_YET, NULL),
					 KEY("context_size", s_int, NOT_YET, NULL),
					 KEY("runtime_flags", s_str_append, NOT_YET, NULL),
					 { 0 } };
static const char *const model_required[] = { "model", NULL };
static const struct shape s_model = { .types = T_MAP,
				      .keys = model_keys,
				      .required = model_required };

/* ---- include */
static const struct key include_keys[] = { KEY("path", s_str_or_list, LOADS, NULL),
					   KEY("env_file", s_str_or_list, LOADS, NULL),
					   KEY("project_directory", s_str, LOADS, NULL),
					   { 0 } };
static const struct shape s_include = { .types = T_STR | T_MAP, .keys = include_keys };

/* ---- all */
#define SECTION(value_shape)                                                        \
	(const struct shape)                                                        \
	{                                                                           \
		.types = T_MAP, .value = &(value_shape), .name_ok = service_name_ok \
	}
const struct key project_keys[] = {
	{.name = "version",
         .shape = &s_str,
         .support = IGNORED,
         .note = "obsolete, warned about" },
	{ .name = "name",						    .shape = &s_str, .support = LOADS },
	{ .name = "include",
         .shape = &(const struct shape){ .types = T_LIST, .item = &s_include },
         .support = LOADS },
	{ .name = "services",   .shape = &SECTION(shape_service), .support = RUNS },
	{ .name = "models",								    .shape = &SECTION(s_model), .support = NOT_YET },
	{ .name = "networks", .shape = &SECTION(shape_network), .support = RUNS },
	{ .name = "volumes",								    .shape = &SECTION(shape_volume), .support = RUNS },
	{ .name = "secrets",				   .shape = &SECTION(s_secret), .support = NOT_YET },
	{ .name = "configs",								    .shape = &SECTION(s_config), .support = NOT_YET },
	{ 0}
};
const struct shape shape_project = { .types = T_MAP, .keys = project_keys };
