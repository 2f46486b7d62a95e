/* cmd_down.c - ctrcompose down: stop and remove all of a project. */
#include "images/store.h"
#include "screen/screen.h"
#include "stack/online.h"

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

/* Local: called after project and service, for want of a name in the file. */
static bool is_local(const struct online *o, const char *service, const char *image)
{
	auto_free char *own = NULL;

	if (o->project)
		return compose_section(o->project, service, "build") &&
		       !compose_section(o->project, service, "image");
	own = xasprintf("%s-%s", o->name, service);
	return str_eq(image, own);
}

static void choose_image(const struct online *o, char *const *words, const char *service,
			 const char *image, struct strs *out)
{
	if (image && cmd_wants(words, service) && !strs_has(out, image) &&
	    (str_eq(arg.rmi, "all") || is_local(o, service, image)))
		strs_add(out, image);
}

static int remove_images(const struct strs *images, struct err *err)
{
	auto_image_store struct image_store *s = NULL;
	auto_progress struct progress *pg = NULL;
	auto_strs struct strs used = { 0 };
	int r = cmd_image_store(&s, err);

	if (r == 0)
		r = cmd_used_images(NULL, &used, err);
	if (r == 0)
		r = progress_open("Running", &pg, err);
	for (size_t i = 0; r == 0 && i < images->n; i++) {
		auto_image struct image *img = NULL;
		auto_err struct err why = ERR_INIT;
		const char *ref = images->v[i];

		if (image_find(s, ref, &img, NULL) < 0)
			continue;
		if (global.dry_run || image_remove(s, ref, false, &used, NULL, &why) == 0)
			progress_step(pg, "Image", ref, "Removed", NULL);
		else
			progress_step(pg, "Image", ref, "Skipped", err_text(&why));
	}
	return r;
}

/* Those of the file, else those of the containers that there were. */
static int remove_chosen(const struct online *o, char *const *words, struct err *err)
{
	auto_strs struct strs images = { 0 };
	const struct project *p = o->project;

	for (size_t i = 0; p && i < p->n_services; i++)
		choose_image(o, words, p->services[i].name, p->services[i].image, &images);
	for (size_t i = 0; !p && i < o->state->containers.n; i++)
		choose_image(o, words, o->state->containers.v[i]->service,
			     o->state->containers.v[i]->image, &images);
	return images.n ? remove_images(&images, err) : 0;
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
	return r < 0 || !arg.rmi ? r : remove_chosen(&o, argv, err);
}

const struct cmd cmd_down = {
	.name = "down",
	.summary = "Stop and remove containers and networks",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
