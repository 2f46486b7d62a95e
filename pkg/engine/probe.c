/* probe.c - one run of a container's health check or of one of its hooks; see engine.h */
#include "private.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const *probe_argv(struct arena *a, const struct list *test)
{
	const char **v = arena_array(a, test->n + 4, sizeof(*v));
	size_t n = 0;

	if (test->n && strcmp(test->v[0], "CMD-SHELL") == 0) {
		v[n++] = "/bin/sh";
		v[n++] = "-c";
	}
	for (size_t i = 1; i < test->n; i++)
		v[n++] = test->v[i];
	return v;
}

/* "KEY=value" of a hook; what has no value stays as the container has it. */
static const char *const *hook_env(struct arena *a, const char *const *env,
				   const struct service_hook *hook)
{
	const char **v = arena_array(a, hook->environment.n + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < hook->environment.n; i++)
		if (hook->environment.v[i].value)
			v[n++] = arena_printf(a, "%s=%s", hook->environment.v[i].key,
					      hook->environment.v[i].value);
	return unit_env_more(a, env, v, n);
}

static const char *const *words(struct arena *a, const struct list *l)
{
	const char **v = arena_array(a, l->n + 1, sizeof(*v));

	for (size_t i = 0; i < l->n; i++)
		v[i] = l->v[i];
	return v;
}

/* hook NULL: the health check. */
static void what_to_run(struct arena *a, const struct unit *u, const struct service_hook *hook,
			struct box_process *p)
{
	if (!hook) {
		p->argv = probe_argv(a, &u->health.test);
		return;
	}
	p->argv = words(a, &hook->command);
	p->env = hook_env(a, p->env, hook);
	p->user = hook->user ? hook->user : p->user;
	p->cwd = hook->working_dir ? hook->working_dir : p->cwd;
}

static int start(struct unit *u, const struct service_hook *hook, struct probe *out,
		 struct err *err)
{
	struct box_exec_spec spec = BOX_EXEC_INIT;
	auto_arena struct arena arena = { 0 };
	auto_free char *path = unit_cgroup(u);
	auto_box struct box box = BOX_INIT;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_close int rd = -1, wr = -1;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	rd = fds[0];
	wr = fds[1];
	r = fd_nonblock(rd, true);
	if (r == 0)
		r = cgroup_open(u->engine->cgroups, path, &cg, err);
	if (r == 0)
		r = unit_process(&arena, u, hook && hook->privileged, &spec.process, err);
	if (r < 0)
		return r;
	unit_cdi_join(&arena, u, LOG_DEBUG, &spec.process); /* not said at each probe */
	spec.pid = u->c->pid;
	spec.pidfd = u->pidfd;
	what_to_run(&arena, u, hook, &spec.process);
	spec.process.stdout_fd = spec.process.stderr_fd = wr;
	spec.process.tasks_fds = cg.tasks_fds;
	spec.process.n_tasks = cg.n_tasks;
	spec.process.v2_dirfd = cg.v2_dirfd;
	r = box_exec(&spec, &box, err);
	if (r < 0)
		return r;
	out->pid = box.pid;
	out->pidfd = steal_fd(&box.pidfd);
	out->out_fd = steal_fd(&rd);
	return 0;
}

int engine_probe_start(struct unit *u, struct probe *out, struct err *err)
{
	return start(u, NULL, out, err);
}

int engine_hook_start(struct unit *u, const struct service_hook *hook, struct probe *out,
		      struct err *err)
{
	return start(u, hook, out, err);
}

void engine_probe_kill(struct probe *p)
{
	if (p->pidfd < 0)
		return;
	(void)pidfd_kill(p->pidfd, SIGKILL);
	(void)kill(-p->pid,
		   SIGKILL); /* what it has started: not yet reaped, its number is its own */
}
