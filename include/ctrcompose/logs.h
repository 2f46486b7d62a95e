/* logs.h - what containers print: from their FIFOs into bounded, rotated files, and back out of
 * those files merged by time.
 *
 * Floor 3. A file NAME.log holds one record per line, as Kubernetes' CRI has it:
 *   2026-01-02T03:04:05.000000006Z stdout F the text, byte for byte
 * F ends a line of the container; P is a part of one, the next record of that stream goes on.
 * Older files are NAME.log.1, NAME.log.2. Times are nanoseconds since 1970. NAME.pos is the pump's
 * own note of what it is just moving.
 *
 * For the containers of a project the folder is <state>/projects/<project> and NAME the name of
 * the container.
 */
#ifndef CTRCOMPOSE_LOGS_H
#define CTRCOMPOSE_LOGS_H

#include <ctrcompose/base.h>
#include <ctrcompose/loop.h>

#define LOGS_LINE_MAX  16384        /* bytes of text in one record */
#define LOGS_SIZE_MAX  (10U << 20)  /* default bytes of one file */
#define LOGS_FILES_MAX 3            /* default number of files */
#define LOGS_PIPE_SIZE (256U << 10) /* wished size of a FIFO */

enum logs_stream { LOGS_STDOUT = 1, LOGS_STDERR = 2 };

/* ---- FIFO ------------------------------------------------------------------------------------
 * Make (or reuse) the FIFO (mode 0600) and open it O_RDWR: neither end ever sees the other one
 * vanish, so no container gets SIGPIPE when its supervisor dies. Give the container a descriptor of its own
 * from logs_fifo_open_writer(): non-blocking is a flag of the open file.
 */
int logs_fifo_make(int dirfd, const char *name, int *out, struct err *err);
int logs_fifo_open_writer(int dirfd, const char *name, int *out, struct err *err);

/* ---- Writing --------------------------------------------------------------------------------- */
struct logs_pump;
typedef void logs_raw_fn(void *arg, enum logs_stream stream, const void *data, size_t len);

struct logs_pump_config {
	const char *dir, *name; /* copied; dir exists */
	uint64_t max_size;      /* bytes; 0: LOGS_SIZE_MAX */
	unsigned max_files;     /* 0: LOGS_FILES_MAX; 1: start over when full */
	bool discard;           /* write no file (logging driver "none") */
	/* May be NULL. Sees the bytes of each stream as they come, before they are split: for a
	 * terminal or an attached client. */
	logs_raw_fn *raw;
	void *raw_arg;
};
/* Takes over both descriptors (non-blocking; on failure they stay the caller's). A terminal has
 * one stream: pass its master as stdout_fd and -1 as stderr_fd. */
int logs_pump_new(struct loop *loop, const struct logs_pump_config *cfg, int stdout_fd,
		  int stderr_fd, struct logs_pump **out, struct err *err);
/* The container has exited: move what is still in the pipes (bounded by their size) and end open
 * lines. The pump goes on working: a restarted container may write into the same FIFOs. */
void logs_pump_drain(struct logs_pump *pump);
void logs_pump_free(struct logs_pump *pump); /* drains nothing; closes the descriptors */

struct logs_pump_stats {
	uint64_t bytes, lines;
	uint64_t lost; /* bytes that could not be written: disk full, say */
};
struct logs_pump_stats logs_pump_stats(const struct logs_pump *pump);

/* Remove NAME.log and its older ones. Missing is success. */
int logs_remove(const char *dir, const char *name);
/* The files of a container that has another name now; nobody writes them. Missing is success. */
int logs_rename(const char *dir, const char *from, const char *to);

/* ---- Reading --------------------------------------------------------------------------------- */
struct logs_reader;

struct logs_line {
	size_t source; /* index that logs_reader_add() gave */
	uint64_t time_ns;
	enum logs_stream stream;
	const char *text; /* not NUL terminated; valid during the call */
	size_t len;       /* at most LOGS_LINE_MAX */
	bool partial;     /* the line goes on with the next record of this source and stream */
};
/* Non-zero stops the reading; logs_reader_read() gives it back. */
typedef int logs_line_fn(void *arg, const struct logs_line *line);

struct logs_query {
	int64_t tail;      /* last lines of each source; negative: all */
	uint64_t since_ns; /* 0: from the start */
	uint64_t until_ns; /* 0: no end */
	bool follow;       /* watch for more: logs_reader_fd() */
};
int logs_reader_new(const struct logs_query *query, struct logs_reader **out, struct err *err);
void logs_reader_free(struct logs_reader *reader); /* NULL is fine */
/* May be called at any time, also while following; a file that is not there yet is an empty one.
 * Indexes count from 0. dir must exist. */
int logs_reader_add(struct logs_reader *reader, const char *dir, const char *name, size_t *index,
		    struct err *err);
/* query.tail for the sources that are added from now on: -1 for containers that are new. */
void logs_reader_tail(struct logs_reader *reader, int64_t tail);
/* No more from this source once it is read to its end: its container is gone. */
void logs_reader_remove(struct logs_reader *reader, size_t index);
/* Hand over up to max_lines records, oldest first over all sources (0: all there are). Gives 1 if
 * max_lines ended it, 0 when all is read so far, what fn returned if that was not 0, or a
 * negative errno. Memory stays bounded whatever the files hold. */
int logs_reader_read(struct logs_reader *reader, size_t max_lines, logs_line_fn *fn, void *arg,
		     struct err *err);
/* With follow: readable when logs_reader_read() may have more. Else -1. */
int logs_reader_fd(const struct logs_reader *reader);

#endif
