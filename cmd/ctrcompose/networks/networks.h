/* networks.h - all networks of this world as the commands show them. */
#ifndef CMD_NETWORKS_H
#define CMD_NETWORKS_H

#include "cmd.h"

#include <ctrcompose/state.h>

struct network_entry {
	struct state_network net;
	char *project;       /* whose it is; NULL: nobody's */
	struct strs members; /* projects that have it in their records */
};
struct network_entries { /* clear with network_entries_clear() */
	struct network_entry *v;
	size_t n, cap;
};
/* By name. */
void network_entries_read(const struct state_paths *paths, struct network_entries *out);
void network_entries_clear(struct network_entries *l);
#define auto_network_entries __attribute__((cleanup(network_entries_clear)))

/* 64 hex digits that belong to the network of this name on this host. */
void network_id(const struct state_paths *paths, const char *name, char out[65]);
/* By its name or the beginning of its id; NULL: there is none. */
const struct network_entry *network_entry_find(const struct state_paths *paths,
					       const struct network_entries *l, const char *ref);
/* Its labels and those that Docker Compose gives: "KEY=VALUE"; appends. */
void network_entry_labels(const struct network_entry *n, struct strs *out);

/* Away with networks that no project has; their names into *removed. */
int cmd_networks_prune(struct strs *removed, struct err *err);

extern const struct cmd cmd_network_create;

#endif
