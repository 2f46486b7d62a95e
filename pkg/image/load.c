/* load.c - archives of `docker save` and OCI layouts into the store; see image.h
 *
 * One pass over the stream: small members that are JSON are kept as text, all others are tried as
 * layers and unpacked into the work folder. What they mean is known at the end, when the manifest
 * has been seen; a member that is neither matters only if the manifest asks for it.
 */
#include "private.h"

#include <ctrcompose/archive.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXTS_MAX = 64 << 20, MEMBERS_MAX = 10000, NESTED_MAX = 4 };

struct text {
	char *s;
	size_t len;
};

struct load {
	struct image_store *store;
	const char *what;
	int work;
	struct map texts;  /* path -> struct text */
	struct map layers; /* path -> struct new_layer */
	struct map links;  /* path -> path */
	size_t texts_size, members;
	struct new_images images;
	struct strs names; /* as they were, for the report */
};

static char *clean_name(const char *path)
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
	int r = layer_unpack(l->work, dir, member_read, s, layer, &why);

	map_put(&l->layers, name, layer);
	if (r == -EBADMSG || r == -E2BIG) {
		layer->problem = xstrdup(err_text(&why));
		return 0;
	}
	return r < 0 ? err_set(err, r, "%s", err_text(&why)) : 0;
}

static int take_member(void *arg, const struct archive_member *m, struct err *err)
{
	struct load *l = arg;
	struct member_source s = { .m = m };
	auto_free char *name = clean_name(m->path);
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
		map_put(&l->links, name, clean_name(joined));
		return 0;
	}
	if (m->kind != ARCHIVE_FILE || m->size == 0)
		return 0;
	while (s.n < sizeof(s.head) &&
	       (n = archive_member_read(m->stream, s.head + s.n, sizeof(s.head) - s.n, err)) != 0) {
		if (n < 0)
			return (int)n;
		s.n += (size_t)n;
	}
	return looks_like_json(&s) && m->size <= IMAGE_JSON_MAX ? keep_text(l, name, &s, err)
								: try_layer(l, name, &s, err);
}

/* ---- What it means ---------------------------------------------------------------------------- */
static const struct text *text_of(const struct load *l, const char *path)
{
	const char *link = map_get(&l->links, path);
	const struct text *t = map_get(&l->texts, path);

	return t || !link ? t : map_get(&l->texts, link);
}

static struct new_layer *layer_of(const struct load *l, const char *path)
{
	const char *link = map_get(&l->links, path);
	struct new_layer *y = map_get(&l->layers, path);

	return y || !link ? y : map_get(&l->layers, link);
}

/* A layer that an image of the store has already may be left out of the archive. */
static struct new_layer *known_layer(struct load *l, const char *diff)
{
	auto_index struct index ix = { 0 };
	const struct index_layer *il;
	struct new_layer *y = NULL;

	if (index_read(l->store, &ix, NULL) < 0 || !(il = index_layer(&ix, diff)))
		return NULL;
	y = xcalloc(1, sizeof(*y));
	memcpy(y->diff, diff, DIGEST_HEX);
	y->size = il->size;
	y->known = true;
	{
		auto_free char *key = xasprintf("known:%s", diff);

		free(map_remove(&l->layers, key));
		map_put(&l->layers, key, y);
	}
	return y;
}

static int pick_layers(struct load *l, struct new_image *n, const struct strs *diffs,
		       const struct strs *paths, bool blobs, struct err *err)
{
	if (diffs->n != paths->n)
		return err_set(err, EBADMSG, "%s: the config names %zu layers, the manifest %zu",
			       l->what, diffs->n, paths->n);
	for (size_t i = 0; i < diffs->n; i++) {
		auto_free char *path =
			blobs ? xasprintf("blobs/sha256/%s", paths->v[i]) : clean_name(paths->v[i]);
		struct new_layer *y = layer_of(l, path);

		if (!y)
			y = known_layer(l, diffs->v[i]);
		if (!y)
			return err_set(err, EBADMSG, "%s: layer %s is missing", l->what, path);
		if (y->problem)
			return err_set(err, EBADMSG, "%s: layer %s: %s", l->what, path, y->problem);
		if (strcmp(y->diff, diffs->v[i]) != 0)
			return err_set(
				err, EBADMSG,
				"%s: layer %s has the digest sha256:%s, but the config says sha256:%s",
				l->what, path, y->diff, diffs->v[i]);
		if (blobs && !y->known && strcmp(y->blob, paths->v[i]) != 0)
			return err_set(err, EBADMSG, "%s: blob %s has the digest sha256:%s",
				       l->what, path, y->blob);
		*vec_push(&n->layers) = y;
	}
	return 0;
}

