/* dotenv.c - the grammar of .env and env_file. */
#include "loader.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#define DOTENV_MAX (8U << 20)

struct reader {
	struct arena *a;
	const char *file, *s;
	unsigned line;
	const struct env *env;
	struct kvs *out;
	size_t cap, n_before;
	struct map seen; /* what was read so far, for lookups */
	struct err *err;
};

static int fail(struct reader *r, const char *what)
{
	return err_set(r->err, -EINVAL, "%s:%u: %s", r->file, r->line, what);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static const char *lookup(void *arg, const char *name)
{
	struct reader *r = arg;
	const char *v = env_get(r->env, name);

	return v ? v : map_get(&r->seen, name);
}

static void set(struct reader *r, const char *key, char *value)
{
	if (map_has(&r->seen, key) || r->n_before)
		kvs_put(r->a, r->out, &r->cap, key, value);
	else
		kvs_append(r->a, r->out, &r->cap, key, value);
	map_put(&r->seen, key, value);
}

/* \n \t \" \\ ... of a double-quoted value; \$ becomes $$, which the expansion turns into $. */
static char *unescape(struct arena *a, const char *s)
{
	static const char from[] = "abfnrtv\"\\", to[] = "\a\b\f\n\r\t\v\"\\";
	char *text = arena_alloc(a, 2 * strlen(s) + 1), *o = text;

	while (*s) {
		bool escaped = *s == '\\' && s[1];
		const char *e = escaped ? strchr(from, s[1]) : NULL;

		if (e) {
			*o++ = to[e - from];
			s += 2;
		} else if (escaped && s[1] == '$') {
			*o++ = '$';
			*o++ = '$';
			s += 2;
		} else if (escaped && s[1] == '0' && strspn(s + 2, "01234567") >= 3) {
			*o++ = (char)((s[2] - '0') * 64 + (s[3] - '0') * 8 + (s[4] - '0'));
			s += 5;
		} else {
			*o++ = *s++;
		}
	}
	*o = '\0';
	return text;
}

static int expand(struct reader *r, const char *text, char **out)
{
	struct subst s = { .a = r->a, .lookup = lookup, .arg = r };
	char *why = NULL;
	const char *value = substitute(&s, text, &why);

	if (!value)
		return fail(r, why);
	*out = arena_strdup(r->a, value);
	return 0;
}

static int quoted(struct reader *r, char **out)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	char quote = *r->s++;
	unsigned first = r->line;
	bool escape = false;

	for (; *r->s; r->s++) {
		char c = *r->s;

		if (c == '\n')
			r->line++;
		if (c == quote && !escape) {
			r->s++;
			if (quote == '"')
				return expand(r, unescape(r->a, sbuf_str(&b)), out);
			*out = arena_strdup(r->a, sbuf_str(&b));
			return 0;
		}
		if (!escape && c == '\\') {
			escape = true;
			continue;
		}
		if (escape && c != quote)
			sbuf_addc(&b, '\\');
		escape = false;
		sbuf_addc(&b, c);
	}
	r->line = first;
	return fail(r, "a quoted value is not terminated");
}

static int unquoted(struct reader *r, char **out)
{
	size_t len = strcspn(r->s, "\n");
	char *text = arena_strndup(r->a, r->s, len), *comment = strstr(text, " #"), *end;

	r->s += len;
	if (comment)
		*comment = '\0';
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	return expand(r, text, out);
}

