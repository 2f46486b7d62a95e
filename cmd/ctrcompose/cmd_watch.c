/* cmd_watch.c - ctrcompose watch: files that change on this host are brought to the services. */
#include "changes.h"
#include "copying.h"
#include "online.h"
#include "store.h"
#include "watching.h"

#include <ctrcompose/dockerfile.h>
#include <ctrcompose/engine.h>
#include <ctrcompose/json.h>
#include <ctrcompose/rootfs.h>
#include <ctrcompose/yaml.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUIET_MS = 100, LONG_MS = 2000 };

static struct {
	bool no_up, quiet, prune;
} arg = { .prune = true };

static const struct opt opts[] = {
	{ 0, "no-up", OPT_FLAG, &arg.no_up, NULL, "Do not build and start the services first" },
	{ 0, "prune", OPT_FLAG, &arg.prune, NULL,
	  "Remove what a rebuild leaves without a name (default)" },
	{ 0, "quiet", OPT_FLAG, &arg.quiet, NULL, "No lines of builds but what fails" },
};

enum { DO_SYNC = 1, DO_RESTART = 2, DO_EXEC = 4, DO_REBUILD = 8 };

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

struct rule {
	const char *service, *path, *target;
	const struct yaml_node *exec;
	unsigned what;
	bool folder, initial;
	struct df_ignore *ignore, *include;
	const char *context;         /* of the service's build; NULL: none, or not a folder */
	struct df_ignore *not_built; /* its .dockerignore */
	struct strs changed;         /* relative to path; "" for a path that is a file */
};

struct watch {
	struct project *project;
	struct {
		struct rule *v;
		size_t n, cap;
	} rules;
};

static void PRINTF_LIKE(1, 2) tell(const char *fmt, ...)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	va_list ap;

	if (global.dry_run)
		sbuf_adds(&text, "DRY-RUN MODE - ");
	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	sbuf_addc(&text, '\n');
	(void)fd_write_all(STDERR_FILENO, sbuf_str(&text), text.len);
}

/* ---- Rules ------------------------------------------------------------------------------------ */
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

static bool is_built(const struct rule *rule, const char *path)
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

static int read_rules(struct watch *w, char *const *services, struct err *err)
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

static void free_rules(struct watch *w)
{
	for (size_t i = 0; i < w->rules.n; i++) {
		df_ignore_free(w->rules.v[i].ignore);
		df_ignore_free(w->rules.v[i].include);
		df_ignore_free(w->rules.v[i].not_built);
		strs_clear(&w->rules.v[i].changed);
	}
	free(w->rules.v);
}

