/* load.c - archives of `docker save` and OCI layouts into the store; see image.h
 *
 * Small members that are JSON are kept as text, others are tried as layers and unpacked into the work
 * folder. Of a stream everything is read once, and what it means is known at the end, when the manifest
 * has been seen; a plain file is looked through first, and only the layers that the store lacks are read.
 */
#include "load.h"

#include <ctrcompose/archive.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXTS_MAX = 64 << 20, MEMBERS_MAX = 10000 };

char *load_clean_name(const char *path)
{
	auto_free char *c = path_clean(path);
	const char *s = c;

	while (*s == '/')
		s++;
	if (str_starts(s, "./"))
		s += 2;
	return xstrdup(s);
}

/* ---- Reading the stream ----------------------------------------------------------------------- */
struct member_source {
	const struct archive_member *m;
	char head[512];
	size_t n, used;
};

static ssize_t member_read(void *arg, void *buf, size_t len, struct err *err)
{
	struct member_source *s = arg;

	if (s->used < s->n) {
		size_t part = s->n - s->used < len ? s->n - s->used : len;

		memcpy(buf, s->head + s->used, part);
		s->used += part;
		return (ssize_t)part;
	}
	return archive_member_read(s->m->stream, buf, len, err);
}

static bool looks_like_json(const struct member_source *s)
{
	size_t i = 0;

	while (i < s->n && strchr(" \t\r\n", s->head[i]))
		i++;
	return i < s->n && (s->head[i] == '{' || s->head[i] == '[');
}

static int keep_text(struct load *l, const char *name, struct member_source *s, struct err *err)
{
	struct text *t = xcalloc(1, sizeof(*t));
	ssize_t n = 0;

	l->texts_size += s->m->size;
	if (l->texts_size > TEXTS_MAX) {
		free(t);
		return err_set(err, E2BIG, "%s: its manifests and configs are too long", l->what);
	}
	t->s = xmalloc((size_t)s->m->size + 1);
	while (t->len < s->m->size &&
	       (n = member_read(s, t->s + t->len, (size_t)s->m->size - t->len, err)) > 0)
		t->len += (size_t)n;
	t->s[t->len] = '\0';
	map_put(&l->texts, name, t);
	return n < 0 ? (int)n : 0;
}

static int try_layer(struct load *l, const char *name, struct member_source *s, struct err *err)
{
	struct new_layer *layer = xcalloc(1, sizeof(*layer));
	auto_free char *dir = xasprintf("%zu", l->layers.n);
	auto_err struct err why = ERR_INIT;
	int r = layer_unpack(l->work, dir, true, member_read, s, layer, &why);

	map_put(&l->layers, name, layer);
	if (r == -EBADMSG || r == -E2BIG) {
		layer->problem = xstrdup(err_text(&why));
		return 0;
	}
	return r < 0 ? err_set(err, r, "%s", err_text(&why)) : 0;
}

static bool load_wanted(const struct load *l, const char *name)
{
	if (map_has(&l->wanted, name))
		return true;
	for (size_t i = 0; i < l->links.n; i++) /* or a link to it is */
		if (l->links.entries[i].key && str_eq(l->links.entries[i].value, name) &&
		    map_has(&l->wanted, l->links.entries[i].key))
			return true;
	return false;
}

