/* become.c - from root in the container to the program: streams, identity, exec; see private.h
 *
 * Runs after the mounts of a container, and in every exec. Everything here is between clone and
 * execve of a single-threaded process.
 */
#include "private.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PASSWD_MAX = 4 << 20, CAP_LAST_TRIED = 63 };

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void child_prepare(int *keep, size_t n)
{
	unsigned next = 0;
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)umask(0); /* modes are exact while the mounts are made */
	qsort(keep, n, sizeof(*keep), by_value);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned)keep[i] > next)
			(void)syscall(SYS_close_range, next, (unsigned)keep[i] - 1, 0);
		if ((unsigned)keep[i] >= next)
			next = (unsigned)keep[i] + 1;
	}
	(void)syscall(SYS_close_range, next, ~0U, 0);
}

int child_join(const int *tasks_fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (write(tasks_fds[i], "0", 1) != 1)
			return -errno;
	return 0;
}

/* Where the policy does not let us make keys of that label, the keyring has ours: the program can't
 * use it then, which is what it is for. */
void child_keyring(int ctl, const char *label)
{
	static const char attr[] = "/proc/thread-self/attr/keycreate";

	if (label && file_put(AT_FDCWD, attr, label) == 0) {
		if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) >= 0)
			return;
		(void)file_put(AT_FDCWD, attr, "\n");
	}
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 && errno != ENOSYS)
		child_fail(ctl, -errno, "a keyring of its own");
}

void child_become_root(int ctl)
{
	static const gid_t none[1];

	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0 ||
	    syscall(SYS_setgroups, 0, none) < 0)
		child_fail(ctl, -errno, "become root in the user namespace");
	(void)prctl(PR_SET_DUMPABLE, 0); /* the change of user may have reset it */
}

/* ---- Streams ---------------------------------------------------------------------------------- */
/* Above 2, so that putting 0, 1 and 2 in place never runs over a source. */
static int lifted(const struct become *b, int fd)
{
	int copy = fcntl(fd < 0 ? b->null_fd : fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		child_fail(b->ctl, -errno, "standard streams");
	return copy;
}

static void streams(const struct become *b)
{
	const struct box_process *p = b->p;
	bool tty = p->tty;
	int from[3] = { lifted(b, tty ? b->tty.slave : p->stdin_fd),
			lifted(b, tty ? b->tty.slave : p->stdout_fd),
			lifted(b, tty ? b->tty.slave : p->stderr_fd) };

	for (int i = 0; i < 3; i++) {
		if (dup2(from[i], i) < 0)
			child_fail(b->ctl, -errno, "standard streams");
		(void)close(from[i]);
	}
	if (setsid() < 0 && errno != EPERM)
		child_fail(b->ctl, -errno, "a session of its own");
	if (tty && !b->init && ioctl(0, TIOCSCTTY, 0) < 0)
		child_fail(b->ctl, -errno, "make the terminal the controlling one");
}

/* The terminal and root's pipes become the user's, so that /dev/stdout can be opened. */
static void give_streams(const struct become *b, uid_t uid)
{
	for (int i = 0; i < 3; i++) {
		struct stat st;

		if (b->p->tty ? i > 0
			      : fstat(i, &st) < 0 || !S_ISFIFO(st.st_mode) || st.st_uid != 0)
			continue;
		if (uid != 0 && fchown(i, uid, (gid_t)-1) < 0 && b->p->tty)
			child_fail(b->ctl, -errno, "give the terminal to user %u", uid);
	}
}

/* ---- Identity --------------------------------------------------------------------------------- */
/* A file of the image: never waits for a FIFO, never reads a device, never follows a link of proc
 * to one of our descriptors. */
static char *image_file(const char *path, size_t *len)
{
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int fd = path_open_in(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;
	char *text;
	ssize_t n;

	*len = 0;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > PASSWD_MAX)
		return NULL;
	text = xmalloc((size_t)st.st_size + 1);
	n = fd_read_full(fd, text, (size_t)st.st_size);
	if (n < 0)
		n = 0;
	text[n] = '\0';
	*len = (size_t)n;
	return text;
}

static void who(const struct become *b, struct box_user *out)
{
	const struct box_process *p = b->p;
	size_t passwd_len, group_len;
	char *passwd = image_file("/etc/passwd", &passwd_len);
	char *group = image_file("/etc/group", &group_len);
	char why[160] = "";

	if (box_user_resolve(p->user ? p->user : "", p->groups, p->n_groups, passwd, passwd_len,
			     group, group_len, out, why) < 0)
		child_fail(b->ctl, 0, "%s", why);
	free(passwd);
	free(group);
}

static void limit_bounding(const struct become *b)
{
	for (unsigned cap = 0; cap < CAP_LAST_TRIED; cap++) {
		if (b->p->caps >> cap & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* past the last one the kernel knows */
			return;
		child_fail(b->ctl, -errno, "drop %s", box_cap_name(cap) ?: "a capability");
	}
}

/* Inheritable is always empty, and ambient with it. */
static void set_caps(const struct become *b, uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)caps, .permitted = (uint32_t)caps },
		{ .effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32) },
	};

	if (syscall(SYS_capset, &head, data) < 0)
		child_fail(b->ctl, -errno, "set the capabilities");
}

