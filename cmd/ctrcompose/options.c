/* options.c - long and short options from the same table that prints the help. */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

static bool usage_failed;

int usage_error(struct err *err, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	usage_failed = true;
	return err_set(err, -EINVAL, "%s", text ? text : "wrong usage");
}

bool usage_error_happened(void)
{
	return usage_failed;
}

/* Ends the sentence "--tail: 'x' is not ...". */
static const char *const wanted[] = {
	[OPT_FLAG] = "true or false",
	[OPT_UNFLAG] = "true or false",
	[OPT_INT] = "a number",
	[OPT_DURATION] = "a duration like 1m30s",
	[OPT_TIMEOUT] = "a number of seconds or a duration like 1m30s",
	[OPT_TIME] = "a time like 2026-01-02T13:23:37Z or a duration like 42m",
};

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_UNFLAG;
}

static int parse_bool(const char *s, bool *out)
{
	static const char *const words[2][6] = {
		{ "false", "0", "f", "F", "False", "FALSE" },
		{ "true", "1", "t", "T", "True", "TRUE" },
	};

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < ARRAY_LEN(words[i]); j++)
			if (strcmp(s, words[i][j]) == 0) {
				*out = i == 1;
				return 0;
			}
	return -EINVAL;
}

static void add_commas(struct strs *l, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, ",");

		strs_addf(l, "%.*s", (int)n, text);
		if (!text[n])
			return;
		text += n + 1;
	}
}

/* Seconds or a duration; -1 has no end. */
static int parse_timeout(const char *s, int64_t *out)
{
	uint64_t v;
	int r;

	if (strcmp(s, "-1") == 0) {
		*out = INT64_MAX;
		return 0;
	}
	r = parse_u64(s, &v);
	if (r == 0)
		r = v > INT64_MAX / 1000000 ? -ERANGE : (v *= 1000000, 0);
	else
		r = parse_duration_us(s, &v);
	if (r < 0 || v > INT64_MAX)
		return r < 0 ? r : -ERANGE;
	*out = (int64_t)v;
	return 0;
}

/* `shown` is how the person wrote the option. */
static int store(const struct opt *o, const char *shown, const char *text, struct err *err)
{
	bool b = true;
	int r = 0;

	switch (o->kind) {
	case OPT_FLAG:
	case OPT_UNFLAG:
		if (text)
			r = parse_bool(text, &b);
		if (r == 0)
			*(bool *)o->value = b == (o->kind == OPT_FLAG);
		break;
	case OPT_STRING:
		*(const char **)o->value = text;
		break;
	case OPT_LIST:
		strs_add(o->value, text);
		break;
	case OPT_COMMAS:
		add_commas(o->value, text);
		break;
	case OPT_INT:
		r = parse_i64(text, o->value);
		break;
	case OPT_DURATION:
		r = parse_duration_us(text, o->value);
		break;
	case OPT_TIMEOUT:
		r = parse_timeout(text, o->value);
		break;
	case OPT_TIME:
		r = parse_when(text, now_real_ns(), o->value);
		break;
	}
	if (r < 0)
		return usage_error(err, "%s: '%s' is not %s", shown, text ? text : "",
				   wanted[o->kind]);
	return 0;
}

static int unknown_long(const struct cmd *cmd, const char *word, size_t len, struct err *err)
{
	auto_free const char **names = xcalloc(cmd->n_opts + 1, sizeof(*names));
	auto_free char *name = xstrndup(word, len);
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < cmd->n_opts; i++)
		if (cmd->opts[i].help)
			names[n++] = cmd->opts[i].name;
	near = str_nearest(name, names, n);
	if (near)
		return usage_error(err, "unknown option '--%s'; did you mean '--%s'?", name, near);
	return usage_error(err, "unknown option '--%s'", name);
}

/* The option of the given name, or of the only visible one that begins so. */
static int find_long(const struct cmd *cmd, const struct cmd *extra, const char *word, size_t len,
		     const struct opt **out, struct err *err)
{
	const struct opt *found = NULL;

	for (size_t i = 0; i < cmd->n_opts; i++) {
		const struct opt *o = &cmd->opts[i];

		if (strncmp(o->name, word, len) != 0)
			continue;
		if (strlen(o->name) == len) {
			*out = o;
			return 0;
		}
	}
	for (size_t i = 0; extra && i < extra->n_opts; i++) {
		const struct opt *o = &extra->opts[i];

		if (strlen(o->name) == len && memcmp(o->name, word, len) == 0) {
			*out = o;
			return 0;
		}
	}
	for (size_t i = 0; len > 0 && i < cmd->n_opts; i++) {
		const struct opt *o = &cmd->opts[i];

		if (!o->help || strncmp(o->name, word, len) != 0)
			continue;
		if (found)
			return usage_error(err, "option '--%.*s' is ambiguous: '--%s' or '--%s'?",
					   (int)len, word, found->name, o->name);
		found = o;
	}
	if (!found)
		return unknown_long(cmd, word, len, err);
	*out = found;
	return 0;
}

