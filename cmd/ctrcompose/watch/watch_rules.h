/* watch_rules.h - what `watch` watches: a rule for each item of a service's develop.watch. */
#ifndef CMD_WATCH_RULES_H
#define CMD_WATCH_RULES_H

#include "cmd.h"

#include <ctrcompose/yaml.h>

enum { DO_SYNC = 1, DO_RESTART = 2, DO_EXEC = 4, DO_REBUILD = 8 };

struct rule {
	const char *service, *path, *target;
	const struct yaml_node *exec;
	unsigned what;
	bool folder, initial;
	struct df_ignore *ignore, *include;
	const char *context;         /* of the service's build; NULL: none, or not a folder */
	struct df_ignore *not_built; /* its .dockerignore */
	struct strs changed;         /* relative to path; "" for a path that is a file */
};

struct watch {
	struct project *project;
	struct {
		struct rule *v;
		size_t n, cap;
	} rules;
};

/* Of these services (NULL-terminated; none: all). -ENOENT: nothing is to be watched. */
int watch_rules_read(struct watch *w, char *const *services, struct err *err);
void watch_rules_free(struct watch *w);
/* The path below that of the rule, "" for itself; NULL: it is not the rule's. */
const char *watch_rule_below(const struct rule *rule, const char *path);
/* Whether its patterns let a path through that is below it. */
bool watch_rule_wants(const struct rule *rule, const char *rel);
/* Whether the image is built from it: what .dockerignore hides is not given to containers either. */
bool watch_rule_builds(const struct rule *rule, const char *path);
/* For changes_open(), data is a struct watch: no rule wants anything of this folder. */
bool watch_skip(void *data, const char *path);

/* What has changed goes to all containers of the rule's service: watch_sync.c. */
int watch_sync(const char *project, const struct rule *rule, struct err *err);
/* A line on standard error. */
void watch_tell(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
