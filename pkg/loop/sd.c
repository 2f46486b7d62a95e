/* sd.c - the library behind a table; see sd.h */
#include "sd.h"

#include <pthread.h>

static struct sd_lib lib;
static struct err problem;

static void load(void)
{
	static const struct lib_symbol symbols[] = { SD_LIB_FUNCTIONS(LIB_SYMBOL) };

	(void)lib_open("libsystemd.so.0", symbols, ARRAY_LEN(symbols), &problem);
}

const struct sd_lib *sd_lib_get(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, load);
	if (!problem.code)
		return &lib;
	(void)err_set(err, problem.code,
		      "the event loop needs libsystemd (package libsystemd0): %s",
		      err_text(&problem));
	return NULL;
}
