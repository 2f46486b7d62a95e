/* run.c - RUN: a container for one command, whose writes become a layer */
#include "run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void run_fds(const struct run *run, int *out, int *end, int *ctl)
{
	*out = run->out;
	*end = run->box.pidfd;
	*ctl = run->decided ? -1 : box_status_fd(&run->box);
}

static void run_free(struct stage *s)
{
	struct run *r = s->run;

	if (!r)
		return;
	for (size_t i = 0; i < r->spec.n_mounts; i++)
		auto_close_fn(&r->mounts[i].fd);
	for (size_t i = 0; i < r->n_locks; i++)
		auto_close_fn(&r->locks[i]);
	for (size_t i = 0; i < r->n_agents; i++)
		agent_close(r->agents[i]);
	auto_close_fn(&r->out);
	build_net_detach(s);
	box_close(&r->box);
	cgroup_close(&r->cg);
	if (r->cgroup)
		(void)cgroup_remove(s->b->all->cgroups, r->cgroup, NULL);
	free(r->cgroup);
	strs_clear(&r->env);
	strs_clear(&r->stubs);
	strs_clear(&r->shown);
	arena_free(&r->arena);
	free(r);
	s->run = NULL;
}

/* ---- The command ------------------------------------------------------------------------------ */
/* The RUN is a heredoc and nothing more. */
static bool doc_alone(const struct df_instruction *in)
{
	return in->n_docs == 1 && str_starts(in->text, "<<") && !strpbrk(in->text, " \t");
}

static bool has_interpreter(const struct df_instruction *in)
{
	return !in->exec && doc_alone(in) && str_starts(in->docs[0].text, "#!");
}

static const char *script(struct run *r, const struct df_instruction *in)
{
	auto_sbuf struct sbuf text = SBUF_INIT;

	if (doc_alone(in))
		return in->docs[0].text;
	sbuf_addf(&text, "%s\n", in->text);
	for (size_t i = 0; i < in->n_docs; i++)
		sbuf_addf(&text, "%s%s\n", in->docs[i].text, in->docs[i].name);
	return in->n_docs ? arena_strdup(&r->arena, sbuf_str(&text)) : in->text;
}

static const char *const *command(struct stage *s, const struct df_instruction *in)
{
	struct run *r = s->run;
	const char **argv = arena_array(&r->arena, in->n_words + s->shell.n + 4, sizeof(*argv));
	size_t n = 0;

	if (in->exec) {
		for (size_t i = 0; i < in->n_words; i++)
			argv[n++] = in->words[i];
		return argv;
	}
	if (has_interpreter(in)) {
		argv[0] = arena_printf(&r->arena, SCRIPTS "/%s", in->docs[0].name);
		return argv;
	}
	for (size_t i = 0; i < s->shell.n; i++)
		argv[n++] = s->shell.v[i];
	if (n == 0) {
		argv[n++] = "/bin/sh";
		argv[n++] = "-c";
	}
	argv[n] = script(r, in);
	return argv;
}

/* Arguments that need no ARG and are not part of the key: what they say is not of the image. */
static const char *const proxies[] = { "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
				       "FTP_PROXY",  "ftp_proxy",  "NO_PROXY",    "no_proxy",
				       "ALL_PROXY",  "all_proxy" };

static void add_proxies(struct stage *s)
{
	for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
		const char *value = kvs_get(&s->b->req->args, proxies[i]);

		if (value && !strs_value(&s->run->env, proxies[i]))
			strs_put(&s->run->env, proxies[i], value);
	}
}

/* PATH, then arguments, then ENV, which wins. */
static void environment(struct stage *s)
{
	struct strs *env = &s->run->env;

	strs_put(env, "PATH", BUILD_PATH);
	for (size_t i = 0; i < s->args.n; i++) {
		auto_free char *name = xstrndup(s->args.v[i], strcspn(s->args.v[i], "="));

		strs_put(env, name, s->args.v[i] + strlen(name) + 1);
	}
	for (const struct json *c = json_first(json_get(stage_config(s), "Env")); c;
	     c = json_next(c)) {
		const char *entry = json_string(c), *eq = entry ? strchr(entry, '=') : NULL;
		auto_free char *name = eq ? xstrndup(entry, (size_t)(eq - entry)) : NULL;

		if (name)
			strs_put(env, name, eq + 1);
	}
}

/* What else a command can see. A build without any of it has the keys it ever had. */
static void key_surroundings(const struct build_request *req, struct digest *d)
{
	for (size_t i = 0; i < req->extra_hosts.n; i++) {
		key_add(d, "host");
		key_add(d, req->extra_hosts.v[i].key);
		key_add(d, req->extra_hosts.v[i].value);
	}
	for (size_t i = 0; i < req->n_rlimits; i++) {
		const struct box_rlimit *l = &req->rlimits[i];
		auto_free char *text =
			xasprintf("%d %llu %llu", l->resource, (unsigned long long)l->soft,
				  (unsigned long long)l->hard);

		key_add(d, "ulimit");
		key_add(d, text);
	}
}

