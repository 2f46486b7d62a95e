/* seccomp_table.h - the rows of the system call filter */
#ifndef BOX_SECCOMP_TABLE_H
#define BOX_SECCOMP_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum sc_check { SC_PLAIN, SC_CHECK_SOCKET, SC_CHECK_PERSONALITY, SC_CHECK_CLONE, SC_CHECK_CLONE3 };

enum sc_abi {
	SC_ABI_X86_64 = 1,
	SC_ABI_I386 = 2,
	SC_ABI_X32 = 4,
	SC_ABI_AARCH64 = 8,
	SC_ABI_ARM = 16,
};
#define SC_ANY    0xffu
#define SC_X86_64 (SC_ABI_X86_64 | SC_ABI_X32)
#define SC_X86    (SC_ABI_X86_64 | SC_ABI_X32 | SC_ABI_I386)
#define SC_ARM    (SC_ABI_AARCH64 | SC_ABI_ARM)

struct sc_rule {
	const char *name;
	uint64_t caps;
	unsigned abis;
	enum sc_check check;
};

extern const struct sc_rule sc_rules[];
extern const size_t sc_n_rules;

#endif
