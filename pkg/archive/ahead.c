/* ahead.c - a stream that one thread reads and another looks at while the caller works on what came
 * before; see unpack.h */
#include "unpack.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* Threads come with the bytes behind BEGIN: most layers are small. */
enum { SLOTS = 8, SLOT = 256 << 10, BEGIN = 1 << 20 };

struct ahead {
	archive_source_fn *fill;
	void *fill_arg;
	archive_tap_fn *tap;
	void *tap_arg;
	unsigned char *ring; /* one slot as long as there are no threads */
	size_t len[SLOTS];
	size_t given, tapped,
		taken; /* slots, ever: filled, looked at, no longer needed by the caller */
	bool held;     /* the caller has the slot `taken` */
	bool ended, stop;
	ssize_t end; /* how it ended: 0 or a negative errno, and its sentence */
	struct err err;
	uint64_t bytes;
	bool threaded, alone; /* alone: there will be no threads */
	pthread_t reader, looker;
	pthread_mutex_t lock;
	pthread_cond_t moved;
};

struct ahead *ahead_open(archive_source_fn *fill, void *fill_arg, archive_tap_fn *tap,
			 void *tap_arg)
{
	struct ahead *a = xcalloc(1, sizeof(*a));

	a->fill = fill;
	a->fill_arg = fill_arg;
	a->tap = tap;
	a->tap_arg = tap_arg;
	a->ring = xmalloc(SLOT);
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->moved, NULL);
	return a;
}

static unsigned char *slot(const struct ahead *a, size_t i)
{
	return a->ring + i % SLOTS * SLOT;
}

/* ---- The threads ------------------------------------------------------------------------------ */
static bool has_room(const struct ahead *a)
{
	return a->given - (a->taken < a->tapped ? a->taken : a->tapped) < SLOTS;
}

static void *read_all(void *arg)
{
	struct ahead *a = arg;
	bool go;

	(void)pthread_mutex_lock(&a->lock);
	do {
		size_t i = a->given;
		ssize_t n;

		while (!a->stop && !has_room(a))
			(void)pthread_cond_wait(&a->moved, &a->lock);
		if (a->stop)
			break;
		(void)pthread_mutex_unlock(&a->lock);
		n = a->fill(a->fill_arg, slot(a, i), SLOT, &a->err);
		(void)pthread_mutex_lock(&a->lock);
		go = n > 0;
		if (go) {
			a->len[i % SLOTS] = (size_t)n;
			a->given++;
		} else {
			a->end = n;
			a->ended = true;
		}
		(void)pthread_cond_broadcast(&a->moved);
	} while (go);
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void *look_at_all(void *arg)
{
	struct ahead *a = arg;

	(void)pthread_mutex_lock(&a->lock);
	for (;;) {
		size_t i = a->tapped;

		while (i == a->given && !a->ended && !a->stop)
			(void)pthread_cond_wait(&a->moved, &a->lock);
		if (i == a->given || (a->stop && !a->ended))
			break;
		(void)pthread_mutex_unlock(&a->lock);
		a->tap(a->tap_arg, slot(a, i), a->len[i % SLOTS]);
		(void)pthread_mutex_lock(&a->lock);
		a->tapped++;
		(void)pthread_cond_broadcast(&a->moved);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void stop(struct ahead *a)
{
	(void)pthread_mutex_lock(&a->lock);
	a->stop = true;
	(void)pthread_cond_broadcast(&a->moved);
	(void)pthread_mutex_unlock(&a->lock);
}

/* They take no signals: whoever waits for one is not there. */
static void start(struct ahead *a)
{
	sigset_t all, before;

	free(a->ring);
	a->ring = xmalloc((size_t)SLOTS * SLOT);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	a->threaded = pthread_create(&a->looker, NULL, look_at_all, a) == 0;
	if (a->threaded && pthread_create(&a->reader, NULL, read_all, a) != 0) {
		stop(a);
		(void)pthread_join(a->looker, NULL);
		a->threaded = false;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	a->alone = !a->threaded;
}

/* ---- The caller ------------------------------------------------------------------------------- */
static ssize_t at_end(const struct ahead *a, struct err *err)
{
	return a->end < 0 ? err_set(err, (int)a->end, "%s", err_text(&a->err)) : 0;
}

static ssize_t next_alone(struct ahead *a, const void **data, struct err *err)
{
	ssize_t n = a->ended ? 0 : a->fill(a->fill_arg, a->ring, SLOT, &a->err);

	if (n <= 0) {
		a->end = a->ended ? a->end : n;
		a->ended = true;
		return at_end(a, err);
	}
	a->bytes += (uint64_t)n;
	a->tap(a->tap_arg, a->ring, (size_t)n);
	*data = a->ring;
	return n;
}

ssize_t ahead_next(struct ahead *a, const void **data, struct err *err)
{
	ssize_t n;

	if (!a->threaded && !a->alone && !a->ended && a->bytes >= BEGIN)
		start(a);
	if (!a->threaded)
		return next_alone(a, data, err);
	(void)pthread_mutex_lock(&a->lock);
	if (a->held) {
		a->taken++;
		(void)pthread_cond_broadcast(&a->moved);
	}
	while (a->taken == a->given && !a->ended)
		(void)pthread_cond_wait(&a->moved, &a->lock);
	a->held = a->taken < a->given;
	n = a->held ? (ssize_t)a->len[a->taken % SLOTS] : at_end(a, err);
	*data = slot(a, a->taken);
	(void)pthread_mutex_unlock(&a->lock);
	return n;
}

void ahead_close(struct ahead *a)
{
	if (a->threaded) {
		stop(a);
		(void)pthread_join(a->reader, NULL);
		(void)pthread_join(a->looker, NULL);
	}
	(void)pthread_mutex_destroy(&a->lock);
	(void)pthread_cond_destroy(&a->moved);
	err_clear(&a->err);
	free(a->ring);
	free(a);
}