static int take_config(struct load *l, struct new_image *n, const char *path, struct strs *diffs,
		       struct err *err)
{
	const struct text *t = text_of(l, path);
	auto_json struct json *config = NULL;
	int r;

	if (!t)
		return err_set(err, EBADMSG, "%s: the config %s is missing", l->what, path);
	r = json_parse(t->s, t->len, &config, err);
	if (r == 0)
		r = config_diff_ids(config, diffs, err);
	if (r < 0)
		return err_wrap(err, r, "%s: %s", l->what, path);
	n->config = xstrndup(t->s, t->len);
	n->config_len = t->len;
	n->created = xstrdup(json_str(config, "created", ""));
	digest_text(t->s, t->len, n->id);
	return 0;
}

static int add_name(struct load *l, struct new_image *n, const char *name, struct err *err)
{
	auto_free char *normal = NULL, *familiar = NULL;
	int r = image_ref_normal(name, &normal, err);

	if (r < 0)
		return err_wrap(err, r, "%s", l->what);
	if (strchr(normal, '@'))
		return 0;
	familiar = image_ref_familiar(normal);
	strs_add(&n->refs, normal);
	strs_add(&l->names, familiar);
	return 0;
}

static void report_nameless(struct load *l, const struct new_image *n)
{
	if (n->refs.n == 0)
		strs_addf(&l->names, "sha256:%s", n->id);
}

/* ---- manifest.json of `docker save` ----------------------------------------------------------- */
static int docker_image(struct load *l, const struct json *entry, struct err *err)
{
	struct new_image *n = vec_push(&l->images);
	auto_strs struct strs diffs = { 0 }, paths = { 0 };
	auto_free char *config = clean_name(json_str(entry, "Config", ""));
	int r = take_config(l, n, config, &diffs, err);

	for (const struct json *c = json_first(json_get(entry, "Layers")); c; c = json_next(c))
		strs_add(&paths, json_string(c) ? json_string(c) : "");
	if (r == 0)
		r = pick_layers(l, n, &diffs, &paths, false, err);
	for (const struct json *c = json_first(json_get(entry, "RepoTags")); r == 0 && c;
	     c = json_next(c))
		if (json_string(c))
			r = add_name(l, n, json_string(c), err);
	if (r == 0)
		report_nameless(l, n);
	return r;
}

static int docker_archive(struct load *l, const struct text *t, struct err *err)
{
	auto_json struct json *list = NULL;
	int r = json_parse(t->s, t->len, &list, err);

	if (r == 0 && json_kind(list) != JSON_ARRAY)
		r = err_set(err, EBADMSG, "it is not a list");
	if (r < 0)
		return err_wrap(err, r, "%s: manifest.json", l->what);
	for (const struct json *c = json_first(list); r == 0 && c; c = json_next(c))
		r = docker_image(l, c, err);
	return r;
}

/* ---- OCI layout ------------------------------------------------------------------------------- */
static int oci_blob(struct load *l, const char *digest, const struct text **out,
		    char hex[DIGEST_HEX], struct err *err)
{
	const char *want = digest_of(digest);
	auto_free char *path = NULL;

	if (!want)
		return err_set(err, EBADMSG, "%s: '%s' is not a sha256 digest", l->what,
			       digest ? digest : "");
	path = xasprintf("blobs/sha256/%s", want);
	*out = text_of(l, path);
	if (!*out)
		return err_set(err, ENOENT, "%s: %s is missing", l->what, path);
	digest_text((*out)->s, (*out)->len, hex);
	if (strcmp(hex, want) != 0)
		return err_set(err, EBADMSG, "%s: %s has the digest sha256:%s", l->what, path, hex);
	return 0;
}

static int oci_image(struct load *l, const char *name, const struct text *t, const char *hex,
		     struct err *err)
{
	struct new_image *n = vec_push(&l->images);
	auto_strs struct strs diffs = { 0 }, layers = { 0 };
	auto_free char *path = NULL;
	char config[65], found[DIGEST_HEX];
	const struct text *ct = NULL;
	auto_free char *config_digest = NULL;
	int r = image_manifest_parse(t->s, t->len, config, &layers, err);

	if (r < 0)
		return err_wrap(err, r, "%s: manifest sha256:%s", l->what, hex);
	config_digest = xasprintf("sha256:%s", config);
	r = oci_blob(l, config_digest, &ct, found, err);
	path = xasprintf("blobs/sha256/%s", config);
	if (r == 0)
		r = take_config(l, n, path, &diffs, err);
	if (r == 0)
		r = pick_layers(l, n, &diffs, &layers, true, err);
	if (r < 0)
		return r;
	memcpy(n->manifest, hex, DIGEST_HEX);
	n->manifest_text = xstrndup(t->s, t->len);
	n->manifest_len = t->len;
	if (name)
		r = add_name(l, n, name, err);
	if (r == 0)
		report_nameless(l, n);
	return r;
}

