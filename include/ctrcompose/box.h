/* box.h - one container: namespaces, mounts, identity, exec. It knows nothing of Compose.
 *
 *   box_create()   clones the child into its namespaces and returns at once; the child sets up its
 *                  mounts while the caller wires box.netns_fd and creates the next one
 *   box_release()  lets the child go on to exec
 *   box.ctl_fd     readable: call box_read_status(): 0 the program runs, -EAGAIN not yet decided,
 *                  else what went wrong and box.exit_code (127 not found, 126 not executable, 125
 *                  the setup failed), as Docker has them
 *
 * The caller is single-threaded, root, and in a mount namespace of its own (rootfs.h). Everything
 * in a spec is borrowed until box_create() returns; descriptors stay the caller's and may be closed
 * then. Functions return 0 or a negative errno with a sentence in err.
 */
#ifndef CTRCOMPOSE_BOX_H
#define CTRCOMPOSE_BOX_H

#include <ctrcompose/base.h>
#include <limits.h>

/* ---- Capabilities: bit N is capability N ------------------------------------------------------- */
#define BOX_CAPS_DEFAULT UINT64_C(0xa80425fb) /* Docker's fourteen */

/* Pure. Names with or without CAP_, any case; "ALL". Drop comes first, then add. privileged gives
 * all that the kernel and the caller have (box_caps_all()). -EINVAL: unknown name. NULL lists may
 * be given with n 0. */
int box_caps_from(const char *const *add, size_t n_add, const char *const *drop, size_t n_drop,
		  bool privileged, uint64_t *out, struct err *err);
uint64_t box_caps_all(void);
const char *box_cap_name(unsigned cap); /* "CAP_CHOWN"; NULL when unknown */

/* ---- System call filter ------------------------------------------------------------------------
 * Docker's default profile for a capability set, for the native ABI and its 32-bit companions;
 * calls newer than the table are ENOSYS. Built on first use and kept for the life of the process.
 */
struct box_seccomp;
const struct box_seccomp *box_seccomp(uint64_t caps);
/* A profile in Docker's JSON format (security_opt seccomp=FILE) for a capability set; kept like the
 * default one. -EBADMSG: not JSON; -EINVAL: not a profile, the sentence names what; -E2BIG. */
int box_seccomp_profile(const char *text, size_t len, uint64_t caps, const struct box_seccomp **out,
			struct err *err);

/* ---- Security modules -------------------------------------------------------------------------
 * SELinux labels come from whoever makes the spec: selinux.h. AppArmor: whether a program can be executed under the profile. -EOPNOTSUPP: the kernel has no
 * AppArmor, or it is off; -ENOENT: no such profile is loaded, as far as we can see.
 */
int box_apparmor_check(const char *profile, struct err *err);

/* ---- Users ------------------------------------------------------------------------------------
 * Pure, over the text of /etc/passwd and /etc/group (may be NULL with length 0).
 */
enum { BOX_GROUPS_MAX = 64 };
struct box_user {
	uid_t uid;
	gid_t gid;
	gid_t groups[BOX_GROUPS_MAX]; /* the primary one first */
	size_t n_groups;
	char home[256]; /* "/" when unknown */
};
/* "", "user", "uid", "user:group", "uid:gid": digits are never looked up by name. `extra` are
 * group_add names or numbers. -ENOENT: no such user or group; -EINVAL: not a user. */
int box_user_resolve(const char *who, const char *const *extra, size_t n_extra, const char *passwd,
		     size_t passwd_len, const char *group, size_t group_len, struct box_user *out,
		     char why[160]);

/* ---- A container ------------------------------------------------------------------------------- */
struct box_mount {
	const char *target; /* absolute, in the container; made when missing */
	int fd;             /* detached mount (rootfs.h), or -1: a tmpfs */
	const char *tmpfs;  /* "size=64m,mode=1777,uid=5,ro,exec"; NULL is "" */
	bool read_only;     /* of the tmpfs; for fd the mount has it already */
};

/* A file that only this container has: hosts, resolv.conf, secrets from the environment. All live
 * on one private tmpfs and are mounted over their targets. */
