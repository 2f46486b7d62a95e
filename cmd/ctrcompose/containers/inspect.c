/* inspect.c - a container, a network or a volume as `docker inspect` shows it; see inspect.h */
#include "containers/inspect.h"

#include <ctrcompose/digest.h>
#include <ctrcompose/model.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define NEVER "0001-01-01T00:00:00Z"

static void add_time(struct json *o, const char *key, uint64_t ns)
{
	char text[RFC3339_LEN];

	if (ns)
		format_rfc3339(ns, text);
	json_add_str(o, key, ns ? text : NEVER);
}

static void add_list(struct json *o, const char *key, const struct list *l)
{
	struct json *a;

	if (l->n == 0) {
		json_add_null(o, key);
		return;
	}
	a = json_add_array(o, key);
	for (size_t i = 0; i < l->n; i++)
		json_add(a, NULL, json_new_string(l->v[i]));
}

/* "172.18.0.0/16": 16 */
static int64_t prefix_of(const char *subnet)
{
	const char *slash = subnet ? strchr(subnet, '/') : NULL;
	uint64_t n = 0;

	return slash && parse_u64(slash + 1, &n) == 0 ? (int64_t)n : 0;
}

/* ---- Containers ------------------------------------------------------------------------------- */
static void add_state(struct json *o, const struct state_container *c)
{
	struct json *st = json_add_object(o, "State");

	json_add_str(st, "Status", state_status_name(c->status));
	json_add_bool(st, "Running", container_is_up(c));
	json_add_bool(st, "Paused", c->status == STATE_PAUSED);
	json_add_bool(st, "Restarting", c->status == STATE_RESTARTING);
	json_add_bool(st, "OOMKilled", c->oom_killed);
	json_add_bool(st, "Dead", c->status == STATE_DEAD);
	json_add_int(st, "Pid",
		     c->status == STATE_RUNNING || c->status == STATE_PAUSED ? c->pid : 0);
	json_add_int(st, "ExitCode", c->exit_code);
	json_add_str(st, "Error", c->error ? c->error : "");
	add_time(st, "StartedAt", c->started_ns);
	add_time(st, "FinishedAt", c->finished_ns);
	if (c->health != STATE_HEALTH_NONE) {
		struct json *h = json_add_object(st, "Health");
		struct json *log;

		json_add_str(h, "Status", state_health_name(c->health));
		log = json_add_array(h, "Log");
		if (c->health_log)
			json_add_str(json_add_object(log, NULL), "Output", c->health_log);
	}
}

/* "80/tcp": [{HostIp, HostPort}], as NetworkSettings.Ports and HostConfig.PortBindings have it. */
static void add_ports(struct json *o, const char *key, const struct state_container *c)
{
	struct json *ports = json_add_object(o, key);

	for (size_t i = 0; i < c->ports.n; i++) {
		const struct state_port *p = &c->ports.v[i];
		auto_free char *inner = xasprintf("%u/%s", p->target, p->proto ? p->proto : "tcp");
		auto_free char *outer = xasprintf("%u", p->published);
		struct port_ips ips = port_ips(p);
		struct json *list = json_at(ports, inner);

		if (!list)
			list = json_add_array(ports, inner);
		for (size_t k = 0; k < ips.n; k++) {
			struct json *b = json_add_object(list, NULL);

			json_add_str(b, "HostIp", ips.v[k]);
			json_add_str(b, "HostPort", outer);
		}
	}
}

