/* spec.c - one spec file, checked by tables of its fields; see private.h
 *
 * JSON is read as the YAML that it is, so that every complaint has a line.
 */
#include "private.h"

#include <ctrcompose/yaml.h>

#include <stdio.h>
#include <string.h>

#define V(major, minor) ((major)*100U + (minor))

enum { SECONDS_MAX = 86400 };

static const unsigned versions[] = { V(0, 1), V(0, 2), V(0, 3), V(0, 4), V(0, 5),
				     V(0, 6), V(0, 7), V(0, 8), V(1, 0), V(1, 1) };

struct parse {
	struct arena *a;
	const char *file;
	unsigned version; /* that the file says it has */
	struct err *err;
};

typedef int take_fn(struct parse *p, const struct yaml_node *v, void *field);

struct field {
	const char *name;
	take_fn *take;
	size_t offset;
	unsigned since; /* the first version that has it; 0: all */
	bool required;
};
struct fields {
	const char *of; /* "a device node" */
	const struct field *v;
	size_t n;
};
#define FIELDS(what, table)                       \
	{                                         \
		(what), (table), ARRAY_LEN(table) \
	}

static int bad(struct parse *p, const struct yaml_node *n, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int bad(struct parse *p, const struct yaml_node *n, const char *fmt, ...)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	return err_set(p->err, -EINVAL, "%s:%u:%u: %s", p->file, n->line, n->col, sbuf_str(&text));
}

static int needs(struct parse *p, const struct yaml_node *n, const char *what, unsigned since)
{
	return p->version >= since ? 0
				   : bad(p, n, "%s needs cdiVersion %u.%u.0 or later", what,
					 since / 100, since % 100);
}

static const char *place(struct parse *p, const struct yaml_node *n)
{
	return arena_printf(p->a, "%s:%u:%u", p->file, n->line, n->col);
}

static const struct field *field_named(const struct fields *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0)
			return &f->v[i];
	return NULL;
}

static bool is_null(const struct yaml_node *n)
{
	return !n || n->type == YAML_NULL;
}

static int take_fields(struct parse *p, const struct yaml_node *map, const struct fields *f,
		       void *out)
{
	int r = 0;

	if (map->type != YAML_MAP)
		return bad(p, map, "%s is a mapping, not %s", f->of, yaml_type_name(map->type));
	for (size_t i = 0; r == 0 && i < map->m.n; i++) {
		const struct yaml_node *v = map->m.v[i].value;
		const struct field *field = field_named(f, map->m.v[i].key);

		if (!field)
			return bad(p, v, "%s has no field '%s'", f->of, map->m.v[i].key);
		if (is_null(v))
			continue;
		r = needs(p, v, field->name, field->since);
		if (r == 0)
			r = field->take(p, v, (char *)out + field->offset);
	}
	for (size_t i = 0; r == 0 && i < f->n; i++)
		if (f->v[i].required && is_null(yaml_get(map, f->v[i].name)))
			r = bad(p, map, "%s needs the field '%s'", f->of, f->v[i].name);
	return r;
}

/* ---- Values ------------------------------------------------------------------------------------ */
static int nothing(struct parse *p, const struct yaml_node *v, void *field)
{
	(void)p;
	(void)v;
	(void)field;
	return 0;
}

static int text(struct parse *p, const struct yaml_node *v, void *field)
{
	if (v->type != YAML_STR)
		return bad(p, v, "a string is wanted here, not %s", yaml_type_name(v->type));
	if (strlen(v->s) > CDI_TEXT_MAX)
		return bad(p, v, "longer than %d bytes", CDI_TEXT_MAX);
	*(const char **)field = v->s;
	return 0;
}

static int path(struct parse *p, const struct yaml_node *v, void *field)
{
	int r = text(p, v, field);

	return r == 0 && *v->s != '/' ? bad(p, v, "'%s' is not an absolute path", v->s) : r;
}

/* Where something goes: not the root itself. */
static int target(struct parse *p, const struct yaml_node *v, void *field)
{
	auto_free char *clean = NULL;
	int r = path(p, v, field);

	if (r < 0)
		return r;
	clean = path_clean(v->s);
	if (strcmp(clean, "/") == 0)
		return bad(p, v, "nothing can be put over the root");
	*(const char **)field = arena_strdup(p->a, clean);
	return 0;
}