static void key_said(struct stage *s, const struct df_instruction *in, const char *network)
{
	struct run *run = s->run;
	struct digest *d = digest_new();
	const char *const *argv = run->spec.process.argv;

	stage_chain(s, d);
	key_add(d, "run");
	for (size_t i = 0; argv[i]; i++)
		key_add(d, argv[i]);
	if (has_interpreter(in))
		key_add(d, in->docs[0].text);
	key_add(d, NULL);
	for (size_t i = 0; i < run->env.n; i++)
		key_add(d, run->env.v[i]);
	key_add(d, config_text(s, "User", ""));
	key_add(d, config_text(s, "WorkingDir", "/"));
	key_add(d, network);
	for (size_t i = 0; i < in->n_flags; i++) {
		key_add(d, in->flags[i].key);
		key_add(d, in->flags[i].value);
	}
	key_surroundings(s->b->req, d);
	digest_end(d, run->said);
}

static void key_shown(struct run *run, const struct strs *shown)
{
	struct digest *d;

	memcpy(run->key, run->said, DIGEST_HEX);
	if (shown->n == 0)
		return;
	d = digest_new();
	key_add(d, run->said);
	for (size_t i = 0; i < shown->n; i++)
		key_add(d, shown->v[i]);
	digest_end(d, run->key);
}

static int run_key(struct stage *s, const struct df_instruction *in, const char *network,
		   struct err *err)
{
	auto_strs struct strs shown = { 0 };
	int r = run_mounts_look(s, in, &shown, err);

	key_said(s, in, network);
	key_shown(s->run, &shown);
	return r;
}

/* ---- Start ------------------------------------------------------------------------------------ */
static int network_of(const struct stage *s, const struct df_instruction *in, const char **out,
		      struct err *err)
{
	const char *own = df_flag(in, "network"), *all = s->b->req->network;

	*out = own && strcmp(own, "default") != 0 ? own : all ? all : "default";
	if (strcmp(*out, "none") == 0 || strcmp(*out, "host") == 0 || strcmp(*out, "default") == 0)
		return 0;
	return err_set(err, ENOTSUP, "a RUN's network is default, none or host, not '%s'", *out);
}

static void add_file(struct run *r, const char *target, const char *text)
{
	r->files[r->spec.n_files++] = (struct box_file){
		.target = target, .data = text, .len = strlen(text), .mode = 0644
	};
}

