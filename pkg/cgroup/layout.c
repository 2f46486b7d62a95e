/* layout.c - which control group hierarchies the host has, and where; see cgroup.h */
#include "internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define MOUNTINFO_MAX (16U << 20)

static const struct {
	const char *v1;
	const char *v2; /* NULL: no such controller there */
} controllers[CGROUP_CONTROLLERS] = {
	[CGROUP_CPU] = { "cpu", "cpu" },          [CGROUP_CPUACCT] = { "cpuacct", NULL },
	[CGROUP_CPUSET] = { "cpuset", "cpuset" }, [CGROUP_MEMORY] = { "memory", "memory" },
	[CGROUP_PIDS] = { "pids", "pids" },       [CGROUP_DEVICES] = { "devices", NULL },
	[CGROUP_FREEZER] = { "freezer", NULL },   [CGROUP_IO] = { "blkio", "io" },
};

const char *cgroup_controller_name(enum cgroup_controller c, bool v2)
{
	return v2 && controllers[c].v2 ? controllers[c].v2 : controllers[c].v1;
}

/* A piece of somebody else's text. */
struct span {
	const char *s;
	size_t n;
};

static bool span_eq(struct span a, const char *b)
{
	return a.n == strlen(b) && memcmp(a.s, b, a.n) == 0;
}

/* Cut off what stands before the next of `stops` and the run of stops; false at the end. */
static bool span_next(struct span *rest, const char *stops, struct span *word)
{
	size_t i = 0;

	while (i < rest->n && strchr(stops, rest->s[i]))
		i++;
	rest->s += i;
	rest->n -= i;
	for (i = 0; i < rest->n && !strchr(stops, rest->s[i]);)
		i++;
	*word = (struct span){ rest->s, i };
	rest->s += i;
	rest->n -= i;
	return i > 0;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Blanks, newlines and backslashes stand as \040 in mountinfo. */
static char *unescape(struct span in)
{
	char *out = xmalloc(in.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		const char *c = in.s + i;

		if (*c == '\\' && in.n - i > 3 && c[1] <= '3' && is_octal(c[1]) && is_octal(c[2]) &&
		    is_octal(c[3])) {
			out[n++] = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0'));
			i += 3;
		} else {
			out[n++] = *c;
		}
	}
	out[n] = '\0';
	return out;
}

struct mount {
	struct span root, point, type, options;
};

/* "36 35 98:0 /root /point rw,noatime shared:1 - type source super,options" */
static bool parse_line(struct span line, struct mount *out)
{
	struct span word, skipped;

	for (int i = 0; i < 3; i++)
		if (!span_next(&line, " ", &skipped))
			return false;
	if (!span_next(&line, " ", &out->root) || !span_next(&line, " ", &out->point))
		return false;
	do {
		if (!span_next(&line, " ", &word))
			return false;
	} while (!span_eq(word, "-"));
	return span_next(&line, " ", &out->type) && span_next(&line, " ", &skipped) &&
	       span_next(&line, " ", &out->options) && out->point.s[0] == '/';
}

/* The mount that shows the whole hierarchy wins, then the first one. */
static void take(char **slot, bool *whole, const struct mount *m)
{
	bool root = span_eq(m->root, "/");

	if (*slot && (*whole || !root))
		return;
	free(*slot);
	*slot = unescape(m->point);
	*whole = root;
}

static void parse_mounts(const char *text, struct cgroup_layout *out)
{
	bool whole[CGROUP_CONTROLLERS] = { false }, unified_whole = false;
	struct span rest = { text, strlen(text) }, line, option;
	struct mount m;

	while (span_next(&rest, "\n", &line)) {
		if (!parse_line(line, &m))
			continue;
		if (span_eq(m.type, "cgroup2"))
			take(&out->unified, &unified_whole, &m);
		if (!span_eq(m.type, "cgroup"))
			continue;
		while (span_next(&m.options, ",", &option))
			for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
				if (span_eq(option, controllers[c].v1))
					take(&out->v1[c], &whole[c], &m);
	}
}

/* "cpu cpuset memory\n" */
static void parse_controllers(const char *text, struct cgroup_layout *out)
{
	struct span rest = { text, strlen(text) }, word;

	while (span_next(&rest, " \n", &word))
		for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
			if (controllers[c].v2 && span_eq(word, controllers[c].v2))
				out->v2[c] = true;
}

/* "#subsys_name hierarchy num_cgroups enabled": hierarchy 0 and enabled belongs to v2, if anyone. */
static void parse_cgroups(const char *text, struct cgroup_layout *out)
{
	struct span rest = { text, strlen(text) }, line, name, hierarchy, groups, enabled;

	while (span_next(&rest, "\n", &line)) {
		if (!span_next(&line, "\t ", &name) || !span_next(&line, "\t ", &hierarchy) ||
		    !span_next(&line, "\t ", &groups) || !span_next(&line, "\t ", &enabled) ||
		    !span_eq(hierarchy, "0") || !span_eq(enabled, "1"))
			continue;
		for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
			if (controllers[c].v2 && span_eq(name, controllers[c].v1))
				out->v2[c] = true;
	}
}

int cgroup_layout_parse(const char *mountinfo, const char *cgroups, const char *text,
			struct cgroup_layout *out, struct err *err)
{
	struct cgroup_layout l = { .unified = NULL };
	bool any;

	parse_mounts(mountinfo, &l);
	if (l.unified && text)
		parse_controllers(text, &l);
	else if (l.unified && cgroups)
		parse_cgroups(cgroups, &l);
	any = l.unified != NULL;
	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++) {
		any = any || l.v1[c];
		if (l.v1[c])
			l.v2[c] = false;
	}
	if (!any)
		return err_set(err, -ENOENT,
			       "no control groups are mounted: mount cgroup2 on /sys/fs/cgroup");
	*out = l;
	return 0;
}

