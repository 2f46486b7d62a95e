/* mount.c - RUN --mount: made, and what of it counts for the cache */
#include "run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Each kind -------------------------------------------------------------------------------- */
static struct box_mount *add_mount(struct run *r, const char *target)
{
	struct box_mount *b = &r->mounts[r->spec.n_mounts++];

	*b = (struct box_mount){ .target = target, .fd = -1 };
	return b;
}

/* SELinux: what is the RUN's own, or shared with RUNs of other builds. */
static int run_label(struct stage *s, const char *path, bool shared, struct err *err)
{
	const char *own = s->run->spec.file_label;
	auto_free char *all = own && shared ? selinux_shared(own) : NULL;
	auto_err struct err why = ERR_INIT;
	int r = 0;

	if (all)
		r = selinux_relabel_once(path, all, &why);
	else if (own)
		r = selinux_relabel(path, own, &why);
	return r < 0 && r != -EOPNOTSUPP ? err_set(err, r, "%s", err_text(&why)) : 0;
}

/* The folder "tree" of a root that was just made. */
static int bind_tree(struct stage *s, const struct new_root *root, const char *target,
		     bool read_only, struct err *err)
{
	struct builder *b = s->b->all;
	auto_free char *at =
		xasprintf("%s/%s/%s/tree", b->view && !s->run->open ? b->view : b->w->paths->state,
			  image_work_name(b->work), root->name);
	struct rootfs_bind bind = {
		.dirfd = AT_FDCWD, .userns_fd = -1, .path = at, .read_only = read_only
	};
	auto_free char *plain = xasprintf("%s/%s/%s/tree", b->w->paths->state,
					  image_work_name(b->work), root->name);
	int fd, r = run_label(s, plain, false, err);

	if (r < 0)
		return r;
	fd = rootfs_bind(&bind, err);
	add_mount(s->run, target)->fd = fd;
	return fd < 0 ? fd : 0;
}

/* What a bind shows is put together as a COPY would, so that .dockerignore holds for it as well and
 * owners are the container's. Writes to it are not kept. */
static int mount_bind(struct stage *s, const struct mount *m, struct err *err)
{
	char *path = arena_strdup(&s->run->arena, m->source ? m->source : "/");
	struct source src;
	struct stage none = { .b = s->b };
	struct copy c = { .src = &src, .mode = -1, .dest = "/tree", .paths = &path, .n = 1 };
	struct new_root root = { .fd = -1 };
	auto_digest struct digest *d = digest_new();
	char hex[DIGEST_HEX];
	int r = build_source_open(s, m->from, &src, err);

	if (r < 0)
		return r;
	r = root_open(&none, false, &root, err);
	if (r == 0)
		r = copy_write(&c, root.fd, d, err);
	build_source_close(&src);
	auto_close_fn(&root.fd);
	digest_end(steal(d), hex);
	strs_add(&s->run->shown, hex);
	return r < 0 ? r : bind_tree(s, &root, m->target, !m->write, err);
}

/* A heredoc with an interpreter of its own: it has to be a file, in a folder that may be executed
 * from. */
int run_script_make(struct stage *s, const struct df_heredoc *doc, struct err *err)
{
	struct source nowhere = { .root = -1 };
	struct stage none = { .b = s->b };
	struct copy c = { .src = &nowhere, .mode = 0755 };
	struct new_root root = { .fd = -1 };
	auto_free char *path = xasprintf("/tree/%s", doc->name);
	int r;

	if (s->run->spec.n_mounts >= MOUNTS_MAX)
		return err_set(err, E2BIG, "more than %d mounts", MOUNTS_MAX);
	r = root_open(&none, false, &root, err);
	if (r == 0)
		r = copy_text(&c, root.fd, path, doc->text, err);
	auto_close_fn(&root.fd);
	return r < 0 ? r : bind_tree(s, &root, SCRIPTS, true, err);
}

