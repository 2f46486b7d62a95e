/* ref.c - names of images; see image.h */
#include "private.h"

#include <string.h>

#define DEFAULT_DOMAIN "docker.io"
#define DEFAULT_OWNER  "library/"
enum { NAME_MAX_LEN = 255, TAG_MAX_LEN = 128 };

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

const char *digest_of(const char *s)
{
	return s && str_starts(s, "sha256:") && digest_hex_ok(s + 7) ? s + 7 : NULL;
}

/* Letters and digits, between them '.', '_', '__' or any number of '-'; parts divided by '/'. */
static bool path_ok(const char *s)
{
	while (*s) {
		size_t run;

		if (!is_lower_or_digit(*s))
			return false;
		while (is_lower_or_digit(*s))
			s++;
		if (!*s)
			return true;
		run = strspn(s, *s == '-' ? "-" : *s == '_' ? "_" : *s == '.' ? "." : "/");
		if (run == 0 || (*s == '_' && run > 2) || ((*s == '.' || *s == '/') && run > 1))
			return false;
		s += run;
	}
	return false;
}

static bool domain_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_word(s[i]) && !strchr(".-:[]", s[i]))
			return false;
	return n > 0 && s[0] != '-' && s[0] != '.' && s[0] != ':';
}

static bool tag_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > TAG_MAX_LEN || !is_word(s[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_word(s[i]) && s[i] != '.' && s[i] != '-')
			return false;
	return true;
}

/* A first part that can only be a host: docker.io/x, localhost/x, host:5000/x, HOST/x. */
static bool is_domain(const char *s, size_t n)
{
	if (n == strlen("localhost") && strncmp(s, "localhost", n) == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (s[i] == '.' || s[i] == ':' || (s[i] >= 'A' && s[i] <= 'Z'))
			return true;
	return false;
}

int image_ref_normal(const char *ref, char **out, struct err *err)
{
	auto_free char *name = xstrdup(ref), *domain = NULL;
	const char *path = name, *tag = NULL, *digest = NULL, *owner;
	char *at = strchr(name, '@'), *slash, *colon;

	if (at) {
		*at = '\0';
		digest = digest_of(at + 1);
		if (!digest)
			return err_set(err, EINVAL, "'%s' has no digest like sha256:<64 digits>",
				       ref);
	}
	slash = strrchr(name, '/');
	colon = strchr(slash ? slash : name, ':');
	if (colon) {
		*colon = '\0';
		tag = colon + 1;
		if (!tag_ok(tag))
			return err_set(err, EINVAL, "'%s' has no valid tag after the ':'", ref);
	}
	slash = strchr(name, '/');
	if (slash && is_domain(name, (size_t)(slash - name))) {
		domain = xstrndup(name, (size_t)(slash - name));
		path = slash + 1;
		if (!domain_ok(domain, strlen(domain)))
			return err_set(err, EINVAL, "'%s' has no valid host name before the '/'",
				       ref);
	}
	if (!path_ok(path) || digest_hex_ok(path))
		return err_set(err, EINVAL, "'%s' is not the name of an image like redis:7", ref);
	if (!domain || strcmp(domain, "index.docker.io") == 0) {
		char *old = domain;

		domain = xstrdup(DEFAULT_DOMAIN);
		auto_free_fn(&old);
	}
	owner = strcmp(domain, DEFAULT_DOMAIN) == 0 && !strchr(path, '/') ? DEFAULT_OWNER : "";
	if (strlen(domain) + 1 + strlen(owner) + strlen(path) > NAME_MAX_LEN)
		return err_set(err, EINVAL, "the name '%.40s...' is longer than %d characters", ref,
			       NAME_MAX_LEN);
	*out = xasprintf("%s/%s%s%s%s", domain, owner, path, digest ? "@sha256:" : ":",
			 digest ? digest
			 : tag  ? tag
				: "latest");
	return 0;
}

/* Without its tag it would be an id. */
static bool like_id(const char *s)
{
	auto_free char *name = xstrndup(s, strcspn(s, ":@"));

	return digest_hex_ok(name);
}

char *image_ref_familiar(const char *normal)
{
	const char *s = normal, *slash;

	if (!str_starts(s, DEFAULT_DOMAIN "/"))
		return xstrdup(normal);
	s += strlen(DEFAULT_DOMAIN "/");
	slash = strchr(s, '/');
	if (slash && is_domain(s, (size_t)(slash - s)))
		return xstrdup(normal); /* it would be another registry's */
	if (str_starts(s, DEFAULT_OWNER) && !strchr(s + strlen(DEFAULT_OWNER), '/') &&
	    !like_id(s + strlen(DEFAULT_OWNER)))
		s += strlen(DEFAULT_OWNER);
	return xstrdup(s);
}

char *ref_with_digest(const char *normal, const char *hex)
{
	const char *at = strchr(normal, '@'), *slash = strrchr(normal, '/'), *colon;
	size_t n;

	if (at) {
		n = (size_t)(at - normal);
	} else {
		colon = strchr(slash ? slash : normal, ':');
		n = colon ? (size_t)(colon - normal) : strlen(normal);
	}
	return xasprintf("%.*s@sha256:%s", (int)n, normal, hex);
}
