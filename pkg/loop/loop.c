/* loop.c - sources over sd-event; each carries its callback and knows its loop. */
#include <ctrcompose/loop.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "sd.h"

static const struct sd_lib *sd; /* there from the first loop_new() on */

struct loop {
	sd_event *event;
	struct loop_source *sources; /* newest first */
};

struct loop_source {
	struct loop *loop;
	struct loop_source *next, **link;
	sd_event_source *event;
	void *arg;
	union {
		loop_fn *plain;
		loop_io_fn *io;
		loop_signal_fn *signal;
		loop_child_fn *child;
		loop_watch_fn *watch;
	} fn;
	int pidfd;
	bool oneshot; /* switched on means: once more */
	bool owned;   /* nobody has the handle: free it when it ran */
};

int loop_new(struct loop **out, struct err *err)
{
	struct loop *loop;
	int r;

	sd = sd_lib_get(err);
	if (!sd)
		return -ENOTSUP;
	loop = xcalloc(1, sizeof(*loop));
	r = sd->sd_event_new(&loop->event);
	if (r < 0) {
		free(loop);
		return err_set(err, r, "make the event loop: %s", strerror(-r));
	}
	*out = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->sources)
		loop_source_free(loop->sources);
	sd->sd_event_unref(loop->event);
	free(loop);
}

void loop_free_fn(struct loop **loop)
{
	loop_free(*loop);
}

int loop_run(struct loop *loop, struct err *err)
{
	int r = sd->sd_event_loop(loop->event);

	if (r < 0)
		return err_set(err, r, "event loop: %s", strerror(-r));
	return r;
}

int loop_turn(struct loop *loop, uint64_t timeout_us)
{
	return sd->sd_event_run(loop->event, timeout_us);
}

void loop_exit(struct loop *loop, int code)
{
	(void)sd->sd_event_exit(loop->event, code);
}

/* ---- Sources --------------------------------------------------------------------------------- */

static struct loop_source *source_new(struct loop *loop, void *arg)
{
	struct loop_source *src = xcalloc(1, sizeof(*src));

	src->loop = loop;
	src->arg = arg;
	src->pidfd = -1;
	src->next = loop->sources;
	src->link = &loop->sources;
	if (src->next)
		src->next->link = &src->next;
	loop->sources = src;
	return src;
}

void loop_source_free(struct loop_source *src)
{
	if (!src)
		return;
	sd->sd_event_source_disable_unref(src->event);
	*src->link = src->next;
	if (src->next)
		src->next->link = src->link;
	free(src);
}

/* The end of every add: r is what sd-event said. */
static int source_done(struct loop_source *src, int r, struct loop_source **out, const char *what,
		       struct err *err)
{
	if (r < 0) {
		loop_source_free(src);
		return err_set(err, r, "watch %s: %s", what, strerror(-r));
	}
	if (out)
		*out = src;
	else
		src->owned = true;
	return 0;
}

int loop_source_priority(struct loop_source *src, enum loop_priority priority)
{
	return sd->sd_event_source_set_priority(src->event, priority);
}

int loop_source_enable(struct loop_source *src, bool on)
{
	int how = src->oneshot ? SD_EVENT_ONESHOT : SD_EVENT_ON;

	return sd->sd_event_source_set_enabled(src->event, on ? how : SD_EVENT_OFF);
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct loop_source *src = arg;

	(void)s;
	(void)fd;
	src->fn.io(src->arg, revents);
	return 0;
}

int loop_io_add(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *arg,
		struct loop_source **out, struct err *err)
{
	struct loop_source *src = source_new(loop, arg);

	src->fn.io = fn;
	return source_done(src,
			   sd->sd_event_add_io(loop->event, &src->event, fd, events, on_io, src),
			   out, "a descriptor", err);
}

int loop_io_mod(struct loop_source *src, uint32_t events)
{
	return sd->sd_event_source_set_io_events(src->event, events);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static int on_watch(sd_event_source *s, const struct inotify_event *event, void *arg)
{
	struct loop_source *src = arg;

	(void)s;
	src->fn.watch(src->arg, event->mask, event->len ? event->name : "");
	return 0;
}

int loop_watch_add(struct loop *loop, const char *path, uint32_t mask, loop_watch_fn *fn, void *arg,
		   struct loop_source **out, struct err *err)
{
	struct loop_source *src = source_new(loop, arg);

	src->fn.watch = fn;
	return source_done(
		src, sd->sd_event_add_inotify(loop->event, &src->event, path, mask, on_watch, src),
		out, path, err);
}

/* ---- Timers ---------------------------------------------------------------------------------- */

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct loop_source *src = arg;

	(void)s;
	(void)usec;
	src->fn.plain(src->arg);
	return 0;
}

static uint64_t deadline(uint64_t delay_us)
{
	uint64_t now = now_mono_us();

	return delay_us > LOOP_NEVER - now ? LOOP_NEVER : now + delay_us;
}

