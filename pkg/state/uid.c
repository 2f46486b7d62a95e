/* uid.c - which range of ids belongs to which project; see state.h */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The slot in <dir>/<project>/uid, or -1. */
static int64_t slot_of(int dirfd, const char *project)
{
	auto_free char *file = xasprintf("%s/uid", project);
	auto_free char *text = NULL;
	uint64_t base;

	if (file_read(dirfd, file, 64, &text, NULL) < 0)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	if (parse_u64(text, &base) < 0 || base < STATE_UID_FIRST ||
	    (base - STATE_UID_FIRST) % STATE_UID_COUNT ||
	    (base - STATE_UID_FIRST) / STATE_UID_COUNT >= STATE_UID_SLOTS)
		return -1;
	return (int64_t)(base - STATE_UID_FIRST) / STATE_UID_COUNT;
}

static int scan_taken(const char *parent, bool taken[STATE_UID_SLOTS], struct err *err)
{
	DIR *dir = opendir(parent);
	struct dirent *e;

	if (!dir)
		return err_errno(err, "read folder %s", parent);
	while ((e = readdir(dir)) != NULL) {
		int64_t slot =
			state_project_name_ok(e->d_name) ? slot_of(dirfd(dir), e->d_name) : -1;

		if (slot >= 0)
			taken[slot] = true;
	}
	(void)closedir(dir);
	return 0;
}

static int take_slot(const char *parent, const char *project, uint32_t *out, struct err *err)
{
	auto_free char *file = xasprintf("%s/%s/uid", parent, project);
	auto_free char *text = NULL;
	bool taken[STATE_UID_SLOTS] = { false };
	/* The same project gets the same ids again where it can. */
	uint64_t start = str_hash(project) % STATE_UID_SLOTS;
	int r = scan_taken(parent, taken, err);

	if (r < 0)
		return r;
	for (uint64_t i = 0; i < STATE_UID_SLOTS; i++) {
		uint64_t slot = (start + i) % STATE_UID_SLOTS;

		if (taken[slot])
			continue;
		*out = (uint32_t)(STATE_UID_FIRST + slot * STATE_UID_COUNT);
		text = xasprintf("%u\n", *out);
		r = file_replace(AT_FDCWD, file, text, strlen(text), 0600, true);
		return r < 0 ? err_set(err, r, "write %s: %s", file, strerror(-r)) : 0;
	}
	return err_set(err, -ENOSPC, "all %u ranges of user ids are taken by other projects",
		       STATE_UID_SLOTS);
}

int state_alloc_uid_base(const struct state_paths *p, const char *project, uint32_t *out,
			 struct err *err)
{
	auto_free char *parent = path_join(p->state, "projects");
	auto_free char *lock = path_join(p->state, "uid.lock");
	auto_close int dir = -1, fd = -1;
	int64_t slot;
	int r = state_dirs_make(p, project, err);

	if (r < 0)
		return r;
	dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open folder %s", parent);
	slot = slot_of(dir, project);
	if (slot >= 0) {
		*out = (uint32_t)(STATE_UID_FIRST + (uint64_t)slot * STATE_UID_COUNT);
		return 0;
	}
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, "open %s", lock);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(err, "lock %s", lock);
	return take_slot(parent, project, out, err);
}
