/* lsm.c - what other security modules of the kernel add: AppArmor, SELinux; see box.h, private.h */
#include "private.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define APPARMOR "/sys/module/apparmor/parameters/enabled"
#define PROFILES "/sys/kernel/security/apparmor/profiles"
#define STACKED  "//&"

enum { PROFILES_MAX = 4 << 20 };

static bool listed(const char *text, const char *name, size_t len)
{
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		if (n > len && strncmp(line, name, len) == 0 && str_starts(line + len, " ("))
			return true;
		line += n + (line[n] == '\n');
	}
	return false;
}

/* Several that hold together are written a//&b. */
bool apparmor_listed(const char *text, const char *profile)
{
	for (;;) {
		const char *next = strstr(profile, STACKED);

		if (!listed(text, profile, next ? (size_t)(next - profile) : strlen(profile)))
			return false;
		if (!next)
			return true;
		profile = next + strlen(STACKED);
	}
}

int box_apparmor_check(const char *profile, struct err *err)
{
	auto_free char *enabled = NULL, *text = NULL;

	if (file_read(AT_FDCWD, APPARMOR, 64, &enabled, NULL) < 0)
		return err_set(err, EOPNOTSUPP, "this kernel has no AppArmor");
	if (*enabled != 'Y')
		return err_set(err, EOPNOTSUPP, "AppArmor is switched off in this kernel");
	/* Where it can't be read the kernel tells at the exec. */
	if (strcmp(profile, "unconfined") == 0 ||
	    file_read(AT_FDCWD, PROFILES, PROFILES_MAX, &text, NULL) < 0)
		return 0;
	if (!apparmor_listed(text, profile))
		return err_set(err, ENOENT,
			       "no AppArmor profile '%s' is loaded: apparmor_parser loads it",
			       profile);
	return 0;
}

int child_proc(int ctl)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		child_fail(ctl, -errno, "take the profile or label of the program: /proc");
	if (fs.f_type != PROC_SUPER_MAGIC)
		child_fail(ctl, 0,
			   "take the profile or label of the program: /proc is not the kernel's");
	return fd;
}

size_t label_option(struct fs_opt *opts, size_t n, const char *label)
{
	if (label)
		opts[n++] = (struct fs_opt){ "context", label };
	return n;
}

void label_root(int mnt, const char *label)
{
	auto_close int fd = label ? openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0)
		(void)fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0);
}
