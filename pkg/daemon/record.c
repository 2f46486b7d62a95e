/* record.c - a record that somebody deletes while its project runs is written again */
#include "supervisor.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

static bool says_deleted(const char *buf, ssize_t n)
{
	bool deleted = false;

	for (const char *p = buf; p < buf + n;) {
		const struct inotify_event *e = (const void *)p;

		deleted |= e->len && strcmp(e->name, "state.json") == 0;
		p += sizeof(*e) + e->len;
	}
	return deleted;
}

static void on_change(void *arg, uint32_t events)
{
	_Alignas(struct inotify_event) char buf[4096];
	auto_err struct err err = ERR_INIT;
	struct sup *s = arg;
	bool deleted = false;
	ssize_t n;

	(void)events;
	while ((n = read(s->record_fd, buf, sizeof(buf))) > 0)
		deleted |= says_deleted(buf, n);
	if (!deleted || s->forget || s->state->containers.n == 0)
		return;
	log_line(LOG_WARN, "%s: somebody deleted the record: written again", s->args->project);
	if (sup_save(s, &err) < 0)
		log_line(LOG_ERROR, "%s: %s", s->args->project, err_text(&err));
}

int record_watch(struct sup *s, struct err *err)
{
	auto_free char *dir = state_project_dir(s->args->paths, s->args->project);

	s->record_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->record_fd < 0 ||
	    inotify_add_watch(s->record_fd, dir, IN_DELETE | IN_MOVED_FROM) < 0) {
		/* Another program has used up the limit of watches: that is no reason not to run. */
		log_line(LOG_WARN, "%s: the record is not watched: %s", s->args->project,
			 strerror(errno));
		auto_close_fn(&s->record_fd);
		s->record_fd = -1;
		return 0;
	}
	return loop_io_add(s->loop, s->record_fd, EPOLLIN, on_change, s, NULL, err);
}