/* What a new cache folder begins with. */
static int fill_cache(struct stage *s, const struct mount *m, int root, struct err *err)
{
	char *path = arena_strdup(&s->run->arena, m->source ? m->source : "/");
	struct source src;
	struct copy c = { .src = &src, .mode = -1, .dest = "/", .paths = &path, .n = 1 };
	int r = build_source_open(s, m->from, &src, err);

	if (r < 0)
		return r;
	r = copy_write(&c, root, NULL, err);
	build_source_close(&src);
	return r;
}

/* Locked as the mount's sharing says. -EWOULDBLOCK: somebody has it. */
static int lock_cache(struct run *run, const char *path, bool alone)
{
	auto_free char *name = xasprintf("%s.lock", path);
	auto_close int fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0)
		return -errno;
	run->locks[run->n_locks++] = steal_fd(&fd);
	return 0;
}

/* sharing=private takes another folder while one is in use; locked waits for it. */
static int take_cache(struct stage *s, const struct mount *m, char **name, struct err *err)
{
	const char *id = m->id ? m->id : m->target, *state = s->b->all->w->paths->state;
	bool own = str_eq(m->sharing, "private");
	auto_free char *all = path_join(state, "images/mounts");
	char hex[DIGEST_HEX];
	int r = path_mkdirs(all, 0755);

	digest_text(id, strlen(id), hex);
	for (unsigned i = 0; r == 0 && i < MOUNTS_MAX; i++) {
		auto_free char *at = i ? xasprintf("images/mounts/%s-%u", hex, i)
				       : xasprintf("images/mounts/%s", hex);
		auto_free char *path = path_join(state, at);

		r = lock_cache(s->run, path, own || str_eq(m->sharing, "locked"));
		if (r == 0)
			*name = steal(at);
		if (r != -EWOULDBLOCK)
			break;
		if (!own)
			return err_set(err, EAGAIN, "the cache '%s' is in use", id);
		r = 0;
	}
	return r == 0 && *name ? 0 : err_set(err, r ? r : EBUSY, "open the cache '%s'", id);
}

static int prepare_cache(struct stage *s, const struct mount *m, int fd, struct err *err)
{
	int r = m->from || m->source ? fill_cache(s, m, fd, err) : 0;

	if (r < 0)
		return r;
	if ((m->has_owner && fchown(fd, m->uid, m->gid) < 0) ||
	    fchmod(fd, m->has_mode ? m->mode : 0755) < 0)
		return err_errno(err, "make a cache");
	return 0;
}

/* It is seen when it is whole: its maker may be killed, and another one may be at it at the same time. */
static int make_cache(struct stage *s, const struct mount *m, const char *path, struct err *err)
{
	struct builder *b = s->b->all;
	auto_free char *made = NULL;
	auto_close int fd = -1;
	char name[24];
	int r;

	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	(void)snprintf(name, sizeof(name), "cache%u", ++b->names);
	/* By its path: the descriptor of the work folder is of another mount namespace. */
	made = xasprintf("%s/%s/%s", b->w->paths->state, image_work_name(b->work), name);
	if (mkdir(made, 0755) < 0)
		return err_errno(err, "make %s", made);
	fd = open(made, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? err_errno(err, "open %s", made) : prepare_cache(s, m, fd, err);
	if (r == 0 && renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_NOREPLACE) < 0 &&
	    errno != EEXIST)
		r = err_errno(err, "make %s", path);
	(void)path_remove_tree(image_work_fd(b->work), name); /* unless it has another name now */
	return r;
}

static int mount_cache(struct stage *s, const struct mount *m, struct err *err)
{
	struct builder *b = s->b->all;
	auto_free char *name = NULL, *real = NULL, *at = NULL;
	struct rootfs_bind bind = { .dirfd = AT_FDCWD,
				    .userns_fd = -1,
				    .read_only = m->has_write && !m->write };
	int fd, r = take_cache(s, m, &name, err);

	if (r < 0)
		return r;
	real = path_join(b->w->paths->state, name);
	r = make_cache(s, m, real, err);
	if (r == 0)
		r = run_label(s, real, true, err);
	if (r < 0)
		return r;
	at = path_join(b->view && !s->run->open ? b->view : b->w->paths->state, name);
	bind.path = at;
	fd = rootfs_bind(&bind, err);
	add_mount(s->run, m->target)->fd = fd;
	return fd < 0 ? fd : 0;
}

