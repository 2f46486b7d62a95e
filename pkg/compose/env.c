/* env.c - variables by name, in layers. */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

const char *env_get(const struct env *e, const char *name)
{
	const char *v;

	if (!e)
		return NULL;
	v = env_get(e->outer, name);
	return v ? v : map_get(&e->vars, name);
}

void env_from_environ(struct env *e, const char *const *environ_)
{
	for (; environ_ && *environ_; environ_++) {
		const char *eq = strchr(*environ_, '=');

		if (eq && eq > *environ_) {
			auto_free char *name = xstrndup(*environ_, (size_t)(eq - *environ_));
			union { /* the map holds values it never writes to */
				const char *in;
				void *out;
			} value = { eq + 1 };

			map_put(&e->vars, name, value.out);
		}
	}
}

void env_from_kvs(struct env *e, const struct kvs *kvs)
{
	for (size_t i = 0; i < kvs->n; i++) {
		union {
			const char *in;
			void *out;
		} value = { kvs->v[i].value };

		if (value.in)
			map_put(&e->vars, kvs->v[i].key, value.out);
	}
}
