/* instruction.c - one logical line: its name, flags and arguments; see private.h */
#include "private.h"

#include <ctrcompose/json.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORDS_MAX = 4096 };

#define FLAGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
const struct df_kind df_kinds[DF_OPS] = {
	[DF_ADD] = { .name = "ADD",
		     .form = FORM_WORDS,
		     .docs = true,
		     .many = FLAGS("exclude"),
		     .flags = FLAGS("checksum", "chmod", "chown", "exclude", "keep-git-dir", "link",
				    "unpack") },
	[DF_ARG] = { .name = "ARG", .form = FORM_NAMES },
	[DF_CMD] = { .name = "CMD", .form = FORM_TEXT },
	[DF_COPY] = { .name = "COPY",
		      .form = FORM_WORDS,
		      .docs = true,
		      .many = FLAGS("exclude"),
		      .flags = FLAGS("chmod", "chown", "exclude", "from", "link", "parents") },
	[DF_ENTRYPOINT] = { .name = "ENTRYPOINT", .form = FORM_TEXT },
	[DF_ENV] = { .name = "ENV", .form = FORM_PAIRS },
	[DF_EXPOSE] = { .name = "EXPOSE", .form = FORM_WORDS },
	[DF_FROM] = { .name = "FROM", .form = FORM_FROM, .flags = FLAGS("platform") },
	[DF_HEALTHCHECK] = { .name = "HEALTHCHECK",
			     .form = FORM_HEALTH,
			     .flags = FLAGS("interval", "retries", "start-interval", "start-period",
					    "timeout") },
	[DF_LABEL] = { .name = "LABEL", .form = FORM_PAIRS },
	[DF_MAINTAINER] = { .name = "MAINTAINER", .form = FORM_LINE },
	[DF_ONBUILD] = { .name = "ONBUILD", .form = FORM_TRIGGER },
	[DF_RUN] = { .name = "RUN",
		     .form = FORM_TEXT,
		     .docs = true,
		     .many = FLAGS("mount"),
		     .flags = FLAGS("mount", "network", "security") },
	[DF_SHELL] = { .name = "SHELL", .form = FORM_EXEC },
	[DF_STOPSIGNAL] = { .name = "STOPSIGNAL", .form = FORM_LINE },
	[DF_USER] = { .name = "USER", .form = FORM_LINE },
	[DF_VOLUME] = { .name = "VOLUME", .form = FORM_WORDS },
	[DF_WORKDIR] = { .name = "WORKDIR", .form = FORM_LINE },
};

const char *df_op_name(enum df_op op)
{
	return df_kinds[op].name;
}