static int mount_tmpfs(struct stage *s, const struct mount *m, struct err *err)
{
	struct box_mount *b = add_mount(s->run, m->target);

	(void)err;
	b->read_only = m->has_write && !m->write;
	b->tmpfs = m->size ? arena_printf(&s->run->arena, "size=%llu", (unsigned long long)m->size)
			   : "";
	return 0;
}

static const struct build_secret *secret_of(const struct stage *s, const char *id)
{
	for (size_t i = 0; id && i < s->b->req->n_secrets; i++)
		if (strcmp(s->b->req->secrets[i].id, id) == 0)
			return &s->b->req->secrets[i];
	return NULL;
}

static int mount_secret(struct stage *s, const struct mount *m, struct err *err)
{
	const struct build_secret *secret = secret_of(s, m->id);

	if (!secret)
		return m->required ? err_set(err, ENOENT, "the build has no secret '%s'", m->id)
				   : 0;
	if (m->env)
		strs_addf(&s->run->env, "%s=%.*s", m->env, (int)secret->len, secret->data);
	if (m->target)
		s->run->files[s->run->spec.n_files++] =
			(struct box_file){ .target = m->target,
					   .data = secret->data,
					   .len = secret->len,
					   .mode = S_IFREG | (m->has_mode ? m->mode : 0400),
					   .uid = m->uid,
					   .gid = m->gid,
					   .read_only = true };
	return 0;
}

static int mount_ssh(struct stage *s, const struct mount *m, struct err *err)
{
	const char *id = m->id ? m->id : "default", *agent = kvs_get(&s->b->req->ssh, id);
	struct builder *b = s->b->all;
	struct run *run = s->run;
	struct rootfs_bind bind = { .dirfd = AT_FDCWD, .userns_fd = -1 };
	auto_free char *at = NULL;
	char name[24];
	int fd, r;

	if (!agent)
		return m->required ? err_set(err, ENOENT,
					     "the build has no SSH agent '%s': give it one with "
					     "--ssh %s",
					     id, id)
				   : 0;
	(void)snprintf(name, sizeof(name), "agent%u", b->names++);
	r = agent_open(image_work_fd(b->work), name, agent, run->open ? NULL : &b->labels,
		       &run->agents[run->n_agents], err);
	if (r < 0)
		return err_wrap(err, r, "--mount=type=ssh");
	run->n_agents++;
	if (fchownat(image_work_fd(b->work), name, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(image_work_fd(b->work), name, m->has_mode ? m->mode : 0600, 0) < 0)
		return err_errno(err, "make a socket");
	if (run->n_agents == 1)
		strs_put(&run->env, "SSH_AUTH_SOCK", m->target);
	at = xasprintf("%s/%s/%s", b->view && !run->open ? b->view : b->w->paths->state,
		       image_work_name(b->work), name);
	bind.path = at;
	fd = rootfs_bind(&bind, err);
	add_mount(run, m->target)->fd = fd;
	return fd < 0 ? fd : 0;
}

static int (*const makers[RUN_KINDS])(struct stage *s, const struct mount *m, struct err *err) = {
	[RUN_BIND] = mount_bind,     [RUN_CACHE] = mount_cache, [RUN_TMPFS] = mount_tmpfs,
	[RUN_SECRET] = mount_secret, [RUN_SSH] = mount_ssh,
};

static int each_mount(struct stage *s, const struct df_instruction *in,
		      int (*fn)(struct stage *, const struct mount *, void *, struct err *),
		      void *arg, struct err *err)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < in->n_flags; i++) {
		struct mount m;

		if (strcmp(in->flags[i].key, "mount") != 0)
			continue;
		if (++n > MOUNTS_MAX)
			return err_set(err, E2BIG, "more than %d mounts", MOUNTS_MAX);
		r = mount_read(s, in->flags[i].value ? in->flags[i].value : "", &m, err);
		if (r == 0)
			r = fn(s, &m, arg, err);
	}
	return r;
}

