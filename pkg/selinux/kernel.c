/* kernel.c - what the kernel says of labels: selinuxfs; see selinux.h
 *
 * Four of its files are all that is needed of it, so there is no libselinux here: labels are the
 * kernel's own, and nothing is translated or cached.
 */
#include <ctrcompose/selinux.h>

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FS     "/sys/fs/selinux"
#define CONFIG "/etc/selinux/config"

enum { SMALL = 1 << 16, PERMISSIVE = 1 /* of a decision's flags: the domain is */ };

bool selinux_enabled(void)
{
	return access(FS "/enforce", F_OK) == 0;
}

/* ---- One question ------------------------------------------------------------------------------ */
static int ask(const char *file, const char *text, char *answer, size_t size)
{
	auto_free char *path = xasprintf(FS "/%s", file);
	auto_close int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	if (!answer)
		return 0;
	n = read(fd, answer, size - 1);
	if (n < 0)
		return -errno;
	answer[n] = '\0';
	return 0;
}

int selinux_check(const char *label, struct err *err)
{
	int r = ask("context", label, NULL, 0);

	if (r == -EINVAL)
		return err_set(err, r, "this host's SELinux policy does not have the label '%s'",
			       label);
	return r < 0 ? err_set(err, r, "ask SELinux about '%s': %s", label, strerrordesc_np(-r))
		     : 0;
}

static int number_in(const char *what, const char *class, const char *name, unsigned *out)
{
	auto_free char *path = xasprintf(FS "/class/%s/%s%s", class, what, name);
	auto_free char *text = NULL;
	int r = file_read(AT_FDCWD, path, 64, &text, NULL);

	if (r < 0)
		return r;
	*out = (unsigned)strtoul(text, NULL, 10);
	return *out ? 0 : -EINVAL;
}

static int own_label(char **out)
{
	size_t len;
	int r = file_read(AT_FDCWD, "/proc/thread-self/attr/current", SMALL, out, &len);

	if (r == 0)
		(*out)[strcspn(*out, "\n")] = '\0';
	return r;
}

/* A permission or class that the policy does not know is the kernel's to allow: so it may. */
static int may(const char *from, const char *to, const char *class, const char *perm)
{
	unsigned index, bit, allowed = 0, decided, audit, quiet, serial, flags = 0;
	auto_free char *text = NULL;
	char answer[128];
	int r = number_in("index", class, "", &index);

	if (r == 0)
		r = number_in("perms/", class, perm, &bit);
	if (r == -ENOENT)
		return 0;
	if (r < 0 || bit > 32)
		return r < 0 ? r : -EINVAL;
	text = xasprintf("%s %s %u", from, to, index);
	r = ask("access", text, answer, sizeof(answer));
	if (r < 0)
		return r;
	if (sscanf(answer, "%x %x %x %x %u %x", &allowed, &decided, &audit, &quiet, &serial,
		   &flags) < 1)
		return -EBADMSG;
	return allowed >> (bit - 1) & 1 || flags & PERMISSIVE ? 0 : -EACCES;
}

/* Whether the policy is of before that was there, and then none is allowed. */
static bool without_capability(const char *name)
{
	auto_free char *path = xasprintf(FS "/policy_capabilities/%s", name);
	auto_free char *text = NULL;

	return file_read(AT_FDCWD, path, 64, &text, NULL) < 0 || *text != '1';
}

int selinux_may_start(const char *label, bool no_new_privs, struct err *err)
{
	auto_free char *own = NULL;
	int r = own_label(&own);

	if (r < 0)
		return err_set(err, r, "read our own SELinux label: %s", strerrordesc_np(-r));
	r = may(own, label, "process", "transition");
	if (r == -EACCES)
		return err_set(err, r,
			       "the SELinux policy does not let our domain (%s) start programs as "
			       "%s: where it has a domain for container engines, label the program "
			       "with it (semanage fcontext -a -t container_runtime_exec_t "
			       "/usr/local/bin/ctrcompose; restorecon /usr/local/bin/ctrcompose)",
			       own, label);
	if (r == 0 && no_new_privs)
		r = without_capability("nnp_nosuid_transition")
			    ? -EACCES
			    : may(own, label, "process2", "nnp_transition");
	if (r == -EACCES)
		return err_set(err, r,
			       "no-new-privileges: the SELinux policy does not let our domain (%s) "
			       "start programs as %s with it (nnp_transition); label=disable does "
			       "without the label",
			       own, label);
	return r < 0 ? err_set(err, r, "ask SELinux what %s may do: %s", own, strerrordesc_np(-r))
		     : 0;
}

