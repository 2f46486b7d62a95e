/* support.c - what the runtime does with each key: the check before `up`, and the page about it. */
#include "support.h"
#include "decode.h"

#include <stdlib.h>
#include <string.h>

void support_refuse(struct unsupported *u, const struct yaml_node *n, const char *name,
		    const char *why)
{
	u->n++;
	if (u->text.len)
		sbuf_addc(&u->text, '\n');
	if (n->file && n->line)
		sbuf_addf(&u->text, "%s:%u:%u: ", n->file, n->line, n->col);
	sbuf_addf(&u->text, "%s: %s", name, why);
}

/* null, false, "" and empty sections ask for nothing. */
static bool asks_nothing(const struct yaml_node *n)
{
	switch (n->type) {
	case YAML_NULL:
		return true;
	case YAML_BOOL:
		return !n->b;
	case YAML_STR:
		return !*n->s;
	case YAML_LIST:
	case YAML_MAP:
		return n->m.n == 0;
	default:
		return false;
	}
}

static void visit(struct unsupported *u, const struct yaml_node *n, const struct shape *shape,
		  const struct at *at)
{
	if (!shape || yaml_is_scalar(n))
		return;
	for (size_t i = 0; i < n->m.n; i++) {
		const struct yaml_pair *p = &n->m.v[i];
		struct at here = { at, p->key, i };
		const struct shape *child = n->type == YAML_LIST ? shape->item : shape->value;
		auto_arena struct arena a = { 0 };
		const struct key *k = shape->keys;
		const char *why = NULL;

		if (n->type == YAML_MAP && k) {
			while (k->name && strcmp(k->name, p->key) != 0)
				k++;
			if (!k->name || (asks_nothing(p->value) && (p->value->type == YAML_NULL ||
								    k->shape->zero != ZERO_KEPT)))
				continue;
			if (k->support == NOT_YET)
				why = "not supported yet";
			if (k->refuse && k->refuse(p->value))
				why = k->refuse(p->value);
			if (why || k->support == LOADS || k->support == IGNORED) {
				if (why)
					support_refuse(u, p->value, at_name(&a, &here), why);
				continue;
			}
			child = k->shape;
		}
		visit(u, p->value, child, &here);
	}
}

/* How many containers have the volume. */
static unsigned users_of(const struct project *p, const char *volume)
{
	const struct yaml_node *services = yaml_get(p->tree, "services");
	unsigned n = 0;

	for (size_t i = 0; services && i < services->m.n; i++) {
		const struct yaml_node *list = yaml_get(services->m.v[i].value, "volumes");
		const struct service *s = project_service(p, services->m.v[i].key);

		for (size_t k = 0; list && k < list->m.n; k++)
			if (str_eq(yaml_str(yaml_get(list->m.v[k].value, "source")), volume))
				n += s ? s->scale : 1;
	}
	return n;
}

/* Each container gets one of its own, so it can't carry what one says to another. */
static void check_shared_tmpfs(struct unsupported *u, const struct project *p)
{
	const struct yaml_node *volumes = yaml_get(p->tree, "volumes");

	for (size_t i = 0; volumes && i < volumes->m.n; i++) {
		const struct yaml_node *opts = yaml_get(volumes->m.v[i].value, "driver_opts");
		auto_free char *name = xasprintf("volumes.%s.driver_opts", volumes->m.v[i].key);

		if (str_eq(yaml_str(yaml_get(opts, "type")), "tmpfs") &&
		    users_of(p, volumes->m.v[i].key) > 1)
			support_refuse(
				u, opts, name,
				"a tmpfs that several containers share is not supported yet");
	}
}

/* A step that would run what the service itself runs has no end. */
static void check_steps(struct unsupported *u, const struct project *p)
{
	const struct yaml_node *services = yaml_get(p->tree, "services");

	for (size_t i = 0; services && i < services->m.n; i++) {
		const struct yaml_node *s = services->m.v[i].value;
		const struct yaml_node *steps = yaml_get(s, "pre_start");
		const char *image = yaml_str(yaml_get(s, "image"));
		auto_free char *name = xasprintf("services.%s.pre_start", services->m.v[i].key);

		for (size_t k = 0; steps && k < steps->m.n; k++) {
			const struct yaml_node *step = steps->m.v[k].value;
			const char *own = yaml_str(yaml_get(step, "image"));

			if (!yaml_get(step, "command") && (!own || str_eq(own, image)))
				support_refuse(u, step, name,
					       "a step has a command, or an image of its own");
		}
	}
}

