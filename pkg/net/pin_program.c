/* pin_program.c - the program that lets out of an endpoint only what is sent in its own name. Pure.
 *
 * The frame is loaded such that what is compared stands aligned on the stack.
 */
#include "bpf_ops.h"
#include "pin.h"

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stddef.h>

enum { NEXT_HIP = 139, NEXT_SHIM6 = 140 };
enum { ICMP_ROUTER_ADVERTISEMENT = 9, ICMP6_ROUTER_ADVERTISEMENT = 134, ICMP6_REDIRECT = 137 };
enum { ND_SOLICIT = 135, ND_ADVERTISE = 136, ND_HOPS = 255 };

/* Offsets in a frame. */
enum {
	SRC_MAC = 6,
	ETHER_TYPE = 12,
	ARP_KINDS = 14,
	ARP_SIZES = 18,
	ARP_MAC = 22,
	ARP_IP = 28,
	IP4_HEAD = 14,
	IP4_FRAGMENT = 20,
	IP4_PROTO = 23,
	IP4_SRC = 26,
	IP4_END = 34,
	IP6_NEXT = 20,
	IP6_HOPS = 21,
	IP6_SRC = 22,
	IP6_END = 54,
	ND_TARGET = 62,
	ND_END = 78,
};
/* On the stack: the frame from its first byte on, and a word of our own. SRC_MAC, IP4_SRC, IP6_SRC and
 * ND_TARGET are aligned there. */
enum { FRAME = -86, WORD = -8 };

enum label {
	NONE,
	PASS,
	DROP,
	IP4,
	IP4_OURS,
	ARP,
	ARP_OURS,
	IP6,
	IP6_OURS,
	IP6_NOBODY,
	ND,
	N_LABELS
};

/* clang-format off */
/* r6: the packet, r7: who the endpoint is. */
/* Drop unless the six bytes there are the endpoint's own. */
#define OWN_MAC(at) LOAD(BPF_W, 1, 10, FRAME + (at)), \
	LOAD(BPF_W, 2, 7, offsetof(struct pin, mac)), UNLESS_SAME(1, 2, DROP), \
	LOAD(BPF_H, 1, 10, FRAME + (at) + 4), \
	LOAD(BPF_H, 2, 7, offsetof(struct pin, mac) + 4), UNLESS_SAME(1, 2, DROP)
#define IS_IP4(i, to) LOAD(BPF_W, 2, 7, offsetof(struct pin, ip4) + (size_t)(i) * 4), IF_SAME(1, 2, to)
/* r1 is one of them. */
#define IF_OWN_IP4(to) IS_IP4(0, to), IS_IP4(1, to), IS_IP4(2, to), IS_IP4(3, to)
/* r1 and r2 are one of them: what differs in either half, as one number. */
#define IS_IP6(i, to) LOAD(BPF_DW, 3, 7, offsetof(struct pin, ip6) + (size_t)(i) * 16), \
	MIX(BPF_XOR, 3, 1), \
	LOAD(BPF_DW, 4, 7, offsetof(struct pin, ip6) + (size_t)(i) * 16 + 8), \
	MIX(BPF_XOR, 4, 2), \
	MIX(BPF_OR, 3, 4), IF(BPF_JEQ, 3, 0, to)
#define IF_OWN_IP6(to) IS_IP6(0, to), IS_IP6(1, to), IS_IP6(2, to), IS_IP6(3, to)

