/* process.c - one more process in a running container: the part that `exec` and probes share */
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int unit_process(struct arena *a, const struct unit *u, bool privileged, struct box_process *p,
		 struct err *err)
{
	const struct service *svc = u->svc;
	const struct image *img = u->image;
	int r = box_caps_from(svc->cap_add.v, svc->cap_add.n, svc->cap_drop.v, svc->cap_drop.n,
			      svc->privileged || privileged, &p->caps, err);

	if (r < 0)
		return r;
	p->env = unit_env(a, svc, img,
			  svc->hostname ? svc->hostname : arena_strndup(a, u->c->id, 12));
	p->cwd = svc->working_dir ? svc->working_dir : img->working_dir;
	p->user = svc->user ? svc->user : img->user;
	p->groups = svc->group_add.v;
	p->n_groups = svc->group_add.n;
	r = unit_seccomp(svc, svc->privileged || privileged, p, err);
	if (r < 0)
		return r;
	p->no_new_privs = svc->no_new_privs;
	p->label = unit_process_label(u);
	return unit_apparmor(svc, p, err);
}

const char *const *unit_env_more(struct arena *a, const char *const *env, const char *const *more,
				 size_t n_more)
{
	size_t n = 0;
	const char **out;

	while (env[n])
		n++;
	out = arena_array(a, n + n_more + 1, sizeof(*out));
	memcpy(out, env, n * sizeof(*out));
	for (size_t i = 0; i < n_more; i++) {
		size_t key = strcspn(more[i], "=") + 1, k = 0;

		while (k < n && strncmp(out[k], more[i], key) != 0)
			k++;
		out[k] = more[i];
		n += k == n;
	}
	out[n] = NULL;
	return out;
}

int engine_exec(const struct state_paths *paths, struct state_project *state,
		struct state_container *c, const struct engine_exec *x, struct box *out,
		struct err *err)
{
	struct box_exec_spec spec = BOX_EXEC_INIT;
	auto_arena struct arena a = { 0 };
	struct engine *e = NULL;
	struct unit *u = NULL;
	auto_free char *group = NULL;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_close int pidfd = pidfd_open_pid(c->pid);
	uint64_t start = 0;
	int r;

	/* By pidfd and start time: the pid alone may be somebody else's by now. */
	if (pidfd < 0 || proc_start_time(c->pid, &start) < 0 || start != c->start_time)
		return err_set(err, ESRCH, "container %s is not running", c->name);
	r = engine_peek(paths, state, c, &e, &u, err);
	if (r == 0)
		r = unit_process(&a, u, x->privileged, &spec.process, err);
	if (r == 0)
		unit_cdi_join(&a, u, LOG_WARN, &spec.process);
	if (r == 0) {
		group = unit_cgroup(u);
		r = cgroup_open(e->cgroups, group, &cg, err);
	}
	if (r == 0) {
		spec.pid = c->pid;
		spec.pidfd = pidfd;
		spec.process.argv = x->argv;
		spec.process.env = unit_env_more(&a, spec.process.env,
						 (const char *const *)x->env.v, x->env.n);
		spec.process.cwd = x->cwd ? x->cwd : spec.process.cwd;
		spec.process.user = x->user ? x->user : spec.process.user;
		spec.process.tty = x->tty;
		spec.process.stdin_fd = x->fds[0];
		spec.process.stdout_fd = x->fds[1];
		spec.process.stderr_fd = x->fds[2];
		spec.process.tasks_fds = cg.tasks_fds;
		spec.process.n_tasks = cg.n_tasks;
		spec.process.v2_dirfd = cg.v2_dirfd;
		r = box_exec(&spec, out, err);
	}
	engine_unit_free(u);
	engine_close(e);
	return r;
}
