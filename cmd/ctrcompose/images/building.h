/* building.h - what `build` and `up` share: build sections as requests, a process that builds them. */
#ifndef CMD_BUILDING_H
#define CMD_BUILDING_H

#include "stack/online.h"
#include <ctrcompose/build.h>

struct build_how {
	char *const *services; /* NULL-terminated; NULL or none: all */
	bool deps;             /* what they depend on as well */
	bool only_missing;     /* those whose image is not there */
	bool no_cache, quiet;
	bool pull;               /* ask registries for the images that builds begin with */
	bool only_read;          /* nothing will be built: secrets are left alone */
	uint64_t memory;         /* bytes for each RUN; 0: no bound */
	const struct strs *ssh;  /* "default" or "ID=SOCKET"; NULL: none */
	const struct strs *args; /* "NAME=value" or "NAME" of the environment; NULL: none */
};
/* What is to be built, of the services and those whose images they have as contexts. store: for
 * only_missing, else NULL. */
struct build_requests {
	struct arena arena;
	struct build_request *v;
	size_t n;
};
int build_collect(struct build_requests *rq, const struct project *p, struct image_store *store,
		  const struct build_how *how, struct err *err);
/* Where an item of build.secrets has its content: a file, or a variable of the environment. */
struct secret_source {
	const char *id, *source, *file, *env; /* file and env may be NULL */
};
struct secret_source build_secret_source(const struct project *p, const struct yaml_node *ref);
/* What would be built, as a file for `docker buildx bake`. Pure. */
void build_print(const struct project *p, const struct build_requests *rq, bool push,
		 struct sbuf *out);
/* Build; *built (may be NULL) is the number of images. */
int build_services(struct online *o, const struct build_how *how, size_t *built, struct err *err);
/* Another image of the same name is a reason for a new container: it becomes part of the hashes. */
int images_identify(struct online *o, struct err *err);
/* Before a plan is made: build what has to be, and let a new image be a reason for a new container. */
int build_for_up(struct online *o, char *const *services, bool build, bool no_build, bool quiet,
		 struct err *err);

#endif
