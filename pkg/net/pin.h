/* pin.h - who an endpoint is, and the program that holds it to that. */
#ifndef CTRCOMPOSE_NET_PIN_H
#define CTRCOMPOSE_NET_PIN_H

#include <ctrcompose/net.h>
#include <linux/bpf.h>

enum { PIN_ADDRESSES = 4 };
enum { NAMES_IP = 0x7f00000b, NAMES_PORT = 53 }; /* what resolv.conf of a container names */

/* As the program reads it: network order; each list is filled up with its first address. */
struct pin {
	uint8_t mac[8]; /* and two bytes of nothing */
	uint32_t ip4[PIN_ADDRESSES];
	uint32_t has_ip6, unused;
	uint8_t ip6[PIN_ADDRESSES][16];
};
void pin_of(const struct net_endpoint *ep, struct pin *out); /* pure */

/* Both give a descriptor or a negative errno. The first one finds a struct pin by the number of the link
 * in the map; the second one is for the loopback link of a container. */
int pin_program_load(int map_fd);
int loopback_program_load(void);

/* Hold the endpoints, whose veths are up, to what they are. */
int pins_put(struct net_pins *pins, struct nl_conn *nl, const struct net_endpoint *eps, size_t n,
	     struct err *err);
/* The program for loopback links, or -1. After pins_put(). */
int pins_loopback(const struct net_pins *pins);

#endif
