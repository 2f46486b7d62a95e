/* private.h - shared by the files of engine/ */
#ifndef ENGINE_PRIVATE_H
#define ENGINE_PRIVATE_H

#include <ctrcompose/box.h>
#include <ctrcompose/cdi.h>
#include <ctrcompose/cgroup.h>
#include <ctrcompose/dns.h>
#include <ctrcompose/engine.h>
#include <ctrcompose/image.h>
#include <ctrcompose/net.h>
#include <ctrcompose/netlink.h>
#include <ctrcompose/rootfs.h>
#include <ctrcompose/selinux.h>
#include <ctrcompose/volume.h>
#include <sys/stat.h>

struct engine_net { /* one network that is up */
	char *name;
	struct net_network net;
	struct dns_zone *zone;
	struct strs guests; /* ids of other projects' containers in the zone */
	struct strs others; /* addresses of other projects' containers, while some are chosen */
	bool others_known;
};

struct unit_port { /* one published port of a running container */
	struct net_reserved reserved;
	struct net_proxy *proxy;
};

/* The store as containers of one id range see it. */
struct engine_view {
	const char *store; /* absolute: the state folder, or where its idmapped clone is attached */
	uint32_t uid_base; /* 0: no user namespace */
	int userns_fd;     /* -1: none */
};

struct engine {
	const struct state_paths *paths;
	struct loop *loop;
	struct state_project *state;
	struct cgroup_system *cgroups;
	struct nl_conn *nl;
	struct net_pins *pins;
	struct dns_server *dns;
	struct fd_store *fds; /* NULL: nobody keeps them */
	struct image_store *images;
	struct volume_store *volumes;
	char *cgroup;    /* path of the project's group */
	char *dir, *run; /* of the project */
	int run_fd;
	bool systemd; /* it is the init process: slices are its own */
	bool group_made, open_group_made;
	bool trash;     /* there is some: trash.c */
	char *attached; /* where the idmapped store is attached, NULL: not yet */
	int userns_fd;  /* -1: not yet or none */
	bool no_userns; /* the file system of the store can't be idmapped */
	struct {
		struct engine_owner { /* id maps for binds, by who owns the folder */
			uid_t uid;
			gid_t gid;
			int fd;
		} * v;
		size_t n, cap;
	} owners;
	struct {
		struct engine_net **v;
		size_t n, cap;
	} nets;
	struct fw *fw;
	struct fw_watch *fw_watch;
	int gone_fd; /* tells of links that are deleted; -1: not open */
	struct loop_source *gone_io;
	bool fw_due;    /* there is a network that the rules don't know */
	bool fw_failed; /* they are not all in place */
	int share_fd;   /* state_shared_lock() until engine_settle(); -1 */
	bool share_exclusive;
	struct strs left; /* networks that others still have */
	struct engine_guests *guests;
	/* Anonymous volumes of containers that were removed: "<container>\t<target>" -> the name, for
	 * the container of that name that comes next. */
	struct map kept;
};

/* engine.c */
/* The part of engine_open() that needs no supervisor. */
int engine_open_stores(const struct state_paths *paths, struct state_project *state,
		       struct engine **out, struct err *err);
/* How a container of this service sees the store; attaches it on first use. */
int engine_view(struct engine *e, const struct service *svc, struct engine_view *out,
		struct err *err);

/* network.c */
struct engine_net *engine_net_find(struct engine *e, const char *name);
/* For what the record says of a network: bring it up if it is not. */
int engine_net_ensure(struct engine *e, const char *name, struct engine_net **out, struct err *err);
void engine_nets_free(struct engine *e);

/* subnet.c */
/* What the definition says and what is free into rec, which *lock keeps free until it is closed: by
 * then rec has to be on disk. mine: the project's own record, or NULL. */
int engine_network_define(const struct state_paths *paths, struct nl_conn *nl,
			  const struct state_project *mine, const struct network *def,
			  struct state_network *rec, int *lock, struct err *err);

