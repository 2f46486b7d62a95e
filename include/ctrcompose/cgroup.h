/* cgroup.h - control groups of v1, v2 and hybrid hosts behind one table of limits.
 *
 * A path is relative to the root of every hierarchy, without a leading slash:
 *   ctrcompose/<project>                  made by cgroup_group(), carries the device policy
 *   ctrcompose/<project>/<id>             made by cgroup_create(), one container
 *   ctrcompose/<project>.open/<id>        a privileged container, or one with devices of its own:
 *                                         its group is made with CGROUP_DEVICES_ANY, because a
 *                                         child can never be allowed more than its parent
 * (project names hold no dot, so the two never clash). With a cgroup_parent all that stands below
 * the parent's path instead: PARENT/ctrcompose/<project>/<id>.
 *
 * Joining. On v1 the child writes "0" to each of tasks_fds, which the parent opened, while it has
 * one thread: cgroup_join_self(). cgroup.procs would wait for an RCU grace period (7 to 15 ms).
 * Where v2_dirfd is not -1, give it to clone3 with CLONE_INTO_CGROUP; the child of a hybrid host
 * does both.
 *
 * Functions return 0 or a negative errno; the sentence in err names the file and the value that
 * the kernel refused. Sizes are bytes, times microseconds.
 */
#ifndef CTRCOMPOSE_CGROUP_H
#define CTRCOMPOSE_CGROUP_H

#include <ctrcompose/base.h>

enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_CPUACCT, /* v1 only */
	CGROUP_CPUSET,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_DEVICES, /* v1 only; v2 has a BPF program instead */
	CGROUP_FREEZER, /* v1 only; v2 has cgroup.freeze */
	CGROUP_IO,      /* "blkio" on v1 */
	CGROUP_CONTROLLERS,
};

/* ---- What the host has ------------------------------------------------------------------------
 * Two controllers mounted together (cpu,cpuacct) have the same mount point.
 */
struct cgroup_layout {
	char *v1[CGROUP_CONTROLLERS]; /* mount point of the v1 hierarchy, or NULL */
	char *unified;                /* mount point of the cgroup2 hierarchy, or NULL */
	bool v2[CGROUP_CONTROLLERS];  /* the controller belongs to the unified hierarchy */
};

/* Pure: from the texts of /proc/self/mountinfo, /proc/cgroups and the unified hierarchy's root
 * cgroup.controllers (NULL: unreadable or none). Lines it does not understand are skipped.
 * -ENOENT: no control groups are mounted. */
int cgroup_layout_parse(const char *mountinfo, const char *cgroups, const char *controllers,
			struct cgroup_layout *out, struct err *err);
void cgroup_layout_clear(struct cgroup_layout *l);
const char *cgroup_controller_name(enum cgroup_controller c, bool v2);

/* One system per process; it holds no descriptors and may be used from several threads. */
struct cgroup_system;

int cgroup_system_open(struct cgroup_system **out, struct err *err);
/* On a given layout, which it takes over: for tests and for doctor's what-if. */
struct cgroup_system *cgroup_system_new(struct cgroup_layout *layout);
void cgroup_system_close(struct cgroup_system **sys);
#define auto_cgroup_system __attribute__((cleanup(cgroup_system_close)))
/* Whether a limit of this controller can be set at all (v1 or v2). */
bool cgroup_has(const struct cgroup_system *sys, enum cgroup_controller c);
/* For `ctrcompose doctor`: one finding per line. */
void cgroup_describe(const struct cgroup_system *sys, struct sbuf *out);

/* ---- Device policy ----------------------------------------------------------------------------
 * Everything is denied but making nodes and the rules given. Rules are only ever added.
 */
struct cgroup_device {
	char type;          /* 'c' or 'b' */
	int64_t major;      /* -1: any */
	int64_t minor;      /* -1: any */
	const char *access; /* out of "rwm" */
};
/* "c 1:3 rwm", "b 8:* r"; the type 'a' is both kinds. access is a part of text. */
bool cgroup_device_parse(const char *text, struct cgroup_device *out);
/* null zero full random urandom tty console ptmx pts, and mknod of any. */
extern const struct cgroup_device cgroup_default_devices[];
extern const size_t cgroup_n_default_devices;

