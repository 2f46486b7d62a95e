/* challenge.c - what is read of others about credentials: WWW-Authenticate and config.json; pure, see
 * registry.h */
#include <ctrcompose/registry.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- WWW-Authenticate ------------------------------------------------------------------------- */
void registry_challenge_clear(struct registry_challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	*c = (struct registry_challenge){ 0 };
}

static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_len(const char *s)
{
	size_t n = 0;

	while (is_token(s[n]))
		n++;
	return n;
}

/* "..." with \ escapes, or a token. NULL: neither. */
static char *value(const char **at)
{
	auto_sbuf struct sbuf out = SBUF_INIT;
	const char *s = *at;

	if (*s != '"') {
		size_t n = token_len(s);

		*at = s + n;
		return n ? xstrndup(s, n) : NULL;
	}
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		sbuf_addc(&out, *s);
	}
	if (*s != '"')
		return NULL;
	*at = s + 1;
	return sbuf_take(&out);
}

static void keep(struct registry_challenge *c, const char *key, size_t len, char *v)
{
	char **slot = len == 5 && strncasecmp(key, "realm", 5) == 0     ? &c->realm
		      : len == 7 && strncasecmp(key, "service", 7) == 0 ? &c->service
		      : len == 5 && strncasecmp(key, "scope", 5) == 0   ? &c->scope
									: NULL;

	if (!slot || *slot) {
		free(v);
		return;
	}
	*slot = v;
}

int registry_challenge_parse(const char *header, struct registry_challenge *out)
{
	const char *s = header;
	size_t n;

	*out = (struct registry_challenge){ 0 };
	s += strspn(s, " \t");
	n = token_len(s);
	out->bearer = n == 6 && strncasecmp(s, "Bearer", 6) == 0;
	out->basic = n == 5 && strncasecmp(s, "Basic", 5) == 0;
	if (!out->bearer && !out->basic)
		return -EBADMSG;
	for (s += n; *s;) {
		const char *key;
		char *v;

		s += strspn(s, " \t,");
		if (!*s)
			break;
		key = s;
		n = token_len(s);
		s += n;
		s += strspn(s, " \t");
		if (n == 0 || *s != '=')
			break; /* another challenge begins here: ours comes first */
		s++;
		s += strspn(s, " \t");
		v = value(&s);
		if (!v) {
			registry_challenge_clear(out);
			return -EBADMSG;
		}
		keep(out, key, n, v);
	}
	if (out->bearer && !out->realm) {
		registry_challenge_clear(out);
		return -EBADMSG;
	}
	return 0;
}

/* ---- config.json ------------------------------------------------------------------------------ */
void registry_login_clear(struct registry_login *l)
{
	free(l->user);
	free(l->password);
	free(l->identity);
	free(l->helper);
	*l = (struct registry_login){ 0 };
}

/* "https://index.docker.io/v1/" and "registry.example.org" name hosts. */
static bool names_host(const char *key, const char *host)
{
	size_t n;

	if (str_starts(key, "https://"))
		key += strlen("https://");
	else if (str_starts(key, "http://"))
		key += strlen("http://");
	n = strcspn(key, "/");
	if (str_eq(host, "docker.io"))
		return (n == strlen("index.docker.io") &&
			strncmp(key, "index.docker.io", n) == 0) ||
		       (n == strlen("docker.io") && strncmp(key, "docker.io", n) == 0);
	return n == strlen(host) && strncmp(key, host, n) == 0;
}

/* The name of a program docker-credential-NAME: nothing that leads elsewhere. */
static bool helper_ok(const char *s)
{
	if (!s || !*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '-' && *s != '_' && *s != '.')
			return false;
	return true;
}

static const struct json *entry_of(const struct json *object, const char *host)
{
	for (const struct json *c = json_first(object); c; c = json_next(c))
		if (json_key(c) && names_host(json_key(c), host))
			return c;
	return NULL;
}

static int take_auth(const struct json *e, struct registry_login *out, struct err *err)
{
	const char *auth = json_str(e, "auth", ""), *identity = json_str(e, "identitytoken", "");
	auto_free char *text = NULL;
	char *colon;

	if (*identity)
		out->identity = xstrdup(identity);
	if (!*auth) {
		if (*json_str(e, "username", "")) {
			out->user = xstrdup(json_str(e, "username", ""));
			out->password = xstrdup(json_str(e, "password", ""));
		}
		return 0;
	}
	if (base64_decode(auth, &text) < 0 || !(colon = strchr(text, ':')))
		return err_set(err, EBADMSG,
			       "config.json: an \"auth\" is not \"user:password\" in base64");
	*colon = '\0';
	out->user = xstrdup(text);
	out->password = xstrdup(colon + 1);
	return 0;
}

int registry_login_parse(const char *config, size_t len, const char *host,
			 struct registry_login *out, struct err *err)
{
	auto_json struct json *j = NULL;
	const struct json *helper, *e;
	const char *name;
	int r = json_parse(config, len, &j, err);

	*out = (struct registry_login){ 0 };
	if (r < 0)
		return err_wrap(err, r, "config.json");
	helper = entry_of(json_get(j, "credHelpers"), host);
	e = entry_of(json_get(j, "auths"), host);
	name = helper ? json_string(helper) : json_str(j, "credsStore", NULL);
	if (name && !helper_ok(name))
		return err_set(err, EBADMSG, "config.json: '%s' is no name of a credential helper",
			       name);
	if (name)
		out->helper = xstrdup(name);
	if (e)
		r = take_auth(e, out, err);
	if (r < 0)
		registry_login_clear(out);
	return r;
}
