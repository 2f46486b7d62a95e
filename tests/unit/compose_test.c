/* The loader's rules, one row each: files and an environment to what `config` prints, or to what it
 * refuses with. A file is "== PATH" and what follows; the first text without one is compose.yaml. */
#include <ctrcompose/compose.h>

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rule {
	const char *files;
	const char *prints[4];  /* each is a part of the YAML, blanks at its lines' begins aside */
	const char *refuses;    /* a part of the message */
	const char *missing;    /* no part of the YAML */
	const char *environ[4]; /* "KEY=value" */
	const char *use[4];     /* -f */
	const char *profile;
	const char *warns;
};

#define S "services: {a: {image: b, "

static const struct rule interpolation[] = {
	{ .files = S "hostname: \"${N:-d}-${E-d}-${E:-d}-${A+r}-${A:+r}-${N+r}\"}}",
	  .prints = { "hostname: d--d-r-r-" },
	  .environ = { "E=", "A=1" } },
	{ .files = S "hostname: \"${N:-${M:-x}}$$A$$$A\"}}",
	  .prints = { "hostname: x$$A$$1" },
	  .environ = { "A=1" } },
	{ .files = S "hostname: \"a $ b $(c) $1x $/y $\"}}",
	  .prints = { "hostname: a $$ b $$(c) $$1x $$/y $$" } },
	{ .files = S "hostname: \"$N\"}}",
	  .warns = "The \"N\" variable is not set. Defaulting to a blank string." },
	{ .files = S "hostname: \"${N:?give one}\"}}",
	  .refuses =
		  "1:36: services.a.hostname: required variable N is missing a value: give one" },
	{ .files = S "hostname: \"${N?${A}!}\"}}",
	  .refuses = "missing a value: 1!",
	  .environ = { "A=1" } },
	{ .files = S "hostname: \"${\"}}", .refuses = "escape" },
	{ .files = S "hostname: \"${ V }\"}}", .refuses = "escape" },
	{ .files = S "hostname: \"${V!}\"}}", .refuses = "escape" },
	{ .files = S "hostname: \"${1x}\"}}", .refuses = "escape" },
	{ .files = S "environment: [\"${A}=2\"]}}",
	  .prints = { "environment:\nX: \"2\"" },
	  .environ = { "A=X" } },
	{ .files = S "labels: {$A: $A}}}", .prints = { "$A: X" }, .environ = { "A=X" } },
	{ .files = S "privileged: $A}}",
	  .prints = { "privileged: true" },
	  .environ = { "A=True" } },
	{ .files = S "privileged: $A}}", .prints = { "privileged: true" }, .environ = { "A=y" } },
	{ .files = S "privileged: $A}}", .refuses = "services.a.privileged", .environ = { "A=1" } },
	{ .files = S "pids_limit: $A}}",
	  .refuses = "services.a.pids_limit",
	  .environ = { "A=3.5" } },
	{ .files = S "pids_limit: $A}}",
	  .refuses = "services.a.pids_limit",
	  .environ = { "A=0x10" } },
	{ .files = S "pids_limit: 0x10}}", .prints = { "pids_limit: 16" } },
	{ .files = S "ulimits: {core: {soft: 0, hard: 5}}}}",
	  .prints = { "core:\nhard: 5\nsoft: 0" } },
	{ .files = S "mem_limit: $N}}", .refuses = "services.a.mem_limit" },
	{ .files = S "ports: [\"$N:80\"]}}", .prints = { "target: 80" }, .missing = "published" },
};

