/* pull.c - an image from a registry into the store; see image.h */
#include "private.h"

#include <ctrcompose/archive.h>
#include <ctrcompose/registry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { NESTED_MAX = 3 };

struct pull {
	struct image_store *store;
	struct registry *reg;
	const struct image_pull_how *how;
	const char *normal;
	int work;
	struct index index;
	char pinned[DIGEST_HEX]; /* of what the name stands for: an index, or a manifest */
	struct registry_manifest manifest;
	struct new_images images; /* the one */
	struct strs diffs, hexes; /* per layer: of its tar, of its blob */
	struct new_layer *layers;
	struct registry_blob *blobs;
	size_t *layer_of; /* blob -> layer */
	size_t n_blobs, n_fetched;
	struct puller *me; /* among those that are at work at the same time; NULL: alone */
};

/* ---- Platforms -------------------------------------------------------------------------------- */
/* "x86_64" and "linux/arm64/v8" are "linux/amd64" and "linux/arm64"; caller frees. */
static char *normal_platform(const char *text)
{
	static const char *const other[][2] = { { "x86_64", "amd64" },
						{ "x86-64", "amd64" },
						{ "aarch64", "arm64" },
						{ "arm64/v8", "arm64" } };
	const char *slash = strchr(text, '/');
	bool alone = !slash || strcmp(text, "arm64/v8") == 0;
	const char *arch = alone ? text : slash + 1;

	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		if (strcmp(arch, other[i][0]) == 0)
			arch = other[i][1];
	return xasprintf("%.*s/%s", alone ? 5 : (int)(slash - text), alone ? "linux" : text, arch);
}

/* Whether what a config or a descriptor says of itself is the platform. */
static bool is_for(const struct json *p, const char *wanted)
{
	const char *variant = json_str(p, "variant", "");
	auto_free char *want = normal_platform(wanted);
	auto_free char *has =
		xasprintf("%s/%s", json_str(p, "os", "linux"), json_str(p, "architecture", ""));
	auto_free char *whole = xasprintf("%s/%s", has, variant);
	auto_free char *full = normal_platform(whole);

	return strcmp(has, want) == 0 || strcmp(full, want) == 0;
}

/* NULL: this machine's. */
static bool fits(const struct json *descriptor, const char *wanted)
{
	const struct json *p = json_get(descriptor, "platform");

	return !p || is_for(p, wanted ? wanted : host_architecture());
}

bool image_is_for(struct image_store *s, const char *ref, const char *platform)
{
	auto_json struct json *config = NULL;

	return image_config(s, ref, &config, NULL) == 0 && is_for(config, platform);
}

const char *index_choose(const struct json *list, const char *platform, const char *what,
			 struct err *err)
{
	auto_sbuf struct sbuf known = SBUF_INIT;

	for (const struct json *d = json_first(list); d; d = json_next(d)) {
		const struct json *at = json_get(d, "platform");
		const char *hex = digest_of(json_str(d, "digest", NULL));

		if (str_eq(json_str(at, "os", ""), "unknown"))
			continue; /* an attestation */
		if (hex && fits(d, platform))
			return hex;
		sbuf_addf(&known, "%s%s/%s", known.len ? ", " : "", json_str(at, "os", "?"),
			  json_str(at, "architecture", "?"));
	}
	(void)err_set(err, ENOENT, "%s: there is none for %s%s (there are: %s)", what,
		      platform ? "" : "linux/", platform ? platform : host_architecture(),
		      sbuf_str(&known));
	return NULL;
}

int pull_manifest(struct registry *reg, const char *what, const char *platform,
		  struct registry_manifest *m, char pinned[DIGEST_HEX], struct err *err)
{
	int r = registry_manifest(reg, NULL, m, err);

	if (r == 0)
		memcpy(pinned, m->digest, DIGEST_HEX);
	for (unsigned depth = 0; r == 0; depth++) {
		auto_json struct json *j = NULL;
		const char *hex;

		r = json_parse(m->text, m->len, &j, err);
		if (r < 0)
			return err_wrap(err, r, "%s: its manifest", what);
		if (!json_get(j, "manifests"))
			return 0;
		if (depth >= NESTED_MAX)
			return err_set(err, EBADMSG, "%s: its indexes are nested too deeply", what);
		hex = index_choose(json_get(j, "manifests"), platform, what, err);
		if (!hex)
			return -ENOENT;
		registry_manifest_clear(m);
		r = registry_manifest(reg, hex, m, err);
	}
	return r;
}

