/* cmd_logs.c - ctrcompose logs: what containers printed, and with -f what they print from now on.
 * Reads the files and the record, needs no supervisor. */
#include "containers/container.h"
#include "containers/observe.h"
#include "screen/logview.h"

#include <ctrcompose/logs.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* How long the record may be behind the kernel before we look there: its supervisor may be gone. */
#define LOOK_MS 1000

static struct {
	bool follow, no_color, no_prefix, timestamps;
	int64_t index;
	const char *tail;
	uint64_t since_ns, until_ns;
} arg = { .tail = "all" };

static const struct opt opts[] = {
	{ 'f', "follow", OPT_FLAG, &arg.follow, NULL, "Go on with what comes" },
	{ 0, "index", OPT_INT, &arg.index, "INDEX", "Only this replica of the service" },
	{ 0, "no-color", OPT_FLAG, &arg.no_color, NULL, "Without colours" },
	{ 0, "no-log-prefix", OPT_FLAG, &arg.no_prefix, NULL, "Without the name of the container" },
	{ 0, "since", OPT_TIME, &arg.since_ns, "TIME",
	  "Not before this: 2026-01-02T13:23:37Z, or 42m ago" },
	{ 'n', "tail", OPT_STRING, &arg.tail, "LINES",
	  "Only the last lines of each container (default all)" },
	{ 't', "timestamps", OPT_FLAG, &arg.timestamps, NULL, "With the time of each line" },
	{ 0, "until", OPT_TIME, &arg.until_ns, "TIME",
	  "Not after this: 2026-01-02T13:23:37Z, or 42m ago" },
};

struct logs_run {
	struct state_paths paths;
	char *name;
	struct project *project;
	char **services;
	struct logview *view;
	struct known { /* containers shown so far */
		char *id;
		bool there;
		uint64_t running; /* when it was started, 0: does not run */
	} * v;
	size_t n, cap;
	bool any_up;
};

static int parse_tail(int64_t *out, struct err *err)
{
	if (str_eq(arg.tail, "all") || !arg.tail[0]) {
		*out = -1;
		return 0;
	}
	if (parse_i64(arg.tail, out) < 0)
		return usage_error(err, "--tail: '%s' is neither a number nor 'all'", arg.tail);
	return 0;
}

static int check_args(int argc, struct logs_query *q, struct err *err)
{
	*q = (struct logs_query){ .since_ns = arg.since_ns,
				  .until_ns = arg.until_ns,
				  .follow = arg.follow };
	if (arg.index < 0)
		return usage_error(err, "--index: counts from 1");
	if (arg.index && argc != 1)
		return usage_error(err, "--index needs exactly one service");
	return parse_tail(&q->tail, err);
}

/* ---- Which containers */
static bool wanted(const struct logs_run *l, const struct state_container *c)
{
	if (c->oneoff || !cmd_wants(l->services, c->service))
		return false;
	if (!l->services[0] && l->project && !project_service(l->project, c->service))
		return false;
	return !arg.index || c->number == (unsigned)arg.index;
}

static struct known *know(struct logs_run *l, const char *id)
{
	struct known *k;

	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].id, id))
			return &l->v[i];
	k = vec_push(l);
	k->id = xstrdup(id);
	return k;
}

static uint64_t running(const struct state_container *c)
{
	if (c->status != STATE_RUNNING && c->status != STATE_PAUSED)
		return 0;
	return c->started_ns ? c->started_ns : 1;
}

static int show(struct logs_run *l, const struct state_container *c, struct err *err)
{
	struct known *k = know(l, c->id);
	uint64_t before = k->there ? k->running : 0;
	int r = k->there ? 0 : logview_add(l->view, &l->paths, l->name, c, err);

	k->there = true;
	k->running = running(c);
	l->any_up = l->any_up || container_is_up(c);
	/* Also when it is running again already. */
	if (r == 0 && before && k->running != before)
		r = logview_exited(l->view, c, container_is_up(c), err);
	return r;
}

static void forget_missing(struct logs_run *l, const struct state_project *s)
{
	for (struct known *k = l->v; k < l->v + l->n; k++) {
		bool there = false;

		for (size_t i = 0; i < s->containers.n && !there; i++)
			there = str_eq(s->containers.v[i]->id, k->id);
		if (!there && k->there)
			logview_remove(l->view, k->id);
		k->there = k->there && there;
	}
}

/* Compare what is shown with what there is. The new ones come after those that are gone, so that
 * one can take the place of another. */
