/* walk.c - a tree against the table of keys: is it valid, and its canonical form. */
#include "loader.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool is_extension(const char *key)
{
	return str_starts(key, "x-");
}

const struct shape *shape_child(const struct shape *s, const char *key)
{
	if (s->keys)
		for (const struct key *k = s->keys; k->name; k++)
			if (str_is(k->name, key))
				return k->shape;
	if (s->keys && is_extension(key))
		return &shape_any;
	return s->value;
}

static void add_at(struct sbuf *b, const struct at *at)
{
	if (!at)
		return;
	add_at(b, at->up);
	if (at->key)
		sbuf_addf(b, "%s%s", at->up ? "." : "", at->key);
	else
		sbuf_addf(b, "[%zu]", at->index);
}

char *at_name(struct arena *a, const struct at *at)
{
	auto_sbuf struct sbuf b = SBUF_INIT;

	add_at(&b, at);
	return arena_strdup(a, sbuf_str(&b));
}

void problem(struct load *l, const struct yaml_node *n, const struct at *at, const char *fmt, ...)
{
	va_list ap;

	l->n_problems++;
	if (l->n_problems > 20)
		return;
	if (l->problems.len)
		sbuf_addc(&l->problems, '\n');
	if (n && n->file && n->line)
		sbuf_addf(&l->problems, "%s:%u:%u: ", n->file, n->line, n->col);
	if (at) {
		add_at(&l->problems, at);
		sbuf_adds(&l->problems, ": ");
	}
	va_start(ap, fmt);
	sbuf_addv(&l->problems, fmt, ap);
	va_end(ap);
}

void warning(struct load *l, const char *fmt, ...)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	va_list ap;

	if (!l->diags)
		return;
	va_start(ap, fmt);
	sbuf_addv(&b, fmt, ap);
	va_end(ap);
	if (!strs_has(&l->diags->warnings, sbuf_str(&b)))
		strs_add(&l->diags->warnings, sbuf_str(&b));
}

int load_check(struct load *l, struct err *err)
{
	if (l->n_problems == 0)
		return 0;
	if (l->n_problems > 20)
		sbuf_addf(&l->problems, "\nand %zu more", l->n_problems - 20);
	return err_set(err, -EINVAL, "%s", sbuf_str(&l->problems));
}

/* ---- Checking */

static const char *expected(struct load *l, const struct shape *s)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	unsigned types = s->types & ~T_NULL;

	if (s->expects)
		return s->expects;
	if ((types & T_NUM) == T_NUM)
		types &= ~T_INT;
	for (enum yaml_type t = YAML_NULL; t <= YAML_MAP; t++) {
		if (!(types & T(t)))
			continue;
		types &= ~T(t);
		sbuf_addf(&b, "%s%s", b.len == 0 ? "" : types ? ", " : " or ", yaml_type_name(t));
	}
	return arena_strdup(l->a, sbuf_str(&b));
}

static void unknown_key(struct load *l, const struct yaml_node *map, const struct yaml_pair *p,
			const struct shape *s, const struct at *at)
{
	const char *names[160], *near;
	struct yaml_node where = { .file = map->file, .line = p->line, .col = p->col };
	size_t n = 0;

	for (const struct key *k = s->keys; k->name && n < ARRAY_LEN(names); k++)
		names[n++] = k->name;
	near = str_nearest(p->key, names, n);
	if (near)
		problem(l, &where, at, "unknown key, did you mean '%s'?", near);
	else
		problem(l, &where, at, "unknown key");
}

static void check_node(struct load *l, const struct yaml_node *n, const struct shape *s,
		       const struct at *at);

static void check_map(struct load *l, const struct yaml_node *n, const struct shape *s,
		      const struct at *at)
{
	for (size_t i = 0; i < n->m.n; i++) {
		const struct yaml_pair *p = &n->m.v[i];
		const struct shape *child = shape_child(s, p->key);
		struct at here = { at, p->key, 0 };

		if (!child) {
			if (s->keys)
				unknown_key(l, n, p, s, &here);
			continue;
		}
		if (s->name_ok && child == s->value && !s->name_ok(p->key)) {
			problem(l, p->value, &here, "'%s' is not a valid name", p->key);
			continue;
		}
		check_node(l, p->value, child, &here);
	}
}

