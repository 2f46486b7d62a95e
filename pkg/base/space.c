/* space.c - what a folder takes on disk, counted as du does; see base.h */
#include <ctrcompose/base.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 400 };

struct walk {
	struct map links; /* "inode": files with several names count once */
	uint64_t bytes;
};

static bool counted(struct walk *w, const struct stat *st)
{
	char key[40];

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return false;
	(void)snprintf(key, sizeof(key), "%llu", (unsigned long long)st->st_ino);
	if (map_has(&w->links, key))
		return true;
	map_put(&w->links, key, w);
	return false;
}

static void add(struct walk *w, int dirfd, const char *name, unsigned depth)
{
	struct dirent *e;
	struct stat st;
	DIR *dir;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || counted(w, &st))
		return;
	w->bytes += (uint64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode) || depth > DEPTH_MAX)
		return;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			add(w, fd, e->d_name, depth + 1);
	if (dir)
		(void)closedir(dir);
}

uint64_t path_space(int dirfd, const char *name)
{
	struct walk w = { 0 };

	add(&w, dirfd, name, 0);
	map_clear(&w.links);
	return w.bytes;
}
