/* cmd_stats.c - ctrcompose stats: what containers use, once or again and again. */
#include "containers/observe.h"
#include "screen/screen.h"

#include <ctrcompose/engine.h>
#include <ctrcompose/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_US = 200000, EVERY_US = 1000000 };

static struct {
	bool all, no_stream, no_trunc;
	const char *format;
} arg;

static const struct opt opts[] = {
	{ 'a', "all", OPT_FLAG, &arg.all, NULL, "Stopped containers as well" },
	{ 0, "format", OPT_STRING, &arg.format, "FORMAT", "table (default), json, or a template" },
	{ 0, "no-stream", OPT_FLAG, &arg.no_stream, NULL, "Only once" },
	{ 0, "no-trunc", OPT_FLAG, &arg.no_trunc, NULL, "Whole ids" },
};

/* The processor time of a container at the last look. */
struct seen {
	char *id;
	uint64_t cpu_us, at_us;
};
struct seen_list {
	struct seen *v;
	size_t n, cap;
};

/* Percent of one processor since the last look; remembers this one. */
static double busy(struct seen_list *l, const char *id, uint64_t cpu_us)
{
	uint64_t now = now_mono_us();
	struct seen *s = NULL;
	double percent = 0;

	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].id, id) == 0)
			s = &l->v[i];
	if (!s) {
		s = vec_push(l);
		s->id = xstrdup(id);
	} else if (now > s->at_us && cpu_us >= s->cpu_us) {
		percent = 100.0 * (double)(cpu_us - s->cpu_us) / (double)(now - s->at_us);
	}
	s->cpu_us = cpu_us;
	s->at_us = now;
	return percent;
}

static uint64_t host_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

static void pair(struct json *row, const char *key, const char *a, const char *b)
{
	auto_free char *text = xasprintf("%s / %s", a, b);

	json_add_str(row, key, text);
}

static void percent(struct json *row, const char *key, double v)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.2f%%", v);
	json_add_str(row, key, text);
}

/* The keys of `docker stats --format json`. */
static void add_row(struct json *rows, const struct state_container *c,
		    const struct engine_usage *u, double cpu)
{
	struct json *row = json_add_object(rows, NULL);
	uint64_t limit = u->memory_limit < host_memory() ? u->memory_limit : host_memory();
	auto_free char *id = xstrndup(c->id, arg.no_trunc ? 64 : 12);
	char a[24], b[24];

	(void)strcpy(a, "--");
	(void)strcpy(b, "--");
	if (u->io_counted) {
		human_size((double)u->io_read, 3, a);
		human_size((double)u->io_written, 3, b);
	}
	pair(row, "BlockIO", a, b);
	percent(row, "CPUPerc", cpu);
	json_add_str(row, "Container", id);
	json_add_str(row, "ID", id);
	percent(row, "MemPerc", limit ? 100.0 * (double)u->memory / (double)limit : 0);
	binary_size((double)u->memory, a);
	binary_size((double)limit, b);
	pair(row, "MemUsage", a, b);
	json_add_str(row, "Name", c->name);
	human_size((double)u->net_in, 3, a);
	human_size((double)u->net_out, 3, b);
	pair(row, "NetIO", a, b);
	(void)snprintf(a, sizeof(a), "%llu", (unsigned long long)u->pids);
	json_add_str(row, "PIDs", a);
}

static int look(struct observed *o, char **argv, struct seen_list *seen, struct json *rows,
		struct err *err)
{
	struct chosen l = { 0 };
	int r = 0;

	observe_choose(o->state, argv, arg.all, &l);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		struct engine_usage u = { 0 };

		/* One that ends while it is looked at uses nothing. */
		if (l.v[i]->pid > 0 && engine_usage(&o->paths, o->state, l.v[i], &u, NULL) < 0)
			u = (struct engine_usage){ 0 };
		add_row(rows, l.v[i], &u, busy(seen, l.v[i]->id, u.cpu_us));
	}
	free(l.v);
	(void)err;
	return r;
}

static int show(const struct json *rows, bool again, struct err *err)
{
	static const struct template_header headers[] = {
		{ "ID", "CONTAINER ID" },
		{ "CPUPerc", "CPU %" },
		{ "MemUsage", "MEM USAGE / LIMIT" },
		{ "MemPerc", "MEM %" },
		{ "NetIO", "NET I/O" },
		{ "BlockIO", "BLOCK I/O" },
		{ "PIDs", "PIDS" },
		{ NULL, NULL },
	};
	static const char table[] =
		"table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}"
		"\t{{.BlockIO}}\t{{.PIDs}}";
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r;

	if (again && isatty(STDOUT_FILENO))
		sbuf_adds(&out, "\033[H\033[J");
	r = template_print(template_of(arg.format, table), rows, headers, &out, err);
	return r < 0 ? r : cmd_print(&out, err);
}

static int run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	struct seen_list seen = { 0 };
	int r = observe(&o, argv, err);

	(void)argc;
	cmd_catch_interrupts();
	/* What a processor is busy with takes two looks. */
	if (r == 0) {
		auto_json struct json *rows = json_array();

		r = look(&o, argv, &seen, rows, err);
		(void)usleep(FIRST_US);
	}
	while (r == 0 && !cmd_cancelled) {
		auto_json struct json *rows = json_array();

		r = look(&o, argv, &seen, rows, err);
		if (r == 0)
			r = show(rows, !arg.no_stream, err);
		if (r < 0 || arg.no_stream)
			break;
		(void)usleep(EVERY_US);
		r = observe_again(&o, err);
	}
	for (size_t i = 0; i < seen.n; i++)
		free(seen.v[i].id);
	free(seen.v);
	return r;
}

const struct cmd cmd_stats = {
	.name = "stats",
	.summary = "Show what containers use of processor, memory and network",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
