/* complete_bash.c - the script for bash (4 and later, nothing else is needed) */
#include "complete/complete.h"

#include <string.h>

static const char head[] =
	"# bash completion for ctrcompose: made by `ctrcompose completion bash`, do not edit.\n"
	"\n"
	"# Sets what can stand after the command $1: subs (its subcommands), flags (options as they\n"
	"# are shown), valued (OPTION:KIND of options that take a value), operands (kinds in turn, the\n"
	"# last one repeats), ends (options end with the first operand).\n"
	"_ctrcompose_about() {\n"
	"\tlocal IFS=$' \\t\\n'\n"
	"\tsubs=() flags=() valued=() operands=() ends=\n"
	"\tcase $1 in\n";

static const char tail[] =
	"\tesac\n"
	"}\n"
	"\n"
	"# The words of a kind, one a line.\n"
	"_ctrcompose_words() { # KIND\n"
	"\tcase $1 in\n"
	"\t=*) printf '%s\\n' ${1#=} ;;\n"
	"\tservice) \"${run[@]}\" config --services ;;\n"
	"\tscale) \"${run[@]}\" config --services | sed 's/$/=/' ;;\n"
	"\tcopy) \"${run[@]}\" config --services | sed 's/$/:/'; compgen -f -- \"$value\" ;;\n"
	"\tprofile) \"${run[@]}\" config --profiles ;;\n"
	"\tproject) \"${run[0]}\" ls -a -q ;;\n"
	"\tvolume) \"${run[0]}\" volume ls -q ;;\n"
	"\tnetwork) \"${run[0]}\" network ls --format '{{.Name}}' ;;\n"
	"\timage) \"${run[0]}\" image ls --format '{{.Repository}}:{{.Tag}}' | grep -v '^<none>' ;;\n"
	"\tcontainer)\n"
	"\t\t\"${run[@]}\" ps -a --format '{{.Name}}'\n"
	"\t\t_ctrcompose_words network\n"
	"\t\t_ctrcompose_words volume ;;\n"
	"\tfile) compgen -f -- \"$value\" ;;\n"
	"\tfolder) compgen -d -- \"$value\" ;;\n"
	"\tesac 2>/dev/null\n"
	"}\n"
	"\n"
	"# The kind of the value of option $1; fails when it takes none.\n"
	"_ctrcompose_value() {\n"
	"\tlocal entry\n"
	"\tfor entry in \"${valued[@]}\"; do\n"
	"\t\tif [[ ${entry%%:*} == \"$1\" ]]; then\n"
	"\t\t\tkind=${entry#*:}\n"
	"\t\t\tkind=${kind//+/ }\n"
	"\t\t\treturn 0\n"
	"\t\tfi\n"
	"\tdone\n"
	"\treturn 1\n"
	"}\n"
	"\n"
	"_ctrcompose() {\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} words cur value path= n=0 i word sub kind= only= found\n"
	"\tlocal subs flags valued operands ends run\n"
	"\tread -ra words <<<\"$line\"\n"
	"\tcur=\n"
	"\tif [[ $line != *[[:blank:]] ]]; then\n"
	"\t\tcur=${words[-1]}\n"
	"\t\tunset 'words[-1]'\n"
	"\tfi\n"
	"\trun=(\"${words[0]/#\\~/$HOME}\")\n"
	"\t_ctrcompose_about ''\n"
	"\tfor ((i = 1; i < ${#words[@]}; i++)); do\n"
	"\t\tword=${words[i]}\n"
	"\t\tif [[ -n $only ]]; then\n"
	"\t\t\tn=$((n + 1))\n"
	"\t\telif [[ $word == -- ]]; then\n"
	"\t\t\tonly=1\n"
	"\t\telif [[ $word == -* ]]; then\n"
	"\t\t\tkind=\n"
	"\t\t\tif _ctrcompose_value \"$word\"; then\n"
	"\t\t\t\ti=$((i + 1))\n"
	"\t\t\t\tif ((i == ${#words[@]})); then\n"
	"\t\t\t\t\tbreak # the word at the cursor is its value\n"
	"\t\t\t\tfi\n"
	"\t\t\t\t[[ -z $path ]] && run+=(\"$word\" \"${words[i]}\")\n"
	"\t\t\t\tkind=\n"
	"\t\t\telif [[ -z $path ]]; then\n"
	"\t\t\t\trun+=(\"$word\")\n"
	"\t\t\tfi\n"
	"\t\telif ((${#subs[@]})); then\n"
	"\t\t\tfound=\n"
	"\t\t\tfor sub in \"${subs[@]}\"; do\n"
	"\t\t\t\t[[ $sub == \"$word\" ]] && found=1\n"
	"\t\t\tdone\n"
	"\t\t\t[[ -n $found ]] || return 0\n"
	"\t\t\tpath=${path:+$path }$word\n"
	"\t\t\t_ctrcompose_about \"$path\"\n"
	"\t\telse\n"
	"\t\t\tn=$((n + 1))\n"
	"\t\t\t[[ -n $ends ]] && only=1\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tvalue=$cur\n"
	"\tif [[ -n $kind ]]; then\n"
	"\t\t: # of the option before\n"
	"\telif [[ -z $only && $cur == --*=* ]]; then\n"
	"\t\tvalue=${cur#*=}\n"
	"\t\t_ctrcompose_value \"${cur%%=*}\" || return 0\n"
	"\telif [[ -z $only && $cur == -* ]]; then\n"
	"\t\tkind=\"=${flags[*]} --help\"\n"
	"\telif ((${#subs[@]})); then\n"
	"\t\tkind=\"=${subs[*]}\"\n"
	"\telse\n"
	"\t\tkind=${operands[n < ${#operands[@]} ? n : ${#operands[@]} - 1]}\n"
	"\tfi\n"
	"\tlocal before=${cur%\"$value\"} broken\n"
	"\t# Readline replaces only what follows the last of its word breaks.\n"
	"\tbroken=${cur%\"${cur##*[=:]}\"}\n"
	"\tCOMPREPLY=()\n"
	"\tmapfile -t words < <(_ctrcompose_words \"$kind\")\n"
	"\tfor word in \"${words[@]}\"; do\n"
	"\t\t[[ $word == \"$value\"* ]] || continue\n"
	"\t\tword=$before$word\n"
	"\t\tCOMPREPLY+=(\"${word#\"$broken\"}\")\n"
	"\tdone\n"
	"\tcase $kind in\n"
	"\tscale | copy) compopt -o nospace 2>/dev/null ;;\n"
	"\tesac\n"
	"\tcase $kind in\n"
	"\tfile | folder | copy) compopt -o filenames 2>/dev/null ;;\n"
	"\tesac\n"
	"\treturn 0\n"
	"}\n"
	"complete -F _ctrcompose ctrcompose\n";