/* Whoever is in the network of the host, or in none, is in no other. */
static void check_builtin(struct unsupported *u, const struct project *p)
{
	const struct yaml_node *services = yaml_get(p->tree, "services");

	for (size_t i = 0; services && i < services->m.n; i++) {
		const struct yaml_node *nets = yaml_get(services->m.v[i].value, "networks");
		auto_free char *name = xasprintf("services.%s.networks", services->m.v[i].key);

		for (size_t k = 0; nets && nets->type == YAML_MAP && nets->m.n > 1 && k < nets->m.n;
		     k++)
			if (decode_builtin_network(p->tree, nets->m.v[k].key))
				support_refuse(u, nets->m.v[k].value, name,
					       "who has the network host or none has no other");
	}
}

static const char *swap_problem(const struct service *s)
{
	if (s->memswap_limit > 0 && !s->mem_limit)
		return "it is memory and swap together: mem_limit has to be given with it";
	return s->memswap_limit > 0 && (uint64_t)s->memswap_limit < s->mem_limit
		       ? "it is memory and swap together, and less than mem_limit"
		       : NULL;
}

/* What keys say of each other. */
static void check_memory(struct unsupported *u, const struct project *p)
{
	for (size_t i = 0; i < p->n_services; i++) {
		const struct service *s = &p->services[i];
		const struct yaml_node *swap = compose_section(p, s->name, "memswap_limit");
		const struct yaml_node *swappiness = compose_section(p, s->name, "mem_swappiness");
		auto_free char *at_swap = xasprintf("services.%s.memswap_limit", s->name);
		auto_free char *at = xasprintf("services.%s.mem_swappiness", s->name);

		if (swap && swap_problem(s))
			support_refuse(u, swap, at_swap, swap_problem(s));
		if (swappiness && s->mem_swappiness > 100)
			support_refuse(u, swappiness, at, "it is 0 to 100");
	}
}

int compose_check_supported(const struct project *p, struct err *err)
{
	struct unsupported u = { SBUF_INIT, 0 };
	int r = 0;

	visit(&u, p->tree, &shape_project, NULL);
	check_shared_tmpfs(&u, p);
	check_memory(&u, p);
	check_steps(&u, p);
	check_builtin(&u, p);
	support_check_requests(&u, p);
	if (u.n)
		r = err_set(err, -ENOTSUP, "%s", sbuf_str(&u.text));
	sbuf_clear(&u.text);
	return r;
}

/* ---- What the machine has */
/* Those have none unless they ask for one: as Docker does. */
static bool without_label(const struct service *s)
{
	return s->privileged || str_eq(s->pid, "host") || str_eq(s->ipc, "host");
}

static void check_labels(struct unsupported *u, const struct project *p, const struct service *s,
			 const struct compose_host *host)
{
	const struct yaml_node *options = compose_section(p, s->name, "security_opt");
	auto_free char *all = xasprintf("services.%s.security_opt", s->name);
	const char **labels = xcalloc((options ? options->m.n : 0) + 1, sizeof(*labels));
	auto_err struct err why = ERR_INIT;
	size_t n = 0;

	/* One more each time, so that the one that is wrong is named. */
	for (size_t i = 0; options && !why.code && i < options->m.n; i++) {
		auto_free char *at = xasprintf("%s[%zu]", all, i);
		const char *o = yaml_str(options->m.v[i].value);

		if (!o || !str_starts(o, "label"))
			continue;
		labels[n++] = o + strlen("label=");
		if (host->label(labels, n, false, &why) < 0)
			support_refuse(u, options->m.v[i].value, at, err_text(&why));
	}
	if (!why.code && s->no_new_privs && !(n == 0 && without_label(s)) &&
	    host->label(labels, n, true, &why) < 0)
		support_refuse(u, options, all, err_text(&why));
	free(labels);
}

