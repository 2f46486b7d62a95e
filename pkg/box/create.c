/* create.c - the parent's side of a new container; see box.h */
#include "private.h"

#include <ctrcompose/selinux.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

extern const char box_init_start[];
extern const uint64_t box_init_size;

/* ---- Made once per process -------------------------------------------------------------------- */
int host_null(struct err *err)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd < 0 ? err_errno(err, "open /dev/null") : fd;
}

static const struct hiers *host_hiers(void)
{
	static struct hiers h;
	static bool done;
	auto_free char *text = NULL;

	if (!done && file_read(AT_FDCWD, "/proc/self/cgroup", 1 << 16, &text, NULL) == 0)
		hiers_parse(text, &h);
	done = true;
	return &h;
}

/* The init as a sealed memory file: no path leads to it and nobody can write it. */
static int make_init(struct err *err)
{
	auto_close int fd = memfd_create("init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_errno(err, "make a memory file for the init");
	if (fd_write_all(fd, box_init_start, box_init_size) < 0 || fchmod(fd, 0555) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_errno(err, "write the init");
	return steal_fd(&fd);
}

int init_file(struct err *err)
{
	static int kept = -1;

	if (kept < 0)
		kept = make_init(err);
	return kept;
}

int init_file_labelled(const char *label)
{
	static char *kept_label;
	static int kept = -1;
	auto_free char *shared = selinux_shared(label);

	if (!shared || (kept >= 0 && str_eq(shared, kept_label)))
		return shared ? kept : -1;
	auto_close_fn(&kept);
	free(kept_label);
	kept_label = steal(shared);
	kept = make_init(NULL);
	if (kept >= 0 && selinux_label_fd(kept, kept_label) < 0) {
		(void)close(kept);
		kept = -1;
	}
	return kept;
}

/* ---- The process ------------------------------------------------------------------------------ */
static int start_own(struct setup *s, struct box *out, struct err *err)
{
	const struct box_process *p = &s->spec->process;
	uint64_t flags = clone_namespaces(s->spec) | (s->spec->uid_base ? CLONE_NEWUSER : 0);
	pid_t pid = clone_child(flags, p->v2_dirfd, p->clone_parent, &out->pidfd);

	if (pid < 0)
		return err_wrap(err, pid, "make the container's process");
	if (pid == 0)
		child_main(s);
	out->pid = pid;
	return 0;
}

static int open_netns(struct box *out, struct err *err)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)out->pid);
	out->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	return out->netns_fd < 0 ? err_errno(err, "open the container's network namespace") : 0;
}

static int dress(const struct box_spec *spec, bool new_user, struct box *out, struct err *err)
{
	char go = CTL_GO;
	int r = new_user ? dress_maps(spec, out->pid, err) : 0;

	if (r == 0)
		r = dress_limits(spec, out->pid, err);
	if (r == 0)
		r = dress_oom(spec, out->pid, err);
	if (r == 0 && spec->net == BOX_NET_NEW)
		r = open_netns(out, err);
	if (r < 0)
		return r;
	if (send(out->ctl_fd, &go, 1, MSG_NOSIGNAL) != 1 && errno != EPIPE)
		return err_errno(err, "tell the container's process to go on");
	return 0; /* one that ended already has said why: box_read_status() */
}

/* Half-made: ends it. Its parent reaps it, which may be us. */
static void give_up(const struct box_spec *spec, struct box *out)
{
	if (out->pidfd >= 0)
		(void)pidfd_kill(out->pidfd, SIGKILL);
	while (out->pid > 0 && !spec->process.clone_parent && waitpid(out->pid, NULL, __WALL) < 0 &&
	       errno == EINTR)
		;
	out->pid = 0;
	box_close(out);
}

static int check(const struct box_spec *spec, struct err *err)
{
	if (!spec->process.argv || !spec->process.argv[0])
		return err_set(err, EINVAL, "a container needs a command");
	if (hooks_refused(spec))
		return err_set(err, EPERM, "%s", hooks_refused(spec));
	if (spec->process.apparmor && spec->process.label)
		return err_set(err, EINVAL, "a kernel has AppArmor or SELinux, not both");
	for (size_t i = 0; i < spec->n_sysctls; i++) {
		const char *why = sysctl_refused(spec, spec->sysctls[i].key);

		if (why)
			return err_set(err, EPERM, "sysctl '%s' %s", spec->sysctls[i].key, why);
	}
	return 0;
}

static int start(struct setup *s, struct box *out, struct err *err)
{
	struct joining j;
	int r = joining_open(s->spec, &j, err);

	if (r < 0)
		return r;
	r = hooks_runner_start(s, err);
	if (r == 0)
		r = joins(s->spec) ? joining_start(s, &j, out, err) : start_own(s, out, err);
	if (r == 0)
		r = hooks_runner_tell(s, out->pid, err);
	if (r == 0)
		r = dress(s->spec, j.new_user, out, err);
	auto_close_fn(&j.user_fd);
	if (r < 0)
		give_up(s->spec, out);
	return r;
}

/* What stays as PID 1 has the label of the program, where the policy lets files have it that may
 * begin such a program; else it is of our own domain. */
static void choose_init(struct setup *s)
{
	const struct box_spec *spec = s->spec;
	int fd = spec->init && spec->process.label && spec->file_label
			 ? init_file_labelled(spec->file_label)
			 : -1;

	s->labelled_init = fd >= 0;
	if (s->labelled_init)
		s->init_fd = fd;
}

static int supplies(struct setup *s, struct err *err)
{
	s->null_fd = host_null(err);
	if (s->null_fd < 0)
		return s->null_fd;
	s->init_fd = init_file(err);
	if (s->init_fd < 0)
		return s->init_fd;
	choose_init(s);
	s->dev_fd = dev_make(s->spec, err);
	return s->dev_fd < 0 ? s->dev_fd : dress_streams(&s->spec->process, s->spec->uid_base, err);
}

static int create(struct setup *s, struct box *out, struct err *err)
{
	int ctl[2], r = check(s->spec, err);

	if (r == 0)
		r = supplies(s, err);
	if (r < 0)
		return r;
	(void)snprintf(out->program, sizeof(out->program), "%s", s->spec->process.argv[0]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl) < 0)
		return err_errno(err, "make a socket pair");
	out->ctl_fd = ctl[0];
	s->ctl = ctl[1];
	return start(s, out, err);
}

int box_create(const struct box_spec *spec, struct box *out, struct err *err)
{
	auto_free size_t *order = xcalloc(spec->n_mounts + spec->n_files + 1, sizeof(*order));
	struct setup s = { .spec = spec,
			   .hiers = host_hiers(),
			   .order = order,
			   .ctl = -1,
			   .init_fd = -1,
			   .dev_fd = -1,
			   .shm_fd = -1,
			   .runner = -1 };
	int r;

	*out = (struct box)BOX_INIT;
	order_targets(spec, order);
	r = create(&s, out, err);
	auto_close_fn(&s.dev_fd);
	auto_close_fn(&s.ctl);
	auto_close_fn(&s.runner);
	return r;
}
