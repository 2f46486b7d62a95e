/* changes.c - see changes.h. Folders that come are watched from then on, and what is in them already
 * has changed. */
#include "watch/changes.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define WANTED                                                                               \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | \
	 IN_EXCL_UNLINK)
enum { DEPTH_MAX = 100 };

struct changes {
	int fd;
	struct {
		struct watched {
			int wd;
			char *path;
		} * v;
		size_t n, cap;
	} dirs;
	changes_skip_fn *skip;
	void *skip_arg;
	struct map seen; /* paths of this round */
};

int changes_open(changes_skip_fn *skip, void *arg, struct changes **out, struct err *err)
{
	struct changes *c = xcalloc(1, sizeof(*c));

	c->skip = skip;
	c->skip_arg = arg;
	c->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (c->fd < 0) {
		free(c);
		return err_errno(err, "watch files");
	}
	*out = c;
	return 0;
}

void changes_close(struct changes *c)
{
	if (!c)
		return;
	(void)close(c->fd);
	for (size_t i = 0; i < c->dirs.n; i++)
		free(c->dirs.v[i].path);
	free(c->dirs.v);
	map_clear(&c->seen);
	free(c);
}

static struct watched *find(struct changes *c, int wd)
{
	for (size_t i = c->dirs.n; i-- > 0;)
		if (c->dirs.v[i].wd == wd)
			return &c->dirs.v[i];
	return NULL;
}

static void note(struct changes *c, const char *path, struct strs *out)
{
	if (!out || map_has(&c->seen, path))
		return;
	map_put(&c->seen, path, c);
	strs_add(out, path);
}

/* out: what is in it goes there; NULL: it was there before. */
static int add_tree(struct changes *c, const char *path, unsigned depth, struct strs *out,
		    struct err *err)
{
	struct watched *known;
	struct dirent *e;
	DIR *dir;
	int wd, r = 0;

	if (depth > DEPTH_MAX || c->skip(c->skip_arg, path))
		return 0;
	wd = inotify_add_watch(c->fd, path, WANTED);
	if (wd < 0 && errno == ENOSPC)
		return err_set(err, ENOSPC,
			       "watch %s: the limit of watched folders is reached: raise "
			       "fs.inotify.max_user_watches, or ignore more",
			       path);
	if (wd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, "watch %s", path);
	known = find(c, wd);
	if (known) { /* it was moved */
		free(known->path);
		known->path = xstrdup(path);
	} else {
		*vec_push(&c->dirs) = (struct watched){ wd, xstrdup(path) };
	}
	dir = opendir(path);
	while (r == 0 && dir && (e = readdir(dir))) {
		auto_free char *below = path_join(path, e->d_name);
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    lstat(below, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			r = add_tree(c, below, depth + 1, out, err);
		else
			note(c, below, out);
	}
	if (dir)
		(void)closedir(dir);
	return r;
}

int changes_add(struct changes *c, const char *path, struct err *err)
{
	auto_free char *folder = xstrdup(path);
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(err, "watch %s", path);
	if (!S_ISDIR(st.st_mode))
		*strrchr(folder, '/') = '\0';
	return S_ISDIR(st.st_mode) ? add_tree(c, path, 0, NULL, err)
				   : add_tree(c, *folder ? folder : "/", DEPTH_MAX, NULL, err);
}

static int take(struct changes *c, const struct inotify_event *e, struct strs *paths, bool *lost,
		struct err *err)
{
	const struct watched *w = find(c, e->wd);
	auto_free char *path = NULL;

	if (e->mask & IN_Q_OVERFLOW)
		*lost = true;
	if (!w || !e->len)
		return 0;
	path = path_join(w->path, e->name);
	if ((e->mask & IN_ISDIR) && (e->mask & (IN_CREATE | IN_MOVED_TO))) {
		note(c, path, paths);
		return add_tree(c, path, 0, paths, err);
	}
	note(c, path, paths);
	return 0;
}

static int take_all(struct changes *c, struct strs *paths, bool *lost, struct err *err)
{
	_Alignas(struct inotify_event) char buf[16384];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(c->fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; r == 0 && p < buf + n;) {
			const struct inotify_event *e = (const void *)p;

			r = take(c, e, paths, lost, err);
			p += sizeof(*e) + e->len;
		}
	return r;
}

int changes_wait(struct changes *c, int quiet_ms, int long_ms, struct strs *paths, bool *lost,
		 struct err *err)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	uint64_t began = 0;
	int r = 0, wait = -1;

	*lost = false;
	map_clear(&c->seen);
	while (r == 0 && poll(&p, 1, wait) > 0) {
		r = take_all(c, paths, lost, err);
		if (!began)
			began = now_mono_us();
		wait = now_mono_us() - began > (uint64_t)long_ms * 1000 ? 0 : quiet_ms;
		if (wait == 0)
			break;
	}
	return r;
}
