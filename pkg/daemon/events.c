/* events.c - what happens to containers, as lines of JSON in a bounded file that `events` reads; see
 * supervisor.h. Lines of one turn of the loop are written at once. */
#include "supervisor.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVENTS_FILE_MAX = 1 << 20 };

void event_note(struct sup *s, const struct state_container *c, const char *action, const char *key,
		const char *value)
{
	auto_json struct json *o = json_object();
	auto_free char *text = NULL;
	char now[RFC3339_LEN];
	struct json *attributes;

	format_rfc3339(now_real_ns(), now);
	json_add_str(o, "time", now);
	json_add_str(o, "type", "container");
	json_add_str(o, "service", c->service);
	json_add_str(o, "id", c->id);
	json_add_str(o, "action", action);
	attributes = json_add_object(o, "attributes");
	if (key)
		json_add_str(attributes, key, value);
	json_add_str(attributes, "image", c->image ? c->image : "");
	json_add_str(attributes, "name", state_own_name(c));
	text = json_print(o);
	sbuf_addf(&s->events, "%s\n", text);
}

void events_flush(struct sup *s)
{
	auto_free char *dir = state_project_dir(s->args->paths, s->args->project);
	auto_free char *path = path_join(dir, "events"), *old = path_join(dir, "events.1");
	auto_close int fd = -1;
	struct stat st;

	if (s->events.len == 0)
		return;
	if (stat(path, &st) == 0 && st.st_size > EVENTS_FILE_MAX)
		(void)rename(path, old);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)fd_write_all(fd, s->events.s, s->events.len);
	sbuf_clear(&s->events);
}