/* shared.c: networks that several projects have, or none */
/* Into the record, if it is there and not this project's alone: one that is external, and one that this
 * project once made and others kept. -ENOENT: it is external and nowhere. Locked until engine_settle(). */
int engine_shared_join(struct engine *e, const struct network *def, struct err *err);
/* Out of all of them; bridges that nobody else has go, those that others have stay. */
int engine_shared_leave(struct engine *e, struct err *err);
/* What net needs to know of a network of the record. */
int engine_shared_read(const struct engine *e, const struct state_network *rec,
		       struct net_network *net, struct err *err);
/* Somebody may have joined it meanwhile. */
void engine_shared_notice(struct engine *e, struct engine_net *n);
/* Before addresses are chosen: n->others are those that others have. Nobody else chooses there until
 * engine_settle(). */
int engine_shared_choose(struct engine *e, struct engine_net *n, struct err *err);

/* guests.c: names of other projects' containers on shared networks */
int engine_guests_open(struct engine *e, struct err *err); /* needs the loop */
void engine_guests_close(struct engine *e);
void engine_guests_refresh(struct engine *e);

/* firewall.c */
/* Begin to put the rules in place; fw_wait(e->fw) before anything may use the networks. */
int engine_firewall_begin(struct engine *e, struct err *err);
int engine_firewall_open(struct engine *e, struct err *err); /* needs the loop */
void engine_firewall_close(struct engine *e);

/* address.c: the one that is asked for, else a free one, of each family */
int unit_choose_addresses(struct unit *u, const struct plan *plan, const struct state_network *rec,
			  const struct engine_net *net, const struct service_network *sn,
			  struct state_endpoint *ep, struct err *err);

/* address_check.c: whether the plan takes this container away */
bool engine_goes(const struct plan *plan, const struct state_container *c);

/* endpoint.c: the container's places in its networks */
/* Addresses for each network of the service into the record. */
int unit_endpoints_choose(struct unit *u, const struct plan *plan, struct err *err);
/* Bring up what the record says in the new namespace. */
int unit_net_attach(struct unit *u, bool again, struct err *err);
/* Children of a link of the host would hold their MACs until the kernel takes the namespace away. */
void unit_net_release(struct unit *u);
bool engine_is_bridged(const struct engine *e, const char *network); /* not macvlan, ipvlan */
/* The endpoint that its default route goes by: the first one of a network that is not internal, else the
 * first one; NULL: it has none. */
const struct state_endpoint *engine_way_out(const struct engine *e,
					    const struct state_container *c);
/* The one that ports are published to: its way out, NULL where that is reached by itself. */
const struct state_endpoint *engine_published(const struct engine *e,
					      const struct state_container *c);

/* bridges.c */
int engine_bridges_open(struct engine *e, struct err *err);
void engine_bridges_close(struct engine *e);
/* Its veth is on the bridge, also when that was made anew. */
int engine_net_rejoin(struct engine *e, const struct state_container *c, struct engine_net *n,
		      struct err *err);

/* trash.c */
void trash_look(struct engine *e);
int trash_put(struct engine *e, int containers, const char *name);
int trash_volume(struct engine *e, const char *name, const struct strs *users, struct err *err);

/* names.c: names and the name server of a running container */
/* All names that a container has on a network; hostname may be NULL. */
void engine_names_add(const struct state_container *c, const struct state_endpoint *ep,
		      const char *hostname, struct dns_zone *zone);
int unit_names_open(struct unit *u, struct err *err);
void unit_names_close(struct unit *u);

/* outlive.c: "output", "terminal" and "names" */
void unit_outlive(struct unit *u, const char *what, const int *fds, size_t n);
/* Whether the supervisor before us had n descriptors of this; they are the caller's. */
bool unit_outlived(struct unit *u, const char *what, int *fds, size_t n);
void unit_outlive_end(struct unit *u, const char *what);

/* ports.c */
int unit_ports_open(struct unit *u, struct err *err);
void unit_ports_close(struct unit *u);

