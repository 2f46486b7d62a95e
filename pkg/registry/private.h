/* private.h - what the files of registry/ share. */
#ifndef CTRCOMPOSE_REGISTRY_PRIVATE_H
#define CTRCOMPOSE_REGISTRY_PRIVATE_H

#include "curl.h"
#include <ctrcompose/registry.h>

/* One place that serves the repository: the registry itself, or a mirror of it. */
struct base {
	char *host; /* "registry-1.docker.io", "localhost:5000" */
	char *url;  /* "https://HOST" */
	char *ca;   /* file, or NULL */
	bool insecure;
	char *token;           /* bearer, or NULL */
	char *user, *password; /* basic; NULL: none, or not asked for yet */
};

struct registry {
	const struct curl_lib *lib;
	CURL *easy;
	char *host;       /* as the name has it: "docker.io" */
	char *repository; /* "library/redis" */
	char *tag;        /* or "sha256:<hex>" */
	char *docker_config;
	bool push;
	struct {
		struct base *v;
		size_t n, cap;
	} bases;      /* mirrors first, the registry last */
	size_t where; /* the base that had the manifest */
};

struct reply {
	long status;
	struct sbuf body; /* bounded */
	size_t max;
	bool too_long;
	char *challenge, *media, *location; /* headers, or NULL */
	uint64_t retry_after;               /* seconds */
};
#define auto_reply __attribute__((cleanup(reply_clear)))
void reply_clear(struct reply *r);

struct request {
	const char *method; /* "GET", "HEAD", "PUT", "POST" */
	const char *url;    /* absolute; or below /v2/<repository>/ */
	bool manifest;      /* ask for all types of manifests */
	const char *media;  /* of what is sent */
	const char *text;   /* to send */
	size_t len;
	size_t max; /* bytes of the answer */
	/* Or what is sent as a stream. */
	ssize_t (*read)(void *arg, void *buf, size_t len, struct err *err);
	void *arg;
	uint64_t size;
};
/* Asks one base, with credentials when it wants some, again when it is busy. What is sent as a stream is
 * sent once: after a 401 the credentials are there for another try of the caller's. Only what happens to
 * the connection is an error: look at out->status. */
int http_do(struct registry *r, struct base *b, const struct request *q, struct reply *out,
	    struct err *err);
/* It may answer otherwise a little later; wait for that as it says, or longer each time. */
bool http_busy(const struct reply *reply);
void http_pause(const struct reply *reply, unsigned tries);
/* What a handle for this base has in common; with login, the basic credentials. Headers are freed by
 * the caller, after its use. */
void http_prepare(struct registry *r, const struct base *b, CURL *easy, bool login);
struct curl_slist *http_authorization(struct registry *r, const struct base *b,
				      struct curl_slist *headers);
char *http_url(const struct registry *r, const struct base *b, const char *path);
/* "what: 404, and what the registry says about it"; gives -ENOENT, -EACCES or -EREMOTEIO. */
int http_refused(const struct registry *r, const struct reply *reply, const char *what,
		 struct err *err);

/* auth.c: answers a challenge; -EACCES when there is nothing to answer it with. */
int auth_answer(struct registry *r, struct base *b, const char *challenge, struct err *err);

#endif
