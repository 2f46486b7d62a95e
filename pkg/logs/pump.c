/* pump.c - moves what a container prints from its FIFOs or its terminal into its log. */
#include "intake.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A clock that is set back by no more than this keeps the times of a file in order. */
#define CLOCK_STEP_NS (10ULL * 1000000000)
/* How often a terminal that nobody has open is looked at again. */
#define TTY_RETRY_US  200000
/* Somebody prints small pieces without a pause: let them gather for a moment instead of waking up
 * for each. The FIFO has room for more than that. */
#define BUSY_US       500
#define BUSY_BYTES    (LOGS_PIPE_SIZE / 8)

struct pump_stream {
	struct logs_pump *pump;
	enum logs_stream id;
	int fd; /* -1: none */
	bool is_pipe;
	struct loop_source *src; /* NULL: ended */
	uint64_t seen_us;        /* when something was moved last */
};

struct logs_pump {
	struct loop *loop;
	struct intake *in;
	struct log_file file;
	struct journal journal;
	struct pump_stream streams[JOURNAL_STREAMS];
	struct loop_source *retry;
	bool discard;
	logs_raw_fn *raw;
	void *raw_arg;
	uint64_t last_ns;
	struct logs_pump_stats stats;
};

/* ---- Into the file */

static uint64_t stamp(struct logs_pump *p)
{
	uint64_t now = now_real_ns();

	if (now >= p->last_ns || p->last_ns - now > CLOCK_STEP_NS)
		p->last_ns = now;
	return p->last_ns;
}

/* How much of the batch got into the file, in bytes of the container. */
static size_t write_batch(struct logs_pump *p, struct pump_stream *s, const struct batch *b,
			  size_t raw)
{
	struct journal_entry *e = &p->journal.v[s->id - 1];
	size_t kept, whole;

	if (log_file_reserve(&p->file, b->len) < 0)
		return 0;
	e->ino = p->file.ino;
	e->offset = p->file.size;
	e->pending = s->is_pipe ? (uint32_t)raw : 0;
	if (e->pending)
		journal_put(&p->journal);
	kept = log_file_append(&p->file, b->buf, b->len);
	return kept == b->len ? raw : batch_raw_len(b->buf, kept, &whole);
}

static void note_written(struct logs_pump *p, struct pump_stream *s, bool open)
{
	struct journal_entry *e = &p->journal.v[s->id - 1];
	bool changed = e->pending || e->open != open;

	e->pending = 0;
	e->open = open;
	if (changed)
		journal_put(&p->journal);
}

static void store(struct logs_pump *p, struct pump_stream *s, const char *data, size_t len,
		  bool copied)
{
	size_t max = p->file.max_size < BATCH_MAX ? (size_t)p->file.max_size : BATCH_MAX;

	while (len > 0) {
		struct batch b = { .buf = p->in->batch };
		size_t n = batch_fill(&b, max, stamp(p), s->id, data, len);
		size_t kept = write_batch(p, s, &b, n);

		if (copied)
			intake_take_out(p->in, s->fd, n);
		note_written(p, s, b.open);
		if (kept == n)
			p->stats.lines += b.lines;
		p->stats.lost += n - kept;
		data += n;
		len -= n;
	}
}

static void end_line(struct logs_pump *p, struct pump_stream *s)
{
	struct batch b = { .buf = p->in->batch };

	if (p->discard || !p->journal.v[s->id - 1].open)
		return;
	batch_end_line(&b, stamp(p), s->id);
	if (log_file_reserve(&p->file, b.len) == 0 &&
	    log_file_append(&p->file, b.buf, b.len) == b.len)
		p->stats.lines++;
	note_written(p, s, false);
}

/* ---- Out of the FIFO */

/* One piece: bytes moved, 0 at the end, -EAGAIN when nothing waits, or what failed. */
static ssize_t move_some(struct logs_pump *p, struct pump_stream *s)
{
	bool copied = false;
	ssize_t n = intake_look(p->in, s->fd, &copied);

	if (n <= 0)
		return n;
	p->stats.bytes += (uint64_t)n;
	if (p->discard && copied)
		intake_take_out(p->in, s->fd, (size_t)n);
	else if (!p->discard)
		store(p, s, p->in->data, (size_t)n, copied);
	if (p->raw)
		p->raw(p->raw_arg, s->id, p->in->data, (size_t)n);
	return n;
}

static void look_again(void *arg)
{
	struct logs_pump *p = arg;

	for (size_t i = 0; i < JOURNAL_STREAMS; i++)
		if (p->streams[i].src)
			(void)loop_source_enable(p->streams[i].src, true);
}

/* Do not look for a while. */
static int pause_stream(struct pump_stream *s, uint64_t us)
{
	struct logs_pump *p = s->pump;
	int r = loop_source_enable(s->src, false);

	if (r == 0 && !p->retry)
		r = loop_timer_add(p->loop, us, look_again, p, &p->retry, NULL);
	else if (r == 0)
		r = loop_timer_set(p->retry, us);
	if (r < 0)
		(void)loop_source_enable(s->src, true);
	return r;
}

