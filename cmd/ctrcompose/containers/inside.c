/* inside.c - see inside.h. */
#include "containers/inside.h"
#include "containers/observe.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int find_running(const struct state_project *s, const char *service, int64_t index,
		 struct state_container **out, struct err *err)
{
	struct pick pick = { .service = service, .index = index, .running = true };
	int r = observe_pick(s, &pick, out, err);

	if (r == 0 && (*out)->status == STATE_PAUSED)
		return err_set(err, EBUSY, "container %s is paused: `unpause` it first",
			       (*out)->name);
	return r;
}

int pipes_open(struct pipes *p, struct err *err)
{
	int *ours[] = { &p->in, &p->out, &p->err };

	for (int i = 0; i < 3; i++)
		*ours[i] = p->theirs[i] = -1;
	for (int i = 0; i < 3; i++) {
		int fds[2];

		if (pipe2(fds, O_CLOEXEC) < 0)
			return err_errno(err, "make a pipe");
		*ours[i] = fds[i == 0 ? 1 : 0];
		p->theirs[i] = fds[i == 0 ? 0 : 1];
		if (fd_nonblock(*ours[i], true) < 0)
			return err_errno(err, "make a pipe");
	}
	return 0;
}

static void end(int *fd)
{
	auto_close_fn(fd);
	*fd = -1;
}

void pipes_started(struct pipes *p)
{
	for (int i = 0; i < 3; i++)
		end(&p->theirs[i]);
}

void pipes_close(struct pipes *p)
{
	pipes_started(p);
	end(&p->in);
	end(&p->out);
	end(&p->err);
}

struct pending { /* read from standard input, not yet taken by the process */
	char buf[65536];
	size_t from, to;
	bool ended;
};

static void feed(struct pipes *p, struct pending *q, bool readable, bool writable)
{
	ssize_t n;

	if (readable && q->from == q->to) {
		n = read(STDIN_FILENO, q->buf, sizeof(q->buf));
		q->from = 0;
		q->to = n > 0 ? (size_t)n : 0;
		q->ended = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
	}
	if (q->from < q->to && (writable || readable)) {
		n = write(p->in, q->buf + q->from, q->to - q->from);
		if (n > 0)
			q->from += (size_t)n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			end(&p->in); /* it reads no more */
	}
	if (q->ended && q->from == q->to)
		end(&p->in);
}

/* Some of one stream; false when there is nothing now. */
static bool copy(int *from, int to)
{
	char buf[65536];
	ssize_t n;

	if (*from < 0)
		return false;
	n = read(*from, buf, sizeof(buf));
	if (n > 0)
		return fd_write_all(to, buf, (size_t)n) == 0;
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		end(from);
	return false;
}

int pipes_run(struct pipes *p, int done_fd, struct err *err)
{
	static struct pending q;
	bool done = false;

	while ((p->out >= 0 || p->err >= 0) && !done) {
		struct pollfd fds[] = {
			{ .fd = p->in >= 0 && q.from == q.to && !q.ended ? STDIN_FILENO : -1,
			  .events = POLLIN },
			{ .fd = p->in, .events = q.from < q.to ? POLLOUT : 0 },
			{ .fd = p->out, .events = POLLIN },
			{ .fd = p->err, .events = POLLIN },
			{ .fd = done_fd, .events = POLLIN },
		};

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_errno(err, "wait for the process");
		if (fds[1].revents & (POLLERR | POLLHUP))
			end(&p->in);
		if (p->in >= 0)
			feed(p, &q, (fds[0].revents & (POLLIN | POLLHUP)) != 0,
			     (fds[1].revents & POLLOUT) != 0);
		(void)copy(&p->out, STDOUT_FILENO);
		(void)copy(&p->err, STDERR_FILENO);
		done = (fds[4].revents & (POLLIN | POLLHUP)) != 0;
	}
	/* The rest, also when a process that was left in the background keeps the pipes open. */
	while (copy(&p->out, STDOUT_FILENO) || copy(&p->err, STDERR_FILENO))
		;
	return 0;
}

int no_input(struct err *err)
{
	auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return null < 0 || dup2(null, STDIN_FILENO) < 0 ? err_errno(err, "open /dev/null") : 0;
}
