/* run.c - RUN: a container for one command, whose writes become a layer */
#include "private.h"

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

enum { MOUNTS_MAX = 32 };

struct run {
	struct arena arena;
	struct new_root root;
	struct box box;
	struct box_spec spec;
	struct box_mount mounts[MOUNTS_MAX];
	struct box_file files[MOUNTS_MAX + 2];
	struct strs env;
	struct strs stubs; /* mount points that were not there before */
	struct cgroup cg;
	char *cgroup;
	char key[DIGEST_HEX];
	const char *source;
	int out; /* what it prints */
	bool decided;
};

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
	auto_close_fn(&r->out);
	box_close(&r->box);
	cgroup_close(&r->cg);
	if (r->cgroup)
		(void)cgroup_remove(s->b->all->cgroups, r->cgroup, NULL);
	free(r->cgroup);
	strs_clear(&r->env);
	strs_clear(&r->stubs);
	arena_free(&r->arena);
	free(r);
	s->run = NULL;
}

/* ---- The world of containers ------------------------------------------------------------------ */
static int world_open(struct builder *b, struct err *err)
{
	auto_close int userns = -1;
	auto_free char *at = xasprintf("%s/%s/at", b->w->paths->state, image_work_name(b->work));
	int r = rootfs_enter_private(err);

	if (r == 0)
		r = state_alloc_uid_base(b->w->paths, b->w->project, &b->uid_base, err);
	if (r == 0)
		r = cgroup_system_open(&b->cgroups, err);
	if (r < 0)
		return r;
	b->ready = true;
	userns = rootfs_userns(b->uid_base, STATE_UID_COUNT, err);
	if (userns < 0)
		return userns;
	if (!rootfs_idmap_supported(b->w->paths->state, userns))
		return 0;
	if (mkdir(at, 0700) < 0)
		return err_errno(err, "make %s", at);
	r = rootfs_attach_idmapped(b->w->paths->state, at, userns, err);
	if (r < 0)
		return r;
	b->userns = steal_fd(&userns);
	b->view = steal(at);
	return 0;
}

void run_world_close(struct builder *b)
{
	if (b->group_made)
		(void)cgroup_group_remove(b->cgroups, b->group, NULL);
	cgroup_system_close(&b->cgroups);
	if (b->view) /* it is mounted in the work folder, which is to go */
		(void)umount2(b->view, MNT_DETACH);
	free(b->group);
	free(b->view);
	auto_close_fn(&b->userns);
}

static int make_group(struct stage *s, struct err *err)
{
	struct builder *b = s->b->all;
	const char *run = b->w->paths->run;
	static const struct cgroup_limits limits = { .pids_max = PIDS_LIMIT_DEFAULT };
	int r = 0;

	if (!b->group_made) {
		b->group = strcmp(run, "/run/ctrcompose") == 0
				   ? xasprintf("ctrcompose/build-%d", getpid())
				   : xasprintf("ctrcompose-%08x/build-%d", (unsigned)str_hash(run),
					       getpid());
		r = cgroup_group(b->cgroups, b->group, CGROUP_DEVICES_DEFAULT, err);
		b->group_made = r == 0;
	}
	if (r < 0)
		return r;
	s->run->cgroup = xasprintf("%s/%u", b->group, b->names);
	return cgroup_create(b->cgroups, s->run->cgroup, &limits, &s->run->cg, err);
}

/* ---- --mount ---------------------------------------------------------------------------------- */
struct mount {
	const char *type, *target, *source, *from, *id, *env, *size;
	bool write, required, has_write;
	unsigned mode, uid, gid;
};

static int read_number(const char *text, int base, unsigned *out, struct err *err)
{
	char *end;
	unsigned long v = strtoul(text, &end, base);

	if (!*text || *end || v > UINT32_MAX)
		return err_set(err, EINVAL, "--mount: '%s' is not a number", text);
	*out = (unsigned)v;
	return 0;
}

