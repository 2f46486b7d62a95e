/* observe.c - what a container uses, seen from outside of its supervisor; see engine.h */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* engine_peek() without its image, which may be gone. */
static int group_of(const struct state_paths *paths, struct state_project *state,
		    struct state_container *c, struct engine **e, char **path, struct err *err)
{
	struct unit *u = NULL;
	int r = engine_peek(paths, state, c, e, &u, err);

	if (r == 0)
		*path = unit_cgroup(u);
	if (u)
		engine_unit_free(u);
	return r;
}

int engine_pids(const struct state_paths *paths, struct state_project *state,
		struct state_container *c, pid_t **out, size_t *n, struct err *err)
{
	auto_free char *path = NULL;
	struct engine *e = NULL;
	int r = group_of(paths, state, c, &e, &path, err);

	if (r == 0)
		r = cgroup_pids(e->cgroups, path, out, n, err);
	engine_close(e);
	return r;
}

static uint64_t counter(const char *link, const char *what)
{
	auto_free char *path = xasprintf("/sys/class/net/%s/statistics/%s", link, what);
	auto_free char *text = NULL;
	uint64_t v = 0;

	if (file_read(AT_FDCWD, path, 64, &text, NULL) == 0) {
		text[strcspn(text, "\n")] = '\0';
		(void)parse_u64(text, &v);
	}
	return v;
}

int engine_usage(const struct state_paths *paths, struct state_project *state,
		 struct state_container *c, struct engine_usage *out, struct err *err)
{
	auto_free char *path = NULL;
	struct engine *e = NULL;
	struct cgroup_stats st = { 0 };
	int r = group_of(paths, state, c, &e, &path, err);

	if (r == 0)
		r = cgroup_stats(e->cgroups, path, &st, err);
	engine_close(e);
	if (r < 0)
		return r;
	*out = (struct engine_usage){
		.memory = st.memory_current > st.memory_inactive_file
				  ? st.memory_current - st.memory_inactive_file
				  : 0,
		.memory_limit = st.memory_limit,
		.cpu_us = st.cpu_usec,
		.pids = st.pids_current,
		.io_counted = st.io_counted,
		.io_read = st.io_read,
		.io_written = st.io_written,
	};
	/* What the host's side sends is what the container receives. */
	for (size_t i = 0; i < c->endpoints.n; i++) {
		if (!c->endpoints.v[i].host_if)
			continue;
		out->net_in += counter(c->endpoints.v[i].host_if, "tx_bytes");
		out->net_out += counter(c->endpoints.v[i].host_if, "rx_bytes");
	}
	return 0;
}
