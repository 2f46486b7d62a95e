/* print.c - `config` and its lists. */
#include "project.h"

#include <stdlib.h>
#include <string.h>

int compose_print_yaml(const struct project *p, struct sbuf *out, struct err *err)
{
	return yaml_print(p->tree, p->dollars, out, err);
}

static bool unsaid_in_json(const struct yaml_pair *p, const struct shape *child)
{
	return is_extension(p->key) ||
	       (child && child->zero == ZERO_NOT_JSON && is_zero(p->value, child));
}

static void drop_unsaid(struct yaml_node *n, const struct shape *s)
{
	if (yaml_is_scalar(n))
		return;
	for (size_t i = 0; i < n->m.n;) {
		const struct yaml_pair *p = &n->m.v[i];
		const struct shape *child = n->type == YAML_LIST ? s->item : shape_child(s, p->key);

		if (n->type == YAML_MAP && s->keys && unsaid_in_json(p, child)) {
			yaml_remove_at(n, i);
			continue;
		}
		if (child)
			drop_unsaid(p->value, child);
		i++;
	}
}

/* As JSON, Compose prints x-* of the top level only, no models there, and no zeros. */
void compose_print_json(const struct project *p, struct sbuf *out)
{
	auto_arena struct arena a = { 0 };
	struct yaml_node *tree = yaml_copy(&a, p->tree);

	for (size_t i = 0; i < tree->m.n; i++) {
		const struct shape *s = shape_child(&shape_project, tree->m.v[i].key);

		if (s && !is_extension(tree->m.v[i].key))
			drop_unsaid(tree->m.v[i].value, s);
	}
	yaml_remove(tree, "models");
	yaml_print_json(tree, p->dollars, 2, out);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct strs *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_text);
}

static void sort_unique(struct strs *l)
{
	size_t kept = 0;

	if (l->n == 0)
		return;
	sort(l);
	for (size_t i = 0; i < l->n; i++) {
		if (kept && strcmp(l->v[kept - 1], l->v[i]) == 0)
			free(l->v[i]);
		else
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
	l->v[kept] = NULL;
}

static void add_profiles(const struct service *v, size_t n, struct strs *out)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < v[i].profiles.n; k++)
			strs_add(out, v[i].profiles.v[k]);
}

void compose_names(const struct project *p, enum compose_list which, struct strs *out)
{
	static const char *const sections[] = { [COMPOSE_SERVICES] = "services",
						[COMPOSE_VOLUMES] = "volumes",
						[COMPOSE_NETWORKS] = "networks",
						[COMPOSE_MODELS] = "models" };
	const struct yaml_node *map;

	switch (which) {
	case COMPOSE_PROFILES:
		add_profiles(p->services, p->n_services, out);
		add_profiles(p->disabled, p->n_disabled, out);
		break;
	case COMPOSE_IMAGES: /* one per service */
		for (size_t i = 0; i < p->n_services; i++) {
			const struct service *s = &p->services[i];

			if (s->image)
				strs_add(out, s->image);
			else
				strs_addf(out, "%s%c%s", p->name, p->underscores ? '_' : '-',
					  s->name);
		}
		sort(out);
		return;
	default:
		map = yaml_get(p->tree, sections[which]);
		for (size_t i = 0; map && i < map->m.n; i++)
			strs_add(out, map->m.v[i].key);
		break;
	}
	sort_unique(out);
}

/* ---- config --variables */

static void add_variable(void *arg, const char *name, const char *op, const char *word)
{
	char kind = op[0] == ':' ? op[1] : op[0];

	strs_addf(arg, "%s\t%s\t%s\t%s", name, kind == '?' ? "true" : "false",
		  kind == '-' ? word : "", kind == '+' ? word : "");
}

static void walk(struct arena *a, const struct yaml_node *n, struct strs *out)
{
	if (n->type == YAML_STR)
		variables_of(a, n->s, add_variable, out);
	if (!yaml_is_scalar(n))
		for (size_t i = 0; i < n->m.n; i++)
			walk(a, n->m.v[i].value, out);
}

int compose_variables(const struct compose_options *opt, struct strs *out, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct load l = { .a = &a, .opt = opt };
	struct env env = { 0 }, dotenv = { .outer = &env };
	struct project_files pf = { 0 };
	int r;

	env_from_environ(&env, opt->environ);
	l.env = &dotenv;
	r = project_find(&l, &env, &dotenv, &pf, err);
	for (size_t i = 0; r == 0 && i < pf.n_files; i++) {
		struct yaml_docs docs = { 0 };

		r = load_documents(&l, &pf.files[i], &docs, err);
		for (size_t d = 0; r == 0 && d < docs.n; d++)
			if (docs.v[d])
				walk(&a, docs.v[d], out);
	}
	map_clear(&env.vars);
	map_clear(&dotenv.vars);
	sort_unique(out);
	return r;
}