static int mount_option(struct mount *m, char *word, struct err *err)
{
	char *eq = strchr(word, '=');
	const char *v = eq ? eq + 1 : "true";
	const struct {
		const char *name;
		const char **field;
	} texts[] = {
		{"type",         &m->type  },
                { "target",      &m->target},
                { "dst",         &m->target},
		{ "destination", &m->target},
                { "source",      &m->source},
                { "src",         &m->source},
		{ "from",        &m->from  },
                { "id",          &m->id    },
                { "env",         &m->env   },
		{ "size",        &m->size  },
	};

	if (eq)
		*eq = '\0';
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(word, texts[i].name) == 0) {
			*texts[i].field = v;
			return 0;
		}
	if (strcmp(word, "rw") == 0 || strcmp(word, "readwrite") == 0)
		m->write = strcmp(v, "true") == 0, m->has_write = true;
	else if (strcmp(word, "ro") == 0 || strcmp(word, "readonly") == 0)
		m->write = strcmp(v, "true") != 0, m->has_write = true;
	else if (strcmp(word, "required") == 0)
		m->required = strcmp(v, "true") == 0;
	else if (strcmp(word, "mode") == 0)
		return read_number(v, 8, &m->mode, err);
	else if (strcmp(word, "uid") == 0)
		return read_number(v, 10, &m->uid, err);
	else if (strcmp(word, "gid") == 0)
		return read_number(v, 10, &m->gid, err);
	else if (strcmp(word, "sharing") != 0 || strcmp(v, "shared") != 0)
		return err_set(err, ENOTSUP, "--mount does not know '%s%s%s'", word, eq ? "=" : "",
			       eq ? v : "");
	return 0;
}

static int mount_read(struct stage *s, const char *text, struct mount *m, struct err *err)
{
	auto_free char *value = NULL;
	char *copy, *save = NULL;
	int r = stage_expand(s, text, false, &value, err);

	if (r < 0)
		return r;
	*m = (struct mount){ .type = "bind" };
	copy = arena_strdup(&s->run->arena, value);
	for (char *w = strtok_r(copy, ",", &save); r == 0 && w; w = strtok_r(NULL, ",", &save))
		r = mount_option(m, w, err);
	if (r < 0)
		return r;
	if (m->target && *m->target != '/') {
		auto_free char *joined = path_join(config_text(s, "WorkingDir", "/"), m->target);

		m->target = arena_strdup(&s->run->arena, joined);
	}
	if (!m->target && strcmp(m->type, "secret") == 0)
		m->target = arena_printf(&s->run->arena, "/run/secrets/%s", m->id ? m->id : "");
	return m->target ? 0 : err_set(err, EINVAL, "--mount=%s needs a target", text);
}

static struct box_mount *add_mount(struct run *r, const char *target)
{
	struct box_mount *b = &r->mounts[r->spec.n_mounts++];

	*b = (struct box_mount){ .target = target, .fd = -1 };
	return b;
}

/* What a bind shows is put together as a COPY would, so that .dockerignore holds for it as well and
 * owners are the container's. Writes to it are not kept. */
static int mount_bind(struct stage *s, const struct mount *m, struct err *err)
{
	struct builder *b = s->b->all;
	char *path = arena_strdup(&s->run->arena, m->source ? m->source : "/");
	struct source src;
	struct stage none = { .b = s->b };
	struct copy c = { .src = &src, .mode = -1, .dest = "/tree", .paths = &path, .n = 1 };
	struct new_root root = { .fd = -1 };
	auto_free char *at = NULL;
	struct rootfs_bind bind = { .dirfd = AT_FDCWD, .userns_fd = -1, .read_only = !m->write };
	int r = build_source_open(s, m->from, &src, err), fd;

	if (r < 0)
		return r;
	r = root_open(&none, false, &root, err);
	if (r == 0)
		r = copy_write(&c, root.fd, err);
	build_source_close(&src);
	auto_close_fn(&root.fd);
	if (r < 0)
		return r;
	at = xasprintf("%s/%s/%s/tree", b->view ? b->view : b->w->paths->state,
		       image_work_name(b->work), root.name);
	bind.path = at;
	fd = rootfs_bind(&bind, err);
	add_mount(s->run, m->target)->fd = fd;
	return fd < 0 ? fd : 0;
}

static int mount_cache(struct stage *s, const struct mount *m, struct err *err)
{
	struct builder *b = s->b->all;
	char hex[DIGEST_HEX];
	auto_free char *name = NULL, *real = NULL, *at = NULL;
	struct rootfs_bind bind = { .dirfd = AT_FDCWD,
				    .userns_fd = -1,
				    .read_only = m->has_write && !m->write };
	const char *id = m->id ? m->id : m->target;
	int fd, r;

	if (m->from || m->source)
		return err_set(err, ENOTSUP,
			       "--mount=type=cache can't begin with the content of another");
	digest_text(id, strlen(id), hex);
	name = xasprintf("images/mounts/%s", hex);
	real = path_join(b->w->paths->state, name);
	r = path_mkdirs(real, 0755);
	if (r < 0 || chown(real, m->uid, m->gid) < 0 || chmod(real, m->mode ? m->mode : 0755) < 0)
		return err_errno(err, "make %s", real);
	at = path_join(b->view ? b->view : b->w->paths->state, name);
	bind.path = at;
	fd = rootfs_bind(&bind, err);
	add_mount(s->run, m->target)->fd = fd;
	return fd < 0 ? fd : 0;
}

