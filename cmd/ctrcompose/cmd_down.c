/* cmd_down.c - ctrcompose down: stop and remove all of a project. */
#include "online.h"
#include "store.h"

#include <string.h>

static struct {
	bool orphans, volumes;
	const char *rmi;
	int64_t timeout;
} arg = { .timeout = -1 };

static const struct opt opts[] = {
	{ 0, "remove-orphans", OPT_FLAG, &arg.orphans, NULL,
	  "Accepted for scripts: containers of services that the file no longer has go as well" },
	{ 0, "rmi", OPT_STRING, &arg.rmi, "WHICH", "Remove images of the services: local or all" },
	{ 't', "timeout", OPT_TIMEOUT, &arg.timeout, "SECONDS", "Grace period before SIGKILL" },
	{ 'v', "volumes", OPT_FLAG, &arg.volumes, NULL, "Remove named and anonymous volumes" },
};

static int remove_images(const struct project *p, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	int r;

	if (!arg.rmi || !p)
		return 0;
	r = cmd_image_store(&s, err);
	for (size_t i = 0; r == 0 && i < p->n_services; i++) {
		const struct service *svc = &p->services[i];
		auto_err struct err why = ERR_INIT;

		if (svc->image && strcmp(arg.rmi, "all") == 0 && !global.dry_run &&
		    image_remove(s, svc->image, false, NULL, NULL, &why) < 0)
			cmd_warn("%s", err_text(&why));
	}
	return r;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	auto_plan struct plan *plan = NULL;
	struct plan_options po = { .services = online_words(argv),
				   .remove_volumes = arg.volumes,
				   .remove_orphans = arg.orphans,
				   .grace_us = arg.timeout };
	int r;

	(void)argc;
	if (arg.rmi && strcmp(arg.rmi, "all") != 0 && strcmp(arg.rmi, "local") != 0)
		return usage_error(err, "invalid value for --rmi: '%s' (local or all)", arg.rmi);
	r = online_open(&o, err);
	if (r == 0)
		r = plan_down(o.project, o.state, &po, &plan, err);
	if (r == 0 && plan->actions.n == 0 && o.state->containers.n == 0)
		cmd_warn("No resource found to remove for project \"%s\".", o.name);
	if (r == 0)
		r = online_apply(&o, plan, "Running", err);
	return r < 0 ? r : remove_images(o.project, err);
}

const struct cmd cmd_down = {
	.name = "down",
	.summary = "Stop and remove containers and networks",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
