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
