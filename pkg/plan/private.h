/* private.h - shared by the files of plan/ */
#ifndef PLAN_PRIVATE_H
#define PLAN_PRIVATE_H

#include <ctrcompose/plan.h>

#define PLAN_NONE SIZE_MAX

struct plan *plan_new(const char *project);
/* Index of a new action; name and service are borrowed. */
size_t plan_add(struct plan *p, enum plan_op op, const char *name, const char *service);
/* `before` may be PLAN_NONE: then nothing happens. */
void plan_after(struct plan *p, size_t action, size_t before);

#endif
