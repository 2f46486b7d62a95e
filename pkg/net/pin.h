/* pin.h - who an endpoint is, and the program that holds it to that. */
#ifndef CTRCOMPOSE_NET_PIN_H
#define CTRCOMPOSE_NET_PIN_H

#include <ctrcompose/net.h>
#include <linux/bpf.h>

enum { PIN_ADDRESSES = 4, PIN_PROGRAM_MAX = 256 };

/* As the program reads it: network order; each list is filled up with its first address. */
struct pin {
	uint8_t mac[8]; /* and two bytes of nothing */
	uint32_t ip4[PIN_ADDRESSES];
	uint32_t has_ip6, unused;
	uint8_t ip6[PIN_ADDRESSES][16];
};
void pin_of(const struct net_endpoint *ep, struct pin *out); /* pure */

/* The instructions of the program, which looks up endpoints in the map; their number (pure). */
size_t pin_program(int map_fd, struct bpf_insn out[PIN_PROGRAM_MAX]);

/* Hold the endpoints, whose veths are up, to what they are. */
int pins_put(struct net_pins *pins, struct nl_conn *nl, const struct net_endpoint *eps, size_t n,
	     struct err *err);

#endif
