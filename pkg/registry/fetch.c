/* fetch.c - several blobs at once, each into its file, with its digest; see registry.h */
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 4, TRIES = 6, POLL_MS = 100 };

struct transfer {
	struct fetch *all;
	struct registry_blob *blob;
	CURL *easy;
	struct curl_slist *headers;
	struct digest *digest;
	uint64_t have, best; /* best: the furthest it ever came */
	unsigned tries;
	uint64_t not_before_us; /* a pause after a failure */
	bool active, done, begun;
	int failed; /* of our own: the file, or a size that is wrong */
	char text[CURL_ERROR_SIZE];
};

struct fetch {
	struct registry *r;
	struct base *base;
	const struct registry_fetch *ask;
	CURLM *multi;
	struct transfer *v;
	size_t active;
	uint64_t bytes, total;
	bool answered; /* a challenge, since bytes came */
	bool ours;     /* what failed is not the registry: another one would not help */
};

static void start_over(struct transfer *t)
{
	t->all->bytes -= t->have;
	t->have = 0;
	digest_free(t->digest);
	t->digest = digest_new();
	if (ftruncate(t->blob->fd, 0) < 0 || lseek(t->blob->fd, 0, SEEK_SET) < 0)
		t->failed = -errno;
}

static size_t on_data(char *data, size_t one, size_t n, void *arg)
{
	struct transfer *t = arg;
	const struct curl_lib *l = t->all->r->lib;
	size_t len = one * n;
	long status = 0;

	(void)l->curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200 && status != 206)
		return len; /* the text of an error */
	if (!t->begun && status == 200 && t->have)
		start_over(t); /* it does not know ranges */
	t->begun = true;
	if (t->have + len > t->blob->size)
		t->failed = -EFBIG;
	if (t->failed == 0)
		t->failed = fd_write_all(t->blob->fd, data, len);
	if (t->failed < 0)
		return 0;
	digest_add(t->digest, data, len);
	t->have += len;
	t->all->bytes += len;
	t->all->answered = false;
	return len;
}

static void begin(struct fetch *f, struct transfer *t)
{
	const struct curl_lib *l = f->r->lib;
	auto_free char *path = xasprintf("blobs/sha256:%s", t->blob->hex);
	auto_free char *url = http_url(f->r, f->base, path);

	if (!t->easy)
		t->easy = l->curl_easy_init();
	if (!t->easy)
		return;
	http_prepare(f->r, f->base, t->easy, true);
	l->curl_slist_free_all(t->headers);
	t->headers = http_authorization(f->r, f->base, NULL);
	t->text[0] = '\0';
	(void)l->curl_easy_setopt(t->easy, CURLOPT_URL, url);
	(void)l->curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	(void)l->curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->text);
	(void)l->curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_data);
	(void)l->curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	(void)l->curl_easy_setopt(t->easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)t->have);
	t->begun = false;
	if (l->curl_multi_add_handle(f->multi, t->easy) == CURLM_OK) {
		t->active = true;
		f->active++;
	}
}

static int whole(struct fetch *f, struct transfer *t, struct err *err)
{
	char hex[DIGEST_HEX];
	int r;

	digest_end(steal(t->digest), hex);
	if (strcmp(hex, t->blob->hex) != 0)
		return err_set(
			err, EBADMSG,
			"%s/%s: the registry gives bytes with the digest sha256:%s for sha256:%s",
			f->r->host, f->r->repository, hex, t->blob->hex);
	f->ours = true;
	if (lseek(t->blob->fd, 0, SEEK_SET) < 0)
		return err_errno(err, "read a blob");
	t->done = true;
	r = f->ask->done(f->ask->arg, (size_t)(t - f->v), err);
	f->ours = r < 0;
	return r;
}

/* The connection broke, the registry is busy, or wants a token: again, from where it was. */
static int again(struct fetch *f, struct transfer *t, CURLcode c, long status, struct err *err)
{
	auto_reply struct reply reply = { .status = status };
	bool moved = t->have > t->best;

	if (status == 401 && !f->answered) {
		auto_free char *what = xasprintf("blobs/sha256:%s", t->blob->hex);
		struct request q = { .method = "HEAD", .url = what };
		int r = http_do(f->r, f->base, &q, &reply, err);

		f->answered = true;
		return r;
	}
	/* It has no ranges, says so or gives all of it. That it moves counts from where it ever was:
	 * one that breaks off at the same place each time is given up. */
	t->best = moved ? t->have : t->best;
	t->tries = moved ? 1 : t->tries + 1;
	if (t->have && t->tries < TRIES && (status == 416 || c == CURLE_RANGE_ERROR)) {
		start_over(t);
		return t->failed;
	}
	t->not_before_us = now_mono_us() + (100000ULL << t->tries);
	if ((c != CURLE_OK || status >= 500 || status == 429) && t->tries < TRIES)
		return 0;
	if (c != CURLE_OK && (status == 0 || status == 200 || status == 206))
		return err_set(err, EREMOTEIO, "%s: %s", f->base->host,
			       *t->text ? t->text : f->r->lib->curl_easy_strerror(c));
	return http_refused(f->r, &reply, t->blob->hex, err);
}