static void check_list(struct load *l, const struct yaml_node *n, const struct shape *s,
		       const struct at *at)
{
	struct map seen = { 0 };

	for (size_t i = 0; i < n->m.n; i++) {
		const struct yaml_node *item = n->m.v[i].value;
		struct at here = { at, NULL, i };
		const char *text;

		if (s->item)
			check_node(l, item, s->item, &here);
		if (!s->unique || !yaml_is_scalar(item))
			continue;
		text = yaml_text(l->a, item);
		if (map_has(&seen, text))
			problem(l, item, &here, "'%s' is given twice", text);
		map_put(&seen, text, &seen);
	}
	map_clear(&seen);
}

static void check_words(struct load *l, const struct yaml_node *n, const struct shape *s,
			const struct at *at)
{
	auto_sbuf struct sbuf b = SBUF_INIT;

	for (const char *const *w = s->words; *w; w++) {
		if (strcmp(*w, n->s) == 0)
			return;
		sbuf_addf(&b, "%s%s", b.len ? ", " : "", *w);
	}
	problem(l, n, at, "'%s' is none of %s", n->s, sbuf_str(&b));
}

static void check_node(struct load *l, const struct yaml_node *n, const struct shape *s,
		       const struct at *at)
{
	const char *wrong;

	if (!(s->types & T(n->type))) {
		problem(l, n, at, "must be %s, not %s", expected(l, s), yaml_type_name(n->type));
		return;
	}
	if (s->words && n->type == YAML_STR)
		check_words(l, n, s, at);
	wrong = s->check ? s->check(l, n) : NULL;
	if (wrong) {
		problem(l, n, at, "%s", wrong);
		return;
	}
	if (n->type == YAML_MAP)
		check_map(l, n, s, at);
	else if (n->type == YAML_LIST)
		check_list(l, n, s, at);
}

void check_tree(struct load *l, const struct yaml_node *root, const struct shape *shape)
{
	check_node(l, root, shape, NULL);
}

static void require(struct load *l, const struct yaml_node *n, const struct shape *s,
		    const struct at *at)
{
	if (yaml_is_scalar(n))
		return;
	if (n->type == YAML_MAP && s->required)
		for (const char *const *k = s->required; *k; k++)
			if (!yaml_get(n, *k))
				problem(l, n, at, "'%s' is missing", *k);
	for (size_t i = 0; i < n->m.n; i++) {
		const struct yaml_pair *p = &n->m.v[i];
		const struct shape *child = n->type == YAML_LIST ? s->item : shape_child(s, p->key);
		struct at here = { at, p->key, i };

		if (child)
			require(l, p->value, child, &here);
	}
}

void check_required(struct load *l, const struct yaml_node *root, const struct shape *shape)
{
	require(l, root, shape, NULL);
}

/* ---- Canonical form */

static struct yaml_node *to_str(struct load *l, struct yaml_node *n)
{
	return n->type == YAML_STR ? n : yaml_new_str(l->a, yaml_text(l->a, n), n);
}

static struct yaml_node *to_bool(struct load *l, const struct at *at, struct yaml_node *n)
{
	bool b;

	if (n->type != YAML_STR)
		return n;
	if (bool_of(n->s, &b))
		return yaml_new_bool(l->a, b, n);
	problem(l, n, at, "'%s' is not a boolean", n->s);
	return NULL;
}

static struct yaml_node *to_int(struct load *l, const struct at *at, struct yaml_node *n)
{
	int64_t i;

	if (n->type == YAML_INT)
		return n;
	if (n->type == YAML_FLOAT && n->f == floor(n->f) && fabs(n->f) < 9e18)
		return yaml_new_int(l->a, (int64_t)n->f, n);
	if (n->type == YAML_STR && parse_i64(n->s, &i) == 0)
		return yaml_new_int(l->a, i, n);
	problem(l, n, at, "'%s' is not an integer", yaml_text(l->a, n));
	return NULL;
}

