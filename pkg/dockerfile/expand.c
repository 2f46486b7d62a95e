/* expand.c - variables in the words of a Dockerfile; see dockerfile.h */
#include <ctrcompose/dockerfile.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 32 };

struct expansion {
	const struct df_scope *scope;
	const char *p;
	unsigned depth;
};

static int expand_until(struct expansion *x, char stop, struct sbuf *out, struct err *err);

static int too_long(const struct sbuf *out, struct err *err)
{
	return out->len > DF_EXPAND_MAX
		       ? err_set(err, E2BIG, "a value grows beyond %u bytes", DF_EXPAND_MAX)
		       : 0;
}

static bool name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static size_t name_len(const char *p)
{
	size_t n = 0;

	if (name_start(*p))
		while (isalnum((unsigned char)p[n]) || p[n] == '_')
			n++;
	else if (isdigit((unsigned char)*p) || (*p && strchr("@*#", *p)))
		n = 1; /* positional parameters: always empty here */
	return n;
}

static const char *value_of(const struct expansion *x, const char *name)
{
	return name_start(*name) ? x->scope->get(x->scope->arg, name) : NULL;
}

/* ${name#pat}, ##, %, %%: the length that matches from the front, or where the tail begins. */
static int strip(const char *value, const char *pat, bool tail, bool longest, struct sbuf *out,
		 struct err *err)
{
	struct df_glob *g = NULL;
	size_t len = strlen(value);
	int r = df_glob_new(pat, true, &g, err);

	if (r < 0)
		return r;
	for (size_t k = 0; k <= len; k++) {
		size_t n = longest ? len - k : k; /* bytes to take off */

		if (df_glob_match(g, tail ? value + len - n : value, n)) {
			sbuf_add(out, tail ? value : value + n, len - n);
			df_glob_free(g);
			return 0;
		}
	}
	df_glob_free(g);
	sbuf_adds(out, value);
	return 0;
}

/* The longest match that begins at s; -1: none. */
static ssize_t match_at(const struct df_glob *g, const char *s)
{
	for (size_t n = strlen(s);; n--) {
		if (df_glob_match(g, s, n))
			return (ssize_t)n;
		if (n == 0)
			return -1;
	}
}

static int replace(const char *value, const char *pat, const char *to, bool all, struct sbuf *out,
		   struct err *err)
{
	struct df_glob *g = NULL;
	int r = df_glob_new(pat, true, &g, err);

	if (r == 0 && strlen(value) > 4096)
		r = err_set(err, E2BIG, "replacing in more than 4096 bytes");
	while (r == 0 && *value) {
		ssize_t n = match_at(g, value);

		if (n > 0) {
			sbuf_adds(out, to);
			value += n;
			if (!all)
				break;
		} else {
			sbuf_addc(out, *value++);
		}
		r = too_long(out, err);
	}
	if (r == 0)
		sbuf_adds(out, value);
	df_glob_free(g);
	return r;
}

/* After "${name" and the operator up to its '}'. */
static int operand(struct expansion *x, char stop, struct sbuf *out, struct err *err)
{
	int r;

	if (++x->depth > NESTING_MAX)
		return err_set(err, E2BIG, "variables are nested too deep");
	r = expand_until(x, stop, out, err);
	x->depth--;
	if (r == 0 && *x->p != stop)
		return err_set(err, EINVAL, "'${' without '}'");
	if (r == 0)
		x->p++;
	return r;
}

static int choose(const char *name, const char *value, char op, bool colon, const char *word,
		  struct sbuf *out, struct err *err)
{
	bool there = value && (!colon || *value);

	switch (op) {
	case '-':
		sbuf_adds(out, there ? value : word);
		return 0;
	case '+':
		sbuf_adds(out, there ? word : "");
		return 0;
	case '?':
		if (!there)
			return err_set(err, EINVAL, "%s: %s", name,
				       *word ? word : "is not allowed to be unset");
		sbuf_adds(out, value);
		return 0;
	default:
		return err_set(err, EINVAL, "${%s%s%c...} is not known", name, colon ? ":" : "",
			       op);
	}
}

