/* seccomp.c - from the table to a BPF program; see box.h
 *
 * libseccomp knows the numbers; the program is written here, since its generator takes 7 ms for
 * three ABIs, compares int arguments as 64 bits (a socket domain with high bits set would pass as
 * "above 40"), and answers EPERM to calls it never heard of, which breaks newer C libraries.
 *
 * The program: per architecture a binary search over ranges of numbers with one answer each.
 */
#include "private.h"
#include "seccomp_table.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CACHE_MAX = 8, X32_BIT = 0x40000000 };

/* Numbers that the library may be too old for; from 424 on they are the same everywhere. And the
 * calls of i386 that it only knows as parts of socketcall and ipc. */
static const struct {
	const char *name;
	int nr;
	unsigned abis;
} newer[] = {
	{"uretprobe",          335, SC_ABI_X86_64},
	{ "cachestat",         451, SC_ANY       },
	{ "fchmodat2",         452, SC_ANY       },
	{ "map_shadow_stack",  453, SC_ANY       },
	{ "futex_wake",        454, SC_ANY       },
	{ "futex_wait",        455, SC_ANY       },
	{ "futex_requeue",     456, SC_ANY       },
	{ "statmount",         457, SC_ANY       },
	{ "listmount",         458, SC_ANY       },
	{ "lsm_get_self_attr", 459, SC_ANY       },
	{ "lsm_set_self_attr", 460, SC_ANY       },
	{ "lsm_list_modules",  461, SC_ANY       },
	{ "mseal",             462, SC_ANY       },
	{ "setxattrat",        463, SC_ANY       },
	{ "getxattrat",        464, SC_ANY       },
	{ "listxattrat",       465, SC_ANY       },
	{ "removexattrat",     466, SC_ANY       },
	{ "socket",            359, SC_ABI_I386  },
	{ "socketpair",        360, SC_ABI_I386  },
	{ "bind",              361, SC_ABI_I386  },
	{ "connect",           362, SC_ABI_I386  },
	{ "listen",            363, SC_ABI_I386  },
	{ "accept4",           364, SC_ABI_I386  },
	{ "getsockopt",        365, SC_ABI_I386  },
	{ "setsockopt",        366, SC_ABI_I386  },
	{ "getsockname",       367, SC_ABI_I386  },
	{ "getpeername",       368, SC_ABI_I386  },
	{ "sendto",            369, SC_ABI_I386  },
	{ "sendmsg",           370, SC_ABI_I386  },
	{ "recvfrom",          371, SC_ABI_I386  },
	{ "recvmsg",           372, SC_ABI_I386  },
	{ "shutdown",          373, SC_ABI_I386  },
	{ "semget",            393, SC_ABI_I386  },
	{ "semctl",            394, SC_ABI_I386  },
	{ "shmget",            395, SC_ABI_I386  },
	{ "shmctl",            396, SC_ABI_I386  },
	{ "shmat",             397, SC_ABI_I386  },
	{ "shmdt",             398, SC_ABI_I386  },
	{ "msgget",            399, SC_ABI_I386  },
	{ "msgsnd",            400, SC_ABI_I386  },
	{ "msgrcv",            401, SC_ABI_I386  },
	{ "msgctl",            402, SC_ABI_I386  },
};
struct abi {
	enum sc_abi abi;
	uint32_t newest; /* file_setattr of Linux 6.17, or x32's own last; above it: ENOSYS */
	uint32_t lib_arch;
	uint32_t audit_arch;
};

/* x32 shares the architecture with x86_64 and is told by a bit in the number. */
static const struct abi abis[] = {
#if defined(__x86_64__)
	{SC_ABI_X86_64, 469,           SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64},
	{ SC_ABI_X32,   X32_BIT + 547, SCMP_ARCH_X32,    AUDIT_ARCH_X86_64},
	{ SC_ABI_I386,  469,           SCMP_ARCH_X86,    AUDIT_ARCH_I386  },
#elif defined(__aarch64__)
	{ SC_ABI_AARCH64, 469, SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64 },
	{ SC_ABI_ARM, 469, SCMP_ARCH_ARM, AUDIT_ARCH_ARM },
#else
/* cppcheck-suppress preprocessorErrorDirective ; it tries all configurations */
#error "the system call filter has no table of numbers for this architecture"
#endif
};

/* ---- Answers by number ------------------------------------------------------------------------ */

enum answer { DENY, ALLOW, NOSYS, IF_SOCKET, IF_PERSONALITY, IF_CLONE };

