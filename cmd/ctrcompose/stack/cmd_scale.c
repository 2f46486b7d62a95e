/* cmd_scale.c - ctrcompose scale: another number of containers of some services. */
#include "images/building.h"

#include <stdlib.h>
#include <string.h>

static bool no_deps;

static const struct opt opts[] = {
	{ 0, "no-deps", OPT_FLAG, &no_deps, NULL, "Leave the services alone that these depend on" },
};

static int parse(char **argv, struct kv *scale, struct err *err)
{
	for (size_t i = 0; argv[i]; i++) {
		char *eq = strchr(argv[i], '=');
		uint64_t n;

		if (!eq || eq == argv[i] || parse_u64(eq + 1, &n) < 0)
			return usage_error(err, "scale needs SERVICE=N, not '%s'", argv[i]);
		*eq = '\0';
		scale[i] = (struct kv){ argv[i], eq + 1 };
	}
	return 0;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_free struct kv *scale = xcalloc((size_t)argc + 1, sizeof(*scale));
	auto_online struct online o = ONLINE_INIT;
	auto_plan struct plan *plan = NULL;
	struct cmd_load how = { .services = argv };
	struct plan_options po = { .services = online_words(argv),
				   .no_deps = no_deps,
				   .grace_us = -1,
				   .scale = scale,
				   .n_scale = (size_t)argc };
	int r = parse(argv, scale, err);

	if (r == 0)
		r = online_open_file(&o, &how, err);
	if (r == 0)
		r = images_identify(&o, err);
	if (r == 0)
		r = plan_up(o.project, o.state, &po, &plan, NULL, err);
	return r < 0 ? r : online_apply(&o, plan, "Running", err);
}

const struct cmd cmd_scale = {
	.name = "scale",
	.summary = "Change how many containers services have",
	.operands = "SERVICE=REPLICAS...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
