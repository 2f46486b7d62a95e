/* cdi.c - devices by name: what their specs ask for in the terms of box and cgroup */
#include "private.h"

#include <ctrcompose/compose.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

void unit_cdi_clear(struct unit_cdi *d)
{
	cdi_edits_clear(&d->edits);
	cdi_free(steal(d->specs));
}

int unit_cdi_open(const struct service *svc, struct unit_cdi *out, struct err *err)
{
	auto_strs struct strs names = { 0 };

	*out = (struct unit_cdi){ 0 };
	if (svc->n_requests == 0)
		return 0;
	out->specs = cdi_load();
	for (size_t i = 0; i < svc->n_requests; i++) {
		const struct cdi_request r = compose_cdi_request(&svc->requests[i]);

		cdi_names(out->specs, &r, &names);
	}
	return cdi_resolve(out->specs, &names, &out->edits, err);
}

/* ---- Nodes ------------------------------------------------------------------------------------- */
static char type_of(mode_t mode)
{
	return S_ISCHR(mode) ? 'c' : S_ISBLK(mode) ? 'b' : S_ISFIFO(mode) ? 'p' : 0;
}

static mode_t format_of(char type)
{
	return type == 'c' ? S_IFCHR : type == 'b' ? S_IFBLK : S_IFIFO;
}

/* The node with what its spec leaves to the host. */
static int complete(const struct cdi_node *n, struct box_device *out, struct err *err)
{
	char type = n->type;
	dev_t number = makedev(n->major, n->minor);
	struct stat st;

	if (!type || (type != 'p' && number == 0)) {
		if (stat(n->host, &st) < 0)
			return err_errno(err, "CDI: %s: the device %s", n->at, n->host);
		if (!type_of(st.st_mode) || (type && type != type_of(st.st_mode)))
			return err_set(err, ENODEV, "CDI: %s: %s is not a device%s", n->at, n->host,
				       type ? " of this type" : "");
		type = type_of(st.st_mode);
		number = number ? number : st.st_rdev;
	}
	*out = (struct box_device){
		.host = n->host,
		.target = n->path,
		.given = true,
		/* Who may open it is said by the rules of its group. */
		.mode = format_of(type) | (n->mode < 0 ? 0666 : (mode_t)n->mode),
		.number = type == 'p' ? 0 : number,
		.uid = n->uid < 0 ? 0 : (uid_t)n->uid,
		.gid = n->gid < 0 ? 0 : (gid_t)n->gid,
	};
	return 0;
}

int unit_cdi_nodes(const struct unit_cdi *d, struct box_device *out, struct cgroup_device *rules,
		   size_t *n_rules, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->edits.nodes.n; i++) {
		const struct cdi_node *n = d->edits.nodes.v[i];

		r = complete(n, &out[i], err);
		if (r < 0 || S_ISFIFO(out[i].mode) || !*n->access)
			continue;
		rules[(*n_rules)++] =
			(struct cgroup_device){ .type = S_ISCHR(out[i].mode) ? 'c' : 'b',
						.major = major(out[i].number),
						.minor = minor(out[i].number),
						.access = n->access };
	}
	return r;
}

/* ---- Mounts ------------------------------------------------------------------------------------ */
static const char *joined(struct arena *a, const struct cdi_mount *m)
{
	auto_sbuf struct sbuf b = SBUF_INIT;

	for (size_t i = 0; i < m->n_options; i++)
		sbuf_addf(&b, "%s%s", i ? "," : "", m->options[i]);
	return arena_strdup(a, sbuf_str(&b));
}

static int bind_of(struct unit *u, const struct engine_view *view, const struct cdi_mount *m,
		   struct err *err)
{
	struct cdi_flags f = { 0 };
	const char *bad = "";
	struct rootfs_bind b = { .dirfd = AT_FDCWD, .path = m->host };
	struct mount_attr more = { 0 };
	auto_close int fd = -1;
	struct stat st;
	int r = cdi_mount_flags(m, &f, &bad);

