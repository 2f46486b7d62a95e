/* rootfs.h - a container's root and its mounts as detached mount descriptors.
 *
 * Nothing here is ever mounted where the host can see it. The caller is a single-threaded process
 * that went through rootfs_enter_private(); what it attaches goes away with it.
 *
 * Functions that make a descriptor return it (>= 0, close-on-exec, owned by the caller) or a
 * negative errno with the sentence in err.
 *
 * User namespaces and idmapped mounts: with a range (base, count), id N on disk is seen and
 * written by the container as its own id N, which is id base + N on the host.
 */
#ifndef CTRCOMPOSE_ROOTFS_H
#define CTRCOMPOSE_ROOTFS_H

#include <ctrcompose/base.h>

/* A mount namespace of our own: mounts of the host keep coming in, ours never go out. */
int rootfs_enter_private(struct err *err);
/* From now on, in this mount namespace of our own: the folder as it is, but what is changed in it is
 * kept in memory and gone with the namespace. Descriptors that were opened before see the folder itself. */
int rootfs_forgetful(const char *path, struct err *err);

/* ---- Maps of ids ------------------------------------------------------------------------------ */
struct rootfs_extent {
	uint32_t disk; /* first id in files */
	uint32_t host; /* first id of processes, as the host sees it */
	uint32_t count;
};

/* A user namespace that maps [0, count) to [base, base + count), for idmapped mounts. The child that
 * it takes has been killed, and is left for rootfs_userns_reap() or the next of these calls. */
int rootfs_userns(uint32_t base, uint32_t count, struct err *err);
/* The same from lists of extents, at most 340 each. */
int rootfs_userns_map(const struct rootfs_extent *uids, size_t n_uids,
		      const struct rootfs_extent *gids, size_t n_gids, struct err *err);
/* For a bind from a person's folder: files of (uid, gid) belong to the container's root and what
 * its root writes belongs to (uid, gid). The container's ids equal to uid and gid become 0 on disk
 * when share_zero is set; else the host's root has no files there and those ids can't write. */
int rootfs_userns_owner(uint32_t base, uint32_t count, uid_t uid, gid_t gid, bool share_zero,
			struct err *err);

void rootfs_userns_reap(void);

/* Whether the file system of path can be idmapped. Costs a few microseconds. */
bool rootfs_idmap_supported(const char *path, int userns_fd);

/* Attach an idmapped clone of store_dir on mountpoint_dir (an existing folder, may be store_dir
 * itself) in this mount namespace. Once per id range. -ENOTSUP: its file system can't be idmapped. */
int rootfs_attach_idmapped(const char *store_dir, const char *mountpoint_dir, int userns_fd,
			   struct err *err);

/* ---- The root --------------------------------------------------------------------------------- */
struct rootfs_overlay {
	const char *store;        /* absolute: the store as attached, all names are below it */
	const char *const *lower; /* relative names, lowest first; 1 to 500 */
	size_t n_lower;
	const char *upper; /* relative, existing, empty or used before; NULL: no writes */
	const char *work;  /* relative, existing, beside upper */
	uid_t uid;         /* the mounter: the mapped root (base) or 0 */
	gid_t gid;
	const char *context; /* SELinux label of all files in it, or NULL: their own */
	const char *empty;   /* relative, an empty folder: below a single layer that gets a label */
	bool skip_sync; /* overlay's volatile: quick unmount, contents are lost in a power cut */
};

/* What this thread makes from now on belongs to these ids; its capabilities stay. An idmapped mount
 * only takes files of ids that it maps. */
void rootfs_act_as(uid_t uid, gid_t gid);

/* A detached overlay mount, nodev. Without an upper it is read-only. An upper that was used
 * before, also by a volatile mount, is taken up again; it must not be mounted elsewhere. */
int rootfs_overlay(const struct rootfs_overlay *o, struct err *err);

/* ---- A bound for a folder ---------------------------------------------------------------------- */
/* All files below an empty folder together take at most so many bytes: it becomes a project of its
 * file system, of the first number from `wish` on that is free. -ENOTSUP: it has no project quotas
 * in force. quotactl(2), FS_IOC_FSSETXATTR. */
int rootfs_quota(int dirfd, uint32_t wish, uint64_t bytes, uint32_t *project, struct err *err);
/* Whether the file system of a folder has them. */
bool rootfs_quota_there(const char *path);
/* Before the folder is removed: its project's limit is no more. */
void rootfs_quota_drop(int dirfd);

/* ---- Volumes and binds ------------------------------------------------------------------------ */
struct rootfs_bind {
	int dirfd;        /* AT_FDCWD, or where path starts */
	const char *path; /* "" means dirfd itself */
	int userns_fd;    /* idmap, or -1 */
	bool read_only;
	bool recursive;     /* with the mounts below it */
	bool top_read_only; /* read_only is not for the mounts below it */
	bool devices;       /* device nodes work; else nodev */
	bool slave;         /* mounts that the host makes below it later show up; else none do */
};

/* A detached clone of a folder or a file. -EINVAL with slave: the host's mount is private. */
int rootfs_bind(const struct rootfs_bind *b, struct err *err);

/* ---- File systems of the kernel ---------------------------------------------------------------- */
struct rootfs_fs {
	const char *type;    /* as in mount(8): "nfs", "ext4" */
	const char *source;  /* "10.0.0.1:/export", "/dev/sdb1" */
	const char *options; /* "addr=nas,ro", or NULL */
	bool read_only;
	int userns_fd; /* idmap where the file system can, or -1 */
};
/* Options of mount(8), those of the mount (MOUNT_ATTR_*) apart from the file system's own. */
struct rootfs_fs_options {
	unsigned attrs; /* always with nodev */
	struct strs own;
};
/* Pure. -EINVAL: an option without a name. */
int rootfs_fs_parse(const char *options, struct rootfs_fs_options *out, struct err *err);
void rootfs_fs_options_clear(struct rootfs_fs_options *o);
/* A detached mount: fsopen(2). A name in the option addr= is looked up, as the NFS client of the
 * kernel takes numbers only. */
int rootfs_fs(const struct rootfs_fs *f, struct err *err);
/* A detached clone of what is at path inside of a detached mount, which is gone then: path is never
 * followed out of it. place: a folder of ours for it to be attached on for that moment. */
int rootfs_part(int mount_fd, const char *place, const char *path, struct err *err);

#endif
