/* ignore.c - .dockerignore; see dockerfile.h */
#include <ctrcompose/dockerfile.h>

#include <stdlib.h>
#include <string.h>

struct rule {
	struct df_glob *glob;
	bool exception;
};

struct df_ignore {
	struct rule *v;
	size_t n, cap;
	bool exceptions;
};

void df_ignore_free(struct df_ignore *ig)
{
	if (!ig)
		return;
	for (size_t i = 0; i < ig->n; i++)
		df_glob_free(ig->v[i].glob);
	free(ig->v);
	free(ig);
}

void auto_df_ignore_fn(struct df_ignore **ig)
{
	df_ignore_free(*ig);
}

bool df_ignore_has_exceptions(const struct df_ignore *ig)
{
	return ig && ig->exceptions;
}

static char *trimmed(const char *s, size_t len)
{
	static const char blanks[] = " \t\r\v\f";

	while (len && strchr(blanks, *s))
		s++, len--;
	while (len && strchr(blanks, s[len - 1]))
		len--;
	return xstrndup(s, len);
}

static int add_rule(struct df_ignore *ig, const char *line, size_t len, struct err *err)
{
	auto_free char *text = trimmed(line, len);
	bool exception = *text == '!';
	auto_free char *body = trimmed(text + exception, strlen(text + exception));
	auto_free char *clean = NULL;
	struct df_glob *glob = NULL;
	struct rule *rule;
	int r;

	if (!*text)
		return 0;
	if (!*body)
		return err_set(err, EINVAL, "'!' needs a pattern");
	clean = path_clean(body);
	/* "/" and "." mean the context itself, which is always there. */
	if (strcmp(clean, ".") == 0 || strcmp(clean, "/") == 0)
		return 0;
	if (ig->n >= DF_COUNT_MAX)
		return err_set(err, E2BIG, "more than %d rules", DF_COUNT_MAX);
	r = df_glob_new(clean + (*clean == '/'), false, &glob, err);
	if (r < 0)
		return r;
	rule = vec_push(ig);
	rule->glob = glob;
	rule->exception = exception;
	ig->exceptions |= exception;
	return 0;
}

int df_ignore_parse(const char *name, const char *text, size_t len, struct df_ignore **out,
		    struct err *err)
{
	auto_df_ignore struct df_ignore *ig = xcalloc(1, sizeof(*ig));
	unsigned line = 0;

	if (len > DF_SIZE_MAX)
		return err_set(err, E2BIG, "%s: longer than %u bytes", name, DF_SIZE_MAX);
	if (memchr(text, '\0', len))
		return err_set(err, EINVAL, "%s: a NUL byte", name);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3, len -= 3;
	while (len) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len;
		int r = 0;

		line++;
		if (*text != '#')
			r = add_rule(ig, text, n, err);
		if (r < 0)
			return err_wrap(err, r, "%s:%u", name, line);
		n += nl != NULL;
		text += n;
		len -= n;
	}
	*out = steal(ig);
	return 0;
}

int df_ignore_from(const char *const *patterns, size_t n, struct df_ignore **out, struct err *err)
{
	auto_df_ignore struct df_ignore *ig = xcalloc(1, sizeof(*ig));

	for (size_t i = 0; i < n; i++) {
		int r = add_rule(ig, patterns[i], strlen(patterns[i]), err);

		if (r < 0)
			return r;
	}
	*out = steal(ig);
	return 0;
}

/* The path itself or one of the folders it is in. */
static bool rule_matches(const struct rule *rule, const char *path)
{
	for (const char *p = path;; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		if (df_glob_match(rule->glob, path, (size_t)(p - path)))
			return true;
		if (*p == '\0')
			return false;
	}
}

bool df_ignored(const struct df_ignore *ig, const char *path)
{
	bool ignored = false;

	for (size_t i = 0; ig && i < ig->n; i++)
		if (ig->v[i].exception == ignored && rule_matches(&ig->v[i], path))
			ignored = !ignored;
	return ignored;
}
