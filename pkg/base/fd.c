/* fd.c - whole reads and writes, and files that are replaced in one step; see base.h */
#include <ctrcompose/base.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_name(int fd, char out[FD_NAME_MAX])
{
	(void)snprintf(out, FD_NAME_MAX, "/proc/self/fd/%d", fd);
}

char *fd_path(int fd)
{
	char name[FD_NAME_MAX], path[4096];
	ssize_t n;

	fd_name(fd, name);
	n = readlink(name, path, sizeof(path));
	return n > 0 && (size_t)n < sizeof(path) ? xstrndup(path, (size_t)n) : NULL;
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_full(int fd, void *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, (char *)data + got, len - got);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int fd_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

static int read_all(int fd, size_t max, char **out, size_t *len_out)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	char chunk[16384];

	for (;;) {
		ssize_t n = fd_read_full(fd, chunk, sizeof(chunk));

		if (n < 0)
			return (int)n;
		if ((size_t)n > max - b.len)
			return -EFBIG;
		sbuf_add(&b, chunk, (size_t)n);
		if ((size_t)n < sizeof(chunk))
			break;
	}
	if (len_out)
		*len_out = b.len;
	*out = sbuf_take(&b);
	return 0;
}

int file_read(int dirfd, const char *path, size_t max, char **out, size_t *len_out)
{
	auto_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : read_all(fd, max, out, len_out);
}

int file_read_at_once(int dirfd, const char *path, size_t max, char **out, size_t *len_out)
{
	auto_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return read_all(fd, max, out, len_out);
}

int file_read_fd(int fd, size_t max, char **out, size_t *len_out)
{
	char name[FD_NAME_MAX];

	fd_name(fd, name);
	return file_read_at_once(AT_FDCWD, name, max, out, len_out);
}

int file_put(int dirfd, const char *path, const char *text)
{
	auto_close int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int file_replace(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		 bool durable)
{
	auto_free char *tmp = xasprintf("%s.tmp.%d", name, (int)getpid());
	auto_close int fd =
		openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (r == 0 && durable && fdatasync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, tmp, 0);
		return r;
	}
	if (durable) {
		auto_free char *parent = xstrdup(name);
		char *slash = strrchr(parent, '/');
		auto_close int dir = -1;

		if (slash)
			slash[slash == parent] = '\0';
		dir = openat(dirfd, slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0 || fsync(dir) < 0)
			return -errno;
	}
	return 0;
}
