/* observe.c - looking at a project; see observe.h */
#include "containers/observe.h"
#include "containers/container.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

int observe(struct observed *o, char *const *services, struct err *err)
{
	int r = cmd_find_project(&o->name, &o->project, err);

	if (r == 0)
		r = state_paths_open(&o->paths, err);
	if (r == 0)
		r = cmd_load_state(&o->paths, o->name, &o->state, err);
	return r < 0 ? r : cmd_check_services(services, o->project, o->state, err);
}

int observe_again(struct observed *o, struct err *err)
{
	state_free(steal(o->state));
	return cmd_load_state(&o->paths, o->name, &o->state, err);
}

void observe_end(struct observed *o)
{
	state_free(o->state);
	project_free(o->project);
	free(o->name);
	state_paths_clear(&o->paths);
}

/* Lower goes first. */
static int compare(const struct state_container *a, const struct state_container *b)
{
	if (a->oneoff != b->oneoff)
		return a->oneoff ? 1 : -1;
	if (a->oneoff)
		return a->created_ns < b->created_ns ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

int observe_pick(const struct state_project *s, const struct pick *p, struct state_container **out,
		 struct err *err)
{
	struct state_container *found = NULL;

	for (size_t i = 0; i < s->containers.n; i++) {
		struct state_container *c = s->containers.v[i];

		if (!str_eq(c->service, p->service) || (c->oneoff && !p->oneoffs) ||
		    (p->running && !(container_is_up(c) && c->pid > 0)) ||
		    (p->index && (c->oneoff || c->number != p->index)))
			continue;
		if (!found || compare(c, found) < 0)
			found = c;
	}
	*out = found;
	if (found)
		return 0;
	if (p->index)
		return err_set(err, ENOENT, "service \"%s\" %s container #%lld", p->service,
			       p->running ? "is not running" : "has no", (long long)p->index);
	return err_set(err, ENOENT, "service \"%s\" %s", p->service,
		       p->running ? "is not running" : "has no container");
}

void observe_choose(const struct state_project *s, char *const *services, bool all,
		    struct chosen *out)
{
	for (size_t i = 0; i < s->containers.n; i++) {
		struct state_container *c = s->containers.v[i];

		if (cmd_wants(services, c->service) && (all || container_is_up(c)))
			*vec_push(out) = c;
	}
	containers_sort(out->v, out->n);
}

/* ---- Changes */
int observe_watch(const struct observed *o, struct err *err)
{
	auto_free char *run = state_run_dir(&o->paths, o->name);
	auto_free char *dir = path_join(run, "c");
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return err_errno(err, "watch the containers");
	(void)inotify_add_watch(fd, dir, IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE);
	(void)inotify_add_watch(fd, run, IN_MOVED_TO | IN_CREATE | IN_DELETE);
	return fd;
}

void observe_sleep(int watch, int timeout_ms)
{
	struct pollfd p = { .fd = watch, .events = POLLIN };
	char buf[4096];

	(void)poll(&p, 1, timeout_ms);
	while (read(watch, buf, sizeof(buf)) > 0)
		;
}

/* ---- Sizes as Docker prints them */
static void size_text(double v, double base, const char *const *units, size_t n, int digits,
		      char out[24])
{
	size_t u = 0;

	while (v >= base && u + 1 < n) {
		v /= base;
		u++;
	}
	(void)snprintf(out, 24, "%.*g%s", digits, v, units[u]);
}

void human_size(double bytes, int digits, char out[24])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };

	size_text(bytes, 1000, units, ARRAY_LEN(units), digits, out);
}

void binary_size(double bytes, char out[24])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

	size_text(bytes, 1024, units, ARRAY_LEN(units), 4, out);
}
