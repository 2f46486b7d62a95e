/* record.c - a record that somebody deletes while its project runs is written again */
#include "supervisor.h"

#include <string.h>

static void on_deleted(void *arg, uint32_t mask, const char *name)
{
	auto_err struct err err = ERR_INIT;
	struct sup *s = arg;

	(void)mask;
	if (strcmp(name, "state.json") != 0 || s->forget || s->state->containers.n == 0)
		return;
	log_line(LOG_WARN, "%s: somebody deleted the record: written again", s->args->project);
	if (sup_save(s, &err) < 0)
		log_line(LOG_ERROR, "%s: %s", s->args->project, err_text(&err));
}

void record_watch(struct sup *s)
{
	auto_free char *dir = state_project_dir(s->args->paths, s->args->project);
	auto_err struct err err = ERR_INIT;

	/* Another program has used up the limit of watches, say: that is no reason not to run. */
	if (loop_watch_add(s->loop, dir, IN_DELETE | IN_MOVED_FROM, on_deleted, s, NULL, &err) < 0)
		log_line(LOG_WARN, "%s: the record is not watched: %s", s->args->project,
			 err_text(&err));
}
