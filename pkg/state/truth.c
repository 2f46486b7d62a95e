/* truth.c - exit records, and what the kernel says about a record; see state.h */
#include "internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXITS_MAX    (1U << 20) /* records taken at once */
#define EXITS_KEPT   1024
#define CODE_UNKNOWN 255
#define REAP_NS      5000000

static char *exits_file(const struct state_paths *p, const char *project)
{
	auto_free char *dir = state_run_dir(p, project);

	return path_join(dir, "exits");
}

int state_exits_open(const struct state_paths *p, const char *project, struct err *err)
{
	auto_free char *file = exits_file(p, project);
	auto_close int fd = -1;
	struct stat st;
	int r = state_dirs_make(p, project, err);

	if (r < 0)
		return r;
	fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "open %s", file);
	/* Half a record, from a full tmpfs, would shift all that follow. */
	if (st.st_size % (off_t)sizeof(struct state_exit) &&
	    ftruncate(fd, st.st_size - st.st_size % (off_t)sizeof(struct state_exit)) < 0)
		return err_errno(err, "truncate %s", file);
	return steal_fd(&fd);
}

int state_exits_append(int fd, const struct state_exit *e)
{
	struct stat st;
	ssize_t n;

	do
		n = write(fd, e, sizeof(*e));
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*e))
		return 0;
	if (n < 0)
		return -errno;
	if (fstat(fd, &st) == 0)
		(void)!ftruncate(fd, st.st_size - n);
	return -ENOSPC;
}

int state_exits_trim(const struct state_paths *p, const char *project, int *fd)
{
	auto_free char *file = exits_file(p, project), *last = NULL;
	const size_t len = EXITS_KEPT * sizeof(struct state_exit);
	auto_close int rd = -1;
	struct stat st;
	int r;

	if (fstat(*fd, &st) < 0)
		return -errno;
	if (st.st_size <= (off_t)(2 * len))
		return 0;
	rd = open(file, O_RDONLY | O_CLOEXEC);
	last = xmalloc(len);
	if (rd < 0 || pread(rd, last, len, st.st_size - (off_t)len) != (ssize_t)len)
		return -EIO;
	r = file_replace(AT_FDCWD, file, last, len, 0600, false);
	if (r == 0)
		r = state_exits_open(p, project, NULL);
	if (r < 0)
		return r;
	(void)close(*fd);
	*fd = r;
	return 0;
}

int state_exits_read(const struct state_paths *p, const char *project, uint64_t *offset,
		     struct state_exit **out, size_t *n, struct err *err)
{
	auto_free char *file = exits_file(p, project);
	auto_close int fd = open(file, O_RDONLY | O_CLOEXEC);
	auto_free struct state_exit *v = NULL;
	struct stat st;
	uint64_t count;
	ssize_t got;

	*out = NULL;
	*n = 0;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "open %s", file);
	if (*offset % sizeof(*v) || *offset > (uint64_t)st.st_size)
		*offset = 0; /* a new file: from its start */
	count = ((uint64_t)st.st_size - *offset) / sizeof(*v);
	if (count == 0)
		return 0;
	if (count > EXITS_MAX)
		count = EXITS_MAX;
	v = xcalloc(count, sizeof(*v));
	got = pread(fd, v, count * sizeof(*v), (off_t)*offset);
	if (got < 0)
		return err_errno(err, "read %s", file);
	*n = (size_t)got / sizeof(*v);
	*offset += *n * sizeof(*v);
	*out = steal(v);
	return 0;
}

int state_exit_code(int wait_status)
{
	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status);
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : CODE_UNKNOWN;
}

/* ---- The truth ---- */

struct exits {
	struct state_exit *v;
	size_t n;
	bool loaded;
};

static void exits_free(struct exits *e)
{
	free(e->v);
}

static int exits_load(const struct state_paths *p, const char *project, struct exits *e,
		      struct err *err)
{
	uint64_t offset = 0;

	free(steal(e->v));
	e->loaded = true;
	return state_exits_read(p, project, &offset, &e->v, &e->n, err);
}

static const struct state_exit *exits_find(const struct exits *e, const struct state_container *c)
{
	for (size_t i = e->n; i > 0; i--)
		if (c->pid > 0 && e->v[i - 1].pid == (uint64_t)c->pid &&
		    e->v[i - 1].start_time == c->start_time)
			return &e->v[i - 1];
	return NULL;
}

static bool alive(const struct state_container *c)
{
	uint64_t start;

	return c->pid > 0 && proc_start_time(c->pid, &start) == 0 && start == c->start_time;
}

static void mark_exited(struct state_container *c, const struct state_exit *e)
{
	if (c->status != STATE_RESTARTING) { /* that one has its code and time already */
		c->exit_code = e ? state_exit_code(e->wait_status) : CODE_UNKNOWN;
		c->finished_ns = e ? e->real_ns : now_real_ns();
	}
	c->status = STATE_EXITED;
	c->health = STATE_HEALTH_NONE;
	c->pid = 0;
	c->start_time = 0;
}

int state_refresh(const struct state_paths *p, struct state_project *s, size_t *changed,
		  struct err *err)
{
	__attribute__((cleanup(exits_free))) struct exits exits = { NULL, 0, false };
	const struct timespec nap = { 0, REAP_NS };
	bool rebooted, waited = false;
	char boot[37];
	size_t n = 0;
	int r = boot_id(boot);

	if (r < 0)
		return err_wrap(err, r, "read the boot id");
	rebooted = !str_eq(boot, s->boot_id);
	for (size_t i = 0; i < s->containers.n; i++) {
		struct state_container *c = s->containers.v[i];
		bool runs = c->status == STATE_RUNNING || c->status == STATE_PAUSED;

		if (!runs && !(rebooted && c->status == STATE_RESTARTING))
			continue;
		if (!rebooted && alive(c))
			continue;
		for (;;) {
			const struct state_exit *e = exits_find(&exits, c);

			if (e || rebooted || c->pid <= 0 || waited) {
				mark_exited(c, e);
				break;
			}
			/* The keeper writes its record a moment after the process is gone. */
			waited = exits.loaded;
			if (waited)
				(void)nanosleep(&nap, NULL);
			r = exits_load(p, s->name, &exits, err);
			if (r < 0)
				return r;
		}
		n++;
	}
	state_set(&s->boot_id, boot);
	if (changed)
		*changed = n;
	return 0;
}
