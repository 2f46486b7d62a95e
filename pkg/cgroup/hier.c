/* hier.c - files and folders of one hierarchy; see internal.h */
#include "internal.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SMALL_FILE (1U << 20)

char *hier_path(const struct hier *h, const char *path, const char *file)
{
	return xasprintf("%s%s%s%s%s", h->mount, *path ? "/" : "", path, file ? "/" : "",
			 file ? file : "");
}

bool hier_has(const struct hier *h, const char *path)
{
	auto_free char *dir = hier_path(h, path, NULL);

	return access(dir, F_OK) == 0;
}

int hier_read(const struct hier *h, const char *path, const char *file, char **out)
{
	auto_free char *name = hier_path(h, path, file);

	return file_read(AT_FDCWD, name, SMALL_FILE, out, NULL);
}

int hier_write(const struct hier *h, const char *path, const char *file, const char *value,
	       struct err *err)
{
	auto_free char *name = hier_path(h, path, file);
	int r = file_put(AT_FDCWD, name, value);

	return r < 0 ? err_set(err, r, "write '%s' to %s: %s", value, name, strerror(-r)) : 0;
}

int path_check(const char *path, struct err *err)
{
	const char *p = path;

	while (p) {
		const char *end = strchrnul(p, '/');
		size_t n = (size_t)(end - p);

		if (n == 0 || n > 255 || (n == 1 && *p == '.') ||
		    (n == 2 && memcmp(p, "..", 2) == 0))
			return err_set(err, -EINVAL, "'%s' is no path of a control group", path);
		p = *end ? end + 1 : NULL;
	}
	return 0;
}

bool backoff_wait(struct backoff *b)
{
	struct timespec ts;

	if (now_mono_us() >= b->deadline_us)
		return false;
	b->next_us = b->next_us == 0 ? 100 : b->next_us >= 5000 ? 10000 : b->next_us * 2;
	ts = (struct timespec){ 0, (long)b->next_us * 1000 };
	(void)nanosleep(&ts, NULL);
	return true;
}
