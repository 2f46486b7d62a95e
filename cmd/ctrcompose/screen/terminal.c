/* terminal.c - a person's terminal, connected with the one of a container. */
#include "screen/screen.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum { INPUT_MAX = 4096, OUTPUT_MAX = 65536, DRAIN_MS = 50 };

void tty_size(int fd, unsigned *columns, unsigned *rows)
{
	struct winsize w = { 0 };

	(void)ioctl(fd, TIOCGWINSZ, &w);
	*columns = w.ws_col ? w.ws_col : 80;
	*rows = w.ws_row ? w.ws_row : 24;
}

void tty_copy_size(int from, int to)
{
	struct winsize w;

	if (ioctl(from, TIOCGWINSZ, &w) == 0 && (w.ws_col || w.ws_row))
		(void)ioctl(to, TIOCSWINSZ, &w);
}

struct relay {
	struct tty_relay *r;
	struct termios saved;
	bool raw;
	int signals;    /* signalfd */
	size_t matched; /* detach keys seen so far */
	char input[INPUT_MAX];
	size_t in_len; /* not yet taken by the container */
	bool in_open, ended;
};

static int source(const struct relay *m)
{
	return m->r->read_fd ? m->r->read_fd : m->r->master_fd;
}

static void make_raw(struct relay *m)
{
	struct termios t;

	if (m->r->in_fd < 0 || tcgetattr(m->r->in_fd, &m->saved) < 0)
		return;
	t = m->saved;
	cfmakeraw(&t);
	m->raw = tcsetattr(m->r->in_fd, TCSADRAIN, &t) == 0;
}

static void restore(struct relay *m)
{
	if (m->raw)
		(void)tcsetattr(m->r->in_fd, TCSADRAIN, &m->saved);
	m->raw = false;
}

/* ---- From the person to the container */
static void queue(struct relay *m, char c)
{
	if (m->in_len < sizeof(m->input))
		m->input[m->in_len++] = c;
}

/* Detach keys are held back until it is clear that they are none. */
static void take_input(struct relay *m, const char *data, size_t n)
{
	const char *keys = m->r->detach_keys;

	for (size_t i = 0; i < n; i++) {
		if (keys && keys[m->matched] == data[i]) {
			if (!keys[++m->matched]) {
				m->r->detached = m->ended = true;
				return;
			}
			continue;
		}
		for (size_t k = 0; k < m->matched; k++)
			queue(m, keys[k]);
		m->matched = 0;
		if (keys && keys[0] == data[i])
			m->matched = 1;
		else
			queue(m, data[i]);
	}
}

static void read_input(struct relay *m)
{
	char data[INPUT_MAX / 4]; /* leaves room for held-back keys */
	ssize_t n = read(m->r->in_fd, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		take_input(m, data, (size_t)n);
		return;
	}
	m->in_open = false;
	if (!m->r->stays_open)
		queue(m, 4); /* Ctrl-D: what the end of a file is on a terminal */
}

static void write_input(struct relay *m)
{
	ssize_t n = write(m->r->master_fd, m->input, m->in_len);

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		n = (ssize_t)m->in_len; /* nobody will read it any more */
	if (n <= 0)
		return;
	memmove(m->input, m->input + n, m->in_len - (size_t)n);
	m->in_len -= (size_t)n;
}

/* ---- From the container to the person: 1 there was something, 0 the end or nothing now */
static int copy_output(struct relay *m, struct err *err)
{
	char data[OUTPUT_MAX];
	ssize_t n = read(source(m), data, sizeof(data));
	int r;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) { /* EIO: no process has the terminal open any more */
		m->ended = true;
		return 0;
	}
	r = fd_write_all(m->r->out_fd, data, (size_t)n);
	return r < 0 ? err_set(err, r, "write to the terminal: %s", strerror(-r)) : 1;
}

/* The command is over but somebody may keep its terminal open: take what is there. */
static int drain(struct relay *m, struct err *err)
{
	struct pollfd p = { .fd = source(m), .events = POLLIN };
	int r = 1;

	m->ended = false;
	while (r > 0 && !m->ended && poll(&p, 1, DRAIN_MS) > 0)
		r = copy_output(m, err);
	m->ended = true;
	return r < 0 ? r : 0;
}

/* ---- Signals */
static int open_signals(sigset_t *before, struct err *err)
{
	static const int wanted[] = {
		SIGWINCH, SIGCONT, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE
	};
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		(void)sigaddset(&set, wanted[i]);
	(void)pthread_sigmask(SIG_BLOCK, &set, before);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		fd = err_errno(err, "signalfd");
		(void)pthread_sigmask(SIG_SETMASK, before, NULL);
	}
	return fd;
}

static void read_signals(struct relay *m)
{
	struct signalfd_siginfo info;

	while (read(m->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGWINCH) {
			tty_copy_size(m->r->out_fd, m->r->master_fd);
		} else if (info.ssi_signo == SIGCONT) { /* the shell has set it up anew */
			if (m->raw) {
				restore(m);
				make_raw(m);
			}
			tty_copy_size(m->r->out_fd, m->r->master_fd);
		} else {
			m->r->signal = (int)info.ssi_signo;
			m->ended = true;
		}
	}
}

static int turn(struct relay *m, struct err *err)
{
	bool want_input = m->in_open && m->in_len < INPUT_MAX / 2;
	struct pollfd p[] = {
		{ .fd = source(m), .events = POLLIN },
		{ .fd = want_input ? m->r->in_fd : -1, .events = POLLIN },
		{ .fd = m->signals, .events = POLLIN },
		{ .fd = m->r->done_fd, .events = POLLIN },
		{ .fd = m->in_len ? m->r->master_fd : -1, .events = POLLOUT },
	};
	int r = 0;

	if (poll(p, ARRAY_LEN(p), -1) < 0)
		return errno == EINTR ? 0 : err_errno(err, "poll");
	if (p[2].revents)
		read_signals(m);
	if (p[1].revents)
		read_input(m);
	if (p[4].revents)
		write_input(m);
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
		r = copy_output(m, err);
	if (r >= 0 && !m->ended && p[3].revents)
		r = drain(m, err);
	return r < 0 ? r : 0;
}

int tty_relay(struct tty_relay *r, struct err *err)
{
	struct relay m = { .r = r, .in_open = r->in_fd >= 0 };
	sigset_t before;
	int ret = fd_nonblock(r->master_fd, true);

	r->detached = false;
	r->signal = 0;
	if (ret < 0)
		return err_set(err, ret, "terminal of the container: %s", strerror(-ret));
	m.signals = open_signals(&before, err);
	if (m.signals < 0)
		return m.signals;
	make_raw(&m);
	tty_copy_size(r->out_fd, r->master_fd);
	while (ret == 0 && !m.ended)
		ret = turn(&m, err);
	restore(&m);
	(void)close(m.signals);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret == 0 && r->signal)
		return err_set(err, -EINTR, "ended by %s", signal_name(r->signal));
	return ret;
}
