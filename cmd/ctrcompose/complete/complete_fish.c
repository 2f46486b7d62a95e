/* complete_fish.c - the script for fish: a line for each option and kind of operand */
#include "complete/complete.h"

#include <string.h>

static const char head[] =
	"# fish completion for ctrcompose: made by `ctrcompose completion fish`, do not edit.\n"
	"\n"
	"# The words of the command, without options and their values, below the program's name.\n"
	"function __ctrcompose_path\n"
	"\tset -l skip 0\n"
	"\tset -l first\n"
	"\tfor word in (commandline -opc)[2..-1]\n"
	"\t\tif test $skip = 1\n"
	"\t\t\tset skip 0\n"
	"\t\telse if contains -- $word $__ctrcompose_valued; or contains -- \"$first:$word\" "
	"$__ctrcompose_valued\n"
	"\t\t\tset skip 1\n"
	"\t\telse if not string match -q -- '-*' $word\n"
	"\t\t\ttest -n \"$first\"; or set first $word\n"
	"\t\t\techo $word\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"# Whether the command is the one of these words, with at least (-n: exactly) so many operands.\n"
	"function __ctrcompose_at\n"
	"\tset -l path (__ctrcompose_path)\n"
	"\tset -l n (count $argv)\n"
	"\tif test $n -gt 0\n"
	"\t\ttest (count $path) -ge $n; and test \"$path[1..$n]\" = \"$argv\"\n"
	"\telse\n"
	"\t\ttest (count $path) = 0\n"
	"\tend\n"
	"end\n"
	"function __ctrcompose_operand # NUMBER|NUMBER+ COMMAND...\n"
	"\t__ctrcompose_at $argv[2..-1]; or return\n"
	"\tset -l n (math (count (__ctrcompose_path)) - (count $argv) + 1)\n"
	"\tif string match -q '*+' $argv[1]\n"
	"\t\ttest $n -ge (string trim -r -c + $argv[1])\n"
	"\telse\n"
	"\t\ttest $n = $argv[1]\n"
	"\tend\n"
	"end\n"
	"# The program with what stands before the command: it chooses the project.\n"
	"function __ctrcompose_run\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l run $words[1]\n"
	"\tset -l skip 0\n"
	"\tfor word in $words[2..-1]\n"
	"\t\tif test $skip = 1\n"
	"\t\t\tset skip 0\n"
	"\t\telse if contains -- $word $__ctrcompose_valued; or contains -- :$word "
	"$__ctrcompose_valued\n"
	"\t\t\tset skip 1\n"
	"\t\telse if not string match -q -- '-*' $word\n"
	"\t\t\tbreak\n"
	"\t\tend\n"
	"\t\tset -a run $word\n"
	"\tend\n"
	"\tif test $skip = 1 # its value is being typed\n"
	"\t\tset -e run[-1]\n"
	"\tend\n"
	"\tcommand $run $argv 2>/dev/null\n"
	"end\n"
	"function __ctrcompose_words\n"
	"\tswitch $argv[1]\n"
	"\t\tcase service\n\t\t\t__ctrcompose_run config --services\n"
	"\t\tcase scale\n\t\t\t__ctrcompose_run config --services | string replace -r '$' =\n"
	"\t\tcase copy\n\t\t\t__ctrcompose_run config --services | string replace -r '$' :\n"
	"\t\tcase profile\n\t\t\t__ctrcompose_run config --profiles\n"
	"\t\tcase project\n\t\t\t__ctrcompose_run ls -a -q\n"
	"\t\tcase volume\n\t\t\t__ctrcompose_run volume ls -q\n"
	"\t\tcase network\n\t\t\t__ctrcompose_run network ls --format '{{.Name}}'\n"
	"\t\tcase image\n\t\t\t__ctrcompose_run image ls --format '{{.Repository}}:{{.Tag}}'\n"
	"\t\tcase container\n"
	"\t\t\t__ctrcompose_run ps -a --format '{{.Name}}'\n"
	"\t\t\t__ctrcompose_words network\n"
	"\t\t\t__ctrcompose_words volume\n"
	"\tend\n"
	"end\n"
	"complete -c ctrcompose -f\n";

