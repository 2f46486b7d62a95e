/* seccomp_build.c - answers by number become a BPF program; see seccomp.h
 *
 * libseccomp knows the numbers; the program is written here, since its generator takes 7 ms for
 * three ABIs, compares int arguments as 64 bits, and answers EPERM to calls it never heard of,
 * which breaks newer C libraries.
 *
 * The program: per architecture a binary search over ranges of numbers with one answer each.
 */
#include "seccomp.h"

#include <ctrcompose/base.h>
#include <linux/seccomp.h>
#include <stdlib.h>

enum { TO_END = 255 }; /* a jump that is set when the end of the clause is known */

size_t sc_answer_new(struct sc_build *b, uint32_t otherwise)
{
	vec_push(&b->answers)->otherwise = otherwise;
	return b->answers.n - 1;
}

struct sc_entry *sc_entry_find(const struct sc_build *b, const struct sc_arch *arch, uint32_t nr)
{
	for (size_t i = 0; i < b->entries.n; i++)
		if (b->entries.v[i].arch == arch && b->entries.v[i].nr == nr)
			return &b->entries.v[i];
	return NULL;
}

void sc_entry_add(struct sc_build *b, const struct sc_arch *arch, uint32_t nr, size_t answer)
{
	*vec_push(&b->entries) = (struct sc_entry){ arch, nr, answer, false };
}

void sc_build_clear(struct sc_build *b)
{
	for (size_t i = 0; i < b->answers.n; i++)
		free(b->answers.v[i].v);
	free(b->answers.v);
	free(b->entries.v);
	*b = (struct sc_build){ 0 };
}

/* ---- Ranges of numbers ------------------------------------------------------------------------ */
struct range { /* from `first` up to the next range's first */
	uint32_t first;
	size_t answer;
};

struct ranges {
	struct range *v;
	size_t n, cap;
};

static int by_number(const void *a, const void *b)
{
	const struct sc_entry *x = a, *y = b;

	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

static void add_range(struct ranges *r, uint32_t first, size_t answer)
{
	if (r->n > 0 && r->v[r->n - 1].first == first)
		r->v[r->n - 1].answer = answer;
	else if (r->n == 0 || r->v[r->n - 1].answer != answer)
		*vec_push(r) = (struct range){ first, answer };
}

/* The highest number that is known of this ABI: the table's, or one that a rule names. */
static uint32_t newest_of(const struct sc_build *b, const struct sc_arch *arch)
{
	uint32_t newest = arch->newest;

	for (size_t i = 0; i < b->entries.n; i++)
		if (b->entries.v[i].arch == arch && b->entries.v[i].nr > newest)
			newest = b->entries.v[i].nr;
	return newest;
}

/* Of all ABIs that share an architecture. */
static void collect(const struct sc_build *b, uint32_t audit_arch, size_t nosys, struct ranges *out)
{
	struct sc_entries all = { 0 };
	uint32_t next = 0;
	bool onwards = false;

	for (size_t i = 0; i < b->entries.n; i++)
		if (b->entries.v[i].arch->audit_arch == audit_arch)
			*vec_push(&all) = b->entries.v[i];
	for (size_t i = 0; i < sc_n_archs; i++) {
		const struct sc_arch *a = &sc_archs[i];

		if (a->audit_arch != audit_arch)
			continue;
		/* x32 when it was not asked for: never by the answers for x86_64 */
		if (!(b->abis & a->abi))
			*vec_push(&all) = (struct sc_entry){ a, SC_X32_BIT, nosys, true };
		else if (b->newer_are_nosys)
			*vec_push(&all) = (struct sc_entry){ a, newest_of(b, a) + 1, nosys, true };
	}
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_number);
	add_range(out, 0, b->otherwise);
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].nr > next && !onwards)
			add_range(out, next, b->otherwise);
		add_range(out, all.v[i].nr, all.v[i].answer);
		onwards = all.v[i].onwards;
		next = all.v[i].nr + 1;
	}
	if (!onwards)
		add_range(out, next, b->otherwise);
	free(all.v);
}

