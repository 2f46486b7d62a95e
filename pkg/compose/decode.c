/* decode.c - canonical values to the fields of model.h: what a single value becomes. */
#include "decode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void decode_keys(struct decode *d, const struct key *keys, const struct yaml_node *map, void *out)
{
	if (!map || map->type != YAML_MAP)
		return;
	for (const struct key *k = keys; k->name; k++) {
		const struct yaml_node *v = k->decode ? yaml_get(map, k->name) : NULL;

		if (v && v->type != YAML_NULL)
			k->decode(d, v, (char *)out + k->offset);
	}
}

void dec_str(struct decode *d, const struct yaml_node *v, void *field)
{
	const char *s = yaml_text(d->a, v);

	*(const char **)field = s && *s ? s : NULL;
}

void dec_bool(struct decode *d, const struct yaml_node *v, void *field)
{
	(void)d;
	*(bool *)field = v->type == YAML_BOOL && v->b;
}

void dec_list(struct decode *d, const struct yaml_node *v, void *field)
{
	struct list *out = field;
	const char **items;

	if (v->type != YAML_LIST)
		return;
	items = arena_array(d->a, v->m.n + 1, sizeof(*items));
	out->n = 0;
	for (size_t i = 0; i < v->m.n; i++) {
		const char *s = yaml_text(d->a, v->m.v[i].value);

		if (s)
			items[out->n++] = s;
	}
	out->v = items;
}

void dec_words(struct decode *d, const struct yaml_node *v, void *field)
{
	struct words *out = field;

	out->set = true;
	dec_list(d, v, &out->list);
}

void dec_kvs(struct decode *d, const struct yaml_node *v, void *field)
{
	struct kvs *out = field;

	if (v->type != YAML_MAP)
		return;
	out->v = arena_array(d->a, v->m.n + 1, sizeof(*out->v));
	for (size_t i = 0; i < v->m.n; i++) {
		const struct yaml_pair *p = &v->m.v[i];

		out->v[i] = (struct kv){ p->key, p->value->type == YAML_NULL
							 ? NULL
							 : yaml_text(d->a, p->value) };
	}
	out->n = v->m.n;
}

/* "name=address" lines; the same name may come twice. */
void dec_hosts(struct decode *d, const struct yaml_node *v, void *field)
{
	struct kvs *out = field;

	if (v->type != YAML_LIST)
		return;
	out->v = arena_array(d->a, v->m.n + 1, sizeof(*out->v));
	for (size_t i = 0; i < v->m.n; i++) {
		const char *s = yaml_str(v->m.v[i].value), *eq = s ? strchr(s, '=') : NULL;

		if (eq)
			out->v[out->n++] =
				(struct kv){ arena_strndup(d->a, s, (size_t)(eq - s)), eq + 1 };
	}
}

static int64_t int_value(const struct yaml_node *v)
{
	if (v->type == YAML_INT)
		return v->i;
	if (v->type == YAML_FLOAT && fabs(v->f) < 9e18)
		return (int64_t)v->f;
	return v->type == YAML_STR ? strtoll(v->s, NULL, 10) : 0;
}

void dec_sbytes(struct decode *d, const struct yaml_node *v, void *field)
{
	(void)d;
	*(int64_t *)field = int_value(v);
}

void dec_bytes(struct decode *d, const struct yaml_node *v, void *field)
{
	int64_t n = int_value(v);

	(void)d;
	*(uint64_t *)field = n > 0 ? (uint64_t)n : 0;
}

void dec_u64(struct decode *d, const struct yaml_node *v, void *field)
{
	dec_bytes(d, v, field);
}

void dec_i64(struct decode *d, const struct yaml_node *v, void *field)
{
	dec_sbytes(d, v, field);
}

void dec_int(struct decode *d, const struct yaml_node *v, void *field)
{
	int64_t n = int_value(v);

	(void)d;
	*(int *)field = n > INT32_MAX ? INT32_MAX : n < INT32_MIN ? INT32_MIN : (int)n;
}

void dec_unsigned(struct decode *d, const struct yaml_node *v, void *field)
{
	int64_t n = int_value(v);

	(void)d;
	*(unsigned *)field = n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : (unsigned)n;
}