const char *df_flag(const struct df_instruction *in, const char *name)
{
	for (size_t i = 0; i < in->n_flags; i++)
		if (strcmp(in->flags[i].key, name) == 0)
			return in->flags[i].value ? in->flags[i].value : "";
	return NULL;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

static const char *skip_blanks(const char *s)
{
	while (blank(*s))
		s++;
	return s;
}

static size_t word_len(const char *s)
{
	size_t n = 0;

	while (s[n] && !blank(s[n]))
		n++;
	return n;
}

static bool listed(const char *const *list, const char *word)
{
	for (; list && *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

/* ---- Words that quotes hold together ---------------------------------------------------------- */
/* The end of the word at s: quotes and escapes stay in it. */
static const char *quoted_end(const char *s, char escape)
{
	char quote = 0;

	for (; *s && (quote || !blank(*s)); s++) {
		if (*s == escape && s[1] && quote != '\'')
			s++;
		else if (quote ? *s == quote : *s == '"' || *s == '\'')
			quote = quote ? 0 : *s;
	}
	return s;
}

static struct df_pair split_pair(struct dockerfile *d, const char *s, size_t len)
{
	const char *eq = memchr(s, '=', len);
	struct df_pair p = { .key = arena_strndup(&d->arena, s, eq ? (size_t)(eq - s) : len) };

	if (eq)
		p.value = arena_strndup(&d->arena, eq + 1, len - (size_t)(eq + 1 - s));
	return p;
}

struct pairs {
	struct df_pair *v;
	size_t n, cap;
};

static int keep_pairs(struct dockerfile *d, struct pairs *from, struct df_pair **v, size_t *n)
{
	*v = arena_array(&d->arena, from->n + 1, sizeof(**v));
	if (from->n)
		memcpy(*v, from->v, from->n * sizeof(**v));
	*n = from->n;
	free(from->v);
	return 0;
}

static int read_pairs(struct dockerfile *d, struct df_instruction *in, struct err *err)
{
	const char *s = in->text, *first = quoted_end(s, d->escape);
	bool names = df_kinds[in->op].form == FORM_NAMES;
	struct pairs pairs = { 0 };
	int r = 0;

	if (!names && !memchr(s, '=', (size_t)(first - s))) { /* ENV KEY the rest */
		if (!*skip_blanks(first))
			return err_set(err, EINVAL, "%s needs KEY=value", df_op_name(in->op));
		*vec_push(&pairs) =
			(struct df_pair){ arena_strndup(&d->arena, s, (size_t)(first - s)),
					  arena_strdup(&d->arena, skip_blanks(first)) };
		return keep_pairs(d, &pairs, &in->pairs, &in->n_pairs);
	}
	for (; r == 0 && *s; s = skip_blanks(s)) {
		const char *end = quoted_end(s, d->escape);
		struct df_pair p = split_pair(d, s, (size_t)(end - s));

		if (!*p.key || (!p.value && !names))
			r = err_set(err, EINVAL, "'%.*s' is not KEY=value", (int)(end - s), s);
		else if (pairs.n >= WORDS_MAX)
			r = err_set(err, E2BIG, "more than %d words", WORDS_MAX);
		else
			*vec_push(&pairs) = p;
		s = end;
	}
	(void)keep_pairs(d, &pairs, &in->pairs, &in->n_pairs);
	return r;
}

/* ---- Words ------------------------------------------------------------------------------------ */
/* A JSON array of strings. False: it is something else. */
static bool read_exec(struct dockerfile *d, const char *text, struct df_instruction *in)
{
	auto_json struct json *j = NULL;

	if (*text != '[' || json_parse(text, strlen(text), &j, NULL) < 0 ||
	    json_kind(j) != JSON_ARRAY || json_count(j) > WORDS_MAX)
		return false;
	for (const struct json *c = json_first(j); c; c = json_next(c))
		if (!json_string(c))
			return false;
	in->words = arena_array(&d->arena, json_count(j) + 1, sizeof(*in->words));
	for (const struct json *c = json_first(j); c; c = json_next(c))
		in->words[in->n_words++] = arena_strdup(&d->arena, json_string(c));
	in->exec = true;
	return true;
}

static int split_words(struct dockerfile *d, struct df_instruction *in, struct err *err)
{
	size_t n = 0;

	for (const char *s = in->text; *s; s = skip_blanks(s + word_len(s)))
		n++;
	if (n > WORDS_MAX)
		return err_set(err, E2BIG, "more than %d words", WORDS_MAX);
	in->words = arena_array(&d->arena, n + 1, sizeof(*in->words));
	for (const char *s = in->text; *s; s = skip_blanks(s + word_len(s)))
		in->words[in->n_words++] = arena_strndup(&d->arena, s, word_len(s));
	return 0;
}

static int read_words(struct dockerfile *d, struct df_instruction *in, struct err *err)
{
	int r = read_exec(d, in->text, in) ? 0 : split_words(d, in, err);

	if (r == 0 && (in->op == DF_COPY || in->op == DF_ADD) && in->n_words < 2)
		return err_set(err, EINVAL, "%s needs a source and a destination",
			       df_op_name(in->op));
	return r;
}

/* ---- Single forms ----------------------------------------------------------------------------- */
static int read_from(struct dockerfile *d, struct df_instruction *in, struct err *err)
{
	int r = split_words(d, in, err);

	if (r == 0 && in->n_words != 1 && (in->n_words != 3 || strcasecmp(in->words[1], "AS") != 0))
		return err_set(err, EINVAL, "FROM needs an image, or an image AS a name");
	return r;
}

static int read_health(struct dockerfile *d, struct df_instruction *in, struct err *err)
{
	size_t n = word_len(in->text);
	const char *rest = skip_blanks(in->text + n);

	if (n == 4 && strncasecmp(in->text, "NONE", n) == 0) {
		if (*rest || in->n_flags)
			return err_set(err, EINVAL, "HEALTHCHECK NONE takes nothing more");
		in->text = "NONE";
		return 0;
	}
	if (n != 3 || strncasecmp(in->text, "CMD", n) != 0 || !*rest)
		return err_set(err, EINVAL, "HEALTHCHECK needs NONE, or CMD and a command");
	in->text = rest;
	(void)read_exec(d, rest, in);
	return 0;
}

static int read_trigger(struct dockerfile *d, struct df_instruction *in, struct err *err)
{
	struct df_instruction *t = arena_alloc(&d->arena, sizeof(*t));
	int r = df_instruction_read(d, in->text, t, err);

	if (r < 0)
		return err_wrap(err, r, "ONBUILD");
	if (t->op == DF_ONBUILD || t->op == DF_FROM || t->op == DF_MAINTAINER)
		return err_set(err, EINVAL, "ONBUILD %s is not allowed", df_op_name(t->op));
	in->trigger = t;
	return 0;
}

static int read_arguments(struct dockerfile *d, struct df_instruction *in, struct err *err)
{
	switch (df_kinds[in->op].form) {
	case FORM_TEXT:
		(void)read_exec(d, in->text, in);
		return 0;
	case FORM_EXEC:
		if (!read_exec(d, in->text, in) || in->n_words == 0)
			return err_set(err, EINVAL,
				       "%s needs its words in JSON form: [\"a\", \"b\"]",
				       df_op_name(in->op));
		return 0;
	case FORM_WORDS:
		return read_words(d, in, err);
	case FORM_PAIRS:
	case FORM_NAMES:
		return read_pairs(d, in, err);
	case FORM_FROM:
		return read_from(d, in, err);
	case FORM_TRIGGER:
		return read_trigger(d, in, err);
	case FORM_HEALTH:
		return read_health(d, in, err);
	case FORM_LINE:
		break;
	}
	return 0;
}

/* ---- Name and flags --------------------------------------------------------------------------- */
static int read_name(const char *line, size_t n, struct df_instruction *in, struct err *err)
{
	const char *names[DF_OPS];
	auto_free char *word = xstrndup(line, n);
	const char *near;

	for (char *c = word; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	for (in->op = 0; in->op < DF_OPS; in->op++) {
		names[in->op] = df_op_name(in->op);
		if (strcmp(word, names[in->op]) == 0)
			return 0;
	}
	near = str_nearest(word, names, DF_OPS);
	return err_set(err, EINVAL, "unknown instruction %s%s%s%s", word,
		       near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
}

/* Quotes may stand anywhere in a flag and are taken off. */
static char *unquoted(struct dockerfile *d, const char *s, size_t len)
{
	char *out = arena_alloc(&d->arena, len + 1), *o = out, quote = 0;

	for (const char *end = s + len; s < end; s++) {
		if (*s == d->escape && s + 1 < end && quote != '\'')
			*o++ = *++s;
		else if (quote ? *s == quote : *s == '"' || *s == '\'')
			quote = quote ? 0 : *s;
		else
			*o++ = *s;
	}
	return out;
}

static int check_flag(const struct pairs *flags, enum df_op op, const char *key, struct err *err)
{
	const struct df_kind *kind = &df_kinds[op];

	if (!listed(kind->flags, key))
		return err_set(err, EINVAL, "%s does not know --%s", kind->name, key);
	for (size_t i = 0; i < flags->n; i++)
		if (strcmp(flags->v[i].key, key) == 0 && !listed(kind->many, key))
			return err_set(err, EINVAL, "--%s is given twice", key);
	return flags->n >= WORDS_MAX ? err_set(err, E2BIG, "too many flags") : 0;
}

static int read_flags(struct dockerfile *d, const char **s, struct df_instruction *in,
		      struct err *err)
{
	struct pairs flags = { 0 };
	int r = 0;

	while (r == 0 && (*s)[0] == '-' && (*s)[1] == '-') {
		const char *end = quoted_end(*s, d->escape);
		char *flag = unquoted(d, *s + 2, (size_t)(end - *s) - 2);
		char *eq = strchr(flag, '=');

		*s = skip_blanks(end);
		if (!*flag)
			break; /* "--" ends the flags */
		if (eq)
			*eq = '\0';
		r = check_flag(&flags, in->op, flag, err);
		if (r == 0)
			*vec_push(&flags) = (struct df_pair){ flag, eq ? eq + 1 : NULL };
	}
	(void)keep_pairs(d, &flags, &in->flags, &in->n_flags);
	return r;
}

int df_instruction_read(struct dockerfile *d, const char *line, struct df_instruction *in,
			struct err *err)
{
	const char *s = skip_blanks(line);
	size_t n = word_len(s), len;
	char *text;
	int r = read_name(s, n, in, err);

	if (r < 0)
		return r;
	s = skip_blanks(s + n);
	if (df_kinds[in->op].form == FORM_TRIGGER || !df_kinds[in->op].flags)
		r = 0;
	else
		r = read_flags(d, &s, in, err);
	if (r < 0)
		return r;
	len = strlen(s);
	while (len && blank(s[len - 1]))
		len--;
	if (len == 0)
		return err_set(err, EINVAL, "%s needs an argument", df_op_name(in->op));
	text = arena_strndup(&d->arena, s, len);
	in->text = text;
	in->source = arena_strdup(&d->arena, skip_blanks(line));
	return read_arguments(d, in, err);
}

/* ---- Heredocs --------------------------------------------------------------------------------- */
/* "<<EOF", "<<-'EOF'", "3<<EOF": the name in *name, its length in *len. */
static bool read_mark(const char *word, size_t n, struct df_mark *m, const char **name, size_t *len)
{
	const char *end = word + n;

	while (word < end && isdigit((unsigned char)*word))
		word++;
	if (end - word < 3 || word[0] != '<' || word[1] != '<')
		return false;
	word += 2;
	m->strip = *word == '-';
	word += m->strip;
	m->expand = word < end && *word != '"' && *word != '\'';
	if (!m->expand && word < end) {
		if (end - word < 3 || end[-1] != *word)
			return false;
		word++, end--;
	}
	*name = word;
	*len = (size_t)(end - word);
	for (; word < end; word++)
		if (strchr("<>\"'\\$;&|(){}", *word) || *word == '\0')
			return false;
	return *len > 0;
}

bool df_is_mark(const char *word)
{
	struct df_mark m;
	const char *name;
	size_t len;

	return read_mark(word, strlen(word), &m, &name, &len);
}

int df_marks_find(struct dockerfile *d, const char *line, struct df_marks *out, struct err *err)
{
	const char *s = skip_blanks(line);

	while (*s) {
		const char *end = quoted_end(s, d->escape), *name;
		struct df_mark m = { 0 };
		size_t len;

		if (read_mark(s, (size_t)(end - s), &m, &name, &len)) {
			if (out->n >= 64)
				return err_set(err, E2BIG,
					       "more than 64 heredocs in one instruction");
			m.name = arena_strndup(&d->arena, name, len);
			*vec_push(out) = m;
		}
		s = skip_blanks(end);
	}
	return 0;
}
