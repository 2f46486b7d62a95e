/* inputs.c - images that builds begin with, and which build waits for which; see private.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>

char *flag_from(const struct df_pair *flag)
{
	const char *from;

	if (!flag->value)
		return NULL;
	if (strcmp(flag->key, "from") == 0)
		return xstrdup(flag->value);
	from = strcmp(flag->key, "mount") == 0 ? strstr(flag->value, "from=") : NULL;
	return from && (from == flag->value || from[-1] == ',')
		       ? xstrndup(from + 5, strcspn(from + 5, ","))
		       : NULL;
}

/* A name that is neither a stage nor a folder. */
static void want(const struct build *b, const char *name, size_t before, bool numbers,
		 struct strs *out)
{
	static const char scheme[] = "docker-image://";
	const char *named = build_context(b, name);

	if (!*name || build_earlier(b, name, before, numbers) != SIZE_MAX ||
	    (named && !str_starts(named, scheme)))
		return;
	if (named)
		name = named;
	else if (strcmp(name, "scratch") == 0)
		return;
	if (str_starts(name, scheme))
		name += strlen(scheme);
	if (!strs_has(out, name))
		strs_add(out, name);
}

static int inputs(const struct build *b, struct strs *out, struct err *err)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct df_stage *def = &b->file->stages[i];
		auto_free char *base = NULL;
		int r;

		if (b->stages[i].status == STAGE_UNUSED)
			continue;
		r = build_expand(b, def->base, &base, err);
		if (r < 0)
			return r;
		want(b, base, i, false, out);
		for (size_t k = 0; k < def->n; k++)
			for (size_t f = 0; f < def->v[k].n_flags; f++) {
				auto_free char *from = flag_from(&def->v[k].flags[f]);

				/* Of a mount it may have variables: the step itself will know. */
				if (from && !strchr(from, '$'))
					want(b, from, i, true, out);
			}
	}
	return 0;
}

int build_inputs(const struct build_request *req, struct strs *refs, struct err *err)
{
	struct build b = { .req = req, .context = -1 };
	int r = build_open(&b, err);

	if (r == 0)
		r = inputs(&b, refs, err);
	build_clear(&b);
	return r;
}

/* ---- Order ------------------------------------------------------------------------------------ */
bool build_makes(const struct build_request *req, const char *normal)
{
	for (size_t i = 0; i < req->tags.n; i++) {
		auto_free char *tag = NULL;

		if (image_ref_normal(req->tags.v[i], &tag, NULL) == 0 && strcmp(tag, normal) == 0)
			return true;
	}
	return false;
}

static int find_makers(struct builder *all, struct build *b, struct err *err)
{
	auto_strs struct strs refs = { 0 };
	int r = inputs(b, &refs, err);

	if (r < 0)
		return r;
	b->after = xcalloc(all->n, sizeof(bool));
	for (size_t i = 0; i < refs.n; i++) {
		auto_free char *normal = NULL;

		if (image_ref_normal(refs.v[i], &normal, NULL) < 0)
			continue;
		for (size_t k = 0; k < all->n; k++)
			b->after[k] |= &all->v[k] != b && build_makes(all->v[k].req, normal);
	}
	return 0;
}

/* Whether all can be done, one after the other. */
static int check_order(const struct builder *all, struct err *err)
{
	auto_free bool *done = xcalloc(all->n, sizeof(bool));
	size_t left = all->n;

	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < all->n; i++) {
			bool waits = done[i];

			for (size_t k = 0; k < all->n; k++)
				waits |= all->v[i].after[k] && !done[k];
			if (waits)
				continue;
			done[i] = moved = true;
			left--;
		}
	}
	for (size_t i = 0; left && i < all->n; i++)
		for (size_t k = 0; k < all->n; k++)
			if (!done[i] && !done[k] && all->v[i].after[k])
				return err_set(err, ELOOP,
					       "the builds of %s and %s wait for each other's "
					       "images",
					       all->v[i].req->name, all->v[k].req->name);
	return 0;
}

int build_order(struct builder *all, struct err *err)
{
	int r = 0;

	for (size_t i = 0; all->n > 1 && r == 0 && i < all->n; i++)
		r = find_makers(all, &all->v[i], err);
	return all->n > 1 && r == 0 ? check_order(all, err) : r;
}
