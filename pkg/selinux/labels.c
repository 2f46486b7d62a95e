/* labels.c - the labels of a container from the policy's, its categories and what is asked for; see
 * selinux.h */
#include <ctrcompose/selinux.h>

#include <stdlib.h>
#include <string.h>

/* What a container without a process label has on its files: nobody confined reads that. */
static const struct selinux_pair apart = { 1022, 1023 };

/* Sensitivity is the policy's: "s0". */
static char *level_of(const char *policys, struct selinux_pair p)
{
	return xasprintf("%.*s:c%u,c%u", (int)strcspn(policys, ":-"), policys, p.low, p.high);
}

static void set(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

static const struct part {
	const char *name; /* with its colon */
	size_t process, file;
} parts[] = {
#define NONE SIZE_MAX
	{ "user:", offsetof(struct selinux_context, user), offsetof(struct selinux_context, user) },
	{ "role:", offsetof(struct selinux_context, role), NONE },
	{ "type:", offsetof(struct selinux_context, type), NONE },
	{ "level:", offsetof(struct selinux_context, level),
	  offsetof(struct selinux_context, level) },
	{ "filetype:", NONE, offsetof(struct selinux_context, type) },
};

static bool put_part(const struct part *p, const char *value, struct selinux_context *process,
		     struct selinux_context *file)
{
	if (p->process != NONE)
		set((char **)((char *)process + p->process), value);
	if (p->file != NONE)
		set((char **)((char *)file + p->file), value);
	return true;
}

static bool one_option(const char *option, bool *disabled, struct selinux_context *process,
		       struct selinux_context *file)
{
	if (strcmp(option, "disable") == 0)
		*disabled = true;
	if (*disabled || strcmp(option, "nested") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (str_starts(option, parts[i].name) && option[strlen(parts[i].name)])
			return put_part(&parts[i], option + strlen(parts[i].name), process, file);
	return false;
}

/* Put together and looked at: a value may have brought colons of its own. */
static int finish(const struct selinux_context *c, char **out, struct err *err)
{
	auto_selinux_context struct selinux_context again = { 0 };
	auto_free char *text = selinux_context_format(c);

	if (selinux_context_parse(text, &again) < 0 || strcmp(again.type, c->type) != 0 ||
	    strcmp(again.role, c->role) != 0)
		return err_set(err, EINVAL, "'%s' is not an SELinux label", text);
	*out = steal(text);
	return 0;
}

int selinux_labels_make(const struct selinux_defaults *d, const char *const *options, size_t n,
			struct selinux_pair pair, struct selinux_labels *out, struct err *err)
{
	auto_selinux_context struct selinux_context process = { 0 }, file = { 0 };
	auto_selinux_labels struct selinux_labels l = { 0 };
	bool disabled = false;
	int r = 0;

	if (selinux_context_parse(d->process, &process) < 0 ||
	    selinux_context_parse(d->file, &file) < 0)
		return err_set(err, EINVAL, "the policy's labels of containers are none");
	if (process.level && file.level) {
		auto_free char *own = level_of(process.level, pair);

		set(&process.level, own);
		set(&file.level, own);
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!one_option(options[i], &disabled, &process, &file))
			r = err_set(err, EINVAL, "label=%s is not an option", options[i]);
	if (r == 0 && disabled) {
		selinux_context_clear(&file);
		(void)selinux_context_parse(d->file, &file);
		if (file.level) {
			auto_free char *level = level_of(file.level, apart);

			set(&file.level, level);
		}
	}
	if (r == 0 && !disabled)
		r = finish(&process, &l.process, err);
	if (r == 0)
		r = finish(&file, &l.file, err);
	if (r < 0)
		return r;
	*out = l;
	l = (struct selinux_labels){ 0 };
	return 0;
}

void selinux_labels_clear(struct selinux_labels *l)
{
	free(steal(l->process));
	free(steal(l->file));
}

char *selinux_shared(const char *file)
{
	auto_selinux_context struct selinux_context c = { 0 };

	if (selinux_context_parse(file, &c) < 0)
		return NULL;
	if (c.level)
		c.level[strcspn(c.level, ":-")] = '\0';
	return selinux_context_format(&c);
}

const char *selinux_relabel_refused(const char *path, const char *home)
{
	static const char *const hosts[] = {
		"/",          "/bin",        "/boot",     "/dev",       "/etc",     "/etc/passwd",
		"/etc/pki",   "/etc/shadow", "/home",     "/lib",       "/lib64",   "/media",
		"/mnt",       "/opt",        "/proc",     "/root",      "/run",     "/sbin",
		"/srv",       "/sys",        "/tmp",      "/usr",       "/usr/bin", "/usr/lib",
		"/usr/lib64", "/usr/local",  "/usr/sbin", "/usr/share", "/var",     "/var/lib",
		"/var/log",   "/var/run",    "/var/tmp",
	};
	static const char *const whole[] = { "/boot/", "/dev/", "/proc/", "/sys/" };
	static const char why[] = "the host needs its own labels there";

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		if (strcmp(path, hosts[i]) == 0)
			return why;
	if (home && strcmp(path, home) == 0)
		return "it is a person's home folder";
	if (str_starts(path, "/home/") && !strchr(path + strlen("/home/"), '/'))
		return "it is a person's home folder";
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (str_starts(path, whole[i]))
			return why;
	return NULL;
}
