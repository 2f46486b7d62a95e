/* procs.c - the processes of a group: listing, killing, freezing; see cgroup.h */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FREEZE_WAIT_US 2000000U
#define DEPTH_MAX      64
#define PROCS_MAX      (8U << 20) /* bytes of one cgroup.procs */

struct pids {
	pid_t *v;
	size_t n, cap;
};

static void pids_free(struct pids *l)
{
	free(l->v);
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

static void sort_unique(struct pids *l)
{
	size_t n = 0;

	if (l->n == 0)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_number);
	for (size_t i = 0; i < l->n; i++)
		if (n == 0 || l->v[n - 1] != l->v[i])
			l->v[n++] = l->v[i];
	l->n = n;
}

static bool pids_have(const struct pids *l, pid_t pid)
{
	return l->n > 0 && bsearch(&pid, l->v, l->n, sizeof(*l->v), by_number);
}

/* A process of another pid namespace stands there as 0: nobody we could signal. */
static void add_numbers(char *text, struct pids *out)
{
	char *save = NULL;
	uint64_t v;

	for (char *w = strtok_r(text, "\n", &save); w; w = strtok_r(NULL, "\n", &save))
		if (parse_u64(w, &v) == 0 && v > 0 && v <= INT32_MAX)
			*vec_push(out) = (pid_t)v;
}

