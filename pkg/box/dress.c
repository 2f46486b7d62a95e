/* dress.c - what only the parent may do to the child: maps, limits, OOM score, owners of pipes;
 * see private.h
 */
#include "private.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int dress_maps(const struct box_spec *spec, pid_t pid, struct err *err)
{
	static const char *const files[] = { "uid_map", "gid_map" };
	char text[64], path[64];

	(void)snprintf(text, sizeof(text), "0 %u %u\n", spec->uid_base,
		       spec->uid_count ? spec->uid_count : 65536);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int r;

		(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
		r = file_put(AT_FDCWD, path, text);
		if (r < 0)
			return err_wrap(err, r, "map the ids of the container");
	}
	return 0;
}

/* ---- Limits ----------------------------------------------------------------------------------- */
#define NONE UINT64_MAX
enum { FILES_MAX = 1 << 20 };
/* A container is not to depend on the shell it was started from. Processes and memory are the
 * control group's to limit. */
static const struct {
	const char *name;
	int resource;
	uint64_t soft, hard;
} limits[] = {
	{ "cpu", RLIMIT_CPU, NONE, NONE },
	{ "fsize", RLIMIT_FSIZE, NONE, NONE },
	{ "data", RLIMIT_DATA, NONE, NONE },
	{ "stack", RLIMIT_STACK, 8 << 20, NONE },
	{ "core", RLIMIT_CORE, 0, NONE },
	{ "rss", RLIMIT_RSS, NONE, NONE },
	{ "nproc", RLIMIT_NPROC, NONE, NONE },
	{ "nofile", RLIMIT_NOFILE, FILES_MAX, FILES_MAX },
	{ "memlock", RLIMIT_MEMLOCK, 8 << 20, 8 << 20 },
	{ "as", RLIMIT_AS, NONE, NONE },
	{ "locks", RLIMIT_LOCKS, NONE, NONE },
	{ "sigpending", RLIMIT_SIGPENDING, 127000, 127000 },
	{ "msgqueue", RLIMIT_MSGQUEUE, 819200, 819200 },
	{ "nice", RLIMIT_NICE, 0, 0 },
	{ "rtprio", RLIMIT_RTPRIO, 0, 0 },
	{ "rttime", RLIMIT_RTTIME, NONE, NONE },
};

static const char *limit_name(int resource)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (limits[i].resource == resource)
			return limits[i].name;
	return "unknown";
}

static int put_limit(pid_t pid, int resource, uint64_t soft, uint64_t hard)
{
	const struct rlimit64 lim = { soft, hard };

	return syscall(SYS_prlimit64, pid, resource, &lim, NULL) < 0 ? -errno : 0;
}

/* Without CAP_SYS_RESOURCE the hard limit can only fall. */
static void put_nearest(pid_t pid, int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit64 now;

	if (put_limit(pid, resource, soft, hard) == 0 ||
	    syscall(SYS_prlimit64, pid, resource, NULL, &now) < 0)
		return;
	if (hard > now.rlim_max)
		hard = now.rlim_max;
	(void)put_limit(pid, resource, soft < hard ? soft : hard, hard);
}

static bool is_given(const struct box_spec *spec, int resource)
{
	for (size_t i = 0; i < spec->n_rlimits; i++)
		if (spec->rlimits[i].resource == resource)
			return true;
	return false;
}

int dress_limits(const struct box_spec *spec, pid_t pid, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (!is_given(spec, limits[i].resource))
			put_nearest(pid, limits[i].resource, limits[i].soft, limits[i].hard);
	for (size_t i = 0; i < spec->n_rlimits; i++) {
		const struct box_rlimit *l = &spec->rlimits[i];
		int r = put_limit(pid, l->resource, l->soft, l->hard);

		if (r < 0 && l->must)
			return err_wrap(err, r, "set ulimit %s to %lld:%lld",
					limit_name(l->resource), (long long)l->soft,
					(long long)l->hard);
		if (r < 0)
			put_nearest(pid, l->resource, l->soft, l->hard);
	}
	return 0;
}

void limits_raise(void)
{
	struct rlimit64 now = { 0 };

	(void)syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &now);
	if (now.rlim_max < FILES_MAX)
		now.rlim_max = FILES_MAX;
	put_nearest(0, RLIMIT_NOFILE, now.rlim_max, now.rlim_max);
}

_Static_assert(ARRAY_LEN(limits) == ARRAY_LEN(((struct limits *)NULL)->of), "one for each");

void limits_read(pid_t pid, struct limits *out)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		out->of[i] = (struct rlimit64){ limits[i].soft, limits[i].hard };
		/* What can't be seen (another user's, without CAP_SYS_RESOURCE) is as the table says. */
		(void)syscall(SYS_prlimit64, pid, limits[i].resource, NULL, &out->of[i]);
	}
}

void limits_take(const struct limits *l)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		put_nearest(0, limits[i].resource, l->of[i].rlim_cur, l->of[i].rlim_max);
}

/* ---- The rest --------------------------------------------------------------------------------- */
int dress_oom(const struct box_spec *spec, pid_t pid, struct err *err)
{
	char path[64], text[16];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	(void)snprintf(text, sizeof(text), "%d", spec->oom_score_adj);
	r = file_put(AT_FDCWD, path, text);
	/* Without CAP_SYS_RESOURCE it can't fall below ours: who asked for nothing has that. */
	if (r == -EACCES && spec->oom_score_adj == 0)
		return 0;
	return r < 0 ? err_wrap(err, r, "set oom_score_adj to %d", spec->oom_score_adj) : 0;
}

int dress_streams(const struct box_process *p, uid_t base, struct err *err)
{
	const int fds[] = { p->stdin_fd, p->stdout_fd, p->stderr_fd };

	for (size_t i = 0; i < ARRAY_LEN(fds) && base && !p->tty; i++) {
		struct stat st;

		if (fds[i] < 0 || fstat(fds[i], &st) < 0 || !S_ISFIFO(st.st_mode) || st.st_uid != 0)
			continue;
		if (fchown(fds[i], base, base) < 0)
			return err_errno(err, "give a pipe to the container's root");
	}
	return 0;
}
