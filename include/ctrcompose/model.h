/* model.h - the typed project: plain data that lives in one arena and knows nothing of YAML.
 *
 * What a field means is said in the Compose Specification; here stand types, units and defaults.
 * Everything a struct points to belongs to the arena of its project.
 */
#ifndef CTRCOMPOSE_MODEL_H
#define CTRCOMPOSE_MODEL_H

#include <ctrcompose/base.h>

struct list { /* of strings */
	const char **v;
	size_t n;
};

struct kv {
	const char *key;
	const char *value; /* NULL: named without a value */
};

struct kvs { /* in the order of the file, keys unique */
	struct kv *v;
	size_t n;
};

const char *kvs_get(const struct kvs *l, const char *key); /* NULL: not there */

enum dep_condition { DEP_STARTED, DEP_HEALTHY, DEP_COMPLETED };

struct service_dep {
	const char *service;
	enum dep_condition condition;
	bool required; /* default true */
	bool restart;
};

enum mount_kind {
	MOUNT_VOLUME,
	MOUNT_BIND,
	MOUNT_TMPFS,
	MOUNT_IMAGE, /* the files of an image, read-only */
	MOUNT_FS,    /* a file system of the kernel: volumes with `type` and `device` options */
};

struct service_mount {
	enum mount_kind kind;
	/* volume: key of project.volumes, NULL = anonymous; bind: absolute host path; image: its
	 * reference; file system: its device */
	const char *source;
	const char *target; /* absolute, clean */
	bool read_only;
	bool create_host_path; /* bind: make a missing folder; default true for the short syntax */
	bool nocopy;           /* volume: no copy-up of the image's content */
	const char *subpath;   /* volume or image, or NULL */
	const char *propagation; /* bind, or NULL = rprivate */
	char selinux;            /* 'z', 'Z': give it a label; 0: leave it */
	bool top_only;           /* bind: without what is mounted below it */
	bool top_read_only;      /* bind: read_only is for itself, not for what is mounted below */
	const char *fs_type;     /* file system: "nfs", "ext4" */
	const char *fs_options;  /* file system: "addr=10.0.0.1,ro", or NULL */
	uint64_t tmpfs_size;     /* bytes, 0 = the kernel's default */
	uint32_t tmpfs_mode;     /* 0 = 01777 */
	const char *tmpfs_options; /* further mount options of `tmpfs: /x:a,b`, or NULL */
};

struct service_port {          /* ranges are expanded: one entry is one container port */
	const char *host_ip;   /* NULL = all addresses, IPv4 and IPv6 */
	uint16_t published_lo; /* 0 = an ephemeral one */
	uint16_t published_hi; /* equal to lo but for "8000-8010:80": any free one of the range */
	uint16_t target;
	const char *protocol; /* "tcp" or "udp" */
	const char *mode;     /* "ingress" or "host" */
	const char *name;     /* or NULL */
};

struct service_network {
	const char *network; /* key of project.networks */
	struct list aliases;
	const char *ipv4_address, *ipv6_address, *mac_address; /* or NULL */
	const char *interface_name;                            /* inside, or NULL */
	struct list link_local_ips;
	const char *sysctls; /* "net.ipv4.conf.IFNAME.KEY=VALUE,...", or NULL */
	int priority, gw_priority;
};

struct healthcheck {
	bool set;         /* the file has a healthcheck section */
	bool disable;     /* disable: true or test: NONE */
	struct list test; /* first word CMD or CMD-SHELL; empty: the image's */
	uint64_t interval_us, timeout_us, start_period_us, start_interval_us; /* 0 = not given */
	unsigned retries;                                                     /* 0 = not given */
};
/* What holds where neither file nor image says otherwise. */
#define HEALTH_INTERVAL_US       (30 * 1000000ULL)
#define HEALTH_TIMEOUT_US        (30 * 1000000ULL)
#define HEALTH_START_INTERVAL_US (5 * 1000000ULL)
#define HEALTH_RETRIES           3

enum restart_policy { RESTART_NO, RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_UNLESS_STOPPED };

struct service_ulimit {
	const char *name;   /* "nofile" */
	int64_t soft, hard; /* -1: unlimited */
};

