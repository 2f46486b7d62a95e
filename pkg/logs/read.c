/* read.c - several logs as one, merged by time; see logs.h */
#include "follow.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct logs_reader {
	struct logs_query query;
	int notify_fd; /* -1: does not follow */
	struct {
		struct source **v;
		size_t n, cap;
	} sources;
};

int logs_reader_new(const struct logs_query *query, struct logs_reader **out, struct err *err)
{
	struct logs_reader *r;
	int fd = query->follow ? follow_open(err) : -1;

	if (query->follow && fd < 0)
		return fd;
	r = xcalloc(1, sizeof(*r));
	r->query = *query;
	r->notify_fd = fd;
	*out = r;
	return 0;
}

void logs_reader_free(struct logs_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->sources.n; i++) {
		source_close(r->sources.v[i]);
		free(r->sources.v[i]);
	}
	free(r->sources.v);
	if (r->notify_fd >= 0)
		(void)close(r->notify_fd);
	free(r);
}

int logs_reader_add(struct logs_reader *r, const char *dir, const char *name, size_t *index,
		    struct err *err)
{
	auto_free struct source *s = xcalloc(1, sizeof(*s));
	int ret = source_open(s, dir, name, &r->query, err);

	if (ret == 0 && r->notify_fd >= 0) {
		ret = follow_folder(r->notify_fd, s, err);
		if (ret < 0)
			source_close(s);
	}
	if (ret < 0)
		return ret;
	*index = r->sources.n;
	*vec_push(&r->sources) = steal(s); /* NOLINT(bugprone-sizeof-expression) */
	return 0;
}

void logs_reader_tail(struct logs_reader *r, int64_t tail)
{
	r->query.tail = tail;
}

void logs_reader_remove(struct logs_reader *r, size_t index)
{
	if (index < r->sources.n)
		r->sources.v[index]->removed = true;
}

int logs_reader_fd(const struct logs_reader *r)
{
	return r->notify_fd;
}

/* ---- Merging --------------------------------------------------------------------------------- */

/* Have the next record of a source: 1, 0 none now. */
static int prepare(struct logs_reader *r, struct source *s, struct err *err)
{
	for (;;) {
		int n = source_next(s);

		if (n < 0)
			return err_set(err, n, "read log of %s: %s", s->name, strerror(-n));
		if (n > 0)
			return 1;
		if (s->done && (s->fd >= 0 || s->dir_fd >= 0)) {
			if (r->notify_fd >= 0)
				follow_forget(r->notify_fd, s);
			source_close(s);
		}
		if (s->done || r->notify_fd < 0)
			return 0;
		n = follow_file(r->notify_fd, s, err);
		if (n <= 0)
			return n;
		s->at_end = false; /* what came before the watch */
	}
}

struct turn {
	struct source *s;
	size_t index;
	uint64_t until_ns; /* nobody else has an older record */
};

/* Whose turn it is. A line that has begun is ended first, so that nothing gets between its parts. */
static int choose(struct logs_reader *r, struct turn *t, struct err *err)
{
	*t = (struct turn){ .until_ns = UINT64_MAX };
	for (size_t i = 0; i < r->sources.n; i++) {
		struct source *s = r->sources.v[i];
		int n = prepare(r, s, err);

		if (n < 0)
			return n;
		if (n == 0)
			continue;
		if (s->mid_line) {
			*t = (struct turn){ s, i, 0 };
			return 1;
		}
		if (!t->s || s->rec.time_ns < t->s->rec.time_ns) {
			t->until_ns = t->s ? t->s->rec.time_ns : UINT64_MAX;
			t->s = s;
			t->index = i;
		} else if (s->rec.time_ns < t->until_ns) {
			t->until_ns = s->rec.time_ns;
		}
	}
	return t->s != NULL;
}

static int hand_over(const struct turn *t, logs_line_fn *fn, void *arg)
{
	const struct record *rec = &t->s->rec;
	struct logs_line line = { .source = t->index,
				  .time_ns = rec->time_ns,
				  .stream = rec->stream,
				  .text = rec->text,
				  .len = rec->len,
				  .partial = rec->partial };
	int r = fn(arg, &line);

	source_take(t->s);
	return r;
}

/* All that comes before the other sources: 1 when max_lines ended it. */
static int run_turn(struct logs_reader *r, const struct turn *t, size_t max_lines, size_t *lines,
		    logs_line_fn *fn, void *arg, int *stopped, struct err *err)
{
	int n = 1;

	while (n > 0 && (t->s->mid_line || t->s->rec.time_ns <= t->until_ns)) {
		if (max_lines && *lines == max_lines)
			return 1;
		++*lines;
		*stopped = hand_over(t, fn, arg);
		if (*stopped)
			return 0;
		if (t->until_ns == 0 && !t->s->mid_line)
			return 0; /* chosen for its open line only */
		n = prepare(r, t->s, err);
	}
	return n < 0 ? n : 0;
}

int logs_reader_read(struct logs_reader *r, size_t max_lines, logs_line_fn *fn, void *arg,
		     struct err *err)
{
	size_t lines = 0;
	struct turn t;
	int n, stopped = 0;

	if (r->notify_fd >= 0)
		follow_clear(r->notify_fd);
	for (size_t i = 0; i < r->sources.n; i++)
		r->sources.v[i]->at_end = false;
	while ((n = choose(r, &t, err)) > 0) {
		n = run_turn(r, &t, max_lines, &lines, fn, arg, &stopped, err);
		if (n != 0 || stopped)
			return stopped ? stopped : n;
	}
	return n;
}
