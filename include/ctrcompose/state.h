/* state.h - what outlives a process: one durable record per project, live facts on tmpfs, exit
 * records, id ranges, locks.
 *
 *   <state>/projects/<project>/state.json   all about the project; survives a power cut
 *   <state>/projects/<project>/lock         flock: who changes the project
 *   <state>/projects/<project>/events       what happened, a line of JSON each (events.1: before)
 *   <state>/projects/<project>/uid          first id of its range of 65536
 *   <state>/networks/<network>.json         a network that is not one project's alone
 *   <state>/networks/lock                   flock: who changes those, or chooses addresses
 *   <run>/<project>/c/<id>                  pid, status ... of one container; not synced
 *   <run>/<project>/exits                   binary exit records, written by the keeper
 *
 * Every char * in the structs is malloc'ed, owned by the struct and NULL when unknown: replace it
 * with state_set(). Containers never move in memory while they are in the project.
 * Times *_ns are wall-clock nanoseconds after 1970, 0 when it has not happened.
 */
#ifndef CTRCOMPOSE_STATE_H
#define CTRCOMPOSE_STATE_H

#include <ctrcompose/base.h>

enum state_status {
	STATE_CREATED,
	STATE_RUNNING,
	STATE_PAUSED,
	STATE_RESTARTING, /* not running now, will be started again */
	STATE_EXITED,
	STATE_DEAD, /* could not be removed or started */
	STATE_REMOVING,
	STATE_STATUSES,
};
const char *state_status_name(enum state_status s); /* "running" */

enum state_health {
	STATE_HEALTH_NONE,
	STATE_HEALTH_STARTING,
	STATE_HEALTHY,
	STATE_UNHEALTHY,
	STATE_HEALTHS,
};
const char *state_health_name(enum state_health h); /* "none", "starting", "healthy", ... */

struct state_endpoint {
	char *network; /* name as the host knows it */
	char *ip, *ip6, *mac, *host_if;
	char *ifname; /* inside; NULL: "eth" and its place in the list */
	struct strs aliases;
	bool way_out; /* chosen by gw_priority for the default route */
};

struct state_port {
	char *host_ip; /* NULL: all */
	uint16_t published, target;
	char *proto; /* "tcp" or "udp" */
};

struct state_mount {
	char *kind;   /* "volume", "bind", "tmpfs", "image", "fs" */
	char *source; /* a path, the name of the volume, the id of the image, a device */
	char *target;
	char *volume; /* name of the volume, or NULL */
	bool read_only, anonymous;
};

struct state_container {
	char *id; /* 64 lower-case hex digits */
	char *name, *service;
	unsigned number; /* replica, from 1 */
	bool oneoff;     /* made by `run` */
	char *image, *image_id;
	char *config_hash, *config_json; /* canonical JSON of the service, kept byte by byte */
	uint64_t created_ns, started_ns, finished_ns;
	enum state_status status;
	pid_t pid;           /* 0: none */
	uint64_t start_time; /* proc_start_time(); never trust pid without it */
	int exit_code;       /* 0..255, 128 + signal */
	bool oom_killed;
	char *error;       /* why it could not start or be supervised */
	unsigned restarts; /* since it was created */
	bool want_running; /* false after `stop` */
	bool halted;       /* a person's stop or kill: not again by itself, after a boot too */
	char *replaces;    /* id of the one whose place it takes; NULL: it has its place */
	bool resume; /* with replaces: that one ran, and is to run again if this one can't; of that one:
			    * it has been asked to stop */
	enum state_health health;
	/* SELinux labels of its programs and of its root since it was started last; NULL: none. */
	char *process_label, *mount_label;
	char *health_log; /* JSON text of the last probes, or NULL */
	uint64_t seq;     /* which of the durable and the live record is newer; leave it alone */
	struct {
		struct state_endpoint *v;
		size_t n, cap;
	} endpoints;
	struct {
		struct state_port *v;
		size_t n, cap;
	} ports;
	struct {
		struct state_mount *v;
		size_t n, cap;
	} mounts;
};

struct state_network {
	char *key, *name, *driver, *bridge;
	char *parent, *mode; /* of macvlan and ipvlan, as driver_opts have them; NULL: none */
	char *subnet, *gateway, *ip_range, *subnet6, *gateway6;
	struct strs reserved; /* addresses that no container is given */
	struct strs labels;   /* "KEY=VALUE" */
	unsigned mtu;         /* 0: the kernel's default */
	bool internal, external;
	char *config_hash;
};

struct state_project {
	char *name, *working_dir;
	struct strs config_files;
	char *boot_id;     /* of the boot in which the containers ran last */
	uint32_t uid_base; /* 0: no range of its own */
	struct {
		struct state_network *v;
		size_t n, cap;
	} networks;
	struct strs volumes; /* names of the volumes made for it */
	struct {
		struct state_container **v;
		size_t n, cap;
	} containers;
};

