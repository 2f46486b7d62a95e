/* extends.c - services made from other services, in this file or in another one. */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

/* One service being resolved; the chain finds cycles. */
struct link {
	const struct link *up;
	const char *file, *service;
};

struct extend {
	struct load *l;
	const struct source *src; /* of `services` */
	struct yaml_node *services;
	const struct yaml_paths *marks;
	struct err *err;
};

static int resolve(struct extend *e, const char *name, const struct link *up,
		   struct yaml_node **out);

static int cycle(struct extend *e, const struct yaml_node *at, const struct link *chain)
{
	auto_sbuf struct sbuf b = SBUF_INIT;

	for (const struct link *k = chain; k; k = k->up)
		sbuf_addf(&b, "%s%s", b.len ? " <- " : "", k->service);
	return err_set(e->err, -EINVAL,
		       "%s:%u:%u: services.%s.extends: the services extend each "
		       "other: %s",
		       at->file, at->line, at->col, chain->service, sbuf_str(&b));
}

/* The services of another file; l->dir is that file's folder already. */
static int read_services(struct load *l, struct source *src, struct yaml_paths *marks,
			 struct yaml_node **services, struct err *err)
{
	struct yaml_docs docs = { 0 };
	struct yaml_node *tree = NULL;
	int r = load_documents(l, src, &docs, err);

	if (r < 0)
		return r == -ENOENT ? -EINVAL : r;
	for (size_t i = 0; i < docs.n; i++) {
		struct yaml_node *doc = docs.v[i];

		if (!doc || doc->type != YAML_MAP)
			continue;
		marks_collect(l, doc, marks);
		if (!l->opt->no_interpolate)
			interpolate_tree(l, l->env, doc, &shape_project);
		tree = tree ? merge_tree(l, tree, doc, &shape_any, NULL) : doc;
	}
	*services = yaml_get(tree, "services");
	return load_check(l, err);
}

static int other_file(struct extend *e, const struct yaml_node *ext, const char *path,
		      const char *service, const struct link *up, struct yaml_node **base)
{
	struct load *l = e->l;
	struct source src = { .path = path_absolute(l, path) };
	struct yaml_paths marks = { 0 };
	struct extend inner = { .l = l, .src = &src, .marks = &marks, .err = e->err };
	const char *dir = l->dir;
	auto_free char *new_dir = path_join(src.path, "..");
	auto_free char *clean = path_clean(new_dir);
	int r;

	src.shown = src.path;
	l->dir = arena_strdup(l->a, clean);
	r = read_services(l, &src, &marks, &inner.services, e->err);
	if (r < 0)
		err_wrap(e->err, r, "%s:%u:%u: services.%s.extends", ext->file, ext->line, ext->col,
			 up->service);
	else if (!inner.services || !yaml_get(inner.services, service))
		r = err_set(e->err, -EINVAL,
			    "%s:%u:%u: services.%s.extends: service '%s' not found in %s",
			    ext->file, ext->line, ext->col, up->service, service, src.shown);
	else
		r = resolve(&inner, service, up, base);
	l->dir = dir;
	return r;
}

/* *out: the canonical service `name` of e->services with all it extends merged below it. */
static int resolve(struct extend *e, const char *name, const struct link *up,
		   struct yaml_node **out)
{
	struct link here = { up, e->src->path, name };
	struct yaml_node *service = yaml_get(e->services, name), *base = NULL, *ext;
	struct at services = { NULL, "services", 0 }, at = { &services, name, 0 };
	const struct yaml_node *file, *of;
	int r;

	ext = service->type == YAML_MAP ? yaml_get(service, "extends") : NULL;
	for (const struct link *k = up; k; k = k->up)
		if (strcmp(k->file, here.file) == 0 && strcmp(k->service, name) == 0)
			return cycle(e, service, &here);
	check_tree(e->l, service, &shape_service);
	r = load_check(e->l, e->err);
	if (r < 0)
		return err_wrap(e->err, r, "services.%s", name);
	service = canon_tree(e->l, yaml_copy(e->l->a, service), &shape_service, &at);
	r = load_check(e->l, e->err);
	if (r < 0)
		return r;
	if (!ext) {
		*out = service;
		return 0;
	}
	ext = yaml_get(service, "extends");
	file = yaml_get(ext, "file");
	of = yaml_get(ext, "service");
	if (!of || of->type != YAML_STR)
		return err_set(e->err, -EINVAL,
			       "%s:%u:%u: services.%s.extends: 'service' is missing", ext->file,
			       ext->line, ext->col, name);
	if (file && file->type == YAML_STR) {
		r = other_file(e, ext, file->s, of->s, &here, &base);
	} else if (!yaml_get(e->services, of->s)) {
		return err_set(e->err, -EINVAL,
			       "%s:%u:%u: services.%s.extends: service '%s' not found in %s",
			       ext->file, ext->line, ext->col, name, of->s, e->src->shown);
	} else {
		r = resolve(e, of->s, &here, &base);
	}
	if (r < 0)
		return r;
	base = yaml_copy(e->l->a, base);
	marks_apply(e->marks, base, name);
	yaml_remove(service, "extends");
	*out = merge_tree(e->l, base, service, &shape_service, &at);
	return load_check(e->l, e->err);
}

int extends_apply(struct load *l, struct yaml_node *cfg, const struct source *src,
		  const struct yaml_paths *marks, struct err *err)
{
	struct yaml_node *services = yaml_get(cfg, "services");
	struct extend e = { .l = l, .src = src, .services = services, .marks = marks, .err = err };
	struct yaml_node **done;
	size_t n;
	int r = 0;

	if (!services || services->type != YAML_MAP)
		return 0;
	n = services->m.n;
	done = arena_array(l->a, n + 1, sizeof(*done));
	for (size_t i = 0; i < n && r == 0; i++)
		if (yaml_get(services->m.v[i].value, "extends"))
			r = resolve(&e, services->m.v[i].key, NULL, &done[i]);
	for (size_t i = 0; i < n && r == 0; i++)
		if (done[i])
			services->m.v[i].value = done[i];
	return r;
}
