/* parse.c - libyaml's events to a tree, bounded in depth and number of nodes. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct anchor {
	const char *name;
	struct yaml_node *node; /* NULL while it is still being read */
};

struct parse {
	yaml_parser_t parser;
	struct arena *arena;
	const char *file;
	const char *text; /* all of it, for the place of a byte */
	size_t len;
	size_t nodes, aliased;
	struct {
		struct anchor *v;
		size_t n, cap;
	} anchors;
	struct err *err;
};

/* Released by itself in every branch of the functions below. */
static void auto_event_fn(yaml_event_t *ev)
{
	yaml_event_delete(ev);
}
#define auto_event __attribute__((cleanup(auto_event_fn)))

static int fail(struct parse *p, const yaml_mark_t *at, const char *what)
{
	return err_set(p->err, -EINVAL, "%s:%zu:%zu: %s", p->file, at->line + 1, at->column + 1,
		       what);
}

/* The text is not even characters: libyaml only knows the byte. */
static int bad_byte(struct parse *p, size_t offset)
{
	size_t line = 1, col = 1;

	for (size_t i = 0; i < offset && i < p->len; i++) {
		line += p->text[i] == '\n';
		col = p->text[i] == '\n' ? 1 : col + 1;
	}
	return err_set(p->err, -EINVAL, "%s:%zu:%zu: %s", p->file, line, col, p->parser.problem);
}

static int next_event(struct parse *p, yaml_event_t *ev)
{
	memset(ev, 0, sizeof(*ev));
	if (yaml_parser_parse(&p->parser, ev))
		return 0;
	if (p->parser.error == YAML_MEMORY_ERROR)
		return err_set(p->err, -ENOMEM, "%s: out of memory", p->file);
	if (p->parser.error == YAML_READER_ERROR)
		return bad_byte(p, p->parser.problem_offset);
	return err_set(p->err, -EINVAL, "%s:%zu:%zu: %s%s%s", p->file,
		       p->parser.problem_mark.line + 1, p->parser.problem_mark.column + 1,
		       p->parser.problem ? p->parser.problem : "invalid YAML",
		       p->parser.context ? " " : "", p->parser.context ? p->parser.context : "");
}

static int count_nodes(struct parse *p, size_t *sum, size_t n, size_t max, const char *which,
		       const yaml_mark_t *at)
{
	*sum += n;
	if (*sum > max)
		return err_set(p->err, -E2BIG, "%s:%zu:%zu: more than %zu values%s", p->file,
			       at->line + 1, at->column + 1, max, which);
	return 0;
}

static size_t tree_size(const struct yaml_node *n)
{
	size_t sum = 1;

	if (!yaml_is_scalar(n))
		for (size_t i = 0; i < n->m.n; i++)
			sum += tree_size(n->m.v[i].value);
	return sum;
}

static void anchor_set(struct parse *p, const char *name, struct yaml_node *node)
{
	for (size_t i = 0; i < p->anchors.n; i++)
		if (strcmp(p->anchors.v[i].name, name) == 0) {
			p->anchors.v[i].node = node;
			return;
		}
	*vec_push(&p->anchors) = (struct anchor){ arena_strdup(p->arena, name), node };
}

static int alias(struct parse *p, const yaml_event_t *ev, struct yaml_node **out)
{
	const char *name = (const char *)ev->data.alias.anchor;

	for (size_t i = 0; i < p->anchors.n; i++) {
		const struct yaml_node *n = p->anchors.v[i].node;
		int r;

		if (strcmp(p->anchors.v[i].name, name) != 0)
			continue;
		if (!n)
			return fail(p, &ev->start_mark, "an anchor contains itself");
		r = count_nodes(p, &p->aliased, tree_size(n), YAML_ALIASED_MAX, " from aliases",
				&ev->start_mark);
		if (r < 0)
			return r;
		*out = yaml_copy(p->arena, n);
		return 0;
	}
	return err_set(p->err, -EINVAL, "%s:%zu:%zu: unknown anchor '%s'", p->file,
		       ev->start_mark.line + 1, ev->start_mark.column + 1, name);
}

