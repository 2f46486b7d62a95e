/* engine.c - what all steps share: stores, name server, id range, the idmapped view of the store */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *cgroup_root(const struct state_paths *paths)
{
	if (strcmp(paths->run, "/run/ctrcompose") == 0)
		return xstrdup("ctrcompose");
	return xasprintf("ctrcompose-%08x", (unsigned)str_hash(paths->run));
}

static int open_stores(struct engine *e, struct err *err)
{
	auto_close int dir = open(e->paths->state, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0)
		return err_errno(err, "open %s", e->paths->state);
	r = image_store_open(dir, e->paths->state, &e->images, err);
	if (r == 0)
		r = volume_store_open(dir, e->paths->state, &e->volumes, err);
	if (r == 0 && mkdirat(dir, "containers", 0700) < 0 && errno != EEXIST)
		r = err_errno(err, "make %s/containers", e->paths->state);
	return r;
}

int engine_open_stores(const struct state_paths *paths, struct state_project *state,
		       struct engine **out, struct err *err)
{
	struct engine *e = xcalloc(1, sizeof(*e));
	auto_free char *root = cgroup_root(paths);
	int r;

	e->paths = paths;
	e->state = state;
	e->userns_fd = -1;
	e->run_fd = -1;
	e->gone_fd = -1;
	e->share_fd = -1;
	e->dir = state_project_dir(paths, state->name);
	e->run = state_run_dir(paths, state->name);
	e->cgroup = path_join(root, state->name);
	e->systemd = cgroup_systemd();
	r = open_stores(e, err);
	if (r == 0)
		r = cgroup_system_open(&e->cgroups, err);
	if (r < 0) {
		engine_close(e);
		return r;
	}
	*out = e;
	return 0;
}

int engine_open(const struct state_paths *paths, struct loop *loop, struct state_project *state,
		struct engine **out, struct err *err)
{
	struct engine *e = NULL;
	int r = state_dirs_make(paths, state->name, err);

	if (r == 0)
		r = rootfs_enter_private(err);
	if (r == 0)
		r = engine_open_stores(paths, state, &e, err);
	if (r < 0)
		return r;
	e->loop = loop;
	e->pins = net_pins_new();
	trash_look(e);
	e->run_fd = open(e->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->run_fd < 0)
		r = err_errno(err, "open %s", e->run);
	if (r == 0)
		r = nl_conn_open(&e->nl, err);
	if (r == 0)
		r = dns_server_new(loop, &e->dns, err);
	if (r == 0)
		r = engine_firewall_open(e, err);
	if (r == 0)
		r = engine_bridges_open(e, err);
	if (r == 0)
		r = engine_guests_open(e, err);
	if (r < 0) {
		engine_close(e);
		return r;
	}
	*out = e;
	return 0;
}

void engine_keep_in(struct engine *e, struct fd_store *store)
{
	e->fds = store;
}

void engine_close(struct engine *e)
{
	if (!e)
		return;
	rootfs_userns_reap();
	dns_server_free(e->dns);
	engine_guests_close(e);
	engine_settle(e);
	strs_clear(&e->left);
	engine_bridges_close(e);
	engine_firewall_close(e);
	engine_nets_free(e);
	nl_conn_close(&e->nl);
	net_pins_free(e->pins);
	cgroup_system_close(&e->cgroups);
	image_store_close(e->images);
	volume_store_close(e->volumes);
	for (size_t i = 0; i < e->owners.n; i++)
		(void)close(e->owners.v[i].fd);
	free(e->owners.v);
	for (size_t i = 0; i < e->kept.n; i++)
		free(e->kept.entries[i].value);
	map_clear(&e->kept);
	auto_close_fn(&e->userns_fd);
	auto_close_fn(&e->run_fd);
	free(e->attached);
	free(e->dir);
	free(e->run);
	free(e->cgroup);
	free(e);
}

static int attach(struct engine *e, struct err *err)
{
	auto_close int userns = -1;
	auto_free char *at = path_join(e->run, "store");
	int r = 0;

	if (e->state->uid_base == 0)
		r = state_alloc_uid_base(e->paths, e->state->name, &e->state->uid_base, err);
	if (r < 0)
		return r;
	userns = rootfs_userns(e->state->uid_base, STATE_UID_COUNT, err);
	if (userns < 0)
		return userns;
	if (mkdir(at, 0700) < 0 && errno != EEXIST)
		return err_errno(err, "make %s", at);
	r = rootfs_attach_idmapped(e->paths->state, at, userns, err);
	if (r == -ENOTSUP) {
		log_line(
			LOG_WARN,
			"%s: the file system of %s can't map ids: containers run without a user namespace",
			e->state->name, e->paths->state);
		err_clear(err);
		(void)rmdir(at);
		e->no_userns = true;
		return 0;
	}
	if (r < 0)
		return r;
	e->userns_fd = steal_fd(&userns);
	e->attached = steal(at);
	return 0;
}

int engine_view(struct engine *e, const struct service *svc, struct engine_view *out,
		struct err *err)
{
	bool host = svc->privileged || str_eq(svc->userns_mode, "host");
	int r = 0;

	if (!host && !e->attached && !e->no_userns)
		r = attach(e, err);
	if (r < 0)
		return r;
	if (host || e->no_userns)
		*out = (struct engine_view){ .store = e->paths->state, .userns_fd = -1 };
	else
		*out = (struct engine_view){ .store = e->attached,
					     .uid_base = e->state->uid_base,
					     .userns_fd = e->userns_fd };
	return 0;
}