enum cgroup_devices {
	CGROUP_DEVICES_DEFAULT, /* the default rules; if they cannot be put in force: an error */
	CGROUP_DEVICES_ANY,     /* no rules here (privileged, or rules per container) */
};

/* ---- Limits ----------------------------------------------------------------------------------- */
/* What one block device may do for the group. */
struct cgroup_io {
	enum cgroup_io_what {
		CGROUP_IO_READ_BPS,
		CGROUP_IO_WRITE_BPS,
		CGROUP_IO_READ_IOPS,
		CGROUP_IO_WRITE_IOPS,
		CGROUP_IO_WEIGHT, /* 10..1000, instead of io_weight */
	} what;
	unsigned major, minor;
	uint64_t value;
};

/* A zeroed struct sets nothing. */
struct cgroup_limits {
	uint64_t memory_max;     /* 0: none */
	uint64_t memory_low;     /* reservation, 0: none */
	int64_t memory_swap_max; /* memory AND swap together, as Compose has it; -1: unlimited;
				  * 0: not given, then twice memory_max as in Docker, where the
				  * kernel counts swap */
	uint64_t pids_max;       /* 0: none */
	uint64_t cpu_quota_us;   /* 0: none; at least 1000 for the kernel */
	uint64_t cpu_period_us;  /* 0: 100000 */
	uint64_t cpu_shares;     /* 2..262144, 1024 is the kernel's default; 0: not given */
	const char *cpuset_cpus; /* "0-1,3" or NULL */
	bool has_swappiness;     /* v1 only, as oom_kill_disable: v2 has no such thing */
	uint64_t swappiness;     /* 0..100 */
	bool oom_kill_disable;
	uint64_t cpu_rt_runtime_us, cpu_rt_period_us; /* v1 only, an error on v2; 0: not given */
	uint64_t io_weight;                           /* 10..1000; 0: not given */
	const struct cgroup_io *io;                   /* in this order */
	size_t n_io;
	const struct cgroup_device *devices; /* rules on top of the default ones; the container's */
	size_t n_devices;                    /* parent must be a CGROUP_DEVICES_ANY group */
	bool everywhere; /* v1: in all hierarchies, for the limits of those above */
};

/* Pure: the writes that put limits in force, in order. */
struct cgroup_write {
	enum cgroup_controller controller;
	bool v2;
	bool soft;    /* nobody asked for it by name: a missing file is no error */
	bool or_next; /* a missing file: the next write says it; there: the next one is left out */
	const char *file;
	char value[256];
};
struct cgroup_writes {
	struct cgroup_write *v; /* the caller frees it */
	size_t n, cap;
};
/* -EOPNOTSUPP: the host has no controller for a limit that was asked for. */
int cgroup_limit_writes(const struct cgroup_layout *layout, const struct cgroup_limits *limits,
			struct cgroup_writes *out, struct err *err);

/* ---- Groups and containers -------------------------------------------------------------------- */
struct cgroup {
	const struct cgroup_system *sys; /* borrowed; must outlive this */
	char *path;
	int tasks_fds[CGROUP_CONTROLLERS]; /* v1 `tasks` files to write "0" to */
	size_t n_tasks;
	int v2_dirfd; /* for CLONE_INTO_CGROUP, or -1 */
};
#define CGROUP_INIT             \
	{                       \
		.v2_dirfd = -1, \
	}
#define auto_cgroup __attribute__((cleanup(cgroup_close)))

/* Make the parent of containers, with all folders above it, in every hierarchy in use; on v2 also
 * enable the controllers from the root down. Doing it again changes nothing. */
int cgroup_group(const struct cgroup_system *sys, const char *path, enum cgroup_devices devices,
		 struct err *err);
/* Make the group of one container below an existing cgroup_group() and set its limits. v1
 * hierarchies in which nothing is to be set are left out but for memory and pids, unless it is to
 * be everywhere; the devices one is the parent's. Left-over empty groups of the same path are taken
 * over. On failure nothing is left. */
int cgroup_create(const struct cgroup_system *sys, const char *path,
		  const struct cgroup_limits *limits, struct cgroup *out, struct err *err);
