/* resolve.c - from what a service asks for to what its container gets; see cdi.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>

void cdi_edits_clear(struct cdi_edits *e)
{
	free(e->env.v);
	free(e->nodes.v);
	free(e->mounts.v);
	free(e->hooks.v);
	free(e->gids.v);
	*e = (struct cdi_edits){ 0 };
}

/* ---- Requests ---------------------------------------------------------------------------------- */
#define NVIDIA "nvidia.com/gpu"
#define AMD    "amd.com/gpu"

/* Kinds that are looked for when no driver is named, the first that has a spec: as Docker does. */
static const char *const gpu_kinds[] = { NVIDIA, AMD };

static const struct {
	const char *name, *kind;
} drivers[] = { { "nvidia", NVIDIA }, { "nvidia.cdi", NVIDIA }, { "amd", AMD } };

/* Those that Docker's drivers have. Which of a driver's parts a container gets is for its spec to
 * say; some belong to one kind only. */
static const struct {
	const char *name, *kind;
} capabilities[] = {
	{ "gpu", NULL },        { "nvidia", NVIDIA },   { "compute", NVIDIA },
	{ "compat32", NVIDIA }, { "graphics", NVIDIA }, { "utility", NVIDIA },
	{ "video", NVIDIA },    { "display", NVIDIA },  { "amd", AMD },
};

static const char *driver_of(const struct cdi_request *r)
{
	return r->driver && *r->driver ? r->driver : NULL;
}

static const char *kind_of_driver(const char *driver)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (str_eq(drivers[i].name, driver))
			return drivers[i].kind;
	return NULL;
}

static const char *ids_problem(const struct cdi_request *r)
{
	if (r->n_ids == 0)
		return "the driver cdi wants device_ids like vendor.com/class=name";
	for (size_t i = 0; i < r->n_ids; i++)
		if (!cdi_qualified(r->ids[i]))
			return "the device_ids of the driver cdi are names like "
			       "vendor.com/class=name";
	return NULL;
}

/* Of the kind that the driver's name or another capability stands for, or of any. */
static const char *capability_problem(const struct cdi_request *r)
{
	const char *kind = kind_of_driver(driver_of(r));
	bool gpu = false;

	for (size_t i = 0; i < r->n_capabilities; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(capabilities) &&
		       strcmp(capabilities[k].name, r->capabilities[i]) != 0)
			k++;
		if (k == ARRAY_LEN(capabilities))
			return "of the capabilities there are gpu, nvidia, compute, compat32, "
			       "graphics, utility, video, display and amd";
		if (capabilities[k].kind && kind && capabilities[k].kind != kind)
			return "capabilities of two vendors";
		kind = capabilities[k].kind ? capabilities[k].kind : kind;
		gpu |= k == 0;
	}
	return gpu ? NULL
		   : "devices are looked for by the capability gpu only: others by their CDI names, "
		     "with the driver cdi or under devices";
}

const char *cdi_request_problem(const struct cdi_request *r)
{
	const char *driver = driver_of(r);

	if (str_eq(driver, "cdi"))
		return ids_problem(r);
	if (driver && !kind_of_driver(driver))
		return "the drivers are nvidia, amd and cdi";
	if (r->n_ids == 0 && (r->count < -1 || r->count > CDI_ITEMS_MAX))
		return "the count is a number up to 1024, or all";
	return capability_problem(r);
}

static const char *kind_for(const struct cdi *c, const struct cdi_request *r)
{
	const char *kind = kind_of_driver(driver_of(r));

	for (size_t i = 0; !kind && i < r->n_capabilities; i++)
		for (size_t k = 0; !kind && k < ARRAY_LEN(capabilities); k++)
			if (strcmp(capabilities[k].name, r->capabilities[i]) == 0)
				kind = capabilities[k].kind;
	for (size_t i = 0; !kind && i < ARRAY_LEN(gpu_kinds); i++)
		if (cdi_has_kind(c, gpu_kinds[i]))
			kind = gpu_kinds[i];
	return kind ? kind : NVIDIA;
}

