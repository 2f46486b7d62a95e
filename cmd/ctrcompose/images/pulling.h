/* pulling.h - what `pull`, `up`, `create` and `run` share: which images a registry is asked for. */
#ifndef CMD_PULLING_H
#define CMD_PULLING_H

#include "screen/screen.h"
#include "stack/online.h"
#include <ctrcompose/image.h>

enum pull_decision { PULL_NO, PULL_YES, PULL_REFUSED };
/* Pure. policy: of the service or the command line, or NULL; age_s: how long ago a registry was
 * asked, -1: never. PULL_REFUSED: it is not there and must not be fetched. */
enum pull_decision pull_decide(const char *policy, bool has_image, bool has_build, int64_t age_s);

/* ---- Fetching: pull_jobs.c --------------------------------------------------------------------- */
struct pull_job {
	char *ref, *platform; /* platform may be NULL */
	bool may_fail;        /* its failure does not end the others */
	int result;           /* 0, or a negative errno with what err says; -ECANCELED: not begun */
	struct err err;
};
struct pull_jobs {
	struct pull_job *v;
	size_t n, cap;
};
#define auto_pull_jobs __attribute__((cleanup(pull_jobs_clear)))
/* The one there is for this image, or a new one; until the next call. */
struct pull_job *pull_jobs_add(struct pull_jobs *jobs, const char *ref, const char *platform);
void pull_jobs_clear(struct pull_jobs *jobs);
/* Several at a time (--parallel), with progress lines unless pg is NULL; interrupts are caught from
 * here on. With --dry-run and --offline no registry is asked. */
void pull_jobs_run(struct pull_jobs *jobs, struct progress *pg);
/* -EINTR after an interrupt; why the first failed that may not; or 0. */
int pull_jobs_failed(const struct pull_jobs *jobs, struct err *err);

/* One image with its progress lines. pg may be NULL. */
int push_image(struct image_store *s, const char *ref, struct progress *pg, struct err *err);
/* Before images are built and a plan is made. services: what was named, and what that depends on;
 * none: all. policy: of the command line, or NULL. */
int pull_for_up(struct online *o, char *const *services, const char *policy, bool quiet,
		struct err *err);
/* compose.lock.yaml beside compose.yaml, as config --lock-image-digests writes it: images of services
 * become the ones it names. A lock that does not fit to the file is an error; none is fine. */
int lock_images(struct project *p, struct err *err);
/* --pull of up, create and run: -EINVAL for other words. */
int pull_check_policy(const char *policy, struct err *err);
/* The platform a service asks for, or NULL. */
const char *pull_platform(const struct project *p, const char *service);

#endif
