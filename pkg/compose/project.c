/* project.c - which files make up the project, where it lives and what it is called. */
#include "project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const default_names[] = { "compose.yaml", "compose.yml", "docker-compose.yml",
					     "docker-compose.yaml" };
static const char *const override_names[] = { "compose.override.yaml", "compose.override.yml",
					      "docker-compose.override.yml",
					      "docker-compose.override.yaml" };

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool in_folder(const char *dir, const char *const *names, size_t n, char **out)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *path = path_join(dir, names[i]);

		if (is_file(path)) {
			*out = steal(path);
			return true;
		}
	}
	return false;
}

static char *absolute(struct load *l, const char *base, const char *path)
{
	auto_free char *joined = *path == '/' ? xstrdup(path) : path_join(base, path);
	auto_free char *clean = path_clean(joined);

	return arena_strdup(l->a, clean);
}

static char *folder_of(struct load *l, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? arena_strdup(l->a, "/")
			     : arena_strndup(l->a, path, slash ? (size_t)(slash - path) : 0);
}

static void add_file(struct load *l, struct project_files *pf, const char *path, const char *shown)
{
	struct source *v = arena_array(l->a, pf->n_files + 1, sizeof(*v));

	if (pf->n_files)
		memcpy(v, pf->files, pf->n_files * sizeof(*v));
	v[pf->n_files] = (struct source){ .path = path, .shown = shown };
	pf->files = v;
	pf->n_files++;
}

static void add_named(struct load *l, struct project_files *pf, const char *name)
{
	if (strcmp(name, "-") == 0)
		add_file(l, pf, "-", "stdin");
	else
		add_file(l, pf, absolute(l, l->cwd, name), arena_strdup(l->a, name));
}

/* Up from the working folder to the first one that has a file with a default name. */
static int find_default(struct load *l, const char *start, struct project_files *pf,
			struct err *err)
{
	char *dir = arena_strdup(l->a, start);

	for (;;) {
		auto_free char *found = NULL, *extra = NULL;
		bool here = strcmp(dir, l->cwd) == 0;

		if (in_folder(dir, default_names, ARRAY_LEN(default_names), &found)) {
			const char *path = arena_strdup(l->a, found);

			add_file(l, pf, path, here ? strrchr(path, '/') + 1 : path);
			if (in_folder(dir, override_names, ARRAY_LEN(override_names), &extra)) {
				path = arena_strdup(l->a, extra);
				add_file(l, pf, path, here ? strrchr(path, '/') + 1 : path);
			}
			return 0;
		}
		if (strcmp(dir, "/") == 0)
			return err_set(err, -ENOENT, "no configuration file provided: not found");
		dir = folder_of(l, dir);
	}
}

/* COMPOSE_FILE=a:b */
static void split_files(struct load *l, const struct env *env, const char *value,
			struct project_files *pf)
{
	const char *sep = env_get(env, "COMPOSE_PATH_SEPARATOR");
	size_t len;

	if (!sep || !*sep)
		sep = ":";
	for (len = strlen(sep); value; value = value ? value + len : NULL) {
		const char *end = strstr(value, sep);
		char *name = end ? arena_strndup(l->a, value, (size_t)(end - value))
				 : arena_strdup(l->a, value);

		if (*name)
			add_named(l, pf, name);
		value = end;
	}
}

static int find_files(struct load *l, const struct env *env, struct project_files *pf,
		      struct err *err)
{
	const char *from_env = env_get(env, "COMPOSE_FILE");

	for (size_t i = 0; i < l->opt->files.n; i++)
		add_named(l, pf, l->opt->files.v[i]);
	if (pf->n_files == 0 && from_env && *from_env)
		split_files(l, env, from_env, pf);
	return pf->n_files ? 0 : find_default(l, l->opt->project_dir ? l->dir : l->cwd, pf, err);
}

/* --env-file, COMPOSE_ENV_FILES=a,b or .env of the folder. */
static int read_dotenv(struct load *l, const struct env *env, const char *dir, struct env *dotenv,
		       struct err *err)
{
	const char *off = env_get(env, "COMPOSE_DISABLE_ENV_FILE");
	const char *list = env_get(env, "COMPOSE_ENV_FILES");
	struct kvs vars = { 0 };
	bool disabled = l->opt->no_env_file;
	int r = 0;

	if (l->opt->env_files.n == 0 && (disabled || (off && bool_of(off, &disabled) && disabled)))
		return 0;
	if (off && strcmp(off, "1") == 0 && l->opt->env_files.n == 0)
		return 0;
	if (l->opt->env_files.n) {
		for (size_t i = 0; i < l->opt->env_files.n && r == 0; i++)
			r = dotenv_read(l, absolute(l, l->cwd, l->opt->env_files.v[i]), false, env,
					&vars, err);
	} else if (list && *list) {
		char *save = NULL, *copy = arena_strdup(l->a, list);

		for (char *f = strtok_r(copy, ",", &save); f && r == 0;
		     f = strtok_r(NULL, ",", &save))
			r = dotenv_read(l, absolute(l, l->cwd, f), false, env, &vars, err);
	} else {
		auto_free char *path = path_join(dir, ".env");

		if (is_file(path))
			r = dotenv_read(l, path, false, env, &vars, err);
	}
	if (r < 0)
		return r == -ENOENT ? -EINVAL : r;
	env_from_kvs(dotenv, &vars);
	return 0;
}

