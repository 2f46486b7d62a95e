/* unknown.c - what to say of a service that there is none of; see compose.h */
#include <ctrcompose/compose.h>

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int compose_no_service(const char *name, const struct strs *known, struct err *err)
{
	const char *near = str_nearest(name, (const char *const *)known->v, known->n);
	auto_free char **sorted = xcalloc(known->n + 1, sizeof(*sorted));
	auto_sbuf struct sbuf list = SBUF_INIT;

	if (near)
		return err_set(err, ENOENT, "no such service: %s (did you mean '%s'?)", name, near);
	for (size_t i = 0; i < known->n; i++)
		sorted[i] = known->v[i];
	qsort(sorted, known->n, sizeof(*sorted), by_name);
	for (size_t i = 0; i < known->n; i++)
		sbuf_addf(&list, "%s%s", i ? ", " : "", sorted[i]);
	return err_set(err, ENOENT, "no such service: %s (%s%s)", name,
		       known->n ? "there are: " : "there are none", sbuf_str(&list));
}
