/* Any bytes from the netlink socket: no crash, and a message cut short tells of nothing that the
 * whole one does not. */
#include <ctrcompose/net.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool lost = fw_watch_lost(data, size, "CC-1-");

	if (!lost && size && fw_watch_lost(data, size - 1, "CC-1-"))
		abort();
	return 0;
}
