/* seccomp.c - the default profile, programs that are kept, loading; see box.h */
#include "seccomp.h"
#include "private.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct box_seccomp {
	uint64_t caps;
	char *text; /* of the profile; NULL: the default one */
	struct sc_program program;
};

/* All that were made. They are not freed: somebody may hold them, and a project has a handful. */
static struct {
	struct box_seccomp **v;
	size_t n, cap;
} kept;

static const struct box_seccomp *find(const char *text, uint64_t caps)
{
	for (size_t i = 0; i < kept.n; i++)
		if (kept.v[i]->caps == caps && str_eq(kept.v[i]->text, text))
			return kept.v[i];
	return NULL;
}

static struct box_seccomp *keep(const char *text, uint64_t caps)
{
	struct box_seccomp *p = xcalloc(1, sizeof(*p));

	p->caps = caps;
	p->text = text ? xstrdup(text) : NULL;
	*vec_push(&kept) = p; /* NOLINT(bugprone-sizeof-expression) */
	return p;
}

/* ---- The default profile ---------------------------------------------------------------------- */
#define EPERM_RET (SECCOMP_RET_ERRNO | EPERM)

static void add_clause(struct sc_build *b, size_t answer, enum sc_op op, uint64_t value,
		       uint64_t two, uint32_t ret)
{
	struct sc_clause *c = vec_push(&b->answers.v[answer]);

	c->cond[c->n++] = (struct sc_cond){ 0, true, op, value, two };
	c->ret = ret;
}

/* All int arguments: of 64 bits the kernel looks at the low 32 only, and so do the rules. */
struct checks {
	size_t deny, allow, nosys, socket, personality, clone;
};

static void make_checks(struct sc_build *b, struct checks *c)
{
	static const uint32_t personalities[] = { 0, 0x8, 0x20000, 0x20008, 0xffffffff };

	c->deny = sc_answer_new(b, EPERM_RET);
	c->allow = sc_answer_new(b, SECCOMP_RET_ALLOW);
	c->nosys = sc_answer_new(b, SECCOMP_RET_ERRNO | ENOSYS);
	c->socket = sc_answer_new(b, SECCOMP_RET_ALLOW); /* not AF_ALG, not AF_VSOCK */
	add_clause(b, c->socket, SC_EQ, 38, 0, EPERM_RET);
	add_clause(b, c->socket, SC_EQ, 40, 0, EPERM_RET);
	c->personality = sc_answer_new(b, EPERM_RET);
	for (size_t i = 0; i < ARRAY_LEN(personalities); i++)
		add_clause(b, c->personality, SC_EQ, personalities[i], 0, SECCOMP_RET_ALLOW);
	c->clone = sc_answer_new(b, EPERM_RET); /* no new namespaces */
	add_clause(b, c->clone, SC_MASKED_EQ, 0x7e020000, 0, SECCOMP_RET_ALLOW);
}

static size_t answer_of(const struct sc_rule *rule, uint64_t caps, const struct checks *c)
{
	bool has = rule->caps == 0 || rule->caps & caps;

	switch (rule->check) {
	case SC_CHECK_SOCKET:
		return c->socket;
	case SC_CHECK_PERSONALITY:
		return c->personality;
	case SC_CHECK_CLONE:
		return has ? c->allow : c->clone;
	case SC_CHECK_CLONE3: /* flags are behind a pointer; the C library falls back to clone */
		return has ? c->allow : c->nosys;
	case SC_PLAIN:
		break;
	}
	return has ? c->allow : c->deny;
}

static void add_rules(struct sc_build *b, const struct sc_arch *arch, uint64_t caps,
		      const struct checks *c)
{
	for (size_t i = 0; i < sc_n_rules; i++) {
		uint32_t nrs[2];
		size_t n =
			sc_rules[i].abis & arch->abi ? sc_numbers(arch, sc_rules[i].name, nrs) : 0;

		for (size_t k = 0; k < n; k++)
			sc_entry_add(b, arch, nrs[k], answer_of(&sc_rules[i], caps, c));
	}
}

const struct box_seccomp *box_seccomp(uint64_t caps)
{
	const struct box_seccomp *known = find(NULL, caps);
	struct sc_build b = { .abis = SC_ANY, .newer_are_nosys = true };
	struct box_seccomp *p;
	struct checks c;

	if (known)
		return known;
	make_checks(&b, &c);
	b.otherwise = c.deny;
	for (size_t i = 0; i < sc_n_archs; i++)
		add_rules(&b, &sc_archs[i], caps, &c);
	p = keep(NULL, caps);
	sc_build_program(&b, &p->program);
	sc_build_clear(&b);
	return p;
}

/* ---- A profile of the user's ------------------------------------------------------------------ */
int box_seccomp_profile(const char *text, size_t len, uint64_t caps, const struct box_seccomp **out,
			struct err *err)
{
	auto_free char *copy = xstrndup(text, len);
	struct sc_build b = { 0 };
	struct sc_program program = { 0 };
	struct box_seccomp *p;
	int r;

	*out = find(copy, caps);
	if (*out)
		return 0;
	r = sc_profile_parse(text, len, caps, &b, err);
	if (r == 0)
		sc_build_program(&b, &program);
	sc_build_clear(&b);
	if (r == 0 && program.n > SC_INSNS_MAX)
		r = err_set(err, E2BIG, "the seccomp profile is too long for the kernel");
	if (r < 0) {
		free(program.v);
		return err_wrap(err, r, "seccomp profile");
	}
	p = keep(copy, caps);
	p->program = program;
	*out = p;
	return 0;
}

/* ---- Loading ---------------------------------------------------------------------------------- */
int seccomp_apply(const struct box_seccomp *p)
{
	const struct sock_fprog prog = { .len = (unsigned short)p->program.n,
					 .filter = p->program.v };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0 ? -errno : 0;
}

size_t seccomp_length(const struct box_seccomp *p)
{
	return p->program.n;
}

static bool holds(const struct sock_filter *f, uint32_t a)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return a == f->k;
	case BPF_JGE:
		return a >= f->k;
	default:
		return a > f->k;
	}
}

uint32_t seccomp_eval(const struct box_seccomp *p, uint32_t arch, uint32_t nr,
		      const uint64_t args[6])
{
	struct seccomp_data data = { .nr = (int)nr, .arch = arch };
	uint32_t a = 0;

	memcpy(data.args, args, sizeof(data.args));
	for (size_t pc = 0; pc < p->program.n; pc++) {
		const struct sock_filter *f = &p->program.v[pc];

		if (f->code == (BPF_LD | BPF_W | BPF_ABS))
			memcpy(&a, (const char *)&data + f->k, sizeof(a));
		else if (f->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= f->k;
		else if (f->code == (BPF_RET | BPF_K))
			return f->k;
		else if (f->code == (BPF_JMP | BPF_JA))
			pc += f->k;
		else
			pc += holds(f, a) ? f->jt : f->jf;
	}
	return SECCOMP_RET_KILL_PROCESS;
}
