/* building.c - build sections of the project, carried out in a process of its own; see building.h */
#include "building.h"
#include "store.h"

#include <ctrcompose/build.h>
#include <ctrcompose/digest.h>
#include <ctrcompose/yaml.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECRET_MAX = 500 << 10 };

struct requests {
	struct arena arena;
	struct build_request *v;
	size_t n;
};

/* ---- Sections of the file --------------------------------------------------------------------- */
static struct list words(struct arena *a, const struct yaml_node *n)
{
	size_t count = n && n->type == YAML_LIST ? n->m.n : 0;
	struct list l = { .v = arena_array(a, count + 2, sizeof(*l.v)) };

	for (size_t i = 0; i < count; i++)
		l.v[l.n++] = yaml_text(a, n->m.v[i].value);
	return l;
}

static struct kvs pairs(struct arena *a, const struct yaml_node *n, size_t more)
{
	size_t count = n && n->type == YAML_MAP ? n->m.n : 0;
	struct kvs l = { .v = arena_array(a, count + more + 1, sizeof(*l.v)) };

	for (size_t i = 0; i < count; i++)
		l.v[l.n++] = (struct kv){ n->m.v[i].key, yaml_text(a, n->m.v[i].value) };
	return l;
}

/* --build-arg goes before what the file says. */
static void add_args(struct kvs *l, struct arena *a, const struct strs *more)
{
	for (size_t i = 0; more && i < more->n; i++) {
		char *eq = strchr(more->v[i], '=');
		const char *key =
			eq ? arena_strndup(a, more->v[i], (size_t)(eq - more->v[i])) : more->v[i];
		const char *value = eq ? eq + 1 : getenv(key);
		size_t k = 0;

		while (k < l->n && strcmp(l->v[k].key, key) != 0)
			k++;
		if (value)
			l->v[k] = (struct kv){ key, value };
		l->n += value && k == l->n;
	}
}

static int read_secret(struct requests *rq, const struct project *p, const struct yaml_node *ref,
		       struct build_secret *out, struct err *err)
{
	const char *source = yaml_str(yaml_get(ref, "source"));
	const char *target = yaml_str(yaml_get(ref, "target"));
	const struct yaml_node *def = yaml_get(yaml_get(p->tree, "secrets"), source ? source : "");
	const char *file = yaml_str(yaml_get(def, "file"));
	const char *env = yaml_str(yaml_get(def, "environment"));
	auto_free char *text = NULL;
	size_t len = 0;
	int r = 0;

	if (file)
		r = file_read(AT_FDCWD, file, SECRET_MAX, &text, &len);
	else if (env && getenv(env))
		text = xstrdup(getenv(env)), len = strlen(text);
	else
		r = -ENOENT;
	if (r < 0)
		return err_set(err, r, "secret %s: %s", source ? source : "", strerror(-r));
	out->id = target && *target != '/' ? target : source;
	out->data = memcpy(arena_alloc(&rq->arena, len + 1), text, len);
	out->len = len;
	return 0;
}

static bool is_true(const struct yaml_node *n)
{
	return n && n->type == YAML_BOOL && n->b;
}

static int64_t limit_of(const struct yaml_node *n, const char *half)
{
	const struct yaml_node *v = n->type == YAML_MAP ? yaml_get(n, half) : n;

	return v && v->type == YAML_INT ? v->i : 0;
}

/* How its RUNs run. */
static int read_runs(struct requests *rq, const struct yaml_node *n, const struct build_how *how,
		     struct build_request *out, struct err *err)
{
	const struct yaml_node *limits = yaml_get(n, "ulimits"),
			       *hosts = yaml_get(n, "extra_hosts");
	const struct yaml_node *more = yaml_get(n, "entitlements");
	size_t n_limits = limits ? limits->m.n : 0, n_hosts = hosts ? hosts->m.n : 0;
	struct box_rlimit *v = arena_array(&rq->arena, n_limits + 1, sizeof(*v));
	struct kv *kv = arena_array(&rq->arena, n_hosts + 1, sizeof(*kv));

