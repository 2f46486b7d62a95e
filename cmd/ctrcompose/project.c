/* project.c - from the global options to a project and its record. */
#include "cmd.h"

#include <ctrcompose/box.h>
#include <ctrcompose/cgroup.h>
#include <ctrcompose/daemon.h>
#include <ctrcompose/selinux.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct list borrow(struct arena *a, const struct strs *from)
{
	struct list l = { .v = arena_array(a, from->n + 1, sizeof(*l.v)), .n = from->n };

	for (size_t i = 0; i < from->n; i++)
		l.v[i] = from->v[i];
	return l;
}

static struct list borrow_words(struct arena *a, char *const *words)
{
	struct list l = { 0 };

	while (words && words[l.n])
		l.n++;
	l.v = arena_array(a, l.n + 1, sizeof(*l.v));
	for (size_t i = 0; i < l.n; i++)
		l.v[i] = words[i];
	return l;
}

void cmd_compose_options(struct arena *a, const struct cmd_load *how, struct compose_options *out)
{
	static const struct cmd_load plain;

	if (!how)
		how = &plain;
	*out = (struct compose_options){
		.files = borrow(a, &global.files),
		.env_files = borrow(a, &global.env_files),
		.profiles = borrow(a, &global.profiles),
		.services = borrow_words(a, how->services),
		.project_dir = global.project_dir,
		.project_name = global.project_name,
		.environ = (const char *const *)environ,
		.no_interpolate = how->no_interpolate,
		.no_path_resolution = how->no_path_resolution,
		.no_env_resolution = how->no_env_resolution,
		.no_consistency = how->no_consistency,
		.no_normalize = how->no_normalize,
		.no_identity = how->no_identity,
		.all_resources = global.all_resources,
		.compatibility = global.compatibility,
		.only_services = how->only_services,
	};
	if (how->all_profiles) {
		out->profiles.v = arena_array(a, 1, sizeof(*out->profiles.v));
		out->profiles.v[0] = "*";
		out->profiles.n = 1;
	}
}

int cmd_load_failed(int r)
{
	if (r == -ENOENT)
		cmd_exit_with(EXIT_NO_FILE);
	else if (r == -EINVAL || r == -E2BIG)
		cmd_exit_with(EXIT_BAD_FILE);
	return r;
}

static int load(const struct cmd_load *how, struct project **out, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_diags struct compose_diags diags = { 0 };
	struct compose_options opt;
	int r;

	cmd_compose_options(&a, how, &opt);
	r = compose_load(&opt, out, &diags, err);
	for (size_t i = 0; !(how && how->quiet) && i < diags.warnings.n; i++)
		cmd_warn("%s", diags.warnings.v[i]);
	return r;
}

int cmd_load_project_with(const struct cmd_load *how, struct project **out, struct err *err)
{
	int r = load(how, out, err);

	return r < 0 ? cmd_load_failed(r) : r;
}

int cmd_load_project(struct project **out, struct err *err)
{
	return cmd_load_project_with(NULL, out, err);
}

static int given_name(const char *name, char **out, struct err *err)
{
	if (!state_project_name_ok(name)) {
		cmd_exit_with(EXIT_BAD_FILE);
		return err_set(err, -EINVAL,
			       "invalid project name '%s': it must consist only of a-z 0-9 _ - and "
			       "start with a letter or a digit",
			       name);
	}
	*out = xstrdup(name);
	return 0;
}

int cmd_find_project(char **name, struct project **out, struct err *err)
{
	static const struct cmd_load how = { .all_profiles = true };
	const char *env = getenv("COMPOSE_PROJECT_NAME");
	struct project *p = NULL;
	int r;

	*out = NULL;
	if (global.project_name && global.project_name[0] && global.files.n == 0)
		return given_name(global.project_name, name, err);
	r = load(&how, &p, err);
	if (r == -ENOENT && global.files.n == 0 && env && env[0]) {
		err_clear(err);
		return given_name(env, name, err);
	}
	if (r < 0)
		return cmd_load_failed(r);
	*name = xstrdup(p->name);
	*out = p;
	return 0;
}

int cmd_project_name(char **name, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct compose_options opt;
	int r;

	cmd_compose_options(&a, NULL, &opt);
	r = compose_project_name(&opt, name, err);
	return r < 0 ? cmd_load_failed(r) : r;
}

