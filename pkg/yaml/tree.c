/* tree.c - reading and changing a tree. */
#include "tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *yaml_type_name(enum yaml_type t)
{
	static const char *const names[] = {
		[YAML_NULL] = "null",      [YAML_BOOL] = "a boolean", [YAML_INT] = "an integer",
		[YAML_FLOAT] = "a number", [YAML_STR] = "a string",   [YAML_LIST] = "a list",
		[YAML_MAP] = "a mapping",
	};

	return names[t];
}

struct yaml_pair *yaml_pair_of(const struct yaml_node *map, const char *key)
{
	if (!map || map->type != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->m.n; i++)
		if (str_is(map->m.v[i].key, key))
			return &map->m.v[i];
	return NULL;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	struct yaml_pair *p = yaml_pair_of(map, key);

	return p ? p->value : NULL;
}

const char *yaml_str(const struct yaml_node *n)
{
	return n && n->type == YAML_STR ? n->s : NULL;
}

const char *yaml_str_at(const struct yaml_node *map, const char *key)
{
	const char *s = yaml_str(yaml_get(map, key));

	return s && *s ? s : NULL;
}

bool yaml_is_scalar(const struct yaml_node *n)
{
	return n->type != YAML_LIST && n->type != YAML_MAP;
}

bool yaml_equal(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case YAML_NULL:
		return true;
	case YAML_BOOL:
		return a->b == b->b;
	case YAML_INT:
		return a->i == b->i;
	case YAML_FLOAT:
		return a->f == b->f;
	case YAML_STR:
		return strcmp(a->s, b->s) == 0;
	case YAML_LIST:
	case YAML_MAP:
		break;
	}
	if (a->m.n != b->m.n)
		return false;
	for (size_t i = 0; i < a->m.n; i++) {
		const struct yaml_node *other =
			a->type == YAML_MAP ? yaml_get(b, a->m.v[i].key) : b->m.v[i].value;

		if (!other || !yaml_equal(a->m.v[i].value, other))
			return false;
	}
	return true;
}

const char *yaml_text(struct arena *a, const struct yaml_node *n)
{
	char number[YAML_FLOAT_LEN];

	switch (n->type) {
	case YAML_NULL:
		return "";
	case YAML_BOOL:
		return n->b ? "true" : "false";
	case YAML_INT:
		return arena_printf(a, "%" PRId64, n->i);
	case YAML_FLOAT:
		yaml_float_text(n->f, number);
		return arena_strdup(a, number);
	case YAML_STR:
		return n->s;
	case YAML_LIST:
	case YAML_MAP:
		break;
	}
	return NULL;
}

struct yaml_node *yaml_new(struct arena *a, enum yaml_type type, const struct yaml_node *at)
{
	struct yaml_node *n = arena_alloc(a, sizeof(*n));

	n->type = type;
	if (at) {
		n->file = at->file;
		n->line = at->line;
		n->col = at->col;
	}
	return n;
}

struct yaml_node *yaml_new_str(struct arena *a, const char *s, const struct yaml_node *at)
{
	struct yaml_node *n = yaml_new(a, YAML_STR, at);

	n->s = s;
	return n;
}

struct yaml_node *yaml_new_int(struct arena *a, int64_t i, const struct yaml_node *at)
{
	struct yaml_node *n = yaml_new(a, YAML_INT, at);

	n->i = i;
	return n;
}

struct yaml_node *yaml_new_bool(struct arena *a, bool b, const struct yaml_node *at)
{
	struct yaml_node *n = yaml_new(a, YAML_BOOL, at);

	n->b = b;
	return n;
}

struct yaml_node *yaml_new_float(struct arena *a, double f, const struct yaml_node *at)
{
	struct yaml_node *n = yaml_new(a, YAML_FLOAT, at);

	n->f = f;
	return n;
}

struct yaml_node *yaml_copy(struct arena *a, const struct yaml_node *n)
{
	struct yaml_node *c = arena_alloc(a, sizeof(*c));

	*c = *n;
	if (yaml_is_scalar(n))
		return c;
	c->m.cap = n->m.n;
	c->m.v = n->m.n ? arena_array(a, n->m.n, sizeof(*c->m.v)) : NULL;
	for (size_t i = 0; i < n->m.n; i++) {
		c->m.v[i] = n->m.v[i];
		c->m.v[i].value = yaml_copy(a, n->m.v[i].value);
	}
	return c;
}

static struct yaml_pair *grow(struct arena *a, struct yaml_node *n)
{
	if (n->m.n == n->m.cap) {
		size_t cap = n->m.cap ? 2 * n->m.cap : 4;
		struct yaml_pair *v = arena_array(a, cap, sizeof(*v));

		if (n->m.n)
			memcpy(v, n->m.v, n->m.n * sizeof(*v));
		n->m.v = v;
		n->m.cap = cap;
	}
	return &n->m.v[n->m.n++];
}

void yaml_put(struct arena *a, struct yaml_node *map, const char *key, struct yaml_node *value)
{
	struct yaml_pair *p = yaml_pair_of(map, key);

	if (!p) {
		p = grow(a, map);
		p->key = key;
		p->line = value->line;
		p->col = value->col;
	}
	p->value = value;
}

void yaml_add(struct arena *a, struct yaml_node *list, struct yaml_node *value)
{
	struct yaml_pair *p = grow(a, list);

	p->key = NULL;
	p->line = value->line;
	p->col = value->col;
	p->value = value;
}

void yaml_remove_at(struct yaml_node *n, size_t i)
{
	memmove(&n->m.v[i], &n->m.v[i + 1], (n->m.n - i - 1) * sizeof(*n->m.v));
	n->m.n--;
}

bool yaml_remove(struct yaml_node *map, const char *key)
{
	struct yaml_pair *p = yaml_pair_of(map, key);

	if (!p)
		return false;
	yaml_remove_at(map, (size_t)(p - map->m.v));
	return true;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct yaml_pair *)a)->key, ((const struct yaml_pair *)b)->key);
}

void yaml_sort(struct yaml_node *n)
{
	if (yaml_is_scalar(n))
		return;
	if (n->type == YAML_MAP && n->m.n)
		qsort(n->m.v, n->m.n, sizeof(*n->m.v), by_key);
	for (size_t i = 0; i < n->m.n; i++)
		yaml_sort(n->m.v[i].value);
}