void cdi_names(const struct cdi *c, const struct cdi_request *r, struct strs *out)
{
	const char *kind = kind_for(c, r);

	for (size_t i = 0; i < r->n_ids; i++) {
		if (strchr(r->ids[i], '='))
			strs_add(out, r->ids[i]);
		else
			strs_addf(out, "%s=%s", kind, r->ids[i]);
	}
	if (r->n_ids == 0 && r->count < 0)
		strs_addf(out, "%s=all", kind);
	for (int64_t i = 0; r->n_ids == 0 && i < r->count; i++)
		strs_addf(out, "%s=%lld", kind, (long long)i);
}

/* ---- Edits ------------------------------------------------------------------------------------- */
static void put_env(struct cdi_edits *e, const char *entry)
{
	size_t key = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < e->env.n; i++)
		if (strncmp(e->env.v[i], entry, key) == 0) {
			e->env.v[i] = entry;
			return;
		}
	*vec_push(&e->env) = entry;
}

/* The later one at the place of the earlier. */
#define PUT_BY(list, item, field)                                                            \
	do {                                                                                 \
		size_t at_ = 0;                                                              \
		while (at_ < (list)->n && strcmp((list)->v[at_]->field, (item)->field) != 0) \
			at_++;                                                               \
		if (at_ == (list)->n)                                                        \
			(void)vec_push(list);                                                \
		(list)->v[at_] = (item);                                                     \
	} while (0)

static void put_gid(struct cdi_edits *e, uint32_t gid)
{
	for (size_t i = 0; i < e->gids.n; i++)
		if (e->gids.v[i] == gid)
			return;
	if (gid) /* 0 is to be ignored */
		*vec_push(&e->gids) = gid;
}

static int hook_problem(const struct cdi_hook *h, const char *name, struct err *err)
{
	static const char *const refused[] = {
		[CDI_START_CONTAINER] = "startContainer",
		[CDI_POSTSTART] = "poststart",
		[CDI_POSTSTOP] = "poststop",
	};

	return h->kind < ARRAY_LEN(refused) && refused[h->kind]
		       ? err_set(err, -ENOTSUP,
				 "CDI device %s: %s: %s hooks are not run: only prestart, "
				 "createRuntime and createContainer are",
				 name, h->at, refused[h->kind])
		       : 0;
}

static int put_section(const struct cdi_section *s, const char *name, struct cdi_edits *e,
		       struct err *err)
{
	if (s->refused)
		return err_set(err, -ENOTSUP, "CDI device %s: %s is not carried out", name,
			       s->refused);
	for (size_t i = 0; i < s->env.n; i++)
		put_env(e, s->env.v[i]);
	for (size_t i = 0; i < s->nodes.n; i++)
		PUT_BY(&e->nodes, &s->nodes.v[i], path);
	for (size_t i = 0; i < s->mounts.n; i++)
		PUT_BY(&e->mounts, &s->mounts.v[i], target);
	for (size_t i = 0; i < s->gids.n; i++)
		put_gid(e, s->gids.v[i]);
	if (e->gids.n > CDI_GIDS_MAX)
		return err_set(err, -E2BIG, "CDI device %s: more than %d additional groups", name,
			       CDI_GIDS_MAX);
	for (size_t i = 0; i < s->hooks.n; i++) {
		int r = hook_problem(&s->hooks.v[i], name, err);

		if (r < 0)
			return r;
		*vec_push(&e->hooks) = &s->hooks.v[i];
	}
	return 0;
}

int cdi_resolve(const struct cdi *c, const struct strs *names, struct cdi_edits *out,
		struct err *err)
{
	struct {
		const void **v; /* specs and devices that are in already */
		size_t n, cap;
	} done = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->n; i++) {
		const struct cdi_device *device = NULL;
		const struct cdi_spec *spec = NULL;
		bool has_spec = false, has_device = false;

		r = cdi_find(c, names->v[i], &spec, &device, err);
		for (size_t k = 0; r == 0 && k < done.n; k++) {
			has_spec |= done.v[k] == spec;
			has_device |= done.v[k] == device;
		}
		if (r == 0 && !has_spec) {
			*vec_push(&done) = spec;
			r = put_section(&spec->edits, names->v[i], out, err);
		}
		if (r == 0 && !has_device) {
			*vec_push(&done) = device;
			r = put_section(&device->edits, names->v[i], out, err);
		}
	}
	free(done.v);
	return r;
}