static const struct rule env_files[] = {
	{ .files = S
	  "env_file: e}}\n== e\nA=1 # c\nB=a#b\nexport C='x $A'\nD=\"l\\n$A\"\nE: 2\nF=$A$$\nG= y \n",
	  .prints = { "A: \"1\"\nB: a#b\nC: x $$A\n", "E: \"2\"\nF: 1$$\nG: \"y\"" } },
	{ .files = S "env_file: e}}\n== e\nA B=1\n", .refuses = "e:1" },
	{ .files = S "env_file: e}}\n== e\nA=1\nB='x\n", .refuses = "e:2" },
	{ .files = S "env_file: e}}\n== e\n\xef\xbb\xbf"
		     "A=1\r\nB=\"x\ny\"\r\n",
	  .prints = { "A: \"1\"\nB: |-\nx\ny" } },
	{ .files = S
	  "env_file: [e, f], environment: {A: 3, C: }}}\n== e\nA=1\nB=1\nC=1\n== f\nB=2\n",
	  .prints = { "A: \"3\"\nB: \"2\"\nC: null" } },
	{ .files = S "env_file: none}}", .refuses = "none" },
	{ .files = S "env_file: [{path: none, required: false}]}}", .prints = { "image: b" } },
	{ .files = S "env_file: [{path: e, format: raw}]}}\n== e\nA='1' # c\nB=$A\n",
	  .prints = { "A: '''1'' # c'\nB: $$A" } },
	{ .files = S "env_file: [{path: e, format: odd}]}}\n== e\n", .refuses = "format" },
	{ .files = S "environment: [A, B, C=3]}}\n== .env\nB=2\n",
	  .prints = { "A: \"1\"\nB: \"2\"\nC: \"3\"" },
	  .environ = { "A=1" } },
	{ .files = "services: {a: {image: \"b:$V\"}}\n== .env\nV=1\nW=${V}2\n",
	  .prints = { "image: b:1" } },
	{ .files = "services: {a: {image: \"b:$V\"}}\n== .env\nV=1\n",
	  .prints = { "image: b:2" },
	  .environ = { "V=2" } },
};

static const struct rule scalars[] = {
	{ .files = S
	  "environment: {A: yes, B: 017, C: 1_000, D: 1.50, E: 2020-01-01, F: 12:30:45, G: 0x1F, H: on}}}",
	  .prints = { "A: \"yes\"\nB: \"15\"\nC: \"1000\"\nD: \"1.5\"\nE: 2020-01-01 00:00:00 +0000 UTC\n",
		      "G: \"31\"" } },
	{ .files = S "cpu_shares: 012}}", .prints = { "cpu_shares: 10" } },
	{ .files = S "environment: {A: .inf}}}", .refuses = "services.a.environment.A" },
	{ .files = S "stop_grace_period: 90s}}", .prints = { "stop_grace_period: 1m30s" } },
	{ .files = S "stop_grace_period: 1d}}", .prints = { "stop_grace_period: 24h0m0s" } },
	{ .files = S "stop_grace_period: 5}}", .refuses = "services.a.stop_grace_period" },
	{ .files = S "stop_grace_period: 1 s}}", .refuses = "services.a.stop_grace_period" },
	{ .files = S "mem_limit: 0.5G}}", .prints = { "mem_limit: \"536870912\"" } },
	{ .files = S "mem_limit: 1 kib}}", .prints = { "mem_limit: \"1024\"" } },
	{ .files = S "mem_limit: \"1e3\"}}", .refuses = "services.a.mem_limit" },
	{ .files = S "mem_limit: 99999999999g}}", .refuses = "services.a.mem_limit" },
	{ .files = S "deploy: {resources: {limits: {memory: 5}}}}}", .refuses = "memory" },
	{ .files = S "cpus: \"0.5\"}}", .prints = { "cpus: 0.5" } },
	{ .files = S "secrets: [{source: s, mode: 288}]}}\nsecrets: {s: {file: ./x}}",
	  .prints = { "mode: \"0440\"" } },
	{ .files = S "command: a | b}}",
	  .prints = { "command:\n- a\nentrypoint" },
	  .warns = "no shell" },
	{ .files = S "command: \"a 'b\"}}", .refuses = "services.a.command" },
	{ .files = S "command: [a, 1]}}", .refuses = "services.a.command" },
	{ .files = S "command: \"\"}}", .prints = { "command: []" } },
	{ .files = S "healthcheck: {test: x y}}}", .prints = { "- CMD-SHELL\n- x y" } },
	{ .files = S "healthcheck: {test: [x, y]}}}", .refuses = "CMD-SHELL" },
	{ .files = S "ports: [\"[::1]:8080-8081:80-81/UDP\"]}}",
	  .prints = { "host_ip: ::1\nmode: ingress\nprotocol: udp\npublished: \"8080\"\ntarget: 80\n",
		      "published: \"8081\"" } },
	{ .files = S "ports: [\"8000-8010:80\"]}}", .prints = { "published: 8000-8010" } },
	{ .files = S "ports: [\"8000-8002:80-81\"]}}", .refuses = "differ in length" },
	{ .files = S "ports: [\"localhost:80:80\"]}}", .refuses = "not an IP address" },
	{ .files = S "ports: [\"70000\"]}}", .refuses = "70000" },
	{ .files = S "extra_hosts: [\"x:1.2.3.4\", \"y=::1\"]}}",
	  .prints = { "- x=1.2.3.4\n- y=::1" } },
};

