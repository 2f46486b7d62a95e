/* sections.c - build sections of the project as requests to the builder; see building.h */
#include "images/building.h"

#include <ctrcompose/yaml.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SECRET_MAX = 500 << 10 };

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

/* "service:NAME" is the image of that service; the folder of a layout is below the project's. */
static int name_images(struct arena *a, const struct project *p, struct kvs *contexts,
		       struct err *err)
{
	static const char layout[] = "oci-layout://";

	for (size_t i = 0; i < contexts->n; i++) {
		struct kv *kv = &contexts->v[i];
		const struct service *svc;

		if (kv->value && str_starts(kv->value, layout) && kv->value[strlen(layout)] != '/')
			kv->value = arena_printf(a, "%s%s/%s", layout, p->working_dir,
						 kv->value + strlen(layout));
		if (!kv->value || !str_starts(kv->value, "service:"))
			continue;
		svc = project_service(p, kv->value + strlen("service:"));
		if (!svc) {
			char *const words[] = { (char *)(uintptr_t)kv->value + strlen("service:"),
						NULL };
			int r = cmd_check_services(words, p, NULL, err);

			return err_wrap(err, r, "additional_contexts.%s", kv->key);
		}
		kv->value = arena_printf(a, "docker-image://%s", svc->image);
	}
	return 0;
}

/* A variable as interpolation sees it: of the environment, --env-file, .env. NULL: there is none. */
static const char *variable(struct arena *a, const char *name)
{
	auto_strs struct strs all = { 0 };
	struct compose_options opt;
	size_t n = strlen(name);

	cmd_compose_options(a, NULL, &opt);
	if (compose_environment(&opt, &all, NULL) < 0)
		return getenv(name);
	for (size_t i = 0; i < all.n; i++)
		if (strncmp(all.v[i], name, n) == 0 && all.v[i][n] == '=')
			return arena_strdup(a, all.v[i] + n + 1);
	return NULL;
}

/* --build-arg goes before what the file says. */
static void add_args(struct kvs *l, struct arena *a, const struct strs *more)
{
	for (size_t i = 0; more && i < more->n; i++) {
		char *eq = strchr(more->v[i], '=');
		const char *key =
			eq ? arena_strndup(a, more->v[i], (size_t)(eq - more->v[i])) : more->v[i];
		const char *value = eq ? eq + 1 : variable(a, key);
		size_t k = 0;

		while (k < l->n && strcmp(l->v[k].key, key) != 0)
			k++;
		if (value)
			l->v[k] = (struct kv){ key, value };
		l->n += value && k == l->n;
	}
}

struct secret_source build_secret_source(const struct project *p, const struct yaml_node *ref)
{
	const char *source = yaml_str(yaml_get(ref, "source"));
	const char *target = yaml_str(yaml_get(ref, "target"));
	const struct yaml_node *def;

	source = source ? source : "";
	def = yaml_get(yaml_get(p->tree, "secrets"), source);
	return (struct secret_source){ .id = target && *target != '/' ? target : source,
				       .source = source,
				       .file = yaml_str(yaml_get(def, "file")),
				       .env = yaml_str(yaml_get(def, "environment")) };
}

static int read_secret(struct build_requests *rq, const struct project *p,
		       const struct yaml_node *ref, struct build_secret *out, struct err *err)
{
	struct secret_source s = build_secret_source(p, ref);
	const char *value = s.env ? variable(&rq->arena, s.env) : NULL;
	auto_free char *text = value ? xstrdup(value) : NULL;
	size_t len = text ? strlen(text) : 0;
	int r = 0;

	if (!text && s.file)
		r = file_read(AT_FDCWD, s.file, SECRET_MAX, &text, &len);
	else if (!text && s.env)
		return err_set(err, ENOENT, "secret %s: environment variable %s is not set",
			       s.source, s.env);
	else if (!text)
		r = -ENOENT;
	if (r < 0)
		return err_set(err, r, "secret %s: %s", s.source, strerror(-r));
	out->id = s.id;
	out->data = memcpy(arena_alloc(&rq->arena, len + 1), text, len);
	out->len = len;
	return 0;
}

