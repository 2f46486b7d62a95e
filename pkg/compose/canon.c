/* canon.c - short to long syntax: what several keys share. */
#include "canon.h"

#include <ctrcompose/dockerfile.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct yaml_node *canon_strings(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *list;

	(void)at;
	if (n->type == YAML_LIST || n->type == YAML_NULL)
		return n;
	list = yaml_new(l->a, YAML_LIST, n);
	yaml_add(l->a, list, n);
	return list;
}

/* Values that were numbers keep what the file said, as far as YAML lets them. */
static struct yaml_node *pairs(struct load *l, const struct at *at, struct yaml_node *n, bool empty)
{
	struct yaml_node *map;

	if (n->type == YAML_NULL)
		return n;
	map = yaml_new(l->a, YAML_MAP, n);
	for (size_t i = 0; i < n->m.n; i++) {
		struct yaml_pair *p = &n->m.v[i];
		struct yaml_node *v = p->value;
		const char *key = p->key, *eq;

		if (n->type == YAML_LIST) {
			const char *text = yaml_text(l->a, v);
			struct at here = { at, NULL, i };

			eq = text ? strchr(text, '=') : NULL;
			key = eq ? arena_strndup(l->a, text, (size_t)(eq - text)) : text;
			if (!key || !*key) {
				problem(l, v, &here, "'%s' has no name before the '='", text);
				continue;
			}
			v = eq ? yaml_new_str(l->a, eq + 1, v) : yaml_new(l->a, YAML_NULL, v);
		} else if (v->type != YAML_NULL) {
			v = yaml_new_str(l->a, yaml_text(l->a, v), v);
		}
		if (v->type == YAML_NULL && empty)
			v = yaml_new_str(l->a, "", v);
		yaml_put(l->a, map, key, v);
	}
	return map;
}

struct yaml_node *canon_pairs_null(struct load *l, const struct at *at, struct yaml_node *n)
{
	return pairs(l, at, n, false);
}

struct yaml_node *canon_pairs_empty(struct load *l, const struct at *at, struct yaml_node *n)
{
	return pairs(l, at, n, true);
}

struct yaml_node *canon_words(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct list words = { 0 };
	struct yaml_node *list;
	int r;

	if (n->type != YAML_STR)
		return n;
	r = split_words(l->a, n->s, &words);
	if (r < 0) {
		problem(l, n, at, "a quote or bracket is not closed");
		return NULL;
	}
	if (r > 0)
		warning(l,
			"%s:%u:%u: %s: all from the first ; & | < or > on is dropped: no shell "
			"reads this, use [sh, -c, '...']",
			n->file ? n->file : "", n->line, n->col, at_name(l->a, at));
	list = yaml_new(l->a, YAML_LIST, n);
	for (size_t i = 0; i < words.n; i++)
		yaml_add(l->a, list, yaml_new_str(l->a, words.v[i], n));
	return list;
}

/* ---- Paths */

char *path_absolute(struct load *l, const char *path)
{
	auto_free char *joined = NULL, *clean = NULL;

	if (*path == '/' || (isalpha((unsigned char)*path) && path[1] == ':' &&
			     (path[2] == '\\' || path[2] == '/')))
		return arena_strdup(l->a, path); /* as it is, also one of Windows */
	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') && l->home)
		joined = path_join(l->home, path + 1 + (path[1] == '/'));
	else
		joined = path_join(l->dir, path);
	clean = path_clean(joined);
	return arena_strdup(l->a, clean);
}

char *path_resolve(struct load *l, const char *path)
{
	return l->opt->no_path_resolution ? arena_strdup(l->a, path) : path_absolute(l, path);
}

bool path_is_remote(const char *path)
{
	static const char *const schemes[] = {
		"https://", "http://", "git://",          "ssh://",  "github.com/",
		"git@",     "oci://",  "docker-image://", "target:", "service:"
	};

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_starts(path, schemes[i]))
			return true;
	return strstr(path, "://") != NULL || df_is_git(path);
}

