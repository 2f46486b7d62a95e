/* cmd_exec.c - ctrcompose exec: one more process in a running container. */
#include "containers/inside.h"
#include "containers/observe.h"
#include "screen/screen.h"
#include "stack/online.h"

#include <ctrcompose/box.h>
#include <ctrcompose/engine.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	bool detach, no_tty, privileged, interactive, tty;
	int64_t index;
	const char *user, *workdir;
	struct strs env;
} arg = { .interactive = true };

static const struct opt opts[] = {
	{ 'd', "detach", OPT_FLAG, &arg.detach, NULL, "Run in the background" },
	{ 'e', "env", OPT_LIST, &arg.env, "KEY=VALUE", "Set an environment variable" },
	{ 0, "index", OPT_INT, &arg.index, "N", "Which container, if the service has several" },
	{ 'i', "interactive", OPT_FLAG, &arg.interactive, NULL,
	  "Pass standard input on (default)" },
	{ 'T', "no-tty", OPT_FLAG, &arg.no_tty, NULL, "No terminal" },
	{ 0, "no-TTY", OPT_FLAG, &arg.no_tty, NULL, NULL },
	{ 0, "privileged", OPT_FLAG, &arg.privileged, NULL, "Give it all capabilities" },
	{ 't', "tty", OPT_FLAG, &arg.tty, NULL, "A terminal, even if standard input is none" },
	{ 'u', "user", OPT_STRING, &arg.user, "USER", "Run as this user" },
	{ 'w', "workdir", OPT_STRING, &arg.workdir, "FOLDER", "Run in this folder" },
};

static int await_start(struct box *box, struct err *err)
{
	int r;

	while ((r = box_read_status(box, err)) == -EAGAIN) {
		struct pollfd p = { .fd = box_status_fd(box), .events = POLLIN };

		(void)poll(&p, 1, -1);
	}
	return r;
}

static int reap(const struct box *box)
{
	int status = 0;

	while (waitpid(box->pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Docker's exit codes: 126 and 127 of what could not be executed. */
static int failed(int code, const struct err *err)
{
	cmd_print_error(err);
	return code ? code : EXIT_FAILED;
}

static int with_terminal(const struct state_paths *paths, struct state_project *s,
			 struct state_container *c, struct engine_exec *x, struct err *err)
{
	auto_box struct box box = BOX_INIT;
	struct tty_relay relay = { .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO };
	auto_close int master = -1;
	int r = engine_exec(paths, s, c, x, &box, err), ended;

	if (r == 0)
		r = await_start(&box, err);
	if (r < 0 && box.exit_code) {
		if (box.pid && box.pidfd >= 0)
			(void)reap(&box);
		return failed(box.exit_code, err);
	}
	if (r < 0)
		return r;
	master = box_take_tty(&box);
	relay.master_fd = master;
	relay.done_fd = box.pidfd;
	r = tty_relay(&relay, err);
	if (r == -EINTR)
		(void)pidfd_kill(box.pidfd, SIGHUP);
	ended = reap(&box);
	return r < 0 && r != -EINTR ? r : ended;
}

static volatile int to_signal = -1;

static void pass_on(int sig)
{
	if (to_signal >= 0)
		(void)pidfd_kill(to_signal, sig);
}

static int with_pipes(const struct state_paths *paths, struct state_project *s,
		      struct state_container *c, struct engine_exec *x, struct err *err)
{
	auto_pipes struct pipes p;
	auto_box struct box box = BOX_INIT;
	struct sigaction sa = { .sa_handler = pass_on };
	int r = pipes_open(&p, err);

	if (r < 0)
		return r;
	memcpy(x->fds, p.theirs, sizeof(x->fds));
	r = engine_exec(paths, s, c, x, &box, err);
	pipes_started(&p);
	if (r == 0)
		r = await_start(&box, err);
	if (r < 0 && box.exit_code) {
		if (box.pid && box.pidfd >= 0)
			(void)reap(&box);
		return failed(box.exit_code, err);
	}
	if (r < 0)
		return r;
	if (arg.detach)
		return 0;
	to_signal = box.pidfd;
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
	r = pipes_run(&p, box.pidfd, err);
	return r < 0 ? r : reap(&box);
}

/* In the background nobody reads: no pipes, no waiting. */
static int detached(const struct state_paths *paths, struct state_project *s,
		    struct state_container *c, struct engine_exec *x, struct err *err)
{
	auto_box struct box box = BOX_INIT;
	int r = engine_exec(paths, s, c, x, &box, err);

	if (r == 0)
		r = await_start(&box, err);
	return r < 0 && box.exit_code ? failed(box.exit_code, err) : r;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	struct state_container *c = NULL;
	char *words[] = { argv[0], NULL };
	struct engine_exec x = { .argv = (const char *const *)(uintptr_t)(argv + 1),
				 .user = arg.user,
				 .cwd = arg.workdir,
				 .env = arg.env,
				 .privileged = arg.privileged,
				 .fds = { -1, -1, -1 } };
	int r = arg.interactive ? 0 : no_input(err);

	(void)argc;
	if (r == 0)
		r = observe(&o, words, err);
	if (r == 0)
		r = find_running(o.state, argv[0], arg.index, &c, err);
	if (r == 0 && geteuid() != 0)
		r = err_set(err, EPERM, "exec needs root: run it with sudo");
	if (r < 0)
		return r;
	if (global.dry_run) {
		strs_clear(&arg.env);
		return progress_dry("Container", c->name, "Executed", argv[1], err);
	}
	x.tty = !arg.no_tty && !arg.detach && (arg.tty || (isatty(0) && isatty(1)));
	r = x.tty        ? with_terminal(&o.paths, o.state, c, &x, err)
	    : arg.detach ? detached(&o.paths, o.state, c, &x, err)
			 : with_pipes(&o.paths, o.state, c, &x, err);
	strs_clear(&arg.env);
	return r;
}

const struct cmd cmd_exec = {
	.name = "exec",
	.summary = "Run a command in a running container",
	.operands = "SERVICE COMMAND [ARG...]",
	.min_operands = 2,
	.max_operands = -1,
	.operands_end_options = true,
	CMD_OPTS(opts),
	.run = run,
};
