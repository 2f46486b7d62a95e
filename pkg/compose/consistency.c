/* consistency.c - what the sections say about each other. */
#include "loader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct consistency {
	struct load *l;
	const struct yaml_node *tree, *services, *disabled;
	const char *name;                /* of the service at hand */
	const struct yaml_node *service; /* itself */
};

static void wrong(struct consistency *c, const struct yaml_node *n, const char *key,
		  const char *fmt, ...) PRINTF_LIKE(4, 5);
static void wrong(struct consistency *c, const struct yaml_node *n, const char *key,
		  const char *fmt, ...)
{
	struct at services = { NULL, "services", 0 }, service = { &services, c->name, 0 };
	struct at at = { &service, key, 0 };
	auto_sbuf struct sbuf b = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&b, fmt, ap);
	va_end(ap);
	problem(c->l, n ? n : c->service, key ? &at : &service, "%s", sbuf_str(&b));
}

static const struct yaml_node *get(struct consistency *c, const char *key)
{
	return yaml_get(c->service, key);
}

/* Every key of the mapping must be a key of the top-level section. */
static void check_names(struct consistency *c, const char *key, const char *section,
			const char *what)
{
	const struct yaml_node *map = get(c, key);

	for (size_t i = 0; map && map->type == YAML_MAP && i < map->m.n; i++)
		if (!yaml_get(yaml_get(c->tree, section), map->m.v[i].key))
			wrong(c, map->m.v[i].value, key, "undefined %s '%s'", what,
			      map->m.v[i].key);
}

static void check_sources(struct consistency *c, const struct yaml_node *list, const char *key,
			  const char *section, const char *what)
{
	for (size_t i = 0; list && list->type == YAML_LIST && i < list->m.n; i++) {
		const struct yaml_node *item = list->m.v[i].value;
		const char *source = yaml_str(yaml_get(item, "source"));

		if (source && !yaml_get(yaml_get(c->tree, section), source))
			wrong(c, item, key, "undefined %s '%s'", what, source);
	}
}

static void check_volumes(struct consistency *c)
{
	const struct yaml_node *list = get(c, "volumes");

	for (size_t i = 0; list && list->type == YAML_LIST && i < list->m.n; i++) {
		const struct yaml_node *m = list->m.v[i].value;
		const char *type = yaml_str(yaml_get(m, "type"));
		const char *source = yaml_str(yaml_get(m, "source"));
		const char *target = yaml_str(yaml_get(m, "target"));

		if (str_eq(type, "volume") && source && *source &&
		    !yaml_get(yaml_get(c->tree, "volumes"), source))
			wrong(c, m, "volumes", "undefined volume '%s'", source);
		if (str_eq(type, "bind") && (!source || !*source))
			wrong(c, m, "volumes", "a bind mount needs a source");
		if (str_eq(type, "tmpfs") && source && *source)
			wrong(c, m, "volumes", "a tmpfs has no source");
		if (!target || !*target)
			wrong(c, m, "volumes", "a mount needs a target");
	}
}

static void check_depends(struct consistency *c)
{
	const struct yaml_node *deps = get(c, "depends_on");

	for (size_t i = 0; deps && deps->type == YAML_MAP && i < deps->m.n; i++) {
		const struct yaml_pair *p = &deps->m.v[i];
		const struct yaml_node *required = yaml_get(p->value, "required");
		bool optional = required && required->type == YAML_BOOL && !required->b;
		bool off = yaml_get(c->disabled, p->key) != NULL;

		if (strcmp(p->key, c->name) == 0)
			wrong(c, p->value, "depends_on", "the service depends on itself");
		else if (off && !optional)
			wrong(c, p->value, "depends_on",
			      "the service '%s' is disabled; enable one of its profiles", p->key);
		else if (!off && !yaml_get(c->services, p->key))
			wrong(c, p->value, "depends_on", "undefined service '%s'", p->key);
	}
}

static double number(const struct yaml_node *n)
{
	if (!n)
		return 0;
	if (n->type == YAML_INT)
		return (double)n->i;
	if (n->type == YAML_FLOAT)
		return n->f;
	return n->type == YAML_STR ? strtod(n->s, NULL) : 0;
}