/* z and Z: a label of containers is nothing where they have none. */
static void check_relabel(struct unsupported *u, const struct project *p, const struct service *s,
			  const struct compose_host *host)
{
	const struct yaml_node *volumes = compose_section(p, s->name, "volumes");

	for (size_t i = 0; volumes && i < volumes->m.n; i++) {
		const struct yaml_node *v = volumes->m.v[i].value;
		const struct yaml_node *selinux = yaml_get(yaml_get(v, "bind"), "selinux");
		const char *source = yaml_str(yaml_get(v, "source"));
		bool bind = str_eq(yaml_str(yaml_get(v, "type")), "bind");
		auto_free char *at = xasprintf("services.%s.volumes[%zu].bind.selinux", s->name, i);
		auto_err struct err why = ERR_INIT;

		if (selinux && host->relabel(bind ? source : NULL, &why) < 0)
			support_refuse(u, selinux, at, err_text(&why));
	}
}

static void check_parent(struct unsupported *u, const struct project *p, const struct service *s,
			 const struct compose_host *host)
{
	auto_free char *at = xasprintf("services.%s.cgroup_parent", s->name);
	auto_err struct err why = ERR_INIT;

	if (s->cgroup_parent && host->cgroup_parent(s->cgroup_parent, &why) < 0)
		support_refuse(u, compose_section(p, s->name, "cgroup_parent"), at, err_text(&why));
}

int compose_check_host(const struct project *p, const struct compose_host *host, struct err *err)
{
	struct unsupported u = { SBUF_INIT, 0 };
	int r = 0;

	for (size_t i = 0; i < p->n_services; i++) {
		const struct service *s = &p->services[i];
		auto_free char *at = xasprintf("services.%s.security_opt", s->name);
		auto_err struct err why = ERR_INIT;

		if (s->apparmor && host->apparmor(s->apparmor, &why) < 0)
			support_refuse(&u, compose_section(p, s->name, "security_opt"), at,
				       err_text(&why));
		check_parent(&u, p, s, host);
		if (host->label)
			check_labels(&u, p, s, host);
		if (host->relabel)
			check_relabel(&u, p, s, host);
	}
	support_check_devices(&u, p, host);
	if (u.n)
		r = err_set(err, -ENOTSUP, "%s", sbuf_str(&u.text));
	sbuf_clear(&u.text);
	return r;
}

/* ---- docs/COMPOSE_SUPPORT.md */

static const char *const levels[] = { [RUNS] = "yes",
				      [LOADS] = "yes, by the loader",
				      [IGNORED] = "accepted, no effect",
				      [NOT_YET] = "refused by `up`" };

static void table(struct sbuf *out, const char *title, const struct key *keys)
{
	sbuf_addf(out, "\n## %s\n\n| key | supported | remark |\n|---|---|---|\n", title);
	for (const struct key *k = keys; k->name; k++)
		sbuf_addf(out, "| `%s` | %s | %s |\n", k->name, levels[k->support],
			  k->note ? k->note : "");
}

void compose_support_page(struct sbuf *out)
{
	sbuf_adds(
		out,
		"# Compose keys\n\n"
		"Made from the loader's table of keys. `config` reads, merges and prints all of "
		"them; this\npage says what the runtime does with each. A key that is not carried "
		"out yet is never dropped\nsilently: `up` refuses it with file, line and column. "
		"Unknown keys are errors, `x-*` is allowed\neverywhere.\n");
	table(out, "Top level", project_keys);
	table(out, "services.*", service_keys);
	table(out, "services.*.build", build_keys);
	table(out, "services.*.healthcheck", healthcheck_keys);
	table(out, "services.*.post_start and pre_stop", hook_keys);
	table(out, "services.*.deploy", deploy_keys);
	table(out, "services.*.deploy.resources.limits", limit_keys);
	table(out, "services.*.deploy.resources.reservations", reservation_keys);
	table(out, "services.*.gpus[] and deploy.resources.reservations.devices[]", request_keys);
	table(out, "services.*.deploy.restart_policy", policy_keys);
	table(out, "services.*.networks.*", service_network_keys);
	table(out, "services.*.ports[]", port_keys);
	table(out, "services.*.volumes[]", mount_keys);
	table(out, "networks.*", network_keys);
	table(out, "volumes.*", volume_keys);
}
