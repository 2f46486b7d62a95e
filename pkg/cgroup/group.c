/* group.c - making, finding and removing groups in all hierarchies at once; see cgroup.h */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVE_WAIT_US 1000000U
#define MKDIR_TRIES    20
#define DEPTH_MAX      64

/* v1: always there, for statistics and out-of-memory events. The last two only where no v2
 * hierarchy does the same better. */
static unsigned always(const struct cgroup_system *sys)
{
	return BIT(CGROUP_MEMORY) | BIT(CGROUP_PIDS) |
	       (hier_unified(sys) ? 0 : BIT(CGROUP_CPUACCT) | BIT(CGROUP_FREEZER));
}

/* A new v1 cpuset has no processors and no memory nodes, and takes no task before it has both. */
static int cpuset_inherit(const struct hier *h, const char *parent, const char *path,
			  struct err *err)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		auto_free char *have = NULL, *text = NULL;
		int r = hier_read(h, path, files[i], &have);

		if (r == 0 && *have && *have != '\n')
			continue;
		r = hier_read(h, parent, files[i], &text);
		if (r < 0)
			return err_wrap(err, r, "read %s of %s/%s", files[i], h->mount, parent);
		text[strcspn(text, "\n")] = '\0';
		r = hier_write(h, path, files[i], text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int group_withheld(const struct hier *h, const char *path, unsigned *wanted)
{
	auto_free char *have = NULL;
	char *save = NULL;
	int r;

	*wanted &= h->controllers;
	if (!*wanted)
		return 0;
	r = hier_read(h, path, "cgroup.subtree_control", &have);
	if (r < 0)
		return r;
	for (char *w = strtok_r(have, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
			if (str_eq(w, cgroup_controller_name(c, true)))
				*wanted &= ~BIT(c);
	return 0;
}

void group_plus(unsigned controllers, struct sbuf *out)
{
	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
		if (controllers & BIT(c))
			sbuf_addf(out, "%s+%s", out->len ? " " : "",
				  cgroup_controller_name(c, true));
}

/* Let the children of a v2 group have the controllers. */
static int enable_children(const struct hier *h, const char *path, unsigned wanted, struct err *err)
{
	auto_sbuf struct sbuf list = SBUF_INIT;
	int r = group_withheld(h, path, &wanted);

	if (r < 0 || !wanted)
		return r;
	group_plus(wanted, &list);
	r = hier_write(h, path, "cgroup.subtree_control", sbuf_str(&list), err);
	if (r == -EBUSY)
		return err_wrap(err, r,
				"the control group has processes of its own, so it cannot hand "
				"controllers down (%s)",
				*path ? "move them to a group below it"
				      : "start ctrcompose in a delegated scope: "
					"systemd-run --scope -p Delegate=yes");
	return r;
}

/* Make path and all above it. `inner`: controllers that its children will need (v2). */
static int try_mkdirs(const struct hier *h, const char *path, unsigned inner, unsigned controllers,
		      struct err *err)
{
	auto_free char *part = xstrdup(path);
	auto_free char *above = xstrdup("");
	char *slash = part;

	while (slash) {
		auto_free char *dir = NULL;
		bool made;
		int r = h->v2 ? enable_children(h, above, controllers, err) : 0;

		if (r < 0)
			return r;
		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		dir = hier_path(h, part, NULL);
		made = mkdir(dir, 0755) == 0;
		if (!made && errno != EEXIST)
			return err_errno(err, "make control group %s", dir);
		if (made)
			group_mark(dir);
		if (h->controllers & BIT(CGROUP_CPUSET) && !h->v2) {
			r = cpuset_inherit(h, above, part, err);
			if (r < 0)
				return r;
		}
		free(steal(above));
		above = xstrdup(part);
		if (slash)
			*slash++ = '/';
	}
	return h->v2 ? enable_children(h, path, inner, err) : 0;
}

/* Another project's end may take the common folder away between two steps: then once more. */
static int mkdirs(const struct hier *h, const char *path, unsigned inner, unsigned controllers,
		  struct err *err)
{
	for (int i = 0;; i++) {
		auto_err struct err why = ERR_INIT;
		int r = try_mkdirs(h, path, inner, controllers, &why);

		if (r == 0)
			return 0;
		if (r != -ENOENT || i == MKDIR_TRIES)
			return err_set(err, r, "%s", err_text(&why));
	}
}

int cgroup_group(const struct cgroup_system *sys, const char *path, enum cgroup_devices devices,
		 struct err *err)
{
	const unsigned v2_controllers = BIT(CGROUP_CPU) | BIT(CGROUP_MEMORY) | BIT(CGROUP_PIDS);
	const struct hier *v1_devices = NULL, *unified = hier_unified(sys);
	int r = path_check(path, err);

	if (r < 0)
		return r;
	EACH_HIER(h, sys)
	{
		unsigned used = always(sys) | BIT(CGROUP_CPU);

		if (!h->v2 && h->controllers & BIT(CGROUP_DEVICES))
			v1_devices = h;
		if (devices == CGROUP_DEVICES_DEFAULT)
			used |= BIT(CGROUP_DEVICES);
		if (!h->v2 && !(h->controllers & used))
			continue;
		r = mkdirs(h, path, v2_controllers, v2_controllers, err);
		if (r < 0)
			return r;
	}
	if (devices == CGROUP_DEVICES_ANY)
		return 0;
	if (v1_devices)
		return devices_v1(v1_devices, path, NULL, 0, err);
	if (unified)
		return devices_v2(unified, path, NULL, 0, err);
	return err_set(err, -EOPNOTSUPP,
		       "devices cannot be restricted: neither the v1 devices controller nor a "
		       "cgroup2 hierarchy is mounted");
}

/* ---- Removing ---- */

/* Depth first; -EBUSY where processes or younger groups are left. */
static int remove_tree(int at, const char *name, int depth)
{
	auto_close int fd = -1;
	struct dirent *e;
	DIR *dir;

	if (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY || depth == DEPTH_MAX)
		return -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	(void)steal_fd(&fd);
	while ((e = readdir(dir)) != NULL)
		if (e->d_type == DT_DIR && !str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			(void)remove_tree(dirfd(dir), e->d_name, depth + 1);
	(void)closedir(dir);
	return unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

/* ---- One container ---- */

static int add_tasks_fd(const struct hier *h, const char *path, struct cgroup *cg, struct err *err)
{
	auto_free char *file = hier_path(h, path, "tasks");
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "open %s", file);
	cg->tasks_fds[cg->n_tasks++] = fd;
	return 0;
}

static int open_v2(const struct hier *h, const char *path, struct cgroup *cg, struct err *err)
{
	auto_free char *dir = hier_path(h, path, NULL);

	/* CLONE_INTO_CGROUP and the writes of a join need a real descriptor, not O_PATH. */
	cg->v2_dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cg->v2_dirfd < 0 ? err_errno(err, "open %s", dir) : 0;
}

/* The group in this hierarchy, or for devices on v1 the nearest one above: they are shared. */
static int open_in(const struct hier *h, struct cgroup *cg, bool *found, struct err *err)
{
	auto_free char *path = xstrdup(cg->path);
	char *slash = strrchr(path, '/');
	int r;

	if (hier_has(h, path)) {
		r = h->v2 ? open_v2(h, path, cg, err) : add_tasks_fd(h, path, cg, err);
		*found = *found || r == 0;
		return r;
	}
	if (h->v2 || !(h->controllers & BIT(CGROUP_DEVICES)) || !slash)
		return 0;
	*slash = '\0';
	return hier_has(h, path) ? add_tasks_fd(h, path, cg, err) : 0;
}

static int open_all(const struct cgroup_system *sys, const char *path, struct cgroup *out,
		    struct err *err)
{
	struct cgroup cg = CGROUP_INIT;
	bool found = false;
	int r = 0;

	cg.sys = sys;
	cg.path = xstrdup(path);
	for (const struct hier *h = sys->hiers; r == 0 && h < sys->hiers + sys->n; h++)
		r = open_in(h, &cg, &found, err);
	if (r == 0 && !found)
		r = err_set(err, -ENOENT, "control group %s: there is none", path);
	if (r < 0) {
		cgroup_close(&cg);
		return r;
	}
	*out = cg;
	return 0;
}

int cgroup_open(const struct cgroup_system *sys, const char *path, struct cgroup *out,
		struct err *err)
{
	int r = path_check(path, err);

	return r < 0 ? r : open_all(sys, path, out, err);
}

void cgroup_close(struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n_tasks; i++)
		(void)close(cg->tasks_fds[i]);
	if (cg->v2_dirfd >= 0)
		(void)close(cg->v2_dirfd);
	free(cg->path);
	*cg = (struct cgroup)CGROUP_INIT;
}

int cgroup_join_self(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n_tasks; i++)
		if (write(cg->tasks_fds[i], "0", 1) != 1)
			return -errno;
	return 0;
}

static void writes_clear(struct cgroup_writes *w)
{
	free(w->v);
}
#define auto_writes __attribute__((cleanup(writes_clear)))

static int apply(const struct cgroup_system *sys, const char *path,
		 const struct cgroup_writes *writes, struct err *err)
{
	for (size_t i = 0; i < writes->n; i++) {
		const struct cgroup_write *w = &writes->v[i];
		const struct hier *h = hier_of(sys, w->controller);
		int r = str_eq(w->file, "cpu.rt_runtime_us")
				? realtime_set(h, path, w->value, err)
				: hier_write(h, path, w->file, w->value, err);
		if (r == 0 && w->or_next)
			i++;
		if (r < 0 && !w->soft && !(w->or_next && r == -ENOENT))
			return r;
		if (r < 0 && err)
			err_clear(err);
	}
	return 0;
}

/* cgroup_group() did the work above; only rare controllers and lost races need it again. */
static int make_one(const struct hier *h, const char *path, unsigned controllers, struct err *err)
{
	const unsigned usual = BIT(CGROUP_CPU) | BIT(CGROUP_MEMORY) | BIT(CGROUP_PIDS);
	unsigned rare = controllers & h->controllers & ~usual;
	auto_free char *dir = hier_path(h, path, NULL);
	bool cpuset = h->controllers & BIT(CGROUP_CPUSET);

	if (!(h->v2 && rare) && !(cpuset && !h->v2) && mkdir(dir, 0755) == 0)
		return 0;
	return mkdirs(h, path, 0, controllers, err);
}

static int make_all(const struct cgroup_system *sys, const char *path, unsigned controllers,
		    const struct cgroup_limits *limits, struct err *err)
{
	const struct hier *unified = hier_unified(sys);

	EACH_HIER(h, sys)
	{
		int r;

		if (!h->v2 && !(h->controllers & controllers))
			continue;
		r = make_one(h, path, controllers, err);
		if (r < 0)
			return r;
		if (limits->n_devices && !h->v2 && h->controllers & BIT(CGROUP_DEVICES)) {
			r = devices_v1(h, path, limits->devices, limits->n_devices, err);
			if (r < 0)
				return r;
		}
	}
	if (!limits->n_devices || hier_of(sys, CGROUP_DEVICES))
		return 0;
	if (!unified)
		return err_set(err, -EOPNOTSUPP, "devices cannot be restricted on this host");
	return devices_v2(unified, path, limits->devices, limits->n_devices, err);
}

/* The limits of a left-over group would live on: take it away first. */
static int clear_leftovers(const struct cgroup_system *sys, const char *path, struct err *err)
{
	EACH_HIER(h, sys)
	{
		auto_free char *dir = hier_path(h, path, NULL);
		int r = remove_tree(AT_FDCWD, dir, 0);

		if (r < 0)
			return err_set(err, r, "control group %s is still in use: %s", dir,
				       strerror(-r));
	}
	return 0;
}

int cgroup_create(const struct cgroup_system *sys, const char *path,
		  const struct cgroup_limits *limits, struct cgroup *out, struct err *err)
{
	auto_writes struct cgroup_writes writes = { 0 };
	unsigned controllers = always(sys);
	int r = path_check(path, err);

	if (r == 0 && !strchr(path, '/'))
		r = err_set(err, -EINVAL, "control group %s: has no group above it", path);
	if (r == 0)
		r = cgroup_limit_writes(&sys->layout, limits, &writes, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < writes.n; i++)
		controllers |= BIT(writes.v[i].controller);
	if (limits->n_devices)
		controllers |= BIT(CGROUP_DEVICES);
	for (const struct hier *h = sys->hiers; limits->everywhere && h < sys->hiers + sys->n; h++)
		controllers |= h->v2 ? 0 : h->controllers;
	if (hier_unified(sys))
		controllers |= BIT(CGROUP_CPU) & hier_unified(sys)->controllers;
	r = clear_leftovers(sys, path, err);
	if (r < 0)
		return r;
	r = make_all(sys, path, controllers, limits, err);
	if (r == 0)
		r = apply(sys, path, &writes, err);
	if (r == 0)
		r = open_all(sys, path, out, err);
	if (r < 0)
		(void)cgroup_remove(sys, path, NULL);
	return r;
}

int cgroup_update(const struct cgroup *cg, const struct cgroup_limits *limits, struct err *err)
{
	auto_writes struct cgroup_writes writes = { 0 };
	int r = cgroup_limit_writes(&cg->sys->layout, limits, &writes, err);

	return r < 0 ? r : apply(cg->sys, cg->path, &writes, err);
}

static int remove_from(const struct hier *h, const char *path, struct backoff *wait,
		       struct err *err)
{
	auto_free char *dir = hier_path(h, path, NULL);
	int r;

	do
		r = remove_tree(AT_FDCWD, dir, 0);
	while (r == -EBUSY && backoff_wait(wait));
	return r < 0 ? err_set(err, r, "remove control group %s: %s", dir, strerror(-r)) : 0;
}

int cgroup_remove(const struct cgroup_system *sys, const char *path, struct err *err)
{
	struct backoff wait = { .deadline_us = now_mono_us() + REMOVE_WAIT_US };
	int r = path_check(path, err);
	int first = r;

	if (r < 0)
		return r;
	EACH_HIER(h, sys)
	{
		r = remove_from(h, path, &wait, first == 0 ? err : NULL);
		if (first == 0)
			first = r;
	}
	return first;
}

void cgroup_group_leave(const struct cgroup_system *sys, const char *path)
{
	auto_free char *group = xstrdup(path);
	char *end = group + strlen(group);

	if (path_check(path, NULL) < 0)
		return;
	for (; end; end = strrchr(group, '/')) {
		*end = '\0';
		EACH_HIER(h, sys)
		{
			auto_free char *dir = hier_path(h, group, NULL);

			/* Others may be in there: then it stays. */
			if (group_is_ours(h, group))
				(void)rmdir(dir);
		}
	}
}

int cgroup_group_remove(const struct cgroup_system *sys, const char *path, struct err *err)
{
	int r = cgroup_remove(sys, path, err);

	if (r == 0)
		cgroup_group_leave(sys, path);
	return r;
}

int cgroup_children(const struct cgroup_system *sys, const char *path, struct strs *out,
		    struct err *err)
{
	int r = path_check(path, err);

	if (r < 0)
		return r;
	EACH_HIER(h, sys)
	{
		auto_free char *name = hier_path(h, path, NULL);
		DIR *dir = opendir(name);
		struct dirent *e;

		if (!dir && errno == ENOENT)
			continue;
		if (!dir)
			return err_errno(err, "read %s", name);
		while ((e = readdir(dir)) != NULL)
			if (e->d_type == DT_DIR && !str_eq(e->d_name, ".") &&
			    !str_eq(e->d_name, "..") && !strs_has(out, e->d_name))
				strs_add(out, e->d_name);
		(void)closedir(dir);
	}
	return 0;
}
