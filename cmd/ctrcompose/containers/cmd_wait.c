/* cmd_wait.c - ctrcompose wait: until the containers of services have ended. */
#include "containers/container.h"
#include "containers/observe.h"
#include "stack/online.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool down_project;

static const struct opt opts[] = {
	{ 0, "down-project", OPT_FLAG, &down_project, NULL,
	  "Take the project down when the first container stops" },
};

struct waited { /* a container and whether its end was told */
	char *id;
	bool ended;
};
struct wait {
	struct waited *v;
	size_t n, cap, ended;
	int status; /* of the one that ended last */
	uint64_t last_ns;
};

static struct state_container *by_id(const struct state_project *s, const char *id)
{
	for (size_t i = 0; i < s->containers.n; i++)
		if (strcmp(s->containers.v[i]->id, id) == 0)
			return s->containers.v[i];
	return NULL;
}

/* Containers that run; a service without one that does is represented by its last end. */
static void choose(const struct state_project *s, char *const *services, struct wait *w)
{
	for (size_t i = 0; i < s->containers.n; i++) {
		const struct state_container *c = s->containers.v[i];

		if (cmd_wants(services, c->service) &&
		    (container_is_up(c) || (!c->oneoff && c->finished_ns > 0)))
			*vec_push(w) = (struct waited){ .id = xstrdup(c->id) };
	}
}

static int tell(const char *id, int code, struct err *err)
{
	auto_sbuf struct sbuf line = SBUF_INIT;

	sbuf_addf(&line, "container \"%s\" exited with status code %d\n", id, code);
	return cmd_print(&line, err);
}

static int look(struct wait *w, const struct state_project *s, struct err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct state_container *c = by_id(s, w->v[i].id);
		int r;

		if (w->v[i].ended || (c && container_is_up(c)))
			continue;
		w->v[i].ended = true;
		w->ended++;
		if (!c)
			continue; /* removed: nobody knows how it ended */
		r = tell(c->id, c->exit_code, err);
		if (r < 0)
			return r;
		if (c->finished_ns >= w->last_ns) {
			w->last_ns = c->finished_ns;
			w->status = c->exit_code;
		}
	}
	return 0;
}

static int take_down(struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	auto_plan struct plan *plan = NULL;
	struct plan_options po = { .grace_us = -1, .remove_orphans = true };
	int r = online_open(&o, err);

	if (r == 0)
		r = plan_down(o.project, o.state, &po, &plan, err);
	return r < 0 ? r : online_apply(&o, plan, "Running", err);
}

static int wait_all(struct observed *o, struct wait *w, struct err *err)
{
	enum { LOOK_AGAIN_MS = 2000 }; /* a record may go in a way that no watch sees */
	auto_close int watch = observe_watch(o, err);
	int r = watch < 0 ? watch : observe_again(o, err);

	while (r == 0) {
		r = look(w, o->state, err);
		if (r < 0 || w->ended == w->n || (down_project && w->ended > 0))
			break;
		observe_sleep(watch, LOOK_AGAIN_MS);
		if (cmd_cancelled)
			return -EINTR;
		r = observe_again(o, err);
	}
	return r;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	struct wait w = { 0 };
	int r = observe(&o, argv, err);

	(void)argc;
	cmd_catch_interrupts();
	if (r == 0)
		choose(o.state, argv, &w);
	if (r == 0 && w.n == 0)
		r = err_set(err, ENOENT, "no containers for project \"%s\"%s", o.name,
			    o.state->containers.n ? " have run of these services" : "");
	if (r == 0)
		r = wait_all(&o, &w, err);
	for (size_t i = 0; i < w.n; i++)
		free(w.v[i].id);
	free(w.v);
	if (r == 0 && down_project)
		r = take_down(err);
	return r < 0 ? r : w.status;
}

const struct cmd cmd_wait = {
	.name = "wait",
	.summary = "Wait until the containers of services have stopped",
	.operands = "SERVICE [SERVICE...]",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