static const char *name_of(const struct json *descriptor)
{
	const struct json *a = json_get(descriptor, "annotations");
	const char *full = json_str(a, "io.containerd.image.name", NULL);
	const char *ref = json_str(a, "org.opencontainers.image.ref.name", NULL);

	if (full)
		return full;
	/* A bare tag ("latest") is no name. */
	return ref && (strchr(ref, ':') || strchr(ref, '/')) ? ref : NULL;
}

static bool for_us(const struct json *descriptor)
{
	const struct json *p = json_get(descriptor, "platform");

	return !p || (strcmp(json_str(p, "os", "linux"), "linux") == 0 &&
		      strcmp(json_str(p, "architecture", ""), host_architecture()) == 0);
}

static int oci_index(struct load *l, const struct text *t, const char *outer, unsigned depth,
		     struct err *err);

static int oci_descriptor(struct load *l, const struct json *d, const char *outer, unsigned depth,
			  struct err *err)
{
	const char *name = name_of(d) ? name_of(d) : outer;
	auto_json struct json *j = NULL;
	const struct text *t = NULL;
	char hex[DIGEST_HEX];
	int r = oci_blob(l, json_str(d, "digest", NULL), &t, hex, err);

	if (r == -ENOENT && depth > 0) { /* an archive may hold one platform of an index */
		err_clear(err);
		return 0;
	}
	if (r == 0)
		r = json_parse(t->s, t->len, &j, err);
	if (r < 0)
		return r;
	if (json_get(j, "manifests"))
		return oci_index(l, t, name, depth + 1, err);
	if (!for_us(d) ||
	    str_eq(json_str(json_get(d, "annotations"), "vnd.docker.reference.type", ""),
		   "attestation-manifest"))
		return 0;
	return oci_image(l, name, t, hex, err);
}

static int oci_index(struct load *l, const struct text *t, const char *outer, unsigned depth,
		     struct err *err)
{
	auto_json struct json *j = NULL;
	int r = json_parse(t->s, t->len, &j, err);

	if (r < 0)
		return err_wrap(err, r, "%s: index.json", l->what);
	if (depth > NESTED_MAX)
		return err_set(err, EBADMSG, "%s: its indexes are nested too deeply", l->what);
	for (const struct json *c = json_first(json_get(j, "manifests")); r == 0 && c;
	     c = json_next(c))
		r = oci_descriptor(l, c, outer, depth, err);
	return r;
}

/* ---- The whole -------------------------------------------------------------------------------- */
static int understand(struct load *l, struct err *err)
{
	const struct text *docker = text_of(l, "manifest.json"), *oci = text_of(l, "index.json");
	int r;

	if (!docker && !oci)
		return err_set(
			err, EBADMSG,
			"%s is not an image archive: it has neither manifest.json nor index.json "
			"(a root file system is taken by `image import`)",
			l->what);
	r = docker ? docker_archive(l, docker, err) : oci_index(l, oci, NULL, 0, err);
	if (r == 0 && l->images.n == 0)
		r = err_set(err, ENOENT, "%s has no image for linux/%s", l->what,
			    host_architecture());
	return r;
}

static void load_clear(struct load *l)
{
	for (size_t i = 0; i < l->texts.n; i++) {
		struct text *t = l->texts.entries[i].value;

		if (t)
			free(t->s);
		free(t);
	}
	for (size_t i = 0; i < l->layers.n; i++) {
		struct new_layer *y = l->layers.entries[i].value;

		if (y) {
			free(y->dir);
			free(y->problem);
		}
		free(y);
	}
	for (size_t i = 0; i < l->links.n; i++)
		free(l->links.entries[i].value);
	for (size_t i = 0; i < l->images.n; i++)
		new_image_clear(&l->images.v[i]);
	free(l->images.v);
	map_clear(&l->texts);
	map_clear(&l->layers);
	map_clear(&l->links);
	strs_clear(&l->names);
	auto_close_fn(&l->work);
}

int image_load(struct image_store *s, int fd, const char *what, struct strs *loaded,
	       struct err *err)
{
	struct load l = { .store = s, .what = what, .work = -1 };
	auto_free char *name = NULL;
	int r = store_work_open(s, &name, &l.work, err);

	if (r < 0)
		return r;
	r = archive_walk(archive_source_fd, &fd, take_member, &l, err);
	if (r < 0)
		r = err_wrap(err, r, "load %s", what);
	else
		r = understand(&l, err);
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