static int braces(struct expansion *x, struct sbuf *out, struct err *err)
{
	auto_sbuf struct sbuf word = SBUF_INIT, to = SBUF_INIT;
	size_t n = name_len(x->p);
	auto_free char *name = xstrndup(x->p, n);
	const char *value = value_of(x, name), *v = value ? value : "";
	bool colon, twice;
	char op;
	int r;

	if (n == 0)
		return err_set(err, EINVAL, "'${' needs the name of a variable");
	x->p += n;
	if (*x->p == '}') {
		x->p++;
		sbuf_adds(out, v);
		return 0;
	}
	colon = *x->p == ':';
	x->p += colon;
	op = *x->p;
	if (!op)
		return err_set(err, EINVAL, "'${%s' without '}'", name);
	x->p++;
	twice = !colon && strchr("#%/", op) && *x->p == op;
	x->p += twice;
	if (!colon && op == '/') {
		r = operand(x, '/', &word, err);
		if (r == 0)
			r = operand(x, '}', &to, err);
		return r < 0 ? r : replace(v, sbuf_str(&word), sbuf_str(&to), twice, out, err);
	}
	r = operand(x, '}', &word, err);
	if (r < 0)
		return r;
	if (!colon && (op == '#' || op == '%'))
		return strip(v, sbuf_str(&word), op == '%', twice, out, err);
	return choose(name, value, op, colon, sbuf_str(&word), out, err);
}

/* x->p is after '$'. */
static int variable(struct expansion *x, struct sbuf *out, struct err *err)
{
	size_t n;

	if (*x->p == '{') {
		x->p++;
		return braces(x, out, err);
	}
	n = name_len(x->p);
	if (n == 0) {
		sbuf_addc(out, '$');
	} else {
		auto_free char *name = xstrndup(x->p, n);
		const char *value = value_of(x, name);

		sbuf_adds(out, value ? value : "");
		x->p += n;
	}
	return 0;
}

static int single_quoted(struct expansion *x, struct sbuf *out, struct err *err)
{
	const char *end = strchr(x->p, '\'');

	if (!end)
		return err_set(err, EINVAL, "a quote is not closed");
	sbuf_add(out, x->p, (size_t)(end - x->p));
	x->p = end + 1;
	return 0;
}

static int double_quoted(struct expansion *x, struct sbuf *out, struct err *err)
{
	while (*x->p && *x->p != '"') {
		char c = *x->p++;
		int r = 0;

		if (c == '$') {
			r = variable(x, out, err);
		} else if (c == x->scope->escape && *x->p) {
			/* Only these three are escapes here. */
			if (*x->p != '"' && *x->p != '$' && *x->p != x->scope->escape)
				sbuf_addc(out, c);
			sbuf_addc(out, *x->p++);
		} else {
			sbuf_addc(out, c);
		}
		if (r == 0)
			r = too_long(out, err);
		if (r < 0)
			return r;
	}
	if (!*x->p)
		return err_set(err, EINVAL, "a quote is not closed");
	x->p++;
	return 0;
}

static int expand_until(struct expansion *x, char stop, struct sbuf *out, struct err *err)
{
	while (*x->p && *x->p != stop) {
		char c = *x->p++;
		bool raw = x->scope->raw_quotes;
		int r = 0;

		if (c == '$') {
			r = variable(x, out, err);
		} else if (c == '\'' && !raw) {
			r = single_quoted(x, out, err);
		} else if (c == '"' && !raw) {
			r = double_quoted(x, out, err);
		} else if (c == x->scope->escape && (!raw || *x->p == '$' || *x->p == c)) {
			/* At the very end it stands for nothing. */
			if (*x->p)
				sbuf_addc(out, *x->p++);
		} else {
			sbuf_addc(out, c);
		}
		if (r == 0)
			r = too_long(out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int df_expand(const char *word, const struct df_scope *scope, char **out, struct err *err)
{
	struct expansion x = { .scope = scope, .p = word };
	auto_sbuf struct sbuf text = SBUF_INIT;
	int r = expand_until(&x, '\0', &text, err);

	if (r < 0)
		return r;
	*out = sbuf_take(&text);
	return 0;
}
