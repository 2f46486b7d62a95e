/* Any text as a CDI spec: what is accepted has qualified names, and edits within the bounds of what
 * they are handed to: paths, numbers, permissions, options, groups. */
#include <ctrcompose/cdi.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void look_at_node(const struct cdi_node *n)
{
	must(n->path[0] == '/' && n->path[1] && n->host[0] == '/' && n->at && strchr(n->at, ':'));
	must(!n->type || strchr("bcp", n->type));
	must(n->major < 1 << 12 && n->minor < 1 << 20);
	must(strlen(n->access) <= 3 && strspn(n->access, "rwm") == strlen(n->access));
	must(n->mode >= -1 && n->mode <= 07777);
	must(n->uid >= -1 && n->uid < UINT32_MAX && n->gid >= -1 && n->gid < UINT32_MAX);
}

static void look_at(const struct cdi_edits *e)
{
	for (size_t i = 0; i < e->env.n; i++)
		must(strchr(e->env.v[i], '=') > e->env.v[i]);
	for (size_t i = 0; i < e->nodes.n; i++)
		look_at_node(e->nodes.v[i]);
	for (size_t i = 0; i < e->mounts.n; i++) {
		const struct cdi_mount *m = e->mounts.v[i];
		struct cdi_flags flags;
		const char *bad;

		must(m->target[0] == '/' && m->target[1] && (m->tmpfs || m->host[0] == '/'));
		must(m->tmpfs || cdi_mount_flags(m, &flags, &bad) == 0);
	}
	for (size_t i = 0; i < e->hooks.n; i++) {
		const struct cdi_hook *h = e->hooks.v[i];

		must(h->path[0] == '/' && h->args[0] && h->env && h->kind <= CDI_CREATE_CONTAINER);
	}
	must(e->gids.n <= CDI_GIDS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_cdi struct cdi *c = cdi_new();
	auto_strs struct strs names = { 0 }, problems = { 0 };
	auto_cdi_edits struct cdi_edits all = { 0 };

	cdi_add(c, 0, "f", (const char *)data, size);
	cdi_devices(c, &names);
	cdi_problems(c, &problems);
	must(names.n == 0 || problems.n == 0); /* one spec is whole or broken */
	for (size_t i = 0; i < names.n; i++) {
		auto_cdi_edits struct cdi_edits e = { 0 };
		auto_strs struct strs one = { 0 };

		must(cdi_qualified(names.v[i]));
		strs_add(&one, names.v[i]);
		if (cdi_resolve(c, &one, &e, NULL) == 0)
			look_at(&e);
	}
	if (names.n && cdi_resolve(c, &names, &all, NULL) == 0)
		look_at(&all);
	return 0;
}