/* ---- Places -----------------------------------------------------------------------------------
 * CTRCOMPOSE_STATE (default /var/lib/ctrcompose) and CTRCOMPOSE_RUN (default /run/ctrcompose);
 * the folders are made with mode 0700 on first use. Both must be absolute.
 */
struct state_paths {
	char *state, *run;
};
int state_paths_open(struct state_paths *out, struct err *err);
void state_paths_clear(struct state_paths *p);
#define auto_state_paths __attribute__((cleanup(state_paths_clear)))
/* A lower-case letter or digit, then letters, digits, '_' and '-'; at most 255. */
bool state_project_name_ok(const char *project);
/* "<state>/projects/<project>" and "<run>/<project>"; caller frees. The folders may be missing:
 * state_dirs_make() makes both. */
char *state_project_dir(const struct state_paths *p, const char *project);
char *state_run_dir(const struct state_paths *p, const char *project);
int state_dirs_make(const struct state_paths *p, const char *project, struct err *err);

/* ---- Locks ------------------------------------------------------------------------------------
 * An exclusive flock in *fd, which closing releases (also when the process dies). wait_us 0:
 * -EAGAIN at once if somebody else has it, UINT64_MAX: wait for ever.
 */
int state_lock(const struct state_paths *p, const char *project, uint64_t wait_us, int *fd,
	       struct err *err);

/* ---- Records ----------------------------------------------------------------------------------
 * Writers hold the project's lock; readers need none. Memory is given back by state_free().
 */
struct state_project *state_new(const char *project);
void state_free(struct state_project *s);
void auto_state_fn(struct state_project **s);
#define auto_state __attribute__((cleanup(auto_state_fn)))

/* Durable record with the live records laid over it. -ENOENT: no such project; -EBADMSG: not
 * what we wrote; -EPROTO: written by a newer version. The sentence names the path. Where one container
 * is about to take another's place, there is only the one that will be left if all ends now. */
int state_load(const struct state_paths *p, const char *project, struct state_project **out,
	       struct err *err);
/* With both of them: for the supervisor, and for what both have. */
int state_load_all(const struct state_paths *p, const char *project, struct state_project **out,
		   struct err *err);
/* Durable, all or nothing; makes the folders. */
int state_save(const struct state_paths *p, struct state_project *s, struct err *err);
/* Only the volatile facts of one container (pid, start_time, status, exit, health, restarts,
 * started, finished, want_running), not synced: cheap enough for every event. */
int state_live_save(const struct state_paths *p, struct state_project *s, struct state_container *c,
		    struct err *err);
/* Of a container that is no more. */
void state_live_remove(const struct state_paths *p, const struct state_project *s,
		       const struct state_container *c);
/* Lay the live records of this boot over s. Done by state_load(). Broken ones are ignored. */
void state_live_load(const struct state_paths *p, struct state_project *s);
/* Names of all projects with a record, sorted. */
int state_list_projects(const struct state_paths *p, struct strs *out, struct err *err);
/* Forget the project: its record, id range, lock, live and exit records. What others keep in the
 * same folders stays. Missing is success. */
int state_project_remove(const struct state_paths *p, const char *project, struct err *err);

/* Pure: the file's text and back. decode checks everything it reads; `where` is for messages. */
void state_encode(const struct state_project *s, struct sbuf *out);
int state_decode(const char *text, size_t len, const char *where, struct state_project **out,
		 struct err *err);

/* ---- Changing a record in memory -------------------------------------------------------------- */
void state_set(char **field, const char *value); /* frees the old, copies; value may be NULL */
struct state_container *state_container_add(struct state_project *s); /* zeroed */
void state_container_remove(struct state_project *s, struct state_container *c);
struct state_network *state_network_add(struct state_project *s); /* zeroed; may move the others */
void state_network_remove(struct state_project *s, const char *key);
/* By its name on the host; NULL: the project does not have it. */
struct state_network *state_network_named(const struct state_project *s, const char *name);
struct state_network *state_network_find(const struct state_project *s, const char *key);
struct state_endpoint *state_endpoint_add(struct state_container *c);
struct state_port *state_port_add(struct state_container *c);
struct state_mount *state_mount_add(struct state_container *c);
void state_endpoints_clear(struct state_container *c);
void state_ports_clear(struct state_container *c);
void state_mounts_clear(struct state_container *c);

/* ---- Taking another one's place ----------------------------------------------------------------
 * A container is made while the one that it replaces still runs. Until it has run itself, both are in
 * the record; one of them has the name, the other the name behind 12 digits of the old one's id.
 */
struct state_container *state_replaced(const struct state_project *s,
				       const struct state_container *c); /* by c; NULL: none */
struct state_container *state_replacement(const struct state_project *s,
					  const char *id);   /* of that one; NULL: none */
char *state_spare_name(const char *id, const char *name);    /* of the old one; caller frees */
const char *state_own_name(const struct state_container *c); /* without those digits */
/* It has run: there is no way back to the old one. */
bool state_replaces_for_good(const struct state_container *c);
/* Only those that are left if all ends now. */
void state_hide_replaced(struct state_project *s);

