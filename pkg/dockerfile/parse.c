/* parse.c - lines into instructions, instructions into stages; see dockerfile.h */
#include "private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
	struct dockerfile *d;
	const char *p, *end;
	unsigned line; /* of what was read last */
};

struct instructions {
	struct df_instruction *v;
	size_t n, cap;
};

void dockerfile_free(struct dockerfile *d)
{
	if (!d)
		return;
	arena_free(&d->arena);
	free(d);
}

void auto_dockerfile_fn(struct dockerfile **d)
{
	dockerfile_free(*d);
}

/* The next line without its end; false at the end of the text. */
static bool next_line(struct reader *r, const char **s, size_t *len)
{
	const char *nl;

	if (r->p >= r->end)
		return false;
	nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
	*s = r->p;
	*len = (size_t)((nl ? nl : r->end) - r->p);
	r->p = nl ? nl + 1 : r->end;
	if (*len && (*s)[*len - 1] == '\r')
		(*len)--;
	r->line++;
	return true;
}

static size_t blanks(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && isspace((unsigned char)s[n]))
		n++;
	return n;
}

/* ---- Directives: "# escape=`" in the first lines ---------------------------------------------- */
static int set_directive(struct dockerfile *d, const char *key, const char *value,
			 struct strs *seen, struct err *err)
{
	if (strs_has(seen, key))
		return err_set(err, EINVAL, "the directive %s is given twice", key);
	strs_add(seen, key);
	if (strcmp(key, "syntax") == 0)
		d->syntax = arena_strdup(&d->arena, value);
	if (strcmp(key, "escape") != 0)
		return 0;
	if (strcmp(value, "\\") != 0 && strcmp(value, "`") != 0)
		return err_set(err, EINVAL, "escape=%s: it can be \\ or `", value);
	d->escape = *value;
	return 0;
}

/* 1: it was one; 0: it was none. */
static int read_directive(struct dockerfile *d, const char *s, size_t len, struct strs *seen,
			  struct err *err)
{
	static const char *const known[] = { "syntax", "escape", "check" };
	auto_free char *text = xstrndup(s, len);
	char *key = text + strspn(text, " \t"), *eq, *value;

	if (*key++ != '#')
		return 0;
	key += strspn(key, " \t");
	eq = strchr(key, '=');
	if (!eq)
		return 0;
	value = eq + 1 + strspn(eq + 1, " \t");
	while (eq > key && isspace((unsigned char)eq[-1]))
		eq--;
	*eq = '\0';
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (char *e = value + strlen(value); e > value && isspace((unsigned char)e[-1]);)
		*--e = '\0';
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(key, known[i]) == 0) {
			int r = set_directive(d, key, value, seen, err);

			return r < 0 ? r : 1;
		}
	return 0;
}

static int read_directives(struct reader *rd, struct err *err)
{
	auto_strs struct strs seen = { 0 };
	struct reader ahead = *rd;
	const char *s;
	size_t len;

	while (next_line(&ahead, &s, &len)) {
		int r = read_directive(rd->d, s, len, &seen, err);

		if (r < 0)
			return err_wrap(err, r, "%s:%u", rd->d->name, ahead.line);
		if (r == 0)
			return 0;
		*rd = ahead;
	}
	return 0;
}

/* ---- Lines ------------------------------------------------------------------------------------ */
/* Whether the line goes on in the next; len becomes what is before the escape. */
static bool continued(const struct dockerfile *d, const char *s, size_t *len)
{
	size_t n = *len;

	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	if (n == 0 || s[n - 1] != d->escape)
		return false;
	*len = n - 1;
	return true;
}

/* One logical line; comments and empty lines within are left out. False: none is left. */
static bool logical_line(struct reader *r, struct sbuf *out, unsigned *first)
{
	bool more = true, begun = false;
	const char *s;
	size_t len;

	out->len = 0;
	while (more && next_line(r, &s, &len)) {
		size_t skip = blanks(s, len);

		if (skip == len || s[skip] == '#')
			continue;
		if (!begun)
			*first = r->line;
		more = continued(r->d, s, &len);
		if (!begun && len < skip)
			skip = len;
		sbuf_add(out, begun ? s : s + skip, begun ? len : len - skip);
		begun = true;
	}
	return begun;
}

static int read_doc(struct reader *r, const struct df_mark *m, struct df_heredoc *doc,
		    struct err *err)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	unsigned from = r->line;
	const char *s;
	size_t len;

	while (next_line(r, &s, &len)) {
		while (m->strip && len && *s == '\t')
			s++, len--;
		if (strlen(m->name) == len && memcmp(m->name, s, len) == 0) {
			*doc = (struct df_heredoc){ m->name,
						    arena_strdup(&r->d->arena, sbuf_str(&text)),
						    m->expand };
			return 0;
		}
		sbuf_add(&text, s, len);
		sbuf_addc(&text, '\n');
	}
	r->line = from;
	return err_set(err, EINVAL, "the heredoc %s has no end", m->name);
}

