/* normalize.c - what the files leave unsaid: names, the default network, implied dependencies,
 * values from the environment and from env_file; which services the profiles enable.
 */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

/* ---- Values from the environment */

static void resolve_pairs(struct load *l, struct yaml_node *pairs)
{
	if (!pairs || pairs->type != YAML_MAP)
		return;
	for (size_t i = 0; i < pairs->m.n; i++) {
		struct yaml_pair *p = &pairs->m.v[i];
		const char *v = p->value->type == YAML_NULL ? env_get(l->env, p->key) : NULL;

		if (v)
			p->value = yaml_new_str(l->a, v, p->value);
	}
}

void resolve_environment(struct load *l, struct yaml_node *tree)
{
	struct yaml_node *services = yaml_get(tree, "services");

	if (l->opt->no_env_resolution)
		return;
	for (size_t i = 0; services && i < services->m.n; i++) {
		struct yaml_node *s = services->m.v[i].value;

		resolve_pairs(l, yaml_get(s, "environment"));
		resolve_pairs(l, yaml_get(yaml_get(s, "build"), "args"));
	}
}

static bool is_false(const struct yaml_node *n)
{
	return n && n->type == YAML_BOOL && !n->b;
}

/* env_file below environment; *vars keeps the order of the files. */
static int read_env_files(struct load *l, const struct yaml_node *files, const char *key,
			  struct kvs *vars, struct err *err)
{
	for (size_t i = 0; i < files->m.n; i++) {
		const struct yaml_node *f = files->m.v[i].value;
		const char *path = yaml_str(f->type == YAML_MAP ? yaml_get(f, "path") : f);
		auto_err struct err why = ERR_INIT;
		int r;

		if (!path)
			continue;
		r = dotenv_read(l, path, yaml_get(f, "format") != NULL, l->env, vars, &why);
		if (r == -ENOENT && is_false(yaml_get(f, "required")))
			continue;
		if (r < 0)
			return err_set(err, -EINVAL, "%s:%u:%u: %s: %s", f->file, f->line, f->col,
				       key, err_text(&why));
	}
	return 0;
}

static int merge_files(struct load *l, struct yaml_node *service, const char *files_key,
		       const char *into, struct err *err)
{
	struct yaml_node *files = yaml_get(service, files_key), *own, *map;
	struct kvs vars = { 0 };
	int r;

	if (!files || files->type != YAML_LIST)
		return 0;
	r = read_env_files(l, files, files_key, &vars, err);
	if (r < 0)
		return r;
	own = yaml_get(service, into);
	map = yaml_new(l->a, YAML_MAP, own ? own : files);
	for (size_t i = 0; i < vars.n; i++)
		yaml_put(l->a, map, vars.v[i].key, yaml_new_str(l->a, vars.v[i].value, files));
	for (size_t i = 0; own && own->type == YAML_MAP && i < own->m.n; i++)
		yaml_put(l->a, map, own->m.v[i].key, own->m.v[i].value);
	yaml_remove(service, files_key);
	if (map->m.n || own)
		yaml_put(l->a, service, into, map);
	return 0;
}

int resolve_env_files(struct load *l, struct yaml_node *tree, struct err *err)
{
	struct yaml_node *services = yaml_get(tree, "services");

	for (size_t i = 0; services && i < services->m.n; i++) {
		struct yaml_node *s = services->m.v[i].value;
		int r = merge_files(l, s, "env_file", "environment", err);

		if (r == 0)
			r = merge_files(l, s, "label_file", "labels", err);
		if (r < 0)
			return err_wrap(err, r, "services.%s", services->m.v[i].key);
	}
	return 0;
}

/* ---- Defaults */

static void default_key(struct load *l, struct yaml_node *map, const char *key, const char *value)
{
	if (!yaml_get(map, key))
		yaml_put(l->a, map, key, yaml_new_str(l->a, value, map));
}

static void null_key(struct load *l, struct yaml_node *map, const char *key)
{
	if (!yaml_get(map, key))
		yaml_put(l->a, map, key, yaml_new(l->a, YAML_NULL, map));
}

static struct yaml_node *sub_map(struct load *l, struct yaml_node *map, const char *key)
{
	struct yaml_node *n = yaml_get(map, key);

	if (!n || n->type == YAML_NULL) {
		n = yaml_new(l->a, YAML_MAP, n ? n : map);
		yaml_put(l->a, map, key, n);
	}
	return n;
}

