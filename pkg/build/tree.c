/* tree.c - files out of a context, another stage or an image: found, digested, written; by
 * descriptor only, so that no link leads out of either side */
#include "private.h"

#include <ctrcompose/archive.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { DEPTH_MAX = 400, PATHS_MAX = 100000, CHUNK = 1 << 16, CAPABILITY_MAX = 64 };

/* One pass over what a COPY names: into a digest, into a root, or into both. */
struct pass {
	const struct copy *c;
	struct digest *digest; /* or NULL */
	int root;              /* or -1 */
	unsigned depth;
	size_t found;
	char *chunk;
	struct map
		links; /* of the folder at hand: a file with several names -> the first, as it is copied */
};

static char *below(const char *folder, const char *name)
{
	return *folder ? xasprintf("%s/%s", folder, name) : xstrdup(name);
}

static int read_names(int fd, struct strs *names)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!dir)
		return -errno;
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			strs_add(names, e->d_name);
	(void)closedir(dir);
	strs_sort(names);
	return 0;
}

static uid_t owner(const struct copy *c, uid_t theirs)
{
	return c->own ? c->uid : c->src->keep_owner ? theirs : 0;
}

static gid_t group(const struct copy *c, gid_t theirs)
{
	return c->own ? c->gid : c->src->keep_owner ? theirs : 0;
}

static mode_t mode_of(const struct copy *c, mode_t theirs)
{
	mode_t m;

	if (c->symbolic && chmod_symbolic(c->symbolic, theirs, S_ISDIR(theirs), &m) == 0)
		return m;
	return c->mode >= 0 ? (mode_t)c->mode : theirs & 07777;
}

/* ---- Into a digest ---------------------------------------------------------------------------- */
static int digest_content(struct pass *p, int fd, struct err *err)
{
	ssize_t n;

	while ((n = fd_read_full(fd, p->chunk, CHUNK)) > 0)
		digest_add(p->digest, p->chunk, (size_t)n);
	return n < 0 ? err_set(err, (int)n, "read: %s", strerror((int)-n)) : 0;
}

static void digest_head(struct pass *p, const char *dst, const struct stat *st, const char *link)
{
	auto_free char *head =
		xasprintf("%s %o %u %u %lld", dst,
			  (unsigned)((st->st_mode & S_IFMT) | mode_of(p->c, st->st_mode)),
			  owner(p->c, st->st_uid), group(p->c, st->st_gid),
			  S_ISREG(st->st_mode) ? (long long)st->st_size : 0LL);

	key_add(p->digest, head);
	key_add(p->digest, link);
}

/* What a program may do that others may not, with the owner it has; no file without it has another key than
 * it ever had. */
static void digest_capability(struct pass *p, int fd)
{
	char value[CAPABILITY_MAX];
	ssize_t n = p->c->src->keep_owner
			    ? fgetxattr(fd, "security.capability", value, sizeof(value))
			    : 0;

	if (n <= 0)
		return;
	key_add(p->digest, "capability");
	digest_add(p->digest, value, (size_t)n);
}

/* ---- Names of one file ------------------------------------------------------------------------ */
static void links_clear(struct pass *p)
{
	for (size_t i = 0; i < p->links.n; i++)
		free(p->links.entries[i].value);
	map_clear(&p->links);
}

