/* mounts.c - the child's mount tree, from the root to pivot_root; see private.h
 *
 * Order matters: proc and sysfs have to be made while the host's are still visible (the kernel
 * refuses them in a user namespace otherwise), device nodes and /dev/null are taken from the host
 * by descriptor, and masks come after everything they may have to cover.
 */
#include "private.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SAFE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

/* ---- proc, sysctls ---------------------------------------------------------------------------- */

static int put_sysctl(int proc_fd, const char *key, const char *value)
{
	char path[256];
	size_t len = strlen(value);
	int fd, r = 0;

	(void)snprintf(path, sizeof(path), "sys/%s", key); /* see sysctl_refused() */
	for (char *p = path + 4; *p; p++)
		if (*p == '.')
			*p = '/';
	fd = openat(proc_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (write(fd, value, len) != (ssize_t)len)
		r = -errno;
	(void)close(fd);
	return r;
}

/* proc_fd is of our own making, so what is below it is proc. */
static void sysctls(const struct setup *s, int proc_fd)
{
	const struct box_spec *spec = s->spec;

	if (spec->net == BOX_NET_NEW || spec->net == BOX_NET_NONE) {
		(void)put_sysctl(proc_fd, "net.ipv4.ip_unprivileged_port_start", "0");
		(void)put_sysctl(proc_fd, "net.ipv4.ping_group_range",
				 spec->uid_base ? "0 65535" : "0 2147483647");
	}
	for (size_t i = 0; i < spec->n_sysctls; i++) {
		int r = put_sysctl(proc_fd, spec->sysctls[i].key, spec->sysctls[i].value);

		if (r < 0)
			child_fail(s->ctl, r, "set the sysctl %s to '%s'%s", spec->sysctls[i].key,
				   spec->sysctls[i].value,
				   r == -ENOENT && spec->uid_base
					   ? " (a kernel may hide it from user namespaces; "
					     "userns_mode: host has it)"
					   : "");
	}
}

static void mount_proc(const struct setup *s, const struct place *p)
{
	auto_close int at = place_target(p, "/proc", true, true);
	/* A user namespace of one's own has no power over the host's processes. */
	int fd = s->spec->pid == BOX_HOST && s->spec->uid_base ? fs_clone_all(AT_FDCWD, "/proc")
							       : fs_make("proc", NULL, 0, SAFE);

	place_mount_at(p, fd, at, "/proc");
	sysctls(s, fd);
	(void)close(fd);
}

/* ---- sys, control groups ---------------------------------------------------------------------- */

static int make_hier(const struct hier *h)
{
	struct fs_opt opts[16];
	char names[64], *save = NULL;
	size_t n = 0;

	if (h->v2)
		return fs_make("cgroup2", NULL, 0, SAFE);
	if (h->named) {
		opts[0] = (struct fs_opt){ "none", NULL };
		opts[1] = (struct fs_opt){ "name", h->name };
		return fs_make("cgroup", opts, 2, SAFE);
	}
	memcpy(names, h->name, sizeof(names));
	for (char *c = strtok_r(names, ",", &save); c && n < ARRAY_LEN(opts);
	     c = strtok_r(NULL, ",", &save))
		opts[n++] = (struct fs_opt){ c, NULL };
	return fs_make("cgroup", opts, n, SAFE);
}

static void read_only(int ctl, int fd, const char *name)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		child_fail(ctl, -errno, "make '%s' read-only", name);
}

static void link_controllers(int dir, const struct hier *h)
{
	char names[64], *save = NULL;

	if (h->v2 || h->named || !strchr(h->name, ','))
		return;
	memcpy(names, h->name, sizeof(names));
	for (char *c = strtok_r(names, ",", &save); c; c = strtok_r(NULL, ",", &save))
		if (symlinkat(h->name, dir, c) < 0)
			return;
}

