/* follow.c - an attached `up`; see follow.h.
 *
 * Sleeps until the log files or the records of the containers change: both are watched, nothing
 * is polled, and no supervisor is needed to look at them.
 */
#include "stack/follow.h"
#include "containers/container.h"
#include "screen/logview.h"

#include <ctrcompose/logs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

struct seen { /* one container */
	char *id;
	bool up;
	uint64_t finished_ns; /* of the end that was told last */
};

struct follow {
	struct online *o;
	const struct follow_options *opt;
	struct logview *view;
	int watch; /* inotify on the records */
	struct {
		struct seen *v;
		size_t n, cap;
	} seen;
	bool decided; /* somebody's end ends it all */
	int status;
};

static bool chosen(const struct follow *f, const struct state_container *c)
{
	const struct follow_options *opt = f->opt;
	const struct service *svc = project_service(f->o->project, c->service);

	if (c->oneoff || strs_has(opt->without, c->service))
		return false;
	if (opt->only->n)
		return strs_has(opt->only, c->service);
	if (svc && !svc->attach)
		return false;
	return opt->dependencies || cmd_wants(opt->services, c->service);
}

static struct seen *seen_of(struct follow *f, const struct state_container *c)
{
	for (size_t i = 0; i < f->seen.n; i++)
		if (strcmp(f->seen.v[i].id, c->id) == 0)
			return &f->seen.v[i];
	*vec_push(&f->seen) = (struct seen){ .id = xstrdup(c->id) };
	return &f->seen.v[f->seen.n - 1];
}

static bool is_up(const struct state_container *c)
{
	return c->status == STATE_RUNNING || c->status == STATE_PAUSED ||
	       c->status == STATE_RESTARTING;
}

/* The first end decides, or that of the service which --exit-code-from names. */
static void decide(struct follow *f, const struct state_container *c)
{
	const struct follow_options *opt = f->opt;
	bool ends = opt->abort_on_exit || (opt->abort_on_failure && c->exit_code != 0);

	if (f->decided && !(opt->exit_from && strcmp(opt->exit_from, c->service) == 0))
		return;
	if (opt->exit_from && strcmp(opt->exit_from, c->service) != 0) {
		f->decided = f->decided || ends;
		return;
	}
	if (ends) {
		f->decided = true;
		f->status = c->exit_code;
	}
}

/* What the supervisor has written: an end is there when all its output is in the log. What the
 * kernel and the keeper know earlier counts when the supervisor says nothing for a while. */
static int reload(struct online *o, bool quiet, struct err *err)
{
	auto_state struct state_project *s = NULL;

	if (quiet || state_load(&o->paths, o->name, &s, NULL) < 0)
		return online_refresh(o, err);
	state_free(o->state);
	o->state = steal(s);
	return 0;
}

static bool is_shown(const struct follow *f, const struct state_container *c)
{
	return chosen(f, c) && c->started_ns > 0;
}

static int add(struct follow *f, const struct state_container *c, struct err *err)
{
	int r = logview_add(f->view, &f->o->paths, f->o->name, c, err);

	for (size_t k = 0; r == 0 && k < f->o->ears.n; k++)
		if (f->o->ears.v[k].fds[0] >= 0 && str_eq(f->o->ears.v[k].name, c->name))
			r = logview_listen(f->view, c->name, f->o->ears.v[k].fds, err);
	return r;
}

/* Compare with what was seen before. *alive counts the chosen containers that run. quiet: no record
 * has changed for a while. */
static int look(struct follow *f, bool quiet, size_t *alive, struct err *err)
{
	int r = reload(f->o, quiet, err);

	*alive = 0;
	for (size_t i = 0; r == 0 && i < f->o->state->containers.n; i++) {
		const struct state_container *c = f->o->state->containers.v[i];

		if (is_shown(f, c))
			r = add(f, c, err); /* all of them: the widest name counts */
	}
	for (size_t i = 0; r == 0 && i < f->o->state->containers.n; i++) {
		const struct state_container *c = f->o->state->containers.v[i];
		struct seen *s;

		if (!is_shown(f, c))
			continue;
		s = seen_of(f, c);
		*alive += is_up(c);
		if (c->finished_ns > s->finished_ns && c->finished_ns >= f->opt->since_ns &&
		    c->finished_ns > c->started_ns && c->status != STATE_RUNNING) {
			s->finished_ns = c->finished_ns;
			r = logview_pump(f->view, err);
			if (r == 0)
				r = logview_exited(f->view, c, c->status == STATE_RESTARTING, err);
			if (c->status != STATE_RESTARTING)
				decide(f, c);
		}
		s->up = is_up(c);
	}
	return r;
}