static const struct bpf_op ops[] = {
	COPY(6, 1),
	LOAD(BPF_W, 1, 6, offsetof(struct __sk_buff, ifindex)),
	STORE_WORD(WORD, 1),
	MAP(1),
	COPY(2, 10), MATH(BPF_ADD, 2, WORD),
	CALL(BPF_FUNC_map_lookup_elem),
	IF(BPF_JEQ, 0, 0, DROP),
	COPY(7, 0),
	LOAD(BPF_W, 1, 6, offsetof(struct __sk_buff, vlan_present)),
	IF(BPF_JNE, 1, 0, DROP),
	FETCH(0, FRAME, IP4_END, DROP),
	OWN_MAC(SRC_MAC),
	LOAD(BPF_H, 1, 10, FRAME + ETHER_TYPE),
	TO_HOST(1, 16),
	IF(BPF_JEQ, 1, ETH_P_IP, IP4),
	IF(BPF_JEQ, 1, ETH_P_IPV6, IP6),
	IF(BPF_JEQ, 1, ETH_P_ARP, ARP),
	GO(DROP),

	AT(IP4),
	LOAD(BPF_W, 1, 10, FRAME + IP4_SRC),
	IF_OWN_IP4(IP4_OURS),
	GO(DROP),
	AT(IP4_OURS),
	LOAD(BPF_B, 1, 10, FRAME + IP4_PROTO),
	IF(BPF_JNE, 1, IPPROTO_ICMP, PASS),
	LOAD(BPF_H, 1, 10, FRAME + IP4_FRAGMENT),
	TO_HOST(1, 16),
	MATH(BPF_AND, 1, 0x1fff),
	IF(BPF_JNE, 1, 0, PASS), /* the type was in the first fragment */
	LOAD(BPF_B, 2, 10, FRAME + IP4_HEAD),
	MATH(BPF_AND, 2, 15), MATH(BPF_LSH, 2, 2), MATH(BPF_ADD, 2, IP4_HEAD),
	FETCH_R2(WORD, 1, DROP),
	LOAD(BPF_B, 1, 10, WORD),
	IF(BPF_JEQ, 1, ICMP_REDIRECT, DROP),
	IF(BPF_JEQ, 1, ICMP_ROUTER_ADVERTISEMENT, DROP),
	GO(PASS),

	AT(ARP),
	LOAD(BPF_W, 1, 10, FRAME + ARP_KINDS),
	TO_HOST(1, 32),
	IF(BPF_JNE, 1, ARPHRD_ETHER << 16 | ETH_P_IP, DROP),
	LOAD(BPF_H, 1, 10, FRAME + ARP_SIZES),
	TO_HOST(1, 16),
	IF(BPF_JNE, 1, 6 << 8 | 4, DROP),
	OWN_MAC(ARP_MAC),
	FETCH(ARP_IP, WORD, 4, DROP),
	LOAD(BPF_W, 1, 10, WORD),
	IF(BPF_JEQ, 1, 0, PASS), /* is this address in use? */
	IF_OWN_IP4(PASS),
	GO(DROP),

	AT(IP6),
	LOAD(BPF_W, 1, 7, offsetof(struct pin, has_ip6)),
	IF(BPF_JEQ, 1, 0, DROP),
	FETCH(0, FRAME, IP6_END, DROP),
	LOAD(BPF_DW, 1, 10, FRAME + IP6_SRC),
	LOAD(BPF_DW, 2, 10, FRAME + IP6_SRC + 8),
	LOAD(BPF_B, 8, 10, FRAME + IP6_NEXT),
	LOAD(BPF_B, 9, 10, FRAME + IP6_HOPS),
	IF_OWN_IP6(IP6_OURS),
	COPY(3, 1),
	MIX(BPF_OR, 3, 2),
	IF(BPF_JNE, 3, 0, DROP),
	/* From nobody: a group is joined, or an address is looked for, and nothing else. */
	IF(BPF_JNE, 8, IPPROTO_HOPOPTS, IP6_NOBODY),
	IF(BPF_JEQ, 9, 1, PASS),
	GO(DROP),
	AT(IP6_NOBODY),
	IF(BPF_JNE, 8, IPPROTO_ICMPV6, DROP),
	FETCH(IP6_END, WORD, 1, DROP),
	LOAD(BPF_B, 1, 10, WORD),
	IF(BPF_JEQ, 1, ND_SOLICIT, PASS),
	GO(DROP),
	/* What speaks for the link has come over no router, or nobody believes it. */
	AT(IP6_OURS),
	IF(BPF_JNE, 9, ND_HOPS, PASS),
	IF(BPF_JEQ, 8, IPPROTO_ICMPV6, ND),
	IF(BPF_JEQ, 8, IPPROTO_HOPOPTS, DROP),
	IF(BPF_JEQ, 8, IPPROTO_ROUTING, DROP),
	IF(BPF_JEQ, 8, IPPROTO_AH, DROP),
	IF(BPF_JEQ, 8, IPPROTO_DSTOPTS, DROP),
	IF(BPF_JEQ, 8, IPPROTO_MH, DROP),
	IF(BPF_JEQ, 8, NEXT_HIP, DROP),
	IF(BPF_JEQ, 8, NEXT_SHIM6, DROP),
	GO(PASS),
	AT(ND),
	FETCH(IP6_END, WORD, 1, DROP),
	LOAD(BPF_B, 1, 10, WORD),
	IF(BPF_JEQ, 1, ICMP6_ROUTER_ADVERTISEMENT, DROP),
	IF(BPF_JEQ, 1, ICMP6_REDIRECT, DROP),
	IF(BPF_JNE, 1, ND_ADVERTISE, PASS),
	FETCH(ND_TARGET, FRAME + ND_TARGET, ND_END - ND_TARGET, DROP),
	LOAD(BPF_DW, 1, 10, FRAME + ND_TARGET),
	LOAD(BPF_DW, 2, 10, FRAME + ND_TARGET + 8),
	IF_OWN_IP6(PASS),

	AT(DROP),
	SET(0, TC_ACT_SHOT), EXIT,
	AT(PASS),
	SET(0, TC_ACT_UNSPEC), EXIT, /* others may have a look at it too */
};
/* clang-format on */

int pin_program_load(int map_fd)
{
	return bpf_ops_load(ops, ARRAY_LEN(ops), map_fd);
}
