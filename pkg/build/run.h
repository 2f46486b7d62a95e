/* run.h - a RUN on its way, for the files that prepare and carry out one. */
#ifndef CTRCOMPOSE_BUILD_RUN_H
#define CTRCOMPOSE_BUILD_RUN_H

#include "private.h"

enum { MOUNTS_MAX = 32 };
#define SCRIPTS "/dev/pipes" /* where heredocs with an interpreter of their own are */

struct run {
	struct arena arena;
	struct new_root root;
	struct box box;
	struct box_spec spec;
	struct box_mount mounts[MOUNTS_MAX];
	struct box_file files[MOUNTS_MAX + 3];
	struct strs env;
	struct strs stubs; /* mount points that were not there before */
	struct strs shown; /* digests of what binds show, in order, once they are made */
	struct cgroup cg;
	char *cgroup;
	int locks[MOUNTS_MAX]; /* of cache folders */
	size_t n_locks;
	pid_t agents[MOUNTS_MAX]; /* pass on to SSH agents */
	size_t n_agents;
	uint32_t ip; /* in the builder's network; 0: none */
	struct dns_endpoint *dns;
	char said[DIGEST_HEX]; /* the key but for what binds show */
	char key[DIGEST_HEX];
	const char *source;
	int out; /* what it prints */
	bool decided;
	bool open; /* --security=insecure: no user namespace, all capabilities */
};

/* ---- mount_read.c: the options of --mount */
enum run_mount { RUN_BIND, RUN_CACHE, RUN_TMPFS, RUN_SECRET, RUN_SSH, RUN_KINDS };
struct mount {
	enum run_mount kind;
	const char *target, *source, *from, *id, *env, *sharing;
	uint64_t size;
	bool write, required, has_write, has_mode, has_owner;
	unsigned mode, uid, gid;
};
/* With variables expanded; what its kind does not have is an error. */
int mount_read(struct stage *s, const char *text, struct mount *m, struct err *err);

/* ---- mount.c: --mount */
/* -EAGAIN: a cache folder is in use. */
int run_mounts_make(struct stage *s, const struct df_instruction *in, struct err *err);
/* A heredoc as a file below SCRIPTS. */
int run_script_make(struct stage *s, const struct df_heredoc *doc, struct err *err);
/* Digests of what binds will show, in order: they are part of the key. Of caches and secrets only what the
 * instruction says is. */
int run_mounts_look(struct stage *s, const struct df_instruction *in, struct strs *shown,
		    struct err *err);
/* Of the paths where something is mounted, those that the image does not have, with their parents:
 * they are made for the mount and do not belong to the layer. */
void run_stubs_find(struct run *r);
void run_stubs_remove(struct run *r);

/* ---- agent.c: --mount=type=ssh */
/* A socket dir/name that leads to the agent at a path, for what reads or signs; *pid passes on. */
int agent_open(int dir, const char *name, const char *agent, const struct selinux_labels *l,
	       pid_t *pid, struct err *err);
void agent_close(pid_t pid);

/* ---- world.c: what all RUNs of a build share */
int world_open(struct builder *b, struct err *err);
int world_group(struct stage *s, bool open, struct err *err);

/* ---- net.c: the network of the RUNs */
int build_net_ready(struct builder *b, struct err *err);
uint32_t build_net_gateway(const struct builder *b);
int build_net_attach(struct stage *s, struct err *err); /* after box_create() */
void build_net_detach(struct stage *s);
void build_net_close(struct builder *b);

#endif
