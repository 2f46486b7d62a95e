/* template.c - the part of Go templates that scripts use with --format. */
#include "screen/screen.h"

#include <ctrcompose/json.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct eval {
	const char *format;
	const struct json *row;  /* NULL: the header */
	const struct json *keys; /* a row that tells which keys there are; NULL: no rows at all */
	const struct template_header *headers;
	bool clean; /* no control characters of values */
	struct sbuf *out;
};

static void add_header(const struct eval *e, const char *key)
{
	struct sbuf *out = e->out;

	for (const struct template_header *h = e->headers; h && h->key; h++)
		if (str_eq(h->key, key)) {
			sbuf_adds(out, h->header);
			return;
		}
	for (const char *c = key; *c; c++) {
		if (c > key && isupper((unsigned char)*c) && islower((unsigned char)c[-1]))
			sbuf_addc(out, ' ');
		sbuf_addc(out, (char)toupper((unsigned char)*c));
	}
}

static void add_text(const struct eval *e, const char *s)
{
	for (; *s; s++)
		sbuf_addc(e->out, e->clean && ((unsigned char)*s < 0x20 || *s == 0x7f) ? '?' : *s);
}

static void add_json(const struct eval *e, const struct json *v)
{
	auto_free char *text = json_print(v);

	sbuf_adds(e->out, text);
}

/* As Go prints it: strings as they are, [a b] for lists, map[k:v] for objects. */
static void add_value(const struct eval *e, const struct json *v)
{
	bool object = json_kind(v) == JSON_OBJECT;
	size_t n = 0;

	if (json_kind(v) == JSON_NULL) {
		add_text(e, "[]"); /* a list that was not given */
	} else if (object || json_kind(v) == JSON_ARRAY) {
		sbuf_adds(e->out, object ? "map[" : "[");
		for (const struct json *c = json_first(v); c; c = json_next(c)) {
			sbuf_adds(e->out, n++ ? " " : "");
			if (object) {
				add_text(e, json_key(c));
				sbuf_addc(e->out, ':');
			}
			add_value(e, c);
		}
		sbuf_addc(e->out, ']');
	} else if (json_string(v)) {
		add_text(e, json_string(v));
	} else {
		add_json(e, v);
	}
}

/* ".", ".A", ".A.B.C"; *last becomes the last word of it. In a header there is no value. */
static int find(const struct eval *e, const char *path, const struct json **out, const char **last,
		struct err *err)
{
	const struct json *v = e->row;
	const char *at = path + 1;

	if (e->keys && *at) {
		auto_free char *first = xstrndup(at, strcspn(at, "."));

		if (!json_get(e->keys, first))
			return usage_error(err, "--format: there is no '.%s'", first);
	}
	*last = at;
	while (*at) {
		size_t n = strcspn(at, ".");
		auto_free char *key = xstrndup(at, n);

		*last = at;
		v = v ? json_get(v, key) : NULL;
		at += n;
		if (e->row && !v)
			return usage_error(err, "--format: there is no '%.*s'", (int)(at - path),
					   path);
		at += *at == '.';
	}
	*out = v;
	return 0;
}

/* The value of one label out of "a=b,c=d". */
static void add_label(const struct eval *e, const char *name)
{
	const char *all = json_str(e->row, "Labels", "");
	size_t n = strlen(name);

	if (!e->row)
		sbuf_adds(e->out, name);
	while (*all) {
		size_t len = strcspn(all, ",");

		if (strncmp(all, name, n) == 0 && all[n] == '=') {
			auto_free char *value = xstrndup(all + n + 1, len - n - 1);

			add_text(e, value);
			return;
		}
		all += len + (all[len] == ',');
	}
}

/* ---- What stands between {{ and }} */
struct tokens {
	char *v[4];
	size_t n;
};

static void tokens_free(struct tokens *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
}

/* Words, and strings, which keep the first of their quotes. */
static int split(const char *text, size_t len, struct tokens *out)
{
	const char *end = text + len;

	while (text < end) {
		const char *from = text;

		if (isspace((unsigned char)*text)) {
			text++;
			continue;
		}
		if (out->n == ARRAY_LEN(out->v))
			return -E2BIG;
		if (*text == '"') {
			text = memchr(text + 1, '"', (size_t)(end - text - 1));
			if (!text)
				return -EINVAL;
			text++;
			out->v[out->n++] = xstrndup(from, (size_t)(text - from - 1));
			continue;
		}
		while (text < end && !isspace((unsigned char)*text))
			text++;
		out->v[out->n++] = xstrndup(from, (size_t)(text - from));
	}
	return 0;
}

