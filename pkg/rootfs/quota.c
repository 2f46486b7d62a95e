/* quota.c - a bound for all files of a folder: project quotas of ext4 and xfs; see rootfs.h, quotactl(2) */
#include <ctrcompose/rootfs.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCK = 1024 /* quotas count these */ };

static int quota(int fd, unsigned what, uint32_t project, struct if_dqblk *q)
{
	return syscall(SYS_quotactl_fd, fd, QCMD(what, PRJQUOTA), project, q) < 0 ? -errno : 0;
}

static int limit(int fd, uint32_t project, uint64_t bytes)
{
	struct if_dqblk q = { .dqb_valid = QIF_BLIMITS };

	q.dqb_bhardlimit = q.dqb_bsoftlimit = (bytes + BLOCK - 1) / BLOCK;
	return quota(fd, Q_SETQUOTA, project, &q);
}

/* What is made below it from now on belongs to the project, too. */
static int join(int fd, uint32_t project)
{
	struct fsxattr x;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x) < 0)
		return -errno;
	x.fsx_projid = project;
	x.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &x) < 0 ? -errno : 0;
}

bool rootfs_quota_there(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct if_dqblk q = { 0 };
	int r = fd < 0 ? fd : quota(fd, Q_GETQUOTA, 1, &q);

	return r == 0 || r == -ENOENT; /* -ENOENT: nothing is known of this project yet */
}

/* A project that has no limit yet, counted from the one that the folder's name leads to. */
static int free_project(int fd, uint32_t first, uint32_t *out)
{
	enum { TRIES = 1000 };
	int r = 0;

	for (uint32_t i = 0; i < TRIES; i++) {
		struct if_dqblk q = { 0 };

		*out = first + i;
		r = quota(fd, Q_GETQUOTA, *out, &q);
		if (r == -ENOENT || r == -ESRCH)
			return r == -ENOENT ? 0 : -ENOTSUP;
		if (r < 0 || (q.dqb_bhardlimit == 0 && q.dqb_curspace == 0))
			return r;
	}
	return -EBUSY;
}

int rootfs_quota(int dirfd, uint32_t wish, uint64_t bytes, uint32_t *project, struct err *err)
{
	int r = free_project(dirfd, wish, project);

	if (r == 0)
		r = limit(dirfd, *project, bytes);
	if (r == 0)
		r = join(dirfd, *project);
	if (r == -ENOSYS || r == -ENOTSUP || r == -ESRCH || r == -EINVAL || r == -ENOTTY)
		return err_set(
			err, -ENOTSUP,
			"the file system has no project quotas: one that has is ext4 (tune2fs -O "
			"project,quota) or xfs, mounted with the option prjquota");
	return r < 0 ? err_set(err, r, "set a project quota: %s", strerrordesc_np(-r)) : 0;
}

void rootfs_quota_drop(int dirfd)
{
	struct fsxattr x;

	if (ioctl(dirfd, FS_IOC_FSGETXATTR, &x) == 0 && x.fsx_projid)
		(void)limit(dirfd, x.fsx_projid, 0);
}
