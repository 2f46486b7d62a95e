/* cmd_doctor.c - ctrcompose doctor: what this kernel and host offer, what is missing, what that
 * costs. Changes nothing: what has to be tried is tried in namespaces of its own. */
#include "screen/screen.h"

#include <ctrcompose/box.h>
#include <ctrcompose/cdi.h>
#include <ctrcompose/cgroup.h>
#include <ctrcompose/json.h>
#include <ctrcompose/net.h>
#include <ctrcompose/netlink.h>
#include <ctrcompose/rootfs.h>
#include <ctrcompose/selinux.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	const char *format;
} arg;

static const struct opt opts[] = {
	{ 0, "format", OPT_STRING, &arg.format, "FORMAT", "pretty (default) or json" },
};

enum level { GOOD, LESS, MISSING };
static const char *const level_names[] = { "ok", "limited", "missing" };

/* What a look at the machine brought; costs is what the lack of it means for a person. */
struct finding {
	const char *name;
	enum level level;
	char *value;
	char *costs;
};
struct findings {
	struct finding *v;
	size_t n, cap;
};

static void add(struct findings *l, const char *name, enum level level, char *value, char *costs)
{
	*vec_push(l) = (struct finding){ name, level, value, level == GOOD ? NULL : costs };
	if (level == GOOD)
		free(costs);
}

/* ---- What a kernel has ------------------------------------------------------------------------ */
static void kernel(struct findings *l)
{
	struct utsname u;
	unsigned major = 0, minor = 0;
	bool enough;

	if (uname(&u) < 0 || sscanf(u.release, "%3u.%3u", &major, &minor) != 2)
		return;
	enough = major > 5 || (major == 5 && minor >= 12);
	add(l, "kernel", enough ? GOOD : MISSING, xasprintf("%s %s", u.sysname, u.release),
	    xstrdup("5.12 or later is needed: mount descriptors and idmapped mounts"));
}

static bool privilege(struct findings *l)
{
	bool root = geteuid() == 0 && box_caps_all() >> 21 & 1; /* CAP_SYS_ADMIN */

	add(l, "privilege", root ? GOOD : MISSING, xstrdup(root ? "root" : "not root"),
	    xstrdup("containers need root: use sudo; what can only be tried as root is left out"));
	return root;
}

static void file_systems(struct findings *l)
{
	auto_free char *text = NULL;
	bool overlay = file_read(AT_FDCWD, "/proc/filesystems", 65536, &text, NULL) == 0 &&
		       strstr(text, "\toverlay\n");

	add(l, "overlay", overlay ? GOOD : LESS, xstrdup(overlay ? "there" : "not loaded"),
	    xstrdup("images can't be put together unless the kernel loads it when asked: "
		    "modprobe overlay"));
}

static void seccomp(struct findings *l)
{
	bool there = access("/proc/sys/kernel/seccomp/actions_avail", R_OK) == 0;

	add(l, "system call filter", there ? GOOD : MISSING, xstrdup(there ? "seccomp" : "none"),
	    xstrdup("the kernel was built without CONFIG_SECCOMP_FILTER"));
}

/* Nothing is said where it is off: most hosts do without. */
static void labels(struct findings *l)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };
	auto_err struct err err = ERR_INIT;
	int r = selinux_defaults(&d, &err);

	if (r == -ENODEV)
		return;
	add(l, "SELinux", r == 0 ? GOOD : LESS,
	    r == 0 ? xasprintf("containers are %s", d.process) : xstrdup("enabled"),
	    xstrdup(r == 0 ? "" : err_text(&err)));
}

/* ---- User namespaces and the store ------------------------------------------------------------- */
static void store(struct findings *l, const struct state_paths *paths)
{
	auto_err struct err err = ERR_INIT;
	auto_free char *where = xstrdup(paths->state);
	auto_close int map = rootfs_userns(100000, 65536, &err);
	struct statvfs vfs;
	bool maps, quotas;

	while (access(where, F_OK) < 0 && strrchr(where, '/') > where)
		*strrchr(where, '/') = '\0'; /* it is made on first use */
	add(l, "user namespaces", map >= 0 ? GOOD : LESS,
	    xstrdup(map >= 0 ? "there" : err_text(&err)),
	    xstrdup("root in a container is root of the host: only its capabilities bound it"));
	maps = map >= 0 && rootfs_idmap_supported(where, map);
	add(l, "idmapped mounts", maps ? GOOD : LESS,
	    xasprintf("%s in %s", maps ? "there" : "not", where),
	    xstrdup("containers run without a user namespace; put the state folder "
		    "(CTRCOMPOSE_STATE) on ext4, xfs, btrfs or tmpfs"));
	quotas = rootfs_quota_there(where);
	add(l, "project quotas", quotas ? GOOD : LESS,
	    xasprintf("%s in %s", quotas ? "there" : "not", where),
	    xstrdup("storage_opt is refused; ext4 (tune2fs -O project,quota) and xfs have them when "
		    "mounted with the option prjquota"));
	if (statvfs(where, &vfs) == 0) {
		uint64_t free_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
		uint64_t total = (uint64_t)vfs.f_blocks * vfs.f_frsize;

		add(l, "room for state", free_bytes > total / 20 ? GOOD : LESS,
		    xasprintf("%.1f GiB free in %s", (double)free_bytes / (1 << 30), where),
		    xstrdup("less than a twentieth is free: `image rm`, `volume prune`"));
	}
}