static void rest_if_busy(struct pump_stream *s, size_t moved)
{
	uint64_t now = now_mono_us(), since = now - s->seen_us;

	s->seen_us = now;
	if (moved < BUSY_BYTES && since < BUSY_US)
		(void)pause_stream(s, BUSY_US); /* if it can't be, we are busy */
}

static void on_readable(void *arg, uint32_t events)
{
	struct pump_stream *s = arg;
	ssize_t n = move_some(s->pump, s);

	(void)events;
	if (n > 0)
		rest_if_busy(s, (size_t)n);
	if (n > 0 || n == -EAGAIN)
		return;
	/* EIO: no process has the terminal open; it would be "readable" all the time. */
	if (n == -EIO && pause_stream(s, TTY_RETRY_US) == 0)
		return;
	end_line(s->pump, s);
	loop_source_free(steal(s->src));
}

void logs_pump_drain(struct logs_pump *p)
{
	for (size_t i = 0; i < JOURNAL_STREAMS; i++) {
		struct pump_stream *s = &p->streams[i];
		int size = s->is_pipe ? fcntl(s->fd, F_GETPIPE_SZ) : 0;
		ssize_t left = size > 0 ? size : (ssize_t)LOGS_PIPE_SIZE, n = 1;

		if (s->fd < 0)
			continue;
		/* Bounded: who still writes must not keep us here. */
		for (; left > 0 && n > 0; left -= n)
			n = move_some(p, s);
		end_line(p, s);
		if (n == -EIO) /* a restarted container gets another terminal */
			loop_source_free(steal(s->src));
	}
}

/* ---- Making it */

/* Take out what the file has already: written by a pump that was killed before it could. */
static void settle(struct logs_pump *p, struct pump_stream *s)
{
	struct journal_entry *e = &p->journal.v[s->id - 1];
	bool copied = false, open = e->open;
	ssize_t n = 0;

	if (!e->pending || !s->is_pipe)
		return;
	n = intake_look(p->in, s->fd, &copied);
	if (n > 0)
		n = (ssize_t)journal_seen(e, &p->file, s->id, p->in->data, (size_t)n, &open);
	if (n > 0)
		intake_take_out(p->in, s->fd, (size_t)n);
	note_written(p, s, open);
}

static int watch(struct logs_pump *p, size_t i, int fd, struct err *err)
{
	struct pump_stream *s = &p->streams[i];
	int r = loop_io_add(p->loop, fd, EPOLLIN, on_readable, s, &s->src, err);

	if (r < 0)
		return r;
	s->fd = fd;
	s->is_pipe = fcntl(fd, F_GETPIPE_SZ) >= 0;
	if (!p->discard)
		settle(p, s);
	/* A flood must not keep commands and exits waiting. */
	return loop_source_priority(s->src, LOOP_LATE);
}

static int open_log(struct logs_pump *p, const struct logs_pump_config *cfg, struct err *err)
{
	int r;

	p->file.max_size = cfg->max_size ? cfg->max_size : LOGS_SIZE_MAX;
	p->file.max_files = cfg->max_files ? cfg->max_files : LOGS_FILES_MAX;
	r = log_file_open(&p->file, cfg->dir, cfg->name, err);
	if (r == 0)
		journal_open(&p->journal, p->file.dir_fd, cfg->name);
	return r;
}

static struct logs_pump *pump_blank(struct loop *loop, const struct logs_pump_config *cfg)
{
	struct logs_pump *p = xcalloc(1, sizeof(*p));

	p->loop = loop;
	p->discard = cfg->discard;
	p->raw = cfg->raw;
	p->raw_arg = cfg->raw_arg;
	p->file.fd = p->file.dir_fd = p->journal.fd = -1;
	for (size_t i = 0; i < JOURNAL_STREAMS; i++)
		p->streams[i] = (struct pump_stream){ .pump = p,
						      .id = (enum logs_stream)(i + 1),
						      .fd = -1 };
	return p;
}

int logs_pump_new(struct loop *loop, const struct logs_pump_config *cfg, int stdout_fd,
		  int stderr_fd, struct logs_pump **out, struct err *err)
{
	struct logs_pump *p = pump_blank(loop, cfg);
	int r = intake_get(&p->in, err);

	if (r == 0 && !p->discard)
		r = open_log(p, cfg, err);
	if (r == 0)
		r = watch(p, 0, stdout_fd, err);
	if (r == 0 && stderr_fd >= 0)
		r = watch(p, 1, stderr_fd, err);
	if (r < 0) {
		p->streams[0].fd = p->streams[1].fd = -1; /* the caller's */
		logs_pump_free(p);
		return r;
	}
	*out = p;
	return 0;
}

void logs_pump_free(struct logs_pump *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < JOURNAL_STREAMS; i++) {
		loop_source_free(p->streams[i].src);
		if (p->streams[i].fd >= 0)
			(void)close(p->streams[i].fd);
	}
	loop_source_free(p->retry);
	journal_close(&p->journal);
	log_file_close(&p->file);
	if (p->in)
		intake_put();
	free(p);
}

struct logs_pump_stats logs_pump_stats(const struct logs_pump *p)
{
	return p->stats;
}
