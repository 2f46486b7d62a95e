/* container.c - a container's record and files: create, adopt, remove */
#include "private.h"

#include <ctrcompose/compose.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct unit *unit_new(struct engine *e, struct state_container *c)
{
	struct unit *u = xcalloc(1, sizeof(*u));

	u->engine = e;
	u->c = c;
	u->pidfd = u->netns_fd = u->status_fd = u->tty_fd = -1;
	return u;
}

void engine_unit_free(struct unit *u)
{
	if (!u)
		return;
	unit_names_close(u);
	unit_ports_close(u);
	logs_pump_free(u->pump);
	unit_watchers_free(u);
	if (u->box) {
		box_close(u->box);
		free(u->box);
	}
	auto_close_fn(&u->status_fd);
	auto_close_fn(&u->pidfd);
	auto_close_fn(&u->netns_fd);
	auto_close_fn(&u->tty_fd);
	unit_outlive_end(u, "terminal");
	unit_outlive_end(u, "output");
	image_free(u->image);
	arena_free(&u->arena);
	free(u);
}

/* ---- Create ----------------------------------------------------------------------------------- */
static const char *volume_name(const struct plan *plan, const char *key)
{
	for (size_t i = 0; i < plan->n_volumes; i++)
		if (strcmp(plan->volumes[i].key, key) == 0)
			return plan->volumes[i].name;
	return NULL;
}

/* What the container whose place it takes has there, or one of this name that went before. */
static char *volume_of_old(struct unit *u, const char *target)
{
	const struct state_container *old = state_replaced(u->engine->state, u->c);
	auto_free char *key = xasprintf("%s\t%s", u->c->name, target);

	for (size_t i = 0; old && i < old->mounts.n; i++)
		if (old->mounts.v[i].anonymous && str_eq(old->mounts.v[i].target, target))
			return xstrdup(old->mounts.v[i].volume);
	return map_remove(&u->engine->kept, key);
}

static int anonymous_volume(struct unit *u, const struct plan *plan, struct state_mount *m,
			    struct err *err)
{
	auto_free char *kept =
		u->c->replaces && plan->remove_volumes ? NULL : volume_of_old(u, m->target);
	char name[65];

	m->anonymous = true;
	if (kept) {
		state_set(&m->volume, kept);
		state_set(&m->source, kept);
		return 0;
	}
	id_random_hex(name, 64);
	state_set(&m->volume, name);
	state_set(&m->source, name);
	return volume_create(u->engine->volumes, name, u->engine->state->name, true, NULL, NULL,
			     err);
}

static bool has_another(const struct unit *u, const char *volume)
{
	const struct state_project *s = u->engine->state;

	for (size_t i = 0; i < s->containers.n; i++)
		for (size_t k = 0; k < s->containers.v[i]->mounts.n; k++)
			if (s->containers.v[i] != u->c &&
			    str_eq(s->containers.v[i]->mounts.v[k].volume, volume))
				return true;
	return false;
}

/* The next container of this name takes them over. */
static void keep_anonymous(struct unit *u)
{
	for (size_t i = 0; i < u->c->mounts.n; i++) {
		const struct state_mount *m = &u->c->mounts.v[i];
		auto_free char *key = xasprintf("%s\t%s", state_own_name(u->c), m->target);

		if (!m->anonymous || has_another(u, m->volume))
			continue;
		free(map_remove(&u->engine->kept, key));
		map_put(&u->engine->kept, key, xstrdup(m->volume));
	}
}

/* The image that the reference means now; it is kept while the container is there. */
static int image_of_mount(struct unit *u, const struct service_mount *w, struct state_mount *m,
			  struct err *err)
{
	auto_image struct image *img = NULL;
	int r = w->source ? image_find(u->engine->images, w->source, &img, err)
			  : err_set(err, EINVAL, "no source is given");

	if (r < 0)
		return err_wrap(err, r, "service %s: the image on %s", u->c->service, w->target);
	state_set(&m->source, img->id);
	m->read_only = true;
	return 0;
}

static int one_mount(struct unit *u, const struct plan *plan, const struct service_mount *w,
		     struct err *err)
{
	static const char *const kinds[] = {
		[MOUNT_VOLUME] = "volume", [MOUNT_BIND] = "bind", [MOUNT_TMPFS] = "tmpfs",
		[MOUNT_IMAGE] = "image",   [MOUNT_FS] = "fs",
	};
	struct state_mount *m = state_mount_add(u->c);
	const char *name;