static int make_mount(struct stage *s, const struct mount *m, void *arg, struct err *err)
{
	(void)arg;
	if (m->target)
		strs_add(&s->run->stubs, m->target);
	return makers[m->kind](s, m, err);
}

int run_mounts_make(struct stage *s, const struct df_instruction *in, struct err *err)
{
	return each_mount(s, in, make_mount, NULL, err);
}

static int bind_digest(struct stage *s, const struct mount *m, char hex[DIGEST_HEX],
		       struct err *err)
{
	char *path = arena_strdup(&s->run->arena, m->source ? m->source : "/");
	struct digest *d = digest_new();
	struct source src;
	struct copy c = { .src = &src, .mode = -1, .dest = "/tree", .paths = &path, .n = 1 };
	int r = build_source_open(s, m->from, &src, err);

	if (r == 0)
		r = copy_digest(&c, d, err);
	build_source_close(&src);
	digest_end(d, hex);
	return r;
}

/* The content of a bind counts; of caches, secrets and agents only that they are there. */
static int look_at_mount(struct stage *s, const struct mount *m, void *arg, struct err *err)
{
	char hex[DIGEST_HEX];
	int r = m->kind == RUN_BIND ? bind_digest(s, m, hex, err) : 0;

	if (r == 0 && m->kind == RUN_BIND)
		strs_add(arg, hex);
	return r;
}

int run_mounts_look(struct stage *s, const struct df_instruction *in, struct strs *shown,
		    struct err *err)
{
	return each_mount(s, in, look_at_mount, shown, err);
}

/* ---- Mount points ----------------------------------------------------------------------------- */
/* Of the paths where something is mounted, those that the image does not have, with their parents:
 * they are made for the mount and do not belong to the layer. */
void run_stubs_find(struct run *r)
{
	static const char *const always[] = { "/etc/hosts",    "/etc/resolv.conf",
					      "/etc/hostname", "/dev",
					      "/proc",         "/sys" };
	auto_strs struct strs wanted = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		strs_add(&wanted, always[i]);
	for (size_t i = 0; i < r->stubs.n; i++)
		strs_add(&wanted, r->stubs.v[i]);
	strs_clear(&r->stubs);
	for (size_t i = 0; i < wanted.n; i++) {
		auto_free char *path = path_clean(wanted.v[i]);

		for (char *end = path + 1; *end; end++) {
			char kept;
			int fd;

			end += strcspn(end, "/");
			kept = *end;
			*end = '\0';
			fd = path_open_in(r->root.fd, path, O_PATH, 0);
			if (fd == -ENOENT)
				strs_add(&r->stubs, path);
			auto_close_fn(&fd);
			*end = kept;
			if (!kept)
				break;
		}
	}
}

void run_stubs_remove(struct run *r)
{
	auto_close int upper = openat(image_work_fd(r->root.all->work), r->root.name,
				      O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = r->stubs.n; upper >= 0 && i-- > 0;) {
		auto_free char *folder = xstrdup(r->stubs.v[i]);
		char *slash = strrchr(folder, '/');
		auto_close int dir = -1;
		struct stat st;

		*slash = '\0';
		dir = path_open_in(upper, *folder ? folder : "/", O_PATH | O_DIRECTORY, 0);
		if (dir < 0 || fstatat(dir, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			(void)unlinkat(dir, slash + 1, AT_REMOVEDIR); /* only when empty */
		else if (S_ISREG(st.st_mode) && st.st_size == 0)
			(void)unlinkat(dir, slash + 1, 0);
	}
}
