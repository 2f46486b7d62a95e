/* config.c - what an image's config and manifest say; see image.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static const struct json *object_of(const struct json *j)
{
	return json_kind(j) == JSON_OBJECT ? j : NULL;
}

static const char *keep(struct arena *a, const char *s)
{
	return arena_strdup(a, s ? s : "");
}

/* The strings of an array; other kinds in it are passed over. */
static struct list strings(struct arena *a, const struct json *array)
{
	struct list l = { .v = arena_array(a, json_count(array) + 1, sizeof(*l.v)) };

	for (const struct json *c = json_first(array); c; c = json_next(c))
		if (json_string(c))
			l.v[l.n++] = keep(a, json_string(c));
	return l;
}

/* Exec form, or the shell form that very old images have. */
static struct list command(struct arena *a, const struct json *j)
{
	struct list l = { 0 };

	if (json_kind(j) != JSON_STRING)
		return strings(a, j);
	l.v = arena_array(a, 3, sizeof(*l.v));
	l.v[l.n++] = "/bin/sh";
	l.v[l.n++] = "-c";
	l.v[l.n++] = keep(a, json_string(j));
	return l;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of an object, each through `form`, sorted. */
static struct list keys(struct arena *a, const struct json *object,
			const char *(*form)(struct arena *, const char *))
{
	struct list l = { .v = arena_array(a, json_count(object) + 1, sizeof(*l.v)) };

	for (const struct json *c = json_first(object_of(object)); c; c = json_next(c)) {
		const char *s = form(a, json_key(c));

		if (s)
			l.v[l.n++] = s;
	}
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), compare);
	return l;
}

static const char *port_form(struct arena *a, const char *key)
{
	return strchr(key, '/') ? keep(a, key) : arena_printf(a, "%s/tcp", key);
}

static const char *volume_form(struct arena *a, const char *key)
{
	auto_free char *clean = path_clean(key);

	return *clean == '/' && clean[1] ? keep(a, clean) : NULL;
}

static uint64_t micros(const struct json *j, const char *key)
{
	int64_t ns = json_int(j, key, 0);

	return ns > 0 ? (uint64_t)ns / 1000 : 0;
}

static void read_health(struct arena *a, const struct json *j, struct healthcheck *h)
{
	int64_t retries = json_int(j, "Retries", 0);

	h->test = strings(a, json_get(j, "Test"));
	h->set = h->test.n > 0;
	h->disable = h->set && strcmp(h->test.v[0], "NONE") == 0;
	h->interval_us = micros(j, "Interval");
	h->timeout_us = micros(j, "Timeout");
	h->start_period_us = micros(j, "StartPeriod");
	h->start_interval_us = micros(j, "StartInterval");
	h->retries = retries > 0 && retries < 1000000 ? (unsigned)retries : 0;
}

int config_diff_ids(const struct json *config, struct strs *out, struct err *err)
{
	const struct json *ids = json_get(json_get(config, "rootfs"), "diff_ids");

	if (json_kind(ids) != JSON_ARRAY)
		return err_set(err, EBADMSG, "the image's config has no rootfs.diff_ids");
	if (json_count(ids) > IMAGE_LAYERS_MAX)
		return err_set(err, E2BIG, "the image has %zu layers, more than %d",
			       json_count(ids), IMAGE_LAYERS_MAX);
	for (const struct json *c = json_first(ids); c; c = json_next(c)) {
		const char *hex = digest_of(json_string(c));

		if (!hex)
			return err_set(err, EBADMSG,
				       "a layer in the image's config has no sha256 digest");
		strs_add(out, hex);
	}
	return 0;
}

/* overlayfs refuses a layer that comes twice. The upper one decides whatever the lower one
 * could, so that one goes. */
static void unique_layers(struct image *img, const struct strs *ids)
{
	auto_map struct map later = { 0 };
	size_t at = ids->n;

	img->layers.v = arena_array(&img->arena, ids->n + 1, sizeof(*img->layers.v));
	for (size_t i = ids->n; i-- > 0;) {
		if (map_has(&later, ids->v[i]))
			continue;
		map_put(&later, ids->v[i], img);
		img->layers.v[--at] = keep(&img->arena, ids->v[i]);
	}
	img->layers.v += at;
	img->layers.n = ids->n - at;
}