static void add_host_config(struct json *o, const struct state_container *c,
			    const struct service *svc)
{
	static const char *const policies[] = {
		[RESTART_NO] = "no",
		[RESTART_ALWAYS] = "always",
		[RESTART_ON_FAILURE] = "on-failure",
		[RESTART_UNLESS_STOPPED] = "unless-stopped",
	};
	struct json *h = json_add_object(o, "HostConfig"), *policy, *binds;
	const char *mode = svc->network_mode    ? svc->network_mode
			   : c->endpoints.n > 0 ? c->endpoints.v[0].network
						: "none";

	binds = json_add_array(h, "Binds");
	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct state_mount *m = &c->mounts.v[i];
		auto_free char *text = xasprintf("%s:%s:%s", m->volume ? m->volume : m->source,
						 m->target, m->read_only ? "ro" : "rw");

		if (!str_eq(m->kind, "tmpfs"))
			json_add(binds, NULL, json_new_string(text));
	}
	json_add_str(h, "NetworkMode", mode);
	add_ports(h, "PortBindings", c);
	policy = json_add_object(h, "RestartPolicy");
	json_add_str(policy, "Name", policies[svc->restart]);
	json_add_int(policy, "MaximumRetryCount", svc->restart_max);
	add_list(h, "CapAdd", &svc->cap_add);
	add_list(h, "CapDrop", &svc->cap_drop);
	add_list(h, "Dns", &svc->dns);
	add_list(h, "GroupAdd", &svc->group_add);
	add_list(h, "SecurityOpt", &svc->security_opt);
	json_add_bool(h, "Privileged", svc->privileged);
	json_add_bool(h, "ReadonlyRootfs", svc->read_only);
	json_add_bool(h, "Init", svc->init);
	json_add_int(h, "ShmSize", (int64_t)(svc->shm_size ? svc->shm_size : SHM_SIZE_DEFAULT));
	json_add_int(h, "Memory", (int64_t)svc->mem_limit);
	json_add_int(h, "MemoryReservation", (int64_t)svc->mem_reservation);
	json_add_int(h, "MemorySwap", svc->memswap_limit);
	json_add_int(h, "NanoCpus", (int64_t)svc->nano_cpus);
	json_add_int(h, "CpuShares", (int64_t)svc->cpu_shares);
	json_add_int(h, "CpuQuota", (int64_t)svc->cpu_quota_us);
	json_add_int(h, "CpuPeriod", (int64_t)svc->cpu_period_us);
	json_add_str(h, "CpusetCpus", svc->cpuset ? svc->cpuset : "");
	json_add_int(h, "PidsLimit", svc->pids_limit ? svc->pids_limit : PIDS_LIMIT_DEFAULT);
	json_add_int(h, "OomScoreAdj", svc->oom_score_adj);
	json_add_str(h, "CgroupParent", svc->cgroup_parent ? svc->cgroup_parent : "");
	json_add_str(h, "PidMode", svc->pid ? svc->pid : "");
	json_add_str(h, "IpcMode", svc->ipc ? svc->ipc : "private");
	json_add_str(h, "UTSMode", svc->uts ? svc->uts : "");
	json_add_str(h, "UsernsMode", svc->userns_mode ? svc->userns_mode : "");
}

static void add_mounts(struct json *o, const struct state_container *c)
{
	struct json *all = json_add_array(o, "Mounts");

	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct state_mount *m = &c->mounts.v[i];
		struct json *j = json_add_object(all, NULL);

		json_add_str(j, "Type", m->kind);
		if (m->volume) {
			json_add_str(j, "Name", m->volume);
			json_add_str(j, "Driver", "local");
		}
		json_add_str(j, "Source", m->source ? m->source : "");
		json_add_str(j, "Destination", m->target);
		json_add_bool(j, "RW", !m->read_only);
	}
}

static const struct json *config_of_image(struct image_store *images,
					  const struct state_container *c, struct json **whole)
{
	if (!images || !c->image_id || image_inspect(images, c->image_id, whole, NULL) < 0)
		return NULL;
	return json_get(*whole, "Config");
}

/* The service's environment over the image's. */
static void add_env(struct json *o, const struct json *image, const struct service *svc)
{
	struct json *env = json_add_array(o, "Env");

	for (const struct json *e = json_first(json_get(image, "Env")); e; e = json_next(e)) {
		const char *text = json_string(e) ? json_string(e) : "";
		auto_free char *key = xstrndup(text, strcspn(text, "="));
		bool replaced = false;

		for (size_t i = 0; i < svc->environment.n; i++)
			replaced = replaced || (str_eq(svc->environment.v[i].key, key) &&
						svc->environment.v[i].value);
		if (!replaced)
			json_add(env, NULL, json_new_string(text));
	}
	for (size_t i = 0; i < svc->environment.n; i++) {
		const struct kv *kv = &svc->environment.v[i];
		auto_free char *text = kv->value ? xasprintf("%s=%s", kv->key, kv->value) : NULL;

		if (text)
			json_add(env, NULL, json_new_string(text));
	}
}

static void add_words(struct json *o, const char *key, const struct words *own, bool clears,
		      const struct json *image)
{
	const struct json *theirs = json_get(image, key);

	if (own->set)
		add_list(o, key, &own->list);
	else if (clears || !theirs)
		json_add_null(o, key);
	else
		json_add(o, key, json_copy(theirs));
}