static struct transfer *of_handle(const struct fetch *f, const CURL *easy)
{
	for (size_t i = 0; i < f->ask->n; i++)
		if (f->v[i].easy == easy)
			return &f->v[i];
	return NULL;
}

static int ended(struct fetch *f, const CURLMsg *m, struct err *err)
{
	struct transfer *t = of_handle(f, m->easy_handle);
	CURLcode c = m->data.result;
	long status = 0;

	if (!t)
		return 0;
	(void)f->r->lib->curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)f->r->lib->curl_multi_remove_handle(f->multi, t->easy);
	t->active = false;
	f->active--;
	if (t->failed == -EFBIG)
		return err_set(
			err, EBADMSG,
			"%s/%s: blob sha256:%.12s is longer than the %llu bytes its manifest "
			"says",
			f->r->host, f->r->repository, t->blob->hex,
			(unsigned long long)t->blob->size);
	if (t->failed < 0) {
		f->ours = true;
		return err_set(err, t->failed, "write a blob: %s", strerror(-t->failed));
	}
	/* 416: all of it was there before the connection broke. */
	if (t->have == t->blob->size &&
	    ((c == CURLE_OK && (status == 200 || status == 206)) || status == 416))
		return whole(f, t, err);
	if (c == CURLE_OK && (status == 200 || status == 206))
		c = CURLE_PARTIAL_FILE;
	return again(f, t, c, status, err);
}

/* Start what may start; false: all are done. */
static bool fill(struct fetch *f)
{
	bool open = false;

	for (size_t i = 0; i < f->ask->n; i++) {
		struct transfer *t = &f->v[i];

		open |= !t->done;
		if (!t->done && !t->active && f->active < AT_ONCE &&
		    now_mono_us() >= t->not_before_us)
			begin(f, t);
	}
	return open;
}

static int run(struct fetch *f, struct err *err)
{
	const struct curl_lib *l = f->r->lib;

	while (fill(f)) {
		int running, left, r = 0;
		CURLMsg *m;
		CURLMcode c = l->curl_multi_perform(f->multi, &running);

		while (r == 0 && (m = l->curl_multi_info_read(f->multi, &left)) != NULL)
			r = m->msg == CURLMSG_DONE ? ended(f, m, err) : 0;
		if (r < 0)
			return r;
		if (f->ask->progress)
			f->ask->progress(f->ask->arg, f->bytes, f->total);
		if (f->ask->cancelled && *f->ask->cancelled) {
			f->ours = true;
			return err_set(err, EINTR, "interrupted");
		}
		if (c == CURLM_OK)
			c = l->curl_multi_poll(f->multi, NULL, 0, POLL_MS, NULL);
		if (c != CURLM_OK)
			return err_set(err, EREMOTEIO, "%s: %s", f->base->host,
				       l->curl_multi_strerror(c));
	}
	return 0;
}

static void stop(struct fetch *f, struct transfer *t)
{
	if (t->active) {
		(void)f->r->lib->curl_multi_remove_handle(f->multi, t->easy);
		f->active--;
	}
	t->active = false;
}

/* A mirror that has the manifest may not have all it names, or break off: what is missing comes from
 * the next place. */
static bool next_place(struct fetch *f, struct err *err)
{
	if (f->ours || f->r->where + 1 >= f->r->bases.n)
		return false;
	f->base = &f->r->bases.v[++f->r->where];
	f->answered = false;
	err_clear(err);
	for (size_t i = 0; i < f->ask->n; i++) {
		struct transfer *t = &f->v[i];

		stop(f, t);
		if (t->done)
			continue;
		t->failed = 0;
		t->best = t->tries = 0;
		t->not_before_us = 0;
		start_over(t);
	}
	return true;
}

int registry_fetch(struct registry *r, const struct registry_fetch *ask, struct err *err)
{
	struct fetch f = { .r = r,
			   .base = &r->bases.v[r->where],
			   .ask = ask,
			   .multi = r->lib->curl_multi_init(),
			   .v = xcalloc(ask->n + 1, sizeof(*f.v)) };
	int result;

	for (size_t i = 0; i < ask->n; i++) {
		f.v[i] = (struct transfer){ .all = &f,
					    .blob = &ask->blobs[i],
					    .digest = digest_new() };
		f.total += ask->blobs[i].size;
	}
	do
		result = f.multi ? run(&f, err) : err_set(err, ENOMEM, "libcurl gives no handle");
	while (result < 0 && f.multi && next_place(&f, err));
	for (size_t i = 0; i < ask->n; i++) {
		struct transfer *t = &f.v[i];

		stop(&f, t);
		if (t->easy)
			r->lib->curl_easy_cleanup(t->easy);
		r->lib->curl_slist_free_all(t->headers);
		digest_free(t->digest);
	}
	free(f.v);
	if (f.multi)
		(void)r->lib->curl_multi_cleanup(f.multi);
	return result;
}
