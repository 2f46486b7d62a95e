/* cmd_watch.c - ctrcompose watch: files that change on this host are brought to the services. */
#include "images/store.h"
#include "stack/online.h"
#include "watch/changes.h"
#include "watch/watch_rules.h"
#include "watch/watching.h"

#include <ctrcompose/json.h>
#include <dirent.h>
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
		watch_tell("Rebuilding %s", service);
		return rebuild(project, words, err);
	}
	for (size_t i = 0; r == 0 && i < w->rules.n; i++)
		if (str_eq(w->rules.v[i].service, service) && w->rules.v[i].changed.n &&
		    (w->rules.v[i].what & DO_SYNC))
			r = watch_sync(project, &w->rules.v[i], err);
	if (r == 0 && (what & DO_RESTART)) {
		watch_tell("Restarting %s", service);
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
		const char *rel = watch_rule_below(&w->rules.v[i], path);

		if (rel && watch_rule_wants(&w->rules.v[i], rel) &&
		    watch_rule_builds(&w->rules.v[i], path))
			strs_add(&w->rules.v[i].changed, rel);
	}
}

/* All files of a rule have changed. */
static void note_all(struct watch *w, const char *path, unsigned depth)
{
	enum { DEPTH_MAX = 100 };
	DIR *dir = depth > DEPTH_MAX || (depth && watch_skip(w, path)) ? NULL : opendir(path);
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
		if (rule->changed.n && watch_sync(w->project->name, rule, &err) < 0)
			cmd_warn("%s: %s", rule->service, err_text(&err));
		strs_clear(&rule->changed);
	}
}

static int watch_all(struct watch *w, struct err *err)
{
	struct changes *c = NULL;
	int r = changes_open(watch_skip, w, &c, err);

	for (size_t i = 0; r == 0 && i < w->rules.n; i++)
		r = changes_add(c, w->rules.v[i].path, err);
	if (r == 0) {
		initial_sync(w);
		watch_tell("Watch enabled");
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
	int r = watch_rules_read(&w, services, err);

	watch_rules_free(&w);
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
		r = watch_rules_read(&w, argv, err);
	if (r == 0 && !arg.no_up)
		r = up(w.project->name, argv, true, err);
	cmd_catch_interrupts();
	if (r == 0)
		r = watch_all(&w, err);
	watch_rules_free(&w);
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
