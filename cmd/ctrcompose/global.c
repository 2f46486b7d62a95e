/* global.c - what holds for the whole run: the options before the command's name, the exit status
 * that somebody decided on, interrupts. */
#include "cmd.h"

#include <signal.h>
#include <unistd.h>

struct global global = { .parallel = -1 };

static const struct opt opts[] = {
	{ 0, "all-resources", OPT_FLAG, &global.all_resources, NULL,
	  "Keep networks, volumes, configs and secrets that no service uses" },
	{ 0, "ansi", OPT_STRING, &global.ansi, "WHEN",
	  "Colours and live lines: auto, never, always" },
	{ 0, "compatibility", OPT_FLAG, &global.compatibility, NULL,
	  "Names with _ instead of -, as Compose v1 made them" },
	{ 0, "dry-run", OPT_FLAG, &global.dry_run, NULL,
	  "Show what would be done, change nothing" },
	{ 0, "env-file", OPT_LIST, &global.env_files, "FILE", "Read this instead of .env" },
	{ 'f', "file", OPT_LIST, &global.files, "FILE",
	  "Compose file; may be repeated, later ones win" },
	{ 0, "insecure-registry", OPT_STRING, &global.insecure, "NAME", NULL },
	{ 0, "no-ansi", OPT_FLAG, &global.no_ansi, NULL, NULL },
	{ 0, "offline", OPT_FLAG, &global.offline, NULL, "Ask no registry for images" },
	{ 0, "parallel", OPT_INT, &global.parallel, "N",
	  "Images that are fetched at the same time (4)" },
	{ 0, "profile", OPT_LIST, &global.profiles, "NAME", "Enable a profile; may be repeated" },
	{ 0, "progress", OPT_STRING, &global.progress, "TYPE",
	  "Progress lines: auto, tty, plain, json, quiet" },
	{ 0, "project-directory", OPT_STRING, &global.project_dir, "DIR",
	  "Where relative paths begin (the folder of the first file)" },
	{ 'p', "project-name", OPT_STRING, &global.project_name, "NAME", "Project name" },
	{ 0, "verbose", OPT_FLAG, &global.verbose, NULL, NULL },
	{ 'v', "version", OPT_FLAG, &global.version, NULL, "Show the version" },
	{ 0, "workdir", OPT_STRING, &global.project_dir, "DIR", NULL },
};

const struct cmd cmd_global = {
	.name = "ctrcompose",
	.summary = "Run the services of a compose file on this host.",
	CMD_OPTS(opts),
	.operands_end_options = true,
};

int global_check(struct err *err)
{
	static const char *const known[] = { "auto", "never", "always" };
	bool found = !global.ansi;

	if (global.no_ansi)
		global.ansi = known[1];
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		found = found || str_eq(global.ansi, known[i]);
	if (!found)
		return usage_error(err, "--ansi: '%s' is none of auto, never, always", global.ansi);
	if (global.insecure)
		return usage_error(err, "--insecure-registry: compose files are not fetched from "
					"registries; CTRCOMPOSE_REGISTRIES names those for images");
	return 0;
}

/* ---- Exit status */
static int decided;

void cmd_exit_with(int status)
{
	decided = status;
}

int cmd_exit_decided(void)
{
	return decided;
}

/* ---- Interrupts */
volatile bool cmd_cancelled;
volatile int cmd_interrupts;

static void on_signal(int sig)
{
	if (sig == SIGPIPE)
		return;
	cmd_cancelled = true;
	cmd_interrupts++;
	if (cmd_interrupts > 3)
		_exit(EXIT_INTERRUPTED);
}

void cmd_catch_interrupts(void)
{
	/* SIGPIPE gets a handler, not SIG_IGN: what we execute starts with the default again. */
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct sigaction sa = { .sa_handler = on_signal };

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &sa, NULL);
}
