/* keys_service.c - the keys of a service. */
#include "keys.h"

#include <string.h>

#define F(field) offsetof(struct service, field)

/* ---- Values of known keys that are not carried out yet */

static const char *refuse_unless(const struct yaml_node *v, const char *const *ok, const char *why)
{
	for (; *ok; ok++)
		if (v->type == YAML_STR && strcmp(v->s, *ok) == 0)
			return NULL;
	return why;
}

static const char *refuse_network_mode(const struct yaml_node *v)
{
	return refuse_unless(v, (const char *const[]){ "none", "host", NULL },
			     "only 'none' and 'host' are supported yet");
}

static const char *refuse_pull_policy(const struct yaml_node *v)
{
	return refuse_unless(v, (const char *const[]){ "missing", "never", "if_not_present", NULL },
			     "only 'missing' and 'never' are supported yet");
}

static const char *refuse_userns(const struct yaml_node *v)
{
	return refuse_unless(v, (const char *const[]){ "host", "", NULL },
			     "only 'host' is supported");
}

static const char *refuse_cgroup(const struct yaml_node *v)
{
	return refuse_unless(v, (const char *const[]){ "private", NULL },
			     "only 'private' is supported yet");
}

static const char *refuse_ipc(const struct yaml_node *v)
{
	return refuse_unless(v, (const char *const[]){ "private", NULL },
			     "only 'private' is supported yet");
}

static const char *refuse_runtime(const struct yaml_node *v)
{
	return refuse_unless(v, (const char *const[]){ "runc", "crun", "ctrcompose", NULL },
			     "there is no other runtime than our own");
}

static const char *refuse_security(const struct yaml_node *v)
{
	static const char *const ok[] = { "no-new-privileges",       "no-new-privileges:true",
					  "no-new-privileges=true",  "no-new-privileges:false",
					  "no-new-privileges=false", NULL };

	for (size_t i = 0; i < v->m.n; i++)
		if (refuse_unless(v->m.v[i].value, ok, ""))
			return "only 'no-new-privileges' is supported yet";
	return NULL;
}

static const char *refuse_links(const struct yaml_node *v)
{
	for (size_t i = 0; i < v->m.n; i++) {
		const char *text = yaml_str(v->m.v[i].value);
		const char *colon = text ? strchr(text, ':') : NULL;

		if (colon && (strlen(colon + 1) != (size_t)(colon - text) ||
			      strncmp(text, colon + 1, (size_t)(colon - text)) != 0))
			return "an alias is not supported yet; give the other service a network alias";
	}
	return NULL;
}

static const char *refuse_logging(const struct yaml_node *v)
{
	const struct yaml_node *driver = yaml_get(v, "driver");

	return driver ? refuse_unless(driver, (const char *const[]){ "json-file", "local", NULL },
				      "only 'json-file' and 'local' are supported yet")
		      : NULL;
}

static const char *refuse_ports(const struct yaml_node *v)
{
	for (size_t i = 0; i < v->m.n; i++) {
		const char *protocol = yaml_str(yaml_get(v->m.v[i].value, "protocol"));

		if (protocol && strcmp(protocol, "sctp") == 0)
			return "protocol sctp is not supported yet";
	}
	return NULL;
}

static const char *refuse_volumes(const struct yaml_node *v)
{
	for (size_t i = 0; i < v->m.n; i++) {
		const struct yaml_node *type = yaml_get(v->m.v[i].value, "type");

		if (type &&
		    refuse_unless(type, (const char *const[]){ "volume", "bind", "tmpfs", NULL },
				  ""))
			return "only the types volume, bind and tmpfs are supported yet";
	}
	return NULL;
}

/* ---- Sections */

