/* locking.c - the lock file beside a compose file: which content the names of images stand for; see
 * pulling.h */
#include "images/pulling.h"

#include <ctrcompose/json.h>
#include <ctrcompose/yaml.h>
#include <fcntl.h>
#include <string.h>

enum { LOCK_MAX = 1 << 20 };
static const char anew[] = "write the lock anew with `ctrcompose config --lock-image-digests -o`";

/* compose.yaml -> compose.lock.yaml; NULL: none belongs to the project. */
static char *lock_path(const struct project *p)
{
	const char *first = p->config_files.n ? p->config_files.v[0] : "", *dot;
	auto_free char *path = NULL;

	dot = strrchr(first, '.');
	if (*first != '/' || !dot || strchr(dot, '/'))
		return NULL;
	path = xasprintf("%.*s.lock.yaml", (int)(dot - first), first);
	for (size_t i = 0; i < p->config_files.n; i++)
		if (strcmp(p->config_files.v[i], path) == 0)
			return NULL; /* it was given by -f */
	return steal(path);
}

static int read_lock(struct arena *a, const char *path, const struct yaml_node **out,
		     struct err *err)
{
	auto_free char *text = NULL;
	struct yaml_docs docs = { 0 };
	size_t len = 0;
	int r = file_read(AT_FDCWD, path, LOCK_MAX, &text, &len);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, r, "%s: %s", path, strerror(-r));
	r = yaml_parse(a, path, text, len, &docs, err);
	if (r < 0)
		return r;
	*out = docs.n ? yaml_get(docs.v[0], "services") : NULL;
	return *out && (*out)->type == YAML_MAP
		       ? 0
		       : err_set(err, EINVAL, "%s: it has no services: %s", path, anew);
}

/* Both without the digest, the lock's with the tag that it was made for. */
static bool same_name(const char *locked, const char *named)
{
	auto_free char *tag = xstrndup(locked, strcspn(locked, "@"));
	auto_free char *plain = xstrndup(named, strcspn(named, "@"));
	auto_free char *a = NULL, *b = NULL;

	return image_ref_normal(tag, &a, NULL) == 0 && image_ref_normal(plain, &b, NULL) == 0 &&
	       strcmp(a, b) == 0;
}

/* The hash stays as it is: a container is made anew when the image is another one. */
static int name_in_config(struct arena *a, struct service *svc, struct err *err)
{
	auto_json struct json *j = NULL;
	auto_free char *text = NULL;
	int r = json_parse(svc->config_json, strlen(svc->config_json), &j, err);

	if (r < 0)
		return r;
	json_remove(j, "image");
	json_add_str(j, "image", svc->image);
	text = json_print(j);
	svc->config_json = arena_strdup(a, text);
	return 0;
}

static int lock_service(struct arena *a, const struct yaml_node *services, const char *path,
			struct service *svc, struct err *err)
{
	const struct yaml_node *n = yaml_get(yaml_get(services, svc->name), "image");
	const char *locked = yaml_str(n), *own = strchr(svc->image, '@'), *digest;
	auto_free char *normal = NULL;

	if (!n)
		return err_set(err, ENOENT, "service %s: its image is not in %s: %s", svc->name,
			       path, anew);
	digest = locked ? strchr(locked, '@') : NULL;
	if (!digest || image_ref_normal(locked, &normal, NULL) < 0)
		return err_set(err, EINVAL, "%s:%u:%u: services.%s.image: it has no digest: %s",
			       path, n->line, n->col, svc->name, anew);
	if (!same_name(locked, svc->image) || (own && strcmp(own, digest) != 0))
		return err_set(err, ESTALE,
			       "%s:%u:%u: service %s: %s is locked, but its image is %s: %s", path,
			       n->line, n->col, svc->name, locked, svc->image, anew);
	svc->image = arena_strdup(a, locked);
	return svc->config_json ? name_in_config(a, svc, err) : 0;
}

int lock_images(struct project *p, struct err *err)
{
	const struct yaml_node *services = NULL;
	auto_free char *path = lock_path(p);
	int r = path ? read_lock(&p->arena, path, &services, err) : 0;

	for (size_t i = 0; r == 0 && services && i < p->n_services; i++) {
		struct service *svc = &p->services[i];

		if (svc->image && !compose_section(p, svc->name, "build"))
			r = lock_service(&p->arena, services, path, svc, err);
	}
	return r;
}
