/* remove.c - names given and taken, images deleted; see image.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int image_tag(struct image_store *s, const char *ref, const char *new_ref, struct err *err)
{
	auto_close int lock = store_lock(s, err);
	auto_index struct index ix = { 0 };
	auto_free char *normal = NULL;
	struct index_image *img = NULL;
	int r = lock < 0 ? lock : image_ref_normal(new_ref, &normal, err);

	if (r == 0 && strchr(normal, '@'))
		r = err_set(err, EINVAL, "'%s': a digest can't be given as a name", new_ref);
	if (r == 0)
		r = index_read(s, &ix, err);
	if (r == 0)
		r = index_resolve(&ix, ref, &img, NULL, err);
	if (r < 0)
		return r;
	index_tag(&ix, img, normal);
	return index_write(s, &ix, err);
}

static void report_add(struct strs *report, const char *word, const char *what)
{
	if (report)
		strs_addf(report, "%s: %s", word, what);
}

static void untag(struct index_image *img, const char *normal, struct strs *report)
{
	auto_free char *familiar = image_ref_familiar(normal);

	if (strs_drop(strchr(normal, '@') ? &img->digests : &img->refs, normal))
		report_add(report, "Untagged", familiar);
}

static int delete (struct index *ix, struct index_image *img, const struct strs *used,
		   struct strs *report, struct err *err)
{
	auto_free char *id = xasprintf("sha256:%s", img->id);

	if (used && strs_has(used, img->id))
		return err_set(err, EBUSY,
			       "image %.12s is used by a container: remove the container first",
			       img->id);
	while (img->refs.n > 0) {
		auto_free char *name = xstrdup(img->refs.v[0]);

		untag(img, name, report);
	}
	index_drop(ix, img);
	report_add(report, "Deleted", id);
	return 0;
}

int image_remove(struct image_store *s, const char *ref, bool force, const struct strs *used,
		 struct strs *report, struct err *err)
{
	auto_close int lock = store_lock(s, err);
	auto_index struct index ix = { 0 };
	auto_free char *normal = NULL;
	struct index_image *img = NULL;
	int r = lock < 0 ? lock : index_read(s, &ix, err);

	if (r == 0)
		r = index_resolve(&ix, ref, &img, &normal, err);
	if (r < 0)
		return r;
	if (normal && img->refs.n > 1)
		untag(img, normal, report);
	else if (!normal && img->refs.n > 1 && !force)
		return err_set(err, EBUSY,
			       "image %.12s has several names: name one of them, or use --force",
			       img->id);
	else
		r = delete (&ix, img, used, report, err);
	if (r == 0)
		r = index_write(s, &ix, err);
	if (r == 0)
		store_sweep(s, &ix);
	return r;
}