static const struct opt *find_short(const struct cmd *cmd, char letter)
{
	for (size_t i = 0; i < cmd->n_opts; i++)
		if (cmd->opts[i].letter == letter)
			return &cmd->opts[i];
	return NULL;
}

struct args {
	int argc, at;
	char **argv;
};

static const char *next_word(struct args *w)
{
	return w->at < w->argc ? w->argv[w->at++] : NULL;
}

static int parse_long(const struct cmd *cmd, const struct cmd *extra, char *word, struct args *w,
		      bool *help, struct err *err)
{
	size_t len = strcspn(word, "=");
	const char *text = word[len] ? word + len + 1 : NULL;
	auto_free char *shown = NULL;
	const struct opt *o = NULL;
	int r;

	if (len == 4 && memcmp(word, "help", 4) == 0) {
		*help = true;
		return 0;
	}
	r = find_long(cmd, extra, word, len, &o, err);
	if (r < 0)
		return r;
	shown = xasprintf("--%s", o->name);
	if (!text && takes_value(o)) {
		text = next_word(w);
		if (!text)
			return usage_error(err, "option '%s' needs a value", shown);
	}
	return store(o, shown, text, err);
}

/* -abc, -n5, -n=5, -n 5 */
static int parse_shorts(const struct cmd *cmd, const char *word, struct args *w, bool *help,
			struct err *err)
{
	for (const char *c = word; *c; c++) {
		const struct opt *o = find_short(cmd, *c);
		char shown[] = { '-', *c, '\0' };
		const char *text = NULL;
		int r;

		if (!o && *c == 'h') {
			*help = true;
			return 0;
		}
		if (!o)
			return usage_error(err, "unknown option '%s' in '-%s'", shown, word);
		if (c[1] == '=')
			text = c + 2;
		else if (takes_value(o))
			text = c[1] ? c + 1 : next_word(w);
		if (!text && takes_value(o))
			return usage_error(err, "option '%s' needs a value", shown);
		r = store(o, shown, text, err);
		if (r < 0 || text)
			return r;
	}
	return 0;
}

int opts_parse(const struct cmd *cmd, const struct cmd *extra, int argc, char **argv, bool *help,
	       struct err *err)
{
	struct args w = { .argc = argc, .argv = argv };
	bool only_operands = false;
	int n = 0;

	while (w.at < argc && !*help) {
		char *word = argv[w.at++];
		int r;

		if (only_operands || word[0] != '-' || !word[1]) {
			argv[n++] = word;
			if (cmd->operands_end_options)
				only_operands = true;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			only_operands = true;
			continue;
		}
		r = word[1] == '-' ? parse_long(cmd, extra, word + 2, &w, help, err)
				   : parse_shorts(cmd, word + 1, &w, help, err);
		if (r < 0)
			return r;
	}
	argv[n] = NULL;
	return n;
}

/* ---- Help ------------------------------------------------------------------------------------ */
static void left_column(const struct opt *o, struct sbuf *out)
{
	if (o->letter)
		sbuf_addf(out, "  -%c, --%s", o->letter, o->name);
	else
		sbuf_addf(out, "      --%s", o->name);
	if (o->arg)
		sbuf_addf(out, " %s", o->arg);
}

void opts_help(const struct opt *opts, size_t n, struct sbuf *out)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++) {
		auto_sbuf struct sbuf left = SBUF_INIT;

		left_column(&opts[i], &left);
		if (opts[i].help && left.len > width)
			width = left.len;
	}
	for (size_t i = 0; i < n; i++) {
		auto_sbuf struct sbuf left = SBUF_INIT;

		if (!opts[i].help)
			continue;
		left_column(&opts[i], &left);
		sbuf_addf(out, "%-*s   ", (int)width, sbuf_str(&left));
		for (const char *line = opts[i].help;;) {
			size_t len = strcspn(line, "\n");

			sbuf_addf(out, "%.*s\n", (int)len, line);
			if (!line[len])
				break;
			line += len + 1;
			sbuf_addf(out, "%*s", (int)width + 3, "");
		}
	}
}

void cmd_usage(const struct cmd *cmd, const char *prefix, struct sbuf *out)
{
	sbuf_addf(out, "Usage:  %s %s", prefix, cmd->name);
	if (cmd->n_opts)
		sbuf_adds(out, " [OPTIONS]");
	if (cmd->subs)
		sbuf_adds(out, " COMMAND");
	else if (cmd->operands && cmd->operands[0])
		sbuf_addf(out, " %s", cmd->operands);
	sbuf_addf(out, "\n\n%s\n", cmd->summary);
	if (cmd->alias)
		sbuf_addf(out, "\nAlso called:  %s %s\n", prefix, cmd->alias);
	if (cmd->subs) {
		sbuf_adds(out, "\nCommands:\n");
		for (const struct cmd *const *s = cmd->subs; *s; s++)
			if (!(*s)->hidden)
				sbuf_addf(out, "  %-11s %s\n", (*s)->name, (*s)->summary);
	}
	if (cmd->n_opts) {
		sbuf_adds(out, "\nOptions:\n");
		opts_help(cmd->opts, cmd->n_opts, out);
	}
}
