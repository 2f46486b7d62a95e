/* frame.c - what parent and child tell each other; see private.h */
#include "private.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union one_fd {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int))];
};

int frame_send(int ctl, const struct frame *f, int fd)
{
	struct frame copy = *f;
	struct iovec iov = { .iov_base = &copy, .iov_len = sizeof(copy) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union one_fd control = { 0 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	return sendmsg(ctl, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* What the init says is one number, see private.h. */
static void of_init(struct frame *f)
{
	int code;

	memcpy(&code, f, sizeof(code));
	memset(f, 0, sizeof(*f));
	f->type = FRAME_FAILED;
	f->code = code < 0 ? code : -code;
	f->exit_code = code < 0 ? 125 : code == ENOENT ? 127 : 126;
	if (code < 0)
		(void)snprintf(f->text, sizeof(f->text), "take the AppArmor profile: %s",
			       strerrordesc_np(-code));
}

int frame_recv(int ctl, struct frame *f, int *fd, int flags)
{
	struct iovec iov = { .iov_base = f, .iov_len = sizeof(*f) };
	union one_fd control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	memset(f, 0, sizeof(*f));
	/* A child that ends before it has read all that we sent resets the connection. The kernel says
	 * so once, before it gives what the child sent: unix(7). */
	do
		n = recvmsg(ctl, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n <= 0)
		return n < 0 ? -errno : 0;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	if (n == (ssize_t)sizeof(int)) {
		of_init(f);
		return 1;
	}
	f->text[sizeof(f->text) - 1] = '\0';
	return n == (ssize_t)sizeof(*f) ? 1 : -EBADMSG;
}

/* text is what was being done */
static void fail(int ctl, int code, int exit_code, const char *text) __attribute__((noreturn));
static void fail(int ctl, int code, int exit_code, const char *text)
{
	struct frame f = { .type = FRAME_FAILED, .code = code, .exit_code = exit_code };

	(void)snprintf(f.text, sizeof(f.text), "%.180s%s%s", text, code ? ": " : "",
		       code ? strerrordesc_np(-code) : "");
	(void)frame_send(ctl, &f, -1);
	_exit(exit_code);
}

void child_fail(int ctl, int code, const char *fmt, ...)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	fail(ctl, code, 125, sbuf_str(&text));
}

void child_fail_exec(int ctl, int code, const char *fmt, ...)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	fail(ctl, code, code == -ENOENT || code == 0 ? 127 : 126, sbuf_str(&text));
}

void child_await(int ctl, char byte)
{
	char got = 0;
	ssize_t n;

	do
		n = recv(ctl, &got, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n != 1 || got != byte)
		_exit(125);
}