/* One limit said in two places must be the same. */
static void check_twice(struct consistency *c)
{
	const struct yaml_node *deploy = get(c, "deploy");
	const struct yaml_node *limits = yaml_get(yaml_get(deploy, "resources"), "limits");
	const struct yaml_node *reserved = yaml_get(yaml_get(deploy, "resources"), "reservations");
	const struct {
		const char *key, *other_name;
		const struct yaml_node *other;
	} twice[] = {
		{ "scale", "deploy.replicas", yaml_get(deploy, "replicas") },
		{ "cpus", "deploy.resources.limits.cpus", yaml_get(limits, "cpus") },
		{ "mem_limit", "deploy.resources.limits.memory", yaml_get(limits, "memory") },
		{ "pids_limit", "deploy.resources.limits.pids", yaml_get(limits, "pids") },
		{ "mem_reservation", "deploy.resources.reservations.memory",
		  yaml_get(reserved, "memory") },
	};

	for (size_t i = 0; i < ARRAY_LEN(twice); i++) {
		const struct yaml_node *own = get(c, twice[i].key);

		if (own && twice[i].other && number(own) != number(twice[i].other))
			wrong(c, own, twice[i].key, "can't set distinct values on '%s' and '%s'",
			      twice[i].key, twice[i].other_name);
	}
}

static void check_build(struct consistency *c)
{
	const struct yaml_node *build = get(c, "build"), *platforms, *platform = get(c, "platform");
	bool found = false;

	if (!build)
		return;
	if (yaml_str_at(build, "dockerfile") && yaml_str_at(build, "dockerfile_inline"))
		wrong(c, build, "build", "'dockerfile' and 'dockerfile_inline' exclude each other");
	check_sources(c, yaml_get(build, "secrets"), "build", "secrets", "secret");
	platforms = yaml_get(build, "platforms");
	if (!platforms || platforms->m.n == 0 || !yaml_str(platform))
		return;
	for (size_t i = 0; i < platforms->m.n; i++)
		found |= str_eq(yaml_str(platforms->m.v[i].value), platform->s);
	if (!found)
		wrong(c, platform, "platform", "build.platforms does not have '%s'", platform->s);
}

static void check_healthcheck(struct consistency *c)
{
	const struct yaml_node *test = yaml_get(get(c, "healthcheck"), "test");
	const char *first;

	if (!test || test->type != YAML_LIST || test->m.n == 0)
		return;
	first = yaml_str(test->m.v[0].value);
	if (!first || (strcmp(first, "CMD") != 0 && strcmp(first, "CMD-SHELL") != 0 &&
		       strcmp(first, "NONE") != 0))
		wrong(c, test, "healthcheck", "test must start with CMD, CMD-SHELL or NONE");
}

static void check_watch(struct consistency *c)
{
	const struct yaml_node *watch = yaml_get(get(c, "develop"), "watch");

	for (size_t i = 0; watch && watch->type == YAML_LIST && i < watch->m.n; i++) {
		const struct yaml_node *w = watch->m.v[i].value;
		const char *action = yaml_str(yaml_get(w, "action"));

		if (action && str_starts(action, "sync") && !yaml_get(w, "target"))
			wrong(c, w, "develop", "watch with action '%s' needs a target", action);
	}
}

static void check_container_name(struct consistency *c, struct map *names)
{
	const struct yaml_node *name = get(c, "container_name"), *scale = get(c, "scale");
	const char *other;
	union {
		const char *in;
		void *out;
	} own = { c->name };

	if (!yaml_str(name))
		return;
	if (!scale)
		scale = yaml_get(get(c, "deploy"), "replicas");
	if (scale && number(scale) > 1)
		wrong(c, name, "container_name",
		      "a service with its own container name cannot have "
		      "more than one container");
	other = map_get(names, name->s);
	if (other)
		wrong(c, name, "container_name", "'%s' is used by service '%s' too", name->s,
		      other);
	else
		map_put(names, name->s, own.out);
}

