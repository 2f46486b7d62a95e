/* curl.h - libcurl, loaded when first needed: it brings two dozen libraries that cost every start of a
 * process milliseconds, and only pulls and pushes have a use for them. */
#ifndef CTRCOMPOSE_REGISTRY_CURL_H
#define CTRCOMPOSE_REGISTRY_CURL_H

#include <ctrcompose/base.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

/* One line per function used; typed by libcurl's own header. */
#define CURL_LIB_FUNCTIONS(X)       \
	X(curl_global_init)         \
	X(curl_easy_init)           \
	X(curl_easy_cleanup)        \
	X(curl_easy_reset)          \
	X(curl_easy_setopt)         \
	X(curl_easy_getinfo)        \
	X(curl_easy_perform)        \
	X(curl_easy_strerror)       \
	X(curl_easy_escape)         \
	X(curl_free)                \
	X(curl_slist_append)        \
	X(curl_slist_free_all)      \
	X(curl_multi_init)          \
	X(curl_multi_cleanup)       \
	X(curl_multi_add_handle)    \
	X(curl_multi_remove_handle) \
	X(curl_multi_perform)       \
	X(curl_multi_poll)          \
	X(curl_multi_info_read)     \
	X(curl_multi_strerror)

struct curl_lib {
	CURL_LIB_FUNCTIONS(LIB_FIELD)
};

/* NULL with err set when it cannot be loaded. */
const struct curl_lib *curl_lib_get(struct err *err);
/* What all transfers have in common; protocols: "https" or "http,https", of redirections as well. */
void curl_set_up(const struct curl_lib *l, CURL *easy, const char *protocols);

#endif