/* ---- What containers get here ------------------------------------------------------------------ */
static int read_defaults(struct selinux_defaults *out, struct err *err)
{
	auto_free char *config = NULL, *type = NULL, *path = NULL, *text = NULL;
	int r = file_read(AT_FDCWD, CONFIG, SMALL, &config, NULL);

	if (r == 0)
		r = selinux_config_type(config, &type);
	if (r < 0)
		return err_set(err, -ENOTSUP, CONFIG " names no policy (SELINUXTYPE)");
	path = xasprintf("/etc/selinux/%s/contexts/lxc_contexts", type);
	r = file_read(AT_FDCWD, path, SMALL, &text, NULL);
	if (r == 0)
		r = selinux_defaults_parse(text, out);
	return r < 0 ? err_set(err, -ENOTSUP, "%s has no labels for containers: %s", path,
			       r == -EINVAL ? "what it says is no label" : strerrordesc_np(-r))
		     : 0;
}

int selinux_defaults(struct selinux_defaults *out, struct err *err)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };
	int r;

	if (!selinux_enabled())
		return err_set(err, -ENODEV, "SELinux is off");
	r = read_defaults(&d, err);
	if (r == 0)
		r = selinux_check(d.process, err);
	if (r == 0)
		r = selinux_check(d.file, err);
	if (r == 0)
		r = selinux_check(d.layer, err);
	if (r == 0)
		r = selinux_may_start(d.process, false, err);
	if (r < 0)
		return err_wrap(err, -ENOTSUP, "containers get no SELinux labels");
	*out = d;
	d = (struct selinux_defaults){ 0 };
	return 0;
}

int selinux_check_options(const char *const *options, size_t n, bool no_new_privs, struct err *err)
{
	auto_selinux_defaults struct selinux_defaults d = { 0 };
	auto_selinux_labels struct selinux_labels l = { 0 };
	auto_err struct err why = ERR_INIT;
	int r = selinux_defaults(&d, &why);

	if (r < 0 && (n == 0 || strcmp(options[n - 1], "disable") == 0))
		return 0;
	if (r < 0)
		return err_set(err, r, "%s", err_text(&why));
	r = selinux_labels_make(&d, options, n, (struct selinux_pair){ 0, 1 }, &l, err);
	if (r == 0)
		r = selinux_check(l.file, err);
	if (r == 0 && l.process)
		r = selinux_check(l.process, err);
	if (r == 0 && l.process)
		r = selinux_may_start(l.process, no_new_privs, err);
	return r;
}

int selinux_label_sockets(const char *label)
{
	return file_put(AT_FDCWD, "/proc/thread-self/attr/sockcreate", label ? label : "\n");
}

/* ---- What runs --------------------------------------------------------------------------------- */
void selinux_pairs_running(struct selinux_pairs *out)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		auto_selinux_context struct selinux_context c = { 0 };
		auto_free char *path = NULL, *text = NULL;
		struct selinux_pair p;

		if (!isdigit((unsigned char)*e->d_name))
			continue;
		path = xasprintf("%s/attr/current", e->d_name);
		if (file_read(dirfd(dir), path, SMALL, &text, NULL) < 0)
			continue;
		text[strcspn(text, "\n")] = '\0';
		if (selinux_context_parse(text, &c) == 0 && c.level &&
		    selinux_pair_parse(c.level, &p))
			*vec_push(out) = p;
	}
	if (dir)
		(void)closedir(dir);
}
