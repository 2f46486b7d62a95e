/* cmd.h - what a command is, and what all commands share: options, the project, colours, tables,
 * progress lines, the terminal.
 *
 * One file per command, one `const struct cmd` each, listed once in main.c. A command writes what
 * was asked for to standard output; progress and warnings go to standard error. Only main.c
 * prints an error and picks the exit status: 14 no compose file, 15 invalid compose file (both set
 * by cmd_load_project()), 130 interrupted (-EINTR), 1 all other failures; a positive value that
 * run() returns is the exit status itself.
 */
#ifndef CMD_H
#define CMD_H

#include <ctrcompose/base.h>
#include <ctrcompose/compose.h>
#include <ctrcompose/state.h>

/* ---- Options ---------------------------------------------------------------------------------
 * The variables hold their defaults before parsing. A flag may be written --x=false. Options may
 * follow operands unless the command says operands_end_options. Lists may be given repeatedly.
 */
enum opt_kind {
	OPT_FLAG,     /* bool *, set to true */
	OPT_UNFLAG,   /* bool *, set to false: --no-trunc for a variable called trunc */
	OPT_STRING,   /* const char ** */
	OPT_LIST,     /* struct strs *, one more entry */
	OPT_COMMAS,   /* struct strs *, "a,b" is two entries */
	OPT_INT,      /* int64_t * */
	OPT_DURATION, /* uint64_t *, microseconds: "1m30s" */
	OPT_TIMEOUT,  /* int64_t *, microseconds: "10" is ten seconds, "1m30s", "-1" for ever */
	OPT_TIME,     /* uint64_t *, wall-clock nanoseconds: RFC 3339, Unix seconds, "42m" ago */
};

struct opt {
	char letter; /* 0: long form only */
	const char *name;
	enum opt_kind kind;
	void *value;
	const char *arg;  /* name of the value in the help; NULL for flags */
	const char *help; /* NULL: accepted, but not shown */
};

/* What --dry-run does. */
enum cmd_dry {
	DRY_BY_ITSELF, /* the command looks at global.dry_run; or it changes nothing */
	DRY_IN_COPY, /* it runs as ever, in a copy of the stores: see dry.c. It tells by cmd_did() */
};

struct cmd {
	const char *name;
	const char *alias; /* or NULL */
	const char *summary;
	const char *operands;           /* as shown in the usage line, or NULL */
	int min_operands, max_operands; /* max -1: any number */
	const struct opt *opts;
	size_t n_opts;
	enum cmd_dry dry;
	bool operands_end_options; /* exec and run: the rest belongs to the other command */
	bool hidden;
	const struct cmd *const *subs; /* NULL-terminated: `image load`; then no run */
	/* argv holds the operands only and ends in NULL. 0, an exit status above 0, or -errno. */
	int (*run)(int argc, char **argv, struct err *err);
};
#define CMD_OPTS(table) .opts = (table), .n_opts = ARRAY_LEN(table)

/* Fill in the values. Operands are moved to the front of argv; returns how many there are, or
 * -EINVAL. *help becomes true when --help or -h was met (then the rest is not looked at).
 * extra (may be NULL): a second table, of which only full long names are known. */
int opts_parse(const struct cmd *cmd, const struct cmd *extra, int argc, char **argv, bool *help,
	       struct err *err);
