/* devices.c - /dev of a container; see private.h
 *
 * A tmpfs with the few nodes every program may rely on. In a user namespace mknod is refused, so
 * the host's nodes are bound; so are those that a service asks for by name.
 */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

enum { SAFE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, DEV_DEPTH_MAX = 3 };

static const struct {
	const char *name;
	unsigned major, minor;
} nodes[] = {
	{"null",     1, 3},
        { "zero",    1, 5},
        { "full",    1, 7},
	{ "random",  1, 8},
        { "urandom", 1, 9},
        { "tty",     5, 0},
};

static const struct {
	const char *name, *to;
} links[] = {
	{"fd",      "/proc/self/fd"  },
        { "stdin",  "/proc/self/fd/0"},
	{ "stdout", "/proc/self/fd/1"},
        { "stderr", "/proc/self/fd/2"},
	{ "ptmx",   "pts/ptmx"       },
};

/* Mount a clone of source on a new file `name` in the attached folder dir. */
static void bind_on(const struct place *p, int source, int dir, const char *name)
{
	auto_close int at = -1, mnt = -1, made = -1;

	made = openat(dir, name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (made < 0)
		child_fail(p->ctl, -errno, "make /dev/%s", name);
	at = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		child_fail(p->ctl, -errno, "open /dev/%s", name);
	mnt = fs_clone(source, "");
	place_mount_at(p, mnt, at, name);
}

static void basic_nodes(const struct setup *s, const struct place *p, int dir)
{
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		dev_t dev = makedev(nodes[i].major, nodes[i].minor);
		auto_close int source = -1;
		char host[32];
		struct stat st;

		if (!s->spec->uid_base) {
			if (mknodat(dir, nodes[i].name, S_IFCHR | 0666, dev) < 0)
				child_fail(s->ctl, -errno, "make /dev/%s", nodes[i].name);
			continue;
		}
		(void)snprintf(host, sizeof(host), "/dev/%s", nodes[i].name);
		source = open(host, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (source < 0 || fstat(source, &st) < 0 || !S_ISCHR(st.st_mode) ||
		    st.st_rdev != dev)
			child_fail(s->ctl, -ENODEV, "the host's %s", host);
		bind_on(p, source, dir, nodes[i].name);
	}
}

/* Privileged: every node that the host has. */
static void copy_nodes(const struct setup *s, int from_dir, int to_dir, unsigned depth)
{
	static const char *const skip[] = { "pts", "shm", "mqueue", "fd", "hugepages", "console" };
	int fd = openat(from_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		auto_close int from = -1, to = -1;
		bool skipped = e->d_name[0] == '.';
		struct stat st;

		for (size_t i = 0; i < ARRAY_LEN(skip) && depth == 0; i++)
			skipped = skipped || strcmp(skip[i], e->d_name) == 0;
		if (skipped || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
			if (mknodat(to_dir, e->d_name, st.st_mode, st.st_rdev) == 0 &&
			    fchownat(to_dir, e->d_name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
				child_fail(s->ctl, -errno, "the owner of /dev/%s", e->d_name);
		} else if (S_ISDIR(st.st_mode) && depth < DEV_DEPTH_MAX) {
			(void)mkdirat(to_dir, e->d_name, 0755);
			from = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			to = openat(to_dir, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (from >= 0 && to >= 0)
				copy_nodes(s, from, to, depth + 1);
		}
	}
	if (d)
		(void)closedir(d);
}

/* A folder below /dev with a file system of its own; returns the mount, for the caller to close. */
static int mount_below(const struct setup *s, const struct place *p, int dir, const char *name,
		       int mnt)
{
	auto_close int at = -1;

	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		child_fail(s->ctl, -errno, "make /dev/%s", name);
	at = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	place_mount_at(p, mnt, at, name);
	return mnt;
}

int tty_open(int pts_dir, struct child_tty *out)
{
	const int unlock = 0;
	int master = openat(pts_dir, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	int slave;

	if (master < 0)
		return -errno;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	out->master = master;
	out->slave = slave;
	return 0;
}

static void console(const struct setup *s, const struct place *p, int dev, int pts,
		    struct child_tty *tty)
{
	auto_close int source = -1;
	unsigned number = 0;
	char name[16];
	int r = tty_open(pts, tty);

	if (r < 0)
		child_fail(s->ctl, r, "open a terminal");
	if (ioctl(tty->master, TIOCGPTN, &number) < 0)
		child_fail(s->ctl, -errno, "name the terminal");
	(void)snprintf(name, sizeof(name), "%u", number);
	source = openat(pts, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	bind_on(p, source, dev, "console");
}

static void extra_devices(const struct setup *s, const struct place *p)
{
	for (size_t i = 0; i < s->spec->n_devices; i++) {
		const struct box_device *d = &s->spec->devices[i];
		int mnt = fs_clone_all(AT_FDCWD, d->host);
		struct stat st;

		if (mnt < 0)
			child_fail(s->ctl, mnt, "the device '%s'", d->host);
		if (fstat(mnt, &st) < 0)
			child_fail(s->ctl, -errno, "the device '%s'", d->host);
		place_mount(p, mnt, d->target ? d->target : d->host, S_ISDIR(st.st_mode));
	}
}

void child_dev(const struct setup *s, const struct place *p, struct child_tty *tty)
{
	static const struct fs_opt dev[] = {
		{"mode",  "755"   },
                { "size", "65536k"}
	};
	static const struct fs_opt pts_own[] = {
		{"newinstance", NULL  },
                { "ptmxmode",   "0666"},
                { "mode",       "0620"},
                { "gid",        "5"   }
	};
	char size[32];
	const struct fs_opt shm_opts[] = {
		{"mode",  "1777"},
                { "size", size  }
	};
	auto_close int at = place_target(p, "/dev", true, true);
	auto_close int dir = fs_make("tmpfs", dev, ARRAY_LEN(dev), MOUNT_ATTR_NOSUID);
	auto_close int pts = -1, shm = -1, mqueue = -1;

	place_mount_at(p, dir, at, "/dev");
	basic_nodes(s, p, dir);
	if (s->spec->privileged && !s->spec->uid_base) {
		auto_close int host = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (host >= 0)
			copy_nodes(s, host, dir, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].to, dir, links[i].name) < 0)
			child_fail(s->ctl, -errno, "make the link /dev/%s", links[i].name);
	pts = mount_below(s, p, dir, "pts",
			  fs_make("devpts", pts_own, ARRAY_LEN(pts_own),
				  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
	(void)snprintf(
		size, sizeof(size), "%llu",
		(unsigned long long)(s->spec->shm_size ? s->spec->shm_size : UINT64_C(64) << 20));
	if (s->spec->ipc == BOX_OWN) {
		shm = mount_below(s, p, dir, "shm",
				  fs_make("tmpfs", shm_opts, ARRAY_LEN(shm_opts), SAFE));
		mqueue = mount_below(s, p, dir, "mqueue", fs_make("mqueue", NULL, 0, SAFE));
	} else if (s->spec->ipc == BOX_HOST) {
		shm = mount_below(s, p, dir, "shm", fs_clone(AT_FDCWD, "/dev/shm"));
	} else {
		shm = mount_below(s, p, dir, "shm",
				  fs_make("tmpfs", shm_opts, ARRAY_LEN(shm_opts), SAFE));
	}
	if (s->spec->process.tty)
		console(s, p, dir, pts, tty);
	extra_devices(s, p);
}
