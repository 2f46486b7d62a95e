/* complete.h - what can stand where on the command line, from the tables of the commands. */
#ifndef CMD_COMPLETE_H
#define CMD_COMPLETE_H

#include "cmd.h"

/* What a word can be, by the name the scripts have for it: "service", "image", "volume", "network",
 * "project", "profile", "container", "scale" (SERVICE=N), "copy" (SERVICE:PATH), "file", "folder",
 * "none", or "=a b c" for one out of these. */
const char *complete_option(const struct cmd *cmd, const struct opt *o);
/* Of the operands in turn; the last one holds for all that follow. */
void complete_operands(const struct cmd *cmd, struct strs *kinds);
/* Calls fn for the program itself (path "") and each command and subcommand ("image ls"), shown ones
 * only. */
typedef void complete_fn(const char *path, const struct cmd *cmd, void *arg);
void complete_each(complete_fn *fn, void *arg);

/* The commands below one, or below the program itself (cmd_global); NULL ends them, and is the answer
 * where there are none. */
const struct cmd *const *complete_below(const struct cmd *cmd);

void complete_bash(struct sbuf *out);
void complete_zsh(struct sbuf *out);
void complete_fish(struct sbuf *out);

#endif
