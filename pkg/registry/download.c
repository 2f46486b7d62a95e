/* download.c - one file by its address, for ADD; see registry.h */
#include "curl.h"

#include <ctrcompose/registry.h>
#include <string.h>

#define BYTES_MAX (64ULL << 30)

struct download {
	int fd, failed;
	uint64_t bytes;
	struct digest *digest;
	const volatile bool *cancelled;
};

static size_t on_data(char *data, size_t one, size_t n, void *arg)
{
	struct download *d = arg;
	size_t len = one * n;

	d->bytes += len;
	d->failed = d->bytes > BYTES_MAX ? -EFBIG : fd_write_all(d->fd, data, len);
	if (d->failed < 0)
		return 0;
	digest_add(d->digest, data, len);
	return len;
}

static int on_progress(void *arg, curl_off_t all, curl_off_t now, curl_off_t up_all, curl_off_t up)
{
	const struct download *d = arg;

	(void)all, (void)now, (void)up_all, (void)up;
	return d->cancelled && *d->cancelled;
}

static void prepare(const struct curl_lib *l, CURL *easy, const char *url, struct download *d,
		    char *text)
{
	/* From https nothing leads back to http. */
	curl_set_up(l, easy, str_starts(url, "https://") ? "https" : "http,https");
	(void)l->curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)l->curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	(void)l->curl_easy_setopt(easy, CURLOPT_FILETIME, 1L);
	(void)l->curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text);
	(void)l->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
	(void)l->curl_easy_setopt(easy, CURLOPT_WRITEDATA, d);
	(void)l->curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	(void)l->curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)l->curl_easy_setopt(easy, CURLOPT_XFERINFODATA, d);
}

int registry_download(const char *url, int fd, const volatile bool *cancelled, char hex[DIGEST_HEX],
		      int64_t *when, struct err *err)
{
	const struct curl_lib *l = curl_lib_get(err);
	CURL *easy = l ? l->curl_easy_init() : NULL;
	struct download d = { .fd = fd, .cancelled = cancelled };
	char text[CURL_ERROR_SIZE] = "";
	curl_off_t time = -1;
	CURLcode c;

	if (!l)
		return err->code;
	if (!easy)
		return err_set(err, ENOMEM, "libcurl gives no handle");
	d.digest = digest_new();
	prepare(l, easy, url, &d, text);
	c = l->curl_easy_perform(easy);
	(void)l->curl_easy_getinfo(easy, CURLINFO_FILETIME_T, &time);
	l->curl_easy_cleanup(easy);
	digest_end(d.digest, hex);
	*when = time > 0 ? time : 0;
	if (d.failed < 0)
		return err_set(err, d.failed, "%s: write: %s", url, strerror(-d.failed));
	if (c == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, EINTR, "interrupted");
	return c == CURLE_OK ? 0
			     : err_set(err, EREMOTEIO, "%s: %s", url,
				       *text ? text : l->curl_easy_strerror(c));
}
