/* hook.c - one hook: a program of the host that is told of the container on its standard input and
 * waited for; see private.h
 */
#include "private.h"

#include <ctrcompose/json.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OCI_VERSION "1.2.0"
enum { TAIL_MAX = 400 };
enum { LINES_MAX = 5, STATE_MAX = 4096, LEFT_MAX = 65536 / TAIL_MAX + 1 };

/* ---- What it is told --------------------------------------------------------------------------- */
static char *state_text(const struct hook_world *w)
{
	auto_json struct json *j = json_object();

	json_add_str(j, "ociVersion", OCI_VERSION);
	json_add_str(j, "id", w->id ? w->id : "");
	json_add_str(j, "status", "creating");
	json_add_int(j, "pid", w->pid);
	json_add_str(j, "bundle", w->bundle);
	(void)json_add_object(j, "annotations");
	return json_print(j);
}

char *hook_config(const struct box_spec *spec)
{
	auto_json struct json *j = json_object();
	struct json *root;

	json_add_str(j, "ociVersion", OCI_VERSION);
	root = json_add_object(j, "root");
	json_add_str(root, "path", "rootfs"); /* from the bundle, by whatever way it is reached */
	json_add_bool(root, "readonly", spec->read_only);
	if (spec->hostname)
		json_add_str(j, "hostname", spec->hostname);
	return json_print(j);
}

/* A pipe's end with all of the text in it: less than any pipe holds. */
static int filled_pipe(const char *text)
{
	size_t n = strlen(text);
	auto_close int rd = -1, wr = -1;
	int fds[2];

	if (n >= STATE_MAX)
		return -E2BIG;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	rd = fds[0];
	wr = fds[1];
	return fd_write_all(wr, text, n) < 0 ? -errno : steal_fd(&rd);
}

/* ---- Its process ------------------------------------------------------------------------------- */
static void become(const struct box_hook *h, const struct hook_world *w, int in, int out)
	__attribute__((noreturn));
static void become(const struct box_hook *h, const struct hook_world *w, int in, int out)
{
	(void)setsid(); /* ended as a group */
	(void)umask(022);
	/* Above 2, so that putting 0, 1 and 2 in place never runs over a source. */
	in = fcntl(in, F_DUPFD_CLOEXEC, 3);
	out = fcntl(out, F_DUPFD_CLOEXEC, 3);
	if (in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2 &&
	    chdir(w->bundle) == 0 && syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		(void)syscall(SYS_execve, h->path, h->args, h->env);
	(void)dprintf(2, "%m\n");
	_exit(127);
}

struct watch {
	pid_t pid;
	int pidfd, out; /* out: what it prints, -1 at its end */
	char tail[TAIL_MAX];
	size_t n; /* of the tail */
};

/* Whether there was something. */
static bool read_some(struct watch *x)
{
	char text[TAIL_MAX];
	ssize_t n = read(x->out, text, sizeof(text));
	size_t drop;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		(void)close(x->out);
		x->out = -1;
	}
	if (n <= 0)
		return false;
	drop = x->n + (size_t)n > TAIL_MAX ? x->n + (size_t)n - TAIL_MAX : 0;
	memmove(x->tail, x->tail + drop, x->n - drop);
	memcpy(x->tail + x->n - drop, text, (size_t)n);
	x->n += (size_t)n - drop;
	return true;
}

/* It has ended (0), is late (-ETIMEDOUT), or nobody waits for it any more (-ECANCELED). */
static int await(struct watch *x, unsigned timeout_s, int peer)
{
	uint64_t end = timeout_s ? now_mono_us() + timeout_s * UINT64_C(1000000) : UINT64_MAX;

	for (;;) {
		struct pollfd fds[] = { { x->pidfd, POLLIN, 0 },
					{ peer, 0, 0 },
					{ x->out, POLLIN, 0 } };
		uint64_t now = now_mono_us();
		int wait = -1;

		if (end != UINT64_MAX)
			wait = now >= end ? 0 : (int)((end - now + 999) / 1000);
		if (poll(fds, ARRAY_LEN(fds), wait) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			return -ECANCELED;
		if (fds[0].revents) {
			/* What it has left; who still writes is not listened to for ever. */
			for (int i = 0; x->out >= 0 && i < LEFT_MAX && read_some(x); i++)
				;
			return 0;
		}
		if (fds[2].revents)
			(void)read_some(x);
		if (now_mono_us() >= end)
			return -ETIMEDOUT;
	}
}

static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

/* All that it has started: it has the host's root, which the program inside must never meet. */
static void end_all(const struct hook_world *w, pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	if (!w->first)
		return;
	(void)kill(-1, SIGKILL); /* never this process itself */
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
}

/* ---- How it went ------------------------------------------------------------------------------- */
/* The last lines in one, without what a terminal would obey. */
static void add_tail(const struct watch *x, struct sbuf *why)
{
	size_t n = x->n, from, lines = 0;

	while (n > 0 && (x->tail[n - 1] == '\n' || x->tail[n - 1] == ' '))
		n--;
	for (from = n; from > 0; from--)
		if (x->tail[from - 1] == '\n' && ++lines == LINES_MAX)
			break;
	if (n > from)
		sbuf_adds(why, ": ");
	for (; from < n; from++) {
		unsigned char c = (unsigned char)x->tail[from];

		if (c == '\n')
			sbuf_adds(why, "; ");
		else
			sbuf_addc(why, c < ' ' || c == 127 ? ' ' : (char)c);
	}
}

static int judge(const struct box_hook *h, const struct watch *x, int r, int status,
		 struct sbuf *why)
{
	if (r == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	sbuf_addf(why, "the %s hook %s (%s) ", h->name, h->path, h->at);
	if (r == -ETIMEDOUT)
		sbuf_addf(why, "did not end within %u s", h->timeout_s);
	else if (r < 0)
		sbuf_addf(why, "was not waited for: %s", strerrordesc_np(-r));
	else if (WIFSIGNALED(status))
		sbuf_addf(why, "was ended by %s", signal_name(WTERMSIG(status)));
	else
		sbuf_addf(why, "exited with %d", WEXITSTATUS(status));
	add_tail(x, why);
	return -EIO;
}

static int start(const struct box_hook *h, const struct hook_world *w, struct watch *x)
{
	auto_free char *text = state_text(w);
	auto_close int in = filled_pipe(text);
	auto_close int rd = -1, wr = -1;
	int fds[2];

	if (in < 0)
		return in;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	rd = fds[0];
	wr = fds[1];
	if (fd_nonblock(rd, true) < 0)
		return -errno;
	x->pid = clone_child(0, -1, false, &x->pidfd);
	if (x->pid == 0)
		become(h, w, in, wr);
	if (x->pid < 0)
		return x->pid;
	x->out = steal_fd(&rd);
	return 0;
}

int hook_run(const struct box_hook *h, const struct hook_world *w, struct sbuf *why)
{
	struct watch x = { .pid = -1, .pidfd = -1, .out = -1 };
	int r = start(h, w, &x), status;

	if (r < 0) {
		sbuf_addf(why, "the %s hook %s (%s): %s", h->name, h->path, h->at,
			  strerrordesc_np(-r));
		return r;
	}
	r = await(&x, h->timeout_s, w->peer);
	if (r < 0)
		(void)kill(-x.pid, SIGKILL), (void)kill(x.pid, SIGKILL);
	status = reap(x.pid);
	if (r < 0 || w->inside)
		end_all(w, x.pid);
	(void)close(x.pidfd);
	if (x.out >= 0)
		(void)close(x.out);
	return judge(h, &x, r, status, why);
}
