/* curl.c - the library behind a table; see curl.h */
#include "curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static struct curl_lib lib;
static char *lib_problem;

static bool load_symbol(void *handle, const char *name, void *slot)
{
	void *symbol = dlsym(handle, name);

	memcpy(slot, &symbol, sizeof(symbol)); /* ISO C has no cast from object to function */
	return symbol != NULL;
}

static void load(void)
{
	void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	bool ok = handle != NULL;

#define LOAD(name) ok = ok && load_symbol(handle, #name, &lib.name);
	CURL_LIB_FUNCTIONS(LOAD)
#undef LOAD
	if (!ok) {
		const char *why = dlerror();

		lib_problem = xstrdup(why ? why : "libcurl.so.4 lacks a function");
	} else if (lib.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		lib_problem = xstrdup("libcurl does not work here");
	}
}

const struct curl_lib *curl_lib_get(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, load);
	if (!lib_problem)
		return &lib;
	(void)err_set(err, ENOTSUP, "registries need libcurl (package libcurl4): %s", lib_problem);
	return NULL;
}