struct entry {
	uint32_t nr;
	enum answer answer;
	bool onwards; /* holds for all that follow, up to the next entry */
};

struct range { /* from `first` up to the next range's first */
	uint32_t first;
	enum answer answer;
};

struct ranges {
	struct range *v;
	size_t n, cap;
};

static enum answer answer_of(const struct sc_rule *rule, uint64_t caps)
{
	bool has = rule->caps == 0 || rule->caps & caps;

	switch (rule->check) {
	case SC_CHECK_SOCKET:
		return IF_SOCKET;
	case SC_CHECK_PERSONALITY:
		return IF_PERSONALITY;
	case SC_CHECK_CLONE:
		return has ? ALLOW : IF_CLONE;
	case SC_CHECK_CLONE3: /* flags are behind a pointer; the C library falls back to clone */
		return has ? ALLOW : NOSYS;
	case SC_PLAIN:
		break;
	}
	return has ? ALLOW : DENY;
}

static int by_number(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

static size_t numbers_of(const struct abi *abi, const struct sc_rule *rule, uint32_t out[2])
{
	uint32_t bit = abi->abi == SC_ABI_X32 ? X32_BIT : 0;
	int nr = seccomp_syscall_resolve_name_arch(abi->lib_arch, rule->name);
	size_t n = 0;

	if (nr >= 0)
		out[n++] = (uint32_t)nr;
	for (size_t i = 0; i < ARRAY_LEN(newer); i++)
		if (newer[i].abis & abi->abi && strcmp(newer[i].name, rule->name) == 0 &&
		    (n == 0 || out[0] != ((uint32_t)newer[i].nr | bit)))
			out[n++] = (uint32_t)newer[i].nr | bit;
	return n;
}

static void add_range(struct ranges *r, uint32_t first, enum answer answer)
{
	if (r->n > 0 && r->v[r->n - 1].first == first)
		r->v[r->n - 1].answer = answer;
	else if (r->n == 0 || r->v[r->n - 1].answer != answer)
		*vec_push(r) = (struct range){ first, answer };
}

/* Ranges of all ABIs that share an architecture. */
static void collect(uint32_t audit_arch, uint64_t caps, struct ranges *out)
{
	struct {
		struct entry *v;
		size_t n, cap;
	} all = { 0 };
	uint32_t next = 0;
	bool onwards = false;

	for (size_t a = 0; a < ARRAY_LEN(abis); a++) {
		if (abis[a].audit_arch != audit_arch)
			continue;
		for (size_t i = 0; i < sc_n_rules; i++) {
			uint32_t nrs[2];
			size_t n = sc_rules[i].abis & abis[a].abi
					   ? numbers_of(&abis[a], &sc_rules[i], nrs)
					   : 0;

			for (size_t k = 0; k < n; k++)
				*vec_push(&all) =
					(struct entry){ nrs[k], answer_of(&sc_rules[i], caps),
							false };
		}
		*vec_push(&all) = (struct entry){ abis[a].newest + 1, NOSYS, true };
	}
	qsort(all.v, all.n, sizeof(*all.v), by_number);
	add_range(out, 0, DENY);
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].nr > next && !onwards)
			add_range(out, next, DENY);
		add_range(out, all.v[i].nr, all.v[i].answer);
		onwards = all.v[i].onwards;
		next = all.v[i].nr + 1;
	}
	if (!onwards)
		add_range(out, next, DENY);
	free(all.v);
}

/* ---- The program ------------------------------------------------------------------------------ */

struct box_seccomp {
	uint64_t caps;
	struct sock_filter *v;
	size_t n, cap;
};

static void put(struct box_seccomp *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	*vec_push(p) = (struct sock_filter){ code, jt, jf, k };
}

static void put_ret(struct box_seccomp *p, uint32_t value)
{
	put(p, BPF_RET | BPF_K, value, 0, 0);
}

/* int and unsigned int arguments: the kernel looks at the low 32 bits only, and so do we. */
static void put_load_arg(struct box_seccomp *p, unsigned i)
{
	size_t low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;

	put(p, BPF_LD | BPF_W | BPF_ABS,
	    (uint32_t)(offsetof(struct seccomp_data, args) + i * sizeof(uint64_t) + low), 0, 0);
}