/* `name:` of the files, the last one that has it. */
static int name_of_files(struct load *l, struct project_files *pf, const char **name,
			 struct err *err)
{
	for (size_t i = 0; i < pf->n_files; i++) {
		struct source *src = &pf->files[i];
		int r = load_documents(l, src, &src->docs, err);

		if (r < 0)
			return r;
		for (size_t d = 0; d < src->docs.n; d++) {
			const struct yaml_node *n = yaml_get(src->docs.v[d], "name");
			struct subst s = { .a = l->a, .env = l->env };
			char *why = NULL;
			const char *text = n && n->type == YAML_STR ? n->s : NULL;

			if (!text || !*text)
				continue;
			if (!l->opt->no_interpolate)
				text = substitute(&s, text, &why);
			if (!text)
				return err_set(err, -EINVAL, "%s:%u:%u: name: %s", n->file, n->line,
					       n->col, why);
			*name = text;
		}
	}
	return 0;
}

static int strict_name(struct load *l, const char *name, struct err *err)
{
	if (!project_name_ok(name))
		return err_set(err, -EINVAL,
			       "invalid project name '%s': it must consist only of a-z 0-9 _ - and "
			       "start with a letter or a digit",
			       name);
	l->name = arena_strdup(l->a, name);
	return 0;
}

static int find_name(struct load *l, struct project_files *pf, struct err *err)
{
	const char *from_env = env_get(l->env, "COMPOSE_PROJECT_NAME"), *name = NULL;
	const char *slash = strrchr(l->dir, '/');
	int r;

	if (l->opt->project_name && *l->opt->project_name)
		return strict_name(l, l->opt->project_name, err);
	if (from_env && *from_env)
		return strict_name(l, from_env, err);
	r = name_of_files(l, pf, &name, err);
	if (r < 0)
		return r;
	if (!name)
		name = slash ? slash + 1 : l->dir;
	l->name = project_name_from(l->a, name);
	if (!*l->name)
		return err_set(
			err, -EINVAL,
			"project name must not be empty: '%s' has no letter or digit; use -p",
			name);
	return 0;
}

static int find_cwd(struct load *l, struct err *err)
{
	auto_free char *cwd = NULL;

	if (l->opt->cwd) {
		l->cwd = arena_strdup(l->a, l->opt->cwd);
		return 0;
	}
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return err_errno(err, "the working folder");
	l->cwd = arena_strdup(l->a, cwd);
	return 0;
}

int project_find(struct load *l, struct env *env, struct env *dotenv, struct project_files *out,
		 struct err *err)
{
	struct kvs own = { 0 };
	size_t cap = 0;
	int r = find_cwd(l, err);

	if (r < 0)
		return r;
	if (l->opt->project_dir)
		l->dir = absolute(l, l->cwd, l->opt->project_dir);
	if (l->opt->files.n == 0 && !env_get(env, "COMPOSE_FILE")) {
		/* .env may name the files */
		r = read_dotenv(l, env, l->dir ? l->dir : l->cwd, dotenv, err);
		if (r < 0)
			return r;
	}
	r = find_files(l, dotenv, out, err);
	if (r < 0)
		return r;
	if (!l->dir)
		l->dir = strcmp(out->files[0].path, "-") == 0 ? l->cwd
							      : folder_of(l, out->files[0].path);
	map_clear(&dotenv->vars);
	r = read_dotenv(l, env, l->dir, dotenv, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < out->n_files; i++) {
		r = load_source(l, &out->files[i], err);
		if (r < 0)
			return r;
	}
	r = find_name(l, out, err);
	if (r < 0)
		return r;
	kvs_append(l->a, &own, &cap, "COMPOSE_PROJECT_NAME", l->name);
	env_from_kvs(env, &own);
	return 0;
}

void project_list_files(struct load *l, const struct project_files *pf, struct list *out)
{
	const char **v = arena_array(l->a, pf->n_files + 1, sizeof(*v));

	for (size_t i = 0; i < pf->n_files; i++)
		v[i] = pf->files[i].path;
	out->v = v;
	out->n = pf->n_files;
}

/* ---- For commands that need no project */

static int with_env(const struct compose_options *opt, struct strs *vars, char **name,
		    struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct load l = { .a = &a, .opt = opt };
	struct env env = { 0 }, dotenv = { .outer = &env };
	struct project_files pf = { 0 };
	int r;

	env_from_environ(&env, opt->environ);
	l.env = &dotenv;
	r = project_find(&l, &env, &dotenv, &pf, err);
	if (r == 0 && name)
		*name = xstrdup(l.name);
	if (r == 0 && vars) {
		for (size_t i = 0; i < dotenv.vars.n; i++)
			if (dotenv.vars.entries[i].key &&
			    !env_get(&env, dotenv.vars.entries[i].key))
				strs_addf(vars, "%s=%s", dotenv.vars.entries[i].key,
					  (const char *)dotenv.vars.entries[i].value);
		for (size_t i = 0; i < env.vars.n; i++)
			if (env.vars.entries[i].key)
				strs_addf(vars, "%s=%s", env.vars.entries[i].key,
					  (const char *)env.vars.entries[i].value);
	}
	map_clear(&env.vars);
	map_clear(&dotenv.vars);
	return r;
}

int compose_project_name(const struct compose_options *opt, char **name, struct err *err)
{
	if (opt->project_name && *opt->project_name) {
		if (!project_name_ok(opt->project_name))
			return err_set(err, -EINVAL, "invalid project name '%s'",
				       opt->project_name);
		*name = xstrdup(opt->project_name);
		return 0;
	}
	return with_env(opt, NULL, name, err);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int compose_environment(const struct compose_options *opt, struct strs *out, struct err *err)
{
	int r = with_env(opt, out, NULL, err);

	if (r == 0 && out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_text);
	return r;
}

const struct yaml_node *compose_section(const struct project *p, const char *service,
					const char *key)
{
	return yaml_get(yaml_get(yaml_get(p->tree, "services"), service), key);
}
