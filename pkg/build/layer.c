/* layer.c - what a step wrote becomes a layer; keys of steps */
#include "private.h"

#include <ctrcompose/archive.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { DEPTH_MAX = 400 };

/* ---- Keys ------------------------------------------------------------------------------------- */
void key_add(struct digest *d, const char *s)
{
	digest_add(d, s ? s : "", s ? strlen(s) + 1 : 1);
}

void stage_chain(const struct stage *s, struct digest *d)
{
	key_add(d, "1");
	for (size_t i = 0; i < s->layers.n; i++)
		key_add(d, s->layers.v[i].diff);
	key_add(d, "");
}

void stage_add_layer(struct stage *s, const struct image_layer *l)
{
	if (strcmp(l->created, s->created) > 0)
		(void)snprintf(s->created, sizeof(s->created), "%.35s", l->created);
	if (*l->diff)
		*vec_push(&s->layers) = *l;
}

static bool never_cached(const struct stage *s)
{
	const struct list *l = &s->b->req->no_cache_stages;
	auto_free char *number = xasprintf("%zu", s->index);

	for (size_t i = 0; i < l->n; i++)
		if ((s->def->name && strcasecmp(s->def->name, l->v[i]) == 0) ||
		    strcmp(number, l->v[i]) == 0)
			return true;
	return false;
}

bool stage_cached(struct stage *s, const char *key, const char *by)
{
	struct image_layer l;

	if (s->b->req->no_cache || never_cached(s) ||
	    (!image_cache_find(s->b->all->w->images, key, &l) &&
	     (!build_cache_ask(s->b->all, key) ||
	      !image_cache_find(s->b->all->w->images, key, &l))))
		return false;
	stage_add_layer(s, &l);
	(void)image_steps_add(&s->b->steps, key, &l);
	config_history(s, by, !*l.diff);
	step_event(s, BUILD_CACHED, NULL, 0);
	s->cached = true;
	return true;
}

/* ---- The root --------------------------------------------------------------------------------- */
static int make_folder(struct builder *b, const char *name, struct err *err)
{
	if (mkdirat(image_work_fd(b->work), name, 0755) < 0)
		return err_errno(err, "make a folder for a layer");
	return 0;
}

static int open_work(struct builder *b, struct err *err)
{
	return b->work ? 0 : image_work_open(b->w->images, &b->work, err);
}

/* Each layer once: the upper one decides. Nothing at all is an empty folder. */
static int overlay(struct stage *s, bool mapped, const char *upper, const char *work,
		   struct err *err)
{
	struct builder *b = s->b->all;
	auto_arena struct arena a = { 0 };
	const char **lower = arena_array(&a, s->layers.n + 1, sizeof(*lower));
	const char *in = image_work_name(b->work);
	size_t n = 0;
	struct rootfs_overlay o = { .store = mapped && b->view ? b->view : b->w->paths->state,
				    .lower = lower,
				    .uid = mapped && b->view ? b->uid_base : 0,
				    .gid = mapped && b->view ? b->uid_base : 0,
				    .context = mapped ? b->labels.file : NULL,
				    .skip_sync = true };

	for (size_t i = 0; i < s->layers.n; i++) {
		bool again = false;

		for (size_t k = i + 1; k < s->layers.n; k++)
			again |= strcmp(s->layers.v[i].diff, s->layers.v[k].diff) == 0;
		if (!again)
			lower[n++] = arena_printf(&a, "layers/%s", s->layers.v[i].diff);
	}
	if (n == 0) {
		if (mkdirat(image_work_fd(b->work), "empty", 0755) < 0 && errno != EEXIST)
			return err_errno(err, "make a folder for a layer");
		lower[n++] = arena_printf(&a, "%s/empty", in);
	}
	o.n_lower = n;
	if (upper) {
		o.upper = arena_printf(&a, "%s/%s", in, upper);
		o.work = arena_printf(&a, "%s/%s", in, work);
	}
	for (size_t i = 0; o.context && i < n; i++) {
		auto_free char *path = path_join(b->w->paths->state, lower[i]);
		auto_err struct err why = ERR_INIT;
		int r = selinux_relabel_once(path, b->layer_label, &why);

		if (r < 0 && r != -EOPNOTSUPP)
			return err_set(err, r, "%s", err_text(&why));
	}
	return rootfs_overlay(&o, err);
}

