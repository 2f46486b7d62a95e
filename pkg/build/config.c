/* config.c - instructions that change only what the image says of itself; pure */
#include "private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static struct json *mutable(const struct json *j)
{
	return (struct json *)(uintptr_t)j;
}

static struct json *child(struct json *o, const char *key, enum json_kind kind)
{
	const struct json *there = json_get(o, key);

	if (json_kind(there) == kind)
		return mutable(there);
	json_remove(o, key);
	return kind == JSON_OBJECT ? json_add_object(o, key) : json_add_array(o, key);
}

struct json *stage_config(const struct stage *s)
{
	return child(s->config, "config", JSON_OBJECT);
}

const char *config_text(const struct stage *s, const char *key, const char *otherwise)
{
	const char *v = json_str(stage_config(s), key, "");

	return *v ? v : otherwise;
}

static void put(struct json *o, const char *key, struct json *value)
{
	json_remove(o, key);
	json_add(o, key, value);
}

static void put_text(struct stage *s, const char *key, const char *value)
{
	put(stage_config(s), key, json_new_string(value));
}

static struct json *words(const struct df_instruction *in)
{
	struct json *l = json_array();

	for (size_t i = 0; i < in->n_words; i++)
		json_add_str(l, NULL, in->words[i]);
	return l;
}

/* The exec form as it is; a line is for the shell. */
static struct json *command(const struct stage *s, const struct df_instruction *in)
{
	struct json *l;

	if (in->exec)
		return words(in);
	l = json_array();
	for (size_t i = 0; i < s->shell.n; i++)
		json_add_str(l, NULL, s->shell.v[i]);
	if (s->shell.n == 0) {
		json_add_str(l, NULL, "/bin/sh");
		json_add_str(l, NULL, "-c");
	}
	json_add_str(l, NULL, in->text);
	return l;
}

static int apply_cmd(struct stage *s, const struct df_instruction *in, struct err *err)
{
	(void)err;
	put(stage_config(s), "Cmd", command(s, in));
	s->cmd_set = true;
	return 0;
}

/* The base image's arguments belong to its own entry point. */
static int apply_entrypoint(struct stage *s, const struct df_instruction *in, struct err *err)
{
	(void)err;
	put(stage_config(s), "Entrypoint", command(s, in));
	if (!s->cmd_set)
		json_remove(stage_config(s), "Cmd");
	return 0;
}

static void set_env(struct json *config, const char *name, const char *value)
{
	auto_free char *entry = xasprintf("%s=%s", name, value);
	struct json *list = json_array();
	size_t n = strlen(name) + 1;
	bool placed = false;

	for (const struct json *c = json_first(json_get(config, "Env")); c; c = json_next(c)) {
		bool same = json_string(c) && strncmp(json_string(c), entry, n) == 0;

		json_add_str(list, NULL, same ? entry : json_string(c));
		placed |= same;
	}
	if (!placed)
		json_add_str(list, NULL, entry);
	put(config, "Env", list);
}

void config_env(struct stage *s, const char *name, const char *value)
{
	set_env(stage_config(s), name, value);
}

/* All values are expanded before the first one counts. */
static int apply_pairs(struct stage *s, const struct df_instruction *in, struct err *err)
{
	auto_strs struct strs keys = { 0 }, values = { 0 };

	for (size_t i = 0; i < in->n_pairs; i++) {
		auto_free char *key = NULL, *value = NULL;
		int r = stage_expand(s, in->pairs[i].key, false, &key, err);

		if (r == 0)
			r = stage_expand(s, in->pairs[i].value, false, &value, err);
		if (r < 0)
			return r;
		strs_add(&keys, key);
		strs_add(&values, value);
	}
	for (size_t i = 0; i < keys.n; i++) {
		if (in->op == DF_ENV)
			set_env(stage_config(s), keys.v[i], values.v[i]);
		else
			put(child(stage_config(s), "Labels", JSON_OBJECT), keys.v[i],
			    json_new_string(values.v[i]));
	}
	return 0;
}

static int apply_arg(struct stage *s, const struct df_instruction *in, struct err *err)
{
	for (size_t i = 0; i < in->n_pairs; i++) {
		const struct df_pair *p = &in->pairs[i];
		const char *given = kvs_get(&s->b->req->args, p->key);
		auto_free char *value = NULL;
		int r = 0;

		if (!given && p->value)
			r = stage_expand(s, p->value, false, &value, err);
		else if (!given)
			given = strs_value(&s->b->globals, p->key);
		if (r < 0)
			return r;
		if (given || value)
			strs_put(&s->args, p->key, given ? given : value);
	}
	return 0;
}

static void add_port(void *ports, const char *port)
{
	put(ports, port, json_object());
}

/* A variable may hold several. */
static int apply_expose(struct stage *s, const struct df_instruction *in, struct err *err)
{
	struct json *ports = child(stage_config(s), "ExposedPorts", JSON_OBJECT);
	int r = 0;

	for (size_t i = 0; r == 0 && i < in->n_words; i++) {
		auto_free char *text = NULL;
		char *save = NULL;

		r = stage_expand(s, in->words[i], false, &text, err);
		if (r < 0)
			return r;
		for (char *w = strtok_r(text, " \t", &save); r == 0 && w;
		     w = strtok_r(NULL, " \t", &save))
			r = df_ports(w, add_port, ports, err);
	}
	return r;
}