struct box_file {
	const char *target;
	const void *data;
	size_t len;
	mode_t mode;
	uid_t uid; /* in the container */
	gid_t gid;
	bool read_only;
};

struct box_device {
	const char *host;   /* "/dev/fuse"; a folder: all devices below it; links are followed */
	const char *target; /* "/dev/fuse"; NULL: as host */
	/* The node is as the rest says, and nothing is looked at on the host. */
	bool given;
	mode_t mode; /* with its type */
	dev_t number;
	uid_t uid; /* in the container */
	gid_t gid;
};

/* A program of the host's, trusted, that is run when all mounts are there and before the program: a
 * hook of the OCI runtime specification. It gets the container's state on its standard input, with
 * a bundle whose config.json has root.path. What it prints is told when it fails, and so the start. */
struct box_hook {
	bool inside;      /* in the container's namespaces, as its root; else in the caller's */
	const char *name; /* "createContainer" */
	const char *at;   /* who wants it, for messages */
	const char *path; /* of the host, also inside */
	const char *const *args, *const *env; /* NULL terminated; args with the program's name */
	unsigned timeout_s;                   /* 0: it may take as long as it wants */
};

/* What is not in the list is a fixed table's, not the caller's own. */
struct box_rlimit {
	int resource; /* RLIMIT_* */
	uint64_t soft, hard;
	bool must; /* fail when it cannot be had; else the nearest that can */
};
/* "nofile", -1: unlimited. Pure. -EINVAL: no such limit, or soft above hard. */
int box_rlimit_from(const char *name, int64_t soft, int64_t hard, struct box_rlimit *out,
		    struct err *err);

/* Only what belongs to a namespace that the container has for itself: others are refused. */

struct box_sysctl {
	const char *key; /* "net.core.somaxconn" */
	const char *value;
};

enum box_net {
	BOX_NET_NEW,  /* own, wired by the caller */
	BOX_NET_NONE, /* own, only lo, up */
	BOX_NET_HOST,
	BOX_NET_JOIN, /* netns_fd: that of another container */
};

enum box_share { BOX_OWN, BOX_HOST, BOX_JOIN };

/* What both a container's first process and an exec in it have. */
struct box_process {
	const char *const *argv; /* NULL terminated; argv[0] is looked up in env's PATH */
	const char *const *env;  /* NULL terminated, complete but for HOME, which is added */
	const char *cwd;         /* NULL: "/"; made when missing */
	const char *user;        /* see box_user_resolve(); NULL: root */
	const char *const *groups;
	size_t n_groups;
	uint64_t caps;
	const struct box_seccomp *seccomp; /* NULL: none */
	bool no_new_privs;
	const char
		*apparmor; /* the profile it is executed under, see box_apparmor_check(), or NULL */
	const char *label; /* of SELinux, that it is executed with, or NULL */
	bool tty;          /* stdio is a pseudo terminal, see box_take_tty() */
	/* -1: /dev/null. Pipes of root's are given to the user, so that /dev/stdout can be opened. */
	int stdin_fd, stdout_fd, stderr_fd;
	const int *tasks_fds; /* v1 `tasks` files, see cgroup.h */
	size_t n_tasks;
	int v2_dirfd;      /* or -1 */
	bool clone_parent; /* the child becomes a sibling of the caller, not its child */
};
#define BOX_PROCESS_INIT                                                                    \
	{                                                                                   \
		.caps = BOX_CAPS_DEFAULT, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, \
		.v2_dirfd = -1,                                                             \
	}

