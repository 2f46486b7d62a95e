/* lib.c - shared libraries that are opened when they are first used; see base.h */
#include <ctrcompose/base.h>

#include <dlfcn.h>
#include <string.h>

static int open_it(const struct lib *l, struct err *err)
{
	void *handle = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!handle)
		return err_set(err, -ENOTSUP, "%s", dlerror());
	for (size_t i = 0; i < l->n_symbols; i++) {
		void *symbol = dlsym(handle, l->symbols[i].name);

		if (!symbol)
			return err_set(err, -ENOTSUP, "%s", dlerror());
		/* ISO C has no cast from object to function. */
		memcpy(l->symbols[i].slot, &symbol, sizeof(symbol));
	}
	if (l->start && !l->start())
		return err_set(err, -ENOTSUP, "it does not work here");
	return 0;
}

int lib_get(struct lib *l, struct err *err)
{
	(void)pthread_mutex_lock(&l->lock);
	if (!l->tried)
		(void)open_it(l, &l->problem);
	l->tried = true;
	(void)pthread_mutex_unlock(&l->lock);
	if (!l->problem.code)
		return 0;
	return err_set(err, l->problem.code, "%s: %s", l->needed, err_text(&l->problem));
}
