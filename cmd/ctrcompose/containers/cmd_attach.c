/* cmd_attach.c - ctrcompose attach: what a running container prints, and its standard input. */
#include "containers/container.h"
#include "containers/inside.h"
#include "containers/observe.h"
#include "screen/screen.h"

#include <ctrcompose/daemon.h>
#include <ctrcompose/engine.h>
#include <ctrcompose/logs.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
	const char *detach_keys;
	int64_t index;
	bool no_stdin, sig_proxy;
} arg = { .sig_proxy = true };

static const struct opt opts[] = {
	{ 0, "detach-keys", OPT_STRING, &arg.detach_keys, "KEYS",
	  "What is typed to leave it running: ctrl-p,ctrl-q" },
	{ 0, "index", OPT_INT, &arg.index, "N", "Which container, if the service has several" },
	{ 0, "no-stdin", OPT_FLAG, &arg.no_stdin, NULL, "Do not pass standard input on" },
	{ 0, "sig-proxy", OPT_FLAG, &arg.sig_proxy, NULL,
	  "Pass signals on to the container (default)" },
};

struct target {
	struct state_paths *paths;
	const char *project;
	struct state_container *c;
	bool tty, stdin_open, no_log;
	int pidfd;
};

/* ---- Detach keys: "ctrl-p,ctrl-q", "a,ctrl-[" */
static int parse_key(const char *word, size_t n, char *out)
{
	static const char ctrl[] = "ctrl-";
	size_t k = sizeof(ctrl) - 1;

	if (n == 1) {
		*out = word[0];
		return 0;
	}
	if (n != k + 1 || strncmp(word, ctrl, k) != 0)
		return -EINVAL;
	if (word[k] >= 'a' && word[k] <= 'z')
		*out = (char)(word[k] - 'a' + 1);
	else if (strchr("@[\\]^_", word[k]) && word[k] != '@')
		*out = (char)(word[k] - '@');
	else
		return -EINVAL;
	return 0;
}

static int parse_keys(const char *text, char *out, size_t cap, struct err *err)
{
	size_t n = 0;

	for (const char *p = text;;) {
		size_t len = strcspn(p, ",");

		if (n + 1 >= cap || parse_key(p, len, &out[n++]) < 0)
			return usage_error(err,
					   "--detach-keys: '%s' is not a list of keys like "
					   "ctrl-p,ctrl-q",
					   text);
		if (!p[len])
			break;
		p += len + 1;
	}
	out[n] = '\0';
	return 0;
}

/* ---- Its end */
/* Its exit code once the record has it, -EAGAIN before. refresh: as the kernel and the keeper say. */
static int exit_code(const struct target *t, bool refresh, struct err *err)
{
	auto_state struct state_project *s = NULL;
	struct state_container *c = NULL;
	int r = refresh ? cmd_load_state(t->paths, t->project, &s, err)
			: state_load(t->paths, t->project, &s, err);

	if (r == -ENOENT) {
		err_clear(err);
		return 0; /* the project has gone with it */
	}
	if (r < 0)
		return r;
	if (state_find(s, t->c->id, &c, NULL) < 0)
		return 0;
	return c->started_ns == t->c->started_ns &&
			       (c->status == STATE_RUNNING || c->status == STATE_PAUSED)
		       ? -EAGAIN
		       : c->exit_code;
}

/* The supervisor writes it down, after the last of the log. */
static int end_of(const struct target *t, struct err *err)
{
	enum { LOOKS = 200, LOOK_US = 10000 };
	int r = -EAGAIN;

	for (int i = 0; i < LOOKS && r == -EAGAIN; i++) {
		r = exit_code(t, false, err);
		if (r == -EAGAIN)
			(void)usleep(LOOK_US);
	}
	if (r == -EAGAIN)
		r = exit_code(t, true, err);
	return r == -EAGAIN ? err_set(err, ETIMEDOUT,
				      "container %s has ended, but nobody knows how", t->c->name)
			    : r;
}

