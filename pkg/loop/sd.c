/* sd.c - the library behind a table; see sd.h */
#include "sd.h"

static struct sd_lib lib;

const struct sd_lib *sd_lib_get(struct err *err)
{
	static const struct lib_symbol symbols[] = { SD_LIB_FUNCTIONS(LIB_SYMBOL) };
	static struct lib file = { .soname = "libsystemd.so.0",
				   .needed =
					   "the event loop needs libsystemd (package libsystemd0)",
				   .symbols = symbols,
				   .n_symbols = ARRAY_LEN(symbols) };

	return lib_get(&file, err) < 0 ? NULL : &lib;
}
