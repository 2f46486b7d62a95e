/* start.c - from a record to a running process; see engine.h */
#include "private.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Everything that lives only while one process is made. */
struct start {
	struct unit *u;
	struct arena arena;
	struct engine_view view;
	struct cgroup cg;
	struct unit_mounts mounts;
	struct unit_cdi cdi;
	struct box_spec spec;
	struct list argv;
	struct sbuf hosts, resolv;
	struct box_file *files;
	int fds[3];
	int root_fd, netns_fd, pidns_fd, ipcns_fd, mntns_fd;
	char hostname[65];
	const struct state_container *net_of; /* whose network it has */
	bool rehearsal;                       /* others may not run yet */
};

static void start_clear(struct start *s)
{
	cgroup_close(&s->cg);
	unit_mounts_clear(&s->mounts);
	unit_cdi_clear(&s->cdi);
	sbuf_clear(&s->hosts);
	sbuf_clear(&s->resolv);
	for (size_t i = 0; i < 3; i++)
		auto_close_fn(&s->fds[i]);
	auto_close_fn(&s->root_fd);
	auto_close_fn(&s->netns_fd);
	auto_close_fn(&s->pidns_fd);
	auto_close_fn(&s->ipcns_fd);
	auto_close_fn(&s->mntns_fd);
	arena_free(&s->arena);
}

static int make_group(struct start *s, struct err *err)
{
	struct unit *u = s->u;
	auto_free char *path = unit_cgroup(u);
	struct cgroup_limits limits;
	int r;

	unit_limits(u->svc, cgroup_has(u->engine->cgroups, CGROUP_PIDS), &limits);
	limits.everywhere = u->svc->cgroup_parent != NULL;
	r = unit_devices(&s->arena, u->svc, &s->cdi, &s->spec, &limits, err);
	if (r == 0)
		r = unit_blkio(&s->arena, u->svc, &limits, err);
	if (r < 0)
		return err_wrap(err, r, "service %s", u->c->service);
	r = unit_group(u, &limits, err);
	if (r < 0)
		return r;
	return cgroup_create(u->engine->cgroups, path, &limits, &s->cg, err);
}

const char *const *unit_layers(struct arena *a, const struct image *img, size_t *n)
{
	const char **v = arena_array(a, img->layers.n + 1, sizeof(*v));

	for (size_t i = 0; i < img->layers.n; i++)
		v[i] = arena_printf(a, "layers/%s", img->layers.v[i]);
	*n = img->layers.n;
	return v;
}

static int make_root(struct start *s, struct err *err)
{
	struct unit *u = s->u;
	auto_free char *upper = xasprintf("containers/%s/upper", u->c->id);
	auto_free char *work = xasprintf("containers/%s/work", u->c->id);
	struct rootfs_overlay o = { .store = s->view.store,
				    .upper = upper,
				    .work = work,
				    .uid = s->view.uid_base,
				    .gid = s->view.uid_base,
				    .context = unit_file_label(u),
				    .skip_sync = true };
	int r;

	o.lower = unit_layers(&s->arena, u->image, &o.n_lower);
	r = unit_label_layers(u, o.lower, o.n_lower, err);
	if (r < 0)
		return r;
	s->root_fd = rootfs_overlay(&o, err);
	return s->root_fd < 0 ? s->root_fd : 0;
}

/* ---- Files of its own ------------------------------------------------------------------------- */
/* Of c, whose network it is: the container itself, or the one it shares that of. */
static void facts_of(const struct unit *u, const struct state_container *c, struct hosts_facts *f,
		     const char **ips)
{
	f->ips = ips;
	for (size_t i = 0; i < c->endpoints.n; i++) {
		const struct state_endpoint *ep = &c->endpoints.v[i];
		const struct state_network *rec;

		if (ep->ip && f->n_ips < 16)
			ips[f->n_ips++] = ep->ip;
		if (ep->ip6 && f->n_ips < 16)
			ips[f->n_ips++] = ep->ip6;
		rec = f->gateway ? NULL : state_network_named(u->engine->state, ep->network);
		if (rec)
			f->gateway = rec->gateway;
	}
}

