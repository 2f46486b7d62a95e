/* source.c - the records of one log in their order, over all its files; private.h */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Where to begin */

static int find_end(const struct log_list *l, const struct logs_query *q, struct log_place *out)
{
	*out = (struct log_place){ 0, l->v[0].size };
	return q->until_ns ? seek_time(l, q->until_ns, true, out) : 0;
}

static int find_start(const struct log_list *l, const struct logs_query *q, struct log_place *out)
{
	struct log_place start = { l->n - 1, 0 }, tail = start, end = { 0, 0 };
	int r = 0;

	if (q->since_ns)
		r = seek_time(l, q->since_ns, false, &start);
	if (r == 0 && q->tail >= 0)
		r = find_end(l, q, &end);
	if (r == 0 && q->tail >= 0)
		r = seek_tail(l, end, (uint64_t)q->tail, &tail);
	*out = place_before(start, tail) ? tail : start;
	return r;
}

static int find_place(struct source *s, const struct logs_query *q)
{
	auto_log_list struct log_list l = { 0 };
	struct log_place start;
	int r = log_list_open(s->dir_fd, s->name, &l);

	if (r < 0)
		return r;
	s->bounded = !q->follow;
	if (l.n == 0)
		return 0;
	r = find_start(&l, q, &start);
	if (r < 0)
		return r;
	s->fd = steal_fd(&l.v[start.file].fd);
	s->ino = l.v[start.file].ino;
	s->offset = start.offset;
	s->end_ino = l.v[0].ino;
	s->end_offset = l.v[0].size;
	return 0;
}

int source_open(struct source *s, const char *dir, const char *name, const struct logs_query *q,
		struct err *err)
{
	int r;

	*s = (struct source){ .fd = -1, .watch = -1 };
	s->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return err_errno(err, "open log folder '%s'", dir);
	s->name = xstrdup(name);
	s->since_ns = q->since_ns;
	s->until_ns = q->until_ns;
	r = find_place(s, q);
	if (r < 0) {
		source_close(s);
		return err_set(err, r, "read log '%s/%s.log': %s", dir, name, strerror(-r));
	}
	return 0;
}

void source_close(struct source *s)
{
	if (s->fd >= 0)
		(void)close(steal_fd(&s->fd));
	if (s->dir_fd >= 0)
		(void)close(steal_fd(&s->dir_fd));
	free(steal(s->buf));
	free(steal(s->name));
	s->has = false;
	s->len = 0;
	s->done = true;
}

/* ---- Bytes */

/* More of the open file into the buffer: how much, 0 at its end. */
static ssize_t fill(struct source *s)
{
	size_t want = SOURCE_BUF - s->len;
	ssize_t n;

	if (s->fd < 0)
		return 0;
	if (!s->buf)
		s->buf = xmalloc(SOURCE_BUF);
	memmove(s->buf, s->buf + s->pos, s->len);
	s->pos = 0;
	if (s->bounded && s->ino == s->end_ino) {
		uint64_t left = s->end_offset > s->offset ? s->end_offset - s->offset : 0;

		want = left < want ? (size_t)left : want;
	}
	do
		n = pread(s->fd, s->buf + s->len, want, (off_t)s->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	s->offset += (uint64_t)n;
	s->len += (size_t)n;
	return n;
}

/* A record from the first len bytes of the buffer, which with its newline has size bytes. What is
 * no record of ours is shown as it is: better than hidden. */
static void make_record(struct source *s, size_t len, size_t size)
{
	if (record_parse(s->buf + s->pos, len, &s->rec) < 0)
		s->rec = (struct record){ .time_ns = s->last_ns,
					  .stream = LOGS_STDOUT,
					  .partial = size == len,
					  .text = s->buf + s->pos,
					  .len = len < LOGS_LINE_MAX ? len : LOGS_LINE_MAX };
	if (s->rec.text == s->buf + s->pos && len > LOGS_LINE_MAX) {
		s->rec.partial = true;
		size = LOGS_LINE_MAX;
	}
	s->last_ns = s->rec.time_ns;
	s->rec_size = size;
	s->has = true;
}

/* A whole line of the buffer. */
static bool take_line(struct source *s)
{
	const char *start, *nl;

	if (s->len == 0)
		return false;
	start = s->buf + s->pos;
	nl = memchr(start, '\n', s->len);
	if (nl)
		make_record(s, (size_t)(nl - start), (size_t)(nl - start) + 1);
	else if (s->len >= RECORD_MAX)
		make_record(s, LOGS_LINE_MAX, LOGS_LINE_MAX);
	return s->has;
}

/* ---- Files */

static void move_on(struct source *s, int fd, uint64_t ino)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = fd;
	s->ino = ino;
	s->offset = 0;
}

/* At the end of the open file: 1 go on reading, 0 nothing more. */
static int next_file(struct source *s)
{
	auto_close int fd = -1;
	uint64_t ino = 0;
	bool lost;
	ssize_t n;

	if (s->bounded && (s->ino == s->end_ino || !s->end_ino)) {
		s->done = true;
		return 0;
	}
	fd = log_next_file(s->dir_fd, s->name, s->fd, s->ino, &ino, &lost);
	if (fd == -ENOENT) {
		s->done = s->bounded || s->removed;
		s->at_end = !s->done;
		return 0;
	}
	if (fd < 0)
		return fd;
	/* Between our last look and its rotation more may have come. */
	n = fill(s);
	if (n != 0)
		return n < 0 ? (int)n : 1;
	/* What is there now came later than we were asked, or from a new container of that name. */
	if (lost &&
	    (s->removed || (s->bounded && !log_file_there(s->dir_fd, s->name, s->end_ino)))) {
		s->done = true;
		return 0;
	}
	if (s->len)
		make_record(s, s->len, s->len); /* cut short by a power cut, say */
	move_on(s, steal_fd(&fd), ino);
	return 1;
}

/* ---- Records */

/* Whether it is among what was asked for. */
static bool wanted(struct source *s)
{
	if (s->until_ns && s->rec.time_ns > s->until_ns) {
		s->done = true;
		s->has = false;
		return false;
	}
	if (s->rec.time_ns >= s->since_ns)
		return true;
	source_take(s);
	return false;
}

int source_next(struct source *s)
{
	while (!s->has) {
		ssize_t n = 1;

		if (s->done || s->at_end)
			return 0;
		if (!take_line(s)) {
			n = fill(s);
			if (n == 0)
				n = next_file(s);
		}
		if (n < 0)
			return (int)n;
		if (s->has && !wanted(s))
			continue;
	}
	return 1;
}

void source_take(struct source *s)
{
	s->pos += s->rec_size;
	s->len -= s->rec_size;
	s->has = false;
	s->mid_line = s->rec.partial;
}