static int scalar(struct parse *p, const yaml_event_t *ev, struct yaml_node *n)
{
	const char *value = (const char *)ev->data.scalar.value;
	const char *tag = (const char *)ev->data.scalar.tag;
	const char *text;

	if (ev->data.scalar.length > YAML_SCALAR_MAX)
		return fail(p, &ev->start_mark, "a value longer than 4 MiB");
	if (strlen(value) != ev->data.scalar.length)
		return fail(p, &ev->start_mark, "a NUL character in a value");
	text = arena_strdup(p->arena, value);
	n->type = YAML_STR;
	n->s = text;
	if (tag && strcmp(tag, YAML_STR_TAG) == 0)
		return 0;
	if (tag && strcmp(tag, "tag:yaml.org,2002:binary") == 0) {
		auto_free char *bytes = NULL;

		if (base64_decode(text, &bytes) < 0)
			return fail(p, &ev->start_mark, "!!binary is no base64");
		n->s = arena_strdup(p->arena, bytes);
		return 0;
	}
	if (tag && str_starts(tag, "tag:yaml.org,2002:")) {
		scalar_resolve(p->arena, text, n);
		if (strcmp(tag, YAML_FLOAT_TAG) == 0 && n->type == YAML_INT) {
			n->type = YAML_FLOAT;
			n->f = (double)n->i;
		}
		if ((strcmp(tag, YAML_INT_TAG) == 0 && n->type != YAML_INT) ||
		    (strcmp(tag, YAML_FLOAT_TAG) == 0 && n->type != YAML_FLOAT) ||
		    (strcmp(tag, YAML_BOOL_TAG) == 0 && n->type != YAML_BOOL) ||
		    (strcmp(tag, YAML_NULL_TAG) == 0 && n->type != YAML_NULL))
			return fail(p, &ev->start_mark, "the value does not fit its tag");
		return 0;
	}
	if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		scalar_resolve(p->arena, text, n);
	return 0;
}

static int read_node(struct parse *p, yaml_event_t *ev, unsigned depth, struct yaml_node **out);

static int read_list(struct parse *p, struct yaml_node *list, unsigned depth)
{
	for (;;) {
		auto_event yaml_event_t ev;
		struct yaml_node *item = NULL;
		int r = next_event(p, &ev);

		if (r < 0)
			return r;
		if (ev.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		r = read_node(p, &ev, depth, &item);
		if (r < 0)
			return r;
		yaml_add(p->arena, list, item);
	}
}

/* A pair without the look-up of yaml_put(): duplicates were refused already. */
static void add_pair(struct arena *a, struct yaml_node *map, const char *key, const yaml_mark_t *at,
		     struct yaml_node *value)
{
	struct yaml_pair *pair;

	yaml_add(a, map, value);
	pair = &map->m.v[map->m.n - 1];
	pair->key = key;
	pair->line = (unsigned)at->line + 1;
	pair->col = (unsigned)at->column + 1;
}

/* Pairs of `from` that `map` lacks. */
static int merge_from(struct parse *p, struct map *seen, struct yaml_node *map,
		      const struct yaml_node *from, const yaml_mark_t *at)
{
	if (from->type != YAML_MAP)
		return fail(p, at, "a merge key (<<) needs a mapping or a list of mappings");
	for (size_t i = 0; i < from->m.n; i++) {
		if (map_has(seen, from->m.v[i].key))
			continue;
		map_put(seen, from->m.v[i].key, map);
		yaml_add(p->arena, map, from->m.v[i].value);
		map->m.v[map->m.n - 1] = from->m.v[i];
	}
	return 0;
}

static int merge_key(struct parse *p, struct map *seen, struct yaml_node *map,
		     const struct yaml_node *value, const yaml_mark_t *at)
{
	int r = 0;

	if (value->type != YAML_LIST)
		return merge_from(p, seen, map, value, at);
	for (size_t i = 0; i < value->m.n && r == 0; i++)
		r = merge_from(p, seen, map, value->m.v[i].value, at);
	return r;
}

static bool is_merge_key(const yaml_event_t *ev)
{
	return ev->type == YAML_SCALAR_EVENT && ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       strcmp((const char *)ev->data.scalar.value, "<<") == 0 &&
	       (!ev->data.scalar.tag ||
		strcmp((const char *)ev->data.scalar.tag, "tag:yaml.org,2002:merge") == 0);
}

static int read_map(struct parse *p, struct yaml_node *map, unsigned depth)
{
	auto_map struct map seen = { 0 };
	struct yaml_node *merged = NULL;
	yaml_mark_t merged_at = { 0 };

	for (;;) {
		auto_event yaml_event_t ev, vev = { 0 };
		struct yaml_node *key = NULL, *value = NULL;
		int r = next_event(p, &ev);

		if (r < 0)
			return r;
		if (ev.type == YAML_MAPPING_END_EVENT)
			break;
		r = read_node(p, &ev, depth, &key);
		if (r < 0)
			return r;
		if (key->type != YAML_STR)
			return fail(p, &ev.start_mark, "a key must be a string");
		p->nodes--; /* a pair counts once */
		r = next_event(p, &vev);
		if (r < 0)
			return r;
		r = read_node(p, &vev, depth, &value);
		if (r < 0)
			return r;
		if (is_merge_key(&ev)) {
			if (merged)
				return fail(p, &ev.start_mark, "the key '<<' is given twice");
			merged = value;
			merged_at = ev.start_mark;
			continue;
		}
		if (map_has(&seen, key->s))
			return err_set(p->err, -EINVAL, "%s:%zu:%zu: the key '%s' is given twice",
				       p->file, ev.start_mark.line + 1, ev.start_mark.column + 1,
				       key->s);
		map_put(&seen, key->s, map);
		add_pair(p->arena, map, key->s, &ev.start_mark, value);
	}
	return merged ? merge_key(p, &seen, map, merged, &merged_at) : 0;
}

static enum yaml_mark mark_of(const char *tag)
{
	if (tag && strcmp(tag, "!reset") == 0)
		return YAML_RESET;
	return tag && strcmp(tag, "!override") == 0 ? YAML_OVERRIDE : YAML_PLAIN;
}

static int read_node(struct parse *p, yaml_event_t *ev, unsigned depth, struct yaml_node **out)
{
	struct yaml_node *n;
	const char *anchor, *tag;
	int r;

	if (depth > YAML_DEPTH_MAX)
		return err_set(p->err, -E2BIG, "%s:%zu:%zu: nested deeper than %d levels", p->file,
			       ev->start_mark.line + 1, ev->start_mark.column + 1, YAML_DEPTH_MAX);
	if (ev->type == YAML_ALIAS_EVENT)
		return alias(p, ev, out);
	r = count_nodes(p, &p->nodes, 1, YAML_NODES_MAX, "", &ev->start_mark);
	if (r < 0)
		return r;
	n = yaml_new(p->arena, YAML_NULL, NULL);
	n->file = p->file;
	n->line = (unsigned)ev->start_mark.line + 1;
	n->col = (unsigned)ev->start_mark.column + 1;
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		anchor = (const char *)ev->data.scalar.anchor;
		tag = (const char *)ev->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = (const char *)ev->data.sequence_start.anchor;
		tag = (const char *)ev->data.sequence_start.tag;
		n->type = YAML_LIST;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = (const char *)ev->data.mapping_start.anchor;
		tag = (const char *)ev->data.mapping_start.tag;
		n->type = YAML_MAP;
		break;
	default:
		return fail(p, &ev->start_mark, "a value is expected here");
	}
	n->mark = mark_of(tag);
	if (anchor)
		anchor_set(p, anchor, NULL);
	r = n->type == YAML_LIST  ? read_list(p, n, depth + 1)
	    : n->type == YAML_MAP ? read_map(p, n, depth + 1)
				  : scalar(p, ev, n);
	if (r < 0)
		return r;
	if (anchor)
		anchor_set(p, anchor, n);
	*out = n;
	return 0;
}

