/* asked.c - what a service asks for by its own keys (ulimits, devices, sysctls, seccomp, secrets)
 * in the terms of box and cgroup */
#include "private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* ---- System calls ------------------------------------------------------------------------------ */
int unit_seccomp(const struct service *svc, bool privileged, struct box_process *p, struct err *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	p->seccomp = NULL;
	if (privileged || svc->seccomp_unconfined)
		return 0;
	if (!svc->seccomp) {
		p->seccomp = box_seccomp(p->caps);
		return 0;
	}
	r = file_read(AT_FDCWD, svc->seccomp, SERVICE_FILE_MAX, &text, &len);
	if (r < 0)
		return err_set(err, -r, "security_opt: seccomp profile %s: %s", svc->seccomp,
			       strerror(-r));
	r = box_seccomp_profile(text, len, p->caps, &p->seccomp, err);
	return r < 0 ? err_wrap(err, r, "security_opt: seccomp profile %s", svc->seccomp) : 0;
}

int unit_apparmor(const struct service *svc, struct box_process *p, struct err *err)
{
	int r = svc->apparmor ? box_apparmor_check(svc->apparmor, err) : 0;

	p->apparmor = svc->apparmor;
	return r < 0 ? err_wrap(err, r, "security_opt: apparmor=%s", svc->apparmor) : 0;
}

/* ---- ulimits ---------------------------------------------------------------------------------- */
int unit_rlimits(struct arena *a, const struct service *svc, const struct box_rlimit **out,
		 size_t *n, struct err *err)
{
	struct box_rlimit *v = arena_array(a, svc->n_ulimits + 1, sizeof(*v));
	int r = 0;

	for (size_t i = 0; r == 0 && i < svc->n_ulimits; i++)
		r = box_rlimit_from(svc->ulimits[i].name, svc->ulimits[i].soft,
				    svc->ulimits[i].hard, &v[i], err);
	*out = v;
	*n = svc->n_ulimits;
	return r;
}

const struct box_sysctl *unit_sysctls(struct arena *a, const struct service *svc, size_t *n)
{
	struct box_sysctl *v = arena_array(a, svc->sysctls.n + 1, sizeof(*v));

	for (size_t i = 0; i < svc->sysctls.n; i++)
		v[i] = (struct box_sysctl){ svc->sysctls.v[i].key, svc->sysctls.v[i].value
									   ? svc->sysctls.v[i].value
									   : "" };
	*n = svc->sysctls.n;
	return v;
}

/* ---- Devices ---------------------------------------------------------------------------------- */
enum { DEVICE_RULES_MAX = 256 };

bool unit_needs_devices(const struct service *svc)
{
	return svc->n_devices || svc->n_requests || svc->device_cgroup_rules.n;
}

static int add_device_rule(struct cgroup_device *v, size_t *n, const struct service_device *d,
			   struct err *err)
{
	struct stat st;

	if (stat(d->source, &st) < 0)
		return err_errno(err, "devices: %s", d->source);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(err, ENODEV, "devices: %s is not a device", d->source);
	v[(*n)++] = (struct cgroup_device){ .type = S_ISCHR(st.st_mode) ? 'c' : 'b',
					    .major = major(st.st_rdev),
					    .minor = minor(st.st_rdev),
					    .access = d->permissions };
	return 0;
}

static int add_written_rules(struct cgroup_device *v, size_t *n_rules, const struct service *svc,
			     struct err *err)
{
	size_t n = *n_rules;

	for (size_t i = 0; i < svc->device_cgroup_rules.n; i++) {
		struct cgroup_device rule;

		if (!cgroup_device_parse(svc->device_cgroup_rules.v[i], &rule))
			return err_set(err, EINVAL,
				       "device_cgroup_rules: '%s' is not of the form 'c 1:3 rwm'",
				       svc->device_cgroup_rules.v[i]);
		for (const char *type = rule.type == 'a' ? "bc" : NULL; type && *type; type++) {
			v[n] = rule;
			v[n++].type = *type;
		}
		if (rule.type != 'a')
			v[n++] = rule;
	}
	*n_rules = n;
	return 0;
}

int unit_devices(struct arena *a, const struct service *svc, const struct unit_cdi *cdi,
		 struct box_spec *spec, struct cgroup_limits *limits, struct err *err)
{
	size_t all = svc->n_devices + cdi->edits.nodes.n, n = 0;
	struct box_device *devices;
	struct cgroup_device *rules;
	int r = 0;