static int apply_volume(struct stage *s, const struct df_instruction *in, struct err *err)
{
	struct json *volumes = child(stage_config(s), "Volumes", JSON_OBJECT);

	for (size_t i = 0; i < in->n_words; i++) {
		auto_free char *word = NULL;
		int r = stage_expand(s, in->words[i], false, &word, err);

		if (r < 0)
			return r;
		if (!*word)
			return err_set(err, EINVAL, "a volume needs a path");
		put(volumes, word, json_object());
	}
	return 0;
}

static int apply_text(struct stage *s, const struct df_instruction *in, struct err *err)
{
	auto_free char *value = NULL;
	int sig, r = stage_expand(s, in->text, false, &value, err);

	if (r < 0)
		return r;
	if (in->op == DF_STOPSIGNAL && parse_signal(value, &sig) < 0)
		return err_set(err, EINVAL, "'%s' is not a signal", value);
	put_text(s, in->op == DF_USER ? "User" : "StopSignal", value);
	return 0;
}

static int apply_shell(struct stage *s, const struct df_instruction *in, struct err *err)
{
	(void)err;
	strs_clear(&s->shell);
	for (size_t i = 0; i < in->n_words; i++)
		strs_add(&s->shell, in->words[i]);
	put(stage_config(s), "Shell", words(in));
	return 0;
}

static int apply_maintainer(struct stage *s, const struct df_instruction *in, struct err *err)
{
	(void)err;
	put(s->config, "author", json_new_string(in->text));
	return 0;
}

static int apply_onbuild(struct stage *s, const struct df_instruction *in, struct err *err)
{
	if (in->trigger->n_docs)
		return err_set(err, EINVAL, "ONBUILD can't keep a heredoc");
	json_add_str(child(stage_config(s), "OnBuild", JSON_ARRAY), NULL, in->text);
	return 0;
}

static int apply_health(struct stage *s, const struct df_instruction *in, struct err *err)
{
	static const struct {
		const char *flag, *field;
		bool count;
	} flags[] = {
		{ "interval", "Interval", false },
		{ "timeout", "Timeout", false },
		{ "start-period", "StartPeriod", false },
		{ "start-interval", "StartInterval", false },
		{ "retries", "Retries", true },
	};
	struct json *h = json_object(), *test = json_add_array(h, "Test");

	put(stage_config(s), "Healthcheck", h);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		const char *text = df_flag(in, flags[i].flag);
		uint64_t v;

		if (!text)
			continue;
		if ((flags[i].count ? parse_u64(text, &v) : parse_duration_us(text, &v)) < 0)
			return err_set(err, EINVAL, "--%s=%s is no %s", flags[i].flag, text,
				       flags[i].count ? "number" : "duration");
		json_add_int(h, flags[i].field, (int64_t)(flags[i].count ? v : v * 1000));
	}
	if (!in->exec) {
		bool none = strcmp(in->text, "NONE") == 0;

		json_add_str(test, NULL, none ? "NONE" : "CMD-SHELL");
		if (!none)
			json_add_str(test, NULL, in->text);
		return 0;
	}
	json_add_str(test, NULL, "CMD");
	for (size_t i = 0; i < in->n_words; i++)
		json_add_str(test, NULL, in->words[i]);
	return 0;
}

static int (*const appliers[DF_OPS])(struct stage *, const struct df_instruction *,
				     struct err *) = {
	[DF_ARG] = apply_arg,
	[DF_CMD] = apply_cmd,
	[DF_ENTRYPOINT] = apply_entrypoint,
	[DF_ENV] = apply_pairs,
	[DF_EXPOSE] = apply_expose,
	[DF_HEALTHCHECK] = apply_health,
	[DF_LABEL] = apply_pairs,
	[DF_MAINTAINER] = apply_maintainer,
	[DF_ONBUILD] = apply_onbuild,
	[DF_SHELL] = apply_shell,
	[DF_STOPSIGNAL] = apply_text,
	[DF_USER] = apply_text,
	[DF_VOLUME] = apply_volume,
};

bool config_step(enum df_op op)
{
	return appliers[op] != NULL;
}

int config_apply(struct stage *s, const struct df_instruction *in, struct err *err)
{
	int r = appliers[in->op](s, in, err);

	if (r == 0)
		config_history(s, in->source, true);
	return r;
}

void config_history(struct stage *s, const char *by, bool empty)
{
	struct json *h = json_add_object(child(s->config, "history", JSON_ARRAY), NULL);

	json_add_str(h, "created", s->created);
	json_add_str(h, "created_by", by);
	if (empty)
		json_add_bool(h, "empty_layer", true);
}

/* A layer may come twice; the list says so, as other tools expect it. */
int config_finish(struct stage *s, char **text, struct err *err)
{
	const struct build_request *req = s->b->req;
	struct json *root, *ids;

	if (s->layers.n > IMAGE_LAYERS_MAX)
		return err_set(err, E2BIG, "the image has %zu layers, more than %d", s->layers.n,
			       IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < req->labels.n; i++)
		put(child(stage_config(s), "Labels", JSON_OBJECT), req->labels.v[i].key,
		    json_new_string(req->labels.v[i].value ? req->labels.v[i].value : ""));
	put(s->config, "created", json_new_string(s->created));
	json_remove(s->config, "rootfs");
	root = json_add_object(s->config, "rootfs");
	json_add_str(root, "type", "layers");
	ids = json_add_array(root, "diff_ids");
	for (size_t i = 0; i < s->layers.n; i++) {
		auto_free char *id = xasprintf("sha256:%s", s->layers.v[i].diff);

		json_add_str(ids, NULL, id);
	}
	*text = json_print(s->config);
	return 0;
}