/* mounts.c */
struct unit_mounts {
	struct arena arena;
	struct box_mount *v;
	size_t n;
};
/* The layers of an image by their names in the store, lowest first. */
const char *const *unit_layers(struct arena *a, const struct image *img, size_t *n);
/* An image as nothing is written over it: a detached mount. */
int unit_image_root(struct unit *u, const struct engine_view *view, const struct image *img,
		    struct err *err);
/* fill.c: what the file says of the mount at target; NULL: the image declared it */
const struct service_mount *unit_wanted(const struct unit *u, const char *target);
/* The image's own content at the mount point goes into a volume that is still empty. */
int unit_fill(struct unit *u, const struct engine_view *view, int root_fd,
	      const struct state_mount *m, struct err *err);
/* mounts.c: mounts of the service for box; volumes get their copy of the image's content from root_fd */
int unit_mounts_make(struct unit *u, const struct engine_view *view, int root_fd,
		     struct unit_mounts *out, struct err *err);
/* The map of ids for a bind of this path, in *userns_fd; -1 when there is none. */
int unit_bind_map(struct unit *u, const struct engine_view *view, const char *path,
		  const struct stat *st, int *userns_fd, struct err *err);
void unit_mounts_clear(struct unit_mounts *m);
#define auto_unit_mounts __attribute__((cleanup(unit_mounts_clear)))

/* inside.c: pure */
/* The command line: entrypoint and command of service and image as Docker joins them. */
void unit_argv(struct arena *a, const struct service *svc, const struct image *img,
	       struct list *out);
/* "KEY=value": defaults, the image's, the service's. NULL-terminated. */
const char *const *unit_env(struct arena *a, const struct service *svc, const struct image *img,
			    const char *hostname);
struct hosts_facts {
	const char *hostname, *domainname, *gateway; /* gateway: for host-gateway, or NULL */
	const char *const *ips;                      /* the container's own */
	size_t n_ips;
};
void unit_hosts(const struct service *svc, const struct hosts_facts *f, struct sbuf *out);
/* own_dns: the container asks our name server; host_text is the host's resolv.conf. */
void unit_resolv(const struct service *svc, bool own_dns, const char *host_text, struct sbuf *out);
/* What the service and its image say together about the health check. */
struct healthcheck unit_health(const struct service *svc, const struct image *img);
void unit_limits(const struct service *svc, bool has_pids, struct cgroup_limits *out);

/* cdi.c: what the specs of its devices by name ask for */
struct unit_cdi {
	struct cdi *specs; /* NULL: it has none */
	struct cdi_edits edits;
};
#define auto_unit_cdi __attribute__((cleanup(unit_cdi_clear)))
void unit_cdi_clear(struct unit_cdi *d);
int unit_cdi_open(const struct service *svc, struct unit_cdi *out, struct err *err);
/* Into out, which has room for all of edits.nodes, and rules, which has room for as many more. */
int unit_cdi_nodes(const struct unit_cdi *d, struct box_device *out, struct cgroup_device *rules,
		   size_t *n_rules, struct err *err);
int unit_cdi_mounts(struct unit *u, const struct engine_view *view, const struct unit_cdi *d,
		    struct unit_mounts *l, struct err *err);
/* Environment and groups. */
void unit_cdi_process(struct arena *a, const struct unit_cdi *d, struct box_process *p);
/* The same for one more process of a container that runs; its devices are there, whatever became of
 * their specs since. */
void unit_cdi_join(struct arena *a, const struct unit *u, enum log_level level,
		   struct box_process *p);
const struct box_hook *unit_cdi_hooks(struct arena *a, const struct unit_cdi *d, size_t *n);

/* start.c: "service:x", "container:x"; NULL: none runs */
const struct state_container *unit_running(const struct unit *u, const char *ref);

/* label.c: SELinux */
/* Before it is started: its labels into the record. The same each time, from a level that is kept
 * with its files. */
