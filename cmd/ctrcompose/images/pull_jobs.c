/* pull_jobs.c - several images from registries at the same time; see pulling.h */
#include "images/pulling.h"
#include "images/store.h"
#include "screen/screen.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { AT_ONCE = 4, LOOK_MS = 50 };

/* ---- One -------------------------------------------------------------------------------------- */
struct shown {
	struct progress *pg;
	const char *ref;
	uint64_t told_us;
};

static void on_progress(void *arg, uint64_t bytes, uint64_t all)
{
	enum { EVERY_US = 100000 };
	struct shown *s = arg;
	char has[16], wants[16];
	auto_free char *detail = NULL;

	/* Lines that are not kept up to date are for beginnings and ends. */
	if (!s->pg || !all || now_mono_us() - s->told_us < EVERY_US || !progress_is_live(s->pg))
		return;
	s->told_us = now_mono_us();
	format_bytes(bytes, has);
	format_bytes(all, wants);
	detail = xasprintf("%s / %s", has, wants);
	progress_step(s->pg, "Image", s->ref, "Pulling", detail);
}

/* What all workers share. */
struct batch {
	struct pull_jobs *jobs;
	struct progress *pg;
	struct image_pulls *together;
	volatile bool stop;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	size_t next, working;
};

static int pull_one(struct batch *b, struct image_store *s, struct pull_job *job)
{
	struct shown shown = { .pg = b->pg, .ref = job->ref };
	struct image_pull_how how = { .platform = job->platform,
				      .progress = on_progress,
				      .arg = &shown,
				      .cancelled = &b->stop,
				      .together = b->together };
	int r;

	if (b->pg)
		progress_step(b->pg, "Image", job->ref, "Pulling", NULL);
	r = image_pull(s, job->ref, &how, NULL, &job->err);
	if (b->pg)
		progress_step(b->pg, "Image", job->ref,
			      r == 0        ? "Pulled"
			      : r == -EINTR ? "Interrupted"
					    : "Error",
			      r < 0 && r != -EINTR ? err_text(&job->err) : NULL);
	return r;
}

/* ---- All -------------------------------------------------------------------------------------- */
static struct pull_job *take(struct batch *b)
{
	struct pull_job *job = NULL;

	(void)pthread_mutex_lock(&b->lock);
	if (!b->stop && b->next < b->jobs->n)
		job = &b->jobs->v[b->next++];
	(void)pthread_mutex_unlock(&b->lock);
	return job;
}

/* Each with a store of its own: locks of the store are of descriptors. */
static void *work(void *arg)
{
	auto_image_store struct image_store *s = NULL;
	auto_err struct err err = ERR_INIT;
	struct batch *b = arg;
	int opened = cmd_image_store(&s, &err);
	struct pull_job *job;

	while ((job = take(b)) != NULL) {
		job->result = opened == 0 ? pull_one(b, s, job)
					  : err_set(&job->err, opened, "%s", err_text(&err));
		if (job->result < 0 && !job->may_fail)
			b->stop = true;
	}
	(void)pthread_mutex_lock(&b->lock);
	b->working--;
	(void)pthread_cond_signal(&b->moved);
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* The workers get no signals: an interrupt reaches whoever waits for them here. */
static void run(struct batch *b, size_t at_once)
{
	pthread_t *threads = xcalloc(at_once, sizeof(*threads));
	sigset_t all, before;
	size_t n = 0;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	b->working = at_once;
	while (n < at_once && pthread_create(&threads[n], NULL, work, b) == 0)
		n++;
	(void)pthread_mutex_lock(&b->lock);
	b->working -= at_once - n;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	while (b->working > 0) {
		struct timespec until;

		if (cmd_cancelled)
			b->stop = true;
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += LOOK_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		(void)pthread_cond_clockwait(&b->moved, &b->lock, CLOCK_MONOTONIC, &until);
	}
	(void)pthread_mutex_unlock(&b->lock);
	for (size_t i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	free(threads);
	if (n == 0) { /* no thread is to be had */
		b->working = 1;
		(void)work(b);
	}
}

/* Without a registry: why not, or that it would be. */
static int pretend(struct pull_job *job, struct progress *pg)
{
	if (global.offline)
		return err_set(&job->err, ENETUNREACH,
			       "image %s: --offline is given, so no registry is asked for it",
			       job->ref);
	if (pg)
		progress_step(pg, "Image", job->ref, "Pulled", NULL);
	return 0;
}

static size_t limit(void)
{
	const char *env = getenv("COMPOSE_PARALLEL_LIMIT");
	int64_t n = global.parallel;

	if (n <= 0 && (!env || parse_i64(env, &n) < 0))
		return AT_ONCE;
	return n > 0 ? (size_t)n : AT_ONCE;
}

void pull_jobs_run(struct pull_jobs *jobs, struct progress *pg)
{
	struct batch b = { .jobs = jobs, .pg = pg };
	size_t at_once = limit();

	for (size_t i = 0; i < jobs->n; i++)
		jobs->v[i].result = -ECANCELED;
	if (global.offline || global.dry_run) {
		for (size_t i = 0; i < jobs->n; i++)
			jobs->v[i].result = pretend(&jobs->v[i], pg);
		return;
	}
	if (jobs->n == 0)
		return;
	cmd_catch_interrupts();
	b.together = image_pulls_new();
	(void)pthread_mutex_init(&b.lock, NULL);
	(void)pthread_cond_init(&b.moved, NULL);
	run(&b, at_once < jobs->n ? at_once : jobs->n);
	(void)pthread_cond_destroy(&b.moved);
	(void)pthread_mutex_destroy(&b.lock);
	image_pulls_free(&b.together);
}

struct pull_job *pull_jobs_add(struct pull_jobs *jobs, const char *ref, const char *platform)
{
	struct pull_job *job;

	for (size_t i = 0; i < jobs->n; i++)
		if (strcmp(jobs->v[i].ref, ref) == 0)
			return &jobs->v[i];
	job = vec_push(jobs);
	*job = (struct pull_job){ .ref = xstrdup(ref),
				  .platform = platform ? xstrdup(platform) : NULL };
	return job;
}

void pull_jobs_clear(struct pull_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++) {
		free(jobs->v[i].ref);
		free(jobs->v[i].platform);
		err_clear(&jobs->v[i].err);
	}
	free(jobs->v);
	*jobs = (struct pull_jobs){ 0 };
}

int pull_jobs_failed(const struct pull_jobs *jobs, struct err *err)
{
	const struct pull_job *first = NULL;

	if (cmd_cancelled)
		return err_set(err, EINTR, "interrupted");
	/* Those that were stopped because of another one are not the reason. */
	for (size_t i = 0; i < jobs->n; i++) {
		const struct pull_job *job = &jobs->v[i];

		if (job->result < 0 && !job->may_fail &&
		    (!first || first->result == -EINTR || first->result == -ECANCELED))
			first = job;
	}
	if (!first)
		return 0;
	return err_set(err, first->result, "%s",
		       first->err.msg ? first->err.msg : strerror(-first->result));
}
