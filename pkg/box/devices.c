/* devices.c - a container's /dev, made by the parent; see private.h
 *
 * In a user namespace mknod is refused and bound nodes of the host would belong to nobody. So the
 * nodes are made here, by root, on a tmpfs whose files belong to the container's root. What may be
 * opened is the business of the control group; that nothing can be added is the user namespace's,
 * or the control group's again.
 */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { DEV_DEPTH_MAX = 4 };

static const struct {
	const char *name;
	unsigned major, minor;
} nodes[] = {
	{ "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
	const char *name, *to;
} links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },          { "core", "/proc/kcore" },
};

/* The container's ids, as the host has them. */
struct ids {
	uint32_t base, count;
};

static uint32_t id_of(const struct ids *ids, uint32_t id)
{
	return ids->base ? ids->base + (id < ids->count ? id : 0) : id;
}

static int own(const struct ids *ids, int dir, const char *name, uint32_t uid, uint32_t gid)
{
	return fchownat(dir, name, id_of(ids, uid), id_of(ids, gid), AT_SYMLINK_NOFOLLOW) < 0
		       ? -errno
		       : 0;
}

/* As st has it; what was there gives way. */
static int put_node(const struct ids *ids, int dir, const char *name, const struct stat *st)
{
	int r = mknodat(dir, name, st->st_mode, st->st_rdev);

	if (r < 0 && errno == EEXIST && unlinkat(dir, name, 0) == 0)
		r = mknodat(dir, name, st->st_mode, st->st_rdev);
	if (r < 0)
		return -errno;
	return own(ids, dir, name, st->st_uid, st->st_gid);
}

static int put_folder(const struct ids *ids, int dir, const char *name, int *out)
{
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	*out = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *out < 0 ? -errno : own(ids, dir, name, 0, 0);
}

/* ---- All of a folder --------------------------------------------------------------------------- */
static int copy_nodes(const struct ids *ids, int from, int to, unsigned depth);

static int copy_entry(const struct ids *ids, int from, int to, const char *name, unsigned depth)
{
	auto_close int sub_from = -1, sub_to = -1;
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno; /* unplugged meanwhile */
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return put_node(ids, to, name, &st);
	if (!S_ISDIR(st.st_mode) || depth >= DEV_DEPTH_MAX)
		return 0;
	sub_from = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub_from < 0)
		return errno == ENOENT ? 0 : -errno;
	r = put_folder(ids, to, name, &sub_to);
	return r < 0 ? r : copy_nodes(ids, sub_from, sub_to, depth + 1);
}

static int copy_nodes(const struct ids *ids, int from, int to, unsigned depth)
{
	static const char *const skip[] = { "pts", "shm", "mqueue", "fd", "hugepages", "console" };
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		r = -errno;
		auto_close_fn(&fd);
		return r;
	}
	while (r == 0 && (e = readdir(d))) {
		bool skipped = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;

		for (size_t i = 0; i < ARRAY_LEN(skip) && depth == 0; i++)
			skipped = skipped || strcmp(skip[i], e->d_name) == 0;
		if (!skipped)
			r = copy_entry(ids, fd, to, e->d_name, depth);
	}
	(void)closedir(d);
	return r;
}

/* ---- Devices by name --------------------------------------------------------------------------- */
/* The folder of dev and the name in it where this device goes. */
static int place_of(const struct ids *ids, int dev, size_t i, const char *target, char name[256])
{
	const char *rest = target + 5, *last = strrchr(target, '/') + 1;
	auto_free char *folder = NULL;
	int dir;

	if (strncmp(target, "/dev/", 5) != 0) {
		(void)snprintf(name, 256, ".device-%zu", i);
		return fcntl(dev, F_DUPFD_CLOEXEC, 3);
	}
	if (!*last || strlen(last) > 255 || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return -EINVAL;
	(void)snprintf(name, 256, "%s", last);
	folder = xstrndup(rest, last > rest ? (size_t)(last - rest) : 0);
	dir = path_mkdirs_in(dev, folder, 0755);
	for (char *slash = strchr(folder, '/'); dir >= 0 && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)own(ids, dev, folder, 0, 0);
		*slash = '/';
	}
	return dir;
}

