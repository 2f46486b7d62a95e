/* CDI: what spec files are read as, whose device it is, what requests mean, what edits add up to. */
#include <ctrcompose/cdi.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

/* ---- Names ---- */
static const struct {
	const char *name;
	bool ok;
} names[] = {
	{ "vendor.com/class=name", true },
	{ "nvidia.com/gpu=0", true },
	{ "nvidia.com/gpu=0:1", true },
	{ "nvidia.com/gpu=GPU-1f2e-3d", true },
	{ "v/c=n", true },
	{ "v-e_n.d0/c-l_a.s0=n.a-m_e", true },
	{ "", false },
	{ "=", false },
	{ "vendor.com/class", false },
	{ "vendor.com=name", false },
	{ "/class=name", false },
	{ "vendor.com/=name", false },
	{ "vendor.com/class=", false },
	{ "vendor.com/a/b=name", false },
	{ "1vendor.com/class=name", false },
	{ "vendor.com/1class=name", false },
	{ "vendor.com/class-=name", false },
	{ "vendor.com./class=name", false },
	{ "vendor.com/class=-name", false },
	{ "vendor.com/class=name:", false },
	{ "vendor.com/class=na=me", false },
	{ "vendor.com/class=na me", false },
	{ "/dev/a=b", false },
	{ "v\xc3\xa4/class=name", false },
	{ "vendor.com/a123456789012345678901234567890123456789012345678901234567890123=n", false },
};

START_TEST(names_are_told_from_paths)
{
	ck_assert_msg(cdi_qualified(names[_i].name) == names[_i].ok, "%s", names[_i].name);
}
END_TEST

/* ---- What one device of one spec asks for ---- */
static const char *const hook_names[] = { "prestart",       "createRuntime", "createContainer",
					  "startContainer", "poststart",     "poststop" };

static void show(struct sbuf *out, const struct cdi_edits *e)
{
	for (size_t i = 0; i < e->env.n; i++)
		sbuf_addf(out, "env %s\n", e->env.v[i]);
	for (size_t i = 0; i < e->nodes.n; i++) {
		const struct cdi_node *n = e->nodes.v[i];

		sbuf_addf(out, "node %s %s %c %u:%u '%s' %lld %lld %lld\n", n->path, n->host,
			  n->type ? n->type : '-', n->major, n->minor, n->access,
			  (long long)n->mode, (long long)n->uid, (long long)n->gid);
	}
	for (size_t i = 0; i < e->mounts.n; i++) {
		const struct cdi_mount *m = e->mounts.v[i];

		sbuf_addf(out, "mount %s %s%s", m->host, m->target, m->tmpfs ? " tmpfs" : "");
		for (size_t k = 0; k < m->n_options; k++)
			sbuf_addf(out, " %s", m->options[k]);
		sbuf_addc(out, '\n');
	}
	for (size_t i = 0; i < e->hooks.n; i++) {
		const struct cdi_hook *h = e->hooks.v[i];

		sbuf_addf(out, "hook %s %s", hook_names[h->kind], h->path);
		for (size_t k = 0; h->args[k]; k++)
			sbuf_addf(out, " %s", h->args[k]);
		for (size_t k = 0; h->env[k]; k++)
			sbuf_addf(out, " [%s]", h->env[k]);
		sbuf_addf(out, " %u at %s\n", h->timeout_s, h->at);
	}
	for (size_t i = 0; i < e->gids.n; i++)
		sbuf_addf(out, "gid %u\n", e->gids.v[i]);
}

static char *asked(const struct cdi *c, const char *list)
{
	auto_strs struct strs l = { 0 };
	auto_cdi_edits struct cdi_edits e = { 0 };
	auto_err struct err err = ERR_INIT;
	struct sbuf out = SBUF_INIT;
	auto_free char *copy = xstrdup(list);
	char *save = NULL;

	for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save))
		strs_add(&l, name);
	if (cdi_resolve(c, &l, &e, &err) < 0)
		return xasprintf("! %s", err_text(&err));
	show(&out, &e);
	return sbuf_take(&out);
}

#define HEAD(version)       "cdiVersion: " version "\nkind: v.com/x\n"
#define ONE(version, edits) HEAD(version) "devices: [{ name: a, containerEdits: " edits " }]\n"