	if (r < 0)
		return err_set(err, r, "CDI: %s: the option '%s'", m->at, bad);
	if (stat(m->host, &st) < 0)
		return err_errno(err, "CDI: %s: mount of %s", m->at, m->host);
	b.read_only = f.attrs & MOUNT_ATTR_RDONLY;
	b.devices = !(f.attrs & MOUNT_ATTR_NODEV);
	b.recursive = f.recursive;
	b.slave = f.slave;
	r = unit_bind_map(u, view, m->host, &st, &b.userns_fd, err);
	if (r < 0)
		return r;
	fd = rootfs_bind(&b, err);
	if (fd < 0)
		return err_wrap(err, fd, "CDI: %s", m->at);
	more.attr_set = f.attrs & ~(uint64_t)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	more.attr_clr = f.attrs & MOUNT_ATTR__ATIME ? MOUNT_ATTR__ATIME : 0;
	if (mount_setattr(fd, "", AT_EMPTY_PATH | (f.recursive ? AT_RECURSIVE : 0), &more,
			  sizeof(more)) < 0)
		return err_errno(err, "CDI: %s: options of the mount of %s", m->at, m->host);
	return steal_fd(&fd);
}

/* In the place of what the service has there. */
static struct box_mount *place_for(struct unit_mounts *l, const char *target)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].target, target) == 0) {
			auto_close_fn(&l->v[i].fd);
			return &l->v[i];
		}
	return &l->v[l->n++];
}

int unit_cdi_mounts(struct unit *u, const struct engine_view *view, const struct unit_cdi *d,
		    struct unit_mounts *l, struct err *err)
{
	struct box_mount *v = arena_array(&l->arena, l->n + d->edits.mounts.n + 1, sizeof(*v));

	memcpy(v, l->v, l->n * sizeof(*v));
	l->v = v;
	for (size_t i = 0; i < d->edits.mounts.n; i++) {
		const struct cdi_mount *m = d->edits.mounts.v[i];
		struct box_mount *b = place_for(l, m->target);

		*b = (struct box_mount){ .target = m->target, .fd = -1 };
		if (m->tmpfs) {
			b->tmpfs = joined(&l->arena, m);
			continue;
		}
		b->fd = bind_of(u, view, m, err);
		if (b->fd < 0)
			return b->fd;
	}
	return 0;
}

/* ---- The process ------------------------------------------------------------------------------- */
void unit_cdi_process(struct arena *a, const struct unit_cdi *d, struct box_process *p)
{
	const char **groups = arena_array(a, p->n_groups + d->edits.gids.n + 1, sizeof(*groups));
	const char **env = arena_array(a, d->edits.env.n + 1, sizeof(*env));

	/* Edits are made to what is there already: the last word is the spec's. */
	for (size_t i = 0; i < d->edits.env.n; i++)
		env[i] = arena_strdup(a, d->edits.env.v[i]);
	p->env = unit_env_more(a, p->env, env, d->edits.env.n);
	if (p->n_groups)
		memcpy(groups, p->groups, p->n_groups * sizeof(*groups));
	for (size_t i = 0; i < d->edits.gids.n; i++)
		groups[p->n_groups++] = arena_printf(a, "%u", d->edits.gids.v[i]);
	p->groups = groups;
}

void unit_cdi_join(struct arena *a, const struct unit *u, enum log_level level,
		   struct box_process *p)
{
	auto_err struct err why = ERR_INIT;
	auto_unit_cdi struct unit_cdi d = { 0 };

	if (unit_cdi_open(u->svc, &d, &why) == 0)
		unit_cdi_process(a, &d, p);
	else
		log_line(level, "%s: without the environment and groups of its devices: %s",
			 u->c->name, err_text(&why));
}

const struct box_hook *unit_cdi_hooks(struct arena *a, const struct unit_cdi *d, size_t *n)
{
	static const char *const names[] = {
		[CDI_PRESTART] = "prestart",
		[CDI_CREATE_RUNTIME] = "createRuntime",
		[CDI_CREATE_CONTAINER] = "createContainer",
	};
	struct box_hook *v = arena_array(a, d->edits.hooks.n + 1, sizeof(*v));

	*n = 0;
	/* prestart hooks come before those that took their place: the order of the specification */
	for (size_t kind = 0; kind < ARRAY_LEN(names); kind++)
		for (size_t i = 0; i < d->edits.hooks.n; i++) {
			const struct cdi_hook *h = d->edits.hooks.v[i];

			if (h->kind != kind)
				continue;
			v[(*n)++] = (struct box_hook){ .inside = kind == CDI_CREATE_CONTAINER,
						       .name = names[kind],
						       .at = h->at,
						       .path = h->path,
						       .args = h->args,
						       .env = h->env,
						       .timeout_s = h->timeout_s };
		}
	return v;
}
