/* fw_host.c - the host's own iptables programs carry the rules out; forwarding is switched on. */
#include "fw_legacy.h"
#include "net_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3

static struct family {
	char save[20], restore[20]; /* an argv is not const */
} families[] = { { "iptables-save", "iptables-restore" },
		 { "ip6tables-save", "ip6tables-restore" } };

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

int fw_save(bool v6, char **out, struct err *err)
{
	char *program = families[v6].save;
	char *const argv[] = { program, NULL };
	int status;

	*out = NULL;
	status = proc_run(argv, NULL, 0, out);
	return status == 0 ? 0 : failed(program, status, *out, err);
}

int fw_restore_begin(bool v6, const char *script, struct proc *out, struct err *err)
{
	/* Not forever: another program may hold the lock and hang. */
	static char noflush[] = "--noflush", wait[] = "--wait=10";
	char *program = families[v6].restore;
	char *const argv[] = { program, noflush, wait, NULL };
	int r = proc_begin(argv, script, strlen(script), out);

	return r < 0 ? failed(program, r, NULL, err) : 0;
}

int fw_restore_end(bool v6, struct proc *p, bool *again, struct err *err)
{
	auto_free char *output = NULL;
	int status = proc_end(p, &output);

	*again = status > 0 && status < 126;
	return status == 0 ? 0 : failed(families[v6].restore, status, output, err);
}

/* One round of reading and changing. *again: what was read has changed since. */
static int commit(const struct fw_rules *r, bool v6, bool *again, struct err *err)
{
	auto_free char *saved = NULL, *script = NULL;
	struct proc p;
	int code = fw_save(v6, &saved, err);

	*again = false;
	if (code < 0)
		return code;
	script = fw_script(r, v6, saved);
	if (script[0] == '\0')
		return 0;
	code = fw_restore_begin(v6, script, &p, err);
	return code < 0 ? code : fw_restore_end(v6, &p, again, err);
}

static int change(const struct fw_rules *r, bool v6, struct err *err)
{
	bool again = true;
	int code = 0;

	if (!v6 && fw_legacy())
		return fw_legacy_apply(r, err);
	for (int i = 0; i < TRIES && again; i++)
		code = commit(r, v6, &again, err);
	return code;
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

int fw_sysctls(const struct fw_rules *r, struct err *err)
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
		if (code == -ENOENT && str_eq(s->value, "0"))
			continue; /* the bridge has gone */
		if (code < 0)
			return err_set(err, code, "firewall: cannot set /proc/sys/%s to %s: %s",
				       s->path, s->value, strerror(-code));
	}
	return 0;
}

int fw_apply(const struct fw_rules *r, struct err *err)
{
	for (int v6 = 0; v6 < 2; v6++) {
		int code = fw_count(r, v6, NULL, NULL) ? change(r, v6, err) : 0;

		if (code < 0)
			return code;
	}
	return fw_sysctls(r, err);
}

int fw_remove(const char *project, struct err *err)
{
	struct fw_rules none = { .n = 0 };
	int code = 0;

	fw_tag(project, none.tag);
	for (int v6 = 0; v6 < 2 && (code == 0 || code == -ENOENT); v6++)
		code = change(&none, v6, err);
	return code == -ENOENT ? 0 : code; /* no program, no rules */
}

char *fw_describe(void)
{
	auto_free char *version = NULL, *forward = NULL;
	static char iptables[] = "iptables", option[] = "--version";
	char *const argv[] = { iptables, option, NULL };
	int status = proc_run(argv, NULL, 0, &version);

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