static const struct {
	const char *text, *want;
} specs[] = {
	{ ONE("0.7.0", "{ env: [A=1, B=], additionalGids: [5, 0, 5] }"),
	  "env A=1\nenv B=\ngid 5\n" },
	{ "{\n\t\"cdiVersion\": \"0.3.0\", \"kind\": \"v.com/x\",\n\t\"devices\": [{\"name\": \"a\", "
	  "\"containerEdits\": {\"env\": [\"A=1\"]}}]\n}\n",
	  "env A=1\n" },
	{ ONE("0.5.0",
	      "{ deviceNodes: [{ path: /dev/a }, { path: /dev//b/, hostPath: /dev/c, type: u, "
	      "major: 4095, minor: 1048575, fileMode: 8612, permissions: r, uid: 1, gid: 2 }, "
	      "{ path: /x, type: p, permissions: none }] }"),
	  "node /dev/a /dev/a - 0:0 'rwm' -1 -1 -1\n"
	  "node /dev/b /dev/c c 4095:1048575 'r' 420 1 2\nnode /x /x p 0:0 '' -1 -1 -1\n" },
	{ ONE("0.4.0",
	      "{ mounts: [{ hostPath: /l, containerPath: /m, options: [ro, rbind], type: none }, "
	      "{ hostPath: x, containerPath: /t, type: tmpfs, options: [size=1m] }] }"),
	  "mount /l /m ro rbind\nmount x /t tmpfs size=1m\n" },
	{ ONE("0.3.0", "{ hooks: [{ hookName: createContainer, path: /h, args: [h, x], env: [E=1], "
		       "timeout: 3 }, { hookName: prestart, path: /p }] }"),
	  "hook createContainer /h h x [E=1] 3 at f:3:48\nhook prestart /p /p 0 at f:3:127\n" },
	{ HEAD("v1.1.0") "annotations: { a: b }\ncontainerEdits: { env: [S=1] }\ndevices:\n"
			 "- { name: a, annotations: { c: d }, containerEdits: { env: [A=1], netDevices: [] } }\n",
	  "env S=1\nenv A=1\n" },
	/* null is nothing */
	{ HEAD("0.3.0") "containerEdits:\ndevices: [{ name: a, containerEdits: { env: } }]\n", "" },
	/* what is not carried out only matters to who asks for it */
	{ ONE("0.7.0", "{ intelRdt: { closID: x } }"),
	  "! CDI device v.com/x=a: f:3:50: intelRdt is not carried out" },
	{ ONE("1.1.0", "{ netDevices: [{ hostInterfaceName: a, name: b }] }"),
	  "! CDI device v.com/x=a: f:3:52: netDevices is not carried out" },
	{ ONE("0.3.0", "{ hooks: [{ hookName: poststop, path: /h }] }"),
	  "! CDI device v.com/x=a: f:3:48: poststop hooks are not run: only prestart, createRuntime and "
	  "createContainer are" },
	/* versions have what they have */
	{ ONE("0.4.0", "{ deviceNodes: [{ path: /dev/a, hostPath: /dev/b }] }"),
	  "! CDI device v.com/x=a: f:3:80: hostPath needs cdiVersion 0.5.0 or later" },
	{ ONE("0.6.0", "{ additionalGids: [1] }"),
	  "! CDI device v.com/x=a: f:3:56: additionalGids needs cdiVersion 0.7.0 or later" },
	{ ONE("0.3.0", "{ mounts: [{ hostPath: /a, containerPath: /b, type: bind }] }"),
	  "! CDI device v.com/x=a: f:3:90: type needs cdiVersion 0.4.0 or later" },
	{ HEAD("0.4.0") "devices: [{ name: 0, containerEdits: { env: [A=1] } }]\n",
	  "! CDI device v.com/x=a: f:3:19: a string is wanted here, not an integer" },
	{ HEAD("0.4.0") "devices: [{ name: '0', containerEdits: { env: [A=1] } }]\n",
	  "! CDI device v.com/x=a: f:3:19: a name that begins with a digit needs cdiVersion 0.5.0 or "
	  "later" },
	{ ONE("0.9.0", "{ env: [A=1] }"),
	  "! CDI device v.com/x=a: f:1:13: cdiVersion '0.9.0' is not known: 0.1.0 to 0.8.0, 1.0.0 and "
	  "1.1.0 are" },
	{ ONE("0.5", "{ env: [A=1] }"),
	  "! CDI device v.com/x=a: f:1:13: a string is wanted here, not a number" },
	/* the rest */
	{ ONE("0.5.0", "{ evn: [A=1] }"),
	  "! CDI device v.com/x=a: f:3:45: containerEdits has no field 'evn'" },
	{ ONE("0.5.0", "{ env: [A] }"),
	  "! CDI device v.com/x=a: f:3:46: 'A' is not of the form NAME=VALUE" },
	{ ONE("0.5.0", "{ env: A=1 }"),
	  "! CDI device v.com/x=a: f:3:45: a list is wanted here, not a string" },
	{ ONE("0.5.0", "{}"), "! CDI device v.com/x=a: f:3:38: a device that changes nothing" },
	{ ONE("0.5.0", "{ deviceNodes: [{ hostPath: /dev/a }] }"),
	  "! CDI device v.com/x=a: f:3:54: a device node needs the field 'path'" },
	{ ONE("0.5.0", "{ deviceNodes: [{ path: dev/a }] }"),
	  "! CDI device v.com/x=a: f:3:62: 'dev/a' is not an absolute path" },
	{ ONE("0.5.0", "{ deviceNodes: [{ path: /a/.. }] }"),
	  "! CDI device v.com/x=a: f:3:62: nothing can be put over the root" },
	{ ONE("0.5.0", "{ deviceNodes: [{ path: /a, type: x }] }"),
	  "! CDI device v.com/x=a: f:3:72: 'x' is not a type of a node: b, c, u or p" },
	{ ONE("0.5.0", "{ deviceNodes: [{ path: /a, major: -1 }] }"),
	  "! CDI device v.com/x=a: f:3:73: -1 is not between 0 and 4095" },
	{ ONE("0.5.0", "{ deviceNodes: [{ path: /a, uid: 4294967295 }] }"),
	  "! CDI device v.com/x=a: f:3:71: 4294967295 is not between 0 and 4294967294" },
	{ ONE("0.5.0", "{ deviceNodes: [{ path: /a, permissions: rx }] }"),
	  "! CDI device v.com/x=a: f:3:79: 'rx' is not permissions: letters out of rwm, or none" },
	{ ONE("0.5.0", "{ mounts: [{ hostPath: /a, containerPath: /b, options: [shared] }] }"),
	  "! CDI device v.com/x=a: f:3:49: the option 'shared' is none of a bind that reaches no further "
	  "than the container" },
	{ ONE("0.5.0", "{ mounts: [{ hostPath: /a, containerPath: /b, type: proc }] }"),
	  "! CDI device v.com/x=a: f:3:49: mounts of the type 'proc' are not made: bind, none and tmpfs "
	  "are" },
	{ ONE("0.5.0", "{ hooks: [{ hookName: poststart, path: h }] }"),
	  "! CDI device v.com/x=a: f:3:77: 'h' is not an absolute path" },
	{ ONE("0.5.0", "{ hooks: [{ hookName: onstart, path: /h }] }"),
	  "! CDI device v.com/x=a: f:3:60: 'onstart' is not the name of a hook" },
	{ ONE("0.5.0", "{ hooks: [{ hookName: prestart, path: /h, timeout: 0 }] }"),
	  "! CDI device v.com/x=a: f:3:89: a timeout is a number of seconds above 0" },
	{ HEAD("0.5.0") "devices: []\n",
	  "! CDI device v.com/x=a: f:3:10: a spec has at least one device" },
	{ HEAD("0.5.0"), "! CDI device v.com/x=a: f:1:1: a CDI spec needs the field 'devices'" },
	{ HEAD("0.5.0") "devices:\n- { name: a, containerEdits: { env: [A=1] } }\n"
			"- { name: a, containerEdits: { env: [A=1] } }\n",
	  "! CDI device v.com/x=a: f:5:3: the device 'a' is there twice" },
	{ HEAD("0.5.0") "devices: [{ name: a, containerEdits: { env: [A=1] } }]\nmore: 1\n",
	  "! CDI device v.com/x=a: f:4:7: a CDI spec has no field 'more'" },
	{ "kind: v.com/x\ndevices: []\n",
	  "! CDI device v.com/x=a: f:1:1: a CDI spec needs the field 'cdiVersion'" },
	/* too broken to say of what kind it is */
	{ "kind: x\n",
	  "! there is no CDI device v.com/x=a, nor any other in /etc/cdi:/var/run/cdi; f:1:7: "
	  "'x' is not a kind like vendor.com/class" },
	{ "- 1\n",
	  "! there is no CDI device v.com/x=a, nor any other in /etc/cdi:/var/run/cdi; f: not one "
	  "CDI spec" },
	{ "",
	  "! there is no CDI device v.com/x=a, nor any other in /etc/cdi:/var/run/cdi; f: not one CDI "
	  "spec" },
};

