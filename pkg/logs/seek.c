/* seek.c - where to begin in big files without reading them: by time with binary search, the last
 * lines from the end backwards; private.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool place_before(struct log_place a, struct log_place b)
{
	return a.file != b.file ? a.file > b.file : a.offset < b.offset;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static int load(struct lines *l, uint64_t offset, size_t want)
{
	ssize_t n;

	if (offset + want > l->end)
		want = (size_t)(l->end - offset);
	do
		n = pread(l->fd, l->buf, want, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	l->block = offset;
	l->len = (size_t)n;
	return 0;
}

/* The line at `start` in the block; what is known of it. */
static void look(const struct lines *l, uint64_t start, struct line_head *out)
{
	size_t at = (size_t)(start - l->block);

	out->start = start;
	out->good = l->len - at >= RECORD_HEAD_LEN &&
		    record_parse(l->buf + at, RECORD_HEAD_LEN, &out->rec) == 0;
}

/* Forwards from l->at, which is the start of a line: 1, 0 at the end. */
static int next_line(struct lines *l, struct line_head *out)
{
	const char *nl = NULL;
	int r;

	if (l->at >= l->end)
		return 0;
	if (l->at < l->block ||
	    (l->at + RECORD_MAX > l->block + l->len && l->block + l->len < l->end)) {
		r = load(l, l->at, LINES_BLOCK);
		if (r < 0 || l->len == 0)
			return r;
	}
	look(l, l->at, out);
	while (!nl) {
		size_t at = (size_t)(l->at - l->block);

		nl = memchr(l->buf + at, '\n', l->len - at);
		l->at = nl ? l->block + (uint64_t)(nl - l->buf) + 1 : l->block + l->len;
		if (nl || l->at >= l->end)
			break;
		r = load(l, l->at, LINES_BLOCK); /* a line of nonsense: no record is so long */
		if (r < 0 || l->len == 0)
			return r;
	}
	return 1;
}

/* Backwards: the line that begins next before l->at, 0 when there is none. */
static int line_before(struct lines *l, struct line_head *out)
{
	while (l->at > 0) {
		uint64_t from, upto = l->at - 1; /* the newline before the line is below upto */
		const char *nl = NULL;
		int r;

		if (l->len == 0 || l->at <= l->block || upto > l->block + LINES_BLOCK) {
			from = l->at > LINES_BLOCK ? l->at - LINES_BLOCK : 0;
			r = load(l, from, (size_t)(l->at - from) + RECORD_HEAD_LEN);
			if (r < 0)
				return r;
			if (l->len == 0)
				return 0;
		}
		if (upto > l->block)
			nl = memrchr(l->buf, '\n', (size_t)(upto - l->block));
		if (nl) {
			l->at = l->block + (uint64_t)(nl - l->buf) + 1;
			look(l, l->at, out);
			return 1;
		}
		if (l->block == 0) {
			l->at = 0;
			look(l, 0, out);
			return 1;
		}
		l->at = l->block + 1; /* on with what is below the block */
		l->len = 0;
	}
	return 0;
}

static struct lines *lines_new(const struct log_list_file *f, uint64_t at)
{
	struct lines *l = xmalloc(sizeof(*l));

	l->fd = f->fd;
	l->at = at;
	l->end = f->size;
	l->block = 0;
	l->len = 0;
	return l;
}

/* ---- By time --------------------------------------------------------------------------------- */

static bool is_before(uint64_t t, uint64_t time_ns, bool past)
{
	return past ? t <= time_ns : t < time_ns;
}

/* The first good record at or after l->at: 1, 0 none. */
static int next_good(struct lines *l, struct line_head *out)
{
	int r;

	do
		r = next_line(l, out);
	while (r > 0 && !out->good);
	return r;
}

static int first_time(const struct log_list_file *f, uint64_t *out)
{
	auto_free struct lines *l = lines_new(f, 0);
	struct line_head h = { 0 };
	int r = next_good(l, &h);

	if (r > 0)
		*out = h.rec.time_ns;
	return r;
}

/* Move l->at to the start of the next line, unless it is at the beginning of the file. */
static int align(struct lines *l)
{
	struct line_head rest;

	if (l->at == 0)
		return 0;
	l->at--; /* if this is a newline, the line begins where we were */
	return next_line(l, &rest);
}

static int bisect(const struct log_list_file *f, uint64_t time_ns, bool past, uint64_t *out)
{
	auto_free struct lines *l = lines_new(f, 0);
	uint64_t lo = 0, hi = f->size;
	struct line_head h = { 0 };
	int r = 0;

	while (hi - lo > LINES_BLOCK) {
		uint64_t mid = lo + (hi - lo) / 2;

		l->at = mid;
		r = align(l);
		if (r >= 0)
			r = next_good(l, &h);
		if (r < 0)
			return r;
		if (r > 0 && h.start < hi && is_before(h.rec.time_ns, time_ns, past))
			lo = h.start;
		else
			hi = mid;
	}
	l->at = lo;
	while ((r = next_good(l, &h)) > 0)
		if (!is_before(h.rec.time_ns, time_ns, past)) {
			*out = h.start;
			return 0;
		}
	*out = f->size;
	return r;
}

int seek_time(const struct log_list *l, uint64_t time_ns, bool past, struct log_place *out)
{
	for (size_t i = 0; i < l->n; i++) {
		uint64_t first;
		int r = first_time(&l->v[i], &first);

		if (r < 0)
			return r;
		if (i + 1 < l->n && (r == 0 || !is_before(first, time_ns, past)))
			continue; /* all of this file is later: the place is before it */
		out->file = i;
		return bisect(&l->v[i], time_ns, past, &out->offset);
	}
	*out = (struct log_place){ 0, 0 };
	return 0;
}

/* ---- From the end ---------------------------------------------------------------------------- */

struct tail {
	uint64_t want, found;
	bool seen[LOGS_STDERR + 1]; /* a record of this stream: what is before it is no open line */
	bool full;
};

/* Whether the line h begins before what is wanted. A line is counted at its end. */
static bool counts_over(struct tail *t, const struct line_head *h)
{
	bool ends = !h->good || !h->rec.partial;

	if (h->good) {
		ends = ends || !t->seen[h->rec.stream];
		t->seen[h->rec.stream] = true;
	}
	t->found += ends;
	return t->found > t->want;
}

static int tail_of_file(const struct log_list_file *f, uint64_t end, struct tail *t, uint64_t *out)
{
	auto_free struct lines *l = lines_new(f, end);
	struct line_head h = { 0 };
	char last = '\n';
	int r = 0;

	*out = end;
	if (end > 0 && pread(f->fd, &last, 1, (off_t)(end - 1)) < 0)
		return -errno;
	if (last != '\n') /* a record that is just being written */
		r = line_before(l, &h);
	if (r > 0)
		*out = h.start;
	while (r >= 0 && (r = line_before(l, &h)) > 0) {
		t->full = counts_over(t, &h);
		if (t->full)
			return 0;
		*out = h.start;
	}
	return r;
}

int seek_tail(const struct log_list *l, struct log_place end, uint64_t lines, struct log_place *out)
{
	struct tail t = { .want = lines };

	*out = end;
	if (lines == 0)
		return 0;
	for (size_t i = end.file; i < l->n && !t.full; i++) {
		uint64_t from = i == end.file ? end.offset : l->v[i].size, at;
		int r = tail_of_file(&l->v[i], from, &t, &at);

		if (r < 0)
			return r;
		if (at < from || i == end.file)
			*out = (struct log_place){ i, at };
	}
	return 0;
}
