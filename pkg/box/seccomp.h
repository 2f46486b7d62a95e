/* seccomp.h - the system call filter: rows of the default profile, numbers, the program's builder */
#ifndef BOX_SECCOMP_H
#define BOX_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- seccomp_table.c -------------------------------------------------------------------------- */

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

/* ---- seccomp_abi.c ---------------------------------------------------------------------------- */
enum { SC_X32_BIT = 0x40000000 };

struct sc_arch {
	enum sc_abi abi;
	uint32_t newest; /* file_setattr of Linux 6.17, or x32's own last */
	uint32_t lib_arch;
	uint32_t audit_arch;
	const char *lib_name;    /* "SCMP_ARCH_X86_64" */
	const char *docker_name; /* "amd64" */
};
extern const struct sc_arch sc_archs[]; /* those of one audit_arch are neighbours; native first */
extern const size_t sc_n_archs;

/* A name may stand for two numbers. Unknown: 0. */
size_t sc_numbers(const struct sc_arch *arch, const char *name, uint32_t out[2]);
/* Whether the kernel takes only the low 32 bits of this argument. */
bool sc_is_narrow(const char *name, unsigned arg);

/* ---- seccomp_build.c: answers by number become a BPF program ----------------------------------- */
enum sc_op { SC_EQ, SC_NE, SC_LT, SC_LE, SC_GT, SC_GE, SC_MASKED_EQ };
enum { SC_CONDS_MAX = 6, SC_INSNS_MAX = 4096 };

struct sc_clause { /* all conditions hold: ret */
	struct sc_cond {
		uint8_t arg;
		bool narrow;
		enum sc_op op;
		uint64_t value; /* the mask of SC_MASKED_EQ */
		uint64_t two;
	} cond[SC_CONDS_MAX];
	size_t n;
	uint32_t ret;
};

struct sc_answer {
	struct sc_clause *v; /* the first that holds */
	size_t n, cap;
	uint32_t otherwise;
	bool closed; /* for a profile's parser: a rule without conditions was seen */
};

struct sc_build {
	struct sc_answers {
		struct sc_answer *v;
		size_t n, cap;
	} answers;
	struct sc_entries {
		struct sc_entry {
			const struct sc_arch *arch;
			uint32_t nr;
			size_t answer;
			bool onwards; /* holds for all that follow, up to the next entry */
		} * v;
		size_t n, cap;
	} entries;
	unsigned abis;        /* enum sc_abi; a call of others kills */
	size_t otherwise;     /* answer for numbers that have no entry */
	bool newer_are_nosys; /* numbers above what is known */
};

struct sc_program {
	struct sock_filter *v;
	size_t n, cap;
};

size_t sc_answer_new(struct sc_build *b, uint32_t otherwise); /* its index */
/* NULL: no entry of this number. */
struct sc_entry *sc_entry_find(const struct sc_build *b, const struct sc_arch *arch, uint32_t nr);
void sc_entry_add(struct sc_build *b, const struct sc_arch *arch, uint32_t nr, size_t answer);
void sc_build_program(struct sc_build *b, struct sc_program *out);
void sc_build_clear(struct sc_build *b);

/* ---- seccomp_profile.c: Docker's JSON ----------------------------------------------------------- */
struct err;
int sc_profile_parse(const char *text, size_t len, uint64_t caps, struct sc_build *out,
		     struct err *err);

#endif
