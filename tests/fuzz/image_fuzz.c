/* image_fuzz.c - JSON of images as others write it: index, manifest, config, steps of builds. The
 * input is texts, each with a NUL behind it: index.json, manifest.json, blobs. \1 and a digit in one
 * stands for the digest of the text with that number, which comes later. */
#include "../../pkg/image/load.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXTS = 10 };

struct texts {
	char *v[TEXTS];
	size_t n;
	char hex[TEXTS][DIGEST_HEX];
};

static char *with_digests(const struct texts *t, const char *s, size_t len, size_t own)
{
	struct sbuf out = SBUF_INIT;

	for (size_t i = 0; i < len; i++) {
		size_t k = i + 1 < len && s[i] == 1 ? (size_t)(unsigned char)s[i + 1] - '0' : TEXTS;

		if (k < t->n && k > own)
			sbuf_addf(&out, "sha256:%s", t->hex[k]), i++;
		else
			sbuf_addc(&out, s[i]);
	}
	return out.s ? out.s : xstrdup("");
}

static void one(const char *s)
{
	struct image img = { 0 };
	struct image_steps steps = { 0 };
	auto_strs struct strs layers = { 0 };
	auto_json struct json *j = NULL;
	auto_err struct err err = ERR_INIT, other = ERR_INIT;
	auto_arena struct arena a = { 0 };
	struct image_layout layout;
	char config[65];

	(void)image_config_parse(s, strlen(s), &img, &err);
	arena_free(&img.arena);
	if (image_manifest_parse(s, strlen(s), config, &layers, NULL) == 0 &&
	    !digest_hex_ok(config))
		abort();
	if (image_steps_parse(s, strlen(s), &steps, NULL) == 0 && steps.n > IMAGE_STEPS_MAX)
		abort();
	image_steps_clear(&steps);
	if (image_layout_parse(&a, s, &layout, NULL) == 0 &&
	    (!*layout.path || !strstr(s, layout.path)))
		abort();
	if (json_parse(s, strlen(s), &j, NULL) == 0)
		(void)index_choose(json_get(j, "manifests"), "linux/arm64/v8", "x", &other);
}

static void put(struct load *l, const char *path, const char *s)
{
	struct text *text;

	if (map_has(&l->texts, path))
		return;
	text = xcalloc(1, sizeof(*text));
	*text = (struct text){ xstrdup(s), strlen(s) };
	map_put(&l->texts, path, text);
}

/* The one of it that is meant, as a layout that is a folder has it. */
static void chosen(const struct texts *t, const char *tag, const char *digest)
{
	struct load l = { .what = "it", .work = -1, .first_look = true, .nameless = true };
	const struct image_layout which = { .path = "it", .tag = tag, .digest = digest };
	auto_err struct err err = ERR_INIT;

	for (size_t i = 0; i < t->n; i++) {
		auto_free char *path =
			i == 0 ? xstrdup("index.json") : xasprintf("blobs/sha256/%s", t->hex[i]);

		put(&l, path, t->v[i]);
	}
	if (load_choose(&l, &which, &err) == 0 && l.images.n == 0)
		abort();
	for (size_t i = 0; i < l.images.n; i++)
		if (l.images.v[i].refs.n)
			abort();
	load_clear(&l);
}

/* Blobs have their number as a name as well, for manifest.json. */
static void whole(const struct texts *t)
{
	struct load l = { .what = "it", .work = -1, .first_look = true };
	auto_err struct err err = ERR_INIT;

	for (size_t i = 0; i < t->n; i++) {
		char number[2] = { (char)('0' + i), '\0' };
		auto_free char *path = i == 0   ? xstrdup("index.json")
				       : i == 1 ? xstrdup("manifest.json")
						: xasprintf("blobs/sha256/%s", t->hex[i]);

		if (i >= 2 || *t->v[i])
			put(&l, path, t->v[i]);
		put(&l, number, t->v[i]);
	}
	(void)load_understand(&l, &err);
	for (size_t i = 0; i < l.images.n; i++)
		if (l.images.v[i].id[0] && !digest_hex_ok(l.images.v[i].id))
			abort();
	load_clear(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data, *end = s + size, *at[TEXTS];
	size_t len[TEXTS];
	struct texts t = { 0 };

	while (t.n < TEXTS && s < end) {
		at[t.n] = s;
		len[t.n] = strnlen(s, (size_t)(end - s));
		s += len[t.n++] + 1;
	}
	for (size_t i = t.n; i-- > 0;) {
		t.v[i] = with_digests(&t, at[i], len[i], i);
		digest_text(t.v[i], strlen(t.v[i]), t.hex[i]);
		one(t.v[i]);
	}
	whole(&t);
	chosen(&t, NULL, NULL);
	chosen(&t, "1", NULL);
	if (t.n > 2) {
		auto_free char *digest = xasprintf("sha256:%s", t.hex[2]);

		chosen(&t, NULL, digest);
	}
	for (size_t i = 0; i < t.n; i++)
		free(t.v[i]);
	return 0;
}
