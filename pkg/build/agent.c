/* agent.c - the SSH agent of RUN --mount=type=ssh; see run.h
 *
 * An agent talks to root and to its own user only, and the root of a container is neither. So the
 * container gets a socket of the builder's, and a process passes its requests on: to list keys and to
 * sign. What would change the agent is refused: a Dockerfile must not take away keys or lock it.
 */
#include "run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS_MAX = 32, MESSAGE_MAX = 256 << 10, HEAD = 4 };
enum { ASK_IDENTITIES = 11, ASK_SIGN = 13 }; /* draft-ietf-sshm-ssh-agent */

struct client {
	int fd, agent; /* agent -1: refused everything */
};

/* Head and body into buf; 0: the other end has closed or talks nonsense. */
static size_t read_message(int fd, unsigned char *buf)
{
	size_t len;

	if (fd_read_full(fd, buf, HEAD) != HEAD)
		return 0;
	len = (size_t)buf[0] << 24 | (size_t)buf[1] << 16 | (size_t)buf[2] << 8 | buf[3];
	if (len == 0 || len > MESSAGE_MAX || fd_read_full(fd, buf + HEAD, len) != (ssize_t)len)
		return 0;
	return HEAD + len;
}

/* One request and its answer. */
static bool serve(const struct client *c, unsigned char *buf)
{
	static const unsigned char failure[] = { 0, 0, 0, 1, 5 };
	size_t n = read_message(c->fd, buf);

	if (n == 0)
		return false;
	if (c->agent < 0 || (buf[HEAD] != ASK_IDENTITIES && buf[HEAD] != ASK_SIGN))
		return fd_write_all(c->fd, failure, sizeof(failure)) == 0;
	if (fd_write_all(c->agent, buf, n) < 0)
		return false;
	n = read_message(c->agent, buf);
	return n && fd_write_all(c->fd, buf, n) == 0;
}

static int address(struct sockaddr_un *a, const char *path)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	memcpy(a->sun_path, path, strlen(path) + 1);
	return 0;
}

static int dial(const char *path)
{
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	int r = fd < 0 ? -errno : address(&a, path);

	if (r == 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		r = -errno;
	return r < 0 ? r : steal_fd(&fd);
}

_Noreturn static void pass_on(int listener, const char *agent)
{
	static unsigned char buf[HEAD + MESSAGE_MAX];
	struct client v[CLIENTS_MAX] = { { 0 } };
	struct pollfd p[CLIENTS_MAX + 1];
	size_t n = 0;

	for (;;) {
		size_t kept = 0;

		p[0] = (struct pollfd){ .fd = n < CLIENTS_MAX ? listener : -1, .events = POLLIN };
		for (size_t i = 0; i < n; i++)
			p[i + 1] = (struct pollfd){ .fd = v[i].fd, .events = POLLIN };
		if (poll(p, n + 1, -1) < 0)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (!p[i + 1].revents || serve(&v[i], buf)) {
				v[kept++] = v[i];
				continue;
			}
			auto_close_fn(&v[i].fd);
			auto_close_fn(&v[i].agent);
		}
		n = kept;
		if (p[0].revents) {
			int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

			if (fd >= 0)
				v[n++] = (struct client){ fd, dial(agent) };
		}
	}
}

/* For SELinux socket and file are the container's: connecting asks for both. */
static int label_file(const char *path, const struct selinux_labels *l, struct err *err)
{
	auto_close int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int r = file < 0 ? -errno : selinux_label_fd(file, l->file);

	return r < 0 ? err_set(err, r, "give the SELinux label %s to a socket: %s", l->file,
			       strerrordesc_np(-r))
		     : 0;
}

static int listen_at(int dir, const char *name, const struct selinux_labels *l, struct err *err)
{
	auto_free char *path = xasprintf("/proc/self/fd/%d/%s", dir, name);
	bool given = l && l->process && selinux_label_sockets(l->process) == 0;
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	int r;

	if (given)
		(void)selinux_label_sockets(NULL);
	if (fd < 0 || address(&a, path) < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, CLIENTS_MAX) < 0)
		return err_errno(err, "make a socket");
	r = l && l->file ? label_file(path, l, err) : 0;
	return r < 0 ? r : steal_fd(&fd);
}

int agent_open(int dir, const char *name, const char *agent, const struct selinux_labels *l,
	       pid_t *pid, struct err *err)
{
	auto_close int fd = -1, probe = dial(agent);
	pid_t own = getpid();

	if (probe < 0)
		return err_set(err, probe, "the SSH agent at %s: %s", agent, strerror(-probe));
	fd = listen_at(dir, name, l, err);
	if (fd < 0)
		return fd;
	*pid = fork();
	if (*pid < 0)
		return err_errno(err, "make a process");
	if (*pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_IGN);
		/* Locks and pipes of the builder end with the builder. */
		if (getppid() != own || dup2(fd, 3) < 0 || close_range(4, ~0U, 0) < 0)
			_exit(1);
		pass_on(3, agent);
	}
	return 0;
}

void agent_close(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
