/* pulling.c - images from registries; see pulling.h */
#include "images/pulling.h"
#include "images/store.h"
#include "screen/screen.h"

#include <ctrcompose/yaml.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Deciding --------------------------------------------------------------------------------- */
/* "daily", "every_2d12h" in seconds; 0: another policy. */
static int64_t period(const char *policy)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	int64_t sum = 0, n = 0;

	if (str_eq(policy, "daily"))
		return 86400;
	if (str_eq(policy, "weekly"))
		return 604800;
	if (!policy || !str_starts(policy, "every_"))
		return 0;
	for (const char *s = policy + strlen("every_"); *s; s++) {
		if (*s >= '0' && *s <= '9') {
			n = n < 1000000 ? 10 * n + (*s - '0') : n;
			continue;
		}
		for (size_t i = 0; i < ARRAY_LEN(units); i++)
			if (units[i].unit == *s)
				sum += n * units[i].seconds;
		n = 0;
	}
	return sum > 0 ? sum : 1;
}

enum pull_decision pull_decide(const char *policy, bool has_image, bool has_build, int64_t age_s)
{
	int64_t every = period(policy);

	if (str_eq(policy, "always") || str_eq(policy, "refresh"))
		return PULL_YES;
	if (str_eq(policy, "never"))
		return has_image || has_build ? PULL_NO : PULL_REFUSED;
	if (str_eq(policy, "build") || (!policy && has_build))
		return PULL_NO;
	if (!has_image)
		return PULL_YES;
	return every && (age_s < 0 || age_s >= every) ? PULL_YES : PULL_NO;
}

int pull_check_policy(const char *policy, struct err *err)
{
	static const char *const ok[] = { "always", "missing", "never", "build", "policy" };

	for (size_t i = 0; policy && i < ARRAY_LEN(ok); i++)
		if (strcmp(policy, ok[i]) == 0)
			return 0;
	return policy ? usage_error(err,
				    "--pull: '%s' is none of always, missing, never, build, policy",
				    policy)
		      : 0;
}

const char *pull_platform(const struct project *p, const char *service)
{
	return yaml_str(compose_section(p, service, "platform"));
}

/* ---- Doing ------------------------------------------------------------------------------------ */
int push_image(struct image_store *s, const char *ref, struct progress *pg, struct err *err)
{
	int r;

	if (global.offline)
		return err_set(err, ENETUNREACH, "image %s: --offline is given", ref);
	if (global.dry_run) {
		if (pg)
			progress_step(pg, "Image", ref, "Pushed", NULL);
		return 0;
	}
	if (pg)
		progress_step(pg, "Image", ref, "Pushing", NULL);
	r = image_push(s, ref, NULL, NULL, err);
	if (pg)
		progress_step(pg, "Image", ref, r < 0 ? "Error" : "Pushed",
			      r < 0 ? err_text(err) : NULL);
	return r;
}

static int64_t age_of(struct image_store *store, const char *ref)
{
	int64_t when = 0;

	return image_checked(store, ref, &when) == 0 && when > 0 ? (int64_t)time(NULL) - when : -1;
}

/* 1: to be pulled. */
static int ask(struct image_store *store, const struct project *p, const struct service *svc,
	       const char *policy, struct err *err)
{
	auto_image struct image *img = NULL;
	const char *platform = pull_platform(p, svc->name);
	/* One for another platform is as good as none. */
	bool has = image_find(store, svc->image, &img, NULL) == 0 &&
		   (!platform || image_is_for(store, svc->image, platform));
	const char *own = policy && strcmp(policy, "policy") != 0 ? policy : svc->pull_policy;

	switch (pull_decide(own, has, compose_section(p, svc->name, "build") != NULL,
			    age_of(store, svc->image))) {
	case PULL_YES:
		return 1;
	case PULL_REFUSED:
		return err_set(
			err, ENOENT,
			"service %s: image %s is not in the store, and its pull policy is never",
			svc->name, svc->image);
	case PULL_NO:
		break;
	}
	return 0;
}

static void want_missing(struct pull_jobs *jobs, struct image_store *store, const char *ref)
{
	auto_image struct image *img = NULL;

	if (ref && image_find(store, ref, &img, NULL) < 0)
		(void)pull_jobs_add(jobs, ref, NULL);
}

/* Images that a service uses beside its own: those it mounts, and those of its pre_start. */
static void want_others(struct pull_jobs *jobs, struct image_store *store,
			const struct service *svc)
{
	for (size_t i = 0; i < svc->n_mounts; i++)
		if (svc->mounts[i].kind == MOUNT_IMAGE)
			want_missing(jobs, store, svc->mounts[i].source);
	for (size_t i = 0; i < svc->n_pre_start; i++)
		if (!str_eq(svc->pre_start[i].svc->image, svc->image))
			want_missing(jobs, store, svc->pre_start[i].svc->image);
}

static int want_all(struct pull_jobs *jobs, struct image_store *store, const struct project *p,
		    char *const *services, const char *policy, struct err *err)
{
	auto_strs struct strs asked = { 0 };

	for (size_t i = 0; i < p->n_services; i++) {
		const struct service *svc = &p->services[i];
		int r;

		if (!project_needs(p, services, svc->name))
			continue;
		want_others(jobs, store, svc);
		if (!svc->image || strs_has(&asked, svc->image))
			continue;
		strs_add(&asked, svc->image);
		r = ask(store, p, svc, policy, err);
		if (r < 0)
			return r;
		if (r > 0) /* what can be built need not be had from a registry */
			pull_jobs_add(jobs, svc->image, pull_platform(p, svc->name))->may_fail =
				compose_section(p, svc->name, "build") != NULL;
	}
	return 0;
}

int pull_for_up(struct online *o, char *const *services, const char *policy, bool quiet,
		struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	auto_progress struct progress *pg = NULL;
	auto_pull_jobs struct pull_jobs jobs = { 0 };
	int r = lock_images(o->project, err);

	if (r < 0 || global.dry_run)
		return r;
	r = cmd_image_store(&store, err);
	if (r == 0)
		r = want_all(&jobs, store, o->project, services, policy, err);
	if (r == 0 && jobs.n > 0 && !quiet)
		r = progress_open("Pulling", &pg, err);
	if (r < 0)
		return r;
	pull_jobs_run(&jobs, pg);
	r = pull_jobs_failed(&jobs, err);
	for (size_t i = 0; r == 0 && i < jobs.n; i++)
		if (jobs.v[i].result < 0)
			cmd_warn("%s: it is built instead", err_text(&jobs.v[i].err));
	return r;
}
