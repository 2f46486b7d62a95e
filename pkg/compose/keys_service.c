/* keys_service.c - the keys of a service. */
#include "keys.h"

#include <arpa/inet.h>
#include <ctrcompose/cgroup.h>
#include <netinet/in.h>
#include <string.h>

#define F(field) offsetof(struct service, field)

enum { LOG_FILES_MAX = 1000, PROFILE_NAME_MAX = 512 };

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
	const char *s = yaml_str(v);

	if (s && (str_starts(s, "service:") || str_starts(s, "container:")))
		return NULL;
	return refuse_unless(
		v, (const char *const[]){ "none", "host", "bridge", NULL },
		"only none, host, bridge, service:NAME and container:NAME are modes here: for "
		"others, name a network");
}

static const char *refuse_userns(const struct yaml_node *v)
{
	return refuse_unless(v, (const char *const[]){ "host", "", NULL },
			     "only 'host' is supported");
}

static bool names_another(const char *s)
{
	return s && ((str_starts(s, "service:") && s[8]) || (str_starts(s, "container:") && s[10]));
}

static const char *refuse_ipc(const struct yaml_node *v)
{
	return names_another(yaml_str(v))
		       ? NULL
		       : refuse_unless(v,
				       (const char *const[]){ "private", "shareable", "host",
							      "none", NULL },
				       "not one of none, private, shareable, host, service:NAME, "
				       "container:NAME");
}

static const char *refuse_pid(const struct yaml_node *v)
{
	return names_another(yaml_str(v))
		       ? NULL
		       : refuse_unless(v, (const char *const[]){ "host", "private", NULL },
				       "not one of host, service:NAME, container:NAME");
}

static const char *refuse_uts(const struct yaml_node *v)
{
	return refuse_unless(v, (const char *const[]){ "host", "private", NULL }, "not 'host'");
}

static const char *refuse_device_rules(const struct yaml_node *v)
{
	for (size_t i = 0; i < v->m.n; i++) {
		const char *text = yaml_str(v->m.v[i].value);
		struct cgroup_device rule;

		if (!text || !cgroup_device_parse(text, &rule))
			return "a rule is of the form 'c 1:3 rwm'";
	}
	return NULL;
}

static const char *refuse_devices(const struct yaml_node *v)
{
	for (size_t i = 0; i < v->m.n; i++) {
		const char *source = yaml_str(yaml_get(v->m.v[i].value, "source"));
		const char *target = yaml_str(yaml_get(v->m.v[i].value, "target"));
		const char *p = yaml_str(yaml_get(v->m.v[i].value, "permissions"));

		if (device_cdi_name(v->m.v[i].value)) {
			if (p && *p && strcmp(p, "rwm") != 0)
				return "permissions of a device with a CDI name are what its spec says";
			continue;
		}
		if (source && *source != '/' && strchr(source, '='))
			return "not a CDI name (vendor.com/class=name) that stands alone: one with a "
			       "colon is written { source: NAME }";
		if (!source || *source != '/' || (target && *target && *target != '/'))
			return "not paths of a device on the host and inside, nor a CDI name "
			       "(vendor.com/class=name)";
		if (p && strspn(p, "rwm") != strlen(p))
			return "permissions are letters out of rwm";
	}
	return NULL;
}

static const char *refuse_cgroup_parent(const struct yaml_node *v)
{
	const char *name = yaml_str(v);

	return name ? cgroup_parent_problem(name) : "it is the path of a control group, or a slice";
}

static const char *refuse_runtime(const struct yaml_node *v)
{
	return refuse_unless(v, (const char *const[]){ "runc", "crun", "ctrcompose", NULL },
			     "there is no other runtime than our own");
}

/* What stands after "name=" or, as of old, "name:". */
static const char *security_value(const char *s, const char *name)
{
	size_t n = strlen(name);

	return s && str_starts(s, name) && (s[n] == '=' || s[n] == ':') ? s + n + 1 : NULL;
}

/* It ends a line that is written to the kernel. */
static bool profile_named(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < ' ')
			return false;
	return n > 0 && n <= PROFILE_NAME_MAX && name[0] != ' ' && name[n - 1] != ' ';
}

