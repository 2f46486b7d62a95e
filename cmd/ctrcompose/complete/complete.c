/* complete.c - what a word of the command line can be; see complete.h */
#include "complete/complete.h"

#include <string.h>

/* By the command's and the option's name: one out of a few words, or a kind that its argument's name
 * does not tell. */
static const struct {
	const char *cmd, *option, *kind;
} options[] = {
	{ "config", "format", "=yaml json" },
	{ "ctrcompose", "project-name", "project" },
	{ "ctrcompose", "profile", "profile" },
	{ NULL, "ansi", "=auto never always" },
	{ NULL, "format", "=table json" },
	{ NULL, "progress", "=auto tty plain json quiet" },
	{ NULL, "pull", "=always missing never build" },
	{ NULL, "policy", "=missing always" },
	{ NULL, "rmi", "=local all" },
	{ NULL, "signal", "=SIGHUP SIGINT SIGQUIT SIGKILL SIGUSR1 SIGUSR2 SIGTERM" },
	{ NULL, "status", "=created running paused restarting exited dead removing" },
	{ NULL, "type", "=container network volume image" },
};

/* By how the help names a word. */
static const struct {
	const char *word, *kind;
} words[] = {
	{ "SERVICE", "service" },
	{ "SERVICES", "service" },
	{ "SERVICE=N", "scale" },
	{ "SERVICE=REPLICAS", "scale" },
	{ "SERVICE:SRC", "copy" },
	{ "SHELL", "=bash zsh fish" },
	{ "VOLUME", "volume" },
	{ "NETWORK", "network" },
	{ "IMAGE", "image" },
	{ "NAME[:TAG]", "image" },
	{ "NAME[:TAG|@DIGEST]", "image" },
	{ "NAME|ID", "container" },
	{ "FILE", "file" },
	{ "FILE|FOLDER|-", "file" },
	{ "COMMAND", "file" },
	{ "ARG", "file" },
	{ "FOLDER", "folder" },
	{ "DIR", "folder" },
};

static const char *kind_of_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].kind;
	return "none";
}

const char *complete_option(const struct cmd *cmd, const struct opt *o)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(options[i].option, o->name) == 0 &&
		    (!options[i].cmd || strcmp(options[i].cmd, cmd->name) == 0))
			return options[i].kind;
	return o->arg ? kind_of_word(o->arg) : "none";
}

void complete_operands(const struct cmd *cmd, struct strs *kinds)
{
	bool repeats = true;

	for (const char *p = cmd->operands; p && *p;) {
		size_t n = strcspn(p, " ");
		size_t from = *p == '[', to = n;

		if (n - from > 1 && p[to - 1] == ']' && from)
			to--;
		repeats = to > 3 && strncmp(p + to - 3, "...", 3) == 0;
		if (repeats)
			to -= 3;
		{
			auto_free char *word = xstrndup(p + from, to - from);

			strs_add(kinds, kind_of_word(word));
		}
		/* SRC and DEST of cp are the same both ways round. */
		if (strcmp(kinds->v[kinds->n - 1], "copy") == 0)
			return;
		p += n;
		p += strspn(p, " ");
	}
	if (!repeats || kinds->n == 0)
		strs_add(kinds, "none");
}

const struct cmd *const *complete_below(const struct cmd *cmd)
{
	return cmd == &cmd_global ? cmd_all : cmd->subs;
}

static void each(const char *before, const struct cmd *const *list, complete_fn *fn, void *arg)
{
	for (; list && *list; list++) {
		auto_free char *path =
			xasprintf("%s%s%s", before, *before ? " " : "", (*list)->name);

		if ((*list)->hidden)
			continue;
		fn(path, *list, arg);
		each(path, (*list)->subs, fn, arg);
	}
}

void complete_each(complete_fn *fn, void *arg)
{
	fn("", &cmd_global, arg);
	each("", cmd_all, fn, arg);
}
