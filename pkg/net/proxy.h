/* proxy.h - the two kinds of userland proxy behind net_proxy_start(). */
#ifndef CTRCOMPOSE_NET_PROXY_H
#define CTRCOMPOSE_NET_PROXY_H

#include <ctrcompose/loop.h>
#include <netinet/in.h>

#include "net_priv.h"

/* As loop_io_add(): what is carried in bulk waits for commands and ends of containers, and takes turns with
 * what they print. */
int proxy_watch(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *arg,
		struct loop_source **out, struct err *err);

struct tcp_proxy;
int tcp_proxy_new(struct loop *loop, const struct net_reserved *from, struct sockaddr_in target,
		  struct tcp_proxy **out, struct err *err);
void tcp_proxy_free(struct tcp_proxy *p); /* NULL is fine */

struct udp_proxy;
int udp_proxy_new(struct loop *loop, const struct net_reserved *from, struct sockaddr_in target,
		  struct udp_proxy **out, struct err *err);
void udp_proxy_free(struct udp_proxy *p);

#endif
