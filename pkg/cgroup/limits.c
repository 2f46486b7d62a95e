/* limits.c - one row per limit: where it goes on v1 and on v2, and how it is written there */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#define CPU_PERIOD_US 100000ULL

/* Writes the value; false: nothing to set. */
typedef bool format_fn(const struct cgroup_limits *l, char *out, size_t size);

static bool put_u64(uint64_t v, char *out, size_t size)
{
	(void)snprintf(out, size, "%llu", (unsigned long long)v);
	return v != 0;
}

static bool memory_max(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(l->memory_max, out, size);
}

static bool memory_low(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(l->memory_low, out, size);
}

/* Memory and swap in bytes; 0: leave it alone. */
static uint64_t memory_and_swap(const struct cgroup_limits *l)
{
	if (l->memory_swap_max > 0)
		return (uint64_t)l->memory_swap_max;
	if (l->memory_swap_max < 0)
		return 0;
	return l->memory_max > UINT64_MAX / 2 ? UINT64_MAX : l->memory_max * 2;
}

static bool memsw_v1(const struct cgroup_limits *l, char *out, size_t size)
{
	if (l->memory_swap_max < 0) {
		(void)snprintf(out, size, "-1");
		return true;
	}
	return put_u64(memory_and_swap(l), out, size);
}

/* v2 counts swap alone, so 0 is a limit like any other there. */
static bool swap_v2(const struct cgroup_limits *l, char *out, size_t size)
{
	uint64_t both = memory_and_swap(l);

	if (l->memory_swap_max < 0)
		(void)snprintf(out, size, "max");
	else
		(void)put_u64(both > l->memory_max ? both - l->memory_max : 0, out, size);
	return l->memory_swap_max < 0 || both > 0;
}

static bool pids_max(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(l->pids_max, out, size);
}

static uint64_t period(const struct cgroup_limits *l)
{
	return l->cpu_period_us ? l->cpu_period_us : CPU_PERIOD_US;
}

static bool period_v1(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(period(l), out, size) && l->cpu_quota_us;
}

static bool quota_v1(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(l->cpu_quota_us, out, size);
}

static bool quota_v2(const struct cgroup_limits *l, char *out, size_t size)
{
	(void)snprintf(out, size, "%llu %llu", (unsigned long long)l->cpu_quota_us,
		       (unsigned long long)period(l));
	return l->cpu_quota_us != 0;
}

static bool shares_v1(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(l->cpu_shares, out, size);
}

/* 2..262144 shares become 1..10000, the way other runtimes convert them. */
static bool weight_v2(const struct cgroup_limits *l, char *out, size_t size)
{
	uint64_t shares = l->cpu_shares < 2 ? 2 : l->cpu_shares;

	if (shares > 262144)
		shares = 262144;
	(void)put_u64(1 + (shares - 2) * 9999 / 262142, out, size);
	return l->cpu_shares != 0;
}

static bool cpuset(const struct cgroup_limits *l, char *out, size_t size)
{
	return l->cpuset_cpus && snprintf(out, size, "%s", l->cpuset_cpus) < (int)size;
}

static bool swappiness(const struct cgroup_limits *l, char *out, size_t size)
{
	(void)put_u64(l->swappiness, out, size);
	return l->has_swappiness;
}

static bool oom_control(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(l->oom_kill_disable, out, size);
}

static bool swap_was_asked_for(const struct cgroup_limits *l)
{
	return l->memory_swap_max > 0;
}

/* In the order of writing: v1 wants memory before memory+swap, and the period before the quota. */
static const struct {
	const char *name;
	enum cgroup_controller controller;
	const char *v1_file;
	format_fn *v1;
	const char *v2_file;
	format_fn *v2;
	bool (*hard)(const struct cgroup_limits *l); /* NULL: always */
} rows[] = {
	{ "memory limit", CGROUP_MEMORY, "memory.limit_in_bytes", memory_max, "memory.max",
	  memory_max, NULL },
	{ "memory and swap limit", CGROUP_MEMORY, "memory.memsw.limit_in_bytes", memsw_v1,
	  "memory.swap.max", swap_v2, swap_was_asked_for },
	{ "memory reservation", CGROUP_MEMORY, "memory.soft_limit_in_bytes", memory_low,
	  "memory.low", memory_low, NULL },
	{ "memory swappiness", CGROUP_MEMORY, "memory.swappiness", swappiness, NULL, NULL, NULL },
	{ "oom_kill_disable", CGROUP_MEMORY, "memory.oom_control", oom_control, NULL, NULL, NULL },
	{ "pids limit", CGROUP_PIDS, "pids.max", pids_max, "pids.max", pids_max, NULL },
	{ "cpu period", CGROUP_CPU, "cpu.cfs_period_us", period_v1, NULL, NULL, NULL },
	{ "cpu limit", CGROUP_CPU, "cpu.cfs_quota_us", quota_v1, "cpu.max", quota_v2, NULL },
	{ "cpu shares", CGROUP_CPU, "cpu.shares", shares_v1, "cpu.weight", weight_v2, NULL },
	{ "cpuset", CGROUP_CPUSET, "cpuset.cpus", cpuset, "cpuset.cpus", cpuset, NULL },
};
_Static_assert(ARRAY_LEN(rows) <= CGROUP_WRITES_MAX, "every row may become a write");

int cgroup_limit_writes(const struct cgroup_layout *layout, const struct cgroup_limits *limits,
			struct cgroup_write out[CGROUP_WRITES_MAX], size_t *n_out, struct err *err)
{
	size_t n = 0;

	if (limits->cpuset_cpus && strlen(limits->cpuset_cpus) >= sizeof(out[0].value))
		return err_set(err, -EINVAL, "cpuset: '%.40s...' is too long", limits->cpuset_cpus);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgroup_write *w = &out[n];
		bool v1 = layout->v1[rows[i].controller] != NULL;
		bool v2 = layout->v2[rows[i].controller];
		format_fn *format = v2 ? rows[i].v2 : rows[i].v1;

		*w = (struct cgroup_write){
			.controller = rows[i].controller,
			.v2 = v2,
			.file = v2 ? rows[i].v2_file : rows[i].v1_file,
			.soft = rows[i].hard && !rows[i].hard(limits),
		};
		if (!format || !format(limits, w->value, sizeof(w->value)))
			continue;
		if (!v1 && !v2 && w->soft)
			continue;
		if (!v1 && !v2)
			return err_set(err, -EOPNOTSUPP,
				       "%s: the kernel offers no '%s' controller here",
				       rows[i].name,
				       cgroup_controller_name(rows[i].controller,
							      layout->unified != NULL));
		n++;
	}
	*n_out = n;
	return 0;
}
