/* push.c - an image of the store to a registry; see image.h */
#include "private.h"

#include <ctrcompose/archive.h>
#include <ctrcompose/registry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct push {
	struct image_store *store;
	struct registry *reg;
	const char *normal;
	void (*progress)(void *arg, uint64_t bytes, uint64_t all);
	void *arg;
	uint64_t bytes, all;
};

struct source {
	struct push *p;
	int fd;
	const char *text; /* instead of fd */
	size_t len, at;   /* of it */
	uint64_t sent;
};

static ssize_t read_source(void *arg, void *buf, size_t len, struct err *err)
{
	struct source *s = arg;
	ssize_t n;

	if (s->text) {
		n = (ssize_t)(s->len - s->at < len ? s->len - s->at : len);
		memcpy(buf, s->text + s->at, (size_t)n);
		s->at += (size_t)n;
	} else {
		n = read(s->fd, buf, len);
		if (n < 0)
			return err_errno(err, "read a layer");
	}
	s->sent += (uint64_t)n;
	s->p->bytes += (uint64_t)n;
	if (s->p->progress)
		s->p->progress(s->p->arg, s->p->bytes, s->p->all);
	return n;
}

static int rewind_source(void *arg, struct err *err)
{
	struct source *s = arg;

	s->p->bytes -= s->sent;
	s->sent = 0;
	s->at = 0;
	return s->fd >= 0 && lseek(s->fd, 0, SEEK_SET) < 0 ? err_errno(err, "read a layer") : 0;
}

static int send_source(struct push *p, const char *hex, uint64_t size, struct source *src,
		       struct err *err)
{
	const struct registry_upload up = {
		.size = size, .read = read_source, .rewind = rewind_source, .arg = src
	};

	return registry_put_blob(p->reg, hex, &up, err);
}

static int put(struct push *p, const char *hex, uint64_t size, struct source *src, struct err *err)
{
	bool has = false;
	int r = registry_has_blob(p->reg, hex, &has, err);

	if (r < 0 || has) {
		p->bytes += has ? size : 0;
		return r;
	}
	return send_source(p, hex, size, src, err);
}

/* The registry wants to read what the store wants to write: a file without a name is between them. */
static int put_layer(struct push *p, const struct export_layer *l, struct err *err)
{
	auto_close int fd = openat(p->store->images, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct source src = { .p = p, .fd = fd };
	bool has = false;
	int r = registry_has_blob(p->reg, l->digest, &has, err);

	if (r < 0 || has) {
		p->bytes += has ? l->size : 0;
		return r;
	}
	if (fd < 0)
		return err_errno(err, "make a file in %s/images", p->store->path);
	r = export_layer_write(p->store, l, archive_sink_fd, &fd, err);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = err_errno(err, "read a layer");
	return r < 0 ? r : send_source(p, l->digest, l->size, &src, err);
}

static int push_all(struct push *p, const struct export *e, const char *id, struct err *err)
{
	struct source config = { .p = p, .fd = -1, .text = e->config, .len = e->config_len };
	int r = 0;

	p->all = e->config_len;
	for (size_t i = 0; i < e->layers.n; i++)
		p->all += e->layers.v[i].size;
	for (size_t i = 0; r == 0 && i < e->layers.n; i++)
		r = put_layer(p, &e->layers.v[i], err);
	if (r == 0)
		r = put(p, id, e->config_len, &config, err);
	if (r == 0)
		r = registry_put_manifest(p->reg, e->manifest_media, e->manifest, e->manifest_len,
					  err);
	return r < 0 ? err_wrap(err, r, "push %s", p->normal) : 0;
}

static int open_registry(struct push *p, struct err *err)
{
	auto_free char *docker = NULL, *hosts = NULL;
	struct registry_settings settings;

	registry_settings_find(&docker, &hosts);
	settings = (struct registry_settings){ docker, hosts };
	return registry_open(p->normal, &settings, true, &p->reg, err);
}

int image_push(struct image_store *s, const char *ref,
	       void (*progress)(void *arg, uint64_t bytes, uint64_t all), void *arg,
	       struct err *err)
{
	auto_index struct index ix = { 0 };
	auto_export struct export e = { 0 };
	auto_free char *normal = NULL;
	struct index_image *img = NULL;
	struct push p = { .store = s, .progress = progress, .arg = arg };
	int r = index_read(s, &ix, err);

	if (r == 0)
		r = index_resolve(&ix, ref, &img, &normal, err);
	if (r == 0 && (!normal || strchr(normal, '@')))
		r = err_set(err, EINVAL, "'%s': an image is pushed by its name", ref);
	if (r == 0)
		r = export_prepare(s, img, &e, err);
	if (r < 0)
		return r;
	p.normal = normal;
	r = open_registry(&p, err);
	if (r == 0)
		r = push_all(&p, &e, img->id, err);
	registry_close(&p.reg);
	return r;
}

/* ---- Steps of builds -------------------------------------------------------------------------- */
/* Each layer once, as the plain tar that its key's digest is of. */
static int prepare_steps(struct image_store *s, const struct image_steps *steps, struct export *e,
			 struct err *err)
{
	auto_map struct map seen = { 0 };
	auto_json struct json *config = image_steps_json(steps);
	int r = 0;

	e->config = json_print(config);
	e->config_len = strlen(e->config);
	e->config_media = MEDIA_STEPS;
	for (size_t i = 0; r == 0 && i < steps->n; i++) {
		const char *diff = steps->v[i].layer.diff;
		struct index_layer il = { 0 };

		if (!*diff || map_has(&seen, diff))
			continue;
		map_put(&seen, diff, e);
		memcpy(il.diff, diff, DIGEST_HEX);
		r = export_layer_find(s, &il, vec_push(&e->layers), err);
	}
	return r;
}

int image_steps_push(struct image_store *s, const char *ref, const struct image_steps *steps,
		     struct err *err)
{
	auto_export struct export e = { 0 };
	auto_free char *normal = NULL;
	struct push p = { .store = s };
	char hex[DIGEST_HEX];
	int r = image_ref_normal(ref, &normal, err);

	if (r == 0)
		r = prepare_steps(s, steps, &e, err);
	if (r < 0)
		return r;
	digest_text(e.config, e.config_len, hex);
	export_make_manifest(&e, hex);
	p.normal = normal;
	r = open_registry(&p, err);
	if (r == 0)
		r = push_all(&p, &e, hex, err);
	registry_close(&p.reg);
	return r;
}