static const struct rule merging[] = {
	{ .files = S
	  "hostname: x, command: c, environment: [A=1, B=2]}}\n== o.yaml\nservices: {a: {hostname: , command: [], environment: {B: 3}}}",
	  .use = { "compose.yaml", "o.yaml" },
	  .prints = { "command: []", "A: \"1\"\nB: \"3\"", "hostname: x" } },
	{ .files = S
	  "ports: [\"80:80\"]}}\n== o.yaml\nservices: {a: {ports: [\"81:80\", \"80:80\"]}}",
	  .use = { "compose.yaml", "o.yaml" },
	  .prints = { "published: \"80\"\ntarget: 80\n- mode: ingress\nprotocol: tcp\npublished: \"81\"\ntarget: 80" } },
	{ .files = S
	  "volumes: [\"./a:/x:ro\", \"./c:/y\"]}}\n== o.yaml\nservices: {a: {volumes: [\"./b:/x/\"]}}",
	  .use = { "compose.yaml", "o.yaml" },
	  .prints = { "/b\n" },
	  .missing = "read_only" },
	{ .files = S "group_add: [g]}}\n== o.yaml\nservices: {a: {group_add: [g]}}",
	  .use = { "compose.yaml", "o.yaml" },
	  .refuses = "group_add" },
	{ .files = S "cap_add: [A]}}\n== o.yaml\nservices: {a: {cap_add: [B, A]}}",
	  .use = { "compose.yaml", "o.yaml" },
	  .prints = { "- A\n- B\n" } },
	{ .files = S
	  "logging: {driver: local, options: {a: b}}}}\n== o.yaml\nservices: {a: {logging: {options: {c: d}}}}",
	  .use = { "compose.yaml", "o.yaml" },
	  .prints = { "a: b\nc: d" } },
	{ .files = S
	  "logging: {driver: local, options: {a: b}}}}\n== o.yaml\nservices: {a: {logging: {driver: none}}}",
	  .use = { "compose.yaml", "o.yaml" },
	  .missing = "a: b" },
	{ .files = S
	  "ports: [\"80\"], environment: {A: 1, B: 2}}}\n== o.yaml\nservices: {a: {ports: !reset [], environment: {A: !reset x}}}",
	  .use = { "compose.yaml", "o.yaml" },
	  .prints = { "B: \"2\"" },
	  .missing = "A:" },
	{ .files = S "ports: [\"80\"]}}\n== o.yaml\nservices: {a: {ports: !override [\"81\"]}}",
	  .use = { "compose.yaml", "o.yaml" },
	  .prints = { "target: 81" },
	  .missing = "target: 80" },
	{ .files = S
	  "env_file: e}}\n== d/o.yaml\nservices: {a: {env_file: f}}\n== e\nA=1\n== f\nB=1\n",
	  .use = { "compose.yaml", "d/o.yaml" },
	  .prints = { "A: \"1\"\nB: \"1\"" } },
	{ .files = S "hostname: x}}\n== compose.override.yaml\nservices: {a: {hostname: z}}",
	  .prints = { "hostname: z" } },
	{ .files = S "depends_on: [c, c]}, c: {image: b}}", .refuses = "depends_on" },
	{ .files = S "hostname: x}}\n---\nservices: {a: {hostname: z}}",
	  .prints = { "hostname: z" } },
};