static void add_quoted(struct sbuf *out, const char *text)
{
	sbuf_addc(out, '\'');
	for (; *text && *text != '\n'; text++) {
		if (*text == '\'' || *text == '\\')
			sbuf_addc(out, '\\');
		sbuf_addc(out, *text);
	}
	sbuf_addc(out, '\'');
}

/* -a or -F: what the word can be. */
static void add_kind(struct sbuf *out, const char *kind)
{
	if (*kind == '=')
		sbuf_addf(out, " -a '%s'", kind + 1);
	else if (strcmp(kind, "file") == 0)
		sbuf_adds(out, " -F");
	else if (strcmp(kind, "folder") == 0)
		sbuf_adds(out, " -a '(__fish_complete_directories)'");
	else if (strcmp(kind, "none") != 0)
		sbuf_addf(out, " -a '(__ctrcompose_words %s)'%s", kind,
			  strcmp(kind, "copy") == 0 ? " -F" : "");
}

static void add_option(struct sbuf *out, const char *path, const struct cmd *cmd,
		       const struct opt *o)
{
	sbuf_addf(out, "complete -c ctrcompose -n '__ctrcompose_at%s%s'", *path ? " " : "", path);
	if (o->letter)
		sbuf_addf(out, " -s %c", o->letter);
	sbuf_addf(out, " -l %s", o->name);
	if (o->arg) {
		const char *kind = complete_option(cmd, o);

		sbuf_adds(out, strcmp(kind, "file") == 0 ? " -r" : " -x");
		add_kind(out, kind);
	}
	sbuf_adds(out, " -d ");
	add_quoted(out, o->help);
	sbuf_addc(out, '\n');
}

static void add_cmd(const char *path, const struct cmd *cmd, void *arg)
{
	struct sbuf *out = arg;
	auto_strs struct strs kinds = { 0 };
	const struct cmd *const *list = complete_below(cmd);

	for (size_t i = 0; i < cmd->n_opts; i++)
		if (cmd->opts[i].help)
			add_option(out, path, cmd, &cmd->opts[i]);
	for (const struct cmd *const *c = list; c && *c; c++) {
		if ((*c)->hidden)
			continue;
		sbuf_addf(out, "complete -c ctrcompose -n '__ctrcompose_operand 0%s%s' -a %s -d ",
			  *path ? " " : "", path, (*c)->name);
		add_quoted(out, (*c)->summary);
		sbuf_addc(out, '\n');
	}
	if (!list)
		complete_operands(cmd, &kinds);
	for (size_t i = 0; i < kinds.n; i++) {
		if (strcmp(kinds.v[i], "none") == 0)
			continue;
		sbuf_addf(out, "complete -c ctrcompose -n '__ctrcompose_operand %zu%s %s'", i,
			  i + 1 == kinds.n ? "+" : "", path);
		add_kind(out, kinds.v[i]);
		sbuf_addc(out, '\n');
	}
}

/* Options that take a value: "--name", and "logs:-n", as one letter may have a value with one command
 * and none with another. */
static void add_valued(const char *path, const struct cmd *cmd, void *arg)
{
	struct strs *all = arg;

	for (size_t i = 0; i < cmd->n_opts; i++) {
		const struct opt *o = &cmd->opts[i];
		auto_free char *name = xasprintf("--%s", o->name);

		if (o->arg && !strs_has(all, name))
			strs_add(all, name);
		if (o->arg && o->letter)
			strs_addf(all, "%.*s:-%c", (int)strcspn(path, " "), path, o->letter);
	}
}

void complete_fish(struct sbuf *out)
{
	auto_strs struct strs valued = { 0 };

	complete_each(add_valued, &valued);
	sbuf_adds(out, head);
	sbuf_adds(out, "set -g __ctrcompose_valued");
	for (size_t i = 0; i < valued.n; i++)
		sbuf_addf(out, " %s", valued.v[i]);
	sbuf_addc(out, '\n');
	complete_each(add_cmd, out);
}