/* Where the file came to under another name; NULL: this is its first. */
static const char *earlier_name(struct pass *p, const struct stat *st, const char *dst)
{
	auto_free char *id = NULL;
	const char *first;

	if (st->st_nlink < 2)
		return NULL;
	id = xasprintf("%llx:%llx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
	first = map_get(&p->links, id);
	if (!first)
		map_put(&p->links, id, xstrdup(dst));
	return first;
}

/* ---- Into a root ------------------------------------------------------------------------------ */
int mkdirs_owned(int root, const char *path, uid_t uid, gid_t gid)
{
	auto_free char *clean = path_clean(path);

	/* Level by level: only those that are made get the owner. */
	for (char *end = clean; (uid || gid) && *end; end++) {
		char kept;
		int there, dir;

		end += 1 + strcspn(end + 1, "/");
		kept = *end;
		*end = '\0';
		there = path_open_in(root, clean, O_PATH | O_DIRECTORY, 0);
		dir = there == -ENOENT ? path_mkdirs_in(root, clean, 0755) : there;
		if (there == -ENOENT && dir >= 0 &&
		    fchownat(dir, "", uid, gid, AT_EMPTY_PATH) < 0) {
			int r = -errno;

			(void)close(dir);
			return r;
		}
		if (dir < 0)
			return dir;
		(void)close(dir);
		*end = kept;
		if (!kept)
			break;
	}
	return path_mkdirs_in(root, clean, 0755);
}

/* The folder dst is in, made where it is missing; owned as what comes into it when it was asked for. */
static int parent_of(struct pass *p, const char *dst, const char **name)
{
	const char *slash = strrchr(dst, '/');
	auto_free char *folder = xstrndup(dst, (size_t)(slash - dst) + (slash == dst));
	const struct copy *c = p->c;

	*name = slash + 1;
	return mkdirs_owned(p->root, folder, c->own ? c->uid : 0, c->own ? c->gid : 0);
}

static void set_times(int dir, const char *name, const struct stat *st)
{
	const struct timespec t[2] = { st->st_mtim, st->st_mtim };

	(void)utimensat(dir, name, t, AT_SYMLINK_NOFOLLOW);
}

static int make_room(int dir, const char *name, struct err *err)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR)
		return err_set(err, EISDIR, "there is a folder in its place");
	return err_errno(err, "replace it");
}

static void copy_capability(int from, int to)
{
	char value[CAPABILITY_MAX];
	ssize_t n = fgetxattr(from, "security.capability", value, sizeof(value));

	if (n > 0)
		(void)fsetxattr(to, "security.capability", value, (size_t)n, 0);
}

/* d (or NULL) sees what is written. */
static int write_file(struct pass *p, int dir, const char *name, int from, const struct stat *st,
		      struct digest *d, struct err *err)
{
	auto_close int fd = -1;
	ssize_t n;
	int r = make_room(dir, name, err);

	if (r < 0)
		return r;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, "write");
	while ((n = fd_read_full(from, p->chunk, CHUNK)) > 0) {
		if (d)
			digest_add(d, p->chunk, (size_t)n);
		r = fd_write_all(fd, p->chunk, (size_t)n);
		if (r < 0)
			return err_set(err, r, "write: %s", strerror(-r));
	}
	if (n < 0)
		return err_set(err, (int)n, "read: %s", strerror((int)-n));
	if (fchown(fd, owner(p->c, st->st_uid), group(p->c, st->st_gid)) < 0 ||
	    fchmod(fd, mode_of(p->c, st->st_mode)) < 0)
		return err_errno(err, "set owner and mode");
	if (p->c->src->keep_owner)
		copy_capability(from, fd);
	set_times(dir, name, st);
	return 0;
}

