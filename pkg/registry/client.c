/* client.c - a repository: where it is, its manifests, what goes out; see registry.h */
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOCKER_HUB "registry-1.docker.io"
enum { UPLOADS = 4 }; /* tries of one blob */

void registry_settings_find(char **docker_config, char **hosts_file)
{
	const char *config = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	const char *hosts = getenv("CTRCOMPOSE_REGISTRIES");

	*docker_config = config && *config ? xstrdup(config)
			 : home && *home   ? path_join(home, ".docker")
					   : NULL;
	*hosts_file = xstrdup(hosts && *hosts ? hosts : "/etc/ctrcompose/registries.json");
}

/* ---- Where ------------------------------------------------------------------------------------ */
static int read_hosts(const char *path, struct json **out, struct err *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	*out = NULL;
	if (!path)
		return 0;
	r = file_read(AT_FDCWD, path, 1 << 20, &text, &len);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, r, "%s: %s", path, strerror(-r));
	r = json_parse(text, len, out, err);
	return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

/* Certificates where Docker's users have them. */
static char *ca_of(const char *host, const struct json *rule)
{
	const char *ca = json_str(rule, "ca", NULL);
	auto_free char *docker = xasprintf("/etc/docker/certs.d/%s/ca.crt", host);

	if (ca)
		return xstrdup(ca);
	return faccessat(AT_FDCWD, docker, R_OK, 0) == 0 ? steal(docker) : NULL;
}

static void add_base(struct registry *r, const char *url, const struct json *hosts)
{
	struct base *b = vec_push(&r->bases);
	const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : url;
	const struct json *rule;

	b->host = xstrndup(host, strcspn(host, "/"));
	rule = json_get(hosts, b->host);
	b->insecure = json_bool(rule, "insecure", false);
	b->ca = ca_of(b->host, rule);
	b->url = strstr(url, "://") ? xstrdup(url) : xasprintf("https://%s", url);
	while (b->url[0] && b->url[strlen(b->url) - 1] == '/')
		b->url[strlen(b->url) - 1] = '\0';
}

static void split_name(struct registry *r, const char *normal)
{
	const char *slash = strchr(normal, '/'), *at = strchr(normal, '@');
	const char *end = at ? at : strrchr(normal, ':');

	r->host = xstrndup(normal, (size_t)(slash - normal));
	r->repository = xstrndup(slash + 1, (size_t)(end - slash - 1));
	r->tag = xstrdup(end + 1);
}

int registry_open(const char *normal, const struct registry_settings *settings, bool push,
		  struct registry **out, struct err *err)
{
	const struct curl_lib *lib = curl_lib_get(err);
	auto_json struct json *hosts = NULL;
	auto_registry struct registry *r = NULL;
	int result = lib ? read_hosts(settings->hosts_file, &hosts, err) : -ENOTSUP;

	if (result < 0)
		return result;
	r = xcalloc(1, sizeof(*r));
	r->lib = lib;
	r->push = push;
	r->easy = lib->curl_easy_init();
	if (!r->easy)
		return err_set(err, ENOMEM, "libcurl gives no handle");
	split_name(r, normal);
	if (settings->docker_config)
		r->docker_config = xstrdup(settings->docker_config);
	if (!push)
		for (const struct json *m =
			     json_first(json_get(json_get(hosts, r->host), "mirrors"));
		     m; m = json_next(m))
			if (json_string(m))
				add_base(r, json_string(m), hosts);
	add_base(r, str_eq(r->host, "docker.io") ? DOCKER_HUB : r->host, hosts);
	r->where = r->bases.n - 1;
	*out = steal(r);
	return 0;
}

void registry_close(struct registry **r)
{
	struct registry *p = steal(*r);

	if (!p)
		return;
	for (size_t i = 0; i < p->bases.n; i++) {
		struct base *b = &p->bases.v[i];

		free(b->host);
		free(b->url);
		free(b->ca);
		free(b->token);
		free(b->user);
		free(b->password);
	}
	free(p->bases.v);
	if (p->easy)
		p->lib->curl_easy_cleanup(p->easy);
	free(p->host);
	free(p->repository);
	free(p->tag);
	free(p->docker_config);
	free(p);
}

/* ---- Manifests -------------------------------------------------------------------------------- */
void registry_manifest_clear(struct registry_manifest *m)
{
	free(m->text);
	free(m->media);
	*m = (struct registry_manifest){ 0 };
}