static int key(struct reader *r, const char **name, bool *inherited)
{
	const char *s = r->s, *end;

	if (strncmp(s, "export", 6) == 0 && blank(s[6])) {
		s += 6;
		while (blank(*s))
			s++;
	}
	for (end = s; *end && !strchr("=:\n", *end); end++) {
		unsigned char c = (unsigned char)*end;

		if (blank(*end) || isalnum(c) || c >= 0x80 || strchr("_.-[]", *end))
			continue;
		return err_set(r->err, -EINVAL,
			       "%s:%u: unexpected character '%c' in a variable name", r->file,
			       r->line, isprint(c) ? c : '?');
	}
	*inherited = *end == '\n' || *end == '\0';
	r->s = *inherited ? end : end + 1;
	while (end > s && blank(end[-1]))
		end--;
	if (end == s)
		return fail(r, "a line without a variable name");
	for (const char *p = s; p < end; p++)
		if (blank(*p))
			return fail(r, "a variable name cannot contain a space");
	*name = arena_strndup(r->a, s, (size_t)(end - s));
	return 0;
}

static int read_all(struct reader *r)
{
	for (;;) {
		const char *name = NULL, *v;
		char *value = NULL;
		bool inherited = false;
		int x;

		for (; *r->s == '\n' || blank(*r->s); r->s++)
			r->line += *r->s == '\n';
		if (!*r->s)
			return 0;
		if (*r->s == '#') {
			r->s += strcspn(r->s, "\n");
			continue;
		}
		x = key(r, &name, &inherited);
		if (x < 0)
			return x;
		if (inherited) {
			v = lookup(r, name);
			if (v)
				set(r, name, arena_strdup(r->a, v));
			continue;
		}
		while (blank(*r->s))
			r->s++;
		x = *r->s == '"' || *r->s == '\'' ? quoted(r, &value) : unquoted(r, &value);
		if (x < 0)
			return x;
		set(r, name, value);
	}
}

/* docker run --env-file: KEY=VALUE to the end of the line, nothing special but # in front. */
static int read_raw(struct reader *r)
{
	for (; *r->s; r->line++) {
		size_t len = strcspn(r->s, "\n"), n = len;
		const char *s = r->s, *eq;
		char *name;

		r->s += len + (r->s[len] == '\n');
		while (n && blank(*s))
			s++, n--;
		if (n == 0 || *s == '#')
			continue;
		eq = memchr(s, '=', n);
		name = arena_strndup(r->a, s, eq ? (size_t)(eq - s) : n);
		if (!*name || strpbrk(name, " \t"))
			return fail(r, "a variable name cannot be empty or contain a space");
		if (eq) {
			set(r, name, arena_strndup(r->a, eq + 1, n - (size_t)(eq + 1 - s)));
		} else {
			const char *v = env_get(r->env, name);

			if (v)
				set(r, name, arena_strdup(r->a, v));
		}
	}
	return 0;
}

int dotenv_parse(struct arena *a, const char *file, const char *text, size_t len, bool raw,
		 const struct env *env, struct kvs *out, struct err *err)
{
	struct reader r = { .a = a, .file = file, .line = 1, .env = env, .out = out, .err = err };
	char *clean, *o;
	int x;

	if (memchr(text, '\0', len))
		return err_set(err, -EINVAL, "%s: a NUL character in the file", file);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	clean = o = arena_alloc(a, len + 1);
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
			*o++ = text[i];
	*o = '\0';
	r.s = clean;
	r.cap = r.n_before = out->n;
	x = raw ? read_raw(&r) : read_all(&r);
	map_clear(&r.seen);
	return x;
}

int dotenv_read(struct load *l, const char *path, bool raw, const struct env *env, struct kvs *out,
		struct err *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r = file_read(AT_FDCWD, path, DOTENV_MAX, &text, &len);

	if (r < 0)
		return err_set(err, r, "env file %s: %s", path, strerror(-r));
	return dotenv_parse(l->a, path, text, len, raw, env, out, err);
}

int compose_dotenv(struct arena *a, const char *file, const char *text, size_t len,
		   const char *const *environ_, struct kvs *out, struct err *err)
{
	struct env env = { 0 };
	int r;

	env_from_environ(&env, environ_);
	r = dotenv_parse(a, file, text, len, false, &env, out, err);
	map_clear(&env.vars);
	return r;
}