struct yaml_node *canon_path(struct load *l, const struct at *at, struct yaml_node *n)
{
	(void)at;
	return n->type == YAML_STR ? yaml_new_str(l->a, path_resolve(l, n->s), n) : n;
}

struct yaml_node *canon_path_or_name(struct load *l, const struct at *at, struct yaml_node *n)
{
	if (n->type == YAML_STR && *n->s && strchr("./~", *n->s))
		return canon_path(l, at, n);
	return n;
}

struct yaml_node *canon_context(struct load *l, const struct at *at, struct yaml_node *n)
{
	if (n->type != YAML_STR || path_is_remote(n->s))
		return n;
	return canon_path(l, at, n);
}

struct yaml_node *canon_label_files(struct load *l, const struct at *at, struct yaml_node *n)
{
	n = canon_strings(l, at, n);
	if (n->type == YAML_LIST)
		for (size_t i = 0; i < n->m.n; i++)
			n->m.v[i].value = canon_path(l, at, n->m.v[i].value);
	return n;
}

/* ---- Sections of a service */

struct yaml_node *canon_health_test(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *list;

	(void)at;
	if (n->type != YAML_STR)
		return n;
	list = yaml_new(l->a, YAML_LIST, n);
	yaml_add(l->a, list, yaml_new_str(l->a, "CMD-SHELL", n));
	yaml_add(l->a, list, n);
	return list;
}

/* [a, b] -> {a: null, b: null} */
struct yaml_node *canon_name_set(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *map;

	(void)at;
	if (n->type != YAML_LIST)
		return n;
	map = yaml_new(l->a, YAML_MAP, n);
	for (size_t i = 0; i < n->m.n; i++)
		yaml_put(l->a, map, yaml_text(l->a, n->m.v[i].value),
			 yaml_new(l->a, YAML_NULL, n->m.v[i].value));
	return map;
}

struct yaml_node *canon_depends_on(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *map = canon_name_set(l, at, n);

	if (map->type != YAML_MAP)
		return map;
	for (size_t i = 0; i < map->m.n; i++) {
		struct yaml_node *dep = map->m.v[i].value;

		if (dep->type == YAML_NULL) {
			dep = yaml_new(l->a, YAML_MAP, dep);
			yaml_put(l->a, dep, "condition",
				 yaml_new_str(l->a, "service_started", dep));
			map->m.v[i].value = dep;
		}
		if (dep->type == YAML_MAP && !yaml_get(dep, "required"))
			yaml_put(l->a, dep, "required", yaml_new_bool(l->a, true, dep));
	}
	return map;
}

struct yaml_node *canon_env_files(struct load *l, const struct at *at, struct yaml_node *n)
{
	n = canon_strings(l, at, n);
	if (n->type != YAML_LIST)
		return n;
	for (size_t i = 0; i < n->m.n; i++) {
		struct yaml_node *item = n->m.v[i].value, *map = item, *path;

		if (item->type == YAML_STR) {
			map = yaml_new(l->a, YAML_MAP, item);
			yaml_put(l->a, map, "path", item);
			n->m.v[i].value = map;
		}
		path = yaml_get(map, "path");
		if (path)
			yaml_put(l->a, map, "path", canon_path(l, at, path));
	}
	return n;
}

/* One item of secrets and configs. */
struct yaml_node *canon_file_refs(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *map;

	(void)at;
	if (n->type != YAML_STR)
		return n;
	map = yaml_new(l->a, YAML_MAP, n);
	yaml_put(l->a, map, "source", n);
	return map;
}

/* ips: one address or several with commas between */
static void add_host(struct load *l, struct yaml_node *list, const char *host, const char *ips,
		     const struct yaml_node *at)
{
	char *save = NULL, *copy = arena_strdup(l->a, ips);

	for (char *ip = strtok_r(copy, ",", &save); ip; ip = strtok_r(NULL, ",", &save)) {
		size_t len = strlen(ip);

		if (len > 2 && ip[0] == '[' && ip[len - 1] == ']')
			ip = arena_strndup(l->a, ip + 1, len - 2);
		yaml_add(l->a, list, yaml_new_str(l->a, arena_printf(l->a, "%s=%s", host, ip), at));
	}
}

