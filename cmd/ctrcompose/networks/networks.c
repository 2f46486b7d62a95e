/* networks.c - all networks of this world; see networks.h */
#include "networks/networks.h"

#include <ctrcompose/digest.h>
#include <stdlib.h>
#include <string.h>

void network_id(const struct state_paths *paths, const char *name, char out[65])
{
	auto_free char *text = xasprintf("%s/%s", paths->run, name);

	digest_text(text, strlen(text), out);
}

static void add(const char *project, const struct state_network *net, void *arg)
{
	struct network_entry *n = vec_push((struct network_entries *)arg);

	state_network_copy(&n->net, net);
	if (project)
		n->project = xstrdup(project);
}

static int by_name(const void *a, const void *b)
{
	const struct network_entry *x = a, *y = b;

	return strcmp(x->net.name, y->net.name);
}

void network_entries_read(const struct state_paths *paths, struct network_entries *out)
{
	state_networks_each(paths, NULL, add, out);
	for (size_t i = 0; i < out->n; i++) {
		auto_shared struct state_shared *s = NULL;
		struct network_entry *n = &out->v[i];

		if (state_shared_load(paths, n->net.name, &s, NULL) == 0) {
			state_shared_refresh(paths, s);
			state_shared_others(s, NULL, &n->members);
		} else if (n->project) {
			strs_add(&n->members, n->project);
		}
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
}

void network_entries_clear(struct network_entries *l)
{
	for (size_t i = 0; i < l->n; i++) {
		state_network_clear(&l->v[i].net);
		strs_clear(&l->v[i].members);
		free(l->v[i].project);
	}
	free(l->v);
	*l = (struct network_entries){ 0 };
}

const struct network_entry *network_entry_find(const struct state_paths *paths,
					       const struct network_entries *l, const char *ref)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].net.name, ref))
			return &l->v[i];
	for (size_t i = 0; i < l->n && strlen(ref) >= 4; i++) {
		char id[65];

		network_id(paths, l->v[i].net.name, id);
		if (str_starts(id, ref))
			return &l->v[i];
	}
	return NULL;
}

void network_entry_labels(const struct network_entry *n, struct strs *out)
{
	if (n->project) {
		strs_addf(out, "com.docker.compose.network=%s", n->net.key);
		strs_addf(out, "com.docker.compose.project=%s", n->project);
	}
	for (size_t i = 0; i < n->net.labels.n; i++)
		strs_add(out, n->net.labels.v[i]);
}
