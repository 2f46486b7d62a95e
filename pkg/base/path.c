/* path.c - paths below a root that is not trusted, and trees that go away; see base.h */
#include <ctrcompose/base.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int path_open_in(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	for (int tries = 0; tries < 64; tries++) {
		long fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR) /* EAGAIN: a rename raced with ".." */
			return -errno;
	}
	return -EAGAIN;
}

int path_mkdirs_in(int rootfd, const char *path, mode_t mode)
{
	auto_free char *copy = xstrdup(path);
	auto_close int dir = path_open_in(rootfd, ".", O_PATH | O_DIRECTORY, 0);
	auto_sbuf struct sbuf done = SBUF_INIT;
	char *save = NULL;

	if (dir < 0)
		return dir;
	for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		int next;

		/* Resolved from the root each time, so that a link on the way stays inside. */
		sbuf_addf(&done, "/%s", part);
		next = path_open_in(rootfd, sbuf_str(&done), O_PATH | O_DIRECTORY, 0);
		if (next == -ENOENT) {
			if (strcmp(part, "..") == 0)
				return -ENOENT;
			if (mkdirat(dir, part, mode) < 0 && errno != EEXIST)
				return -errno;
			next = path_open_in(rootfd, sbuf_str(&done), O_PATH | O_DIRECTORY, 0);
		}
		if (next < 0)
			return next;
		(void)close(dir);
		dir = next;
	}
	return steal_fd(&dir);
}

int path_mkdirs(const char *path, mode_t mode)
{
	auto_free char *copy = xstrdup(path);

	/* Most often all but the last one are there, or all. */
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	for (char *p = copy + 1; *copy; p++) {
		char kept = *p;

		if (kept != '/' && kept != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = kept;
		if (!kept)
			break;
	}
	return 0;
}

/* A tree may be deeper than there are descriptors: what is below this depth is moved to its top, which is
 * looked through again. */
enum { TREE_DEPTH_MAX = 100, NAMES_TRIED = 10000 };

struct tree {
	int top;
	unsigned names;
	bool moved;
	size_t *left; /* how many entries may still go; NULL: all */
};

static int move_up(struct tree *t, int dirfd, const char *name)
{
	for (unsigned i = 0; i < NAMES_TRIED; i++) {
		auto_free char *to = xasprintf(".ctrcompose-%u", t->names++);

		if (renameat(dirfd, name, t->top, to) == 0) {
			t->moved = true;
			return 0;
		}
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
			return -errno;
	}
	return -EEXIST;
}

static int remove_below(struct tree *t, int dirfd, const char *name, unsigned depth);

static int remove_content(struct tree *t, DIR *dir, unsigned depth)
{
	struct dirent *e;
	int r = 0;

	do {
		t->moved = t->moved && depth > 0;
		while (r == 0 && (e = readdir(dir)))
			if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
				r = remove_below(t, dirfd(dir), e->d_name, depth + 1);
		rewinddir(dir);
	} while (r == 0 && depth == 0 && t->moved);
	return r;
}

static int remove_below(struct tree *t, int dirfd, const char *name, unsigned depth)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	DIR *dir;
	int fd, r;

	if (t->left && *t->left == 0)
		return -EAGAIN;
	if (t->left)
		--*t->left;
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return errno == EBUSY ? -EXDEV : -errno; /* EBUSY: something is mounted there */
	if (depth > TREE_DEPTH_MAX)
		return move_up(t, dirfd, name);
	fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -errno;
	}
	if (depth == 0)
		t->top = fd;
	r = remove_content(t, dir, depth);
	(void)closedir(dir);
	if (r == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = errno == EBUSY ? -EXDEV : -errno;
	return r;
}

static int remove_tree(int dirfd, const char *name, size_t *left)
{
	auto_close int parent = -1;
	auto_free char *copy = xstrdup(name);
	char *slash = strrchr(copy, '/');
	struct tree t = { .top = -1, .left = left };

	if (!slash)
		return remove_below(&t, dirfd, name, 0);
	*slash = '\0';
	parent = openat(dirfd, slash == copy ? "/" : copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return errno == ENOENT ? 0 : -errno;
	return remove_below(&t, parent, slash + 1, 0);
}

int path_remove_tree(int dirfd, const char *name)
{
	return remove_tree(dirfd, name, NULL);
}

int path_remove_small(int dirfd, const char *name, size_t most)
{
	return remove_tree(dirfd, name, &most);
}

char *path_clean(const char *path)
{
	auto_free char *copy = xstrdup(path);
	bool absolute = *path == '/';
	struct sbuf out = SBUF_INIT;
	auto_strs struct strs parts = { 0 };
	char *save = NULL;

	for (char *p = strtok_r(copy, "/", &save); p; p = strtok_r(NULL, "/", &save)) {
		if (strcmp(p, ".") == 0)
			continue;
		if (strcmp(p, "..") == 0) {
			if (parts.n > 0 && strcmp(parts.v[parts.n - 1], "..") != 0) {
				free(parts.v[--parts.n]);
				parts.v[parts.n] = NULL;
				continue;
			}
			if (absolute)
				continue;
		}
		strs_add(&parts, p);
	}
	for (size_t i = 0; i < parts.n; i++)
		sbuf_addf(&out, "%s%s", i > 0 || absolute ? "/" : "", parts.v[i]);
	if (out.len == 0)
		sbuf_adds(&out, absolute ? "/" : ".");
	return sbuf_take(&out);
}

char *path_join(const char *a, const char *b)
{
	size_t n = strlen(a);

	if (*b == '/' || n == 0)
		return xstrdup(b);
	return xasprintf("%s%s%s", a, a[n - 1] == '/' ? "" : "/", b);
}