static void depend(struct load *l, struct yaml_node *service, const char *on, bool restart,
		   const struct yaml_node *why)
{
	struct yaml_node *deps = sub_map(l, service, "depends_on"), *dep;

	if (yaml_get(deps, on))
		return;
	dep = yaml_new(l->a, YAML_MAP, why);
	yaml_put(l->a, dep, "condition", yaml_new_str(l->a, "service_started", why));
	if (restart)
		yaml_put(l->a, dep, "restart", yaml_new_bool(l->a, true, why));
	yaml_put(l->a, dep, "required", yaml_new_bool(l->a, true, why));
	yaml_put(l->a, deps, on, dep);
}

static const char *before_colon(struct arena *a, const char *text)
{
	return arena_strndup(a, text, strcspn(text, ":"));
}

static void implied_dependencies(struct load *l, struct yaml_node *service)
{
	static const char *const spaces[] = { "network_mode", "ipc", "pid", "uts", "cgroup" };
	const struct yaml_node *links = yaml_get(service, "links");
	const struct yaml_node *from = yaml_get(service, "volumes_from");

	for (size_t i = 0; links && links->type == YAML_LIST && i < links->m.n; i++)
		depend(l, service, before_colon(l->a, links->m.v[i].value->s), true,
		       links->m.v[i].value);
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++) {
		const struct yaml_node *n = yaml_get(service, spaces[i]);
		const char *s = yaml_str(n);

		if (s && str_starts(s, "service:"))
			depend(l, service, s + strlen("service:"), true, n);
	}
	for (size_t i = 0; from && from->type == YAML_LIST && i < from->m.n; i++) {
		const char *s = yaml_str(from->m.v[i].value);

		if (s && !str_starts(s, "container:"))
			depend(l, service, before_colon(l->a, s), false, from->m.v[i].value);
	}
}

static void default_requests(struct load *l, struct yaml_node *list)
{
	for (size_t i = 0; list && list->type == YAML_LIST && i < list->m.n; i++) {
		struct yaml_node *r = list->m.v[i].value;

		if (!yaml_get(r, "count") && !yaml_get(r, "device_ids"))
			yaml_put(l->a, r, "count", yaml_new_int(l->a, -1, r));
	}
}

static void default_build(struct load *l, struct yaml_node *build)
{
	struct yaml_node *args = yaml_get(build, "args");
	auto_free char *clean = path_clean(l->dir);

	default_key(l, build, "context", arena_strdup(l->a, clean));
	if (!yaml_get(build, "dockerfile_inline"))
		default_key(l, build, "dockerfile", "Dockerfile");
	for (size_t i = 0; args && i < args->m.n;)
		if (args->m.v[i].value->type == YAML_NULL)
			yaml_remove_at(args, i);
		else
			i++;
}

static void normalize_service(struct load *l, struct yaml_node *s)
{
	struct yaml_node *n = yaml_get(s, "deploy");

	if (n && n->type == YAML_MAP) {
		struct yaml_node *res = sub_map(l, n, "resources");

		sub_map(l, n, "placement");
		default_requests(l, yaml_get(yaml_get(res, "reservations"), "devices"));
	}
	default_requests(l, yaml_get(s, "gpus"));
	n = yaml_get(s, "build");
	if (n)
		default_build(l, n);
	n = yaml_get(s, "secrets");
	for (size_t i = 0; n && n->type == YAML_LIST && i < n->m.n; i++) {
		struct yaml_node *ref = n->m.v[i].value;
		const char *source = yaml_str(yaml_get(ref, "source"));

		if (source)
			default_key(l, ref, "target",
				    arena_printf(l->a, "/run/secrets/%s", source));
	}
	n = yaml_get(yaml_get(s, "develop"), "watch");
	for (size_t i = 0; n && n->type == YAML_LIST && i < n->m.n; i++)
		null_key(l, sub_map(l, n->m.v[i].value, "exec"), "command");
	n = yaml_get(s, "pre_start");
	for (size_t i = 0; n && n->type == YAML_LIST && i < n->m.n; i++)
		if (yaml_str(yaml_get(s, "image")))
			default_key(l, n->m.v[i].value, "image", yaml_get(s, "image")->s);
	implied_dependencies(l, s);
	null_key(l, s, "command");
	null_key(l, s, "entrypoint");
}