static int take_manifest(struct registry *r, const char *what, struct reply *reply,
			 struct registry_manifest *out, struct err *err)
{
	if (reply->status != 200)
		return http_refused(r, reply, what, err);
	out->len = reply->body.len;
	out->text = sbuf_take(&reply->body);
	out->media = steal(reply->media);
	digest_text(out->text, out->len, out->digest);
	if (str_starts(what, "sha256:") && strcmp(what + 7, out->digest) != 0) {
		int result =
			err_set(err, EBADMSG,
				"%s/%s: the registry gives a manifest with the digest sha256:%s "
				"for %s",
				r->host, r->repository, out->digest, what);

		registry_manifest_clear(out);
		return result;
	}
	return 0;
}

int registry_manifest(struct registry *r, const char *hex, struct registry_manifest *out,
		      struct err *err)
{
	auto_free char *what = hex ? xasprintf("sha256:%s", hex) : xstrdup(r->tag);
	auto_free char *path = xasprintf("manifests/%s", what);
	struct request q = {
		.method = "GET", .url = path, .manifest = true, .max = REGISTRY_MANIFEST_MAX
	};
	int result = -ENOENT;

	*out = (struct registry_manifest){ 0 };
	/* What a manifest refers to comes from the place that had it. */
	for (size_t i = hex ? r->where : 0; i < r->bases.n; i++) {
		auto_reply struct reply reply = { 0 };

		err_clear(err);
		result = http_do(r, &r->bases.v[i], &q, &reply, err);
		if (result == 0)
			result = take_manifest(r, what, &reply, out, err);
		if (result == 0) {
			r->where = i;
			return 0;
		}
	}
	return result;
}

/* ---- Out --------------------------------------------------------------------------------------- */
int registry_has_blob(struct registry *r, const char *hex, bool *has, struct err *err)
{
	auto_free char *path = xasprintf("blobs/sha256:%s", hex);
	auto_reply struct reply reply = { 0 };
	struct request q = { .method = "HEAD", .url = path };
	int result = http_do(r, &r->bases.v[r->bases.n - 1], &q, &reply, err);

	if (result < 0)
		return result;
	*has = reply.status == 200;
	return reply.status == 200 || reply.status == 404 ? 0 : http_refused(r, &reply, path, err);
}

/* An upload begins by asking where it goes to. *done is what the registry says to the bytes, *sending that
 * it came so far. */
static int upload(struct registry *r, const char *hex, const struct registry_upload *up,
		  struct reply *done, bool *sending, struct err *err)
{
	struct base *b = &r->bases.v[r->bases.n - 1];
	auto_reply struct reply begun = { 0 };
	struct request q = { .method = "POST", .url = "blobs/uploads/" };
	auto_free char *url = NULL;
	int result = http_do(r, b, &q, &begun, err);

	if (result == 0 && begun.status != 202)
		result = http_refused(r, &begun, "begin an upload", err);
	if (result == 0 && !begun.location)
		result = err_set(err, EREMOTEIO, "%s: it does not say where to upload to", b->host);
	if (result < 0)
		return result;
	url = xasprintf("%s%cdigest=sha256:%s", begun.location,
			strchr(begun.location, '?') ? '&' : '?', hex);
	q = (struct request){ .method = "PUT",
			      .url = url,
			      .media = "application/octet-stream",
			      .read = up->read,
			      .arg = up->arg,
			      .size = up->size };
	*sending = true;
	return http_do(r, b, &q, done, err);
}

/* A token that is over is answered once: what the upload was refused with has brought another one. A
 * broken connection or a busy registry is no end either; what of it came through nobody knows, so each
 * try is an upload of its own. */
static bool worth_another(int result, const struct reply *done, bool *answered)
{
	bool token = result == 0 && done->status == 401 && !*answered;

	*answered |= token;
	return token || result == -EREMOTEIO || (result == 0 && http_busy(done));
}

int registry_put_blob(struct registry *r, const char *hex, const struct registry_upload *up,
		      struct err *err)
{
	bool answered = false;

	for (unsigned i = 0;; i++) {
		auto_reply struct reply done = { 0 };
		bool sending = false;
		int result = upload(r, hex, up, &done, &sending, err);

		if (result == 0 && done.status == 201)
			return 0;
		if (!sending || i + 1 >= UPLOADS || !worth_another(result, &done, &answered))
			return result < 0 ? result : http_refused(r, &done, "upload", err);
		if (done.status != 401)
			http_pause(&done, i);
		err_clear(err);
		result = up->rewind(up->arg, err);
		if (result < 0)
			return result;
	}
}

int registry_put_manifest(struct registry *r, const char *media, const char *text, size_t len,
			  struct err *err)
{
	auto_free char *path = xasprintf("manifests/%s", r->tag);
	auto_reply struct reply reply = { 0 };
	struct request q = {
		.method = "PUT", .url = path, .media = media, .text = text, .len = len
	};
	int result = http_do(r, &r->bases.v[r->bases.n - 1], &q, &reply, err);

	if (result == 0 && reply.status != 201)
		result = http_refused(r, &reply, r->tag, err);
	return result;
}
