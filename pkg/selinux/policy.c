/* policy.c - the two files that say which labels containers have; see selinux.h */
#include <ctrcompose/selinux.h>

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r"

/* The value of "key = value", of which the last one counts: *len bytes, or NULL. */
static const char *value_of(const char *text, const char *key, size_t *len)
{
	const char *found = NULL;

	for (const char *line = text, *end; *line; line = end + (*end == '\n')) {
		size_t n = strlen(key);
		const char *s = line + strspn(line, BLANKS);

		end = line + strcspn(line, "\n");
		if (strncmp(s, key, n) != 0)
			continue;
		s += n + strspn(s + n, BLANKS);
		if (*s != '=')
			continue;
		s++;
		s += strspn(s, BLANKS);
		found = s;
		*len = (size_t)(end - s);
		while (*len > 0 && strchr(BLANKS, s[*len - 1]))
			--*len;
	}
	return found;
}

int selinux_config_type(const char *text, char **out)
{
	size_t len = 0;
	const char *value = value_of(text, "SELINUXTYPE", &len);

	if (!value)
		return -ENOENT;
	if (len == 0 || len > 255 || *value == '.' || memchr(value, '/', len))
		return -EINVAL;
	*out = xstrndup(value, len);
	return 0;
}

/* In quotes or not. */
static int label_of(const char *text, const char *key, char **out)
{
	auto_selinux_context struct selinux_context c = { 0 };
	auto_free char *label = NULL;
	size_t len = 0;
	const char *value = value_of(text, key, &len);

	if (!value)
		return -ENOENT;
	if (len >= 2 && *value == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	if (len >= SELINUX_LABEL_MAX)
		return -EINVAL;
	label = xstrndup(value, len);
	if (selinux_context_parse(label, &c) < 0)
		return -EINVAL;
	*out = steal(label);
	return 0;
}

int selinux_defaults_parse(const char *text, struct selinux_defaults *out)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };
	int r = label_of(text, "process", &d.process);

	if (r == 0)
		r = label_of(text, "file", &d.file);
	if (r == 0)
		r = label_of(text, "ro_file", &d.layer);
	if (r == -ENOENT && d.file) { /* older ones have no such line */
		d.layer = xstrdup(d.file);
		r = 0;
	}
	if (r < 0)
		return r;
	*out = d;
	d = (struct selinux_defaults){ 0 };
	return 0;
}

void selinux_defaults_clear(struct selinux_defaults *d)
{
	free(steal(d->process));
	free(steal(d->file));
	free(steal(d->layer));
}
