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

/* One look at what a build begins with. */
struct look {
	struct build *b;
	const struct build_request *all; /* that are built together, */
	size_t n;                        /* so many */
	struct image_store *images;      /* NULL: what ONBUILD says in them is not looked at */
	struct strs *out;
};

static void want_flags(const struct look *l, const struct df_instruction *in, size_t before)
{
	for (size_t f = 0; f < in->n_flags; f++) {
		auto_free char *from = flag_from(&in->flags[f]);

		/* Of a mount it may have variables: the step itself will know. */
		if (from && !strchr(from, '$'))
			want(l->b, from, before, true, l->out);
	}
}

static void want_trigger(const struct look *l, const struct df_instruction *in, size_t i)
{
	stage_needs(&l->b->stages[i], in, 1);
	want_flags(l, in, i);
}

/* What the image says by ONBUILD will be done in stage i. One that is to be made now may say something
 * else then. */
static void want_of_image(const struct look *l, const char *ref, size_t i)
{
	static const char scheme[] = "docker-image://";
	auto_json struct json *config = NULL;
	auto_free char *normal = NULL;
	const struct json *list;

	if (str_starts(ref, scheme))
		ref += strlen(scheme);
	if (image_ref_normal(ref, &normal, NULL) == 0)
		for (size_t k = 0; k < l->n; k++)
			if (build_makes(&l->all[k], normal))
				return;
	if (!l->images || image_config(l->images, ref, &config, NULL) < 0)
		return;
	list = json_get(json_get(config, "config"), "OnBuild");
	for (const struct json *c = json_first(list); c; c = json_next(c)) {
		auto_dockerfile struct dockerfile *d = NULL;

		/* What is wrong with it, the build itself will say. */
		if (json_string(c) && dockerfile_parse_trigger(json_string(c), &d, NULL) == 0)
			want_trigger(l, &d->stages[0].v[0], i);
	}
}

static void want_of_base(const struct look *l, const char *base, size_t i)
{
	size_t stage = build_earlier(l->b, base, i, false);
	const struct df_stage *def = stage != SIZE_MAX ? &l->b->file->stages[stage] : NULL;
	const char *named = build_context(l->b, base);

	for (size_t k = 0; def && k < def->n; k++)
		if (def->v[k].op == DF_ONBUILD && def->v[k].trigger)
			want_trigger(l, def->v[k].trigger, i);
	if (!def && strcmp(base, "scratch") != 0 && (!named || str_starts(named, "docker-image:")))
		want_of_image(l, named ? named : base, i);
}

/* From the last stage on: a trigger may lead to a stage that nobody has asked for until now. */
static int inputs(const struct look *l, struct err *err)
{
	struct build *b = l->b;

	for (size_t i = b->n; i-- > 0;) {
		const struct df_stage *def = &b->file->stages[i];
		auto_free char *base = NULL;
		int r;

		if (b->stages[i].status == STAGE_UNUSED)
			continue;
		r = build_expand(b, def->base, &base, err);
		if (r < 0)
			return r;
		want(b, base, i, false, l->out);
		want_of_base(l, base, i);
		for (size_t k = 0; k < def->n; k++)
			want_flags(l, &def->v[k], i);
	}
	return 0;
}

int build_inputs(const struct build_request *all, size_t n, size_t which,
		 struct image_store *images, struct strs *refs, struct err *err)
{
	struct build b = { .req = &all[which], .context = -1 };
	const struct look l = { &b, all, n, images, refs };
	int r = build_open(&b, err);

	if (r == 0)
		r = inputs(&l, err);
	build_clear(&b);
	return r;
}

int build_want_image(const struct build *b, const char *ref, struct err *err)
{
	const struct build_world *w = b->all->w;
	auto_image struct image *img = NULL;
	auto_free char *normal = NULL;
	int r = image_find(w->images, ref, &img, err);

	if (r != -ENOENT || !w->pull || image_ref_normal(ref, &normal, NULL) < 0)
		return r;
	err_clear(err);
	return w->pull(w->arg, normal, err);
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

/* True: one of them is not done. */
static bool add_makers(struct builder *all, struct build *b, const char *ref)
{
	auto_free char *normal = NULL;
	bool waits = false;

	if (image_ref_normal(ref, &normal, NULL) < 0)
		return false;
	for (size_t k = 0; k < all->n; k++) {
		if (&all->v[k] == b || !build_makes(all->v[k].req, normal))
			continue;
		b->after[k] = true;
		waits |= !all->v[k].committed;
	}
	return waits;
}

static int find_makers(struct builder *all, struct build *b, struct err *err)
{
	auto_strs struct strs refs = { 0 };
	const struct look l = { b, all->v[0].req, all->n, all->w->images, &refs };
	int r = inputs(&l, err);

	if (r < 0)
		return r;
	b->after = xcalloc(all->n, sizeof(bool));
	for (size_t i = 0; i < refs.n; i++)
		(void)add_makers(all, b, refs.v[i]);
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

int build_order_triggers(struct stage *s, struct err *err)
{
	struct builder *all = s->b->all;
	auto_strs struct strs refs = { 0 };
	const struct look l = { s->b, NULL, 0, NULL, &refs };
	bool waits = false;
	int r;

	if (all->n <= 1)
		return 0;
	for (size_t i = 0; i < s->n_triggers; i++)
		want_flags(&l, &s->triggers[i]->stages[0].v[0], s->index);
	for (size_t i = 0; i < refs.n; i++)
		waits |= add_makers(all, s->b, refs.v[i]);
	r = waits ? check_order(all, err) : 0;
	return r < 0 ? r : waits;
}