	state_set(&m->kind, kinds[w->kind]);
	state_set(&m->target, w->target);
	m->read_only = w->read_only;
	if (w->kind == MOUNT_BIND || w->kind == MOUNT_FS)
		state_set(&m->source, w->source);
	if (w->kind == MOUNT_IMAGE)
		return image_of_mount(u, w, m, err);
	if (w->kind != MOUNT_VOLUME)
		return 0;
	if (!w->source)
		return anonymous_volume(u, plan, m, err);
	name = volume_name(plan, w->source);
	if (!name)
		return err_set(err, ENOENT, "volume %s is not in the plan", w->source);
	if (!volume_exists(u->engine->volumes, name))
		return err_set(err, ENOENT, "volume %s is not there", name);
	state_set(&m->volume, name);
	state_set(&m->source, name);
	return 0;
}

static bool has_mount(const struct state_container *c, const char *target)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].target, target) == 0)
			return true;
	return false;
}

/* "service", "service:ro", "container:name:ro" */
static const struct state_container *mounts_of(const struct unit *u, const char *ref,
					       bool *read_only)
{
	bool by_name = str_starts(ref, "container:");
	const char *name = by_name ? ref + strlen("container:") : ref;
	size_t n = strcspn(name, ":");
	const struct state_project *p = u->engine->state;

	*read_only = strcmp(name + n, ":ro") == 0;
	for (size_t i = 0; i < p->containers.n; i++) {
		const struct state_container *c = p->containers.v[i];
		const char *mine = by_name ? state_own_name(c) : c->service;

		if (c != u->c && !c->oneoff && strlen(mine) == n && strncmp(mine, name, n) == 0 &&
		    !state_replacement(p, c->id))
			return c;
	}
	return NULL;
}

static int take_mounts(struct unit *u, const char *ref, struct err *err)
{
	bool read_only;
	const struct state_container *from = mounts_of(u, ref, &read_only);

	if (!from)
		return err_set(err, ENOENT,
			       "service %s: volumes_from: there is no container of '%s'",
			       u->c->service, ref);
	for (size_t i = 0; i < from->mounts.n; i++) {
		const struct state_mount *m = &from->mounts.v[i];
		struct state_mount *to;

		if (has_mount(u->c, m->target))
			continue;
		to = state_mount_add(u->c);
		state_set(&to->kind, m->kind);
		state_set(&to->target, m->target);
		state_set(&to->source, m->source);
		state_set(&to->volume, m->volume);
		to->read_only = m->read_only || read_only;
	}
	return 0;
}

static int choose_mounts(struct unit *u, const struct plan *plan, const struct image *img,
			 struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < u->svc->n_mounts; i++)
		r = one_mount(u, plan, &u->svc->mounts[i], err);
	for (size_t i = 0; r == 0 && i < u->svc->volumes_from.n; i++)
		r = take_mounts(u, u->svc->volumes_from.v[i], err);
	for (size_t i = 0; r == 0 && i < img->volumes.n; i++)
		if (!has_mount(u->c, img->volumes.v[i]))
			r = one_mount(u, plan,
				      &(struct service_mount){ .kind = MOUNT_VOLUME,
							       .target = img->volumes.v[i] },
				      err);
	return r;
}

static void choose_ports(struct unit *u)
{
	for (size_t i = 0; i < u->svc->n_ports; i++) {
		const struct service_port *w = &u->svc->ports[i];
		struct state_port *p = state_port_add(u->c);

		state_set(&p->host_ip, w->host_ip);
		state_set(&p->proto, w->protocol);
		p->target = w->target;
	}
}

/* storage_opt: all that it will write to its root. */
static int bound(const struct unit *u, const char *dir, struct err *err)
{
	enum { FIRST = 1 << 24, NAMES = 0x3fffffff }; /* below it: numbers that people choose */
	auto_close int fd = -1;
	uint32_t project;
	int r;

	if (!u->svc->root_size)
		return 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "open %s", dir);
	r = rootfs_quota(fd, FIRST + ((uint32_t)strtoul(u->c->id + 56, NULL, 16) & NAMES),
			 u->svc->root_size, &project, err);
	return r < 0 ? err_wrap(err, r, "service %s: storage_opt: %s", u->c->service,
				u->engine->paths->state)
		     : 0;
}

/* The limit outlives the folder: it is the file system's. */
static void unbound(const struct unit *u, int containers)
{
	auto_close int fd =
		openat(containers, u->c->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0)
		rootfs_quota_drop(fd);
}

