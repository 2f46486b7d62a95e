/* prune.c - images that nobody needs go; see image.h */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* RFC 3339 to nanoseconds; 0 when it is none. */
static uint64_t when(const char *created)
{
	struct tm tm = { 0 };
	const char *end = strptime(created, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t t = end ? timegm(&tm) : -1;

	return t > 0 ? (uint64_t)t * 1000000000ULL : 0;
}

static bool label_matches(const struct json *labels, const char *want)
{
	const char *eq = strchr(want, '=');
	auto_free char *key = eq ? xstrndup(want, (size_t)(eq - want)) : xstrdup(want);
	const char *value = json_str(labels, key, NULL);

	return value && (!eq || strcmp(value, eq + 1) == 0);
}

static bool has_labels(struct image_store *s, const struct index_image *img,
		       const struct strs *labels)
{
	auto_json struct json *config = NULL;
	auto_free char *text = NULL;
	size_t len = 0;

	if (!labels || labels->n == 0)
		return true;
	if (store_blob_read(s, img->id, &text, &len, NULL) < 0 ||
	    json_parse(text, len, &config, NULL) < 0)
		return false;
	for (size_t i = 0; i < labels->n; i++)
		if (!label_matches(json_get(json_get(config, "config"), "Labels"), labels->v[i]))
			return false;
	return true;
}

static void drop(struct index *ix, struct index_image *img, struct strs *report)
{
	for (size_t i = 0; report && i < img->refs.n; i++) {
		auto_free char *familiar = image_ref_familiar(img->refs.v[i]);

		strs_addf(report, "untagged: %s", familiar);
	}
	if (report)
		strs_addf(report, "deleted: sha256:%s", img->id);
	index_drop(ix, img);
}

int image_prune(struct image_store *s, const struct image_prune_how *how, image_used_fn *used,
		void *used_arg, struct strs *report, uint64_t *freed, struct err *err)
{
	auto_close int lock = store_lock(s, err);
	auto_index struct index ix = { 0 };
	auto_strs struct strs ids = { 0 };
	uint64_t before = freed ? store_space(s) : 0, after;
	size_t had;
	int r = lock < 0 ? lock : used(used_arg, &ids, err);

	if (r == 0)
		r = index_read(s, &ix, err);
	had = ix.n;
	for (size_t i = ix.n; r == 0 && i-- > 0;) {
		struct index_image *img = &ix.v[i];

		if (strs_has(&ids, img->id) || (!how->all && img->refs.n > 0) ||
		    (how->before_ns && when(img->created) >= how->before_ns) ||
		    !has_labels(s, img, how->labels))
			continue;
		drop(&ix, img, report);
	}
	if (r == 0 && ix.n != had)
		r = index_write(s, &ix, err);
	if (r < 0)
		return r;
	store_sweep(s, &ix);
	if (freed) {
		after = store_space(s);
		*freed = before > after ? before - after : 0;
	}
	return 0;
}

int image_cache_prune(struct image_store *s, uint64_t *freed, struct err *err)
{
	uint64_t before = store_space(s), after;
	int r = image_cache_clear(s, err);

	if (r < 0)
		return r;
	after = store_space(s);
	*freed = before > after ? before - after : 0;
	return 0;
}