static bool is_path(const char *s)
{
	if (*s != '.' || strstr(s, "..") || (s[1] && str_ends(s, ".")))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_' && *s != '.')
			return false;
	return true;
}

static bool is_call(const struct tokens *w, const char *name, size_t n)
{
	return w->n == n && str_eq(w->v[0], name) && is_path(w->v[1]) &&
	       (n < 3 || w->v[2][0] == '"');
}

static void join(const struct eval *e, const struct json *v, const char *between)
{
	size_t n = 0;

	for (const struct json *c = json_first(v); c; c = json_next(c)) {
		sbuf_adds(e->out, n++ ? between : "");
		add_value(e, c);
	}
}

static int action(const struct eval *e, const struct tokens *w, struct err *err)
{
	bool plain = w->n == 1 && is_path(w->v[0]) && w->v[0][1], item = false;
	const char *last = "";
	const struct json *v = NULL;
	int r;

	if (w->n == 2 && str_eq(w->v[0], ".Label") && w->v[1][0] == '"') {
		add_label(e, w->v[1] + 1);
		return 0;
	}
	item = w->n == 1 && str_eq(w->v[0], ".");
	if (!plain && !item && !is_call(w, "json", 2) && !is_call(w, "index", 3) &&
	    !is_call(w, "join", 3))
		return -ENOENT;
	r = find(e, w->v[plain || item ? 0 : 1], &v, &last, err);
	if (r < 0)
		return r;
	if (!e->row)
		add_header(e, last);
	else if (plain || item)
		add_value(e, v);
	else if (w->v[0][1] == 's') /* json */
		add_json(e, v);
	else if (w->v[0][0] == 'i') /* index: what is not there is empty */
		add_text(e, json_str(v, w->v[2] + 1, ""));
	else
		join(e, v, w->v[2] + 1);
	return 0;
}

/* ---- The whole */
enum stop { STOP_END_OF_TEXT, STOP_END, STOP_ELSE };

/* Go on until the text ends or there is an {{end}} or {{else}} of ours; silent: write nothing. */
static int walk(const struct eval *e, const char **at, bool silent, enum stop *stop,
		struct err *err);

static bool is_yes(const struct json *v)
{
	auto_free char *text = json_print(v);

	return str_eq(text, "true");
}

static bool is_true(const struct json *v)
{
	switch (json_kind(v)) {
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return is_yes(v);
	case JSON_NUMBER:
		return json_integer(v, 1) != 0;
	case JSON_STRING:
		return json_string(v)[0] != '\0';
	default:
		return json_count(v) > 0;
	}
}

static int body(const struct eval *e, const char **at, bool silent, enum stop *stop,
		struct err *err)
{
	int r = walk(e, at, silent, stop, err);

	if (r == 0 && *stop == STOP_END_OF_TEXT)
		r = usage_error(err, "--format: there is no {{end}}");
	return r;
}

static int run_if(const struct eval *e, const char *path, const char **at, bool silent,
		  struct err *err)
{
	auto_err struct err none = ERR_INIT;
	const struct json *v = NULL;
	const char *last;
	bool yes = e->row && find(e, path, &v, &last, &none) == 0 && is_true(v);
	enum stop stop;
	int r = body(e, at, silent || !yes, &stop, err);

	if (r == 0 && stop == STOP_ELSE)
		r = body(e, at, silent || yes, &stop, err);
	return r;
}

static int run_range(const struct eval *e, const char *path, const char **at, bool silent,
		     struct err *err)
{
	const struct json *list = NULL;
	const char *last, *begin = *at;
	enum stop stop = STOP_END;
	struct eval inner = *e;
	int r = e->row && !silent ? find(e, path, &list, &last, err) : 0;

	inner.keys = NULL;
	if (r == 0 && !json_first(list))
		r = body(&inner, at, true, &stop, err);
	for (const struct json *c = json_first(list); r == 0 && c; c = json_next(c)) {
		inner.row = c;
		*at = begin;
		r = body(&inner, at, false, &stop, err);
	}
	return r == 0 && stop == STOP_ELSE ? body(e, at, silent || json_first(list), &stop, err)
					   : r;
}

static int one(const struct eval *e, const char *text, size_t len, const char **at, bool silent,
	       enum stop *stop, struct err *err)
{
	struct tokens w = { .n = 0 };
	int r = split(text, len, &w);

