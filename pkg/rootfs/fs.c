/* fs.c - a file system of the kernel as a detached mount, by the options of mount(8); see rootfs.h */
#include "private.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

/* Options that are the mount's, not the file system's. */
static const struct {
	const char *word;
	unsigned set, clear;
} flags[] = {
	{ "defaults", 0, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY },
	{ "ro", MOUNT_ATTR_RDONLY, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "dev", 0, 0 }, /* never: devices are what the service was given */
	{ "nodev", 0, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "_netdev", 0, 0 },
	{ "auto", 0, 0 },
	{ "noauto", 0, 0 },
	{ "nofail", 0, 0 },
};

int rootfs_fs_parse(const char *options, struct rootfs_fs_options *out, struct err *err)
{
	auto_free char *copy = xstrdup(options ? options : "");
	char *save = NULL;

	*out = (struct rootfs_fs_options){ .attrs = MOUNT_ATTR_NODEV };
	for (char *o = strtok_r(copy, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		size_t i = 0;

		while (i < ARRAY_LEN(flags) && strcmp(flags[i].word, o) != 0)
			i++;
		if (i < ARRAY_LEN(flags)) {
			out->attrs &= ~flags[i].clear;
			out->attrs |= flags[i].set;
		} else if (*o == '=') {
			rootfs_fs_options_clear(out);
			return err_set(err, -EINVAL, "the option '%s' has no name", o);
		} else {
			strs_add(&out->own, o);
		}
	}
	return 0;
}

void rootfs_fs_options_clear(struct rootfs_fs_options *o)
{
	strs_clear(&o->own);
}

/* The kernel's NFS client wants numbers for the server: the first address of a name. */
static int address(const char *name, char out[INET6_ADDRSTRLEN], struct err *err)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int r = getaddrinfo(name, NULL, &hints, &found);

	if (r == 0)
		r = getnameinfo(found->ai_addr, found->ai_addrlen, out, INET6_ADDRSTRLEN, NULL, 0,
				NI_NUMERICHOST);
	freeaddrinfo(found);
	return r ? err_set(err, -EHOSTUNREACH, "the address of '%s': %s", name, gai_strerror(r))
		 : 0;
}

static int set_option(int fs, char *option, struct err *err)
{
	char *value = strchr(option, '=');
	char number[INET6_ADDRSTRLEN];
	int r;

	if (value)
		*value++ = '\0';
	if (value && strcmp(option, "addr") == 0) {
		r = address(value, number, err);
		if (r < 0)
			return r;
		value = number;
	}
	r = fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value, 0);
	return r < 0 ? rootfs_kernel_says(fs, err, option) : 0;
}

static int mount_it(const struct rootfs_fs *f, struct rootfs_fs_options *o, struct err *err)
{
	auto_close int fs = fsopen(f->type, FSOPEN_CLOEXEC);
	int r = 0, fd;

	if (fs < 0)
		return errno == ENODEV ? err_set(err, -ENODEV,
						 "this kernel has no file system '%s'", f->type)
				       : err_errno(err, "open the file system '%s'", f->type);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", f->source, 0) < 0)
		return rootfs_kernel_says(fs, err, "name the device");
	if ((o->attrs & MOUNT_ATTR_RDONLY) && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return rootfs_kernel_says(fs, err, "ro");
	for (size_t i = 0; r == 0 && i < o->own.n; i++)
		r = set_option(fs, o->own.v[i], err);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return rootfs_kernel_says(fs, err, "mount");
	fd = fsmount(fs, FSMOUNT_CLOEXEC, o->attrs);
	if (fd >= 0 && f->userns_fd >= 0)
		(void)rootfs_set_idmap(fd, f->userns_fd, false); /* else: files of nobody */
	return fd < 0 ? rootfs_kernel_says(fs, err, "mount") : fd;
}

int rootfs_fs(const struct rootfs_fs *f, struct err *err)
{
	struct rootfs_fs_options o;
	int r = rootfs_fs_parse(f->options, &o, err);

	if (r < 0)
		return r;
	if (f->read_only)
		o.attrs |= MOUNT_ATTR_RDONLY;
	r = mount_it(f, &o, err);
	rootfs_fs_options_clear(&o);
	return r;
}

int rootfs_part(int mount_fd, const char *place, const char *path, struct err *err)
{
	struct rootfs_bind b = { .path = "", .userns_fd = -1 };
	auto_close int root = -1, part = -1;
	int r;

	if (move_mount(mount_fd, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_errno(err, "attach a mount on '%s'", place);
	root = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	part = root < 0 ? -errno : path_open_in(root, path, O_PATH | O_CLOEXEC, 0);
	b.dirfd = part;
	r = part < 0 ? part : rootfs_bind(&b, err);
	(void)umount2(place, MNT_DETACH);
	return r;
}
