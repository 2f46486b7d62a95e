/* cmd_top.c - ctrcompose top: the processes of services, as the host sees them. */
#include "containers/observe.h"
#include "screen/screen.h"

#include <ctrcompose/engine.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const headers[] = { "SERVICE", "#",   "UID",  "PID", "PPID", "C",
				       "STIME",   "TTY", "TIME", "CMD", NULL };

struct process {
	uid_t uid;
	int ppid;
	uint64_t ticks, start_ticks;
	int tty;
	char *command;
};

/* Fields of /proc/PID/stat after the name, which may hold anything. */
static bool read_stat(int proc, struct process *out)
{
	auto_free char *text = NULL;
	unsigned long long utime, stime, start;
	const char *p;

	if (file_read(proc, "stat", 4096, &text, NULL) < 0 || !(p = strrchr(text, ')')))
		return false;
	if (sscanf(p + 1,
		   " %*c %d %*d %*d %d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu",
		   &out->ppid, &out->tty, &utime, &stime, &start) != 5)
		return false;
	out->ticks = utime + stime;
	out->start_ticks = start;
	return true;
}

static char *command_of(int proc)
{
	auto_free char *text = NULL;
	size_t len = 0;

	if (file_read(proc, "cmdline", 1 << 16, &text, &len) == 0 && len > 0) {
		for (size_t i = 0; i + 1 < len; i++)
			if (text[i] == '\0')
				text[i] = ' ';
		return steal(text);
	}
	free(steal(text));
	if (file_read(proc, "comm", 256, &text, &len) < 0)
		return xstrdup("");
	text[strcspn(text, "\n")] = '\0';
	return xasprintf("[%s]", text);
}

static bool read_process(pid_t pid, struct process *out)
{
	auto_free char *path = xasprintf("/proc/%d", (int)pid);
	auto_close int proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (proc < 0 || fstat(proc, &st) < 0 || !read_stat(proc, out))
		return false; /* it has just ended */
	out->uid = st.st_uid;
	out->command = command_of(proc);
	return true;
}

static void tty_name(int device, char out[16])
{
	unsigned minor = ((unsigned)device & 0xff) | ((unsigned)device >> 12 & 0xfff00);

	if (device == 0)
		(void)snprintf(out, 16, "?");
	else
		(void)snprintf(out, 16, "pts/%u", minor);
}

static void add_row(struct table *t, const struct state_container *c, pid_t pid,
		    const struct process *p)
{
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t up_us = now_mono_us(), start_us = p->start_ticks * 1000000U / (uint64_t)hz;
	uint64_t lived_us = up_us > start_us ? up_us - start_us : 1;
	uint64_t busy_s = p->ticks / (uint64_t)hz;
	time_t began = (time_t)(now_real_ns() / 1000000000U - lived_us / 1000000U);
	const struct passwd *pw = getpwuid(p->uid);
	char tty[16], when[16];
	struct tm tm;

	tty_name(p->tty, tty);
	if (!localtime_r(&began, &tm) || !strftime(when, sizeof(when), "%H:%M", &tm))
		when[0] = '\0';
	table_cell(t, c->service);
	table_cellf(t, "%u", c->number);
	if (pw)
		table_cell(t, pw->pw_name);
	else
		table_cellf(t, "%u", p->uid);
	table_cellf(t, "%d", (int)pid);
	table_cellf(t, "%d", p->ppid);
	table_cellf(t, "%llu",
		    (unsigned long long)(p->ticks * 1000000U / (uint64_t)hz * 100 / lived_us));
	table_cell(t, when);
	table_cell(t, tty);
	table_cellf(t, "%02llu:%02llu:%02llu", (unsigned long long)(busy_s / 3600),
		    (unsigned long long)(busy_s / 60 % 60), (unsigned long long)(busy_s % 60));
	table_cell(t, p->command);
}

static int by_pid(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int add_container(struct table *t, struct observed *o, struct state_container *c,
			 struct err *err)
{
	auto_free pid_t *pids = NULL;
	size_t n = 0;
	int r = engine_pids(&o->paths, o->state, c, &pids, &n, err);

	if (r == 0 && n)
		qsort(pids, n, sizeof(*pids), by_pid);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct process p = { 0 };

		if (read_process(pids[i], &p))
			add_row(t, c, pids[i], &p);
		free(p.command);
	}
	return r;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	auto_table struct table t;
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct chosen l = { 0 };
	int r = observe(&o, argv, err);

	(void)argc;
	table_start(&t, headers);
	if (r == 0)
		observe_choose(o.state, argv, false, &l);
	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = add_container(&t, &o, l.v[i], err);
	free(l.v);
	if (r < 0)
		return r;
	table_text(&t, &out);
	return cmd_print(&out, err);
}

const struct cmd cmd_top = {
	.name = "top",
	.summary = "Show the processes of services",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	.run = run,
};
