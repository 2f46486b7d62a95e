/* building.c - build sections of the project, carried out in a process of its own; see building.h */
#include "images/building.h"
#include "images/pulling.h"
#include "images/store.h"
#include "screen/screen.h"

#include <ctrcompose/digest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- What is shown ---------------------------------------------------------------------------- */
struct screen {
	struct progress *lines; /* NULL: plain text */
	bool quiet;
	struct image_store *store;
	struct
	{ /* by step: the beginning of a line that has no end yet, and what to show if it fails */
		struct sbuf *v;
		size_t n, cap;
	} said;
};

static struct sbuf *said(struct screen *s, unsigned step)
{
	while (s->said.n <= step)
		(void)vec_push(&s->said);
	return &s->said.v[step];
}

static void print_lines(unsigned step, struct sbuf *b, bool all)
{
	char *at = b->s, *nl;

	while (at && (nl = memchr(at, '\n', b->len - (size_t)(at - b->s)))) {
		(void)fprintf(stderr, "#%u %.*s\n", step, (int)(nl - at), at);
		at = nl + 1;
	}
	if (at && all && *at)
		(void)fprintf(stderr, "#%u %s\n", step, at);
	if (at && at > b->s) {
		size_t left = b->len - (size_t)(at - b->s);

		memmove(b->s, at, left + 1);
		b->len = left;
	}
}

static void plain(struct screen *s, const struct build_event *e)
{
	static const char *const ends[] = {
		[BUILD_CACHED] = "CACHED", [BUILD_DONE] = "DONE", [BUILD_FAILED] = "ERROR"
	};
	struct sbuf *b = said(s, e->step);

	if (e->kind == BUILD_STEP) {
		(void)fprintf(stderr, "#%u %s\n", e->step, e->title);
		return;
	}
	if (e->kind == BUILD_OUTPUT)
		sbuf_add(b, e->text, e->len);
	print_lines(e->step, b, e->kind != BUILD_OUTPUT);
	if (e->kind != BUILD_OUTPUT)
		(void)fprintf(stderr, "#%u %s\n", e->step, ends[e->kind]);
}

enum { KEPT_MAX = 64 << 10 };

static void on_event(void *arg, const struct build_event *e)
{
	struct screen *s = arg;
	struct sbuf *b;

	if (!s->lines && !s->quiet) {
		plain(s, e);
		return;
	}
	b = said(s, e->step);
	if (e->kind == BUILD_OUTPUT && b->len + e->len < KEPT_MAX)
		sbuf_add(b, e->text, e->len);
	if (e->kind == BUILD_FAILED && s->lines)
		progress_warn(s->lines, sbuf_str(b));
	else if (e->kind == BUILD_FAILED)
		(void)fputs(sbuf_str(b), stderr);
	if (s->lines && e->kind != BUILD_OUTPUT)
		progress_step(s->lines, "Image", e->name,
			      e->kind == BUILD_FAILED ? "Error" : "Building", e->title);
}

static void on_warn(void *arg, const char *text)
{
	const struct screen *s = arg;

	if (s->lines)
		progress_warn(s->lines, text);
	else
		cmd_warn("%s", text);
}

/* What the parent could not pull, as nobody knew of it. */
static int on_pull(void *arg, const char *normal, struct err *err)
{
	struct screen *s = arg;
	auto_free char *name = image_ref_familiar(normal);
	const struct image_pull_how how = { .cancelled = &cmd_cancelled };
	int r;

	if (global.offline)
		return err_set(err, ENETUNREACH,
			       "image %s: --offline is given, so no registry is asked for it",
			       name);
	if (s->lines)
		progress_step(s->lines, "Image", name, "Pulling", NULL);
	r = image_pull(s->store, normal, &how, NULL, err);
	if (s->lines)
		progress_step(s->lines, "Image", name, r == 0 ? "Pulled" : "Error", NULL);
	else if (r == 0 && !s->quiet)
		(void)fprintf(stderr, " Image %s  Pulled\n", name);
	return r;
}