static int make_files(struct start *s, struct err *err)
{
	struct unit *u = s->u;
	const char *ips[16];
	struct hosts_facts f = { .hostname = s->hostname, .domainname = u->svc->domainname };
	auto_free char *host_resolv = NULL;
	char *name = arena_printf(&s->arena, "%s\n", s->hostname);
	size_t n = 0;

	s->files = arena_array(&s->arena, 3 + u->svc->n_files, sizeof(*s->files));
	facts_of(u, s->net_of, &f, ips);
	if (!f.gateway && str_eq(u->svc->network_mode, "host"))
		f.gateway = "127.0.0.1";
	unit_hosts(u->svc, &f, &s->hosts);
	(void)file_read(AT_FDCWD, "/etc/resolv.conf", 65536, &host_resolv, NULL);
	unit_resolv(u->svc, s->net_of->endpoints.n > 0, host_resolv, &s->resolv);
	s->files[n++] = (struct box_file){ .target = "/etc/hosts",
					   .data = sbuf_str(&s->hosts),
					   .len = s->hosts.len,
					   .mode = 0644 };
	s->files[n++] = (struct box_file){ .target = "/etc/resolv.conf",
					   .data = sbuf_str(&s->resolv),
					   .len = s->resolv.len,
					   .mode = 0644 };
	s->files[n++] = (struct box_file){
		.target = "/etc/hostname", .data = name, .len = strlen(name), .mode = 0644
	};
	for (size_t i = 0; i < u->svc->n_files; i++) {
		int r = unit_file(u, &s->arena, &u->svc->files[i], &s->files[n++], err);

		if (r < 0)
			return err_wrap(err, r, "service %s", u->c->service);
	}
	s->spec.files = s->files;
	s->spec.n_files = n;
	return 0;
}

/* ---- Namespaces ------------------------------------------------------------------------------- */
static bool is_join(const char *mode)
{
	return mode && strchr(mode, ':');
}

const struct state_container *unit_running(const struct unit *u, const char *ref)
{
	const struct state_project *p = u->engine->state;
	bool service = str_starts(ref, "service:");
	const char *name = strchr(ref, ':') + 1;

	for (size_t i = 0; i < p->containers.n; i++) {
		const struct state_container *c = p->containers.v[i];

		if (c->pid > 0 && !c->oneoff && strcmp(service ? c->service : c->name, name) == 0)
			return c;
	}
	return NULL;
}

/* "service:x" and "container:x": a namespace of that container. */
static int join(struct start *s, const char *ref, const char *kind, int *out, struct err *err)
{
	const struct state_container *other = unit_running(s->u, ref);
	auto_free char *path = NULL;

	if (s->rehearsal)
		return 0;
	if (!other)
		return err_set(err, ENOENT,
			       "container %s shares the %s namespace of %s, which does not run",
			       s->u->c->name, kind, ref);
	path = xasprintf("/proc/%d/ns/%s", (int)other->pid, kind);
	*out = open(path, O_RDONLY | O_CLOEXEC);
	return *out < 0 ? err_errno(err, "open %s", path) : 0;
}

static int choose_pid(struct start *s, struct err *err)
{
	const char *mode = s->u->svc->pid;
	int r = 0;

	if (!mode || strcmp(mode, "private") == 0)
		return 0;
	s->spec.pid = strcmp(mode, "host") == 0 ? BOX_HOST : BOX_JOIN;
	if (s->spec.pid == BOX_JOIN)
		r = join(s, mode, "pid", &s->pidns_fd, err);
	s->spec.pidns_fd = s->pidns_fd;
	return r;
}

static int choose_ipc(struct start *s, struct err *err)
{
	const char *mode = s->u->svc->ipc;
	int r;

	s->spec.no_shm = str_eq(mode, "none");
	if (!mode || s->spec.no_shm || strcmp(mode, "private") == 0 ||
	    strcmp(mode, "shareable") == 0)
		return 0;
	s->spec.ipc = strcmp(mode, "host") == 0 ? BOX_HOST : BOX_JOIN;
	if (s->spec.ipc == BOX_HOST)
		return 0;
	r = join(s, mode, "ipc", &s->ipcns_fd, err);
	if (r == 0)
		r = join(s, mode, "mnt", &s->mntns_fd, err);
	s->spec.ipcns_fd = s->ipcns_fd;
	s->spec.shm_mntns_fd = s->mntns_fd;
	return r;
}

static int choose_net(struct start *s, struct err *err)
{
	const char *mode = s->u->svc->network_mode;

	if (s->u->c->endpoints.n) {
		s->spec.net = BOX_NET_NEW;
	} else if (!mode || strcmp(mode, "none") == 0) {
		s->spec.net = BOX_NET_NONE;
	} else if (strcmp(mode, "host") == 0) {
		s->spec.net = BOX_NET_HOST;
	} else {
		int r = join(s, mode, "net", &s->netns_fd, err);

		s->spec.net = BOX_NET_JOIN;
		s->spec.netns_fd = s->netns_fd;
		return r;
	}
	return 0;
}

