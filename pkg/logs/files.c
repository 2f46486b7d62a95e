/* files.c - the files of one log, in spite of a writer that rotates them meanwhile; private.h */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A kill in the middle of a rotation leaves one gap in the numbers, and rotations that go on while
 * we count show one more each. */
enum { GAP_MAX = 4, TRIES = 50, NAP_US = 1000 };

static uint64_t inode_of(int dir_fd, const char *name, unsigned n)
{
	auto_free char *file = log_file_name(name, n);
	struct stat st;

	if (fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return st.st_ino;
}

static int open_file(int dir_fd, const char *name, unsigned n, struct stat *st)
{
	auto_free char *file = log_file_name(name, n);
	auto_close int fd =
		openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, st) < 0)
		return -errno;
	return S_ISREG(st->st_mode) ? steal_fd(&fd) : -EINVAL;
}

/* ---- All of them */

static bool listed(const struct log_list *l, uint64_t ino)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].ino == ino)
			return true;
	return false;
}

/* From the newest to the oldest: a rotation meanwhile shows a file twice, but hides none. */
static int list_once(int dir_fd, const char *name, struct log_list *out)
{
	for (unsigned n = 0, missing = 0; missing < GAP_MAX; n++) {
		struct stat st = { 0 };
		int fd = open_file(dir_fd, name, n, &st);

		if (fd < 0 && fd != -ENOENT)
			return fd;
		if (fd < 0) {
			missing++;
			continue;
		}
		missing = 0;
		if (listed(out, st.st_ino)) {
			(void)close(fd);
			continue;
		}
		*vec_push(out) = (struct log_list_file){ fd, st.st_ino, (uint64_t)st.st_size };
	}
	return 0;
}

int log_list_open(int dir_fd, const char *name, struct log_list *out)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t newest;
		int r = list_once(dir_fd, name, out);

		newest = inode_of(dir_fd, name, 0);
		if (r < 0 || !newest || (out->n && out->v[0].ino == newest))
			return r;
		if (i < TRIES - 1)
			log_list_clear(out);
	}
	return 0;
}

void log_list_clear(struct log_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].fd >= 0)
			(void)close(l->v[i].fd);
	free(steal(l->v));
	l->n = l->cap = 0;
}

/* ---- One after the other */

/* The number of the file now, -ENOENT when it is not there any more; *oldest is the highest number
 * there is, -1 for none. Rotation only raises numbers, so counting up misses no file. */
static int number_of(int dir_fd, const char *name, uint64_t ino, int *oldest)
{
	*oldest = -1;
	for (unsigned n = 0, missing = 0; missing < GAP_MAX; n++) {
		uint64_t found = inode_of(dir_fd, name, n);

		missing = found ? 0 : missing + 1;
		if (found)
			*oldest = (int)n;
		if (found && found == ino)
			return (int)n;
	}
	return -ENOENT;
}

bool log_file_there(int dir_fd, const char *name, uint64_t ino)
{
	int oldest;

	return number_of(dir_fd, name, ino, &oldest) >= 0;
}

/* The file with the highest number up to *n, which becomes that number. */
static int open_upto(int dir_fd, const char *name, int *n, uint64_t *ino)
{
	for (; *n >= 0; --*n) {
		struct stat st = { 0 };
		int fd = open_file(dir_fd, name, (unsigned)*n, &st);

		if (fd == -ENOENT)
			continue;
		if (fd >= 0)
			*ino = st.st_ino;
		return fd;
	}
	return -ENOENT;
}

/* The file before still has number n, and there is none between it and number `next`: a rename
 * while we looked may have put the right one there. */
static bool still_next(int dir_fd, const char *name, int n, uint64_t ino, int next)
{
	for (int i = next + 1; i < n; i++)
		if (inode_of(dir_fd, name, (unsigned)i))
			return false;
	return inode_of(dir_fd, name, (unsigned)n) == ino;
}

static bool still_oldest(int dir_fd, const char *name, uint64_t ino)
{
	int oldest, n = number_of(dir_fd, name, ino, &oldest);

	return n >= 0 && n == oldest;
}

/* Whether it has no name any more; rotation only gives it another. */
static bool removed(int fd)
{
	struct stat st;

	return fd < 0 || (fstat(fd, &st) == 0 && st.st_nlink == 0);
}

int log_next_file(int dir_fd, const char *name, int fd, uint64_t ino, uint64_t *next_ino,
		  bool *lost)
{
	for (int i = 0;; i++) {
		int oldest, next, next_fd, n;

		if (i > 0)
			(void)usleep(NAP_US);
		n = number_of(dir_fd, name, ino, &oldest);
		if (n < 0 && !removed(fd) && i < TRIES)
			continue; /* it was renamed while we counted */
		*lost = n < 0;
		next = n < 0 ? oldest : n - 1;
		next_fd = open_upto(dir_fd, name, &next, next_ino);
		if (next_fd == -ENOENT && n < 0 && oldest > 0 && i < TRIES)
			continue;
		if (next_fd < 0 || i >= TRIES)
			return next_fd;
		if (*lost ? still_oldest(dir_fd, name, *next_ino)
			  : still_next(dir_fd, name, n, ino, next))
			return next_fd;
		(void)close(next_fd);
	}
}
