/* registry.h - talks to a registry of images (OCI Distribution Specification v1.1, Docker's registry
 * protocol v2): manifests and blobs of one repository, in and out.
 *
 * Floor 2. The only place that sees libcurl, which is loaded when the first registry is opened:
 * -ENOTSUP with a sentence when it is not installed. Whatever a registry says is hostile: sizes are
 * bounded before they are believed, and bytes are only handed on after their digest was checked.
 */
#ifndef CTRCOMPOSE_REGISTRY_H
#define CTRCOMPOSE_REGISTRY_H

#include <ctrcompose/base.h>
#include <ctrcompose/digest.h>
#include <ctrcompose/json.h>

#define REGISTRY_MANIFEST_MAX (8U << 20)

/* Where the person's own settings are. */
struct registry_settings {
	/* Docker's folder: config.json with credentials and credential helpers. NULL: none. */
	const char *docker_config;
	/* {"HOST": {"insecure": true, "ca": "FILE", "mirrors": ["https://..."]}}; missing is fine.
	 * Plain HTTP and unchecked certificates exist for hosts that are named here, and no others. */
	const char *hosts_file;
};
/* $DOCKER_CONFIG or ~/.docker, and $CTRCOMPOSE_REGISTRIES or /etc/ctrcompose/registries.json. The
 * caller frees both. */
void registry_settings_find(char **docker_config, char **hosts_file);

struct registry;
/* normal: "docker.io/library/redis:7" or "...@sha256:<hex>", as image_ref_normal() gives it. */
int registry_open(const char *normal, const struct registry_settings *settings, bool push,
		  struct registry **out, struct err *err);
void registry_close(struct registry **r);
#define auto_registry __attribute__((cleanup(registry_close)))

struct registry_manifest {
	char *text;
	size_t len;
	char digest[DIGEST_HEX];
	char *media; /* its type */
};
void registry_manifest_clear(struct registry_manifest *m);
#define auto_registry_manifest __attribute__((cleanup(registry_manifest_clear)))
/* hex NULL: the one of the tag (or digest) that was opened. Mirrors are asked first. -ENOENT: the
 * registry has none, or wants credentials for it. */
int registry_manifest(struct registry *r, const char *hex, struct registry_manifest *out,
		      struct err *err);

/* ---- Blobs in ---------------------------------------------------------------------------------
 * All of them, several at a time, each into its file; transfers that break off go on where they
 * were. done is called once for each, after its digest was found right; a negative return ends it
 * all. progress (may be NULL): bytes so far and altogether.
 */
struct registry_blob {
	char hex[DIGEST_HEX];
	uint64_t size; /* exactly; a registry that sends more is refused */
	int fd;        /* empty file, for reading and writing */
};
struct registry_fetch {
	struct registry_blob *blobs;
	size_t n;
	int (*done)(void *arg, size_t i, struct err *err);
	void (*progress)(void *arg, uint64_t bytes, uint64_t all);
	void *arg;
	const volatile bool *cancelled; /* may be NULL; -EINTR soon after it turned true */
};
int registry_fetch(struct registry *r, const struct registry_fetch *f, struct err *err);

/* ---- Out --------------------------------------------------------------------------------------- */
int registry_has_blob(struct registry *r, const char *hex, bool *has, struct err *err);
/* What is sent: read as read(2), size bytes altogether. rewind: it is to be read from its beginning once
 * more, as the registry wants another token, or the connection broke. */
struct registry_upload {
	uint64_t size;
	ssize_t (*read)(void *arg, void *buf, size_t len, struct err *err);
	int (*rewind)(void *arg, struct err *err);
	void *arg;
};
int registry_put_blob(struct registry *r, const char *hex, const struct registry_upload *up,
		      struct err *err);
int registry_put_manifest(struct registry *r, const char *media, const char *text, size_t len,
			  struct err *err);

/* ---- Pure -------------------------------------------------------------------------------------- */
/* WWW-Authenticate (RFC 9110): "Bearer realm=\"https://...\",service=\"...\",scope=\"...\"". */
struct registry_challenge {
	bool bearer, basic;
	char *realm, *service, *scope;
};
void registry_challenge_clear(struct registry_challenge *c);
int registry_challenge_parse(const char *header, struct registry_challenge *out);
/* User and password for a host from the text of a config.json; the name of the credential helper
 * instead if it names one. All three may be NULL afterwards; the caller frees. -EBADMSG. */
struct registry_login {
	char *user, *password, *identity, *helper;
};
void registry_login_clear(struct registry_login *l);
int registry_login_parse(const char *config, size_t len, const char *host,
			 struct registry_login *out, struct err *err);

/* ---- Files --------------------------------------------------------------------------------------
 * What an address ("https://...") gives, into fd, with its digest and when it was last modified
 * (seconds since 1970; 0: nobody says). Redirections are followed, never from https to http.
 */
int registry_download(const char *url, int fd, const volatile bool *cancelled, char hex[DIGEST_HEX],
		      int64_t *when, struct err *err);

#endif
