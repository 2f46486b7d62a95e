/* inspect.h - containers, networks and volumes as JSON with the field names of `docker inspect`. */
#ifndef CMD_INSPECT_H
#define CMD_INSPECT_H

#include "containers/container.h"
#include "images/store.h"
#include "networks/networks.h"
#include "volumes/store.h"

/* images may be NULL: then only what the service itself says is in Config. */
struct json *inspect_container(const struct state_paths *paths, const struct state_project *s,
			       const struct state_container *c, struct image_store *images);
struct json *inspect_network(const struct state_paths *paths, const struct network_entry *n);
struct json *inspect_volume(const struct volume_record *v);
/* Print what the names stand for; only: "container", "network", "volume", "image", or NULL: the
 * first of them that has the name. format: a template, a line for each; NULL or "json": JSON. */
int inspect_names(char *const *names, const char *only, const char *format, struct err *err);

#endif
