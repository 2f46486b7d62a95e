/* logs_make.h - a folder for logs, pumps and readers in it; for logs_test and logs_read_test. */
#ifndef LOGS_MAKE_H
#define LOGS_MAKE_H

#include "../../pkg/logs/private.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEC 1000000000ULL
#define T0  (1767225600 * SEC) /* 2026-01-01T00:00:00Z */

#define OK(call)                                                             \
	do {                                                                 \
		auto_err struct err err = ERR_INIT;                          \
		ck_assert_msg((call) == 0, "%s: %s", #call, err_text(&err)); \
	} while (0)

static char dir[] = "/tmp/ctrcompose-logs-XXXXXX";
static int dir_fd = -1;

static void dir_open(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	dir_fd = open(dir, O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir_fd, 0);
}

static void dir_close(void)
{
	(void)close(dir_fd);
	ck_assert_int_eq(path_remove_tree(AT_FDCWD, dir), 0);
}

static inline bool there(const char *name)
{
	return faccessat(dir_fd, name, F_OK, 0) == 0;
}

static inline uint64_t size_of(const char *name)
{
	struct stat st;

	ck_assert_msg(fstatat(dir_fd, name, &st, 0) == 0, "no %s", name);
	return (uint64_t)st.st_size;
}

/* One record to the end of a file, as the pump would write it. */
static inline void put_record(const char *file, uint64_t time_ns, enum logs_stream stream,
			      char flag, const char *text)
{
	auto_close int fd = openat(dir_fd, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	auto_sbuf struct sbuf b = SBUF_INIT;
	char head[RECORD_HEAD_LEN];

	record_head(head, time_ns, stream);
	head[RECORD_FLAG] = flag;
	sbuf_add(&b, head, sizeof(head));
	sbuf_addf(&b, "%s\n", text);
	ck_assert_int_eq(fd_write_all(fd, b.s, b.len), 0);
}

/* What a reader gave: "0:text|" for each record; a part ends in "+" instead. */
static inline int collect(void *arg, const struct logs_line *line)
{
	struct sbuf *b = arg;

	sbuf_addf(b, "%zu%s:", line->source, line->stream == LOGS_STDERR ? "e" : "");
	sbuf_add(b, line->text, line->len);
	sbuf_addc(b, line->partial ? '+' : '|');
	return 0;
}

static inline struct logs_reader *reader(const struct logs_query *q, const char *const *names)
{
	struct logs_reader *r = NULL;
	size_t index;

	OK(logs_reader_new(q, &r, &err));
	for (size_t i = 0; names[i]; i++) {
		OK(logs_reader_add(r, dir, names[i], &index, &err));
		ck_assert_uint_eq(index, i);
	}
	return r;
}

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ALL_LINES  ((struct logs_query){ .tail = -1 })

static inline void read_all(struct logs_reader *r, struct sbuf *out)
{
	OK(logs_reader_read(r, 0, collect, out, &err));
}

#define EXPECT(query, names, want)                           \
	do {                                                 \
		auto_sbuf struct sbuf got_ = SBUF_INIT;      \
		struct logs_query q_ = query;                \
		struct logs_reader *r_ = reader(&q_, names); \
		read_all(r_, &got_);                         \
		logs_reader_free(r_);                        \
		ck_assert_str_eq(sbuf_str(&got_), want);     \
	} while (0)

#endif