struct box_spec {
	struct box_process process;
	const char *hostname;   /* NULL: the host's */
	const char *domainname; /* NULL: none */
	int root_fd;        /* detached mount; consumed by the child, still the caller's to close */
	bool read_only;     /* root; mount points are made before it takes force */
	uint32_t uid_base;  /* 0: no user namespace */
	uint32_t uid_count; /* 0: 65536 */
	/* Mounted by depth, files before mounts of the same depth, else in the given order. */
	const struct box_mount *mounts;
	size_t n_mounts;
	const struct box_file *files;
	size_t n_files;
	const struct box_device *devices;
	size_t n_devices;
	const struct box_hook
		*hooks; /* those of the caller's namespaces come first, then as given */
	size_t n_hooks;
	const char *id;    /* of the container, for hooks */
	uint64_t shm_size; /* bytes, 0: 64 MiB */
	bool privileged;   /* nothing masked, all of the host's devices, /sys writable */
	bool init;         /* a small init is PID 1: reaps and passes signals on */
	enum box_net net;
	int netns_fd; /* BOX_NET_JOIN */
	/* BOX_JOIN: pidns_fd, ipcns_fd of another container, and for its /dev/shm shm_mntns_fd, its
	 * mount namespace (-1: a /dev/shm of its own). With several the user namespace joined is
	 * that of pidns_fd, else ipcns_fd, else netns_fd. */
	enum box_share ipc;
	enum box_share pid;
	int ipcns_fd, pidns_fd, shm_mntns_fd;
	bool no_shm; /* nothing is at /dev/shm: ipc none */
	bool uts_host;
	bool cgroup_host;  /* the host's cgroup namespace, and its groups to look at */
	int oom_score_adj; /* 0: or the nearest to it that we may give */
	const struct box_rlimit *rlimits;
	size_t n_rlimits;
	const struct box_sysctl *sysctls;
	size_t n_sysctls;
	/* Of SELinux, on all that is made for it in memory: /dev, its terminals, shared memory, tmpfs,
	 * files of its own. NULL: what the policy gives. */
	const char *file_label;
	bool selinuxfs; /* the host's /sys/fs/selinux to look at, and no mask over it */
	/* NULL: the default lists; security_opt systempaths=unconfined gives empty ones */
	const char *const *masked;
	const char *const *read_only_paths;
};
#define BOX_SPEC_INIT                                                                       \
	{                                                                                   \
		.process = BOX_PROCESS_INIT, .root_fd = -1, .netns_fd = -1, .ipcns_fd = -1, \
		.pidns_fd = -1, .shm_mntns_fd = -1,                                         \
	}

struct box {
	pid_t pid; /* in the caller's PID namespace */
	int pidfd;
	int netns_fd;  /* of BOX_NET_NEW, else -1 */
	int ctl_fd;    /* see above; closed by box_read_status() once it is decided */
	int tty_fd;    /* the terminal's master, once it came */
	int exit_code; /* what `up` or `run` reports when it failed: 125, 126, 127 */
	bool reached_exec;
	char program[128]; /* argv[0], for messages */
};
#define BOX_INIT                                                         \
	{                                                                \
		.pidfd = -1, .netns_fd = -1, .ctl_fd = -1, .tty_fd = -1, \
	}
#define auto_box __attribute__((cleanup(box_close)))

int box_create(const struct box_spec *spec, struct box *out, struct err *err);
int box_release(struct box *box, struct err *err);
static inline int box_status_fd(const struct box *box)
{
	return box->ctl_fd;
}

/* Never blocks. 0: exec happened. -EAGAIN: nothing final yet. Else it failed: the process is gone
 * or about to be, and has to be reaped by its parent as usual. */
int box_read_status(struct box *box, struct err *err);
/* The pseudo terminal's master, now the caller's; -1 before it has come. */
int box_take_tty(struct box *box);
/* Closes the descriptors. A child that was not released yet ends. */
void box_close(struct box *box);

/* ---- One more process in a container ---------------------------------------------------------- */
struct box_exec_spec {
	struct box_process process;
	int pidfd; /* of the container's first process */
	pid_t pid; /* its pid */
};
#define BOX_EXEC_INIT                                     \
	{                                                 \
		.process = BOX_PROCESS_INIT, .pidfd = -1, \
	}
/* Returns when the process exists (well under a millisecond) with pid and pidfd set; it is the
 * caller's child (or its sibling). Its exec is reported like a container's; no release. */
int box_exec(const struct box_exec_spec *spec, struct box *out, struct err *err);

/* ---- Defaults, for doctor and tests ------------------------------------------------------------ */
extern const char *const box_masked_paths[];    /* NULL terminated */
extern const char *const box_read_only_paths[]; /* NULL terminated */

#endif