static void add_config(struct json *o, const struct state_project *s,
		       const struct state_container *c, const struct service *svc,
		       const struct json *image)
{
	struct json *g = json_add_object(o, "Config");
	auto_free char *short_id = xstrndup(c->id, 12);

	json_add_str(g, "Hostname", svc->hostname ? svc->hostname : short_id);
	json_add_str(g, "Domainname", svc->domainname ? svc->domainname : "");
	json_add_str(g, "User", svc->user ? svc->user : json_str(image, "User", ""));
	json_add_bool(g, "Tty", svc->tty);
	json_add_bool(g, "OpenStdin", svc->stdin_open);
	add_env(g, image, svc);
	add_words(g, "Cmd", &svc->command, svc->entrypoint.set, image);
	add_words(g, "Entrypoint", &svc->entrypoint, false, image);
	json_add_str(g, "Image", c->image);
	json_add_str(g, "WorkingDir",
		     svc->working_dir ? svc->working_dir : json_str(image, "WorkingDir", ""));
	json_add_str(g, "StopSignal",
		     svc->stop_signal ? signal_name(svc->stop_signal)
				      : json_str(image, "StopSignal", "SIGTERM"));
	json_add(g, "Labels", container_labels(s, c));
}

static void add_networks(struct json *o, const struct state_paths *paths,
			 const struct state_project *s, const struct state_container *c)
{
	struct json *settings = json_add_object(o, "NetworkSettings"), *all;

	add_ports(settings, "Ports", c);
	all = json_add_object(settings, "Networks");
	for (size_t i = 0; i < c->endpoints.n; i++) {
		const struct state_endpoint *e = &c->endpoints.v[i];
		const struct state_network *n = state_network_named(s, e->network);
		struct json *j = json_add_object(all, e->network), *aliases;
		char id[65];

		network_id(paths, e->network, id);
		aliases = json_add_array(j, "Aliases");
		for (size_t k = 0; k < e->aliases.n; k++)
			json_add(aliases, NULL, json_new_string(e->aliases.v[k]));
		json_add_str(j, "NetworkID", id);
		json_add_str(j, "MacAddress", e->mac ? e->mac : "");
		json_add_str(j, "Gateway", n && n->gateway ? n->gateway : "");
		json_add_str(j, "IPAddress", e->ip ? e->ip : "");
		json_add_int(j, "IPPrefixLen", n ? prefix_of(n->subnet) : 0);
		json_add_str(j, "IPv6Gateway", n && n->gateway6 ? n->gateway6 : "");
		json_add_str(j, "GlobalIPv6Address", e->ip6 ? e->ip6 : "");
		json_add_int(j, "GlobalIPv6PrefixLen", n ? prefix_of(n->subnet6) : 0);
	}
}

struct json *inspect_container(const struct state_paths *paths, const struct state_project *s,
			       const struct state_container *c, struct image_store *images)
{
	auto_arena struct arena a = { 0 };
	auto_json struct json *whole = NULL;
	auto_free char *name = xasprintf("/%s", c->name);
	auto_free char *image_id = c->image_id ? xasprintf("sha256:%s", c->image_id) : xstrdup("");
	auto_free char *dir = NULL, *log = NULL, *path = NULL;
	struct service empty = { 0 }, *svc = NULL;
	struct json *o = json_object();

	if (!c->config_json ||
	    compose_service_from_json(&a, c->service, c->config_json, &svc, NULL) < 0)
		svc = &empty;
	container_log(paths, s->name, c, &dir, &log);
	path = xasprintf("%s/%s.log", dir, log);
	json_add_str(o, "Id", c->id);
	add_time(o, "Created", c->created_ns);
	add_state(o, c);
	json_add_str(o, "Image", image_id);
	json_add_str(o, "LogPath", path);
	json_add_str(o, "Name", name);
	json_add_int(o, "RestartCount", c->restarts);
	json_add_str(o, "Driver", "overlay2");
	json_add_str(o, "Platform", "linux");
	json_add_str(o, "MountLabel", c->mount_label ? c->mount_label : "");
	json_add_str(o, "ProcessLabel", c->process_label ? c->process_label : "");
	add_host_config(o, c, svc);
	add_mounts(o, c);
	add_config(o, s, c, svc, config_of_image(images, c, &whole));
	add_networks(o, paths, s, c);
	return o;
}

