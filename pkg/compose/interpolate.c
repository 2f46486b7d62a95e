/* interpolate.c - $NAME and ${NAME...} in one string and in a whole tree. */
#include "loader.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NEST_MAX   64
#define OUTPUT_MAX (4U << 20)

static size_t name_len(const char *s)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*s) && *s != '_')
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

/* One ${...}: the pieces point into the text. */
struct braced {
	const char *name, *word, *end; /* end: behind the closing brace */
	size_t name_len, word_len;
	char op[3]; /* "", "-", ":-", "?", ":?", "+", ":+" */
};

/* s stands behind "${". */
static bool scan_braced(const char *s, struct braced *b)
{
	unsigned open = 1;
	size_t op = 0;

	memset(b, 0, sizeof(*b));
	b->name = s;
	b->name_len = name_len(s);
	if (b->name_len == 0)
		return false;
	s += b->name_len;
	if (*s == '}') {
		b->word = s;
		b->end = s + 1;
		return true;
	}
	if (*s == ':')
		b->op[op++] = *s++;
	if (!*s || !strchr("-?+", *s))
		return false;
	b->op[op] = *s++;
	b->word = s;
	for (; *s; s++) {
		if (*s == '{') {
			open++;
		} else if (*s == '}' && --open == 0) {
			b->word_len = (size_t)(s - b->word);
			b->end = s + 1;
			return true;
		}
	}
	return false;
}

static const char *look_up(struct subst *s, const char *name)
{
	return s->lookup ? s->lookup(s->arg, name) : env_get(s->env, name);
}

static bool expand(struct subst *s, const char *text, unsigned depth, struct sbuf *out, char **why);

static bool expand_braced(struct subst *s, const struct braced *b, unsigned depth, struct sbuf *out,
			  char **why)
{
	const char *name = arena_strndup(s->a, b->name, b->name_len);
	const char *value = look_up(s, name), *word;
	bool colon = b->op[0] == ':', has = value && (*value || !colon);
	char op = colon ? b->op[1] : b->op[0];
	auto_sbuf struct sbuf text = SBUF_INIT;

	if (op == '+' ? !has : has) {
		if (op != '+')
			sbuf_adds(out, value);
		return true;
	}
	if (!op) {
		if (s->unset)
			s->unset(s->arg, name);
		return true;
	}
	word = arena_strndup(s->a, b->word, b->word_len);
	if (op != '?')
		return expand(s, word, depth + 1, out, why);
	if (!expand(s, word, depth + 1, &text, why))
		return false;
	*why = arena_printf(s->a, "required variable %s is missing a value%s%s", name,
			    text.len ? ": " : "", sbuf_str(&text));
	return false;
}

static bool expand(struct subst *s, const char *text, unsigned depth, struct sbuf *out, char **why)
{
	if (depth > NEST_MAX) {
		*why = arena_printf(s->a, "variables nested deeper than %d", NEST_MAX);
		return false;
	}
	while (*text) {
		size_t plain = strcspn(text, "$"), n;
		struct braced b;

		sbuf_add(out, text, plain);
		text += plain;
		if (out->len > OUTPUT_MAX) {
			*why = arena_strdup(s->a, "the text becomes too long");
			return false;
		}
		if (!*text)
			break;
		n = name_len(text + 1);
		if (text[1] == '$') {
			sbuf_addc(out, '$');
			text += 2;
		} else if (text[1] == '{') {
			if (!scan_braced(text + 2, &b)) {
				*why = arena_printf(
					s->a,
					"invalid interpolation format '%.80s'; you may need "
					"to escape any $ with another $",
					text);
				return false;
			}
			if (!expand_braced(s, &b, depth, out, why))
				return false;
			text = b.end;
		} else if (n) {
			b = (struct braced){ .name = text + 1, .name_len = n };
			if (!expand_braced(s, &b, depth, out, why))
				return false;
			text += 1 + n;
		} else {
			sbuf_addc(out, '$');
			text++;
		}
	}
	return true;
}