const struct key healthcheck_keys[] = {
	{"test",
         &(const struct shape){ .types = T_STR | T_LIST,
				 .item = &s_str,
				 .merge = MERGE_REPLACE,
				 .canon = canon_health_test },
         RUNS, NULL, dec_health_test, 0, NULL },
	{ "disable",             &s_bool, RUNS, NULL, dec_bool, offsetof(struct healthcheck, disable), NULL },
	{ "interval", &s_duration, RUNS, NULL, dec_duration_us,
         offsetof(struct healthcheck, interval_us), NULL },
	{ "timeout",            &s_duration, RUNS, NULL, dec_duration_us,
         offsetof(struct healthcheck, timeout_us), NULL },
	{ "retries",       &s_int_keep, RUNS, NULL, dec_unsigned, offsetof(struct healthcheck, retries),
         NULL },
	{ "start_period",            &s_duration, RUNS, NULL, dec_duration_us,
         offsetof(struct healthcheck, start_period_us), NULL },
	{ "start_interval",        &s_duration, RUNS, NULL, dec_duration_us,
         offsetof(struct healthcheck, start_interval_us), NULL },
	{ 0       }
};
const struct shape s_healthcheck = { .types = T_MAP, .keys = healthcheck_keys };

const struct key depends_keys[] = {
	{.name = "condition",
         .shape =
		  &(const struct shape){
			  .types = T_STR,
			  .words =
				  (const char *const[]){ "service_started", "service_healthy",
							 "service_completed_successfully", NULL } },
         .support = RUNS },
	KEY("required", s_bool_keep, RUNS, NULL),
	KEY("restart", s_bool, RUNS, NULL),
	{ 0    }
};
static const char *const depends_required[] = { "condition", NULL };
static const struct shape s_depends = { .types = T_MAP,
					.keys = depends_keys,
					.required = depends_required };
const struct shape s_depends_on = { .expects = "a list of services or a mapping",
				    .types = T_LIST | T_MAP,
				    .item = &s_str,
				    .unique = true,
				    .value = &s_depends,
				    .canon = canon_depends_on };

const struct key service_network_keys[] = { KEY("aliases", s_unique, RUNS, NULL),
					    KEY("ipv4_address", s_str, RUNS, NULL),
					    KEY("ipv6_address", s_str, RUNS, NULL),
					    KEY("mac_address", s_str, RUNS, NULL),
					    KEY("priority", s_int, RUNS, NULL),
					    KEY("gw_priority", s_int, NOT_YET, NULL),
					    KEY("interface_name", s_str, NOT_YET, NULL),
					    KEY("link_local_ips", s_unique, NOT_YET, NULL),
					    KEY("driver_opts", s_str_map, NOT_YET, NULL),
					    { 0 } };
static const struct shape s_network = { .types = T_MAP | T_NULL, .keys = service_network_keys };
const struct shape s_networks = { .expects = "a list of networks or a mapping",
				  .types = T_LIST | T_MAP,
				  .item = &s_str,
				  .unique = true,
				  .value = &s_network,
				  .canon = canon_name_set };

const struct key port_keys[] = {
	KEY("name", s_str, IGNORED, NULL),         KEY("mode", s_str, IGNORED, NULL),
	KEY("host_ip", s_str, RUNS, NULL),         KEY("target", s_int_keep, RUNS, NULL),
	KEY("published", s_strnum, RUNS, NULL),    KEY("protocol", s_str, RUNS, NULL),
	KEY("app_protocol", s_str, IGNORED, NULL), { 0 }
};
static const char *const port_required[] = { "target", NULL };
static const struct shape s_port = { .types = T_NUM | T_STR | T_MAP,
				     .keys = port_keys,
				     .required = port_required };
const struct shape s_ports = { .types = T_LIST,
			       .item = &s_port,
			       .merge = MERGE_BY_ID,
			       .ident = id_port,
			       .canon = canon_ports };

