/* private.h - shared by the files of engine/ */
#ifndef ENGINE_PRIVATE_H
#define ENGINE_PRIVATE_H

#include <ctrcompose/cgroup.h>
#include <ctrcompose/dns.h>
#include <ctrcompose/engine.h>
#include <ctrcompose/image.h>
#include <ctrcompose/net.h>
#include <ctrcompose/netlink.h>
#include <ctrcompose/volume.h>

struct engine_net { /* one network that is up */
	char *name;
	struct net_network net;
	struct dns_zone *zone;
};

struct unit_port { /* one published port of a running container */
	struct net_reserved reserved;
	struct net_proxy *proxy;
};

struct engine {
	const struct state_paths *paths;
	struct loop *loop;
	struct state_project *state;
	struct cgroup_system *cgroups;
	struct nl_conn *nl;
	struct dns_server *dns;
	struct image_store *images;
	char *cgroup;	 /* path of the project's group */
	char *dir, *run; /* of the project */
	bool group_made, open_group_made;
	char *attached; /* where the idmapped store is attached, or the store itself */
	int userns_fd;	/* -1: no user namespace */
	uint32_t uid_base;
	struct {
		struct engine_net **v;
		size_t n, cap;
	} nets;
};

/* network.c */
struct engine_net *engine_net_find(struct engine *e, const char *name);
/* For what the record says of a network: bring it up if it is not. */
int engine_net_ensure(struct engine *e, const char *name, struct engine_net **out,
		      struct err *err);
void engine_nets_free(struct engine *e);

/* ports.c */
int unit_ports_open(struct unit *u, struct err *err);
void unit_ports_close(struct unit *u);

/* start.c */
char *unit_cgroup(const struct unit *u);

#endif
