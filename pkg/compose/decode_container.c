/* decode_container.c - ulimits, devices, secrets and configs, security options of a service. */
#include "decode.h"

#include <ctrcompose/digest.h>
#include <fcntl.h>

#include <stdlib.h>
#include <string.h>

#define FILE_MODE_DEFAULT 0444

void dec_ulimits(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;

	if (v->type != YAML_MAP)
		return;
	s->ulimits = arena_array(d->a, v->m.n + 1, sizeof(*s->ulimits));
	for (size_t i = 0; i < v->m.n; i++) {
		const struct yaml_node *n = v->m.v[i].value;
		struct service_ulimit *u = &s->ulimits[s->n_ulimits++];

		u->name = v->m.v[i].key;
		if (n->type == YAML_MAP) {
			dec_i64(d, yaml_get(n, "soft"), &u->soft);
			dec_i64(d, yaml_get(n, "hard"), &u->hard);
		} else {
			dec_i64(d, n, &u->soft);
			u->hard = u->soft;
		}
	}
}

static const char *text_of(struct decode *d, const struct yaml_node *n, const char *key)
{
	const struct yaml_node *v = yaml_get(n, key);
	const char *text = v ? yaml_text(d->a, v) : NULL;

	return text && *text ? text : NULL;
}

void dec_devices(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;

	if (v->type != YAML_LIST)
		return;
	s->devices = arena_array(d->a, v->m.n + 1, sizeof(*s->devices));
	for (size_t i = 0; i < v->m.n; i++) {
		const struct yaml_node *n = v->m.v[i].value;
		struct service_device *dev;

		if (device_cdi_name(n))
			continue;
		dev = &s->devices[s->n_devices++];
		dev->source = text_of(d, n, "source");
		dev->target = text_of(d, n, "target");
		dev->permissions = text_of(d, n, "permissions");
		if (!dev->target)
			dev->target = dev->source;
		if (!dev->permissions)
			dev->permissions = "rwm";
	}
	requests_add(d, v, REQUEST_NAME, s);
}

void dec_logging(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;
	const struct yaml_node *options = yaml_get(v, "options"), *n;
	uint64_t files;

	s->log_none = str_eq(yaml_str(yaml_get(v, "driver")), "none");
	if ((n = yaml_get(options, "max-size")))
		(void)parse_bytes(yaml_text(d->a, n), &s->log_max_size);
	if ((n = yaml_get(options, "max-file")) && parse_u64(yaml_text(d->a, n), &files) == 0)
		s->log_max_file = (unsigned)files;
}

void dec_storage(struct decode *d, const struct yaml_node *v, void *field)
{
	const struct yaml_node *size = yaml_get(v, "size");

	if (size)
		(void)parse_bytes(yaml_text(d->a, size), &((struct service *)field)->root_size);
}

void dec_blkio(struct decode *d, const struct yaml_node *v, void *field)
{
	static const struct {
		const char *key, *value;
		enum blkio_what what;
	} lists[] = {
		{ "device_read_bps", "rate", BLKIO_READ_BPS },
		{ "device_write_bps", "rate", BLKIO_WRITE_BPS },
		{ "device_read_iops", "rate", BLKIO_READ_IOPS },
		{ "device_write_iops", "rate", BLKIO_WRITE_IOPS },
		{ "weight_device", "weight", BLKIO_WEIGHT },
	};
	struct service *s = field;
	size_t n = 0;

	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		const struct yaml_node *list = yaml_get(v, lists[l].key);

		n += list && list->type == YAML_LIST ? list->m.n : 0;
	}
	s->blkio = arena_array(d->a, n + 1, sizeof(*s->blkio));
	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		const struct yaml_node *list = yaml_get(v, lists[l].key);

		for (size_t i = 0; list && list->type == YAML_LIST && i < list->m.n; i++) {
			const struct yaml_node *item = list->m.v[i].value;
			struct service_blkio *b = &s->blkio[s->n_blkio++];

			b->what = lists[l].what;
			b->path = text_of(d, item, "path");
			if (yaml_get(item, lists[l].value))
				dec_bytes(d, yaml_get(item, lists[l].value), &b->value);
		}
	}
	if (yaml_get(v, "weight"))
		dec_u64(d, yaml_get(v, "weight"), &s->blkio_weight);
}

/* ---- Secrets and configs. What the file says of one is put into the entry of the service that
 * uses it ("file", "content", "missing"), so that the stored service stands alone. */
static const struct yaml_node *definition(const struct decode *d, const char *section,
					  const char *source)
{
	return d->tree ? yaml_get(yaml_get(d->tree, section), source) : NULL;
}

/* With a digest of what it holds now: a change makes another container. */
static void put_file(struct decode *d, struct yaml_node *entry, const char *path)
{
	auto_free char *text = NULL;
	char digest[65];
	size_t len = 0;

	yaml_put(d->a, entry, "file", yaml_new_str(d->a, path, entry));
	if (file_read_at_once(AT_FDCWD, path, SERVICE_FILE_MAX, &text, &len) < 0)
		return; /* starting the container says why */
	digest_text(text, len, digest);
	yaml_put(d->a, entry, "digest", yaml_new_str(d->a, arena_strdup(d->a, digest), entry));
}

