/* dev.c - what is mounted on and below /dev; see private.h */
#include "private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

enum { SAFE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

int tty_open(int pts_dir, struct child_tty *out)
{
	const int unlock = 0;
	auto_close int master =
		openat(pts_dir, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	int slave;

	if (master < 0 || fstat(master, &st) < 0 || fcntl(master, F_SETFL, 0) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return -ENODEV; /* an exec comes when the container has had its way with it */
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	out->master = steal_fd(&master);
	out->slave = slave;
	return 0;
}

static void mount_on(const struct place *p, int dev, const char *name, int mnt)
{
	auto_close int at = openat(dev, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (at < 0)
		child_fail(p->ctl, -errno, "open /dev/%s", name);
	place_mount_at(p, mnt, at, name);
}

static int mount_pts(const struct setup *s, const struct place *p, int dev)
{
	struct fs_opt opts[5] = {
		{ "newinstance", NULL }, { "ptmxmode", "0666" }, { "mode", "0620" }, { "gid", "5" }
	};
	int pts = fs_make("devpts", opts, label_option(opts, 4, s->spec->file_label),
			  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

	mount_on(p, dev, "pts", pts);
	return pts;
}

static int make_shm(const struct box_spec *spec)
{
	char size[32];
	struct fs_opt opts[3] = { { "mode", "1777" }, { "size", size } };
	unsigned long long bytes = spec->shm_size ? spec->shm_size : UINT64_C(64) << 20;

	(void)snprintf(size, sizeof(size), "%llu", bytes);
	return fs_make("tmpfs", opts, label_option(opts, 2, spec->file_label), SAFE);
}

/* Shared memory and message queues go with the IPC namespace. */
static void mount_ipc(const struct setup *s, const struct place *p, int dev)
{
	bool host = s->spec->ipc == BOX_HOST;
	auto_close int shm = -1, mqueue = -1;

	if (s->shm_fd >= 0)
		shm = fcntl(s->shm_fd, F_DUPFD_CLOEXEC, 3);
	else if (!s->spec->no_shm)
		shm = host ? fs_clone(AT_FDCWD, "/dev/shm") : make_shm(s->spec);
	if (!s->spec->no_shm)
		mount_on(p, dev, "shm", shm);
	mqueue = host ? fs_clone(AT_FDCWD, "/dev/mqueue") : fs_make("mqueue", NULL, 0, SAFE);
	if (mqueue < 0 && s->spec->ipc != BOX_OWN)
		return; /* the host has none, or it is another user namespace's */
	if (s->spec->ipc == BOX_OWN)
		label_root(mqueue, s->spec->file_label);
	mount_on(p, dev, "mqueue", mqueue);
}

static void mount_console(const struct place *p, int dev, int pts, struct child_tty *tty)
{
	auto_close int source = -1, mnt = -1;
	unsigned number = 0;
	char name[16];
	int r = tty_open(pts, tty);

	if (r < 0)
		child_fail(p->ctl, r, "open a terminal");
	if (ioctl(tty->master, TIOCGPTN, &number) < 0)
		child_fail(p->ctl, -errno, "name the terminal");
	(void)snprintf(name, sizeof(name), "%u", number);
	source = openat(pts, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0)
		child_fail(p->ctl, -errno, "open /dev/pts/%s", name);
	mnt = fs_clone(source, "");
	mount_on(p, dev, "console", mnt);
}

/* Those whose targets are not below /dev. */
static void mount_devices(const struct setup *s, const struct place *p, int dev)
{
	for (size_t i = 0; i < s->spec->n_devices; i++) {
		const struct box_device *d = &s->spec->devices[i];
		const char *target = d->target ? d->target : d->host;
		char name[32];
		struct stat st;

		if (strncmp(target, "/dev/", 5) == 0)
			continue;
		(void)snprintf(name, sizeof(name), ".device-%zu", i);
		if (fstatat(dev, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			child_fail(s->ctl, -errno, "the device '%s'", d->host);
		place_mount(p, fs_clone(dev, name), target, S_ISDIR(st.st_mode));
		if (!S_ISDIR(st.st_mode) && unlinkat(dev, name, 0) < 0)
			child_fail(s->ctl, -errno, "the device '%s'", d->host);
	}
}

void child_dev(const struct setup *s, const struct place *p, struct child_tty *tty)
{
	auto_close int at = place_target(p, "/dev", true, true);
	auto_close int pts = -1;

	place_mount_at(p, s->dev_fd, at, "/dev");
	pts = mount_pts(s, p, s->dev_fd);
	mount_ipc(s, p, s->dev_fd);
	if (s->spec->process.tty)
		mount_console(p, s->dev_fd, pts, tty);
	mount_devices(s, p, s->dev_fd);
	(void)close(s->dev_fd);
}
