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

void curl_set_up(const struct curl_lib *l, CURL *easy, const char *protocols)
{
	enum { CONNECT_S = 15, STALLED_S = 30, REDIRECTS_MAX = 10 };

	(void)l->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)l->curl_easy_setopt(easy, CURLOPT_USERAGENT, "ctrcompose/" CTRCOMPOSE_VERSION);
	(void)l->curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	(void)l->curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)l->curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
	(void)l->curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	(void)l->curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	(void)l->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
	(void)l->curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
}