static void resolve_one(struct decode *d, const char *section, struct yaml_node *entry)
{
	const char *source = text_of(d, entry, "source");
	const struct yaml_node *def = source ? definition(d, section, source) : NULL;
	const char *variable = text_of(d, def, "environment");
	const char *path = text_of(d, def, "file");
	const struct yaml_node *content = yaml_get(def, "content");
	const char *value = variable && d->env ? env_get(d->env, variable) : NULL;
	const char *why =
		variable
			? arena_printf(d->a, "environment variable %s is not set", variable)
			: "external ones are not supported: give it a file, environment or content";

	if (content && content->type != YAML_NULL)
		yaml_put(d->a, entry, "content",
			 yaml_new_str(d->a, yaml_text(d->a, content), entry));
	else if (value)
		yaml_put(d->a, entry, "content", yaml_new_str(d->a, value, entry));
	else if (path)
		put_file(d, entry, path);
	else
		yaml_put(d->a, entry, "missing", yaml_new_str(d->a, why, entry));
}

static bool names_profile(const char *option)
{
	return (str_starts(option, "seccomp=") || str_starts(option, "seccomp:")) &&
	       strcmp(option + 8, "unconfined") != 0 && strcmp(option + 8, "builtin") != 0 &&
	       option[8] != '/';
}

static void resolve_profiles(struct decode *d, struct yaml_node *options)
{
	for (size_t i = 0; options && options->type == YAML_LIST && i < options->m.n; i++) {
		struct yaml_node *n = options->m.v[i].value;
		auto_free char *path = NULL;
		auto_free char *clean = NULL;

		if (n->type != YAML_STR || !names_profile(n->s))
			continue;
		path = path_join(d->dir, n->s + 8);
		clean = path_clean(path);
		n->s = arena_printf(d->a, "seccomp=%s", clean);
	}
}

void decode_resolve_files(struct decode *d, struct yaml_node *service)
{
	static const char *const sections[] = { "secrets", "configs" };

	for (size_t k = 0; k < ARRAY_LEN(sections); k++) {
		struct yaml_node *list = yaml_get(service, sections[k]);

		for (size_t i = 0; list && list->type == YAML_LIST && i < list->m.n; i++)
			if (list->m.v[i].value->type == YAML_MAP)
				resolve_one(d, sections[k], list->m.v[i].value);
	}
	resolve_profiles(d, yaml_get(service, "security_opt"));
}

static uint32_t number_of(struct decode *d, const struct yaml_node *n, const char *key, int base,
			  uint32_t otherwise)
{
	const char *text = text_of(d, n, key);

	return text ? (uint32_t)strtoul(text, NULL, base) : otherwise;
}

static void add_files(struct decode *d, struct service *s, const struct yaml_node *v,
		      const char *folder)
{
	struct service_file *all;

	if (v->type != YAML_LIST)
		return;
	all = arena_array(d->a, s->n_files + v->m.n + 1, sizeof(*all));
	if (s->n_files)
		memcpy(all, s->files, s->n_files * sizeof(*all));
	s->files = all;
	for (size_t i = 0; i < v->m.n; i++) {
		const struct yaml_node *n = v->m.v[i].value, *content = yaml_get(n, "content");
		const char *source = text_of(d, n, "source"), *target = text_of(d, n, "target");
		struct service_file *f = &s->files[s->n_files++];

		if (!target)
			target = source ? source : "unnamed";
		f->target = *target == '/' ? target : arena_printf(d->a, "%s%s", folder, target);
		f->path = text_of(d, n, "file");
		f->content = content ? yaml_text(d->a, content) : NULL;
		f->missing = text_of(d, n, "missing");
		f->uid = number_of(d, n, "uid", 10, 0);
		f->gid = number_of(d, n, "gid", 10, 0);
		f->mode = number_of(d, n, "mode", 8, FILE_MODE_DEFAULT) & 07777;
	}
}

void dec_secrets(struct decode *d, const struct yaml_node *v, void *field)
{
	add_files(d, field, v, "/run/secrets/");
}

void dec_configs(struct decode *d, const struct yaml_node *v, void *field)
{
	add_files(d, field, v, "/");
}

/* ---- security_opt: "name", "name=value" or, as of old, "name:value" */
void dec_security(struct decode *d, const struct yaml_node *v, void *field)
{
	struct service *s = field;

	dec_list(d, v, &s->security_opt);
	for (size_t i = 0; i < s->security_opt.n; i++) {
		const char *o = s->security_opt.v[i];
		size_t n = strcspn(o, "=:");
		const char *value = o[n] ? o + n + 1 : "";

		if (str_starts(o, "no-new-privileges"))
			s->no_new_privs = strcmp(value, "false") != 0;
		else if (str_starts(o, "systempaths"))
			s->systempaths_unconfined = strcmp(value, "unconfined") == 0;
		else if (str_starts(o, "seccomp")) {
			s->seccomp_unconfined = strcmp(value, "unconfined") == 0;
			s->seccomp = s->seccomp_unconfined || strcmp(value, "builtin") == 0 ? NULL
											    : value;
		} else if (str_starts(o, "apparmor")) {
			s->apparmor = strcmp(value, "unconfined") == 0 ? NULL : value;
		}
	}
}
