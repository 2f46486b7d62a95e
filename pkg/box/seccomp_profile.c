/* seccomp_profile.c - Docker's JSON profiles; see seccomp.h
 *
 * Rules that ask for capabilities, architectures or a kernel which are not there are left out, as
 * are names that this version does not know. Of one call's rules the first whose conditions hold
 * decides, then the first without conditions, then the default.
 */
#include "seccomp.h"

#include <ctrcompose/box.h>
#include <ctrcompose/json.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

enum { TEXT_MAX = 1 << 20, NAMES_MAX = 20000 };

struct profile {
	struct sc_build *b;
	uint64_t caps;
	unsigned kernel; /* major << 16 | minor */
	uint32_t otherwise;
	size_t names; /* seen so far */
};

/* ---- Words ------------------------------------------------------------------------------------ */
static const struct word {
	const char *name;
	uint32_t value;
} actions[] = {
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
},
ops[] = {
	{ "SCMP_CMP_NE", SC_NE },
	{ "SCMP_CMP_LT", SC_LT },
	{ "SCMP_CMP_LE", SC_LE },
	{ "SCMP_CMP_EQ", SC_EQ },
	{ "SCMP_CMP_GE", SC_GE },
	{ "SCMP_CMP_GT", SC_GT },
	{ "SCMP_CMP_MASKED_EQ", SC_MASKED_EQ },
};

