/* Any text as a cgroup_parent: no crash; what is taken is a clean path, and as a name means itself. */
#include <ctrcompose/cgroup.h>

#include <stdlib.h>
#include <string.h>

static void check(const char *name, bool systemd)
{
	auto_free char *path = NULL, *again = NULL;
	bool slice = false, still = false;

	if (cgroup_parent_path(name, systemd, &path, &slice, NULL) < 0)
		return;
	if (*path == '/' || strstr(path, "//") || str_ends(path, "/") || strstr(path, "/../") ||
	    str_starts(path, "../") || str_ends(path, "/.."))
		abort();
	if (*path && (cgroup_parent_path(path, systemd, &again, &still, NULL) < 0 ||
		      strcmp(path, again) != 0 || still != slice))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);

	check(text, false);
	check(text, true);
	return 0;
}