static void add_kind(struct sbuf *out, const char *kind)
{
	for (; *kind; kind++)
		sbuf_addc(out, *kind == ' ' ? '+' : *kind);
}

static void add_options(const struct cmd *cmd, struct sbuf *out)
{
	sbuf_adds(out, "\t\tflags=(");
	for (size_t i = 0; i < cmd->n_opts; i++) {
		const struct opt *o = &cmd->opts[i];

		if (o->help && o->letter)
			sbuf_addf(out, "-%c ", o->letter);
		if (o->help)
			sbuf_addf(out, "--%s ", o->name);
	}
	sbuf_adds(out, ")\n\t\tvalued=(");
	for (size_t i = 0; i < cmd->n_opts; i++) {
		const struct opt *o = &cmd->opts[i];

		if (!o->arg)
			continue;
		if (o->letter) {
			sbuf_addf(out, "-%c:", o->letter);
			add_kind(out, complete_option(cmd, o));
			sbuf_addc(out, ' ');
		}
		sbuf_addf(out, "--%s:", o->name);
		add_kind(out, complete_option(cmd, o));
		sbuf_addc(out, ' ');
	}
	sbuf_adds(out, ")\n");
}

static void add_subs(const struct cmd *const *list, struct sbuf *out)
{
	sbuf_adds(out, "\t\tsubs=(");
	for (; *list; list++)
		if (!(*list)->hidden)
			sbuf_addf(out, "%s ", (*list)->name);
	sbuf_adds(out, ")\n");
}

static void add_cmd(const char *path, const struct cmd *cmd, void *arg)
{
	struct sbuf *out = arg;
	auto_strs struct strs kinds = { 0 };
	const struct cmd *const *list = complete_below(cmd);

	sbuf_addf(out, "\t'%s')\n", path);
	add_options(cmd, out);
	if (list) {
		add_subs(list, out);
	} else {
		complete_operands(cmd, &kinds);
		sbuf_adds(out, "\t\toperands=(");
		for (size_t i = 0; i < kinds.n; i++)
			sbuf_addf(out, "'%s' ", kinds.v[i]);
		sbuf_addf(out, ")\n%s", cmd->operands_end_options ? "\t\tends=1\n" : "");
	}
	sbuf_adds(out, "\t\t;;\n");
}

void complete_bash(struct sbuf *out)
{
	sbuf_adds(out, head);
	complete_each(add_cmd, out);
	sbuf_adds(out, tail);
}
