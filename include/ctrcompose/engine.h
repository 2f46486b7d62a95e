/* engine.h - carries out single steps on the machine: networks, volumes, containers.
 *
 * Floor 5. Knows how to do, not when: the daemon decides that. All functions are for the
 * supervisor: root, one thread, its own mount namespace.
 */
#ifndef CTRCOMPOSE_ENGINE_H
#define CTRCOMPOSE_ENGINE_H

#include <ctrcompose/base.h>
#include <ctrcompose/dns.h>
#include <ctrcompose/fdstore.h>
#include <ctrcompose/image.h>
#include <ctrcompose/logs.h>
#include <ctrcompose/loop.h>
#include <ctrcompose/model.h>
#include <ctrcompose/plan.h>
#include <ctrcompose/state.h>

struct engine;
struct box;

/* Borrows paths, loop and state. Enters a mount namespace of its own. */
int engine_open(const struct state_paths *paths, struct loop *loop, struct state_project *state,
		struct engine **out, struct err *err);
/* Terminals and sockets of containers are kept here, and found by engine_adopt(). Borrowed. */
void engine_keep_in(struct engine *e, struct fd_store *store);
void engine_close(struct engine *e);

/* ---- Networks and volumes: idempotent; *created tells whether something new came ------------- */
int engine_network_up(struct engine *e, const struct network *def, bool *created, struct err *err);
/* All networks of the project with their links and rules. */
int engine_networks_down(struct engine *e, struct err *err);
/* Others still have it: engine_networks_down() only took this project out. */
bool engine_network_left(const struct engine *e, const char *name);
/* Whether all external networks that the plan names are there: -ENOENT. */
int engine_external_check(const struct engine *e, const struct plan *plan, struct err *err);
/* Addresses that were chosen are on disk: other projects may choose theirs. */
void engine_settle(struct engine *e);
int engine_volume_make(struct engine *e, const struct volume *def, bool *created, struct err *err);
int engine_volume_remove(struct engine *e, const char *name, struct err *err);
/* Whether removed containers and volumes left more files than are removed in passing; asked once. They
 * lie aside until engine_empty_trash() in a process that may take its time, or until the next
 * engine_open() says that they are there. */
bool engine_take_trash(struct engine *e);
/* project NULL: of all projects */
int engine_empty_trash(const struct state_paths *paths, const char *project);
/* The project has no containers left: away with anonymous volumes of those that went without
 * theirs, replicas and orphans. */
void engine_volumes_sweep(struct engine *e);
/* The groups of a project without containers. */
int engine_groups_remove(struct engine *e, struct err *err);
/* Put the rules for what runs now in place (or away). */
int engine_firewall(struct engine *e, struct err *err);

/* ---- Networks that are no project's: for any root process -------------------------------------
 * create only writes it down: its bridge comes with the first project that uses it. -EEXIST.
 * remove: -ENOENT; -EBUSY, and the sentence names the projects, when it is used or a project's. */
int engine_network_create(const struct state_paths *paths, const struct network *def,
			  struct err *err);
int engine_network_remove(const struct state_paths *paths, const char *name, struct err *err);

/* ---- Containers ------------------------------------------------------------------------------ */
/* A unit is a container of the state record with all that only a living process has. */
struct unit {
	struct engine *engine;
	struct state_container *c;
	struct arena arena;
	struct service *svc;                    /* as it was when the container was made */
	struct image *image;                    /* NULL: it is gone */
	struct healthcheck health;              /* the service's, else the image's */
	int pidfd, netns_fd, status_fd, tty_fd; /* -1: none */
	bool use_aliases; /* while it is made: it answers to the service's names */
	bool rehearsing;  /* the one it takes the place of still uses the same folders */
	struct box *box;  /* while it is starting */
	int start_exit;   /* why it did not start: 125, 126 or 127 */
	struct logs_pump *pump;
	struct {
		struct watcher {
			int sock, stream;
			const void *owner;
		} * v;
		size_t n, cap;
	} watchers; /* of those who see what it prints */
	struct dns_endpoint *dns;
	struct unit_port *ports;
	size_t n_ports;
	void *owner; /* the daemon's own */
};

/* New record in the state, from a PLAN_CREATE; the plan has the definitions it refers to. */
int engine_create(struct engine *e, const struct plan *plan, const struct plan_action *a,
		  struct unit **out, struct err *err);
/* One that takes another's place (`old` of the action) is made beside it, under a spare name: when the old
 * one has stopped it leaves its name, and the new one takes it. Their logs have their names. */
void engine_leave_name(struct unit *u);
void engine_take_name(struct unit *u);
/* Why the ports of a container that runs are not at hand on the host, or NULL. Caller frees. */
char *engine_unpublished(const struct unit *u);
/* A unit for a record that is there already; opens its process if it still runs. */
int engine_adopt(struct engine *e, struct state_container *c, struct unit **out, struct err *err);
void engine_unit_free(struct unit *u); /* descriptors and memory only */

/* Whether the published ports of all that the plan starts are free: -EADDRINUSE names the port and the
 * project or program that has it. */
int engine_ports_check(const struct engine *e, const struct plan *plan, struct err *err);
/* Addresses that the file gives to containers that are to be made, where one of the project that
 * stays has them: before one that is there is removed for nothing. */
