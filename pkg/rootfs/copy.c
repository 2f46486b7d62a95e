/* copy.c - a folder that forgets what is changed in it; see rootfs.h */
#include "private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_dir(int at, const char *name, struct err *err)
{
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "open %s", name) : fd;
}

/* "/proc/self/fd/7": a name for a folder that others are mounted over. */
static void name_of(int fd, char out[32])
{
	(void)snprintf(out, 32, "/proc/self/fd/%d", fd);
}

static int overlay(const char *path, int real, struct err *err)
{
	auto_close int here = open_dir(AT_FDCWD, path, err), upper = -1, work = -1;
	auto_free char *options = NULL;
	char lower_name[32], upper_name[32], work_name[32];

	if (here < 0)
		return here;
	if (mkdirat(here, "upper", 0700) < 0 || mkdirat(here, "work", 0700) < 0)
		return err_errno(err, "a copy of %s", path);
	upper = open_dir(here, "upper", err);
	work = upper < 0 ? upper : open_dir(here, "work", err);
	if (work < 0)
		return work;
	name_of(real, lower_name);
	name_of(upper, upper_name);
	name_of(work, work_name);
	/* xino: one device number for all that is in it, by which those who count or remove know that they
	 * have not crossed a mount; redirect_dir: folders can be renamed. */
	options = xasprintf("lowerdir=%s,upperdir=%s,workdir=%s,xino=on,redirect_dir=on",
			    lower_name, upper_name, work_name);
	return mount("overlay", path, "overlay", MS_NODEV | MS_NOSUID, options) < 0
		       ? err_errno(err, "a copy of %s", path)
		       : 0;
}

int rootfs_forgetful(const char *path, struct err *err)
{
	auto_close int real = open_dir(AT_FDCWD, path, err);

	if (real < 0)
		return real;
	if (mount("tmpfs", path, "tmpfs", MS_NODEV | MS_NOSUID, "mode=700") < 0)
		return err_errno(err, "a copy of %s", path);
	return overlay(path, real, err);
}