static const struct key bind_keys[] = {
	KEY("propagation", s_str, RUNS, NULL),
	KEY("create_host_path", s_bool_keep, RUNS, NULL),
	{.name = "recursive",
						       .shape = &(const struct shape){ .types = T_STR,
					  .words = (const char *const[]){ "enabled", "disabled",
									  "writable", "readonly",
									  NULL } },
						       .support = NOT_YET },
	{ .name = "selinux",
						       .shape = &(const struct shape){ .types = T_STR,
					  .words = (const char *const[]){ "z", "Z", NULL } },
						       .support = IGNORED,
						       .note = "no relabelling" },
	{ 0 }
};
static const struct key volume_part_keys[] = { KEY("nocopy", s_bool, RUNS, NULL),
					       KEY("subpath", s_str, RUNS, NULL),
					       KEY("labels", s_labels, IGNORED, NULL),
					       { 0 } };
static const struct key tmpfs_part_keys[] = {
	{.name = "size",
         .shape = &(const struct shape){ .types = T_NUM | T_STR,
					  .cast = AS_BYTES,
					  .check = check_tmpfs_size },
         .support = RUNS },
	{ .name = "mode",
         .shape = &(const struct shape){ .types = T_NUM, .cast = AS_INT },
         .support = RUNS },
	{ 0}
};
static const struct key image_part_keys[] = { KEY("subpath", s_str, NOT_YET, NULL), { 0 } };
#define PART(part_name, part_keys)                                                     \
	{                                                                              \
		.name = (part_name),                                                   \
		.shape = &(const struct shape){ .types = T_MAP, .keys = (part_keys) }, \
		.support = RUNS                                                        \
	}
const struct key mount_keys[] = {
	{.name = "type",
         .shape = &(const struct shape){ .types = T_STR,
					  .words = (const char *const[]){ "bind", "volume", "tmpfs",
									  "cluster", "npipe",
									  "image", NULL } },
         .support = RUNS },
	KEY("source", s_str, RUNS, NULL),
	KEY("target", s_str, RUNS, NULL),
	KEY("read_only", s_bool, RUNS, NULL),
	KEY("consistency", s_str, IGNORED, NULL),
	PART("bind", bind_keys),
	PART("volume", volume_part_keys),
	PART("tmpfs", tmpfs_part_keys),
	PART("image", image_part_keys),
	{ 0}
};
static const char *const mount_required[] = { "type", NULL };
static const struct shape s_mount = { .types = T_STR | T_MAP,
				      .keys = mount_keys,
				      .required = mount_required };
const struct shape s_volumes = { .types = T_LIST,
				 .item = &s_mount,
				 .merge = MERGE_BY_ID,
				 .ident = id_target,
				 .canon = canon_volumes };

static const struct key env_file_keys[] = {
	KEY("path", s_str, LOADS, NULL),
	KEY("required", s_bool_keep, LOADS, NULL),
	{.name = "format",
						.shape = &(const struct shape){ .types = T_STR,
					  .words = (const char *const[]){ "raw", NULL } },
						.support = LOADS },
	{ 0}
};
static const char *const env_file_required[] = { "path", NULL };
static const struct shape s_env_file = { .types = T_STR | T_MAP,
					 .keys = env_file_keys,
					 .required = env_file_required };
static const struct shape s_env_files = { .types = T_STR | T_LIST,
					  .item = &s_env_file,
					  .merge = MERGE_BY_ID,
					  .ident = id_env_file,
					  .canon = canon_env_files };
static const struct shape s_label_files = { .types = T_STR | T_LIST,
					    .item = &s_str,
					    .merge = MERGE_BY_ID,
					    .ident = id_text,
					    .canon = canon_label_files };

static const struct key extends_keys[] = { KEY("service", s_str, LOADS, NULL),
					   KEY("file", s_str, LOADS, NULL),
					   { 0 } };
static const char *const extends_required[] = { "service", NULL };
static const struct shape s_extends = { .types = T_STR | T_MAP,
					.keys = extends_keys,
					.required = extends_required,
					.merge = MERGE_REPLACE,
					.canon = canon_extends };

