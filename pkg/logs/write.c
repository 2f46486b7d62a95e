/* write.c - the newest file of a log: appended to in whole records, rotated when full. */
#include "private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *log_file_name(const char *name, unsigned n)
{
	return n ? xasprintf("%s.log.%u", name, n) : xasprintf("%s.log", name);
}

static char *older_name(const struct log_file *f, unsigned n)
{
	return n ? xasprintf("%s.%u", f->name, n) : xstrdup(f->name);
}

/* ---- Opening */

/* Where the last newline below `size` ends; 0 when there is none. */
static int end_of_records(int fd, uint64_t size, uint64_t *out)
{
	char block[4096];

	while (size > 0) {
		size_t want = size < sizeof(block) ? (size_t)size : sizeof(block);
		ssize_t n = pread(fd, block, want, (off_t)(size - want));
		const char *nl;

		if (n < 0)
			return -errno;
		if ((size_t)n != want)
			return -EIO;
		nl = memrchr(block, '\n', want);
		if (nl) {
			*out = size - want + (size_t)(nl - block) + 1;
			return 0;
		}
		size -= want;
	}
	*out = 0;
	return 0;
}

/* What a power cut or a kill left of a record would run into the next one. */
static int cut_torn_record(int fd, uint64_t *size)
{
	uint64_t end = 0;
	int r = end_of_records(fd, *size, &end);

	if (r < 0 || end == *size)
		return r;
	if (ftruncate(fd, (off_t)end) < 0)
		return -errno;
	*size = end;
	return 0;
}

static int open_newest(struct log_file *f)
{
	auto_close int fd =
		openat(f->dir_fd, f->name,
		       O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EEXIST;
	f->ino = st.st_ino;
	f->size = (uint64_t)st.st_size;
	r = cut_torn_record(fd, &f->size);
	if (r == 0)
		f->fd = steal_fd(&fd);
	return r;
}

/* The limit may have been higher before: what is beyond it would stay for good. */
static void remove_older(const struct log_file *f, unsigned from)
{
	for (unsigned n = from ? from : 1, missing = 0; missing < 2; n++) {
		auto_free char *name = older_name(f, n);

		missing = unlinkat(f->dir_fd, name, 0) < 0 ? missing + 1 : 0;
	}
}

int log_file_open(struct log_file *f, const char *dir, const char *name, struct err *err)
{
	int r;

	f->fd = -1;
	f->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->dir_fd < 0)
		return err_errno(err, "open log folder '%s'", dir);
	f->name = log_file_name(name, 0);
	r = open_newest(f);
	if (r < 0) {
		log_file_close(f);
		return err_set(err, r, "open log '%s/%s.log': %s", dir, name, strerror(-r));
	}
	remove_older(f, f->max_files);
	return 0;
}

void log_file_close(struct log_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->dir_fd >= 0)
		(void)close(f->dir_fd);
	f->fd = f->dir_fd = -1;
	free(steal(f->name));
}

/* ---- Rotation */

/* Oldest first, so that a kill in between leaves a gap but loses nothing: readers look over it. */
static int shift_files(const struct log_file *f)
{
	if (f->max_files <= 1)
		return unlinkat(f->dir_fd, f->name, 0) < 0 ? -errno : 0;
	for (unsigned n = f->max_files - 1; n > 0; n--) {
		auto_free char *from = older_name(f, n - 1), *to = older_name(f, n);

		if (renameat(f->dir_fd, from, f->dir_fd, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int log_file_reserve(struct log_file *f, size_t len)
{
	int r = 0;

	if (f->fd < 0)
		r = open_newest(f);
	if (r < 0 || f->size == 0 || f->size + len <= f->max_size)
		return r;
	r = shift_files(f);
	if (r < 0)
		return r;
	(void)close(steal_fd(&f->fd));
	return open_newest(f);
}

/* ---- Writing */

static size_t write_most(int fd, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

size_t log_file_append(struct log_file *f, const char *data, size_t len)
{
	size_t done = write_most(f->fd, data, len), whole = done;

	if (done < len) {
		const char *nl = done ? memrchr(data, '\n', done) : NULL;

		whole = nl ? (size_t)(nl - data) + 1 : 0;
		if (whole < done && ftruncate(f->fd, (off_t)(f->size + whole)) < 0)
			(void)close(steal_fd(&f->fd)); /* cut when it is opened again */
	}
	f->size += whole;
	return whole;
}

/* ---- Removing */

int logs_remove(const char *dir, const char *name)
{
	auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_free char *newest = log_file_name(name, 0), *journal = journal_name(name);
	struct log_file f = { .dir_fd = fd, .name = newest };

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	remove_older(&f, 1);
	if (unlinkat(fd, newest, 0) < 0 && errno != ENOENT)
		return -errno;
	return unlinkat(fd, journal, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int rename_one(int fd, const char *from, const char *to)
{
	return renameat(fd, from, fd, to) < 0 ? -errno : 0;
}

int logs_rename(const char *dir, const char *from, const char *to)
{
	auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_free char *journal = journal_name(from), *its_journal = journal_name(to);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	for (unsigned n = 0, missing = 0; missing < 2; n++) {
		auto_free char *old = log_file_name(from, n), *new = log_file_name(to, n);

		r = rename_one(fd, old, new);
		if (r < 0 && r != -ENOENT)
			return r;
		missing = r < 0 ? missing + 1 : 0;
	}
	r = rename_one(fd, journal, its_journal);
	return r == -ENOENT ? 0 : r;
}
