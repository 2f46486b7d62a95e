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
	struct digest *blob;
};

static ssize_t counted_read(void *arg, void *buf, size_t len, struct err *err)
{
	struct counted *c = arg;
	ssize_t n = c->src(c->arg, buf, len, err);

	if (n > 0)
		digest_add(c->blob, buf, (size_t)n);
	return n;
}

static void tap(void *arg, const void *data, size_t len)
{
	digest_add(arg, data, len);
}

/* What the archive reader did not ask for belongs to the blob all the same. */
static int rest(struct counted *c, struct err *err)
{
	char buf[65536];
	ssize_t n;

	do
		n = counted_read(c, buf, sizeof(buf), err);
	while (n > 0);
	return (int)n;
}

int layer_unpack(int work, const char *name, archive_source_fn *src, void *arg,
		 struct new_layer *out, struct err *err)
{
	struct digest *diff = digest_new();
	struct counted c = { src, arg, digest_new() };
	struct archive_unpack opt = { .tap = tap, .tap_arg = diff };
	auto_close int dir = -1;
	int r = 0;

	if (mkdirat(work, name, 0755) < 0)
		r = err_errno(err, "make a folder for a layer");
	if (r == 0) {
		dir = openat(work, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = dir < 0 ? err_errno(err, "open a layer's folder") : fchmod(dir, 0755);
	}
	if (r == 0)
		r = archive_unpack(counted_read, &c, dir, &opt, err);
	if (r == 0)
		r = rest(&c, err);
	digest_end(diff, out->diff);
	digest_end(c.blob, out->blob);
	if (r < 0) {
		(void)path_remove_tree(work, name);
		return r;
	}
	out->size = opt.bytes;
	out->dir = xstrdup(name);
	return 0;
}
