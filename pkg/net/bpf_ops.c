/* bpf_ops.c - tables of instructions become programs of the kernel; see bpf_ops.h */
#include "bpf_ops.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int bpf_call(int command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

size_t bpf_ops_assemble(const struct bpf_op *ops, size_t n_ops, int map_fd,
			struct bpf_insn out[BPF_OPS_MAX])
{
	int at[BPF_LABELS_MAX] = { 0 }, to[BPF_OPS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < n_ops; i++) {
		const struct bpf_op *op = &ops[i];

		if (op->here) {
			at[op->here] = (int)n;
			continue;
		}
		to[n] = op->to;
		out[n++] = (struct bpf_insn){
			.code = op->code,
			.dst_reg = op->dst & 15,
			.src_reg = op->src & 15,
			.off = op->off,
			.imm = op->code == (BPF_LD | BPF_IMM | BPF_DW) ? map_fd : op->imm,
		};
	}
	for (size_t i = 0; i < n; i++)
		if (to[i])
			out[i].off = (int16_t)(at[to[i]] - (int)i - 1);
	return n;
}

int bpf_ops_load(const struct bpf_op *ops, size_t n, int map_fd)
{
	struct bpf_insn insns[BPF_OPS_MAX];
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insn_cnt = (uint32_t)bpf_ops_assemble(ops, n, map_fd, insns);
	attr.insns = (uintptr_t)insns;
	attr.license = (uintptr_t) "Apache-2.0";
	return bpf_call(BPF_PROG_LOAD, &attr);
}
