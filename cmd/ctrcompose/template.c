/* template.c - the part of Go templates that scripts use with --format. */
#include "cmd.h"

#include <ctrcompose/json.h>
#include <ctype.h>
#include <stdio.h>
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

static int add_key(const struct eval *e, const char *key, bool as_json, struct err *err)
{
	const struct json *v = json_get(e->row, key);

	if (e->keys && !json_get(e->keys, key))
		return usage_error(err, "--format: there is no '.%s'", key);
	if (!e->row)
		add_header(e, key);
	else if (as_json || !json_string(v))
		add_json(e, v);
	else
		add_text(e, json_string(v));
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

static bool is_word(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

/* What stands between {{ and }}. */
static int action(const struct eval *e, const char *text, size_t len, struct err *err)
{
	auto_free char *word = NULL;
	char name[256];

	while (len && isspace((unsigned char)*text))
		text++, len--;
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	word = xstrndup(text, len);
	if (word[0] == '.' && is_word(word + 1))
		return add_key(e, word + 1, false, err);
	if (str_starts(word, "json .") && is_word(word + 6))
		return add_key(e, word + 6, true, err);
	if (strcmp(word, "json .") == 0) {
		if (e->row)
			add_json(e, e->row);
		return 0;
	}
	if (sscanf(word, ".Label \"%255[^\"]\"", name) == 1) {
		add_label(e, name);
		return 0;
	}
	return usage_error(err,
			   "--format: '{{%s}}' is not understood; there are {{.Key}}, {{json .}}, "
			   "{{json .Key}} and {{.Label \"name\"}}",
			   word);
}

static int evaluate(const struct eval *e, struct err *err)
{
	const char *s = e->format;

	while (*s) {
		const char *end;
		int r;

		if (s[0] == '\\' && (s[1] == 't' || s[1] == 'n')) {
			sbuf_addc(e->out, s[1] == 't' ? '\t' : '\n');
			s += 2;
			continue;
		}
		if (s[0] != '{' || s[1] != '{') {
			sbuf_addc(e->out, *s++);
			continue;
		}
		end = strstr(s + 2, "}}");
		if (!end)
			return usage_error(err, "--format: '{{' without '}}'");
		r = action(e, s + 2, (size_t)(end - s - 2), err);
		if (r < 0)
			return r;
		s = end + 2;
	}
	return 0;
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