/* What the host has mounted only in part or not at all is left out: it is there to be looked at. */
static void mount_cgroups(const struct setup *s, const struct place *p)
{
	static const struct fs_opt tmpfs[] = { { "mode", "755" }, { "size", "1m" } };
	const struct hiers *hs = s->hiers;
	bool only_v2 = hs->n == 1 && hs->v[0].v2;
	auto_close int at = path_open_in(p->root_fd, "/sys/fs/cgroup", O_PATH | O_DIRECTORY, 0);
	auto_close int dir = -1;

	if (at < 0 || hs->n == 0)
		return;
	dir = only_v2 ? make_hier(&hs->v[0]) : fs_make("tmpfs", tmpfs, ARRAY_LEN(tmpfs), SAFE);
	if (dir < 0)
		return;
	if (only_v2 && !s->spec->privileged)
		read_only(s->ctl, dir, "/sys/fs/cgroup");
	place_mount_at(p, dir, at, "/sys/fs/cgroup");
	for (size_t i = 0; !only_v2 && i < hs->n; i++) {
		auto_close int fd = make_hier(&hs->v[i]);
		auto_close int sub = -1;

		if (fd < 0 || mkdirat(dir, hs->v[i].name, 0755) < 0)
			continue;
		sub = openat(dir, hs->v[i].name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (!s->spec->privileged)
			read_only(s->ctl, fd, hs->v[i].name);
		place_mount_at(p, fd, sub, hs->v[i].name);
		link_controllers(dir, &hs->v[i]);
	}
	if (!only_v2 && !s->spec->privileged)
		read_only(s->ctl, dir, "/sys/fs/cgroup");
}

/* A subtree of the host's tree; read-only with all that is mounted below it. */
static int hosts_tree(const struct setup *s, const char *path, bool writable)
{
	struct mount_attr attr = { .attr_set = SAFE | (writable ? 0 : MOUNT_ATTR_RDONLY) };
	int fd = fs_clone_all(AT_FDCWD, path);

	if (fd >= 0 && mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		child_fail(s->ctl, -errno, "make %s read-only", path);
	return fd;
}

static void mount_hosts_cgroups(const struct setup *s, const struct place *p)
{
	auto_close int at = path_open_in(p->root_fd, "/sys/fs/cgroup", O_PATH | O_DIRECTORY, 0);
	auto_close int fd =
		at < 0 ? -1
		       : hosts_tree(s, "/sys/fs/cgroup", s->spec->privileged && !s->spec->uid_base);

	if (at >= 0)
		place_mount_at(p, fd, at, "/sys/fs/cgroup");
}

/* What programs take for SELinux being there: writable, so that they may try. */
static void mount_selinuxfs(const struct setup *s, const struct place *p)
{
	auto_close int at = path_open_in(p->root_fd, "/sys/fs/selinux", O_PATH | O_DIRECTORY, 0);
	auto_close int fd = at < 0 ? at : fs_clone(AT_FDCWD, "/sys/fs/selinux");

	if (fd < 0)
		child_fail(s->ctl, fd, "mount /sys/fs/selinux");
	place_mount_at(p, fd, at, "/sys/fs/selinux");
}

static void mount_sys(const struct setup *s, const struct place *p)
{
	bool own_net = s->spec->net == BOX_NET_NEW || s->spec->net == BOX_NET_NONE;
	auto_close int at = place_target(p, "/sys", true, true);
	int fd;

	if (own_net || !s->spec->uid_base) {
		fd = fs_make("sysfs", NULL, 0, SAFE);
		if (fd >= 0 && !s->spec->privileged)
			read_only(s->ctl, fd, "/sys");
	} else {
		/* Somebody else's network namespace, so sysfs can't be made: the host's, read-only. */
		fd = hosts_tree(s, "/sys", false);
	}
	place_mount_at(p, fd, at, "/sys");
	(void)close(fd);
	if (s->spec->selinuxfs)
		mount_selinuxfs(s, p);
	if (s->spec->cgroup_host)
		mount_hosts_cgroups(s, p);
	else
		mount_cgroups(s, p);
}

/* ---- tmpfs ------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	unsigned attr;
	bool set;
} tmpfs_flags[] = {
	{ "ro", MOUNT_ATTR_RDONLY, true },       { "rw", MOUNT_ATTR_RDONLY, false },
	{ "noexec", MOUNT_ATTR_NOEXEC, true },   { "exec", MOUNT_ATTR_NOEXEC, false },
	{ "nosuid", MOUNT_ATTR_NOSUID, true },   { "suid", MOUNT_ATTR_NOSUID, false },
	{ "nodev", MOUNT_ATTR_NODEV, true },     { "dev", MOUNT_ATTR_NODEV, false },
	{ "noatime", MOUNT_ATTR_NOATIME, true },
};

static bool tmpfs_flag(const char *name, unsigned *attrs)
{
	for (size_t i = 0; i < ARRAY_LEN(tmpfs_flags); i++)
		if (strcmp(tmpfs_flags[i].name, name) == 0) {
			*attrs = tmpfs_flags[i].set ? *attrs | tmpfs_flags[i].attr
						    : *attrs & ~tmpfs_flags[i].attr;
			return true;
		}
	return false;
}

static int make_tmpfs(const struct box_mount *m, const char *label, int ctl)
{
	unsigned attrs = SAFE | (m->read_only ? MOUNT_ATTR_RDONLY : 0);
	struct fs_opt opts[16];
	size_t n = 0;
	char text[512], *save = NULL;
	const char *given = m->tmpfs ? m->tmpfs : "";
	bool has_mode = false;

	if (strlen(given) >= sizeof(text))
		child_fail(ctl, -E2BIG, "options of the tmpfs '%s'", m->target);
	memcpy(text, given, strlen(given) + 1);
	for (char *o = strtok_r(text, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		char *value = strchr(o, '=');

		if (!value && tmpfs_flag(o, &attrs))
			continue;
		if (value)
			*value++ = '\0';
		has_mode = has_mode || strcmp(o, "mode") == 0;
		if (n == ARRAY_LEN(opts) - 2)
			child_fail(ctl, -E2BIG, "options of the tmpfs '%s'", m->target);
		opts[n++] = (struct fs_opt){ o, value };
	}
	if (!has_mode)
		opts[n++] = (struct fs_opt){ "mode", "1777" };
	n = label_option(opts, n, label);
	return fs_make("tmpfs", opts, n, attrs);
}

/* ---- What the caller wants mounted ------------------------------------------------------------ */

/* A file of proc that is covered is written to in vain, by us as well: CVE-2019-16884. */
static void check_target(const struct setup *s, int at, const char *target)
{
	struct statfs fs;

	if (fstatfs(at, &fs) < 0 || (fs.f_type == PROC_SUPER_MAGIC && !proc_target_allowed(target)))
		child_fail(s->ctl, -EPERM, "mount inside /proc: '%s'", target);
}

static void mount_one(const struct setup *s, const struct place *p, const struct box_mount *m)
{
	int fd = m->fd >= 0 ? m->fd : make_tmpfs(m, s->spec->file_label, s->ctl);
	struct stat st;
	int at;

	if (fd < 0)
		child_fail(s->ctl, fd, "make the tmpfs '%s'", m->target);
	if (target_depth(m->target) == 0)
		child_fail(s->ctl, -EINVAL, "mount over the root '%s'", m->target);
	if (fstat(fd, &st) < 0)
		child_fail(s->ctl, -errno, "look at the source of '%s'", m->target);
	at = place_target(p, m->target, S_ISDIR(st.st_mode), false);
	check_target(s, at, m->target);
	place_mount_at(p, fd, at, m->target);
	(void)close(at);
	(void)close(fd);
}

static void fill_file(const struct setup *s, int dir, const char *name, const struct box_file *f)
{
	auto_close int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, f->data, f->len) < 0 || fchown(fd, f->uid, f->gid) < 0 ||
	    fchmod(fd, f->mode ? f->mode : 0644) < 0)
		child_fail(s->ctl, -errno, "write '%s'", f->target);
}

