/* status.c - a box after it was made: release, how its start went, its terminal; see box.h */
#include "private.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int box_release(struct box *box, struct err *err)
{
	char byte = CTL_RELEASE;

	/* A child that has failed already is no failure here: box_read_status() tells. */
	if (send(box->ctl_fd, &byte, 1, MSG_NOSIGNAL) != 1 && errno != EPIPE)
		return err_errno(err, "release the container's process");
	return 0;
}

static void decided(struct box *box)
{
	auto_close_fn(&box->ctl_fd);
	box->ctl_fd = -1;
}

static int failed(struct box *box, const struct frame *f, struct err *err)
{
	int code = f->code ? f->code : -EIO;

	box->exit_code = f->exit_code;
	decided(box);
	if (f->text[0])
		return err_set(err, code, "%s", f->text);
	return err_set(err, code, "exec: \"%s\": %s", box->program, strerrordesc_np(-code));
}

int box_read_status(struct box *box, struct err *err)
{
	for (;;) {
		struct frame f;
		int fd, r;

		if (box->ctl_fd < 0)
			return 0;
		r = frame_recv(box->ctl_fd, &f, &fd, MSG_DONTWAIT);
		if (r == -EAGAIN)
			return r;
		if (r == 0 && box->reached_exec) {
			decided(box);
			return 0;
		}
		if (r <= 0) {
			f = (struct frame){ .code = -EIO, .exit_code = 125 };
			(void)strcpy(f.text, "the process ended while the container was set up");
			return failed(box, &f, err);
		}
		if (f.type == FRAME_FAILED) {
			auto_close_fn(&fd);
			return failed(box, &f, err);
		}
		/* After that it may be the container that speaks: of an answer to the exec nothing but
		 * the sentence counts. */
		box->reached_exec |= f.type == FRAME_EXEC;
		if (f.type == FRAME_TTY && box->tty_fd < 0 && !box->reached_exec)
			box->tty_fd = steal_fd(&fd);
		auto_close_fn(&fd);
	}
}

int box_take_tty(struct box *box)
{
	return steal_fd(&box->tty_fd);
}

void box_close(struct box *box)
{
	auto_close_fn(&box->pidfd);
	auto_close_fn(&box->netns_fd);
	auto_close_fn(&box->ctl_fd);
	auto_close_fn(&box->tty_fd);
	box->pidfd = box->netns_fd = box->ctl_fd = box->tty_fd = -1;
}
