/* cmd_build.c - ctrcompose build: images of the services that have a build section. */
#include "images/building.h"
#include "images/pulling.h"
#include "images/store.h"
#include "screen/screen.h"

#include <stdlib.h>
#include <string.h>

static struct {
	bool no_cache, quiet, dependencies, pull, push, print, check, old;
	const char *progress, *memory, *builder, *provenance, *sbom;
	struct strs args, ssh;
} arg;

static const struct opt opts[] = {
	{ 0, "build-arg", OPT_LIST, &arg.args, "NAME=VALUE", "Set an argument of the Dockerfile" },
	{ 0, "builder", OPT_STRING, &arg.builder, "NAME", NULL },
	{ 0, "check", OPT_FLAG, &arg.check, NULL,
	  "Only read the Dockerfiles and say what is wrong" },
	{ 0, "compress", OPT_FLAG, &arg.old, NULL, NULL },
	{ 0, "force-rm", OPT_FLAG, &arg.old, NULL, NULL },
	{ 'm', "memory", OPT_STRING, &arg.memory, "BYTES", "Limit of memory for each RUN" },
	{ 0, "no-cache", OPT_FLAG, &arg.no_cache, NULL, "Do every step again" },
	{ 0, "no-rm", OPT_FLAG, &arg.old, NULL, NULL },
	{ 0, "parallel", OPT_FLAG, &arg.old, NULL, NULL },
	{ 0, "print", OPT_FLAG, &arg.print, NULL,
	  "Print what would be built, as a file for docker buildx bake" },
	{ 0, "progress", OPT_STRING, &arg.progress, "KIND", NULL },
	{ 0, "provenance", OPT_STRING, &arg.provenance, "KIND", NULL },
	{ 0, "pull", OPT_FLAG, &arg.pull, NULL,
	  "Ask registries for newer images that builds begin with" },
	{ 0, "push", OPT_FLAG, &arg.push, NULL, "Push what was built and has a name" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "Only show what fails" },
	{ 0, "sbom", OPT_STRING, &arg.sbom, "KIND", NULL },
	{ 0, "ssh", OPT_COMMAS, &arg.ssh, "ID[=SOCKET]",
	  "Agents for RUN --mount=type=ssh; default: the one of SSH_AUTH_SOCK" },
	{ 0, "with-dependencies", OPT_FLAG, &arg.dependencies, NULL,
	  "Also build what the services depend on" },
};

static bool is_off(const char *text)
{
	return !text || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

static int check(uint64_t *memory, struct err *err)
{
	if (arg.builder)
		return usage_error(err,
				   "--builder %s: ctrcompose builds by itself, there is no "
				   "other builder to choose",
				   arg.builder);
	if (!is_off(arg.provenance) || !is_off(arg.sbom))
		return usage_error(err, "--%s: attestations are not made",
				   is_off(arg.sbom) ? "provenance" : "sbom");
	if (arg.check && (arg.push || arg.print))
		return usage_error(err, "--check builds nothing: --%s can't go with it",
				   arg.push ? "push" : "print");
	if (arg.memory && parse_bytes(arg.memory, memory) < 0)
		return usage_error(err, "--memory: '%s' is not a size like 512m", arg.memory);
	return 0;
}

/* ---- Without building ------------------------------------------------------------------------- */
/* Each of them is looked at, also when an earlier one is wrong. */
static int check_files(struct build_requests *rq, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	auto_sbuf struct sbuf text = SBUF_INIT;
	struct image_work *work = NULL;
	size_t wrong = 0;
	int r = cmd_image_store(&store, err);

	if (r == 0)
		r = build_fetch(store, rq->v, rq->n, global.offline, &rq->arena, &work, err);
	for (size_t i = 0; r == 0 && i < rq->n; i++) {
		auto_strs struct strs refs = { 0 };
		auto_err struct err why = ERR_INIT;

		if (build_inputs(rq->v, rq->n, i, NULL, &refs, &why) < 0)
			sbuf_addf(&text, "%s%s", wrong++ ? "\n" : "", err_text(&why));
	}
	image_work_close(work);
	if (r == 0 && wrong)
		r = err_set(err, EINVAL, "%s", sbuf_str(&text));
	if (r < 0)
		return r;
	sbuf_addf(&text, "Check complete, no problems found in %zu build%s.\n", rq->n,
		  rq->n == 1 ? "" : "s");
	return cmd_print(&text, err);
}

static int look(const struct cmd_load *how, struct build_how *b, char **argv, struct err *err)
{
	auto_project struct project *p = NULL;
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct build_requests rq = { 0 };
	int r = cmd_load_project_with(how, &p, err);

	if (r == 0)
		r = cmd_check_services(argv, p, NULL, err);
	if (r == 0)
		r = compose_check_supported(p, err);
	b->only_read = true;
	if (r == 0)
		r = build_collect(&rq, p, NULL, b, err);
	if (r == 0 && rq.n == 0)
		cmd_warn("No services to build");
	if (r == 0 && arg.print) {
		build_print(p, &rq, arg.push, &out);
		r = cmd_print(&out, err);
	} else if (r == 0) {
		r = check_files(&rq, err);
	}
	arena_free(&rq.arena);
	return r;
}

/* ---- Building --------------------------------------------------------------------------------- */
/* What has no name of its own in the file is not for others. */
static int push_built(const struct project *p, const struct build_how *b, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	auto_progress struct progress *pg = NULL;
	struct build_requests rq = { 0 };
	struct build_how how = { .services = b->services, .only_read = true };
	int r = cmd_image_store(&store, err);

	if (r == 0)
		r = build_collect(&rq, p, NULL, &how, err);
	if (r == 0 && !arg.quiet)
		r = progress_open("Pushing", &pg, err);
	for (size_t i = 0; r == 0 && i < rq.n; i++) {
		const struct build_request *req = &rq.v[i];

		if (!compose_section(p, req->name, "image"))
			continue;
		for (size_t k = 0; r == 0 && k < req->tags.n; k++)
			r = push_image(store, req->tags.v[k], pg, err);
	}
	arena_free(&rq.arena);
	return r;
}

static int build(const struct cmd_load *how, struct build_how *b, char **argv, struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	size_t built = 0;
	int r = online_open_file(&o, how, err);

	if (r == 0)
		r = cmd_check_services(argv, o.project, NULL, err);
	if (r == 0)
		r = build_services(&o, b, &built, err);
	if (r == 0 && built == 0)
		cmd_warn("No services to build");
	if (r == 0 && arg.push)
		r = push_built(o.project, b, err);
	return r;
}

static int run(int argc, char **argv, struct err *err)
{
	struct cmd_load how = { .services = argv, .only_services = arg.dependencies && argc };
	struct build_how b = { .services = arg.dependencies ? NULL : argv,
			       .no_cache = arg.no_cache,
			       .pull = arg.pull,
			       .quiet = arg.quiet,
			       .ssh = &arg.ssh,
			       .args = &arg.args };
	int r = check(&b.memory, err);

	if (arg.progress)
		global.progress = arg.progress;
	arg.print |= !arg.check && global.dry_run;
	if (r == 0)
		r = arg.print || arg.check ? look(&how, &b, argv, err) : build(&how, &b, argv, err);
	strs_clear(&arg.args);
	strs_clear(&arg.ssh);
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