START_TEST(specs_are_read)
{
	auto_cdi struct cdi *c = cdi_new();
	auto_free char *got = NULL;

	cdi_add(c, 0, "f", specs[_i].text, strlen(specs[_i].text));
	got = asked(c, "v.com/x=a");
	ck_assert_str_eq(got, specs[_i].want);
}
END_TEST

START_TEST(sizes_are_bounded)
{
	auto_cdi struct cdi *c = cdi_new();
	auto_sbuf struct sbuf text = SBUF_INIT, longer = SBUF_INIT;
	auto_free char *many = NULL, *large = NULL;

	sbuf_adds(&text, HEAD("0.5.0") "devices: [{ name: a, containerEdits: { env: [A=1");
	for (int i = 0; i < CDI_ITEMS_MAX; i++)
		sbuf_adds(&text, ", B=2");
	sbuf_adds(&text, "] } }]\n");
	cdi_add(c, 0, "many", text.s, text.len);
	many = asked(c, "v.com/x=a");
	ck_assert_msg(strstr(many, "more than 1024 entries"), "%s", many);
	sbuf_adds(&longer, "cdiVersion: 0.5.0\nkind: w.com/x\n"
			   "devices: [{ name: a, containerEdits: { env: [A=");
	for (int i = 0; i < CDI_TEXT_MAX; i++)
		sbuf_addc(&longer, 'x');
	sbuf_adds(&longer, "] } }]\n");
	cdi_add(c, 0, "long", longer.s, longer.len);
	large = asked(c, "w.com/x=a");
	ck_assert_msg(strstr(large, "longer than 4096 bytes"), "%s", large);
}
END_TEST

