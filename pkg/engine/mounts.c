/* mounts.c - the service's volumes, binds and tmpfs as detached mounts for box */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void unit_mounts_clear(struct unit_mounts *m)
{
	for (size_t i = 0; i < m->n; i++)
		auto_close_fn(&m->v[i].fd);
	m->n = 0;
	arena_free(&m->arena);
}

static int volume_mount(struct unit *u, const struct engine_view *view, int root_fd,
			const struct state_mount *m, struct err *err)
{
	const struct service_mount *w = unit_wanted(u, m->target);
	auto_free char *path = xasprintf("%s/volumes/%s/_data", view->store, m->volume);
	struct rootfs_bind b = {
		.dirfd = AT_FDCWD, .path = path, .userns_fd = -1, .read_only = m->read_only
	};
	auto_close int dir = -1, sub = -1;
	auto_free char *plain =
		xasprintf("%s/volumes/%s/_data", u->engine->paths->state, m->volume);
	int r = unit_fill(u, view, root_fd, m, err);

	if (r == 0)
		r = unit_label_volume(u, plain, w, err);
	if (r < 0)
		return r;
	if (w && w->subpath) {
		dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		sub = dir < 0 ? -errno : path_open_in(dir, w->subpath, O_PATH | O_CLOEXEC, 0);
		if (sub < 0)
			return err_set(err, -sub, "volume %s has no '%s' (subpath of %s)",
				       m->volume, w->subpath, m->target);
		b.dirfd = sub;
		b.path = "";
	}
	return rootfs_bind(&b, err);
}

/* The map of ids for what this person owns. */
static int owner_map(struct engine *e, uint32_t base, uid_t uid, gid_t gid, struct err *err)
{
	int fd;

	for (size_t i = 0; i < e->owners.n; i++)
		if (e->owners.v[i].uid == uid && e->owners.v[i].gid == gid)
			return e->owners.v[i].fd;
	fd = rootfs_userns_owner(base, STATE_UID_COUNT, uid, gid, true, err);
	if (fd >= 0)
		*vec_push(&e->owners) = (struct engine_owner){ uid, gid, fd };
	return fd;
}

int unit_bind_map(struct unit *u, const struct engine_view *view, const char *path,
		  const struct stat *st, int *userns_fd, struct err *err)
{
	int map;

	*userns_fd = -1;
	if (view->userns_fd < 0)
		return 0;
	map = st->st_uid == 0 ? view->userns_fd
			      : owner_map(u->engine, view->uid_base, st->st_uid, st->st_gid, err);
	if (map < 0)
		return map;
	if (rootfs_idmap_supported(path, map))
		*userns_fd = map;
	else
		log_line(LOG_WARN,
			 "%s: the file system of %s can't map ids: its files belong to nobody "
			 "inside",
			 u->c->name, path);
	return 0;
}

static int bind_mount(struct unit *u, const struct engine_view *view, const struct state_mount *m,
		      struct err *err)
{
	const struct service_mount *w = unit_wanted(u, m->target);
	auto_close int source = unit_host_path(u, m->source, w && w->create_host_path, err);
	struct rootfs_bind b = { .dirfd = source,
				 .path = "",
				 .userns_fd = -1,
				 .read_only = m->read_only,
				 .recursive = !w || !w->top_only,
				 .top_read_only = w && w->top_read_only,
				 .slave = w && w->propagation && strstr(w->propagation, "slave"),
				 .devices = u->svc->privileged };
	struct stat st;
	int r;

	if (source < 0)
		return err_wrap(err, source, "container %s: bind mount", u->c->name);
	if (fstat(source, &st) < 0)
		return err_errno(err, "container %s: bind mount of %s", u->c->name, m->source);
	r = unit_label_bind(u, source, m->source, w, err);
	if (r == 0)
		r = unit_bind_map(u, view, m->source, &st, &b.userns_fd, err);
	if (r < 0)
		return r;
	r = rootfs_bind(&b, err);
	return r < 0 ? err_wrap(err, r, "container %s: bind mount of %s", u->c->name, m->source)
		     : r;
}

/* What is at `part` inside of a detached mount; NULL: all of it. Takes fd over. */
static int take_part(struct unit *u, int fd, const char *part, const struct state_mount *m,
		     struct err *err)
{
	auto_free char *place = xasprintf("%s/containers/%s", u->engine->paths->state, u->c->id);
	auto_close int whole = fd;
	int r;