static int read_config(const struct json *j, struct image *img, struct err *err)
{
	const struct json *c = object_of(json_get(j, "config")), *labels;
	auto_strs struct strs ids = { 0 };
	struct arena *a = &img->arena;
	const char *signal;
	int r = config_diff_ids(j, &ids, err);

	if (r < 0)
		return r;
	unique_layers(img, &ids);
	img->architecture = keep(a, json_str(j, "architecture", ""));
	img->os = keep(a, json_str(j, "os", ""));
	img->created = keep(a, json_str(j, "created", ""));
	img->env = strings(a, json_get(c, "Env"));
	img->entrypoint = command(a, json_get(c, "Entrypoint"));
	img->cmd = command(a, json_get(c, "Cmd"));
	img->user = keep(a, json_str(c, "User", ""));
	img->working_dir = keep(a, json_str(c, "WorkingDir", ""));
	if (*img->working_dir != '/')
		img->working_dir = arena_printf(a, "/%s", img->working_dir);
	img->ports = keys(a, json_get(c, "ExposedPorts"), port_form);
	img->volumes = keys(a, json_get(c, "Volumes"), volume_form);
	labels = object_of(json_get(c, "Labels"));
	img->labels.v = arena_array(a, json_count(labels) + 1, sizeof(*img->labels.v));
	for (const struct json *l = json_first(labels); l; l = json_next(l))
		img->labels.v[img->labels.n++] =
			(struct kv){ keep(a, json_key(l)), keep(a, json_string(l)) };
	read_health(a, object_of(json_get(c, "Healthcheck")), &img->health);
	signal = json_str(c, "StopSignal", "");
	if (*signal && parse_signal(signal, &img->stop_signal) < 0)
		return err_set(err, EBADMSG, "the image's stop signal '%s' is no signal", signal);
	return 0;
}

int image_config_parse(const char *text, size_t len, struct image *img, struct err *err)
{
	auto_json struct json *j = NULL;
	int r = json_parse(text, len, &j, err);

	if (r < 0)
		return err_wrap(err, r, "the image's config");
	if (json_kind(j) != JSON_OBJECT)
		return err_set(err, EBADMSG, "the image's config is not an object");
	return read_config(j, img, err);
}

int image_manifest_parse(const char *text, size_t len, char config[65], struct strs *layers,
			 struct err *err)
{
	auto_json struct json *j = NULL;
	auto_strs struct strs found = { 0 };
	const struct json *list;
	const char *hex;
	int r = json_parse(text, len, &j, err);

	if (r < 0)
		return err_wrap(err, r, "the manifest");
	hex = digest_of(json_str(json_get(j, "config"), "digest", NULL));
	list = json_get(j, "layers");
	if (!hex || json_kind(list) != JSON_ARRAY)
		return err_set(err, EBADMSG, "the manifest names no config and layers");
	if (json_count(list) > IMAGE_LAYERS_MAX)
		return err_set(err, E2BIG, "the image has %zu layers, more than %d",
			       json_count(list), IMAGE_LAYERS_MAX);
	memcpy(config, hex, DIGEST_HEX);
	for (const struct json *c = json_first(list); c; c = json_next(c)) {
		hex = digest_of(json_str(c, "digest", NULL));
		if (!hex)
			return err_set(err, EBADMSG,
				       "a layer in the manifest has no sha256 digest");
		strs_add(&found, hex);
	}
	for (size_t i = 0; i < found.n; i++)
		strs_add(layers, found.v[i]);
	return 0;
}

const char *host_architecture(void)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" },   { "armv7l", "arm" },
		{ "armv6l", "arm" },   { "i686", "386" },        { "ppc64le", "ppc64le" },
		{ "s390x", "s390x" },  { "riscv64", "riscv64" }, { "loongarch64", "loong64" },
	};
	struct utsname u;

	if (uname(&u) == 0)
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (strcmp(u.machine, names[i][0]) == 0)
				return names[i][1];
	return "amd64";
}