static const struct key device_keys[] = { KEY("source", s_str, NOT_YET, NULL),
					  KEY("target", s_str, NOT_YET, NULL),
					  KEY("permissions", s_str, NOT_YET, NULL),
					  { 0 } };
static const struct shape s_device = { .types = T_STR | T_MAP,
				       .keys = device_keys,
				       .canon = canon_device };
static const struct shape s_devices = {
	.types = T_LIST, .item = &s_device, .merge = MERGE_BY_ID, .ident = id_target
};

static const struct shape s_expose = {
	.types = T_LIST, .item = &s_strnum, .unique = true, .merge = MERGE_BY_ID, .ident = id_text
};
static const struct shape s_group_add = { .types = T_LIST, .item = &s_strnum, .unique = true };
static const struct shape s_tmpfs = { .types = T_STR | T_LIST,
				      .item = &s_str,
				      .merge = MERGE_BY_ID,
				      .ident = id_key,
				      .canon = canon_strings };
static const struct shape s_profiles = {
	.types = T_LIST, .item = &s_str, .unique = true, .merge = MERGE_BY_ID, .ident = id_text
};
static const struct shape s_links = {
	.types = T_LIST, .item = &s_str, .unique = true, .merge = MERGE_BY_ID, .ident = id_text
};
static const struct shape s_cgroup = {
	.types = T_STR, .words = (const char *const[]){"host", "private", NULL}
};
static const struct shape s_pull_policy = { .types = T_STR,
					    .check = check_pull_policy,
					    .canon = canon_pull_policy };
static const struct shape s_oom_score = { .types = T_NUM | T_STR,
					  .cast = AS_INT,
					  .check = check_oom_score };
static const struct shape s_name = { .types = T_STR, .check = check_name2 };

static const char *refuse_name(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && service_name_ok(s) && !strchr("._-", *s)
		       ? NULL
		       : "not a valid name: a-z A-Z 0-9 _ . - and a letter or digit first";
}