static int write_link(struct pass *p, int dir, const char *name, const char *target,
		      const struct stat *st, struct err *err)
{
	int r = make_room(dir, name, err);

	if (r < 0)
		return r;
	if (symlinkat(target, dir, name) < 0 ||
	    fchownat(dir, name, owner(p->c, st->st_uid), group(p->c, st->st_gid),
		     AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "make a link");
	set_times(dir, name, st);
	return 0;
}

/* One more name of a file that was written a moment ago. */
static int write_name(struct pass *p, int dir, const char *name, const char *first)
{
	auto_close int fd = path_open_in(p->root, first, O_PATH | O_CLOEXEC, 0);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -ENOENT;
	r = make_room(dir, name, NULL);
	if (r < 0)
		return r;
	return linkat(fd, "", dir, name, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* A folder that is there keeps its owner and mode. */
static int write_folder(struct pass *p, const char *dst, const struct stat *st, struct err *err)
{
	auto_close int there = path_open_in(p->root, dst, O_PATH | O_DIRECTORY, 0);
	auto_close int dir = -1;
	const char *name;

	if (there >= 0)
		return 0;
	if (there != -ENOENT)
		return err_set(err, there, "make a folder: %s", strerror(-there));
	dir = parent_of(p, dst, &name);
	if (dir < 0 || mkdirat(dir, name, 0755) < 0)
		return err_errno(err, "make a folder");
	if (fchownat(dir, name, owner(p->c, st->st_uid), group(p->c, st->st_gid),
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dir, name, mode_of(p->c, st->st_mode), 0) < 0)
		return err_errno(err, "set owner and mode of a folder");
	return 0;
}

/* A tar, by what its beginning is. */
static bool is_archive(int fd)
{
	static const struct {
		size_t at;
		const char *magic;
		size_t len;
	} kinds[] = {
		{ 257, "ustar", 5 },
		{ 0, "\x1f\x8b", 2 },
		{ 0, "BZh", 3 },
		{ 0, "\xfd\x37\x7a\x58\x5a", 5 },
		{ 0, "\x28\xb5\x2f\xfd", 4 },
	};
	char head[262] = { 0 };
	ssize_t n = pread(fd, head, sizeof(head), 0);

	for (size_t i = 0; n > 0 && i < ARRAY_LEN(kinds); i++)
		if (memcmp(head + kinds[i].at, kinds[i].magic, kinds[i].len) == 0)
			return true;
	return false;
}

static int unpack(struct pass *p, const char *folder, int from, struct err *err)
{
	struct archive_unpack opt = { 0 };
	const struct copy *c = p->c;
	auto_close int there = mkdirs_owned(p->root, folder, c->own ? c->uid : 0,
					    c->own ? c->gid : 0),
		       dir = -1;
	int r;

	if (there < 0)
		return err_set(err, there, "make %s: %s", folder, strerror(-there));
	dir = path_open_in(p->root, folder, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return err_set(err, dir, "open %s: %s", folder, strerror(-dir));
	r = archive_unpack(archive_source_fd, &from, dir, &opt, err);
	if (r < 0 || !p->digest)
		return r;
	return lseek(from, 0, SEEK_SET) < 0 ? err_errno(err, "read") : digest_content(p, from, err);
}

/* ---- One thing -------------------------------------------------------------------------------- */
static int visit_file(struct pass *p, int dir, const char *name, const char *dst, bool top,
		      struct err *err)
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
		       to = -1;
	const char *first;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_errno(err, "open");
	first = earlier_name(p, &st, dst);
	if (p->digest) {
		digest_head(p, dst, &st, first);
		digest_capability(p, fd);
	}
	if (p->root < 0)
		return first ? 0 : digest_content(p, fd, err);
	if (top && p->c->archives && is_archive(fd))
		return unpack(p, p->c->dest, fd, err);
	to = parent_of(p, dst, &name);
	if (to < 0)
		return err_set(err, to, "make its folder: %s", strerror(-to));
	/* Where it can't have that name, it is a file of its own. */
	if (first && write_name(p, to, name, first) == 0)
		return 0;
	return write_file(p, to, name, fd, &st, first ? NULL : p->digest, err);
}

static int visit_link(struct pass *p, int dir, const char *name, const struct stat *st,
		      const char *dst, struct err *err)
{
	char target[4096];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	auto_close int to = -1;

	if (n < 0)
		return err_errno(err, "read a link");
	target[n] = '\0';
	if (p->digest)
		digest_head(p, dst, st, target);
	if (p->root < 0)
		return 0;
	to = parent_of(p, dst, &name);
	if (to < 0)
		return err_set(err, to, "make its folder: %s", strerror(-to));
	return write_link(p, to, name, target, st, err);
}

static int visit_folder(struct pass *p, int fd, const char *src, const char *rel, const char *dst,
			struct err *err);

/* src: path in the source; rel: path below what the COPY names; dst: path in the image. */
static int visit(struct pass *p, int dir, const char *name, const char *src, const char *rel,
		 const char *dst, bool top, struct err *err)
{
	bool hidden = df_ignored(p->c->src->ignore, src);
	struct stat st;
	int r = 0;

	if (df_ignored(p->c->exclude, rel) && !df_ignore_has_exceptions(p->c->exclude))
		return 0;
	if (hidden && !df_ignore_has_exceptions(p->c->src->ignore))
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "%s", src);
	if (S_ISDIR(st.st_mode)) {
		auto_close int fd =
			openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return err_errno(err, "%s", src);
		/* A hidden folder comes with what is taken back in it. */
		if (!hidden && !df_ignored(p->c->exclude, rel)) {
			p->found++;
			if (p->digest)
				digest_head(p, dst, &st, NULL);
			if (p->root >= 0)
				r = write_folder(p, dst, &st, err);
		}
		return r < 0 ? err_wrap(err, r, "%s", src)
			     : visit_folder(p, fd, src, rel, dst, err);
	}
	if (hidden || df_ignored(p->c->exclude, rel))
		return 0;
	p->found++;
	if (S_ISREG(st.st_mode))
		r = visit_file(p, dir, name, dst, top, err);
	else if (S_ISLNK(st.st_mode))
		r = visit_link(p, dir, name, &st, dst, err);
	return r < 0 ? err_wrap(err, r, "%s", src) : 0;
}

static int visit_folder(struct pass *p, int fd, const char *src, const char *rel, const char *dst,
			struct err *err)
{
	auto_strs struct strs names = { 0 };
	int r = read_names(fd, &names);

	if (r < 0)
		return err_set(err, r, "%s: %s", src, strerror(-r));
	if (p->depth >= DEPTH_MAX)
		return err_set(err, ELOOP, "%s is nested too deep", src);
	p->depth++;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *s = below(src, names.v[i]), *e = below(rel, names.v[i]);
		auto_free char *d = path_join(dst, names.v[i]);

		r = visit(p, fd, names.v[i], s, e, d, false, err);
	}
	p->depth--;
	return r;
}

/* ---- What a COPY names ------------------------------------------------------------------------ */
static int glob_below(const struct copy *c, const char *done, const char *rest, struct strs *out,
		      struct err *err);

static bool is_folder(int root, const char *path)
{
	auto_close int fd = path_open_in(root, path, O_PATH | O_DIRECTORY, 0);

	return fd >= 0;
}

/* "**" and a rest: here, and in each folder below. Links are not gone through. */
static int glob_anywhere(const struct copy *c, const char *done, const char *rest, unsigned depth,
			 struct strs *out, struct err *err)
{
	auto_close int dir =
		path_open_in(c->src->root, *done ? done : ".", O_RDONLY | O_DIRECTORY, 0);
	auto_strs struct strs names = { 0 };
	int r = glob_below(c, done, rest, out, err);

	if (r == 0 && dir >= 0)
		r = read_names(dir, &names);
	if (r == 0 && depth >= DEPTH_MAX)
		return err_set(err, ELOOP, "%s is nested too deep", done);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *path = below(done, names.v[i]);
		struct stat st;

		if (fstatat(dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
			r = glob_anywhere(c, path, rest, depth + 1, out, err);
	}
	return r;
}

/* Match the components of a pattern one by one. */
static int glob_below(const struct copy *c, const char *done, const char *rest, struct strs *out,
		      struct err *err)
{
	int root = c->src->root;
	size_t n = strcspn(rest, "/");
	auto_free char *part = xstrndup(rest, n);
	auto_close int dir = path_open_in(root, *done ? done : ".", O_RDONLY | O_DIRECTORY, 0);
	auto_strs struct strs names = { 0 };
	struct df_glob *g = NULL;
	int r;

	if (dir < 0)
		return 0; /* not a folder: nothing below it */
	if (c->parents && strcmp(part, "**") == 0 && rest[n])
		return glob_anywhere(c, done, rest + n + 1, 0, out, err);
	r = df_glob_new(part, false, &g, err);
	if (r == 0)
		r = read_names(dir, &names);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *path = below(done, names.v[i]);

		if (!df_glob_match(g, names.v[i], strlen(names.v[i])))
			continue;
		if (rest[n])
			r = glob_below(c, path, rest + n + 1, out, err);
		else if (out->n >= PATHS_MAX)
			r = err_set(err, E2BIG, "more than %d names match", PATHS_MAX);
		else
			strs_add(out, path);
	}
	df_glob_free(g);
	return r;
}

/* Where it comes to as far as the instruction says. Where that is a folder of the image, which only the write
 * sees, it comes into it by its name. */
static void digest_file(struct pass *p, const char *path, const char *kept, bool several,
			const struct stat *st, int fd)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	bool into = p->c->into || several;
	auto_free char *dst = p->c->parents ? path_join(p->c->dest, kept)
			      : into        ? path_join(p->c->dest, base)
					    : xstrdup(p->c->dest);

	digest_head(p, dst, st, NULL);
	digest_capability(p, fd);
	if (!into && !p->c->parents)
		key_add(p->digest, base);
}

