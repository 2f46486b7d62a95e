/* checks.c - what the type of a value alone does not say. */
#include "canon.h"

#include <math.h>
#include <string.h>

static bool is_true(const struct yaml_node *n)
{
	bool b = false;

	if (!n)
		return false;
	if (n->type == YAML_BOOL)
		return n->b;
	if (n->type == YAML_STR)
		return bool_of(n->s, &b) && b;
	return n->type == YAML_MAP;
}

const char *check_finite(struct load *l, const struct yaml_node *n)
{
	(void)l;
	if (n->type == YAML_FLOAT && (isnan(n->f) || isinf(n->f)))
		return "is not a finite number";
	return NULL;
}

const char *check_name2(struct load *l, const struct yaml_node *n)
{
	(void)l;
	return *n->s && !n->s[1] ? "a container name has at least two characters" : NULL;
}

const char *check_pull_policy(struct load *l, const struct yaml_node *n)
{
	static const char *const ok[] = { "always",  "never",   "build", "if_not_present",
					  "missing", "refresh", "daily", "weekly" };
	const char *s = n->s;

	for (size_t i = 0; i < ARRAY_LEN(ok); i++)
		if (strcmp(ok[i], s) == 0)
			return NULL;
	if (str_starts(s, "every_")) {
		size_t k;

		for (s += 6; *s; s += k + 1) {
			k = strspn(s, "0123456789");
			if (k == 0 || !s[k] || !strchr("wdhms", s[k]))
				break;
		}
		if (!*s && n->s[6])
			return NULL;
	}
	return arena_printf(
		l->a,
		"'%s' is none of always, never, missing, if_not_present, build, refresh, "
		"daily, weekly, every_<duration>",
		n->s);
}

const char *check_oom_score(struct load *l, const struct yaml_node *n)
{
	(void)l;
	return n->type == YAML_INT && (n->i < -1000 || n->i > 1000) ? "must be -1000 to 1000"
								    : NULL;
}

const char *check_tmpfs_size(struct load *l, const struct yaml_node *n)
{
	(void)l;
	if (n->type == YAML_FLOAT)
		return "must be an integer or a size like 64m";
	return n->type == YAML_INT && n->i < 0 ? "must not be negative" : NULL;
}

const char *check_gpu(struct load *l, const struct yaml_node *n)
{
	(void)l;
	if (yaml_get(n, "count") && yaml_get(n, "device_ids"))
		return "'count' and 'device_ids' exclude each other";
	return NULL;
}

/* With external: true nothing but a name may be said. */
static const char *external_alone(struct load *l, const struct yaml_node *n)
{
	for (size_t i = 0; i < n->m.n; i++) {
		const char *key = n->m.v[i].key;

		if (strcmp(key, "external") != 0 && strcmp(key, "name") != 0 && !is_extension(key))
			return arena_printf(l->a, "'external' and '%s' exclude each other", key);
	}
	return NULL;
}

const char *check_external(struct load *l, const struct yaml_node *n)
{
	if (n->type != YAML_MAP || !is_true(yaml_get(n, "external")))
		return NULL;
	return external_alone(l, n);
}

static const char *one_of(struct load *l, const struct yaml_node *n, const char *const *keys)
{
	const char *found = NULL;

	for (; *keys; keys++) {
		if (!yaml_get(n, *keys))
			continue;
		if (found)
			return arena_printf(l->a, "'%s' and '%s' exclude each other", found, *keys);
		found = *keys;
	}
	return NULL;
}

const char *check_secret(struct load *l, const struct yaml_node *n)
{
	return one_of(l, n, (const char *const[]){ "file", "environment", NULL });
}

const char *check_config(struct load *l, const struct yaml_node *n)
{
	return one_of(l, n, (const char *const[]){ "file", "environment", "content", NULL });
}