static void default_network(struct load *l, struct yaml_node *tree,
			    const struct yaml_node *services)
{
	bool used = false;

	for (size_t i = 0; i < services->m.n; i++) {
		struct yaml_node *s = services->m.v[i].value, *nets = yaml_get(s, "networks");

		if (yaml_get(s, "provider") || yaml_get(s, "network_mode"))
			continue;
		if (!nets || nets->m.n == 0) {
			nets = yaml_new(l->a, YAML_MAP, s);
			yaml_put(l->a, nets, "default", yaml_new(l->a, YAML_NULL, s));
			yaml_put(l->a, s, "networks", nets);
		}
		used |= yaml_get(nets, "default") != NULL;
	}
	if (used && !yaml_get(yaml_get(tree, "networks"), "default"))
		yaml_put(l->a, sub_map(l, tree, "networks"), "default",
			 yaml_new(l->a, YAML_MAP, services));
}

static void name_resources(struct load *l, struct yaml_node *tree, const char *section)
{
	struct yaml_node *map = yaml_get(tree, section);

	for (size_t i = 0; map && i < map->m.n; i++) {
		struct yaml_pair *p = &map->m.v[i];
		const struct yaml_node *ext = yaml_get(p->value, "external");

		if (ext && is_false(ext)) {
			yaml_remove(p->value, "external");
			ext = NULL;
		}
		default_key(l, p->value, "name",
			    ext ? p->key : arena_printf(l->a, "%s_%s", l->name, p->key));
	}
}

void normalize_tree(struct load *l, struct yaml_node *tree)
{
	struct yaml_node *services = yaml_get(tree, "services");

	if (services)
		default_network(l, tree, services);
	for (size_t i = 0; services && i < services->m.n; i++)
		normalize_service(l, services->m.v[i].value);
	name_resources(l, tree, "networks");
	name_resources(l, tree, "volumes");
	name_resources(l, tree, "secrets");
	name_resources(l, tree, "configs");
}

bool is_zero(const struct yaml_node *n, const struct shape *s)
{
	switch (n->type) {
	case YAML_NULL:
		return false;
	case YAML_BOOL:
		return !n->b;
	case YAML_INT:
		return n->i == 0;
	case YAML_FLOAT:
		return n->f == 0;
	case YAML_STR:
		return !*n->s || (s->cast == AS_BYTES && strcmp(n->s, "0") == 0);
	case YAML_LIST:
		return n->m.n == 0;
	case YAML_MAP:
		return n->m.n == 0 && s->value && !s->keys;
	}
	return false;
}

void prune_tree(struct load *l, struct yaml_node *n, const struct shape *s)
{
	size_t kept = 0;

	if (yaml_is_scalar(n))
		return;
	for (size_t i = 0; i < n->m.n; i++) {
		struct yaml_pair p = n->m.v[i];
		const struct shape *child = n->type == YAML_LIST ? s->item : shape_child(s, p.key);
		bool known = n->type == YAML_MAP && s->keys && !is_extension(p.key);

		if (child && child != &shape_any)
			prune_tree(l, p.value, child);
		if (!known || !child || child->zero != ZERO_DROPPED || !is_zero(p.value, child))
			n->m.v[kept++] = p;
	}
	n->m.n = kept;
}

/* ---- Profiles */

static const char *const *active_profiles(struct load *l, size_t *n)
{
	const char *env = env_get(l->env, "COMPOSE_PROFILES");
	const char **v;
	char *copy, *save = NULL;

	if (l->opt->profiles.n || !env) {
		*n = l->opt->profiles.n;
		return l->opt->profiles.v;
	}
	copy = arena_strdup(l->a, env);
	v = arena_array(l->a, strlen(copy) + 1, sizeof(*v));
	*n = 0;
	for (char *p = strtok_r(copy, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		while (*p == ' ')
			p++;
		v[(*n)++] = p;
	}
	return v;
}

static bool named(const struct list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], name) == 0)
			return true;
	return false;
}

static bool enabled(const struct yaml_node *service, const char *const *active, size_t n)
{
	const struct yaml_node *profiles = yaml_get(service, "profiles");

	if (!profiles || profiles->type != YAML_LIST || profiles->m.n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < profiles->m.n; k++)
			if (strcmp(active[i], "*") == 0 ||
			    str_eq(yaml_str(profiles->m.v[k].value), active[i]))
				return true;
	return false;
}

