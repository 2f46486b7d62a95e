/* pools.c - where subnets are taken from, as the host's owner says; see net.h */
#include <ctrcompose/json.h>
#include <ctrcompose/net.h>

#include <string.h>

enum { POOLS_MAX = 256 };

static int one_pool(const struct json *j, struct net_pools *out, struct err *err)
{
	const char *base = json_str(j, "base", "");
	int64_t size = json_int(j, "size", 0);
	struct net_pool pool;

	if (strchr(base, ':'))
		return 0; /* IPv6: every network has a prefix of its own (RFC 4193) */
	if (net_prefix_parse(base, &pool.base) < 0)
		return err_set(err, EINVAL, "base: '%s' is not a subnet like 10.200.0.0/16", base);
	if (size < (int64_t)pool.base.len || size < 1 || size > 30)
		return err_set(err, EINVAL,
			       "size: %lld is not a length from %u to 30 for the base %s",
			       (long long)size, pool.base.len ? pool.base.len : 1, base);
	pool.size = (unsigned)size;
	*vec_push(out) = pool;
	return 0;
}

int net_pools_parse(const char *text, size_t len, struct net_pools *out, struct err *err)
{
	auto_json struct json *j = NULL;
	const struct json *list;
	int r = json_parse(text, len, &j, err);

	if (r < 0)
		return r;
	list = json_get(j, "default-address-pools");
	if (json_kind(j) != JSON_OBJECT || (list && json_kind(list) != JSON_ARRAY))
		return err_set(err, EINVAL, "default-address-pools is not a list");
	for (const struct json *c = json_first(list); r == 0 && c; c = json_next(c))
		r = out->n < POOLS_MAX ? one_pool(c, out, err)
				       : err_set(err, E2BIG, "more than %d pools", POOLS_MAX);
	return r < 0 ? err_wrap(err, r, "default-address-pools") : 0;
}
