/* keys_deploy.c - deploy, build, develop and the other nested sections of a service. */
#include "keys.h"

#include <ctrcompose/dockerfile.h>
#include <string.h>

#define F(field) offsetof(struct service, field)
/* ---- deploy */
const struct key limit_keys[] = {
	DEC("cpus", s_num, RUNS, NULL, dec_cpus, F(nano_cpus)),
	DEC("memory", s_bytes_str, RUNS, NULL, dec_bytes, F(mem_limit)),
	DEC("pids", s_int, RUNS, NULL, dec_i64, F(pids_limit)),
	END,
};
static const struct key discrete_keys[] = {
	KEY("kind", s_str, IGNORED, NULL),
	KEY("value", s_num, IGNORED, NULL),
	END,
};
static const struct key generic_keys[] = {
	KEY("discrete_resource_spec", MAP(discrete_keys), IGNORED, NULL),
	END,
};
const struct key reservation_keys[] = {
	KEY("cpus", s_num, IGNORED, "nothing to reserve on one host"),
	DEC("memory", s_bytes_str, RUNS, NULL, dec_bytes, F(mem_reservation)),
	KEY("generic_resources", ITEMS(MAP(generic_keys)), IGNORED, NULL),
	DEC("devices", s_device_list, RUNS, "by CDI, see `gpus`", dec_reserved, 0),
	END,
};
const struct key resource_keys[] = {
	DEC("limits", MAP(limit_keys), RUNS, NULL, dec_limits, 0),
	DEC("reservations", MAP(reservation_keys), RUNS, NULL, dec_reservations, 0),
	END,
};
const struct key policy_keys[] = {
	DEC("condition", s_str, RUNS, NULL, dec_policy_condition, 0),
	KEY("delay", s_duration, IGNORED, "delays grow by themselves"),
	DEC("max_attempts", s_int, RUNS, NULL, dec_policy_attempts, 0),
	KEY("window", s_duration, IGNORED, NULL),
	END,
};
static const struct key update_keys[] = {
	KEY("parallelism", s_int, IGNORED, NULL),
	KEY("delay", s_duration, IGNORED, NULL),
	KEY("failure_action", s_str, IGNORED, NULL),
	KEY("monitor", s_duration, IGNORED, NULL),
	KEY("max_failure_ratio", s_num, IGNORED, NULL),
	KEY("order", WORDS("start-first", "stop-first"), IGNORED, NULL),
	END,
};
static const struct key preference_keys[] = {
	KEY("spread", s_str, IGNORED, NULL),
	END,
};
static const struct key placement_keys[] = {
	KEY("constraints", s_str_append, IGNORED, NULL),
	KEY("preferences", ITEMS(MAP(preference_keys)), IGNORED, NULL),
	KEY("max_replicas_per_node", s_int, IGNORED, NULL),
	END,
};
const struct key deploy_keys[] = {
	KEY("mode", s_str, IGNORED, "one host"),
	KEY("endpoint_mode", s_str, IGNORED, "one host"),
	DEC("replicas", s_int_keep, RUNS, NULL, dec_unsigned, F(scale)),
	KEY("labels", s_labels, IGNORED, "of the service, not of its containers"),
	KEY("rollback_config", MAP(update_keys), IGNORED, "one host"),
	KEY("update_config", MAP(update_keys), IGNORED, "one host"),
	DEC("resources", MAP(resource_keys), RUNS, "limits, reserved memory and devices",
	    dec_resources, 0),
	DEC("restart_policy", MAP(policy_keys), RUNS, "condition, max_attempts", dec_restart_policy,
	    0),
	KEY("placement", MAP(placement_keys), IGNORED, "one host"),
	END,
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
static const char *refuse_context(const struct yaml_node *n)
{
	const char *s = yaml_str(n);

	return s && strstr(s, "://") && !df_is_git(s) && !str_starts(s, "http://") &&
			       !str_starts(s, "https://")
		       ? "an address is that of a repository (https://HOST/X.git#REF:FOLDER), or of a "
			 "tar archive by https or http"
		       : NULL;
}

static const char *refuse_entitlements(const struct yaml_node *n)
{
	for (size_t i = 0; n->type == YAML_LIST && i < n->m.n; i++)
		if (!str_eq(yaml_str(n->m.v[i].value), "network.host") &&
		    !str_eq(yaml_str(n->m.v[i].value), "security.insecure"))
			return "only network.host and security.insecure are known";
	return NULL;
}

static bool is_cache(const char *s, const char *type)
{
	size_t n = strlen(type);

	while (s) {
		if (str_starts(s, "type=") && strncmp(s + 5, type, n) == 0 &&
		    (s[5 + n] == '\0' || s[5 + n] == ','))
			return true;
		s = strchr(s, ',');
		s += s != NULL;
	}
	return false;
}

/* A name alone is that of a registry. */
static const char *refuse_cache(const struct yaml_node *n)
{
	for (size_t i = 0; n->type == YAML_LIST && i < n->m.n; i++) {
		const char *s = yaml_str(n->m.v[i].value);

		if (!s || (strchr(s, '=') && !is_cache(s, "local") && !is_cache(s, "registry") &&
			   !is_cache(s, "inline")))
			return "a cache is written to a folder (type=local,dest=FOLDER), a registry "
			       "(type=registry,ref=NAME) or the image (type=inline)";
	}
	return NULL;
}

static const char *refuse_attestation(const struct yaml_node *n)
{
	return str_eq(yaml_str(n), "false") ? NULL : "attestations are not made";
}

const struct key build_keys[] = {
	KEY_IF("context", s_context, RUNS, "a folder, a repository, a tar archive by https",
	       refuse_context),
	KEY("dockerfile", s_str_set, RUNS, NULL),
	KEY("dockerfile_inline", s_str, RUNS, NULL),
	KEY_IF("entitlements", s_str_append, RUNS, "network.host, security.insecure",
	       refuse_entitlements),
	KEY("args", s_env, RUNS, NULL),
	KEY("ssh", s_ssh, RUNS, "sockets of agents"),
	KEY("labels", s_labels, RUNS, NULL),
	KEY("cache_from", s_str_append, RUNS,
	    "type=local, type=registry; nothing is taken of others"),
	KEY_IF("cache_to", s_str_append, RUNS, "type=local, type=registry, type=inline",
	       refuse_cache),
	KEY("no_cache", s_bool, RUNS, NULL),
	KEY("no_cache_filter", s_str_or_list, RUNS, NULL),
	KEY("additional_contexts", s_contexts, RUNS,
	    "folders, repositories, archives, docker-image://, oci-layout://, "
	    "service:NAME"),
	KEY("network", s_str, RUNS, "default, none, host"),
	KEY_IF("provenance", s_bool_or_str, RUNS, "only false", refuse_attestation),
	KEY_IF("sbom", s_bool_or_str, RUNS, "only false", refuse_attestation),
	KEY("pull", s_bool, RUNS, NULL),
	KEY("target", s_str, RUNS, NULL),
	KEY("shm_size", s_bytes, RUNS, NULL),
	KEY("extra_hosts", s_hosts, RUNS, NULL),
	KEY("isolation", s_str, IGNORED, "Windows only"),
	KEY("privileged", s_bool, RUNS, "allows RUN --security=insecure"),
	KEY("secrets", s_file_refs, RUNS, "from a file or the environment"),
	KEY("tags", s_unique, RUNS, NULL),
	KEY("ulimits", s_ulimits, RUNS, NULL),
	KEY("platforms", s_str_append, RUNS, "only this machine's own"),
	END,
};
const struct shape s_build = { .types = T_STR | T_MAP, .keys = build_keys, .canon = canon_build };

/* ---- hooks */
#define HOOK(field) offsetof(struct service_hook, field)
static const char *refuse_no_words(const struct yaml_node *n)
{
	return n->type == YAML_LIST && n->m.n ? NULL : "a hook needs a command";
}

const struct key hook_keys[] = {
	DEC_IF("command", s_words, RUNS, NULL, dec_list, HOOK(command), refuse_no_words),
	DEC("user", s_str, RUNS, NULL, dec_str, HOOK(user)),
	DEC("privileged", s_bool, RUNS, NULL, dec_bool, HOOK(privileged)),
	DEC("working_dir", s_str, RUNS, NULL, dec_str, HOOK(working_dir)),
	DEC("environment", s_env, RUNS, NULL, dec_kvs, HOOK(environment)),
	END,
};
static const char *const hook_required[] = { "command", NULL };
static const struct shape s_hook = { .types = T_MAP, .keys = hook_keys, .required = hook_required };
const struct shape s_hooks = ITEMS(s_hook);

/* ---- develop */
static const struct key step_keys[] = {
	KEY("command", s_words, RUNS, NULL),    KEY("user", s_str, RUNS, NULL),
	KEY("privileged", s_bool, RUNS, NULL),  KEY("working_dir", s_str, RUNS, NULL),
	KEY("environment", s_env, RUNS, NULL),  KEY("image", s_str, RUNS, NULL),
	KEY("per_replica", s_bool, RUNS, NULL), END,
};
const struct shape s_init_steps = ITEMS(MAP(step_keys));
static const struct key exec_keys[] = {
	KEY("command", s_words, RUNS, NULL),   KEY("user", s_str, RUNS, NULL),
	KEY("privileged", s_bool, RUNS, NULL), KEY("working_dir", s_str, RUNS, NULL),
	KEY("environment", s_env, RUNS, NULL), END,
};
static const struct key watch_keys[] = {
	KEY("path", s_path, RUNS, NULL),
	KEY("action", WORDS("rebuild", "sync", "restart", "sync+restart", "sync+exec"), RUNS, NULL),
	KEY("target", s_str, RUNS, NULL),
	KEY("ignore", s_str_or_list, RUNS, NULL),
	KEY("include", s_str_or_list, RUNS, NULL),
	KEY("exec", MAP(exec_keys), RUNS, NULL),
	KEY("initial_sync", s_bool, RUNS, NULL),
	END,
};
static const char *const watch_required[] = { "path", "action", NULL };
static const struct shape s_watch = { .types = T_MAP,
				      .keys = watch_keys,
				      .required = watch_required };
static const struct key develop_keys[] = {
	KEY("watch", ITEMS(s_watch), RUNS, NULL),
	END,
};
const struct shape s_develop = { .types = T_MAP | T_NULL, .keys = develop_keys };

/* ---- the rest */
static const struct key rate_keys[] = {
	KEY("path", s_str, RUNS, "a block device"),
	KEY("rate", s_bytes, RUNS, NULL),
	END,
};
static const struct key weight_keys[] = {
	KEY("path", s_str, RUNS, "a block device"),
	KEY("weight", s_int, RUNS, "10 to 1000"),
	END,
};
static const struct key blkio_keys[] = {
	KEY("device_read_bps", ITEMS(MAP(rate_keys)), RUNS, NULL),
	KEY("device_read_iops", ITEMS(MAP(rate_keys)), RUNS, NULL),
	KEY("device_write_bps", ITEMS(MAP(rate_keys)), RUNS, NULL),
	KEY("device_write_iops", ITEMS(MAP(rate_keys)), RUNS, NULL),
	KEY("weight", s_int, RUNS, "10 to 1000"),
	KEY("weight_device", ITEMS(MAP(weight_keys)), RUNS, NULL),
	END,
};
const struct shape s_blkio = MAP(blkio_keys);

static const struct shape s_option = {
	.types = T_STR | T_NUM | T_BOOL | T_LIST,
	.item = &(const struct shape){ .types = T_STR | T_NUM | T_BOOL, .cast = AS_STR },
	.canon = canon_provider
};
static const struct shape s_options = { .types = T_MAP, .value = &s_option };
static const struct key provider_keys[] = {
	KEY("type", s_str, NOT_YET, NULL),
	KEY("options", s_options, NOT_YET, NULL),
	END,
};
static const char *const provider_required[] = { "type", NULL };
const struct shape s_provider = { .types = T_MAP,
				  .keys = provider_keys,
				  .required = provider_required };

static const struct key credential_keys[] = {
	KEY("config", s_str, NOT_YET, NULL),
	KEY("file", s_str, NOT_YET, NULL),
	KEY("registry", s_str, NOT_YET, NULL),
	END,
};
const struct shape s_credential = MAP(credential_keys);

static const struct key service_model_keys[] = {
	KEY("endpoint_var", s_str, NOT_YET, NULL),
	KEY("model_var", s_str, NOT_YET, NULL),
	END,
};
static const struct shape s_service_model = { .types = T_MAP | T_NULL, .keys = service_model_keys };
const struct shape s_service_models = { .expects = "a list of models or a mapping",
					.types = T_LIST | T_MAP,
					.item = &s_str,
					.unique = true,
					.value = &s_service_model,
					.canon = canon_name_set };

static const struct key logging_keys[] = {
	KEY("driver", s_str, RUNS, NULL),
	KEY("options", s_scalar_map, RUNS, NULL),
	END,
};
const struct shape s_logging = { .types = T_MAP, .keys = logging_keys, .merged = merge_logging };
