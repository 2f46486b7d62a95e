/* world.c - what the containers of one build share: mount namespace, ids, control group, and the mark
 * in the run folder by which the things of a dead builder are found */
#include "run.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Marks: <run>/.builds/<id>, locked as long as its builder lives --------------------------- */
static char *group_of(const char *run, const char *id)
{
	return strcmp(run, "/run/ctrcompose") == 0
		       ? xasprintf("ctrcompose/build-%s", id)
		       : xasprintf("ctrcompose-%08x/build-%s", (unsigned)str_hash(run), id);
}

static int mark(struct builder *b, struct err *err)
{
	auto_free char *dir = path_join(b->w->paths->run, ".builds"), *path = NULL;

	id_random_hex(b->id, sizeof(b->id) - 1);
	path = path_join(dir, b->id);
	/* Another builder may take the folder away again when it ends. */
	for (int i = 0; i < 10; i++) {
		int r = path_mkdirs(dir, 0700);

		if (r < 0)
			return err_set(err, r, "make %s: %s", dir, strerror(-r));
		b->mark = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (b->mark >= 0 || errno != ENOENT)
			break;
	}
	if (b->mark < 0 || flock(b->mark, LOCK_EX | LOCK_NB) < 0)
		return err_errno(err, "make %s", path);
	return 0;
}

static void unmark(const char *run, const char *id)
{
	auto_free char *dir = path_join(run, ".builds"), *path = path_join(dir, id);

	(void)unlink(path);
	(void)rmdir(dir); /* unless there are others */
}

/* What the builder with this id made outside of its process. */
static void sweep_one(const char *run, const char *id, const struct cgroup_system *cgroups)
{
	auto_free char *group = group_of(run, id), *open = xasprintf("%s.open", group);

	(void)cgroup_kill(cgroups, group, 2000000, NULL);
	(void)cgroup_kill(cgroups, open, 2000000, NULL);
	(void)cgroup_group_remove(cgroups, group, NULL);
	(void)cgroup_group_remove(cgroups, open, NULL);
	build_net_remove(run, id);
	unmark(run, id);
}

void build_sweep(const struct state_paths *paths)
{
	auto_free char *path = path_join(paths->run, ".builds");
	auto_cgroup_system struct cgroup_system *cgroups = NULL;
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		auto_close int fd = -1;

		if (*e->d_name == '.')
			continue;
		fd = openat(dirfd(dir), e->d_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue; /* its builder lives */
		if (!cgroups && cgroup_system_open(&cgroups, NULL) < 0)
			break;
		sweep_one(paths->run, e->d_name, cgroups);
	}
	if (dir)
		(void)closedir(dir);
}

/* ---- SELinux ---------------------------------------------------------------------------------- */
/* One level for all RUNs of a build: they make one image. */
static int choose_labels(struct builder *b, struct err *err)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };
	struct selinux_pairs taken = { 0 };
	struct selinux_pair pair;
	int r;

	if (selinux_defaults(&d, NULL) < 0)
		return 0;
	selinux_pairs_running(&taken);
	r = selinux_pair_choose(str_hash(b->id), taken.v, taken.n, &pair);
	free(taken.v);
	if (r < 0)
		return err_set(err, r, "all SELinux levels for containers are taken");
	b->layer_label = steal(d.layer);
	return selinux_labels_make(&d, NULL, 0, pair, &b->labels, err);
}

/* ---- The world of containers ------------------------------------------------------------------ */
int world_open(struct builder *b, struct err *err)
{
	auto_close int userns = -1;
	auto_free char *at = xasprintf("%s/%s/at", b->w->paths->state, image_work_name(b->work));
	int r = rootfs_enter_private(err);

	if (r == 0)
		r = state_alloc_uid_base(b->w->paths, b->w->project, &b->uid_base, err);
	if (r == 0)
		r = cgroup_system_open(&b->cgroups, err);
	if (r == 0)
		r = mark(b, err);
	if (r == 0)
		r = choose_labels(b, err);
	if (r < 0)
		return r;
	b->group = group_of(b->w->paths->run, b->id);
	b->ready = true;
	userns = rootfs_userns(b->uid_base, STATE_UID_COUNT, err);
	if (userns < 0)
		return userns;
	if (!rootfs_idmap_supported(b->w->paths->state, userns))
		return 0;
	if (mkdir(at, 0700) < 0)
		return err_errno(err, "make %s", at);
	r = rootfs_attach_idmapped(b->w->paths->state, at, userns, err);
	if (r < 0)
		return r;
	b->userns = steal_fd(&userns);
	b->view = steal(at);
	return 0;
}

void run_world_close(struct builder *b)
{
	auto_free char *open = xasprintf("%s.open", b->group ? b->group : "");

	build_net_close(b);
	if (b->group_made[false])
		(void)cgroup_group_remove(b->cgroups, b->group, NULL);
	if (b->group_made[true])
		(void)cgroup_group_remove(b->cgroups, open, NULL);
	cgroup_system_close(&b->cgroups);
	if (b->view) /* it is mounted in the work folder, which is to go */
		(void)umount2(b->view, MNT_DETACH);
	if (b->mark >= 0)
		unmark(b->w->paths->run, b->id);
	auto_close_fn(&b->mark);
	free(b->group);
	free(b->view);
	selinux_labels_clear(&b->labels);
	free(b->layer_label);
	auto_close_fn(&b->userns);
}

int world_group(struct stage *s, bool open, struct err *err)
{
	struct builder *b = s->b->all;
	auto_free char *group = xasprintf("%s%s", b->group, open ? ".open" : "");
	const struct cgroup_limits limits = { .pids_max = PIDS_LIMIT_DEFAULT,
					      .memory_max = s->b->req->memory };
	int r = 0;

	if (!b->group_made[open]) {
		r = cgroup_group(b->cgroups, group,
				 open ? CGROUP_DEVICES_ANY : CGROUP_DEVICES_DEFAULT, err);
		b->group_made[open] = r == 0;
	}
	if (r < 0)
		return r;
	s->run->cgroup = xasprintf("%s/%u", group, b->names);
	return cgroup_create(b->cgroups, s->run->cgroup, &limits, &s->run->cg, err);
}