const struct key service_keys[] = {
	{"annotations",      &s_labels, IGNORED, "metadata", NULL, 0, NULL },
	{ "attach",           &s_bool_keep, IGNORED, "all services are attached", NULL, 0, NULL },
	{ "blkio_config",              &s_blkio, NOT_YET, NULL, NULL, 0, NULL },
	{ "build",              &s_build, NOT_YET, NULL, NULL, 0, NULL },
	{ "cap_add",          &s_unique, RUNS, NULL, dec_list, F(cap_add), NULL },
	{ "cap_drop",           &s_unique, RUNS, NULL, dec_list, F(cap_drop), NULL },
	{ "cgroup",              &s_cgroup, RUNS, "private", NULL, 0, refuse_cgroup },
	{ "cgroup_parent",              &s_str, NOT_YET, NULL, NULL, 0, NULL },
	{ "command",    &s_words, RUNS, NULL, dec_words, F(command), NULL },
	{ "configs",           &s_file_refs, NOT_YET, NULL, NULL, 0, NULL },
	{ "container_name",              &s_name, RUNS, NULL, dec_str, F(container_name), refuse_name },
	{ "cpu_count",              &s_int, IGNORED, "Windows only", NULL, 0, NULL },
	{ "cpu_percent",           &s_int, IGNORED, "Windows only", NULL, 0, NULL },
	{ "cpu_period",           &s_int, NOT_YET, NULL, NULL, 0, NULL },
	{ "cpu_quota",              &s_int, NOT_YET, NULL, NULL, 0, NULL },
	{ "cpu_rt_period",              &s_strnum, NOT_YET, NULL, NULL, 0, NULL },
	{ "cpu_rt_runtime",         &s_strnum, NOT_YET, NULL, NULL, 0, NULL },
	{ "cpu_shares",              &s_int, RUNS, NULL, dec_u64, F(cpu_shares), NULL },
	{ "cpus",          &s_num, RUNS, NULL, dec_cpus, F(nano_cpus), NULL },
	{ "cpuset",              &s_str, NOT_YET, NULL, NULL, 0, NULL },
	{ "credential_spec",        &s_credential, NOT_YET, "Windows only", NULL, 0, NULL },
	{ "depends_on",              &s_depends_on, RUNS, "all three conditions", dec_deps, 0, NULL },
	{ "deploy",          &s_deploy, RUNS, "see below", dec_deploy, 0, NULL },
	{ "develop",              &s_develop, IGNORED, "used by watch only", NULL, 0, NULL },
	{ "device_cgroup_rules",          &s_strings, NOT_YET, NULL, NULL, 0, NULL },
	{ "devices",              &s_devices, NOT_YET, NULL, NULL, 0, NULL },
	{ "dns",              &s_str_or_list, RUNS, NULL, dec_list, F(dns), NULL },
	{ "dns_opt",     &s_unique, RUNS, NULL, dec_list, F(dns_opt), NULL },
	{ "dns_search",   &s_str_or_list, RUNS, NULL, dec_list, F(dns_search), NULL },
	{ "domainname",           &s_str, RUNS, NULL, dec_str, F(domainname), NULL },
	{ "entrypoint",              &s_words, RUNS, NULL, dec_words, F(entrypoint), NULL },
	{ "env_file",              &s_env_files, LOADS, "format raw as well", NULL, 0, NULL },
	{ "environment",         &s_env, RUNS, NULL, dec_kvs, F(environment), NULL },
	{ "expose",              &s_expose, RUNS, NULL, dec_list, F(expose), NULL },
	{ "extends",         &s_extends, LOADS, NULL, NULL, 0, NULL },
	{ "external_links",              &s_links, NOT_YET, NULL, NULL, 0, NULL },
	{ "extra_hosts",         &s_hosts, RUNS, NULL, dec_hosts, F(extra_hosts), NULL },
	{ "gpus",           &s_gpus, NOT_YET, NULL, NULL, 0, NULL },
	{ "group_add",              &s_group_add, RUNS, NULL, dec_list, F(group_add), NULL },
	{ "healthcheck",              &s_healthcheck, RUNS, NULL, dec_health, F(health), NULL },
	{ "hostname",  &s_strnull, RUNS, NULL, dec_str, F(hostname), NULL },
	{ "image",              &s_str, RUNS, NULL, dec_str, F(image), NULL },
	{ "init",           &s_bool_keep, RUNS, NULL, dec_bool, F(init), NULL },
	{ "ipc",       &s_str, RUNS, "private", NULL, 0, refuse_ipc },
	{ "isolation",       &s_str, IGNORED, "Windows only", NULL, 0, NULL },
	{ "label_file",           &s_label_files, LOADS, NULL, NULL, 0, NULL },
	{ "labels",              &s_labels, RUNS, NULL, dec_kvs, F(labels), NULL },
	{ "links",              &s_links, RUNS, "order and name; no alias", NULL, 0, refuse_links },
	{ "logging",     &s_logging, IGNORED, "json-file and local; logs are kept in files of our own",
         NULL, 0, refuse_logging },
	{ "mac_address",           &s_str, RUNS, "of the first network", NULL, 0, NULL },
	{ "mem_limit",              &s_bytes, RUNS, NULL, dec_bytes, F(mem_limit), NULL },
	{ "mem_reservation",              &s_bytes, RUNS, NULL, dec_bytes, F(mem_reservation), NULL },
	{ "mem_swappiness",      &s_bytes, NOT_YET, NULL, NULL, 0, NULL },
	{ "memswap_limit",           &s_bytes, RUNS, NULL, dec_sbytes, F(memswap_limit), NULL },
	{ "models",              &s_service_models, NOT_YET, NULL, NULL, 0, NULL },
	{ "network_mode",              &s_str, RUNS, "none, host", dec_str, F(network_mode),
         refuse_network_mode },
	{ "networks",       &s_networks, RUNS, NULL, dec_networks, 0, NULL },
	{ "oom_kill_disable",           &s_bool, NOT_YET, NULL, NULL, 0, NULL },
	{ "oom_score_adj",              &s_oom_score, NOT_YET, NULL, NULL, 0, NULL },
	{ "pid",              &s_strnull, NOT_YET, NULL, NULL, 0, NULL },
	{ "pids_limit",   &s_int, RUNS, NULL, dec_i64, F(pids_limit), NULL },
	{ "platform",           &s_str, IGNORED, "the image in the store is taken", NULL, 0, NULL },
	{ "ports",              &s_ports, RUNS, "tcp and udp", dec_ports, 0, refuse_ports },
	{ "post_start",              &s_hooks, NOT_YET, NULL, NULL, 0, NULL },
	{ "pre_start",  &s_hooks, NOT_YET, NULL, NULL, 0, NULL },
	{ "pre_stop",           &s_hooks, NOT_YET, NULL, NULL, 0, NULL },
	{ "privileged",              &s_bool, RUNS, NULL, dec_bool, F(privileged), NULL },
	{ "profiles",              &s_profiles, LOADS, NULL, dec_list, F(profiles), NULL },
	{ "provider",      &s_provider, NOT_YET, NULL, NULL, 0, NULL },
	{ "pull_policy",              &s_pull_policy, RUNS, "missing, never", dec_str, F(pull_policy),
         refuse_pull_policy },
	{ "pull_refresh_after",           &s_str, NOT_YET, NULL, NULL, 0, NULL },
	{ "read_only",              &s_bool, RUNS, NULL, dec_bool, F(read_only), NULL },
	{ "restart",            &s_str, RUNS, NULL, dec_restart, 0, NULL },
	{ "runtime",              &s_str, IGNORED, "there is one runtime", NULL, 0, refuse_runtime },
	{ "scale",          &s_int_keep, RUNS, NULL, dec_unsigned, F(scale), NULL },
	{ "secrets",              &s_file_refs, NOT_YET, NULL, NULL, 0, NULL },
	{ "security_opt",          &s_strings, RUNS, "no-new-privileges", dec_security, 0, refuse_security },
	{ "shm_size",           &s_bytes, RUNS, NULL, dec_bytes, F(shm_size), NULL },
	{ "stdin_open",              &s_bool, RUNS, NULL, dec_bool, F(stdin_open), NULL },
	{ "stop_grace_period",              &s_duration, RUNS, NULL, dec_duration_us, F(stop_grace_us), NULL },
	{ "stop_signal", &s_str, RUNS, NULL, dec_signal, F(stop_signal), NULL },
	{ "storage_opt",           &s_str_map, NOT_YET, NULL, NULL, 0, NULL },
	{ "sysctls",              &s_labels, NOT_YET, NULL, dec_kvs, F(sysctls), NULL },
	{ "tmpfs",              &s_tmpfs, RUNS, NULL, dec_tmpfs, 0, NULL },
	{ "tty",      &s_bool, RUNS, NULL, dec_bool, F(tty), NULL },
	{ "ulimits",              &s_ulimits, NOT_YET, NULL, NULL, 0, NULL },
	{ "use_api_socket",          &s_bool, NOT_YET, NULL, NULL, 0, NULL },
	{ "user",              &s_str, RUNS, NULL, dec_str, F(user), NULL },
	{ "userns_mode",          &s_str, RUNS, "host", dec_str, F(userns_mode), refuse_userns },
	{ "uts",              &s_str, NOT_YET, NULL, NULL, 0, NULL },
	{ "volumes",        &s_volumes, RUNS, "bind, volume, tmpfs", dec_mounts, 0, refuse_volumes },
	{ "volumes_from",              &s_strings, NOT_YET, NULL, NULL, 0, NULL },
	{ "working_dir",         &s_str, RUNS, NULL, dec_str, F(working_dir), NULL },
	{ 0          }
};
const struct shape shape_service = { .types = T_MAP, .keys = service_keys };