static const struct word *find_word(const struct word *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static int parse_action(const struct json *object, const char *key, const char *errno_key,
			int64_t errno_ret, uint32_t *out, struct err *err)
{
	const char *name = json_str(object, key, "");
	const struct word *w = find_word(actions, ARRAY_LEN(actions), name);
	int64_t code = json_int(object, errno_key, errno_ret);

	if (!w)
		return err_set(err, EINVAL, "%s: '%s' is not an action that is supported", key,
			       name);
	if (code < 0 || code > 4095)
		return err_set(err, EINVAL, "%s: %lld is out of range", errno_key, (long long)code);
	*out = w->value;
	if (w->value == SECCOMP_RET_ERRNO || w->value == SECCOMP_RET_TRACE)
		*out |= (uint32_t)code;
	return 0;
}

static int parse_number(const struct json *object, const char *key, uint64_t *out, struct err *err)
{
	const struct json *v = json_get(object, key);
	int64_t n = v ? json_integer(v, -1) : 0;

	if (n < 0)
		return err_set(err, EINVAL, "%s is not a number that can be compared with", key);
	*out = (uint64_t)n;
	return 0;
}

/* ---- Conditions ------------------------------------------------------------------------------- */
static int parse_arg(const struct json *arg, struct sc_clause *c, struct err *err)
{
	const char *op = json_str(arg, "op", "");
	const struct word *w = find_word(ops, ARRAY_LEN(ops), op);
	uint64_t index = 0, value = 0, two = 0;
	int r = parse_number(arg, "index", &index, err);

	if (r == 0)
		r = parse_number(arg, "value", &value, err);
	if (r == 0)
		r = parse_number(arg, "valueTwo", &two, err);
	if (r < 0)
		return r;
	if (!w)
		return err_set(err, EINVAL, "op: '%s' is not a comparison", op);
	if (index >= SC_CONDS_MAX)
		return err_set(err, EINVAL, "index: system calls have six arguments");
	if (c->n == SC_CONDS_MAX)
		return err_set(err, EINVAL, "there are more than %d conditions", SC_CONDS_MAX);
	c->cond[c->n++] = (struct sc_cond){
		.arg = (uint8_t)index, .op = (enum sc_op)w->value, .value = value, .two = two
	};
	return 0;
}

static int parse_args(const struct json *rule, struct sc_clause *c, struct err *err)
{
	size_t i = 0;

	for (const struct json *a = json_first(json_get(rule, "args")); a; a = json_next(a), i++) {
		int r = parse_arg(a, c, err);

		if (r < 0)
			return err_wrap(err, r, "args[%zu]", i);
	}
	return 0;
}

/* ---- Whether a rule counts here --------------------------------------------------------------- */
static bool has_cap(const struct profile *p, const char *name)
{
	for (unsigned i = 0; i < 64; i++) {
		const char *cap = box_cap_name(i);

		if (cap && name && strcasecmp(cap, name) == 0)
			return p->caps >> i & 1;
	}
	return false;
}

static bool lists(const struct json *list, const char *what)
{
	for (const struct json *v = json_first(list); v; v = json_next(v))
		if (str_eq(json_string(v), what))
			return true;
	return false;
}

static bool kernel_at_least(const struct profile *p, const char *version)
{
	char *end;
	unsigned long major = strtoul(version, &end, 10);
	unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	return p->kernel >= ((unsigned)major << 16 | (unsigned)(minor & 0xffff));
}

static bool counts(const struct profile *p, const struct json *rule)
{
	const struct json *in = json_get(rule, "includes"), *ex = json_get(rule, "excludes");
	const char *min = json_str(in, "minKernel", NULL);

	if (json_count(json_get(in, "arches")) &&
	    !lists(json_get(in, "arches"), sc_archs[0].docker_name))
		return false;
	if (lists(json_get(ex, "arches"), sc_archs[0].docker_name))
		return false;
	for (const struct json *c = json_first(json_get(in, "caps")); c; c = json_next(c))
		if (!has_cap(p, json_string(c)))
			return false;
	for (const struct json *c = json_first(json_get(ex, "caps")); c; c = json_next(c))
		if (has_cap(p, json_string(c)))
			return false;
	if (min && !kernel_at_least(p, min))
		return false;
	min = json_str(ex, "minKernel", NULL);
	return !min || !kernel_at_least(p, min);
}

/* ---- Rules ------------------------------------------------------------------------------------ */
static void add_to(struct sc_answer *a, const char *name, const struct sc_clause *c)
{
	struct sc_clause *mine;

	if (c->n == 0) {
		if (!a->closed)
			a->otherwise = c->ret;
		a->closed = true;
		return;
	}
	mine = vec_push(a);
	*mine = *c;
	for (size_t i = 0; i < mine->n; i++)
		mine->cond[i].narrow = sc_is_narrow(name, mine->cond[i].arg);
}

static int add_name(struct profile *p, const char *name, const struct sc_clause *c, struct err *err)
{
	if (!name)
		return err_set(err, EINVAL, "a name is not a string");
	if (++p->names > NAMES_MAX)
		return err_set(err, E2BIG, "there are more than %d names", NAMES_MAX);
	for (size_t i = 0; i < sc_n_archs; i++) {
		const struct sc_arch *arch = &sc_archs[i];
		uint32_t nrs[2];
		size_t n = p->b->abis & arch->abi ? sc_numbers(arch, name, nrs) : 0;

		for (size_t k = 0; k < n; k++) {
			struct sc_entry *e = sc_entry_find(p->b, arch, nrs[k]);
			size_t answer = e ? e->answer : sc_answer_new(p->b, p->otherwise);

			if (!e)
				sc_entry_add(p->b, arch, nrs[k], answer);
			add_to(&p->b->answers.v[answer], name, c);
		}
	}
	return 0;
}

static int add_rule(struct profile *p, const struct json *rule, struct err *err)
{
	const struct json *names = json_get(rule, "names"), *name = json_get(rule, "name");
	struct sc_clause c = { 0 };
	int r;

	if (json_kind(rule) != JSON_OBJECT)
		return err_set(err, EINVAL, "is not an object");
	if (name && names)
		return err_set(err, EINVAL, "has both name and names");
	r = parse_action(rule, "action", "errnoRet", EPERM, &c.ret, err);
	if (r == 0)
		r = parse_args(rule, &c, err);
	if (r < 0 || !counts(p, rule))
		return r;
	if (name)
		return add_name(p, json_string(name), &c, err);
	for (const struct json *n = json_first(names); r == 0 && n; n = json_next(n))
		r = add_name(p, json_string(n), &c, err);
	return r;
}

/* ---- Architectures ---------------------------------------------------------------------------- */
static void add_arch(struct profile *p, const char *name)
{
	for (size_t i = 0; i < sc_n_archs; i++)
		if (str_eq(sc_archs[i].lib_name, name))
			p->b->abis |= sc_archs[i].abi;
}

static int parse_archs(struct profile *p, const struct json *j, struct err *err)
{
	const struct json *list = json_get(j, "architectures"), *map = json_get(j, "archMap");

	if (json_count(list) && json_count(map))
		return err_set(err, EINVAL, "has both architectures and archMap");
	p->b->abis = sc_archs[0].abi;
	for (const struct json *a = json_first(list); a; a = json_next(a))
		add_arch(p, json_string(a));
	for (const struct json *m = json_first(map); m; m = json_next(m)) {
		if (!str_eq(json_str(m, "architecture", ""), sc_archs[0].lib_name))
			continue;
		for (const struct json *a = json_first(json_get(m, "subArchitectures")); a;
		     a = json_next(a))
			add_arch(p, json_string(a));
	}
	return 0;
}

static unsigned kernel_version(void)
{
	struct utsname u;
	unsigned long major, minor;
	char *end;

	if (uname(&u) < 0)
		return 0;
	major = strtoul(u.release, &end, 10);
	minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	return (unsigned)major << 16 | (unsigned)(minor & 0xffff);
}

/* Programs are started by execveat (init.c), which a list of what a program calls need not have: it
 * is answered like execve then. */
static void allow_start(struct sc_build *b)
{
	uint32_t like[2], nrs[2];

	if (sc_numbers(&sc_archs[0], "execve", like) == 1 &&
	    sc_numbers(&sc_archs[0], "execveat", nrs) == 1) {
		const struct sc_entry *e = sc_entry_find(b, &sc_archs[0], like[0]);

		if (e && !sc_entry_find(b, &sc_archs[0], nrs[0]))
			sc_entry_add(b, &sc_archs[0], nrs[0], e->answer);
	}
}

static int read_profile(struct profile *p, const struct json *j, struct err *err)
{
	size_t i = 0;
	int r;

	if (json_kind(j) != JSON_OBJECT)
		return err_set(err, EINVAL, "is not an object");
	r = parse_action(j, "defaultAction", "defaultErrnoRet", EPERM, &p->otherwise, err);
	if (r == 0)
		r = parse_archs(p, j, err);
	if (r < 0)
		return r;
	p->b->otherwise = sc_answer_new(p->b, p->otherwise);
	p->b->newer_are_nosys = (p->otherwise & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
	for (const struct json *s = json_first(json_get(j, "syscalls")); s; s = json_next(s), i++) {
		r = add_rule(p, s, err);
		if (r < 0)
			return err_wrap(err, r, "syscalls[%zu]", i);
	}
	allow_start(p->b);
	return 0;
}

int sc_profile_parse(const char *text, size_t len, uint64_t caps, struct sc_build *out,
		     struct err *err)
{
	struct profile p = { .b = out, .caps = caps, .kernel = kernel_version() };
	auto_json struct json *j = NULL;
	int r;

	if (len > TEXT_MAX)
		return err_set(err, E2BIG, "is longer than a megabyte");
	r = json_parse(text, len, &j, err);
	return r < 0 ? r : read_profile(&p, j, err);
}