static int put_device(const struct ids *ids, int dev, size_t i, const struct box_device *d,
		      struct err *err)
{
	const char *target = d->target ? d->target : d->host;
	auto_close int from = -1, to = -1, sub = -1;
	char name[256];
	struct stat st;
	int r;

	if (d->given)
		st = (struct stat){
			.st_mode = d->mode, .st_rdev = d->number, .st_uid = d->uid, .st_gid = d->gid
		};
	else if (stat(d->host, &st) < 0)
		return err_errno(err, "device '%s'", d->host);
	if (target[0] != '/')
		return err_set(err, EINVAL, "device '%s': '%s' is not an absolute path", d->host,
			       target);
	to = place_of(ids, dev, i, target, name);
	if (to < 0)
		return err_wrap(err, to, "device '%s' as '%s'", d->host, target);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) || (d->given && S_ISFIFO(st.st_mode))) {
		r = put_node(ids, to, name, &st);
	} else if (S_ISDIR(st.st_mode)) {
		from = open(d->host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = from < 0 ? -errno : put_folder(ids, to, name, &sub);
		if (r == 0)
			r = copy_nodes(ids, from, sub, 1);
	} else {
		return err_set(err, ENODEV, "'%s' is not a device", d->host);
	}
	return r < 0 ? err_wrap(err, r, "device '%s'", d->host) : 0;
}

/* ---- Together ---------------------------------------------------------------------------------- */
static int basics(const struct ids *ids, const struct box_spec *spec, int dev)
{
	static const char *const folders[] = { "pts", "shm", "mqueue" };
	struct stat st = { .st_mode = S_IFCHR | 0666 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(nodes); i++) {
		st.st_rdev = makedev(nodes[i].major, nodes[i].minor);
		r = put_node(ids, dev, nodes[i].name, &st);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(links); i++) {
		r = symlinkat(links[i].to, dev, links[i].name) < 0 ? -errno : 0;
		if (r == -EEXIST)
			r = 0; /* a privileged one has the host's */
		else if (r == 0)
			r = own(ids, dev, links[i].name, 0, 0);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(folders); i++) {
		auto_close int fd = -1;

		if (spec->no_shm && strcmp(folders[i], "shm") == 0)
			continue;
		r = put_folder(ids, dev, folders[i], &fd);
	}
	if (r == 0 && spec->process.tty) { /* the terminal will be mounted over it */
		r = mknodat(dev, "console", S_IFREG | 0600, 0) < 0 ? -errno : 0;
		if (r == 0)
			r = own(ids, dev, "console", 0, 0);
	}
	return r;
}

static int hosts_all(const struct ids *ids, int dev)
{
	auto_close int host = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return host < 0 ? -errno : copy_nodes(ids, host, dev, 0);
}

static int fill(const struct box_spec *spec, int dev, struct err *err)
{
	const struct ids ids = { spec->uid_base, spec->uid_count ? spec->uid_count : 65536 };
	int r = spec->privileged ? hosts_all(&ids, dev) : 0;

	if (r == 0)
		r = basics(&ids, spec, dev);
	if (r < 0)
		return err_wrap(err, r, "make the container's /dev");
	for (size_t i = 0; r == 0 && i < spec->n_devices; i++)
		r = put_device(&ids, dev, i, &spec->devices[i], err);
	return r;
}

int dev_make(const struct box_spec *spec, struct err *err)
{
	char uid[16], gid[16];
	struct fs_opt opts[5] = {
		{ "mode", "755" }, { "size", "65536k" }, { "uid", uid }, { "gid", gid }
	};
	auto_close int dev = -1;
	mode_t mask;
	int r;

	(void)snprintf(uid, sizeof(uid), "%u", spec->uid_base);
	(void)snprintf(gid, sizeof(gid), "%u", spec->uid_base);
	dev = fs_make("tmpfs", opts, label_option(opts, 4, spec->file_label), MOUNT_ATTR_NOSUID);
	if (dev < 0)
		return err_wrap(err, dev, "make the container's /dev");
	mask = umask(0); /* modes are exact */
	r = fill(spec, dev, err);
	(void)umask(mask);
	return r < 0 ? r : steal_fd(&dev);
}
