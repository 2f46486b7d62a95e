/* Rules before the first NUL, paths after it: matching ends, and a folder's answer is that of all
 * below it where no rule takes anything back. */
#include <ctrcompose/dockerfile.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, 0, size);
	auto_df_ignore struct df_ignore *ig = NULL;
	auto_free char *path = NULL, *clean = NULL, *below = NULL;

	if (!nul || size > 2048)
		return 0;
	if (df_ignore_parse("i", (const char *)data, (size_t)(nul - data), &ig, NULL) < 0)
		return 0;
	path = xstrndup((const char *)nul + 1, size - (size_t)(nul + 1 - data));
	clean = path_clean(path);
	below = xasprintf("%s/x", clean);
	if (df_ignored(ig, clean) && !df_ignore_has_exceptions(ig) && !df_ignored(ig, below))
		abort();
	return 0;
}
