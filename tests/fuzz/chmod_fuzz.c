/* Any text as a symbolic mode, the first two bytes as the mode it changes: no crash; what comes out is a
 * mode, and one that was accepted is so whatever it changes. */
#include "../../pkg/build/private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mode_t before = size > 1 ? (mode_t)(data[0] << 8 | data[1]) : 0, file = 0, folder = 0;
	size_t skip = size > 1 ? 2 : size;
	auto_free char *text = xstrndup((const char *)data + skip, size - skip);
	int r = chmod_symbolic(text, before, false, &file);

	if (r != chmod_symbolic(text, before, true, &folder) ||
	    r != chmod_symbolic(text, ~before, true, &folder))
		abort();
	if (file & ~07777U || folder & ~07777U || (r != 0 && r != -EINVAL))
		abort();
	return 0;
}