/* ---- Several ---- */
static void add(struct cdi *c, unsigned folder, const char *file, const char *kind,
		const char *devices)
{
	auto_free char *text =
		xasprintf("cdiVersion: 0.7.0\nkind: %s\n"
			  "containerEdits: { env: [SPEC=%s, WHO=spec] }\ndevices: [%s]\n",
			  kind, file, devices);

	cdi_add(c, folder, file, text, strlen(text));
}

static const struct {
	const char *names, *want;
} several[] = {
	/* a spec's own edits once, and before its devices; the later word wins in place */
	{ "v.com/x=a v.com/x=b v.com/x=a",
	  "env SPEC=low\nenv WHO=b\nnode /dev/n /dev/b - 0:0 'rwm' -1 -1 -1\n"
	  "mount /b /m\ngid 7\n" },
	{ "v.com/x=b v.com/x=a",
	  "env SPEC=low\nenv WHO=a\nnode /dev/n /dev/a - 0:0 'rwm' -1 -1 -1\n"
	  "mount /a /m\ngid 7\n" },
	/* a later folder wins */
	{ "v.com/x=c", "env SPEC=high\nenv WHO=spec\nenv C=high\n" },
	{ "v.com/x=d", "! CDI device v.com/x=d: both one and two have it" },
	{ "v.com/x=z",
	  "! there is no CDI device v.com/x=z: there are v.com/x=a, v.com/x=b, v.com/x=c" },
	{ "w.com/x=a", "! there is no CDI device w.com/x=a, only v.com/x=a, v.com/x=b, v.com/x=c" },
	{ "nvidia.com/gpu=0",
	  "! there is no CDI device nvidia.com/gpu=0, only v.com/x=a, v.com/x=b, v.com/x=c; a spec is "
	  "made by `nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`" },
	{ "nonsense", "! 'nonsense' is not the name of a CDI device like vendor.com/class=name" },
	{ "broken.com/x=a",
	  "! CDI device broken.com/x=a: bad:4:10: a spec has at least one device" },
};

static struct cdi *some(void)
{
	struct cdi *c = cdi_new();