static int whole(struct parse *p, const struct yaml_node *v, int64_t max, int64_t *out)
{
	if (v->type != YAML_INT)
		return bad(p, v, "a whole number is wanted here, not %s", yaml_type_name(v->type));
	if (v->i < 0 || v->i > max)
		return bad(p, v, "%lld is not between 0 and %lld", (long long)v->i, (long long)max);
	*out = v->i;
	return 0;
}

static int id(struct parse *p, const struct yaml_node *v, void *field)
{
	return whole(p, v, (int64_t)UINT32_MAX - 1,
		     field); /* the last one means none to the kernel */
}

static int mode(struct parse *p, const struct yaml_node *v, void *field)
{
	int r = whole(p, v, UINT32_MAX, field);

	*(int64_t *)field &= 07777; /* what kind of file it is has its own field */
	return r;
}

/* The kernel has 12 bits for the one and 20 for the other. */
static int major_number(struct parse *p, const struct yaml_node *v, void *field)
{
	int64_t n = 0;
	int r = whole(p, v, (1 << 12) - 1, &n);

	*(uint32_t *)field = (uint32_t)n;
	return r;
}

static int minor_number(struct parse *p, const struct yaml_node *v, void *field)
{
	int64_t n = 0;
	int r = whole(p, v, (1 << 20) - 1, &n);

	*(uint32_t *)field = (uint32_t)n;
	return r;
}

static int seconds(struct parse *p, const struct yaml_node *v, void *field)
{
	int64_t n = 0;
	int r = whole(p, v, SECONDS_MAX, &n);

	if (r == 0 && n == 0)
		return bad(p, v, "a timeout is a number of seconds above 0");
	*(unsigned *)field = (unsigned)n;
	return r;
}

static int node_type(struct parse *p, const struct yaml_node *v, void *field)
{
	const char *s;
	int r = text(p, v, &s);

	if (r < 0 || !*s)
		return r;
	if (s[1] || !strchr("bcup", *s))
		return bad(p, v, "'%s' is not a type of a node: b, c, u or p", s);
	*(char *)field = *s == 'u' ? 'c' : *s; /* mknod(1): u is c */
	return 0;
}

static int access_of(struct parse *p, const struct yaml_node *v, void *field)
{
	const char *s;
	int r = text(p, v, &s);

	if (r < 0 || !*s)
		return r;
	if (strcmp(s, "none") == 0)
		s = "";
	if (strlen(s) > 3 || strspn(s, "rwm") != strlen(s))
		return bad(p, v, "'%s' is not permissions: letters out of rwm, or none", s);
	*(const char **)field = s;
	return 0;
}

static int hook_kind(struct parse *p, const struct yaml_node *v, void *field)
{
	static const char *const kinds[] = {
		[CDI_PRESTART] = "prestart",
		[CDI_CREATE_RUNTIME] = "createRuntime",
		[CDI_CREATE_CONTAINER] = "createContainer",
		[CDI_START_CONTAINER] = "startContainer",
		[CDI_POSTSTART] = "poststart",
		[CDI_POSTSTOP] = "poststop",
	};
	const char *s;
	int r = text(p, v, &s);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i], s) == 0) {
			*(enum cdi_hook_kind *)field = (enum cdi_hook_kind)i;
			return 0;
		}
	return r < 0 ? r : bad(p, v, "'%s' is not the name of a hook", s);
}

/* ---- Lists ------------------------------------------------------------------------------------- */
struct raw_list { /* any CDI_LIST */
	void *v;
	size_t n;
};

static int take_list(struct parse *p, const struct yaml_node *v, size_t size, take_fn *item,
		     struct raw_list *out)
{
	char *items;
	int r = 0;

	if (v->type != YAML_LIST)
		return bad(p, v, "a list is wanted here, not %s", yaml_type_name(v->type));
	if (v->m.n > CDI_ITEMS_MAX)
		return bad(p, v, "more than %d entries", CDI_ITEMS_MAX);
	items = arena_array(p->a, v->m.n + 1, size); /* one more: ends with NULL */
	for (size_t i = 0; r == 0 && i < v->m.n; i++)
		r = item(p, v->m.v[i].value, items + i * size);
	out->v = items;
	out->n = v->m.n;
	return r;
}

