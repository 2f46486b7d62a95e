/* proc.c - processes by descriptor, and running a program of the host; see base.h */
#include <ctrcompose/base.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUN_OUTPUT_MAX = 1 << 20 };

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

enum { STAT_STATE = 3, STAT_START_TIME = 22, STAT_EXIT_CODE = 52 };

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

static void exec_child(char *const argv[], int in, int out) __attribute__((noreturn));
static void exec_child(char *const argv[], int in, int out)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	(void)syscall(SYS_close_range, 3, ~0U, 0);
	(void)execvp(argv[0], argv);
	_exit(127);
}

/* Feed input and collect output at once, so that neither side waits for the other. */
static void exchange(int in, int out, const char *input, size_t len, struct sbuf *text)
{
	struct pollfd p[2] = { { .fd = out, .events = POLLIN }, { .fd = in, .events = POLLOUT } };
	char chunk[8192];

	if (len == 0) {
		(void)close(in);
		p[1].fd = -1;
	}
	while (p[0].fd >= 0) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents) {
			ssize_t n = write(in, input, len);

			if (n > 0) {
				input += n;
				len -= (size_t)n;
			}
			if ((n < 0 && errno != EAGAIN && errno != EINTR) || len == 0) {
				(void)close(in);
				p[1].fd = -1;
				p[1].revents = 0;
			}
		}
		if (p[0].revents) {
			ssize_t n = read(out, chunk, sizeof(chunk));

			if (n > 0 && text->len < RUN_OUTPUT_MAX)
				sbuf_add(text, chunk, (size_t)n);
			if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
				p[0].fd = -1;
		}
	}
	if (p[1].fd >= 0)
		(void)close(in);
}

int proc_run(char *const argv[], const char *input, size_t input_len, char **output)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, kept;
	int in[2], out[2], status;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		(void)close(in[0]);
		(void)close(in[1]);
		return -errno;
	}
	pid = fork();
	if (pid == 0)
		exec_child(argv, in[0], out[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	if (pid < 0) {
		(void)close(in[1]);
		(void)close(out[0]);
		return -EAGAIN;
	}
	(void)sigaction(SIGPIPE, &ignore, &kept);
	(void)fd_nonblock(in[1], true);
	exchange(in[1], out[0], input, input_len, &text);
	(void)sigaction(SIGPIPE, &kept, NULL);
	(void)close(out[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (output)
		*output = sbuf_take(&text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