static int add_below(int at, const char *name, int depth, struct pids *out)
{
	auto_close int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_free char *text = NULL;
	struct dirent *e;
	DIR *dir;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = file_read(fd, "cgroup.procs", PROCS_MAX, &text, NULL);
	if (r == 0)
		add_numbers(text, out);
	else if (r != -ENOENT && r != -ENODEV && r != -EOPNOTSUPP) /* gone; threaded */
		return r;
	dir = depth < DEPTH_MAX ? fdopendir(fd) : NULL;
	if (!dir)
		return 0;
	(void)steal_fd(&fd);
	while ((e = readdir(dir)) != NULL)
		if (e->d_type == DT_DIR && !str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			(void)add_below(dirfd(dir), e->d_name, depth + 1, out);
	(void)closedir(dir);
	return 0;
}

/* All hierarchies: a privileged process may have left one of them, hardly all. */
static int list_all(const struct cgroup_system *sys, const char *path, struct pids *out,
		    struct err *err)
{
	EACH_HIER(h, sys)
	{
		auto_free char *dir = hier_path(h, path, NULL);
		int r = add_below(AT_FDCWD, dir, 0, out);

		if (r < 0)
			return err_set(err, r, "read %s/cgroup.procs: %s", dir, strerror(-r));
	}
	sort_unique(out);
	return 0;
}

int cgroup_pids(const struct cgroup_system *sys, const char *path, pid_t **out, size_t *n,
		struct err *err)
{
	struct pids l = { NULL, 0, 0 };
	int r = path_check(path, err);

	if (r == 0)
		r = list_all(sys, path, &l, err);
	if (r < 0) {
		pids_free(&l);
		return r;
	}
	*out = l.v;
	*n = l.n;
	return 0;
}

bool cgroup_is_empty(const struct cgroup_system *sys, const char *path)
{
	__attribute__((cleanup(pids_free))) struct pids l = { NULL, 0, 0 };

	return path_check(path, NULL) == 0 && list_all(sys, path, &l, NULL) == 0 && l.n == 0;
}

/* A number may belong to somebody else by the time it is used. So: open a pidfd for each, list
 * again, and signal those that are still listed. Whoever the pidfd means then is either in the
 * group or dead. */
static int signal_all(const struct cgroup_system *sys, const char *path, int sig, size_t *left,
		      struct err *err)
{
	__attribute__((cleanup(pids_free))) struct pids before = { NULL, 0, 0 };
	__attribute__((cleanup(pids_free))) struct pids after = { NULL, 0, 0 };
	auto_free int *fds = NULL;
	int r = list_all(sys, path, &before, err);

	*left = before.n;
	if (r < 0 || before.n == 0)
		return r;
	fds = xcalloc(before.n, sizeof(*fds));
	for (size_t i = 0; i < before.n; i++)
		fds[i] = pidfd_open_pid(before.v[i]);
	r = list_all(sys, path, &after, err);
	for (size_t i = 0; i < before.n; i++) {
		/* Out of descriptors: the next round gets those that are left. */
		if (fds[i] < 0)
			continue;
		if (r == 0 && pids_have(&after, before.v[i]))
			(void)pidfd_kill(fds[i], sig);
		(void)close(fds[i]);
	}
	return r;
}

/* v1: a frozen process does not die before it is thawed. */
static void thaw_v1(const struct cgroup_system *sys, const char *path)
{
	const struct hier *h = hier_of(sys, CGROUP_FREEZER);

	if (h && !h->v2 && hier_has(h, path))
		(void)hier_write(h, path, "freezer.state", "THAWED", NULL);
}

static int still_there(const struct cgroup_system *sys, const char *path, struct err *err)
{
	__attribute__((cleanup(pids_free))) struct pids l = { NULL, 0, 0 };
	auto_sbuf struct sbuf who = SBUF_INIT;

	if (list_all(sys, path, &l, NULL) == 0 && l.n == 0)
		return 0;
	for (size_t i = 0; i < l.n && i < 5; i++)
		sbuf_addf(&who, "%s%d", i ? ", " : "", (int)l.v[i]);
	return err_set(err, -ETIMEDOUT, "control group %s: process%s %s%s did not die of SIGKILL",
		       path, l.n == 1 ? "" : "es", sbuf_str(&who), l.n > 5 ? ", ..." : "");
}

int cgroup_kill(const struct cgroup_system *sys, const char *path, uint64_t wait_us,
		struct err *err)
{
	const struct hier *unified = hier_unified(sys);
	struct backoff wait = { .deadline_us = now_mono_us() + wait_us };
	bool at_once;
	int r = path_check(path, err);

	if (r < 0)
		return r;
	at_once = unified && hier_has(unified, path) &&
		  hier_write(unified, path, "cgroup.kill", "1", NULL) == 0;
	thaw_v1(sys, path);
	for (;;) {
		size_t left;

		/* With cgroup.kill this finds only those that moved out of the v2 group. */
		r = signal_all(sys, path, SIGKILL, &left, err);
		if (r < 0 || left == 0)
			return r;
		thaw_v1(sys, path);
		if (wait_us == 0 && at_once)
			return 0;
		if (wait_us == 0) {
			/* Forks that raced with the first round. */
			r = signal_all(sys, path, SIGKILL, &left, err);
			return r;
		}
		if (!backoff_wait(&wait))
			return still_there(sys, path, err);
	}
}

/* ---- Freezing ---- */

struct freezer {
	const struct hier *h;
	const char *file, *freeze, *thaw;
	const char *state_file, *frozen; /* how the kernel says that all have stopped */
};

static int find_freezer(const struct cgroup_system *sys, const char *path, struct freezer *out,
			struct err *err)
{
	const struct hier *unified = hier_unified(sys), *v1 = hier_of(sys, CGROUP_FREEZER);
	int r = path_check(path, err);

	if (r < 0)
		return r;
	if (unified && hier_has(unified, path))
		*out = (struct freezer){ unified, "cgroup.freeze", "1",
					 "0",     "cgroup.events", "frozen 1" };
	else if (v1 && hier_has(v1, path))
		*out = (struct freezer){ v1,       "freezer.state", "FROZEN",
					 "THAWED", "freezer.state", "FROZEN" };
	else
		return err_set(err, -ENOENT, "control group %s: cannot be frozen here", path);
	return 0;
}

int cgroup_freeze(const struct cgroup_system *sys, const char *path, struct err *err)
{
	struct backoff wait = { .deadline_us = now_mono_us() + FREEZE_WAIT_US };
	struct freezer f = { NULL, "", "", "", "", "" };
	int r = find_freezer(sys, path, &f, err);

	if (r < 0)
		return r;
	r = hier_write(f.h, path, f.file, f.freeze, err);
	if (r < 0)
		return r;
	do {
		auto_free char *text = NULL;

		r = hier_read(f.h, path, f.state_file, &text);
		if (r < 0)
			return err_wrap(err, r, "control group %s: read %s", path, f.state_file);
		if (strstr(text, f.frozen))
			return 0;
	} while (backoff_wait(&wait));
	(void)hier_write(f.h, path, f.file, f.thaw, NULL);
	return err_set(err, -ETIMEDOUT, "control group %s: a process did not stop in 2 seconds",
		       path);
}

int cgroup_thaw(const struct cgroup_system *sys, const char *path, struct err *err)
{
	struct freezer f = { NULL, "", "", "", "", "" };
	int r = find_freezer(sys, path, &f, err);

	return r < 0 ? r : hier_write(f.h, path, f.file, f.thaw, err);
}
