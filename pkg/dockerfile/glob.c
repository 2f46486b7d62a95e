/* glob.c - patterns as sets of states: time is pattern times text, whatever the pattern; see
 * dockerfile.h */
#include <ctrcompose/dockerfile.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_MAX = 4096 };

enum token_kind {
	T_CHAR,
	T_ANY,     /* ? */
	T_CLASS,   /* [...] */
	T_STAR,    /* any number of characters but '/' */
	T_ALL,     /* any number of any characters */
	T_FOLDERS, /* nothing, or anything that ends in '/' */
};

struct token {
	enum token_kind kind;
	unsigned char c;
	const struct set *set;
};

struct set {
	unsigned char bits[32];
};

struct df_glob {
	struct arena arena;
	struct token *v;
	size_t n;
	bool flat;
};

bool df_has_glob(const char *s)
{
	return strpbrk(s, "*?[\\") != NULL;
}

static void set_add(struct set *s, unsigned lo, unsigned hi)
{
	for (unsigned c = lo; c <= hi; c++)
		s->bits[c / 8] |= (unsigned char)(1U << (c % 8));
}

static bool set_has(const struct set *s, unsigned char c)
{
	return s->bits[c / 8] & (1U << (c % 8));
}

/* After '['. Returns what follows ']', NULL when there is none. */
static const char *read_class(const char *p, struct set *set)
{
	bool negated = *p == '^';
	bool any = false;

	p += negated;
	while (*p && (*p != ']' || !any)) {
		unsigned char lo, hi;

		if (*p == '\\' && p[1])
			p++;
		lo = hi = (unsigned char)*p++;
		if (*p == '-' && p[1] && p[1] != ']') {
			p++;
			if (*p == '\\' && p[1])
				p++;
			hi = (unsigned char)*p++;
		}
		if (lo > hi)
			return NULL;
		set_add(set, lo, hi);
		any = true;
	}
	if (*p != ']')
		return NULL;
	if (negated)
		for (size_t i = 0; i < sizeof(set->bits); i++)
			set->bits[i] = (unsigned char)~set->bits[i];
	return p + 1;
}

static const char *read_stars(const char *p, struct df_glob *g)
{
	struct token *t = &g->v[g->n++];

	if (p[1] != '*' || g->flat) {
		t->kind = g->flat ? T_ALL : T_STAR;
		return p + 1;
	}
	p += 2;
	if (*p == '/')
		p++;
	t->kind = *p ? T_FOLDERS : T_ALL;
	return p;
}

static const char *read_token(const char *p, struct df_glob *g)
{
	struct token *t = &g->v[g->n];
	struct set *set;

	switch (*p) {
	case '*':
		return read_stars(p, g);
	case '?':
		t->kind = T_ANY;
		break;
	case '[':
		set = arena_alloc(&g->arena, sizeof(*set));
		t->kind = T_CLASS;
		t->set = set;
		g->n++;
		return read_class(p + 1, set);
	default:
		p += *p == '\\' && p[1];
		t->kind = T_CHAR;
		t->c = (unsigned char)*p;
	}
	g->n++;
	return p + 1;
}

int df_glob_new(const char *pattern, bool flat, struct df_glob **out, struct err *err)
{
	struct df_glob *g;
	size_t len = strlen(pattern);

	if (len > PATTERN_MAX)
		return err_set(err, E2BIG, "a pattern is longer than %d bytes", PATTERN_MAX);
	g = xcalloc(1, sizeof(*g));
	g->v = arena_array(&g->arena, len + 1, sizeof(*g->v));
	g->flat = flat;
	for (const char *p = pattern; *p;) {
		p = read_token(p, g);
		if (!p) {
			df_glob_free(g);
			return err_set(err, EINVAL, "'%s' is not a pattern", pattern);
		}
	}
	*out = g;
	return 0;
}

void df_glob_free(struct df_glob *g)
{
	if (!g)
		return;
	arena_free(&g->arena);
	free(g);
}

/* State i: tokens before i are done. Those that may match nothing hand the state on. */
static void reach(const struct df_glob *g, bool *states, size_t i)
{
	for (; !states[i]; i++) {
		states[i] = true;
		if (i == g->n ||
		    (g->v[i].kind != T_STAR && g->v[i].kind != T_ALL && g->v[i].kind != T_FOLDERS))
			return;
	}
}

/* T_FOLDERS is two states in one: at its beginning it may be left, in the middle of a name not.
 * `inside` holds the second kind. */
static void feed(const struct df_glob *g, const bool *now, const bool *inside, bool *next,
		 bool *next_inside, unsigned char c)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct token *t = &g->v[i];

		if (t->kind == T_FOLDERS && (now[i] || inside[i])) {
			next_inside[i] = true;
			if (c == '/')
				reach(g, next, i + 1);
			continue;
		}
		if (!now[i])
			continue;
		switch (t->kind) {
		case T_CHAR:
			if (t->c == c)
				reach(g, next, i + 1);
			break;
		case T_ANY:
			if (g->flat || c != '/')
				reach(g, next, i + 1);
			break;
		case T_CLASS:
			if (set_has(t->set, c) && (g->flat || c != '/'))
				reach(g, next, i + 1);
			break;
		case T_STAR:
			if (c != '/')
				reach(g, next, i);
			break;
		case T_ALL:
			reach(g, next, i);
			break;
		case T_FOLDERS:
			break;
		}
	}
}

bool df_glob_match(const struct df_glob *g, const char *s, size_t len)
{
	size_t n = g->n + 1;
	auto_free bool *states = xcalloc(n, 4);
	bool *now = states, *inside = states + n, *next = states + 2 * n,
	     *next_inside = states + 3 * n;

	reach(g, now, 0);
	for (size_t i = 0; i < len; i++) {
		bool *swap;

		memset(next, 0, n);
		memset(next_inside, 0, n);
		feed(g, now, inside, next, next_inside, (unsigned char)s[i]);
		swap = now, now = next, next = swap;
		swap = inside, inside = next_inside, next_inside = swap;
	}
	return now[g->n];
}
