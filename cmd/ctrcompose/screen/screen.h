/* screen.h - what commands print with: colours, tables, templates, progress lines, a person's terminal */
#ifndef CMD_SCREEN_H
#define CMD_SCREEN_H

#include "cmd.h"

/* ---- Colours ----------------------------------------------------------------------------------
 * --ansi never|always|auto; auto: a terminal, NO_COLOR empty, TERM not dumb.
 */
enum color {
	COLOR_RESET,
	COLOR_BOLD,
	COLOR_DIM,
	COLOR_RED,
	COLOR_GREEN,
	COLOR_YELLOW,
	COLOR_BLUE,
	COLOR_CYAN,
	COLORS
};
bool color_on(int fd);
const char *color(int fd, enum color c); /* "" where colours are off */
const char *color_of(size_t i);          /* the i-th colour of log prefixes, in turn */

/* ---- Tables -----------------------------------------------------------------------------------
 * Columns padded to the widest cell, three blanks between them. Control characters in cells are
 * shown as '?': what a container chose never reaches the terminal as such.
 */
struct table {
	size_t n_cols;
	struct strs cells; /* row by row; the first row is the header */
};
#define auto_table __attribute__((cleanup(table_free)))
void table_start(struct table *t, const char *const *headers); /* end with NULL */
void table_cell(struct table *t, const char *text);            /* NULL: "" */
void table_cellf(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void table_text(const struct table *t, struct sbuf *out);
void table_free(struct table *t);

/* ---- Templates ---------------------------------------------------------------------------------
 * The part of Go templates that scripts use with --format: text, {{.Key}}, {{.Key.Inner}},
 * {{json .}}, {{json .Key}}, {{index .Key "x"}}, {{join .Key ", "}}, {{.Label "x"}},
 * {{range .Key}}, {{if .Key}}, {{else}}, {{end}}, \t and \n. A leading "table " adds a header and
 * pads columns.
 */
struct json;
struct template_header { /* a column that Docker calls otherwise than its key */
	const char *key, *header;
};
/* rows: an array of objects with the same keys. headers: ends with a NULL key; may be NULL.
 * -EINVAL names what is not known. */
int template_print(const char *format, const struct json *rows,
		   const struct template_header *headers, struct sbuf *out, struct err *err);
/* The template of --format: table for none and for "table", an object a line for "json". */
const char *template_of(const char *format, const char *table);

/* ---- Progress ----------------------------------------------------------------------------------
 * Lines on standard error, kept up to date on a terminal: --progress auto, tty, plain, json, quiet.
 * A thread of its own draws the spinner; it starts with the first step and takes no signals.
 */
struct progress;
/* what: the word in the head line, "Running". -EINVAL: unknown --progress. */
int progress_open(const char *what, struct progress **out, struct err *err);
/* kind and name make the line ("Container", "shop-web-1"), status is its last word ("Starting",
 * "Started", "Error"); detail may be NULL. */
void progress_step(struct progress *p, const char *kind, const char *name, const char *status,
		   const char *detail);
void progress_warn(struct progress *p, const char *text); /* stays above the live lines */
/* Draw the last state and give the terminal back. */
void progress_close(struct progress *p); /* NULL is fine */
void progress_close_fn(struct progress **p);
#define auto_progress __attribute__((cleanup(progress_close_fn)))
/* With --dry-run, for what is no plan: the line of the one thing that would be done. */
int progress_dry(const char *kind, const char *name, const char *done, const char *detail,
		 struct err *err);
/* Lines are redrawn: a step may be told often. */
bool progress_is_live(const struct progress *p);
bool progress_is_json(void); /* errors are JSON lines as well */
bool progress_is_quiet(void);

/* ---- Terminal ---------------------------------------------------------------------------------
 * Connects a person's terminal with the master of a container's one until the container has
 * closed its side or done_fd turns readable. Standard input becomes raw if it is a terminal, and
 * its window size is passed on now and whenever it changes. The terminal is as before when
 * it returns, also by a signal.
 */
struct tty_relay {
	int in_fd, out_fd;       /* in_fd -1: none */
	int read_fd;             /* what it prints comes from here; 0: from master_fd */
	int master_fd;           /* becomes non-blocking; stays the caller's */
	int done_fd;             /* -1, or readable when the command has ended */
	bool stays_open;         /* the end of in_fd is kept from the container */
	const char *detach_keys; /* bytes that end the relay, "\x10\x11"; NULL: none */
	bool detached;           /* result: ended by the detach keys */
	int signal;              /* result: ended by this signal */
};
/* 0, -EINTR when ended by a signal, or what failed. */
int tty_relay(struct tty_relay *r, struct err *err);
/* Copy the window size of `from` to `to`, if both are terminals. */
void tty_copy_size(int from, int to);
void tty_size(int fd, unsigned *columns, unsigned *rows); /* 80 x 24 when unknown */

#endif