	if (whole < 0 || !part)
		return steal_fd(&whole);
	r = rootfs_part(whole, place, part, err);
	return r < 0 ? err_set(err, r, "container %s: %s has no '%s' (subpath of %s): %s",
			       u->c->name, m->source, part, m->target, strerror(-r))
		     : r;
}

static int make_empty(const struct unit *u, const char *name, struct err *err)
{
	auto_free char *path = path_join(u->engine->paths->state, name);

	return mkdir(path, 0755) < 0 && errno != EEXIST ? err_errno(err, "make %s", path) : 0;
}

int unit_image_root(struct unit *u, const struct engine_view *view, const struct image *img,
		    struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct rootfs_overlay o = { .store = view->store,
				    .uid = view->uid_base,
				    .gid = view->uid_base,
				    .context = unit_file_label(u) };
	auto_free char *empty = xasprintf("containers/%s/empty", u->c->id);
	int r;

	o.lower = unit_layers(&a, img, &o.n_lower);
	r = unit_label_layers(u, o.lower, o.n_lower, err);
	if (r == 0 && o.context && o.n_lower == 1)
		r = make_empty(u, empty, err);
	if (r < 0)
		return r;
	o.empty = empty;
	return rootfs_overlay(&o, err);
}

static int image_mount(struct unit *u, const struct engine_view *view, const struct state_mount *m,
		       struct err *err)
{
	const struct service_mount *w = unit_wanted(u, m->target);
	auto_image struct image *img = NULL;
	int r = image_find(u->engine->images, m->source, &img, err);

	if (r < 0)
		return err_wrap(err, r, "container %s: the image on %s", u->c->name, m->target);
	return take_part(u, unit_image_root(u, view, img, err), w ? w->subpath : NULL, m, err);
}

static int fs_mount(struct unit *u, const struct engine_view *view, const struct state_mount *m,
		    struct err *err)
{
	const struct service_mount *w = unit_wanted(u, m->target);
	struct rootfs_fs f = { .source = m->source,
			       .read_only = m->read_only,
			       .userns_fd = view->userns_fd };
	int fd;

	if (!w)
		return err_set(err, EINVAL, "container %s: %s is not a volume of its service",
			       u->c->name, m->target);
	f.type = w->fs_type;
	f.options = w->fs_options;
	fd = rootfs_fs(&f, err);
	if (fd < 0)
		return err_wrap(err, fd, "container %s: mount %s (%s) on %s", u->c->name, m->source,
				w->fs_type, m->target);
	return take_part(u, fd, w->subpath, m, err);
}

static const char *tmpfs_options(struct arena *a, const struct service_mount *w)
{
	auto_sbuf struct sbuf b = SBUF_INIT;

	if (!w)
		return "";
	if (w->tmpfs_size)
		sbuf_addf(&b, ",size=%llu", (unsigned long long)w->tmpfs_size);
	if (w->tmpfs_mode)
		sbuf_addf(&b, ",mode=%o", w->tmpfs_mode);
	if (w->tmpfs_options)
		sbuf_addf(&b, ",%s", w->tmpfs_options);
	return b.len ? arena_strdup(a, sbuf_str(&b) + 1) : "";
}

int unit_mounts_make(struct unit *u, const struct engine_view *view, int root_fd,
		     struct unit_mounts *out, struct err *err)
{
	size_t n = u->c->mounts.n;

	*out = (struct unit_mounts){ 0 };
	out->v = arena_array(&out->arena, n + 1, sizeof(*out->v));
	for (size_t i = 0; i < n; i++) {
		const struct state_mount *m = &u->c->mounts.v[i];
		struct box_mount *b = &out->v[out->n++];

		*b = (struct box_mount){ .target = m->target, .fd = -1 };
		if (str_eq(m->kind, "tmpfs")) {
			b->tmpfs = tmpfs_options(&out->arena, unit_wanted(u, m->target));
			b->read_only = m->read_only;
			continue;
		}
		if (m->volume)
			b->fd = volume_mount(u, view, root_fd, m, err);
		else if (str_eq(m->kind, "image"))
			b->fd = image_mount(u, view, m, err);
		else if (str_eq(m->kind, "fs"))
			b->fd = fs_mount(u, view, m, err);
		else
			b->fd = bind_mount(u, view, m, err);
		if (b->fd < 0)
			return b->fd;
	}
	return 0;
}
