/* http.c - one request to one registry, with what every request has in common; see private.h */
#include "private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { TRIES = 4, RETRY_MAX_S = 20 };

static const char *const manifest_types[] = {
	"Accept: application/vnd.oci.image.index.v1+json",
	"Accept: application/vnd.docker.distribution.manifest.list.v2+json",
	"Accept: application/vnd.oci.image.manifest.v1+json",
	"Accept: application/vnd.docker.distribution.manifest.v2+json",
};

void reply_clear(struct reply *r)
{
	sbuf_clear(&r->body);
	free(r->challenge);
	free(r->media);
	free(r->location);
	*r = (struct reply){ 0 };
}

/* ---- Callbacks -------------------------------------------------------------------------------- */
static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
	struct reply *r = arg;

	if (r->body.len + n * one > r->max) {
		r->too_long = true;
		return 0;
	}
	sbuf_add(&r->body, data, n * one);
	return n * one;
}

static void take_header(const char *line, size_t len, const char *name, char **slot)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return;
	line += n + 1;
	len -= n + 1;
	while (len && isspace((unsigned char)*line))
		line++, len--;
	while (len && isspace((unsigned char)line[len - 1]))
		len--;
	free(*slot);
	*slot = xstrndup(line, len);
}

static size_t on_header(char *data, size_t one, size_t n, void *arg)
{
	struct reply *r = arg;
	auto_free char *after = NULL;

	if (n >= 5 && strncmp(data, "HTTP/", 5) == 0) { /* of the answer behind a redirection */
		auto_free_fn(&r->challenge);
		auto_free_fn(&r->media);
		r->challenge = r->media = NULL;
		r->body.len = 0;
	}
	take_header(data, n * one, "WWW-Authenticate", &r->challenge);
	take_header(data, n * one, "Content-Type", &r->media);
	take_header(data, n * one, "Location", &r->location);
	take_header(data, n * one, "Retry-After", &after);
	if (after)
		(void)parse_u64(after, &r->retry_after);
	return n * one;
}

struct upload {
	const struct request *q;
	struct err *err;
	uint64_t sent;
};

static size_t on_send(char *data, size_t one, size_t n, void *arg)
{
	struct upload *u = arg;
	ssize_t got = u->q->read(u->q->arg, data, one * n, u->err);

	if (got < 0)
		return CURL_READFUNC_ABORT;
	u->sent += (uint64_t)got;
	return (size_t)got;
}

/* ---- Handles ---------------------------------------------------------------------------------- */
char *http_url(const struct registry *r, const struct base *b, const char *path)
{
	if (strstr(path, "://"))
		return xstrdup(path);
	if (path[0] == '/')
		return xasprintf("%s%s", b->url, path);
	return xasprintf("%s/v2/%s/%s", b->url, r->repository, path);
}

void http_prepare(struct registry *r, const struct base *b, CURL *easy, bool login)
{
	const struct curl_lib *l = r->lib;

	l->curl_easy_reset(easy);
	curl_set_up(l, easy, b->insecure ? "https,http" : "https");
	if (b->ca)
		(void)l->curl_easy_setopt(easy, CURLOPT_CAINFO, b->ca);
	if (b->insecure) {
		(void)l->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)l->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (login && !b->token && b->user) {
		(void)l->curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		(void)l->curl_easy_setopt(easy, CURLOPT_USERNAME, b->user);
		(void)l->curl_easy_setopt(easy, CURLOPT_PASSWORD, b->password);
	}
}

/* libcurl leaves it out where a redirection leads to another host. */
struct curl_slist *http_authorization(struct registry *r, const struct base *b,
				      struct curl_slist *headers)
{
	auto_free char *line = NULL;

	if (!b->token)
		return headers;
	line = xasprintf("Authorization: Bearer %s", b->token);
	return r->lib->curl_slist_append(headers, line);
}

/* Credentials go to the place they are for, not where it sends us. */
static bool is_ours(const struct base *b, const char *url)
{
	size_t n = strlen(b->url);

	return !strstr(url, "://") ||
	       (strncmp(url, b->url, n) == 0 && (url[n] == '\0' || url[n] == '/' || url[n] == '?'));
}

static struct curl_slist *headers_of(struct registry *r, const struct base *b,
				     const struct request *q)
{
	struct curl_slist *h = NULL;

	for (size_t i = 0; q->manifest && i < ARRAY_LEN(manifest_types); i++)
		h = r->lib->curl_slist_append(h, manifest_types[i]);
	if (q->media) {
		auto_free char *line = xasprintf("Content-Type: %s", q->media);

		h = r->lib->curl_slist_append(h, line);
	}
	/* Neither "100-continue", which some registries never answer, nor an empty body in chunks. */
	h = r->lib->curl_slist_append(h, "Expect:");
	return is_ours(b, q->url) ? http_authorization(r, b, h) : h;
}

