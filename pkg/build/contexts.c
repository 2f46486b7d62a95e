/* contexts.c - contexts that are addresses, of repositories and of archives, as folders of a work folder; see
 * build.h */
#include "private.h"

#include <ctrcompose/archive.h>
#include <ctrcompose/registry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct contexts {
	struct image_work *work;
	struct arena *arena;
	bool offline;
	struct strs addresses, paths;
};

static bool is_remote(const char *context)
{
	return context && (df_is_git(context) || is_address(context));
}

/* ---- Archives --------------------------------------------------------------------------------- */
static int download(const struct contexts *c, const char *address, const char *name,
		    struct err *err)
{
	auto_close int fd = openat(image_work_fd(c->work), name,
				   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	char hex[DIGEST_HEX];
	int64_t when;
	int r;

	if (fd < 0)
		return err_errno(err, "make a file");
	r = registry_download(address, fd, NULL, hex, &when, err);
	if (r < 0)
		return r;
	return lseek(fd, 0, SEEK_SET) < 0 ? err_errno(err, "%s", address) : steal_fd(&fd);
}

/* With the bounds that layers have. Nothing of it leads out of its folder. */
static int fetch_archive(const struct contexts *c, const char *address, const char *name,
			 char **path, struct err *err)
{
	auto_free char *file = xasprintf("%s.tar", name);
	struct archive_unpack opt = { 0 };
	auto_close int fd = -1, dir = -1;
	int work = image_work_fd(c->work), r;

	if (strchr(address, '#'))
		return err_set(
			err, EINVAL,
			"%s: what stands behind # is for a repository, whose address ends in "
			".git",
			address);
	if (c->offline)
		return err_set(err, ENETUNREACH, "--offline is given, so %s is not fetched",
			       address);
	fd = download(c, address, file, err);
	if (fd < 0)
		return fd;
	if (mkdirat(work, name, 0700) < 0)
		return err_errno(err, "make a folder");
	dir = openat(work, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fchmod(dir, 0755) < 0) /* a COPY of all of it has this mode */
		return err_errno(err, "make a folder");
	r = archive_unpack(archive_source_fd, &fd, dir, &opt, err);
	(void)unlinkat(work, file, 0);
	if (r < 0)
		return err_wrap(err, r, "the context %s, which has to be a tar archive", address);
	*path = fd_path(dir);
	return *path ? 0 : err_errno(err, "%s", address);
}

/* ---- All of them ------------------------------------------------------------------------------ */
static int fetch_context(struct contexts *c, const char **address, struct err *err)
{
	struct git_how how = { .address = *address, .offline = c->offline };
	auto_free char *path = NULL;
	char name[24];
	int r;

	for (size_t i = 0; i < c->addresses.n; i++)
		if (strcmp(c->addresses.v[i], *address) == 0) {
			*address = arena_strdup(c->arena, c->paths.v[i]);
			return 0;
		}
	(void)snprintf(name, sizeof(name), "context%zu", c->addresses.n);
	r = df_is_git(*address) ? git_fetch(image_work_fd(c->work), name, &how, &path, err)
				: fetch_archive(c, *address, name, &path, err);
	if (r < 0)
		return r;
	strs_add(&c->addresses, *address);
	strs_add(&c->paths, path);
	*address = arena_strdup(c->arena, path);
	return 0;
}

static int fetch_contexts(struct contexts *c, struct build_request *req, struct err *err)
{
	int r = 0;

	if (is_remote(req->context)) {
		r = fetch_context(c, &req->context, err);
		req->fetched = true;
	}
	for (size_t i = 0; r == 0 && i < req->contexts.n; i++)
		if (is_remote(req->contexts.v[i].value))
			r = fetch_context(c, &req->contexts.v[i].value, err);
	return r < 0 ? err_wrap(err, r, "%s", req->name) : 0;
}

static bool has_remote(const struct build_request *req)
{
	bool has = is_remote(req->context);

	for (size_t i = 0; i < req->contexts.n; i++)
		has |= is_remote(req->contexts.v[i].value);
	return has;
}

int build_fetch(struct image_store *s, struct build_request *req, size_t n, bool offline,
		struct arena *a, struct image_work **work, struct err *err)
{
	struct contexts c = { .arena = a, .offline = offline };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!has_remote(&req[i]))
			continue;
		if (!c.work)
			r = image_work_open(s, &c.work, err);
		if (r == 0)
			r = fetch_contexts(&c, &req[i], err);
	}
	strs_clear(&c.addresses);
	strs_clear(&c.paths);
	*work = c.work;
	return r;
}
