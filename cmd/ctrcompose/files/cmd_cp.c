/* cmd_cp.c - ctrcompose cp: files between a container and the host, or a tar on a standard stream. */
#include "containers/observe.h"
#include "files/copying.h"
#include "screen/screen.h"

#include <ctrcompose/archive.h>
#include <ctrcompose/engine.h>
#include <ctrcompose/rootfs.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	bool all, archive, follow;
	int64_t index;
} arg;

static const struct opt opts[] = {
	{ 0, "all", OPT_FLAG, &arg.all, NULL, "Containers of `run` as well" },
	{ 'a', "archive", OPT_FLAG, &arg.archive, NULL, "Keep owners and groups" },
	{ 'L', "follow-link", OPT_FLAG, &arg.follow, NULL, "Follow a symbolic link that SRC is" },
	{ 0, "index", OPT_INT, &arg.index, "N", "Which container, if the service has several" },
};

/* One side of the copy. */
struct place {
	char *service; /* NULL: the host */
	const char *path;
	struct state_container *c;
	struct engine_root root; /* of the host: "/" and no shift */
};

struct task {
	struct observed *o;
	struct place from, to;
};

/* ---- Words ------------------------------------------------------------------------------------ */
/* "web:/etc/hosts"; a path that begins with / or . is the host's, whatever is in it. */
static void parse_place(const char *word, struct place *out)
{
	const char *colon = strchr(word, ':');

	*out = (struct place){ .path = word, .root = { .fd = -1 } };
	if (!colon || colon == word || *word == '/' || *word == '.')
		return;
	out->service = xstrndup(word, (size_t)(colon - word));
	out->path = colon + 1;
}

static bool is_stream(const struct place *p)
{
	return !p->service && strcmp(p->path, "-") == 0;
}

static int find_container(struct observed *o, struct place *p, struct err *err)
{
	struct pick pick = { .service = p->service, .index = arg.index, .oneoffs = arg.all };

	return p->service ? observe_pick(o->state, &pick, &p->c, err) : 0;
}

/* ---- Paths ------------------------------------------------------------------------------------ */
static bool ends_in(const char *path, const char *tail)
{
	size_t n = strlen(path), k = strlen(tail);

	return n >= k && strcmp(path + n - k, tail) == 0;
}

/* Relative paths of a container begin at its root. */
static char *full_path(const struct place *p)
{
	auto_free char *cwd = NULL;

	if (*p->path == '/')
		return xstrdup(p->path);
	if (p->service)
		return path_join("/", p->path);
	cwd = getcwd(NULL, 0);
	return cwd ? path_join(cwd, p->path) : xstrdup(p->path);
}

/* The folder a name is in, and that name: "/" and "." have none, *name is NULL then and the folder is
 * the thing itself. */
static int open_parent(const struct place *p, char **name, struct err *err)
{
	auto_free char *full = full_path(p), *clean = path_clean(full);
	char *slash = strrchr(clean, '/');
	int fd;

	*name = slash[1] ? xstrdup(slash + 1) : NULL;
	slash[slash == clean ? 1 : 0] = '\0';
	fd = path_open_in(p->root.fd, clean, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0) {
		free(steal(*name));
		return err_set(err, fd, "%s%s%s: %s", p->service ? p->service : "",
			       p->service ? ":" : "", clean, strerror(-fd));
	}
	return fd;
}

/* The whole path with links followed; -ENOENT is the caller's to say. */
static int open_whole(const struct place *p, int flags)
{
	auto_free char *full = full_path(p);

	return path_open_in(p->root.fd, full, flags | O_CLOEXEC, 0);
}

static int missing(const struct place *p, struct err *err)
{
	return err_set(err, ENOENT, "%s%s%s: no such file or folder", p->service ? p->service : "",
		       p->service ? ":" : "", p->path);
}

/* ---- Copying ---------------------------------------------------------------------------------- */
static struct copying settings(const struct task *t)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	struct copying c = { .keep_owner = arg.archive,
			     .drop_set_id = !t->to.service && !arg.archive,
			     .from_shift = t->from.root.shift,
			     .to_shift = t->to.root.shift };
	uint64_t v;

	if (t->to.service)
		return c;
	/* Behind sudo a person wants files of their own. */
	if (uid && parse_u64(uid, &v) == 0 && v <= UINT32_MAX)
		c.owner_uid = (uid_t)v;
	if (gid && parse_u64(gid, &v) == 0 && v <= UINT32_MAX)
		c.owner_gid = (gid_t)v;
	return c;
}

/* What SRC is: a folder whose content is copied, or a name in a folder. */
struct source {
	int dir;
	char *name; /* NULL: the content of dir */
	bool is_folder;
};

