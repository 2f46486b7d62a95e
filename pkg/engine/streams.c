/* streams.c - the FIFOs between a container and its log; see logs.h */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN, OUT, ERR };

static char *fifo_name(const struct unit *u, int which)
{
	return xasprintf("%.12s.%d", u->c->id, which);
}

/* Whoever is slower than the container misses something: it waits for nobody. */
static void show(void *arg, enum logs_stream stream, const void *data, size_t len)
{
	struct unit *u = arg;

	for (size_t i = u->watchers.n; i-- > 0;) {
		const struct watcher *w = &u->watchers.v[i];
		ssize_t n = w->stream == (int)stream
				    ? send(w->sock, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)
				    : 0;

		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			(void)close(w->sock);
			u->watchers.v[i] = u->watchers.v[--u->watchers.n];
		}
	}
}

void engine_attach(struct unit *u, int stream, int sock, const void *owner)
{
	*vec_push(&u->watchers) = (struct watcher){ sock, stream, owner };
}

void engine_detach(struct unit *u, const void *owner)
{
	for (size_t i = u->watchers.n; i-- > 0;)
		if (u->watchers.v[i].owner == owner) {
			(void)close(u->watchers.v[i].sock);
			u->watchers.v[i] = u->watchers.v[--u->watchers.n];
		}
}

void unit_watchers_free(struct unit *u)
{
	for (size_t i = 0; i < u->watchers.n; i++)
		(void)close(u->watchers.v[i].sock);
	free(u->watchers.v);
}

int engine_stdin_open(const struct state_paths *paths, const char *project,
		      const struct state_container *c, struct err *err)
{
	auto_free char *run = state_run_dir(paths, project);
	auto_free char *path = xasprintf("%s/%.12s.%d", run, c->id, IN);
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "standard input of %s", c->name) : fd;
}

static struct logs_pump_config pump_config(struct unit *u)
{
	return (struct logs_pump_config){ .raw = show,
					  .raw_arg = u,
					  .dir = u->engine->dir,
					  .name = u->c->name,
					  .max_size = u->svc->log_max_size,
					  .max_files = u->svc->log_max_file,
					  .discard = u->svc->log_none };
}

/* What it writes to is the container's own. */
static int label_fifo(int fd, const char *label, struct err *err)
{
	int r = selinux_label_fd(fd, label);

	return r == -EOPNOTSUPP || r == 0
		       ? 0
		       : err_set(err, r, "give the SELinux label %s to a FIFO: %s", label,
				 strerrordesc_np(-r));
}

static int make_fifos(struct unit *u, int fds[2], struct err *err)
{
	auto_free char *out_name = fifo_name(u, OUT), *err_name = fifo_name(u, ERR);
	const char *label = unit_file_label(u);
	int r = logs_fifo_make(u->engine->run_fd, out_name, &fds[0], err);

	if (r == 0)
		r = logs_fifo_make(u->engine->run_fd, err_name, &fds[1], err);
	for (int i = 0; r == 0 && label && i < 2; i++)
		r = label_fifo(fds[i], label, err);
	if (r < 0)
		auto_close_fn(&fds[0]);
	else
		unit_outlive(u, "output", fds, 2);
	return r;
}

static int pump_from(struct unit *u, int out, int errs, struct err *err)
{
	struct logs_pump_config cfg = pump_config(u);
	int r = logs_pump_new(u->engine->loop, &cfg, out, errs, &u->pump, err);

	if (r < 0) {
		auto_close_fn(&out);
		auto_close_fn(&errs);
	}
	return r;
}

int unit_pump_open(struct unit *u, struct err *err)
{
	int fds[2] = { -1, -1 }, r = 0;

	if (u->pump)
		return 0;
	if (!unit_outlived(u, "output", fds, 2))
		r = make_fifos(u, fds, err);
	return r < 0 ? r : pump_from(u, fds[0], fds[1], err);
}

int unit_terminal_open(struct unit *u, struct err *err)
{
	auto_close int copy = fcntl(u->tty_fd, F_DUPFD_CLOEXEC, 3);

	logs_pump_free(steal(u->pump));
	if (copy < 0 || fd_nonblock(copy, true) < 0)
		return err_errno(err, "terminal of %s", u->c->name);
	return pump_from(u, steal_fd(&copy), -1, err);
}

int unit_last_words(struct unit *u, struct err *err)
{
	int fds[2], r = 0;

	if (unit_outlived(u, "output", fds, 2))
		r = pump_from(u, fds[0], fds[1], err);
	if (r == 0 && u->pump)
		logs_pump_drain(u->pump);
	if (r < 0 || !unit_outlived(u, "terminal", &u->tty_fd, 1))
		return r;
	r = unit_terminal_open(u, err);
	if (r == 0)
		logs_pump_drain(u->pump);
	logs_pump_free(steal(u->pump));
	auto_close_fn(&u->tty_fd);
	u->tty_fd = -1;
	unit_outlive_end(u, "terminal");
	return r;
}

/* Standard input that stays open: both ends in one, nobody writes until somebody attaches. */
static int open_stdin(struct unit *u, int *out, struct err *err)
{
	auto_free char *name = fifo_name(u, IN);
	const char *label = unit_file_label(u);
	int r = logs_fifo_make(u->engine->run_fd, name, out, err);

	if (r == 0 && label)
		r = label_fifo(*out, label, err);
	if (r == 0)
		r = fd_nonblock(*out, false);
	return r;
}

int unit_streams(struct unit *u, int fds[3], struct err *err)
{
	auto_free char *out_name = fifo_name(u, OUT), *err_name = fifo_name(u, ERR);
	int r = unit_pump_open(u, err);

	fds[0] = fds[1] = fds[2] = -1;
	if (r == 0 && u->svc->stdin_open)
		r = open_stdin(u, &fds[IN], err);
	if (r == 0)
		r = logs_fifo_open_writer(u->engine->run_fd, out_name, &fds[OUT], err);
	if (r == 0)
		r = logs_fifo_open_writer(u->engine->run_fd, err_name, &fds[ERR], err);
	return r;
}