static int make_dirs(struct unit *u, struct err *err)
{
	static const char *const subs[] = { "upper", "work" };
	auto_free char *dir = xasprintf("%s/containers/%s", u->engine->paths->state, u->c->id);

	int r;

	if (mkdir(dir, 0711) < 0)
		return err_errno(err, "make %s", dir);
	r = bound(u, dir, err);
	if (r < 0) {
		(void)rmdir(dir);
		return r;
	}
	for (size_t i = 0; i < ARRAY_LEN(subs); i++) {
		auto_free char *sub = path_join(dir, subs[i]);

		if (mkdir(sub, 0755) < 0)
			return err_errno(err, "make %s", sub);
	}
	return 0;
}

static void remove_files(struct unit *u, bool volumes)
{
	struct engine *e = u->engine;
	auto_free char *base = path_join(e->paths->state, "containers");
	auto_close int dir = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0 && u->svc && u->svc->root_size)
		unbound(u, dir);
	if (dir >= 0 && trash_put(e, dir, u->c->id) < 0)
		log_line(LOG_WARN, "%s: files below %s/%s are left over", u->c->name, base,
			 u->c->id);
	if (!u->c->replaces || u->c->started_ns || u->pump)
		(void)logs_remove(e->dir, u->c->name); /* else they are the other one's */
	for (size_t i = 0; e->run_fd >= 0 && i < 3; i++) {
		auto_free char *fifo = xasprintf("%.12s.%zu", u->c->id, i);

		(void)unlinkat(e->run_fd, fifo, 0);
	}
	for (size_t i = 0; volumes && i < u->c->mounts.n; i++)
		if (u->c->mounts.v[i].anonymous && !has_another(u, u->c->mounts.v[i].volume))
			(void)trash_volume(e, u->c->mounts.v[i].volume, NULL, NULL);
}

static int fill_in(struct unit *u, const struct plan *plan, const struct plan_action *a,
		   const struct image *img, struct err *err)
{
	struct state_container *c = u->c;
	int r;

	state_set(&c->name, a->name);
	state_set(&c->service, a->service);
	c->number = a->number;
	c->oneoff = a->oneoff;
	u->use_aliases = !a->oneoff || a->use_aliases;
	state_set(&c->image, u->svc->image);
	state_set(&c->image_id, img->id);
	state_set(&c->config_hash, a->config_hash);
	state_set(&c->config_json, a->config_json);
	c->created_ns = now_real_ns();
	c->status = STATE_CREATED;
	u->health = unit_health(u->svc, img);
	r = choose_mounts(u, plan, img, err);
	if (r == 0)
		r = unit_endpoints_choose(u, plan, err);
	if (r == 0) {
		choose_ports(u);
		r = make_dirs(u, err);
	}
	return r == 0 && a->old ? unit_rehearse(u, err) : r;
}

/* Its place is another one's yet. */
static void come_second(struct unit *u, const struct plan_action *a)
{
	const struct state_container *old;

	state_set(&u->c->replaces, a->old);
	old = state_replaced(u->engine->state, u->c);
	if (old)
		u->c->resume = old->status == STATE_RUNNING || old->status == STATE_PAUSED ||
			       old->status == STATE_RESTARTING;
	else
		state_set(&u->c->replaces, NULL);
}

static void take_spare_name(struct unit *u)
{
	auto_free char *spare = state_spare_name(u->c->replaces, u->c->name);

	state_set(&u->c->name, spare);
}

/* The service and the image it names; the unit keeps both. */
static int decode(struct unit *u, const char *service, const char *json, const char *image,
		  struct err *err)
{
	int r = compose_service_from_json(&u->arena, service, json, &u->svc, err);

	return r < 0 ? r
		     : image_find(u->engine->images, image ? image : u->svc->image, &u->image, err);
}

int engine_create(struct engine *e, const struct plan *plan, const struct plan_action *a,
		  struct unit **out, struct err *err)
{
	struct state_container *c = state_container_add(e->state);
	struct unit *u = unit_new(e, c);
	char id[65];
	int r;

	id_random_hex(id, 64);
	state_set(&c->id, id);
	state_set(&c->name, a->name);
	if (a->old)
		come_second(u, a);
	r = decode(u, a->service, a->config_json, NULL, err);
	if (r == 0)
		r = fill_in(u, plan, a, u->image, err);
	if (r < 0) {
		remove_files(u, true);
		engine_unit_free(u);
		state_container_remove(e->state, c);
		return r;
	}
	if (c->replaces)
		take_spare_name(u);
	*out = u;
	return 0;
}