	if (all + svc->device_cgroup_rules.n > DEVICE_RULES_MAX)
		return err_set(err, E2BIG, "devices: more than %d", DEVICE_RULES_MAX);
	devices = arena_array(a, all + 1, sizeof(*devices));
	rules = arena_array(a, all + 2 * svc->device_cgroup_rules.n + 1, sizeof(*rules));
	for (size_t i = 0; r == 0 && i < svc->n_devices; i++) {
		devices[i] = (struct box_device){ .host = svc->devices[i].source,
						  .target = svc->devices[i].target };
		if (!svc->privileged)
			r = add_device_rule(rules, &n, &svc->devices[i], err);
	}
	if (r == 0)
		r = unit_cdi_nodes(cdi, devices + svc->n_devices, rules, &n, err);
	if (r == 0)
		r = add_written_rules(rules, &n, svc, err);
	if (r < 0)
		return r;
	spec->devices = devices;
	spec->n_devices = all;
	if (svc->privileged) /* may open all there are */
		return 0;
	limits->devices = rules;
	limits->n_devices = n;
	return 0;
}

/* ---- Block devices ---------------------------------------------------------------------------- */
enum { WEIGHT_MIN = 10, WEIGHT_MAX = 1000 };

static int check_weight(uint64_t weight, const char *of, struct err *err)
{
	if (weight == 0 || (weight >= WEIGHT_MIN && weight <= WEIGHT_MAX))
		return 0;
	return err_set(err, EINVAL, "blkio_config: the weight %llu%s%s is not between %d and %d",
		       (unsigned long long)weight, of ? " of " : "", of ? of : "", WEIGHT_MIN,
		       WEIGHT_MAX);
}

int unit_blkio(struct arena *a, const struct service *svc, struct cgroup_limits *limits,
	       struct err *err)
{
	static const enum cgroup_io_what what[] = {
		[BLKIO_READ_BPS] = CGROUP_IO_READ_BPS,   [BLKIO_WRITE_BPS] = CGROUP_IO_WRITE_BPS,
		[BLKIO_READ_IOPS] = CGROUP_IO_READ_IOPS, [BLKIO_WRITE_IOPS] = CGROUP_IO_WRITE_IOPS,
		[BLKIO_WEIGHT] = CGROUP_IO_WEIGHT,
	};
	struct cgroup_io *v = arena_array(a, svc->n_blkio + 1, sizeof(*v));
	int r = check_weight(svc->blkio_weight, NULL, err);

	for (size_t i = 0; i < svc->n_blkio && r == 0; i++) {
		const struct service_blkio *b = &svc->blkio[i];
		struct stat st;

		if (!b->path || stat(b->path, &st) < 0)
			return err_errno(err, "blkio_config: %s", b->path ? b->path : "no path");
		if (!S_ISBLK(st.st_mode))
			return err_set(err, ENOTBLK, "blkio_config: %s is not a block device",
				       b->path);
		if (b->what == BLKIO_WEIGHT)
			r = check_weight(b->value, b->path, err);
		v[i] = (struct cgroup_io){ what[b->what], major(st.st_rdev), minor(st.st_rdev),
					   b->value };
	}
	limits->io_weight = svc->blkio_weight;
	limits->io = v;
	limits->n_io = svc->n_blkio;
	return r;
}

/* ---- Secrets and configs ----------------------------------------------------------------------- */
static int read_file(const struct unit *u, const char *path, char **text, size_t *len,
		     struct err *err)
{
	auto_close int at = unit_host_path(u, path, false, err);
	int r;

	if (at < 0)
		return at;
	r = file_read_fd(at, SERVICE_FILE_MAX, text, len);
	if (r == -EINVAL || r == -EISDIR)
		return err_set(err, r, "%s is not a file", path);
	return r < 0 ? err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

int unit_file(const struct unit *u, struct arena *a, const struct service_file *f,
	      struct box_file *out, struct err *err)
{
	auto_free char *text = NULL;
	char *copy;
	size_t len = 0;
	int r;

	*out = (struct box_file){ .target = f->target,
				  .mode = f->mode,
				  .uid = f->uid,
				  .gid = f->gid,
				  .read_only = true };
	if (f->content) {
		out->data = f->content;
		out->len = strlen(f->content);
		return 0;
	}
	if (!f->path)
		return err_set(err, ENOENT, "file %s: %s", f->target,
			       f->missing ? f->missing : "it has no source");
	r = read_file(u, f->path, &text, &len, err);
	if (r < 0)
		return err_wrap(err, r, "file %s", f->target);
	copy = arena_alloc(a, len + 1);
	memcpy(copy, text, len);
	out->data = copy;
	out->len = len;
	return 0;
}
