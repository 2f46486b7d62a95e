/* include.c - other projects copied into this one, each loaded with its own folder and .env. */
#include "loader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const imported[] = { "services", "volumes", "networks",
					"secrets",  "configs", "models" };

/* What the including file says of the same name wins. */
static void import(struct load *l, const struct yaml_node *from, struct yaml_node *to)
{
	for (size_t i = 0; i < ARRAY_LEN(imported); i++) {
		struct yaml_node *src = yaml_get(from, imported[i]), *dst;
		const struct shape *shape = shape_child(&shape_project, imported[i]);
		struct at section = { NULL, imported[i], 0 };

		if (!src || src->type != YAML_MAP)
			continue;
		dst = yaml_get(to, imported[i]);
		if (!dst || dst->type != YAML_MAP) {
			yaml_put(l->a, to, imported[i], src);
			continue;
		}
		for (size_t k = 0; k < src->m.n; k++) {
			const struct yaml_pair *p = &src->m.v[k];
			struct yaml_node *own = yaml_get(dst, p->key);
			struct at at = { &section, p->key, 0 };

			yaml_put(l->a, dst, p->key,
				 own ? merge_tree(l, p->value, own, shape->value, &at) : p->value);
		}
	}
}

/* A string or a list of strings. */
static size_t strings_of(struct load *l, const struct yaml_node *n, const char *const **out)
{
	const char **v;
	size_t count = 0, max = !n ? 0 : n->type == YAML_LIST ? n->m.n : 1;

	v = arena_array(l->a, max + 1, sizeof(*v));
	for (size_t i = 0; i < max; i++) {
		const struct yaml_node *item = n->type == YAML_LIST ? n->m.v[i].value : n;

		if (item->type == YAML_STR)
			v[count++] = item->s;
	}
	*out = v;
	return count;
}

static int read_env(struct load *l, const struct yaml_node *entry, const char *project_dir,
		    struct kvs *vars, struct err *err)
{
	const char *const *files;
	size_t n = strings_of(l, yaml_get(entry, "env_file"), &files);
	struct stat st;

	if (n == 0) {
		auto_free char *path = path_join(project_dir, ".env");

		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
			return 0;
		return dotenv_read(l, path, false, l->env, vars, err);
	}
	for (size_t i = 0; i < n; i++) {
		int r = strcmp(files[i], "/dev/null") == 0
				? 0
				: dotenv_read(l, path_absolute(l, files[i]), false, l->env, vars,
					      err);

		if (r < 0)
			return err_wrap(err, r == -ENOENT ? -EINVAL : r,
					"%s:%u:%u: include.env_file", entry->file, entry->line,
					entry->col);
	}
	return 0;
}

static int include_one(struct load *l, const struct yaml_node *entry, struct yaml_node *cfg,
		       const struct included *up, struct err *err)
{
	const struct yaml_node *dir_node = yaml_get(entry, "project_directory");
	const char *const *paths, *outer_dir = l->dir;
	size_t n = strings_of(l, entry->type == YAML_MAP ? yaml_get(entry, "path") : entry, &paths);
	struct source *files = arena_array(l->a, n + 1, sizeof(*files));
	const struct env *outer_env = l->env;
	struct env env = { .outer = outer_env };
	struct included here = { up, NULL };
	struct yaml_node *tree = NULL;
	struct kvs vars = { 0 };
	const char *dir;
	struct stat st;
	int r;

	if (n == 0)
		return err_set(err, -EINVAL, "%s:%u:%u: include: 'path' is missing", entry->file,
			       entry->line, entry->col);
	for (size_t i = 0; i < n; i++) {
		files[i].path = files[i].shown = path_absolute(l, paths[i]);
		for (const struct included *k = up; k; k = k->up)
			if (strcmp(k->path, files[i].path) == 0)
				return err_set(err, -EINVAL,
					       "%s:%u:%u: include: %s includes itself", entry->file,
					       entry->line, entry->col, files[i].path);
	}
	here.path = files[0].path;
	if (dir_node && dir_node->type == YAML_STR && *dir_node->s) {
		dir = path_absolute(l, dir_node->s);
		if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
			return err_set(err, -EINVAL,
				       "%s:%u:%u: include.project_directory: %s is not a folder",
				       dir_node->file, dir_node->line, dir_node->col, dir);
	} else {
		auto_free char *joined = path_join(files[0].path, "..");
		auto_free char *clean = path_clean(joined);

		dir = arena_strdup(l->a, clean);
	}
	r = read_env(l, entry, dir, &vars, err);
	if (r < 0)
		return r;
	env_from_kvs(&env, &vars);
	l->dir = dir;
	l->env = &env;
	r = load_files(l, files, n, &here, &tree, err);
	if (r == 0 && tree) {
		resolve_environment(l, tree);
		import(l, tree, cfg);
	}
	l->dir = outer_dir;
	l->env = outer_env;
	map_clear(&env.vars);
	return r == -ENOENT ? -EINVAL : r;
}

int include_apply(struct load *l, struct yaml_node *cfg, const struct yaml_paths *marks,
		  const struct included *up, struct err *err)
{
	struct yaml_node *list = yaml_get(cfg, "include");
	size_t depth = 0;

	(void)marks;
	if (!list)
		return 0;
	for (const struct included *k = up; k; k = k->up)
		depth++;
	if (depth > 50)
		return err_set(err, -EINVAL, "%s:%u:%u: include: nested deeper than 50 levels",
			       list->file, list->line, list->col);
	yaml_remove(cfg, "include");
	for (size_t i = 0; list->type == YAML_LIST && i < list->m.n; i++) {
		int r = include_one(l, list->m.v[i].value, cfg, up, err);

		if (r < 0)
			return r;
	}
	return 0;
}
