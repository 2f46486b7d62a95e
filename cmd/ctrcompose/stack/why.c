/* why.c - what containers said last, when a command that started them failed */
#include "containers/container.h"
#include "stack/online.h"

#include <ctrcompose/logs.h>
#include <stdlib.h>
#include <string.h>

enum { LAST_LINES = 10, LINE_MAX_SHOWN = 400 };

/* What a container chose never reaches the terminal as such. */
static void add_indented(struct sbuf *out, const char *text, size_t len)
{
	sbuf_adds(out, "\n    ");
	for (size_t i = 0; i < len && i < LINE_MAX_SHOWN; i++) {
		unsigned char c = (unsigned char)text[i];

		sbuf_addc(out, c == '\t' ? ' ' : c < ' ' || c == 0x7f ? '?' : (char)c);
	}
	if (len > LINE_MAX_SHOWN)
		sbuf_adds(out, "...");
}

static void add_lines(struct sbuf *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n)
			add_indented(out, text, n);
		text += n + (text[n] == '\n');
	}
}

static int on_line(void *arg, const struct logs_line *line)
{
	add_indented(arg, line->text, line->len);
	return 0;
}

static void add_log(struct sbuf *out, const struct online *o, const struct state_container *c)
{
	struct logs_query query = { .tail = LAST_LINES, .since_ns = c->started_ns };
	struct logs_reader *reader = NULL;
	auto_free char *dir = NULL, *name = NULL;
	auto_sbuf struct sbuf lines = SBUF_INIT;
	size_t index;

	container_log(&o->paths, o->name, c, &dir, &name);
	if (logs_reader_new(&query, &reader, NULL) == 0 &&
	    logs_reader_add(reader, dir, name, &index, NULL) == 0)
		(void)logs_reader_read(reader, 0, on_line, &lines, NULL);
	logs_reader_free(reader);
	if (lines.len)
		sbuf_addf(out, "\n  %s exited with code %d, its last lines:%s",
			  container_label(o->name, c), c->exit_code, sbuf_str(&lines));
}

static bool concerns(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];

		if ((a->op == PLAN_START || a->op == PLAN_WAIT) && str_eq(a->name, name))
			return true;
	}
	return false;
}

static bool ended_badly(const struct state_container *c, uint64_t since_ns)
{
	return c->exit_code != 0 && c->finished_ns >= since_ns && c->finished_ns >= c->started_ns &&
	       (c->status == STATE_EXITED || c->status == STATE_RESTARTING);
}

static bool waits_for_health(const struct state_container *c)
{
	return c->status == STATE_RUNNING && c->health_log &&
	       (c->health == STATE_UNHEALTHY || c->health == STATE_HEALTH_STARTING);
}

void why_failed(const struct online *o, const struct plan *plan, uint64_t since_ns, struct err *err)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	struct state_project *state = NULL;
	int code = err->code;

	/* Not o's own record: the plan has names of that. */
	if (cmd_load_state(&o->paths, o->name, &state, NULL) < 0)
		return;
	for (size_t i = 0; i < state->containers.n; i++) {
		const struct state_container *c = state->containers.v[i];

		if (!concerns(plan, c->name))
			continue;
		if (ended_badly(c, since_ns)) {
			add_log(&text, o, c);
		} else if (waits_for_health(c)) {
			sbuf_addf(&text, "\n  the last health probe of %s said:",
				  container_label(o->name, c));
			add_lines(&text, c->health_log);
		}
	}
	state_free(state);
	if (text.len) {
		auto_free char *first = xstrdup(err_text(err));

		(void)err_set(err, code, "%s%s", first, sbuf_str(&text));
	}
}
