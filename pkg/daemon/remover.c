/* remover.c - a process that removes big trees while the loop goes on; see supervisor.h */
#include "supervisor.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void work(const struct sup *s) __attribute__((noreturn));
static void work(const struct sup *s)
{
	int r;

	(void)prctl(PR_SET_NAME, "ctrcompose-rm");
	proc_title("ctrcompose: removes files of %s", s->args->project);
	/* It is not of the family: what the family locks and listens on is not held up by it. */
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	r = engine_empty_trash(s->args->paths, s->args->project);
	if (r < 0)
		log_line(LOG_WARN, "%s: files below %s/containers are left over: %s",
			 s->args->project, s->args->paths->state, strerrordesc_np(-r));
	_exit(r < 0);
}

static void on_end(void *arg, const siginfo_t *info)
{
	struct sup *s = arg;

	(void)info;
	loop_source_free(steal(s->remover.src));
	auto_close_fn(&s->remover.pidfd);
	s->remover.pidfd = -1;
	job_advance(s);
}

bool remover_works(struct sup *s)
{
	pid_t pid;

	if (s->remover.pidfd >= 0 || !engine_take_trash(s->engine))
		return s->remover.pidfd >= 0;
	pid = fork();
	if (pid == 0)
		work(s);
	s->remover.pidfd = pid < 0 ? -1 : pidfd_open_pid(pid);
	if (s->remover.pidfd >= 0 &&
	    loop_child_add(s->loop, s->remover.pidfd, on_end, s, &s->remover.src, NULL) == 0)
		return true;
	auto_close_fn(&s->remover.pidfd);
	s->remover.pidfd = -1;
	if (pid < 0) /* no process to be had: it takes as long as it takes */
		(void)engine_empty_trash(s->args->paths, s->args->project);
	return false;
}