struct service_device {
	const char *source, *target; /* host path, path inside */
	const char *permissions;     /* out of "rwm" */
};

/* Devices by what they are: gpus, reserved devices, CDI names under devices (driver "cdi"). */
struct service_request {
	const char *driver; /* or NULL */
	int64_t count;      /* -1: all; nothing with ids */
	struct list ids;    /* of the kind that the driver stands for, or CDI names */
	struct list capabilities;
};

struct service_file {        /* a secret or a config */
	const char *target;  /* absolute */
	const char *path;    /* on the host, read at each start; or NULL */
	const char *content; /* or NULL: then path */
	const char *missing; /* why there is neither, or NULL */
	uint32_t uid, gid, mode;
};

struct service_hook { /* a command that is run in the running container */
	struct list command;
	const char *user, *working_dir; /* NULL: the container's */
	bool privileged;
	struct kvs environment; /* on top of the container's */
};

struct service_hooks {
	struct service_hook *v;
	size_t n;
};

struct service_step {
	struct service *svc; /* the service with the program of this step */
	bool per_replica;    /* before each container; else once, before all of them */
};

struct words { /* command and entrypoint: absent, empty and filled are three things */
	bool set;
	struct list list;
};

/* What a service may do with one block device of the host. */
struct service_blkio {
	enum blkio_what {
		BLKIO_READ_BPS,
		BLKIO_WRITE_BPS,
		BLKIO_READ_IOPS,
		BLKIO_WRITE_IOPS,
		BLKIO_WEIGHT,
	} what;
	const char *path; /* the device's node */
	uint64_t value;
};

struct service {
	const char *name;
	const char *image;
	const char *container_name; /* or NULL */
	const char *hostname;       /* or NULL = short container id */
	const char *domainname;
	const char *user;         /* or NULL = the image's */
	const char *working_dir;  /* or NULL = the image's */
	const char *pull_policy;  /* or NULL */
	const char *network_mode; /* NULL, "none" or "host"; others are refused */
	const char *userns_mode;  /* NULL or "host" */
	const char *pid;          /* NULL, "host", "service:x", "container:x" */
	const char
		*ipc; /* NULL, "none", "private", "shareable", "host", "service:x", "container:x" */
	const char *uts;      /* NULL or "host" */
	const char *cgroup;   /* NULL, "private" or "host" */
	const char *cpuset;   /* "0-1,3" or NULL */
	const char *seccomp;  /* path of a profile, or NULL */
	const char *apparmor; /* name of a profile, or NULL */
	/* as cgroup_parent_path() takes it, or NULL */
	const char *cgroup_parent;
	struct words command, entrypoint;
	struct kvs environment; /* env_file merged in; value NULL = do not set */
	struct kvs labels;
	struct list profiles, cap_add, cap_drop, security_opt, dns, dns_search, dns_opt, group_add,
		expose, volumes_from, device_cgroup_rules;
	struct list links;          /* "SERVICE" or "SERVICE:ALIAS" */
	struct list external_links; /* "CONTAINER" or "CONTAINER:ALIAS", of any project */
	struct kvs extra_hosts;     /* name -> address */
	struct kvs sysctls;
	struct service_dep *deps;
	size_t n_deps;
	struct service_mount *mounts; /* volumes and tmpfs; targets unique, the last one won */
	size_t n_mounts;
	struct service_port *ports;
	size_t n_ports;
	struct service_network *networks; /* empty only with network_mode */
	size_t n_networks;
	struct service_ulimit *ulimits;
	size_t n_ulimits;
	struct service_device *devices;
	size_t n_devices;
	struct service_request *requests;
	size_t n_requests;
	struct service_file *files; /* secrets and configs */
	size_t n_files;
	struct healthcheck health;
	struct service_hooks post_start, pre_stop;
	struct service_step *pre_start; /* run one after the other, before it */
	size_t n_pre_start;
	enum restart_policy restart;
	unsigned restart_max;   /* on-failure:N, 0 = no bound */
	int stop_signal;        /* 0 = the image's, else SIGTERM */
	uint64_t stop_grace_us; /* default 10 s */
	uint64_t mem_limit;     /* bytes, 0 = none; deploy.resources.limits.memory as well */
	uint64_t mem_reservation;
	int64_t memswap_limit; /* bytes of memory + swap, -1 = unlimited, 0 = not given */
	uint64_t nano_cpus;    /* cpus * 1e9, 0 = no limit */
	uint64_t cpu_shares;   /* 0 = not given */
	uint64_t cpu_quota_us, cpu_period_us;         /* 0 = not given */
	int64_t mem_swappiness;                       /* -1 = not given */
	uint64_t cpu_rt_runtime_us, cpu_rt_period_us; /* 0 = not given */
	uint64_t blkio_weight;                        /* 10..1000, 0 = not given */
	struct service_blkio *blkio;
	size_t n_blkio;
	int oom_score_adj;  /* 0 = not given */
	int64_t pids_limit; /* 0 = not given (PIDS_LIMIT_DEFAULT), -1 = unlimited */
	uint64_t shm_size;  /* bytes, 0 = 64 MiB */
	uint64_t
		root_size; /* storage_opt size: bytes of what it writes to its root, 0 = no bound */
	bool attach;       /* `up` in the foreground shows its output; default true */
	unsigned scale;    /* scale or deploy.replicas, default 1 */
	bool privileged, read_only, init, tty, stdin_open, no_new_privs, seccomp_unconfined,
		systempaths_unconfined, oom_kill_disable;
	uint64_t log_max_size;   /* logging: bytes of one file, 0 = the default */
	unsigned log_max_file;   /* 0 = the default */
	bool log_none;           /* driver "none" */
	const char *config_json; /* canonical JSON of this service alone, for hash and record */
	char config_hash[65];    /* SHA-256 over what matters for a container, lower-case hex */
};
#define SERVICE_FILE_MAX      (16 << 20) /* bytes of a secret or config */
#define STOP_GRACE_DEFAULT_US (10 * 1000000ULL)
#define PIDS_LIMIT_DEFAULT    4096
#define SHM_SIZE_DEFAULT      (64ULL << 20)