/* ---- Control groups --------------------------------------------------------------------------- */
static void control_groups(struct findings *l)
{
	static const struct {
		enum cgroup_controller c;
		const char *name, *costs;
	} wanted[] = {
		{ CGROUP_MEMORY, "memory limits", "mem_limit is refused, and OOM is not noticed" },
		{ CGROUP_CPU, "cpu limits", "cpus and cpu_shares are refused" },
		{ CGROUP_PIDS, "process limits", "a fork bomb in a container reaches the host" },
		{ CGROUP_CPUSET, "cpu sets", "cpuset is refused" },
	};
	auto_cgroup_system struct cgroup_system *sys = NULL;
	auto_err struct err err = ERR_INIT;

	if (cgroup_system_open(&sys, &err) < 0) {
		add(l, "control groups", MISSING, xstrdup(err_text(&err)),
		    xstrdup("nothing can be limited, stopped as a whole or counted"));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		bool has = cgroup_has(sys, wanted[i].c);

		add(l, wanted[i].name, has ? GOOD : LESS,
		    xasprintf("%s controller: %s", cgroup_controller_name(wanted[i].c, true),
			      has ? "there" : "not there"),
		    xstrdup(wanted[i].costs));
	}
}

/* ---- Devices by name --------------------------------------------------------------------------- */
static void named_devices(struct findings *l)
{
	auto_cdi struct cdi *c = cdi_load();
	auto_strs struct strs names = { 0 }, problems = { 0 };
	auto_sbuf struct sbuf list = SBUF_INIT;

	cdi_devices(c, &names);
	cdi_problems(c, &problems);
	for (size_t i = 0; i < names.n; i++)
		sbuf_addf(&list, "%s%s", i ? ", " : "", names.v[i]);
	if (names.n == 0)
		sbuf_addf(&list, "none in %s", cdi_folders(c));
	add(l, "CDI devices", GOOD, sbuf_take(&list), NULL);
	for (size_t i = 0; i < problems.n; i++)
		add(l, "CDI devices", LESS, xstrdup(problems.v[i]),
		    xstrdup("who asks for devices of its kind is refused"));
}

/* ---- Networks --------------------------------------------------------------------------------- */
/* In a child with a network of its own: a bridge and a veth on it. */
static int try_links(void)
{
	auto_nl struct nl_conn *nl = NULL;
	struct net_network net = { .bridge = "ctr-doctor", .group = 1 };

	if (unshare(CLONE_NEWNET) < 0 || nl_conn_open(&nl, NULL) < 0)
		return 1;
	(void)net_prefix_parse("192.0.2.0/24", &net.subnet);
	return net_network_up(nl, &net, NULL) < 0 ? 1 : 0;
}

static void links(struct findings *l)
{
	int status = -1;
	pid_t pid = fork();
	bool good;

	if (pid == 0)
		_exit(try_links());
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	good = pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	add(l, "bridges", good ? GOOD : LESS, xstrdup(good ? "there" : "can't be made"),
	    xstrdup("services can only use network_mode host or none: modprobe bridge veth"));
}

static void pins(struct findings *l)
{
	auto_err struct err err = ERR_INIT;
	bool good = net_pins_try(&err) == 0;

	add(l, "spoofing", good ? GOOD : LESS,
	    xstrdup(good ? "services can't pretend to be others" : err_text(&err)),
	    xstrdup("services with NET_RAW can pretend to be others of their networks: a kernel with "
		    "cls_bpf and sch_ingress"));
}

static void firewall(struct findings *l)
{
	char *what = fw_describe();

	add(l, "firewall", what ? GOOD : LESS, what ? what : xstrdup("none"),
	    xstrdup("no published ports but through a proxy, no way out for containers: install "
		    "iptables"));
}

struct clash {
	struct findings *l;
	const char *project; /* NULL: nobody's */
	const struct state_network *n;
	struct net_prefix mine;
	struct net_prefix6 mine6; /* len 0: none */
	int bridge;
};

static void add_clash(const struct clash *c, const char *ours, const char *route)
{
	add(c->l, "addresses", LESS,
	    xasprintf("network %s has %s, and the host a route to %s", c->n->name, ours, route),
	    c->project ? xasprintf("one of the two can't be reached: `ctrcompose -p %s down`, then "
				   "`up` chooses other addresses",
				   c->project)
		       : xasprintf("one of the two can't be reached: take the projects that use it "
				   "down, then `ctrcompose network rm %s` and `network create`",
				   c->n->name));
}

