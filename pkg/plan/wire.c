/* wire.c - a plan as JSON for the control socket, and back; see plan.h */
#include "private.h"

#include <ctrcompose/json.h>

#include <stdlib.h>
#include <string.h>

enum { ACTIONS_MAX = 200000 };

static const char *const op_names[PLAN_OPS] = {
	[PLAN_NETWORK_UP] = "network-up",
	[PLAN_NETWORK_DOWN] = "network-down",
	[PLAN_VOLUME_MAKE] = "volume-make",
	[PLAN_VOLUME_REMOVE] = "volume-remove",
	[PLAN_CREATE] = "create",
	[PLAN_START] = "start",
	[PLAN_STOP] = "stop",
	[PLAN_KILL] = "kill",
	[PLAN_PAUSE] = "pause",
	[PLAN_UNPAUSE] = "unpause",
	[PLAN_REMOVE] = "remove",
	[PLAN_KEEP] = "keep",
	[PLAN_WAIT] = "wait",
	[PLAN_SWAP] = "swap",
	[PLAN_SETTLE] = "settle",
};

/* ---- Out ------------------------------------------------------------------------------------- */

static void put_kvs(struct json *o, const char *key, const struct kvs *l)
{
	struct json *to = json_add_object(o, key);

	for (size_t i = 0; i < l->n; i++)
		json_add_str(to, l->v[i].key, l->v[i].value);
}

static void put_text(struct json *o, const char *key, const char *s)
{
	if (s)
		json_add_str(o, key, s);
}

static void put_network(struct json *to, const struct network *n)
{
	struct json *o = json_object();

	json_add_str(o, "key", n->key);
	json_add_str(o, "name", n->name);
	put_text(o, "driver", n->driver);
	put_text(o, "subnet", n->subnet);
	put_text(o, "gateway", n->gateway);
	put_text(o, "ip_range", n->ip_range);
	put_text(o, "subnet6", n->subnet6);
	put_text(o, "gateway6", n->gateway6);
	json_add_bool(o, "external", n->external);
	json_add_bool(o, "internal", n->internal);
	json_add_bool(o, "ipv6", n->enable_ipv6);
	put_kvs(o, "labels", &n->labels);
	put_kvs(o, "aux_addresses", &n->aux_addresses);
	put_kvs(o, "driver_opts", &n->driver_opts);
	json_add(to, NULL, o);
}

static void put_volume(struct json *to, const struct volume *v)
{
	struct json *o = json_object();

	json_add_str(o, "key", v->key);
	json_add_str(o, "name", v->name);
	put_text(o, "driver", v->driver);
	json_add_bool(o, "external", v->external);
	put_kvs(o, "labels", &v->labels);
	put_kvs(o, "driver_opts", &v->driver_opts);
	json_add(to, NULL, o);
}

static void put_action(struct json *to, const struct plan_action *a)
{
	struct json *o = json_object();
	struct json *after;

	json_add_str(o, "op", op_names[a->op]);
	json_add_str(o, "name", a->name);
	put_text(o, "service", a->service);
	put_text(o, "old", a->old);
	json_add_int(o, "number", a->number);
	json_add_bool(o, "oneoff", a->oneoff);
	json_add_bool(o, "use_aliases", a->use_aliases);
	put_text(o, "config", a->config_json);
	put_text(o, "hash", a->config_hash);
	json_add_int(o, "condition", (int)a->condition);
	json_add_bool(o, "required", a->required);
	json_add_bool(o, "final", a->final);
	json_add_int(o, "signal", a->signal);
	json_add_int(o, "grace_us", a->grace_us);
	json_add_bool(o, "for_boot", a->for_boot);
	put_text(o, "reason", a->reason);
	after = json_add_array(o, "after");
	for (size_t i = 0; i < a->n_after; i++)
		json_add_int(after, NULL, (int64_t)a->after[i]);
	json_add(to, NULL, o);
}

void plan_encode(const struct plan *p, struct sbuf *out)
{
	auto_json struct json *o = json_object();
	auto_free char *text = NULL;
	struct json *list;

	json_add_str(o, "op", "apply");
	json_add_str(o, "project", p->project);
	put_text(o, "working_dir", p->working_dir);
	list = json_add_array(o, "config_files");
	for (size_t i = 0; i < p->config_files.n; i++)
		json_add_str(list, NULL, p->config_files.v[i]);
	json_add_bool(o, "forget", p->forget);
	json_add_bool(o, "remove_volumes", p->remove_volumes);
	list = json_add_array(o, "networks");
	for (size_t i = 0; i < p->n_networks; i++)
		put_network(list, &p->networks[i]);
	list = json_add_array(o, "volumes");
	for (size_t i = 0; i < p->n_volumes; i++)
		put_volume(list, &p->volumes[i]);
	list = json_add_array(o, "actions");
	for (size_t i = 0; i < p->actions.n; i++)
		put_action(list, &p->actions.v[i]);
	text = json_print(o);
	sbuf_adds(out, text);
}

/* ---- In -------------------------------------------------------------------------------------- */

static const char *text(struct plan *p, const struct json *o, const char *key)
{
	const char *s = json_str(o, key, NULL);

	return s ? arena_strdup(&p->arena, s) : NULL;
}

static struct kvs kvs(struct plan *p, const struct json *o)
{
	struct kvs l = { .v = arena_array(&p->arena, json_count(o) + 1, sizeof(*l.v)) };

	for (const struct json *c = json_first(o); c; c = json_next(c)) {
		const char *value = json_string(c);

		l.v[l.n].key = arena_strdup(&p->arena, json_key(c) ? json_key(c) : "");
		l.v[l.n++].value = value ? arena_strdup(&p->arena, value) : NULL;
	}
	return l;
}

