/* keeper.c - waits for the family: reaps containers, writes down how each ended, and starts the
 * supervisor again when it dies.
 *
 * Containers are made with CLONE_PARENT, so they are the keeper's children as well; a SIGKILL of
 * the supervisor loses no exit code. The keeper holds no state but the flock that says "this
 * project is looked after", and both ends of the pair in which descriptors wait for the next
 * supervisor (fdstore.h). See docs/design/keeper.md.
 */
#include "private.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct keeper {
	struct supervisor_args args;
	int exits_fd, wake_write;
	pid_t supervisor;
	uint64_t started_us;
	unsigned quick_deaths;
};

enum { QUICK_US = 2000000 };

static void start_supervisor(struct keeper *k)
{
	pid_t pid;

	k->started_us = now_mono_us();
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, "ctrcompose-sup");
		proc_title("ctrcompose: supervisor of %s", k->args.project);
		(void)close(k->wake_write);
		(void)close(k->exits_fd);
		_exit(supervisor_main(&k->args));
	}
	k->supervisor = pid;
	if (k->args.ready_fd >= 0) {
		(void)close(k->args.ready_fd);
		k->args.ready_fd = -1;
	}
}

static void note_exit(struct keeper *k, const siginfo_t *info)
{
	struct state_exit e = { .pid = (uint64_t)info->si_pid, .real_ns = now_real_ns() };

	(void)proc_start_time(info->si_pid, &e.start_time);
	e.wait_status = info->si_code == CLD_EXITED ? (info->si_status & 0xff) << 8
						    : info->si_status & 0x7f;
	(void)state_exits_append(k->exits_fd, &e);
	(void)state_exits_trim(k->args.paths, k->args.project, &k->exits_fd);
	(void)!write(k->wake_write, "", 1);
}

static void rest(unsigned quick_deaths)
{
	if (quick_deaths > 0)
		(void)poll(NULL, 0, (int)(100U << (quick_deaths < 7 ? quick_deaths - 1 : 6)));
}

/* 0: go on; 1: the project is done. */
static int supervisor_ended(struct keeper *k, const siginfo_t *info)
{
	uint64_t lived = now_mono_us() - k->started_us;

	if (info->si_code == CLD_EXITED && info->si_status != SUPERVISOR_FAILED)
		return 1; /* it finished, or has told at its start why it can't work */
	k->quick_deaths = lived < QUICK_US ? k->quick_deaths + 1 : 0;
	log_line(LOG_WARN, "%s: the supervisor died, starting it again", k->args.project);
	for (;; k->quick_deaths++) {
		rest(k->quick_deaths);
		start_supervisor(k);
		if (k->supervisor >= 0)
			return 0;
		/* Too many processes, say: what runs still needs one, sooner or later. */
		log_line(LOG_ERROR, "%s: starting it: %s", k->args.project, strerror(errno));
	}
}

static int wait_for_all(struct keeper *k)
{
	for (;;) {
		siginfo_t info = { 0 };

		/* Look before reaping: the start time is only there while it is a zombie. */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | __WALL) < 0) {
			if (errno == EINTR)
				continue;
			return 0;
		}
		if (info.si_pid != k->supervisor)
			note_exit(k, &info);
		while (waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | __WALL) < 0 &&
		       errno == EINTR)
			;
		if (info.si_pid == k->supervisor && supervisor_ended(k, &info))
			return 0;
	}
}

/* Nothing of the command that started us may stay open or reach us. */
static int detach(const struct state_paths *paths, const char *project)
{
	auto_free char *dir = state_project_dir(paths, project);
	auto_free char *log = path_join(dir, LOG_FILE);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	sigset_t none;

	if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		return -errno;
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && sig != SIGCHLD)
			(void)signal(sig, SIG_DFL);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(022);
	return chdir("/") < 0 ? -errno : 0;
}