void cgroup_layout_clear(struct cgroup_layout *l)
{
	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
		free(l->v1[c]);
	free(l->unified);
	*l = (struct cgroup_layout){ .unified = NULL };
}

static struct hier *find_mount(struct cgroup_system *sys, const char *mount)
{
	EACH_HIER(h, sys)
	{
		if (strcmp(h->mount, mount) == 0)
			return sys->hiers + (h - sys->hiers);
	}
	return NULL;
}

struct cgroup_system *cgroup_system_new(struct cgroup_layout *layout)
{
	struct cgroup_system *sys = xcalloc(1, sizeof(*sys));

	sys->layout = *layout;
	*layout = (struct cgroup_layout){ .unified = NULL };
	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++) {
		struct hier *h;

		if (!sys->layout.v1[c])
			continue;
		h = find_mount(sys, sys->layout.v1[c]);
		if (!h) {
			h = &sys->hiers[sys->n++];
			h->mount = sys->layout.v1[c];
		}
		h->controllers |= BIT(c);
	}
	if (sys->layout.unified) {
		struct hier *h = &sys->hiers[sys->n++];

		h->mount = sys->layout.unified;
		h->v2 = true;
		for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
			if (sys->layout.v2[c])
				h->controllers |= BIT(c);
	}
	return sys;
}

static int read_layout(struct cgroup_layout *l, struct err *err)
{
	auto_free char *mounts = NULL, *cgroups = NULL, *ctl = NULL, *file = NULL;
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &mounts, NULL);

	if (r < 0)
		return err_wrap(err, r, "read /proc/self/mountinfo");
	(void)file_read(AT_FDCWD, "/proc/cgroups", 1U << 20, &cgroups, NULL);
	r = cgroup_layout_parse(mounts, cgroups, NULL, l, err);
	if (r < 0 || !l->unified)
		return r;
	file = xasprintf("%s/cgroup.controllers", l->unified);
	if (file_read(AT_FDCWD, file, 1U << 16, &ctl, NULL) < 0)
		return 0;
	cgroup_layout_clear(l);
	return cgroup_layout_parse(mounts, cgroups, ctl, l, err);
}

int cgroup_system_open(struct cgroup_system **out, struct err *err)
{
	struct cgroup_layout layout = { .unified = NULL };
	int r = read_layout(&layout, err);

	if (r < 0)
		return r;
	*out = cgroup_system_new(&layout);
	return 0;
}

void cgroup_system_close(struct cgroup_system **sys)
{
	if (!*sys)
		return;
	cgroup_layout_clear(&(*sys)->layout);
	free(steal(*sys));
}

bool cgroup_has(const struct cgroup_system *sys, enum cgroup_controller c)
{
	return hier_of(sys, c) != NULL;
}

const struct hier *hier_of(const struct cgroup_system *sys, enum cgroup_controller c)
{
	EACH_HIER(h, sys)
	{
		if (h->controllers & BIT(c))
			return h;
	}
	return NULL;
}

const struct hier *hier_unified(const struct cgroup_system *sys)
{
	return sys->n > 0 && sys->hiers[sys->n - 1].v2 ? &sys->hiers[sys->n - 1] : NULL;
}

void cgroup_describe(const struct cgroup_system *sys, struct sbuf *out)
{
	const struct hier *unified = hier_unified(sys);
	static const enum cgroup_controller needed[] = { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU };

	sbuf_addf(out, "control groups: %s\n",
		  !unified      ? "v1"
		  : sys->n == 1 ? "v2"
				: "hybrid (v1 controllers beside v2)");
	EACH_HIER(h, sys)
	{
		sbuf_addf(out, "%s:", h->mount);
		for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
			if (h->controllers & BIT(c))
				sbuf_addf(out, " %s", cgroup_controller_name(c, h->v2));
		sbuf_adds(out, h->controllers ? "\n" : " no controllers, for kill and freeze\n");
	}
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!hier_of(sys, needed[i]))
			sbuf_addf(out, "missing: %s, its limits cannot be set\n",
				  cgroup_controller_name(needed[i], unified != NULL));
	sbuf_addf(out, "devices: %s\n",
		  hier_of(sys, CGROUP_DEVICES) ? "v1 devices controller"
		  : unified                    ? "BPF program on the v2 group"
			    : "no way to restrict them, containers cannot start");
	sbuf_addf(out, "clone into the group: %s\n",
		  unified ? "yes" : "no, the child joins itself");
}
