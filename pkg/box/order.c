/* order.c - which mount comes first, and which may not be; see private.h */
#include "private.h"

#include <string.h>

size_t target_depth(const char *target)
{
	size_t depth = 0;

	for (const char *p = target; *p; p++)
		if (*p != '/' && (p == target || p[-1] == '/'))
			depth++;
	return depth;
}

static const char *target_of(const struct box_spec *spec, size_t i)
{
	return i < spec->n_mounts ? spec->mounts[i].target : spec->files[i - spec->n_mounts].target;
}

/* Insertion sort: stable, and a container has a handful. */
static void put_in_order(const struct box_spec *spec, size_t *order, size_t n, size_t i)
{
	size_t depth = target_depth(target_of(spec, i)), k = n;

	for (; k > 0 && target_depth(target_of(spec, order[k - 1])) > depth; k--)
		order[k] = order[k - 1];
	order[k] = i;
}

void order_targets(const struct box_spec *spec, size_t *order)
{
	size_t n = 0;

	for (size_t i = 0; i < spec->n_files; i++)
		put_in_order(spec, order, n++, spec->n_mounts + i);
	for (size_t i = 0; i < spec->n_mounts; i++)
		put_in_order(spec, order, n++, i);
}

bool proc_target_allowed(const char *target)
{
	static const char *const allowed[] = {
		"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg",
		"/proc/meminfo", "/proc/net/dev",   "/proc/slabinfo",
		"/proc/stat",    "/proc/swaps",     "/proc/sys/crypto/fips_enabled",
		"/proc/uptime",
	};

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (strcmp(target, allowed[i]) == 0)
			return true;
	return false;
}

/* "4:cpu,cpuacct:/path", "1:name=systemd:/", "0::/" */
void hiers_parse(const char *text, struct hiers *out)
{
	const char *end;

	out->n = 0;
	for (const char *p = text; *p && out->n < HIER_MAX; p = *end ? end + 1 : end) {
		struct hier *h = &out->v[out->n];
		const char *name, *stop;
		size_t len;

		end = strchrnul(p, '\n');
		name = memchr(p, ':', (size_t)(end - p));
		stop = name ? memchr(name + 1, ':', (size_t)(end - name - 1)) : NULL;
		if (!stop)
			continue;
		name++;
		len = (size_t)(stop - name);
		*h = (struct hier){ .v2 = len == 0 };
		if (h->v2) {
			memcpy(h->name, "unified", sizeof("unified"));
			out->n++;
			continue;
		}
		if (len > 5 && memcmp(name, "name=", 5) == 0) {
			h->named = true;
			name += 5;
			len -= 5;
		}
		if (len >= sizeof(h->name) || memchr(name, '/', len))
			continue;
		memcpy(h->name, name, len);
		h->name[len] = '\0';
		out->n++;
	}
}
