/* Any text as io.stat or blkio.throttle.io_service_bytes: no crash; what is counted of it twice is twice
 * as much. */
#include <ctrcompose/cgroup.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	auto_free char *twice = xasprintf("%s\n%s", text, text);
	uint64_t in, out, in2, out2;

	cgroup_io_sum(text, &in, &out);
	cgroup_io_sum(twice, &in2, &out2);
	if (in2 != 2 * in || out2 != 2 * out)
		abort();
	return 0;
}
