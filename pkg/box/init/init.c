/* init.c - what runs of ours in a container: the last step before every program, and its PID 1 when
 * the service asks for one, which starts the program, passes signals on, reaps whatever is orphaned
 * and ends with the program's status.
 *
 * The last step is here because a program may be a link to /proc/self/exe, or a script whose
 * interpreter is: that is this then, not our binary on the host. (CVE-2019-5736)
 *
 * Static, without a C library, so that it runs in any image; it lives in a sealed memory file and
 * never is a file of the host. argv: "exec" or "init", number of the status socket, number of /proc
 * (or ""), the file in it and what is written there for an AppArmor profile or an SELinux label, path
 * of the program (it has been looked up already), its argv[0], arguments...
 */
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/signal.h>
#include <linux/wait.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static long call(long n, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}
/* The stack holds argc, argv, environment; main_ takes its address. */
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall main_\n");
#elif defined(__aarch64__)
static long call(long n, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl main_\n");
#else
/* cppcheck-suppress preprocessorErrorDirective ; it tries all configurations */
#error "the container's init is not written for this architecture"
#endif

#define FORK_FLAGS SIGCHLD
#define ALL_BYTES  8 /* of the kernel's signal set */

void main_(long *stack) __attribute__((noreturn, used));

static void leave(long status) __attribute__((noreturn));
static void leave(long status)
{
	for (;;)
		(void)call(SYS_exit_group, status, 0, 0, 0);
}

enum { SOCKET = 1, PROC, ATTR, TEXT, PROGRAM, ARGV, ARGC_MIN };

static int number(const char *s)
{
	int v = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (*s - '0');
	return v;
}

static void close_on_exec(int fd)
{
	(void)call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC, 0);
}

/* The profile or label that the next exec takes. It is done here since the exec of this file would be the
 * next one else, and by a process for itself: the kernel allows no other way. Whoever has mounted
 * something in this /proc gets an error: what is written must reach the kernel. */
static long take(int proc_fd, const char *attr, const char *text)
{
	struct open_how how = { .flags = O_WRONLY | O_CLOEXEC,
				.resolve =
					RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS };
	long n = 0, r, fd = call(SYS_openat2, proc_fd, (long)attr, (long)&how, sizeof(how));

	if (fd < 0)
		return fd;
	while (text[n])
		n++;
	r = call(SYS_write, fd, (long)text, n, 0);
	return r < 0 ? r : 0;
}

/* What it says when that fails is one int on the status socket: the errno of the exec, or below 0
 * the one of the profile or label; the receiver knows the names. */
static void run(int status_fd, char **args, char **env) __attribute__((noreturn));
static void run(int status_fd, char **args, char **env)
{
	int code = 0;

	close_on_exec(status_fd);
	if (*args[PROC]) {
		int proc_fd = number(args[PROC]);

		close_on_exec(proc_fd);
		code = (int)take(proc_fd, args[ATTR], args[TEXT]);
	}
	if (code == 0)
		code = (int)-call(SYS_execve, (long)args[PROGRAM], (long)(args + ARGV), (long)env,
				  0);
	(void)call(SYS_write, status_fd, (long)&code, sizeof(code), 0);
	leave(code < 0 ? 125 : code == 2 ? 127 : 126);
}

/* The program's side of the fork. */
static void start(int status_fd, char **args, char **env) __attribute__((noreturn));
static void start(int status_fd, char **args, char **env)
{
	unsigned long none = 0;

	(void)call(SYS_setsid, 0, 0, 0, 0);
	(void)call(SYS_ioctl, 0, 0x540e /* TIOCSCTTY */, 0, 0); /* fails without a terminal */
	(void)call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, ALL_BYTES);
	run(status_fd, args, env);
}

/* Reaps all that have ended; true when the program is among them. */
static int reap(long program, int *status)
{
	int one, done = 0;
	long pid;

	while ((pid = call(SYS_wait4, -1, (long)&one, WNOHANG, 0)) > 0)
		if (pid == program) {
			*status = one;
			done = 1;
		}
	return done;
}

void main_(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1);
	char **env = argv + argc + 1;
	unsigned long all = ~0UL;
	int status_fd, status = 0;
	long program;

	if (argc < ARGC_MIN)
		leave(125);
	status_fd = number(argv[SOCKET]);
	if (argv[0][0] == 'e')
		run(status_fd, argv, env);
	(void)call(SYS_prctl, 15 /* PR_SET_NAME */, (long)argv[0], 0, 0);
	/* Everything is blocked and fetched by hand: PID 1 gets no signal without that. */
	(void)call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, ALL_BYTES);
#ifdef SYS_fork
	program = call(SYS_fork, 0, 0, 0, 0);
#else
	program = call(SYS_clone, FORK_FLAGS, 0, 0, 0);
#endif
	if (program == 0)
		start(status_fd, argv, env);
	if (program < 0)
		leave(125);
	(void)call(SYS_close, status_fd, 0, 0, 0);
	if (*argv[PROC])
		(void)call(SYS_close, number(argv[PROC]), 0, 0, 0);
	(void)call(SYS_close, 0, 0, 0, 0); /* the terminal and the pipes are the program's */
	(void)call(SYS_close, 1, 0, 0, 0);
	(void)call(SYS_close, 2, 0, 0, 0);
	for (;;) {
		long sig;

		if (reap(program, &status))
			leave((status & 0x7f) == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f));
		sig = call(SYS_rt_sigtimedwait, (long)&all, 0, 0, ALL_BYTES);
		if (sig > 0 && sig != SIGCHLD)
			(void)call(SYS_kill, program, sig, 0, 0);
	}
}
