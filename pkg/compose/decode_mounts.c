/* decode_mounts.c - volumes and tmpfs of a service to one list of mounts. */
#include "decode.h"

#include <stdlib.h>
#include <string.h>

/* The place of this target: an earlier mount of it is replaced. */
static struct service_mount *mount_at(struct decode *d, struct service *s, const char *target)
{
	struct service_mount *v;

	for (size_t i = 0; i < s->n_mounts; i++)
		if (strcmp(s->mounts[i].target, target) == 0) {
			s->mounts[i] = (struct service_mount){ .target = target };
			return &s->mounts[i];
		}
	if ((s->n_mounts & (s->n_mounts - 1)) == 0) { /* full at 0, 1, 2, 4, ... */
		v = arena_array(d->a, s->n_mounts ? 2 * s->n_mounts : 1, sizeof(*v));
		if (s->n_mounts)
			memcpy(v, s->mounts, s->n_mounts * sizeof(*v));
		s->mounts = v;
	}
	v = &s->mounts[s->n_mounts++];
	v->target = target;
	return v;
}

static const char *clean_target(struct decode *d, const char *target)
{
	auto_free char *rooted = *target == '/' ? xstrdup(target) : path_join("/", target);
	auto_free char *clean = path_clean(rooted);

	return arena_strdup(d->a, clean);
}

static uint32_t mode_of(const struct yaml_node *n)
{
	return n && n->type == YAML_INT && n->i > 0 && n->i <= 07777 ? (uint32_t)n->i : 0;
}

/* "size=64m,mode=0755,noexec" */
static void tmpfs_options(struct decode *d, struct service_mount *m, const char *text)
{
	auto_sbuf struct sbuf rest = SBUF_INIT;
	char *save = NULL, *copy = arena_strdup(d->a, text);

	for (char *o = strtok_r(copy, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		uint64_t size;

		if (strcmp(o, "ro") == 0)
			m->read_only = true;
		else if (strcmp(o, "rw") == 0)
			m->read_only = false;
		else if (str_starts(o, "size=") && parse_bytes(o + 5, &size) == 0)
			m->tmpfs_size = size;
		else if (str_starts(o, "mode=") && strspn(o + 5, "01234567") == strlen(o + 5))
			m->tmpfs_mode = (uint32_t)strtoul(o + 5, NULL, 8) & 07777;
		else
			sbuf_addf(&rest, "%s%s", rest.len ? "," : "", o);
	}
	if (rest.len)
		m->tmpfs_options = arena_strdup(d->a, sbuf_str(&rest));
}

static enum mount_kind kind_of(const char *type)
{
	static const char *const names[] = { [MOUNT_VOLUME] = "volume",
					     [MOUNT_BIND] = "bind",
					     [MOUNT_TMPFS] = "tmpfs",
					     [MOUNT_IMAGE] = "image",
					     [MOUNT_FS] = "fs" /* see resolve_volume() */ };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(type, names[i]))
			return (enum mount_kind)i;
	return MOUNT_VOLUME;
}

/* What of a bind's read_only is for the mounts below it. */
static void recursion(struct service_mount *m, const char *word)
{
	m->top_only = str_eq(word, "disabled");
	m->top_read_only = str_eq(word, "writable");
}

static void one_mount(struct decode *d, struct service *s, const struct yaml_node *n)
{
	const char *type = yaml_str(yaml_get(n, "type"));
	const char *source = yaml_str(yaml_get(n, "source"));
	const char *target = yaml_str(yaml_get(n, "target"));
	const struct yaml_node *bind = yaml_get(n, "bind"), *volume = yaml_get(n, "volume");
	const struct yaml_node *tmpfs = yaml_get(n, "tmpfs"), *f;
	struct service_mount *m;

	if (!target)
		return;
	m = mount_at(d, s, clean_target(d, target));
	m->kind = kind_of(type);
	m->source = source && *source ? source : NULL;
	if (m->source && m->kind == MOUNT_BIND) {
		auto_free char *clean = path_clean(source);

		m->source = arena_strdup(d->a, clean);
	}
	if ((f = yaml_get(n, "read_only")))
		dec_bool(d, f, &m->read_only);
	if ((f = yaml_get(bind, "create_host_path")))
		dec_bool(d, f, &m->create_host_path);
	if ((f = yaml_get(bind, "propagation")))
		dec_str(d, f, &m->propagation);
	if ((f = yaml_get(bind, "selinux")) && yaml_str(f))
		m->selinux = *yaml_str(f);
	recursion(m, yaml_str(yaml_get(bind, "recursive")));
	if ((f = yaml_get(volume, "nocopy")))
		dec_bool(d, f, &m->nocopy);
	if ((f = yaml_get(volume, "subpath")))
		dec_str(d, f, &m->subpath);
	if ((f = yaml_get(yaml_get(n, "image"), "subpath")))
		dec_str(d, f, &m->subpath);
	if ((f = yaml_get(yaml_get(n, "fs"), "type")))
		dec_str(d, f, &m->fs_type);
	if ((f = yaml_get(yaml_get(n, "fs"), "options")))
		dec_str(d, f, &m->fs_options);
	if ((f = yaml_get(tmpfs, "size")))
		dec_bytes(d, f, &m->tmpfs_size);
	m->tmpfs_mode = mode_of(yaml_get(tmpfs, "mode"));
	if (yaml_str(yaml_get(tmpfs, "options"))) /* of a volume, see resolve_volume() */
		tmpfs_options(d, m, yaml_str(yaml_get(tmpfs, "options")));
}