static int read_document(struct parse *p, struct yaml_node **root)
{
	auto_event yaml_event_t ev, end = { 0 };
	int r = next_event(p, &ev);

	if (r < 0)
		return r;
	p->anchors.n = 0;
	r = read_node(p, &ev, 1, root);
	if (r < 0)
		return r;
	return next_event(p, &end); /* DOCUMENT-END */
}

static int read_stream(struct parse *p, struct yaml_docs *docs)
{
	for (;;) {
		auto_event yaml_event_t ev;
		struct yaml_node *root = NULL, **slot;
		int r = next_event(p, &ev);

		if (r < 0)
			return r;
		if (ev.type == YAML_STREAM_START_EVENT)
			continue;
		if (ev.type == YAML_STREAM_END_EVENT)
			return 0;
		r = read_document(p, &root);
		if (r < 0)
			return r;
		if (docs->n == docs->cap) {
			docs->cap = docs->cap ? 2 * docs->cap : 4;
			slot = arena_array(p->arena, docs->cap, sizeof(*slot));
			if (docs->n)
				memcpy(slot, docs->v, docs->n * sizeof(*slot));
			docs->v = slot;
		}
		docs->v[docs->n++] = root;
	}
}

int yaml_parse(struct arena *a, const char *file, const char *text, size_t len,
	       struct yaml_docs *docs, struct err *err)
{
	struct parse p = { .arena = a, .err = err, .text = text, .len = len };
	int r;

	p.file = arena_strdup(a, file);
	*docs = (struct yaml_docs){ 0 };
	if (!yaml_parser_initialize(&p.parser))
		return err_set(err, -ENOMEM, "%s: out of memory", file);
	yaml_parser_set_input_string(&p.parser, (const unsigned char *)text, len);
	r = read_stream(&p, docs);
	yaml_parser_delete(&p.parser);
	free(p.anchors.v);
	return r;
}
