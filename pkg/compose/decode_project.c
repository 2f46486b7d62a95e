/* decode_project.c - the canonical tree to struct project; a stored service back to its struct. */
#include "decode.h"

#include <ctrcompose/digest.h>
#include <ctrcompose/json.h>

#include <stdlib.h>
#include <string.h>

/* Changing these does not make a running container wrong. */
static const char *const not_hashed[] = { "build", "depends_on", "pull_policy", "profiles",
					  "scale", "attach",     "develop",     "extends" };

static void identify(struct arena *a, const struct yaml_node *n, struct service *s)
{
	auto_arena struct arena scratch = { 0 };
	auto_sbuf struct sbuf json = SBUF_INIT, b = SBUF_INIT;
	struct yaml_node *copy = yaml_copy(&scratch, n), *deploy;

	yaml_print_json(n, false, 0, &json);
	s->config_json = arena_strdup(a, sbuf_str(&json));
	for (size_t i = 0; i < ARRAY_LEN(not_hashed); i++)
		yaml_remove(copy, not_hashed[i]);
	deploy = yaml_get(copy, "deploy");
	if (deploy && deploy->type == YAML_MAP)
		yaml_remove(deploy, "replicas");
	yaml_print_json(copy, false, 0, &b);
	digest_text(sbuf_str(&b), b.len, s->config_hash);
}

/* Networks by priority, then by name; service-level mac_address belongs to the first one. */
static int by_priority(const void *a, const void *b)
{
	const struct service_network *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return strcmp(x->network, y->network);
}

static void decode_service(struct decode *d, const char *name, const struct yaml_node *node,
			   struct service *s);

static void decode_steps(struct decode *d, const struct yaml_node *node, struct service *s)
{
	const struct yaml_node *list = yaml_get(node, "pre_start"), *f;
	size_t n = list && list->type == YAML_LIST ? list->m.n : 0;

	if (!d->identify || !n)
		return; /* who reads a record wants the container as it was made */
	s->pre_start = arena_array(d->a, n, sizeof(*s->pre_start));
	s->n_pre_start = n;
	for (size_t i = 0; i < n; i++) {
		struct service_step *step = &s->pre_start[i];

		step->svc = arena_alloc(d->a, sizeof(*step->svc));
		decode_service(d, s->name, decode_step_service(d, node, list->m.v[i].value),
			       step->svc);
		if ((f = yaml_get(list->m.v[i].value, "per_replica")))
			dec_bool(d, f, &step->per_replica);
	}
}

static void decode_service(struct decode *d, const char *name, const struct yaml_node *node,
			   struct service *s)
{
	const struct yaml_node *mac = yaml_get(node, "mac_address");
	struct yaml_node *n = yaml_copy(d->a, node); /* `config` shows the file's own */

	s->name = name;
	s->scale = 1;
	s->attach = true;
	s->stop_grace_us = STOP_GRACE_DEFAULT_US;
	s->mem_swappiness = -1;
	if (d->tree) {
		decode_resolve_files(d, n);
		decode_resolve_places(d, n);
	}
	decode_keys(d, service_keys, n, s);
	if (s->n_networks > 1)
		qsort(s->networks, s->n_networks, sizeof(*s->networks), by_priority);
	if (s->n_networks && mac && !s->networks[0].mac_address)
		dec_str(d, mac, &s->networks[0].mac_address);
	if (d->identify)
		identify(d->a, n, s);
	decode_steps(d, node, s);
}

/* What is built without a name of its own is called after project and service. */
static const struct yaml_node *with_image(struct decode *d, const struct project *p,
					  const char *name, const struct yaml_node *n)
{
	struct yaml_node *copy;

	if (!yaml_get(n, "build") || yaml_get(n, "image"))
		return n;
	copy = yaml_copy(d->a, n);
	yaml_put(d->a, copy, "image",
		 yaml_new_str(
			 d->a,
			 arena_printf(d->a, "%s%c%s", p->name, p->underscores ? '_' : '-', name),
			 n));
	return copy;
}

static void decode_services(struct decode *d, const struct project *p, const struct yaml_node *map,
			    struct service **out, size_t *n_out)
{
	size_t n = map && map->type == YAML_MAP ? map->m.n : 0;

	*out = arena_array(d->a, n + 1, sizeof(**out));
	for (size_t i = 0; i < n; i++)
		decode_service(d, map->m.v[i].key,
			       with_image(d, p, map->m.v[i].key, map->m.v[i].value), &(*out)[i]);
	*n_out = n;
}

