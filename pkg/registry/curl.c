/* curl.c - the library behind a table; see curl.h */
#include "curl.h"

#include <pthread.h>

static struct curl_lib lib;
static struct err problem;

static void load(void)
{
	static const struct lib_symbol symbols[] = { CURL_LIB_FUNCTIONS(LIB_SYMBOL) };

	if (lib_open("libcurl.so.4", symbols, ARRAY_LEN(symbols), &problem) == 0 &&
	    lib.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		(void)err_set(&problem, -ENOTSUP, "it does not work here");
}

const struct curl_lib *curl_lib_get(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, load);
	if (!problem.code)
		return &lib;
	(void)err_set(err, problem.code, "registries need libcurl (package libcurl4): %s",
		      err_text(&problem));
	return NULL;
}
