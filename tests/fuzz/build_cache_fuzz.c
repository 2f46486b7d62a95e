/* Any text as an item of cache_from and cache_to: no crash; a place that is taken is part of the text, and
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
		struct build_cache c = { 0 };
		int r = build_cache_parse(&a, text, to, &c, NULL);

		if (r < 0 && strchr(text, '=') && !strstr(text, "type="))
			abort();
		if (r == 0 && c.where && (!*c.where || !strstr(text, c.where)))
			abort();
		if (r == 0 &&
		    (!c.where) != (c.type == BUILD_CACHE_OTHER || c.type == BUILD_CACHE_INLINE))
			abort();
		if (r == 0 && c.all && !to)
			abort();
	}
	return 0;
}