static int variable(struct parse *p, const struct yaml_node *v, void *field)
{
	int r = text(p, v, field);

	return r == 0 && (!strchr(v->s, '=') || *v->s == '=')
		       ? bad(p, v, "'%s' is not of the form NAME=VALUE", v->s)
		       : r;
}

static int texts(struct parse *p, const struct yaml_node *v, void *field)
{
	return take_list(p, v, sizeof(char *), text, field);
}

static int variables(struct parse *p, const struct yaml_node *v, void *field)
{
	return take_list(p, v, sizeof(char *), variable, field);
}

static int gid(struct parse *p, const struct yaml_node *v, void *field)
{
	int64_t n = 0;
	int r = id(p, v, &n);

	*(uint32_t *)field = (uint32_t)n;
	return r;
}

static int gids(struct parse *p, const struct yaml_node *v, void *field)
{
	return take_list(p, v, sizeof(uint32_t), gid, field);
}

/* ---- Sections ---------------------------------------------------------------------------------- */
#define NODE(f) offsetof(struct cdi_node, f)
static const struct field node_fields[] = {
	{ "path", target, NODE(path), 0, true },
	{ "hostPath", path, NODE(host), V(0, 5), false },
	{ "type", node_type, NODE(type), 0, false },
	{ "major", major_number, NODE(major), 0, false },
	{ "minor", minor_number, NODE(minor), 0, false },
	{ "fileMode", mode, NODE(mode), 0, false },
	{ "permissions", access_of, NODE(access), 0, false },
	{ "uid", id, NODE(uid), 0, false },
	{ "gid", id, NODE(gid), 0, false },
};
static const struct fields node_table = FIELDS("a device node", node_fields);

static int one_node(struct parse *p, const struct yaml_node *v, void *field)
{
	struct cdi_node *n = field;
	int r;

	*n = (struct cdi_node){
		.access = "rwm", .mode = -1, .uid = -1, .gid = -1, .at = place(p, v)
	};
	r = take_fields(p, v, &node_table, n);
	if (r == 0 && !n->host)
		n->host = n->path;
	return r;
}

static int nodes(struct parse *p, const struct yaml_node *v, void *field)
{
	return take_list(p, v, sizeof(struct cdi_node), one_node, field);
}

struct raw_mount {
	struct cdi_mount m;
	struct raw_list options;
	const char *host, *type;
};
#define MOUNT(f) offsetof(struct raw_mount, f)
static const struct field mount_fields[] = {
	{ "hostPath", text, MOUNT(host), 0, true },
	{ "containerPath", target, MOUNT(m.target), 0, true },
	{ "options", texts, MOUNT(options), 0, false },
	{ "type", text, MOUNT(type), V(0, 4), false },
};
static const struct fields mount_table = FIELDS("a mount", mount_fields);

static int one_mount(struct parse *p, const struct yaml_node *v, void *field)
{
	struct raw_mount raw = { .type = "" };
	const char *wrong;
	struct cdi_flags flags;
	int r = take_fields(p, v, &mount_table, &raw);

	if (r < 0)
		return r;
	raw.m.host = raw.host;
	raw.m.options = (const char *const *)raw.options.v;
	raw.m.n_options = raw.options.n;
	raw.m.tmpfs = strcmp(raw.type, "tmpfs") == 0;
	raw.m.at = place(p, v);
	if (!raw.m.tmpfs && *raw.type && strcmp(raw.type, "bind") != 0 &&
	    strcmp(raw.type, "none") != 0)
		return bad(p, v, "mounts of the type '%s' are not made: bind, none and tmpfs are",
			   raw.type);
	if (!raw.m.tmpfs && *raw.host != '/')
		return bad(p, v, "'%s' is not an absolute path", raw.host);
	if (!raw.m.tmpfs && cdi_mount_flags(&raw.m, &flags, &wrong) < 0)
		return bad(p, v,
			   "the option '%s' is none of a bind that reaches no further than "
			   "the container",
			   wrong);
	*(struct cdi_mount *)field = raw.m;
	return 0;
}

