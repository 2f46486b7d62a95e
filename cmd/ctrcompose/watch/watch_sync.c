/* watch_sync.c - files of this host into the containers of a service; see watch_rules.h */
#include "files/copying.h"
#include "stack/online.h"
#include "watch/watch_rules.h"

#include <ctrcompose/engine.h>
#include <ctrcompose/rootfs.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void watch_tell(const char *fmt, ...)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	va_list ap;

	if (global.dry_run)
		sbuf_adds(&text, "DRY-RUN MODE - ");
	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	sbuf_addc(&text, '\n');
	(void)fd_write_all(STDERR_FILENO, sbuf_str(&text), text.len);
}

struct sync {
	const struct state_paths *paths;
	struct state_project *state;
	struct state_container *c;
	const struct rule *rule;
};

static char *parent_of(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash + 1;
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* The folder that rel is in: whoever writes there, a container with it as a volume among them, leads us
 * nowhere else. */
static int open_source(const struct rule *rule, const char *rel, const char **name)
{
	const char *slash = strrchr(rel, '/');
	auto_free char *above = NULL;
	auto_close int root = -1;

	if (!*rel) {
		above = parent_of(rule->path, name);
		return open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	*name = slash ? slash + 1 : rel;
	above = slash ? xstrndup(rel, (size_t)(slash - rel)) : xstrdup(".");
	root = open(rule->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : path_open_in(root, above, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static int sync_one(const struct sync *s, const struct engine_root *root, const char *rel,
		    struct err *err)
{
	auto_free char *joined = *rel ? path_join(s->rule->target, rel) : xstrdup(s->rule->target);
	auto_free char *to = path_clean(joined);
	const char *from_name, *to_name;
	auto_free char *to_dir = parent_of(to, &to_name);
	auto_close int source = open_source(s->rule, rel, &from_name), dest = -1;
	struct copying c = { .to_shift = root->shift };
	struct stat st;
	int r;

	if (source < 0 || fstatat(source, from_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		dest = path_open_in(root->fd, to_dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		r = dest < 0 ? 0 : path_remove_tree(dest, to_name);
		return r < 0 ? err_set(err, r, "remove %s: %s", to, strerror(-r)) : 0;
	}
	dest = path_mkdirs_in(root->fd, to_dir, 0755);
	if (dest < 0)
		return err_set(err, dest, "make %s: %s", to_dir, strerror(-dest));
	return S_ISDIR(st.st_mode) ? ((void)mkdirat(dest, to_name, 0755), 0)
				   : copy_entry(&c, source, from_name, dest, to_name, err);
}

static int sync_apart(void *data, struct err *err)
{
	const struct sync *s = data;
	struct engine_root root;
	int r = engine_root_open(s->paths, s->state, s->c, &root, err);

	if (r < 0)
		return r;
	rootfs_act_as(root.shift, root.shift);
	for (size_t i = 0; r == 0 && i < s->rule->changed.n; i++)
		r = sync_one(s, &root, s->rule->changed.v[i], err);
	return r;
}

int watch_sync(const char *project, const struct rule *rule, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_state struct state_project *state = NULL;
	size_t n = 0;
	int r = state_paths_open(&paths, err);

	if (r == 0)
		r = cmd_load_state(&paths, project, &state, err);
	for (size_t i = 0; r == 0 && i < state->containers.n; i++) {
		struct sync s = { &paths, state, state->containers.v[i], rule };

		if (s.c->oneoff || s.c->status != STATE_RUNNING ||
		    !str_eq(s.c->service, rule->service))
			continue;
		r = global.dry_run ? 0 : cmd_apart(sync_apart, &s, err);
		n++;
	}
	if (r == 0)
		watch_tell("Syncing %zu file%s to %zu container%s of %s", rule->changed.n,
			   rule->changed.n == 1 ? "" : "s", n, n == 1 ? "" : "s", rule->service);
	return r;
}