static int get_networks(struct plan *p, const struct json *list, struct err *err)
{
	struct network *v = arena_array(&p->arena, json_count(list) + 1, sizeof(*v));

	p->networks = v;
	for (const struct json *o = json_first(list); o; o = json_next(o)) {
		struct network *n = &v[p->n_networks++];

		n->key = text(p, o, "key");
		n->name = text(p, o, "name");
		if (!n->key || !n->name)
			return err_set(err, EPROTO, "a network of the plan has no name");
		n->driver = text(p, o, "driver");
		n->subnet = text(p, o, "subnet");
		n->gateway = text(p, o, "gateway");
		n->ip_range = text(p, o, "ip_range");
		n->subnet6 = text(p, o, "subnet6");
		n->gateway6 = text(p, o, "gateway6");
		n->external = json_bool(o, "external", false);
		n->internal = json_bool(o, "internal", false);
		n->enable_ipv6 = json_bool(o, "ipv6", false);
		n->labels = kvs(p, json_get(o, "labels"));
		n->aux_addresses = kvs(p, json_get(o, "aux_addresses"));
		n->driver_opts = kvs(p, json_get(o, "driver_opts"));
	}
	return 0;
}

static int get_volumes(struct plan *p, const struct json *list, struct err *err)
{
	struct volume *v = arena_array(&p->arena, json_count(list) + 1, sizeof(*v));

	p->volumes = v;
	for (const struct json *o = json_first(list); o; o = json_next(o)) {
		struct volume *n = &v[p->n_volumes++];

		n->key = text(p, o, "key");
		n->name = text(p, o, "name");
		if (!n->key || !n->name)
			return err_set(err, EPROTO, "a volume of the plan has no name");
		n->driver = text(p, o, "driver");
		n->external = json_bool(o, "external", false);
		n->labels = kvs(p, json_get(o, "labels"));
		n->driver_opts = kvs(p, json_get(o, "driver_opts"));
	}
	return 0;
}

static int get_action(struct plan *p, const struct json *o, struct err *err)
{
	const char *op = json_str(o, "op", "");
	size_t at = PLAN_NONE;
	struct plan_action *a;
	int64_t condition;

	for (int i = 0; i < PLAN_OPS; i++)
		if (strcmp(op_names[i], op) == 0)
			at = plan_add(p, (enum plan_op)i, text(p, o, "name"),
				      text(p, o, "service"));
	if (at == PLAN_NONE)
		return err_set(err, EPROTO, "the plan has an unknown action '%s'", op);
	a = &p->actions.v[at];
	condition = json_int(o, "condition", 0);
	if (!a->name || condition < DEP_STARTED || condition > DEP_COMPLETED ||
	    ((a->op == PLAN_SWAP || a->op == PLAN_SETTLE) && !json_str(o, "old", NULL)))
		return err_set(err, EPROTO, "action %zu of the plan is not complete", at);
	a->old = text(p, o, "old");
	a->number = (unsigned)json_int(o, "number", 0);
	a->oneoff = json_bool(o, "oneoff", false);
	a->use_aliases = json_bool(o, "use_aliases", false);
	a->config_json = text(p, o, "config");
	a->config_hash = text(p, o, "hash");
	a->condition = (enum dep_condition)condition;
	a->required = json_bool(o, "required", true);
	a->final = json_bool(o, "final", false);
	a->signal = (int)json_int(o, "signal", 0);
	a->grace_us = json_int(o, "grace_us", -1);
	a->for_boot = json_bool(o, "for_boot", false);
	a->reason = text(p, o, "reason");
	for (const struct json *c = json_first(json_get(o, "after")); c; c = json_next(c)) {
		int64_t before = json_integer(c, -1);

		if (before < 0 || (uint64_t)before >= ACTIONS_MAX)
			return err_set(err, EPROTO, "action %zu waits for an impossible one", at);
		plan_after(p, at, (size_t)before);
	}
	return 0;
}

int plan_decode(const char *frame, size_t len, struct plan **out, struct err *err)
{
	auto_json struct json *o = NULL;
	auto_plan struct plan *p = NULL;
	const struct json *list;
	size_t n = 0;
	int r = json_parse(frame, len, &o, err);

	if (r < 0)
		return r;
	p = plan_new(json_str(o, "project", ""));
	p->working_dir = text(p, o, "working_dir");
	p->forget = json_bool(o, "forget", false);
	p->remove_volumes = json_bool(o, "remove_volumes", false);
	list = json_get(o, "config_files");
	p->config_files.v = arena_array(&p->arena, json_count(list) + 1, sizeof(char *));
	for (const struct json *c = json_first(list); c; c = json_next(c))
		if (json_string(c))
			p->config_files.v[p->config_files.n++] =
				arena_strdup(&p->arena, json_string(c));
	r = get_networks(p, json_get(o, "networks"), err);
	if (r == 0)
		r = get_volumes(p, json_get(o, "volumes"), err);
	for (const struct json *c = json_first(json_get(o, "actions")); r == 0 && c;
	     c = json_next(c)) {
		if (++n > ACTIONS_MAX)
			return err_set(err, E2BIG, "the plan has too many actions");
		r = get_action(p, c, err);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->actions.n; i++)
		for (size_t k = 0; k < p->actions.v[i].n_after; k++)
			if (p->actions.v[i].after[k] >= p->actions.n)
				return err_set(err, EPROTO,
					       "action %zu waits for one that is not there", i);
	*out = steal(p);
	return 0;
}
