/* follow.c - inotify on the newest file of each log and on the folder, where rotated files appear;
 * so nobody polls, and writing the records of the project wakes no reader. */
#include "follow.h"

#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

int follow_open(struct err *err)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	return fd < 0 ? err_errno(err, "watch logs (inotify)") : fd;
}

static int add_watch(int fd, int target, uint32_t events)
{
	char path[FD_NAME_MAX];

	fd_name(target, path);
	return inotify_add_watch(fd, path, events);
}

int follow_folder(int fd, const struct source *s, struct err *err)
{
	/* The same folder again is the same watch. */
	if (add_watch(fd, s->dir_fd, IN_CREATE | IN_MOVED_TO | IN_DELETE) < 0)
		return err_errno(err, "watch the log folder of %s", s->name);
	return 0;
}

int follow_file(int fd, struct source *s, struct err *err)
{
	if (s->fd < 0 || s->watched_ino == s->ino)
		return 0;
	follow_forget(fd, s);
	s->watch = add_watch(fd, s->fd, IN_MODIFY);
	if (s->watch < 0)
		return err_errno(err, "watch the log of %s", s->name);
	s->watched_ino = s->ino;
	return 1;
}

void follow_forget(int fd, struct source *s)
{
	if (s->watch >= 0)
		(void)inotify_rm_watch(fd, s->watch);
	s->watch = -1;
	s->watched_ino = 0;
}

void follow_clear(int fd)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}