/* "default" is the agent of whoever calls, "id=path" one by its socket. */
static int check_agent(const char *text, const char *path, struct err *err)
{
	struct stat st;

	if (!path || !*path)
		return err_set(err, ENOENT, "ssh %s: no agent is there: SSH_AUTH_SOCK is not set",
			       text);
	if (stat(path, &st) < 0)
		return err_errno(err, "ssh %s: %s", text, path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ENOTSUP,
			       "ssh %s: %s is not the socket of an agent: add the key to one with "
			       "ssh-add, and name its socket",
			       text, path);
	return 0;
}

static int add_agent(struct arena *a, struct kvs *l, const char *text, bool only_read,
		     struct err *err)
{
	const char *eq = strchr(text, '=');
	const char *path = eq && eq[1] ? eq + 1 : NULL;
	size_t k = 0;
	int r;

	if (!path && !only_read)
		path = getenv("SSH_AUTH_SOCK");
	r = only_read ? 0 : check_agent(text, path, err);
	if (r < 0)
		return r;
	text = arena_strndup(a, text, eq ? (size_t)(eq - text) : strlen(text));
	while (k < l->n && strcmp(l->v[k].key, text) != 0)
		k++;
	l->v[k] = (struct kv){ text, path ? arena_strdup(a, path) : NULL };
	l->n += k == l->n;
	return 0;
}

static int read_agents(struct arena *a, const struct yaml_node *n, const struct build_how *how,
		       struct kvs *out, struct err *err)
{
	const struct strs *more = how->ssh;
	size_t count = n && n->type == YAML_LIST ? n->m.n : 0, n_more = more ? more->n : 0;
	int r = 0;

	*out = (struct kvs){ .v = arena_array(a, count + n_more + 1, sizeof(*out->v)) };
	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *text = yaml_text(a, n->m.v[i].value);

		r = add_agent(a, out, text ? text : "", how->only_read, err);
	}
	for (size_t i = 0; r == 0 && i < n_more; i++)
		r = add_agent(a, out, more->v[i], how->only_read, err);
	return r;
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
static int read_runs(struct build_requests *rq, const struct yaml_node *n,
		     const struct build_how *how, struct build_request *out, struct err *err)
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

static int read_cache(struct arena *a, const struct project *p, const struct yaml_node *n, bool to,
		      struct build_cache *out, struct err *err)
{
	const char *text = yaml_text(a, n);
	int r = build_cache_parse(a, text ? text : "", to, out, err);

	if (r < 0)
		return err_wrap(err, r, "%s:%u:%u: build.cache_%s", n->file ? n->file : "", n->line,
				n->col, to ? "to" : "from");
	if (out->type == BUILD_CACHE_LOCAL && *out->where != '/') {
		auto_free char *path = path_join(p->working_dir, out->where);

		out->where = arena_strdup(a, path);
	}
	return 0;
}

static int read_caches(struct arena *a, const struct project *p, const struct yaml_node *build,
		       bool only_read, struct build_request *out, struct err *err)
{
	const struct yaml_node *from = yaml_get(build, "cache_from"),
			       *to = yaml_get(build, "cache_to");
	size_t n_from = from ? from->m.n : 0, n_to = to ? to->m.n : 0;
	int r = 0;

	out->cache_from = arena_array(a, n_from + 1, sizeof(*out->cache_from));
	out->cache_to = arena_array(a, n_to + 1, sizeof(*out->cache_to));
	for (size_t i = 0; r == 0 && i < n_from; i++) {
		struct build_cache *c = &out->cache_from[out->n_cache_from++];

		r = read_cache(a, p, from->m.v[i].value, false, c, err);
		if (r == 0 && c->type == BUILD_CACHE_OTHER && !only_read)
			cmd_warn("service %s: nothing is taken of cache_from '%s': only "
				 "type=local,src=FOLDER and type=registry,ref=NAME are read",
				 out->name, yaml_text(a, from->m.v[i].value));
	}
	for (size_t i = 0; r == 0 && i < n_to; i++)
		r = read_cache(a, p, to->m.v[i].value, true, &out->cache_to[out->n_cache_to++],
			       err);
	return r;
}