/* ---- Names ------------------------------------------------------------------------------------ */
static void move_logs(struct unit *u, const char *from, const char *to)
{
	int r = logs_rename(u->engine->dir, from, to);

	if (r < 0)
		log_line(LOG_WARN, "%s: its log: %s", to, strerror(-r));
}

void engine_leave_name(struct unit *u)
{
	auto_free char *own = xstrdup(state_own_name(u->c));
	auto_free char *spare = state_spare_name(u->c->id, own);

	move_logs(u, own, spare);
	state_set(&u->c->name, spare);
}

void engine_take_name(struct unit *u)
{
	auto_free char *own = xstrdup(state_own_name(u->c));
	auto_free char *spare = state_spare_name(u->c->id, own);

	/* Whatever the record says: a supervisor may have been killed after it moved them. One that is
	 * new has none, and those of that name are the old one's. */
	if (!u->c->replaces)
		move_logs(u, spare, own);
	state_set(&u->c->name, own);
}

/* ---- Adopt ------------------------------------------------------------------------------------ */
/* What only a process has, for a container that outlived its supervisor. */
static int take_up(struct unit *u, struct err *err)
{
	auto_free char *ns = xasprintf("/proc/%d/ns/net", (int)u->c->pid);
	uint64_t start = 0;
	int r = 0;

	u->pidfd = pidfd_open_pid(u->c->pid);
	if (u->pidfd < 0 || proc_start_time(u->c->pid, &start) < 0 || start != u->c->start_time) {
		auto_close_fn(&u->pidfd);
		u->pidfd = -1;
		return 0; /* ended just now: state_refresh() of the next command sees it */
	}
	if (u->c->endpoints.n)
		u->netns_fd = open(ns, O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; r == 0 && i < u->c->endpoints.n; i++) {
		struct engine_net *net;

		r = engine_net_ensure(u->engine, u->c->endpoints.v[i].network, &net, err);
		if (r == 0)
			r = engine_net_rejoin(u->engine, u->c, net, err);
	}
	if (r == 0 && !u->svc->tty)
		r = unit_pump_open(u, err);
	else if (r == 0 && unit_outlived(u, "terminal", &u->tty_fd, 1))
		r = unit_terminal_open(u, err);
	if (r == 0)
		r = unit_ports_open(u, err);
	if (r == 0 && u->netns_fd >= 0)
		r = unit_names_open(u, err);
	return r;
}

int engine_adopt(struct engine *e, struct state_container *c, struct unit **out, struct err *err)
{
	struct unit *u = unit_new(e, c);
	auto_err struct err why = ERR_INIT;
	int r = compose_service_from_json(&u->arena, c->service, c->config_json, &u->svc, err);

	if (r < 0) {
		engine_unit_free(u);
		return r;
	}
	if (image_find(e->images, c->image_id, &u->image, &why) == 0)
		u->health = unit_health(u->svc, u->image);
	if (c->pid > 0 && (c->status == STATE_RUNNING || c->status == STATE_PAUSED) &&
	    take_up(u, &why) < 0)
		log_line(LOG_WARN, "%s: taking it up again: %s", c->name, err_text(&why));
	if (u->pidfd < 0) {
		unit_group_clear(u);
		if (unit_last_words(u, &why) < 0)
			log_line(LOG_WARN, "%s: its last words: %s", c->name, err_text(&why));
	}
	*out = u;
	return 0;
}

int engine_peek(const struct state_paths *paths, struct state_project *state,
		struct state_container *c, struct engine **e, struct unit **u, struct err *err)
{
	int r = engine_open_stores(paths, state, e, err);

	if (r < 0)
		return r;
	*u = unit_new(*e, c);
	r = decode(*u, c->service, c->config_json, c->image_id, err);
	return r;
}

/* ---- Remove ----------------------------------------------------------------------------------- */
int engine_remove(struct unit *u, bool volumes, struct err *err)
{
	struct engine *e = u->engine;
	struct state_container *c = u->c;

	if (u->pidfd >= 0)
		return err_set(err, EBUSY, "container %s is running", c->name);
	if (!volumes)
		keep_anonymous(u);
	unit_group_clear(u);
	unit_group_leave(u);
	remove_files(u, volumes);
	engine_unit_free(u);
	state_live_remove(e->paths, e->state, c);
	state_container_remove(e->state, c);
	return 0;
}
