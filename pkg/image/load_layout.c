/* load_layout.c - one image of an OCI layout that is a folder; see image.h, load.h */
#include "load.h"

#include <ctrcompose/archive.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Somebody else's folder: no link of it leads out, and what is no file is not there. */
static int open_file(const struct load *l, const char *path, off_t max)
{
	auto_close int fd = path_open_in(l->folder, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (max && st.st_size > max))
		return -ENOENT;
	return steal_fd(&fd);
}

void load_folder_text(struct load *l, const char *path)
{
	auto_close int fd = -1;
	struct text t = { 0 };
	struct text *kept;

	if (map_has(&l->texts, path))
		return;
	fd = open_file(l, path, IMAGE_JSON_MAX);
	if (fd < 0 || file_read_fd(fd, IMAGE_JSON_MAX, &t.s, &t.len) < 0)
		return;
	kept = xcalloc(1, sizeof(*kept));
	*kept = t;
	map_put(&l->texts, path, kept);
}

void load_folder_layer(struct load *l, const char *path)
{
	auto_free char *dir = xasprintf("%zu", l->layers.n);
	auto_err struct err why = ERR_INIT;
	auto_close int fd = -1;
	struct new_layer *y;

	if (map_has(&l->layers, path))
		return;
	fd = open_file(l, path, 0);
	if (fd < 0)
		return;
	y = xcalloc(1, sizeof(*y));
	if (layer_unpack(l->work, dir, true, archive_source_fd, &fd, y, &why) < 0)
		y->problem = xstrdup(err_text(&why));
	map_put(&l->layers, path, y);
}

int image_load_layout(struct image_store *s, const struct image_layout *which, char id[65],
		      struct err *err)
{
	struct load l = { .store = s,
			  .what = which->path,
			  .work = -1,
			  .in_folder = true,
			  .nameless = true,
			  .folder = open(which->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	auto_free char *name = NULL;
	int r = l.folder < 0 ? err_errno(err, "the OCI layout %s", which->path)
			     : store_work_open(s, &name, &l.work, err);

	if (r == 0)
		r = index_read(s, &l.index, err);
	if (r == 0)
		r = load_choose(&l, which, err);
	if (r == 0)
		r = store_commit(s, l.work, &l.images, err);
	if (r == 0)
		memcpy(id, l.images.v[0].id, DIGEST_HEX);
	if (name)
		store_work_remove(s, name);
	load_clear(&l);
	auto_close_fn(&l.folder);
	return r;
}