int unit_labels(struct unit *u, struct err *err);
/* The values of label= in their order, also those that follow from other keys. Pure. */
const char *const *unit_label_options(struct arena *a, const struct service *svc, size_t *n);
/* What the record says, while SELinux is on; else NULL. */
const char *unit_process_label(const struct unit *u);
const char *unit_file_label(const struct unit *u);
/* Layers of images, by their names in the store, that a labelled root will lie on. */
int unit_label_layers(const struct unit *u, const char *const *layers, size_t n, struct err *err);
int unit_label_volume(const struct unit *u, const char *path, const struct service_mount *w,
		      struct err *err);
int unit_label_bind(const struct unit *u, int fd, const char *path, const struct service_mount *w,
		    struct err *err);

/* asked.c: what a service asks for by its own keys, in box's and cgroup's terms */
int unit_apparmor(const struct service *svc, struct box_process *p, struct err *err);
int unit_seccomp(const struct service *svc, bool privileged, struct box_process *p,
		 struct err *err);
int unit_rlimits(struct arena *a, const struct service *svc, const struct box_rlimit **out,
		 size_t *n, struct err *err);
const struct box_sysctl *unit_sysctls(struct arena *a, const struct service *svc, size_t *n);
/* Limits of block devices, by their numbers. */
int unit_blkio(struct arena *a, const struct service *svc, struct cgroup_limits *limits,
	       struct err *err);
/* Its devices, by path and by name, and rules for them into limits. */
int unit_devices(struct arena *a, const struct service *svc, const struct unit_cdi *cdi,
		 struct box_spec *spec, struct cgroup_limits *limits, struct err *err);
/* Has device rules of its own. */
bool unit_needs_devices(const struct service *svc);
/* The bytes of a secret or config. */
int unit_file(const struct unit *u, struct arena *a, const struct service_file *f,
	      struct box_file *out, struct err *err);

/* hostpath.c */
/* What the host has at a path that the service names, as an O_PATH descriptor, or -errno; make: a folder,
 * if there is nothing. -EPERM: a container of the project may write around it, and it leads out of there. */
int unit_host_path(const struct unit *u, const char *path, bool make, struct err *err);
bool path_is_below(const char *path, const char *folder); /* or is it; both absolute and clean */

/* streams.c: FIFOs between the container and its log */
/* Begin to read what the container writes; makes the FIFOs if they are not there. */
int unit_pump_open(struct unit *u, struct err *err);
/* The same for the terminal of a container, once its master is here. */
int unit_terminal_open(struct unit *u, struct err *err);
/* What a container printed that ended while there was no supervisor. */
int unit_last_words(struct unit *u, struct err *err);
void unit_watchers_free(struct unit *u);
/* The ends for the container: stdin, stdout, stderr; -1 for none. Caller closes. */
int unit_streams(struct unit *u, int fds[3], struct err *err);

/* process.c */
int unit_process(struct arena *a, const struct unit *u, bool privileged, struct box_process *p,
		 struct err *err);
/* env with "KEY=value" entries that replace its own or come on top. */
const char *const *unit_env_more(struct arena *a, const char *const *env, const char *const *more,
				 size_t n_more);

/* start.c */
/* All of a start but the process and what others of the plan have to do first, and away with it again:
 * what is wrong is known while the one that is to be replaced still runs. */
int unit_rehearse(struct unit *u, struct err *err);

/* container.c */
/* A container seen from outside of its supervisor: nothing is opened but stores and groups. */
int engine_peek(const struct state_paths *paths, struct state_project *state,
		struct state_container *c, struct engine **e, struct unit **u, struct err *err);

/* end.c */
/* Without a process of its own a container has none in its group either: ends what a supervisor
 * that died in the middle of a start has left there. */
void unit_group_clear(struct unit *u);
char *unit_cgroup(const struct unit *u);
/* The project's group that its own stands in: made on first use. */
int unit_group(struct unit *u, const struct cgroup_limits *limits, struct err *err);
/* It is removed: what was made below its cgroup_parent goes with the last one there. */
void unit_group_leave(const struct unit *u);

#endif
