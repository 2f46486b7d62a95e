/* Any seccomp profile: refused with a sentence, or a program that the kernel's checker takes: each
 * jump stays inside, the last instruction returns. */
#include "../../pkg/box/seccomp.h"

#include <ctrcompose/base.h>
#include <linux/filter.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sc_program *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *f = &p->v[i];

		if (BPF_CLASS(f->code) != BPF_JMP)
			continue;
		if (BPF_OP(f->code) == BPF_JA ? f->k >= p->n - i - 1
					      : f->jt >= p->n - i - 1 || f->jf >= p->n - i - 1)
			abort();
	}
	if (BPF_CLASS(p->v[p->n - 1].code) != BPF_RET)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_err struct err err = ERR_INIT;
	struct sc_build b = { 0 };
	struct sc_program p = { 0 };
	int r = sc_profile_parse((const char *)data, size, 0xa80425fb, &b, &err);

	if (r < 0 && !*err_text(&err))
		abort();
	if (r == 0) {
		sc_build_program(&b, &p);
		check(&p);
	}
	free(p.v);
	sc_build_clear(&b);
	return 0;
}