static int sync_with(struct logs_run *l, struct state_project *s, struct err *err)
{
	int r = 0;

	forget_missing(l, s);
	containers_sort(s->containers.v, s->containers.n);
	l->any_up = false;
	for (size_t i = 0; i < s->containers.n && r == 0; i++)
		if (wanted(l, s->containers.v[i]))
			r = show(l, s->containers.v[i], err);
	return r;
}

static int sync_now(struct logs_run *l, bool ask_kernel, struct err *err)
{
	auto_state struct state_project *s = NULL;
	int r;

	if (ask_kernel) {
		r = cmd_load_state(&l->paths, l->name, &s, err);
	} else {
		r = state_load(&l->paths, l->name, &s, err);
		if (r == -ENOENT) {
			err_clear(err);
			s = state_new(l->name);
			r = 0;
		}
	}
	return r ? r : sync_with(l, s, err);
}

/* ---- Following */
/* The supervisor says by new records what changes. */
static int watch_records(const struct logs_run *l, struct err *err)
{
	auto_free char *dir = state_project_dir(&l->paths, l->name);
	auto_free char *run = state_run_dir(&l->paths, l->name);
	auto_free char *live = path_join(run, "c");
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return err_errno(err, "watch the project (inotify)");
	/* Folders that are not there yet are looked at once in a while all the same. */
	(void)inotify_add_watch(fd, dir, IN_MOVED_TO | IN_DELETE_SELF);
	(void)inotify_add_watch(fd, live, IN_MOVED_TO | IN_DELETE);
	return fd;
}

static bool read_events(int fd)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;

	while (read(fd, buf, sizeof(buf)) > 0)
		any = true;
	return any;
}

static bool time_is_over(void)
{
	return arg.until_ns && now_real_ns() > arg.until_ns;
}

/* Nobody prints any more, but much may be left to be read. */
static int print_rest(struct logs_run *l, struct err *err)
{
	struct pollfd p = { .fd = logview_fd(l->view), .events = POLLIN };
	int r = 0;

	while (r == 0 && poll(&p, 1, 0) > 0 && !time_is_over())
		r = logview_pump(l->view, err);
	return r;
}

static int follow(struct logs_run *l, struct err *err)
{
	auto_close int fd = watch_records(l, err);
	int r = fd < 0 ? fd : logview_pump(l->view, err);

	while (r == 0 && l->any_up && !time_is_over()) {
		struct pollfd p[] = {
			{ .fd = logview_fd(l->view), .events = POLLIN },
			{ .fd = fd, .events = POLLIN },
		};
		int n = poll(p, ARRAY_LEN(p), LOOK_MS);

		if (n < 0 && errno != EINTR)
			return err_errno(err, "poll");
		if (n == 0 || (n > 0 && p[1].revents && read_events(fd)))
			r = sync_now(l, n == 0, err);
		if (r == 0)
			r = logview_pump(l->view, err);
	}
	return r < 0 ? r : print_rest(l, err);
}

static int check_index(const struct logs_run *l, const struct state_project *s, struct err *err)
{
	struct pick pick = { .service = l->services[0], .index = arg.index };
	struct state_container *c;

	return observe_pick(s, &pick, &c, err);
}

static int start(struct logs_run *l, int argc, struct err *err)
{
	const struct logview_options how = { arg.no_color, arg.no_prefix, arg.timestamps };
	auto_state struct state_project *s = NULL;
	struct logs_query q;
	int r = check_args(argc, &q, err);

	if (r == 0)
		r = cmd_find_project(&l->name, &l->project, err);
	if (r == 0)
		r = state_paths_open(&l->paths, err);
	if (r == 0)
		r = cmd_load_state(&l->paths, l->name, &s, err);
	if (r == 0)
		r = cmd_check_services(l->services, l->project, s, err);
	if (r == 0 && arg.index)
		r = check_index(l, s, err);
	if (r == 0)
		r = logview_open(&q, &how, &l->view, err);
	return r ? r : sync_with(l, s, err);
}

static int run(int argc, char **argv, struct err *err)
{
	struct logs_run l = { .services = argv };
	int r = start(&l, argc, err);

	if (r == 0)
		r = arg.follow ? follow(&l, err) : logview_pump(l.view, err);
	logview_close(l.view);
	for (size_t i = 0; i < l.n; i++)
		free(l.v[i].id);
	free(l.v);
	free(l.name);
	project_free(l.project);
	state_paths_clear(&l.paths);
	return r;
}

const struct cmd cmd_logs = {
	.name = "logs",
	.summary = "Show what containers print",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
