/* root.c - the file system of a container for those outside of it; see engine.h */
#include "private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the first line: "0 100000 65536". */
static uint32_t first_id(pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/uid_map", (int)pid);
	auto_free char *text = NULL;
	unsigned inside, outside;

	if (file_read(AT_FDCWD, path, 4096, &text, NULL) < 0 ||
	    sscanf(text, "%u %u", &inside, &outside) != 2 || inside != 0)
		return 0;
	return outside;
}

static int of_process(const struct state_container *c, struct engine_root *out, struct err *err)
{
	auto_free char *path = xasprintf("/proc/%d/root", (int)c->pid);
	uint64_t start = 0;

	out->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* The pid may be another's by now: look at it after its root was opened. */
	if (out->fd < 0 || proc_start_time(c->pid, &start) < 0 || start != c->start_time)
		return err_set(err, ESRCH, "container %s has just ended", c->name);
	out->shift = first_id(c->pid);
	return 0;
}

/* As overlay: with frozen, what the container has written is one more layer below nothing. */
static int of_layers(const struct state_paths *paths, struct state_project *state,
		     struct state_container *c, bool frozen, int *out, struct err *err)
{
	auto_free char *upper = xasprintf("containers/%s/upper", c->id);
	auto_free char *work = xasprintf("containers/%s/work", c->id);
	auto_arena struct arena a = { 0 };
	struct rootfs_overlay o = { .store = paths->state };
	struct engine *e = NULL;
	struct unit *u = NULL;
	const char **lower;
	int r = rootfs_enter_private(err);

	if (r == 0)
		r = engine_peek(paths, state, c, &e, &u, err);
	if (r == 0) {
		lower = arena_array(&a, u->image->layers.n + 2, sizeof(*lower));
		for (size_t i = 0; i < u->image->layers.n; i++)
			lower[o.n_lower++] = arena_printf(&a, "layers/%s", u->image->layers.v[i]);
		if (frozen)
			lower[o.n_lower++] = upper;
		o.lower = lower;
		o.upper = frozen ? NULL : upper;
		o.work = frozen ? NULL : work;
		o.context = frozen ? NULL : unit_file_label(u);
		*out = rootfs_overlay(&o, err);
		r = *out < 0 ? *out : 0;
	}
	if (u)
		engine_unit_free(u);
	engine_close(e);
	return r;
}

int engine_root_open(const struct state_paths *paths, struct state_project *state,
		     struct state_container *c, struct engine_root *out, struct err *err)
{
	*out = (struct engine_root){ .fd = -1 };
	return c->pid > 0 ? of_process(c, out, err)
			  : of_layers(paths, state, c, false, &out->fd, err);
}

int engine_root_frozen(const struct state_paths *paths, struct state_project *state,
		       struct state_container *c, struct err *err)
{
	int fd = -1, r = of_layers(paths, state, c, true, &fd, err);

	return r < 0 ? r : fd;
}

int engine_upper_open(const struct state_paths *paths, const struct state_container *c,
		      struct err *err)
{
	auto_free char *path = xasprintf("%s/containers/%s/upper", paths->state, c->id);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open %s", path) : fd;
}
