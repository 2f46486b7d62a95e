/* proc.c - processes by descriptor, and running a program of the host; see base.h */
#include <ctrcompose/base.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUN_OUTPUT_MAX = 1 << 20, NO_PROGRAM = 127 };

int pidfd_open_pid(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

int pidfd_kill(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

/* What PIDFD_GET_INFO of Linux 6.15 fills in; headers of older systems lack it. */
struct exit_info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ids[8];
	int32_t exit_code;
};
#define EXIT_INFO_BIT (1U << 3)
#define GET_EXIT_INFO _IOWR(0xFF, 11, struct exit_info)

int pidfd_wait_status(int pidfd, int *status)
{
	struct exit_info info = { .mask = EXIT_INFO_BIT };

	if (ioctl(pidfd, GET_EXIT_INFO, &info) < 0)
		return -errno;
	if (!(info.mask & EXIT_INFO_BIT))
		return -ENODATA;
	*status = info.exit_code;
	return 0;
}

enum { STAT_STATE = 3, STAT_FLAGS = 9, STAT_START_TIME = 22, STAT_EXIT_CODE = 52 };

/* The rest of /proc/PID/stat from a field on; the caller frees *text. */
static int stat_field(pid_t pid, int wanted, char **text, char **field)
{
	char path[64];
	char *p;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	r = file_read(AT_FDCWD, path, 4096, text, NULL);
	if (r < 0)
		return r;
	p = strrchr(*text, ')'); /* the name in field 2 may hold anything, this too */
	for (int n = 2; p && n < wanted; n++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -EBADMSG;
	*field = p + 1;
	return 0;
}

static int stat_number(pid_t pid, int wanted, uint64_t *out)
{
	auto_free char *text = NULL;
	char *p;
	int r = stat_field(pid, wanted, &text, &p);

	if (r < 0)
		return r;
	p[strcspn(p, " \n")] = '\0';
	return parse_u64(p, out);
}

int proc_start_time(pid_t pid, uint64_t *out)
{
	return stat_number(pid, STAT_START_TIME, out);
}

int proc_zombie_status(pid_t pid, uint64_t start_time, int *status)
{
	auto_free char *text = NULL;
	uint64_t start = 0, code = 0;
	char *state;
	int r = stat_field(pid, STAT_STATE, &text, &state);

	if (r == 0)
		r = stat_number(pid, STAT_START_TIME, &start);
	if (r == 0)
		r = stat_number(pid, STAT_EXIT_CODE, &code);
	if (r < 0)
		return r;
	if (*state != 'Z' || start != start_time || code > INT_MAX)
		return -ENODATA;
	*status = (int)code;
	return 0;
}

enum { FLAG_EXITING = 0x4 }; /* PF_EXITING */

bool proc_is_ending(pid_t pid, uint64_t start_time)
{
	uint64_t start = 0, flags = 0;

	return stat_number(pid, STAT_START_TIME, &start) < 0 || start != start_time ||
	       stat_number(pid, STAT_FLAGS, &flags) < 0 || (flags & FLAG_EXITING);
}

int boot_id(char out[37])
{
	auto_free char *text = NULL;
	int r = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, NULL);

	if (r < 0)
		return r;
	if (strlen(text) < 36)
		return -EBADMSG;
	memcpy(out, text, 36);
	out[36] = '\0';
	return 0;
}

/* Without a copy of our memory, which a fork(2) of a supervisor takes half a millisecond for. */
static int spawn(char *const argv[], int in, int out, pid_t *pid)
{
	static const char *const also[] = { "/usr/sbin", "/sbin" };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, plain;
	int r;

	(void)sigemptyset(&none);
	(void)sigemptyset(&plain);
	(void)sigaddset(&plain, SIGPIPE);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &plain);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_adddup2(&files, in, 0);
	(void)posix_spawn_file_actions_adddup2(&files, out, 1);
	(void)posix_spawn_file_actions_adddup2(&files, out, 2);
	(void)posix_spawn_file_actions_addclosefrom_np(&files, 3);
	r = posix_spawnp(pid, argv[0], &files, &attr, argv, environ);
	for (size_t i = 0; r == ENOENT && i < ARRAY_LEN(also) && !strchr(argv[0], '/'); i++) {
		auto_free char *path = path_join(also[i], argv[0]);

		r = posix_spawn(pid, path, &files, &attr, argv, environ);
	}
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attr);
	return -r;
}

/* In memory: the program may read it when it likes, nobody has to feed it. */
static int input_fd(const char *input, size_t len)
{
	auto_close int fd = memfd_create("input", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, input, len);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : steal_fd(&fd);
}

int proc_begin(char *const argv[], const char *input, size_t input_len, struct proc *out)
{
	auto_close int in = input_fd(input, input_len);
	int output[2], r;
	pid_t pid = -1;

	if (in < 0)
		return in;
	if (pipe2(output, O_CLOEXEC) < 0)
		return -errno;
	r = spawn(argv, in, output[1], &pid);
	(void)close(output[1]);
	*out = (struct proc){ r < 0 ? -1 : pid, output[0] };
	if (r == -EAGAIN || r == -ENOMEM) {
		(void)close(output[0]);
		return r;
	}
	return 0;
}

int proc_end(struct proc *p, char **output)
{
	auto_close int fd = p->output;
	auto_sbuf struct sbuf text = SBUF_INIT;
	char chunk[8192];
	int status;
	ssize_t n;

	p->output = -1;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && text.len < RUN_OUTPUT_MAX)
			sbuf_add(&text, chunk, (size_t)n);
	while (p->pid >= 0 && waitpid(p->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (output)
		*output = sbuf_take(&text);
	if (p->pid < 0)
		return NO_PROGRAM;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int proc_run(char *const argv[], const char *input, size_t input_len, char **output)
{
	struct proc p = { -1, -1 };
	int r = proc_begin(argv, input, input_len, &p);

	return r < 0 ? r : proc_end(&p, output);
}
