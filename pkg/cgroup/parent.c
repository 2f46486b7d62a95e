/* parent.c - cgroup_parent: which group a name means, and groups of others above ours; see cgroup.h */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MARK        "trusted.ctrcompose"
#define PARTS_MAX   16
#define SLICE       ".slice"
#define MADE_US     200000U /* from a folder to its mark, in another process */
#define OUTPUT_LINE 200

/* ---- Names ------------------------------------------------------------------------------------ */
struct part {
	const char *s;
	size_t n;
};

/* "//a/b/" is a, b. */
static bool next_part(const char **rest, struct part *out)
{
	*rest += strspn(*rest, "/");
	*out = (struct part){ *rest, strcspn(*rest, "/") };
	*rest += out->n;
	return out->n > 0;
}

static bool part_eq(struct part p, const char *s)
{
	return strlen(s) == p.n && memcmp(p.s, s, p.n) == 0;
}

static bool part_starts(struct part p, const char *s)
{
	return p.n >= strlen(s) && memcmp(p.s, s, strlen(s)) == 0;
}

static bool part_ends(struct part p, const char *s)
{
	size_t n = strlen(s);

	return p.n > n && memcmp(p.s + p.n - n, s, n) == 0;
}

bool group_own_name(const char *name, size_t len)
{
	struct part p = { name, len };

	return part_eq(p, "ctrcompose") || part_starts(p, "ctrcompose-");
}

