/* bake.c - build --print: what would be built, in the words of `docker buildx bake`; pure */
#include "images/building.h"

#include <ctrcompose/dockerfile.h>
#include <ctrcompose/json.h>
#include <ctrcompose/yaml.h>
#include <string.h>

static void add_text(struct json *o, const char *key, const char *text)
{
	if (text && *text)
		json_add_str(o, key, text);
}

/* "${" would be a variable of the bake file. */
static void add_plain(struct json *o, const char *key, const char *text)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	for (const char *s = text ? text : ""; *s; s++) {
		if (s[0] == '$' && s[1] == '{')
			sbuf_addc(&out, '$');
		sbuf_addc(&out, *s);
	}
	json_add_str(o, key, sbuf_str(&out));
}

static void add_pairs(struct json *o, const char *key, const struct kvs *l)
{
	struct json *map = l->n ? json_add_object(o, key) : NULL;

	for (size_t i = 0; i < l->n; i++)
		add_plain(map, l->v[i].key, l->v[i].value);
}

/* A list of the file, as it stands. */
static void add_list(struct json *o, struct arena *a, const char *key, const struct yaml_node *n)
{
	struct json *list = n && n->type == YAML_LIST && n->m.n ? json_add_array(o, key) : NULL;

	for (size_t i = 0; list && i < n->m.n; i++)
		json_add_str(list, NULL, yaml_text(a, n->m.v[i].value));
}

static void add_secrets(struct json *o, const struct project *p, const struct yaml_node *n)
{
	struct json *list =
		n && n->type == YAML_LIST && n->m.n ? json_add_array(o, "secret") : NULL;

	for (size_t i = 0; list && i < n->m.n; i++) {
		struct secret_source src = build_secret_source(p, n->m.v[i].value);
		auto_free char *text =
			src.file ? xasprintf("id=%s,type=file,src=%s", src.id, src.file)
				 : xasprintf("id=%s,type=env,env=%s", src.id,
					     src.env ? src.env : "");

		json_add_str(list, NULL, text);
	}
}

static void add_ulimits(struct json *o, struct arena *a, const struct yaml_node *n)
{
	struct json *list =
		n && n->type == YAML_MAP && n->m.n ? json_add_array(o, "ulimits") : NULL;

	for (size_t i = 0; list && i < n->m.n; i++) {
		const struct yaml_node *v = n->m.v[i].value;
		bool both = v->type == YAML_MAP;
		const char *soft = yaml_text(a, both ? yaml_get(v, "soft") : v);
		const char *hard = yaml_text(a, both ? yaml_get(v, "hard") : v);
		auto_free char *text =
			xasprintf("%s=%s:%s", n->m.v[i].key, soft ? soft : "0", hard ? hard : "0");

		json_add_str(list, NULL, text);
	}
}

static void add_agents(struct json *o, const struct kvs *l)
{
	struct json *list = l->n ? json_add_array(o, "ssh") : NULL;

	for (size_t i = 0; i < l->n; i++) {
		const char *path = l->v[i].value;
		auto_free char *text =
			xasprintf("%s%s%s", l->v[i].key, path ? "=" : "", path ? path : "");

		json_add_str(list, NULL, text);
	}
}

static void add_tags(struct json *o, const struct build_request *req)
{
	struct json *list = json_add_array(o, "tags");

	/* The service's own name is the last one in a request. */
	for (size_t i = req->tags.n; i-- > 0;)
		json_add_str(list, NULL, req->tags.v[i]);
}

/* Images of other services are targets of this file. */
static void add_contexts(struct json *o, const struct build_request *req, const struct yaml_node *n)
{
	struct json *map = req->contexts.n ? json_add_object(o, "contexts") : NULL;

	for (size_t i = 0; i < req->contexts.n; i++) {
		const struct kv *kv = &req->contexts.v[i];
		const char *written = yaml_str(yaml_get(n, kv->key));
		auto_free char *target =
			written && str_starts(written, "service:")
				? xasprintf("target:%s", written + strlen("service:"))
				: NULL;

		json_add_str(map, kv->key, target ? target : kv->value);
	}
}

static void add_target(struct json *o, struct arena *a, const struct project *p,
		       const struct build_request *req, bool push)
{
	const struct yaml_node *n = compose_section(p, req->name, "build");
	const char *name = req->dockerfile ? req->dockerfile : "Dockerfile";
	auto_free char *file =
		req->inline_text ? NULL
		: *name == '/' || df_is_git(req->context) || strstr(req->context, "://")
			? xstrdup(name)
			: path_join(req->context, name);
	bool named = compose_section(p, req->name, "image") != NULL;

	json_add_str(o, "context", req->context);
	add_contexts(o, req, yaml_get(n, "additional_contexts"));
	add_text(o, "dockerfile", file);
	if (req->inline_text)
		add_plain(o, "dockerfile-inline", req->inline_text);
	add_pairs(o, "args", &req->args);
	add_pairs(o, "labels", &req->labels);
	add_tags(o, req);
	add_list(o, a, "cache-from", yaml_get(n, "cache_from"));
	add_list(o, a, "cache-to", yaml_get(n, "cache_to"));
	add_text(o, "target", req->target);
	add_secrets(o, p, yaml_get(n, "secrets"));
	add_agents(o, &req->ssh);
	add_list(o, a, "platforms", yaml_get(n, "platforms"));
	if (req->pull)
		json_add_bool(o, "pull", true);
	if (req->no_cache)
		json_add_bool(o, "no-cache", true);
	add_text(o, "network", req->network);
	add_list(o, a, "no-cache-filter", yaml_get(n, "no_cache_filter"));
	if (req->shm_size)
		json_add_int(o, "shm-size", (int64_t)req->shm_size);
	add_ulimits(o, a, yaml_get(n, "ulimits"));
	add_list(o, a, "entitlements", yaml_get(n, "entitlements"));
	add_pairs(o, "extra-hosts", &req->extra_hosts);
	json_add_str(json_add_array(o, "output"), NULL,
		     push && named ? "type=image,push=true" : "type=docker");
}

/* Dots are not allowed in names of bake's targets. */
static char *target_name(const char *service)
{
	char *name = xstrdup(service);

	for (char *s = name; *s; s++)
		if (*s == '.')
			*s = '_';
	return name;
}

void build_print(const struct project *p, const struct build_requests *rq, bool push,
		 struct sbuf *out)
{
	auto_json struct json *whole = json_object();
	auto_arena struct arena a = { 0 };
	struct json *group = json_add_object(json_add_object(whole, "group"), "default");
	struct json *names = json_add_array(group, "targets");
	struct json *targets = json_add_object(whole, "target");
	auto_free char *text = NULL;

	for (size_t i = 0; i < rq->n; i++) {
		auto_free char *name = target_name(rq->v[i].name);

		json_add_str(names, NULL, name);
		add_target(json_add_object(targets, name), &a, p, &rq->v[i], push);
	}
	text = json_print_pretty(whole);
	sbuf_addf(out, "%s\n", text);
}