/* ---- What is to be fetched -------------------------------------------------------------------- */
static int work_file(const struct pull *p, size_t i, struct err *err)
{
	auto_free char *name = xasprintf("%zu.blob", i);
	int fd = openat(p->work, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_errno(err, "make a file for a layer") : fd;
}

struct text_wanted {
	char *text;
	size_t len;
	int fd;
};

static int take_text(void *arg, size_t i, struct err *err)
{
	struct text_wanted *t = arg;

	(void)i;
	t->len = 0;
	for (;;) {
		ssize_t n = read(t->fd, t->text + t->len, 65536);

		if (n < 0)
			return err_errno(err, "read a config");
		if (n == 0)
			return 0;
		t->len += (size_t)n;
	}
}

int pull_text(struct registry *reg, const char *what, const char *hex, uint64_t size,
	      const volatile bool *cancelled, char **text, size_t *len, struct err *err)
{
	auto_close int fd = memfd_create("config", MFD_CLOEXEC);
	struct registry_blob blob = { .size = size, .fd = fd };
	struct text_wanted t = { .fd = fd };
	struct registry_fetch f = {
		.blobs = &blob, .n = 1, .done = take_text, .arg = &t, .cancelled = cancelled
	};
	int r;

	if (size > IMAGE_JSON_MAX)
		return err_set(err, E2BIG, "%s: its config is longer than %u bytes", what,
			       IMAGE_JSON_MAX);
	if (fd < 0)
		return err_errno(err, "make a file for a config");
	memcpy(blob.hex, hex, DIGEST_HEX);
	t.text = xcalloc(1, (size_t)size + 65537);
	r = registry_fetch(reg, &f, err);
	if (r < 0) {
		free(t.text);
		return r;
	}
	*text = t.text;
	*len = t.len;
	return 0;
}

static int fetch_config(struct pull *p, const char *hex, uint64_t size, struct new_image *n,
			struct err *err)
{
	auto_json struct json *config = NULL;
	int r = pull_text(p->reg, p->normal, hex, size, p->how->cancelled, &n->config,
			  &n->config_len, err);

	if (r < 0)
		return r;
	memcpy(n->id, hex, DIGEST_HEX);
	r = json_parse(n->config, n->config_len, &config, err);
	if (r == 0)
		r = config_diff_ids(config, &p->diffs, err);
	if (r < 0)
		return err_wrap(err, r, "%s: its config", p->normal);
	/* An index was chosen from; a name may stand for one image as well. */
	if (p->how->platform && !is_for(config, p->how->platform))
		return err_set(err, ENOENT, "%s: there is none for %s (it is for %s/%s)", p->normal,
			       p->how->platform, json_str(config, "os", "linux"),
			       json_str(config, "architecture", "?"));
	n->created = xstrdup(json_str(config, "created", ""));
	return 0;
}

/* The store has the layer, we have, or an earlier one of this image is the same. */
static bool have_layer(struct pull *p, size_t i)
{
	const struct index_layer *il = index_layer(&p->index, p->diffs.v[i]);
	struct new_layer *y = &p->layers[i];

	for (size_t k = 0; k < i; k++)
		if (strcmp(p->hexes.v[k], p->hexes.v[i]) == 0)
			return true;
	if (y->dir || y->known)
		return true;
	if (!il || faccessat(p->store->layers, p->diffs.v[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	memcpy(y->diff, il->diff, DIGEST_HEX);
	memcpy(y->blob, il->blob, DIGEST_HEX);
	y->size = il->size;
	y->known = true;
	return true;
}

static int want_layer(struct pull *p, const struct json *descriptor, size_t i, struct err *err)
{
	struct registry_blob *b = &p->blobs[p->n_blobs];
	int64_t size = json_int(descriptor, "size", -1);

	if (size < 0 || (uint64_t)size > ARCHIVE_BYTES_MAX)
		return err_set(err, EBADMSG, "%s: a layer without a sensible size", p->normal);
	memcpy(b->hex, p->hexes.v[i], DIGEST_HEX);
	b->size = (uint64_t)size;
	b->fd = work_file(p, i, err);
	if (b->fd < 0)
		return b->fd;
	p->layer_of[p->n_blobs++] = i;
	return 0;
}

/* ---- Layers ----------------------------------------------------------------------------------- */
static int layer_came(void *arg, size_t b, struct err *err)
{
	struct pull *p = arg;
	struct registry_blob *blob = &p->blobs[p->n_fetched + b];
	size_t i = p->layer_of[p->n_fetched + b];
	struct new_layer *y = &p->layers[i];
	auto_free char *dir = xasprintf("%zu", i);
	int r = layer_unpack(p->work, dir, false, archive_source_fd, &blob->fd, y, err);

	if (r < 0)
		return err_wrap(err, r, "%s: layer sha256:%.12s", p->normal, blob->hex);
	if (strcmp(y->diff, p->diffs.v[i]) != 0)
		return err_set(err, EBADMSG,
			       "%s: layer sha256:%.12s unpacks to sha256:%s, but the config says "
			       "sha256:%s",
			       p->normal, blob->hex, y->diff, p->diffs.v[i]);
	memcpy(y->blob, blob->hex, DIGEST_HEX);
	y->blob_file = xasprintf("%zu.blob", i);
	auto_close_fn(&blob->fd);
	blob->fd = -1;
	return 0;
}

static void on_progress(void *arg, uint64_t bytes, uint64_t all)
{
	const struct pull *p = arg;

	if (p->how->progress)
		p->how->progress(p->how->arg, bytes, all);
}

/* Those layers of which `owners` says that they are ours. */
static int fetch_some(struct pull *p, const struct json *manifest, struct puller *const *owners,
		      struct err *err)
{
	const struct json *d = json_first(json_get(manifest, "layers"));
	struct registry_fetch f = { .done = layer_came,
				    .progress = on_progress,
				    .arg = p,
				    .cancelled = p->how->cancelled };
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->diffs.n; i++, d = json_next(d))
		if (!have_layer(p, i) && owners[i] == p->me)
			r = want_layer(p, d, i, err);
	f.blobs = p->blobs + p->n_fetched;
	f.n = p->n_blobs - p->n_fetched;
	if (r == 0)
		r = registry_fetch(p->reg, &f, err);
	p->n_fetched = p->n_blobs;
	return r;
}

/* After another one has fetched them, the store has them, unless it failed. */
static int after_others(struct pull *p, const struct json *manifest, struct puller **owners,
			struct err *err)
{
	int r;

	pulls_wait(p->how->together, p->me, owners, p->diffs.n);
	index_clear(&p->index);
	r = index_read(p->store, &p->index, err);
	for (size_t i = 0; i < p->diffs.n; i++)
		owners[i] = p->me;
	return r < 0 ? r : fetch_some(p, manifest, owners, err);
}

static int fetch_layers(struct pull *p, const struct json *manifest, struct err *err)
{
	auto_free struct puller **owners = xcalloc(p->diffs.n + 1, sizeof(struct puller *));
	int r;

	if (p->hexes.n != p->diffs.n)
		return err_set(err, EBADMSG, "%s: the config names %zu layers, the manifest %zu",
			       p->normal, p->diffs.n, p->hexes.n);
	p->layers = xcalloc(p->diffs.n + 1, sizeof(*p->layers));
	p->blobs = xcalloc(p->diffs.n + 1, sizeof(*p->blobs));
	p->layer_of = xcalloc(p->diffs.n + 1, sizeof(*p->layer_of));
	for (size_t i = 0; p->me && i < p->diffs.n; i++)
		owners[i] = have_layer(p, i) ? NULL : p->me;
	if (p->me)
		pulls_claim(p->how->together, p->me, &p->diffs, owners);
	r = fetch_some(p, manifest, owners, err);
	return r < 0 || !p->me ? r : after_others(p, manifest, owners, err);
}

static struct new_layer *layer_at(struct pull *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(p->hexes.v[k], p->hexes.v[i]) == 0)
			return &p->layers[k];
	return &p->layers[i];
}

static int fetch_image(struct pull *p, struct err *err)
{
	struct new_image *n = vec_push(&p->images);
	auto_json struct json *manifest = NULL;
	auto_free char *pinned = ref_with_digest(p->normal, p->pinned);
	char config[65];
	int64_t size;
	int r = image_manifest_parse(p->manifest.text, p->manifest.len, config, &p->hexes, err);

	if (r == 0)
		r = json_parse(p->manifest.text, p->manifest.len, &manifest, err);
	if (r < 0)
		return err_wrap(err, r, "%s: its manifest", p->normal);
	size = json_int(json_get(manifest, "config"), "size", -1);
	if (size < 0)
		return err_set(err, EBADMSG, "%s: its config has no size", p->normal);
	r = fetch_config(p, config, (uint64_t)size, n, err);
	if (r == 0)
		r = fetch_layers(p, manifest, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->diffs.n; i++)
		*vec_push(&n->layers) = layer_at(p, i);
	memcpy(n->manifest, p->manifest.digest, DIGEST_HEX);
	n->manifest_text = xstrndup(p->manifest.text, p->manifest.len);
	n->manifest_len = p->manifest.len;
	n->checked = (int64_t)time(NULL);
	if (!strchr(p->normal, '@'))
		strs_add(&n->refs, p->normal);
	strs_add(&n->digests, pinned);
	return 0;
}

static void pull_clear(struct pull *p)
{
	for (size_t i = 0; i < p->n_blobs; i++)
		auto_close_fn(&p->blobs[i].fd);
	for (size_t i = 0; p->layers && i < p->diffs.n; i++)
		new_layer_clear(&p->layers[i]);
	for (size_t i = 0; i < p->images.n; i++)
		new_image_clear(&p->images.v[i]);
	free(p->images.v);
	free(p->layers);
	free(p->blobs);
	free(p->layer_of);
	strs_clear(&p->diffs);
	strs_clear(&p->hexes);
	registry_manifest_clear(&p->manifest);
	registry_close(&p->reg);
	index_clear(&p->index);
	auto_close_fn(&p->work);
}

int image_pull(struct image_store *s, const char *ref, const struct image_pull_how *how,
	       bool *fresh, struct err *err)
{
	auto_free char *normal = NULL, *docker = NULL, *hosts = NULL, *name = NULL;
	struct pull p = { .store = s, .how = how, .work = -1 };
	struct registry_settings settings;
	const struct index_image *had;
	int r = image_ref_normal(ref, &normal, err);

	if (r < 0)
		return r;
	registry_settings_find(&docker, &hosts);
	settings = (struct registry_settings){ docker, hosts };
	p.normal = normal;
	p.me = how->together ? pulls_begin(how->together) : NULL;
	r = registry_open(normal, &settings, false, &p.reg, err);
	if (r == 0)
		r = pull_manifest(p.reg, normal, how->platform, &p.manifest, p.pinned, err);
	if (r == 0)
		r = store_work_open(s, &name, &p.work, err);
	if (r == 0)
		r = index_read(s, &p.index, err);
	if (r == 0)
		r = fetch_image(&p, err);
	had = r == 0 ? index_by_ref(&p.index, normal) : NULL;
	if (r == 0 && fresh)
		*fresh = !had || strcmp(had->id, p.images.v[0].id) != 0;
	if (r == 0)
		r = store_commit(s, p.work, &p.images, err);
	if (p.me)
		pulls_end(how->together, p.me);
	if (name)
		store_work_remove(s, name);
	pull_clear(&p);
	return r;
}

int image_checked(struct image_store *s, const char *ref, int64_t *when)
{
	auto_index struct index ix = { 0 };
	struct index_image *img = NULL;
	int r = index_read(s, &ix, NULL);

	if (r == 0)
		r = index_resolve(&ix, ref, &img, NULL, NULL);
	if (r == 0)
		*when = img->checked;
	return r;
}

/* The digest under which a registry gave it to us. */
static char *known_digest(struct image_store *s, const char *normal)
{
	auto_index struct index ix = { 0 };
	auto_free char *repository = ref_with_digest(normal, "");
	const struct index_image *img;

	if (index_read(s, &ix, NULL) < 0 || !(img = index_by_ref(&ix, normal)))
		return NULL;
	for (size_t i = 0; i < img->digests.n; i++)
		if (str_starts(img->digests.v[i], repository))
			return xstrdup(img->digests.v[i]);
	return NULL;
}

int image_pin(struct image_store *s, const char *ref, bool ask, char **pinned, struct err *err)
{
	auto_free char *normal = NULL, *docker = NULL, *hosts = NULL;
	auto_registry struct registry *reg = NULL;
	auto_registry_manifest struct registry_manifest m = { 0 };
	struct registry_settings settings;
	int r = image_ref_normal(ref, &normal, err);

	if (r < 0)
		return r;
	if (strchr(normal, '@')) {
		*pinned = xstrdup(ref);
		return 0;
	}
	*pinned = known_digest(s, normal);
	if (!*pinned && !ask)
		return err_set(
			err, ENETUNREACH,
			"image %s: no registry has given its digest yet, and none may be asked",
			ref);
	if (!*pinned) {
		registry_settings_find(&docker, &hosts);
		settings = (struct registry_settings){ docker, hosts };
		r = registry_open(normal, &settings, false, &reg, err);
		if (r == 0)
			r = registry_manifest(reg, NULL, &m, err);
		if (r < 0)
			return r;
		*pinned = ref_with_digest(normal, m.digest);
	}
	return 0;
}
