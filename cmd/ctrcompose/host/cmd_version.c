/* cmd_version.c - ctrcompose version. */
#include "cmd.h"

static struct {
	bool short_form;
	const char *format;
} arg;

static const struct opt opts[] = {
	{ 'f', "format", OPT_STRING, &arg.format, "FORMAT", "pretty or json" },
	{ 0, "short", OPT_FLAG, &arg.short_form, NULL, "Only the number" },
};

static int run(int argc, char **argv, struct err *err)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	(void)argc;
	(void)argv;
	if (arg.format && !str_eq(arg.format, "pretty") && !str_eq(arg.format, "json"))
		return usage_error(err, "--format: '%s' is neither pretty nor json", arg.format);
	if (arg.short_form)
		sbuf_adds(&out, CTRCOMPOSE_VERSION "\n");
	else if (str_eq(arg.format, "json"))
		sbuf_adds(&out, "{\"version\":\"" CTRCOMPOSE_VERSION "\"}\n");
	else
		sbuf_adds(&out, "ctrcompose version " CTRCOMPOSE_VERSION "\n");
	return cmd_print(&out, err);
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "Show the version",
	CMD_OPTS(opts),
	.run = run,
};
