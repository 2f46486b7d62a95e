/* conn.c - the socket: batches out, acknowledgements in.
 *
 * libnl folds kernel errors into its own few codes and drops the extended-ack text, and its
 * send-and-wait goes one message at a time. So answers are read here.
 */
#include "netlink_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SOCKET_BUF     (4 << 20)
/* Acks wait in the receive buffer until the whole batch is done: keep them below the default size
 * of it, should raising it be refused. */
#define CHUNK_MESSAGES 128
#define CHUNK_BYTES    (128 << 10)

void auto_nlmsg_fn(struct nl_msg **msg)
{
	if (*msg)
		nlmsg_free(steal(*msg));
}

int nl_conn_open(struct nl_conn **out, struct err *err)
{
	auto_nl struct nl_conn *nl = xcalloc(1, sizeof(*nl));
	const int on = 1, size = SOCKET_BUF;
	int fd, r;

	nl->sock = nl_socket_alloc();
	if (!nl->sock)
		return err_set(err, -ENOMEM, "cannot allocate a netlink socket");
	r = nl_connect(nl->sock, NETLINK_ROUTE);
	if (r < 0)
		return err_set(err, -EIO, "cannot open a netlink socket: %s", nl_geterror(r));
	fd = nl_socket_get_fd(nl->sock);
	/* CAP_ACK: answers do not repeat our request. Old kernels do without all of these. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	*out = steal(nl);
	return 0;
}

void nl_conn_close(struct nl_conn **nl)
{
	if (!*nl)
		return;
	nl_socket_free((*nl)->sock);
	free(steal(*nl));
}

void nl_ack_text(const struct nlmsghdr *hdr, char *out, size_t size)
{
	const struct nlmsgerr *e = nlmsg_data(hdr);
	size_t skip = sizeof(*e);
	struct nlattr *attr;
	int rest;

	out[0] = '\0';
	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED))
		skip += e->msg.nlmsg_len - sizeof(e->msg);
	skip = NLMSG_ALIGN(skip);
	if (hdr->nlmsg_len < NLMSG_HDRLEN + skip)
		return;
	rest = (int)(hdr->nlmsg_len - NLMSG_HDRLEN - skip);
	attr = (struct nlattr *)((char *)nlmsg_data(hdr) + skip);
	for (; nla_ok(attr, rest); attr = nla_next(attr, &rest))
		if (nla_type(attr) == NLMSGERR_ATTR_MSG)
			(void)nla_strlcpy(out, attr, size);
}

static int refused(const struct nlmsghdr *hdr, int code, const char *doing, struct err *err)
{
	char why[160];

	nl_ack_text(hdr, why, sizeof(why));
	return err_set(err, code, "%s: %s%s%s%s", doing, strerror(-code), why[0] ? " (" : "", why,
		       why[0] ? ")" : "");
}

static void clear_notes(struct nl_batch *b)
{
	for (size_t i = 0; i < b->notes.n; i++)
		free(b->notes.v[i].doing);
	b->notes.n = 0;
	b->len = 0;
	b->failed = 0;
}

void nl_batch_clear(struct nl_batch *b)
{
	clear_notes(b);
	free(b->notes.v);
	free(b->buf);
	memset(b, 0, sizeof(*b));
}

void nl_batch_add(struct nl_batch *b, struct nl_msg *msg, const char *doing, ...)
{
	const struct nlmsghdr *hdr = nlmsg_hdr(msg);
	size_t len = NLMSG_ALIGN(hdr->nlmsg_len);
	struct nl_note *note;
	va_list ap;
	auto_sbuf struct sbuf what = SBUF_INIT;

	if (b->cap - b->len < len) {
		b->cap = (b->cap + len) * 2 + 4096;
		b->buf = xreallocarray(b->buf, b->cap, 1);
	}
	memset(b->buf + b->len, 0, len);
	memcpy(b->buf + b->len, hdr, hdr->nlmsg_len);
	b->len += len;
	va_start(ap, doing);
	sbuf_addv(&what, doing, ap);
	va_end(ap);
	note = vec_push(&b->notes);
	note->doing = sbuf_take(&what);
}

void nl_batch_tolerate(struct nl_batch *b, int code)
{
	if (b->notes.n > 0)
		b->notes.v[b->notes.n - 1].tolerate = code;
}

void nl_batch_watch(struct nl_batch *b, int *result)
{
	if (b->notes.n > 0)
		b->notes.v[b->notes.n - 1].result = result;
}

static ssize_t receive(struct nl_conn *nl)
{
	ssize_t n;

	do
		n = recv(nl_socket_get_fd(nl->sock), nl->buf, sizeof(nl->buf), 0);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Read the answers to the requests first..first+n of the batch. */
static int wait_acks(struct nl_conn *nl, const struct nl_batch *b, size_t first, size_t n,
		     uint32_t seq, int code, struct err *err)
{
	size_t left = n;

	while (left > 0) {
		ssize_t got = receive(nl);
		int rest = (int)got;

		if (got < 0)
			return code < 0 ? code : err_errno(err, "read from netlink");
		for (struct nlmsghdr *h = (struct nlmsghdr *)nl->buf; nlmsg_ok(h, rest);
		     h = nlmsg_next(h, &rest)) {
			const struct nlmsgerr *e = NLMSG_DATA(h);
			uint32_t at = h->nlmsg_seq - seq;

			if (h->nlmsg_type != NLMSG_ERROR || at >= n)
				continue;
			left--;
			if (b->notes.v[first + at].result)
				*b->notes.v[first + at].result = e->error;
			if (e->error == 0 || code < 0 ||
			    e->error == b->notes.v[first + at].tolerate)
				continue;
			code = refused(h, e->error, b->notes.v[first + at].doing, err);
		}
	}
	return code;
}

static int send_chunk(struct nl_conn *nl, const uint8_t *data, size_t len)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	do
		n = sendto(nl_socket_get_fd(nl->sock), data, len, 0,
			   (const struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int nl_batch_send(struct nl_conn *nl, struct nl_batch *b, struct err *err)
{
	size_t start = 0, done = 0;
	int code = 0;

	if (b->failed) {
		code = err_set(err, b->failed, "a netlink request does not fit its message");
		clear_notes(b);
		return code;
	}
	while (start < b->len) {
		uint32_t seq = nl->seq + 1;
		size_t n = 0, end = start;
		int r;

		while (end < b->len && n < CHUNK_MESSAGES) {
			struct nlmsghdr *h = (struct nlmsghdr *)(b->buf + end);

			if (n > 0 && end + h->nlmsg_len - start > CHUNK_BYTES)
				break;
			h->nlmsg_seq = ++nl->seq;
			h->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
			end += NLMSG_ALIGN(h->nlmsg_len);
			n++;
		}
		r = send_chunk(nl, b->buf + start, end - start);
		if (r < 0) {
			if (code == 0)
				code = err_set(err, r, "%s: cannot send to netlink: %s",
					       b->notes.v[done].doing, strerror(-r));
			break;
		}
		code = wait_acks(nl, b, done, n, seq, code, err);
		done += n;
		start = end;
	}
	clear_notes(b);
	return code;
}

int nl_dump_each(struct nl_conn *nl, struct nl_msg *msg, int answer,
		 int (*fn)(struct nlmsghdr *hdr, void *arg), void *arg, const char *doing,
		 struct err *err)
{
	struct nlmsghdr *req = nlmsg_hdr(msg);
	int code = 0, r;

	req->nlmsg_seq = ++nl->seq;
	req->nlmsg_flags |= NLM_F_REQUEST;
	r = send_chunk(nl, (const uint8_t *)req, req->nlmsg_len);
	if (r < 0)
		return err_set(err, r, "%s: cannot send to netlink: %s", doing, strerror(-r));
	/* Read to the end also after fn said stop, or the next answer would be this one's rest. */
	for (;;) {
		ssize_t got = receive(nl);
		int rest = (int)got;

		if (got < 0)
			return err_errno(err, "%s: read from netlink", doing);
		for (struct nlmsghdr *h = (struct nlmsghdr *)nl->buf; nlmsg_ok(h, rest);
		     h = nlmsg_next(h, &rest)) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_seq != req->nlmsg_seq)
				continue;
			if (h->nlmsg_type == NLMSG_DONE)
				return code;
			if (h->nlmsg_type == NLMSG_ERROR) {
				if (e->error < 0 && code == 0)
					code = refused(h, e->error, doing, err);
				return code;
			}
			if (h->nlmsg_type == answer && code == 0)
				code = fn(h, arg);
		}
	}
}
