/* probe.c - one run of a container's health check; see engine.h */
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

int engine_probe_start(struct unit *u, struct probe *out, struct err *err)
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
		r = unit_process(&arena, u->svc, u->image, u->c->id, false, &spec.process, err);
	if (r < 0)
		return r;
	spec.pid = u->c->pid;
	spec.pidfd = u->pidfd;
	spec.process.argv = probe_argv(&arena, &u->health.test);
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

void engine_probe_kill(struct probe *p)
{
	if (p->pidfd >= 0)
		(void)pidfd_kill(p->pidfd, SIGKILL);
}
