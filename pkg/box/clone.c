/* clone.c - a new process in new namespaces; see private.h */
#include "private.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t clone_namespaces(const struct box_spec *spec)
{
	uint64_t flags = CLONE_NEWNS;

	if (!spec->uts_host)
		flags |= CLONE_NEWUTS;
	if (spec->ipc == BOX_OWN)
		flags |= CLONE_NEWIPC;
	if (spec->pid == BOX_OWN)
		flags |= CLONE_NEWPID;
	if (spec->net == BOX_NET_NEW || spec->net == BOX_NET_NONE)
		flags |= CLONE_NEWNET;
	return flags;
}

pid_t clone_child(uint64_t flags, int v2_dirfd, bool sibling, int *pidfd)
{
	struct clone_args args = { .flags = flags | CLONE_PIDFD,
				   .pidfd = (uint64_t)(uintptr_t)pidfd,
				   .exit_signal = sibling ? 0 : SIGCHLD };
	pid_t pid;

	if (sibling)
		args.flags |= CLONE_PARENT;
	if (v2_dirfd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)v2_dirfd;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	return pid < 0 ? -errno : pid;
}