static void add_hosts(struct stage *s)
{
	const struct kvs *extra = &s->b->req->extra_hosts;
	auto_sbuf struct sbuf text = SBUF_INIT;
	char gateway[NET_IP_LEN] = "127.0.0.1";

	if (s->run->spec.net == BOX_NET_NEW)
		(void)net_ip_format(build_net_gateway(s->b->all), gateway);
	sbuf_adds(&text, "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
	for (size_t i = 0; i < extra->n; i++) {
		const char *ip = extra->v[i].value;

		sbuf_addf(&text, "%s\t%s\n", str_eq(ip, "host-gateway") ? gateway : ip,
			  extra->v[i].key);
	}
	add_file(s->run, "/etc/hosts", arena_strdup(&s->run->arena, sbuf_str(&text)));
}

static void add_files(struct stage *s)
{
	struct run *r = s->run;
	char *resolv = NULL;
	size_t len = 0;

	add_hosts(s);
	if (r->spec.net == BOX_NET_NEW)
		add_file(r, "/etc/resolv.conf", "nameserver " DNS_ADDRESS "\n");
	else if (r->spec.net == BOX_NET_HOST &&
		 file_read(AT_FDCWD, "/etc/resolv.conf", 65536, &resolv, &len) == 0)
		add_file(r, "/etc/resolv.conf", arena_strdup(&r->arena, resolv));
	free(resolv);
}

static int create(struct stage *s, struct err *err)
{
	struct run *run = s->run;
	struct box_spec *spec = &run->spec;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	run->out = fds[0];
	(void)fd_nonblock(run->out, true);
	spec->hostname = "buildkitsandbox";
	spec->root_fd = run->root.fd;
	spec->uid_base = s->b->all->view && !run->open ? s->b->all->uid_base : 0;
	spec->privileged = run->open;
	spec->rlimits = s->b->req->rlimits;
	spec->n_rlimits = s->b->req->n_rlimits;
	spec->shm_size = s->b->req->shm_size;
	spec->mounts = run->mounts;
	spec->files = run->files;
	spec->process.env = (const char *const *)(uintptr_t)run->env.v;
	spec->process.cwd = config_text(s, "WorkingDir", "/");
	spec->process.user = config_text(s, "User", NULL);
	spec->process.caps = run->open ? box_caps_all() : BOX_CAPS_DEFAULT;
	spec->process.seccomp = run->open ? NULL : box_seccomp(spec->process.caps);
	spec->process.stdout_fd = spec->process.stderr_fd = fds[1];
	spec->process.tasks_fds = run->cg.tasks_fds;
	spec->process.n_tasks = run->cg.n_tasks;
	spec->process.v2_dirfd = run->cg.v2_dirfd;
	r = box_create(spec, &run->box, err);
	(void)close(fds[1]);
	if (r == 0 && spec->net == BOX_NET_NEW)
		r = build_net_attach(s, err);
	if (r == 0)
		r = box_release(&run->box, err);
	auto_close_fn(&run->root.fd);
	run->root.fd = -1;
	return r;
}

static int start(struct stage *s, const struct df_instruction *in, const char *network,
		 struct err *err)
{
	struct run *run = s->run;
	int r;

	run->spec.net = strcmp(network, "none") == 0   ? BOX_NET_NONE
			: strcmp(network, "host") == 0 ? BOX_NET_HOST
						       : BOX_NET_NEW;
	r = run->spec.net == BOX_NET_NEW ? build_net_ready(s->b->all, err) : 0;
	run->spec.process.label = run->open ? NULL : s->b->all->labels.process;
	run->spec.file_label = run->open ? NULL : s->b->all->labels.file;
	if (r == 0)
		r = root_open(s, !run->open, &run->root, err);
	if (r == 0)
		r = world_group(s, run->open, err);
	if (r == 0)
		r = run_mounts_make(s, in, err);
	/* What binds show may have become something else since it was looked at. */
	if (r == 0)
		key_shown(run, &run->shown);
	if (r == 0 && has_interpreter(in))
		r = run_script_make(s, &in->docs[0], err);
	if (r < 0)
		return r;
	add_files(s);
	run_stubs_find(run);
	return create(s, err);
}

int step_run(struct stage *s, const struct df_instruction *in, struct err *err)
{
	struct builder *b = s->b->all;
	const char *network, *security = df_flag(in, "security");
	struct run *run = s->run = xcalloc(1, sizeof(*run));
	int r = network_of(s, in, &network, err);

	*run = (struct run){ .root = { .fd = -1 },
			     .box = BOX_INIT,
			     .spec = BOX_SPEC_INIT,
			     .cg = CGROUP_INIT,
			     .source = in->source,
			     .out = -1 };
	run->open = security && strcmp(security, "insecure") == 0;
	if (r == 0 && security && !run->open && strcmp(security, "sandbox") != 0)
		r = err_set(err, EINVAL, "--security is sandbox or insecure, not '%s'", security);
	if (r == 0 && run->open && !s->b->req->insecure)
		r = err_set(err, EPERM,
			    "--security=insecure needs 'privileged: true' or the entitlement "
			    "security.insecure in the build section");
	environment(s);
	run->spec.process.argv = command(s, in);
	if (r == 0)
		r = run_key(s, in, network, err);
	if (r == 0 && stage_cached(s, run->key, in->source)) {
		run_free(s);
		return 0;
	}
	if (r == 0 && !b->work)
		r = image_work_open(b->w->images, &b->work, err);
	if (r == 0 && !b->ready)
		r = world_open(b, err);
	add_proxies(s);
	run->spec.process.env = (const char *const *)(uintptr_t)run->env.v;
	if (r == 0)
		r = start(s, in, network, err);
	if (r < 0) {
		run_abort(s);
		return r;
	}
	return 1;
}

/* ---- End -------------------------------------------------------------------------------------- */
void run_abort(struct stage *s)
{
	struct run *run = s->run;

	if (!run)
		return;
	if (run->box.pidfd >= 0) {
		(void)pidfd_kill(run->box.pidfd, SIGKILL);
		while (waitpid(run->box.pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	root_drop(&run->root);
	run_free(s);
}

static void drain(struct stage *s)
{
	char buf[4096];
	ssize_t n;

	while (s->run->out >= 0 && (n = read(s->run->out, buf, sizeof(buf))) != 0) {
		if (n < 0)
			return; /* EAGAIN */
		step_event(s, BUILD_OUTPUT, buf, (size_t)n);
	}
	auto_close_fn(&s->run->out);
	s->run->out = -1;
}

static int ended(struct stage *s, struct err *err)
{
	struct run *run = s->run;
	int status = 0, r;

	while (waitpid(run->box.pid, &status, __WALL) < 0 && errno == EINTR)
		;
	auto_close_fn(&run->box.pidfd);
	run->box.pidfd = -1;
	drain(s);
	if (!run->decided) {
		r = box_read_status(&run->box, err);
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	if (status != 0)
		return err_set(err, ECANCELED, "the command ended with exit code %d",
			       state_exit_code(status));
	run_stubs_remove(run);
	return root_keep(s, &run->root, run->key, run->source, err);
}

int run_turn(struct stage *s, struct err *err)
{
	struct run *run = s->run;
	struct pollfd p = { .fd = run->box.pidfd, .events = POLLIN };
	int r = 0;

	drain(s);
	if (!run->decided) {
		r = box_read_status(&run->box, err);
		run->decided = r != -EAGAIN;
		r = r == -EAGAIN ? 0 : r;
	}
	if (r == 0 && poll(&p, 1, 0) <= 0)
		return 1;
	if (r == 0)
		r = ended(s, err);
	if (r < 0) {
		run_abort(s);
		return r;
	}
	run_free(s);
	return 0;
}
