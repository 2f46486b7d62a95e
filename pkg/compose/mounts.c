/* mounts.c - volumes of a service: [source:]target[:options] to the long syntax. */
#include "canon.h"

#include <ctype.h>
#include <string.h>

static bool is_path(const char *source)
{
	return *source && strchr("./~", *source) != NULL;
}

/* "C:..." - a letter in front of a colon is a drive to the format, on every system. */
static bool is_drive(const char *start, const char *colon)
{
	return colon - start == 1 && isalpha((unsigned char)*start);
}

static struct yaml_node *section(struct load *l, struct yaml_node *map, const char *name)
{
	struct yaml_node *s = yaml_get(map, name);

	if (!s) {
		s = yaml_new(l->a, YAML_MAP, map);
		yaml_put(l->a, map, name, s);
	}
	return s;
}

static void set_option(struct load *l, struct yaml_node *map, const char *option)
{
	static const char *const propagation[] = { "rprivate", "private", "rshared",
						   "shared",   "rslave",  "slave" };

	if (strcmp(option, "ro") == 0) {
		yaml_put(l->a, map, "read_only", yaml_new_bool(l->a, true, map));
	} else if (strcmp(option, "rw") == 0) {
		yaml_remove(map, "read_only");
	} else if (strcmp(option, "nocopy") == 0) {
		yaml_put(l->a, section(l, map, "volume"), "nocopy", yaml_new_bool(l->a, true, map));
	} else if (strcmp(option, "z") == 0 || strcmp(option, "Z") == 0) {
		yaml_put(l->a, section(l, map, "bind"), "selinux", yaml_new_str(l->a, option, map));
	}
	for (size_t i = 0; i < ARRAY_LEN(propagation); i++)
		if (strcmp(propagation[i], option) == 0)
			yaml_put(l->a, section(l, map, "bind"), "propagation",
				 yaml_new_str(l->a, option, map));
}

static void set_type(struct load *l, struct yaml_node *map)
{
	const char *source = yaml_str(yaml_get(map, "source"));
	bool bind = source && (is_path(source) || is_drive(source, strchr(source, ':')));

	yaml_put(l->a, map, "type", yaml_new_str(l->a, bind ? "bind" : "volume", map));
	if (bind)
		yaml_put(l->a, map, "source", yaml_new_str(l->a, path_resolve(l, source), map));
	section(l, map, bind ? "bind" : "volume");
	if (bind)
		yaml_put(l->a, section(l, map, "bind"), "create_host_path",
			 yaml_new_bool(l->a, true, map));
}

static struct yaml_node *short_mount(struct load *l, const struct at *at, const struct yaml_node *n)
{
	struct yaml_node *map = yaml_new(l->a, YAML_MAP, n);
	const char *parts[4], *start = n->s, *s = n->s;
	size_t n_parts = 0;

	if (!*s) {
		problem(l, n, at, "an empty volume");
		return NULL;
	}
	for (;; s++) {
		if (*s && *s != ':')
			continue;
		if (*s == ':' && is_drive(start, s) && strlen(n->s) > 2)
			continue;
		if (s == start || n_parts == 3) {
			problem(l, n, at, "'%s' has %s", n->s,
				s == start ? "an empty section between colons" : "too many colons");
			return NULL;
		}
		parts[n_parts++] = arena_strndup(l->a, start, (size_t)(s - start));
		if (!*s)
			break;
		start = s + 1;
	}
	if (n_parts > 1)
		yaml_put(l->a, map, "source", yaml_new_str(l->a, parts[0], n));
	yaml_put(l->a, map, "target", yaml_new_str(l->a, parts[n_parts > 1], n));
	if (n_parts == 3) {
		char *save = NULL, *options = arena_strdup(l->a, parts[2]);

		for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save))
			set_option(l, map, o);
	}
	set_type(l, map);
	return map;
}

static void long_mount(struct load *l, struct yaml_node *n)
{
	const char *type = yaml_str(yaml_get(n, "type"));
	struct yaml_node *source = yaml_get(n, "source"), *bind;

	if (!type || strcmp(type, "bind") != 0)
		return;
	if (source && source->type == YAML_STR && *source->s)
		yaml_put(l->a, n, "source", yaml_new_str(l->a, path_resolve(l, source->s), source));
	bind = section(l, n, "bind");
	if (bind->type == YAML_MAP && !yaml_get(bind, "create_host_path"))
		yaml_put(l->a, bind, "create_host_path", yaml_new_bool(l->a, true, n));
}

struct yaml_node *canon_volumes(struct load *l, const struct at *at, struct yaml_node *n)
{
	struct yaml_node *list = yaml_new(l->a, YAML_LIST, n);

	for (size_t i = 0; i < n->m.n; i++) {
		struct at here = { at, NULL, i };
		struct yaml_node *item = n->m.v[i].value, *target;

		if (item->type == YAML_STR)
			item = short_mount(l, &here, item);
		else
			long_mount(l, item);
		if (!item)
			continue;
		target = yaml_get(item, "target");
		if (target && target->type == YAML_STR && *target->s) {
			auto_free char *clean = path_clean(target->s);

			yaml_put(l->a, item, "target",
				 yaml_new_str(l->a, arena_strdup(l->a, clean), target));
		}
		yaml_add(l->a, list, item);
	}
	return list;
}