/* ---- With a terminal */
static int at_terminal(const struct target *t, const char *keys, struct err *err)
{
	auto_daemon struct daemon_client *client = NULL;
	auto_close int ours = -1, theirs = -1, master = -1;
	struct tty_relay relay = { .in_fd = arg.no_stdin ? -1 : STDIN_FILENO,
				   .out_fd = STDOUT_FILENO,
				   .done_fd = t->pidfd,
				   .stays_open = true, /* others can attach to it later */
				   .detach_keys = keys };
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_errno(err, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	r = daemon_find(t->paths, t->project, &client, err);
	if (r == 0)
		r = daemon_attach(client, t->c->name, theirs, &master, err);
	if (r < 0)
		return r;
	auto_close_fn(&theirs);
	theirs = -1;
	relay.read_fd = ours;
	relay.master_fd = master;
	r = tty_relay(&relay, err);
	if (relay.detached)
		return 0;
	if (r == -EINTR && arg.sig_proxy && pidfd_kill(t->pidfd, relay.signal) == 0) {
		struct pollfd p = { .fd = t->pidfd, .events = POLLIN };

		err_clear(err);
		(void)poll(&p, 1, -1);
		r = 0;
	}
	return r < 0 ? r : end_of(t, err);
}

/* ---- Without one: lines from its log, in and out of FIFOs */
static volatile int to_signal = -1;
static volatile bool stopped;

static void on_signal(int sig)
{
	if (to_signal >= 0)
		(void)pidfd_kill(to_signal, sig);
	else
		stopped = true;
}

static void take_signals(const struct target *t)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	struct sigaction sa = { .sa_handler = on_signal };

	to_signal = arg.sig_proxy ? t->pidfd : -1;
	for (size_t i = 0; i < ARRAY_LEN(sigs); i++)
		(void)sigaction(sigs[i], &sa, NULL);
}

static int on_line(void *unused, const struct logs_line *line)
{
	int fd = line->stream == LOGS_STDERR ? STDERR_FILENO : STDOUT_FILENO;
	int r = fd_write_all(fd, line->text, line->len);

	(void)unused;
	return r < 0 || line->partial ? r : fd_write_all(fd, "\n", 1);
}

struct input {
	int fd; /* the container's; -1: none, or it has ended */
	char data[4096];
	size_t at, n;
};

static void shut(struct input *in)
{
	auto_close_fn(&in->fd);
	in->fd = -1;
}

static void feed(struct input *in, short readable, short writable)
{
	ssize_t n;

	if (in->at == in->n && readable) {
		n = read(STDIN_FILENO, in->data, sizeof(in->data));
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			shut(in);
		in->at = 0;
		in->n = n > 0 ? (size_t)n : 0;
	} else if (in->at < in->n && writable) {
		n = write(in->fd, in->data + in->at, in->n - in->at);
		in->at += n > 0 ? (size_t)n : 0;
	}
}

/* What is there now of what no log keeps. */
static int copy_live(int live[2])
{
	static const int to[2] = { STDOUT_FILENO, STDERR_FILENO };
	char data[4096];
	int r = 0;

	for (size_t i = 0; i < 2; i++) {
		ssize_t n = 1;

		while (r == 0 && live[i] >= 0 && (n = read(live[i], data, sizeof(data))) > 0)
			r = fd_write_all(to[i], data, (size_t)n);
		if (n == 0) { /* its supervisor is gone */
			auto_close_fn(&live[i]);
			live[i] = -1;
		}
	}
	return r;
}

static int take(const struct target *t, struct logs_reader *reader, int live[2], struct err *err)
{
	return t->no_log ? copy_live(live) : logs_reader_read(reader, 0, on_line, NULL, err);
}

/* live: its output where no log keeps it, or -1. */
static int relay_lines(const struct target *t, struct logs_reader *reader, int live[2],
		       struct input *in, struct err *err)
{
	bool ended = false;
	int r = 0;

