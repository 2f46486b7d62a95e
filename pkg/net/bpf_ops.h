/* bpf_ops.h - small programs for the kernel's BPF machine as tables of instructions, by hand: so no second
 * compiler is needed. */
#ifndef CTRCOMPOSE_NET_BPF_OPS_H
#define CTRCOMPOSE_NET_BPF_OPS_H

#include <ctrcompose/base.h>
#include <linux/bpf.h>

enum { BPF_OPS_MAX = 256, BPF_LABELS_MAX = 16, NO_LABEL = 0 };

struct bpf_op {
	uint8_t code, dst, src;
	int16_t off;
	int32_t imm;
	int to;   /* label where a jump goes */
	int here; /* code 0: no instruction but this place */
};

/* To instructions; a map that they name is map_fd. Their number (pure). */
size_t bpf_ops_assemble(const struct bpf_op *ops, size_t n, int map_fd,
			struct bpf_insn out[BPF_OPS_MAX]);
/* Load them as a program that looks at frames: its descriptor, or a negative errno. */
int bpf_ops_load(const struct bpf_op *ops, size_t n, int map_fd);
int bpf_call(int command, union bpf_attr *attr); /* bpf(2): a negative errno */

/* clang-format off */
/* r6 is the packet. */
#define AT(label)              { 0, 0, 0, 0, 0, NO_LABEL, label }
#define LOAD(size, dst, src, off) { BPF_LDX | BPF_MEM | (size), dst, src, off, 0, NO_LABEL, NO_LABEL }
#define STORE_WORD(off, src)   { BPF_STX | BPF_MEM | BPF_W, 10, src, off, 0, NO_LABEL, NO_LABEL }
#define SET(dst, imm)          { BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm, NO_LABEL, NO_LABEL }
#define COPY(dst, src)         { BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0, NO_LABEL, NO_LABEL }
#define MATH(op, dst, imm)     { BPF_ALU64 | (op) | BPF_K, dst, 0, 0, imm, NO_LABEL, NO_LABEL }
#define MIX(op, dst, src)      { BPF_ALU64 | (op) | BPF_X, dst, src, 0, 0, NO_LABEL, NO_LABEL }
#define TO_HOST(dst, bits)     { BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, bits, NO_LABEL, NO_LABEL }
#define IF(op, dst, imm, to)   { BPF_JMP | (op) | BPF_K, dst, 0, 0, imm, to, NO_LABEL }
#define IF_SAME(a, b, to)      { BPF_JMP | BPF_JEQ | BPF_X, a, b, 0, 0, to, NO_LABEL }
#define UNLESS_SAME(a, b, to)  { BPF_JMP | BPF_JNE | BPF_X, a, b, 0, 0, to, NO_LABEL }
#define GO(to)                 { BPF_JMP | BPF_JA, 0, 0, 0, 0, to, NO_LABEL }
#define CALL(function)         { BPF_JMP | BPF_CALL, 0, 0, 0, function, NO_LABEL, NO_LABEL }
#define EXIT                   { BPF_JMP | BPF_EXIT, 0, 0, 0, 0, NO_LABEL, NO_LABEL }
/* Two instructions for one number of 64 bits; bpf_ops_assemble() puts the descriptor of the map there. */
#define MAP(dst)                                                             \
	{ BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, -1, NO_LABEL, NO_LABEL }, \
	{ 0, 0, 0, 0, 0, NO_LABEL, NO_LABEL }
/* n bytes of the frame, from r2 on, to the stack; shorter: where a frame goes that has less. */
#define FETCH_R2(to, n, shorter) COPY(1, 6), COPY(3, 10), MATH(BPF_ADD, 3, to), SET(4, n), \
	CALL(BPF_FUNC_skb_load_bytes), IF(BPF_JNE, 0, 0, shorter)
#define FETCH(from, to, n, shorter) SET(2, from), FETCH_R2(to, n, shorter)
/* clang-format on */

#endif