/* An existing container's group, for exec and adoption. -ENOENT: in no hierarchy. */
int cgroup_open(const struct cgroup_system *sys, const char *path, struct cgroup *out,
		struct err *err);
void cgroup_close(struct cgroup *cg); /* the descriptors and the memory; the group stays */

/* Change limits of a living group. */
int cgroup_update(const struct cgroup *cg, const struct cgroup_limits *limits, struct err *err);

/* In the child, before it has a second thread. Only system calls. 0 or negative errno. */
int cgroup_join_self(const struct cgroup *cg);

/* SIGKILL for every process in the group and below it; waits up to wait_us until all are gone
 * (0: only signals). -ETIMEDOUT: some are still there, for instance in the D state. */
int cgroup_kill(const struct cgroup_system *sys, const char *path, uint64_t wait_us,
		struct err *err);
/* All processes in the group and below it; caller frees *out. A missing group has none. */
int cgroup_pids(const struct cgroup_system *sys, const char *path, pid_t **out, size_t *n,
		struct err *err);
bool cgroup_is_empty(const struct cgroup_system *sys, const char *path); /* missing: true */
/* Remove the group and all below it in all hierarchies; waits up to a second for processes that
 * are on their way out (-EBUSY after that). Missing is success. Kills nothing. */
int cgroup_remove(const struct cgroup_system *sys, const char *path, struct err *err);
/* The same for a project's group; then cgroup_group_leave(). */
int cgroup_group_remove(const struct cgroup_system *sys, const char *path, struct err *err);
/* Remove a group of cgroup_group() and those above it that were made with it, as far as they are
 * empty. What was there before stays. */
void cgroup_group_leave(const struct cgroup_system *sys, const char *path);
/* Names of the groups directly below path, of all hierarchies. */
int cgroup_children(const struct cgroup_system *sys, const char *path, struct strs *out,
		    struct err *err);

/* ---- Parents: groups of others, below which groups of ours stand ------------------------------- */
/* Pure: why nothing can be a parent of this name, wherever it is; NULL: it may be one. */
const char *cgroup_parent_problem(const char *name);
/* Pure: the path of a parent, "" for the root; relative names are below the root, as is the init
 * process. Where systemd runs, "a-b.slice" is the slice that it has at a.slice/a-b.slice (*slice is
 * set), and what is inside of its units otherwise is refused: -EPERM. Caller frees *path. */
int cgroup_parent_path(const char *name, bool systemd, char **path, bool *slice, struct err *err);
bool cgroup_systemd(void); /* systemd is the init process */
/* Before cgroup_group() below it: systemd is asked for a slice that is not there yet; whoever is
 * there and neither a slice nor made by us has to hand down to its children (v2) what the limits
 * need: its setting is not ours to change. */
int cgroup_parent_ready(const struct cgroup_system *sys, const char *path, bool slice,
			const struct cgroup_limits *limits, struct err *err);

/* ---- Observing --------------------------------------------------------------------------------
 * Values that the host does not count are 0.
 */
struct cgroup_stats {
	uint64_t memory_current, memory_peak;
	uint64_t memory_inactive_file;   /* `docker stats` shows current without it */
	uint64_t memory_limit;           /* UINT64_MAX: none */
	uint64_t oom_kills;              /* processes killed for want of memory in this group */
	uint64_t pids_current, pids_max; /* pids_max 0: none */
	uint64_t cpu_usec;
	bool io_counted;              /* the group has the controller */
	uint64_t io_read, io_written; /* bytes, of all block devices */
};
/* io.stat, or v1's blkio.throttle.io_service_bytes: sums over the devices (pure). */
void cgroup_io_sum(const char *text, uint64_t *read, uint64_t *written);
int cgroup_stats(const struct cgroup_system *sys, const char *path, struct cgroup_stats *out,
		 struct err *err);
int cgroup_oom_kills(const struct cgroup_system *sys, const char *path, uint64_t *out);

/* Stop and go on. Freezing waits up to two seconds; on -ETIMEDOUT the group runs again. */
int cgroup_freeze(const struct cgroup_system *sys, const char *path, struct err *err);
int cgroup_thaw(const struct cgroup_system *sys, const char *path, struct err *err);

#endif
