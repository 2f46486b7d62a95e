/* child.c - the first process of a container, from the clone to child_become(); see private.h */
#include "private.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

/* All descriptors that the child still needs; everything else of ours is closed at once. */
static void keep_only(const struct setup *s)
{
	const struct box_spec *spec = s->spec;
	const struct box_process *p = &spec->process;
	size_t n = 0, max = spec->n_mounts + p->n_tasks + 16;
	int *keep = xcalloc(max, sizeof(*keep));

	keep[n++] = s->ctl;
	keep[n++] = s->init_fd;
	keep[n++] = s->null_fd;
	keep[n++] = p->stdin_fd;
	keep[n++] = p->stdout_fd;
	keep[n++] = p->stderr_fd;
	keep[n++] = spec->root_fd;
	keep[n++] = s->dev_fd;
	keep[n++] = s->shm_fd;
	keep[n++] = s->runner;
	for (size_t i = 0; i < spec->n_mounts; i++)
		keep[n++] = spec->mounts[i].fd;
	for (size_t i = 0; i < p->n_tasks; i++)
		keep[n++] = p->tasks_fds[i];
	child_prepare(keep, n);
}

static void names(const struct setup *s)
{
	const struct box_spec *spec = s->spec;

	if (spec->uts_host)
		return;
	if (spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		child_fail(s->ctl, -errno, "set the hostname '%s'", spec->hostname);
	if (spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		child_fail(s->ctl, -errno, "set the domain name '%s'", spec->domainname);
}

void child_main(struct setup *s)
{
	const struct box_spec *spec = s->spec;
	struct child_tty tty = { -1, -1 };
	struct become b;
	int r;

	keep_only(s);
	child_await(s->ctl, CTL_GO);
	r = child_join(spec->process.tasks_fds, spec->process.n_tasks);
	if (r < 0)
		child_fail(s->ctl, r, "join the control group");
	for (size_t i = 0; i < spec->process.n_tasks; i++)
		(void)close(spec->process.tasks_fds[i]);
	child_keyring(s->ctl, spec->process.label);
	if (spec->uid_base)
		child_become_root(s->ctl);
	/* The kernel gave /dev/mqueue to the user that made the namespace, the host's root: only its
	 * owner may give it a label. */
	if (spec->uid_base && spec->file_label && spec->ipc == BOX_OWN && unshare(CLONE_NEWIPC) < 0)
		child_fail(s->ctl, -errno, "make an IPC namespace");
	if (!spec->cgroup_host && unshare(CLONE_NEWCGROUP) < 0)
		child_fail(s->ctl, -errno, "make a cgroup namespace");
	names(s);
	child_mounts(s, &tty);
	if (spec->process.tty) {
		struct frame f = { .type = FRAME_TTY };

		r = frame_send(s->ctl, &f, tty.master);
		if (r < 0)
			child_fail(s->ctl, r, "hand over the terminal");
		(void)close(tty.master);
	}
	b = (struct become){
		.p = &spec->process,
		.ctl = s->ctl,
		.null_fd = s->null_fd,
		.init_fd = s->init_fd,
		.init = spec->init,
		.labelled = s->labelled_init,
		.container = true,
		.tty = tty,
	};
	child_become(&b);
}
