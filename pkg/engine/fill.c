/* fill.c - what the image has at a mount point goes into the volume that is mounted there, while that is
 * empty; see private.h and engine.h */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than that is copied by a process of its own: it would take longer than 10 ms or so. */
enum { MUCH_ENTRIES = 500, MUCH_BYTES = 16 << 20, DEPTH_MAX = 64 };

const struct service_mount *unit_wanted(const struct unit *u, const char *target)
{
	for (size_t i = 0; i < u->svc->n_mounts; i++)
		if (strcmp(u->svc->mounts[i].target, target) == 0)
			return &u->svc->mounts[i];
	return NULL;
}

static bool may_fill(const struct unit *u, const struct state_mount *m)
{
	const struct service_mount *w = unit_wanted(u, m->target);

	/* A rehearsal looks for what is to be mounted, and else changes nothing. */
	return m->volume && !(w && w->nocopy) && !(u->rehearsing && !(w && w->subpath));
}

int unit_fill(struct unit *u, const struct engine_view *view, int root_fd,
	      const struct state_mount *m, struct err *err)
{
	auto_close int src = -1;

	if (!may_fill(u, m))
		return 0;
	src = path_open_in(root_fd, m->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (src < 0)
		return 0; /* the image has nothing there */
	return volume_copy_up(u->engine->volumes, m->volume, src, view->uid_base, NULL, err);
}

struct amount {
	size_t entries;
	uint64_t bytes;
};

static bool is_much(const struct amount *a)
{
	return a->entries > MUCH_ENTRIES || a->bytes > MUCH_BYTES;
}

static void count(int fd, struct amount *a, unsigned depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;
	struct stat st;

	if (!dir) {
		(void)close(fd);
		return;
	}
	while (!is_much(a) && (d = readdir(dir))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		a->entries++;
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			a->bytes += (uint64_t)st.st_size;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			int below = openat(dirfd(dir), d->d_name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (below >= 0)
				count(below, a, depth + 1);
		}
	}
	(void)closedir(dir);
}

/* A guess, by what the layers have there, each for itself. */
static bool layers_have_much(const struct unit *u, const char *target)
{
	struct amount a = { 0 };

	for (size_t i = 0; i < u->image->layers.n && !is_much(&a); i++) {
		auto_close int layer =
			openat(image_layers_fd(u->engine->images), u->image->layers.v[i],
			       O_PATH | O_DIRECTORY | O_CLOEXEC);
		int fd = layer < 0 ? layer
				   : path_open_in(layer, target, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
						  0);

		if (fd >= 0)
			count(fd, &a, 0);
	}
	return is_much(&a);
}

bool engine_fills_much(struct unit *u)
{
	struct engine_view view;

	for (size_t i = 0; i < u->c->mounts.n; i++) {
		const struct state_mount *m = &u->c->mounts.v[i];

		if (!may_fill(u, m) || volume_is_filled(u->engine->volumes, m->volume))
			continue;
		if (!u->image && image_find(u->engine->images, u->c->image_id, &u->image, NULL) < 0)
			return false;
		/* What is attached for it stays attached here, for the process that fills. */
		if (layers_have_much(u, m->target) &&
		    engine_view(u->engine, u->svc, &view, NULL) == 0)
			return true;
	}
	return false;
}

int engine_fill(struct unit *u, struct err *err)
{
	auto_close int root = -1;
	struct engine_view view;
	int r = engine_view(u->engine, u->svc, &view, err);

	if (r == 0)
		r = root = unit_image_root(u, &view, u->image, err);
	for (size_t i = 0; r >= 0 && i < u->c->mounts.n; i++)
		r = unit_fill(u, &view, root, &u->c->mounts.v[i], err);
	return r < 0 ? r : 0;
}