static int read_docs(struct reader *r, const char *line, struct df_instruction *in, struct err *err)
{
	struct df_instruction *owner = in->trigger ? in->trigger : in;
	struct df_marks marks = { 0 };
	int ret = 0;

	if (!df_kinds[owner->op].docs || owner->exec)
		return 0;
	ret = df_marks_find(r->d, line, &marks, err);
	owner->docs = arena_array(&r->d->arena, marks.n + 1, sizeof(*owner->docs));
	for (size_t i = 0; ret == 0 && i < marks.n; i++)
		ret = read_doc(r, &marks.v[i], &owner->docs[owner->n_docs++], err);
	free(marks.v);
	return ret;
}

static int read_all(struct reader *r, struct instructions *out, struct err *err)
{
	auto_sbuf struct sbuf line = SBUF_INIT;
	unsigned first = 0;

	while (logical_line(r, &line, &first)) {
		struct df_instruction *in;
		int ret;

		if (out->n >= DF_COUNT_MAX)
			return err_set(err, E2BIG, "%s: more than %d instructions", r->d->name,
				       DF_COUNT_MAX);
		if (line.len == 0)
			continue;
		in = vec_push(out);
		in->line = first;
		ret = df_instruction_read(r->d, sbuf_str(&line), in, err);
		if (ret == 0)
			ret = read_docs(r, sbuf_str(&line), in, err);
		if (ret < 0)
			return err_wrap(err, ret, "%s:%u", r->d->name, first);
		in->last_line = r->line;
		if (in->trigger)
			in->trigger->line = first;
	}
	return 0;
}

/* ---- Stages ----------------------------------------------------------------------------------- */
static bool stage_name_ok(const char *s)
{
	if (!islower((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) &&
		    !strchr("_.-", *s))
			return false;
	return true;
}

static int make_stage(struct dockerfile *d, struct df_instruction *from, size_t n,
		      struct df_stage *out, struct err *err)
{
	*out = (struct df_stage){ .base = from->words[0],
				  .platform = df_flag(from, "platform"),
				  .from = from,
				  .v = from + 1,
				  .n = n };
	if (from->n_words == 3) {
		char *name = arena_strdup(&d->arena, from->words[2]);

		for (char *c = name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (!stage_name_ok(name))
			return err_set(err, EINVAL, "%s:%u: '%s' can't be the name of a stage",
				       d->name, from->line, from->words[2]);
		out->name = name;
	}
	return 0;
}

static int make_stages(struct dockerfile *d, const struct instructions *l, struct err *err)
{
	struct df_instruction *all = arena_array(&d->arena, l->n + 1, sizeof(*all));
	size_t at = 0;

	if (l->n)
		memcpy(all, l->v, l->n * sizeof(*all));
	d->globals = all;
	for (; at < l->n && all[at].op != DF_FROM; at++)
		if (all[at].op != DF_ARG)
			return err_set(err, EINVAL, "%s:%u: only ARG may stand before FROM, not %s",
				       d->name, all[at].line, df_op_name(all[at].op));
	d->n_globals = at;
	if (at == l->n)
		return err_set(err, EINVAL, "%s: no FROM, so there is nothing to build", d->name);
	d->stages = arena_array(&d->arena, l->n - at, sizeof(*d->stages));
	while (at < l->n) {
		size_t next = at + 1;
		int r;

		while (next < l->n && all[next].op != DF_FROM)
			next++;
		r = make_stage(d, &all[at], next - at - 1, &d->stages[d->n_stages++], err);
		if (r < 0)
			return r;
		at = next;
	}
	return 0;
}

static int check_text(const char *name, const char *text, size_t len, struct err *err)
{
	if (len > DF_SIZE_MAX)
		return err_set(err, E2BIG, "%s: longer than %u bytes", name, DF_SIZE_MAX);
	if (len && memchr(text, '\0', len))
		return err_set(err, EINVAL, "%s: a NUL byte", name);
	return 0;
}

int dockerfile_parse(const char *name, const char *text, size_t len, struct dockerfile **out,
		     struct err *err)
{
	auto_dockerfile struct dockerfile *d = NULL;
	struct instructions list = { 0 };
	struct reader rd;
	int r = check_text(name, text, len, err);

	if (r < 0)
		return r;
	d = xcalloc(1, sizeof(*d));
	d->name = arena_strdup(&d->arena, name);
	d->escape = '\\';
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3, len -= 3;
	rd = (struct reader){ .d = d, .p = text, .end = text + len };
	r = read_directives(&rd, err);
	if (r == 0)
		r = read_all(&rd, &list, err);
	if (r == 0)
		r = make_stages(d, &list, err);
	free(list.v);
	if (r == 0)
		*out = steal(d);
	return r;
}

int dockerfile_parse_trigger(const char *text, struct dockerfile **out, struct err *err)
{
	auto_free char *whole = xasprintf("FROM scratch\n%s\n", text);
	int r = dockerfile_parse("ONBUILD", whole, strlen(whole), out, err);

	if (r == 0 && ((*out)->n_stages != 1 || (*out)->stages[0].n != 1)) {
		dockerfile_free(steal(*out));
		r = err_set(err, EINVAL, "ONBUILD: '%s' is not one instruction", text);
	}
	return r;
}