void dec_cpus(struct decode *d, const struct yaml_node *v, void *field)
{
	double f = v->type == YAML_FLOAT ? v->f : (double)int_value(v);

	(void)d;
	*(uint64_t *)field = f > 0 && f < 1e6 ? (uint64_t)llround(f * 1e9) : 0;
}

void dec_duration_us(struct decode *d, const struct yaml_node *v, void *field)
{
	int64_t ns = 0;

	(void)d;
	if (v->type == YAML_STR && duration_of(v->s, &ns) == 0)
		*(uint64_t *)field = ns > 0 ? (uint64_t)ns / 1000 : 0;
}

void dec_rt_us(struct decode *d, const struct yaml_node *v, void *field)
{
	if (v->type != YAML_STR || parse_u64(v->s, field) < 0)
		dec_duration_us(d, v, field);
}

void dec_signal(struct decode *d, const struct yaml_node *v, void *field)
{
	int sig;

	(void)d;
	if (v->type == YAML_STR && parse_signal(v->s, &sig) == 0)
		*(int *)field = sig;
}

void dec_health_test(struct decode *d, const struct yaml_node *v, void *field)
{
	struct healthcheck *h = field;

	dec_list(d, v, &h->test);
	if (h->test.n && strcmp(h->test.v[0], "NONE") == 0)
		h->disable = true;
}

void dec_hooks(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service_hooks *out = field;

	if (v->type != YAML_LIST)
		return;
	out->v = arena_array(d->a, v->m.n + 1, sizeof(*out->v));
	for (size_t i = 0; i < v->m.n; i++)
		decode_keys(d, hook_keys, v->m.v[i].value, &out->v[out->n++]);
}

void dec_health(struct decode *d, const struct yaml_node *v, void *field)
{
	struct healthcheck *h = field;

	h->set = true;
	decode_keys(d, healthcheck_keys, v, h);
}

/* ---- Whole sections of a service */

void dec_restart(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;
	const char *text = yaml_str(v);
	uint64_t max;

	(void)d;
	if (!text)
		return;
	if (strcmp(text, "always") == 0) {
		s->restart = RESTART_ALWAYS;
	} else if (strcmp(text, "unless-stopped") == 0) {
		s->restart = RESTART_UNLESS_STOPPED;
	} else if (str_starts(text, "on-failure")) {
		s->restart = RESTART_ON_FAILURE;
		if (text[10] == ':' && parse_u64(text + 11, &max) == 0 && max <= INT32_MAX)
			s->restart_max = (unsigned)max;
	}
}

void dec_policy_condition(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;
	const char *text = yaml_str(v);

	(void)d;
	s->restart = str_eq(text, "none")         ? RESTART_NO
		     : str_eq(text, "on-failure") ? RESTART_ON_FAILURE
						  : RESTART_ALWAYS;
}

void dec_policy_attempts(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;

	dec_unsigned(d, v, &s->restart_max);
}

void dec_deps(struct decode *d, const struct yaml_node *v, void *field)
{
	static const struct {
		const char *name;
		enum dep_condition condition;
	} conditions[] = { { "service_started", DEP_STARTED },
			   { "service_healthy", DEP_HEALTHY },
			   { "service_completed_successfully", DEP_COMPLETED } };
	struct service *s = field;

	if (v->type != YAML_MAP)
		return;
	s->deps = arena_array(d->a, v->m.n + 1, sizeof(*s->deps));
	for (size_t i = 0; i < v->m.n; i++) {
		const struct yaml_node *n = v->m.v[i].value;
		const char *text = yaml_str(yaml_get(n, "condition"));
		struct service_dep *dep = &s->deps[s->n_deps];

		/* an optional one that a profile switched off */
		if (d->tree && !yaml_get(yaml_get(d->tree, "services"), v->m.v[i].key))
			continue;
		dep->service = v->m.v[i].key;
		for (size_t k = 0; k < ARRAY_LEN(conditions); k++)
			if (str_eq(text, conditions[k].name))
				dep->condition = conditions[k].condition;
		dep->required = true;
		if (yaml_get(n, "required"))
			dec_bool(d, yaml_get(n, "required"), &dep->required);
		if (yaml_get(n, "restart"))
			dec_bool(d, yaml_get(n, "restart"), &dep->restart);
		s->n_deps++;
	}
}

