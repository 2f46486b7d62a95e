/* load_parse.c - what an archive of images means: manifest.json of `docker save`, index.json of an OCI
 * layout; see load.h */
#include "load.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NESTED_MAX = 4, DESCRIPTORS_MAX = 10000 };

/* ---- What it means ---------------------------------------------------------------------------- */
static const struct text *text_of(struct load *l, const char *path)
{
	const char *link = map_get(&l->links, path);
	const struct text *t;

	if (l->in_folder)
		load_folder_text(l, path);
	t = map_get(&l->texts, path);
	return t || !link ? t : map_get(&l->texts, link);
}

static struct new_layer *layer_of(struct load *l, const char *path)
{
	const char *link = map_get(&l->links, path);
	struct new_layer *y = map_get(&l->layers, path);

	return y || !link ? y : map_get(&l->layers, link);
}

/* A layer that an image of the store has already need not be read, nor be in the archive. */
static struct new_layer *known_layer(struct load *l, const char *diff)
{
	const struct index_layer *il = index_layer(&l->index, diff);
	auto_free char *key = xasprintf("known:%s", diff);
	struct new_layer *y = map_get(&l->layers, key);

	if (y || !il || faccessat(l->store->layers, diff, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return y;
	y = xcalloc(1, sizeof(*y));
	memcpy(y->diff, diff, DIGEST_HEX);
	memcpy(y->blob, il->blob, DIGEST_HEX);
	y->size = il->size;
	y->known = true;
	map_put(&l->layers, key, y);
	return y;
}

static int pick_layers(struct load *l, struct new_image *n, const struct strs *diffs,
		       const struct strs *paths, bool blobs, struct err *err)
{
	if (diffs->n != paths->n)
		return err_set(err, EBADMSG, "%s: the config names %zu layers, the manifest %zu",
			       l->what, diffs->n, paths->n);
	for (size_t i = 0; i < diffs->n; i++) {
		auto_free char *path = blobs ? xasprintf("blobs/sha256/%s", paths->v[i])
					     : load_clean_name(paths->v[i]);
		struct new_layer *y = l->in_folder ? known_layer(l, diffs->v[i]) : NULL;

		if (!y && l->in_folder)
			load_folder_layer(l, path);
		if (!y)
			y = layer_of(l, path);
		if (!y || y->problem)
			y = known_layer(l, diffs->v[i]) ? known_layer(l, diffs->v[i]) : y;
		if (!y && l->first_look) {
			map_put(&l->wanted, path, l);
			continue;
		}
		if (!y)
			return err_set(err, EBADMSG, "%s: layer %s is missing", l->what, path);
		if (y->problem)
			return err_set(err, EBADMSG, "%s: layer %s: %s", l->what, path, y->problem);
		if (strcmp(y->diff, diffs->v[i]) != 0)
			return err_set(
				err, EBADMSG,
				"%s: layer %s has the digest sha256:%s, but the config says sha256:%s",
				l->what, path, y->diff, diffs->v[i]);
		if (blobs && !y->known && strcmp(y->came, paths->v[i]) != 0)
			return err_set(err, EBADMSG, "%s: blob %s has the digest sha256:%s",
				       l->what, path, y->came);
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
	auto_free char *config = load_clean_name(json_str(entry, "Config", ""));
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
	if (name && !l->nameless)
		r = add_name(l, n, name, err);
	for (size_t i = 0; i < n->refs.n; i++) {
		auto_free char *pinned = ref_with_digest(n->refs.v[i], hex);

		strs_add(&n->digests, pinned);
	}
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
	int r;

	/* An index may name another one many times, and that one again. */
	if (++l->descriptors > DESCRIPTORS_MAX)
		return err_set(err, E2BIG, "%s: its indexes name more than %d images", l->what,
			       DESCRIPTORS_MAX);
	r = oci_blob(l, json_str(d, "digest", NULL), &t, hex, err);
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
int load_understand(struct load *l, struct err *err)
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

/* ---- One of a folder -------------------------------------------------------------------------- */
/* A name may be a tag alone, or end with it. */
static bool is_tagged(const struct json *descriptor, const char *tag)
{
	const struct json *a = json_get(descriptor, "annotations");
	const char *ref = json_str(a, "org.opencontainers.image.ref.name", "");
	const char *full = json_str(a, "io.containerd.image.name", "");
	const char *colon = strrchr(*full ? full : ref, ':');

	return strcmp(ref, tag) == 0 || (colon && strcmp(colon + 1, tag) == 0);
}

static const struct json *choose(struct load *l, const struct json *list, const char *tag,
				 struct err *err)
{
	auto_sbuf struct sbuf known = SBUF_INIT;

	for (const struct json *d = json_first(list); d; d = json_next(d)) {
		const char *ref = json_str(json_get(d, "annotations"),
					   "org.opencontainers.image.ref.name", NULL);

		if (is_tagged(d, tag ? tag : "latest"))
			return d;
		if (ref && known.len < 1000)
			sbuf_addf(&known, "%s%s", known.len ? ", " : "", ref);
	}
	if (!tag && json_count(list) == 1)
		return json_first(list);
	(void)err_set(err, ENOENT, "%s: it has no image '%s'%s%s%s", l->what, tag ? tag : "latest",
		      known.len ? " (there are: " : "", known.len ? sbuf_str(&known) : "",
		      known.len ? ")" : "");
	return NULL;
}

int load_choose(struct load *l, const struct image_layout *which, struct err *err)
{
	auto_json struct json *j = NULL;
	const struct json *d;
	const struct text *t;
	int r = 0;

	if (which->digest) {
		j = json_object();
		json_add_str(j, "digest", which->digest);
		d = j;
	} else {
		t = text_of(l, "index.json");
		if (!t)
			return err_set(err, EBADMSG,
				       "%s is no OCI layout: it has no readable index.json",
				       l->what);
		r = json_parse(t->s, t->len, &j, err);
		if (r < 0)
			return err_wrap(err, r, "%s: index.json", l->what);
		d = choose(l, json_get(j, "manifests"), which->tag, err);
		if (!d)
			return -ENOENT;
	}
	r = oci_descriptor(l, d, NULL, 0, err);
	if (r == 0 && l->images.n == 0)
		r = err_set(err, ENOENT, "%s has no image for linux/%s", l->what,
			    host_architecture());
	return r;
}

int image_layout_parse(struct arena *a, const char *text, struct image_layout *out, struct err *err)
{
	static const char scheme[] = "oci-layout://";
	const char *rest = str_starts(text, scheme) ? text + strlen(scheme) : NULL;
	const char *at = rest ? strrchr(rest, '@') : NULL, *end = at, *slash, *colon;
	struct image_layout l = { 0 };

	if (!rest)
		return err_set(err, EINVAL, "'%s' does not begin with %s", text, scheme);
	if (at && !digest_of(at + 1))
		return err_set(err, EINVAL,
			       "'%s' has no digest like sha256:<64 digits> after the '@'", text);
	l.digest = at ? arena_strdup(a, at + 1) : NULL;
	rest = arena_strndup(a, rest, end ? (size_t)(end - rest) : strlen(rest));
	slash = strrchr(rest, '/');
	colon = strchr(slash ? slash : rest, ':');
	if (colon) {
		l.tag = colon + 1;
		rest = arena_strndup(a, rest, (size_t)(colon - rest));
		if (!*l.tag)
			return err_set(err, EINVAL, "'%s' has no tag after the ':'", text);
	}
	if (!*rest)
		return err_set(err, EINVAL, "'%s' names no folder", text);
	l.path = rest;
	*out = l;
	return 0;
}
