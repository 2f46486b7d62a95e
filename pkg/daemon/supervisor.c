/* supervisor.c - the process of one project: adopts what runs, serves requests, saves the record */
#include "supervisor.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAVE_DELAY_US = 50000, FIRST_CLIENT_US = 10000000, LOG_MAX = 1 << 20 };

int sup_save(struct sup *s, struct err *err)
{
	s->dirty = false;
	if (s->save_timer)
		(void)loop_timer_set(s->save_timer, LOOP_NEVER);
	return state_save(s->args->paths, s->state, err);
}

/* A service that is started again and again for months says so each time. The keeper writes to the same
 * open file: it is emptied, not replaced. */
static void bound_log(const struct sup *s)
{
	auto_free char *dir = NULL, *log = NULL, *old = NULL, *text = NULL;
	struct stat st;
	size_t len;

	if (fstat(STDERR_FILENO, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= LOG_MAX)
		return;
	dir = state_project_dir(s->args->paths, s->args->project);
	log = path_join(dir, LOG_FILE);
	old = path_join(dir, LOG_FILE_OLD);
	if (file_read(AT_FDCWD, log, 2UL * LOG_MAX, &text, &len) == 0)
		(void)file_replace(AT_FDCWD, old, text, len, 0600, false);
	(void)!ftruncate(STDERR_FILENO, 0);
}

static void on_save(void *arg)
{
	auto_err struct err err = ERR_INIT;
	struct sup *s = arg;

	if (!s->forget && s->dirty && sup_save(s, &err) < 0)
		log_line(LOG_ERROR, "%s: %s", s->args->project, err_text(&err));
	if (!s->job)
		(void)malloc_trim(0); /* a plan is much larger than what it leaves behind */
	bound_log(s);
	sup_idle_check(s);
}

void sup_changed(struct sup *s)
{
	s->dirty = true;
	(void)loop_timer_set(s->save_timer, SAVE_DELAY_US);
}

/* After each turn: the job goes on, rules follow what runs, once for all that changed in it. */
static void on_turn(void *arg)
{
	auto_err struct err err = ERR_INIT;
	struct sup *s = arg;

	if (s->job_due) {
		s->job_due = false;
		job_advance(s);
	}
	events_flush(s);
	fd_store_sweep(s->fds);
	if (!s->fw_dirty || (s->job && s->job->plan->forget))
		return;
	s->fw_dirty = false;
	if (engine_firewall(s->engine, &err) < 0)
		log_line(LOG_ERROR, "%s: %s", s->args->project, err_text(&err));
}

static void read_exits(struct sup *s)
{
	auto_free struct state_exit *v = NULL;
	size_t n = 0;

	if (state_exits_read(s->args->paths, s->args->project, &s->exits_offset, &v, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		*vec_push(&s->exits) = v[i];
}

bool sup_find_exit(struct sup *s, pid_t pid, uint64_t start_time, struct state_exit *out)
{
	read_exits(s);
	for (size_t i = 0; i < s->exits.n; i++)
		if (s->exits.v[i].pid == (uint64_t)pid && s->exits.v[i].start_time == start_time) {
			*out = s->exits.v[i];
			s->exits.v[i] = s->exits.v[--s->exits.n];
			return true;
		}
	return false;
}

/* Exits of processes that are nobody's first one. Those of containers stay: the keeper may tell of
 * an end before the pidfd does. */
static void forget_strangers(struct sup *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->exits.n; i++)
		for (size_t j = 0; j < s->ctrs.n; j++)
			if (s->exits.v[i].pid == (uint64_t)s->ctrs.v[j]->unit->c->pid) {
				s->exits.v[kept++] = s->exits.v[i];
				break;
			}
	s->exits.n = kept;
}

static void on_wake(void *arg, uint32_t events)
{
	struct sup *s = arg;
	char buf[256];
	ssize_t n;

	(void)events;
	while ((n = read(s->args->wake_fd, buf, sizeof(buf))) > 0)
		;
	if (n == 0) {
		log_line(LOG_WARN, "%s: the keeper is gone", s->args->project);
		loop_source_free(steal(s->wake_src));
	}
	for (size_t i = s->ctrs.n; i-- > 0;)
		if (i < s->ctrs.n)
			ctr_exit_known(s->ctrs.v[i]);
	forget_strangers(s);
}

void sup_idle_check(struct sup *s)
{
	if (!s->listening || s->job || ipc_server_conns(s->ipc) > 0)
		return;
	for (size_t i = 0; i < s->ctrs.n; i++)
		if (s->ctrs.v[i]->st != SVC_STOPPED)
			return;
	if (s->dirty && !s->forget)
		return; /* on_save() comes back here */
	loop_exit(s->loop, 0);
}

void sup_reply_done(struct ipc_conn *conn, const char *error)
{
	auto_json struct json *o = json_object();
	auto_free char *text = NULL;

	json_add_str(o, "e", "done");
	if (error)
		json_add_str(o, "error", error);
	text = json_print(o);
	(void)ipc_send(conn, text, strlen(text), NULL, 0, NULL);
}

static int request_apply(struct sup *s, struct ipc_conn *conn, const char *frame, size_t len,
			 struct err *err)
{
	struct plan *plan = NULL;
	int r = plan_decode(frame, len, &plan, err);

	if (r < 0)
		return r;
	if (!s->job) {
		job_begin(s, plan, conn);
		return 0;
	}
	/* What is stopped with patience can be killed meanwhile. */
	if (plan_is_kill(plan))
		job_kill(s, plan, conn);
	else
		r = err_set(err, EBUSY, "another command is working on project %s",
			    s->args->project);
	plan_free(plan);
	return r;
}

static void settle_one(struct ipc_conn *conn)
{
	(void)ipc_send(conn, "{\"e\":\"settled\"}", 15, NULL, 0, NULL);
}

/* Of a project that is forgotten nobody hears: whoever wants more starts a new family. */
void sup_settled(struct sup *s)
{
	while (!s->forget && s->settling.n)
		settle_one(s->settling.v[--s->settling.n]);
}

/* The client holds the project's lock and is about to read the record: not before what a killed
 * client began has come to its end. */
static void request_settle(struct sup *s, struct ipc_conn *conn)
{
	if (s->job)
		*vec_push(&s->settling) = conn;
	else
		settle_one(conn);
}

static int request_run(struct sup *s, struct ipc_conn *conn, const struct json *req, int *fds,
		       size_t nfds, struct err *err)
{
	const char *name = json_str(req, "name", "");
	struct ctr *c = ctr_find(s, name);

	if (!c || !c->unit->c->oneoff || c->st != SVC_STOPPED || c->run_due)
		return err_set(err, ENOENT, "there is no container %s to run", name);
	c->io.tty = json_bool(req, "tty", false);
	if (!c->io.tty && nfds != 3)
		return err_set(err, EPROTO, "run needs three descriptors");
	c->io.given = true;
	for (size_t i = 0; i < 3 && !c->io.tty; i++)
		c->io.fds[i] = steal_fd(&fds[i]);
	c->attached = conn;
	if (!filler_runs(c))
		ctr_run(c);
	return 0; /* "running" or "done" comes when its program runs or fails */
}

/* To the terminal of a container: its socket for what is printed in, the master out. */
static int request_attach(struct sup *s, struct ipc_conn *conn, const struct json *req, int *fds,
			  size_t nfds, struct err *err)
{
	const char *name = json_str(req, "name", "");
	struct ctr *c = ctr_find(s, name);

	if (!c || c->st != SVC_RUNNING)
		return err_set(err, ESRCH, "container %s is not running", name);
	if (c->unit->tty_fd < 0)
		return err_set(err, ENOTTY,
			       "the terminal of container %s is not at hand: another command has "
			       "it, or its supervisor and keeper were both killed",
			       name);
	if (nfds != 1)
		return err_set(err, EPROTO, "attach needs one descriptor");
	engine_attach(c->unit, STDOUT_FILENO, steal_fd(&fds[0]), conn);
	return ipc_send(conn, "{\"e\":\"running\"}", 15, &c->unit->tty_fd, 1, err);
}

/* ---- Who hears containers whose output no log keeps */
static void hear(const struct ear *e, struct unit *u)
{
	for (int i = 0; i < 2; i++) {
		int fd = fcntl(e->fds[i], F_DUPFD_CLOEXEC, 3);

		if (fd >= 0)
			engine_attach(u, i == 0 ? STDOUT_FILENO : STDERR_FILENO, fd, e->conn);
	}
}

void sup_ears(struct sup *s, struct unit *u)
{
	for (size_t i = 0; i < s->ears.n; i++)
		if (strcmp(s->ears.v[i].name, u->c->name) == 0)
			hear(&s->ears.v[i], u);
}

static int request_listen(struct sup *s, struct ipc_conn *conn, const struct json *req, int *fds,
			  size_t nfds, struct err *err)
{
	const char *name = json_str(req, "name", "");
	struct ctr *c = ctr_find(s, name);
	struct ear *e;

	if (nfds != 2)
		return err_set(err, EPROTO, "listen needs two descriptors");
	e = vec_push(&s->ears);
	*e = (struct ear){ .conn = conn,
			   .name = xstrdup(name),
			   .fds = { steal_fd(&fds[0]), steal_fd(&fds[1]) } };
	if (c)
		hear(e, c->unit);
	return ipc_send(conn, "{\"e\":\"running\"}", 15, NULL, 0, err);
}

static void drop_ears(struct sup *s, const struct ipc_conn *conn)
{
	for (size_t i = s->ears.n; i-- > 0;) {
		struct ear *e = &s->ears.v[i];

		if (e->conn != conn)
			continue;
		auto_close_fn(&e->fds[0]);
		auto_close_fn(&e->fds[1]);
		free(e->name);
		*e = s->ears.v[--s->ears.n];
	}
}

static void on_request(void *arg, struct ipc_conn *conn, const char *frame, size_t len, int *fds,
		       size_t nfds)
{
	auto_json struct json *req = NULL;
	auto_err struct err err = ERR_INIT;
	struct sup *s = arg;
	const char *op;
	int r = json_parse(frame, len, &req, &err);

	if (r == 0) {
		op = json_str(req, "op", "");
		if (strcmp(op, "hello") == 0)
			r = ipc_send(conn, "{\"e\":\"hello\"}", 13, NULL, 0, &err);
		else if (strcmp(op, "settle") == 0)
			request_settle(s, conn);
		else if (strcmp(op, "apply") == 0)
			r = request_apply(s, conn, frame, len, &err);
		else if (strcmp(op, "attach") == 0)
			r = request_attach(s, conn, req, fds, nfds, &err);
		else if (strcmp(op, "listen") == 0)
			r = request_listen(s, conn, req, fds, nfds, &err);
		else if (strcmp(op, "run") == 0)
			r = request_run(s, conn, req, fds, nfds, &err);
		else
			r = err_set(&err, EPROTO, "unknown request '%s'", op);
	}
	if (r < 0)
		sup_reply_done(conn, err_text(&err));
}

static void on_closed(void *arg, struct ipc_conn *conn)
{
	struct sup *s = arg;

	for (size_t i = 0; i < s->ctrs.n; i++) {
		if (s->ctrs.v[i]->attached == conn)
			ctr_left(s->ctrs.v[i]);
		engine_detach(s->ctrs.v[i]->unit, conn);
	}
	for (size_t i = s->settling.n; i-- > 0;)
		if (s->settling.v[i] == conn)
			s->settling.v[i] = s->settling.v[--s->settling.n];
	drop_ears(s, conn);
	job_client_gone(s, conn);
	/* The connection still counts while this runs: look again a moment later. */
	(void)loop_timer_set(s->save_timer, s->dirty && !s->forget ? SAVE_DELAY_US : 0);
}

static void on_term(void *arg, const struct signalfd_siginfo *info)
{
	(void)info;
	(void)arg; /* a project ends by `down`, not with a session or a stray kill */
}

static void raise_limits(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	(void)file_put(AT_FDCWD, "/proc/self/oom_score_adj", "-500");
}

static int open_state(struct sup *s, struct err *err)
{
	char boot[37];
	int r = state_load_all(s->args->paths, s->args->project, &s->state, err);

	if (r == -ENOENT) {
		err_clear(err);
		s->state = state_new(s->args->project);
		r = 0;
	}
	if (r == 0)
		r = boot_id(boot);
	if (r < 0)
		return r;
	s->rebooted = !str_eq(boot, s->state->boot_id);
	/* What ended between two supervisors of one keeper is found by ctr_adopted(), and its policy holds. */
	if (s->args->ready_fd >= 0)
		r = state_refresh(s->args->paths, s->state, NULL, err);
	if (r == 0)
		state_set(&s->state->boot_id, boot);
	return r;
}

static int adopt_all(struct sup *s, struct err *err)
{
	s->fds = fd_store_open(s->args->store);
	engine_keep_in(s->engine, s->fds);
	for (size_t i = 0; i < s->state->containers.n; i++) {
		struct unit *u = NULL;
		int r = engine_adopt(s->engine, s->state->containers.v[i], &u, err);

		if (r < 0)
			return r;
		ctr_adopted(ctr_new(s, u));
	}
	fd_store_drop_untaken(s->fds);
	replace_recover(s, s->rebooted);
	return 0;
}

static int listen_here(struct sup *s, struct err *err)
{
	static const struct ipc_ops ops = { .request = on_request, .closed = on_closed };
	auto_free char *path = control_path(s->args->paths, s->args->project);
	int r = ipc_listen(path, 0, &ops, s, &s->ipc, err);

	if (r == 0)
		r = loop_io_add(s->loop, ipc_server_fd(s->ipc), EPOLLIN, ipc_server_dispatch,
				s->ipc, NULL, err);
	return r;
}

static int set_up(struct sup *s, struct err *err)
{
	int r = loop_new(&s->loop, err);

	if (r == 0)
		r = loop_timer_add(s->loop, LOOP_NEVER, on_save, s, &s->save_timer, err);
	if (r == 0)
		r = loop_post(s->loop, on_turn, s, NULL, err);
	if (r == 0)
		r = loop_signal_add(s->loop, SIGTERM, on_term, s, NULL, err);
	if (r == 0)
		r = open_state(s, err);
	if (r == 0)
		record_watch(s); /* before others move theirs to another priority: see loop.h */
	if (r == 0)
		r = engine_open(s->args->paths, s->loop, s->state, &s->engine, err);
	if (r == 0)
		r = loop_io_add(s->loop, s->args->wake_fd, EPOLLIN, on_wake, s, &s->wake_src, err);
	if (r == 0)
		r = adopt_all(s, err);
	if (r == 0)
		r = listen_here(s, err);
	if (r == 0)
		s->fw_dirty = s->state->networks.n > 0; /* they may have been taken out meanwhile */
	return r;
}

/* The project is gone, its record went with the last job: so does what only the family has. The
 * lock file is still locked by us and the keeper: a newcomer waits, and makes another. */
static void sweep(const struct supervisor_args *args)
{
	auto_free char *run = state_run_dir(args->paths, args->project);
	auto_free char *dir = state_project_dir(args->paths, args->project);
	auto_free char *store = path_join(run, "store"), *lock = path_join(run, "supervised");
	auto_free char *log = path_join(dir, LOG_FILE), *old = path_join(dir, LOG_FILE_OLD);

	(void)umount2(store, MNT_DETACH);
	(void)rmdir(store);
	(void)unlink(log);
	(void)unlink(old);
	(void)rmdir(dir);
	(void)unlink(lock); /* from here on all is another family's */
	(void)rmdir(run);
}

int supervisor_main(const struct supervisor_args *args)
{
	auto_err struct err err = ERR_INIT;
	struct sup s = { .args = args, .remover = { .pidfd = -1 } };
	const char *word = "";
	size_t len = 1;
	int r;

	raise_limits();
	r = set_up(&s, &err);
	if (r < 0) {
		word = err_text(&err);
		len = strlen(word);
		log_line(LOG_ERROR, "%s: %s", args->project, word);
	}
	if (args->ready_fd >= 0) {
		(void)fd_write_all(args->ready_fd, word, len);
		(void)close(args->ready_fd);
	}
	if (r < 0)
		return args->ready_fd >= 0 ? SUPERVISOR_REFUSED : SUPERVISOR_FAILED;
	s.listening = true;
	/* Whoever made us connects at once; after a death there may be nothing left to look after. */
	(void)loop_timer_set(s.save_timer, args->ready_fd >= 0 ? FIRST_CLIENT_US : 0);
	r = loop_run(s.loop, &err);
	if (r < 0)
		log_line(LOG_ERROR, "%s: the event loop failed: %s", args->project, err_text(&err));
	events_flush(&s);
	ipc_server_free(s.ipc);
	if (s.dirty && !s.forget)
		(void)sup_save(&s, NULL);
	if (s.forget)
		sweep(args);
	/* The process ends here: memory and descriptors go with it. */
	return r < 0 ? SUPERVISOR_FAILED : SUPERVISOR_DONE;
}
