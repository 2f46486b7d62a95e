/* hostpath.c - files of the host that a service names, where a container may have put a link in their place
 *
 * A container that has ./data as a volume can make ./data/sub a link to /etc. Where ./data/sub is a volume,
 * too, or a secret, the next start would hand it out: so what is below of what some container of the project
 * may write has to be there when the links were followed as well.
 */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

bool path_is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strcmp(folder, "/") == 0 ||
	       (strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

/* The outermost folder around path that a container writes to; NULL: none. */
static const char *written_around(const struct state_project *p, const char *path,
				  const struct state_container **who)
{
	const char *found = NULL;

	for (size_t i = 0; i < p->containers.n; i++)
		for (size_t k = 0; k < p->containers.v[i]->mounts.n; k++) {
			const struct state_mount *m = &p->containers.v[i]->mounts.v[k];

			if (!str_eq(m->kind, "bind") || m->read_only || !m->source ||
			    strcmp(m->source, path) == 0 || !path_is_below(path, m->source) ||
			    (found && strlen(found) <= strlen(m->source)))
				continue;
			found = m->source;
			*who = p->containers.v[i];
		}
	return found;
}

/* Not openat(O_PATH): what is mounted on demand is to be mounted. */
static int open_host(const char *path)
{
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int make_folder(const char *around, const char *path)
{
	auto_close int top = around ? open_host(around) : -1, fd = -1;

	if (!around)
		return path_mkdirs(path, 0755);
	fd = top < 0 ? top : path_mkdirs_in(top, path + strlen(around), 0755);
	return fd < 0 ? fd : 0;
}

int unit_host_path(const struct unit *u, const char *path, bool make, struct err *err)
{
	const struct state_container *who = NULL;
	const char *around = written_around(u->engine->state, path, &who);
	auto_free char *real = NULL, *real_around = NULL;
	auto_close int fd = open_host(path), top = -1;
	int r;

	if (fd == -ENOENT && make) {
		r = make_folder(around, path);
		if (r < 0)
			return err_set(err, r, "make %s: %s", path, strerror(-r));
		fd = open_host(path);
	}
	if (fd < 0)
		return err_set(err, fd, "%s: %s", path, strerror(-fd));
	if (!around)
		return steal_fd(&fd);
	top = open_host(around);
	real = fd_path(fd);
	real_around = top < 0 ? NULL : fd_path(top);
	if (real && real_around && path_is_below(real, real_around))
		return steal_fd(&fd);
	return err_set(err, EPERM,
		       "%s leads to %s, out of %s, where container %s may write: name %s itself if "
		       "that is what is meant",
		       path, real ? real : "somewhere", around, who->name,
		       real ? real : "the other place");
}
