/* watch_rules.c - the rules of `watch`, and which paths they mean; see watch_rules.h */
#include "watch/watch_rules.h"

#include <ctrcompose/dockerfile.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	const char *action;
	unsigned what;
} actions[] = {
	{ "sync", DO_SYNC },
	{ "restart", DO_RESTART },
	{ "sync+restart", DO_SYNC | DO_RESTART },
	{ "sync+exec", DO_SYNC | DO_EXEC },
	{ "rebuild", DO_REBUILD },
};

/* What editors and version control leave beside the files of a person. */
static const char *const always[] = { "**/.git", "**/*~",  "**/.*.sw?", "**/.*.swx",
				      "**/.#*",  "**/#*#", "**/4913" };

static int patterns(const struct yaml_node *l, bool defaults, struct df_ignore **out,
		    struct err *err)
{
	size_t n = l && l->type == YAML_LIST ? l->m.n : 0, k = 0;
	auto_free const char **v = xcalloc(n + ARRAY_LEN(always) + 1, sizeof(*v));

	for (size_t i = 0; defaults && i < ARRAY_LEN(always); i++)
		v[k++] = always[i];
	for (size_t i = 0; i < n; i++)
		if (yaml_str(l->m.v[i].value))
			v[k++] = yaml_str(l->m.v[i].value);
	if (l && l->type == YAML_STR)
		v[k++] = yaml_str(l);
	return k ? df_ignore_from(v, k, out, err) : 0;
}

/* What the image is not built from, its containers are not given either. */
static int read_dockerignore(const struct watch *w, struct rule *rule, struct err *err)
{
	const struct yaml_node *build = compose_section(w->project, rule->service, "build");
	const char *context = yaml_str(yaml_get(build, "context"));
	const char *dockerfile = yaml_str(yaml_get(build, "dockerfile"));
	auto_free char *own = xasprintf("%s.dockerignore", dockerfile ? dockerfile : "Dockerfile");
	const char *names[] = { own, ".dockerignore" };

	if (!context || *context != '/')
		return 0;
	rule->context = context;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *path =
			*names[i] == '/' ? xstrdup(names[i]) : path_join(context, names[i]);
		auto_free char *text = NULL;
		size_t len = 0;
		int r = file_read(AT_FDCWD, path, DF_SIZE_MAX, &text, &len);

		if (r == 0)
			return df_ignore_parse(path, text, len, &rule->not_built, err);
		if (r != -ENOENT && r != -ENOTDIR)
			return err_set(err, r, "%s: %s", path, strerror(-r));
	}
	return 0;
}

bool watch_rule_builds(const struct rule *rule, const char *path)
{
	size_t n = rule->context ? strlen(rule->context) : 0;

	return !rule->not_built || strncmp(path, rule->context, n) != 0 || path[n] != '/' ||
	       !df_ignored(rule->not_built, path + n + 1);
}

static int add_rule(struct watch *w, const char *service, const struct yaml_node *n,
		    struct err *err)
{
	struct rule *rule = vec_push(&w->rules);
	const char *action = yaml_str(yaml_get(n, "action"));
	const struct yaml_node *initial = yaml_get(n, "initial_sync");
	struct stat st;
	int r;

	*rule = (struct rule){ .service = service,
			       .path = yaml_str(yaml_get(n, "path")),
			       .target = yaml_str(yaml_get(n, "target")),
			       .exec = yaml_get(n, "exec"),
			       .initial = initial && initial->type == YAML_BOOL && initial->b };
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (str_eq(actions[i].action, action))
			rule->what = actions[i].what;
	if (stat(rule->path, &st) < 0)
		return err_errno(err, "service %s: watch %s", service, rule->path);
	rule->folder = S_ISDIR(st.st_mode);
	if ((rule->what & DO_EXEC) && !yaml_get(rule->exec, "command"))
		return err_set(err, EINVAL, "service %s: watch with action sync+exec needs exec",
			       service);
	if (rule->target && *rule->target != '/')
		return err_set(err, EINVAL, "service %s: watch: target %s is not absolute", service,
			       rule->target);
	r = patterns(yaml_get(n, "ignore"), true, &rule->ignore, err);
	if (r == 0)
		r = patterns(yaml_get(n, "include"), false, &rule->include, err);
	if (r == 0)
		r = read_dockerignore(w, rule, err);
	return r < 0 ? err_wrap(err, r, "service %s: watch %s", service, rule->path) : 0;
}

int watch_rules_read(struct watch *w, char *const *services, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->project->n_services; i++) {
		const char *name = w->project->services[i].name;
		const struct yaml_node *list =
			yaml_get(compose_section(w->project, name, "develop"), "watch");

		if (!cmd_wants(services, name))
			continue;
		for (size_t k = 0; r == 0 && list && list->type == YAML_LIST && k < list->m.n; k++)
			r = add_rule(w, name, list->m.v[k].value, err);
	}
	if (r == 0 && w->rules.n == 0)
		r = err_set(
			err, ENOENT,
			"none of the services is to be watched: give one a develop.watch section");
	return r;
}

void watch_rules_free(struct watch *w)
{
	for (size_t i = 0; i < w->rules.n; i++) {
		df_ignore_free(w->rules.v[i].ignore);
		df_ignore_free(w->rules.v[i].include);
		df_ignore_free(w->rules.v[i].not_built);
		strs_clear(&w->rules.v[i].changed);
	}
	free(w->rules.v);
}

const char *watch_rule_below(const struct rule *rule, const char *path)
{
	size_t n = strlen(rule->path);

	if (strncmp(path, rule->path, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	if (!rule->folder)
		return path[n] ? NULL : "";
	return path[n] ? path + n + 1 : "";
}

bool watch_rule_wants(const struct rule *rule, const char *rel)
{
	if (!*rel)
		return !rule->folder;
	return !df_ignored(rule->ignore, rel) && (!rule->include || df_ignored(rule->include, rel));
}

bool watch_skip(void *data, const char *path)
{
	const struct watch *w = data;

	for (size_t i = 0; i < w->rules.n; i++) {
		const struct rule *rule = &w->rules.v[i];
		const char *rel = watch_rule_below(rule, path);
		size_t n = strlen(path);

		bool hidden = rel && *rel &&
			      ((df_ignored(rule->ignore, rel) &&
				!df_ignore_has_exceptions(rule->ignore)) ||
			       (!watch_rule_builds(rule, path) &&
				!df_ignore_has_exceptions(rule->not_built)));

		if (rel && !hidden)
			return false;
		if (!rule->folder && strncmp(rule->path, path, n) == 0 &&
		    strrchr(rule->path, '/') <= rule->path + n)
			return false;
	}
	return true;
}