/* ---- In a process of its own ------------------------------------------------------------------ */
static int build_here(const struct online *o, struct image_store *store,
		      const struct build_requests *rq, bool quiet, struct err *err)
{
	auto_progress struct progress *lines = NULL;
	struct screen screen = { .quiet = quiet || str_eq(global.progress, "quiet"),
				 .store = store };
	char(*ids)[65] = xcalloc(rq->n + 1, sizeof(*ids));
	struct build_world w = { .paths = &o->paths,
				 .project = o->name,
				 .images = store,
				 .offline = global.offline,
				 .cancelled = &cmd_cancelled,
				 .pull = on_pull,
				 .warn = on_warn,
				 .event = on_event,
				 .arg = &screen };
	bool text = str_eq(global.progress, "plain") || !color_on(STDERR_FILENO);
	int r = 0;

	if (!screen.quiet && (!text || str_eq(global.progress, "json")))
		r = progress_open("Building", &lines, err);
	screen.lines = lines;
	if (r == 0)
		r = build_run(&w, rq->v, rq->n, ids, err);
	for (size_t i = 0; r == 0 && i < rq->n; i++) {
		if (lines)
			progress_step(lines, "Image", rq->v[i].tags.v[rq->v[i].tags.n - 1], "Built",
				      NULL);
		else if (!screen.quiet)
			(void)fprintf(stderr, " Image %s  Built\n",
				      rq->v[i].tags.v[rq->v[i].tags.n - 1]);
	}
	for (size_t i = 0; i < screen.said.n; i++)
		sbuf_clear(&screen.said.v[i]);
	free(screen.said.v);
	free(ids);
	return r;
}

/* Nobody waits for a build whose command was killed: its end of the pipe closes, which is a SIGTERM
 * for us. PR_SET_PDEATHSIG would be lost with the first change of the fsuid. */
static void end_with(int pipe_fd)
{
	char none;

	(void)fcntl(pipe_fd, F_SETOWN, getpid());
	(void)fcntl(pipe_fd, F_SETSIG, SIGTERM);
	(void)fcntl(pipe_fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	if (read(pipe_fd, &none, 1) == 0) /* it was killed before we asked */
		_exit(EXIT_INTERRUPTED);
}

/* Its mounts, and the change of its mount namespace, end with it. */
static int build_apart(const struct online *o, struct image_store *store,
		       const struct build_requests *rq, bool quiet, struct err *err)
{
	char text[4096];
	int fds[2], alive[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	if (pipe2(alive, O_CLOEXEC) < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return err_errno(err, "make a pipe");
	}
	cmd_catch_interrupts();
	pid = fork();
	if (pid == 0) {
		struct err why = ERR_INIT;
		int r;

		(void)close(alive[1]);
		end_with(alive[0]);
		r = build_here(o, store, rq, quiet, &why);
		if (r < 0)
			(void)fd_write_all(fds[1], err_text(&why), strlen(err_text(&why)));
		(void)fflush(stderr);
		_exit(r == 0 ? 0 : r == -EINTR ? EXIT_INTERRUPTED : 1);
	}
	(void)close(fds[1]);
	(void)close(alive[0]);
	/* A signal may be meant for this process alone: the builder has to hear of it. */
	do {
		n = pid < 0 ? -1 : read(fds[0], text, sizeof(text) - 1);
		if (n < 0 && pid > 0 && cmd_cancelled)
			(void)kill(pid, SIGINT);
	} while (n < 0 && pid > 0 && errno == EINTR);
	(void)close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)close(alive[1]);
	if (pid < 0)
		return err_errno(err, "make a process");
	if (status == 0)
		return 0;
	if (WIFSIGNALED(status))
		build_sweep(&o->paths);
	text[n > 0 ? n : 0] = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERRUPTED)
		return err_set(err, EINTR, "the build was interrupted");
	return err_set(err, EIO, "%s", *text ? text : "the build was killed");
}

/* ---- What builds begin with ------------------------------------------------------------------- */
static bool made_here(const struct build_requests *rq, const char *normal)
{
	for (size_t i = 0; i < rq->n; i++)
		if (build_makes(&rq->v[i], normal))
			return true;
	return false;
}

struct wanted {
	struct strs refs, names; /* normal; of the requests */
	struct strs done;        /* those of refs that were looked for before */
};

