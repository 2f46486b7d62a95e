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

static bool rt_period(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(l->cpu_rt_period_us, out, size);
}

static bool rt_runtime(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(l->cpu_rt_runtime_us, out, size);
}

static bool io_weight(const struct cgroup_limits *l, char *out, size_t size)
{
	return put_u64(l->io_weight, out, size);
}

/* 10..1000 become 1..10000, the way other runtimes convert them. */
static bool io_weight_v2(const struct cgroup_limits *l, char *out, size_t size)
{
	uint64_t weight = l->io_weight < 10 ? 10 : l->io_weight;

	(void)put_u64(1 + (weight - 10) * 9999 / 990, out, size);
	return l->io_weight != 0;
}

static bool swap_was_asked_for(const struct cgroup_limits *l)
{
	return l->memory_swap_max > 0;
}

/* In the order of writing: v1 wants memory before memory+swap, and the period before the quota. */
static const struct row {
	const char *name;
	enum cgroup_controller controller;
	const char *v1_file;
	format_fn *v1;
	const char *v2_file;
	format_fn *v2;
	bool (*hard)(const struct cgroup_limits *l); /* NULL: always */
	bool or_next; /* the next row is for kernels without this file */
	bool v1_only; /* on v2 an error, not left out */
} rows[] = {
	{ "memory limit", CGROUP_MEMORY, "memory.limit_in_bytes", memory_max, "memory.max",
	  memory_max, .hard = NULL },
	{ "memory and swap limit", CGROUP_MEMORY, "memory.memsw.limit_in_bytes", memsw_v1,
	  "memory.swap.max", swap_v2, .hard = swap_was_asked_for },
	{ "memory reservation", CGROUP_MEMORY, "memory.soft_limit_in_bytes", memory_low,
	  "memory.low", memory_low, .hard = NULL },
	{ "memory swappiness", CGROUP_MEMORY, "memory.swappiness", swappiness, .v2 = NULL },
	{ "oom_kill_disable", CGROUP_MEMORY, "memory.oom_control", oom_control, .v2 = NULL },
	{ "pids limit", CGROUP_PIDS, "pids.max", pids_max, "pids.max", pids_max, .hard = NULL },
	{ "cpu period", CGROUP_CPU, "cpu.cfs_period_us", period_v1, .v2 = NULL },
	{ "cpu limit", CGROUP_CPU, "cpu.cfs_quota_us", quota_v1, "cpu.max", quota_v2,
	  .hard = NULL },
	{ "cpu shares", CGROUP_CPU, "cpu.shares", shares_v1, "cpu.weight", weight_v2,
	  .hard = NULL },
	{ "cpu_rt_period", CGROUP_CPU, "cpu.rt_period_us", rt_period, .v1_only = true },
	{ "cpu_rt_runtime", CGROUP_CPU, "cpu.rt_runtime_us", rt_runtime, .v1_only = true },
	{ "cpuset", CGROUP_CPUSET, "cpuset.cpus", cpuset, "cpuset.cpus", cpuset, .hard = NULL },
	{ "block i/o weight", CGROUP_IO, "blkio.weight", io_weight, "io.bfq.weight", io_weight,
	  .or_next = true },
	{ "block i/o weight", CGROUP_IO, "blkio.bfq.weight", io_weight, "io.weight", io_weight_v2,
	  .hard = NULL },
};

static int add(const struct cgroup_layout *layout, struct cgroup_writes *out,
	       const struct cgroup_write *w, const char *name, struct err *err)
{
	if (layout->v1[w->controller] || layout->v2[w->controller])
		*vec_push(out) = *w;
	else if (!w->soft)
		return err_set(err, -EOPNOTSUPP, "%s: the kernel offers no '%s' controller here",
			       name,
			       cgroup_controller_name(w->controller, layout->unified != NULL));
	return 0;
}

static int add_row(const struct cgroup_layout *layout, const struct cgroup_limits *limits,
		   const struct row *row, struct cgroup_writes *out, struct err *err)
{
	bool v2 = layout->v2[row->controller];
	format_fn *format = v2 ? row->v2 : row->v1;
	struct cgroup_write w = {
		.controller = row->controller,
		.v2 = v2,
		.file = v2 ? row->v2_file : row->v1_file,
		.soft = row->hard && !row->hard(limits),
		.or_next = row->or_next,
	};

	if (v2 && row->v1_only && row->v1(limits, w.value, sizeof(w.value)))
		return err_set(err, -EOPNOTSUPP, "%s: cgroup v2 has no limits for real-time tasks",
			       row->name);
	if (!format || !format(limits, w.value, sizeof(w.value)))
		return 0;
	return add(layout, out, &w, row->name, err);
}

static int add_io(const struct cgroup_layout *layout, const struct cgroup_io *io,
		  struct cgroup_writes *out, struct err *err)
{
	static const struct {
		const char *v1_file, *v2_word;
	} rates[] = {
		[CGROUP_IO_READ_BPS] = { "blkio.throttle.read_bps_device", "rbps" },
		[CGROUP_IO_WRITE_BPS] = { "blkio.throttle.write_bps_device", "wbps" },
		[CGROUP_IO_READ_IOPS] = { "blkio.throttle.read_iops_device", "riops" },
		[CGROUP_IO_WRITE_IOPS] = { "blkio.throttle.write_iops_device", "wiops" },
	};
	bool v2 = layout->v2[CGROUP_IO], weight = io->what == CGROUP_IO_WEIGHT;
	struct cgroup_write w = { .controller = CGROUP_IO, .v2 = v2, .or_next = weight && !v2 };

	if (weight)
		w.file = v2 ? "io.bfq.weight" : "blkio.weight_device";
	else
		w.file = v2 ? "io.max" : rates[io->what].v1_file;
	(void)snprintf(w.value, sizeof(w.value), "%u:%u %s%s%llu", io->major, io->minor,
		       v2 && !weight ? rates[io->what].v2_word : "", v2 && !weight ? "=" : "",
		       (unsigned long long)io->value);
	if (w.or_next) {
		int r = add(layout, out, &w, "block i/o weight", err);

		if (r < 0)
			return r;
		w.or_next = false;
		w.file = "blkio.bfq.weight_device";
	}
	return add(layout, out, &w, "block i/o limit", err);
}

int cgroup_limit_writes(const struct cgroup_layout *layout, const struct cgroup_limits *limits,
			struct cgroup_writes *out, struct err *err)
{
	int r = 0;

	if (limits->cpuset_cpus && strlen(limits->cpuset_cpus) >= sizeof(out->v[0].value))
		return err_set(err, -EINVAL, "cpuset: '%.40s...' is too long", limits->cpuset_cpus);
	for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++)
		r = add_row(layout, limits, &rows[i], out, err);
	for (size_t i = 0; i < limits->n_io && r == 0; i++)
		r = add_io(layout, &limits->io[i], out, err);
	return r;
}