	out->memory = how->memory;
	out->insecure = is_true(yaml_get(n, "privileged"));
	for (size_t i = 0; more && i < more->m.n; i++)
		out->insecure |= str_eq(yaml_str(more->m.v[i].value), "security.insecure");
	for (size_t i = 0; i < n_limits; i++) {
		const struct yaml_node *l = limits->m.v[i].value;
		int r = box_rlimit_from(limits->m.v[i].key, limit_of(l, "soft"),
					limit_of(l, "hard"), &v[i], err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n_hosts; i++) {
		const char *whole = yaml_text(&rq->arena, hosts->m.v[i].value);
		char *text = arena_strdup(&rq->arena, whole ? whole : ""), *eq = strchr(text, '=');

		if (!eq)
			return err_set(err, EINVAL, "extra_hosts: '%s' is not HOST=ADDRESS", text);
		*eq = '\0';
		kv[i] = (struct kv){ text, eq + 1 };
	}
	out->rlimits = v;
	out->n_rlimits = n_limits;
	out->extra_hosts = (struct kvs){ .v = kv, .n = n_hosts };
	return 0;
}

static int check_platforms(const struct yaml_node *n, struct err *err)
{
	for (size_t i = 0; n && i < n->m.n; i++) {
		const char *p = yaml_str(n->m.v[i].value);

		if (p && !build_platform_ok(p))
			return err_set(
				err, ENOTSUP,
				"%s:%u:%u: build.platforms: %s: only this machine's own, %s, "
				"is built",
				n->m.v[i].value->file ? n->m.v[i].value->file : "",
				n->m.v[i].value->line, n->m.v[i].value->col, p, build_platform());
	}
	return 0;
}

static int read_section(struct requests *rq, const struct project *p, const struct service *svc,
			const struct yaml_node *n, const struct build_how *how,
			struct build_request *out, struct err *err)
{
	struct arena *a = &rq->arena;
	const struct yaml_node *secrets = yaml_get(n, "secrets"), *shm = yaml_get(n, "shm_size");
	size_t n_secrets = secrets && secrets->type == YAML_LIST ? secrets->m.n : 0;
	size_t more = how->args ? how->args->n : 0;
	int r = 0;

