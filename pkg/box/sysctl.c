/* sysctl.c - which sysctls are a container's own; see private.h */
#include "private.h"

#include <string.h>

/* A name that ends in a dot stands for all below it. */
static const char *const of_ipc[] = {
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",          "kernel.sem", "kernel.shmall",
	"kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced", "fs.mqueue.",
};

static bool is_in(const char *key, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		if (names[i][len - 1] == '.' ? strncmp(key, names[i], len) == 0
					     : strcmp(key, names[i]) == 0)
			return true;
	}
	return false;
}

static bool well_formed(const char *key)
{
	return *key && strlen(key) < 200 && key[0] != '.' && key[0] != '/' && !strstr(key, "..") &&
	       !strstr(key, "//") && !strstr(key, "./") && !strstr(key, "/.");
}

const char *sysctl_refused(const struct box_spec *spec, const char *key)
{
	if (!well_formed(key))
		return "is not the name of a sysctl";
	if (strncmp(key, "net.", 4) == 0)
		return spec->net == BOX_NET_NEW || spec->net == BOX_NET_NONE
			       ? NULL
			       : "needs a network namespace of its own";
	if (is_in(key, of_ipc, ARRAY_LEN(of_ipc)))
		return spec->ipc == BOX_OWN ? NULL : "needs an IPC namespace of its own";
	if (strcmp(key, "kernel.domainname") == 0)
		return spec->uts_host ? "needs a UTS namespace of its own" : NULL;
	if (strcmp(key, "kernel.hostname") == 0)
		return "is what hostname is for";
	return "belongs to the whole host";
}