static int watch_records(struct follow *f, struct err *err)
{
	auto_free char *run = state_run_dir(&f->o->paths, f->o->name);
	auto_free char *dir = path_join(run, "c");
	int r = state_dirs_make(&f->o->paths, f->o->name, err);

	if (r < 0)
		return r;
	f->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->watch < 0)
		return err_errno(err, "watch the containers");
	(void)inotify_add_watch(f->watch, dir, IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE);
	(void)inotify_add_watch(f->watch, run, IN_MOVED_TO | IN_CREATE | IN_DELETE);
	return 0;
}

static void drain(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static int loop(struct follow *f, struct err *err)
{
	enum { LOOK_AGAIN_MS = 2000 }; /* a record may go in a way that no watch sees */
	bool quiet = false;
	int r = 0;

	while (r == 0 && !cmd_cancelled) {
		struct pollfd fds[] = { { .fd = f->watch, .events = POLLIN },
					{ .fd = logview_fd(f->view), .events = POLLIN } };
		size_t alive;

		drain(f->watch);
		r = look(f, quiet, &alive, err);
		if (r == 0)
			r = logview_pump(f->view, err);
		if (r < 0 || f->decided || alive == 0)
			break;
		quiet = poll(fds, ARRAY_LEN(fds), LOOK_AGAIN_MS) == 0;
	}
	return r;
}

/* All of the project is asked to stop; a second interrupt kills it. */
static int stop_all(struct follow *f, struct err *err)
{
	struct online *o = f->o;
	auto_plan struct plan *plan = NULL, *kill = NULL;
	struct plan_options po = { .grace_us = f->opt->grace_us };
	int r = state_lock(&o->paths, o->name, UINT64_MAX, &o->lock, err);

	cmd_cancelled = false;
	if (r == 0)
		r = online_refresh(o, err);
	if (r == 0)
		r = plan_verb(PLAN_VERB_STOP, o->project, o->state, &po, &plan, err);
	if (r == 0)
		r = online_apply(o, plan, "Stopping", err);
	if (r == -EINTR && cmd_cancelled) {
		err_clear(err);
		cmd_cancelled = false;
		po.signal = SIGKILL;
		r = online_refresh(o, err);
		if (r == 0)
			r = plan_verb(PLAN_VERB_KILL, o->project, o->state, &po, &kill, err);
		if (r == 0)
			r = online_apply(o, kill, "Killing", err);
	}
	return r;
}

static void names_line(const struct follow *f)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < f->o->state->containers.n; i++)
		if (chosen(f, f->o->state->containers.v[i]))
			sbuf_addf(&text, "%s%s", n++ ? ", " : "Attaching to ",
				  container_label(f->o->name, f->o->state->containers.v[i]));
	sbuf_addc(&text, '\n');
	if (n)
		(void)fd_write_all(STDOUT_FILENO, sbuf_str(&text), text.len);
}

int follow_up(struct online *o, const struct follow_options *opt, struct err *err)
{
	struct follow f = { .o = o, .opt = opt, .watch = -1 };
	struct logs_query query = { .tail = -1, .since_ns = opt->since_ns, .follow = true };
	bool interrupted;
	size_t alive;
	int r;

	auto_close_fn(&o->lock);
	o->lock = -1;
	r = online_refresh(o, err);
	if (r == 0) {
		names_line(&f);
		r = logview_open(&query, &opt->view, &f.view, err);
	}
	if (r == 0)
		r = watch_records(&f, err);
	if (r == 0)
		r = loop(&f, err);
	interrupted = cmd_cancelled;
	if (interrupted || (r == 0 && f.decided)) {
		if (interrupted) {
			static const char text[] =
				"Gracefully Stopping... press Ctrl+C again to force\n";

			err_clear(err);
			(void)fd_write_all(STDERR_FILENO, text, sizeof(text) - 1);
		}
		r = stop_all(&f, err);
		if (r == 0)
			r = look(&f, true, &alive, err);
		if (r == 0)
			r = logview_pump(f.view, err);
	}
	logview_close(f.view);
	auto_close_fn(&f.watch);
	for (size_t i = 0; i < f.seen.n; i++)
		free(f.seen.v[i].id);
	free(f.seen.v);
	if (r < 0)
		return r;
	return interrupted ? EXIT_INTERRUPTED : f.status;
}
