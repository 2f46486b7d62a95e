/* label.c - the SELinux labels of a container: chosen when it is started, from a level that is kept
 * with its files; given to volumes and binds
 *
 * The level is a link beside the container's root, containers/<id>/level -> "c12,c900": what all
 * projects have taken is read from there, under a lock, and it goes when the container does.
 */
#include "private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LEVEL "level"

/* ---- Options ----------------------------------------------------------------------------------- */
const char *const *unit_label_options(struct arena *a, const struct service *svc, size_t *n)
{
	const char **v = arena_array(a, svc->security_opt.n + 1, sizeof(*v));

	*n = 0;
	for (size_t i = 0; i < svc->security_opt.n; i++)
		if (str_starts(svc->security_opt.v[i], "label"))
			v[(*n)++] = svc->security_opt.v[i] + strlen("label=");
	/* As Docker: what sees the host's processes or memory is kept from nothing by a label. */
	if (*n == 0 && (svc->privileged || str_eq(svc->pid, "host") || str_eq(svc->ipc, "host")))
		v[(*n)++] = "disable";
	return v;
}

/* ---- Whose namespaces it shares ---------------------------------------------------------------- */
static const struct state_container *shared_with(const struct unit *u, const char *mode)
{
	return mode && strchr(mode, ':') ? unit_running(u, mode) : NULL;
}

/* Memory and signals pass between the two, so the labels are the same. */
static int from_neighbour(struct unit *u, bool *found, struct err *err)
{
	const struct state_container *ipc = shared_with(u, u->svc->ipc);
	const struct state_container *pid = shared_with(u, u->svc->pid);
	const struct state_container *from = ipc ? ipc : pid;

	*found = from && from->process_label;
	if (ipc && pid && !str_eq(ipc->process_label, pid->process_label))
		return err_set(err, EINVAL,
			       "container %s shares namespaces of %s and %s, whose SELinux labels "
			       "differ: one of security_opt label=level:... for all of them, or "
			       "label=disable",
			       u->c->name, ipc->name, pid->name);
	if (!*found)
		return 0;
	state_set(&u->c->process_label, from->process_label);
	state_set(&u->c->mount_label, from->mount_label);
	return 0;
}

/* ---- Its own level ----------------------------------------------------------------------------- */
static bool read_level(int containers, const char *id, struct selinux_pair *out)
{
	auto_free char *path = path_join(id, LEVEL);
	char text[32] = "s0:";
	ssize_t n = readlinkat(containers, path, text + 3, sizeof(text) - 4);

	if (n <= 0)
		return false;
	text[n + 3] = '\0';
	return selinux_pair_parse(text, out);
}

static void read_all(int containers, struct selinux_pairs *taken)
{
	int copy = openat(containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		struct selinux_pair p;

		if (*e->d_name != '.' && read_level(containers, e->d_name, &p))
			*vec_push(taken) = p;
	}
	if (dir)
		(void)closedir(dir);
}

static int write_level(int containers, const char *id, struct selinux_pair p, struct err *err)
{
	auto_free char *path = path_join(id, LEVEL);
	char text[32];

	(void)snprintf(text, sizeof(text), "c%u,c%u", p.low, p.high);
	(void)unlinkat(containers, path, 0); /* what was no level */
	return symlinkat(text, containers, path) < 0
		       ? err_errno(err, "keep the SELinux level of a container")
		       : 0;
}

/* Taken is what the records of this store have and what runs, whoever made it. */
static int own_pair(const struct unit *u, struct selinux_pair *out, struct err *err)
{
	auto_free char *path = path_join(u->engine->paths->state, "containers");
	auto_close int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct selinux_pairs taken = { 0 };
	int r;

	if (dir < 0 || flock(dir, LOCK_EX) < 0)
		return err_errno(err, "lock %s", path);
	if (read_level(dir, u->c->id, out))
		return 0;
	read_all(dir, &taken);
	selinux_pairs_running(&taken);
	r = selinux_pair_choose(str_hash(u->c->id), taken.v, taken.n, out);
	free(taken.v);
	return r < 0 ? err_set(err, r, "all SELinux levels for containers are taken")
		     : write_level(dir, u->c->id, *out, err);
}

