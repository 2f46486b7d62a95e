/* paths.c - where records are, who may change them, which there are; see state.h */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MKDIRS_US = 2000000 };

bool state_project_name_ok(const char *project)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	return project && *project && strchr(first, *project) && strlen(project) <= 255 &&
	       project[strspn(project, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static int use_folder(const char *variable, const char *otherwise, char **out, struct err *err)
{
	const char *value = getenv(variable);
	auto_free char *path = NULL;
	struct stat st;
	int r;

	if (!value || !*value)
		value = otherwise;
	if (*value != '/')
		return err_set(err, -EINVAL, "%s: '%s' is not an absolute path", variable, value);
	path = path_clean(value);
	r = path_mkdirs(path, 0700);
	if (r < 0)
		return err_set(err, r, "make folder %s: %s", path, strerror(-r));
	if (stat(path, &st) < 0)
		return err_errno(err, "look at folder %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, -ENOTDIR, "%s: is not a folder", path);
	/* Whoever can write here decides what we run, and whoever owns it can do so any time. */
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, -EPERM, "%s: belongs to the user %u", path,
			       (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, -EPERM, "%s: others may write there (mode %04o)", path,
			       (unsigned)st.st_mode & 07777);
	*out = steal(path);
	return 0;
}

int state_paths_open(struct state_paths *out, struct err *err)
{
	struct state_paths p = { NULL, NULL };
	int r = use_folder("CTRCOMPOSE_STATE", "/var/lib/ctrcompose", &p.state, err);

	if (r == 0)
		r = use_folder("CTRCOMPOSE_RUN", "/run/ctrcompose", &p.run, err);
	if (r < 0) {
		state_paths_clear(&p);
		return r;
	}
	*out = p;
	return 0;
}

void state_paths_clear(struct state_paths *p)
{
	free(steal(p->state));
	free(steal(p->run));
}

char *state_project_dir(const struct state_paths *p, const char *project)
{
	return xasprintf("%s/projects/%s", p->state, project);
}

char *state_run_dir(const struct state_paths *p, const char *project)
{
	return xasprintf("%s/%s", p->run, project);
}

/* The last family of the project may be taking the folders away in this moment. */
static int make_folder(const char *path)
{
	const uint64_t end = now_mono_us() + MKDIRS_US;
	int r;

	do
		r = path_mkdirs(path, 0700);
	while (r == -ENOENT && now_mono_us() < end);
	return r;
}

int state_dirs_make(const struct state_paths *p, const char *project, struct err *err)
{
	auto_free char *state = state_project_dir(p, project), *run = state_run_dir(p, project);
	auto_free char *live = path_join(run, "c");
	int r;

	if (!state_project_name_ok(project))
		return err_set(err, -EINVAL, "'%s' is not a valid project name", project);
	r = make_folder(state);
	if (r < 0)
		return err_set(err, r, "make folder %s: %s", state, strerror(-r));
	r = make_folder(live);
	return r < 0 ? err_set(err, r, "make folder %s: %s", live, strerror(-r)) : 0;
}

/* ---- Locks ---- */

/* Polls: a blocking flock can't be given a time limit without a signal or a thread. */
static int flock_within(int fd, uint64_t wait_us)
{
	uint64_t start = now_mono_us();
	struct timespec nap = { 0, 1000000 };

	if (wait_us == UINT64_MAX) {
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return -errno;
		return 0;
	}
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (now_mono_us() - start >= wait_us)
			return -EAGAIN;
		(void)nanosleep(&nap, NULL);
		if (nap.tv_nsec < 20000000)
			nap.tv_nsec *= 2;
	}
	return 0;
}

/* Whoever had it may have removed the file: then this is a lock on nothing. */
static bool still_linked(int fd, const char *file)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(file, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

/* For the sentence of those who find it taken. */
static void sign(int fd)
{
	auto_free char *me = xasprintf("%d\n", (int)getpid());

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, me, strlen(me), 0);
}

static int busy(const char *project, const char *file, struct err *err)
{
	auto_free char *holder = NULL;
	uint64_t pid;

	if (file_read(AT_FDCWD, file, 64, &holder, NULL) == 0)
		holder[strcspn(holder, "\n")] = '\0';
	if (holder && parse_u64(holder, &pid) == 0)
		return err_set(err, -EAGAIN, "project '%s' is being changed by process %s", project,
			       holder);
	return err_set(err, -EAGAIN, "project '%s' is being changed by another process", project);
}

int state_lock(const struct state_paths *p, const char *project, uint64_t wait_us, int *out,
	       struct err *err)
{
	auto_free char *dir = state_project_dir(p, project), *file = path_join(dir, "lock");
	int r;

	for (;;) {
		auto_close int fd = -1;

		r = state_dirs_make(p, project, err);
		if (r < 0)
			return r;
		fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_errno(err, "open %s", file);
		r = flock_within(fd, wait_us);
		if (r == -EAGAIN)
			return busy(project, file, err);
		if (r < 0)
			return err_set(err, r, "lock %s: %s", file, strerror(-r));
		if (!still_linked(fd, file))
			continue;
		sign(fd);
		*out = steal_fd(&fd);
		return 0;
	}
}

/* ---- Which there are ---- */

int state_list_projects(const struct state_paths *p, struct strs *out, struct err *err)
{
	auto_free char *parent = path_join(p->state, "projects");
	DIR *dir = opendir(parent);
	struct dirent *e;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return err_errno(err, "read folder %s", parent);
	while ((e = readdir(dir)) != NULL) {
		auto_free char *file = xasprintf("%s/state.json", e->d_name);

		if (state_project_name_ok(e->d_name) && faccessat(dirfd(dir), file, F_OK, 0) == 0)
			strs_add(out, e->d_name);
	}
	(void)closedir(dir);
	strs_sort(out);
	return 0;
}

/* Only what this module made: others keep their things beside it. */
static int remove_ours(const char *folder, bool (*ours)(const char *), struct err *err)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_errno(err, "read folder %s", folder);
	while (r == 0 && (e = readdir(dir)) != NULL) {
		if (!ours(e->d_name))
			continue;
		r = path_remove_tree(dirfd(dir), e->d_name);
		if (r < 0)
			r = err_set(err, r, "remove %s/%s: %s", folder, e->d_name, strerror(-r));
	}
	(void)closedir(dir);
	if (r == 0)
		(void)rmdir(folder);
	return r;
}

static bool ours_in_state(const char *name)
{
	return str_eq(name, "state.json") || str_starts(name, "state.json.tmp.") ||
	       str_starts(name, "uid.tmp.") || str_eq(name, "uid") || str_eq(name, "lock") ||
	       str_eq(name, "events") || str_eq(name, "events.1");
}

static bool ours_in_run(const char *name)
{
	return str_eq(name, "c") || str_eq(name, "exits") || str_starts(name, "exits.tmp.");
}

int state_project_remove(const struct state_paths *p, const char *project, struct err *err)
{
	auto_free char *state = state_project_dir(p, project), *run = state_run_dir(p, project);
	auto_free char *file = path_join(state, "state.json");
	int r;

	if (!state_project_name_ok(project))
		return err_set(err, -EINVAL, "'%s' is not a valid project name", project);
	/* The record goes first: whatever stops us now, the project is forgotten. */
	if (unlink(file) < 0 && errno != ENOENT)
		return err_errno(err, "remove %s", file);
	r = remove_ours(run, ours_in_run, err);
	return r < 0 ? r : remove_ours(state, ours_in_state, err);
}