/* extra_hosts: "host:ip", "host=ip" or a mapping -> ["host=ip"] */
struct yaml_node *canon_hosts(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *list = yaml_new(l->a, YAML_LIST, n);

	if (n->type == YAML_NULL)
		return n;
	for (size_t i = 0; i < n->m.n; i++) {
		struct yaml_node *v = n->m.v[i].value;
		struct at here = { at, n->m.v[i].key, i };

		if (n->type == YAML_LIST) {
			const char *eq = strchr(v->s, '=');

			if (!eq)
				eq = strchr(v->s, ':');
			if (!eq || eq == v->s || !eq[1]) {
				problem(l, v, &here, "'%s' is not host=address", v->s);
				continue;
			}
			add_host(l, list, arena_strndup(l->a, v->s, (size_t)(eq - v->s)), eq + 1,
				 v);
		} else if (v->type == YAML_LIST) {
			for (size_t k = 0; k < v->m.n; k++)
				add_host(l, list, n->m.v[i].key, yaml_text(l->a, v->m.v[k].value),
					 v->m.v[k].value);
		} else {
			add_host(l, list, n->m.v[i].key, yaml_text(l->a, v), v);
		}
	}
	return list;
}

struct yaml_node *canon_build(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *map;

	(void)at;
	if (n->type != YAML_STR)
		return n;
	map = yaml_new(l->a, YAML_MAP, n);
	yaml_put(l->a, map, "context", n);
	return map;
}

/* build.ssh: ["default", "id=path"] stays a list of strings; a mapping becomes one */
struct yaml_node *canon_ssh(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *list;

	(void)at;
	if (n->type == YAML_STR)
		return canon_strings(l, at, n);
	if (n->type != YAML_MAP)
		return n;
	list = yaml_new(l->a, YAML_LIST, n);
	for (size_t i = 0; i < n->m.n; i++) {
		const struct yaml_node *v = n->m.v[i].value;
		const char *text = yaml_text(l->a, v);

		yaml_add(l->a, list,
			 yaml_new_str(l->a,
				      text && *text
					      ? arena_printf(l->a, "%s=%s", n->m.v[i].key, text)
					      : n->m.v[i].key,
				      v));
	}
	return list;
}

/* "/dev/a[:/dev/b[:rwm]]" */
struct yaml_node *canon_device(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *map = n;

	if (n->type == YAML_STR) {
		auto_free char *text = xstrdup(n->s);
		char *target = strchr(text, ':'), *mode = target ? strchr(target + 1, ':') : NULL;

		if (target)
			*target++ = '\0';
		if (mode)
			*mode++ = '\0';
		if (!*text || (mode && strchr(mode, ':'))) {
			problem(l, n, at, "'%s' is not source[:target[:permissions]]", n->s);
			return NULL;
		}
		map = yaml_new(l->a, YAML_MAP, n);
		yaml_put(l->a, map, "source", yaml_new_str(l->a, arena_strdup(l->a, text), n));
		if (target && *target)
			yaml_put(l->a, map, "target",
				 yaml_new_str(l->a, arena_strdup(l->a, target), n));
		if (mode)
			yaml_put(l->a, map, "permissions",
				 yaml_new_str(l->a, arena_strdup(l->a, mode), n));
	}
	if (map->type == YAML_MAP) {
		if (!yaml_get(map, "target") && yaml_get(map, "source"))
			yaml_put(l->a, map, "target", yaml_get(map, "source"));
		if (!yaml_get(map, "permissions"))
			yaml_put(l->a, map, "permissions", yaml_new_str(l->a, "rwm", map));
	}
	return map;
}

/* "all" -> [{count: -1}], also for the count of one request */
struct yaml_node *canon_gpus(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *list, *map;

	(void)at;
	if (n->type != YAML_STR)
		return n;
	list = yaml_new(l->a, YAML_LIST, n);
	map = yaml_new(l->a, YAML_MAP, n);
	yaml_put(l->a, map, "count", n);
	yaml_add(l->a, list, map);
	return list;
}