/* ---- All together ------------------------------------------------------------------------------ */
static int make_labels(struct unit *u, const struct selinux_defaults *d, const char *const *options,
		       size_t n, struct err *err)
{
	auto_selinux_labels struct selinux_labels l = { 0 };
	struct selinux_pair pair = { 0, 1 };
	int r = own_pair(u, &pair, err);

	if (r == 0)
		r = selinux_labels_make(d, options, n, pair, &l, err);
	if (r < 0)
		return r;
	state_set(&u->c->process_label, l.process);
	state_set(&u->c->mount_label, l.file);
	return 0;
}

int unit_labels(struct unit *u, struct err *err)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };
	auto_arena struct arena a = { 0 };
	auto_err struct err why = ERR_INIT;
	size_t n = 0;
	const char *const *options = unit_label_options(&a, u->svc, &n);
	bool found = false;
	int r = selinux_defaults(&d, &why);

	state_set(&u->c->process_label, NULL);
	state_set(&u->c->mount_label, NULL);
	if (r == -ENODEV || (r < 0 && (n == 0 || strcmp(options[n - 1], "disable") == 0)))
		return 0;
	if (r < 0)
		return err_set(err, r, "service %s: %s", u->c->service, err_text(&why));
	r = n == 0 ? from_neighbour(u, &found, err) : 0;
	if (r == 0 && !found)
		r = make_labels(u, &d, options, n, err);
	if (r == 0 && u->c->process_label)
		r = selinux_may_start(u->c->process_label, u->svc->no_new_privs, err);
	return r < 0 ? err_wrap(err, r, "service %s", u->c->service) : 0;
}

const char *unit_process_label(const struct unit *u)
{
	return u->c->process_label && selinux_enabled() ? u->c->process_label : NULL;
}

const char *unit_file_label(const struct unit *u)
{
	return u->c->mount_label && selinux_enabled() ? u->c->mount_label : NULL;
}

/* ---- Files of the host ------------------------------------------------------------------------- */
static int relabelled(const struct unit *u, const char *path, int r, struct err *err)
{
	if (r != -EOPNOTSUPP)
		return r < 0 ? err_wrap(err, r, "container %s", u->c->name) : 0;
	/* As others do: such a file system has one label for all that is in it. */
	log_line(LOG_WARN, "%s: the file system of %s has no labels of its own for SELinux",
		 u->c->name, path);
	err_clear(err);
	return 0;
}

/* The kernel asks about the file in the layer, not about that in the root, when a program changes the
 * protection of what it has mapped: mprotect(2). Once for each layer. */
int unit_label_layers(const struct unit *u, const char *const *layers, size_t n, struct err *err)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };
	int r = 0;

	if (!unit_file_label(u) || selinux_defaults(&d, NULL) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		auto_free char *path = path_join(u->engine->paths->state, layers[i]);

		r = relabelled(u, path, selinux_relabel_once(path, d.layer, err), err);
	}
	return r;
}

int unit_label_volume(const struct unit *u, const char *path, const struct service_mount *w,
		      struct err *err)
{
	const char *own = unit_file_label(u);
	auto_free char *shared = own ? selinux_shared(own) : NULL;

	if (!own || !shared || u->rehearsing)
		return 0;
	if (w && w->selinux == 'Z')
		return relabelled(u, path, selinux_relabel(path, own, err), err);
	return relabelled(u, path,
			  w && w->selinux ? selinux_relabel(path, shared, err)
					  : selinux_relabel_once(path, shared, err),
			  err);
}

int unit_label_bind(const struct unit *u, int fd, const char *path, const struct service_mount *w,
		    struct err *err)
{
	const char *own = unit_file_label(u);
	auto_free char *shared = own ? selinux_shared(own) : NULL;

	if (!w || !w->selinux || !own || !shared || u->rehearsing)
		return 0;
	return relabelled(u, path,
			  selinux_relabel_fd(fd, path, w->selinux == 'Z' ? own : shared, err), err);
}
