/* cmd_pull.c - ctrcompose pull and push: the images of services from and to their registries. */
#include "images/cmd_image.h"
#include "images/pulling.h"
#include "screen/screen.h"

#include <ctrcompose/yaml.h>
#include <stdlib.h>
#include <string.h>

static struct {
	bool ignore_buildable, ignore_failures, deps, quiet, parallel, no_parallel;
	const char *policy;
} arg;

static const struct opt opts[] = {
	{ 0, "ignore-buildable", OPT_FLAG, &arg.ignore_buildable, NULL,
	  "Leave out images that can be built" },
	{ 0, "ignore-pull-failures", OPT_FLAG, &arg.ignore_failures, NULL,
	  "Pull what can be pulled" },
	{ 0, "include-deps", OPT_FLAG, &arg.deps, NULL, "Also what the services depend on" },
	{ 0, "no-parallel", OPT_FLAG, &arg.no_parallel, NULL, NULL },
	{ 0, "parallel", OPT_FLAG, &arg.parallel, NULL, NULL },
	{ 0, "policy", OPT_STRING, &arg.policy, "POLICY", "missing or always" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "No progress lines" },
};

static const struct opt push_opts[] = {
	{ 0, "ignore-push-failures", OPT_FLAG, &arg.ignore_failures, NULL,
	  "Push what can be pushed" },
	{ 0, "include-deps", OPT_FLAG, &arg.deps, NULL, "Also what the services depend on" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "No progress lines" },
};

/* Services that were named, and with --include-deps what they depend on: that is all the loader
 * left. */
static int load(char **argv, struct project **out, struct err *err)
{
	struct cmd_load how = { .services = argv, .only_services = argv[0] && arg.deps };
	int r = cmd_load_project_with(&how, out, err);

	return r < 0 ? r : cmd_check_services(argv, *out, NULL, err);
}

static bool wanted(char **argv, const struct service *svc)
{
	return svc->image && (arg.deps || cmd_wants(argv, svc->name));
}

static bool is_there(struct image_store *s, const char *ref)
{
	auto_image struct image *img = NULL;

	return image_find(s, ref, &img, NULL) == 0;
}

/* The first failure is the command's; the others were shown. */
static void failed(int r, struct err *first, struct err *why)
{
	if (arg.ignore_failures && r != -EINTR)
		cmd_warn("%s", err_text(why));
	else if (!first->code)
		(void)err_set(first, r, "%s", err_text(why));
}

/* What is not fetched, and is shown as skipped. */
static bool skipped(struct image_store *store, const struct service *svc, bool built)
{
	return (built && arg.ignore_buildable) || str_eq(svc->pull_policy, "never") ||
	       str_eq(svc->pull_policy, "build") ||
	       (str_eq(arg.policy, "missing") && is_there(store, svc->image));
}

static void pull_wanted(char **argv, const struct project *p, struct image_store *store,
			struct progress *pg, struct pull_jobs *jobs)
{
	auto_strs struct strs asked = { 0 };

	for (size_t i = 0; i < p->n_services; i++) {
		const struct service *svc = &p->services[i];

		if (!wanted(argv, svc) || strs_has(&asked, svc->image))
			continue;
		strs_add(&asked, svc->image);
		if (!skipped(store, svc, compose_section(p, svc->name, "build") != NULL))
			pull_jobs_add(jobs, svc->image, pull_platform(p, svc->name))->may_fail =
				true;
		else if (pg)
			progress_step(pg, "Image", svc->image, "Skipped", NULL);
	}
}

/* The first service that has the image and can build it; or NULL. */
static const char *builder(const struct project *p, const char *image)
{
	for (size_t i = 0; i < p->n_services; i++)
		if (str_eq(p->services[i].image, image) &&
		    compose_section(p, p->services[i].name, "build"))
			return p->services[i].name;
	return NULL;
}