static void check_service(struct consistency *c, struct map *names)
{
	const struct yaml_node *mode = get(c, "network_mode"), *nets = get(c, "networks");

	if (!get(c, "image") && !get(c, "build") && !get(c, "provider"))
		wrong(c, c->service, NULL, "neither 'image' nor 'build' is given");
	if (mode && nets && nets->type == YAML_MAP && nets->m.n)
		wrong(c, mode, "network_mode", "'network_mode' and 'networks' exclude each other");
	check_names(c, "networks", "networks", "network");
	check_names(c, "models", "models", "model");
	check_sources(c, get(c, "secrets"), "secrets", "secrets", "secret");
	check_sources(c, get(c, "configs"), "configs", "configs", "config");
	check_volumes(c);
	check_depends(c);
	check_twice(c);
	check_build(c);
	check_healthcheck(c);
	check_watch(c);
	check_container_name(c, names);
}

/* ---- Cycles: depth first with an explicit stack, so that depth costs no C stack */

struct frame {
	size_t service, next;
};

static size_t index_of(const struct map *index, const char *name)
{
	return (size_t)(uintptr_t)map_get(index, name); /* 1 + number, 0 = none */
}

static void report_cycle(struct consistency *c, const struct frame *stack, size_t depth, size_t at)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	size_t first = 0;

	while (first < depth && stack[first].service != at)
		first++;
	for (size_t i = first; i < depth; i++)
		sbuf_addf(&b, "%s -> ", c->services->m.v[stack[i].service].key);
	sbuf_adds(&b, c->services->m.v[at].key);
	problem(c->l, c->services->m.v[at].value, NULL, "services depend on each other: %s",
		sbuf_str(&b));
}

static void check_cycles(struct consistency *c)
{
	size_t n = c->services->m.n, depth;
	auto_free unsigned char *state = xcalloc(n + 1, 1); /* 1 on the stack, 2 done */
	auto_free struct frame *stack = xcalloc(n + 1, sizeof(*stack));
	struct map index = { 0 };

	for (size_t i = 0; i < n; i++)
		map_put(&index, c->services->m.v[i].key, (void *)(uintptr_t)(i + 1));
	for (size_t start = 0; start < n; start++) {
		if (state[start])
			continue;
		stack[0] = (struct frame){ start, 0 };
		state[start] = 1;
		for (depth = 1; depth > 0;) {
			struct frame *f = &stack[depth - 1];
			const struct yaml_node *deps =
				yaml_get(c->services->m.v[f->service].value, "depends_on");
			size_t to;

			if (!deps || deps->type != YAML_MAP || f->next >= deps->m.n) {
				state[f->service] = 2;
				depth--;
				continue;
			}
			to = index_of(&index, deps->m.v[f->next++].key);
			if (to == 0 || state[to - 1] == 2 || to - 1 == f->service)
				continue;
			if (state[to - 1] == 1) {
				report_cycle(c, stack, depth, to - 1);
				map_clear(&index);
				return;
			}
			state[to - 1] = 1;
			stack[depth++] = (struct frame){ to - 1, 0 };
		}
	}
	map_clear(&index);
}

/* A secret or config has to come from somewhere. */
static void check_origin(struct load *l, const struct yaml_node *tree, const char *section)
{
	const struct yaml_node *map = yaml_get(tree, section);

	for (size_t i = 0; map && i < map->m.n; i++) {
		const struct yaml_node *s = map->m.v[i].value;
		struct at up = { NULL, section, 0 }, at = { &up, map->m.v[i].key, 0 };

		if (!yaml_get(s, "external") && !yaml_get(s, "file") &&
		    !yaml_get(s, "environment") && !yaml_get(s, "content"))
			problem(l, s, &at,
				"one of file, environment, content or external is needed");
	}
}

void consistency_check(struct load *l, struct yaml_node *tree, const struct yaml_node *disabled)
{
	struct consistency c = { .l = l, .tree = tree, .disabled = disabled };
	struct map names = { 0 };

	c.services = yaml_get(tree, "services");
	for (size_t i = 0; c.services && i < c.services->m.n; i++) {
		c.name = c.services->m.v[i].key;
		c.service = c.services->m.v[i].value;
		check_service(&c, &names);
	}
	if (c.services)
		check_cycles(&c);
	check_origin(l, tree, "secrets");
	check_origin(l, tree, "configs");
	map_clear(&names);
}