int engine_addresses_check(const struct engine *e, const struct plan *plan, struct err *err);

/* How the container's first process gets its standard streams. */
struct unit_stdio {
	bool given; /* else log pipes or a terminal */
	int fds[3]; /* borrowed */
	bool tty;   /* a terminal for a person: its master is not logged */
};
/* Whether empty volumes of the container are to be filled with so much from its image that it should
 * not be done in passing; and doing it, in a process that may take its time. What engine_spawn() finds
 * filled it leaves, the rest it fills itself. */
bool engine_fills_much(struct unit *u);
int engine_fill(struct unit *u, struct err *err);
/* Make the process. status_fd turns readable when it executes or fails: engine_started(). */
int engine_spawn(struct unit *u, const struct unit_stdio *io, struct err *err);
/* After status_fd was readable: 0 it runs; -EAGAIN not yet; else why it does not. The caller closes
 * status_fd then, after it has stopped watching it. */
int engine_started(struct unit *u, struct err *err);
/* The name server leaves it out of the answers as long as it is unhealthy and another one has the name. */
void engine_names_health(struct unit *u);
int engine_signal(struct unit *u, int sig, struct err *err);
/* The signal that asks it to stop; *deaf: its first process could never receive it. */
int engine_stop_signal(const struct unit *u, bool *deaf);
/* Stop all its processes where they are, or let them go on. */
int engine_pause(struct unit *u, bool pause, struct err *err);
/* SIGKILL for everything in it. */
int engine_kill(struct unit *u, struct err *err);
/* -ETIMEDOUT: some were there long after that, and the sentence names them. They get it again. */
int engine_survivors(struct unit *u, struct err *err);
/* It has ended: collect what the kernel knows (OOM), release the network, the group, the root. */
void engine_reap(struct unit *u);
/* Takes the socket over: what the container prints to that stream (1 or 2; a terminal has only the
 * first) goes there as well from now on, as far as it is read in time, until its owner detaches. */
void engine_attach(struct unit *u, int stream, int sock, const void *owner);
void engine_detach(struct unit *u, const void *owner);
/* Where the standard input of a container with stdin_open is written to, for any root process: a
 * non-blocking descriptor or a negative errno. */
int engine_stdin_open(const struct state_paths *paths, const char *project,
		      const struct state_container *c, struct err *err);
/* Remove its files and its record; the unit is freed. */
int engine_remove(struct unit *u, bool volumes, struct err *err);

/* One more process in a running container, for `exec`: by any root process, the supervisor is not
 * needed. It becomes the caller's child. Its start is reported as box.h says; when it failed
 * already, out->exit_code is 126 or 127. */
struct engine_exec {
	const char *const *argv;
	const char *user, *cwd; /* NULL: the service's */
	struct strs env;        /* "KEY=value" */
	bool privileged, tty;
	int fds[3]; /* -1: none; ignored with tty */
};
int engine_exec(const struct state_paths *paths, struct state_project *state,
		struct state_container *c, const struct engine_exec *x, struct box *out,
		struct err *err);

/* Its file system, for a process of the caller's own that ends afterwards: of one that runs with all
 * its mounts, of one that does not without them. Ids of files there are those of the container plus
 * shift; whoever makes some calls rootfs_act_as(shift, shift) first. Everything below is hostile. */
struct engine_root {
	int fd; /* O_PATH */
	uint32_t shift;
};
int engine_root_open(const struct state_paths *paths, struct state_project *state,
		     struct state_container *c, struct engine_root *out, struct err *err);

/* Image and all it has written, read-only, with plain ids and without its volumes; it may run. The
 * descriptor, or a negative errno. For a process of the caller's own, as above. */
int engine_root_frozen(const struct state_paths *paths, struct state_project *state,
		       struct state_container *c, struct err *err);
/* Only what it has written: a layer as overlayfs has it. */
int engine_upper_open(const struct state_paths *paths, const struct state_container *c,
		      struct err *err);

/* What a container has and uses now, for any root process. */
int engine_pids(const struct state_paths *paths, struct state_project *state,
		struct state_container *c, pid_t **out, size_t *n, struct err *err);
struct engine_usage {
	uint64_t memory;       /* without file pages that could go at once, as Docker counts */
	uint64_t memory_limit; /* UINT64_MAX: none */
	uint64_t cpu_us, pids, net_in, net_out;
	bool io_counted; /* only where the group has the io controller */
	uint64_t io_read, io_written;
};
int engine_usage(const struct state_paths *paths, struct state_project *state,
		 struct state_container *c, struct engine_usage *out, struct err *err);

/* Run the health probe: a process in the container, its output into *out_fd (a pipe to read).
 * *pidfd ends when the probe does; kill it with engine_probe_kill(). */
struct probe {
	int pidfd, out_fd;
	pid_t pid;
};
int engine_probe_start(struct unit *u, struct probe *out, struct err *err);
/* A hook of the service in the same way. */
int engine_hook_start(struct unit *u, const struct service_hook *hook, struct probe *out,
		      struct err *err);
void engine_probe_kill(struct probe *p);

#endif
