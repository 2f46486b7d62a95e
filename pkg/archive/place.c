/* place.c - one member of a layer: what it becomes below the root; see unpack.h */
#include "unpack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PATH_LEN_MAX = 4096 };
static const char wh_prefix[] = ".wh.";
static const char wh_meta[] = ".wh..wh.";
static const char wh_opaque[] = ".wh..wh..opq";

/* A member and where it goes. */
struct place {
	struct unpack *u;
	struct archive_entry *e;
	const char *parent_path, *name;
	int dir; /* O_PATH, owned by u */
	uid_t uid;
	gid_t gid;
	mode_t perm;
	struct timespec mtime;
};

static bool xattr_kept(const char *name)
{
	/* overlayfs takes orders from user.overlay.* where it may not use trusted.* */
	return (str_starts(name, "user.") && !str_starts(name, "user.overlay.")) ||
	       strcmp(name, "security.capability") == 0;
}

static int put_xattrs(const struct place *p, int fd)
{
	const struct archive_lib *l = p->u->lib;
	const char *name;
	const void *value;
	size_t size;

	(void)l->archive_entry_xattr_reset(p->e);
	while (l->archive_entry_xattr_next(p->e, &name, &value, &size) == ARCHIVE_OK) {
		if (!name || !xattr_kept(name))
			continue;
		if (fsetxattr(fd, name, value, size, 0) < 0 &&
		    !(errno == ENOTSUP && str_starts(name, "user.")))
			return -errno;
	}
	return 0;
}

/* Owner first: it clears set-id bits and the capability. */
static int put_metadata(const struct place *p, int fd)
{
	if (fchown(fd, p->uid, p->gid) < 0 || fchmod(fd, p->perm) < 0)
		return -errno;
	return put_xattrs(p, fd);
}

static int set_opaque(int dir, const char *name)
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* Make room for a member that comes again. */
static int clear_place(const struct place *p)
{
	int r = path_remove_tree(p->dir, p->name);

	/* The kept folder may have been below what went. */
	if (r == 0) {
		free(p->u->parent_path);
		p->u->parent_path = xstrdup("");
	}
	return r;
}

static int write_content(const struct place *p, int fd, struct err *err)
{
	const struct archive_lib *l = p->u->lib;
	int64_t size = l->archive_entry_size(p->e), end = 0;
	const void *data;
	la_int64_t at;
	size_t len;
	int r;

	while ((r = l->archive_read_data_block(p->u->tar->tar, &data, &len, &at)) != ARCHIVE_EOF) {
		if (r == ARCHIVE_RETRY)
			continue;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return archive_stream_failed(p->u->tar, err);
		if (at < end || (uint64_t)at + len > INT64_MAX)
			return err_set(err, EBADMSG, "its pieces overlap");
		for (size_t done = 0; done < len;) {
			ssize_t n =
				pwrite(fd, (const char *)data + done, len - done, at + (off_t)done);

			if (n < 0 && errno != EINTR)
				return err_errno(err, "write");
			done += n > 0 ? (size_t)n : 0;
		}
		end = at + (int64_t)len;
		p->u->opt->bytes += len;
	}
	/* Holes take no room here, but do wherever the file is copied to. */
	if (size > 0 && (uint64_t)size > ARCHIVE_BYTES_MAX)
		return err_set(err, E2BIG, "it is larger than %llu bytes",
			       (unsigned long long)ARCHIVE_BYTES_MAX);
	/* A hole at the end. */
	if (size > end && ftruncate(fd, size) < 0)
		return err_errno(err, "set the size to %lld", (long long)size);
	return 0;
}

enum { WRITE_BACK = 128 << 10 };

