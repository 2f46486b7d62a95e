/* main.c - from the command line to a command; the only place that prints an error and picks the exit
 * status. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Help */
static void help_all(struct sbuf *out)
{
	sbuf_addf(out, "Usage:  ctrcompose [OPTIONS] COMMAND\n\n%s\n\nCommands:\n",
		  cmd_global.summary);
	for (const struct cmd *const *c = cmd_all; *c; c++)
		if (!(*c)->hidden)
			sbuf_addf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
	sbuf_adds(out, "\nOptions:\n");
	opts_help(cmd_global.opts, cmd_global.n_opts, out);
	sbuf_adds(out, "\nRun 'ctrcompose COMMAND --help' for more about a command.\n");
}

static int print_help(const struct cmd *cmd, const char *prefix, struct err *err)
{
	auto_sbuf struct sbuf text = SBUF_INIT;

	if (cmd)
		cmd_usage(cmd, prefix, &text);
	else
		help_all(&text);
	return cmd_print(&text, err);
}

static void print_hint(const char *of)
{
	auto_free char *text = xasprintf("\nRun '%s --help' for more information\n", of);

	(void)fd_write_all(STDERR_FILENO, text, strlen(text));
}

/* ---- Finding the command */
static const struct cmd *find(const struct cmd *const *list, const char *name)
{
	for (; *list; list++)
		if (str_eq((*list)->name, name) || str_eq((*list)->alias, name))
			return *list;
	return NULL;
}

/* Commands of docker compose that there are none of here. */
static const struct {
	const char *name, *why;
} refused[] = {
	{ "alpha", "there are no experimental commands; --dry-run, `scale` and `watch` are there" },
	{ "bridge", "compose files are not converted to other models" },
	{ "publish", "compose files are not put into registries; `push` pushes images" },
};

static int unknown(const struct cmd *const *list, const char *name, struct err *err)
{
	auto_strs struct strs names = { 0 };
	const char *near;

	for (size_t i = 0; list == cmd_all && i < ARRAY_LEN(refused); i++)
		if (str_eq(name, refused[i].name))
			return usage_error(err, "%s: %s", name, refused[i].why);
	for (; *list; list++)
		if (!(*list)->hidden)
			strs_add(&names, (*list)->name);
	near = str_nearest(name, (const char *const *)names.v, names.n);
	if (near)
		return usage_error(err, "unknown command '%s'; did you mean '%s'?", name, near);
	return usage_error(err, "unknown command '%s'", name);
}

static int check_count(const struct cmd *cmd, int n, char **argv, struct err *err)
{
	if (n < cmd->min_operands)
		return usage_error(err, "%s: %s missing; usage: %s %s", cmd->name,
				   n ? "an operand is" : "operands are", cmd->name, cmd->operands);
	if (cmd->max_operands >= 0 && n > cmd->max_operands)
		return usage_error(err, "%s: '%s' is one operand too many", cmd->name,
				   argv[cmd->max_operands]);
	return 0;
}

/* Runs argv[0]; *path becomes the words that name the command, for the hint. */
static int dispatch(int argc, char **argv, char **path, struct err *err)
{
	const struct cmd *const *list = cmd_all;

	for (;;) {
		const struct cmd *cmd = find(list, argv[0]);
		auto_free char *prefix = NULL;
		bool help = false;
		int r;

		if (!cmd)
			return unknown(list, argv[0], err);
		prefix = *path;
		*path = xasprintf("%s %s", prefix, cmd->name);
		argc--;
		argv++;
		if (cmd->subs && argc > 0 && argv[0][0] != '-') {
			list = cmd->subs;
			continue;
		}
		r = opts_parse(cmd, &cmd_global, argc, argv, &help, err);
		if (r < 0)
			return r;
		if (help || cmd->subs)
			return print_help(cmd, prefix, err);
		argc = r;
		r = global_check(err);
		if (r == 0)
			r = check_count(cmd, argc, argv, err);
		if (r == 0 && global.dry_run && cmd->dry == DRY_IN_COPY)
			r = cmd_enter_copy(err);
		return r < 0 ? r : cmd->run(argc, argv, err);
	}
}

static int start(int argc, char **argv, char **path, struct err *err)
{
	static char dash_help[] = "--help";
	bool help = false;
	int n = opts_parse(&cmd_global, NULL, argc - 1, argv + 1, &help, err);

	if (n < 0)
		return n;
	argv++;
	if (global.version)
		return cmd_version.run(0, argv + n, err);
	if (help || n == 0)
		return print_help(NULL, NULL, err);
	if (strcmp(argv[0], "help") == 0) {
		if (n == 1)
			return print_help(NULL, NULL, err);
		argv[0] = argv[1];
		argv[1] = dash_help;
		if (n > 2) { /* help image ls */
			argv[1] = argv[2];
			argv[2] = dash_help;
		}
	}
	return dispatch(n, argv, path, err);
}

static int exit_status(int r)
{
	if (r >= 0)
		return r;
	if (cmd_exit_decided())
		return cmd_exit_decided();
	return r == -EINTR || cmd_interrupts > 0 ? EXIT_INTERRUPTED : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	auto_free char *path = xstrdup("ctrcompose");
	auto_err struct err err = ERR_INIT;
	int r = start(argc, proc_title_begin(argv), &path, &err);

	cmd_did_all();
	if (r < 0 && !(r == -EINTR && cmd_cancelled)) {
		if (!err.msg)
			(void)err_set(&err, r, "%s", strerror(-r));
		cmd_print_error(&err);
		if (usage_error_happened())
			print_hint(path);
	}
	strs_clear(&global.files);
	strs_clear(&global.env_files);
	strs_clear(&global.profiles);
	return exit_status(r);
}