/* ---- Finding ----------------------------------------------------------------------------------
 * By name, by id or by the beginning of an id. -ENOENT, or -ENOTUNIQ with the candidates named.
 */
int state_find(const struct state_project *s, const char *ref, struct state_container **out,
	       struct err *err);
/* In all projects; *container belongs to *project, which the caller frees. */
int state_find_anywhere(const struct state_paths *p, const char *ref,
			struct state_project **project, struct state_container **container,
			struct err *err);

/* ---- Id ranges --------------------------------------------------------------------------------
 * The first id of a range of 65536 that no other project has; the same again for a project that
 * has one. Durable at once.
 */
#define STATE_UID_FIRST 0x70000000U
#define STATE_UID_SLOTS 4000U
#define STATE_UID_COUNT 65536U
int state_alloc_uid_base(const struct state_paths *p, const char *project, uint32_t *out,
			 struct err *err);

/* ---- Networks that are not one project's alone ------------------------------------------------
 * Those that were made by themselves, and those of a project that others have joined ("external").
 * Every member has a copy of the network in its own record. Changed under the exclusive lock.
 */
struct state_shared {
	struct state_network net;
	char *project;       /* that made it; NULL: nobody's */
	bool owned;          /* that project has it still */
	struct strs users;   /* projects that joined it */
	uint64_t created_ns; /* 0: unknown */
};
/* A letter or digit, then letters, digits, '_', '.' and '-'; at most 200. */
bool state_network_name_ok(const char *name);
char *state_shared_dir(const struct state_paths *p); /* caller frees; may be missing */
/* Shared: who chooses addresses on networks that are its own alone. Exclusive: who chooses them on
 * others, or changes a record here. An flock in *fd, which closing releases. */
int state_shared_lock(const struct state_paths *p, bool exclusive, int *fd, struct err *err);
bool state_shared_exists(const struct state_paths *p, const char *name);
/* Errors as state_load(); memory is given back by state_shared_free(). */
int state_shared_load(const struct state_paths *p, const char *name, struct state_shared **out,
		      struct err *err);
int state_shared_save(const struct state_paths *p, const struct state_shared *s, struct err *err);
int state_shared_remove(const struct state_paths *p, const char *name, struct err *err);
int state_shared_list(const struct state_paths *p, struct strs *names,
		      struct err *err); /* sorted */
void state_shared_free(struct state_shared *s);
void auto_shared_fn(struct state_shared **s);
#define auto_shared __attribute__((cleanup(auto_shared_fn)))
/* Drop members whose record does not know the network any more. */
void state_shared_refresh(const struct state_paths *p, struct state_shared *s);
/* Pure: one more, one less (also its owner), and what is left to do. */
void state_shared_join(struct state_shared *s, const char *project);
void state_shared_leave(struct state_shared *s, const char *project);
bool state_shared_used(const struct state_shared *s); /* its bridge is needed */
bool state_shared_kept(const struct state_shared *s); /* its record is needed */
/* All members but one; appends. */
void state_shared_others(const struct state_shared *s, const char *project, struct strs *out);
/* Every network of this world once: those of projects, and those that are nobody's (project NULL).
 * Records that can't be read are passed over. mine, if not NULL, is newer than its record on disk. */
typedef void state_network_fn(const char *project, const struct state_network *net, void *arg);
void state_networks_each(const struct state_paths *p, const struct state_project *mine,
			 state_network_fn *fn, void *arg);
void state_network_copy(struct state_network *to, const struct state_network *from);
void state_network_clear(struct state_network *net);

/* ---- Exit records and the truth ---------------------------------------------------------------
 * The keeper appends one record per child, and takes the oldest away when there are very many.
 */
struct state_exit {
	uint64_t pid;
	uint64_t start_time;
	int32_t wait_status; /* as of waitpid(2) */
	uint32_t pad;        /* 0 */
	uint64_t real_ns;
};
_Static_assert(sizeof(struct state_exit) == 32, "exit records are 32 bytes");

int state_exits_open(const struct state_paths *p, const char *project, struct err *err); /* fd */
/* One write(2) to a descriptor of state_exits_open(); no allocation. */
int state_exits_append(int fd, const struct state_exit *e);
/* Only the last thousand or two stay: a container that is started again and again for months must not fill
 * the memory. *fd may become another one; on error all is as it was. */
int state_exits_trim(const struct state_paths *p, const char *project, int *fd);
/* The records after *offset (bytes), which moves on; caller frees *out. No file: none. */
int state_exits_read(const struct state_paths *p, const char *project, uint64_t *offset,
		     struct state_exit **out, size_t *n, struct err *err);
int state_exit_code(int wait_status); /* 0..255, 128 + signal */

/* Compare with the kernel: after a reboot nothing runs; a container whose pid and start time are
 * not in /proc any more has exited, with the code of its exit record, or 255 where there is none.
 * Sets *changed (may be NULL) to how many containers turned out different; writes nothing. */
int state_refresh(const struct state_paths *p, struct state_project *s, size_t *changed,
		  struct err *err);

#endif
