/* merge.c - a later file over an earlier one, both canonical; !reset and !override. */
#include "canon.h"

#include <string.h>

void list_unify(struct load *l, struct yaml_node *list, const struct shape *shape)
{
	struct map seen = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < list->m.n; i++) {
		struct yaml_pair *p = &list->m.v[i];
		const char *id = shape->ident(l->a, p->value);
		struct yaml_pair *before = id ? map_get(&seen, id) : NULL;

		if (before) {
			*before = *p;
			continue;
		}
		list->m.v[n] = *p;
		if (id)
			map_put(&seen, id, &list->m.v[n]);
		n++;
	}
	list->m.n = n;
	map_clear(&seen);
}

static void refuse_duplicates(struct load *l, const struct yaml_node *list, const struct at *at)
{
	struct map seen = { 0 };

	for (size_t i = 0; i < list->m.n; i++) {
		const struct yaml_node *item = list->m.v[i].value;
		struct at here = { at, NULL, i };
		const char *text = yaml_text(l->a, item);

		if (text && map_has(&seen, text))
			problem(l, item, &here, "'%s' was given before", text);
		if (text)
			map_put(&seen, text, &seen);
	}
	map_clear(&seen);
}

static struct yaml_node *merge_lists(struct load *l, struct yaml_node *left,
				     struct yaml_node *right, const struct shape *shape,
				     const struct at *at)
{
	struct yaml_node *list;

	if (shape->merge == MERGE_REPLACE)
		return right;
	list = yaml_new(l->a, YAML_LIST, left);
	for (size_t i = 0; i < left->m.n; i++)
		yaml_add(l->a, list, left->m.v[i].value);
	for (size_t i = 0; i < right->m.n; i++)
		yaml_add(l->a, list, right->m.v[i].value);
	if (shape->merge == MERGE_BY_ID)
		list_unify(l, list, shape);
	else if (shape->unique)
		refuse_duplicates(l, list, at);
	return list;
}

struct yaml_node *merge_tree(struct load *l, struct yaml_node *left, struct yaml_node *right,
			     const struct shape *shape, const struct at *at)
{
	struct map index = { 0 };

	if (right->type == YAML_NULL && shape->merge != MERGE_NULL)
		return left;
	if (left->type == YAML_NULL)
		return right;
	if (shape->merged)
		return shape->merged(l, at, left, right);
	if (yaml_is_scalar(left) && yaml_is_scalar(right))
		return right;
	if (left->type != right->type) {
		problem(l, right, at, "cannot replace %s by %s", yaml_type_name(left->type),
			yaml_type_name(right->type));
		return right;
	}
	if (left->type == YAML_LIST)
		return merge_lists(l, left, right, shape, at);
	if (shape->merge == MERGE_REPLACE)
		return right;
	for (size_t i = 0; i < left->m.n; i++)
		map_put(&index, left->m.v[i].key, left->m.v[i].value);
	for (size_t i = 0; i < right->m.n; i++) {
		const struct yaml_pair *p = &right->m.v[i];
		const struct shape *child = shape_child(shape, p->key);
		struct at here = { at, p->key, 0 };
		struct yaml_node *old = map_get(&index, p->key);

		if (old) {
			yaml_put(l->a, left, p->key,
				 merge_tree(l, old, p->value, child ? child : &shape_any, &here));
		} else {
			yaml_add(l->a, left, p->value);
			left->m.v[left->m.n - 1] = *p;
		}
	}
	map_clear(&index);
	return left;
}

/* Options of the same driver are merged, another driver replaces all. */
struct yaml_node *merge_logging(struct load *l, const struct at *at, struct yaml_node *left,
				struct yaml_node *right)
{
	static const struct shape deep = { .types = T_MAP, .value = &shape_any };
	const struct yaml_node *a = yaml_get(left, "driver"), *b = yaml_get(right, "driver");

	if (a && b && !yaml_equal(a, b))
		return right;
	return merge_tree(l, left, right, &deep, at);
}

/* One number over {soft, hard} or the other way round replaces. */
struct yaml_node *merge_ulimit(struct load *l, const struct at *at, struct yaml_node *left,
			       struct yaml_node *right)
{
	static const struct shape deep = { .types = T_MAP, .value = &shape_any };

	if (left->type != YAML_MAP || right->type != YAML_MAP)
		return right;
	return merge_tree(l, left, right, &deep, at);
}

/* ---- !reset and !override */

static void add_path(struct load *l, const struct at *at, struct yaml_paths *out)
{
	struct yaml_path path = { NULL, 0 };
	const char **keys;

	for (const struct at *a = at; a; a = a->up)
		path.n++;
	keys = arena_array(l->a, path.n, sizeof(*keys));
	path.keys = keys;
	for (size_t i = path.n; at; at = at->up)
		keys[--i] = at->key; /* NULL for an item of a list */
	if (out->n == out->cap) {
		size_t cap = out->cap ? 2 * out->cap : 4;
		struct yaml_path *v = arena_array(l->a, cap, sizeof(*v));

		if (out->n)
			memcpy(v, out->v, out->n * sizeof(*v));
		out->v = v;
		out->cap = cap;
	}
	out->v[out->n++] = path;
}

static void collect(struct load *l, struct yaml_node *n, const struct at *at,
		    struct yaml_paths *out)
{
	if (yaml_is_scalar(n))
		return;
	for (size_t i = 0; i < n->m.n;) {
		struct yaml_pair *p = &n->m.v[i];
		struct at here = { at, p->key, i };

		if (p->value->mark == YAML_PLAIN)
			collect(l, p->value, &here, out);
		else
			add_path(l, &here, out);
		if (p->value->mark == YAML_RESET)
			yaml_remove_at(n, i);
		else
			i++;
	}
}

void marks_collect(struct load *l, struct yaml_node *root, struct yaml_paths *out)
{
	collect(l, root, NULL, out);
}

static void remove_path(struct yaml_node *n, const char *const *keys, size_t n_keys)
{
	while (n && n_keys > 1 && keys[0]) {
		n = yaml_get(n, keys[0]);
		keys++;
		n_keys--;
	}
	if (n && n->type == YAML_MAP && n_keys == 1 && keys[0])
		yaml_remove(n, keys[0]);
}

void marks_apply(const struct yaml_paths *paths, struct yaml_node *root, const char *service)
{
	for (size_t i = 0; i < paths->n; i++) {
		const struct yaml_path *p = &paths->v[i];

		if (!service)
			remove_path(root, p->keys, p->n);
		else if (p->n > 2 && str_eq(p->keys[0], "services") && str_eq(p->keys[1], service))
			remove_path(root, p->keys + 2, p->n - 2);
	}
}