struct network {
	const char *key;
	const char *name; /* as the host knows it: <project>_<key> unless given */
	bool external, internal, attachable, enable_ipv6;
	const char *driver;                      /* "bridge" (default), "host", "none" */
	const char *subnet, *gateway, *ip_range; /* the IPv4 entry of ipam.config, or NULL */
	const char *subnet6, *gateway6;          /* the IPv6 entry, or NULL */
	struct kvs aux_addresses; /* name -> address of either family that nobody is given */
	struct kvs labels, driver_opts;
};

struct volume {
	const char *key;
	const char *name; /* <project>_<key> unless given */
	bool external;
	const char *driver; /* "local" */
	struct kvs labels, driver_opts;
};

struct yaml_node;

struct project {
	struct arena arena;
	struct yaml_node
		*tree; /* canonical form of all that was loaded (yaml.h); set by the loader */
	bool dollars;  /* printed with $ doubled, so that it can be read back */
	/* --compatibility: shop_web_1, not shop-web-1 */
	bool underscores;
	/* COMPOSE_REMOVE_ORPHANS, COMPOSE_IGNORE_ORPHANS */
	bool remove_orphans, ignore_orphans;
	const char *name;
	const char *working_dir;  /* absolute */
	struct list config_files; /* absolute */
	struct service *services; /* enabled ones, sorted by name */
	size_t n_services;
	struct service *disabled; /* by a profile, sorted by name */
	size_t n_disabled;
	struct network *networks; /* used by an enabled service, or all on request; sorted by key */
	size_t n_networks;
	struct volume *volumes;
	size_t n_volumes;
};

const struct service *project_service(const struct project *p, const char *name); /* or NULL */
/* Whether the service is one of the words (NULL-terminated), or one of them depends on it; no words:
 * yes. */
bool project_needs(const struct project *p, char *const *words, const char *service);
const struct network *project_network(const struct project *p, const char *key);
const struct volume *project_volume(const struct project *p, const char *key);
void project_free(struct project *p); /* the arena with all in it, and p itself */
void auto_project_fn(struct project **p);
#define auto_project __attribute__((cleanup(auto_project_fn)))

#endif