	*out = (struct build_request){
		.name = svc->name,
		.context = yaml_str(yaml_get(n, "context")),
		.dockerfile = yaml_str_at(n, "dockerfile"),
		.inline_text = yaml_str(yaml_get(n, "dockerfile_inline")),
		.target = yaml_str(yaml_get(n, "target")),
		.network = yaml_str(yaml_get(n, "network")),
		.args = pairs(a, yaml_get(n, "args"), more),
		.labels = pairs(a, yaml_get(n, "labels"), 0),
		.contexts = pairs(a, yaml_get(n, "additional_contexts"), 0),
		.tags = words(a, yaml_get(n, "tags")),
		.secrets = arena_array(a, n_secrets + 1, sizeof(struct build_secret)),
		.no_cache_stages = words(a, yaml_get(n, "no_cache_filter")),
		.no_cache = how->no_cache || is_true(yaml_get(n, "no_cache")),
	};
	if (!out->context)
		return err_set(err, EINVAL, "service %s: build has no context", svc->name);
	if (shm && shm->type == YAML_INT && shm->i > 0)
		out->shm_size = (uint64_t)shm->i;
	else if (yaml_str(shm))
		r = parse_bytes(yaml_str(shm), &out->shm_size);
	if (r < 0)
		return err_set(err, r, "service %s: build.shm_size", svc->name);
	r = check_platforms(yaml_get(n, "platforms"), err);
	if (r == 0)
		r = read_runs(rq, n, how, out, err);
	add_args(&out->args, a, how->args);
	out->tags.v[out->tags.n++] = svc->image;
	for (size_t i = 0; r == 0 && i < n_secrets; i++)
		r = read_secret(rq, p, secrets->m.v[i].value, &out->secrets[out->n_secrets++], err);
	return r < 0 ? err_wrap(err, r, "service %s", svc->name) : 0;
}

static const struct yaml_node *section_of(const struct project *p, const char *service)
{
	return yaml_get(yaml_get(yaml_get(p->tree, "services"), service), "build");
}

static bool has_image(struct image_store *s, const char *ref)
{
	auto_image struct image *img = NULL;

	return image_find(s, ref, &img, NULL) == 0;
}

static int collect(struct requests *rq, const struct online *o, struct image_store *store,
		   const struct build_how *how, struct err *err)
{
	const struct project *p = o->project;
	int r = 0;

	rq->v = arena_array(&rq->arena, p->n_services + 1, sizeof(*rq->v));
	for (size_t i = 0; r == 0 && i < p->n_services; i++) {
		const struct service *svc = &p->services[i];
		const struct yaml_node *n = section_of(p, svc->name);

		if (!n ||
		    !(how->deps ? project_needs(p, how->services, svc->name)
				: cmd_wants(how->services, svc->name)) ||
		    (how->only_missing && has_image(store, svc->image)))
			continue;
		r = read_section(rq, p, svc, n, how, &rq->v[rq->n++], err);
	}
	return r;
}

/* ---- What is shown ---------------------------------------------------------------------------- */
struct screen {
	struct progress *lines; /* NULL: plain text */
	bool quiet;
	struct
	{ /* by step: the beginning of a line that has no end yet, and what to show if it fails */
		struct sbuf *v;
		size_t n, cap;
	} said;
};

static struct sbuf *said(struct screen *s, unsigned step)
{
	while (s->said.n <= step)
		(void)vec_push(&s->said);
	return &s->said.v[step];
}

static void print_lines(unsigned step, struct sbuf *b, bool all)
{
	char *at = b->s, *nl;

	while (at && (nl = memchr(at, '\n', b->len - (size_t)(at - b->s)))) {
		(void)fprintf(stderr, "#%u %.*s\n", step, (int)(nl - at), at);
		at = nl + 1;
	}
	if (at && all && *at)
		(void)fprintf(stderr, "#%u %s\n", step, at);
	if (at && at > b->s) {
		size_t left = b->len - (size_t)(at - b->s);

		memmove(b->s, at, left + 1);
		b->len = left;
	}
}

static void plain(struct screen *s, const struct build_event *e)
{
	static const char *const ends[] = {
		[BUILD_CACHED] = "CACHED", [BUILD_DONE] = "DONE", [BUILD_FAILED] = "ERROR"
	};
	struct sbuf *b = said(s, e->step);

	if (e->kind == BUILD_STEP) {
		(void)fprintf(stderr, "#%u %s\n", e->step, e->title);
		return;
	}
	if (e->kind == BUILD_OUTPUT)
		sbuf_add(b, e->text, e->len);
	print_lines(e->step, b, e->kind != BUILD_OUTPUT);
	if (e->kind != BUILD_OUTPUT)
		(void)fprintf(stderr, "#%u %s\n", e->step, ends[e->kind]);
}

enum { KEPT_MAX = 64 << 10 };

static void on_event(void *arg, const struct build_event *e)
{
	struct screen *s = arg;
	struct sbuf *b;

	if (!s->lines && !s->quiet) {
		plain(s, e);
		return;
	}
	b = said(s, e->step);
	if (e->kind == BUILD_OUTPUT && b->len + e->len < KEPT_MAX)
		sbuf_add(b, e->text, e->len);
	if (e->kind == BUILD_FAILED && s->lines)
		progress_warn(s->lines, sbuf_str(b));
	else if (e->kind == BUILD_FAILED)
		(void)fputs(sbuf_str(b), stderr);
	if (s->lines && e->kind != BUILD_OUTPUT)
		progress_step(s->lines, "Image", e->name,
			      e->kind == BUILD_FAILED ? "Error" : "Building", e->title);
}

/* ---- In a process of its own ------------------------------------------------------------------ */
static int build_here(const struct online *o, struct image_store *store, const struct requests *rq,
		      bool quiet, struct err *err)
{
	auto_progress struct progress *lines = NULL;
	struct screen screen = { .quiet = quiet || str_eq(global.progress, "quiet") };
	char(*ids)[65] = xcalloc(rq->n + 1, sizeof(*ids));
	struct build_world w = { .paths = &o->paths,
				 .project = o->name,
				 .images = store,
				 .cancelled = &cmd_cancelled,
				 .event = on_event,
				 .arg = &screen };
	bool text = str_eq(global.progress, "plain") || !color_on(STDERR_FILENO);
	int r = 0;

	if (!screen.quiet && (!text || str_eq(global.progress, "json")))
		r = progress_open("Building", &lines, err);
	screen.lines = lines;
	if (r == 0)
		r = build_run(&w, rq->v, rq->n, ids, err);
	for (size_t i = 0; r == 0 && i < rq->n; i++) {
		if (lines)
			progress_step(lines, "Image", rq->v[i].tags.v[rq->v[i].tags.n - 1], "Built",
				      NULL);
		else if (!screen.quiet)
			(void)fprintf(stderr, " Image %s  Built\n",
				      rq->v[i].tags.v[rq->v[i].tags.n - 1]);
	}
	for (size_t i = 0; i < screen.said.n; i++)
		sbuf_clear(&screen.said.v[i]);
	free(screen.said.v);
	free(ids);
	return r;
}

/* Nobody waits for a build whose command was killed: its end of the pipe closes, which is a SIGTERM
 * for us. PR_SET_PDEATHSIG would be lost with the first change of the fsuid. */
static void end_with(int pipe_fd)
{
	char none;

	(void)fcntl(pipe_fd, F_SETOWN, getpid());
	(void)fcntl(pipe_fd, F_SETSIG, SIGTERM);
	(void)fcntl(pipe_fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	if (read(pipe_fd, &none, 1) == 0) /* it was killed before we asked */
		_exit(EXIT_INTERRUPTED);
}

/* Its mounts, and the change of its mount namespace, end with it. */
static int build_apart(const struct online *o, struct image_store *store, const struct requests *rq,
		       bool quiet, struct err *err)
{
	char text[4096];
	int fds[2], alive[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	if (pipe2(alive, O_CLOEXEC) < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return err_errno(err, "make a pipe");
	}
	cmd_catch_interrupts();
	pid = fork();
	if (pid == 0) {
		struct err why = ERR_INIT;
		int r;

		(void)close(alive[1]);
		end_with(alive[0]);
		r = build_here(o, store, rq, quiet, &why);
		if (r < 0)
			(void)fd_write_all(fds[1], err_text(&why), strlen(err_text(&why)));
		(void)fflush(stderr);
		_exit(r == 0 ? 0 : r == -EINTR ? EXIT_INTERRUPTED : 1);
	}
	(void)close(fds[1]);
	(void)close(alive[0]);
	/* A signal may be meant for this process alone: the builder has to hear of it. */
	do {
		n = pid < 0 ? -1 : read(fds[0], text, sizeof(text) - 1);
		if (n < 0 && pid > 0 && cmd_cancelled)
			(void)kill(pid, SIGINT);
	} while (n < 0 && pid > 0 && errno == EINTR);
	(void)close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)close(alive[1]);
	if (pid < 0)
		return err_errno(err, "make a process");
	if (status == 0)
		return 0;
	if (WIFSIGNALED(status))
		build_sweep(&o->paths);
	text[n > 0 ? n : 0] = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERRUPTED)
		return err_set(err, EINTR, "the build was interrupted");
	return err_set(err, EIO, "%s", *text ? text : "the build was killed");
}

int build_services(struct online *o, const struct build_how *how, size_t *built, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	struct requests rq = { 0 };
	int r = cmd_image_store(&store, err);

	if (r == 0)
		r = collect(&rq, o, store, how, err);
	if (built)
		*built = rq.n;
	build_sweep(&o->paths);
	if (r == 0 && rq.n)
		r = build_apart(o, store, &rq, how->quiet, err);
	arena_free(&rq.arena);
	return r;
}

/* The container was made of an image; another one is a reason to make it anew. */
int images_identify(struct online *o, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	int r = cmd_image_store(&store, err);

	for (size_t i = 0; r == 0 && i < o->project->n_services; i++) {
		struct service *svc = &o->project->services[i];
		auto_image struct image *img = NULL;
		auto_free char *both = NULL;

		if (!svc->image || image_find(store, svc->image, &img, NULL) < 0)
			continue;
		both = xasprintf("%s %s", svc->config_hash, img->id);
		digest_text(both, strlen(both), svc->config_hash);
	}
	return r;
}

int build_for_up(struct online *o, char *const *services, bool build, bool no_build, bool quiet,
		 struct err *err)
{
	struct build_how how = {
		.services = services, .deps = true, .only_missing = !build, .quiet = quiet
	};
	int r = 0;

	if (!no_build && !global.dry_run)
		r = build_services(o, &how, NULL, err);
	return r < 0 ? r : images_identify(o, err);
}
