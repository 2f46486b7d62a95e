/* users.c - the image's own passwd and group; see box.h
 *
 * The files come from an image and are hostile: any bytes, any length of line, lines without end.
 * Lines that do not parse are skipped, as the C library does.
 */
#include <ctrcompose/box.h>

#include <stdio.h>
#include <string.h>

enum { FIELDS_MAX = 7 };

struct line {
	struct field {
		const char *s;
		size_t len;
	} field[FIELDS_MAX];
	size_t n;
};

struct cursor {
	const char *p, *end;
};

static bool next_line(struct cursor *c, struct line *out)
{
	const char *eol, *p;

	if (c->p >= c->end)
		return false;
	eol = memchr(c->p, '\n', (size_t)(c->end - c->p));
	if (!eol)
		eol = c->end;
	p = c->p;
	for (out->n = 0; out->n < FIELDS_MAX; out->n++) {
		const char *colon = memchr(p, ':', (size_t)(eol - p));
		const char *stop = colon ? colon : eol;

		out->field[out->n] = (struct field){ p, (size_t)(stop - p) };
		if (!colon) {
			out->n++;
			break;
		}
		p = colon + 1;
	}
	c->p = eol < c->end ? eol + 1 : eol;
	return true;
}

static bool field_is(const struct field *f, const char *s, size_t len)
{
	return f->len == len && memcmp(f->s, s, len) == 0;
}

/* 0 to UINT32_MAX - 1: the last one means "no change" to the kernel. */
static bool to_id(const char *s, size_t len, uint32_t *out)
{
	uint64_t v = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	if (v >= UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool all_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len > 0;
}

/* name:password:uid:gid:gecos:home:shell */
static bool find_user(const char *passwd, size_t passwd_len, const char *name, size_t name_len,
		      bool by_id, uint32_t id, struct box_user *out, struct field *login)
{
	struct cursor c = { passwd, passwd + passwd_len };
	struct line l;

	while (next_line(&c, &l)) {
		uint32_t uid, gid;

		if (l.n < 4 || l.field[0].len == 0 || !to_id(l.field[2].s, l.field[2].len, &uid) ||
		    !to_id(l.field[3].s, l.field[3].len, &gid))
			continue;
		if (by_id ? uid != id : !field_is(&l.field[0], name, name_len))
			continue;
		out->uid = uid;
		out->gid = gid;
		*login = l.field[0];
		if (l.n >= 6 && l.field[5].len > 0 && l.field[5].len < sizeof(out->home) &&
		    l.field[5].s[0] == '/' && !memchr(l.field[5].s, '\0', l.field[5].len)) {
			memcpy(out->home, l.field[5].s, l.field[5].len);
			out->home[l.field[5].len] = '\0';
		}
		return true;
	}
	return false;
}

/* name:password:gid:member,member */
static bool find_group(const char *group, size_t group_len, const char *name, size_t name_len,
		       gid_t *out)
{
	struct cursor c = { group, group + group_len };
	struct line l;
	uint32_t gid;

	while (next_line(&c, &l))
		if (l.n >= 3 && field_is(&l.field[0], name, name_len) &&
		    to_id(l.field[2].s, l.field[2].len, &gid)) {
			*out = gid;
			return true;
		}
	return false;
}

static bool is_member(const struct field *list, const struct field *login)
{
	const char *p = list->s, *end = list->s + list->len;

	while (p <= end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const struct field one = { p, (size_t)((comma ? comma : end) - p) };

		if (field_is(&one, login->s, login->len))
			return true;
		if (!comma)
			break;
		p = comma + 1;
	}
	return false;
}

/* Groups beyond the bound are left out. */
static void add_group(struct box_user *u, gid_t gid)
{
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == gid)
			return;
	if (u->n_groups < BOX_GROUPS_MAX)
		u->groups[u->n_groups++] = gid;
}

static void add_memberships(const char *group, size_t group_len, const struct field *login,
			    struct box_user *u)
{
	struct cursor c = { group, group + group_len };
	struct line l;
	uint32_t gid;

	while (next_line(&c, &l))
		if (l.n >= 4 && to_id(l.field[2].s, l.field[2].len, &gid) &&
		    is_member(&l.field[3], login))
			add_group(u, gid);
}

static int resolve_group(const char *name, size_t len, const char *group, size_t group_len,
			 gid_t *out, char why[160])
{
	if (all_digits(name, len)) {
		if (to_id(name, len, out))
			return 0;
		(void)snprintf(why, 160, "group '%.*s' is out of range", (int)len, name);
		return -EINVAL;
	}
	if (find_group(group, group_len, name, len, out))
		return 0;
	(void)snprintf(why, 160, "no group '%.*s' in the image's /etc/group",
		       (int)(len < 100 ? len : 100), name);
	return -ENOENT;
}

int box_user_resolve(const char *who, const char *const *extra, size_t n_extra, const char *passwd,
		     size_t passwd_len, const char *group, size_t group_len, struct box_user *out,
		     char why[160])
{
	const char *name = who && *who ? who : "0";
	size_t len = strcspn(name, ":");
	const char *group_name = name[len] ? name + len + 1 : NULL;
	struct box_user u = { .home = "/" };
	struct field login = { "", 0 };
	bool known;
	uint32_t id;

	if (!passwd)
		passwd = "", passwd_len = 0;
	if (!group)
		group = "", group_len = 0;
	if (group_name && (*group_name == '\0' || strchr(group_name, ':'))) {
		(void)snprintf(why, 160,
			       "'%.100s' is not a user like name, name:group or 1000:1000", name);
		return -EINVAL;
	}
	if (len == 0) {
		name = "0";
		len = 1;
	}
	if (all_digits(name, len)) {
		if (!to_id(name, len, &id)) {
			(void)snprintf(why, 160, "user '%.*s' is out of range",
				       (int)(len < 100 ? len : 100), name);
			return -EINVAL;
		}
		u.uid = id;
		known = find_user(passwd, passwd_len, NULL, 0, true, id, &u, &login);
		if (id == 0 && !known)
			memcpy(u.home, "/root", sizeof("/root"));
	} else {
		known = find_user(passwd, passwd_len, name, len, false, 0, &u, &login);
		if (!known) {
			(void)snprintf(why, 160, "no user '%.*s' in the image's /etc/passwd",
				       (int)(len < 100 ? len : 100), name);
			return -ENOENT;
		}
	}
	if (group_name) {
		int r = resolve_group(group_name, strlen(group_name), group, group_len, &u.gid,
				      why);

		if (r < 0)
			return r;
	}
	add_group(&u, u.gid); /* first, and always there: a process out of its own primary
			       * group slips past files that deny it (CVE-2022-36109) */
	if (known && !group_name)
		add_memberships(group, group_len, &login, &u);
	for (size_t i = 0; i < n_extra; i++) {
		gid_t gid;
		int r = resolve_group(extra[i], strlen(extra[i]), group, group_len, &gid, why);

		if (r < 0)
			return r;
		add_group(&u, gid);
	}
	*out = u;
	return 0;
}
