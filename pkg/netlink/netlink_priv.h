/* netlink_priv.h - shared by the files of this folder. */
#ifndef CTRCOMPOSE_NETLINK_PRIV_H
#define CTRCOMPOSE_NETLINK_PRIV_H

#include <ctrcompose/netlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

struct nl_conn {
	struct nl_sock *sock;
	uint32_t seq;
	uint8_t buf[65536]; /* of one recv: the kernel never sends more in one datagram */
};

void auto_nlmsg_fn(struct nl_msg **msg);
#define auto_nlmsg __attribute__((cleanup(auto_nlmsg_fn)))

/* Copy msg to the end of the batch; `doing` says what it does, for the error text. */
void nl_batch_add(struct nl_batch *b, struct nl_msg *msg, const char *doing, ...) PRINTF_LIKE(3, 4);

/* The extended-ack text of an error answer, or "". */
void nl_ack_text(const struct nlmsghdr *hdr, char *out, size_t size);

/* Send one dump request and call fn for each answer of the type `answer`. */
int nl_dump_each(struct nl_conn *nl, struct nl_msg *msg, int answer,
		 int (*fn)(struct nlmsghdr *hdr, void *arg), void *arg, const char *doing,
		 struct err *err);

#endif