/* What --help prints. prefix is "ctrcompose" or "ctrcompose image". */
void cmd_usage(const struct cmd *cmd, const char *prefix, struct sbuf *out);
void opts_help(const struct opt *opts, size_t n, struct sbuf *out);
/* A mistake in how the command was called: main.c adds the hint "Run '... --help'". */
int usage_error(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool usage_error_happened(void);
/* RFC 3339, Unix seconds with a fraction, or a duration before now_ns. */
int parse_when(const char *s, uint64_t now_ns, uint64_t *out_ns);

/* All commands, in the order of the help; NULL ends them. */
extern const struct cmd *const cmd_all[];

/* ---- Global options --------------------------------------------------------------------------- */
struct global {
	struct strs files, env_files, profiles;
	const char *project_name, *project_dir;
	const char *progress, *ansi, *insecure;
	bool dry_run, all_resources, verbose, offline, compatibility, no_ansi;
	int64_t parallel; /* -1: no bound */
	bool version;
};
extern struct global global;
/* Values of global options that are none; options that have no meaning here. */
int global_check(struct err *err);
extern const struct cmd cmd_global; /* its option table */

/* ---- Interrupts ------------------------------------------------------------------------------
 * After cmd_catch_interrupts() SIGINT, SIGTERM and SIGHUP only set these (without SA_RESTART:
 * blocking calls end with EINTR). The fourth ends the process at once.
 */
void cmd_catch_interrupts(void);
extern volatile bool cmd_cancelled;
extern volatile int cmd_interrupts;

/* ---- The project ------------------------------------------------------------------------------ */
struct cmd_load {
	char *const *services; /* NULL-terminated operands: enabled in spite of profiles; or NULL */
	bool only_services;    /* drop all but those and what they depend on */
	bool all_profiles;     /* enable all services: for what already exists */
	bool no_interpolate, no_path_resolution, no_env_resolution, no_consistency, no_normalize;
	bool no_identity; /* neither config_json nor config_hash */
	bool quiet;       /* warnings are not printed */
};
/* The compose options that the global ones mean. All in it lives in the arena. */
void cmd_compose_options(struct arena *a, const struct cmd_load *how, struct compose_options *out);
/* Load and print warnings. `how` may be NULL. Failure decides on exit status 14 or 15. */
int cmd_load_project_with(const struct cmd_load *how, struct project **out, struct err *err);
int cmd_load_project(struct project **out, struct err *err);
int cmd_load_failed(int r); /* decides on the exit status for what the loader said; gives r */
/* Whether the runtime and this machine can do all that the project asks for. Failure decides on
 * exit status 15. */
int cmd_check_runs(const struct project *p, struct err *err);
/* For commands on what exists (down, ps, logs, stop): the name, and the project where a file is
 * read. -p without -f reads none: *out is NULL then, as it is when COMPOSE_PROJECT_NAME is set
 * and there is no file. All profiles are enabled. The caller frees *name. */
int cmd_find_project(char **name, struct project **out, struct err *err);
/* Only the name: of -p, COMPOSE_PROJECT_NAME, the file, the folder. The caller frees it. */
int cmd_project_name(char **name, struct err *err);
/* The record as it is now, compared with the kernel (nothing is written). A project without a
 * record gives an empty one. */
int cmd_load_state(const struct state_paths *paths, const char *name, struct state_project **out,
		   struct err *err);
/* All containers of all projects, in the order of the projects' names: as they are written down, or, with
 * refresh, as cmd_load_state() has them. */
typedef void cmd_container_fn(const struct state_container *c, void *arg);
int cmd_each_container(bool refresh, cmd_container_fn *fn, void *arg, struct err *err);
/* -ENOENT with the known services named, unless each word is a service of the file or of a
 * container. words, p and s may be NULL. */
int cmd_check_services(char *const *words, const struct project *p, const struct state_project *s,
		       struct err *err);
/* Whether the service is among the words; no words: yes. */
bool cmd_wants(char *const *words, const char *service);
/* What main() exits with when run() fails; without it: EXIT_FAILED. */
void cmd_exit_with(int status);
int cmd_exit_decided(void); /* 0: nothing was */
enum { EXIT_FAILED = 1, EXIT_NO_FILE = 14, EXIT_BAD_FILE = 15, EXIT_INTERRUPTED = 130 };

/* time="..." level=warning msg="...", or WARN[0000] in colour on a terminal. */
void cmd_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* One line on standard error that is no warning: that there was nothing to do, say. None with --progress
 * quiet. */
void cmd_note(const char *fmt, ...) PRINTF_LIKE(1, 2);
void cmd_print_error(const struct err *err);
/* What was done: its name, for scripts, on out; with --dry-run the line of what would be done, now. */
void cmd_did(struct sbuf *out, const char *kind, const char *name, const char *done);
void cmd_did_all(void); /* before anything else is printed */
/* With --dry-run, before the command: all it changes is gone when this process ends. */
int cmd_enter_copy(struct err *err);
/* Write to standard output: a closed pipe or a full disk is an error, not silence. */
int cmd_print(const struct sbuf *text, struct err *err);
/* Ask on the terminal: 1 yes, 0 no; without a terminal an error that names --force. Not with
 * --dry-run. */
int cmd_confirm(const char *question, struct err *err);

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

/* ---- Log lines ---------------------------------------------------------------------------------
 * What containers print, with prefixes: for `logs` and an attached `up`. Lines are whole: parts of
 * one are held until it ends, up to a bound.
 */
struct logs_query;
struct logview_options {
	bool no_color, no_prefix, timestamps;
};
struct logview;
/* The query is copied; its tail is meant for the containers added before the first
 * logview_pump(). Lines go to standard output. */
int logview_open(const struct logs_query *query, const struct logview_options *opt,
		 struct logview **out, struct err *err);
/* Prints open lines; NULL is fine. */
void logview_close(struct logview *v);
void logview_close_fn(struct logview **v);
#define auto_logview __attribute__((cleanup(logview_close_fn)))
/* Show a container; one that is shown already is left alone, and one that takes the place of
 * another of that name goes on where that one was. */
int logview_add(struct logview *v, const struct state_paths *paths, const char *project,
		const struct state_container *c, struct err *err);
/* What that container prints comes from these as well, standard output and error: they become the
 * view's, -1 here. */
int logview_listen(struct logview *v, const char *name, int fds[2], struct err *err);
/* Its container has been removed: the rest of its log is printed with the next logview_pump(). A
 * stopped one may start again: leave it. */
void logview_remove(struct logview *v, const char *id);
/* Print what there is now; comes back from a flood once in a while. */
int logview_pump(struct logview *v, struct err *err);
int logview_fd(const struct logview *v); /* readable: logview_pump(); -1 without follow */
/* "a-1 exited with code 3", after all that the container printed. */
int logview_exited(struct logview *v, const struct state_container *c, bool restarting,
		   struct err *err);
/* "web-1": the name without the project. */
const char *container_label(const char *project, const struct state_container *c);
/* Where the log of a container lies; the caller frees both. */
void container_log(const struct state_paths *paths, const char *project,
		   const struct state_container *c, char **dir, char **name);

/* ---- Commands --------------------------------------------------------------------------------- */
extern const struct cmd cmd_attach, cmd_build, cmd_commit, cmd_completion, cmd_config, cmd_cp,
	cmd_create, cmd_doctor, cmd_down, cmd_events, cmd_exec, cmd_export, cmd_image, cmd_images,
	cmd_inspect, cmd_kill, cmd_logs, cmd_ls, cmd_network, cmd_pause, cmd_plan, cmd_port,
	cmd_pull, cmd_push, cmd_restart, cmd_rm, cmd_run, cmd_scale, cmd_start, cmd_stats, cmd_stop,
	cmd_system, cmd_top, cmd_unpause, cmd_up, cmd_volume, cmd_volumes, cmd_wait, cmd_watch,
	cmd_ps, cmd_version;

#endif