/* One tmpfs for all. It has to be attached for its files to be cloned (before Linux 6.15), which
 * it is over the old /proc: only hooks need that any more, and it goes away with the old root. */
static void clone_files(const struct setup *s, int *fds)
{
	const struct box_spec *spec = s->spec;
	size_t total = 1 << 20;
	char size[32], name[24];
	struct fs_opt opts[3] = { { "mode", "700" }, { "size", size } };
	auto_close int dir = -1;

	if (spec->n_files == 0)
		return;
	for (size_t i = 0; i < spec->n_files; i++)
		total += (spec->files[i].len + 8192) * 2;
	(void)snprintf(size, sizeof(size), "%zu", total);
	dir = fs_make("tmpfs", opts, label_option(opts, 2, spec->file_label), SAFE);
	if (dir < 0)
		child_fail(s->ctl, dir, "make a tmpfs for private files");
	if (move_mount(dir, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		child_fail(s->ctl, -errno, "attach the tmpfs of private files");
	for (size_t i = 0; i < spec->n_files; i++) {
		(void)snprintf(name, sizeof(name), "%zu", i);
		fill_file(s, dir, name, &spec->files[i]);
		fds[i] = fs_clone(dir, name);
		if (fds[i] < 0)
			child_fail(s->ctl, fds[i], "clone '%s'", spec->files[i].target);
	}
	if (spec->n_hooks && umount2("/proc", MNT_DETACH) < 0) /* they need the old one */
		child_fail(s->ctl, -errno, "detach the tmpfs of private files");
}

/* A volume at /etc comes before our /etc/hosts, one at /etc/hosts after it. */
static void mount_all(const struct setup *s, const struct place *p, const int *file_fds)
{
	const struct box_spec *spec = s->spec;

	for (size_t k = 0; k < spec->n_mounts + spec->n_files; k++) {
		size_t i = s->order[k];
		auto_close int at = -1;

		if (i < spec->n_mounts) {
			mount_one(s, p, &spec->mounts[i]);
			continue;
		}
		i -= spec->n_mounts;
		if (spec->files[i].read_only)
			read_only(s->ctl, file_fds[i], spec->files[i].target);
		at = place_target(p, spec->files[i].target, false, false);
		check_target(s, at, spec->files[i].target);
		place_mount_at(p, file_fds[i], at, spec->files[i].target);
		(void)close(file_fds[i]);
	}
}

/* ---- The root --------------------------------------------------------------------------------- */

static void lo_up(int ctl)
{
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		child_fail(ctl, -errno, "bring up lo");
}

static void pivot(const struct setup *s)
{
	int root = s->spec->root_fd;

	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		child_fail(s->ctl, -errno, "make the image the root");
	/* The old root lies on top of the new one now. */
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		child_fail(s->ctl, -errno, "let go of the host's root");
}

void child_mounts(const struct setup *s, struct child_tty *tty)
{
	const struct box_spec *spec = s->spec;
	const struct place p = { .root_fd = spec->root_fd, .ctl = s->ctl };
	int *file_fds = xcalloc(spec->n_files + 1, sizeof(int));

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		child_fail(s->ctl, -errno, "detach the mount namespace");
	if (spec->net == BOX_NET_NONE)
		lo_up(s->ctl);
	if (move_mount(spec->root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		child_fail(s->ctl, -errno, "attach the root");
	mount_proc(s, &p);
	mount_sys(s, &p);
	child_dev(s, &p, tty);
	clone_files(s, file_fds);
	mount_all(s, &p, file_fds);
	if (!spec->privileged)
		child_hide(s, &p);
	(void)cwd_make(spec->root_fd, spec->process.cwd); /* told when it is entered */
	child_hooks(s);
	if (spec->read_only)
		read_only(s->ctl, spec->root_fd, "/");
	pivot(s);
}