struct yaml_node *canon_tristate(struct load *l, const struct at *at, struct yaml_node *n)
{
	(void)at;
	if (n->type == YAML_STR && strcmp(n->s, "all") == 0)
		return yaml_new_int(l->a, -1, n);
	return n;
}

struct yaml_node *canon_extends(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *map;

	(void)at;
	if (n->type != YAML_STR)
		return n;
	map = yaml_new(l->a, YAML_MAP, n);
	yaml_put(l->a, map, "service", n);
	return map;
}

/* provider.options: every value a list of strings */
struct yaml_node *canon_provider(struct load *l, const struct at *at, struct yaml_node *n)
{
	n = canon_strings(l, at, n);
	if (n->type == YAML_LIST)
		for (size_t i = 0; i < n->m.n; i++)
			n->m.v[i].value = yaml_new_str(l->a, yaml_text(l->a, n->m.v[i].value),
						       n->m.v[i].value);
	return n;
}

struct yaml_node *canon_pull_policy(struct load *l, const struct at *at, struct yaml_node *n)
{
	(void)at;
	if (n->type == YAML_STR && strcmp(n->s, "if_not_present") == 0)
		return yaml_new_str(l->a, "missing", n);
	return n;
}

/* A top-level network, volume, secret or config: null -> {}, external: {name: x} -> two keys. */
struct yaml_node *canon_resource(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *ext, *name;

	if (n->type == YAML_NULL)
		return yaml_new(l->a, YAML_MAP, n);
	ext = yaml_get(n, "external");
	if (!ext || ext->type != YAML_MAP)
		return n;
	name = yaml_get(ext, "name");
	if (name) {
		const struct yaml_node *own = yaml_get(n, "name");

		warning(l, "%s: external.name is deprecated. Please set name and external: true",
			at_name(l->a, at));
		if (own && !yaml_equal(own, name)) {
			problem(l, ext, at, "name and external.name differ");
			return NULL;
		}
		yaml_put(l->a, n, "name", name);
	}
	yaml_put(l->a, n, "external", yaml_new_bool(l->a, true, ext));
	return n;
}

/* ---- Identities: items of a list that stand for the same thing */

const char *id_text(struct arena *a, const struct yaml_node *item)
{
	return yaml_is_scalar(item) ? yaml_text(a, item) : NULL;
}

const char *id_key(struct arena *a, const struct yaml_node *item)
{
	const char *text = id_text(a, item), *eq = text ? strchr(text, '=') : NULL;

	return eq ? arena_strndup(a, text, (size_t)(eq - text)) : text;
}

static const char *member(struct arena *a, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);

	return n ? yaml_text(a, n) : NULL;
}

const char *id_port(struct arena *a, const struct yaml_node *item)
{
	const char *ip = member(a, item, "host_ip"), *published = member(a, item, "published");
	const char *proto = member(a, item, "protocol"), *target = member(a, item, "target");

	return arena_printf(a, "%s:%s:%s/%s", ip ? ip : "0.0.0.0", published ? published : "",
			    target ? target : "", proto ? proto : "tcp");
}

const char *id_target(struct arena *a, const struct yaml_node *item)
{
	const char *target = member(a, item, "target");
	auto_free char *clean = target && *target ? path_clean(target) : NULL;

	return clean ? arena_strdup(a, clean) : NULL;
}

static const char *file_target(struct arena *a, const struct yaml_node *item, const char *dir)
{
	const char *target = member(a, item, "target"), *source = member(a, item, "source");

	if (!target)
		return source ? arena_printf(a, "%s/%s", dir, source) : NULL;
	return target;
}

const char *id_secret(struct arena *a, const struct yaml_node *item)
{
	return file_target(a, item, "/run/secrets");
}

const char *id_config(struct arena *a, const struct yaml_node *item)
{
	return file_target(a, item, "");
}

const char *id_env_file(struct arena *a, const struct yaml_node *item)
{
	return member(a, item, "path");
}

const char *id_subnet(struct arena *a, const struct yaml_node *item)
{
	return member(a, item, "subnet");
}