/* ---- Networks --------------------------------------------------------------------------------- */
static void add_ipam(struct json *o, const struct state_network *n)
{
	const char *const nets[][3] = { { n->subnet, n->gateway, n->ip_range },
					{ n->subnet6, n->gateway6, NULL } };
	struct json *ipam = json_add_object(o, "IPAM"), *list;

	json_add_str(ipam, "Driver", "default");
	list = json_add_array(ipam, "Config");
	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		struct json *j = nets[i][0] ? json_add_object(list, NULL) : NULL;

		if (!j)
			continue;
		json_add_str(j, "Subnet", nets[i][0]);
		if (nets[i][2])
			json_add_str(j, "IPRange", nets[i][2]);
		if (nets[i][1])
			json_add_str(j, "Gateway", nets[i][1]);
	}
}

static void add_address(struct json *o, const char *key, const char *ip, const char *subnet)
{
	auto_free char *text = ip ? xasprintf("%s/%lld", ip, (long long)prefix_of(subnet)) : NULL;

	json_add_str(o, key, text ? text : "");
}

static void add_members(struct json *all, const struct state_project *s,
			const struct state_network *n)
{
	for (size_t i = 0; i < s->containers.n; i++) {
		const struct state_container *c = s->containers.v[i];

		for (size_t k = 0; container_is_up(c) && k < c->endpoints.n; k++) {
			const struct state_endpoint *e = &c->endpoints.v[k];
			struct json *j =
				str_eq(e->network, n->name) ? json_add_object(all, c->id) : NULL;

			if (!j)
				continue;
			json_add_str(j, "Name", c->name);
			json_add_str(j, "MacAddress", e->mac ? e->mac : "");
			add_address(j, "IPv4Address", e->ip, n->subnet);
			add_address(j, "IPv6Address", e->ip6, n->subnet6);
		}
	}
}

static void add_options(struct json *o, const struct state_network *n)
{
	bool macvlan = str_eq(n->driver, "macvlan");

	if (n->bridge && !macvlan && !str_eq(n->driver, "ipvlan"))
		json_add_str(o, "com.docker.network.bridge.name", n->bridge);
	if (n->parent)
		json_add_str(o, "parent", n->parent);
	if (n->mode)
		json_add_str(o, macvlan ? "macvlan_mode" : "ipvlan_mode", n->mode);
}

struct json *inspect_network(const struct state_paths *paths, const struct network_entry *entry)
{
	const struct state_network *n = &entry->net;
	struct json *o = json_object(), *all, *labels;
	auto_strs struct strs list = { 0 };
	char id[65];

	network_id(paths, n->name, id);
	json_add_str(o, "Name", n->name);
	json_add_str(o, "Id", id);
	json_add_str(o, "Scope", "local");
	json_add_str(o, "Driver", n->driver ? n->driver : "bridge");
	json_add_bool(o, "EnableIPv6", n->subnet6 != NULL);
	add_ipam(o, n);
	json_add_bool(o, "Internal", n->internal);
	all = json_add_object(o, "Containers");
	for (size_t i = 0; i < entry->members.n; i++) {
		auto_state struct state_project *s = NULL;

		if (cmd_load_state(paths, entry->members.v[i], &s, NULL) == 0)
			add_members(all, s, n);
	}
	add_options(json_add_object(o, "Options"), n);
	labels = json_add_object(o, "Labels");
	network_entry_labels(entry, &list);
	for (size_t i = 0; i < list.n; i++) {
		char *value = strchr(list.v[i], '=');

		if (value)
			*value++ = '\0';
		json_add_str(labels, list.v[i], value ? value : "");
	}
	return o;
}

/* ---- Volumes ---------------------------------------------------------------------------------- */
struct json *inspect_volume(const struct volume_record *v)
{
	struct json *o = json_object(), *labels;

	json_add_str(o, "CreatedAt", v->created);
	json_add_str(o, "Driver", "local");
	labels = json_add_object(o, "Labels");
	for (size_t i = 0; i < v->label_keys.n; i++)
		json_add_str(labels, v->label_keys.v[i], v->label_values.v[i]);
	json_add_str(o, "Mountpoint", v->path);
	json_add_str(o, "Name", v->name);
	json_add_str(o, "Scope", "local");
	return o;
}