static int by_key(const void *a, const void *b)
{
	const struct network *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void add_reserved(struct decode *d, const struct yaml_node *v, struct network *net,
			 size_t *cap)
{
	for (size_t i = 0; v && v->type == YAML_MAP && i < v->m.n; i++)
		kvs_append(d->a, &net->aux_addresses, cap, v->m.v[i].key,
			   yaml_text(d->a, v->m.v[i].value));
}

void dec_ipam(struct decode *d, const struct yaml_node *v, void *field)
{
	struct network *net = field;
	const struct yaml_node *list = yaml_get(v, "config");
	size_t cap = 0;

	for (size_t i = 0; list && list->type == YAML_LIST && i < list->m.n; i++) {
		const struct yaml_node *c = list->m.v[i].value, *f;
		const char *subnet = yaml_str(yaml_get(c, "subnet"));
		bool six = subnet && strchr(subnet, ':');

		if (subnet && *subnet)
			*(six ? &net->subnet6 : &net->subnet) = subnet;
		if ((f = yaml_get(c, "gateway")))
			dec_str(d, f, six ? &net->gateway6 : &net->gateway);
		if ((f = yaml_get(c, "ip_range")))
			dec_str(d, f, &net->ip_range);
		add_reserved(d, yaml_get(c, "aux_addresses"), net, &cap);
	}
}

/* Only the typed project has it: `config` shows what the file says. */
static void add_default_network(struct decode *d, struct project *p)
{
	struct network *n = &p->networks[p->n_networks];

	for (size_t i = 0; i < p->n_networks; i++)
		if (strcmp(p->networks[i].key, "default") == 0)
			return;
	for (size_t i = 0; i < p->n_services; i++)
		if (p->services[i].n_networks &&
		    strcmp(p->services[i].networks[0].network, "default") == 0) {
			*n = (struct network){
				.key = "default",
				.driver = "bridge",
				.name = arena_printf(d->a, "%s_default", p->name),
			};
			p->n_networks++;
			qsort(p->networks, p->n_networks, sizeof(*n), by_key);
			return;
		}
}

static void decode_resources(struct decode *d, struct project *p)
{
	const struct yaml_node *nets = yaml_get(p->tree, "networks");
	const struct yaml_node *vols = yaml_get(p->tree, "volumes");

	p->n_networks = nets ? nets->m.n : 0;
	p->networks = arena_array(d->a, p->n_networks + 2, sizeof(*p->networks));
	for (size_t i = 0; i < p->n_networks; i++) {
		p->networks[i].key = nets->m.v[i].key;
		p->networks[i].driver = "bridge";
		decode_keys(d, network_keys, nets->m.v[i].value, &p->networks[i]);
		if (!p->networks[i].driver)
			p->networks[i].driver = "bridge";
		if (!p->networks[i].name)
			p->networks[i].name =
				arena_printf(d->a, "%s_%s", p->name, p->networks[i].key);
	}
	add_default_network(d, p);
	p->n_volumes = vols ? vols->m.n : 0;
	p->volumes = arena_array(d->a, p->n_volumes + 1, sizeof(*p->volumes));
	for (size_t i = 0; i < p->n_volumes; i++) {
		p->volumes[i].key = vols->m.v[i].key;
		p->volumes[i].driver = "local";
		decode_keys(d, volume_keys, vols->m.v[i].value, &p->volumes[i]);
		if (!p->volumes[i].driver)
			p->volumes[i].driver = "local";
		if (!p->volumes[i].name)
			p->volumes[i].name =
				arena_printf(d->a, "%s_%s", p->name, p->volumes[i].key);
	}
}

void decode_project(struct load *l, struct project *p, const struct yaml_node *disabled)
{
	struct decode d = { l->a, p->tree, l->env, l->dir, .identify = !l->opt->no_identity };
	struct decode off = { .a = l->a, .identify = d.identify };
	struct yaml_node *sorted = yaml_copy(l->a, disabled);

	yaml_sort(sorted);
	decode_services(&d, p, yaml_get(p->tree, "services"), &p->services, &p->n_services);
	decode_services(&off, p, sorted, &p->disabled, &p->n_disabled);
	decode_resources(&d, p);
}

/* ---- A stored service */

static struct yaml_node *from_json(struct arena *a, const struct json *j, unsigned depth)
{
	struct yaml_node *n = yaml_new(a, YAML_NULL, NULL);
	auto_free char *text = NULL;
	const struct json *c;

	switch (json_kind(j)) {
	case JSON_NULL:
		break;
	case JSON_BOOL:
		n->type = YAML_BOOL;
		text = json_print(j);
		n->b = strcmp(text, "true") == 0;
		break;
	case JSON_NUMBER:
		text = json_print(j);
		n->type = strpbrk(text, ".eE") ? YAML_FLOAT : YAML_INT;
		if (n->type == YAML_INT)
			n->i = strtoll(text, NULL, 10);
		else
			n->f = strtod(text, NULL);
		break;
	case JSON_STRING:
		n->type = YAML_STR;
		n->s = arena_strdup(a, json_string(j));
		break;
	case JSON_ARRAY:
		n->type = YAML_LIST;
		for (c = json_first(j); c && depth < YAML_DEPTH_MAX; c = json_next(c))
			yaml_add(a, n, from_json(a, c, depth + 1));
		break;
	case JSON_OBJECT:
		n->type = YAML_MAP;
		for (c = json_first(j); c && depth < YAML_DEPTH_MAX; c = json_next(c)) {
			yaml_add(a, n, from_json(a, c, depth + 1));
			n->m.v[n->m.n - 1].key = arena_strdup(a, json_key(c));
		}
		break;
	}
	return n;
}

int compose_service_from_json(struct arena *a, const char *name, const char *json,
			      struct service **out, struct err *err)
{
	auto_json struct json *j = NULL;
	struct decode d = { .a = a };
	struct service *s = arena_alloc(a, sizeof(*s));
	struct yaml_node *n;
	int r = json_parse(json, strlen(json), &j, err);

	if (r < 0)
		return err_wrap(err, r, "stored service '%s'", name);
	n = from_json(a, j, 0);
	if (n->type != YAML_MAP)
		return err_set(err, -EBADMSG, "stored service '%s': not an object", name);
	decode_service(&d, arena_strdup(a, name), n, s);
	*out = s;
	return 0;
}
