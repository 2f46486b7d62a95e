/* inspect.h - containers, networks and volumes as JSON with the field names of `docker inspect`. */
#ifndef CMD_INSPECT_H
#define CMD_INSPECT_H

#include "container.h"
#include "networks.h"
#include "store.h"

/* images may be NULL: then only what the service itself says is in Config. */
struct json *inspect_container(const struct state_paths *paths, const struct state_project *s,
			       const struct state_container *c, struct image_store *images);
struct json *inspect_network(const struct state_paths *paths, const struct network_entry *n);
struct json *inspect_volume(const struct volume_record *v);
/* Print what the names stand for; only: "container", "network", "volume", "image", or NULL: the
 * first of them that has the name. */
int inspect_names(char *const *names, const char *only, struct err *err);

#endif