static int want_inputs(struct wanted *w, const struct build_requests *rq, struct image_store *store,
		       size_t which, struct err *err)
{
	const struct build_request *req = &rq->v[which];
	auto_strs struct strs refs = { 0 };
	int r = build_inputs(rq->v, rq->n, which, store, &refs, err);

	for (size_t i = 0; r == 0 && i < refs.n; i++) {
		auto_image struct image *img = NULL;
		auto_free char *normal = NULL;
		bool has = image_find(store, refs.v[i], &img, NULL) == 0;

		/* An id, or what is no name at all: the build itself will say so. */
		if (image_ref_normal(refs.v[i], &normal, NULL) < 0 || made_here(rq, normal) ||
		    (has && (!req->pull || strchr(normal, '@'))) || strs_has(&w->refs, normal) ||
		    strs_has(&w->done, normal))
			continue;
		strs_add(&w->refs, normal);
		strs_add(&w->names, req->name);
	}
	return r;
}

static int pull_wanted(const struct wanted *w, struct progress *pg, struct err *err)
{
	auto_pull_jobs struct pull_jobs jobs = { 0 };

	for (size_t i = 0; i < w->refs.n; i++) {
		auto_free char *name = image_ref_familiar(w->refs.v[i]);

		(void)pull_jobs_add(&jobs, name, NULL);
	}
	pull_jobs_run(&jobs, pg);
	for (size_t i = 0; i < jobs.n; i++)
		if (jobs.v[i].result < 0 && jobs.v[i].result != -ECANCELED)
			(void)err_wrap(&jobs.v[i].err, jobs.v[i].result, "%s: FROM", w->names.v[i]);
	return pull_jobs_failed(&jobs, err);
}

/* Images that are missing, or looked at anew with --pull. Each may bring an ONBUILD that names more. */
static int pull_inputs(const struct build_requests *rq, struct image_store *store, bool quiet,
		       struct err *err)
{
	auto_progress struct progress *pg = NULL;
	struct wanted w = { 0 };
	int r;

	for (;;) {
		r = 0;
		for (size_t i = 0; r == 0 && i < rq->n; i++)
			r = want_inputs(&w, rq, store, i, err);
		if (r < 0 || w.refs.n == 0)
			break;
		if (!quiet && !pg)
			r = progress_open("Pulling", &pg, err);
		if (r == 0)
			r = pull_wanted(&w, pg, err);
		if (r < 0)
			break;
		for (size_t i = 0; i < w.refs.n; i++)
			strs_add(&w.done, w.refs.v[i]);
		strs_clear(&w.refs);
		strs_clear(&w.names);
	}
	strs_clear(&w.refs);
	strs_clear(&w.names);
	strs_clear(&w.done);
	return r;
}

int build_services(struct online *o, const struct build_how *how, size_t *built, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	struct build_requests rq = { 0 };
	struct image_work *work = NULL;
	int r = cmd_image_store(&store, err);

	if (r == 0)
		r = build_collect(&rq, o->project, store, how, err);
	if (r == 0)
		r = build_fetch(store, rq.v, rq.n, global.offline, &rq.arena, &work, err);
	if (r == 0)
		r = pull_inputs(&rq, store, how->quiet, err);
	if (built)
		*built = rq.n;
	build_sweep(&o->paths);
	if (r == 0 && rq.n)
		r = build_apart(o, store, &rq, how->quiet, err);
	image_work_close(work);
	arena_free(&rq.arena);
	return r;
}

/* The container was made of an image; another one is a reason to make it anew. */
int images_identify(struct online *o, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	int r = lock_images(o->project, err);

	if (r == 0)
		r = cmd_image_store(&store, err);

	for (size_t i = 0; r == 0 && i < o->project->n_services; i++) {
		struct service *svc = &o->project->services[i];
		auto_image struct image *img = NULL;
		auto_free char *both = NULL;

		if (!svc->image || image_find(store, svc->image, &img, NULL) < 0)
			continue;
		both = xasprintf("%s %s", svc->config_hash, img->id);
		digest_text(both, strlen(both), svc->config_hash);
	}
	return r;
}

int build_for_up(struct online *o, char *const *services, bool build, bool no_build, bool quiet,
		 struct err *err)
{
	struct build_how how = {
		.services = services, .deps = true, .only_missing = !build, .quiet = quiet
	};
	int r = 0;

	if (!no_build && !global.dry_run)
		r = build_services(o, &how, NULL, err);
	return r < 0 ? r : images_identify(o, err);
}