static const struct rule composing[] = {
	{ .files =
		  "services: {a: {extends: {file: d/base.yaml, service: z}}}\n== d/base.yaml\nservices: {z: {image: q, build: ., volumes: [\"./v:/v\"]}}",
	  .prints = { "/d\n", "/d/v\n", "image: q" } },
	{ .files = "services: {a: {extends: b}, b: {extends: a}}", .refuses = "b" },
	{ .files = "services: {a: {extends: {service: none}}}", .refuses = "none" },
	{ .files =
		  "services: {a: {extends: c, image: x}, c: {image: y, depends_on: [d]}, d: {image: z}}",
	  .prints = { "image: x", "condition: service_started" } },
	{ .files =
		  "include: [sub/compose.yaml]\nservices: {a: {image: \"x$V\"}}\n== sub/compose.yaml\nservices: {s: {image: \"i:$V\", build: ./b}}\n== sub/.env\nV=in\n== .env\nW=1\n",
	  .prints = { "image: i:in", "/sub/b\n" } },
	{ .files =
		  "include: [{path: sub/compose.yaml, env_file: e}]\n== sub/compose.yaml\nservices: {s: {image: \"i:$V\"}}\n== e\nV=e\n",
	  .prints = { "image: i:e" } },
	{ .files = "include: [none.yaml]\nservices: {a: {image: b}}", .refuses = "none.yaml" },
	{ .files = "include: [compose.yaml]\nservices: {a: {image: b}}", .refuses = "include" },
};

static const struct rule names[] = {
	{ .files = "name: My.Project\nservices: {a: {image: b}}",
	  .prints = { "name: myproject\n" } },
	{ .files = "name: \"...\"\nservices: {a: {image: b}}", .refuses = "must not be empty" },
	{ .files = "name: x\nservices: {a: {image: \"$COMPOSE_PROJECT_NAME\"}}",
	  .prints = { "image: x" } },
	{ .files = S "volumes: [\"v1:/v\"]}}\nvolumes: {v1: , w: }",
	  .prints = { "name: project_v1" },
	  .missing = "_w" },
	{ .files = S "volumes: [\"v1:/v\"]}}\nvolumes: {v1: {external: true}}",
	  .prints = { "name: v1" } },
	{ .files = S "volumes: [\"v1:/v\"]}}\nvolumes: {v1: {external: true, name: \"$N\"}}",
	  .prints = { "name: \"\"" } },
	{ .files = S "volumes: [\"v1:/v\"]}}", .refuses = "undefined volume 'v1'" },
	{ .files = "services: {a: {build: {context: ., dockerfile: \"$N\"}}}",
	  .prints = { "dockerfile: \"\"" } },
	{ .files = "services: {a: {build: {dockerfile: \"$N\", dockerfile_inline: x}}}",
	  .prints = { "dockerfile_inline: x" } },
	{ .files = "services: {a: {build: {dockerfile: y, dockerfile_inline: x}}}",
	  .refuses = "exclude each other" },
	{ .files = S "volumes: [\"~/x:/v/../w\"]}}",
	  .prints = { "source: /home/user/x\ntarget: /w" },
	  .environ = { "HOME=/home/user" } },
	{ .files = S "volumes: [\":/v\"]}}", .refuses = "services.a.volumes[0]" },
	{ .files = S "networks: [n]}}", .refuses = "undefined network 'n'" },
	{ .files = S "networks: []}}", .prints = { "name: project_default" } },
	{ .files = S "network_mode: host}}", .missing = "project_default" },
	{ .files = S "nope: 1}}", .refuses = "1:26: services.a.nope: unknown key" },
	{ .files = "services: {a: {imaeg: b}}", .refuses = "image" },
	{ .files = "services: {a: {image: b, build: }}\nvolumes: 3\n", .refuses = "volumes" },
	{ .files = "version: 3\nservices: {a: {image: b}}", .refuses = "version" },
	{ .files = "version: \"3\"\nservices: {a: {image: b}}", .warns = "obsolete" },
	{ .files = "# none\n", .refuses = "empty compose file" },
	{ .files = "services: {a: }", .refuses = "services.a" },
	{ .files = "services: {\"a b\": {image: x}}", .refuses = "a b" },
	{ .files = S "container_name: c, scale: 2}}", .refuses = "container_name" },
	{ .files = S "mem_limit: 1g, deploy: {resources: {limits: {memory: 2g}}}}}",
	  .refuses = "mem_limit" },
};

