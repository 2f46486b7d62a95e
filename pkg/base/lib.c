/* lib.c - shared libraries that are opened when they are first used; see base.h */
#include <ctrcompose/base.h>

#include <dlfcn.h>
#include <string.h>

int lib_open(const char *soname, const struct lib_symbol *symbols, size_t n, struct err *err)
{
	void *handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!handle)
		return err_set(err, -ENOTSUP, "%s", dlerror());
	for (size_t i = 0; i < n; i++) {
		void *symbol = dlsym(handle, symbols[i].name);

		if (!symbol)
			return err_set(err, -ENOTSUP, "%s", dlerror());
		/* ISO C has no cast from object to function. */
		memcpy(symbols[i].slot, &symbol, sizeof(symbol));
	}
	return 0;
}
