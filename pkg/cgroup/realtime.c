/* realtime.c - room for cpu_rt_runtime in the groups above (v1): a new group has none, and what its
 * children have together may not be more than it has itself. */
#include "internal.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US    1000000U /* the kernel's period of a new group; ours above containers keep it */
#define GONE_WAIT_US 1000000U /* a removed group still counts for a while */
#define RUNTIME      "cpu.rt_runtime_us"
#define PERIOD       "cpu.rt_period_us"

enum { ABOVE_MAX = 8 };

static uint64_t number_in(const struct hier *h, const char *path, const char *file)
{
	auto_free char *text = NULL;
	long long v = hier_read(h, path, file, &text) < 0 ? 0 : atoll(text);

	return v > 0 ? (uint64_t)v : 0;
}

/* Microseconds of each second, rounded up. */
static uint64_t share(uint64_t runtime, uint64_t period)
{
	return period ? (runtime * SECOND_US + period - 1) / period : 0;
}

/* What the children of a group have, but for one of them. */
static uint64_t given(const struct hier *h, const char *path, const char *but)
{
	auto_free char *dir = hier_path(h, path, NULL);
	DIR *d = opendir(dir);
	struct dirent *e;
	uint64_t sum = 0;

	while (d && (e = readdir(d)) != NULL) {
		auto_free char *child = NULL;

		if (e->d_type != DT_DIR || e->d_name[0] == '.' || str_eq(e->d_name, but))
			continue;
		child = xasprintf("%s/%s", path, e->d_name);
		sum += share(number_in(h, child, RUNTIME), number_in(h, child, PERIOD));
	}
	if (d)
		(void)closedir(d);
	return sum;
}

static int grow(const struct hier *h, const char *path, size_t end, uint64_t need, struct err *err)
{
	auto_free char *above = xstrndup(path, end);
	char value[24];
	int r;

	if (need <= number_in(h, above, RUNTIME))
		return 0;
	(void)snprintf(value, sizeof(value), "%" PRIu64, need);
	if (!group_is_ours(h, above))
		return err_set(err, -EPERM,
			       "cpu_rt_runtime needs %s us of each second in its cgroup_parent, "
			       "which is not ours to change: echo %s >%s/%s/" RUNTIME,
			       value, value, h->mount, above);
	r = hier_write(h, above, RUNTIME, value, err);
	return r < 0 ? err_wrap(err, r,
				"%" PRIu64 " us of each second for cpu_rt_runtime, which other "
				"groups may have",
				need)
		     : 0;
}

/* Groups above keep what they were given until they go. */
static int give(const struct hier *h, const char *path, const char *runtime, struct err *err)
{
	uint64_t need = share(strtoull(runtime, NULL, 10), number_in(h, path, PERIOD));
	auto_free char *part = xstrdup(path);
	uint64_t needs[ABOVE_MAX];
	size_t ends[ABOVE_MAX], n = 0;
	char *slash;
	int r = 0;

	/* From below: how much each of them needs. From above: nobody may have more than its parent. */
	while (n < ABOVE_MAX && (slash = strrchr(part, '/')) != NULL) {
		*slash = '\0';
		need += given(h, part, slash + 1);
		ends[n] = (size_t)(slash - part);
		needs[n++] = need;
	}
	while (r == 0 && n-- > 0)
		r = grow(h, path, ends[n], needs[n], err);
	return r < 0 ? r : hier_write(h, path, RUNTIME, runtime, err);
}

int realtime_set(const struct hier *h, const char *path, const char *runtime, struct err *err)
{
	struct backoff wait = { .deadline_us = now_mono_us() + GONE_WAIT_US };

	for (;;) {
		auto_err struct err why = ERR_INIT;
		int r = give(h, path, runtime, &why);

		if (r == 0)
			return 0;
		if (r != -EINVAL || !backoff_wait(&wait))
			return err_set(err, r, "%s", err_text(&why));
	}
}
