/* curl.c - the library behind a table; see curl.h */
#include "curl.h"

static struct curl_lib lib;

static bool start(void)
{
	return lib.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct curl_lib *curl_lib_get(struct err *err)
{
	static const struct lib_symbol symbols[] = { CURL_LIB_FUNCTIONS(LIB_SYMBOL) };
	static struct lib file = { .soname = "libcurl.so.4",
				   .needed = "registries need libcurl (package libcurl4)",
				   .symbols = symbols,
				   .n_symbols = ARRAY_LEN(symbols),
				   .start = start };

	return lib_get(&file, err) < 0 ? NULL : &lib;
}