static const struct rule dependencies[] = {
	{ .files = S "depends_on: [c]}, c: {image: b, depends_on: [a]}}",
	  .refuses = "depend on each other: a -> c -> a" },
	{ .files = S "depends_on: [c]}}", .refuses = "undefined service 'c'" },
	{ .files = S "depends_on: {c: {condition: service_started, required: false}}}}",
	  .refuses = "undefined service 'c'" },
	{ .files = S "links: [\"c:d\"]}, c: {image: b}}",
	  .prints = { "depends_on:\nc:\ncondition: service_started\nrequired: true\nrestart: true" } },
	{ .files = S "profiles: [p]}, c: {image: b}}",
	  .prints = { "c:\ncommand" },
	  .missing = "a:\n" },
	{ .files = S "profiles: [p]}, c: {image: b}}",
	  .prints = { "a:\ncommand" },
	  .profile = "p" },
	{ .files = S "profiles: [p]}, c: {image: b}}",
	  .prints = { "a:\ncommand" },
	  .environ = { "COMPOSE_PROFILES=q,p" } },
	{ .files = S "profiles: [p]}, c: {image: b}}",
	  .missing = "a:\n",
	  .environ = { "COMPOSE_PROFILES=p" },
	  .profile = "q" },
	{ .files = S "profiles: [p]}, c: {image: b, depends_on: [a]}}", .refuses = "a" },
	{ .files = S
	  "profiles: [p]}, c: {image: b, depends_on: {a: {condition: service_started, required: false}}}}",
	  .prints = { "required: false" } },
};

/* ---- What carries them out */

static char dir[] = "/tmp/compose_test.XXXXXX";
static char *project;