static int mounts(struct parse *p, const struct yaml_node *v, void *field)
{
	return take_list(p, v, sizeof(struct cdi_mount), one_mount, field);
}

struct raw_hook {
	struct cdi_hook h;
	struct raw_list args, env;
};
#define HOOK(f) offsetof(struct raw_hook, f)
static const struct field hook_fields[] = {
	{ "hookName", hook_kind, HOOK(h.kind), 0, true },
	{ "path", path, HOOK(h.path), 0, true },
	{ "args", texts, HOOK(args), 0, false },
	{ "env", variables, HOOK(env), 0, false },
	{ "timeout", seconds, HOOK(h.timeout_s), 0, false },
};
static const struct fields hook_table = FIELDS("a hook", hook_fields);

static int one_hook(struct parse *p, const struct yaml_node *v, void *field)
{
	const char **alone = arena_array(p->a, 2, sizeof(*alone));
	struct raw_hook raw = { .env = { arena_array(p->a, 1, sizeof(char *)), 0 } };
	int r = take_fields(p, v, &hook_table, &raw);

	alone[0] = raw.h.path;
	raw.h.args = raw.args.n ? (const char *const *)raw.args.v : alone;
	raw.h.env = (const char *const *)raw.env.v;
	raw.h.at = place(p, v);
	*(struct cdi_hook *)field = raw.h;
	return r;
}

static int hooks(struct parse *p, const struct yaml_node *v, void *field)
{
	return take_list(p, v, sizeof(struct cdi_hook), one_hook, field);
}

/* It is valid, and whoever asks for such a device is told. */
static int refuse(struct parse *p, const struct yaml_node *v, const char *name, void *field)
{
	const char **why = field;

	if (!*why && !(v->type == YAML_LIST && v->m.n == 0))
		*why = arena_printf(p->a, "%s: %s", place(p, v), name);
	return 0;
}

static int rdt(struct parse *p, const struct yaml_node *v, void *field)
{
	return refuse(p, v, "intelRdt", field);
}

static int net_devices(struct parse *p, const struct yaml_node *v, void *field)
{
	return refuse(p, v, "netDevices", field);
}

#define SECTION(f) offsetof(struct cdi_section, f)
static const struct field section_fields[] = {
	{ "env", variables, SECTION(env), 0, false },
	{ "deviceNodes", nodes, SECTION(nodes), 0, false },
	{ "mounts", mounts, SECTION(mounts), 0, false },
	{ "hooks", hooks, SECTION(hooks), 0, false },
	{ "additionalGids", gids, SECTION(gids), V(0, 7), false },
	{ "additionalGIDs", gids, SECTION(gids), V(0, 7), false }, /* the specification has both */
	{ "intelRdt", rdt, SECTION(refused), V(0, 7), false },
	{ "netDevices", net_devices, SECTION(refused), V(1, 1), false },
};
static const struct fields section_table = FIELDS("containerEdits", section_fields);

static int section(struct parse *p, const struct yaml_node *v, void *field)
{
	return take_fields(p, v, &section_table, field);
}

static int some_section(struct parse *p, const struct yaml_node *v, void *field)
{
	return v->type == YAML_MAP && v->m.n == 0 ? bad(p, v, "a device that changes nothing")
						  : section(p, v, field);
}

static int annotations(struct parse *p, const struct yaml_node *v, void *field)
{
	(void)field;
	if (v->type != YAML_MAP)
		return bad(p, v, "annotations are a mapping");
	for (size_t i = 0; i < v->m.n; i++)
		if (v->m.v[i].value->type != YAML_STR)
			return bad(p, v->m.v[i].value, "the annotation '%s' is not a string",
				   v->m.v[i].key);
	return 0;
}

static int device_name(struct parse *p, const struct yaml_node *v, void *field)
{
	int r = text(p, v, field);

	if (r < 0)
		return r;
	if (!cdi_device_ok(v->s))
		return bad(p, v,
			   "'%s' is not a device name: letters, digits and . _ - : between them",
			   v->s);
	return *v->s >= '0' && *v->s <= '9'
		       ? needs(p, v, "a name that begins with a digit", V(0, 5))
		       : 0;
}