static int check_platform(const struct yaml_node *n, const char *key, struct err *err)
{
	const char *p = yaml_str(n);

	return !p || build_platform_ok(p)
		       ? 0
		       : err_set(err, ENOTSUP,
				 "%s:%u:%u: %s: %s: only this machine's own, %s, is built",
				 n->file ? n->file : "", n->line, n->col, key, p, build_platform());
}

static int check_platforms(const struct yaml_node *n, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && n && i < n->m.n; i++)
		r = check_platform(n->m.v[i].value, "build.platforms", err);
	return r;
}

static int read_section(struct build_requests *rq, const struct project *p,
			const struct service *svc, const struct yaml_node *n,
			const struct build_how *how, struct build_request *out, struct err *err)
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
		.pull = how->pull || is_true(yaml_get(n, "pull")),
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
		r = check_platform(compose_section(p, svc->name, "platform"), "platform", err);
	if (r == 0)
		r = name_images(a, p, &out->contexts, err);
	if (r == 0)
		r = read_caches(a, p, n, how->only_read, out, err);
	if (r == 0)
		r = read_runs(rq, n, how, out, err);
	if (r == 0)
		r = read_agents(a, yaml_get(n, "ssh"), how, &out->ssh, err);
	add_args(&out->args, a, how->args);
	out->tags.v[out->tags.n++] = svc->image;
	for (size_t i = 0; r == 0 && !how->only_read && i < n_secrets; i++)
		r = read_secret(rq, p, secrets->m.v[i].value, &out->secrets[out->n_secrets++], err);
	return r < 0 ? err_wrap(err, r, "service %s", svc->name) : 0;
}

static bool has_image(struct image_store *s, const char *ref)
{
	auto_image struct image *img = NULL;

	return image_find(s, ref, &img, NULL) == 0;
}

/* Services whose images others have as a context are built with them. */
static void add_contexts(const struct project *p, bool *wanted)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < p->n_services; i++) {
			const struct yaml_node *map =
				yaml_get(compose_section(p, p->services[i].name, "build"),
					 "additional_contexts");

			for (size_t k = 0; wanted[i] && map && k < map->m.n; k++) {
				const char *s = yaml_str(map->m.v[k].value);
				const struct service *svc =
					s && str_starts(s, "service:")
						? project_service(p, s + strlen("service:"))
						: NULL;

				if (!svc || wanted[svc - p->services])
					continue;
				wanted[svc - p->services] = more = true;
			}
		}
	}
}

/* With "pull_policy: build" it is made anew in any case. */
static void drop_present(const struct project *p, struct image_store *store, bool *wanted)
{
	for (size_t i = 0; i < p->n_services; i++)
		wanted[i] = wanted[i] && compose_section(p, p->services[i].name, "build") &&
			    (str_eq(p->services[i].pull_policy, "build") ||
			     !has_image(store, p->services[i].image));
}

int build_collect(struct build_requests *rq, const struct project *p, struct image_store *store,
		  const struct build_how *how, struct err *err)
{
	auto_free bool *wanted = xcalloc(p->n_services + 1, sizeof(bool));
	int r = 0;

	for (size_t i = 0; i < p->n_services; i++)
		wanted[i] = how->deps ? project_needs(p, how->services, p->services[i].name)
				      : cmd_wants(how->services, p->services[i].name);
	if (how->only_missing)
		drop_present(p, store, wanted);
	add_contexts(p, wanted);
	if (how->only_missing)
		drop_present(p, store, wanted);
	rq->v = arena_array(&rq->arena, p->n_services + 1, sizeof(*rq->v));
	for (size_t i = 0; r == 0 && i < p->n_services; i++) {
		const struct service *svc = &p->services[i];
		const struct yaml_node *n = compose_section(p, svc->name, "build");

		if (n && wanted[i])
			r = read_section(rq, p, svc, n, how, &rq->v[rq->n++], err);
	}
	return r;
}