static void set_method(struct registry *r, const struct request *q, struct upload *u)
{
	const struct curl_lib *l = r->lib;

	if (strcmp(q->method, "HEAD") == 0) {
		(void)l->curl_easy_setopt(r->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (strcmp(q->method, "GET") == 0)
		return;
	if (q->read) {
		(void)l->curl_easy_setopt(r->easy, CURLOPT_UPLOAD, 1L);
		(void)l->curl_easy_setopt(r->easy, CURLOPT_READFUNCTION, on_send);
		(void)l->curl_easy_setopt(r->easy, CURLOPT_READDATA, u);
		(void)l->curl_easy_setopt(r->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->size);
	} else {
		(void)l->curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, q->text ? q->text : "");
		(void)l->curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->len);
	}
	(void)l->curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, q->method);
	/* Where an upload goes on is the caller's decision. */
	(void)l->curl_easy_setopt(r->easy, CURLOPT_FOLLOWLOCATION, 0L);
}

static int once(struct registry *r, struct base *b, const struct request *q, struct reply *out,
		struct err *err)
{
	const struct curl_lib *l = r->lib;
	struct upload u = { .q = q, .err = err };
	struct curl_slist *headers = headers_of(r, b, q);
	auto_free char *url = http_url(r, b, q->url);
	char text[CURL_ERROR_SIZE] = "";
	CURLcode c;

	reply_clear(out);
	out->max = q->max ? q->max : 64 << 10;
	http_prepare(r, b, r->easy, is_ours(b, q->url));
	(void)l->curl_easy_setopt(r->easy, CURLOPT_URL, url);
	(void)l->curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, headers);
	(void)l->curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, text);
	(void)l->curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)l->curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, out);
	(void)l->curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)l->curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, out);
	set_method(r, q, &u);
	c = l->curl_easy_perform(r->easy);
	(void)l->curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &out->status);
	l->curl_slist_free_all(headers);
	if (c == CURLE_ABORTED_BY_CALLBACK)
		return err->code ? err->code : -EINTR;
	if (out->too_long)
		return err_set(err, E2BIG, "%s: the answer is longer than %zu bytes", b->host,
			       out->max);
	if (c != CURLE_OK)
		return err_set(err, c == CURLE_COULDNT_RESOLVE_HOST ? EHOSTUNREACH : EREMOTEIO,
			       "%s: %s", b->host, *text ? text : l->curl_easy_strerror(c));
	return 0;
}

/* A registry that is allowed to be without TLS may have none. */
static bool without_tls(struct base *b)
{
	char *old = b->url;

	if (!b->insecure || !str_starts(b->url, "https://"))
		return false;
	b->url = xasprintf("http://%s", b->host);
	free(old);
	return true;
}

bool http_busy(const struct reply *reply)
{
	return reply->status == 429 || reply->status == 502 || reply->status == 503 ||
	       reply->status == 504;
}

void http_pause(const struct reply *reply, unsigned tries)
{
	(void)usleep(reply->retry_after && reply->retry_after <= RETRY_MAX_S
			     ? (useconds_t)reply->retry_after * 1000000U
			     : 200000U << tries);
}

int http_do(struct registry *r, struct base *b, const struct request *q, struct reply *out,
	    struct err *err)
{
	bool answered = false;

	for (unsigned i = 0;; i++) {
		int result;

		err_clear(err);
		result = once(r, b, q, out, err);
		if (result == -EREMOTEIO && without_tls(b))
			continue;
		if (result == 0 && out->status == 401 && out->challenge && !answered) {
			auto_free char *challenge = steal(out->challenge);

			answered = true;
			result = auth_answer(r, b, challenge, err);
			if (result == 0 && !q->read)
				continue;
			if (result == -EACCES) { /* the caller says what was refused */
				err_clear(err);
				return 0;
			}
			if (result < 0)
				return result;
		}
		if (i + 1 >= TRIES || q->read || result == -E2BIG || result == -EINTR ||
		    (result == 0 && !http_busy(out)))
			return result;
		http_pause(out, i);
	}
}

int http_refused(const struct registry *r, const struct reply *reply, const char *what,
		 struct err *err)
{
	auto_json struct json *j = NULL;
	const char *said = NULL;

	if (reply->body.len && json_parse(reply->body.s, reply->body.len, &j, NULL) == 0)
		said = json_str(json_first(json_get(j, "errors")), "message", NULL);
	if (reply->status == 401 || reply->status == 403)
		return err_set(
			err, EACCES,
			"%s/%s: %s: access denied: it does not exist, or wants credentials "
			"that %s/config.json does not have for %s (`docker login`, `skopeo login "
			"--authfile` or `podman login --authfile` writes them)",
			r->host, r->repository, what,
			r->docker_config ? r->docker_config : "~/.docker", r->host);
	if (reply->status == 404)
		return err_set(err, ENOENT, "%s/%s: %s: not found%s%s", r->host, r->repository,
			       what, said ? ": " : "", said ? said : "");
	return err_set(err, EREMOTEIO, "%s/%s: %s: the registry answers %ld%s%s", r->host,
		       r->repository, what, reply->status, said ? ": " : "", said ? said : "");
}
