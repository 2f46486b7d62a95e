/* keys_deploy.c - deploy, build, develop and the other nested sections of a service. */
#include "keys.h"

#define F(field) offsetof(struct service, field)
#define WORDS(...)                                             \
	(const struct shape)                                   \
	{                                                      \
		.types = T_STR, .words = (const char *const[]) \
		{                                              \
			__VA_ARGS__, NULL                      \
		}                                              \
	}
#define MAP(map_keys)                              \
	(const struct shape)                       \
	{                                          \
		.types = T_MAP, .keys = (map_keys) \
	}
#define ITEMS(item_shape)                              \
	(const struct shape)                           \
	{                                              \
		.types = T_LIST, .item = &(item_shape) \
	}

/* ---- deploy */
const struct key limit_keys[] = {
	{"cpus",    &s_num, RUNS, NULL, dec_cpus, F(nano_cpus), NULL },
	{ "memory",     &s_bytes_str, RUNS, NULL, dec_bytes, F(mem_limit), NULL },
	{ "pids", &s_int, RUNS, NULL, dec_i64, F(pids_limit), NULL },
	{ 0    }
};
static const struct key discrete_keys[] = { KEY("kind", s_str, IGNORED, NULL),
					    KEY("value", s_num, IGNORED, NULL),
					    { 0 } };
static const struct key generic_keys[] = {
	{.name = "discrete_resource_spec", .shape = &MAP(discrete_keys), .support = IGNORED },
	{ 0	     }
};
const struct key reservation_keys[] = {
	{"cpus",    &s_num, IGNORED, "nothing to reserve on one host", NULL, 0, NULL },
	{ "memory",  &s_bytes_str, RUNS, NULL, dec_bytes, F(mem_reservation), NULL },
	{ .name = "generic_resources",     .shape = &ITEMS(MAP(generic_keys)), .support = IGNORED },
	{ "devices",     &s_device_list, NOT_YET, NULL, NULL, 0, NULL },
	{ 0}
};
const struct key resource_keys[] = {
	{"limits",    &MAP(limit_keys), RUNS, NULL, dec_limits, 0, NULL },
	{ "reservations",       &MAP(reservation_keys), RUNS, NULL, dec_reservations, 0, NULL },
	{ 0}
};
const struct key policy_keys[] = {
	{"condition",           &s_str, RUNS, NULL, dec_policy_condition, 0, NULL },
	{ "delay",                 &s_duration, IGNORED, "delays grow by themselves", NULL, 0, NULL },
	{ "max_attempts", &s_int, RUNS, NULL, dec_policy_attempts, 0, NULL },
	{ "window",                 &s_duration, IGNORED, NULL, NULL, 0, NULL },
	{ 0	     }
};
static const struct key update_keys[] = {
	KEY("parallelism", s_int, IGNORED, NULL),
	KEY("delay", s_duration, IGNORED, NULL),
	KEY("failure_action", s_str, IGNORED, NULL),
	KEY("monitor", s_duration, IGNORED, NULL),
	KEY("max_failure_ratio", s_num, IGNORED, NULL),
	{.name = "order", .shape = &WORDS("start-first", "stop-first"), .support = IGNORED },
	{ 0 }
};
static const struct key preference_keys[] = { KEY("spread", s_str, IGNORED, NULL), { 0 } };
static const struct key placement_keys[] = {
	KEY("constraints", s_str_append, IGNORED, NULL),
	{.name = "preferences", .shape = &ITEMS(MAP(preference_keys)), .support = IGNORED },
	KEY("max_replicas_per_node", s_int, IGNORED, NULL),
	{ 0  }
};
const struct key deploy_keys[] = {
	{"mode",           &s_str, IGNORED, "one host", NULL, 0, NULL },
	{ "endpoint_mode",         &s_str, IGNORED, "one host", NULL, 0, NULL },
	{ "replicas",            &s_int_keep, RUNS, NULL, dec_unsigned, F(scale), NULL },
	{ "labels",            &s_labels, IGNORED, "of the service, not of its containers", NULL, 0, NULL },
	{ "rollback_config", &MAP(update_keys), IGNORED, "one host", NULL, 0, NULL },
	{ "update_config",         &MAP(update_keys), IGNORED, "one host", NULL, 0, NULL },
	{ "resources",            &MAP(resource_keys), RUNS, "limits", dec_resources, 0, NULL },
	{ "restart_policy",            &MAP(policy_keys), RUNS, "condition, max_attempts", dec_restart_policy,
         0, NULL },
	{ "placement",      &MAP(placement_keys), IGNORED, "one host", NULL, 0, NULL },
	{ 0           }
};
const struct shape s_deploy = { .types = T_MAP | T_NULL, .keys = deploy_keys };

