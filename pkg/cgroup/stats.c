/* stats.c - what a group has used, from v1 and v2 by one table; see cgroup.h */
#include "internal.h"

#include <string.h>

enum { NS_PER_US = 1000 };

/* One number: a whole file, or the line "<key> <number>" of a file. */
struct source {
	const char *file; /* NULL: not counted there */
	const char *key;
	uint64_t divide; /* 0: as it is */
};

static const struct {
	size_t offset;
	enum cgroup_controller controller;
	struct source v1, v2;
	uint64_t unlimited; /* what "max" and the kernel's huge numbers become; 0: a plain count */
} rows[] = {
	{ offsetof(struct cgroup_stats, memory_current),
	  CGROUP_MEMORY,
	  { "memory.usage_in_bytes", NULL, 0 },
	  { "memory.current", NULL, 0 },
	  0 },
	{ offsetof(struct cgroup_stats, memory_peak),
	  CGROUP_MEMORY,
	  { "memory.max_usage_in_bytes", NULL, 0 },
	  { "memory.peak", NULL, 0 },
	  0 },
	{ offsetof(struct cgroup_stats, memory_inactive_file),
	  CGROUP_MEMORY,
	  { "memory.stat", "total_inactive_file", 0 },
	  { "memory.stat", "inactive_file", 0 },
	  0 },
	{ offsetof(struct cgroup_stats, memory_limit),
	  CGROUP_MEMORY,
	  { "memory.limit_in_bytes", NULL, 0 },
	  { "memory.max", NULL, 0 },
	  UINT64_MAX },
	{ offsetof(struct cgroup_stats, oom_kills),
	  CGROUP_MEMORY,
	  { "memory.oom_control", "oom_kill", 0 },
	  { "memory.events", "oom_kill", 0 },
	  0 },
	{ offsetof(struct cgroup_stats, pids_current),
	  CGROUP_PIDS,
	  { "pids.current", NULL, 0 },
	  { "pids.current", NULL, 0 },
	  0 },
	{ offsetof(struct cgroup_stats, pids_max),
	  CGROUP_PIDS,
	  { "pids.max", NULL, 0 },
	  { "pids.max", NULL, 0 },
	  0 },
};

/* The number after `key ` at the start of a line; without a key, the first line. */
static bool find_number(const char *text, const char *key, uint64_t *out)
{
	size_t n = key ? strlen(key) : 0;

	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');

		if (!key || (strncmp(line, key, n) == 0 && line[n] == ' ')) {
			const char *number = key ? line + n + 1 : line;
			auto_free char *word = xstrndup(number, (size_t)(end - number));

			return parse_u64(word, out) == 0;
		}
		line = *end ? end + 1 : end;
	}
	return false;
}

static bool read_source(const struct hier *h, const char *path, const struct source *s,
			uint64_t *out)
{
	auto_free char *text = NULL;

	if (!s->file || hier_read(h, path, s->file, &text) < 0 || !find_number(text, s->key, out))
		return false;
	if (s->divide)
		*out /= s->divide;
	return true;
}

static void read_cpu(const struct cgroup_system *sys, const char *path, uint64_t *out)
{
	static const struct source v2 = { "cpu.stat", "usage_usec", 0 };
	static const struct source v1 = { "cpuacct.usage", NULL, NS_PER_US };
	const struct hier *unified = hier_unified(sys), *acct = hier_of(sys, CGROUP_CPUACCT);

	/* The v2 group counts time even where v1 owns the cpu controller. */
	if (unified && read_source(unified, path, &v2, out))
		return;
	if (acct)
		(void)read_source(acct, path, &v1, out);
}

/* "8:0 rbytes=1 wbytes=2 rios=3 ..." and "8:0 Read 1" */
void cgroup_io_sum(const char *text, uint64_t *read, uint64_t *written)
{
	auto_free char *copy = xstrdup(text);
	char *next = copy;

	*read = *written = 0;
	for (char *line; (line = strsep(&next, "\n")) != NULL;) {
		const char *before = "";

		for (char *word; (word = strsep(&line, " ")) != NULL; before = word) {
			bool r = str_starts(word, "rbytes="), w = str_starts(word, "wbytes=");
			const char *number = r || w ? word + 7 : word;
			uint64_t n;

			r |= strcmp(before, "Read") == 0;
			w |= strcmp(before, "Write") == 0;
			if ((r || w) && parse_u64(number, &n) == 0)
				*(r ? read : written) += n;
		}
	}
}

static void read_io(const struct cgroup_system *sys, const char *path, struct cgroup_stats *out)
{
	const struct hier *h = hier_of(sys, CGROUP_IO);
	auto_free char *text = NULL;

	out->io_counted =
		h && hier_read(h, path, h->v2 ? "io.stat" : "blkio.throttle.io_service_bytes",
			       &text) == 0;
	if (out->io_counted)
		cgroup_io_sum(text, &out->io_read, &out->io_written);
}

int cgroup_stats(const struct cgroup_system *sys, const char *path, struct cgroup_stats *out,
		 struct err *err)
{
	struct cgroup_stats stats = { .memory_limit = UINT64_MAX };
	bool found = false;
	int r = path_check(path, err);

	if (r < 0)
		return r;
	EACH_HIER(h, sys)
	found = found || hier_has(h, path);
	if (!found)
		return err_set(err, -ENOENT, "control group %s: there is none", path);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t *field = (uint64_t *)(void *)((char *)&stats + rows[i].offset);
		const struct hier *h = hier_of(sys, rows[i].controller);

		if (!h || !read_source(h, path, h->v2 ? &rows[i].v2 : &rows[i].v1, field))
			continue;
		/* v1 says "no limit" with the largest multiple of a page. */
		if (rows[i].unlimited && *field >= (1ULL << 62))
			*field = rows[i].unlimited;
	}
	read_cpu(sys, path, &stats.cpu_usec);
	read_io(sys, path, &stats);
	*out = stats;
	return 0;
}

int cgroup_oom_kills(const struct cgroup_system *sys, const char *path, uint64_t *out)
{
	static const struct source v1 = { "memory.oom_control", "oom_kill", 0 };
	static const struct source v2 = { "memory.events", "oom_kill", 0 };
	const struct hier *h = hier_of(sys, CGROUP_MEMORY);

	if (!h || !hier_has(h, path))
		return -ENOENT;
	return read_source(h, path, h->v2 ? &v2 : &v1, out) ? 0 : -ENODATA;
}
