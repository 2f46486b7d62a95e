/* Any bytes as a log file: each is handed over or belongs to a record's head; the tail is what
 * counting all lines gives; seeking by time stays within the file. Any bytes as a container's
 * output: they come back out of the records made of them. */
#include "../../pkg/logs/private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(int fd, const void *data, size_t size)
{
	if (ftruncate(fd, 0) < 0 || (size && pwrite(fd, data, size, 0) != (ssize_t)size))
		abort();
}

static struct source *open_source(int fd, size_t size)
{
	struct source *s = xcalloc(1, sizeof(*s));

	*s = (struct source){ .fd = dup(fd),
			      .dir_fd = -1,
			      .name = xstrdup("fuzz"),
			      .ino = 1,
			      .bounded = true,
			      .end_ino = 1,
			      .end_offset = size,
			      .watch = -1 };
	return s;
}

static void free_source(struct source *s)
{
	source_close(s);
	free(s);
}

/* ---- As a file */
static void read_all(int fd, size_t size)
{
	struct source *s = open_source(fd, size);
	size_t records = 0;

	while (source_next(s) > 0) {
		if (s->rec.len > LOGS_LINE_MAX || s->rec_size > s->len || ++records > size)
			abort();
		source_take(s);
	}
	if (!s->done)
		abort();
	free_source(s);
}

static void check_parse(const char *line, size_t len)
{
	struct record a, b;
	char head[RECORD_HEAD_LEN];

	if (record_parse(line, len, &a) < 0)
		return;
	record_head(head, a.time_ns, a.stream);
	head[RECORD_FLAG] = a.partial ? 'P' : 'F';
	if (record_parse(head, sizeof(head), &b) < 0 || b.time_ns != a.time_ns ||
	    b.stream != a.stream || b.partial != a.partial)
		abort();
}

/* The start of the last `want` lines by looking at every line from the end. */
static uint64_t naive_tail(const char *data, size_t size, uint64_t want)
{
	bool seen[3] = { 0 };
	uint64_t found = 0;
	size_t end = size;

	while (end > 0 && data[end - 1] != '\n')
		end--;
	for (size_t start = end; want && end > 0; end = start) {
		struct record r;
		bool good;

		for (start = end - 1; start > 0 && data[start - 1] != '\n'; start--)
			;
		good = size - start >= RECORD_HEAD_LEN &&
		       record_parse(data + start, RECORD_HEAD_LEN, &r) == 0;
		found += !good || !r.partial || !seen[r.stream];
		if (good)
			seen[r.stream] = true;
		if (found > want)
			break;
	}
	return want ? end : size;
}

static void seek_all(int fd, const char *data, size_t size)
{
	struct log_list_file file = { fd, 1, size };
	struct log_list l = { &file, 1, 1 };
	struct log_place end = { 0, size }, at;

	for (uint64_t n = 0; n < 5; n++) {
		if (seek_tail(&l, end, n, &at) < 0 || at.file != 0)
			abort();
		if (at.offset != naive_tail(data, size, n))
			abort();
	}
	for (int past = 0; past < 2; past++)
		if (seek_time(&l, 1767225600000000000, past, &at) < 0 || at.offset > size ||
		    (at.offset > 0 && at.offset < size && data[at.offset - 1] != '\n'))
			abort();
}

/* ---- As output */
static void round_trip(int fd, const char *data, size_t size)
{
	struct batch b = { .buf = xmalloc(BATCH_MAX) };
	size_t at = 0;

	while (at < size) {
		size_t n = batch_fill(&b, BATCH_MAX, 1767225600000000000, LOGS_STDERR, data + at,
				      size - at);
		size_t whole, seen = at;
		struct source *s;

		if (n == 0 || b.len > BATCH_MAX || batch_raw_len(b.buf, b.len, &whole) != n ||
		    whole != b.len)
			abort();
		put(fd, b.buf, b.len);
		s = open_source(fd, b.len);
		while (source_next(s) > 0) {
			if (memcmp(data + seen, s->rec.text, s->rec.len) != 0)
				abort();
			seen += s->rec.len;
			if (!s->rec.partial && data[seen++] != '\n')
				abort();
			source_take(s);
		}
		free_source(s);
		at += n;
		if (seen != at)
			abort();
	}
	free(b.buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = xmalloc(size + !size); /* to find reading beyond it */
	auto_close int fd = memfd_create("fuzz", MFD_CLOEXEC);

	memcpy(copy, data, size);
	put(fd, copy, size);
	read_all(fd, size);
	seek_all(fd, copy, size);
	check_parse(copy, size);
	round_trip(fd, copy, size);
	free(copy);
	return 0;
}
