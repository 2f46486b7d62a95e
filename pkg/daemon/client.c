/* client.c - the commands' side of the control socket; see daemon.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct daemon_client {
	struct ipc_conn *conn;
};

enum {
	CONNECT_TRIES = 500,
	PAUSE_US = 500,
	PAUSE_MAX_US = 20000,
	POLL_US = 100000,
	ANSWER_US = 30000000
};

/* One word, and that it was heard. */
static int greet(struct ipc_conn *conn, const char *op, uint64_t patience_us, struct err *err)
{
	auto_free char *text = xasprintf("{\"op\":\"%s\"}", op), *frame = NULL;
	size_t len;
	int r = ipc_send(conn, text, strlen(text), NULL, 0, err);

	return r < 0 ? r : ipc_recv(conn, patience_us, &frame, &len, NULL, NULL, err);
}

static struct daemon_client *client_of(struct ipc_conn **conn)
{
	struct daemon_client *c = xcalloc(1, sizeof(*c));

	c->conn = steal(*conn);
	return c;
}

static int find(const struct state_paths *paths, const char *project, const char *op,
		uint64_t patience_us, struct daemon_client **out, struct err *err)
{
	auto_free char *path = control_path(paths, project);
	auto_ipc struct ipc_conn *conn = NULL;
	int r = ipc_connect(path, &conn, err);

	if (r == 0)
		r = greet(conn, op, patience_us, err);
	if (r == -ECONNREFUSED || r == -ECONNRESET || r == -EPIPE)
		return -ENOENT; /* dead, or on its way out */
	if (r == 0)
		*out = client_of(&conn);
	return r;
}

/* Between two tries, longer each time. */
static void rest(unsigned *pause_us)
{
	(void)usleep(*pause_us);
	*pause_us = *pause_us < PAUSE_MAX_US / 2 ? 2 * *pause_us : PAUSE_MAX_US;
}

int daemon_find(const struct state_paths *paths, const char *project, struct daemon_client **out,
		struct err *err)
{
	unsigned pause_us = PAUSE_US;
	int r = -ENOENT;

	/* Between two supervisors of a family the record does not say what the next one will do. */
	for (int i = 0; i < CONNECT_TRIES; i++) {
		err_clear(err);
		r = find(paths, project, "settle", UINT64_MAX, out, err);
		if (r != -ENOENT || !daemon_lives(paths, project))
			break;
		rest(&pause_us);
	}
	return r;
}

int daemon_reach(const struct state_paths *paths, const char *project, struct daemon_client **out,
		 struct err *err)
{
	return find(paths, project, "hello", ANSWER_US, out, err);
}

int daemon_connect(const struct state_paths *paths, const char *project, struct daemon_client **out,
		   struct err *err)
{
	auto_free char *path = control_path(paths, project);
	unsigned pause_us = PAUSE_US;
	int r = -ENOENT;

	for (int i = 0; i < CONNECT_TRIES; i++) {
		auto_ipc struct ipc_conn *conn = NULL;

		err_clear(err);
		r = ipc_connect(path, &conn, err);
		if (r == 0)
			r = greet(conn, "hello", ANSWER_US, err); /* not one that is about to end */
		if (r == 0) {
			*out = client_of(&conn);
			return 0;
		}
		if (r != -ENOENT && r != -ECONNREFUSED && r != -ECONNRESET && r != -EPIPE)
			return r;
		err_clear(err);
		r = keeper_start(paths, project, err);
		if (r < 0 && (r != -EBUSY || i + 1 == CONNECT_TRIES))
			return r;
		if (r == -EBUSY) /* one is on its way out, or on its way back */
			rest(&pause_us);
	}
	return err_set(err, EBUSY,
		       "the supervisor of project %s ends as soon as it is asked: see %s", project,
		       "supervisor.log in the project's state folder");
}

int daemon_fd(const struct daemon_client *c)
{
	return ipc_conn_fd(c->conn);
}

void daemon_close(struct daemon_client **c)
{
	if (!*c)
		return;
	ipc_close((*c)->conn);
	free(steal(*c));
}

