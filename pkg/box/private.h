/* private.h - box's own: frames between parent and child, the child's steps */
#ifndef BOX_PRIVATE_H
#define BOX_PRIVATE_H

#include <ctrcompose/box.h>

#include <sys/resource.h>

/* ---- seccomp.c -------------------------------------------------------------------------------- */
int seccomp_apply(const struct box_seccomp *p); /* one system call */
size_t seccomp_length(const struct box_seccomp *p);
/* The program's answer, for tests: SECCOMP_RET_* */
uint32_t seccomp_eval(const struct box_seccomp *p, uint32_t arch, uint32_t nr,
		      const uint64_t args[6]);

/* ---- lsm.c ------------------------------------------------------------------------------------ */
/* Pure: whether the text of .../apparmor/profiles has it: "name (mode)" a line. */
bool apparmor_listed(const char *text, const char *profile);
/* Child: the container's /proc, found to be the kernel's, for the init. */
int child_proc(int ctl);
/* "context=" as the last of n options when there is a label: how many there are now. */
struct fs_opt;
size_t label_option(struct fs_opt *opts, size_t n, const char *label);
/* A file system that can't be mounted with a label: its root gets it, where the policy lets us. */
void label_root(int mnt, const char *label);

/* ---- frame.c: what goes over the control socket ------------------------------------------------
 * Parent to child: one byte. Child to parent: a struct frame, or from the init one int, the errno
 * of its exec, or below 0 the one of its AppArmor profile or SELinux label.
 */
enum { CTL_GO = 'G', CTL_RELEASE = 'R' };
enum frame_type {
	FRAME_FAILED = 1, /* code, exit_code, text; the sender ends */
	FRAME_TTY,        /* with the master's descriptor */
	FRAME_PID,        /* of box_exec(): pid, with its pidfd */
	FRAME_EXEC,       /* the next thing is execve; text is the program */
};
struct frame {
	uint32_t type;
	int32_t code; /* negative errno */
	int32_t exit_code;
	int32_t pid;
	char text[1000];
};

int frame_send(int ctl, const struct frame *f, int fd);
/* 1: a frame; 0: end; negative errno. *fd is -1 or a descriptor that came with it. */
int frame_recv(int ctl, struct frame *f, int *fd, int flags);
/* Child: say it and end. The text of code is added. */
void child_fail(int ctl, int code, const char *fmt, ...) __attribute__((noreturn))
PRINTF_LIKE(3, 4);
void child_fail_exec(int ctl, int code, const char *fmt, ...) __attribute__((noreturn))
PRINTF_LIKE(3, 4);
/* Child: wait for the parent's byte; ends when the parent has gone. */
void child_await(int ctl, char byte);

/* ---- Hierarchies, for /sys/fs/cgroup (hier.c) -------------------------------------------------- */
enum { HIER_MAX = 24 };
struct hiers {
	struct hier {
		char name[64]; /* "cpu,cpuacct", "systemd", "unified"; the folder */
		bool v2, named;
	} v[HIER_MAX];
	size_t n;
};
/* Pure: from the text of /proc/self/cgroup. */
void hiers_parse(const char *text, struct hiers *out);

/* ---- order.c ---------------------------------------------------------------------------------- */
size_t target_depth(const char *target); /* "/" 0, "/a//b/" 2 */
/* order[] is filled with the indexes of mounts, and n_mounts + the indexes of files: shallow
 * targets first, then files, then as given. It has room for all of them. */
void order_targets(const struct box_spec *spec, size_t *order);
/* Whether a person may mount over this path of /proc: what lxcfs and the like offer. */
bool proc_target_allowed(const char *target);

/* ---- The child -------------------------------------------------------------------------------- */
struct setup {
	const struct box_spec *spec;
	const struct hiers *hiers;
	const size_t *order; /* see order_targets() */
	int ctl;
	int init_fd; /* sealed memory file */
	bool labelled_init;
	int null_fd; /* the host's /dev/null */
	int dev_fd;  /* see dev_make() */
	int shm_fd;  /* detached clone of another container's /dev/shm, or -1 */
	int runner;  /* to the process that runs hooks in the runtime's namespaces, or -1 */
};
void child_main(struct setup *s) __attribute__((noreturn));

/* mounts.c: all of the mount tree, up to pivot_root; *tty_slave is set with process.tty. */
struct child_tty {
	int master, slave;
};
void child_mounts(const struct setup *s, struct child_tty *tty);

/* mountfs.c: the small operations below; they end the child on failure */
struct place { /* where mounts go */
	int root_fd;
	int ctl;
};
struct fs_opt {
	const char *key, *value; /* value NULL: a flag */
};
int fs_make(const char *type, const struct fs_opt *opts, size_t n, unsigned attrs); /* fd, -errno */
int fs_clone(int dirfd, const char *path);                                          /* fd, -errno */
int fs_clone_all(int dirfd, const char *path);
/* O_PATH fd of the target in the root; made when missing, as a folder or a file. */
int place_target(const struct place *p, const char *target, bool folder, bool nofollow);
/* place_mount() closes mnt, place_mount_at() leaves both descriptors. A negative mnt is an errno. */
void place_mount(const struct place *p, int mnt, const char *target, bool folder);
void place_mount_at(const struct place *p, int mnt, int target_fd, const char *name);

