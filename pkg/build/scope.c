/* scope.c - which value a name has: ENV before ARG, arguments of the command before defaults */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

const char *strs_value(const struct strs *pairs, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = pairs->n; i-- > 0;)
		if (strncmp(pairs->v[i], name, n) == 0 && pairs->v[i][n] == '=')
			return pairs->v[i] + n + 1;
	return NULL;
}

void strs_put(struct strs *pairs, const char *name, const char *value)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < pairs->n; i++)
		if (strncmp(pairs->v[i], name, n) == 0 && pairs->v[i][n] == '=') {
			free(pairs->v[i]);
			pairs->v[i] = xasprintf("%s=%s", name, value);
			return;
		}
	strs_addf(pairs, "%s=%s", name, value);
}

const char *stage_env(const struct stage *s, const char *name)
{
	const struct json *env = json_get(stage_config(s), "Env");
	size_t n = strlen(name);

	for (const struct json *c = json_first(env); c; c = json_next(c))
		if (json_string(c) && strncmp(json_string(c), name, n) == 0 &&
		    json_string(c)[n] == '=')
			return json_string(c) + n + 1;
	return NULL;
}

static const char *get_in_stage(const void *arg, const char *name)
{
	const struct stage *s = arg;
	const char *v = stage_env(s, name);

	return v ? v : strs_value(&s->args, name);
}

int stage_expand(const struct stage *s, const char *word, bool raw, char **out, struct err *err)
{
	struct df_scope scope = { get_in_stage, s, s->b->file->escape, raw };

	return df_expand(word, &scope, out, err);
}

static const char *get_global(const void *arg, const char *name)
{
	return strs_value(&((const struct build *)arg)->globals, name);
}

int build_expand(const struct build *b, const char *word, char **out, struct err *err)
{
	struct df_scope scope = { get_global, b, b->file->escape, false };

	return df_expand(word, &scope, out, err);
}

static const char *architecture(void)
{
	static const char *const names[][2] = { { "x86_64", "amd64" },
						{ "aarch64", "arm64" },
						{ "armv7l", "arm" },
						{ "i686", "386" } };
	static struct utsname u;

	if (uname(&u) < 0)
		return "amd64";
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(u.machine, names[i][0]) == 0)
			return names[i][1];
	return u.machine;
}

const char *build_platform(void)
{
	static char text[80];

	(void)snprintf(text, sizeof(text), "linux/%s", architecture());
	return text;
}

bool build_platform_ok(const char *platform)
{
	const char *arch = str_starts(platform, "linux/") ? platform + 6 : platform;
	const char *own = architecture();
	size_t n = strlen(own);

	if (strcmp(arch, "x86_64") == 0 || strcmp(arch, "aarch64") == 0)
		arch = *arch == 'x' ? "amd64" : "arm64";
	/* "/v8" is all of arm64 there is. */
	return strncmp(arch, own, n) == 0 && (!arch[n] || strcmp(arch + n, "/v8") == 0);
}

int build_globals(struct build *b, struct err *err)
{
	static const char *const sides[] = { "TARGET", "BUILD" };

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		strs_addf(&b->globals, "%sPLATFORM=linux/%s", sides[i], architecture());
		strs_addf(&b->globals, "%sOS=linux", sides[i]);
		strs_addf(&b->globals, "%sARCH=%s", sides[i], architecture());
		strs_addf(&b->globals, "%sVARIANT=", sides[i]);
	}
	for (size_t i = 0; i < b->file->n_globals; i++) {
		const struct df_instruction *in = &b->file->globals[i];

		for (size_t k = 0; k < in->n_pairs; k++) {
			const char *given = kvs_get(&b->req->args, in->pairs[k].key);
			auto_free char *value = NULL;
			int r = 0;

			if (!given && in->pairs[k].value)
				r = build_expand(b, in->pairs[k].value, &value, err);
			if (r < 0)
				return err_wrap(err, r, "%s:%u", b->file->name, in->line);
			if (given || value)
				strs_put(&b->globals, in->pairs[k].key, given ? given : value);
		}
	}
	return 0;
}