static int open_source(const struct task *t, struct source *s, struct err *err)
{
	const struct place *p = &t->from;
	struct stat st;

	if (arg.follow && !ends_in(p->path, "/.")) {
		auto_close int fd = open_whole(p, O_PATH);

		if (fd < 0 || fstat(fd, &st) < 0)
			return missing(p, err);
		if (S_ISDIR(st.st_mode)) {
			s->dir = steal_fd(&fd);
			s->is_folder = true;
			return 0;
		}
	}
	if (ends_in(p->path, "/.") || strcmp(p->path, ".") == 0 || ends_in(p->path, "/")) {
		s->dir = open_whole(p, O_PATH | O_DIRECTORY);
		s->is_folder = true;
		if (s->dir < 0)
			return missing(p, err);
		if (!ends_in(p->path, "/"))
			return 0;
		auto_close_fn(&s->dir); /* "folder/": the folder with its name */
		s->dir = -1;
	}
	s->dir = open_parent(p, &s->name, err);
	if (s->dir < 0)
		return s->dir;
	if (!s->name) {
		s->is_folder = true;
		return 0;
	}
	if (fstatat(s->dir, s->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return missing(p, err);
	s->is_folder = S_ISDIR(st.st_mode);
	return 0;
}

/* SRC as a regular file behind links, for -L. */
static int follow_file(const struct task *t, struct copying *c, int to, const char *to_name,
		       struct err *err)
{
	auto_close int fd = open_whole(&t->from, O_RDONLY | O_NONBLOCK);
	auto_close int out = -1;
	auto_free char *buf = xmalloc(1 << 16);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return missing(&t->from, err);
	(void)unlinkat(to, to_name, 0);
	out = openat(to, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return err_errno(err, "make %s", to_name);
	while ((n = read(fd, buf, 1 << 16)) > 0)
		if (fd_write_all(out, buf, (size_t)n) < 0)
			return err_errno(err, "write %s", to_name);
	if (n < 0 || fchown(out, c->owner_uid + c->to_shift, c->owner_gid + c->to_shift) < 0 ||
	    fchmod(out, st.st_mode & (c->drop_set_id ? 01777 : 07777)) < 0)
		return err_errno(err, "copy %s", to_name);
	return 0;
}

static int copy_to_name(const struct task *t, struct copying *c, const struct source *s, int to,
			const char *to_name, struct err *err)
{
	auto_close int into = -1;

	if (s->name && arg.follow && !s->is_folder)
		return follow_file(t, c, to, to_name, err);
	if (s->name)
		return copy_entry(c, s->dir, s->name, to, to_name, err);
	if (mkdirat(to, to_name, 0755) == 0) {
		if (fchownat(to, to_name, c->owner_uid + c->to_shift, c->owner_gid + c->to_shift,
			     AT_SYMLINK_NOFOLLOW) < 0)
			return err_errno(err, "set the owner of %s", to_name);
	} else if (errno != EEXIST) {
		return err_errno(err, "make the folder %s", to_name);
	}
	into = openat(to, to_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return into < 0 ? err_errno(err, "open %s", to_name) : copy_content(c, s->dir, into, err);
}

/* Docker's rules: into a folder that is there, else as the name that DEST gives. */
static int copy_into(const struct task *t, struct copying *c, const struct source *s,
		     struct err *err)
{
	auto_close int whole = open_whole(&t->to, O_RDONLY | O_DIRECTORY), parent = -1;
	auto_free char *name = NULL;

	if (whole >= 0)
		return s->name ? copy_to_name(t, c, s, whole, s->name, err)
			       : copy_content(c, s->dir, whole, err);
	if (whole != -ENOENT && whole != -ENOTDIR)
		return err_set(err, whole, "%s: %s", t->to.path, strerror(-whole));
	if (!s->is_folder && ends_in(t->to.path, "/"))
		return err_set(err, ENOENT, "%s: no such folder", t->to.path);
	if (s->is_folder && whole == -ENOTDIR)
		return err_set(err, ENOTDIR, "%s: a folder can't be copied to a file", t->to.path);
	parent = open_parent(&t->to, &name, err);
	if (parent < 0)
		return parent;
	if (s->is_folder && s->name) { /* a new name for the folder: its content */
		auto_close int inner =
			openat(s->dir, s->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		struct source content = { .dir = inner, .is_folder = true };

		return inner < 0 ? missing(&t->from, err)
				 : copy_to_name(t, c, &content, parent, name, err);
	}
	return copy_to_name(t, c, s, parent, name, err);
}

/* ---- Standard streams ------------------------------------------------------------------------- */
static int scratch(char path[64], struct err *err)
{
	int fd;

	(void)snprintf(path, 64, "/var/tmp/ctrcompose-cp.XXXXXX");
	if (!mkdtemp(path))
		return err_errno(err, "make a folder in /var/tmp");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_errno(err, "open %s", path) : fd;
}

static void remove_scratch(const char *path)
{
	auto_close int dir = open("/var/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	rootfs_act_as(0, 0);
	(void)path_remove_tree(dir, path + strlen("/var/tmp/"));
}

static int to_stream(struct task *t, struct copying *c, const struct source *s, struct err *err)
{
	char path[64];
	auto_close int dir = scratch(path, err);
	int out = STDOUT_FILENO, r;

	if (dir < 0)
		return dir;
	c->keep_owner = true;
	c->drop_set_id = false;
	r = s->name ? copy_entry(c, s->dir, s->name, dir, s->name, err)
		    : copy_content(c, s->dir, dir, err);
	if (r == 0)
		r = archive_pack(dir, archive_sink_fd, &out, err);
	remove_scratch(path);
	(void)t;
	return r;
}

static int from_stream(struct task *t, struct copying *c, struct err *err)
{
	struct archive_unpack how = { .max_entries = 0 };
	char path[64];
	auto_close int dir = scratch(path, err), to = -1;
	int in = STDIN_FILENO, r;

	if (dir < 0)
		return dir;
	to = open_whole(&t->to, O_RDONLY | O_DIRECTORY);
	r = to < 0 ? err_set(err, to, "%s:%s: %s", t->to.service, t->to.path, strerror(-to))
		   : archive_unpack(archive_source_fd, &in, dir, &how, err);
	if (r == 0) {
		rootfs_act_as(t->to.root.shift, t->to.root.shift);
		r = copy_content(c, dir, to, err);
	}
	remove_scratch(path);
	return r;
}

/* ---- In a process of its own ------------------------------------------------------------------ */
static int open_root(const struct task *t, struct place *p, struct err *err)
{
	if (p->service)
		return engine_root_open(&t->o->paths, t->o->state, p->c, &p->root, err);
	p->root.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return p->root.fd < 0 ? err_errno(err, "open /") : 0;
}

static int copy(void *data, struct err *err)
{
	struct source s = { .dir = -1 };
	struct task *t = data;
	struct copying c;
	int r = open_root(t, &t->from, err);

	if (r == 0)
		r = open_root(t, &t->to, err);
	if (r < 0)
		return r;
	c = settings(t);
	if (is_stream(&t->from))
		return from_stream(t, &c, err);
	r = open_source(t, &s, err);
	if (r == 0 && is_stream(&t->to))
		r = to_stream(t, &c, &s, err);
	else if (r == 0) {
		rootfs_act_as(t->to.root.shift, t->to.root.shift);
		r = copy_into(t, &c, &s, err);
	}
	free(s.name);
	auto_close_fn(&s.dir);
	if (r == 0 && c.skipped)
		cmd_warn("%llu devices, sockets or FIFOs were left out",
			 (unsigned long long)c.skipped);
	return r;
}

/* A container that does not run is not to be started meanwhile. */
static int with_lock(struct task *t, const struct state_container *c, struct err *err)
{
	auto_close int lock = -1;
	int r;

	if (global.dry_run)
		return progress_dry("Container", c->name, "Copied",
				    t->to.service ? t->to.path : t->from.path, err);
	r = c->pid > 0 ? 0 : state_lock(&t->o->paths, t->o->name, UINT64_MAX, &lock, err);

	return r < 0 ? r : cmd_apart(copy, t, err);
}

static int run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	struct task t = { .o = &o };
	int r;

	(void)argc;
	parse_place(argv[0], &t.from);
	parse_place(argv[1], &t.to);
	if (!t.from.service == !t.to.service)
		r = usage_error(err,
				"cp copies between a service and this host: give SERVICE:PATH "
				"once%s",
				t.from.service ? ", not twice" : "");
	else
		r = observe(&o, NULL, err);
	if (r == 0)
		r = find_container(&o, &t.from, err);
	if (r == 0)
		r = find_container(&o, &t.to, err);
	if (r == 0)
		r = with_lock(&t, t.from.c ? t.from.c : t.to.c, err);
	free(t.from.service);
	free(t.to.service);
	return r;
}

const struct cmd cmd_cp = {
	.name = "cp",
	.summary = "Copy files between a service's container and this host",
	.operands = "SERVICE:SRC DEST|- | SRC|- SERVICE:DEST",
	.min_operands = 2,
	.max_operands = 2,
	CMD_OPTS(opts),
	.run = run,
};
