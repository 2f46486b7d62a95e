/* hooks.c - runs a service's post_start and pre_stop commands in its container, one by one */
#include "supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { HOOK_OUTPUT_MAX = 4096, READS_MAX = 64 /* all that a pipe holds */ };

static const struct {
	const char *key;
	const char *outcome; /* what a failure leads to */
} phases[] = {
	[HOOKS_NONE] = { "", "" },
	[HOOKS_POST_START] = { "post_start", "the container is stopped" },
	[HOOKS_PRE_STOP] = { "pre_stop", "the container runs on" },
};

static void next_hook(struct ctr *c);

static const struct service_hooks *hooks_of(const struct ctr *c, enum hooks_phase phase)
{
	return phase == HOOKS_POST_START ? &c->unit->svc->post_start : &c->unit->svc->pre_stop;
}

static void process_end(struct hooks *h)
{
	loop_source_free(h->exit_src);
	loop_source_free(h->out_src);
	h->exit_src = h->out_src = NULL;
	auto_close_fn(&h->process.out_fd);
	auto_close_fn(&h->process.pidfd);
	h->process.out_fd = h->process.pidfd = -1;
}

static void process_kill(struct ctr *c)
{
	struct probe p = c->hooks.process;

	c->hooks.process.pidfd = -1;
	process_end(&c->hooks);
	probe_kill(c->sup, &p);
}

static void finish(struct ctr *c, bool success)
{
	enum hooks_phase phase = c->hooks.phase;

	process_end(&c->hooks);
	c->hooks.phase = HOOKS_NONE;
	ctr_hooks_done(c, phase, success);
}

static void keep_tail(struct sbuf *b)
{
	if (b->len > HOOK_OUTPUT_MAX) {
		auto_free char *tail = xstrdup(sbuf_str(b) + b->len - HOOK_OUTPUT_MAX);

		sbuf_clear(b);
		sbuf_adds(b, tail);
	}
}

/* false: there is nothing more to read, now or ever. */
static bool read_some(struct hooks *h)
{
	char chunk[1024];
	ssize_t n = read(h->process.out_fd, chunk, sizeof(chunk));

	for (ssize_t i = 0; i < n; i++)
		if (chunk[i] != '\0')
			sbuf_addc(&h->text, chunk[i]);
	keep_tail(&h->text);
	if (n == 0) {
		loop_source_free(h->out_src);
		h->out_src = NULL;
	}
	return n > 0;
}

static void on_output(void *arg, uint32_t events)
{
	struct ctr *c = arg;

	(void)events;
	(void)read_some(&c->hooks);
}

static void failed(struct ctr *c, const char *how)
{
	struct hooks *h = &c->hooks;
	auto_sbuf struct sbuf why = SBUF_INIT;
	const struct list *command = &hooks_of(c, h->phase)->v[h->at].command;

	while (h->text.len && strchr(" \t\r\n", h->text.s[h->text.len - 1]))
		h->text.s[--h->text.len] = '\0';
	sbuf_addf(&why, "%s hook '", phases[h->phase].key);
	for (size_t i = 0; i < command->n; i++)
		sbuf_addf(&why, "%s%s", i ? " " : "", command->v[i]);
	sbuf_addf(&why, "' %s", how);
	if (!c->exit_pending)
		sbuf_addf(&why, ": %s", phases[h->phase].outcome);
	if (h->text.len)
		sbuf_addf(&why, "; its last output: %s", sbuf_str(&h->text));
	if (h->phase == HOOKS_POST_START || !c->exit_pending)
		state_set(&c->unit->c->error, sbuf_str(&why));
	log_line(LOG_ERROR, "%s: %s", c->unit->c->name, sbuf_str(&why));
	finish(c, false);
}

static void on_exit_of_hook(void *arg, const siginfo_t *info)
{
	struct ctr *c = arg;
	auto_free char *how = NULL;

	/* What it has left behind may go on printing for ever. */
	for (int i = 0; i < READS_MAX && c->hooks.out_src && read_some(&c->hooks); i++)
		;
	process_end(&c->hooks);
	/* The kernel ends it with the container, and first: on_end() comes and says so. */
	if (info->si_code != CLD_EXITED && proc_is_ending(c->unit->c->pid, c->unit->c->start_time))
		return;
	if (info->si_code == CLD_EXITED && info->si_status == 0) {
		c->hooks.at++;
		next_hook(c);
		return;
	}
	if (info->si_code != CLD_EXITED)
		how = xasprintf("was ended by signal %d", info->si_status);
	else if (info->si_status == 127 && c->hooks.text.len == 0)
		how = xstrdup("was not found");
	else
		how = xasprintf("exited with %d", info->si_status);
	failed(c, how);
}

static void next_hook(struct ctr *c)
{
	auto_err struct err err = ERR_INIT;
	struct hooks *h = &c->hooks;
	const struct service_hooks *all = hooks_of(c, h->phase);
	int r;

	sbuf_clear(&h->text);
	if (h->at == all->n) {
		finish(c, true);
		return;
	}
	h->process.out_fd = h->process.pidfd = -1;
	r = engine_hook_start(c->unit, &all->v[h->at], &h->process, &err);
	if (r == 0)
		r = loop_io_add(c->sup->loop, h->process.out_fd, EPOLLIN, on_output, c, &h->out_src,
				&err);
	if (r == 0)
		r = loop_child_add(c->sup->loop, h->process.pidfd, on_exit_of_hook, c, &h->exit_src,
				   &err);
	if (r < 0) {
		auto_free char *how = xasprintf("could not be run: %s", err_text(&err));

		process_kill(c);
		failed(c, how);
	}
}

void ctr_hooks_begin(struct ctr *c, enum hooks_phase phase)
{
	c->hooks.phase = phase;
	c->hooks.at = 0;
	next_hook(c);
}

bool ctr_hooks_wanted(const struct ctr *c, enum hooks_phase phase)
{
	return hooks_of(c, phase)->n > 0;
}

void ctr_hooks_abort(struct ctr *c, const char *how)
{
	if (c->hooks.phase == HOOKS_NONE)
		return;
	process_kill(c);
	failed(c, how);
}

void ctr_hooks_free(struct ctr *c)
{
	process_kill(c);
	sbuf_clear(&c->hooks.text);
}
