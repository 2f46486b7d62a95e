/* change.c - the instructions of a Dockerfile that only change an image's config; see image.h */
#include "private.h"

#include <ctrcompose/dockerfile.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

static struct json *object_in(struct json *o, const char *key)
{
	const struct json *there = json_get(o, key);

	if (json_kind(there) == JSON_OBJECT)
		return (struct json *)(uintptr_t)there;
	json_remove(o, key);
	return json_add_object(o, key);
}

/* ["a", "b"] stays, anything else is a line for the shell. */
static struct json *command(const char *text)
{
	auto_json struct json *parsed = NULL;
	struct json *out = json_array();

	if (*text == '[' && json_parse(text, strlen(text), &parsed, NULL) == 0 &&
	    json_kind(parsed) == JSON_ARRAY) {
		bool strings = true;

		for (const struct json *c = json_first(parsed); c; c = json_next(c))
			strings = strings && json_string(c);
		for (const struct json *c = strings ? json_first(parsed) : NULL; c;
		     c = json_next(c))
			json_add_str(out, NULL, json_string(c));
		if (strings)
			return out;
	}
	json_add_str(out, NULL, "/bin/sh");
	json_add_str(out, NULL, "-c");
	json_add_str(out, NULL, text);
	return out;
}

static int change_command(struct json *config, const char *key, const char *text, struct err *err)
{
	(void)err;
	json_remove(config, key);
	json_add(config, key, command(text));
	return 0;
}

static int change_text(struct json *config, const char *key, const char *text, struct err *err)
{
	(void)err;
	json_remove(config, key);
	json_add_str(config, key, text);
	return 0;
}

/* The next word of "A=b 'C=d e' F=\"g\""; quotes are taken off. False at the end. */
static bool next_word(const char **s, struct sbuf *out)
{
	char quote = 0;

	sbuf_clear(out);
	*s = skip_blanks(*s);
	if (**s == '\0')
		return false;
	sbuf_adds(out, "");
	for (; **s && (quote || !isspace((unsigned char)**s)); (*s)++) {
		if (quote ? **s == quote : **s == '"' || **s == '\'')
			quote = quote ? 0 : **s;
		else if (**s == '\\' && (*s)[1] && quote != '\'')
			sbuf_addc(out, *++(*s));
		else
			sbuf_addc(out, **s);
	}
	return true;
}

static void set_env(struct json *config, const char *name, const char *value)
{
	auto_free char *entry = xasprintf("%s=%s", name, value);
	const struct json *old = json_get(config, "Env");
	struct json *list = json_array();
	size_t n = strlen(name) + 1;
	bool placed = false;

	for (const struct json *c = json_first(old); c; c = json_next(c)) {
		bool same = json_string(c) && strncmp(json_string(c), entry, n) == 0;

		json_add_str(list, NULL, same ? entry : json_string(c));
		placed = placed || same;
	}
	if (!placed)
		json_add_str(list, NULL, entry);
	json_remove(config, "Env");
	json_add(config, "Env", list);
}

static void set_label(struct json *config, const char *name, const char *value)
{
	struct json *labels = object_in(config, "Labels");

	json_remove(labels, name);
	json_add_str(labels, name, value);
}

static int change_pairs(struct json *config, const char *key, const char *text, struct err *err)
{
	void (*set)(struct json *, const char *, const char *) =
		strcmp(key, "Env") == 0 ? set_env : set_label;
	auto_sbuf struct sbuf word = SBUF_INIT;
	const char *first = text + strcspn(text, " \t=");

	if (*first != '=') { /* ENV NAME the rest */
		auto_free char *name = xstrndup(text, (size_t)(first - text));

		if (!*name || !*skip_blanks(first))
			return err_set(err, EINVAL, "'%s' needs NAME=VALUE", text);
		set(config, name, skip_blanks(first));
		return 0;
	}
	while (next_word(&text, &word)) {
		char *eq = strchr(sbuf_str(&word), '=');

		if (!eq || eq == word.s)
			return err_set(err, EINVAL, "'%s' is not NAME=VALUE", sbuf_str(&word));
		*eq = '\0';
		set(config, word.s, eq + 1);
	}
	return 0;
}

static void add_port(void *set, const char *port)
{
	if (!json_get(set, port))
		(void)json_add_object(set, port);
}

static int change_set(struct json *config, const char *key, const char *text, struct err *err)
{
	struct json *set = object_in(config, key);
	auto_json struct json *parsed = NULL;
	auto_sbuf struct sbuf word = SBUF_INIT;
	int r = 0;

	if (strcmp(key, "ExposedPorts") == 0) {
		while (r == 0 && next_word(&text, &word))
			r = df_ports(sbuf_str(&word), add_port, set, err);
		return r;
	}
	if (*text == '[' && json_parse(text, strlen(text), &parsed, NULL) == 0) {
		for (const struct json *c = json_first(parsed); c; c = json_next(c))
			if (json_string(c) && !json_get(set, json_string(c)))
				(void)json_add_object(set, json_string(c));
		return 0;
	}
	while (next_word(&text, &word))
		if (!json_get(set, word.s))
			(void)json_add_object(set, word.s);
	return 0;
}