/* One name of a COPY, with links on the way and at its end followed inside the source. */
static int copy_one(struct pass *p, const char *path, const char *kept, bool into, bool several,
		    struct err *err)
{
	auto_close int fd = path_open_in(p->c->src->root, *path ? path : ".", O_PATH, 0);
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	auto_free char *dst = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ENOENT, "%s has no '%s'", p->c->src->what, path);
	if (S_ISDIR(st.st_mode)) {
		auto_close int dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (dir < 0)
			return err_errno(err, "%s", path);
		if (df_ignored(p->c->src->ignore, path) &&
		    !df_ignore_has_exceptions(p->c->src->ignore))
			return 0;
		p->found++;
		dst = p->c->parents ? path_join(p->c->dest, kept) : xstrdup(p->c->dest);
		if (p->digest)
			digest_head(p, dst, &st, NULL);
		if (p->root >= 0 && write_folder(p, dst, &st, err) < 0)
			return err_wrap(err, -EIO, "%s", dst);
		/* In one folder each name is written once: the first is what it was. */
		links_clear(p);
		return visit_folder(p, dir, path, "", dst, err);
	}
	/* The descriptor's own name, so that what was looked at is what is read. */
	if (df_ignored(p->c->src->ignore, path) || df_ignored(p->c->exclude, base))
		return 0;
	p->found++;
	dst = p->c->parents ? path_join(p->c->dest, kept)
	      : into        ? path_join(p->c->dest, base)
			    : xstrdup(p->c->dest);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "'%s' is neither a file nor a folder", path);
	{
		auto_close int file = -1, to = -1;
		char self[FD_NAME_MAX];
		const char *name;

		fd_name(fd, self);
		file = open(self, O_RDONLY | O_CLOEXEC);
		if (file < 0)
			return err_errno(err, "%s", path);
		if (p->digest)
			digest_file(p, path, kept, several, &st, file);
		if (p->root < 0)
			return digest_content(p, file, err);
		if (p->c->archives && is_archive(file))
			return unpack(p, p->c->dest, file, err);
		to = parent_of(p, dst, &name);
		return to < 0 ? err_set(err, to, "make %s: %s", dst, strerror(-to))
			      : write_file(p, to, name, file, &st, p->digest, err);
	}
}

