/* mount_read.c - the options of RUN --mount: which kind has which, and what they may be */
#include "run.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { OPTIONS_MAX = 64 };

static const char *const kind_names[RUN_KINDS + 1] = {
	[RUN_BIND] = "bind",     [RUN_CACHE] = "cache", [RUN_TMPFS] = "tmpfs",
	[RUN_SECRET] = "secret", [RUN_SSH] = "ssh",
};
enum {
	OF_BIND = 1U << RUN_BIND,
	OF_CACHE = 1U << RUN_CACHE,
	OF_TMPFS = 1U << RUN_TMPFS,
	OF_SECRET = 1U << RUN_SECRET,
	OF_SSH = 1U << RUN_SSH,
	OF_ALL = (1U << RUN_KINDS) - 1,
	OF_OWNED = OF_CACHE | OF_SECRET | OF_SSH,
};

static int read_number(const char *text, int base, unsigned *out)
{
	char *end;
	unsigned long v = strtoul(text, &end, base);

	if (*text < '0' || *text > '9' || *end || v > UINT32_MAX)
		return -EINVAL;
	*out = (unsigned)v;
	return 0;
}

static int read_truth(const char *text, bool *out)
{
	static const char *const words[] = { "0", "f", "false", "1", "t", "true" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0) {
			*out = i >= ARRAY_LEN(words) / 2;
			return 0;
		}
	return -EINVAL;
}

static int put_env(struct mount *m, const char *v)
{
	m->env = v;
	return *v ? 0 : -EINVAL;
}

static int put_sharing(struct mount *m, const char *v)
{
	m->sharing = v;
	return str_eq(v, "shared") || str_eq(v, "private") || str_eq(v, "locked") ? 0 : -EINVAL;
}

static int put_size(struct mount *m, const char *v)
{
	return parse_bytes(v, &m->size);
}

static int put_write(struct mount *m, const char *v)
{
	m->has_write = true;
	return read_truth(v, &m->write);
}

static int put_read(struct mount *m, const char *v)
{
	int r = put_write(m, v);

	m->write = !m->write;
	return r;
}

static int put_required(struct mount *m, const char *v)
{
	return read_truth(v, &m->required);
}

static int put_mode(struct mount *m, const char *v)
{
	m->has_mode = true;
	return read_number(v, 8, &m->mode);
}

static int put_uid(struct mount *m, const char *v)
{
	m->has_owner = true;
	return read_number(v, 10, &m->uid);
}

static int put_gid(struct mount *m, const char *v)
{
	m->has_owner = true;
	return read_number(v, 10, &m->gid);
}

#define AT(field) offsetof(struct mount, field)
static const struct {
	const char *name;
	int (*put)(struct mount *m, const char *value); /* NULL: as it is, */
	size_t at;                                      /* here */
	unsigned kinds;                                 /* that have it */
	bool alone;                                     /* without a value it means true */
} mount_options[] = {
	{ "destination", NULL, AT(target), OF_ALL, false },
	{ "dst", NULL, AT(target), OF_ALL, false },
	{ "env", put_env, 0, OF_SECRET, false },
	{ "from", NULL, AT(from), OF_BIND | OF_CACHE, false },
	{ "gid", put_gid, 0, OF_OWNED, false },
	{ "id", NULL, AT(id), OF_OWNED, false },
	{ "mode", put_mode, 0, OF_OWNED, false },
	{ "readonly", put_read, 0, OF_ALL, true },
	{ "readwrite", put_write, 0, OF_BIND | OF_CACHE | OF_TMPFS, true },
	{ "required", put_required, 0, OF_SECRET | OF_SSH, true },
	{ "ro", put_read, 0, OF_ALL, true },
	{ "rw", put_write, 0, OF_BIND | OF_CACHE | OF_TMPFS, true },
	{ "sharing", put_sharing, 0, OF_CACHE, false },
	{ "size", put_size, 0, OF_TMPFS, false },
	{ "source", NULL, AT(source), OF_BIND | OF_CACHE | OF_SECRET, false },
	{ "src", NULL, AT(source), OF_BIND | OF_CACHE | OF_SECRET, false },
	{ "target", NULL, AT(target), OF_ALL, false },
	{ "uid", put_uid, 0, OF_OWNED, false },
};

struct option {
	const char *name, *value; /* NULL: without one */
};
struct options {
	struct option v[OPTIONS_MAX];
	size_t n;
};

/* "NAME=value" each. Variables are replaced in each value by itself, and once: what comes of it is taken
 * as it is, also a '$' or a comma. */