/* ---- The program ------------------------------------------------------------------------------ */
static void put(struct sc_program *p, unsigned code, uint32_t k, uint8_t jt, uint8_t jf)
{
	*vec_push(p) = (struct sock_filter){ (uint16_t)code, jt, jf, k };
}

static void put_ret(struct sc_program *p, uint32_t value)
{
	put(p, BPF_RET | BPF_K, value, 0, 0);
}

static void put_load(struct sc_program *p, unsigned arg, bool high)
{
	bool second = high != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);

	put(p, BPF_LD | BPF_W | BPF_ABS,
	    (uint32_t)(offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t) +
		       (second ? 4 : 0)),
	    0, 0);
}

/* On with the next instruction when a half equals k, else to the clause's end. */
static void put_equal(struct sc_program *p, uint32_t k)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, TO_END);
}

/* Order by the high half, and where it is the same by the low one. `reverse` is for < and <=, which
 * are >= and > that must not hold. */
static void put_order(struct sc_program *p, const struct sc_cond *c)
{
	bool reverse = c->op == SC_LT || c->op == SC_LE;
	unsigned low = c->op == SC_GT || c->op == SC_LE ? BPF_JGT : BPF_JGE;
	uint32_t high = (uint32_t)(c->value >> 32);

	if (!c->narrow) {
		put_load(p, c->arg, true);
		put(p, BPF_JMP | BPF_JGT | BPF_K, high, reverse ? TO_END : 3, 0);
		if (reverse)
			put(p, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 2);
		else
			put_equal(p, high);
	}
	put_load(p, c->arg, false);
	put(p, BPF_JMP | low | BPF_K, (uint32_t)c->value, reverse ? TO_END : 0,
	    reverse ? 0 : TO_END);
}

static void put_condition(struct sc_program *p, const struct sc_cond *c)
{
	uint32_t high = (uint32_t)(c->value >> 32), low = (uint32_t)c->value;

	switch (c->op) {
	case SC_EQ:
		if (!c->narrow) {
			put_load(p, c->arg, true);
			put_equal(p, high);
		}
		put_load(p, c->arg, false);
		put_equal(p, low);
		return;
	case SC_NE:
		if (!c->narrow) {
			put_load(p, c->arg, true);
			put(p, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 2);
		}
		put_load(p, c->arg, false);
		put(p, BPF_JMP | BPF_JEQ | BPF_K, low, TO_END, 0);
		return;
	case SC_MASKED_EQ:
		if (!c->narrow) {
			put_load(p, c->arg, true);
			put(p, BPF_ALU | BPF_AND | BPF_K, high, 0, 0);
			put_equal(p, (uint32_t)(c->two >> 32));
		}
		put_load(p, c->arg, false);
		put(p, BPF_ALU | BPF_AND | BPF_K, low, 0, 0);
		put_equal(p, (uint32_t)c->two);
		return;
	case SC_LT:
	case SC_LE:
	case SC_GT:
	case SC_GE:
		put_order(p, c);
		return;
	}
}

static void put_clause(struct sc_program *p, const struct sc_clause *c)
{
	size_t start = p->n;

	for (size_t i = 0; i < c->n; i++)
		put_condition(p, &c->cond[i]);
	put_ret(p, c->ret);
	for (size_t i = start; i < p->n; i++) {
		struct sock_filter *f = &p->v[i];

		if (BPF_CLASS(f->code) != BPF_JMP)
			continue;
		if (f->jt == TO_END)
			f->jt = (uint8_t)(p->n - i - 1);
		if (f->jf == TO_END)
			f->jf = (uint8_t)(p->n - i - 1);
	}
}

static void put_answer(struct sc_program *p, const struct sc_answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		put_clause(p, &a->v[i]);
	put_ret(p, a->otherwise);
}

/* ---- Search ----------------------------------------------------------------------------------- */
static size_t answer_size(const struct sc_answer *a)
{
	struct sc_program p = { 0 };

	if (a->n)
		put_answer(&p, a);
	free(p.v);
	return a->n ? p.n : 1;
}

