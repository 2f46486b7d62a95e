/* embed.c - a program of one's own that brings a compose project up: a test fixture, say.
 *
 *     embed FILE           what is in it and what `up` would do; needs no root
 *     embed FILE up|down   do it
 */
#include <ctrcompose/ctrcompose.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int load(const char *file, struct project **out, struct err *err)
{
	const char *files[] = { file };
	struct compose_options opt = { .files = { .v = files, .n = 1 },
				       .environ = (const char *const *)environ };
	auto_diags struct compose_diags diags = { 0 };
	int r = compose_load(&opt, out, &diags, err);

	for (size_t i = 0; i < diags.warnings.n; i++)
		fprintf(stderr, "warning: %s\n", diags.warnings.v[i]);
	return r < 0 ? r : compose_check_supported(*out, err);
}

static void tell(const struct project *p)
{
	for (size_t i = 0; i < p->n_services; i++)
		printf("service %s, image %s\n", p->services[i].name, p->services[i].image);
}

/* Ordered by the actions each one waits for; the supervisor begins all that are free at once. */
static void show(const struct plan *plan)
{
	for (size_t i = 0; i < plan->actions.n; i++)
		if (plan->actions.v[i].op != PLAN_WAIT)
			printf("would do: %s %s %s\n", plan_kind(plan->actions.v[i].op),
			       plan->actions.v[i].name, plan_done(plan->actions.v[i].op));
}

static void step(void *arg, const struct daemon_progress *p)
{
	(void)arg;
	printf("%s %s %s\n", p->kind, p->name, p->status);
}

static int apply(const struct state_paths *paths, const struct plan *plan, struct err *err)
{
	auto_daemon struct daemon_client *c = NULL;
	int r = daemon_connect(paths, plan->project, &c, err);

	return r < 0 ? r : daemon_apply(c, plan, step, NULL, NULL, err);
}

/* What is there, then from there to what is wanted; the lock keeps other commands away. */
static int change(const struct project *p, bool up, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_state struct state_project *have = NULL;
	auto_plan struct plan *plan = NULL;
	auto_close int lock = -1;
	struct plan_options opt = { .grace_us = -1, .wait = up };
	int r = state_paths_open(&paths, err);

	if (r == 0)
		r = state_lock(&paths, p->name, UINT64_MAX, &lock, err);
	if (r == 0)
		r = state_load(&paths, p->name, &have, err);
	if (r == -ENOENT) {
		err_clear(err);
		have = state_new(p->name);
		r = 0;
	}
	if (r == 0)
		r = state_refresh(&paths, have, NULL, err);
	if (r == 0)
		r = up ? plan_up(p, have, &opt, &plan, NULL, err)
		       : plan_down(p, have, &opt, &plan, err);
	return r < 0 ? r : apply(&paths, plan, err);
}

static int dry(const struct project *p, struct err *err)
{
	auto_state struct state_project *nothing = state_new(p->name);
	auto_plan struct plan *plan = NULL;
	struct plan_options opt = { .grace_us = -1 };
	int r = plan_up(p, nothing, &opt, &plan, NULL, err);

	if (r == 0)
		show(plan);
	return r;
}

int main(int argc, char **argv)
{
	auto_err struct err err = ERR_INIT;
	auto_project struct project *p = NULL;
	bool up = argc == 3 && strcmp(argv[2], "up") == 0;
	bool down = argc == 3 && strcmp(argv[2], "down") == 0;
	int r;

	if (argc != 2 && !up && !down) {
		fprintf(stderr, "usage: embed FILE [up|down]\n");
		return 2;
	}
	r = load(argv[1], &p, &err);
	if (r == 0 && argc == 2)
		tell(p);
	if (r == 0)
		r = argc == 2 ? dry(p, &err) : change(p, up, &err);
	if (r < 0)
		fprintf(stderr, "embed: %s\n", err_text(&err));
	return r < 0;
}