	while (r == 0 && !ended && !stopped) {
		bool full = in->at < in->n;
		struct pollfd p[] = {
			{ .fd = logs_reader_fd(reader), .events = POLLIN },
			{ .fd = t->pidfd, .events = POLLIN },
			{ .fd = in->fd >= 0 && !full ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = in->fd >= 0 && full ? in->fd : -1, .events = POLLOUT },
			{ .fd = live[0], .events = POLLIN },
			{ .fd = live[1], .events = POLLIN },
		};

		r = take(t, reader, live, err);
		if (r == 0 && poll(p, ARRAY_LEN(p), -1) > 0) {
			feed(in, p[2].revents, p[3].revents);
			ended = p[1].revents != 0;
		}
	}
	if (r < 0 || !ended)
		return r; /* by a signal that is not passed on: it runs on */
	r = end_of(t, err);
	if (r >= 0) {
		int rest = take(t, reader, live, err);

		r = rest < 0 ? rest : r;
	}
	return r;
}

static int at_pipes(const struct target *t, struct err *err)
{
	auto_daemon struct daemon_client *client = NULL;
	int live[2] = { -1, -1 };
	struct logs_query query = { .tail = 0, .follow = true };
	struct input in = { .fd = -1 };
	struct logs_reader *reader = NULL;
	auto_free char *dir = NULL, *name = NULL;
	size_t index;
	int r = 0;

	container_log(t->paths, t->project, t->c, &dir, &name);
	if (t->stdin_open && !arg.no_stdin)
		r = in.fd = engine_stdin_open(t->paths, t->project, t->c, err);
	if (r >= 0)
		r = logs_reader_new(&query, &reader, err);
	if (r == 0)
		r = logs_reader_add(reader, dir, name, &index, err);
	if (r == 0 && t->no_log)
		r = daemon_reach(t->paths, t->project, &client, err);
	if (r == 0 && t->no_log)
		r = daemon_listen(client, t->c->name, live, err);
	if (r == 0) {
		take_signals(t);
		r = relay_lines(t, reader, live, &in, err);
	}
	logs_reader_free(reader);
	auto_close_fn(&live[0]);
	auto_close_fn(&live[1]);
	auto_close_fn(&in.fd);
	return r;
}

/* ---- Which */
static int open_target(struct target *t, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct service *svc = NULL;
	uint64_t start = 0;
	int r = compose_service_from_json(&a, t->c->service, t->c->config_json, &svc, err);

	if (r < 0)
		return r;
	t->tty = svc->tty;
	t->no_log = svc->log_none;
	t->stdin_open = svc->stdin_open;
	t->pidfd = pidfd_open_pid(t->c->pid);
	if (t->pidfd < 0 || proc_start_time(t->c->pid, &start) < 0 || start != t->c->start_time)
		return err_set(err, ESRCH, "container %s is not running", t->c->name);
	return 0;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	struct target t = { .paths = &o.paths, .pidfd = -1 };
	char keys[16] = "\x10\x11"; /* Ctrl-P Ctrl-Q */
	int r = arg.detach_keys ? parse_keys(arg.detach_keys, keys, sizeof(keys), err) : 0;

	(void)argc;
	if (r == 0)
		r = observe(&o, argv, err);
	if (r == 0)
		r = find_running(o.state, argv[0], arg.index, &t.c, err);
	if (r < 0)
		return r;
	t.project = o.name;
	r = open_target(&t, err);
	if (r == 0)
		r = t.tty ? at_terminal(&t, keys, err) : at_pipes(&t, err);
	auto_close_fn(&t.pidfd);
	return r;
}

const struct cmd cmd_attach = {
	.name = "attach",
	.summary = "Show what a running container prints and pass standard input on",
	.operands = "SERVICE",
	.min_operands = 1,
	.max_operands = 1,
	CMD_OPTS(opts),
	.run = run,
};
