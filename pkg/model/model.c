/* model.c - looking things up in a project, and its end. */
#include <ctrcompose/model.h>

#include <stdlib.h>
#include <string.h>

const char *kvs_get(const struct kvs *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].key, key) == 0)
			return l->v[i].value;
	return NULL;
}

const struct service *project_service(const struct project *p, const char *name)
{
	for (size_t i = 0; i < p->n_services; i++)
		if (strcmp(p->services[i].name, name) == 0)
			return &p->services[i];
	return NULL;
}

static bool leads_to(const struct project *p, const char *from, const char *to, bool *seen)
{
	const struct service *s = project_service(p, from);

	if (str_eq(from, to))
		return true;
	if (!s || seen[s - p->services])
		return false;
	seen[s - p->services] = true;
	for (size_t i = 0; i < s->n_deps; i++)
		if (leads_to(p, s->deps[i].service, to, seen))
			return true;
	return false;
}

bool project_needs(const struct project *p, char *const *words, const char *service)
{
	auto_free bool *seen = xcalloc(p->n_services + 1, sizeof(*seen));

	if (!words || !words[0])
		return true;
	for (; *words; words++)
		if (leads_to(p, *words, service, seen))
			return true;
	return false;
}

const struct network *project_network(const struct project *p, const char *key)
{
	for (size_t i = 0; i < p->n_networks; i++)
		if (strcmp(p->networks[i].key, key) == 0)
			return &p->networks[i];
	return NULL;
}

const struct volume *project_volume(const struct project *p, const char *key)
{
	for (size_t i = 0; i < p->n_volumes; i++)
		if (strcmp(p->volumes[i].key, key) == 0)
			return &p->volumes[i];
	return NULL;
}

void project_free(struct project *p)
{
	struct arena arena;

	if (!p)
		return;
	arena = p->arena; /* p itself is not in it */
	arena_free(&arena);
	free(p);
}

void auto_project_fn(struct project **p)
{
	project_free(*p);
	*p = NULL;
}
