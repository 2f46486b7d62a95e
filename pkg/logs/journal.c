/* journal.c - which bytes of the FIFOs are in the file but perhaps not yet taken out; private.h */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *journal_name(const char *name)
{
	return xasprintf("%s.pos", name);
}

void journal_open(struct journal *j, int dir_fd, const char *name)
{
	auto_free char *file = journal_name(name);

	*j = (struct journal){ .fd = -1 };
	/* Without it logs work all the same; only a kill at the wrong instant repeats lines. */
	j->fd = openat(dir_fd, file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (j->fd >= 0 && pread(j->fd, j->v, sizeof(j->v), 0) != (ssize_t)sizeof(j->v))
		memset(j->v, 0, sizeof(j->v));
}

void journal_put(struct journal *j)
{
	int r;

	if (j->fd < 0 || pwrite(j->fd, j->v, sizeof(j->v), 0) == (ssize_t)sizeof(j->v))
		return;
	/* What it says from before is not true any more. If it can't even be cut, the bytes in the
	 * FIFO will hardly match it. */
	r = ftruncate(j->fd, 0);
	(void)r;
	journal_close(j);
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		(void)close(steal_fd(&j->fd));
}

/* The record is of this stream and its bytes are at the head of waiting: how many, else 0. */
static size_t match(const struct record *r, enum logs_stream stream, const char *waiting,
		    size_t len)
{
	size_t n = r->len + !r->partial;

	if (r->stream != stream || n > len || memcmp(waiting, r->text, r->len) != 0)
		return 0;
	return r->partial || waiting[r->len] == '\n' ? n : 0;
}

size_t journal_seen(const struct journal_entry *e, const struct log_file *f,
		    enum logs_stream stream, const char *waiting, size_t len, bool *open)
{
	auto_free char *buf = NULL;
	uint64_t written;
	size_t at = 0, seen = 0;
	bool part = false;

	if (!e->pending || e->ino != f->ino || e->offset >= f->size)
		return 0;
	written = f->size - e->offset;
	if (written > BATCH_MAX)
		return 0;
	buf = xmalloc((size_t)written);
	if (pread(f->fd, buf, (size_t)written, (off_t)e->offset) != (ssize_t)written)
		return 0;
	while (at < written) {
		const char *nl = memchr(buf + at, '\n', (size_t)written - at);
		struct record r;
		size_t n;

		if (!nl || record_parse(buf + at, (size_t)(nl - buf) - at, &r) < 0)
			return 0;
		n = match(&r, stream, waiting + seen, len - seen);
		if (!n)
			return 0;
		seen += n;
		part = r.partial;
		at = (size_t)(nl - buf) + 1;
	}
	if (seen > e->pending)
		return 0;
	*open = part;
	return seen;
}