static bool security_label(const char *label)
{
	static const char *const parts[] = { "user:", "role:", "type:", "level:", "filetype:" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (str_starts(label, parts[i]))
			return label[strlen(parts[i])] != '\0';
	return strcmp(label, "disable") == 0 || strcmp(label, "nested") == 0;
}

static const char *refuse_security(const struct yaml_node *v)
{
	static const char *const ok[] = { "no-new-privileges",       "no-new-privileges:true",
					  "no-new-privileges=true",  "no-new-privileges:false",
					  "no-new-privileges=false", "systempaths=unconfined",
					  "systempaths:unconfined",  NULL };

	for (size_t i = 0; i < v->m.n; i++) {
		const char *s = yaml_str(v->m.v[i].value), *value;

		value = security_value(s, "apparmor");
		if (value && !profile_named(value))
			return "apparmor= wants the name of a profile, or unconfined";
		if (value)
			continue;
		value = security_value(s, "label");
		if (value && !security_label(value))
			return "label= wants disable, nested, or user, role, type, level or "
			       "filetype with a colon and a value";
		if (value)
			continue;
		value = security_value(s, "seccomp");
		if (value && *value)
			continue;
		if (refuse_unless(v->m.v[i].value, ok, ""))
			return "only no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined, "
			       "apparmor=PROFILE|unconfined and label are supported";
	}
	return NULL;
}

/* NULL: it may stand here; with a meaning of ours only max-size and max-file. */
static const char *refuse_log_option(const char *name, const char *value)
{
	static const char *const without_effect[] = { "compress", "labels",          "labels-regex",
						      "env",      "env-regex",       "tag",
						      "mode",     "max-buffer-size", NULL };
	uint64_t n;

	if (strcmp(name, "max-size") == 0)
		return parse_bytes(value, &n) == 0 && n > 0 ? NULL : "max-size is a size like 10m";
	if (strcmp(name, "max-file") == 0)
		return parse_u64(value, &n) == 0 && n > 0 && n <= LOG_FILES_MAX
			       ? NULL
			       : "max-file is a number from 1 to 1000";
	for (const char *const *w = without_effect; *w; w++)
		if (strcmp(name, *w) == 0)
			return NULL;
	return "of the options there are max-size and max-file";
}

static const char *refuse_logging(const struct yaml_node *v)
{
	const struct yaml_node *driver = yaml_get(v, "driver"), *options = yaml_get(v, "options");
	auto_arena struct arena a = { 0 };
	const char *why = NULL;

	if (driver)
		why = refuse_unless(driver,
				    (const char *const[]){ "json-file", "local", "none", "", NULL },
				    "the drivers are json-file, local and none");
	for (size_t i = 0; !why && options && i < options->m.n; i++)
		why = refuse_log_option(options->m.v[i].key, yaml_text(&a, options->m.v[i].value));
	return why;
}

static const char *refuse_storage(const struct yaml_node *v)
{
	const char *size = yaml_str(yaml_get(v, "size"));
	uint64_t bytes;

	if (v->m.n > 1 || (v->m.n == 1 && !yaml_get(v, "size")))
		return "of the options there is size";
	return !v->m.n || (size && parse_bytes(size, &bytes) == 0 && bytes > 0)
		       ? NULL
		       : "size is a size like 10g";
}

static const char *refuse_interface(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && *s && strlen(s) < 16 && !strpbrk(s, "/ \t\n:%") && *s != '.' &&
			       strcmp(s, "lo") != 0
		       ? NULL
		       : "not a name for an interface: 1 to 15 characters, no blank or / : %";
}

static const char *refuse_link_local(const struct yaml_node *v)
{
	size_t n[2] = { 0 };

	for (size_t i = 0; i < v->m.n; i++) {
		const char *s = yaml_str(v->m.v[i].value);
		struct in6_addr six;
		struct in_addr four;

		if (s && inet_pton(AF_INET, s, &four) == 1 && ntohl(four.s_addr) >> 16 == 0xa9fe)
			n[0]++;
		else if (s && inet_pton(AF_INET6, s, &six) == 1 && IN6_IS_ADDR_LINKLOCAL(&six))
			n[1]++;
		else
			return "not an address of 169.254.0.0/16 or fe80::/10";
	}
	return n[0] > 2 || n[1] > 2 ? "an endpoint has two link-local addresses of a family at most"
				    : NULL;
}

/* "net.ipv4.conf.IFNAME.log_martians=1,...": only what is about the interface itself. */
static bool endpoint_sysctls_ok(const char *s)
{
	do {
		size_t n = strcspn(s, ",");
		const char *eq = memchr(s, '=', n);
		const char *name = strstr(s, ".IFNAME.");

		if (!eq || eq == s + n - 1 || !name || name > eq ||
		    (!str_starts(s, "net.ipv4.") && !str_starts(s, "net.ipv6.")) ||
		    memchr(s, '/', n) || memmem(s, n, "..", 2))
			return false;
		s += n;
	} while (*s++ == ',');
	return true;
}

static const char *refuse_endpoint_opts(const struct yaml_node *v)
{
	const struct yaml_node *ifname = yaml_get(v, ENDPOINT_IFNAME);
	const char *sysctls = yaml_str(yaml_get(v, ENDPOINT_SYSCTLS));

	if (v->m.n != (size_t)(ifname != NULL) + (sysctls != NULL))
		return "the options are " ENDPOINT_IFNAME " and " ENDPOINT_SYSCTLS;
	if (sysctls && !endpoint_sysctls_ok(sysctls))
		return "not like net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.forwarding=0";
	return ifname ? refuse_interface(ifname) : NULL;
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

static const char *refuse_propagation(const struct yaml_node *v)
{
	return refuse_unless(
		v, (const char *const[]){ "private", "rprivate", "slave", "rslave", "", NULL },
		"a container's mounts never reach the host: private, rprivate, slave or "
		"rslave");
}

static const char *refuse_folder(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && *s && *s != '/' ? "not an absolute path in the container" : NULL;
}

static const char *refuse_target(const struct yaml_node *v)
{
	const char *s = yaml_str(v);

	return s && *s && s[1] == ':'
		       ? "a letter before a colon is a drive, not the name of a volume: give it a "
			 "longer one"
		       : refuse_folder(v);
}

static const char *refuse_tmpfs(const struct yaml_node *v)
{
	const char *why = NULL;

	for (size_t i = 0; !why && v->type == YAML_LIST && i < v->m.n; i++)
		why = refuse_target(v->m.v[i].value);
	return why;
}

static const char *refuse_volumes(const struct yaml_node *v)
{
	for (size_t i = 0; i < v->m.n; i++) {
		const struct yaml_node *type = yaml_get(v->m.v[i].value, "type");

		if (type &&
		    refuse_unless(type,
				  (const char *const[]){ "volume", "bind", "tmpfs", "image", NULL },
				  ""))
			return "the types are volume, bind, tmpfs and image";
	}
	return NULL;
}

/* ---- Sections */

static const struct shape s_health_test = {
	.types = T_STR | T_LIST, .item = &s_str, .merge = MERGE_REPLACE, .canon = canon_health_test
};
const struct key healthcheck_keys[] = {
	DEC("test", s_health_test, RUNS, NULL, dec_health_test, 0),
	DEC("disable", s_bool, RUNS, NULL, dec_bool, offsetof(struct healthcheck, disable)),
	DEC("interval", s_duration, RUNS, NULL, dec_duration_us,
	    offsetof(struct healthcheck, interval_us)),
	DEC("timeout", s_duration, RUNS, NULL, dec_duration_us,
	    offsetof(struct healthcheck, timeout_us)),
	DEC("retries", s_int_keep, RUNS, NULL, dec_unsigned, offsetof(struct healthcheck, retries)),
	DEC("start_period", s_duration, RUNS, NULL, dec_duration_us,
	    offsetof(struct healthcheck, start_period_us)),
	DEC("start_interval", s_duration, RUNS, NULL, dec_duration_us,
	    offsetof(struct healthcheck, start_interval_us)),
	END,
};
const struct shape s_healthcheck = { .types = T_MAP, .keys = healthcheck_keys };

const struct key depends_keys[] = {
	KEY("condition",
	    WORDS("service_started", "service_healthy", "service_completed_successfully"), RUNS,
	    NULL),
	KEY("required", s_bool_keep, RUNS, NULL),
	KEY("restart", s_bool, RUNS, NULL),
	END,
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

const struct key service_network_keys[] = {
	KEY("aliases", s_unique, RUNS, NULL),
	KEY("ipv4_address", s_str, RUNS, NULL),
	KEY("ipv6_address", s_str, RUNS, NULL),
	KEY("mac_address", s_str, RUNS, NULL),
	KEY("priority", s_int, RUNS, NULL),
	KEY("gw_priority", s_int, RUNS, "the highest has the default route"),
	KEY_IF("interface_name", s_str, RUNS, NULL, refuse_interface),
	KEY_IF("link_local_ips", s_unique, RUNS, "two of each family", refuse_link_local),
	KEY_IF("driver_opts", s_str_map, RUNS, "endpoint.ifname, endpoint.sysctls",
	       refuse_endpoint_opts),
	END,
};
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
	KEY("app_protocol", s_str, IGNORED, NULL), END,
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
	KEY_IF("propagation", s_str, RUNS, "private and slave", refuse_propagation),
	KEY("create_host_path", s_bool_keep, RUNS, NULL),
	KEY("recursive", WORDS("enabled", "disabled", "writable", "readonly"), RUNS, NULL),
	KEY("selinux", WORDS("z", "Z"), RUNS,
	    "the label of containers, shared or of this one; no effect where SELinux is off"),
	END,
};
static const struct key volume_part_keys[] = {
	KEY("nocopy", s_bool, RUNS, NULL),
	KEY("subpath", s_str, RUNS, NULL),
	KEY("labels", s_labels, IGNORED, NULL),
	END,
};
static const struct shape s_tmpfs_size = { .types = T_NUM | T_STR,
					   .cast = AS_BYTES,
					   .check = check_tmpfs_size };
static const struct shape s_tmpfs_mode = { .types = T_NUM, .cast = AS_INT };
static const struct key tmpfs_part_keys[] = {
	KEY("size", s_tmpfs_size, RUNS, NULL),
	KEY("mode", s_tmpfs_mode, RUNS, NULL),
	END,
};
static const struct key image_part_keys[] = {
	KEY("subpath", s_str, RUNS, NULL),
	END,
};
const struct key mount_keys[] = {
	KEY("type", WORDS("bind", "volume", "tmpfs", "cluster", "npipe", "image"), RUNS, NULL),
	KEY("source", s_str, RUNS, NULL),
	KEY_IF("target", s_str, RUNS, NULL, refuse_target),
	KEY("read_only", s_bool, RUNS, NULL),
	KEY("consistency", s_str, IGNORED, NULL),
	KEY("bind", MAP(bind_keys), RUNS, NULL),
	KEY("volume", MAP(volume_part_keys), RUNS, NULL),
	KEY("tmpfs", MAP(tmpfs_part_keys), RUNS, NULL),
	KEY("image", MAP(image_part_keys), RUNS, NULL),
	END,
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
	KEY("format", WORDS("raw"), LOADS, NULL),
	END,
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

static const struct key extends_keys[] = {
	KEY("service", s_str, LOADS, NULL),
	KEY("file", s_str, LOADS, NULL),
	END,
};
static const char *const extends_required[] = { "service", NULL };
static const struct shape s_extends = { .types = T_STR | T_MAP,
					.keys = extends_keys,
					.required = extends_required,
					.merge = MERGE_REPLACE,
					.canon = canon_extends };

static const struct key device_keys[] = {
	KEY("source", s_str, RUNS, NULL),
	KEY("target", s_str, RUNS, NULL),
	KEY("permissions", s_str_set, RUNS, NULL),
	END,
};
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
static const struct shape s_cgroup = { .types = T_STR,
				       .words = (const char *const[]){ "host", "private", NULL } };
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
	KEY("annotations", s_labels, IGNORED, "metadata"),
	DEC("attach", s_bool_keep, RUNS, "to `up` in the foreground", dec_bool, F(attach)),
	DEC("blkio_config", s_blkio, RUNS, NULL, dec_blkio, 0),
	KEY("build", s_build, RUNS, "see `docs/BUILD.md`"),
	DEC("cap_add", s_unique, RUNS, NULL, dec_list, F(cap_add)),
	DEC("cap_drop", s_unique, RUNS, NULL, dec_list, F(cap_drop)),
	DEC("cgroup", s_cgroup, RUNS, "host, private", dec_str, F(cgroup)),
	DEC_IF("cgroup_parent", s_str, RUNS,
	       "`/a/b` from the root of the control groups, `a/b` the same; where systemd runs, a slice",
	       dec_str, F(cgroup_parent), refuse_cgroup_parent),
	DEC("command", s_words, RUNS, NULL, dec_words, F(command)),
	DEC("configs", s_file_refs, RUNS, "on a private tmpfs", dec_configs, 0),
	DEC_IF("container_name", s_name, RUNS, NULL, dec_str, F(container_name), refuse_name),
	KEY("cpu_count", s_int, IGNORED, "Windows only"),
	KEY("cpu_percent", s_int, IGNORED, "Windows only"),
	DEC("cpu_period", s_int, RUNS, NULL, dec_u64, F(cpu_period_us)),
	DEC("cpu_quota", s_int, RUNS, NULL, dec_u64, F(cpu_quota_us)),
	DEC("cpu_rt_period", s_strnum, RUNS, "cgroup v1 only", dec_rt_us, F(cpu_rt_period_us)),
	DEC("cpu_rt_runtime", s_strnum, RUNS, "cgroup v1 only", dec_rt_us, F(cpu_rt_runtime_us)),
	DEC("cpu_shares", s_int, RUNS, NULL, dec_u64, F(cpu_shares)),
	DEC("cpus", s_num, RUNS, NULL, dec_cpus, F(nano_cpus)),
	DEC("cpuset", s_str, RUNS, NULL, dec_str, F(cpuset)),
	KEY("credential_spec", s_credential, NOT_YET, "Windows only"),
	DEC("depends_on", s_depends_on, RUNS, "all three conditions", dec_deps, 0),
	DEC("deploy", s_deploy, RUNS, "see below", dec_deploy, 0),
	KEY("develop", s_develop, RUNS, "by `watch`"),
	DEC_IF("device_cgroup_rules", s_strings, RUNS, NULL, dec_list, F(device_cgroup_rules),
	       refuse_device_rules),
	DEC_IF("devices", s_devices, RUNS, "paths and CDI names", dec_devices, 0, refuse_devices),
	DEC("dns", s_str_or_list, RUNS, NULL, dec_list, F(dns)),
	DEC("dns_opt", s_unique, RUNS, NULL, dec_list, F(dns_opt)),
	DEC("dns_search", s_str_or_list, RUNS, NULL, dec_list, F(dns_search)),
	DEC("domainname", s_str, RUNS, NULL, dec_str, F(domainname)),
	DEC("entrypoint", s_words, RUNS, NULL, dec_words, F(entrypoint)),
	KEY("env_file", s_env_files, LOADS, "format raw as well"),
	DEC("environment", s_env, RUNS, NULL, dec_kvs, F(environment)),
	DEC("expose", s_expose, RUNS, NULL, dec_list, F(expose)),
	KEY("extends", s_extends, LOADS, NULL),
	DEC("external_links", s_links, RUNS, NULL, dec_list, F(external_links)),
	DEC("extra_hosts", s_hosts, RUNS, NULL, dec_hosts, F(extra_hosts)),
	DEC("gpus", s_gpus, RUNS, "by the specs of CDI: see below", dec_gpus, 0),
	DEC("group_add", s_group_add, RUNS, NULL, dec_list, F(group_add)),
	DEC("healthcheck", s_healthcheck, RUNS, NULL, dec_health, F(health)),
	DEC("hostname", s_strnull, RUNS, NULL, dec_str, F(hostname)),
	DEC("image", s_str, RUNS, NULL, dec_str, F(image)),
	DEC("init", s_bool_keep, RUNS, NULL, dec_bool, F(init)),
	DEC_IF("ipc", s_str, RUNS, NULL, dec_str, F(ipc), refuse_ipc),
	KEY("isolation", s_str, IGNORED, "Windows only"),
	KEY("label_file", s_label_files, LOADS, NULL),
	DEC("labels", s_labels, RUNS, NULL, dec_kvs, F(labels)),
	DEC("links", s_links, RUNS, NULL, dec_list, F(links)),
	DEC_IF("logging", s_logging, RUNS, "json-file, local, none; max-size, max-file",
	       dec_logging, 0, refuse_logging),
	KEY("mac_address", s_str, RUNS, "of the first network"),
	DEC("mem_limit", s_bytes, RUNS, NULL, dec_bytes, F(mem_limit)),
	DEC("mem_reservation", s_bytes, RUNS, NULL, dec_bytes, F(mem_reservation)),
	DEC("mem_swappiness", s_bytes, RUNS, "on cgroup v1", dec_i64, F(mem_swappiness)),
	DEC("memswap_limit", s_bytes, RUNS, NULL, dec_sbytes, F(memswap_limit)),
	KEY("models", s_service_models, NOT_YET, NULL),
	DEC_IF("network_mode", s_str, RUNS, "none, host, bridge, service:, container:", dec_str,
	       F(network_mode), refuse_network_mode),
	DEC("networks", s_networks, RUNS, NULL, dec_networks, 0),
	DEC("oom_kill_disable", s_bool, RUNS, "on cgroup v1", dec_bool, F(oom_kill_disable)),
	DEC("oom_score_adj", s_oom_score, RUNS, NULL, dec_int, F(oom_score_adj)),
	DEC_IF("pid", s_strnull, RUNS, "host, service:, container:", dec_str, F(pid), refuse_pid),
	DEC("pids_limit", s_int, RUNS, NULL, dec_i64, F(pids_limit)),
	KEY("platform", s_str, RUNS, "chooses the image that is pulled"),
	DEC_IF("ports", s_ports, RUNS, "tcp and udp", dec_ports, 0, refuse_ports),
	DEC("post_start", s_hooks, RUNS, "if one fails, the container stops", dec_hooks,
	    F(post_start)),
	KEY("pre_start", s_init_steps, RUNS, "by `up`; if one fails, the service does not start"),
	DEC("pre_stop", s_hooks, RUNS, "if one fails, the container runs on", dec_hooks,
	    F(pre_stop)),
	DEC("privileged", s_bool, RUNS, NULL, dec_bool, F(privileged)),
	DEC("profiles", s_profiles, LOADS, NULL, dec_list, F(profiles)),
	KEY("provider", s_provider, NOT_YET, NULL),
	DEC("pull_policy", s_pull_policy, RUNS, NULL, dec_str, F(pull_policy)),
	KEY("pull_refresh_after", s_str, NOT_YET, NULL),
	DEC("read_only", s_bool, RUNS, NULL, dec_bool, F(read_only)),
	DEC("restart", s_str, RUNS, NULL, dec_restart, 0),
	KEY_IF("runtime", s_str, IGNORED, "there is one runtime", refuse_runtime),
	DEC("scale", s_int_keep, RUNS, NULL, dec_unsigned, F(scale)),
	DEC("secrets", s_file_refs, RUNS, "on a private tmpfs", dec_secrets, 0),
	DEC_IF("security_opt", s_strings, RUNS,
	       "no-new-privileges, seccomp, systempaths, apparmor, label (no effect where SELinux is off)",
	       dec_security, 0, refuse_security),
	DEC("shm_size", s_bytes, RUNS, NULL, dec_bytes, F(shm_size)),
	DEC("stdin_open", s_bool, RUNS, NULL, dec_bool, F(stdin_open)),
	DEC("stop_grace_period", s_duration, RUNS, NULL, dec_duration_us, F(stop_grace_us)),
	DEC("stop_signal", s_str, RUNS, NULL, dec_signal, F(stop_signal)),
	DEC_IF("storage_opt", s_str_map, RUNS, "size, where the file system has project quotas",
	       dec_storage, 0, refuse_storage),
	DEC("sysctls", s_labels, RUNS, NULL, dec_kvs, F(sysctls)),
	DEC_IF("tmpfs", s_tmpfs, RUNS, NULL, dec_tmpfs, 0, refuse_tmpfs),
	DEC("tty", s_bool, RUNS, NULL, dec_bool, F(tty)),
	DEC("ulimits", s_ulimits, RUNS, NULL, dec_ulimits, 0),
	KEY("use_api_socket", s_bool, NOT_YET, NULL),
	DEC("user", s_str, RUNS, NULL, dec_str, F(user)),
	DEC_IF("userns_mode", s_str, RUNS, "host", dec_str, F(userns_mode), refuse_userns),
	DEC_IF("uts", s_str, RUNS, "host", dec_str, F(uts), refuse_uts),
	DEC_IF("volumes", s_volumes, RUNS, "bind, volume, tmpfs, image", dec_mounts, 0,
	       refuse_volumes),
	DEC("volumes_from", s_strings, RUNS, NULL, dec_list, F(volumes_from)),
	DEC_IF("working_dir", s_str, RUNS, NULL, dec_str, F(working_dir), refuse_folder),
	END,
};
const struct shape shape_service = { .types = T_MAP, .keys = service_keys };