void dec_mounts(struct decode *d, const struct yaml_node *v, void *field)
{
	if (v->type == YAML_LIST)
		for (size_t i = 0; i < v->m.n; i++)
			one_mount(d, field, v->m.v[i].value);
}

void dec_tmpfs(struct decode *d, const struct yaml_node *v, void *field)
{
	if (v->type != YAML_LIST)
		return;
	for (size_t i = 0; i < v->m.n; i++) {
		const char *text = yaml_str(v->m.v[i].value), *colon;
		struct service_mount *m;

		if (!text || !*text)
			continue;
		colon = strchr(text, ':');
		m = mount_at(
			d, field,
			clean_target(d, colon ? arena_strndup(d->a, text, (size_t)(colon - text))
					      : text));
		m->kind = MOUNT_TMPFS;
		if (colon)
			tmpfs_options(d, m, colon + 1);
	}
}

/* ---- What stands for something else ------------------------------------------------------------ */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = list; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
		if (strncmp(s, word, n) == 0 && (s[n] == ',' || s[n] == '\0'))
			return true;
	return false;
}

static void make_read_only(struct decode *d, struct yaml_node *mount)
{
	struct yaml_node *yes = yaml_new(d->a, YAML_BOOL, mount);

	yes->b = true;
	yaml_put(d->a, mount, "read_only", yes);
}

bool volume_is_bind(const char *o)
{
	return has_word(o, "bind") || has_word(o, "rbind");
}

static void resolve_volume(struct decode *d, struct yaml_node *mount)
{
	const char *source = yaml_str(yaml_get(mount, "source"));
	const struct yaml_node *def =
		source ? yaml_get(yaml_get(d->tree, "volumes"), source) : NULL;
	const struct yaml_node *opts = yaml_get(def, "driver_opts");
	const char *o = yaml_str(yaml_get(opts, "o"));
	const char *device = yaml_str(yaml_get(opts, "device"));
	const char *type = yaml_str(yaml_get(opts, "type"));

	if (!str_eq(yaml_str(yaml_get(mount, "type")), "volume"))
		return;
	if (str_eq(type, "tmpfs")) {
		struct yaml_node *part = yaml_new(d->a, YAML_MAP, mount);

		yaml_put(d->a, part, "options", yaml_new_str(d->a, o ? o : "", mount));
		yaml_put(d->a, mount, "type", yaml_new_str(d->a, "tmpfs", mount));
		yaml_put(d->a, mount, "tmpfs", part);
		yaml_remove(mount, "source");
	} else if (device && !volume_is_bind(o)) {
		struct yaml_node *part = yaml_new(d->a, YAML_MAP, mount);

		yaml_put(d->a, part, "type", yaml_new_str(d->a, type, mount));
		yaml_put(d->a, part, "options", yaml_new_str(d->a, o ? o : "", mount));
		yaml_put(d->a, mount, "type", yaml_new_str(d->a, "fs", mount));
		yaml_put(d->a, mount, "source", yaml_new_str(d->a, device, mount));
		yaml_put(d->a, mount, "fs", part);
	} else if (device) {
		yaml_put(d->a, mount, "type", yaml_new_str(d->a, "bind", mount));
		yaml_put(d->a, mount, "source", yaml_new_str(d->a, device, mount));
		if (has_word(o, "ro"))
			make_read_only(d, mount);
	}
}

const char *decode_builtin_network(const struct yaml_node *tree, const char *key)
{
	const struct yaml_node *net = yaml_get(yaml_get(tree, "networks"), key);
	const struct yaml_node *external = yaml_get(net, "external");
	const char *name = yaml_str(yaml_get(net, "name"));

	if (!external || external->type != YAML_BOOL || !external->b)
		return NULL;
	name = name ? name : key;
	return strcmp(name, "host") == 0 || strcmp(name, "none") == 0 ? name : NULL;
}

/* networks: of what is no network: the host's own, or none. */
static void resolve_builtin(struct decode *d, struct yaml_node *service)
{
	const struct yaml_node *nets = yaml_get(service, "networks");
	const char *name = nets && nets->type == YAML_MAP && nets->m.n == 1
				   ? decode_builtin_network(d->tree, nets->m.v[0].key)
				   : NULL;

	if (!name)
		return;
	yaml_put(d->a, service, "network_mode", yaml_new_str(d->a, name, service));
	yaml_remove(service, "networks");
}

void decode_resolve_places(struct decode *d, struct yaml_node *service)
{
	struct yaml_node *list = yaml_get(service, "volumes"), *nets;

	for (size_t i = 0; list && list->type == YAML_LIST && i < list->m.n; i++)
		if (list->m.v[i].value->type == YAML_MAP)
			resolve_volume(d, list->m.v[i].value);
	resolve_builtin(d, service);
	if (!str_eq(yaml_str(yaml_get(service, "network_mode")), "bridge"))
		return;
	nets = yaml_new(d->a, YAML_MAP, service);
	yaml_put(d->a, nets, "default", yaml_new(d->a, YAML_NULL, service));
	yaml_put(d->a, service, "networks", nets);
	yaml_remove(service, "network_mode");
}
