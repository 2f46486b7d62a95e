/* gone.c - links that are deleted, as the kernel tells of them; see netlink.h */
#include "netlink_priv.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int nl_gone_open(struct err *err)
{
	/* A host's links change all the time; only one kind of message wakes us. */
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = { ARRAY_LEN(code), code };
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	auto_close int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	code[1].k = htons(RTM_DELLINK); /* loads are big endian, the header is not */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_errno(err, "listen for links that go away");
	return steal_fd(&fd);
}

static void each(const char *p, size_t len, void (*fn)(int index, void *arg), void *arg)
{
	struct nlmsghdr h;
	struct ifinfomsg info;

	for (; len >= sizeof(h); p += NLMSG_ALIGN(h.nlmsg_len), len -= NLMSG_ALIGN(h.nlmsg_len)) {
		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < NLMSG_LENGTH(sizeof(info)) || h.nlmsg_len > len)
			return;
		memcpy(&info, p + NLMSG_HDRLEN, sizeof(info));
		/* AF_BRIDGE: it has only left a bridge. */
		if (h.nlmsg_type == RTM_DELLINK && info.ifi_family == AF_UNSPEC)
			fn(info.ifi_index, arg);
		if (NLMSG_ALIGN(h.nlmsg_len) > len)
			return;
	}
}

bool nl_gone_read(int fd, void (*fn)(int index, void *arg), void *arg)
{
	char buf[16384];
	bool lost = false;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0 || (n < 0 && errno == ENOBUFS)) {
		lost |= n < 0;
		if (n > 0)
			each(buf, (size_t)n, fn, arg);
	}
	return lost;
}
