/* cmd_completion.c - ctrcompose completion: the script that teaches a shell our command line. */
#include "complete/complete.h"

static const struct {
	const char *shell;
	void (*print)(struct sbuf *out);
} shells[] = {
	{ "bash", complete_bash },
	{ "zsh", complete_zsh },
	{ "fish", complete_fish },
};

static int run(int argc, char **argv, struct err *err)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	(void)argc;
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (str_eq(shells[i].shell, argv[0]))
			shells[i].print(&out);
	if (out.len == 0)
		return usage_error(err, "there is no completion for '%s': bash, zsh, fish",
				   argv[0]);
	return cmd_print(&out, err);
}

const struct cmd cmd_completion = {
	.name = "completion",
	.summary = "Print the script that completes command lines in bash, zsh or fish",
	.operands = "SHELL",
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