const char *substitute(struct subst *s, const char *text, char **why)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	if (!strchr(text, '$'))
		return text;
	if (!expand(s, text, 0, &out, why))
		return NULL;
	return arena_strdup(s->a, sbuf_str(&out));
}

static void find_variables(struct arena *a, const char *text, unsigned depth, variable_fn *fn,
			   void *arg)
{
	while ((text = strchr(text, '$')) && depth <= NEST_MAX) {
		size_t n = name_len(text + 1);
		struct braced b;

		if (text[1] == '$') {
			text += 2;
		} else if (text[1] == '{' && scan_braced(text + 2, &b)) {
			const char *word = arena_strndup(a, b.word, b.word_len);

			fn(arg, arena_strndup(a, b.name, b.name_len), b.op, word);
			find_variables(a, word, depth + 1, fn, arg);
			text = b.end;
		} else {
			if (n)
				fn(arg, arena_strndup(a, text + 1, n), "", "");
			text += 1 + n;
		}
	}
}

void variables_of(struct arena *a, const char *text, variable_fn *fn, void *arg)
{
	find_variables(a, text, 0, fn, arg);
}

/* ---- Trees */

static void warn_unset(void *arg, const char *name)
{
	struct load *l = arg;

	if (map_has(&l->warned, name))
		return;
	map_put(&l->warned, name, l);
	warning(l, "The \"%s\" variable is not set. Defaulting to a blank string.", name);
}

struct walk {
	struct load *l;
	const struct env *env;
};

static const char *walk_lookup(void *arg, const char *name)
{
	return env_get(((struct walk *)arg)->env, name);
}

static void walk_unset(void *arg, const char *name)
{
	warn_unset(((struct walk *)arg)->l, name);
}

/* What a substituted text becomes where the key wants a boolean or a number. */
static void cast(struct load *l, struct yaml_node *n, const struct shape *shape,
		 const struct at *at)
{
	const char *s = n->s;
	char *end;
	bool b;

	if (!shape)
		return;
	switch (shape->cast) {
	case AS_BOOL:
		if (!bool_of(s, &b)) {
			problem(l, n, at, "'%s' is not a boolean", s);
			return;
		}
		n->type = YAML_BOOL;
		n->b = b;
		return;
	case AS_INT:
		if (parse_i64(s, &n->i) == 0) {
			n->type = YAML_INT;
			return;
		}
		n->s = s;
		if (!(shape->types & T_STR) || shape->words == NULL)
			problem(l, n, at, "'%s' is not an integer", s);
		return;
	case AS_FLOAT:
		if (*s && !isspace((unsigned char)*s)) {
			double f = strtod(s, &end);

			if (!*end) {
				n->type = YAML_FLOAT;
				n->f = f;
				return;
			}
		}
		problem(l, n, at, "'%s' is not a number", s);
		return;
	default:
		return;
	}
}

static void walk_tree(struct walk *w, struct yaml_node *n, const struct shape *shape,
		      const struct at *at)
{
	struct load *l = w->l;

	if (n->type == YAML_STR) {
		struct subst s = {
			.a = l->a, .lookup = walk_lookup, .arg = w, .unset = walk_unset
		};
		char *why = NULL;
		const char *text = substitute(&s, n->s, &why);

		if (!text) {
			problem(l, n, at, "%s", why);
		} else if (text != n->s) {
			n->s = text;
			cast(l, n, shape, at);
		}
		return;
	}
	if (yaml_is_scalar(n))
		return;
	for (size_t i = 0; i < n->m.n; i++) {
		struct yaml_pair *p = &n->m.v[i];
		struct at here = { at, p->key, i };

		walk_tree(w, p->value,
			  !shape                 ? NULL
			  : n->type == YAML_LIST ? shape->item
						 : shape_child(shape, p->key),
			  &here);
	}
}

void interpolate_tree(struct load *l, const struct env *env, struct yaml_node *root,
		      const struct shape *shape)
{
	struct walk w = { l, env };

	walk_tree(&w, root, shape, NULL);
}