/* "a/./b/c" keeps "b/c" with --parents: as many names are left out as stand before the point. */
static char *kept_part(const char *word, const char *path)
{
	const char *pivot = strstr(word, "/./");
	auto_free char *head = pivot ? xasprintf("/%.*s", (int)(pivot - word), word) : xstrdup("/");
	auto_free char *clean = path_clean(head);
	const char *slash;

	for (const char *p = clean + 1; *p; p += strcspn(p, "/"), p += *p == '/') {
		slash = strchr(path, '/');
		if (!slash)
			break;
		path = slash + 1;
	}
	return xstrdup(path);
}

static int pass_over(struct pass *p, struct err *err)
{
	const struct copy *c = p->c;
	bool into = c->into || (p->root >= 0 && is_folder(p->root, c->dest));
	int r = 0;

	p->chunk = xmalloc(CHUNK);
	for (size_t i = 0; r == 0 && i < c->n; i++) {
		auto_free char *rooted = xasprintf("/%s", c->paths[i]);
		auto_free char *clean = path_clean(rooted);
		auto_strs struct strs found = { 0 };
		size_t before = p->found;

		if (df_has_glob(clean))
			r = glob_below(c, "", clean + 1, &found, err);
		else
			strs_add(&found, clean + 1);
		for (size_t k = 0; r == 0 && k < found.n; k++) {
			auto_free char *kept = kept_part(c->paths[i], found.v[k]);

			r = copy_one(p, found.v[k], kept, into || found.n > 1, found.n > 1, err);
		}
		/* A pattern may match nothing: "COPY file optional* dest/". */
		if (r == 0 && p->found == before && !c->exclude && !df_has_glob(clean))
			r = err_set(err, ENOENT, "%s has no '%s' (or .dockerignore hides it)",
				    c->src->what, c->paths[i]);
	}
	links_clear(p);
	free(p->chunk);
	return r;
}

int copy_digest(const struct copy *c, struct digest *d, struct err *err)
{
	struct pass p = { .c = c, .digest = d, .root = -1 };

	return pass_over(&p, err);
}

int copy_write(const struct copy *c, int root, struct digest *d, struct err *err)
{
	struct pass p = { .c = c, .digest = d, .root = root };

	return pass_over(&p, err);
}

int copy_text(const struct copy *c, int root, const char *path, const char *text, struct err *err)
{
	struct pass p = { .c = c, .root = root };
	const char *name;
	auto_close int dir = parent_of(&p, path, &name), fd = -1;
	int r;

	if (dir < 0)
		return err_set(err, dir, "make the folder of %s: %s", path, strerror(-dir));
	r = make_room(dir, name, err);
	if (r < 0)
		return err_wrap(err, r, "%s", path);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 ||
	    fchown(fd, owner(c, 0), group(c, 0)) < 0 || fchmod(fd, mode_of(c, 0644)) < 0)
		return err_errno(err, "write %s", path);
	return 0;
}
