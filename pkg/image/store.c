/* store.c - the folders of the store, its lock, and what is swept; see image.h */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not searchable by others: layers hold set-id programs. */
static int open_folder(int dirfd, const char *name)
{
	int fd;

	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int image_store_open(int state_dirfd, const char *state_path, struct image_store **out,
		     struct err *err)
{
	static const char *const names[] = { "images", "layers", "images/blobs",
					     "images/blobs/sha256" };
	auto_image_store struct image_store *s = xcalloc(1, sizeof(*s));
	int fds[ARRAY_LEN(names)];

	s->images = s->layers = s->blobs = s->layers_path_fd = s->hold = -1;
	s->path = xstrdup(state_path);
	s->layers_path = path_join(state_path, "layers");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		fds[i] = open_folder(state_dirfd, names[i]);
		if (fds[i] < 0) {
			int r = fds[i];

			while (i-- > 0)
				(void)close(fds[i]);
			return err_set(err, r, "the image store in %s: %s", state_path,
				       strerror(-r));
		}
	}
	(void)close(fds[2]);
	s->images = fds[0];
	s->layers = fds[1];
	s->blobs = fds[3];
	s->layers_path_fd = openat(s->layers, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->layers_path_fd < 0)
		return err_errno(err, "%s", s->layers_path);
	*out = steal(s);
	return 0;
}

void image_store_close(struct image_store *s)
{
	if (!s)
		return;
	auto_close_fn(&s->images);
	auto_close_fn(&s->layers);
	auto_close_fn(&s->blobs);
	auto_close_fn(&s->layers_path_fd);
	auto_close_fn(&s->hold);
	free(s->path);
	free(s->layers_path);
	free(s);
}

void auto_image_store_fn(struct image_store **s)
{
	image_store_close(*s);
}

const char *image_layers_path(const struct image_store *s)
{
	return s->layers_path;
}

int image_layers_fd(const struct image_store *s)
{
	return s->layers_path_fd;
}

int store_lock(struct image_store *s, struct err *err)
{
	auto_close int fd =
		openat(s->images, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(err, "%s/images/lock", s->path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(err, "lock %s/images/lock", s->path);
	return steal_fd(&fd);
}

/* ---- Who counts on what it saw: layers that nothing names stay while somebody does -------------- */
static int open_hold(const struct image_store *s)
{
	return openat(s->images, "hold", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Before store_lock(): who has it all to itself has that one as well. */
static int hold(struct image_store *s, struct err *err)
{
	auto_close int fd = s->hold < 0 ? open_hold(s) : -1;

	if (s->hold >= 0)
		return 0;
	if (fd < 0)
		return err_errno(err, "%s/images/hold", s->path);
	while (flock(fd, LOCK_SH) < 0)
		if (errno != EINTR)
			return err_errno(err, "lock %s/images/hold", s->path);
	s->hold = steal_fd(&fd);
	return 0;
}

void store_release(struct image_store *s)
{
	if (s->building)
		return;
	auto_close_fn(&s->hold);
	s->hold = -1;
}

int store_alone(struct image_store *s)
{
	auto_close int fd = open_hold(s);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 ? steal_fd(&fd) : -1;
}

int image_hold(struct image_store *s, struct err *err)
{
	int r = hold(s, err);

	s->building = r == 0;
	return r;
}

int store_work_open(struct image_store *s, char **name, int *fd, struct err *err)
{
	/* Under the lock nobody sweeps between mkdir and flock. */
	int held = hold(s, err);
	auto_close int lock = held < 0 ? held : store_lock(s, err), work = -1;
	auto_free char *tmp = NULL;
	char id[17];

	if (lock < 0)
		return lock;
	id_random_hex(id, 16);
	tmp = xasprintf("tmp-%s", id);
	work = open_folder(s->layers, tmp);
	if (work < 0)
		return err_set(err, work, "%s/%s: %s", s->layers_path, tmp, strerror(-work));
	if (flock(work, LOCK_EX | LOCK_NB) < 0)
		return err_errno(err, "lock %s/%s", s->layers_path, tmp);
	*name = steal(tmp);
	*fd = steal_fd(&work);
	return 0;
}

void store_work_remove(struct image_store *s, const char *name)
{
	(void)path_remove_tree(s->layers, name);
	store_release(s);
}

/* First out of the name that readers know: a removal that is cut off must not leave half a layer
 * under the name of a whole one. */
static void remove_layer(struct image_store *s, const char *name)
{
	auto_free char *tmp = xasprintf("tmp-%s", name);

	(void)path_remove_tree(s->layers, tmp); /* of a removal that was cut off */
	if (renameat(s->layers, name, s->layers, tmp) == 0)
		(void)path_remove_tree(s->layers, tmp);
}

static void remove_if_dead(struct image_store *s, const char *name)
{
	auto_close int fd =
		openat(s->layers, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)path_remove_tree(s->layers, name);
}

/* Whatever the index names, as keys of one map: there may be thousands. */
static void named(const struct index *ix, struct map *blobs, struct map *layers)
{
	static char yes;

	for (size_t i = 0; i < ix->n; i++) {
		const struct index_image *img = &ix->v[i];

		map_put(blobs, img->id, &yes);
		map_put(blobs, img->manifest, &yes);
		for (size_t k = 0; k < img->layers.n; k++) {
			map_put(layers, img->layers.v[k].diff, &yes);
			map_put(blobs, img->layers.v[k].blob, &yes);
		}
	}
}

int store_names(int dirfd, struct strs *out)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir)
		return -errno;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			strs_add(out, e->d_name);
	(void)closedir(dir);
	return 0;
}

void store_sweep(struct image_store *s, const struct index *ix)
{
	auto_strs struct strs layers = { 0 }, blobs = { 0 }, own = { 0 };
	auto_map struct map cached = { 0 }, used_blobs = { 0 }, used_layers = { 0 };
	auto_close int alone = store_alone(s);

	store_cached_layers(s, &cached);
	named(ix, &used_blobs, &used_layers);
	if (store_names(s->layers, &layers) < 0 || store_names(s->blobs, &blobs) < 0)
		return;
	for (size_t i = 0; i < layers.n; i++) {
		const char *name = layers.v[i];

		if (str_starts(name, "tmp-"))
			remove_if_dead(s, name);
		else if (alone >= 0 && digest_hex_ok(name) && !map_has(&used_layers, name) &&
			 !map_has(&cached, name))
			remove_layer(s, name);
	}
	if (store_names(s->images, &own) == 0)
		for (size_t i = 0; i < own.n; i++) /* of a write that was cut off */
			if (strstr(own.v[i], ".tmp."))
				(void)unlinkat(s->images, own.v[i], 0);
	for (size_t i = 0; alone >= 0 && i < blobs.n; i++)
		if (!map_has(&used_blobs, blobs.v[i]))
			(void)unlinkat(s->blobs, blobs.v[i], 0);
}

int store_blob_read(struct image_store *s, const char *hex, char **text, size_t *len,
		    struct err *err)
{
	int r = file_read(s->blobs, hex, IMAGE_JSON_MAX, text, len);

	if (r < 0)
		return err_set(err, r, "%s/images/blobs/sha256/%s: %s", s->path, hex, strerror(-r));
	return 0;
}
