/* outlive.c - descriptors of a container that must outlive the supervisor: a terminal that closes takes
 * its program along, and a question that waits in a socket would be lost with it; see fdstore.h */
#include "private.h"

#include <string.h>

static char *store_name(const struct unit *u, const char *what)
{
	return xasprintf("%s %s", what, u->c->id);
}

void unit_outlive(struct unit *u, const char *what, const int *fds, size_t n)
{
	auto_free char *name = store_name(u, what);
	int r = fd_store_put(u->engine->fds, name, fds, n);

	if (r < 0) /* it works as long as this process does */
		log_line(LOG_WARN, "%s: keeping its %s for the next supervisor: %s", u->c->name,
			 what, strerror(-r));
}

bool unit_outlived(struct unit *u, const char *what, int *fds, size_t n)
{
	auto_free char *name = store_name(u, what);
	int found[FD_STORE_FDS];
	size_t got = fd_store_take(u->engine->fds, name, found);

	for (size_t i = 0; got != n && i < got; i++)
		auto_close_fn(&found[i]);
	if (got != n)
		return false;
	memcpy(fds, found, n * sizeof(int));
	return true;
}

void unit_outlive_end(struct unit *u, const char *what)
{
	auto_free char *name = store_name(u, what);

	fd_store_drop(u->engine->fds, name);
}
