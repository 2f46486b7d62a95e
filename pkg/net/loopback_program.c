/* loopback_program.c - what a container sends to its name server arrives there, though that listens on
 * another port: the one it is known by is free for a service. Pure.
 *
 * It sees what the loopback link sends, both ways, and changes the port; the sums of packets that never
 * leave the machine are not computed. */
#include "bpf_ops.h"
#include "pin.h"

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>

enum label { PASS = 1, PORTS, BACK };
/* Offsets in a frame: IPv4 without options, ports behind it. */
enum {
	ETHER_TYPE = 12,
	HEAD = 14,
	FRAGMENT = 20,
	PROTO = 23,
	SRC = 26,
	DST = 30,
	SRC_PORT = 34,
	DST_PORT = 36,
	END = 38
};
enum { FRAME = -46, WORD = -4 };

/* clang-format off */
#define PORT_IS(at, port, otherwise) LOAD(BPF_H, 1, 10, FRAME + (at)), TO_HOST(1, 16), \
	IF(BPF_JNE, 1, port, otherwise)
#define IP_IS(at, ip, otherwise) LOAD(BPF_W, 1, 10, FRAME + (at)), TO_HOST(1, 32), \
	IF(BPF_JNE, 1, ip, otherwise)
/* The port, most significant byte first. */
#define PUT_PORT(at, port) SET(1, port), TO_HOST(1, 16), \
	{ BPF_STX | BPF_MEM | BPF_H, 10, 1, WORD, 0, NO_LABEL, NO_LABEL }, \
	COPY(1, 6), SET(2, at), COPY(3, 10), MATH(BPF_ADD, 3, WORD), SET(4, 2), SET(5, 0), \
	CALL(BPF_FUNC_skb_store_bytes)

static const struct bpf_op ops[] = {
	COPY(6, 1),
	FETCH(0, FRAME, END, PASS),
	LOAD(BPF_H, 1, 10, FRAME + ETHER_TYPE),
	TO_HOST(1, 16),
	IF(BPF_JNE, 1, ETH_P_IP, PASS),
	LOAD(BPF_B, 1, 10, FRAME + HEAD),
	IF(BPF_JNE, 1, 0x45, PASS),
	LOAD(BPF_H, 1, 10, FRAME + FRAGMENT),
	TO_HOST(1, 16),
	MATH(BPF_AND, 1, 0x1fff),
	IF(BPF_JNE, 1, 0, PASS),
	LOAD(BPF_B, 1, 10, FRAME + PROTO),
	IF(BPF_JEQ, 1, IPPROTO_UDP, PORTS),
	IF(BPF_JNE, 1, IPPROTO_TCP, PASS),
	AT(PORTS),
	IP_IS(DST, NAMES_IP, BACK),
	PORT_IS(DST_PORT, NAMES_PORT, BACK),
	PUT_PORT(DST_PORT, NET_NAMES_PORT),
	AT(BACK),
	IP_IS(SRC, NAMES_IP, PASS),
	PORT_IS(SRC_PORT, NET_NAMES_PORT, PASS),
	PUT_PORT(SRC_PORT, NAMES_PORT),
	AT(PASS),
	SET(0, TC_ACT_UNSPEC), EXIT,
};
/* clang-format on */

int loopback_program_load(void)
{
	return bpf_ops_load(ops, ARRAY_LEN(ops), -1);
}
