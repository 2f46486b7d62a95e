/* trash.c - what is much to remove goes beside the loop: renamed at once, removed by another process; see
 * engine.h */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SMALL = 2000 }; /* entries that are removed at once: about 10 ms */

/* ".gone.shop.ID"; project NULL: of all of them. */
static char *prefix(const char *project)
{
	return project ? xasprintf(".gone.%s.", project) : xstrdup(".gone.");
}

static int open_containers(const struct state_paths *paths)
{
	auto_free char *path = path_join(paths->state, "containers");
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static char *name_of_gone(const struct engine *e, const char *name)
{
	auto_free char *gone = prefix(e->state->name);

	return xasprintf("%s%s", gone, name);
}

int trash_put(struct engine *e, int containers, const char *name)
{
	auto_free char *to = name_of_gone(e, name);
	int r = path_remove_small(containers, name, SMALL);

	if (r == 0)
		return 0;
	/* What can't be removed is tried again, by the next supervisor. */
	if (renameat(containers, name, containers, to) < 0)
		return path_remove_tree(containers, name);
	e->trash |= r == -EAGAIN;
	return r == -EAGAIN ? 0 : r;
}

int trash_volume(struct engine *e, const char *name, const struct strs *users, struct err *err)
{
	int r = volume_remove_small(e->volumes, name, users, SMALL, err);
	auto_free char *to = NULL;
	auto_close int dir = -1;

	if (r != -EAGAIN)
		return r;
	if (err)
		err_clear(err);
	dir = open_containers(e->paths);
	to = name_of_gone(e, name);
	if (dir < 0 || volume_move(e->volumes, name, dir, to) < 0)
		return volume_remove(e->volumes, name, NULL, err);
	e->trash = true;
	return 0;
}

/* Its folder; NULL: there is none. */
static DIR *open_trash(const struct state_paths *paths)
{
	int fd = open_containers(paths);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		(void)close(fd);
	return dir;
}

/* The next one, by its name. */
static const char *next_gone(DIR *dir, const char *gone)
{
	struct dirent *d;

	while ((d = readdir(dir)))
		if (str_starts(d->d_name, gone))
			return d->d_name;
	return NULL;
}

void trash_look(struct engine *e)
{
	auto_free char *gone = prefix(e->state->name);
	DIR *dir = open_trash(e->paths);

	e->trash = dir && next_gone(dir, gone);
	if (dir)
		(void)closedir(dir);
}

bool engine_take_trash(struct engine *e)
{
	bool trash = e->trash;

	e->trash = false;
	return trash;
}

int engine_empty_trash(const struct state_paths *paths, const char *project)
{
	auto_free char *gone = prefix(project);
	DIR *dir = open_trash(paths);
	const char *name;
	int failed = 0;

	while (dir && (name = next_gone(dir, gone))) {
		int r = path_remove_tree(dirfd(dir), name);

		if (r < 0)
			failed = r;
	}
	if (dir)
		(void)closedir(dir);
	return failed;
}
