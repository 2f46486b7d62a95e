/* complete_zsh.c - the script for zsh: a function for each command, with _arguments */
#include "complete/complete.h"

#include <string.h>

static const char head[] =
	"#compdef ctrcompose\n"
	"# zsh completion for ctrcompose: made by `ctrcompose completion zsh`, do not edit.\n"
	"\n"
	"# The words before the command choose the project.\n"
	"_ctrcompose_run() {\n"
	"\tlocal -a before\n"
	"\tlocal name\n"
	"\tfor name in -f --file -p --project-name --project-directory --env-file --profile; do\n"
	"\t\t[[ -n ${ctrcompose_opts[$name]} ]] && before+=($name ${(Q)ctrcompose_opts[$name]})\n"
	"\tdone\n"
	"\t_call_program words ${(q)service_program} ${(q)before} \"$@\" 2>/dev/null\n"
	"}\n"
	"_ctrcompose_words() { # TAG SUFFIX WORDS-OF...\n"
	"\tlocal tag=$1 suffix=$2\n"
	"\tshift 2\n"
	"\tlocal -a found\n"
	"\tfound=(${(f)\"$(_ctrcompose_run \"$@\")\"})\n"
	"\t_wanted $tag expl $tag compadd -S \"$suffix\" -a found\n"
	"}\n"
	"_ctrcompose_service() { _ctrcompose_words services ' ' config --services }\n"
	"_ctrcompose_scale() { _ctrcompose_words services '=' config --services }\n"
	"_ctrcompose_copy() { _ctrcompose_words services ':' config --services; _files }\n"
	"_ctrcompose_profile() { _ctrcompose_words profiles ' ' config --profiles }\n"
	"_ctrcompose_project() { _ctrcompose_words projects ' ' ls -a -q }\n"
	"_ctrcompose_volume() { _ctrcompose_words volumes ' ' volume ls -q }\n"
	"_ctrcompose_network() { _ctrcompose_words networks ' ' network ls --format '{{.Name}}' }\n"
	"_ctrcompose_image() { _ctrcompose_words images ' ' image ls --format "
	"'{{.Repository}}:{{.Tag}}' }\n"
	"_ctrcompose_container() {\n"
	"\t_ctrcompose_words containers ' ' ps -a --format '{{.Name}}'\n"
	"\t_ctrcompose_network\n"
	"\t_ctrcompose_volume\n"
	"}\n"
	"_ctrcompose_file() { _files }\n"
	"_ctrcompose_folder() { _files -/ }\n"
	"_ctrcompose_none() { _message 'a value' }\n"
	"\n";

static const char tail[] = "if [[ $funcstack[1] == _ctrcompose ]]; then\n"
			   "\t_ctrcompose \"$@\"\n"
			   "else\n"
			   "\tcompdef _ctrcompose ctrcompose\n"
			   "fi\n";

/* Inside of '...[text]:...': what _arguments and the quotes would take for theirs. */
static void add_text(struct sbuf *out, const char *text)
{
	for (; *text && *text != '\n'; text++) {
		if (*text == '\'')
			sbuf_adds(out, "'\\'");
		else if (strchr("[]:\\", *text))
			sbuf_addc(out, '\\');
		sbuf_addc(out, *text);
	}
}

static void add_action(struct sbuf *out, const char *kind)
{
	if (*kind == '=')
		sbuf_addf(out, "(%s)", kind + 1);
	else
		sbuf_addf(out, "_ctrcompose_%s", kind);
}

static bool repeats(const struct opt *o)
{
	return o->kind == OPT_LIST || o->kind == OPT_COMMAS;
}

static void add_option(struct sbuf *out, const struct cmd *cmd, const struct opt *o)
{
	const char *value = o->arg ? "=" : "";

	sbuf_adds(out, "\t\t");
	if (o->letter && repeats(o))
		sbuf_addf(out, "'*'{-%c+,--%s%s}'", o->letter, o->name, value);
	else if (o->letter)
		sbuf_addf(out, "'(-%c --%s)'{-%c%s,--%s%s}'", o->letter, o->name, o->letter,
			  o->arg ? "+" : "", o->name, value);
	else
		sbuf_addf(out, "'%s--%s%s", repeats(o) ? "*" : "", o->name, value);
	sbuf_addc(out, '[');
	add_text(out, o->help);
	sbuf_addc(out, ']');
	if (o->arg) {
		sbuf_addc(out, ':');
		add_text(out, o->arg);
		sbuf_addc(out, ':');
		add_action(out, complete_option(cmd, o));
	}
	sbuf_adds(out, "' \\\n");
}

