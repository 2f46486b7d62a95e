/* Any text as an item of cache_from and cache_to: no crash; a folder that is taken is part of the text, and
 * what another type says is no error. */
#include <ctrcompose/build.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	const char *text = arena_strndup(&a, (const char *)data, size);

	for (int to = 0; to < 2; to++) {
		struct build_cache c;
		int r = build_cache_parse(&a, text, to, &c, NULL);

		if (r < 0 && !strstr(text, "type=local"))
			abort();
		if (r == 0 && ((c.local && !strstr(text, c.path)) || (c.all && !to)))
			abort();
	}
	return 0;
}