/* The next frame as JSON; -EINTR when cancelled. */
static int next(struct daemon_client *c, const volatile bool *cancel, struct json **out, int *fds,
		size_t *nfds, struct err *err)
{
	for (;;) {
		auto_free char *frame = NULL;
		size_t len = 0;
		int r;

		if (cancel && *cancel)
			return err_set(err, EINTR, "interrupted");
		r = ipc_recv(c->conn, cancel ? POLL_US : UINT64_MAX, &frame, &len, fds, nfds, err);
		if (r == -ETIMEDOUT || r == -EINTR) {
			err_clear(err);
			continue;
		}
		if (r == -ECONNRESET)
			return err_set(
				err, r,
				"the supervisor ended in between: see supervisor.log in the project's state folder");
		if (r < 0)
			return r;
		return json_parse(frame, len, out, err);
	}
}

static int ended(const struct json *frame, struct err *err)
{
	const char *error = json_str(frame, "error", NULL);

	return error ? err_set(err, EIO, "%s", error) : 0;
}

int daemon_apply(struct daemon_client *c, const struct plan *plan, daemon_progress_fn *fn,
		 void *arg, const volatile bool *cancel, struct err *err)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	int r;

	plan_encode(plan, &text);
	r = ipc_send(c->conn, sbuf_str(&text), text.len, NULL, 0, err);
	while (r == 0) {
		auto_json struct json *frame = NULL;

		r = next(c, cancel, &frame, NULL, NULL, err);
		if (r < 0)
			break;
		if (strcmp(json_str(frame, "e", ""), "done") == 0)
			return ended(frame, err);
		if (fn && strcmp(json_str(frame, "e", ""), "progress") == 0) {
			struct daemon_progress p = {
				.kind = json_str(frame, "kind", ""),
				.name = json_str(frame, "name", ""),
				.status = json_str(frame, "status", ""),
				.detail = json_str(frame, "detail", NULL),
				.warning = json_bool(frame, "warning", false),
			};

			fn(arg, &p);
		}
	}
	return r;
}

/* Ask, and hear that it runs; *master is the terminal that came along, else -1. */
static int ask(struct daemon_client *c, const struct json *req, const int *fds, size_t n,
	       int *master, struct err *err)
{
	auto_json struct json *frame = NULL;
	auto_free char *text = json_print(req);
	int got[IPC_FDS_MAX] = { -1, -1, -1, -1 };
	size_t nfds = 0;
	int r = ipc_send(c->conn, text, strlen(text), fds, n, err);

	if (r == 0)
		r = next(c, NULL, &frame, got, &nfds, err);
	if (r < 0)
		return r;
	if (strcmp(json_str(frame, "e", ""), "running") != 0) {
		r = ended(frame, err);
		return r < 0 ? r : err_set(err, EPROTO, "unexpected answer of the supervisor");
	}
	*master = nfds > 0 ? got[0] : -1;
	return 0;
}

int daemon_run_start(struct daemon_client *c, const struct daemon_run *run, int *master,
		     struct err *err)
{
	auto_json struct json *req = json_object();

	json_add_str(req, "op", "run");
	json_add_str(req, "name", run->name);
	json_add_bool(req, "tty", run->tty);
	return ask(c, req, run->fds, run->tty ? 0 : 3, master, err);
}

int daemon_attach(struct daemon_client *c, const char *name, int sock, int *master, struct err *err)
{
	auto_json struct json *req = json_object();

	json_add_str(req, "op", "attach");
	json_add_str(req, "name", name);
	return ask(c, req, &sock, 1, master, err);
}

int daemon_listen(struct daemon_client *c, const char *name, int streams[2], struct err *err)
{
	auto_json struct json *req = json_object();
	int ours[2] = { -1, -1 }, theirs[2] = { -1, -1 }, none = -1, r = 0;

	json_add_str(req, "op", "listen");
	json_add_str(req, "name", name);
	for (size_t i = 0; r == 0 && i < 2; i++) {
		int pair[2];

		r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
		if (r < 0)
			r = err_errno(err, "make a socket pair");
		else
			ours[i] = pair[0], theirs[i] = pair[1];
	}
	if (r == 0)
		r = ask(c, req, theirs, 2, &none, err);
	for (size_t i = 0; i < 2; i++) {
		auto_close_fn(&theirs[i]);
		if (r < 0)
			auto_close_fn(&ours[i]);
		else
			streams[i] = ours[i];
	}
	return r;
}

int daemon_run_wait(struct daemon_client *c, int *exit_code, struct err *err)
{
	for (;;) {
		auto_json struct json *frame = NULL;
		int r = next(c, NULL, &frame, NULL, NULL, err);

		if (r < 0)
			return r;
		if (strcmp(json_str(frame, "e", ""), "exit") == 0) {
			*exit_code = (int)json_int(frame, "code", 255);
			return 0;
		}
	}
}
