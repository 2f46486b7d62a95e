/* requests.c - devices by what they are: gpus, reserved devices, CDI names under devices. */
#include "decode.h"
#include "support.h"

#include <string.h>

static struct list texts(struct arena *a, const struct yaml_node *v, const char *first)
{
	size_t n = v && v->type == YAML_LIST ? v->m.n : 0;
	const char **items = arena_array(a, n + 2, sizeof(*items));
	struct list out = { items, 0 };

	if (first)
		items[out.n++] = first;
	for (size_t i = 0; i < n; i++) {
		const char *s = yaml_text(a, v->m.v[i].value);

		if (s && !(first && strcmp(s, first) == 0))
			items[out.n++] = s;
	}
	return out;
}

const char *device_cdi_name(const struct yaml_node *n)
{
	const char *source = yaml_str(yaml_get(n, "source"));
	const char *target = yaml_str(yaml_get(n, "target"));

	return source && cdi_qualified(source) && (!target || !*target || str_eq(source, target))
		       ? source
		       : NULL;
}

static struct service_request by_name(struct arena *a, const char *name)
{
	return (struct service_request){ .driver = "cdi", .ids = texts(a, NULL, name) };
}

/* Under gpus the capability is clear. */
static struct service_request by_kind(struct arena *a, const struct yaml_node *n, bool gpu)
{
	const struct yaml_node *count = yaml_get(n, "count");
	const struct yaml_node *driver = yaml_get(n, "driver");

	return (struct service_request){
		.driver = driver ? yaml_text(a, driver) : NULL,
		.count = count && count->type == YAML_INT ? count->i : -1,
		.ids = texts(a, yaml_get(n, "device_ids"), NULL),
		.capabilities = texts(a, yaml_get(n, "capabilities"), gpu ? "gpu" : NULL),
	};
}

/* ---- Into the struct --------------------------------------------------------------------------- */
void requests_add(struct decode *d, const struct yaml_node *list, enum request_form form,
		  struct service *s)
{
	struct service_request *v;

	if (list->type != YAML_LIST)
		return;
	v = arena_array(d->a, s->n_requests + list->m.n + 1, sizeof(*v));
	if (s->n_requests)
		memcpy(v, s->requests, s->n_requests * sizeof(*v));
	s->requests = v;
	for (size_t i = 0; i < list->m.n; i++) {
		const struct yaml_node *n = list->m.v[i].value;
		const char *name = form == REQUEST_NAME ? device_cdi_name(n) : NULL;

		if (name)
			v[s->n_requests++] = by_name(d->a, name);
		else if (form != REQUEST_NAME)
			v[s->n_requests++] = by_kind(d->a, n, form == REQUEST_GPU);
	}
}

void dec_gpus(struct decode *d, const struct yaml_node *v, void *field)
{
	requests_add(d, v, REQUEST_GPU, field);
}

void dec_reserved(struct decode *d, const struct yaml_node *v, void *field)
{
	requests_add(d, v, REQUEST_RESERVED, field);
}

struct cdi_request compose_cdi_request(const struct service_request *r)
{
	return (struct cdi_request){ .driver = r->driver,
				     .count = r->count,
				     .ids = r->ids.v,
				     .n_ids = r->ids.n,
				     .capabilities = r->capabilities.v,
				     .n_capabilities = r->capabilities.n };
}

/* ---- By place ---------------------------------------------------------------------------------- */
typedef void asked_fn(void *arg, const struct yaml_node *at, const char *name,
		      const struct cdi_request *r);

/* Each request of the enabled services with where it stands. */
static void each_asked(const struct project *p, asked_fn *fn, void *arg)
{
	for (size_t i = 0; i < p->n_services; i++) {
		const char *service = p->services[i].name;
		const struct yaml_node *deploy = compose_section(p, service, "deploy");
		const struct yaml_node *kept =
			yaml_get(yaml_get(deploy, "resources"), "reservations");
		const struct {
			const struct yaml_node *list;
			const char *key;
			enum request_form form;
		} places[] = {
			{ compose_section(p, service, "devices"), "devices", REQUEST_NAME },
			{ compose_section(p, service, "gpus"), "gpus", REQUEST_GPU },
			{ yaml_get(kept, "devices"), "deploy.resources.reservations.devices",
			  REQUEST_RESERVED },
		};

		for (size_t k = 0; k < ARRAY_LEN(places); k++) {
			const struct yaml_node *list = places[k].list;

			for (size_t m = 0; list && list->type == YAML_LIST && m < list->m.n; m++) {
				const struct yaml_node *n = list->m.v[m].value;
				auto_arena struct arena a = { 0 };
				const char *name = device_cdi_name(n);
				struct service_request s;
				struct cdi_request r;

				if (places[k].form == REQUEST_NAME && !name)
					continue;
				s = places[k].form == REQUEST_NAME
					    ? by_name(&a, name)
					    : by_kind(&a, n, places[k].form == REQUEST_GPU);
				r = compose_cdi_request(&s);
				fn(arg, n,
				   arena_printf(&a, "services.%s.%s[%zu]", service, places[k].key,
						m),
				   &r);
			}
		}
	}
}

static void check_alone(void *arg, const struct yaml_node *at, const char *name,
			const struct cdi_request *r)
{
	const char *why = cdi_request_problem(r);

	if (why)
		support_refuse(arg, at, name, why);
}

void support_check_requests(struct unsupported *u, const struct project *p)
{
	each_asked(p, check_alone, u);
}

struct with_host {
	struct unsupported *u;
	const struct compose_host *host;
};

static void check_there(void *arg, const struct yaml_node *at, const char *name,
			const struct cdi_request *r)
{
	const struct with_host *w = arg;
	const struct cdi *c = w->host->cdi();
	auto_strs struct strs names = { 0 };
	auto_cdi_edits struct cdi_edits edits = { 0 };
	auto_err struct err why = ERR_INIT;

	cdi_names(c, r, &names);
	if (cdi_resolve(c, &names, &edits, &why) < 0)
		support_refuse(w->u, at, name, err_text(&why));
}

void support_check_devices(struct unsupported *u, const struct project *p,
			   const struct compose_host *host)
{
	struct with_host w = { u, host };

	if (host->cdi)
		each_asked(p, check_there, &w);
}
