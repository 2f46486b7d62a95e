/* cmd.h - what a command is, and what all commands share: options, the project, errors. What they print
 * with is in screen/.
 *
 * One file per command, one `const struct cmd` each, listed once in commands.c. A command writes what
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

/* ---- Commands --------------------------------------------------------------------------------- */
extern const struct cmd cmd_attach, cmd_build, cmd_commit, cmd_completion, cmd_config, cmd_cp,
	cmd_create, cmd_doctor, cmd_down, cmd_events, cmd_exec, cmd_export, cmd_image, cmd_images,
	cmd_inspect, cmd_kill, cmd_logs, cmd_ls, cmd_network, cmd_pause, cmd_plan, cmd_port,
	cmd_pull, cmd_push, cmd_restart, cmd_rm, cmd_run, cmd_scale, cmd_start, cmd_stats, cmd_stop,
	cmd_system, cmd_top, cmd_unpause, cmd_up, cmd_volume, cmd_volumes, cmd_wait, cmd_watch,
	cmd_ps, cmd_version;

#endif