static int look_at_route6(const struct nl_route *route, void *data)
{
	const struct clash *c = data;
	struct net_prefix6 p = { .len = route->prefix };
	char text[NET_PREFIX6_LEN];

	memcpy(p.addr, route->dst, sizeof(p.addr));
	if (p.len > 0 && route->oif != c->bridge && net_prefix6_overlap(&c->mine6, &p))
		add_clash(c, c->n->subnet6, net_prefix6_format(&p, text));
	return 0;
}

static int look_at_route(const struct nl_route *route, void *data)
{
	struct clash *c = data;
	struct net_prefix p = { .len = route->prefix };
	char text[NET_PREFIX_LEN];

	memcpy(&p.addr, route->dst, sizeof(p.addr));
	p.addr = ntohl(p.addr);
	if (p.len > 0 && route->oif != c->bridge && net_prefix_overlap(c->mine, p))
		add_clash(c, c->n->subnet, net_prefix_format(p, text));
	return 0;
}

struct search {
	struct findings *l;
	struct nl_conn *nl;
};

static void clashes_of(const char *project, const struct state_network *n, void *data)
{
	const struct search *s = data;
	struct clash c = { .l = s->l, .project = project, .n = n };
	struct nl_link bridge = { 0 };

	if (!n->subnet || !n->bridge || net_prefix_parse(n->subnet, &c.mine) < 0 ||
	    nl_link_get(s->nl, n->bridge, &bridge, NULL) < 0)
		return;
	c.bridge = bridge.index;
	(void)nl_each_route(s->nl, AF_INET, look_at_route, &c, NULL);
	if (n->subnet6 && net_prefix6_parse(n->subnet6, &c.mine6) == 0)
		(void)nl_each_route(s->nl, AF_INET6, look_at_route6, &c, NULL);
}

static void clashes(struct findings *l, const struct state_paths *paths)
{
	auto_nl struct nl_conn *nl = NULL;

	if (nl_conn_open(&nl, NULL) == 0)
		state_networks_each(paths, NULL, clashes_of, &(struct search){ l, nl });
}

/* ---- What is said ------------------------------------------------------------------------------ */
static void pretty(const struct findings *l, struct sbuf *out)
{
	static const enum color colors[] = {
		[GOOD] = COLOR_GREEN, [LESS] = COLOR_YELLOW, [MISSING] = COLOR_RED
	};

	for (size_t i = 0; i < l->n; i++) {
		const struct finding *f = &l->v[i];

		sbuf_addf(out, "%s%-8s%s %-20s %s\n", color(STDOUT_FILENO, colors[f->level]),
			  level_names[f->level], color(STDOUT_FILENO, COLOR_RESET), f->name,
			  f->value);
		if (f->costs)
			sbuf_addf(out, "%30s%s\n", "", f->costs);
	}
}

static void as_json(const struct findings *l, struct sbuf *out)
{
	auto_json struct json *rows = json_array();
	auto_free char *text = NULL;

	for (size_t i = 0; i < l->n; i++) {
		struct json *row = json_add_object(rows, NULL);

		json_add_str(row, "Name", l->v[i].name);
		json_add_str(row, "Status", level_names[l->v[i].level]);
		json_add_str(row, "Value", l->v[i].value);
		json_add_str(row, "Costs", l->v[i].costs ? l->v[i].costs : "");
	}
	text = json_print(rows);
	sbuf_addf(out, "%s\n", text);
}

static int run(int argc, char **argv, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct findings l = { 0 };
	bool missing = false, root;
	int r = state_paths_open(&paths, err);

	(void)argc;
	(void)argv;
	if (arg.format && !str_eq(arg.format, "pretty") && !str_eq(arg.format, "json"))
		return usage_error(err, "--format: '%s' is neither pretty nor json", arg.format);
	if (r < 0)
		return r;
	kernel(&l);
	root = privilege(&l);
	file_systems(&l);
	seccomp(&l);
	labels(&l);
	control_groups(&l);
	named_devices(&l);
	if (root) {
		store(&l, &paths);
		links(&l);
		pins(&l);
		firewall(&l);
		clashes(&l, &paths);
	}
	if (str_eq(arg.format, "json"))
		as_json(&l, &out);
	else
		pretty(&l, &out);
	for (size_t i = 0; i < l.n; i++) {
		missing |= l.v[i].level == MISSING;
		free(l.v[i].value);
		free(l.v[i].costs);
	}
	free(l.v);
	r = cmd_print(&out, err);
	return r < 0 ? r : missing ? EXIT_FAILED : 0;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "Show what this kernel and host offer, and what is missing",
	CMD_OPTS(opts),
	.run = run,
};
