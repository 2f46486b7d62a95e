/* private.h - records and files, shared by the files of logs/ and its tests */
#ifndef LOGS_PRIVATE_H
#define LOGS_PRIVATE_H

#include <ctrcompose/logs.h>

/* ---- Records: record.c ----------------------------------------------------------------------- */
#define RECORD_TIME_LEN 30                                    /* 2026-01-02T03:04:05.000000006Z */
#define RECORD_HEAD_LEN (RECORD_TIME_LEN + 10)                /* and " stdout F " */
#define RECORD_FLAG     (RECORD_HEAD_LEN - 2)                 /* where F or P is */
#define RECORD_MAX      (RECORD_HEAD_LEN + LOGS_LINE_MAX + 1) /* with its newline */

struct record {
	uint64_t time_ns;
	enum logs_stream stream;
	bool partial;
	const char *text;
	size_t len;
};

/* The head of an F record. */
void record_head(char out[RECORD_HEAD_LEN], uint64_t time_ns, enum logs_stream stream);
/* One line of a file, without its newline. -EINVAL: not a record of ours. */
int record_parse(const char *line, size_t len, struct record *out);

/* Records that go into a file with one write. */
#define BATCH_MAX (512U << 10)
struct batch {
	char *buf; /* BATCH_MAX bytes */
	size_t len;
	uint64_t lines; /* ended lines */
	bool open;      /* the last record is a part of a line */
};
/* Put records for data into the empty batch, up to `max` bytes (at least one record); returns how
 * much of data is in it. */
size_t batch_fill(struct batch *b, size_t max, uint64_t time_ns, enum logs_stream stream,
		  const char *data, size_t len);
/* End a line of which only parts were written. */
void batch_end_line(struct batch *b, uint64_t time_ns, enum logs_stream stream);
/* How many bytes of the container the whole records in buf stand for, and how long those are. */
size_t batch_raw_len(const char *buf, size_t len, size_t *whole);

/* ---- Files: write.c --------------------------------------------------------------------------- */
struct log_file {
	int dir_fd, fd; /* fd -1: to be opened with the next write */
	char *name;     /* NAME.log */
	uint64_t ino, size, max_size;
	unsigned max_files;
};
char *log_file_name(const char *name, unsigned n); /* NAME.log, NAME.log.1, ... */
int log_file_open(struct log_file *f, const char *dir, const char *name, struct err *err);
void log_file_close(struct log_file *f);
/* Make room for len bytes: rotates a file that would become too big. */
int log_file_reserve(struct log_file *f, size_t len);
/* Append whole records; gives how many bytes of them are in the file, less than len when the
 * disk is full. What was written of a record that did not fit is cut off again. */
size_t log_file_append(struct log_file *f, const char *data, size_t len);

/* ---- What is in the file and may still be in the FIFO: journal.c -------------------------------
 * Bytes are taken out of a FIFO only after they are in the file. The journal says of which bytes
 * this is being done; the page cache keeps it when the process is killed, so that a new pump
 * neither loses nor repeats them.
 */
struct journal_entry {
	uint64_t ino, offset; /* the file, and where it ended before the write */
	uint32_t pending;     /* bytes of the FIFO in that write; 0: they are out */
	uint32_t open;        /* the last record of the stream was a part */
};
#define JOURNAL_STREAMS 2
struct journal {
	int fd; /* -1: could not be made; then entries live in memory only */
	struct journal_entry v[JOURNAL_STREAMS]; /* by stream - 1 */
};
char *journal_name(const char *name);
void journal_open(struct journal *j, int dir_fd, const char *name);
void journal_put(struct journal *j);
void journal_close(struct journal *j);
/* How many of the waiting bytes are in the file already; *open: they end in a part of a line. */
size_t journal_seen(const struct journal_entry *e, const struct log_file *f,
		    enum logs_stream stream, const char *waiting, size_t len, bool *open);

/* ---- Reading: files.c, seek.c, source.c ---------------------------------------------------------
 * A source has one open file at a time and finds the next one by the inode of this one.
 */
#define SOURCE_BUF (64U << 10) /* more than RECORD_MAX */

struct source {
	int dir_fd, fd; /* fd -1: no file yet */
	char *name;
	uint64_t since_ns, until_ns; /* until 0: no end */
	uint64_t ino, offset;        /* the open file; what is behind the buffer */
	bool bounded;                /* reading ends at end_ino, end_offset */
	uint64_t end_ino, end_offset;
	bool removed; /* ends with the newest file */
	bool at_end;  /* nothing more for now */
	bool done;
	char *buf;
	size_t pos, len;   /* what is in the buffer and not yet handed over */
	struct record rec; /* the next one, when has; points into buf */
	size_t rec_size;   /* its bytes in the buffer */
	bool has;
	uint64_t last_ns; /* time of the last good record: bad ones get it */
	bool mid_line;    /* the record handed over last was a part */
	int watch;        /* follow.c */
	uint64_t watched_ino;
};
int source_open(struct source *s, const char *dir, const char *name, const struct logs_query *q,
		struct err *err);
void source_close(struct source *s);
/* Have the next record in s->rec: 1, 0 none (s->at_end or s->done), or a negative errno. */
int source_next(struct source *s);
void source_take(struct source *s); /* s->rec has been handed over */

struct log_list { /* newest first */
	struct log_list_file {
		int fd;
		uint64_t ino, size;
	} * v;
	size_t n, cap;
};
#define auto_log_list __attribute__((cleanup(log_list_clear)))
int log_list_open(int dir_fd, const char *name, struct log_list *out);
void log_list_clear(struct log_list *l);
/* The file that came after the open one with this inode (fd -1: the oldest): a descriptor, or
 * -ENOENT when it is the newest. *lost: it has been rotated away; the descriptor is of the oldest
 * then. */
int log_next_file(int dir_fd, const char *name, int fd, uint64_t ino, uint64_t *next_ino,
		  bool *lost);
bool log_file_there(int dir_fd, const char *name, uint64_t ino);

/* Lines of a file, forwards and backwards. Only the first bytes of each are kept. */
#define LINES_BLOCK (32U << 10)
struct lines {
	int fd;
	uint64_t at, end; /* forwards: the next line; backwards: all from here on is seen */
	uint64_t block;   /* offset of buf */
	size_t len;       /* in buf */
	char buf[LINES_BLOCK + RECORD_HEAD_LEN];
};
struct line_head {
	uint64_t start;
	bool good; /* rec has time, stream and partial */
	struct record rec;
};

struct log_place {
	size_t file; /* index in the list */
	uint64_t offset;
};
/* Where the records begin that are not before time_ns; past: that are after it. */
int seek_time(const struct log_list *l, uint64_t time_ns, bool past, struct log_place *out);
/* Where the last `lines` lines before `end` begin. */
int seek_tail(const struct log_list *l, struct log_place end, uint64_t lines,
	      struct log_place *out);
bool place_before(struct log_place a, struct log_place b);

#endif
