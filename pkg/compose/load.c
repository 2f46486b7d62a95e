/* load.c - from files to the canonical tree, and the road of a whole load. */
#include "loader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "project.h"

#define FILE_MAX (16U << 20)

void compose_diags_clear(struct compose_diags *d)
{
	strs_clear(&d->warnings);
}

static int read_stdin(struct load *l, struct source *src, struct err *err)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	char buf[8192];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read standard input");
		sbuf_add(&b, buf, (size_t)n);
		if (b.len > FILE_MAX)
			return err_set(err, -EFBIG, "standard input: more than 16 MiB");
	}
	src->len = b.len;
	src->text = arena_strndup(l->a, sbuf_str(&b), b.len);
	return 0;
}

int load_source(struct load *l, struct source *src, struct err *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	char *copy;
	int r;

	if (src->text)
		return 0;
	if (strcmp(src->path, "-") == 0)
		return read_stdin(l, src, err);
	r = file_read(AT_FDCWD, src->path, FILE_MAX, &text, &len);
	if (r < 0)
		return err_set(err, r, "open %s: %s", src->shown, strerror(-r));
	copy = arena_alloc(l->a, len + 1);
	memcpy(copy, text, len);
	src->text = copy;
	src->len = len;
	return 0;
}

int load_documents(struct load *l, struct source *src, struct yaml_docs *docs, struct err *err)
{
	int r;

	if (src->docs.n) {
		*docs = src->docs;
		src->docs = (struct yaml_docs){ 0 };
		return 0;
	}
	r = load_source(l, src, err);
	if (r < 0)
		return r;
	r = yaml_parse(l->a, src->shown, src->text, src->len, docs, err);
	if (r == -E2BIG)
		return -EINVAL;
	if (r < 0)
		return r;
	for (size_t i = 0; i < docs->n; i++)
		if (docs->v[i] && docs->v[i]->type != YAML_MAP)
			return err_set(err, -EINVAL, "%s:%u:%u: the top level must be a mapping",
				       src->shown, docs->v[i]->line, docs->v[i]->col);
	return 0;
}

static int load_document(struct load *l, const struct source *src, struct yaml_node *doc,
			 const struct included *up, struct yaml_node **tree, struct err *err)
{
	struct yaml_paths marks = { 0 };
	int r;

	marks_collect(l, doc, &marks);
	if (!l->opt->no_interpolate)
		interpolate_tree(l, l->env, doc, &shape_project);
	r = load_check(l, err);
	if (r < 0)
		return r;
	check_tree(l, doc, &shape_project);
	r = load_check(l, err);
	if (r < 0)
		return r;
	if (yaml_remove(doc, "version"))
		warning(l,
			"%s: the attribute `version` is obsolete, it will be ignored, please remove "
			"it to avoid potential confusion",
			src->shown);
	r = extends_apply(l, doc, src, &marks, err);
	if (r < 0)
		return r;
	doc = canon_tree(l, doc, &shape_project, NULL);
	r = load_check(l, err);
	if (r < 0)
		return r;
	if (*tree)
		marks_apply(&marks, *tree, NULL);
	r = include_apply(l, doc, &marks, up, err);
	if (r < 0)
		return r;
	*tree = *tree ? merge_tree(l, *tree, doc, &shape_project, NULL) : doc;
	return load_check(l, err);
}

int load_files(struct load *l, struct source *files, size_t n, const struct included *up,
	       struct yaml_node **tree, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct yaml_docs docs = { 0 };
		size_t said = 0;
		int r = load_documents(l, &files[i], &docs, err);

		if (r < 0)
			return r;
		for (size_t d = 0; d < docs.n; d++) {
			if (!docs.v[d])
				continue;
			for (size_t k = 0; k < docs.v[d]->m.n; k++)
				said += strcmp(docs.v[d]->m.v[k].key, "version") != 0;
			r = load_document(l, &files[i], docs.v[d], up, tree, err);
			if (r < 0)
				return r;
		}
		if (said == 0)
			return err_set(err, -EINVAL, "%s: empty compose file", files[i].shown);
	}
	return 0;
}

/* ---- The whole road */

static int build_tree(struct load *l, struct project_files *pf, struct yaml_node **tree,
		      struct yaml_node **disabled, struct err *err)
{
	struct included top = { NULL, pf->files[0].path };
	int r = load_files(l, pf->files, pf->n_files, &top, tree, err);

	if (r < 0)
		return r;
	yaml_put(l->a, *tree, "name", yaml_new_str(l->a, l->name, NULL));
	check_required(l, *tree, &shape_project);
	r = load_check(l, err);
	if (r < 0)
		return r;
	resolve_environment(l, *tree);
	if (!l->opt->no_normalize)
		normalize_tree(l, *tree);
	prune_tree(l, *tree, &shape_project);
	if (!yaml_get(*tree, "services"))
		yaml_put(l->a, *tree, "services", yaml_new(l->a, YAML_MAP, NULL));
	r = profiles_apply(l, *tree, disabled, err);
	if (r < 0)
		return r;
	if (!l->opt->no_consistency)
		consistency_check(l, *tree, *disabled);
	r = load_check(l, err);
	if (r < 0)
		return r;
	if (!l->opt->no_env_resolution)
		r = resolve_env_files(l, *tree, err);
	if (r < 0)
		return r;
	if (!l->opt->all_resources && !l->opt->no_normalize)
		drop_unused(l, *tree);
	yaml_sort(*tree);
	return 0;
}

static bool is_on(const struct load *l, const char *variable)
{
	static const char *const words[] = { "1", "t", "true", "y", "yes", "on" };
	const char *text = env_get(l->env, variable);

	for (size_t i = 0; text && i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

static int load_project(struct load *l, struct project *p, struct err *err)
{
	struct env env = { 0 }, dotenv = { .outer = &env };
	struct project_files pf = { 0 };
	struct yaml_node *disabled = NULL;
	int r;

	env_from_environ(&env, l->opt->environ);
	l->env = &dotenv; /* cppcheck-suppress autoVariables ; l is done when this function is */
	l->home = env_get(&env, "HOME");
	r = project_find(l, &env, &dotenv, &pf, err);
	if (r == 0)
		r = build_tree(l, &pf, &p->tree, &disabled, err);
	if (r == 0) {
		p->name = l->name;
		p->working_dir = l->dir;
		p->dollars = !l->opt->no_interpolate;
		p->underscores = l->opt->compatibility || is_on(l, "COMPOSE_COMPATIBILITY");
		p->remove_orphans = is_on(l, "COMPOSE_REMOVE_ORPHANS");
		p->ignore_orphans = is_on(l, "COMPOSE_IGNORE_ORPHANS");
		project_list_files(l, &pf, &p->config_files);
		decode_project(l, p, disabled);
	}
	map_clear(&env.vars);
	map_clear(&dotenv.vars);
	return r;
}

int compose_load(const struct compose_options *opt, struct project **out,
		 struct compose_diags *diags, struct err *err)
{
	auto_project struct project *p = xcalloc(1, sizeof(*p));
	struct load l = { .a = &p->arena, .opt = opt, .diags = diags };
	int r;

	r = load_project(&l, p, err);
	sbuf_clear(&l.problems);
	map_clear(&l.warned);
	if (r < 0)
		return r;
	*out = steal(p);
	return 0;
}