/* ---- The process ------------------------------------------------------------------------------ */
static int fill_process(struct start *s, const struct unit_stdio *io, struct err *err)
{
	struct unit *u = s->u;
	const struct service *svc = u->svc;
	struct box_process *p = &s->spec.process;
	int r;

	unit_argv(&s->arena, svc, u->image, &s->argv);
	if (s->argv.n == 0)
		return err_set(err, EINVAL,
			       "no command specified: neither service %s nor image %s names one",
			       u->c->service, u->c->image);
	p->argv = s->argv.v;
	p->env = unit_env(&s->arena, svc, u->image, s->hostname);
	p->cwd = svc->working_dir ? svc->working_dir : u->image->working_dir;
	p->user = svc->user ? svc->user : u->image->user;
	p->groups = svc->group_add.v;
	p->n_groups = svc->group_add.n;
	unit_cdi_process(&s->arena, &s->cdi, p);
	r = box_caps_from(svc->cap_add.v, svc->cap_add.n, svc->cap_drop.v, svc->cap_drop.n,
			  svc->privileged, &p->caps, err);
	if (r < 0)
		return err_wrap(err, r, "service %s", u->c->service);
	r = unit_seccomp(svc, svc->privileged, p, err);
	if (r == 0)
		r = unit_apparmor(svc, p, err);
	if (r < 0)
		return err_wrap(err, r, "service %s", u->c->service);
	p->no_new_privs = svc->no_new_privs;
	p->label = unit_process_label(u);
	p->clone_parent = true;
	p->tasks_fds = s->cg.tasks_fds;
	p->n_tasks = s->cg.n_tasks;
	p->v2_dirfd = s->cg.v2_dirfd;
	p->tty = io->given ? io->tty : svc->tty;
	if (!p->tty && !io->given)
		r = unit_streams(u, s->fds, err);
	p->stdin_fd = io->given && !io->tty ? io->fds[0] : s->fds[0];
	p->stdout_fd = io->given && !io->tty ? io->fds[1] : s->fds[1];
	p->stderr_fd = io->given && !io->tty ? io->fds[2] : s->fds[2];
	return r;
}

static const char *const no_paths[] = { NULL };

static bool is_nested(const struct service *svc)
{
	auto_arena struct arena a = { 0 };
	size_t n = 0;
	const char *const *options = unit_label_options(&a, svc, &n);
	bool nested = false;

	for (size_t i = 0; i < n; i++)
		nested |= strcmp(options[i], "nested") == 0;
	return nested;
}

static int fill_spec(struct start *s, const struct unit_stdio *io, struct err *err)
{
	struct unit *u = s->u;
	const struct service *svc = u->svc;
	int r;

	s->spec.hostname = str_eq(svc->network_mode, "host") && !svc->hostname ? NULL : s->hostname;
	s->spec.domainname = svc->domainname;
	s->spec.root_fd = s->root_fd;
	s->spec.read_only = svc->read_only;
	s->spec.uid_base = s->view.uid_base;
	s->spec.mounts = s->mounts.v;
	s->spec.n_mounts = s->mounts.n;
	s->spec.shm_size = svc->shm_size;
	s->spec.privileged = svc->privileged;
	s->spec.file_label = unit_file_label(u);
	s->spec.selinuxfs = s->spec.file_label && is_nested(svc);
	s->spec.init = svc->init;
	s->spec.cgroup_host = str_eq(svc->cgroup, "host");
	s->spec.uts_host = str_eq(svc->uts, "host");
	if (s->spec.uts_host)
		s->spec.hostname = s->spec.domainname = NULL;
	s->spec.oom_score_adj = svc->oom_score_adj;
	s->spec.sysctls = unit_sysctls(&s->arena, svc, &s->spec.n_sysctls);
	s->spec.hooks = unit_cdi_hooks(&s->arena, &s->cdi, &s->spec.n_hooks);
	s->spec.id = u->c->id;
	if (svc->systempaths_unconfined)
		s->spec.masked = s->spec.read_only_paths = no_paths;
	r = unit_rlimits(&s->arena, svc, &s->spec.rlimits, &s->spec.n_rlimits, err);
	if (r < 0)
		return err_wrap(err, r, "service %s", u->c->service);
	r = choose_net(s, err);
	if (r == 0)
		r = choose_pid(s, err);
	if (r == 0)
		r = choose_ipc(s, err);
	if (r == 0)
		r = make_files(s, err);
	return r < 0 ? r : fill_process(s, io, err);
}

static void set_hostname(struct start *s)
{
	const struct unit *u = s->u;

	if (is_join(u->svc->network_mode))
		s->net_of = unit_running(u, u->svc->network_mode);
	if (!s->net_of)
		s->net_of = u->c;
	if (u->svc->hostname)
		(void)snprintf(s->hostname, sizeof(s->hostname), "%s", u->svc->hostname);
	else if (!str_eq(u->svc->network_mode, "host") ||
		 gethostname(s->hostname, sizeof(s->hostname) - 1) < 0)
		(void)snprintf(s->hostname, sizeof(s->hostname), "%.12s", s->net_of->id);
}