static void put_file(const char *path, const char *text, size_t len)
{
	auto_free char *full = xasprintf("%s/%s", project, path);
	FILE *f;

	for (char *p = full + strlen(project) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		(void)mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	(void)fclose(f);
}

static void put_files(const char *text)
{
	auto_free char *path = xstrdup("compose.yaml");

	for (;;) {
		const char *next = strstr(text, "\n== "), *eol;

		put_file(path, text, next ? (size_t)(next + 1 - text) : strlen(text));
		if (!next)
			return;
		next += strlen("\n== ");
		eol = strchr(next, '\n');
		free(path);
		path = xstrndup(next, (size_t)(eol - next));
		text = eol + 1;
	}
}

/* Without the blanks at the begins of lines: rows say what, not how deep. */
static char *flat(const char *s)
{
	char *out = xstrdup(s), *to = out;
	bool start = true;

	for (; *s; s++) {
		if (start && *s == ' ')
			continue;
		start = *s == '\n';
		*to++ = *s;
	}
	*to = '\0';
	return out;
}

static void check_rule(const struct rule *r)
{
	auto_err struct err err = ERR_INIT;
	auto_diags struct compose_diags diags = { 0 };
	auto_project struct project *p = NULL;
	auto_sbuf struct sbuf printed = SBUF_INIT;
	auto_free char *yaml = NULL;
	struct compose_options opt = { .cwd = project, .environ = r->environ };
	auto_strs struct strs use = { 0 };
	const char *files[ARRAY_LEN(r->use)], *profile = r->profile;
	int status;

	for (size_t i = 0; r->use[i]; i++) {
		strs_addf(&use, "%s/%s", project, r->use[i]);
		files[i] = use.v[i];
	}
	opt.files = (struct list){ files, use.n };
	if (profile)
		opt.profiles = (struct list){ &profile, 1 };
	put_files(r->files);
	status = compose_load(&opt, &p, &diags, &err);
	if (r->refuses) {
		ck_assert_msg(status < 0, "accepted:\n%s", r->files);
		ck_assert_msg(strstr(err_text(&err), r->refuses), "%s\nrefused with: %s", r->files,
			      err_text(&err));
		return;
	}
	ck_assert_msg(status == 0, "%s\nrefused: %s", r->files, err_text(&err));
	ck_assert_int_eq(compose_print_yaml(p, &printed, &err), 0);
	yaml = flat(printed.s);
	for (size_t i = 0; i < ARRAY_LEN(r->prints) && r->prints[i]; i++)
		ck_assert_msg(strstr(yaml, r->prints[i]), "%s\nnot '%s' in:\n%s", r->files,
			      r->prints[i], printed.s);
	if (r->missing)
		ck_assert_msg(!strstr(yaml, r->missing), "%s\n'%s' in:\n%s", r->files, r->missing,
			      printed.s);
	if (r->warns) {
		ck_assert_uint_gt(diags.warnings.n, 0);
		ck_assert_msg(strstr(diags.warnings.v[0], r->warns), "warned: %s",
			      diags.warnings.v[0]);
	}
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	project = xasprintf("%s/project", dir);
	ck_assert_int_eq(mkdir(project, 0755), 0);
}

static void teardown(void)
{
	auto_free char *rm = xasprintf("rm -rf %s", dir);

	ck_assert_int_eq(system(rm), 0); /* NOLINT(cert-env33-c): a path of our own */
	free(project);
}

#define RULES(name)                      \
	START_TEST(name##_rules)         \
	{                                \
		check_rule(&(name)[_i]); \
	}                                \
	END_TEST

RULES(interpolation)
RULES(env_files)
RULES(scalars)
RULES(merging)
RULES(composing)
RULES(names)
RULES(dependencies)

/* ---- What the machine has ---------------------------------------------------------------------- */
static int only_mine(const char *profile, struct err *err)
{
	return strcmp(profile, "mine") == 0 ? 0 : err_set(err, ENOENT, "no '%s'", profile);
}

static int no_slices(const char *name, struct err *err)
{
	return strcmp(name, "x.slice") != 0 ? 0 : err_set(err, EPERM, "no '%s'", name);
}

START_TEST(cgroup_parent_is_refused_by_place)
{
	static const char text[] = "services:\n"
				   "  a: { image: x, cgroup_parent: /fine }\n"
				   "  b: { image: x, cgroup_parent: x.slice }\n";
	static const char bad[] = "services:\n"
				  "  a: { image: x, cgroup_parent: /a/../b }\n";
	const struct compose_host host = { .apparmor = only_mine, .cgroup_parent = no_slices };
	struct compose_options opt = { .cwd = project };
	auto_project struct project *p = NULL, *q = NULL;
	auto_err struct err err = ERR_INIT, why = ERR_INIT;

	put_files(text);
	ck_assert_int_eq(compose_load(&opt, &p, NULL, &err), 0);
	ck_assert_str_eq(project_service(p, "a")->cgroup_parent, "/fine");
	ck_assert_ptr_nonnull(strstr(project_service(p, "a")->config_json, "/fine"));
	ck_assert_str_ne(project_service(p, "a")->config_hash,
			 project_service(p, "b")->config_hash);
	ck_assert_int_eq(compose_check_supported(p, &err), 0);
	ck_assert_int_eq(compose_check_host(p, &host, &err), -ENOTSUP);
	ck_assert_msg(
		strstr(err_text(&err), "compose.yaml:3:33: services.b.cgroup_parent: no 'x.slice'"),
		"%s", err_text(&err));
	put_files(bad);
	ck_assert_int_eq(compose_load(&opt, &q, NULL, &why), 0);
	ck_assert_int_eq(compose_check_supported(q, &why), -ENOTSUP);
	ck_assert_msg(
		strstr(err_text(&why), "compose.yaml:2:33: services.a.cgroup_parent: '.' and"),
		"%s", err_text(&why));
}
END_TEST

/* The second one of a service is wrong, and no-new-privileges for who has none. */
static int labels_of(const char *const *options, size_t n, bool no_new_privs, struct err *err)
{
	if (n > 1 || no_new_privs)
		return err_set(err, EACCES, "not with %s", n ? options[n - 1] : "nothing");
	return 0;
}

static int relabel_some(const char *path, struct err *err)
{
	return path && strcmp(path, "/etc") == 0 ? err_set(err, EPERM, "not %s", path) : 0;
}

START_TEST(host_refuses_by_place)
{
	static const char text[] =
		"services:\n"
		"  a:\n"
		"    image: x\n"
		"    security_opt: [apparmor=mine, label=disable, \"label=type:t\"]\n"
		"    volumes: [\"/etc:/d:ro,Z\", \"vol:/v:z\", \"/d:/e:z\"]\n"
		"  b: { image: x, security_opt: [\"apparmor:yours\"] }\n"
		"  c: { image: x, security_opt: [\"apparmor=unconfined\", no-new-privileges] }\n"
		"  d: { image: x, pid: host, security_opt: [no-new-privileges] }\n"
		"volumes: { vol: }\n";
	struct compose_host host = { .apparmor = only_mine };
	struct compose_options opt = { .cwd = project };
	auto_project struct project *p = NULL;
	auto_err struct err err = ERR_INIT, with_selinux = ERR_INIT;

	put_files(text);
	ck_assert_int_eq(compose_load(&opt, &p, NULL, &err), 0);
	ck_assert_int_eq(compose_check_supported(p, &err), 0);
	ck_assert_int_eq(compose_check_host(p, &host, &err), -ENOTSUP);
	ck_assert_msg(strstr(err_text(&err), "compose.yaml:6:32: services.b.security_opt: no "
					     "'yours'"),
		      "%s", err_text(&err));
	ck_assert_ptr_null(strchr(err_text(&err), '\n'));
	host.label = labels_of;
	host.relabel = relabel_some;
	ck_assert_int_eq(compose_check_host(p, &host, &with_selinux), -ENOTSUP);
	ck_assert_msg(strstr(err_text(&with_selinux),
			     "4:50: services.a.security_opt[2]: not with type:t"),
		      "%s", err_text(&with_selinux));
	ck_assert_msg(
		strstr(err_text(&with_selinux), "services.a.volumes[0].bind.selinux: not /etc"),
		"%s", err_text(&with_selinux));
	ck_assert_msg(strstr(err_text(&with_selinux), "services.c.security_opt: not with nothing"),
		      "%s", err_text(&with_selinux));
	ck_assert_ptr_null(strstr(err_text(&with_selinux), "security_opt[1]"));
	ck_assert_ptr_null(strstr(err_text(&with_selinux), "volumes[1]"));
	ck_assert_ptr_null(strstr(err_text(&with_selinux), "services.d"));
}
END_TEST

/* ---- Devices by what they are ------------------------------------------------------------------ */
static const struct cdi *no_specs(void)
{
	static struct cdi *none;

	if (!none)
		none = cdi_new();
	return none;
}

START_TEST(requests_are_decoded_and_refused_by_place)
{
	static const char text[] =
		"services:\n"
		"  a: { image: x, gpus: all, devices: [/dev/null, v.com/x=1, {source: 'v.com/x=2:3'}] }\n"
		"  b:\n"
		"    image: x\n"
		"    deploy: { resources: { reservations: { devices: [{ capabilities: [gpu], count: 2 },\n"
		"      { capabilities: [tpu], device_ids: ['1'] }] } } }\n"
		"  c: { image: x, gpus: [{ device_ids: ['7'], capabilities: [utility], driver: nvidia }] }\n";
	const struct compose_host host = { .apparmor = only_mine, .cdi = no_specs };
	struct compose_options opt = { .cwd = project };
	auto_project struct project *p = NULL;
	auto_err struct err err = ERR_INIT, there = ERR_INIT;
	const struct service *a, *b, *c;

	put_files(text);
	ck_assert_int_eq(compose_load(&opt, &p, NULL, &err), 0);
	a = project_service(p, "a");
	b = project_service(p, "b");
	c = project_service(p, "c");
	ck_assert_uint_eq(a->n_devices, 1);
	ck_assert_uint_eq(a->n_requests, 3);
	ck_assert_str_eq(a->requests[0].driver, "cdi");
	ck_assert_str_eq(a->requests[1].ids.v[0], "v.com/x=2:3");
	ck_assert_int_eq(a->requests[2].count, -1);
	ck_assert_str_eq(a->requests[2].capabilities.v[0], "gpu");
	ck_assert_uint_eq(b->n_requests, 2);
	ck_assert_int_eq(b->requests[0].count, 2);
	ck_assert_uint_eq(c->requests[0].capabilities.n, 2);
	ck_assert_str_eq(c->requests[0].ids.v[0], "7");
	ck_assert_int_eq(compose_check_supported(p, &err), -ENOTSUP);
	ck_assert_msg(strstr(err_text(&err),
			     "compose.yaml:6:7: "
			     "services.b.deploy.resources.reservations.devices[1]: of "
			     "the capabilities there are gpu"),
		      "%s", err_text(&err));
	ck_assert_ptr_null(strchr(err_text(&err), '\n'));
	ck_assert_int_eq(compose_check_host(p, &host, &there), -ENOTSUP);
	ck_assert_msg(strstr(err_text(&there),
			     "compose.yaml:2:50: services.a.devices[1]: there is no "
			     "CDI device v.com/x=1"),
		      "%s", err_text(&there));
	ck_assert_msg(strstr(err_text(&there), "7:25: services.c.gpus[0]: there is no CDI device "
					       "nvidia.com/gpu=7"),
		      "%s", err_text(&there));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("compose");
	TCase *t = tcase_create("rules");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, interpolation_rules, 0, ARRAY_LEN(interpolation));
	tcase_add_loop_test(t, env_files_rules, 0, ARRAY_LEN(env_files));
	tcase_add_loop_test(t, scalars_rules, 0, ARRAY_LEN(scalars));
	tcase_add_loop_test(t, merging_rules, 0, ARRAY_LEN(merging));
	tcase_add_loop_test(t, composing_rules, 0, ARRAY_LEN(composing));
	tcase_add_loop_test(t, names_rules, 0, ARRAY_LEN(names));
	tcase_add_loop_test(t, dependencies_rules, 0, ARRAY_LEN(dependencies));
	tcase_add_test(t, host_refuses_by_place);
	tcase_add_test(t, requests_are_decoded_and_refused_by_place);
	tcase_add_test(t, cgroup_parent_is_refused_by_place);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
