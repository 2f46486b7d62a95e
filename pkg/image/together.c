/* together.c - pulls at the same time: which of them fetches a layer that several lack; see image.h
 *
 * A pull claims at one moment all layers that nobody else has claimed, fetches those, and only then
 * waits for the others. So it waits for pulls that claimed before it, never for later ones: there is
 * no circle. What is still missing then (the other one failed) it fetches without asking again.
 */
#include "private.h"

#include <pthread.h>
#include <stdlib.h>

struct puller {
	struct puller *next;
	bool over;
};

struct image_pulls {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct map owners; /* diff id -> struct puller: the first that lacked it */
	struct puller *all;
};

struct image_pulls *image_pulls_new(void)
{
	struct image_pulls *t = xcalloc(1, sizeof(*t));

	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->moved, NULL);
	return t;
}

void image_pulls_free(struct image_pulls **out)
{
	struct image_pulls *t = steal(*out);

	if (!t)
		return;
	for (struct puller *p = t->all, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	map_clear(&t->owners);
	(void)pthread_cond_destroy(&t->moved);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

struct puller *pulls_begin(struct image_pulls *t)
{
	struct puller *me = xcalloc(1, sizeof(*me));

	(void)pthread_mutex_lock(&t->lock);
	me->next = t->all;
	t->all = me;
	(void)pthread_mutex_unlock(&t->lock);
	return me;
}

void pulls_claim(struct image_pulls *t, struct puller *me, const struct strs *diffs,
		 struct puller **owners)
{
	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < diffs->n; i++) {
		struct puller *other = owners[i] ? map_get(&t->owners, diffs->v[i]) : NULL;

		if (other)
			owners[i] = other; /* over or not: it may be in the store since we looked */
		else if (owners[i])
			map_put(&t->owners, diffs->v[i], me);
	}
	(void)pthread_mutex_unlock(&t->lock);
}

void pulls_wait(struct image_pulls *t, const struct puller *me, struct puller *const *owners,
		size_t n)
{
	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < n; i++)
		while (owners[i] && owners[i] != me && !owners[i]->over)
			(void)pthread_cond_wait(&t->moved, &t->lock);
	(void)pthread_mutex_unlock(&t->lock);
}

void pulls_end(struct image_pulls *t, struct puller *me)
{
	(void)pthread_mutex_lock(&t->lock);
	me->over = true;
	(void)pthread_cond_broadcast(&t->moved);
	(void)pthread_mutex_unlock(&t->lock);
}