/* ---- build */
static const struct shape s_context = { .types = T_STR, .canon = canon_context };
static const struct shape s_contexts = { .expects = "a mapping or a list of NAME=CONTEXT",
					 .types = T_LIST | T_MAP,
					 .item = &s_str,
					 .value = &s_context,
					 .canon = canon_pairs_empty };
static const struct shape s_bool_or_str = { .types = T_BOOL | T_STR, .cast = AS_STR };
static const struct shape s_ssh = { .expects = "a string, a list or a mapping",
				    .types = T_STR | T_LIST | T_MAP,
				    .item = &s_str,
				    .value = &shape_any,
				    .canon = canon_ssh };
const struct key build_keys[] = { KEY("context", s_context, NOT_YET, NULL),
				  KEY("dockerfile", s_str, NOT_YET, NULL),
				  KEY("dockerfile_inline", s_str, NOT_YET, NULL),
				  KEY("entitlements", s_str_append, NOT_YET, NULL),
				  KEY("args", s_env, NOT_YET, NULL),
				  KEY("ssh", s_ssh, NOT_YET, NULL),
				  KEY("labels", s_labels, NOT_YET, NULL),
				  KEY("cache_from", s_str_append, NOT_YET, NULL),
				  KEY("cache_to", s_str_append, NOT_YET, NULL),
				  KEY("no_cache", s_bool, NOT_YET, NULL),
				  KEY("no_cache_filter", s_str_or_list, NOT_YET, NULL),
				  KEY("additional_contexts", s_contexts, NOT_YET, NULL),
				  KEY("network", s_str, NOT_YET, NULL),
				  KEY("provenance", s_bool_or_str, NOT_YET, NULL),
				  KEY("sbom", s_bool_or_str, NOT_YET, NULL),
				  KEY("pull", s_bool, NOT_YET, NULL),
				  KEY("target", s_str, NOT_YET, NULL),
				  KEY("shm_size", s_bytes, NOT_YET, NULL),
				  KEY("extra_hosts", s_hosts, NOT_YET, NULL),
				  KEY("isolation", s_str, NOT_YET, NULL),
				  KEY("privileged", s_bool, NOT_YET, NULL),
				  KEY("secrets", s_file_refs, NOT_YET, NULL),
				  KEY("tags", s_unique, NOT_YET, NULL),
				  KEY("ulimits", s_ulimits, NOT_YET, NULL),
				  KEY("platforms", s_str_append, NOT_YET, NULL),
				  { 0 } };
const struct shape s_build = { .types = T_STR | T_MAP, .keys = build_keys, .canon = canon_build };