static void put_answer(struct box_seccomp *p, enum answer a)
{
	static const uint32_t personalities[] = { 0, 0x8, 0x20000, 0x20008, 0xffffffff };
	const uint32_t eperm = SECCOMP_RET_ERRNO | EPERM;

	switch (a) {
	case ALLOW:
		put_ret(p, SECCOMP_RET_ALLOW);
		return;
	case NOSYS:
		put_ret(p, SECCOMP_RET_ERRNO | ENOSYS);
		return;
	case IF_SOCKET: /* not AF_ALG, not AF_VSOCK */
		put_load_arg(p, 0);
		put(p, BPF_JMP | BPF_JEQ | BPF_K, 38, 2, 0);
		put(p, BPF_JMP | BPF_JEQ | BPF_K, 40, 1, 0);
		put_ret(p, SECCOMP_RET_ALLOW);
		put_ret(p, eperm);
		return;
	case IF_PERSONALITY:
		put_load_arg(p, 0);
		for (size_t i = 0; i < ARRAY_LEN(personalities); i++)
			put(p, BPF_JMP | BPF_JEQ | BPF_K, personalities[i],
			    (uint8_t)(ARRAY_LEN(personalities) - i), 0);
		put_ret(p, eperm);
		put_ret(p, SECCOMP_RET_ALLOW);
		return;
	case IF_CLONE: /* no new namespaces */
		put_load_arg(p, 0);
		put(p, BPF_JMP | BPF_JSET | BPF_K, 0x7e020000, 1, 0);
		put_ret(p, SECCOMP_RET_ALLOW);
		put_ret(p, eperm);
		return;
	case DENY:
		break;
	}
	put_ret(p, eperm);
}

/* A conditional jump reaches 255 instructions, so each branch is a jump over an unconditional one
 * whose distance is filled in when the lower half is there. */
static void put_search(struct box_seccomp *p, const struct range *r, size_t n)
{
	size_t half = n / 2, jump;

	if (n == 1) {
		put_answer(p, r->answer);
		return;
	}
	put(p, BPF_JMP | BPF_JGE | BPF_K, r[half].first, 0, 1);
	jump = p->n;
	put(p, BPF_JMP | BPF_JA, 0, 0, 0);
	put_search(p, r, half);
	p->v[jump].k = (uint32_t)(p->n - jump - 1);
	put_search(p, r + half, n - half);
}

static void put_arch(struct box_seccomp *p, uint32_t arch)
{
	struct ranges r = { 0 };
	size_t jump;

	collect(arch, p->caps, &r);
	put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
	jump = p->n;
	put(p, BPF_JMP | BPF_JA, 0, 0, 0);
	put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	put_search(p, r.v, r.n);
	p->v[jump].k = (uint32_t)(p->n - jump - 1);
	free(r.v);
}

const struct box_seccomp *box_seccomp(uint64_t caps)
{
	static struct box_seccomp *cache[CACHE_MAX];
	static size_t used;
	struct box_seccomp *p;

	for (size_t i = 0; i < used; i++)
		if (cache[i]->caps == caps)
			return cache[i];
	p = xcalloc(1, sizeof(*p));
	p->caps = caps;
	for (size_t i = 0; i < ARRAY_LEN(abis); i++)
		if (i == 0 || abis[i].audit_arch != abis[i - 1].audit_arch)
			put_arch(p, abis[i].audit_arch);
	put_ret(p, SECCOMP_RET_KILL_PROCESS); /* an architecture that we know nothing of */
	/* The oldest makes room. It is not freed: somebody may hold it, and 64 sets of
	 * capabilities in one project are nobody's. */
	cache[used < CACHE_MAX ? used++ : CACHE_MAX - 1] = p;
	return p;
}

int seccomp_apply(const struct box_seccomp *p)
{
	const struct sock_fprog prog = { .len = (unsigned short)p->n, .filter = p->v };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0 ? -errno : 0;
}

uint32_t seccomp_eval(const struct box_seccomp *p, uint32_t arch, uint32_t nr, uint64_t arg0)
{
	const struct seccomp_data data = { .nr = (int)nr, .arch = arch, .args = { arg0 } };
	uint32_t a = 0;

	for (size_t pc = 0; pc < p->n; pc++) {
		const struct sock_filter *f = &p->v[pc];
		bool yes;

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)&data + f->k, sizeof(a));
			continue;
		case BPF_RET | BPF_K:
			return f->k;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == f->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= f->k;
			break;
		default:
			yes = a & f->k;
			break;
		}
		pc += yes ? f->jt : f->jf;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

size_t seccomp_length(const struct box_seccomp *p)
{
	return p->n;
}