/* Names of files stand in the same folder, and systemd puts a _ before units that look like one. */
static bool is_file(struct part p)
{
	static const char *const files[] = { "tasks", "notify_on_release", "release_agent" };
	static const char *const prefixes[] = { "cgroup.", "cpu.",     "cpuacct.",  "cpuset.",
						"memory.", "pids.",    "devices.",  "freezer.",
						"blkio.",  "io.",      "hugetlb.",  "rdma.",
						"misc.",   "net_cls.", "net_prio.", "perf_event.",
						"irq.",    "dmem.",    "debug." };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (part_eq(p, files[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (part_starts(p, prefixes[i]))
			return true;
	return false;
}

static const char *part_problem(struct part p)
{
	if (part_eq(p, ".") || part_eq(p, ".."))
		return "'.' and '..' are no groups: it is a path from the root of the control groups";
	if (p.n > 255)
		return "a group's name has at most 255 bytes";
	if (is_file(p))
		return "a group can't be named as files of control groups are (tasks, cgroup.*, memory.*, "
		       "...)";
	if (group_own_name(p.s, p.n))
		return "'ctrcompose' and 'ctrcompose-...' are names of our own groups";
	return NULL;
}

const char *cgroup_parent_problem(const char *name)
{
	const char *rest = name;
	struct part p;
	size_t n = 0;

	if (!*name)
		return "it is empty: leave it out for the usual place";
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			return "it has a control character";
	while (next_part(&rest, &p)) {
		const char *why = part_problem(p);

		if (why)
			return why;
		if (++n > PARTS_MAX)
			return "it is more than 16 groups deep";
	}
	return NULL;
}

/* a-b.slice: no part between dashes is empty. */
static bool slice_ok(const char *s)
{
	size_t n = strlen(s) - strlen(SLICE);

	if (n == 1 && *s == '-')
		return true;
	if (*s == '_' || *s == '.') /* its group has another name then */
		return false;
	for (size_t i = 0; i < n; i++) {
		bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
			      (s[i] >= '0' && s[i] <= '9') || strchr(":_.\\", s[i]);

		if (!letter && (s[i] != '-' || i == 0 || i == n - 1 || s[i - 1] == '-'))
			return false;
	}
	return n > 0;
}

/* "a-b-c.slice" is at a.slice/a-b.slice/a-b-c.slice, and "-.slice" is the root. */
static char *slice_path(const char *s)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	size_t n = strlen(s) - strlen(SLICE);

	for (size_t i = 1; n > 1 && i <= n; i++)
		if (i == n || s[i] == '-')
			sbuf_addf(&b, "%s%.*s" SLICE, b.len ? "/" : "", (int)i, s);
	return xstrdup(sbuf_str(&b));
}

/* Its groups are systemd's, but for what it delegates, which comes and goes with a unit. */
static bool is_unit(struct part p)
{
	static const char *const types[] = { SLICE,     ".service", ".scope",
					     ".socket", ".mount",   ".swap" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (part_ends(p, types[i]))
			return true;
	return false;
}

static int of_systemd(const char *name, char **path, bool *slice, struct err *err)
{
	const char *last = strrchr(*path, '/'), *rest = *path;
	const char *why;
	struct part p;

	last = last ? last + 1 : *path;
	if (part_ends((struct part){ last, strlen(last) }, SLICE)) {
		auto_free char *at = NULL;

		if (!slice_ok(last))
			return err_set(err, -EPERM, "'%s' is no name of a slice of systemd", last);
		at = slice_path(last);
		why = *at ? cgroup_parent_problem(at) : NULL; /* it may be too deep */
		if (why)
			return err_set(err, -EPERM, "the slice '%s': %s", last, why);
		if (last != *path && strcmp(at, *path) != 0)
			return err_set(
				err, -EPERM,
				"systemd has the slice '%s' elsewhere: its name alone is enough",
				last);
		free(*path);
		*path = steal(at);
		*slice = **path;
		return 0;
	}
	while (next_part(&rest, &p))
		if (is_unit(p))
			return err_set(
				err, -EPERM,
				"'%s' is inside of '%.*s', whose groups are systemd's own: name a "
				"slice, or a group outside of its units",
				name, (int)p.n, p.s);
	return 0;
}

int cgroup_parent_path(const char *name, bool systemd, char **path, bool *slice, struct err *err)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	const char *why = cgroup_parent_problem(name), *rest = name;
	auto_free char *out = NULL;
	bool is_slice = false;
	struct part p;
	int r = 0;

	if (why)
		return err_set(err, -EINVAL, "%s", why);
	while (next_part(&rest, &p))
		sbuf_addf(&b, "%s%.*s", b.len ? "/" : "", (int)p.n, p.s);
	out = xstrdup(sbuf_str(&b));
	if (systemd)
		r = of_systemd(name, &out, &is_slice, err);
	if (r < 0)
		return r;
	*path = steal(out);
	*slice = is_slice;
	return 0;
}

/* As sd_booted(3) has it. */
bool cgroup_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

/* ---- Whose a group is ------------------------------------------------------------------------- */
/* Where it can't be had (not root of the whole machine), the folder stays when we go. */
void group_mark(const char *dir)
{
	(void)setxattr(dir, MARK, "1", 1, 0);
}

bool group_is_ours(const struct hier *h, const char *path)
{
	auto_free char *dir = hier_path(h, path, NULL);
	const char *rest = path;
	struct part p;

	while (next_part(&rest, &p))
		if (group_own_name(p.s, p.n))
			return true;
	return getxattr(dir, MARK, NULL, 0) >= 0;
}

/* ---- Getting ready ---------------------------------------------------------------------------- */
static int start_slice(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *unit = xstrdup(slash ? slash + 1 : path), *text = NULL;
	static char program[] = "systemctl", no_ask[] = "--no-ask-password", start[] = "start",
		    end[] = "--";
	char *const argv[] = { program, no_ask, start, end, unit, NULL };
	int r = proc_run(argv, NULL, 0, &text);

	if (r == 0)
		return 0;
	if (text)
		text[strcspn(text, "\n")] = '\0';
	return err_set(err, -EIO, "systemd does not start the slice '%s': %.*s", unit, OUTPUT_LINE,
		       r == 127        ? "there is no systemctl"
		       : text && *text ? text
				       : "systemctl does not say why");
}

static bool has_processes(const struct hier *h, const char *path)
{
	auto_free char *text = NULL;

	return hier_read(h, path, "cgroup.procs", &text) == 0 && *text;
}

/* Somebody else's group. */
static int check_foreign(const struct hier *h, const char *path, unsigned wanted, struct err *err)
{
	struct backoff wait = { .deadline_us = now_mono_us() + MADE_US };
	auto_sbuf struct sbuf list = SBUF_INIT;
	auto_free char *dir = hier_path(h, path, NULL);
	unsigned missing;
	int r;

	do {
		missing = wanted;
		r = group_withheld(h, path, &missing);
		if (r == -ENOENT || (r == 0 && !missing) || group_is_ours(h, path))
			return 0;
	} while (backoff_wait(&wait));
	if (r < 0)
		return err_set(err, r, "read %s/cgroup.subtree_control: %s", dir, strerror(-r));
	group_plus(missing, &list);
	if (has_processes(h, path))
		return err_set(
			err, -EBUSY,
			"control group %s has processes of its own, so it can't hand '%s' down "
			"to groups below it: move them to a group below it",
			dir, sbuf_str(&list));
	return err_set(
		err, -EPERM,
		"control group %s does not hand down to groups below it what limits need, and is "
		"not ours to change: echo '%s' >%s/cgroup.subtree_control",
		dir, sbuf_str(&list), dir);
}

static int check_all(const struct hier *h, const char *path, unsigned wanted, struct err *err)
{
	auto_free char *part = xstrdup(path);

	for (char *slash = strchr(part, '/');; slash = strchr(slash + 1, '/')) {
		int r;

		if (slash)
			*slash = '\0';
		r = hier_has(h, part) ? check_foreign(h, part, wanted, err) : 0;
		if (r < 0 || !slash)
			return r;
		*slash = '/';
	}
}

static bool is_anywhere(const struct cgroup_system *sys, const char *path)
{
	EACH_HIER(h, sys)
	{
		if (hier_has(h, path))
			return true;
	}
	return false;
}

int cgroup_parent_ready(const struct cgroup_system *sys, const char *path, bool slice,
			const struct cgroup_limits *limits, struct err *err)
{
	unsigned wanted = BIT(CGROUP_CPU) | BIT(CGROUP_MEMORY) | BIT(CGROUP_PIDS);
	const struct hier *unified = hier_unified(sys);
	struct cgroup_writes writes = { 0 };
	int r = path_check(path, err);

	if (r < 0)
		return r;
	/* systemd keeps the book of its slices: there the controllers may be asked for. */
	if (slice)
		return is_anywhere(sys, path) ? 0 : start_slice(path, err);
	if (!unified)
		return 0;
	r = cgroup_limit_writes(&sys->layout, limits, &writes, err);
	for (size_t i = 0; r == 0 && i < writes.n; i++)
		wanted |= BIT(writes.v[i].controller);
	free(writes.v);
	return r < 0 ? r : check_all(unified, path, wanted, err);
}
