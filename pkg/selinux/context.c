/* context.c - labels taken apart and put together; see selinux.h */
#include <ctrcompose/selinux.h>

#include <stdlib.h>
#include <string.h>

/* Nothing that would be another field, another line or another option of a mount. */
static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    !strchr("_.-", c))
			return false;
	}
	return n > 0;
}

static bool is_level(const char *s)
{
	for (const char *c = s; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && !strchr("_.,:-", *c))
			return false;
	return *s != '\0';
}

int selinux_context_parse(const char *text, struct selinux_context *out)
{
	const char *fields[3];
	size_t lens[3];

	if (strnlen(text, SELINUX_LABEL_MAX) == SELINUX_LABEL_MAX)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		fields[i] = text;
		lens[i] = strcspn(text, ":");
		text += lens[i];
		if (!is_name(fields[i], lens[i]) || (*text != ':' && i < 2))
			return -EINVAL;
		text += *text == ':' && i < 2;
	}
	if (*text && !is_level(text + 1))
		return -EINVAL;
	*out = (struct selinux_context){
		.user = xstrndup(fields[0], lens[0]),
		.role = xstrndup(fields[1], lens[1]),
		.type = xstrndup(fields[2], lens[2]),
		.level = *text ? xstrdup(text + 1) : NULL,
	};
	return 0;
}

char *selinux_context_format(const struct selinux_context *c)
{
	return xasprintf("%s:%s:%s%s%s", c->user, c->role, c->type, c->level ? ":" : "",
			 c->level ? c->level : "");
}

void selinux_context_clear(struct selinux_context *c)
{
	free(steal(c->user));
	free(steal(c->role));
	free(steal(c->type));
	free(steal(c->level));
}