#define DEVICE(f) offsetof(struct cdi_device, f)
static const struct field device_fields[] = {
	{ "name", device_name, DEVICE(name), 0, true },
	{ "annotations", annotations, 0, V(0, 6), false },
	{ "containerEdits", some_section, DEVICE(edits), 0, true },
};
static const struct fields device_table = FIELDS("a device", device_fields);

static int one_device(struct parse *p, const struct yaml_node *v, void *field)
{
	return take_fields(p, v, &device_table, field);
}

static int devices(struct parse *p, const struct yaml_node *v, void *field)
{
	struct raw_list *out = field;
	auto_map struct map seen = { 0 };
	int r = take_list(p, v, sizeof(struct cdi_device), one_device, out);

	if (r == 0 && out->n == 0)
		return bad(p, v, "a spec has at least one device");
	for (size_t i = 0; r == 0 && i < out->n; i++) {
		const char *name = ((const struct cdi_device *)out->v)[i].name;

		if (map_has(&seen, name))
			r = bad(p, v->m.v[i].value, "the device '%s' is there twice", name);
		map_put(&seen, name, p);
	}
	return r;
}

#define SPEC(f) offsetof(struct cdi_spec, f)
static const struct field spec_fields[] = {
	{ "cdiVersion", nothing, 0, 0, true }, /* both are read first */
	{ "kind", nothing, 0, 0, true },
	{ "annotations", annotations, 0, V(0, 6), false },
	{ "devices", devices, SPEC(devices), 0, true },
	{ "containerEdits", section, SPEC(edits), 0, false },
};
static const struct fields spec_table = FIELDS("a CDI spec", spec_fields);

/* ---- The file ---------------------------------------------------------------------------------- */
static int read_kind(struct parse *p, const struct yaml_node *root, struct cdi_spec *out)
{
	const struct yaml_node *v = yaml_get(root, "kind");
	const char *kind = NULL;
	int r = is_null(v) ? bad(p, root, "a CDI spec needs the field 'kind'") : text(p, v, &kind);

	if (r < 0)
		return r;
	if (!cdi_kind_ok(kind))
		return bad(p, v, "'%s' is not a kind like vendor.com/class", kind);
	out->kind = kind;
	return 0;
}

/* "0.7.0": what a patch version changes is not in the files. */
static int read_version(struct parse *p, const struct yaml_node *root)
{
	const struct yaml_node *v = yaml_get(root, "cdiVersion");
	const char *s = NULL;
	unsigned major = 0, minor = 0, patch = 0;
	int used = 0;
	int r = is_null(v) ? bad(p, root, "a CDI spec needs the field 'cdiVersion'")
			   : text(p, v, &s);

	if (r < 0)
		return r;
	if (sscanf(s + (*s == 'v'), "%3u.%2u.%3u%n", &major, &minor, &patch, &used) == 3 &&
	    !s[(*s == 'v') + used])
		for (size_t i = 0; i < ARRAY_LEN(versions); i++)
			if (versions[i] == V(major, minor)) {
				p->version = versions[i];
				return 0;
			}
	return bad(p, v, "cdiVersion '%s' is not known: 0.1.0 to 0.8.0, 1.0.0 and 1.1.0 are", s);
}

int cdi_parse(struct arena *a, const char *file, const char *content, size_t len,
	      struct cdi_spec *out, struct err *err)
{
	struct parse p = { .a = a, .file = file, .err = err };
	struct yaml_docs docs = { 0 };
	const struct yaml_node *root;
	int r = yaml_parse(a, file, content, len, &docs, err);

	if (r < 0)
		return r;
	root = docs.n == 1 ? docs.v[0] : NULL;
	if (!root || root->type != YAML_MAP)
		return err_set(err, -EINVAL, "%s: not one CDI spec", file);
	r = read_kind(&p, root, out);
	if (r == 0)
		r = read_version(&p, root);
	if (r == 0 && strchr(strchr(out->kind, '/'), '.'))
		r = needs(&p, yaml_get(root, "kind"), "a dot in the class of a kind", V(0, 6));
	return r < 0 ? r : take_fields(&p, root, &spec_table, out);
}