static void filter(const struct become *b)
{
	int r = b->p->seccomp ? seccomp_apply(b->p->seccomp) : 0;

	if (r < 0)
		child_fail(b->ctl, r, "load the system call filter");
}

static void identity(const struct become *b, const struct box_user *u)
{
	/* What the kernel knows and is not dropped below. */
	uint64_t all = box_caps_all();

	limit_bounding(b);
	if (syscall(SYS_setgroups, u->n_groups, u->groups) < 0)
		child_fail(b->ctl, -errno, "set the groups");
	if (syscall(SYS_setresgid, u->gid, u->gid, u->gid) < 0)
		child_fail(b->ctl, -errno, "become group %u", u->gid);
	/* Without no_new_privs the filter needs CAP_SYS_ADMIN, so it comes before that goes. */
	if (!b->p->no_new_privs)
		filter(b);
	if (syscall(SYS_setresuid, u->uid, u->uid, u->uid) < 0)
		child_fail(b->ctl, -errno, "become user %u", u->uid);
	set_caps(b, u->uid == 0 ? all & b->p->caps : 0);
	(void)prctl(PR_SET_DUMPABLE, 0); /* the change of user may have reset it */
	if (b->p->no_new_privs) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			child_fail(b->ctl, -errno, "set no_new_privs");
		filter(b);
	}
}

/* ---- Program ---------------------------------------------------------------------------------- */
/* As the init does it for what it starts. */
static void take_label(const struct become *b, int proc_fd)
{
	struct open_how how = { .flags = O_WRONLY | O_CLOEXEC,
				.resolve =
					RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, proc_fd, "thread-self/attr/exec", &how, sizeof(how));

	if (fd < 0 || write(fd, b->p->label, strlen(b->p->label)) < 0)
		child_fail(b->ctl, -errno, "take the SELinux label");
	(void)close(fd);
}

static void run(const struct become *b, int proc_fd, const char *file, const char *const *env)
	__attribute__((noreturn));
static void run(const struct become *b, int proc_fd, const char *file, const char *const *env)
{
	const struct box_process *p = b->p;
	struct frame f = { .type = FRAME_EXEC };
	bool asks = p->apparmor || (p->label && !b->labelled);
	char number[12], proc[12] = "";
	const char **argv;
	size_t n = 0;

	while (p->argv[n])
		n++;
	argv = xcalloc(n + 7, sizeof(*argv));
	(void)snprintf(number, sizeof(number), "%d", b->ctl);
	if (asks)
		(void)snprintf(proc, sizeof(proc), "%d", proc_fd);
	argv[0] = b->init ? "init" : "exec";
	argv[1] = number;
	argv[2] = proc;
	argv[3] = p->label ? "thread-self/attr/exec" : "thread-self/attr/apparmor/exec";
	argv[4] = p->label ? p->label : p->apparmor ? xasprintf("exec %s", p->apparmor) : "";
	argv[5] = file;
	memcpy(argv + 6, p->argv, n * sizeof(*argv));
	(void)snprintf(f.text, sizeof(f.text), "%s", p->argv[0]);
	(void)frame_send(b->ctl, &f, -1);
	/* All of ours are already; this is for what a library or a caller forgot. */
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		child_fail(b->ctl, -errno, "mark descriptors close-on-exec");
	(void)fcntl(b->ctl, F_SETFD, 0);
	if (asks)
		(void)fcntl(proc_fd, F_SETFD, 0);
	if (b->labelled)
		take_label(b, proc_fd);
	(void)syscall(SYS_execveat, b->init_fd, "", argv, env, AT_EMPTY_PATH);
	child_fail(b->ctl, -errno, "start the init");
}

void child_become(const struct become *b)
{
	const struct box_process *p = b->p;
	struct box_user user;
	const char **env;
	int r, proc_fd;

	(void)umask(022);
	streams(b);
	proc_fd = p->apparmor || p->label ? child_proc(b->ctl) : -1;
	/* As root first: it is made when missing. Some folders only their user may enter. */
	r = cwd_enter(p->cwd);
	if (r < 0 && r != -EACCES)
		child_fail(b->ctl, r, "enter the working folder '%s'", p->cwd);
	who(b, &user);
	give_streams(b, user.uid);
	env = program_env(p, user.home);
	if (b->container)
		child_await(b->ctl, CTL_RELEASE);
	identity(b, &user);
	if (r < 0)
		r = cwd_enter(p->cwd);
	if (r < 0)
		child_fail(b->ctl, r, "enter the working folder '%s'", p->cwd);
	run(b, proc_fd, program_look_up(b->ctl, p), env);
}
