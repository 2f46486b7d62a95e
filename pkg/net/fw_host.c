/* fw_host.c - the host's own iptables programs carry the rules out; forwarding is switched on. */
#include "net_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3

static const struct family {
	const char *save, *restore, *version;
} families[] = { { "iptables-save", "iptables-restore", "iptables" },
		 { "ip6tables-save", "ip6tables-restore", "ip6tables" } };

static int run(const char *program, const char *option, const char *option2, const char *input,
	       char **output)
{
	auto_free char *full = xasprintf("/usr/sbin/%s", program);
	const char *words[] = { program, option, option2, NULL };
	char *argv[ARRAY_LEN(words)];
	int status;

	memcpy(argv, words, sizeof(argv));
	status = proc_run(argv, input, input ? strlen(input) : 0, output);
	if (status != 127)
		return status;
	free(*output);
	*output = NULL;
	argv[0] = full; /* root's PATH after a plain su lacks it */
	return proc_run(argv, input, input ? strlen(input) : 0, output);
}

static int failed(const char *program, int status, const char *output, struct err *err)
{
	int len = output ? (int)strcspn(output, "\n") : 0;

	if (status == 127 || status == -ENOENT)
		return err_set(
			err, -ENOENT,
			"firewall: %s is not installed, and published ports and the way out of "
			"containers need it (package iptables)",
			program);
	if (status < 0)
		return err_set(err, status, "firewall: cannot run %s: %s", program,
			       strerror(-status));
	return err_set(err, -EIO, "firewall: %s failed: %.*s", program, len, output ? output : "");
}

/* One round of reading and changing. *again: what was read has changed since. */
static int commit(const struct fw_rules *r, bool v6, bool *again, struct err *err)
{
	auto_free char *saved = NULL, *script = NULL, *output = NULL;
	const struct family *f = &families[v6];
	int status = run(f->save, NULL, NULL, NULL, &saved);

	*again = false;
	if (status != 0)
		return failed(f->save, status, saved, err);
	script = fw_script(r, v6, saved ? saved : "");
	if (script[0] == '\0')
		return 0;
	/* Not forever: another program may hold the lock and hang. */
	status = run(f->restore, "--noflush", "--wait=10", script, &output);
	*again = status > 0 && status < 126;
	return status == 0 ? 0 : failed(f->restore, status, output, err);
}

static int change(const struct fw_rules *r, bool v6, struct err *err)
{
	bool again = true;
	int code = 0;

	for (int i = 0; i < TRIES && again; i++)
		code = commit(r, v6, &again, err);
	return code;
}

static bool any(const struct fw_rules *r, bool v6)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].v6 == v6)
			return true;
	return false;
}

/* A router ignores router advertisements, unless told otherwise: without this a host that gets its
 * IPv6 default route from one would lose it when forwarding is switched on. */
static void keep_router_advertisements(void)
{
	DIR *d = opendir("/proc/sys/net/ipv6/conf");

	for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
		auto_free char *path = xasprintf("/proc/sys/net/ipv6/conf/%s/accept_ra", e->d_name);
		auto_free char *now = NULL;

		if (e->d_name[0] == '.' || str_starts(e->d_name, "cc-") ||
		    file_read(AT_FDCWD, path, 16, &now, NULL) < 0 || !str_eq(now, "1\n"))
			continue;
		(void)file_put(AT_FDCWD, path, "2");
	}
	if (d)
		(void)closedir(d);
}

static int apply_sysctls(const struct fw_rules *r, struct err *err)
{
	for (size_t i = 0; i < r->sysctls.n; i++) {
		const struct fw_sysctl *s = &r->sysctls.v[i];
		auto_free char *path = xasprintf("/proc/sys/%s", s->path);
		auto_free char *now = NULL;
		int code;

		if (file_read(AT_FDCWD, path, 16, &now, NULL) == 0 && str_starts(now, s->value))
			continue;
		if (str_eq(s->path, "net/ipv6/conf/all/forwarding"))
			keep_router_advertisements();
		code = net_sysctl(s->path, s->value);
		if (code < 0)
			return err_set(err, code, "firewall: cannot set /proc/sys/%s to %s: %s",
				       s->path, s->value, strerror(-code));
	}
	return 0;
}

int fw_apply(const struct fw_rules *r, struct err *err)
{
	for (int v6 = 0; v6 < 2; v6++) {
		int code = any(r, v6) ? change(r, v6, err) : 0;

		if (code < 0)
			return code;
	}
	return apply_sysctls(r, err);
}

int fw_remove(const char *project, bool v6, struct err *err)
{
	struct fw_rules none = { .n = 0 };
	int code;

	fw_tag(project, none.tag);
	code = change(&none, false, err);
	if (code == -ENOENT) /* no program, no rules */
		code = 0;
	if (code == 0 && v6)
		code = change(&none, true, err);
	return code == -ENOENT ? 0 : code;
}

char *fw_describe(void)
{
	auto_free char *version = NULL, *forward = NULL;
	int status = run("iptables", "--version", NULL, NULL, &version);

	if (version)
		version[strcspn(version, "\n")] = '\0';
	if (file_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_forward", 16, &forward, NULL) == 0)
		forward[strcspn(forward, "\n")] = '\0';
	return xasprintf("%s, net.ipv4.ip_forward = %s%s",
			 status == 0 && version ? version : "iptables is not installed",
			 forward ? forward : "?",
			 str_eq(forward, "0")
				 ? " (switched on by the first network that is not internal)"
				 : "");
}
