/* cmd_build.c - ctrcompose build: images of the services that have a build section. */
#include "building.h"

#include <string.h>

static struct {
	bool no_cache, quiet, dependencies;
	const char *progress;
	struct strs args;
} arg;

static const struct opt opts[] = {
	{ 0, "build-arg", OPT_LIST, &arg.args, "NAME=VALUE", "Set an argument of the Dockerfile" },
	{ 0, "no-cache", OPT_FLAG, &arg.no_cache, NULL, "Do every step again" },
	{ 0, "progress", OPT_STRING, &arg.progress, "KIND", NULL },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "Only show what fails" },
	{ 0, "with-dependencies", OPT_FLAG, &arg.dependencies, NULL,
	  "Also build what the services depend on" },
};

static int run(int argc, char **argv, struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	struct cmd_load how = { .services = argv, .only_services = arg.dependencies && argc };
	struct build_how b = { .services = arg.dependencies ? NULL : argv,
			       .no_cache = arg.no_cache,
			       .quiet = arg.quiet,
			       .args = &arg.args };
	size_t built = 0;
	int r;

	if (arg.progress)
		global.progress = arg.progress;
	r = online_open_file(&o, &how, err);
	if (r == 0)
		r = cmd_check_services(argv, o.project, NULL, err);
	if (r == 0)
		r = build_services(&o, &b, &built, err);
	if (r == 0 && built == 0)
		cmd_warn("No services to build");
	strs_clear(&arg.args);
	return r;
}

const struct cmd cmd_build = {
	.name = "build",
	.summary = "Build images of services",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
