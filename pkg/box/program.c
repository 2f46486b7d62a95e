/* program.c - the working folder, the environment and the program's file; see private.h */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- Working folder --------------------------------------------------------------------------- */
int cwd_make(int root_fd, const char *cwd)
{
	auto_close int fd = cwd && *cwd ? path_mkdirs_in(root_fd, cwd, 0755) : -1;

	return cwd && *cwd && fd < 0 ? fd : 0;
}

/* By openat2: a link of proc such as /proc/self/fd/7 would lead out of the container. */
int cwd_enter(const char *cwd)
{
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *path = cwd && *cwd ? cwd : "/";
	auto_close int fd = -1;
	int r;

	if (root < 0)
		return -errno;
	fd = path_open_in(root, path, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT) {
		r = cwd_make(root, path);
		if (r < 0)
			return r;
		fd = path_open_in(root, path, O_PATH | O_DIRECTORY, 0);
	}
	if (fd < 0)
		return fd;
	return fchdir(fd) < 0 ? -errno : 0;
}

/* ---- Environment ------------------------------------------------------------------------------ */
static const char *env_get(const char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

const char **program_env(const struct box_process *p, const char *home)
{
	size_t n = 0;
	const char **out;

	while (p->env && p->env[n])
		n++;
	out = xcalloc(n + 2, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = p->env[i];
	if (!env_get(p->env, "HOME"))
		out[n] = xasprintf("HOME=%s", home);
	return out;
}

/* ---- File ------------------------------------------------------------------------------------- */
/* 0 and *out, or what stands in the way of dir/name. */
static int look_in(const char *dir, size_t len, const char *name, char **out)
{
	auto_free char *full = xasprintf("%.*s/%s", len ? (int)len : 1, len ? dir : ".", name);
	struct stat st;

	if (stat(full, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || access(full, X_OK) < 0)
		return -EACCES;
	*out = steal(full);
	return 0;
}

char *program_look_up(int ctl, const struct box_process *p)
{
	const char *name = p->argv[0];
	const char *path = env_get(p->env, "PATH");
	bool found = false;

	if (name[0] == '\0')
		child_fail_exec(ctl, -ENOENT, "exec: \"\"");
	if (strchr(name, '/'))
		return xstrdup(name);
	for (const char *dir = path ? path : PATH_DEFAULT;;) {
		size_t len = strcspn(dir, ":");
		char *full = NULL;
		int r = look_in(dir, len, name, &full);

		if (r == 0)
			return full;
		found = found || r == -EACCES;
		if (dir[len] == '\0')
			break;
		dir += len + 1;
	}
	if (found)
		child_fail_exec(ctl, -EACCES, "exec: \"%s\"", name);
	child_fail_exec(ctl, 0, "exec: \"%s\": executable file not found in $PATH", name);
}