	add(c, 0, "low", "v.com/x",
	    "{ name: a, containerEdits: { env: [WHO=a], additionalGids: [7], deviceNodes: [{ path: "
	    "/dev/n, hostPath: /dev/a }], mounts: [{ hostPath: /a, containerPath: /m }] } }, "
	    "{ name: b, containerEdits: { env: [WHO=b], additionalGids: [7], deviceNodes: [{ path: "
	    "/dev/n, hostPath: /dev/b }], mounts: [{ hostPath: /b, containerPath: /m }] } }, "
	    "{ name: c, containerEdits: { env: [C=low] } }");
	add(c, 0, "low2", "v.com/x", "{ name: c, containerEdits: { env: [C=rival] } }");
	add(c, 1, "high", "v.com/x", "{ name: c, containerEdits: { env: [C=high] } }");
	add(c, 1, "one", "v.com/x", "{ name: d, containerEdits: { env: [D=1] } }");
	add(c, 1, "two", "v.com/x", "{ name: d, containerEdits: { env: [D=2] } }");
	add(c, 0, "bad", "broken.com/x", "");
	return c;
}

START_TEST(specs_add_up)
{
	auto_cdi struct cdi *c = some();
	auto_free char *got = asked(c, several[_i].names);

	ck_assert_str_eq(got, several[_i].want);
}
END_TEST

START_TEST(a_person_is_told_of_all)
{
	auto_cdi struct cdi *c = some();
	auto_strs struct strs devices = { 0 }, problems = { 0 };

	cdi_devices(c, &devices);
	cdi_problems(c, &problems);
	ck_assert_uint_eq(devices.n, 3);
	ck_assert_str_eq(devices.v[2], "v.com/x=c");
	ck_assert_uint_eq(problems.n, 2);
	ck_assert_str_eq(problems.v[0], "bad:4:10: a spec has at least one device");
	ck_assert_str_eq(problems.v[1], "CDI device v.com/x=d: both one and two have it");
}
END_TEST

START_TEST(groups_are_bounded)
{
	auto_cdi struct cdi *c = cdi_new();
	auto_sbuf struct sbuf list = SBUF_INIT;
	auto_free char *got = NULL;

	for (int i = 0; i <= CDI_GIDS_MAX; i++)
		sbuf_addf(&list, "%s%d", i ? ", " : "", i + 1);
	{
		auto_free char *device = xasprintf(
			"{ name: a, containerEdits: { additionalGids: [%s] } }", sbuf_str(&list));

		add(c, 0, "f", "v.com/x", device);
	}
	got = asked(c, "v.com/x=a");
	ck_assert_str_eq(got, "! CDI device v.com/x=a: more than 32 additional groups");
}
END_TEST

/* ---- Requests ---- */
static const struct {
	const char *driver;
	int64_t count;
	const char *ids[3], *caps[4];
	const char *kinds; /* that have specs */
	const char *want;  /* the names, or "! why not" */
} requests[] = {
	{ NULL, -1, { NULL }, { "gpu" }, "nvidia amd", "nvidia.com/gpu=all" },
	{ "", 2, { NULL }, { "gpu" }, "nvidia", "nvidia.com/gpu=0 nvidia.com/gpu=1" },
	{ NULL, 1, { NULL }, { "gpu" }, "amd", "amd.com/gpu=0" },
	{ NULL, 1, { NULL }, { "gpu" }, "", "nvidia.com/gpu=0" },
	{ NULL, 0, { NULL }, { "gpu" }, "nvidia", "" },
	{ "nvidia", -1, { NULL }, { "gpu" }, "amd", "nvidia.com/gpu=all" },
	{ "nvidia.cdi", -1, { NULL }, { "gpu" }, "amd", "nvidia.com/gpu=all" },
	{ "amd", -1, { NULL }, { "gpu" }, "nvidia", "amd.com/gpu=all" },
	{ NULL, -1, { NULL }, { "gpu", "amd" }, "nvidia amd", "amd.com/gpu=all" },
	{ NULL, -1, { NULL }, { "compute", "gpu", "utility" }, "amd", "nvidia.com/gpu=all" },
	{ NULL, -1, { "1", "GPU-x" }, { "gpu" }, "amd", "amd.com/gpu=1 amd.com/gpu=GPU-x" },
	{ NULL, -1, { "v.com/x=1" }, { "gpu" }, "", "v.com/x=1" },
	{ "cdi", -1, { "v.com/x=1", "w.com/y=2" }, { "any" }, "", "v.com/x=1 w.com/y=2" },
	{ "cdi", -1, { NULL }, { "gpu" }, "", "! the driver cdi wants device_ids" },
	{ "cdi", -1, { "1" }, { "gpu" }, "", "! the device_ids of the driver cdi" },
	{ "acme", -1, { NULL }, { "gpu" }, "", "! the drivers are nvidia, amd and cdi" },
	{ NULL, -2, { NULL }, { "gpu" }, "", "! the count is a number" },
	{ NULL, 5000, { NULL }, { "gpu" }, "", "! the count is a number" },
	{ NULL, -1, { NULL }, { NULL }, "", "! devices are looked for by the capability gpu" },
	{ NULL, -1, { NULL }, { "compute" }, "", "! devices are looked for by the capability gpu" },
	{ NULL, -1, { NULL }, { "gpu", "tpu" }, "", "! of the capabilities there are gpu" },
	{ NULL, -1, { NULL }, { "gpu", "amd", "nvidia" }, "", "! capabilities of two vendors" },
	{ "amd", -1, { NULL }, { "gpu", "compute" }, "", "! capabilities of two vendors" },
};