static int prepare(struct start *s, const struct unit_stdio *io, struct err *err)
{
	struct unit *u = s->u;
	int r;

	if (!u->image)
		r = image_find(u->engine->images, u->c->image_id, &u->image, err);
	else
		r = 0;
	if (r == 0) {
		r = unit_cdi_open(u->svc, &s->cdi, err);
		if (r < 0)
			return err_wrap(err, r, "service %s", u->c->service);
	}
	if (r == 0)
		r = engine_view(u->engine, u->svc, &s->view, err);
	if (r == 0)
		r = make_group(s, err);
	if (r == 0)
		r = unit_labels(u, err);
	if (r == 0)
		r = make_root(s, err);
	if (r == 0)
		r = unit_mounts_make(u, &s->view, s->root_fd, &s->mounts, err);
	if (r == 0)
		r = unit_cdi_mounts(u, &s->view, &s->cdi, &s->mounts, err);
	set_hostname(s);
	return r < 0 ? r : fill_spec(s, io, err);
}

/* The process is there: wire it to the world and let it go. */
static int wire(struct unit *u, struct err *err)
{
	int r;

	u->c->pid = u->box->pid;
	u->pidfd = steal_fd(&u->box->pidfd);
	u->netns_fd = steal_fd(&u->box->netns_fd);
	u->status_fd = fcntl(u->box->ctl_fd, F_DUPFD_CLOEXEC, 3);
	if (u->status_fd < 0)
		return err_errno(err, "container %s", u->c->name);
	r = proc_start_time(u->c->pid, &u->c->start_time);
	if (r < 0)
		return err_wrap(err, r, "container %s", u->c->name);
	r = unit_net_attach(u, u->c->started_ns != 0, err);
	if (r == 0)
		r = unit_ports_open(u, err);
	if (r == 0)
		r = unit_names_open(u, err);
	/* The record names the process before its program can run: whoever dies now, it is found. One
	 * that was not released yet ends when its maker does. */
	if (r == 0)
		r = state_live_save(u->engine->paths, u->engine->state, u->c, err);
	if (r == 0)
		r = fw_wait(u->engine->fw, err);
	return r < 0 ? r : box_release(u->box, err);
}

#define START_INIT                                                                              \
	{                                                                                       \
		.cg = CGROUP_INIT, .spec = BOX_SPEC_INIT, .fds = { -1, -1, -1 }, .root_fd = -1, \
		.netns_fd = -1, .pidns_fd = -1, .ipcns_fd = -1, .mntns_fd = -1,                 \
	}

int unit_rehearse(struct unit *u, struct err *err)
{
	const struct unit_stdio none = { .given = true, .fds = { -1, -1, -1 } };
	auto_free char *group = unit_cgroup(u);
	struct start s = START_INIT;
	int r;

	s.u = u;
	s.rehearsal = u->rehearsing = true;
	r = prepare(&s, &none, err);
	u->rehearsing = false;
	start_clear(&s);
	(void)cgroup_remove(u->engine->cgroups, group, NULL);
	return r;
}

/* A process that has failed meanwhile can't be wired; why it failed is what matters. */
static int root_cause(struct unit *u, int code, struct err *err)
{
	auto_err struct err why = ERR_INIT;
	int r = box_read_status(u->box, &why);

	if (r == 0 || r == -EAGAIN)
		return code;
	u->start_exit = 125;
	return err_set(err, r, "%s", err_text(&why));
}

int engine_spawn(struct unit *u, const struct unit_stdio *io, struct err *err)
{
	struct start s = START_INIT;
	/* Rules for new networks go in while the container is made; it runs when they hold. */
	int r = u->engine->fw_due ? engine_firewall_begin(u->engine, err) : 0;

	s.u = u;
	if (r == 0)
		r = prepare(&s, io, err);
	if (r == 0) {
		u->box = xcalloc(1, sizeof(*u->box));
		*u->box = (struct box)BOX_INIT;
		r = box_create(&s.spec, u->box, err);
	}
	u->start_exit = r < 0 ? 125 : 0;
	if (r == 0) {
		r = wire(u, err);
		if (r < 0)
			r = root_cause(u, r, err);
	}
	start_clear(&s);
	return r;
}

int engine_started(struct unit *u, struct err *err)
{
	int r = box_read_status(u->box, err);

	if (r == -EAGAIN)
		return r;
	u->tty_fd = box_take_tty(u->box);
	u->start_exit = u->box->exit_code;
	box_close(u->box);
	free(steal(u->box));
	rootfs_userns_reap();
	if (r == 0 && u->tty_fd >= 0 && !u->c->oneoff) {
		unit_outlive(u, "terminal", &u->tty_fd, 1);
		r = unit_terminal_open(u, err);
	}
	return r;
}
