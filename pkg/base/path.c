/* path.c - paths below a root that is not trusted, and trees that go away; see base.h */
#include <ctrcompose/base.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
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

enum { TREE_DEPTH_MAX = 4096 };

static int remove_below(int dirfd, const char *name, unsigned depth)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	struct dirent *e;
	DIR *dir;
	int fd, r = 0;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return errno == EBUSY ? -EXDEV : -errno; /* EBUSY: something is mounted there */
	if (depth > TREE_DEPTH_MAX)
		return -ELOOP;
	fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -errno;
	}
	while (r == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = remove_below(fd, e->d_name, depth + 1);
	(void)closedir(dir);
	if (r == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = errno == EBUSY ? -EXDEV : -errno;
	return r;
}

int path_remove_tree(int dirfd, const char *name)
{
	auto_close int parent = -1;
	auto_free char *copy = xstrdup(name);
	char *slash = strrchr(copy, '/');

	if (!slash)
		return remove_below(dirfd, name, 0);
	*slash = '\0';
	parent = openat(dirfd, slash == copy ? "/" : copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return errno == ENOENT ? 0 : -errno;
	return remove_below(parent, slash + 1, 0);
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