static void close_others(int a, int b)
{
	unsigned lo = (unsigned)(a < b ? a : b), hi = (unsigned)(a < b ? b : a);

	if (lo > 3)
		(void)syscall(SYS_close_range, 3, lo - 1, 0);
	if (hi > lo + 1)
		(void)syscall(SYS_close_range, lo + 1, hi - 1, 0);
	(void)syscall(SYS_close_range, hi + 1, ~0U, 0);
}

static int keeper_main(const struct state_paths *paths, const char *project, int lock, int ready)
{
	struct keeper k = { .args = { .paths = paths, .project = project }, .exits_fd = -1 };
	auto_err struct err err = ERR_INIT;
	int wake[2];

	if (detach(paths, project) < 0)
		return 1;
	close_others(lock, ready);
	(void)prctl(PR_SET_NAME, "ctrcompose-keep");
	proc_title("ctrcompose: keeper of %s",
		   project); /* not the command's, which may hold secrets */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return 1;
	if (fd_store_pair(k.args.store, &err) == 0)
		k.exits_fd = state_exits_open(paths, project, &err);
	if (k.exits_fd < 0) {
		(void)fd_write_all(ready, err_text(&err), strlen(err_text(&err)));
		return 1;
	}
	k.args.wake_fd = wake[0];
	k.wake_write = wake[1];
	k.args.ready_fd = ready;
	start_supervisor(&k);
	return k.supervisor < 0 ? 1 : wait_for_all(&k);
}

/* The flock of <run>/<project>/supervised: held by keeper and supervisor as long as one lives. */
static int try_family_lock(const char *path, int *out, struct err *err)
{
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat mine, there;

	if (fd < 0) /* ENOENT: the last family has just removed the folder */
		return errno == ENOENT ? -EAGAIN : err_errno(err, "open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_errno(err, "lock %s", path);
		return err_set(err, EBUSY, "%s is locked but nobody answers on the control socket",
			       path);
	}
	/* The last family may have removed the file on its way out: then this is a lock on nothing. */
	if (fstat(fd, &mine) < 0 || stat(path, &there) < 0 || mine.st_ino != there.st_ino)
		return -EAGAIN;
	*out = steal_fd(&fd);
	return 0;
}

bool daemon_lives(const struct state_paths *paths, const char *project)
{
	auto_free char *dir = state_run_dir(paths, project);
	auto_free char *path = path_join(dir, "supervised");
	auto_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int take_family_lock(const struct state_paths *paths, const char *project, int *out,
			    struct err *err)
{
	auto_free char *dir = state_run_dir(paths, project);
	auto_free char *path = path_join(dir, "supervised");
	int r;

	do {
		r = state_dirs_make(paths, project, err);
		if (r == 0)
			r = try_family_lock(path, out, err);
	} while (r == -EAGAIN);
	return r;
}

int keeper_start(const struct state_paths *paths, const char *project, struct err *err)
{
	auto_close int lock = -1;
	auto_free char *text = xcalloc(1, 4096);
	int ready[2], status;
	ssize_t n;
	pid_t pid;
	int r = take_family_lock(paths, project, &lock, err);

	if (r < 0)
		return r;
	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	pid = fork();
	if (pid == 0) {
		/* Twice, so that the keeper is nobody's child but init's. */
		if (setsid() < 0 || (pid = fork()) < 0)
			_exit(1);
		if (pid > 0)
			_exit(0);
		(void)close(ready[0]);
		_exit(keeper_main(paths, project, lock, ready[1]));
	}
	(void)close(ready[1]);
	if (pid < 0) {
		(void)close(ready[0]);
		return err_errno(err, "start the keeper of project %s", project);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	n = fd_read_full(ready[0], text, 4095);
	(void)close(ready[0]);
	if (n == 1 && text[0] == '\0')
		return 0;
	if (n > 0)
		return err_set(err, EIO, "%s", text);
	return err_set(err, EIO, "the supervisor of project %s ended at its start", project);
}

char *control_path(const struct state_paths *paths, const char *project)
{
	auto_free char *dir = state_run_dir(paths, project);

	return path_join(dir, "control.sock");
}
