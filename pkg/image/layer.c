/* layer.c - one layer from a stream of bytes into a folder, with both of its digests; see private.h */
#include "private.h"

#include <ctrcompose/archive.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct counted {
	archive_source_fn *src;
	void *arg;
	struct digest *came, *diff;
	int copy;                  /* where the bytes are kept, or -1 */
	enum archive_packing kind; /* XZ: the tar is kept, not what came */
	bool begun;
	int failed, tap_failed; /* two threads may be at it */
};

static ssize_t counted_read(void *arg, void *buf, size_t len, struct err *err)
{
	struct counted *c = arg;
	ssize_t n = c->src(c->arg, buf, len, err);

	if (n <= 0 || c->copy < 0)
		return n;
	if (!c->begun)
		c->kind = archive_packing_of(buf, (size_t)n);
	c->begun = true;
	if (c->kind != ARCHIVE_PLAIN)
		digest_add(c->came, buf, (size_t)n);
	if (c->failed == 0 && c->kind != ARCHIVE_XZ)
		c->failed = fd_write_all(c->copy, buf, (size_t)n);
	if (c->failed < 0)
		return err_set(err, c->failed, "keep the bytes of a layer: %s",
			       strerror(-c->failed));
	return n;
}

static void tap(void *arg, const void *data, size_t len)
{
	struct counted *c = arg;

	digest_add(c->diff, data, len);
	if (c->kind == ARCHIVE_XZ && c->tap_failed == 0)
		c->tap_failed = fd_write_all(c->copy, data, len);
}

/* What the archive reader did not ask for belongs to the blob all the same. */
static int rest(struct counted *c, struct err *err)
{
	auto_free char *buf = xmalloc(1 << 16);
	ssize_t n;

	do
		n = counted_read(c, buf, 1 << 16, err);
	while (n > 0);
	if (n == 0 && c->tap_failed < 0)
		return err_set(err, c->tap_failed, "keep the bytes of a layer: %s",
			       strerror(-c->tap_failed));
	return (int)n;
}

static int unpack_into(int work, const char *name, struct counted *c, uint64_t *size,
		       struct err *err)
{
	struct archive_unpack opt = { .tap = tap, .tap_arg = c };
	auto_close int dir = -1;
	int r;

	if (mkdirat(work, name, 0755) < 0)
		return err_errno(err, "make a folder for a layer");
	dir = openat(work, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fchmod(dir, 0755) < 0)
		return err_errno(err, "open a layer's folder");
	r = archive_unpack(counted_read, c, dir, &opt, err);
	*size = opt.bytes;
	return r < 0 ? r : rest(c, err);
}

int layer_unpack(int work, const char *name, bool keep, archive_source_fn *src, void *arg,
		 struct new_layer *out, struct err *err)
{
	struct counted c = { .src = src,
			     .arg = arg,
			     .came = digest_new(),
			     .diff = digest_new(),
			     .copy = -1,
			     .kind = ARCHIVE_PACKED };
	auto_free char *file = xasprintf("%s.blob", name);
	auto_close int copy = -1;
	int r = 0;

	if (keep) {
		copy = openat(work, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			      0600);
		r = copy < 0 ? err_errno(err, "make a file for a layer") : 0;
		c.copy = copy;
	}
	if (r == 0)
		r = unpack_into(work, name, &c, &out->size, err);
	digest_end(c.diff, out->diff);
	digest_end(c.came, out->came);
	if (c.kind == ARCHIVE_PLAIN)
		memcpy(out->came, out->diff, DIGEST_HEX);
	if (r < 0) {
		(void)path_remove_tree(work, name);
		(void)unlinkat(work, file, 0);
		return r;
	}
	out->dir = xstrdup(name);
	if (keep) {
		memcpy(out->blob, c.kind == ARCHIVE_XZ ? out->diff : out->came, DIGEST_HEX);
		out->blob_file = steal(file);
	}
	return 0;
}

struct packed {
	struct digest *digest;
	uint64_t size;
};

static int count(void *arg, const void *data, size_t len, struct err *err)
{
	struct packed *p = arg;

	(void)err;
	digest_add(p->digest, data, len);
	p->size += len;
	return 0;
}

int layer_pack_digest(int folder, const char *name, char hex[DIGEST_HEX], uint64_t *size,
		      struct err *err)
{
	auto_close int dir = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct packed p = { 0 };
	int r;

	if (dir < 0)
		return err_errno(err, "open a layer's folder");
	p.digest = digest_new();
	r = archive_pack_layer(dir, count, &p, err);
	digest_end(p.digest, hex);
	if (r == 0 && size)
		*size = p.size;
	return r;
}
