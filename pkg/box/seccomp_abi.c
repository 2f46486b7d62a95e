/* seccomp_abi.c - numbers of system calls by ABI; see seccomp.h */
#include "seccomp.h"

#include <ctrcompose/base.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <string.h>

/* Numbers that the library may be too old for; from 424 on they are the same everywhere. And the
 * calls of i386 that it only knows as parts of socketcall and ipc. */
static const struct {
	const char *name;
	int nr;
	unsigned abis;
} newer[] = {
	{ "uretprobe", 335, SC_ABI_X86_64 },
	{ "cachestat", 451, SC_ANY },
	{ "fchmodat2", 452, SC_ANY },
	{ "map_shadow_stack", 453, SC_ANY },
	{ "futex_wake", 454, SC_ANY },
	{ "futex_wait", 455, SC_ANY },
	{ "futex_requeue", 456, SC_ANY },
	{ "statmount", 457, SC_ANY },
	{ "listmount", 458, SC_ANY },
	{ "lsm_get_self_attr", 459, SC_ANY },
	{ "lsm_set_self_attr", 460, SC_ANY },
	{ "lsm_list_modules", 461, SC_ANY },
	{ "mseal", 462, SC_ANY },
	{ "setxattrat", 463, SC_ANY },
	{ "getxattrat", 464, SC_ANY },
	{ "listxattrat", 465, SC_ANY },
	{ "removexattrat", 466, SC_ANY },
	{ "socket", 359, SC_ABI_I386 },
	{ "socketpair", 360, SC_ABI_I386 },
	{ "bind", 361, SC_ABI_I386 },
	{ "connect", 362, SC_ABI_I386 },
	{ "listen", 363, SC_ABI_I386 },
	{ "accept4", 364, SC_ABI_I386 },
	{ "getsockopt", 365, SC_ABI_I386 },
	{ "setsockopt", 366, SC_ABI_I386 },
	{ "getsockname", 367, SC_ABI_I386 },
	{ "getpeername", 368, SC_ABI_I386 },
	{ "sendto", 369, SC_ABI_I386 },
	{ "sendmsg", 370, SC_ABI_I386 },
	{ "recvfrom", 371, SC_ABI_I386 },
	{ "recvmsg", 372, SC_ABI_I386 },
	{ "shutdown", 373, SC_ABI_I386 },
	{ "semget", 393, SC_ABI_I386 },
	{ "semctl", 394, SC_ABI_I386 },
	{ "shmget", 395, SC_ABI_I386 },
	{ "shmctl", 396, SC_ABI_I386 },
	{ "shmat", 397, SC_ABI_I386 },
	{ "shmdt", 398, SC_ABI_I386 },
	{ "msgget", 399, SC_ABI_I386 },
	{ "msgsnd", 400, SC_ABI_I386 },
	{ "msgrcv", 401, SC_ABI_I386 },
	{ "msgctl", 402, SC_ABI_I386 },
};
/* x32 shares the architecture with x86_64 and is told by a bit in the number. */
const struct sc_arch sc_archs[] = {
#if defined(__x86_64__)
	{ SC_ABI_X86_64, 469, SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, "SCMP_ARCH_X86_64", "amd64" },
	{ SC_ABI_X32, SC_X32_BIT + 547, SCMP_ARCH_X32, AUDIT_ARCH_X86_64, "SCMP_ARCH_X32", "x32" },
	{ SC_ABI_I386, 469, SCMP_ARCH_X86, AUDIT_ARCH_I386, "SCMP_ARCH_X86", "x86" },
#elif defined(__aarch64__)
	{ SC_ABI_AARCH64, 469, SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, "SCMP_ARCH_AARCH64",
	  "arm64" },
	{ SC_ABI_ARM, 469, SCMP_ARCH_ARM, AUDIT_ARCH_ARM, "SCMP_ARCH_ARM", "arm" },
#else
/* cppcheck-suppress preprocessorErrorDirective ; it tries all configurations */
#error "the system call filter has no table of numbers for this architecture"
#endif
};
const size_t sc_n_archs = ARRAY_LEN(sc_archs);

size_t sc_numbers(const struct sc_arch *arch, const char *name, uint32_t out[2])
{
	uint32_t bit = arch->abi == SC_ABI_X32 ? SC_X32_BIT : 0;
	int nr = seccomp_syscall_resolve_name_arch(arch->lib_arch, name);
	size_t n = 0;

	if (nr >= 0)
		out[n++] = (uint32_t)nr;
	for (size_t i = 0; i < ARRAY_LEN(newer); i++)
		if (newer[i].abis & arch->abi && str_is(newer[i].name, name) &&
		    (n == 0 || out[0] != ((uint32_t)newer[i].nr | bit)))
			out[n++] = (uint32_t)newer[i].nr | bit;
	return n;
}

/* Where the kernel looks at the low 32 bits of an argument only, so must a rule: an AF_ALG with a
 * high bit set would pass as "above 40". */
bool sc_is_narrow(const char *name, unsigned arg)
{
	static const struct {
		const char *name;
		unsigned args; /* bit N is argument N */
	} narrow[] = {
		{ "socket", 7 },     { "socketpair", 7 }, { "personality", 1 }, { "clone", 1 },
		{ "ioctl", 2 },      { "fcntl", 2 },      { "fcntl64", 2 },     { "prctl", 1 },
		{ "setsockopt", 6 }, { "getsockopt", 6 }, { "keyctl", 1 },      { "bpf", 1 },
		{ "unshare", 1 },    { "setns", 2 },      { "seccomp", 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(narrow); i++)
		if (str_is(narrow[i].name, name))
			return narrow[i].args >> arg & 1;
	return false;
}