static int pull_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	auto_progress struct progress *pg = NULL;
	auto_project struct project *p = NULL;
	auto_pull_jobs struct pull_jobs jobs = { 0 };
	int r;

	(void)argc;
	if (arg.policy && strcmp(arg.policy, "missing") != 0 && strcmp(arg.policy, "always") != 0)
		return usage_error(err, "--policy: '%s' is neither missing nor always", arg.policy);
	r = load(argv, &p, err);
	if (r == 0)
		r = lock_images(p, err);
	if (r == 0)
		r = cmd_image_store(&store, err);
	if (r == 0 && !arg.quiet)
		r = progress_open("Pulling", &pg, err);
	if (r < 0)
		return r;
	pull_wanted(argv, p, store, pg, &jobs);
	pull_jobs_run(&jobs, pg);
	r = pull_jobs_failed(&jobs, err);
	for (size_t i = 0; r == 0 && i < jobs.n; i++) {
		struct pull_job *job = &jobs.v[i];
		const char *by = builder(p, job->ref);

		if (job->result < 0 && by)
			cmd_warn("image %s must be built: ctrcompose build %s", job->ref, by);
		if (job->result < 0)
			failed(job->result, err, &job->err);
	}
	return r < 0 ? r : err->code;
}

const struct cmd cmd_pull = {
	.name = "pull",
	.summary = "Fetch the images of services from their registries",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = pull_run,
};

/* ---- push ------------------------------------------------------------------------------------- */
/* By its name, then by the others that its build section gives it. */
static int push_service(struct image_store *store, const struct project *p,
			const struct service *svc, struct progress *pg, struct err *err)
{
	const struct yaml_node *tags = yaml_get(compose_section(p, svc->name, "build"), "tags");
	int r = push_image(store, svc->image, pg, err);

	for (size_t i = 0; r == 0 && tags && tags->type == YAML_LIST && i < tags->m.n; i++) {
		const char *tag = yaml_str(tags->m.v[i].value);

		if (tag && strcmp(tag, svc->image) != 0)
			r = push_image(store, tag, pg, err);
	}
	return r;
}

static int push_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	auto_progress struct progress *pg = NULL;
	auto_project struct project *p = NULL;
	size_t pushed = 0;
	int r = load(argv, &p, err);

	(void)argc;
	if (r == 0)
		r = cmd_image_store(&store, err);
	if (r == 0 && !arg.quiet)
		r = progress_open("Pushing", &pg, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->n_services && !cmd_cancelled; i++) {
		const struct service *svc = &p->services[i];
		auto_err struct err why = ERR_INIT;

		/* What was not made here is not ours to push, what has no name is for nobody. */
		if (!wanted(argv, svc) || !compose_section(p, svc->name, "build") ||
		    !compose_section(p, svc->name, "image"))
			continue;
		pushed++;
		r = push_service(store, p, svc, pg, &why);
		if (r < 0)
			failed(r, err, &why);
	}
	if (pushed == 0)
		cmd_note("no image to push: %s has both build and image",
			 argv[0] ? "none of these services" : "no service");
	return err->code;
}

const struct cmd cmd_push = {
	.name = "push",
	.summary = "Push the images that services build to their registries",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(push_opts),
	.run = push_run,
};

/* ---- image pull, image push ------------------------------------------------------------------- */
static const char *platform;

static const struct opt image_pull_opts[] = {
	{ 0, "platform", OPT_STRING, &platform, "OS/ARCH", "Not this machine's own" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "No progress lines" },
};

static int image_pull_run(int argc, char **argv, struct err *err)
{
	auto_progress struct progress *pg = NULL;
	auto_pull_jobs struct pull_jobs jobs = { 0 };
	int r = arg.quiet ? 0 : progress_open("Pulling", &pg, err);

	if (r < 0)
		return r;
	for (int i = 0; i < argc; i++)
		(void)pull_jobs_add(&jobs, argv[i], platform);
	pull_jobs_run(&jobs, pg);
	return pull_jobs_failed(&jobs, err);
}

const struct cmd image_pull_cmd = {
	.name = "pull",
	.summary = "Fetch images from their registries",
	.operands = "NAME[:TAG|@DIGEST]...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(image_pull_opts),
	.run = image_pull_run,
};

static const struct opt image_push_opts[] = {
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "No progress lines" },
};

static int image_push_run(int argc, char **argv, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	auto_progress struct progress *pg = NULL;
	int r = cmd_image_store(&store, err);

	if (r == 0 && !arg.quiet)
		r = progress_open("Pushing", &pg, err);
	for (int i = 0; r == 0 && i < argc; i++)
		r = push_image(store, argv[i], pg, err);
	return r;
}

const struct cmd image_push_cmd = {
	.name = "push",
	.summary = "Push images to the registries that their names say",
	.operands = "NAME[:TAG]...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(image_push_opts),
	.run = image_push_run,
};