/* Services to keep: the named ones and what they need, as far as that is enabled. */
static void keep_needed(const struct yaml_node *services, const char *name, struct map *keep)
{
	const struct yaml_node *s = yaml_get(services, name), *deps;

	if (!s || map_has(keep, name))
		return;
	map_put(keep, name, keep);
	deps = yaml_get(s, "depends_on");
	for (size_t i = 0; deps && deps->type == YAML_MAP && i < deps->m.n; i++)
		keep_needed(services, deps->m.v[i].key, keep);
}

static int no_service(const char *name, const struct yaml_node *services, struct err *err)
{
	auto_strs struct strs known = { 0 };

	for (size_t i = 0; services && services->type == YAML_MAP && i < services->m.n; i++)
		strs_add(&known, services->m.v[i].key);
	(void)compose_no_service(name, &known, err);
	if (err)
		err->code = -EINVAL; /* of the file: it is there */
	return -EINVAL;
}

int profiles_apply(struct load *l, struct yaml_node *tree, struct yaml_node **disabled,
		   struct err *err)
{
	struct yaml_node *services = yaml_get(tree, "services");
	size_t n_active, kept = 0;
	const char *const *active = active_profiles(l, &n_active);
	const struct list *wanted = &l->opt->services;
	struct map keep = { 0 };

	*disabled = yaml_new(l->a, YAML_MAP, services);
	for (size_t i = 0; i < wanted->n; i++)
		if (!yaml_get(services, wanted->v[i]))
			return no_service(wanted->v[i], services, err);
	if (!services)
		return 0;
	if (l->opt->only_services)
		for (size_t i = 0; i < wanted->n; i++)
			keep_needed(services, wanted->v[i], &keep);
	for (size_t i = 0; i < services->m.n; i++) {
		struct yaml_pair p = services->m.v[i];
		bool on = enabled(p.value, active, n_active) || named(wanted, p.key);

		if (on && l->opt->only_services && wanted->n)
			on = map_has(&keep, p.key);
		if (on)
			services->m.v[kept++] = p;
		else
			yaml_put(l->a, *disabled, p.key, p.value);
	}
	services->m.n = kept;
	map_clear(&keep);
	return 0;
}

/* ---- Resources that no enabled service uses */

static void use_keys(struct map *used, const struct yaml_node *map)
{
	for (size_t i = 0; map && map->type == YAML_MAP && i < map->m.n; i++)
		map_put(used, map->m.v[i].key, used);
}

static void use_sources(struct map *used, const struct yaml_node *list, const char *type)
{
	for (size_t i = 0; list && list->type == YAML_LIST && i < list->m.n; i++) {
		const struct yaml_node *item = list->m.v[i].value;
		const char *source = yaml_str(yaml_get(item, "source"));

		if (source && (!type || str_eq(yaml_str(yaml_get(item, "type")), type)))
			map_put(used, source, used);
	}
}

static void keep_used(struct yaml_node *tree, const char *section, const struct map *used)
{
	struct yaml_node *map = yaml_get(tree, section);
	size_t kept = 0;

	if (!map)
		return;
	for (size_t i = 0; i < map->m.n; i++)
		if (map_has(used, map->m.v[i].key))
			map->m.v[kept++] = map->m.v[i];
	map->m.n = kept;
	if (kept == 0)
		yaml_remove(tree, section);
}

void drop_unused(struct load *l, struct yaml_node *tree)
{
	const struct yaml_node *services = yaml_get(tree, "services");
	struct map networks = { 0 }, volumes = { 0 }, secrets = { 0 }, configs = { 0 };

	(void)l;
	for (size_t i = 0; services && i < services->m.n; i++) {
		const struct yaml_node *s = services->m.v[i].value;

		use_keys(&networks, yaml_get(s, "networks"));
		use_sources(&volumes, yaml_get(s, "volumes"), "volume");
		use_sources(&secrets, yaml_get(s, "secrets"), NULL);
		use_sources(&secrets, yaml_get(yaml_get(s, "build"), "secrets"), NULL);
		use_sources(&configs, yaml_get(s, "configs"), NULL);
	}
	keep_used(tree, "networks", &networks);
	keep_used(tree, "volumes", &volumes);
	keep_used(tree, "secrets", &secrets);
	keep_used(tree, "configs", &configs);
	map_clear(&networks);
	map_clear(&volumes);
	map_clear(&secrets);
	map_clear(&configs);
}
