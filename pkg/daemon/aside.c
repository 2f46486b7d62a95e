/* aside.c - what takes long is done by processes of their own, while the loop goes on: big trees are removed,
 * volumes are filled; see supervisor.h */
#include "supervisor.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILLERS = 4 }; /* at the same time */

static void forget(struct aside *a)
{
	loop_source_free(steal(a->src));
	auto_close_fn(&a->pidfd);
	a->pidfd = -1;
}

static void on_end(void *arg, const siginfo_t *info)
{
	struct aside *a = arg;

	(void)info;
	forget(a);
	if (a->ctr && a->ctr->run_due)
		ctr_run(a->ctr);
	job_advance(a->sup);
}

/* 0 in the new process, which calls _exit(); 1: it works; -errno. */
static int begin(struct aside *a, struct sup *s, const char *name)
{
	pid_t pid = fork();
	int r;

	if (pid == 0) {
		(void)prctl(PR_SET_NAME, name);
		proc_title("%s: for %s", name, s->args->project);
		return 0;
	}
	a->sup = s;
	a->pidfd = pid < 0 ? -errno : pidfd_open_pid(pid);
	r = a->pidfd < 0 ? a->pidfd : loop_child_add(s->loop, a->pidfd, on_end, a, &a->src, NULL);
	if (r == 0)
		return 1;
	aside_end(a);
	return r;
}

void aside_end(struct aside *a)
{
	if (a->pidfd >= 0) {
		(void)pidfd_kill(a->pidfd, SIGKILL);
		(void)waitid(P_PIDFD, (id_t)a->pidfd, &(siginfo_t){ 0 }, WEXITED);
	}
	forget(a);
}

/* ---- Removing --------------------------------------------------------------------------------- */
static void remove_all(const struct sup *s) __attribute__((noreturn));
static void remove_all(const struct sup *s)
{
	int r;

	/* It outlives us, and is not of the family: what that locks and listens on it has not. */
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	r = engine_empty_trash(s->args->paths, s->args->project);
	if (r < 0)
		log_line(LOG_WARN, "%s: files below %s/containers are left over: %s",
			 s->args->project, s->args->paths->state, strerrordesc_np(-r));
	_exit(r < 0);
}

bool remover_works(struct sup *s)
{
	int r;

	if (s->remover.pidfd >= 0 || !engine_take_trash(s->engine))
		return s->remover.pidfd >= 0;
	r = begin(&s->remover, s, "ctrcompose-rm");
	if (r == 0)
		remove_all(s);
	if (r < 0) /* no process to be had: it takes as long as it takes */
		(void)engine_empty_trash(s->args->paths, s->args->project);
	return r > 0;
}

/* ---- Filling ---------------------------------------------------------------------------------- */
static size_t fillers(const struct sup *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->ctrs.n; i++)
		n += s->ctrs.v[i]->filler.pidfd >= 0;
	return n;
}

/* Whoever waits for the end of a pipe, a socket or a terminal is not to wait for this process. */
static void close_ends(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		struct stat st;
		uint64_t fd;

		if (parse_u64(d->d_name, &fd) < 0 || fd <= STDERR_FILENO || fd > INT_MAX)
			continue;
		if (fstat((int)fd, &st) == 0 &&
		    (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
			(void)close((int)fd);
	}
	if (dir)
		(void)closedir(dir);
}

static void fill(const struct ctr *c) __attribute__((noreturn));
static void fill(const struct ctr *c)
{
	auto_err struct err err = ERR_INIT;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_ends();
	/* The start tries again what failed here, and tells. */
	_exit(engine_fill(c->unit, &err) < 0);
}

static bool filler_due(const struct ctr *c)
{
	return !c->filled && engine_fills_much(c->unit);
}

static bool begin_filling(struct ctr *c)
{
	int r;

	c->filled = true;
	c->filler.ctr = c;
	r = begin(&c->filler, c->sup, "ctrcompose-fill");
	if (r == 0)
		fill(c);
	if (r > 0)
		job_note(c->sup, c, "Filling", "volumes, from its image");
	return r > 0;
}

bool filler_works(struct ctr *c)
{
	if (c->filler.pidfd >= 0)
		return true;
	return filler_due(c) && (fillers(c->sup) >= FILLERS || begin_filling(c));
}

bool filler_runs(struct ctr *c)
{
	c->run_due = filler_due(c) && begin_filling(c);
	return c->run_due;
}

void fillers_end(struct sup *s)
{
	for (size_t i = 0; i < s->ctrs.n; i++) {
		if (s->ctrs.v[i]->run_due)
			continue;
		aside_end(&s->ctrs.v[i]->filler);
		s->ctrs.v[i]->filled = false;
	}
}
