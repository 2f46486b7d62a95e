/* volumes.c - the project's named volumes; see engine.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>

/* With those that Docker's tools find a project's volumes by; what the file says wins. */
static struct kvs labels_of(struct arena *a, const struct engine *e, const struct volume *def)
{
	const struct kv own[] = { { "com.docker.compose.project", e->state->name },
				  { "com.docker.compose.volume", def->key } };
	struct kvs out = { arena_array(a, def->labels.n + ARRAY_LEN(own), sizeof(*out.v)), 0 };

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		bool given = false;

		for (size_t k = 0; k < def->labels.n; k++)
			given |= str_eq(def->labels.v[k].key, own[i].key);
		if (!given)
			out.v[out.n++] = own[i];
	}
	for (size_t i = 0; i < def->labels.n; i++)
		out.v[out.n++] = def->labels.v[i];
	return out;
}

int engine_volume_make(struct engine *e, const struct volume *def, bool *created, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct kvs labels;
	int r;

	if (def->external) {
		if (volume_exists(e->volumes, def->name))
			return 0;
		return err_set(
			err, ENOENT,
			"external volume \"%s\" not found: make it with `ctrcompose volume create %s`",
			def->name, def->name);
	}
	labels = labels_of(&a, e, def);
	r = volume_create(e->volumes, def->name, e->state->name, false, &labels, created, err);
	if (r == 0 && !strs_has(&e->state->volumes, def->name))
		strs_add(&e->state->volumes, def->name);
	return r;
}

int engine_volume_remove(struct engine *e, const char *name, struct err *err)
{
	auto_strs struct strs users = { 0 };
	int r;

	for (size_t i = 0; i < e->state->containers.n; i++) {
		const struct state_container *c = e->state->containers.v[i];

		for (size_t k = 0; k < c->mounts.n; k++)
			if (str_eq(c->mounts.v[k].volume, name))
				strs_add(&users, c->name);
	}
	r = trash_volume(e, name, &users, err);
	if (r == -ENOENT) {
		err_clear(err);
		r = 0;
	}
	if (r == 0)
		strs_remove(&e->state->volumes, name);
	return r;
}

void engine_volumes_sweep(struct engine *e)
{
	auto_volume_records struct volume_records l = { 0 };
	auto_err struct err err = ERR_INIT;
	int r = volume_list(e->volumes, e->state->name, &l, &err);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		if (l.v[i].anonymous)
			r = trash_volume(e, l.v[i].name, NULL, &err);
	if (r < 0)
		log_line(LOG_WARN, "%s: %s", e->state->name, err_text(&err));
}
