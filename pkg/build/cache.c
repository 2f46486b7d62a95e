/* cache.c - steps from and to folders: cache_from, cache_to; see private.h */
#include "private.h"

#include <string.h>

int build_cache_parse(struct arena *a, const char *text, bool to, struct build_cache *out,
		      struct err *err)
{
	const char *where = to ? "dest" : "src", *unknown = NULL;
	char *copy = arena_strdup(a, text), *save = NULL;
	struct build_cache c = { 0 };

	for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		const char *value = strchr(w, '=');
		size_t n = value ? (size_t)(value++ - w) : strlen(w);
		bool mode = value && to && n == 4 && strncmp(w, "mode", n) == 0;

		if (value && n == 4 && strncmp(w, "type", n) == 0)
			c.local = strcmp(value, "local") == 0;
		else if (value && n == strlen(where) && strncmp(w, where, n) == 0)
			c.path = value;
		else if (mode && (strcmp(value, "max") == 0 || strcmp(value, "min") == 0))
			c.all = strcmp(value, "max") == 0;
		else
			unknown = w;
	}
	if (c.local && unknown)
		return err_set(err, ENOTSUP, "'%s' is not known", unknown);
	if (c.local && (!c.path || !*c.path))
		return err_set(err, EINVAL, "type=local needs %s=FOLDER", where);
	*out = c;
	return 0;
}

int build_cache_in(struct builder *all, struct err *err)
{
	auto_strs struct strs done = { 0 };
	int r = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct list *from = &all->v[i].req->cache_from;

		for (size_t k = 0; r == 0 && k < from->n; k++) {
			if (strs_has(&done, from->v[k]))
				continue;
			strs_add(&done, from->v[k]);
			if (!all->work)
				r = image_work_open(all->w->images, &all->work, err);
			if (r == 0)
				r = image_steps_import(all->work, from->v[k], err);
			if (r == -ENOENT) { /* the first time there is none */
				err_clear(err);
				r = 0;
			}
		}
	}
	return r;
}

static bool in_image(const struct build *b, const struct image_layer *l)
{
	const struct stage *s = &b->stages[b->target];

	for (size_t i = 0; i < s->layers.n; i++)
		if (strcmp(s->layers.v[i].diff, l->diff) == 0)
			return true;
	return false;
}

static bool goes_to(const struct build *b, const char *folder)
{
	for (size_t i = 0; i < b->req->cache_to.n; i++)
		if (strcmp(b->req->cache_to.v[i], folder) == 0)
			return true;
	return false;
}

/* Steps of all builds that name the folder. */
static int export_to(struct builder *all, const char *folder, struct err *err)
{
	struct image_steps steps = { 0 };
	int r;

	for (size_t i = 0; i < all->n; i++) {
		const struct build *b = &all->v[i];

		for (size_t k = 0; goes_to(b, folder) && k < b->steps.n; k++)
			if (b->req->cache_all || in_image(b, &b->steps.v[k].layer))
				(void)image_steps_add(&steps, b->steps.v[k].key,
						      &b->steps.v[k].layer);
	}
	r = image_steps_export(all->w->images, folder, &steps, err);
	image_steps_clear(&steps);
	return r;
}

int build_cache_out(struct builder *all, struct err *err)
{
	auto_strs struct strs done = { 0 };
	int r = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct list *to = &all->v[i].req->cache_to;

		for (size_t k = 0; r == 0 && k < to->n; k++) {
			if (strs_has(&done, to->v[k]))
				continue;
			strs_add(&done, to->v[k]);
			r = export_to(all, to->v[k], err);
		}
	}
	return r;
}
