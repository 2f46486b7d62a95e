/* Any passwd and group of an image, any user: no crash, bounded groups, the primary one first, and
 * a number is never looked up by name. The bytes: user, NUL, passwd, NUL, group. */
#include <ctrcompose/box.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t part(const char **p, size_t *left, const char **out)
{
	const char *end = memchr(*p, '\0', *left);
	size_t n = end ? (size_t)(end - *p) : *left;

	*out = *p;
	*p += end ? n + 1 : n;
	*left -= end ? n + 1 : n;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *user, *passwd;
	size_t user_len = part(&p, &size, &user), passwd_len = part(&p, &size, &passwd);
	auto_free char *who = xstrndup(user, user_len);
	const char *extra[] = { "7", "adm" };
	struct box_user u;
	char why[160] = "";
	int r = box_user_resolve(who, extra, 2, passwd, passwd_len, p, size, &u, why);

	if (r < 0) {
		if (!why[0] || strlen(why) >= sizeof(why))
			abort();
		return 0;
	}
	if (u.n_groups == 0 || u.n_groups > BOX_GROUPS_MAX || u.groups[0] != u.gid ||
	    u.home[0] != '/' || u.uid == (uid_t)-1 || u.gid == (gid_t)-1)
		abort();
	if (*who && who[strspn(who, "0123456789")] == '\0' && strtoul(who, NULL, 10) != u.uid)
		abort();
	return 0;
}