/* *stale: a container that runs by the record has ended. */
static int load_state_once(const struct state_paths *paths, const char *name, bool *stale,
			   struct state_project **out, struct err *err)
{
	auto_state struct state_project *s = NULL;
	auto_err struct err why = ERR_INIT;
	int r = state_load(paths, name, &s, &why);
	size_t ended = 0;

	if (r == -ENOENT) {
		*out = state_new(name);
		return 0;
	}
	if (r < 0)
		return err_set(err, r, "%s", err_text(&why));
	r = state_refresh(paths, s, &ended, err);
	if (r < 0)
		return r;
	*stale = ended > 0;
	*out = steal(s);
	return 0;
}

enum { RECORD_LOOKS = 50, RECORD_PAUSE_US = 10000 };

/* Why one ended that was there a moment ago, and whether it starts again, the supervisor writes down. */
int cmd_load_state(const struct state_paths *paths, const char *name, struct state_project **out,
		   struct err *err)
{
	*out = NULL;
	for (int i = 0;; i++) {
		bool stale = false;
		int r;

		state_free(steal(*out));
		r = load_state_once(paths, name, &stale, out, err);
		if (r < 0 || !stale || i == RECORD_LOOKS || !daemon_lives(paths, name))
			return r;
		(void)usleep(RECORD_PAUSE_US);
	}
}

int cmd_each_container(bool refresh, cmd_container_fn *fn, void *arg, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_strs struct strs names = { 0 };
	int r = state_paths_open(&paths, err);

	if (r == 0)
		r = state_list_projects(&paths, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_state struct state_project *p = NULL;

		r = refresh ? cmd_load_state(&paths, names.v[i], &p, err)
			    : state_load(&paths, names.v[i], &p, err);
		for (size_t k = 0; r == 0 && k < p->containers.n; k++)
			fn(p->containers.v[k], arg);
	}
	return r;
}

static void add_once(struct strs *l, const char *s)
{
	if (s && !strs_has(l, s))
		strs_add(l, s);
}

/* Read once: a command checks one project. */
static const struct cdi *specs(void)
{
	static struct cdi *c;

	if (!c)
		c = cdi_load();
	return c;
}

static int check_cgroup_parent(const char *name, struct err *err)
{
	auto_free char *path = NULL;
	bool slice;

	return cgroup_parent_path(name, cgroup_systemd(), &path, &slice, err);
}

static int check_relabel(const char *path, struct err *err)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };
	const char *why = path ? selinux_relabel_refused(path, getenv("HOME")) : NULL;

	if (why)
		return err_set(err, EPERM, "SELinux labels of %s are not changed: %s", path, why);
	return selinux_defaults(&d, err);
}

int cmd_check_runs(const struct project *p, struct err *err)
{
	bool selinux = selinux_enabled();
	const struct compose_host host = { .label = selinux ? selinux_check_options : NULL,
					   .relabel = selinux ? check_relabel : NULL,
					   .apparmor = box_apparmor_check,
					   .cdi = specs,
					   .cgroup_parent = check_cgroup_parent };
	int r = compose_check_supported(p, err);

	if (r == 0)
		r = compose_check_host(p, &host, err);
	if (r < 0)
		cmd_exit_with(EXIT_BAD_FILE);
	return r;
}

int cmd_check_services(char *const *words, const struct project *p, const struct state_project *s,
		       struct err *err)
{
	auto_strs struct strs known = { 0 };

	if (!words || !words[0])
		return 0;
	for (size_t i = 0; p && i < p->n_services; i++)
		add_once(&known, p->services[i].name);
	for (size_t i = 0; p && i < p->n_disabled; i++)
		add_once(&known, p->disabled[i].name);
	for (size_t i = 0; s && i < s->containers.n; i++)
		add_once(&known, s->containers.v[i]->service);
	for (size_t i = 0; words[i]; i++)
		if (!strs_has(&known, words[i]))
			return compose_no_service(words[i], &known, err);
	return 0;
}

bool cmd_wants(char *const *words, const char *service)
{
	if (!words || !words[0])
		return true;
	for (; *words; words++)
		if (str_eq(*words, service))
			return true;
	return false;
}