static int mount_tmpfs(struct stage *s, const struct mount *m, struct err *err)
{
	(void)err;
	add_mount(s->run, m->target)->tmpfs =
		m->size ? arena_printf(&s->run->arena, "size=%s", m->size) : "";
	return 0;
}

static const struct build_secret *secret_of(const struct stage *s, const char *id)
{
	for (size_t i = 0; id && i < s->b->req->n_secrets; i++)
		if (strcmp(s->b->req->secrets[i].id, id) == 0)
			return &s->b->req->secrets[i];
	return NULL;
}

static int mount_secret(struct stage *s, const struct mount *m, struct err *err)
{
	const char *id = m->id ? m->id : strrchr(m->target, '/') + 1;
	const struct build_secret *secret = secret_of(s, id);

	if (!secret)
		return m->required ? err_set(err, ENOENT, "the build has no secret '%s'", id) : 0;
	if (m->env)
		strs_addf(&s->run->env, "%s=%.*s", m->env, (int)secret->len, secret->data);
	else
		s->run->files[s->run->spec.n_files++] =
			(struct box_file){ .target = m->target,
					   .data = secret->data,
					   .len = secret->len,
					   .mode = m->mode ? m->mode : 0400,
					   .uid = m->uid,
					   .gid = m->gid,
					   .read_only = true };
	return 0;
}

static const struct {
	const char *type;
	int (*make)(struct stage *s, const struct mount *m, struct err *err);
} mount_types[] = {
	{"bind",    mount_bind  },
	{ "cache",  mount_cache },
	{ "tmpfs",  mount_tmpfs },
	{ "secret", mount_secret},
};

static int each_mount(struct stage *s, const struct df_instruction *in,
		      int (*fn)(struct stage *, const struct mount *, void *, struct err *),
		      void *arg, struct err *err)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < in->n_flags; i++) {
		struct mount m;

		if (strcmp(in->flags[i].key, "mount") != 0)
			continue;
		if (++n > MOUNTS_MAX)
			return err_set(err, E2BIG, "more than %d mounts", MOUNTS_MAX);
		r = mount_read(s, in->flags[i].value ? in->flags[i].value : "", &m, err);
		if (r == 0)
			r = fn(s, &m, arg, err);
	}
	return r;
}

static int make_mount(struct stage *s, const struct mount *m, void *arg, struct err *err)
{
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(mount_types); i++)
		if (strcmp(m->type, mount_types[i].type) == 0) {
			strs_add(&s->run->stubs, m->target);
			return mount_types[i].make(s, m, err);
		}
	return err_set(err, ENOTSUP, "--mount=type=%s is not known", m->type);
}

/* The content of a bind counts; of caches and secrets only that they are there. */
static int key_mount(struct stage *s, const struct mount *m, void *arg, struct err *err)
{
	char *path = arena_strdup(&s->run->arena, m->source ? m->source : "/");
	struct source src;
	struct copy c = { .src = &src, .mode = -1, .dest = "/tree", .paths = &path, .n = 1 };
	int r;

	if (strcmp(m->type, "bind") != 0)
		return 0;
	r = build_source_open(s, m->from, &src, err);
	if (r == 0)
		r = copy_digest(&c, arg, err);
	build_source_close(&src);
	return r;
}

