/* copying.c - see copying.h */
#include "files/copying.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 1 << 24, DEPTH_MAX = 512 };

/* An id of the source as the destination has it; what is in no range there is nobody's. */
static uint32_t id_of(const struct copying *c, uint32_t id, uint32_t owner)
{
	enum { RANGE = 65536, NOBODY = 65534 };
	uint32_t plain = id - c->from_shift;

	if (!c->keep_owner)
		return owner + c->to_shift;
	if (c->from_shift && (id < c->from_shift || plain >= RANGE))
		plain = NOBODY;
	if (c->to_shift && plain >= RANGE)
		plain = NOBODY;
	return plain + c->to_shift;
}

static mode_t mode_of(const struct copying *c, const struct stat *st)
{
	return st->st_mode & (c->drop_set_id ? 01777 : 07777);
}

/* By descriptor: whatever has the name by now may be a link to a file of the host. Times come last,
 * ownership before the mode: chown takes set-id bits away. */
static int take_over(const struct copying *c, int fd, const char *name, const struct stat *st,
		     struct err *err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(fd, id_of(c, st->st_uid, c->owner_uid), id_of(c, st->st_gid, c->owner_gid)) < 0)
		return err_errno(err, "set the owner of %s", name);
	if (fchmod(fd, mode_of(c, st)) < 0)
		return err_errno(err, "set the mode of %s", name);
	return futimens(fd, times) < 0 ? err_errno(err, "set the time of %s", name) : 0;
}

/* A link can't be opened to be changed; neither of these follows it. */
static int take_over_link(const struct copying *c, int to, const char *name, const struct stat *st,
			  struct err *err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	uid_t uid = id_of(c, st->st_uid, c->owner_uid);
	gid_t gid = id_of(c, st->st_gid, c->owner_gid);

	if (fchownat(to, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "set the owner of %s", name);
	if (utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "set the time of %s", name);
	return 0;
}

static int copy_bytes(struct copying *c, int in, int out, const char *name, struct err *err)
{
	for (;;) {
		ssize_t n = sendfile(out, in, NULL, CHUNK);

		if (n < 0 && errno == EINTR && !cmd_cancelled)
			continue;
		if (n < 0)
			return err_errno(err, "copy %s", name);
		if (n == 0)
			return 0;
		c->bytes += (uint64_t)n;
	}
}

/* Whatever is there goes, but no folder. */
static int make_room(int to, const char *name, struct err *err)
{
	if (unlinkat(to, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR)
		return err_set(err, EISDIR,
			       "%s: a folder is there, and would be replaced by a file", name);
	return err_errno(err, "replace %s", name);
}

static int copy_file(struct copying *c, int from, const char *name, int to, const char *to_name,
		     const struct stat *seen, struct err *err)
{
	auto_close int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_close int out = -1;
	struct stat st;
	int r;

	if (in < 0 || fstat(in, &st) < 0)
		return err_errno(err, "read %s", name);
	if (st.st_ino != seen->st_ino || !S_ISREG(st.st_mode))
		return err_set(err, EAGAIN, "%s was changed while it was copied", name);
	r = make_room(to, to_name, err);
	if (r < 0)
		return r;
	out = openat(to, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return err_errno(err, "make %s", to_name);
	r = copy_bytes(c, in, out, name, err);
	return r < 0 ? r : take_over(c, out, to_name, &st, err);
}

static int copy_link(struct copying *c, int from, const char *name, int to, const char *to_name,
		     const struct stat *st, struct err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);
	int r;

	if (n < 0)
		return err_errno(err, "read the link %s", name);
	target[n] = '\0';
	r = make_room(to, to_name, err);
	if (r < 0)
		return r;
	if (symlinkat(target, to, to_name) < 0)
		return err_errno(err, "make the link %s", to_name);
	return take_over_link(c, to, to_name, st, err);
}

static int entry_at(struct copying *c, int from, const char *name, int to, const char *to_name,
		    unsigned depth, struct err *err);

static int content_at(struct copying *c, int from, int to, unsigned depth, struct err *err)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return err_errno(err, "read a folder");
	while (r == 0 && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (cmd_cancelled)
			r = err_set(err, EINTR, "interrupted");
		else
			r = entry_at(c, from, e->d_name, to, e->d_name, depth + 1, err);
	}
	(void)closedir(dir);
	return r;
}

static int copy_folder(struct copying *c, int from, const char *name, int to, const char *to_name,
		       unsigned depth, struct err *err)
{
	auto_close int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_close int out = -1;
	struct stat st;
	bool made;
	int r;

	if (depth > DEPTH_MAX)
		return err_set(err, ELOOP, "%s is nested too deeply", name);
	if (in < 0 || fstat(in, &st) < 0)
		return err_errno(err, "read the folder %s", name);
	made = mkdirat(to, to_name, 0700) == 0;
	if (!made && errno != EEXIST)
		return err_errno(err, "make the folder %s", to_name);
	out = openat(to, to_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return err_set(err, ENOTDIR,
			       "%s: something else is there, and would be replaced by a folder",
			       to_name);
	r = content_at(c, in, out, depth, err);
	return r < 0 || !made ? r : take_over(c, out, to_name, &st, err);
}

static int entry_at(struct copying *c, int from, const char *name, int to, const char *to_name,
		    unsigned depth, struct err *err)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "%s", name);
	if (S_ISDIR(st.st_mode))
		return copy_folder(c, from, name, to, to_name, depth, err);
	if (S_ISREG(st.st_mode))
		return copy_file(c, from, name, to, to_name, &st, err);
	if (S_ISLNK(st.st_mode))
		return copy_link(c, from, name, to, to_name, &st, err);
	c->skipped++;
	return 0;
}

int copy_entry(struct copying *c, int from, const char *name, int to, const char *to_name,
	       struct err *err)
{
	return entry_at(c, from, name, to, to_name, 0, err);
}

int copy_content(struct copying *c, int from, int to, struct err *err)
{
	return content_at(c, from, to, 0, err);
}

/* ---- Apart ------------------------------------------------------------------------------------ */
int cmd_apart(int (*fn)(void *arg, struct err *err), void *arg, struct err *err)
{
	char text[4096];
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe");
	pid = fork();
	if (pid == 0) {
		struct err why = ERR_INIT;
		int r = fn(arg, &why);

		if (r < 0)
			(void)fd_write_all(fds[1], err_text(&why), strlen(err_text(&why)));
		_exit(r < 0 ? 1 : 0);
	}
	(void)close(fds[1]);
	n = pid < 0 ? -1 : fd_read_full(fds[0], text, sizeof(text) - 1);
	(void)close(fds[0]);
	if (pid < 0)
		return err_errno(err, "make a process");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	text[n > 0 ? n : 0] = '\0';
	if (cmd_cancelled)
		return err_set(err, EINTR, "interrupted");
	return err_set(err, EIO, "%s", *text ? text : "the process that did it was killed");
}