START_TEST(requests_become_names)
{
	struct cdi_request r = { .driver = requests[_i].driver,
				 .count = requests[_i].count,
				 .ids = requests[_i].ids,
				 .capabilities = requests[_i].caps };
	auto_cdi struct cdi *c = cdi_new();
	auto_strs struct strs got = { 0 };
	auto_sbuf struct sbuf text = SBUF_INIT;
	const char *why, *want = requests[_i].want;

	while (requests[_i].ids[r.n_ids])
		r.n_ids++;
	while (requests[_i].caps[r.n_capabilities])
		r.n_capabilities++;
	why = cdi_request_problem(&r);
	if (*want == '!') {
		ck_assert_ptr_nonnull(why);
		ck_assert_msg(str_starts(why, want + 2), "%s", why);
		return;
	}
	ck_assert_msg(!why, "%s", why);
	if (strstr(requests[_i].kinds, "nvidia"))
		add(c, 0, "n", "nvidia.com/gpu", "{ name: a, containerEdits: { env: [A=1] } }");
	if (strstr(requests[_i].kinds, "amd"))
		add(c, 0, "a", "amd.com/gpu", "{ name: a, containerEdits: { env: [A=1] } }");
	cdi_names(c, &r, &got);
	for (size_t i = 0; i < got.n; i++)
		sbuf_addf(&text, "%s%s", i ? " " : "", got.v[i]);
	ck_assert_str_eq(sbuf_str(&text), want);
}
END_TEST

/* ---- Options of mounts ---- */
static const struct {
	const char *options[6];
	unsigned attrs;
	bool recursive, slave;
} options[] = {
	{ { NULL }, 0, true, false },
	{ { "ro", "nosuid", "nodev", "rbind", "rprivate" },
	  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	  true,
	  false },
	{ { "bind", "ro", "rw", "noexec" }, MOUNT_ATTR_NOEXEC, false, false },
	{ { "noatime", "relatime", "rslave" }, MOUNT_ATTR_RELATIME, true, true },
};

START_TEST(options_are_flags)
{
	struct cdi_mount m = { .options = options[_i].options };
	struct cdi_flags f;
	const char *bad = NULL;

	while (options[_i].options[m.n_options])
		m.n_options++;
	ck_assert_int_eq(cdi_mount_flags(&m, &f, &bad), 0);
	ck_assert_uint_eq(f.attrs, options[_i].attrs);
	ck_assert(f.recursive == options[_i].recursive && f.slave == options[_i].slave);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cdi");
	TCase *c = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(c, names_are_told_from_paths, 0, ARRAY_LEN(names));
	tcase_add_loop_test(c, specs_are_read, 0, ARRAY_LEN(specs));
	tcase_add_test(c, sizes_are_bounded);
	tcase_add_loop_test(c, specs_add_up, 0, ARRAY_LEN(several));
	tcase_add_test(c, a_person_is_told_of_all);
	tcase_add_test(c, groups_are_bounded);
	tcase_add_loop_test(c, requests_become_names, 0, ARRAY_LEN(requests));
	tcase_add_loop_test(c, options_are_flags, 0, ARRAY_LEN(options));
	suite_add_tcase(s, c);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