int loop_timer_add(struct loop *loop, uint64_t delay_us, loop_fn *fn, void *arg,
		   struct loop_source **out, struct err *err)
{
	struct loop_source *src = source_new(loop, arg);
	int r;

	src->fn.plain = fn;
	src->oneshot = true;
	/* Accuracy 1: sd-event takes 0 for "a quarter of a second". */
	r = sd->sd_event_add_time(loop->event, &src->event, CLOCK_BOOTTIME, deadline(delay_us), 1,
				  on_timer, src);
	return source_done(src, r, out, "a timer", err);
}

int loop_timer_set(struct loop_source *src, uint64_t delay_us)
{
	int r;

	if (delay_us == LOOP_NEVER)
		return sd->sd_event_source_set_enabled(src->event, SD_EVENT_OFF);
	r = sd->sd_event_source_set_time(src->event, deadline(delay_us));
	if (r < 0)
		return r;
	return sd->sd_event_source_set_enabled(src->event, SD_EVENT_ONESHOT);
}

/* ---- Signals and children -------------------------------------------------------------------- */

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *info, void *arg)
{
	struct loop_source *src = arg;

	(void)s;
	src->fn.signal(src->arg, info);
	return 0;
}

int loop_signal_add(struct loop *loop, int sig, loop_signal_fn *fn, void *arg,
		    struct loop_source **out, struct err *err)
{
	struct loop_source *src = source_new(loop, arg);
	sigset_t set;

	src->fn.signal = fn;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, sig);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return source_done(src, -errno, out, signal_name(sig), err);
	return source_done(src,
			   sd->sd_event_add_signal(loop->event, &src->event, sig, on_signal, src),
			   out, signal_name(sig), err);
}

/* The exit status of a process that is somebody else's child. */
static void foreign_status(int pidfd, siginfo_t *info)
{
	int status;

	memset(info, 0, sizeof(*info));
	if (pidfd_wait_status(pidfd, &status) < 0)
		return;
	/* Reaped processes have no pid any more: any number but 0 says "status known". */
	info->si_pid = -1;
	info->si_signo = SIGCHLD;
	if (WIFEXITED(status)) {
		info->si_code = CLD_EXITED;
		info->si_status = WEXITSTATUS(status);
	} else {
		info->si_code = WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED;
		info->si_status = WTERMSIG(status);
	}
}

/* Not sd_event_add_child_pidfd(): that wants SIGCHLD blocked and real children only, while
 * containers are children of the keeper. */
static int on_child(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct loop_source *src = arg;
	siginfo_t info = { 0 };

	(void)s;
	(void)revents;
	if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) < 0) {
		foreign_status(fd, &info);
	} else if (info.si_pid == 0) {
		/* A traced or half dead thread group: the kernel will say so again. */
		(void)sd->sd_event_source_set_enabled(src->event, SD_EVENT_ONESHOT);
		return 0;
	}
	src->fn.child(src->arg, &info);
	return 0;
}

int loop_child_add(struct loop *loop, int pidfd, loop_child_fn *fn, void *arg,
		   struct loop_source **out, struct err *err)
{
	struct loop_source *src = source_new(loop, arg);
	int r;

	src->fn.child = fn;
	src->pidfd = pidfd;
	src->oneshot = true;
	r = sd->sd_event_add_io(loop->event, &src->event, pidfd, EPOLLIN, on_child, src);
	if (r >= 0)
		r = sd->sd_event_source_set_enabled(src->event, SD_EVENT_ONESHOT);
	return source_done(src, r, out, "a process", err);
}

/* ---- Between turns --------------------------------------------------------------------------- */

static int on_plain(sd_event_source *s, void *arg)
{
	struct loop_source *src = arg;
	loop_fn *fn = src->fn.plain;
	void *fn_arg = src->arg;

	(void)s;
	/* Nobody has the handle of an owned one-shot, so it can go before its callback runs. */
	if (src->owned && src->oneshot)
		loop_source_free(src);
	fn(fn_arg);
	return 0;
}

int loop_defer(struct loop *loop, loop_fn *fn, void *arg, struct loop_source **out, struct err *err)
{
	struct loop_source *src = source_new(loop, arg);

	src->fn.plain = fn;
	src->oneshot = true; /* as sd-event has it */
	return source_done(src, sd->sd_event_add_defer(loop->event, &src->event, on_plain, src),
			   out, "the next turn", err);
}

int loop_post(struct loop *loop, loop_fn *fn, void *arg, struct loop_source **out, struct err *err)
{
	struct loop_source *src = source_new(loop, arg);

	src->fn.plain = fn;
	return source_done(src, sd->sd_event_add_post(loop->event, &src->event, on_plain, src), out,
			   "the end of a turn", err);
}

int loop_fd(const struct loop *loop)
{
	return sd->sd_event_get_fd(loop->event);
}
