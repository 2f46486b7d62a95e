/* fetch.c - addresses of ADD, as files of a folder; see private.h */
#include "private.h"

#include <ctrcompose/registry.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool is_address(const char *word)
{
	return str_starts(word, "http://") || str_starts(word, "https://");
}

/* "https://host/a/b.tar?x=1" is b.tar. */
static char *name_of(const char *url)
{
	const char *path = strstr(url, "://") + 3;
	size_t n = strcspn(path, "?#");
	size_t at = n;

	while (at > 0 && path[at - 1] != '/')
		at--;
	return at > 0 && at < n ? xstrndup(path + at, n - at) : NULL;
}

static int fetch(const struct stage *s, int dir, const char *url, const char *name,
		 const char *checksum, struct err *err)
{
	auto_close int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct timespec times[2] = { 0 };
	char hex[DIGEST_HEX];
	int64_t when = 0;
	int r;

	if (fd < 0)
		return err_errno(err, "%s: make '%s'", url, name);
	r = registry_download(url, fd, s->b->all->w->cancelled, hex, &when, err);
	if (r < 0)
		return r;
	if (checksum && strcmp(checksum + strlen("sha256:"), hex) != 0)
		return err_set(err, EBADMSG, "%s: it has the digest sha256:%s, not %s", url, hex,
			       checksum);
	times[0].tv_sec = times[1].tv_sec = when;
	return futimens(fd, times) < 0 ? err_errno(err, "%s", url) : 0;
}

static int check(const struct stage *s, const struct strs *urls, const char *checksum,
		 struct err *err)
{
	if (s->b->all->w->offline)
		return err_set(err, ENETUNREACH, "--offline is given, so %s is not fetched",
			       urls->v[0]);
	if (checksum &&
	    (!str_starts(checksum, "sha256:") || !digest_hex_ok(checksum + strlen("sha256:"))))
		return err_set(err, EINVAL, "--checksum=%s is not sha256: and 64 digits", checksum);
	return 0;
}

static int new_folder(struct stage *s, char name[24], struct err *err)
{
	struct builder *b = s->b->all;
	int r = b->work ? 0 : image_work_open(b->w->images, &b->work, err);

	(void)snprintf(name, 24, "fetched%u", ++b->names);
	return r;
}

int fetch_repository(struct stage *s, const char *address, const char *keep, const char *commit,
		     int *dir, struct err *err)
{
	struct git_how how = { .address = address,
			       .commit = commit,
			       .keep = keep && strcmp(keep, "false") != 0,
			       .offline = s->b->all->w->offline };
	auto_free char *path = NULL;
	char folder[24];
	int r = new_folder(s, folder, err);

	if (r == 0)
		r = git_fetch(image_work_fd(s->b->all->work), folder, &how, &path, err);
	if (r < 0)
		return r;
	*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *dir < 0 ? err_errno(err, "%s", address) : 0;
}

int fetch_all(struct stage *s, const struct strs *urls, const char *checksum, struct strs *names,
	      int *dir, struct err *err)
{
	struct builder *b = s->b->all;
	char folder[24];
	int r = check(s, urls, checksum, err);

	if (r == 0)
		r = new_folder(s, folder, err);
	if (r < 0)
		return r;
	if (mkdirat(image_work_fd(b->work), folder, 0700) < 0)
		return err_errno(err, "make a folder");
	*dir = openat(image_work_fd(b->work), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0)
		return err_errno(err, "make a folder");
	for (size_t i = 0; r == 0 && i < urls->n; i++) {
		auto_free char *name = name_of(urls->v[i]);

		if (!name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			return err_set(err, EINVAL, "%s: it has no name of a file", urls->v[i]);
		strs_add(names, name);
		r = fetch(s, *dir, urls->v[i], name, checksum, err);
	}
	return r;
}
