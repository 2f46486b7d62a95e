/* frame.c - what parent and child tell each other; see private.h */
#include "private.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int frame_send(int ctl, const struct frame *f, int fd)
{
	return fd_send(ctl, f, sizeof(*f), &fd, fd >= 0, 0);
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
		(void)snprintf(f->text, sizeof(f->text),
			       "take the AppArmor profile or SELinux label: %s",
			       strerrordesc_np(-code));
}

int frame_recv(int ctl, struct frame *f, int *fd, int flags)
{
	size_t fds;
	ssize_t n;

	*fd = -1;
	memset(f, 0, sizeof(*f));
	/* A child that ends before it has read all that we sent resets the connection. The kernel says
	 * so once, before it gives what the child sent: unix(7). */
	do {
		fds = 1;
		n = fd_recv(ctl, f, sizeof(*f), fd, &fds, flags);
	} while (n == -ECONNRESET);
	if (n <= 0)
		return (int)n;
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

	(void)snprintf(f.text, sizeof(f.text), "%.900s%s%s", text, code ? ": " : "",
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
