/* edit.c - changing a record in memory, and finding containers in it; see state.h */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

void state_set(char **field, const char *value)
{
	char *copy = value ? xstrdup(value) : NULL; /* first: value may be the old text */

	free(*field);
	*field = copy;
}

struct state_container *state_container_add(struct state_project *s)
{
	struct state_container *c = xcalloc(1, sizeof(*c));

	*vec_push(&s->containers) = c; /* NOLINT(bugprone-sizeof-expression) */
	return c;
}

void state_container_remove(struct state_project *s, struct state_container *c)
{
	for (size_t i = 0; i < s->containers.n; i++) {
		if (s->containers.v[i] != c)
			continue;
		for (size_t k = i + 1; k < s->containers.n; k++)
			s->containers.v[k - 1] = s->containers.v[k];
		s->containers.n--;
		table_clear(&container_table, c);
		free(c);
		return;
	}
}

struct state_network *state_network_add(struct state_project *s)
{
	return vec_push(&s->networks);
}

struct state_network *state_network_find(const struct state_project *s, const char *key)
{
	for (size_t i = 0; i < s->networks.n; i++)
		if (str_eq(s->networks.v[i].key, key))
			return &s->networks.v[i];
	return NULL;
}

struct state_network *state_network_named(const struct state_project *s, const char *name)
{
	for (size_t i = 0; i < s->networks.n; i++)
		if (str_eq(s->networks.v[i].name, name))
			return &s->networks.v[i];
	return NULL;
}

void state_network_remove(struct state_project *s, const char *key)
{
	struct state_network *net = state_network_find(s, key);
	size_t i;

	if (!net)
		return;
	i = (size_t)(net - s->networks.v);
	table_clear(&network_table, net);
	memmove(net, net + 1, (s->networks.n - i - 1) * sizeof(*net));
	s->networks.n--;
}

struct state_endpoint *state_endpoint_add(struct state_container *c)
{
	return vec_push(&c->endpoints);
}

struct state_port *state_port_add(struct state_container *c)
{
	return vec_push(&c->ports);
}

struct state_mount *state_mount_add(struct state_container *c)
{
	return vec_push(&c->mounts);
}

void state_endpoints_clear(struct state_container *c)
{
	for (size_t i = 0; i < c->endpoints.n; i++)
		table_clear(&endpoint_table, &c->endpoints.v[i]);
	c->endpoints.n = 0;
}

void state_ports_clear(struct state_container *c)
{
	for (size_t i = 0; i < c->ports.n; i++)
		table_clear(&port_table, &c->ports.v[i]);
	c->ports.n = 0;
}

void state_mounts_clear(struct state_container *c)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		table_clear(&mount_table, &c->mounts.v[i]);
	c->mounts.n = 0;
}

/* ---- Finding ---- */

struct match {
	struct state_container *best;
	bool exact;
	size_t n; /* by prefix */
	struct sbuf names;
};

/* True when this project has the one that is meant. */
static bool match_in(const struct state_project *s, const char *ref, struct match *m)
{
	bool here = false;

	for (size_t i = 0; i < s->containers.n && !m->exact; i++) {
		struct state_container *c = s->containers.v[i];

		m->exact = str_eq(c->name, ref) || str_eq(c->id, ref);
		if (!m->exact && !(*ref && c->id && str_starts(c->id, ref)))
			continue;
		m->best = c;
		m->n++;
		here = true;
		sbuf_addf(&m->names, "%s%s", m->names.len ? ", " : "", c->name ? c->name : c->id);
	}
	return here;
}

static int verdict(const struct match *m, const char *ref, struct err *err)
{
	if (m->n == 0)
		return err_set(err, -ENOENT, "no such container: %s", ref);
	if (!m->exact && m->n > 1)
		return err_set(err, -ENOTUNIQ, "'%s' may be any of %s", ref, sbuf_str(&m->names));
	return 0;
}

int state_find(const struct state_project *s, const char *ref, struct state_container **out,
	       struct err *err)
{
	struct match m = { NULL, false, 0, SBUF_INIT };
	int r;

	(void)match_in(s, ref, &m);
	r = verdict(&m, ref, err);
	sbuf_clear(&m.names);
	if (r == 0)
		*out = m.best;
	return r;
}

int state_find_anywhere(const struct state_paths *p, const char *ref,
			struct state_project **project, struct state_container **container,
			struct err *err)
{
	struct match m = { NULL, false, 0, SBUF_INIT };
	auto_state struct state_project *found = NULL;
	auto_strs struct strs names = { NULL, 0, 0 };
	int r = state_list_projects(p, &names, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n && !m.exact; i++) {
		auto_state struct state_project *s = NULL;

		/* A damaged record of another project is no reason to find nothing. */
		if (state_load(p, names.v[i], &s, NULL) < 0 || !match_in(s, ref, &m))
			continue;
		state_free(found);
		found = steal(s);
	}
	r = verdict(&m, ref, err);
	sbuf_clear(&m.names);
	if (r < 0)
		return r;
	*project = steal(found);
	*container = m.best;
	return 0;
}
