/* aside.c - a digest that a thread of its own computes while the caller goes on; see digest.h */
#include <ctrcompose/digest.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 8, SLOT = 256 << 10, BEGIN = 1 << 20 };

struct digest_aside {
	struct digest *d;
	uint64_t inline_bytes;
	bool threaded, failed;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	unsigned char *ring; /* NULL: no thread yet */
	size_t len[SLOTS];
	size_t given, taken; /* slots, ever */
	size_t fill;         /* of the slot at hand */
	bool ended;
};

struct digest_aside *digest_aside_new(void)
{
	struct digest_aside *a = xcalloc(1, sizeof(*a));

	a->d = digest_new();
	return a;
}

static void *work(void *arg)
{
	struct digest_aside *a = arg;

	(void)pthread_mutex_lock(&a->lock);
	for (;;) {
		size_t slot = a->taken % SLOTS;

		if (a->taken == a->given) {
			if (a->ended)
				break;
			(void)pthread_cond_wait(&a->moved, &a->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&a->lock);
		digest_add(a->d, a->ring + slot * SLOT, a->len[slot]);
		(void)pthread_mutex_lock(&a->lock);
		a->taken++;
		(void)pthread_cond_signal(&a->moved);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* It takes no signals: whoever waits for one is not here. */
static void start(struct digest_aside *a)
{
	sigset_t all, before;

	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->moved, NULL);
	a->ring = xmalloc((size_t)SLOTS * SLOT);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	a->threaded = pthread_create(&a->thread, NULL, work, a) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	a->failed = !a->threaded;
}

static void give(struct digest_aside *a)
{
	(void)pthread_mutex_lock(&a->lock);
	a->len[a->given % SLOTS] = a->fill;
	a->given++;
	(void)pthread_cond_signal(&a->moved);
	while (a->given - a->taken == SLOTS)
		(void)pthread_cond_wait(&a->moved, &a->lock);
	(void)pthread_mutex_unlock(&a->lock);
	a->fill = 0;
}

void digest_aside_add(struct digest_aside *a, const void *data, size_t len)
{
	const unsigned char *p = data;

	if (!a->threaded && !a->failed && a->inline_bytes + len > BEGIN)
		start(a);
	if (!a->threaded) {
		a->inline_bytes += len;
		digest_add(a->d, data, len);
		return;
	}
	while (len) {
		size_t n = SLOT - a->fill < len ? SLOT - a->fill : len;

		memcpy(a->ring + a->given % SLOTS * SLOT + a->fill, p, n);
		a->fill += n;
		p += n;
		len -= n;
		if (a->fill == SLOT)
			give(a);
	}
}

void digest_aside_end(struct digest_aside *a, char hex[DIGEST_HEX])
{
	if (a->threaded) {
		if (a->fill)
			give(a);
		(void)pthread_mutex_lock(&a->lock);
		a->ended = true;
		(void)pthread_cond_signal(&a->moved);
		(void)pthread_mutex_unlock(&a->lock);
		(void)pthread_join(a->thread, NULL);
	}
	if (a->ring) {
		(void)pthread_mutex_destroy(&a->lock);
		(void)pthread_cond_destroy(&a->moved);
	}
	digest_end(a->d, hex);
	free(a->ring);
	free(a);
}