static int take_member(void *arg, const struct archive_member *m, struct err *err)
{
	struct load *l = arg;
	struct member_source s = { .m = m };
	auto_free char *name = load_clean_name(m->path);
	ssize_t n;

	if (++l->members > MEMBERS_MAX)
		return err_set(err, E2BIG, "%s: it has more than %d members", l->what, MEMBERS_MAX);
	if (map_has(&l->texts, name) || map_has(&l->layers, name) || map_has(&l->links, name))
		return 0; /* the first one counts */
	if (m->kind == ARCHIVE_SYMLINK || m->kind == ARCHIVE_HARDLINK) {
		auto_free char *dir = xstrdup(name);
		char *slash = strrchr(dir, '/');
		auto_free char *joined = NULL;

		if (slash)
			*slash = '\0';
		joined = m->kind == ARCHIVE_SYMLINK && slash ? path_join(dir, m->link)
							     : xstrdup(m->link);
		map_put(&l->links, name, load_clean_name(joined));
		return 0;
	}
	if (m->kind != ARCHIVE_FILE || m->size == 0)
		return 0;
	if (l->first_look ? m->size > IMAGE_JSON_MAX : l->second_look && !load_wanted(l, name))
		return 0;
	while (s.n < sizeof(s.head) &&
	       (n = archive_member_read(m->stream, s.head + s.n, sizeof(s.head) - s.n, err)) != 0) {
		if (n < 0)
			return (int)n;
		s.n += (size_t)n;
	}
	if (looks_like_json(&s) && m->size <= IMAGE_JSON_MAX)
		return keep_text(l, name, &s, err);
	return l->first_look ? 0 : try_layer(l, name, &s, err);
}

static void forget_images(struct load *l)
{
	for (size_t i = 0; i < l->images.n; i++)
		new_image_clear(&l->images.v[i]);
	free(l->images.v);
	l->images.v = NULL;
	l->images.n = l->images.cap = 0;
	strs_clear(&l->names);
}

void load_clear(struct load *l)
{
	for (size_t i = 0; i < l->texts.n; i++) {
		struct text *t = l->texts.entries[i].value;

		if (t)
			free(t->s);
		free(t);
	}
	for (size_t i = 0; i < l->layers.n; i++) {
		struct new_layer *y = l->layers.entries[i].value;

		if (y)
			new_layer_clear(y);
		free(y);
	}
	for (size_t i = 0; i < l->links.n; i++)
		free(l->links.entries[i].value);
	forget_images(l);
	index_clear(&l->index);
	map_clear(&l->texts);
	map_clear(&l->layers);
	map_clear(&l->links);
	map_clear(&l->wanted);
	auto_close_fn(&l->work);
}

/* A plain tar in a regular file: what is in it can be known before anything is unpacked. */
static bool can_look_twice(int fd, off_t *at)
{
	char head[512];
	struct stat st;

	*at = lseek(fd, 0, SEEK_CUR);
	return *at >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       pread(fd, head, sizeof(head), *at) == (ssize_t)sizeof(head) &&
	       memcmp(head + 257, "ustar", 5) == 0;
}

static int read_all(struct load *l, int fd, struct err *err)
{
	off_t at;
	int r;

	l->first_look = can_look_twice(fd, &at);
	r = archive_walk_fd(fd, take_member, l, err);
	if (r < 0)
		return err_wrap(err, r, "load %s", l->what);
	r = load_understand(l, err);
	if (r < 0 || !l->first_look || l->wanted.live == 0)
		return r;
	l->first_look = false;
	l->second_look = true;
	l->members = 0;
	forget_images(l);
	if (lseek(fd, at, SEEK_SET) < 0)
		return err_errno(err, "load %s", l->what);
	r = archive_walk_fd(fd, take_member, l, err);
	return r < 0 ? err_wrap(err, r, "load %s", l->what) : load_understand(l, err);
}

int image_load(struct image_store *s, int fd, const char *what, struct strs *loaded,
	       struct err *err)
{
	struct load l = { .store = s, .what = what, .work = -1 };
	auto_free char *name = NULL;
	int r = store_work_open(s, &name, &l.work, err);

	if (r < 0)
		return r;
	r = index_read(s, &l.index, err);
	if (r == 0)
		r = read_all(&l, fd, err);
	if (r == 0)
		r = store_commit(s, l.work, &l.images, err);
	for (size_t i = 0; r == 0 && loaded && i < l.names.n; i++)
		strs_add(loaded, l.names.v[i]);
	store_work_remove(s, name);
	load_clear(&l);
	return r;
}

int image_load_file(struct image_store *s, const char *path, struct strs *loaded, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "open %s", path);
	return image_load(s, fd, path, loaded, err);
}
