/* options.c - mount options of a spec; see cdi.h */
#include "private.h"

#include <string.h>
#include <sys/mount.h>

int cdi_mount_flags(const struct cdi_mount *m, struct cdi_flags *out, const char **bad)
{
	static const struct {
		const char *name;
		unsigned set, clear;
	} attrs[] = {
		{ "ro", MOUNT_ATTR_RDONLY, 0 },
		{ "rw", 0, MOUNT_ATTR_RDONLY },
		{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
		{ "suid", 0, MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV, 0 },
		{ "dev", 0, MOUNT_ATTR_NODEV },
		{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
		{ "exec", 0, MOUNT_ATTR_NOEXEC },
		{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
		{ "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
		{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
		{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
		{ "diratime", 0, MOUNT_ATTR_NODIRATIME },
		{ "defaults", 0, 0 },
		{ "private", 0, 0 },
		{ "rprivate", 0, 0 },
	};
	struct cdi_flags f = { .recursive = true };

	for (size_t i = 0; i < m->n_options; i++) {
		const char *o = m->options[i];
		size_t k = 0;

		if (strcmp(o, "bind") == 0 || strcmp(o, "rbind") == 0) {
			f.recursive = *o == 'r';
			continue;
		}
		if (strcmp(o, "slave") == 0 || strcmp(o, "rslave") == 0) {
			f.slave = true;
			continue;
		}
		while (k < ARRAY_LEN(attrs) && strcmp(attrs[k].name, o) != 0)
			k++;
		if (k == ARRAY_LEN(attrs)) {
			*bad = o;
			return -EINVAL;
		}
		f.attrs = (f.attrs & ~attrs[k].clear) | attrs[k].set;
	}
	*out = f;
	return 0;
}