/* ---- develop */
static const struct key hook_keys[] = {
	KEY("command", s_words, NOT_YET, NULL),    KEY("user", s_str, NOT_YET, NULL),
	KEY("privileged", s_bool, NOT_YET, NULL),  KEY("working_dir", s_str, NOT_YET, NULL),
	KEY("environment", s_env, NOT_YET, NULL),  KEY("image", s_str, NOT_YET, NULL),
	KEY("per_replica", s_bool, NOT_YET, NULL), { 0 }
};
const struct shape s_hooks = ITEMS(MAP(hook_keys));
static const struct key watch_keys[] = {
	KEY("path", s_path, IGNORED, NULL),
	{.name = "action",
					 .shape = &WORDS("rebuild", "sync", "restart", "sync+restart", "sync+exec"),
					 .support = IGNORED },
	KEY("target", s_str, IGNORED, NULL),
	KEY("ignore", s_str_or_list, IGNORED, NULL),
	KEY("include", s_str_or_list, IGNORED, NULL),
	{ .name = "exec",          .shape = &MAP(hook_keys), .support = IGNORED },
	KEY("initial_sync", s_bool, IGNORED, NULL),
	{ 0 }
};
static const char *const watch_required[] = { "path", "action", NULL };
static const struct shape s_watch = { .types = T_MAP,
				      .keys = watch_keys,
				      .required = watch_required };
static const struct key develop_keys[] = {
	{.name = "watch",     .shape = &ITEMS(s_watch), .support = IGNORED },
        { 0}
};
const struct shape s_develop = { .types = T_MAP | T_NULL, .keys = develop_keys };

/* ---- the rest */
static const struct key rate_keys[] = { KEY("path", s_str, NOT_YET, NULL),
					KEY("rate", s_bytes, NOT_YET, NULL),
					{ 0 } };
static const struct key weight_keys[] = { KEY("path", s_str, NOT_YET, NULL),
					  KEY("weight", s_int, NOT_YET, NULL),
					  { 0 } };
#define RATES(rates_name)                                                                 \
	{                                                                                 \
		.name = (rates_name), .shape = &ITEMS(MAP(rate_keys)), .support = NOT_YET \
	}
static const struct key blkio_keys[] = {
	RATES("device_read_bps"),
	RATES("device_read_iops"),
	RATES("device_write_bps"),
	RATES("device_write_iops"),
	KEY("weight", s_int, NOT_YET, NULL),
	{.name = "weight_device", .shape = &ITEMS(MAP(weight_keys)), .support = NOT_YET },
	{ 0    }
};
const struct shape s_blkio = MAP(blkio_keys);

static const struct shape s_option = {
	.types = T_STR | T_NUM | T_BOOL | T_LIST,
	.item = &(const struct shape){.types = T_STR | T_NUM | T_BOOL, .cast = AS_STR},
	.canon = canon_provider
};
static const struct shape s_options = { .types = T_MAP, .value = &s_option };
static const struct key provider_keys[] = { KEY("type", s_str, NOT_YET, NULL),
					    KEY("options", s_options, NOT_YET, NULL),
					    { 0 } };
static const char *const provider_required[] = { "type", NULL };
const struct shape s_provider = { .types = T_MAP,
				  .keys = provider_keys,
				  .required = provider_required };

static const struct key credential_keys[] = { KEY("config", s_str, NOT_YET, NULL),
					      KEY("file", s_str, NOT_YET, NULL),
					      KEY("registry", s_str, NOT_YET, NULL),
					      { 0 } };
const struct shape s_credential = MAP(credential_keys);

static const struct key service_model_keys[] = { KEY("endpoint_var", s_str, NOT_YET, NULL),
						 KEY("model_var", s_str, NOT_YET, NULL),
						 { 0 } };
static const struct shape s_service_model = { .types = T_MAP | T_NULL, .keys = service_model_keys };
const struct shape s_service_models = { .expects = "a list of models or a mapping",
					.types = T_LIST | T_MAP,
					.item = &s_str,
					.unique = true,
					.value = &s_service_model,
					.canon = canon_name_set };

static const struct key logging_keys[] = { KEY("driver", s_str, IGNORED, NULL),
					   KEY("options", s_scalar_map, IGNORED, NULL),
					   { 0 } };
const struct shape s_logging = { .types = T_MAP, .keys = logging_keys, .merged = merge_logging };
