/* private.h - box's own: frames between parent and child, the child's steps */
#ifndef BOX_PRIVATE_H
#define BOX_PRIVATE_H

#include <ctrcompose/box.h>

/* ---- seccomp.c -------------------------------------------------------------------------------- */
int seccomp_apply(const struct box_seccomp *p); /* one system call */
size_t seccomp_length(const struct box_seccomp *p);
/* The program's answer, for tests: SECCOMP_RET_* */
uint32_t seccomp_eval(const struct box_seccomp *p, uint32_t arch, uint32_t nr, uint64_t arg0);

/* ---- frame.c: what goes over the control socket ------------------------------------------------
 * Parent to child: one byte. Child to parent: a struct frame, or from the init one int, the errno
 * of its exec.
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
	char text[240];
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
/* order[] is filled with the indexes of v, shallow targets first, else as given. */
void order_mounts(const struct box_mount *v, size_t n, size_t *order);
/* Whether a person may mount over this path of /proc: what lxcfs and the like offer. */
bool proc_target_allowed(const char *target);

/* ---- The child -------------------------------------------------------------------------------- */
struct setup {
	const struct box_spec *spec;
	const struct hiers *hiers;
	const size_t *order; /* of spec->mounts */
	int ctl;
	int init_fd; /* sealed memory file, or -1 */
	int null_fd; /* the host's /dev/null */
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

/* devices.c */
void child_dev(const struct setup *s, const struct place *p, struct child_tty *tty);
/* hide.c */
void child_hide(const struct setup *s, const struct place *p);

/* become.c: from root in the container to the program */
struct become {
	const struct box_process *p;
	int ctl;
	int null_fd;
	int init_fd;
	bool container; /* the first process: waits for the release */
	struct child_tty tty;
};
void child_become(const struct become *b) __attribute__((noreturn));
/* A pseudo terminal of this container's devpts; negative errno. */
int tty_open(int pts_dir, struct child_tty *out);
/* Early, in every child: signals, dumpable, descriptors but those in keep (sorted in place). */
void child_prepare(int *keep, size_t n);
int child_join(const int *tasks_fds, size_t n);

#endif