static int place_file(const struct place *p, struct err *err)
{
	const struct archive_lib *l = p->u->lib;
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const struct timespec times[2] = { p->mtime, p->mtime };
	auto_close int fd = openat(p->dir, p->name, flags, 0600);
	int r;

	if (fd < 0 && errno == EEXIST) {
		r = clear_place(p);
		if (r < 0)
			return r;
		fd = openat(p->dir, p->name, flags, 0600);
	}
	if (fd < 0)
		return -errno;
	r = write_content(p, fd, err);
	if (r == 0)
		r = put_metadata(p, fd);
	if (r == 0 && futimens(fd, times) < 0)
		r = -errno;
	/* The disk begins with it now; whoever syncs the layer has less to wait for. */
	if (r == 0 && l->archive_entry_size(p->e) >= WRITE_BACK)
		(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return r;
}

static int place_folder(const struct place *p, struct err *err)
{
	bool opaque = false;
	struct unpack_folder *f;
	auto_close int fd = -1;
	struct stat st;
	int r;

	(void)err;
	if (mkdirat(p->dir, p->name, 0700) < 0) {
		if (errno != EEXIST || fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (!S_ISDIR(st.st_mode)) {
			/* Hidden and made anew in one layer: nothing of the lower one shines through. */
			opaque = is_whiteout(&st);
			r = clear_place(p);
			if (r < 0)
				return r;
			if (mkdirat(p->dir, p->name, 0700) < 0)
				return -errno;
		}
	}
	fd = openat(p->dir, p->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = opaque ? set_opaque(p->dir, p->name) : 0;
	if (r == 0)
		r = put_metadata(p, fd);
	if (r < 0)
		return r;
	f = vec_push(&p->u->folders);
	f->path = path_join(p->parent_path, p->name);
	f->mtime = p->mtime;
	return 0;
}

static int make_symlink(const struct place *p, const char *target)
{
	return symlinkat(target, p->dir, p->name) < 0 ? -errno : 0;
}

static int place_symlink(const struct place *p, struct err *err)
{
	const struct timespec times[2] = { p->mtime, p->mtime };
	const char *target = p->u->lib->archive_entry_symlink(p->e);
	int r;

	if (!target || !*target)
		return err_set(err, EBADMSG, "a link without a target");
	r = make_symlink(p, target);
	if (r == -EEXIST) {
		r = clear_place(p);
		if (r == 0)
			r = make_symlink(p, target);
	}
	if (r == 0 && (fchownat(p->dir, p->name, p->uid, p->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		       utimensat(p->dir, p->name, times, AT_SYMLINK_NOFOLLOW) < 0))
		r = -errno;
	return r;
}

/* "a/../b//c" into "/b" and "c"; the caller frees both. Of the root the name is "". */
static void split(const char *path, char **parent, char **name)
{
	auto_free char *rooted = xasprintf("/%s", path);
	auto_free char *clean = path_clean(rooted);
	const char *slash = strrchr(clean, '/');
	size_t n = slash ? (size_t)(slash - clean) : 0;

	*name = xstrdup(slash ? slash + 1 : clean);
	*parent = n > 0 ? xstrndup(clean, n) : xstrdup("/");
}

static int place_hardlink(const struct place *p, struct err *err)
{
	const char *link = p->u->lib->archive_entry_hardlink(p->e);
	auto_free char *parent = NULL, *name = NULL;
	auto_close int dir = -1;
	struct stat st, here;

	split(link, &parent, &name);
	dir = path_open_in(p->u->root, parent, O_PATH | O_DIRECTORY, 0);
	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, EBADMSG, "it is a hard link to '%s', which the layer lacks",
			       link);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode) && !S_ISFIFO(st.st_mode))
		return err_set(err, EBADMSG, "it is a hard link to '%s', which is no file", link);
	if (linkat(dir, name, p->dir, p->name, 0) == 0)
		return 0;
	if (errno != EEXIST || fstatat(p->dir, p->name, &here, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (here.st_ino == st.st_ino && here.st_dev == st.st_dev)
		return 0;
	if (clear_place(p) < 0 || linkat(dir, name, p->dir, p->name, 0) < 0)
		return -errno;
	return 0;
}

static int place_fifo(const struct place *p, struct err *err)
{
	int r;

	(void)err;
	if (mkfifoat(p->dir, p->name, 0600) < 0) {
		if (errno != EEXIST)
			return -errno;
		r = clear_place(p);
		if (r < 0)
			return r;
		if (mkfifoat(p->dir, p->name, 0600) < 0)
			return -errno;
	}
	if (fchownat(p->dir, p->name, p->uid, p->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(p->dir, p->name, p->perm, 0) < 0)
		return -errno;
	return 0;
}

static int place_whiteout(const struct place *p, struct err *err)
{
	const char *hidden = p->name + strlen(wh_prefix);
	struct stat st;

	if (strcmp(p->name, wh_opaque) == 0)
		return set_opaque(p->dir, ".");
	if (str_starts(p->name, wh_meta))
		return 0; /* bookkeeping of aufs */
	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return err_set(err, EBADMSG, "a whiteout of nothing");
	if (mknodat(p->dir, hidden, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST || fstatat(p->dir, hidden, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* It hides what lower layers have, not what this one brings. */
	return S_ISDIR(st.st_mode) ? set_opaque(p->dir, hidden) : 0;
}

static const struct {
	mode_t type;
	int (*put)(const struct place *p, struct err *err);
} kinds[] = {
	{ AE_IFREG, place_file },
	{ AE_IFDIR, place_folder },
	{ AE_IFLNK, place_symlink },
	{ AE_IFIFO, place_fifo },
};

static int place(struct place *p, struct err *err)
{
	const struct archive_lib *l = p->u->lib;
	mode_t type = l->archive_entry_filetype(p->e);
	int64_t uid = l->archive_entry_uid(p->e), gid = l->archive_entry_gid(p->e);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_set(err, EBADMSG, "its owner %lld:%lld is no user and group",
			       (long long)uid, (long long)gid);
	p->uid = (uid_t)uid;
	p->gid = (gid_t)gid;
	p->perm = l->archive_entry_perm(p->e) & 07777;
	p->mtime.tv_sec = l->archive_entry_mtime(p->e);
	p->mtime.tv_nsec = l->archive_entry_mtime_nsec(p->e);
	if (p->mtime.tv_nsec < 0 || p->mtime.tv_nsec > 999999999)
		p->mtime.tv_nsec = 0;
	p->dir = unpack_parent(p->u, p->parent_path);
	if (p->dir < 0)
		return err_set(err, p->dir, "its folder '%s': %s", p->parent_path,
			       strerror(-p->dir));
	if (str_starts(p->name, wh_prefix))
		return place_whiteout(p, err);
	if (l->archive_entry_hardlink(p->e))
		return place_hardlink(p, err);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].type == type)
			return kinds[i].put(p, err);
	p->u->opt->skipped++;
	return 0;
}

int unpack_place(struct unpack *u, struct archive_entry *e, struct err *err)
{
	const char *path = u->lib->archive_entry_pathname(e);
	auto_err struct err why = ERR_INIT;
	auto_free char *parent = NULL, *name = NULL;
	struct place p = { .u = u, .e = e };
	int r;

	if (!path)
		return err_set(err, EBADMSG, "a member has no name");
	if (strlen(path) >= PATH_LEN_MAX)
		return err_set(err, E2BIG, "the name of a member is longer than %d bytes",
			       PATH_LEN_MAX - 1);
	split(path, &parent, &name);
	p.parent_path = parent;
	p.name = name;
	if (!*name)
		return 0; /* the root itself */
	if (strstr(parent, "/.wh..wh."))
		return 0; /* in a folder of aufs' bookkeeping */
	r = place(&p, &why);
	if (r < 0)
		return err_set(err, r, "'%s': %s", path, why.msg ? why.msg : strerror(-r));
	return 0;
}