static struct yaml_node *to_float(struct load *l, const struct at *at, struct yaml_node *n)
{
	char *end;
	double f;

	if (n->type != YAML_STR)
		return n;
	f = strtod(n->s, &end);
	if (*n->s && !*end && strspn(n->s, "+-.0123456789eE") == strlen(n->s))
		return yaml_new_float(l->a, f, n);
	problem(l, n, at, "'%s' is not a number", n->s);
	return NULL;
}

static struct yaml_node *to_bytes(struct load *l, const struct at *at, struct yaml_node *n)
{
	const char *text = yaml_text(l->a, n);
	int64_t v;
	int r = n->type == YAML_FLOAT ? (v = (int64_t)n->f, 0) : bytes_of(text, &v);

	if (n->type == YAML_FLOAT && !(fabs(n->f) < 9e18))
		r = -ERANGE;
	if (r < 0) {
		problem(l, n, at, "'%s' is not a size like 512, 64m or 1.5gb", text);
		return NULL;
	}
	return yaml_new_str(l->a, arena_printf(l->a, "%" PRId64, v), n);
}

static struct yaml_node *to_duration(struct load *l, const struct at *at, struct yaml_node *n)
{
	int64_t ns;

	if (n->type == YAML_STR && duration_of(n->s, &ns) == 0)
		return yaml_new_str(l->a, duration_text(l->a, ns), n);
	problem(l, n, at, "'%s' is not a duration like 1m30s", yaml_text(l->a, n));
	return NULL;
}

static struct yaml_node *to_mode(struct load *l, const struct at *at, struct yaml_node *n)
{
	int64_t mode;
	char *end;

	if (n->type == YAML_STR) {
		mode = strtol(n->s, &end, 8);
		if (!*n->s || *end)
			mode = -1;
	} else {
		mode = n->type == YAML_INT ? n->i : -1;
	}
	if (mode < 0 || mode > 07777) {
		problem(l, n, at, "'%s' is not a file mode like 0440", yaml_text(l->a, n));
		return NULL;
	}
	return yaml_new_str(l->a, arena_printf(l->a, "%#" PRIo64, (uint64_t)mode), n);
}

static struct yaml_node *cast_node(struct load *l, const struct at *at, struct yaml_node *n,
				   enum cast cast)
{
	/* $ that was left in place by no_interpolate */
	if (l->opt->no_interpolate && n->type == YAML_STR && strchr(n->s, '$'))
		return n;
	switch (cast) {
	case AS_STR:
		return to_str(l, n);
	case AS_BOOL:
		return to_bool(l, at, n);
	case AS_INT:
		return to_int(l, at, n);
	case AS_FLOAT:
		return to_float(l, at, n);
	case AS_BYTES:
		return to_bytes(l, at, n);
	case AS_DURATION:
		return to_duration(l, at, n);
	case AS_MODE:
		return to_mode(l, at, n);
	case AS_IS:
		break;
	}
	return n;
}

struct yaml_node *canon_tree(struct load *l, struct yaml_node *n, const struct shape *s,
			     const struct at *at)
{
	if (s->canon) {
		n = s->canon(l, at, n);
		if (!n)
			return NULL;
	}
	if (n->type == YAML_NULL)
		return n;
	if (yaml_is_scalar(n))
		return cast_node(l, at, n, s->cast);
	for (size_t i = 0; i < n->m.n; i++) {
		struct yaml_pair *p = &n->m.v[i];
		const struct shape *child = n->type == YAML_LIST ? s->item : shape_child(s, p->key);
		struct at here = { at, p->key, i };
		struct yaml_node *v = child ? canon_tree(l, p->value, child, &here) : p->value;

		if (v)
			p->value = v;
	}
	if (n->type == YAML_LIST && s->merge == MERGE_BY_ID)
		list_unify(l, n, s);
	return n;
}
