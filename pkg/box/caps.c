/* caps.c - capabilities by name; see box.h */
#include <ctrcompose/box.h>

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#define NAME(cap) [cap] = #cap
static const char *const names[] = {
	NAME(CAP_CHOWN),
	NAME(CAP_DAC_OVERRIDE),
	NAME(CAP_DAC_READ_SEARCH),
	NAME(CAP_FOWNER),
	NAME(CAP_FSETID),
	NAME(CAP_KILL),
	NAME(CAP_SETGID),
	NAME(CAP_SETUID),
	NAME(CAP_SETPCAP),
	NAME(CAP_LINUX_IMMUTABLE),
	NAME(CAP_NET_BIND_SERVICE),
	NAME(CAP_NET_BROADCAST),
	NAME(CAP_NET_ADMIN),
	NAME(CAP_NET_RAW),
	NAME(CAP_IPC_LOCK),
	NAME(CAP_IPC_OWNER),
	NAME(CAP_SYS_MODULE),
	NAME(CAP_SYS_RAWIO),
	NAME(CAP_SYS_CHROOT),
	NAME(CAP_SYS_PTRACE),
	NAME(CAP_SYS_PACCT),
	NAME(CAP_SYS_ADMIN),
	NAME(CAP_SYS_BOOT),
	NAME(CAP_SYS_NICE),
	NAME(CAP_SYS_RESOURCE),
	NAME(CAP_SYS_TIME),
	NAME(CAP_SYS_TTY_CONFIG),
	NAME(CAP_MKNOD),
	NAME(CAP_LEASE),
	NAME(CAP_AUDIT_WRITE),
	NAME(CAP_AUDIT_CONTROL),
	NAME(CAP_SETFCAP),
	NAME(CAP_MAC_OVERRIDE),
	NAME(CAP_MAC_ADMIN),
	NAME(CAP_SYSLOG),
	NAME(CAP_WAKE_ALARM),
	NAME(CAP_BLOCK_SUSPEND),
	NAME(CAP_AUDIT_READ),
	NAME(CAP_PERFMON),
	NAME(CAP_BPF),
	NAME(CAP_CHECKPOINT_RESTORE),
};

const char *box_cap_name(unsigned cap)
{
	return cap < ARRAY_LEN(names) ? names[cap] : NULL;
}

uint64_t box_caps_all(void)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < 64; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			all |= UINT64_C(1) << i;
	return all;
}

static int parse_cap(const char *name, uint64_t *out, struct err *err)
{
	const char *bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;
	char full[64];

	if (strcasecmp(bare, "ALL") == 0) {
		*out = UINT64_MAX;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i] + 4, bare) == 0) {
			*out = UINT64_C(1) << i;
			return 0;
		}
	(void)snprintf(full, sizeof(full), "CAP_%s", bare);
	for (char *p = full; *p; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	{
		const char *near = str_nearest(full, names, ARRAY_LEN(names));

		return err_set(err, -EINVAL, "'%s' is not a capability%s%s%s", name,
			       near ? "; did you mean " : "", near ? near + 4 : "",
			       near ? "?" : "");
	}
}

int box_caps_from(const char *const *add, size_t n_add, const char *const *drop, size_t n_drop,
		  bool privileged, uint64_t *out, struct err *err)
{
	const uint64_t all = box_caps_all();
	uint64_t caps = privileged ? all : BOX_CAPS_DEFAULT;
	uint64_t one;

	for (size_t i = 0; i < n_drop; i++) {
		int r = parse_cap(drop[i], &one, err);

		if (r < 0)
			return r;
		caps &= ~one;
	}
	for (size_t i = 0; i < n_add; i++) {
		int r = parse_cap(add[i], &one, err);

		if (r < 0)
			return r;
		caps |= one == UINT64_MAX ? all : one;
	}
	*out = caps & all; /* nobody can give what they do not have */
	return 0;
}