/* ---- The command ------------------------------------------------------------------------------ */
static const char *script(struct run *r, const struct df_instruction *in)
{
	auto_sbuf struct sbuf text = SBUF_INIT;

	if (in->n_docs == 1 && str_starts(in->text, "<<") && !strpbrk(in->text, " \t"))
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
	for (size_t i = 0; i < s->shell.n; i++)
		argv[n++] = s->shell.v[i];
	if (n == 0) {
		argv[n++] = "/bin/sh";
		argv[n++] = "-c";
	}
	argv[n] = script(r, in);
	return argv;
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

static int run_key(struct stage *s, const struct df_instruction *in, const char *network,
		   struct err *err)
{
	struct run *run = s->run;
	struct digest *d = digest_new();
	const char *const *argv = run->spec.process.argv;
	int r;

	stage_chain(s, d);
	key_add(d, "run");
	for (size_t i = 0; argv[i]; i++)
		key_add(d, argv[i]);
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
	r = each_mount(s, in, key_mount, d, err);
	digest_end(d, run->key);
	return r;
}

/* ---- Mount points ----------------------------------------------------------------------------- */
/* Of the paths where something is mounted, those that the image does not have, with their parents:
 * they are made for the mount and do not belong to the layer. */
static void find_stubs(struct run *r)
{
	static const char *const always[] = { "/etc/hosts",    "/etc/resolv.conf",
					      "/etc/hostname", "/dev",
					      "/proc",         "/sys" };
	auto_strs struct strs wanted = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		strs_add(&wanted, always[i]);
	for (size_t i = 0; i < r->stubs.n; i++)
		strs_add(&wanted, r->stubs.v[i]);
	strs_clear(&r->stubs);
	for (size_t i = 0; i < wanted.n; i++) {
		auto_free char *path = path_clean(wanted.v[i]);

		for (char *end = path + 1; *end; end++) {
			char kept;
			int fd;

			end += strcspn(end, "/");
			kept = *end;
			*end = '\0';
			fd = path_open_in(r->root.fd, path, O_PATH, 0);
			if (fd == -ENOENT)
				strs_add(&r->stubs, path);
			auto_close_fn(&fd);
			*end = kept;
			if (!kept)
				break;
		}
	}
}

static void remove_stubs(struct run *r)
{
	auto_close int upper = openat(image_work_fd(r->root.all->work), r->root.name,
				      O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = r->stubs.n; upper >= 0 && i-- > 0;) {
		auto_free char *folder = xstrdup(r->stubs.v[i]);
		char *slash = strrchr(folder, '/');
		auto_close int dir = -1;
		struct stat st;

		*slash = '\0';
		dir = path_open_in(upper, *folder ? folder : "/", O_PATH | O_DIRECTORY, 0);
		if (dir < 0 || fstatat(dir, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			(void)unlinkat(dir, slash + 1, AT_REMOVEDIR); /* only when empty */
		else if (S_ISREG(st.st_mode) && st.st_size == 0)
			(void)unlinkat(dir, slash + 1, 0);
	}
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

static void add_files(struct run *r, bool network)
{
	static const char hosts[] = "127.0.0.1\tlocalhost\n::1\tlocalhost\n";
	char *resolv = NULL;
	size_t len = 0;

	r->files[r->spec.n_files++] = (struct box_file){
		.target = "/etc/hosts", .data = hosts, .len = strlen(hosts), .mode = 0644
	};
	if (network && file_read(AT_FDCWD, "/etc/resolv.conf", 65536, &resolv, &len) == 0)
		r->files[r->spec.n_files++] =
			(struct box_file){ .target = "/etc/resolv.conf",
					   .data = arena_strdup(&r->arena, resolv),
					   .len = len,
					   .mode = 0644 };
	free(resolv);
}

static int create(struct stage *s, const char *network, struct err *err)
{
	struct run *run = s->run;
	struct box_spec *spec = &run->spec;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	run->out = fds[0];
	(void)fd_nonblock(run->out, true);
	spec->hostname = "buildkitsandbox";
	spec->net = strcmp(network, "none") == 0 ? BOX_NET_NONE : BOX_NET_HOST;
	spec->root_fd = run->root.fd;
	spec->uid_base = s->b->all->view ? s->b->all->uid_base : 0;
	spec->shm_size = s->b->req->shm_size;
	spec->mounts = run->mounts;
	spec->files = run->files;
	spec->process.env = (const char *const *)(uintptr_t)run->env.v;
	spec->process.cwd = config_text(s, "WorkingDir", "/");
	spec->process.user = config_text(s, "User", NULL);
	spec->process.seccomp = box_seccomp(spec->process.caps);
	spec->process.stdout_fd = spec->process.stderr_fd = fds[1];
	spec->process.tasks_fds = run->cg.tasks_fds;
	spec->process.n_tasks = run->cg.n_tasks;
	spec->process.v2_dirfd = run->cg.v2_dirfd;
	r = box_create(spec, &run->box, err);
	(void)close(fds[1]);
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
	int r = root_open(s, true, &run->root, err);

	if (r == 0)
		r = make_group(s, err);
	if (r == 0)
		r = each_mount(s, in, make_mount, NULL, err);
	if (r < 0)
		return r;
	add_files(run, strcmp(network, "none") != 0);
	find_stubs(run);
	return create(s, network, err);
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
	if (r == 0 && security && strcmp(security, "sandbox") != 0)
		r = err_set(err, ENOTSUP, "--security=%s is not allowed", security);
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
	remove_stubs(run);
	r = root_keep(s, &run->root, run->key, err);
	if (r == 0)
		config_history(s, run->source, false);
	return r;
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
