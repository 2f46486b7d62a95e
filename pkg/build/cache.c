/* cache.c - steps from and to folders and registries: cache_from, cache_to; see private.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>

/* ---- What is written -------------------------------------------------------------------------- */
static const struct {
	const char *name, *from, *to; /* the option that says where; NULL: there is none */
	const char *what;
	bool reads, writes, mode;
} types[] = {
	[BUILD_CACHE_LOCAL] = { "local", "src", "dest", "FOLDER", true, true, true },
	[BUILD_CACHE_REGISTRY] = { "registry", "ref", "ref", "NAME", true, true, true },
	[BUILD_CACHE_INLINE] = { "inline", NULL, NULL, NULL, false, true, false },
};

struct items {
	const char *type, *mode, *unknown;
	const char *src, *dest, *ref;
};

/* "true" for what is done in any case: an OCI manifest. */
static bool is_so(const char *name, const char *value)
{
	return (strcmp(name, "oci-mediatypes") == 0 || strcmp(name, "image-manifest") == 0) &&
	       strcmp(value, "true") == 0;
}

static void read_words(char *text, struct items *w)
{
	char *save = NULL;

	for (char *s = strtok_r(text, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
		char *eq = strchr(s, '=');
		const char **slot = NULL;

		if (!eq) {
			w->unknown = s;
			continue;
		}
		*eq = '\0';
		slot = strcmp(s, "type") == 0   ? &w->type
		       : strcmp(s, "mode") == 0 ? &w->mode
		       : strcmp(s, "src") == 0  ? &w->src
		       : strcmp(s, "dest") == 0 ? &w->dest
		       : strcmp(s, "ref") == 0  ? &w->ref
						: NULL;
		if (slot)
			*slot = eq + 1;
		else if (!is_so(s, eq + 1))
			w->unknown = s;
	}
}

static enum build_cache_type type_of(const char *name)
{
	for (size_t i = 1; name && i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return (enum build_cache_type)i;
	return BUILD_CACHE_OTHER;
}

static int check_words(const struct items *w, enum build_cache_type t, bool to, struct err *err)
{
	const char *unknown = w->unknown;
	bool folder = t == BUILD_CACHE_LOCAL;

	if (w->mode &&
	    (!to || !types[t].mode || (strcmp(w->mode, "min") != 0 && strcmp(w->mode, "max") != 0)))
		unknown = "mode";
	if (w->src && (!folder || to))
		unknown = "src";
	if (w->dest && (!folder || !to))
		unknown = "dest";
	if (w->ref && t != BUILD_CACHE_REGISTRY)
		unknown = "ref";
	return unknown ? err_set(err, ENOTSUP, "'%s' is not known of type=%s%s", unknown,
				 types[t].name,
				 strcmp(unknown, "mode") == 0 && to && types[t].mode
					 ? ", but as mode=min and mode=max"
					 : "")
		       : 0;
}

int build_cache_parse(struct arena *a, const char *text, bool to, struct build_cache *out,
		      struct err *err)
{
	struct build_cache c = { .type = BUILD_CACHE_REGISTRY, .where = arena_strdup(a, text) };
	auto_free char *normal = NULL;
	struct items w = { 0 };
	int r = 0;

	if (strchr(text, '=')) {
		read_words(arena_strdup(a, text), &w);
		c.type = type_of(w.type);
		if (c.type == BUILD_CACHE_OTHER) {
			*out = (struct build_cache){ 0 };
			return 0;
		}
		if (!(to ? types[c.type].writes : types[c.type].reads))
			return err_set(
				err, EINVAL,
				"type=%s is for cache_to: it is read as type=registry,ref=NAME "
				"of the image",
				types[c.type].name);
		c.where = c.type == BUILD_CACHE_REGISTRY ? w.ref : to ? w.dest : w.src;
		c.all = w.mode && strcmp(w.mode, "max") == 0;
		r = check_words(&w, c.type, to, err);
	}
	if (r == 0 && types[c.type].what && (!c.where || !*c.where))
		r = err_set(err, EINVAL, "type=%s needs %s=%s", types[c.type].name,
			    to ? types[c.type].to : types[c.type].from, types[c.type].what);
	if (r == 0 && c.type == BUILD_CACHE_REGISTRY)
		r = image_ref_normal(c.where, &normal, err);
	if (r == 0)
		*out = c;
	return r;
}

/* ---- In --------------------------------------------------------------------------------------- */
static void warn(const struct builder *all, const char *what, const struct build_cache *c,
		 const struct err *err)
{
	auto_free char *text = xasprintf("%s %s: %s", what, c->where, err_text(err));

	if (all->w->warn)
		all->w->warn(all->w->arg, text);
}

static int from_folder(struct builder *all, const struct build_cache *c, struct err *err)
{
	int r = image_steps_import(all->work, c->where, err);

	if (r != -ENOENT) /* the first time there is none */
		return r;
	err_clear(err);
	return 0;
}

/* A registry that has none, or can't be asked, makes a build slower and nothing else. */
static int from_registry(struct builder *all, const struct build_cache *c, struct err *err)
{
	auto_err struct err why = ERR_INIT;
	struct image_remote *remote = NULL;
	int r = image_steps_known(all->work, c->where, &why);

	if (r < 0)
		warn(all, "cache_from", c, &why);
	err_clear(&why);
	r = all->w->offline
		    ? err_set(&why, ENETUNREACH, "--offline is given, so it is not asked for")
		    : image_remote_open(all->work, c->where, all->w->cancelled, &remote, &why);
	if (r == -EINTR)
		return err_set(err, EINTR, "the build was interrupted");
	if (r == 0)
		*vec_push(&all->remotes) = remote;
	else if (r != -ENOENT)
		warn(all, "cache_from", c, &why);
	return 0;
}

static bool same(const struct build_cache *a, const struct build_cache *b)
{
	return a->type == b->type && (a->where ? str_eq(a->where, b->where) : !b->where);
}

/* Whether an earlier build, or an earlier item of the same, names it. */
static bool seen_before(const struct builder *all, size_t i, size_t k, bool to)
{
	const struct build_request *req = all->v[i].req;
	const struct build_cache *c = to ? &req->cache_to[k] : &req->cache_from[k];

	for (size_t j = 0; j <= i; j++) {
		const struct build_request *other = all->v[j].req;
		const struct build_cache *v = to ? other->cache_to : other->cache_from;
		size_t n = j == i ? k : to ? other->n_cache_to : other->n_cache_from;

		for (size_t m = 0; m < n; m++)
			if (same(&v[m], c))
				return true;
	}
	return false;
}

int build_cache_in(struct builder *all, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; r == 0 && k < all->v[i].req->n_cache_from; k++) {
			const struct build_cache *c = &all->v[i].req->cache_from[k];

			if (c->type == BUILD_CACHE_OTHER || seen_before(all, i, k, false))
				continue;
			if (!all->work)
				r = image_work_open(all->w->images, &all->work, err);
			if (r == 0)
				r = c->type == BUILD_CACHE_LOCAL ? from_folder(all, c, err)
								 : from_registry(all, c, err);
		}
	return r;
}

bool build_cache_ask(struct builder *all, const char *key)
{
	for (size_t i = 0; i < all->remotes.n; i++) {
		auto_err struct err why = ERR_INIT;
		int r = image_remote_take(all->remotes.v[i], key, &why);

		if (r > 0)
			return true;
		if (r < 0 && r != -EINTR && all->w->warn) {
			auto_free char *text = xasprintf("cache_from %s", err_text(&why));

			all->w->warn(all->w->arg, text);
		}
	}
	return false;
}

void build_cache_close(struct builder *all)
{
	for (size_t i = 0; i < all->remotes.n; i++)
		image_remote_close(all->remotes.v[i]);
	free(all->remotes.v);
}

/* ---- Out -------------------------------------------------------------------------------------- */
/* One that changed nothing needs no room. */
static bool in_image(const struct build *b, const struct image_layer *l)
{
	const struct stage *s = &b->stages[b->target];

	for (size_t i = 0; i < s->layers.n; i++)
		if (strcmp(s->layers.v[i].diff, l->diff) == 0)
			return true;
	return !*l->diff;
}

static void add_steps(const struct build *b, bool all, struct image_steps *out)
{
	for (size_t i = 0; i < b->steps.n; i++)
		if (all || in_image(b, &b->steps.v[i].layer))
			(void)image_steps_add(out, b->steps.v[i].key, &b->steps.v[i].layer);
}

void build_cache_inline(struct stage *s)
{
	const struct build_request *req = s->b->req;
	struct image_steps steps = { 0 };

	for (size_t i = 0; i < req->n_cache_to; i++)
		if (req->cache_to[i].type == BUILD_CACHE_INLINE)
			add_steps(s->b, false, &steps);
	if (steps.n)
		json_add(s->config, IMAGE_STEPS_KEY, image_steps_json(&steps));
	image_steps_clear(&steps);
}

/* Steps of all builds that name the place. */
static int export_to(struct builder *all, const struct build_cache *c, struct err *err)
{
	struct image_steps steps = { 0 };
	int r;

	for (size_t i = 0; i < all->n; i++) {
		const struct build_request *req = all->v[i].req;

		for (size_t k = 0; k < req->n_cache_to; k++)
			if (same(&req->cache_to[k], c))
				add_steps(&all->v[i], req->cache_to[k].all, &steps);
	}
	if (c->type == BUILD_CACHE_LOCAL)
		r = image_steps_export(all->w->images, c->where, &steps, err);
	else if (all->w->offline)
		r = err_set(err, ENETUNREACH, "cache_to %s: --offline is given, so nothing is sent",
			    c->where);
	else
		r = image_steps_push(all->w->images, c->where, &steps, err);
	image_steps_clear(&steps);
	return r;
}

int build_cache_out(struct builder *all, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; r == 0 && k < all->v[i].req->n_cache_to; k++) {
			const struct build_cache *c = &all->v[i].req->cache_to[k];

			if ((c->type == BUILD_CACHE_LOCAL || c->type == BUILD_CACHE_REGISTRY) &&
			    !seen_before(all, i, k, true))
				r = export_to(all, c, err);
		}
	return r;
}
