/* hide.c - parts of /proc and /sys that a container does not see or cannot write; see private.h */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SELINUXFS "/sys/fs/selinux"

const char *const box_masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
	SELINUXFS,
	NULL,
};

const char *const box_read_only_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

/* Only what really is proc or sysfs gets covered: a volume may lie there by now. */
static int open_hidden(const struct setup *s, const struct place *p, const char *path)
{
	int fd = path_open_in(p->root_fd, path, O_PATH | O_NOFOLLOW, 0);
	struct statfs fs;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES)
		return -1;
	if (fd < 0)
		child_fail(s->ctl, fd, "open '%s'", path);
	if (fstatfs(fd, &fs) < 0)
		child_fail(s->ctl, -errno, "look at '%s'", path);
	if (fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC &&
	    fs.f_type != SELINUX_MAGIC) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

struct masks {
	int null_fd;  /* the host's, verified */
	int empty_fd; /* read-only tmpfs, attached on the first folder; -1 before */
};

static void mask(const struct setup *s, const struct place *p, struct masks *m, const char *path)
{
	struct fs_opt opts[3] = { { "size", "0" }, { "nr_inodes", "1" } };
	auto_close int at = open_hidden(s, p, path);
	auto_close int mnt = -1;
	struct stat st;

	if (at < 0)
		return;
	if (fstat(at, &st) < 0)
		child_fail(s->ctl, -errno, "look at '%s'", path);
	if (!S_ISDIR(st.st_mode)) {
		mnt = fs_clone(m->null_fd, "");
		place_mount_at(p, mnt, at, path);
		return;
	}
	if (m->empty_fd >= 0) {
		mnt = fs_clone(m->empty_fd, "");
		place_mount_at(p, mnt, at, path);
		return;
	}
	m->empty_fd = fs_make("tmpfs", opts, label_option(opts, 2, s->spec->file_label),
			      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				      MOUNT_ATTR_NOEXEC);
	place_mount_at(p, m->empty_fd, at, path);
}

/* Temperatures and throttling counters tell neighbours apart by their load. */
static void mask_throttle(const struct setup *s, const struct place *p, struct masks *m)
{
	char path[96];

	for (unsigned cpu = 0; cpu < 4096; cpu++) {
		int n = snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);

		if (faccessat(p->root_fd, path + 1, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return;
		(void)snprintf(path + n, sizeof(path) - (size_t)n, "/thermal_throttle");
		if (faccessat(p->root_fd, path + 1, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			mask(s, p, m, path);
	}
}

static void make_read_only(const struct setup *s, const struct place *p, const char *path)
{
	/* Added to the flags that the clone brings along, so nosuid, nodev, noexec stay. */
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_close int at = open_hidden(s, p, path);
	auto_close int mnt = -1;

	if (at < 0)
		return;
	mnt = fs_clone_all(at, "");
	if (mnt < 0)
		child_fail(s->ctl, mnt, "clone '%s'", path);
	if (mount_setattr(mnt, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		child_fail(s->ctl, -errno, "make '%s' read-only", path);
	place_mount_at(p, mnt, at, path);
}

/* Of this mount namespace, so that it can be cloned. */
static int null_to_clone(const struct setup *s)
{
	int fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		child_fail(s->ctl, -ENODEV, "the host's /dev/null");
	return fd;
}

void child_hide(const struct setup *s, const struct place *p)
{
	const char *const *masked = s->spec->masked ? s->spec->masked : box_masked_paths;
	const char *const *ro =
		s->spec->read_only_paths ? s->spec->read_only_paths : box_read_only_paths;
	struct masks m = { .null_fd = null_to_clone(s), .empty_fd = -1 };

	for (size_t i = 0; masked[i]; i++)
		if (!s->spec->selinuxfs || strcmp(masked[i], SELINUXFS) != 0)
			mask(s, p, &m, masked[i]);
	if (!s->spec->masked)
		mask_throttle(s, p, &m);
	for (size_t i = 0; ro[i]; i++)
		make_read_only(s, p, ro[i]);
	(void)close(m.null_fd);
	if (m.empty_fd >= 0)
		(void)close(m.empty_fd);
}