static void add_name(struct sbuf *out, const char *path)
{
	sbuf_adds(out, "_ctrcompose");
	if (*path)
		sbuf_adds(out, "_cmd_");
	for (; *path; path++)
		sbuf_addc(out, *path == ' ' ? '_' : *path);
}

/* The function of a command that has others below it: `state` says which word is next. */
static void add_subs(struct sbuf *out, const char *path, const struct cmd *const *list)
{
	sbuf_adds(out, "\t\t'1: :->command' '*:: :->rest' && return\n"
		       "\tcase $state in\n"
		       "\tcommand)\n"
		       "\t\tlocal -a commands\n"
		       "\t\tcommands=(\n");
	for (const struct cmd *const *c = list; *c; c++) {
		if ((*c)->hidden)
			continue;
		sbuf_addf(out, "\t\t\t'%s:", (*c)->name);
		add_text(out, (*c)->summary);
		sbuf_adds(out, "'\n");
	}
	sbuf_adds(out, "\t\t)\n"
		       "\t\t_describe command commands ;;\n"
		       "\trest)\n");
	if (!*path)
		sbuf_adds(out, "\t\tctrcompose_opts=(\"${(@kv)opt_args}\")\n");
	sbuf_adds(out, "\t\tcase $words[1] in\n");
	for (; *list; list++) {
		auto_free char *below = xasprintf("%s%s%s", path, *path ? " " : "", (*list)->name);

		if ((*list)->hidden)
			continue;
		sbuf_addf(out, "\t\t%s%s%s) ", (*list)->name, (*list)->alias ? " | " : "",
			  (*list)->alias ? (*list)->alias : "");
		add_name(out, below);
		sbuf_adds(out, " ;;\n");
	}
	sbuf_adds(out, "\t\tesac ;;\n\tesac\n");
}

static void add_operands(struct sbuf *out, const struct cmd *cmd)
{
	auto_strs struct strs kinds = { 0 };

	complete_operands(cmd, &kinds);
	for (size_t i = 0; i < kinds.n; i++) {
		bool last = i + 1 == kinds.n;

		if (last && strcmp(kinds.v[i], "none") == 0)
			break;
		sbuf_addf(out, "\t\t'%s: :", last ? "*" : "");
		add_action(out, kinds.v[i]);
		sbuf_adds(out, "' \\\n");
	}
	sbuf_adds(out, "\t\t'(- *)--help[Show help]'\n");
}

static void add_cmd(const char *path, const struct cmd *cmd, void *arg)
{
	struct sbuf *out = arg;
	const struct cmd *const *list = complete_below(cmd);

	add_name(out, path);
	sbuf_adds(out, "() {\n");
	if (!*path)
		sbuf_adds(out, "\tlocal service_program=$words[1]\n"
			       "\tlocal -A ctrcompose_opts\n");
	if (list)
		sbuf_adds(out, "\tlocal curcontext=$curcontext state line expl\n"
			       "\ttypeset -A opt_args\n");
	else
		sbuf_adds(out, "\tlocal expl\n");
	sbuf_addf(out, "\t_arguments -s%s%s \\\n", list ? " -C" : "",
		  cmd->operands_end_options ? " -A '-*'" : "");
	for (size_t i = 0; i < cmd->n_opts; i++)
		if (cmd->opts[i].help)
			add_option(out, cmd, &cmd->opts[i]);
	if (list)
		add_subs(out, path, list);
	else
		add_operands(out, cmd);
	sbuf_adds(out, "}\n");
}

void complete_zsh(struct sbuf *out)
{
	sbuf_adds(out, head);
	complete_each(add_cmd, out);
	sbuf_adds(out, tail);
}
