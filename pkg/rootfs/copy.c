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

static int overlay(const char *path, int real, struct err *err)
{
	auto_close int here = open_dir(AT_FDCWD, path, err), upper = -1, work = -1;
	auto_free char *options = NULL;
	char lower_name[FD_NAME_MAX], upper_name[FD_NAME_MAX], work_name[FD_NAME_MAX];

	if (here < 0)
		return here;
	if (mkdirat(here, "upper", 0700) < 0 || mkdirat(here, "work", 0700) < 0)
		return err_errno(err, "a copy of %s", path);
	upper = open_dir(here, "upper", err);
	work = upper < 0 ? upper : open_dir(here, "work", err);
	if (work < 0)
		return work;
	fd_name(real, lower_name);
	fd_name(upper, upper_name);
	fd_name(work, work_name);
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