/* devices.c: in the parent, since a user namespace can make no nodes. The container's /dev as a
 * detached tmpfs with everything in it but mounts; devices with targets elsewhere are in it as
 * ".device-N". */
int dev_make(const struct box_spec *spec, struct err *err); /* fd, -errno */
/* dev.c: the rest of it, in the child */
void child_dev(const struct setup *s, const struct place *p, struct child_tty *tty);
/* hide.c */
void child_hide(const struct setup *s, const struct place *p);

/* hook.c: one hook, from its start to its end */
struct hook_world {
	const char *id, *bundle;
	pid_t pid;   /* of the container, as hooks see it */
	int peer;    /* a socket: when its other end is gone, nobody waits for the hook */
	bool inside; /* nothing that it has started may live on */
	bool first;  /* this process is the first one of its PID namespace */
};
/* 0, or a negative errno and the sentence in why. */
int hook_run(const struct box_hook *h, const struct hook_world *w, struct sbuf *why);
/* The text of config.json; the root is "rootfs" beside it. Caller frees. */
char *hook_config(const struct box_spec *spec);

/* hooks.c */
const char *hooks_refused(const struct box_spec *spec); /* pure: why not, or NULL */
/* In the parent, before the child is made: starts who runs hooks in the namespaces of today, if there
 * are any. The way to it is s->runner, and the child's. */
int hooks_runner_start(struct setup *s, struct err *err);
int hooks_runner_tell(const struct setup *s, pid_t pid, struct err *err);
/* In the child, when all mounts are there. */
void child_hooks(const struct setup *s);

/* become.c: from root in the container to the program */
struct become {
	const struct box_process *p;
	int ctl;
	int null_fd;
	int init_fd;
	bool init;      /* it stays as PID 1, instead of making way for the program */
	bool labelled;  /* that has the label already when it begins */
	bool container; /* the first process: waits for the release */
	struct child_tty tty;
};
void child_become(const struct become *b) __attribute__((noreturn));
/* A pseudo terminal of this container's devpts; negative errno. */
int tty_open(int pts_dir, struct child_tty *out);
/* Early, in every child: signals, dumpable, descriptors but those in keep (sorted in place). */
void child_prepare(int *keep, size_t n);
/* A session keyring of its own: while still the host's root, which has the larger quota. */
void child_keyring(int ctl, const char *label);
int child_join(const int *tasks_fds, size_t n);
/* Root of the user namespace it is in. */
void child_become_root(int ctl);

/* program.c: the working folder and the program itself */
/* Makes it below the root when missing. 0 or -errno. */
int cwd_make(int root_fd, const char *cwd);
int cwd_enter(const char *cwd);
char *program_look_up(int ctl, const struct box_process *p);
const char **program_env(const struct box_process *p, const char *home);

/* ---- The parent ------------------------------------------------------------------------------- */
/* clone.c: clone3; the child's pid, 0 in the child, or a negative errno. */
pid_t clone_child(uint64_t flags, int v2_dirfd, bool sibling, int *pidfd);
uint64_t clone_namespaces(const struct box_spec *spec);

/* create.c: both are opened once and kept; -errno */
int host_null(struct err *err);
int init_file(struct err *err);
/* Of its own label, for where it stays as PID 1; -1: it can't have that. One is kept. */
int init_file_labelled(const char *label);

/* join.c: a container in namespaces of others */
struct joining {
	int fds[3];       /* pid, ipc, net; -1: not joined */
	int user_fd;      /* the user namespace to be joined, or -1 */
	bool new_user;    /* a user namespace of its own is wanted all the same */
	int shm_mntns_fd; /* or -1 */
};
bool joins(const struct box_spec *spec);
int joining_open(const struct box_spec *spec, struct joining *j, struct err *err);
int joining_start(struct setup *s, const struct joining *j, struct box *out, struct err *err);

/* dress.c: what only the parent may do to the child */
int dress_maps(const struct box_spec *spec, pid_t pid, struct err *err);
int dress_limits(const struct box_spec *spec, pid_t pid, struct err *err);
int dress_oom(const struct box_spec *spec, pid_t pid, struct err *err);
/* Root's pipes become the container's root's, who may open them anew and give them on. */
int dress_streams(const struct box_process *p, uid_t base, struct err *err);
/* In an exec: as many open files as may be. What the kernel counts of descriptors on their way, in all
 * of a user's sockets, is held against this limit of the sender: ETOOMANYREFS, unix(7). */
void limits_raise(void);
/* In an exec, once it is in the namespaces: the limits of the process pid, and to have them too. */
struct limits {
	struct rlimit64 of[16];
};
void limits_read(pid_t pid, struct limits *out);
void limits_take(const struct limits *l);

/* sysctl.c: pure. NULL when the container may set it, else why not. */
const char *sysctl_refused(const struct box_spec *spec, const char *key);

#endif
