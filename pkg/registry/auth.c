/* auth.c - answers what a registry asks for: basic credentials, or a bearer token from the place it
 * names; see registry.h. https://distribution.github.io/distribution/spec/auth/token/ */
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* `docker-credential-NAME get`: the host on standard input, JSON back. */
static int ask_helper(struct registry_login *l, const char *host, struct err *err)
{
	auto_free char *program = xasprintf("docker-credential-%s", l->helper);
	static char get[] = "get";
	char *const argv[] = { program, get, NULL };
	const char *server = str_eq(host, "docker.io") ? "https://index.docker.io/v1/" : host;
	auto_free char *text = NULL;
	auto_json struct json *j = NULL;
	int r = proc_run(argv, server, strlen(server), &text);

	if (r < 0)
		return err_set(err, r, "%s: %s", program, strerror(-r));
	if (r != 0) /* it has none for this host */
		return 0;
	r = json_parse(text, strlen(text), &j, err);
	if (r < 0)
		return err_wrap(err, r, "%s", program);
	registry_login_clear(l);
	if (str_eq(json_str(j, "Username", ""), "<token>")) {
		l->identity = xstrdup(json_str(j, "Secret", ""));
	} else {
		l->user = xstrdup(json_str(j, "Username", ""));
		l->password = xstrdup(json_str(j, "Secret", ""));
	}
	return 0;
}

static int find_login(const struct registry *r, const struct base *b, struct registry_login *out,
		      struct err *err)
{
	auto_free char *path = r->docker_config ? path_join(r->docker_config, "config.json") : NULL;
	auto_free char *text = NULL;
	size_t len = 0;
	bool own = b == &r->bases.v[r->bases.n - 1];
	const char *host = own ? r->host : b->host;
	int result;

	*out = (struct registry_login){ 0 };
	if (!path || file_read(AT_FDCWD, path, 1 << 20, &text, &len) < 0)
		return 0;
	result = registry_login_parse(text, len, host, out, err);
	if (result == 0 && out->helper)
		result = ask_helper(out, host, err);
	return result;
}

/* key=value for a query or a form. */
static void add_field(struct registry *r, struct sbuf *out, const char *key, const char *value)
{
	char *escaped;

	if (!value)
		return;
	escaped = r->lib->curl_easy_escape(r->easy, value, (int)strlen(value));
	sbuf_addf(out, "%s%s=%s", out->len ? "&" : "", key, escaped ? escaped : "");
	r->lib->curl_free(escaped);
}

static int take_token(struct base *b, const struct reply *reply, struct err *err)
{
	auto_json struct json *j = NULL;
	const char *token;
	int r;

	if (reply->status != 200)
		return -EACCES;
	r = json_parse(sbuf_str(&reply->body), reply->body.len, &j, err);
	token = json_str(j, "token", json_str(j, "access_token", NULL));
	if (r < 0 || !token || strpbrk(token, "\r\n"))
		return err_set(err, EREMOTEIO, "%s: its token server gives no token", b->host);
	free(b->token);
	b->token = xstrdup(token);
	return 0;
}

static int get_token(struct registry *r, struct base *b, const struct registry_challenge *c,
		     const struct registry_login *l, struct err *err)
{
	auto_free char *scope = c->scope ? xstrdup(c->scope)
					 : xasprintf("repository:%s:%s", r->repository,
						     r->push ? "pull,push" : "pull");
	auto_sbuf struct sbuf fields = SBUF_INIT;
	auto_reply struct reply reply = { 0 };
	auto_free char *url = NULL;
	/* Another place than the registry: none of its credentials but those meant for it. */
	struct base at = { .host = b->host, .url = c->realm, .ca = b->ca, .insecure = b->insecure };
	struct request q = { .method = "GET", .max = 1 << 20 };
	int result;

	if (!str_starts(c->realm, "https://") && !(b->insecure && str_starts(c->realm, "http://")))
		return err_set(err, EACCES, "%s: its token server is not reached through https",
			       b->host);
	add_field(r, &fields, "service", c->service);
	add_field(r, &fields, "scope", scope);
	if (l->identity) {
		add_field(r, &fields, "client_id", "ctrcompose");
		add_field(r, &fields, "grant_type", "refresh_token");
		add_field(r, &fields, "refresh_token", l->identity);
		q.method = "POST";
		q.media = "application/x-www-form-urlencoded";
		q.text = sbuf_str(&fields);
		q.len = fields.len;
		url = xstrdup(c->realm);
	} else {
		at.user = l->user;
		at.password = l->password;
		url = xasprintf("%s%c%s", c->realm, strchr(c->realm, '?') ? '&' : '?',
				sbuf_str(&fields));
	}
	q.url = url;
	result = http_do(r, &at, &q, &reply, err);
	return result < 0 ? result : take_token(b, &reply, err);
}

int auth_answer(struct registry *r, struct base *b, const char *challenge, struct err *err)
{
	struct registry_challenge c;
	struct registry_login l;
	int result = registry_challenge_parse(challenge, &c);

	/* Of a token server: it has been asked with all there is. */
	if (result < 0 || (b < r->bases.v || b >= r->bases.v + r->bases.n))
		return -EACCES;
	result = find_login(r, b, &l, err);
	if (result == 0 && c.bearer) {
		result = get_token(r, b, &c, &l, err);
	} else if (result == 0) {
		if (!l.user || b->user)
			result = -EACCES;
		else {
			b->user = steal(l.user);
			b->password = steal(l.password);
		}
	}
	registry_login_clear(&l);
	registry_challenge_clear(&c);
	return result;
}