	if (r == 0 && w.n == 1 && (str_eq(w.v[0], "end") || str_eq(w.v[0], "else")))
		*stop = w.v[0][1] == 'n' ? STOP_END : STOP_ELSE;
	else if (r == 0 && w.n == 2 && str_eq(w.v[0], "if") && is_path(w.v[1]))
		r = run_if(e, w.v[1], at, silent, err);
	else if (r == 0 && w.n == 2 && str_eq(w.v[0], "range") && is_path(w.v[1]))
		r = run_range(e, w.v[1], at, silent, err);
	else if (r == 0 && !silent)
		r = w.n ? action(e, &w, err) : -ENOENT;
	tokens_free(&w);
	if (r < 0 && !(err && err->code))
		r = usage_error(err,
				"--format: '{{%.*s}}' is not understood; there are {{.Key}}, "
				"{{.Key.Inner}}, {{json .Key}}, {{index .Key \"name\"}}, "
				"{{join .Key \", \"}}, {{.Label \"name\"}}, {{range .Key}}, "
				"{{if .Key}}, {{else}} and {{end}}",
				(int)len, text);
	return r;
}

static int walk(const struct eval *e, const char **at, bool silent, enum stop *stop,
		struct err *err)
{
	*stop = STOP_END_OF_TEXT;
	while (**at) {
		const char *s = *at, *end;
		int r;

		if (s[0] == '\\' && (s[1] == 't' || s[1] == 'n')) {
			if (!silent)
				sbuf_addc(e->out, s[1] == 't' ? '\t' : '\n');
			*at += 2;
			continue;
		}
		if (s[0] != '{' || s[1] != '{') {
			if (!silent)
				sbuf_addc(e->out, *s);
			(*at)++;
			continue;
		}
		end = strstr(s + 2, "}}");
		if (!end)
			return usage_error(err, "--format: '{{' without '}}'");
		*at = end + 2;
		r = one(e, s + 2, (size_t)(end - s - 2), at, silent, stop, err);
		if (r < 0 || *stop != STOP_END_OF_TEXT)
			return r;
	}
	return 0;
}

static int evaluate(const struct eval *e, struct err *err)
{
	const char *at = e->format;
	enum stop stop;
	int r = walk(e, &at, false, &stop, err);

	if (r == 0 && stop != STOP_END_OF_TEXT)
		return usage_error(err, "--format: {{%s}} without {{range}} or {{if}}",
				   stop == STOP_END ? "end" : "else");
	return r;
}

static void add_cells(struct table *t, char *line)
{
	char *rest = line;

	for (size_t i = 0; i < t->n_cols; i++)
		table_cell(t, rest ? strsep(&rest, "\t") : "");
}

static int print_table(const char *format, const struct json *rows,
		       const struct template_header *headers, struct sbuf *out, struct err *err)
{
	auto_table struct table t = { .n_cols = 0 };
	auto_sbuf struct sbuf head = SBUF_INIT;
	struct eval e = { .format = format,
			  .keys = json_first(rows),
			  .headers = headers,
			  .clean = true,
			  .out = &head };
	int r = evaluate(&e, err);

	if (r < 0)
		return r;
	t.n_cols = 1;
	for (const char *c = sbuf_str(&head); *c; c++)
		t.n_cols += *c == '\t';
	if (head.len)
		add_cells(&t, head.s);
	for (const struct json *row = json_first(rows); row; row = json_next(row)) {
		auto_sbuf struct sbuf line = SBUF_INIT;

		e.row = row;
		e.out = &line;
		r = evaluate(&e, err);
		if (r < 0)
			return r;
		add_cells(&t, line.s);
	}
	table_text(&t, out);
	return 0;
}

int template_print(const char *format, const struct json *rows,
		   const struct template_header *headers, struct sbuf *out, struct err *err)
{
	struct eval e = { .format = format, .keys = json_first(rows), .out = out };

	if (str_starts(format, "table "))
		return print_table(format + strlen("table "), rows, headers, out, err);
	for (const struct json *row = json_first(rows); row; row = json_next(row)) {
		int r;

		e.row = row;
		r = evaluate(&e, err);
		if (r < 0)
			return r;
		sbuf_addc(out, '\n');
	}
	return 0;
}

const char *template_of(const char *format, const char *table)
{
	if (!format || str_eq(format, "table"))
		return table;
	return str_eq(format, "json") ? "{{json .}}" : format;
}