void dec_ports(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;

	if (v->type != YAML_LIST)
		return;
	s->ports = arena_array(d->a, v->m.n + 1, sizeof(*s->ports));
	for (size_t i = 0; i < v->m.n; i++) {
		const struct yaml_node *n = v->m.v[i].value, *f;
		struct service_port *p = &s->ports[s->n_ports++];
		unsigned lo = 0, hi = 0;
		char *dash;

		f = yaml_get(n, "published");
		if (f) {
			lo = (unsigned)strtoul(yaml_text(d->a, f), &dash, 10);
			hi = *dash == '-' ? (unsigned)strtoul(dash + 1, NULL, 10) : lo;
		}
		p->published_lo = (uint16_t)lo;
		p->published_hi = (uint16_t)hi;
		f = yaml_get(n, "target");
		p->target = f ? (uint16_t)int_value(f) : 0;
		f = yaml_get(n, "host_ip");
		p->host_ip = f && *yaml_text(d->a, f) ? yaml_text(d->a, f) : NULL;
		f = yaml_get(n, "protocol");
		p->protocol = f ? yaml_text(d->a, f) : "tcp";
		f = yaml_get(n, "mode");
		p->mode = f ? yaml_text(d->a, f) : "ingress";
		f = yaml_get(n, "name");
		p->name = f ? yaml_text(d->a, f) : NULL;
	}
}

static void dec_endpoint_opts(struct decode *d, const struct yaml_node *opts,
			      struct service_network *net)
{
	const struct yaml_node *f;

	if ((f = yaml_get(opts, ENDPOINT_IFNAME)))
		dec_str(d, f, &net->interface_name);
	if ((f = yaml_get(opts, ENDPOINT_SYSCTLS)))
		dec_str(d, f, &net->sysctls);
}

void dec_networks(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;

	if (v->type != YAML_MAP)
		return;
	s->networks = arena_array(d->a, v->m.n + 1, sizeof(*s->networks));
	for (size_t i = 0; i < v->m.n; i++) {
		const struct yaml_node *n = v->m.v[i].value, *f;
		struct service_network *net = &s->networks[s->n_networks++];

		net->network = v->m.v[i].key;
		if ((f = yaml_get(n, "aliases")))
			dec_list(d, f, &net->aliases);
		if ((f = yaml_get(n, "ipv4_address")))
			dec_str(d, f, &net->ipv4_address);
		if ((f = yaml_get(n, "ipv6_address")))
			dec_str(d, f, &net->ipv6_address);
		if ((f = yaml_get(n, "mac_address")))
			dec_str(d, f, &net->mac_address);
		if ((f = yaml_get(n, "priority")))
			dec_int(d, f, &net->priority);
		if ((f = yaml_get(n, "gw_priority")))
			dec_int(d, f, &net->gw_priority);
		if ((f = yaml_get(n, "link_local_ips")))
			dec_list(d, f, &net->link_local_ips);
		dec_endpoint_opts(d, yaml_get(n, "driver_opts"), net);
		if ((f = yaml_get(n, "interface_name")))
			dec_str(d, f, &net->interface_name);
	}
}

/* ---- deploy: the keys below it fill fields of the service */

void dec_deploy(struct decode *d, const struct yaml_node *v, void *field)
{
	decode_keys(d, deploy_keys, v, field);
}

void dec_resources(struct decode *d, const struct yaml_node *v, void *field)
{
	decode_keys(d, resource_keys, v, field);
}

void dec_limits(struct decode *d, const struct yaml_node *v, void *field)
{
	decode_keys(d, limit_keys, v, field);
}

void dec_reservations(struct decode *d, const struct yaml_node *v, void *field)
{
	decode_keys(d, reservation_keys, v, field);
}

void dec_restart_policy(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;

	s->restart = RESTART_ALWAYS; /* what an empty policy means */
	decode_keys(d, policy_keys, v, field);
}