static int change_onbuild(struct json *config, const char *key, const char *text, struct err *err)
{
	auto_dockerfile struct dockerfile *d = NULL;
	auto_free char *line = xasprintf("ONBUILD %s", text);
	const struct json *there = json_get(config, key);
	struct json *list = json_array();
	int r = dockerfile_parse_trigger(line, &d, err); /* ONBUILD itself knows what may follow */

	for (const struct json *c = json_first(there); c; c = json_next(c))
		json_add_str(list, NULL, json_string(c));
	json_add_str(list, NULL, text);
	json_remove(config, key);
	json_add(config, key, list);
	return r;
}

static int change_folder(struct json *config, const char *key, const char *text, struct err *err)
{
	auto_free char *clean = NULL;

	if (*text == '/') {
		clean = path_clean(text);
	} else {
		auto_free char *joined = path_join(json_str(config, key, "/"), text);
		auto_free char *rooted =
			*joined == '/' ? xstrdup(joined) : xasprintf("/%s", joined);

		clean = path_clean(rooted);
	}
	return change_text(config, key, clean, err);
}

static int change_signal(struct json *config, const char *key, const char *text, struct err *err)
{
	int sig;

	if (parse_signal(text, &sig) < 0)
		return err_set(err, EINVAL, "'%s' is not a signal", text);
	return change_text(config, key, text, err);
}

static int change_health(struct json *config, const char *key, const char *text, struct err *err)
{
	static const struct {
		const char *flag, *field;
		bool count;
	} flags[] = { { "--interval=", "Interval", false },
		      { "--timeout=", "Timeout", false },
		      { "--start-period=", "StartPeriod", false },
		      { "--start-interval=", "StartInterval", false },
		      { "--retries=", "Retries", true } };
	struct json *o, *test;

	json_remove(config, key);
	o = json_add_object(config, key);
	test = json_add_array(o, "Test");
	while (str_starts(text, "--")) {
		size_t n = strcspn(text, " \t"), i = 0;
		auto_free char *word = xstrndup(text, n);
		uint64_t value = 0;

		while (i < ARRAY_LEN(flags) && !str_starts(word, flags[i].flag))
			i++;
		if (i == ARRAY_LEN(flags) ||
		    (flags[i].count ? parse_u64(word + strlen(flags[i].flag), &value)
				    : parse_duration_us(word + strlen(flags[i].flag), &value)) < 0)
			return err_set(err, EINVAL, "HEALTHCHECK does not know '%s'", word);
		json_add_int(o, flags[i].field, (int64_t)(flags[i].count ? value : value * 1000));
		text = skip_blanks(text + n);
	}
	if (strcasecmp(text, "NONE") == 0) {
		json_add_str(test, NULL, "NONE");
		return 0;
	}
	if (strncasecmp(text, "CMD", 3) != 0 || !isspace((unsigned char)text[3]))
		return err_set(err, EINVAL, "HEALTHCHECK needs NONE or CMD and a command");
	text = skip_blanks(text + 3);
	if (*text == '[') {
		auto_json struct json *words = command(text);

		json_add_str(test, NULL, "CMD");
		for (const struct json *c = json_first(words); c; c = json_next(c))
			json_add_str(test, NULL, json_string(c));
	} else {
		json_add_str(test, NULL, "CMD-SHELL");
		json_add_str(test, NULL, text);
	}
	return 0;
}

static const struct change {
	const char *word, *key;
	int (*fn)(struct json *config, const char *key, const char *text, struct err *err);
} changes[] = {
	{ "CMD", "Cmd", change_command },
	{ "ENTRYPOINT", "Entrypoint", change_command },
	{ "ENV", "Env", change_pairs },
	{ "EXPOSE", "ExposedPorts", change_set },
	{ "HEALTHCHECK", "Healthcheck", change_health },
	{ "LABEL", "Labels", change_pairs },
	{ "ONBUILD", "OnBuild", change_onbuild },
	{ "STOPSIGNAL", "StopSignal", change_signal },
	{ "USER", "User", change_text },
	{ "VOLUME", "Volumes", change_set },
	{ "WORKDIR", "WorkingDir", change_folder },
};

int image_change(struct json *config, const char *instruction, struct err *err)
{
	const char *s = skip_blanks(instruction);
	size_t n = strcspn(s, " \t");
	const char *text = skip_blanks(s + n);
	auto_free char *clean = xstrdup(text);

	while (*clean && isspace((unsigned char)clean[strlen(clean) - 1]))
		clean[strlen(clean) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		if (strlen(changes[i].word) != n || strncasecmp(changes[i].word, s, n) != 0)
			continue;
		if (!*clean)
			return err_set(err, EINVAL, "%s needs a value", changes[i].word);
		return changes[i].fn(config, changes[i].key, clean, err);
	}
	return err_set(err, EINVAL,
		       "'%.*s' can't change an image: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, "
		       "LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR can",
		       (int)n, s);
}