static int read_options(struct stage *s, const char *text, struct options *out, struct err *err)
{
	struct arena *a = &s->run->arena;
	char *rest = arena_strdup(a, text);

	out->n = 0;
	while (rest) {
		char *word = strsep(&rest, ","), *eq = strchr(word, '=');
		auto_free char *value = NULL;
		int r = 0;

		for (char *c = word; *c && c != eq; c++)
			*c = (char)tolower((unsigned char)*c);
		if (eq) {
			*eq = '\0';
			r = stage_expand(s, eq + 1, false, &value, err);
		}
		if (r < 0)
			return r;
		if (out->n >= OPTIONS_MAX)
			return err_set(err, E2BIG, "--mount has more than %d options", OPTIONS_MAX);
		out->v[out->n++] = (struct option){ word, value ? arena_strdup(a, value) : NULL };
	}
	return 0;
}

/* Which options there are depends on it, wherever it stands. */
static int read_kind(const struct options *l, struct mount *m, struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *value = l->v[i].value ? l->v[i].value : "", *near;
		size_t k = 0;

		if (strcmp(l->v[i].name, "type") != 0)
			continue;
		while (k < RUN_KINDS && strcasecmp(value, kind_names[k]) != 0)
			k++;
		if (k == RUN_KINDS) {
			near = str_nearest(value, kind_names, RUN_KINDS);
			return err_set(err, ENOTSUP, "--mount=type=%s is not known%s%s%s", value,
				       near ? "; did you mean " : "", near ? near : "",
				       near ? "?" : "");
		}
		m->kind = (enum run_mount)k;
	}
	return 0;
}

static int read_option(struct mount *m, const char *name, const char *value, struct err *err)
{
	size_t k = 0;

	while (k < ARRAY_LEN(mount_options) && strcmp(mount_options[k].name, name) != 0)
		k++;
	if (k == ARRAY_LEN(mount_options))
		return err_set(err, ENOTSUP, "--mount does not know '%s'", name);
	if (!(mount_options[k].kinds & 1U << m->kind))
		return err_set(err, EINVAL, "--mount=type=%s has no '%s'", kind_names[m->kind],
			       name);
	if (!value && !mount_options[k].alone)
		return err_set(err, EINVAL, "--mount: '%s' needs a value", name);
	if (!mount_options[k].put)
		memcpy((char *)m + mount_options[k].at, &value, sizeof(value));
	else if (mount_options[k].put(m, value ? value : "true") < 0)
		return err_set(err, EINVAL, "--mount: %s can't be '%s'", name, value);
	return 0;
}

/* What a secret is called, and where it is: by its name, unless it is for a variable alone. */
static int secret_names(struct arena *a, struct mount *m, struct err *err)
{
	const char *slash, *name;

	if (m->id && m->source)
		return err_set(err, EINVAL, "--mount=type=secret: both id and source are given");
	m->id = m->id ? m->id : m->source;
	if (!m->id && m->target)
		m->id = strrchr(m->target, '/') + 1;
	slash = m->id ? strrchr(m->id, '/') : NULL;
	name = slash ? slash + 1 : m->id;
	if (!name || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, EINVAL, "--mount=type=secret needs an id or a target");
	if (!m->target && !m->env)
		m->target = arena_printf(a, "/run/secrets/%s", name);
	return 0;
}

int mount_read(struct stage *s, const char *text, struct mount *m, struct err *err)
{
	struct arena *a = &s->run->arena;
	struct options l;
	int r = read_options(s, text, &l, err);

	*m = (struct mount){ .kind = RUN_BIND };
	if (r == 0)
		r = read_kind(&l, m, err);
	for (size_t i = 0; r == 0 && i < l.n; i++)
		if (*l.v[i].name && strcmp(l.v[i].name, "type") != 0)
			r = read_option(m, l.v[i].name, l.v[i].value, err);
	if (r < 0)
		return r;
	if (m->target) {
		auto_free char *joined = path_join(config_text(s, "WorkingDir", "/"), m->target);
		auto_free char *clean = path_clean(joined);

		m->target = arena_strdup(a, clean);
	}
	if (m->kind == RUN_SECRET)
		return secret_names(a, m, err);
	if (!m->target && m->kind == RUN_SSH)
		m->target = arena_printf(a, "/run/buildkit/ssh_agent.%zu", s->run->n_agents);
	if (!m->target)
		return err_set(err, EINVAL, "--mount=%s needs a target", text);
	return strcmp(m->target, "/") != 0 ? 0
					   : err_set(err, EINVAL, "--mount: the target can't be /");
}
