/* Any mountinfo, /proc/cgroups and cgroup.controllers, divided by NULs: no crash, and what comes
 * out is an absolute path per hierarchy with no controller in both. */
#include <ctrcompose/cgroup.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xmalloc(size + 3);
	const char *cgroups, *controllers;
	struct cgroup_layout l;

	memcpy(text, data, size);
	memset(text + size, 0, 3);
	cgroups = text + strlen(text) + 1;
	controllers = cgroups < text + size ? cgroups + strlen(cgroups) + 1 : NULL;
	if (controllers && controllers >= text + size)
		controllers = NULL;
	if (cgroup_layout_parse(text, cgroups, controllers, &l, NULL) < 0)
		return 0;
	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
		if ((l.v1[c] && (l.v1[c][0] != '/' || l.v2[c])) || (l.v2[c] && !l.unified))
			abort();
	cgroup_layout_clear(&l);
	return 0;
}