int root_open(struct stage *s, bool mapped, struct new_root *out, struct err *err)
{
	struct builder *b = s->b->all;
	int r = open_work(b, err);

	if (r < 0)
		return r;
	*out = (struct new_root){ .all = b, .fd = -1 };
	(void)snprintf(out->name, sizeof(out->name), "%u", ++b->names);
	(void)snprintf(out->work, sizeof(out->work), "%u.work", b->names);
	r = make_folder(b, out->name, err);
	if (r == 0)
		r = make_folder(b, out->work, err);
	if (r < 0)
		return r;
	out->fd = overlay(s, mapped, out->name, out->work, err);
	return out->fd < 0 ? out->fd : 0;
}

int root_view(struct stage *s, struct err *err)
{
	int r = open_work(s->b->all, err);

	return r < 0 ? r : overlay(s, false, NULL, NULL, err);
}

void root_drop(struct new_root *root)
{
	auto_close_fn(&root->fd);
	root->fd = -1;
	if (!root->all || !root->all->work)
		return;
	(void)path_remove_tree(image_work_fd(root->all->work), root->name);
	(void)path_remove_tree(image_work_fd(root->all->work), root->work);
}

/* ---- From an upper folder to a layer ---------------------------------------------------------- */
struct scrub {
	bool alone; /* see struct new_root */
	uint64_t size;
	size_t entries;
};

/* Marks that only this one upper folder understands go; those that a tar can't tell are refused. */
static int scrub_marks(int fd, bool alone, struct err *err)
{
	static const char *const gone[] = { "trusted.overlay.origin", "trusted.overlay.impure",
					    "trusted.overlay.nlink", "trusted.overlay.uuid" };

	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		(void)fremovexattr(fd, gone[i]);
	/* A folder that overlayfs has made hides what is below, to be found faster. */
	if (alone)
		(void)fremovexattr(fd, "trusted.overlay.opaque");
	if (fgetxattr(fd, "trusted.overlay.redirect", NULL, 0) >= 0 ||
	    fgetxattr(fd, "trusted.overlay.metacopy", NULL, 0) >= 0)
		return err_set(err, ENOTSUP,
			       "this kernel's overlayfs renames folders by reference: load it with "
			       "redirect_dir=off metacopy=off to build images");
	return 0;
}

static int scrub_folder(struct scrub *s, int fd, unsigned depth, struct err *err);

static int scrub_name(struct scrub *s, int dir, const char *name, unsigned depth, struct err *err)
{
	auto_close int fd = -1;
	struct stat st;
	int r;

	s->entries++;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "a new layer");
	if (S_ISSOCK(st.st_mode) || S_ISBLK(st.st_mode) ||
	    (S_ISCHR(st.st_mode) && st.st_rdev != makedev(0, 0)))
		return unlinkat(dir, name, 0) < 0 ? err_errno(err, "a new layer") : 0;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "a new layer");
	s->size += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	r = scrub_marks(fd, s->alone, err);
	return r == 0 && S_ISDIR(st.st_mode) ? scrub_folder(s, fd, depth + 1, err) : r;
}

static int scrub_folder(struct scrub *s, int fd, unsigned depth, struct err *err)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!dir)
		return err_errno(err, "a new layer");
	if (depth > DEPTH_MAX)
		r = err_set(err, ELOOP, "a new layer is nested too deep");
	while (r == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = scrub_name(s, fd, e->d_name, depth, err);
	(void)closedir(dir);
	return r;
}

static int digest_sink(void *arg, const void *data, size_t len, struct err *err)
{
	(void)err;
	digest_add(arg, data, len);
	return 0;
}

static int finish_layer(int fd, bool alone, struct image_layer *l, struct err *err)
{
	auto_digest struct digest *d = digest_new();
	struct scrub s = { .alone = alone };
	int r = scrub_folder(&s, fd, 0, err);

	format_rfc3339(now_real_ns(), l->created);
	if (r < 0 || s.entries == 0)
		return r;
	l->size = s.size;
	r = archive_pack_layer(fd, digest_sink, d, err);
	if (r == 0)
		digest_end(steal(d), l->diff);
	(void)scrub_marks(fd, alone, NULL);
	return r < 0 ? r : fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0 ? -errno : 0;
}

int root_keep(struct stage *s, struct new_root *root, const char *key, const char *by,
	      struct err *err)
{
	struct builder *b = s->b->all;
	struct image_layer l = { 0 };
	auto_close int fd = openat(image_work_fd(b->work), root->name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	auto_close_fn(&root->fd);
	root->fd = -1;
	if (fd < 0)
		return err_errno(err, "a new layer");
	r = finish_layer(fd, root->alone, &l, err);
	if (r == 0)
		r = image_cache_put(b->work, root->name, key, &l, err);
	if (r == 0) {
		stage_add_layer(s, &l);
		(void)image_steps_add(&s->b->steps, key, &l);
		config_history(s, by, !*l.diff);
	}
	root_drop(root);
	return r;
}