static bool is_earlier(const struct range *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (r[k].answer == r[i].answer)
			return true;
	return false;
}

/* Branches of a block that lead to an answer, which stands once at its end. */
struct leaves {
	struct leaf {
		size_t at;
		bool yes;
		size_t answer;
	} * v;
	size_t n, cap;
};

/* One instruction for each range but the first. */
static void put_tree(struct sc_program *p, const struct range *r, size_t n, struct leaves *out)
{
	size_t half = n / 2, at = p->n;

	put(p, BPF_JMP | BPF_JGE | BPF_K, r[half].first, 0, 0);
	if (half == 1)
		*vec_push(out) = (struct leaf){ at, false, r[0].answer };
	else
		put_tree(p, r, half, out);
	if (n - half == 1) {
		*vec_push(out) = (struct leaf){ at, true, r[half].answer };
	} else {
		p->v[at].jt = (uint8_t)(p->n - at - 1);
		put_tree(p, r + half, n - half, out);
	}
}

/* Whether all jumps of a block are within what a conditional one can do: 255 instructions. */
static bool is_block(const struct sc_build *b, const struct range *r, size_t n)
{
	size_t size = n - 1;

	for (size_t i = 0; i < n && size < 256; i++)
		if (!is_earlier(r, i))
			size += answer_size(&b->answers.v[r[i].answer]);
	return size < 256;
}

static void put_block(const struct sc_build *b, struct sc_program *p, const struct range *r,
		      size_t n)
{
	struct leaves leaves = { 0 };

	put_tree(p, r, n, &leaves);
	for (size_t i = 0; i < n; i++) {
		size_t start = p->n;

		if (is_earlier(r, i))
			continue;
		for (size_t k = 0; k < leaves.n; k++) {
			struct sock_filter *f = &p->v[leaves.v[k].at];

			if (leaves.v[k].answer != r[i].answer)
				continue;
			*(leaves.v[k].yes ? &f->jt : &f->jf) =
				(uint8_t)(start - leaves.v[k].at - 1);
		}
		put_answer(p, &b->answers.v[r[i].answer]);
	}
	free(leaves.v);
}

/* What is too far for a conditional jump gets one over an unconditional one, whose distance is
 * filled in when the lower half is there. */
static void put_search(const struct sc_build *b, struct sc_program *p, const struct range *r,
		       size_t n)
{
	size_t half = n / 2, jump;

	if (n == 1) {
		put_answer(p, &b->answers.v[r->answer]);
		return;
	}
	if (is_block(b, r, n)) {
		put_block(b, p, r, n);
		return;
	}
	put(p, BPF_JMP | BPF_JGE | BPF_K, r[half].first, 0, 1);
	jump = p->n;
	put(p, BPF_JMP | BPF_JA, 0, 0, 0);
	put_search(b, p, r, half);
	p->v[jump].k = (uint32_t)(p->n - jump - 1);
	put_search(b, p, r + half, n - half);
}

static void put_arch(const struct sc_build *b, uint32_t audit_arch, size_t nosys,
		     struct sc_program *p)
{
	struct ranges r = { 0 };
	size_t jump;

	collect(b, audit_arch, nosys, &r);
	put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, audit_arch, 1, 0);
	jump = p->n;
	put(p, BPF_JMP | BPF_JA, 0, 0, 0);
	put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	put_search(b, p, r.v, r.n);
	p->v[jump].k = (uint32_t)(p->n - jump - 1);
	free(r.v);
}

void sc_build_program(struct sc_build *b, struct sc_program *out)
{
	size_t nosys = sc_answer_new(b, SECCOMP_RET_ERRNO | ENOSYS);
	uint32_t done = 0;

	for (size_t i = 0; i < sc_n_archs; i++) {
		if (!(b->abis & sc_archs[i].abi) || sc_archs[i].audit_arch == done)
			continue;
		done = sc_archs[i].audit_arch;
		put_arch(b, done, nosys, out);
	}
	put_ret(out, SECCOMP_RET_KILL_PROCESS); /* an architecture that we know nothing of */
}