/* The path below that of the rule, "" for itself; NULL: it is not the rule's. */
static const char *below(const struct rule *rule, const char *path)
{
	size_t n = strlen(rule->path);

	if (strncmp(path, rule->path, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	if (!rule->folder)
		return path[n] ? NULL : "";
	return path[n] ? path + n + 1 : "";
}

static bool wanted(const struct rule *rule, const char *rel)
{
	if (!*rel)
		return !rule->folder;
	return !df_ignored(rule->ignore, rel) && (!rule->include || df_ignored(rule->include, rel));
}

/* No rule wants anything of this folder. */
static bool skip(void *data, const char *path)
{
	const struct watch *w = data;

	for (size_t i = 0; i < w->rules.n; i++) {
		const struct rule *rule = &w->rules.v[i];
		const char *rel = below(rule, path);
		size_t n = strlen(path);

		bool hidden =
			rel && *rel &&
			((df_ignored(rule->ignore, rel) &&
			  !df_ignore_has_exceptions(rule->ignore)) ||
			 (!is_built(rule, path) && !df_ignore_has_exceptions(rule->not_built)));

		if (rel && !hidden)
			return false;
		if (!rule->folder && strncmp(rule->path, path, n) == 0 &&
		    strrchr(rule->path, '/') <= rule->path + n)
			return false;
	}
	return true;
}

/* ---- Sync ------------------------------------------------------------------------------------- */
struct sync {
	const struct state_paths *paths;
	struct state_project *state;
	struct state_container *c;
	const struct rule *rule;
};

static char *parent_of(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash + 1;
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* The folder that rel is in: whoever writes there, a container with it as a volume among them, leads us
 * nowhere else. */
static int open_source(const struct rule *rule, const char *rel, const char **name)
{
	const char *slash = strrchr(rel, '/');
	auto_free char *above = NULL;
	auto_close int root = -1;

	if (!*rel) {
		above = parent_of(rule->path, name);
		return open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	*name = slash ? slash + 1 : rel;
	above = slash ? xstrndup(rel, (size_t)(slash - rel)) : xstrdup(".");
	root = open(rule->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : path_open_in(root, above, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static int sync_one(const struct sync *s, const struct engine_root *root, const char *rel,
		    struct err *err)
{
	auto_free char *joined = *rel ? path_join(s->rule->target, rel) : xstrdup(s->rule->target);
	auto_free char *to = path_clean(joined);
	const char *from_name, *to_name;
	auto_free char *to_dir = parent_of(to, &to_name);
	auto_close int source = open_source(s->rule, rel, &from_name), dest = -1;
	struct copying c = { .to_shift = root->shift };
	struct stat st;
	int r;

	if (source < 0 || fstatat(source, from_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		dest = path_open_in(root->fd, to_dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		r = dest < 0 ? 0 : path_remove_tree(dest, to_name);
		return r < 0 ? err_set(err, r, "remove %s: %s", to, strerror(-r)) : 0;
	}
	dest = path_mkdirs_in(root->fd, to_dir, 0755);
	if (dest < 0)
		return err_set(err, dest, "make %s: %s", to_dir, strerror(-dest));
	return S_ISDIR(st.st_mode) ? ((void)mkdirat(dest, to_name, 0755), 0)
				   : copy_entry(&c, source, from_name, dest, to_name, err);
}

static int sync_apart(void *data, struct err *err)
{
	const struct sync *s = data;
	struct engine_root root;
	int r = engine_root_open(s->paths, s->state, s->c, &root, err);

	if (r < 0)
		return r;
	rootfs_act_as(root.shift, root.shift);
	for (size_t i = 0; r == 0 && i < s->rule->changed.n; i++)
		r = sync_one(s, &root, s->rule->changed.v[i], err);
	return r;
}

static int sync_rule(const char *project, const struct rule *rule, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_state struct state_project *state = NULL;
	size_t n = 0;
	int r = state_paths_open(&paths, err);

	if (r == 0)
		r = cmd_load_state(&paths, project, &state, err);
	for (size_t i = 0; r == 0 && i < state->containers.n; i++) {
		struct sync s = { &paths, state, state->containers.v[i], rule };

		if (s.c->oneoff || s.c->status != STATE_RUNNING ||
		    !str_eq(s.c->service, rule->service))
			continue;
		r = global.dry_run ? 0 : cmd_apart(sync_apart, &s, err);
		n++;
	}
	if (r == 0)
		tell("Syncing %zu file%s to %zu container%s of %s", rule->changed.n,
		     rule->changed.n == 1 ? "" : "s", n, n == 1 ? "" : "s", rule->service);
	return r;
}

/* ---- Other commands of ours ------------------------------------------------------------------- */
static void global_words(const char *project, struct strs *v)
{
	strs_add(v, "/proc/self/exe");
	for (size_t i = 0; i < global.files.n; i++)
		strs_addf(v, "--file=%s", global.files.v[i]);
	for (size_t i = 0; i < global.env_files.n; i++)
		strs_addf(v, "--env-file=%s", global.env_files.v[i]);
	for (size_t i = 0; i < global.profiles.n; i++)
		strs_addf(v, "--profile=%s", global.profiles.v[i]);
	if (global.project_dir)
		strs_addf(v, "--project-directory=%s", global.project_dir);
	if (global.offline)
		strs_add(v, "--offline");
	if (global.compatibility)
		strs_add(v, "--compatibility");
	if (global.dry_run)
		strs_add(v, "--dry-run");
	strs_addf(v, "--project-name=%s", project);
	strs_add(v, "--progress=plain");
}

/* Runs one of our commands; what it printed is shown when it fails, or unless quiet. */
static int ours(const char *project, const struct strs *words, bool quiet, struct err *err)
{
	auto_strs struct strs all = { 0 };
	auto_free char *output = NULL;
	int r;

	global_words(project, &all);
	for (size_t i = 0; i < words->n; i++)
		strs_add(&all, words->v[i]);
	r = proc_run(all.v, NULL, 0, &output);
	if (output && (r != 0 || !quiet))
		(void)fd_write_all(STDERR_FILENO, output, strlen(output));
	if (r < 0)
		return err_set(err, r, "%s: %s", words->v[0], strerror(-r));
	return r ? err_set(err, EIO, "%s failed with status %d", words->v[0], r) : 0;
}

static int up(const char *project, char *const *services, bool deps, struct err *err)
{
	auto_strs struct strs v = { 0 };

	strs_add(&v, "up");
	strs_add(&v, "--detach");
	strs_add(&v, "--build");
	if (arg.quiet) {
		strs_add(&v, "--quiet-build");
		strs_add(&v, "--quiet-pull");
	}
	if (!deps)
		strs_add(&v, "--no-deps");
	for (size_t i = 0; services && services[i]; i++)
		strs_add(&v, services[i]);
	return ours(project, &v, false, err);
}

/* Ids of the images that containers of the service have. */
static void images_of(const char *project, const char *service, struct strs *out)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_state struct state_project *s = NULL;

	if (state_paths_open(&paths, NULL) < 0 || cmd_load_state(&paths, project, &s, NULL) < 0)
		return;
	for (size_t i = 0; i < s->containers.n; i++) {
		const struct state_container *c = s->containers.v[i];

		if (str_eq(c->service, service) && c->image_id && !strs_has(out, c->image_id))
			strs_add(out, c->image_id);
	}
}

/* Those that have lost their name, and that no container has, go. */
static void prune_images(const struct strs *before)
{
	auto_image_store struct image_store *store = NULL;
	auto_strs struct strs used = { 0 };

	if (cmd_image_store(&store, NULL) < 0 || cmd_used_images(NULL, &used, NULL) < 0)
		return;
	for (size_t i = 0; i < before->n; i++) {
		auto_json struct json *image = NULL;

		if (image_inspect(store, before->v[i], &image, NULL) == 0 &&
		    json_count(json_get(image, "RepoTags")) == 0)
			(void)image_remove(store, before->v[i], false, &used, NULL, NULL);
	}
}

static int rebuild(const char *project, char *const *words, struct err *err)
{
	auto_strs struct strs before = { 0 };
	int r;

	if (arg.prune && !global.dry_run)
		images_of(project, words[0], &before);
	r = up(project, words, false, err);
	if (r == 0)
		prune_images(&before);
	return r;
}

static int restart(const char *project, const char *service, struct err *err)
{
	auto_strs struct strs v = { 0 };

	strs_add(&v, "restart");
	strs_add(&v, "--no-deps");
	strs_add(&v, service);
	return ours(project, &v, !global.dry_run, err);
}

static int run_hook(const char *project, const struct rule *rule, struct err *err)
{
	const struct yaml_node *command = yaml_get(rule->exec, "command");
	const struct yaml_node *env = yaml_get(rule->exec, "environment");
	const struct yaml_node *privileged = yaml_get(rule->exec, "privileged");
	const char *user = yaml_str(yaml_get(rule->exec, "user"));
	const char *dir = yaml_str(yaml_get(rule->exec, "working_dir"));
	auto_arena struct arena a = { 0 };
	auto_strs struct strs v = { 0 };

	strs_add(&v, "exec");
	strs_add(&v, "--no-tty");
	strs_add(&v, "--interactive=false");
	if (user)
		strs_addf(&v, "--user=%s", user);
	if (dir)
		strs_addf(&v, "--workdir=%s", dir);
	if (privileged && privileged->type == YAML_BOOL && privileged->b)
		strs_add(&v, "--privileged");
	for (size_t i = 0; env && env->type == YAML_MAP && i < env->m.n; i++)
		if (env->m.v[i].value->type != YAML_NULL)
			strs_addf(&v, "--env=%s=%s", env->m.v[i].key,
				  yaml_text(&a, env->m.v[i].value));
	strs_add(&v, rule->service);
	for (size_t i = 0; command->type == YAML_LIST && i < command->m.n; i++)
		strs_add(&v, yaml_text(&a, command->m.v[i].value));
	return ours(project, &v, false, err);
}

/* ---- What a burst of changes leads to ---------------------------------------------------------- */
/* A service that is rebuilt has everything new: nothing else is done to it then. Each kind of thing
 * is done once, however many files have changed. */
static int serve(struct watch *w, const char *service, struct err *err)
{
	const char *project = w->project->name;
	char *const words[] = { (char *)(uintptr_t)service, NULL };
	unsigned what = 0;
	int r = 0;

	for (size_t i = 0; i < w->rules.n; i++)
		if (str_eq(w->rules.v[i].service, service) && w->rules.v[i].changed.n)
			what |= w->rules.v[i].what;
	if (what & DO_REBUILD) {
		tell("Rebuilding %s", service);
		return rebuild(project, words, err);
	}
	for (size_t i = 0; r == 0 && i < w->rules.n; i++)
		if (str_eq(w->rules.v[i].service, service) && w->rules.v[i].changed.n &&
		    (w->rules.v[i].what & DO_SYNC))
			r = sync_rule(project, &w->rules.v[i], err);
	if (r == 0 && (what & DO_RESTART)) {
		tell("Restarting %s", service);
		r = restart(project, service, err);
	}
	for (size_t i = 0; r == 0 && i < w->rules.n; i++)
		if (str_eq(w->rules.v[i].service, service) && w->rules.v[i].changed.n &&
		    (w->rules.v[i].what & DO_EXEC))
			r = run_hook(project, &w->rules.v[i], err);
	return r;
}

/* A failure is told, and the next change is another chance. */
static void serve_all(struct watch *w)
{
	for (size_t i = 0; i < w->project->n_services; i++) {
		auto_err struct err err = ERR_INIT;

		if (serve(w, w->project->services[i].name, &err) < 0)
			cmd_warn("%s: %s", w->project->services[i].name, err_text(&err));
	}
	for (size_t i = 0; i < w->rules.n; i++)
		strs_clear(&w->rules.v[i].changed);
}

static void note(struct watch *w, const char *path)
{
	for (size_t i = 0; i < w->rules.n; i++) {
		const char *rel = below(&w->rules.v[i], path);

		if (rel && wanted(&w->rules.v[i], rel) && is_built(&w->rules.v[i], path))
			strs_add(&w->rules.v[i].changed, rel);
	}
}

/* All files of a rule have changed. */
static void note_all(struct watch *w, const char *path, unsigned depth)
{
	enum { DEPTH_MAX = 100 };
	DIR *dir = depth > DEPTH_MAX || (depth && skip(w, path)) ? NULL : opendir(path);
	struct dirent *e;

	if (!dir && depth == 0)
		note(w, path);
	while (dir && (e = readdir(dir))) {
		auto_free char *in = path_join(path, e->d_name);
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    lstat(in, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			note_all(w, in, depth + 1);
		else
			note(w, in);
	}
	if (dir)
		(void)closedir(dir);
}

static void initial_sync(struct watch *w)
{
	for (size_t i = 0; i < w->rules.n; i++) {
		struct rule *rule = &w->rules.v[i];
		struct watch one = { .project = w->project };
		auto_err struct err err = ERR_INIT;

		if (!rule->initial || !(rule->what & DO_SYNC))
			continue;
		*vec_push(&one.rules) = *rule;
		note_all(&one, rule->path, 0);
		rule->changed = one.rules.v[0].changed;
		free(one.rules.v);
		if (rule->changed.n && sync_rule(w->project->name, rule, &err) < 0)
			cmd_warn("%s: %s", rule->service, err_text(&err));
		strs_clear(&rule->changed);
	}
}

static int watch_all(struct watch *w, struct err *err)
{
	struct changes *c = NULL;
	int r = changes_open(skip, w, &c, err);

	for (size_t i = 0; r == 0 && i < w->rules.n; i++)
		r = changes_add(c, w->rules.v[i].path, err);
	if (r == 0) {
		initial_sync(w);
		tell("Watch enabled");
	}
	while (r == 0 && !cmd_cancelled) {
		auto_strs struct strs paths = { 0 };
		bool lost;

		r = changes_wait(c, QUIET_MS, LONG_MS, &paths, &lost, err);
		for (size_t i = 0; r == 0 && lost && i < w->rules.n; i++)
			note_all(w, w->rules.v[i].path, 0);
		for (size_t i = 0; r == 0 && !lost && i < paths.n; i++)
			note(w, paths.v[i]);
		if (r == 0)
			serve_all(w);
	}
	changes_close(c);
	return r < 0 ? r : -EINTR;
}

/* ---- Beside `up` ------------------------------------------------------------------------------- */
int watch_check(struct project *p, char *const *services, struct err *err)
{
	struct watch w = { .project = p };
	int r = read_rules(&w, services, err);

	free_rules(&w);
	return r;
}

int watch_beside(const struct project *p, char *const *services, bool quiet, pid_t *out,
		 struct err *err)
{
	auto_strs struct strs v = { 0 };
	pid_t pid;

	global_words(p->name, &v);
	strs_add(&v, "watch");
	strs_add(&v, "--no-up");
	if (quiet)
		strs_add(&v, "--quiet");
	for (size_t i = 0; services && services[i]; i++)
		strs_add(&v, services[i]);
	pid = fork();
	if (pid < 0)
		return err_errno(err, "fork");
	if (pid == 0) {
		execv(v.v[0], v.v);
		_exit(127);
	}
	*out = pid;
	return 0;
}

void watch_end(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int run(int argc, char **argv, struct err *err)
{
	struct watch w = { 0 };
	struct cmd_load how = { .services = argv };
	int r = geteuid() == 0 ? 0 : err_set(err, EPERM, "watch needs root: run it with sudo");

	(void)argc;
	if (r == 0)
		r = cmd_load_project_with(&how, &w.project, err);
	if (r == 0)
		r = cmd_check_services(argv, w.project, NULL, err);
	if (r == 0)
		r = read_rules(&w, argv, err);
	if (r == 0 && !arg.no_up)
		r = up(w.project->name, argv, true, err);
	cmd_catch_interrupts();
	if (r == 0)
		r = watch_all(&w, err);
	free_rules(&w);
	project_free(w.project);
	return r;
}

const struct cmd cmd_watch = {
	.name = "watch",
	.summary = "Bring files that change to the services: sync, rebuild, restart, exec",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
