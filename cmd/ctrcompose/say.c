/* say.c - colours, warnings, errors, questions: all that a command says beside its result. */
#include "screen/screen.h"

#include <ctrcompose/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Colours */
static const char *const codes[COLORS] = {
	[COLOR_RESET] = "\033[0m", [COLOR_BOLD] = "\033[1m",   [COLOR_DIM] = "\033[2m",
	[COLOR_RED] = "\033[31m",  [COLOR_GREEN] = "\033[32m", [COLOR_YELLOW] = "\033[33m",
	[COLOR_BLUE] = "\033[34m", [COLOR_CYAN] = "\033[36m",
};

/* Those of log prefixes, in the order in which containers get them. */
static const char *const wheel[] = {
	"\033[36m", "\033[33m", "\033[32m", "\033[35m", "\033[34m",
	"\033[96m", "\033[93m", "\033[92m", "\033[95m", "\033[94m",
};

bool color_on(int fd)
{
	const char *when = global.ansi ? global.ansi : getenv("COMPOSE_ANSI");
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (str_eq(when, "never"))
		return false;
	if (str_eq(when, "always"))
		return true;
	if ((no_color && no_color[0]) || str_eq(term, "dumb"))
		return false;
	return isatty(fd);
}

const char *color(int fd, enum color c)
{
	return color_on(fd) ? codes[c] : "";
}

const char *color_of(size_t i)
{
	return wheel[i % ARRAY_LEN(wheel)];
}

/* ---- Lines on standard error */
static void say(const struct sbuf *line)
{
	(void)fd_write_all(STDERR_FILENO, sbuf_str(line), line->len);
}

/* As a log line of logfmt has it; JSON's quotes are what Go's %q makes of usual text. */
static void warn_logfmt(const char *text, struct sbuf *out)
{
	char now[RFC3339_LEN];

	format_rfc3339(now_real_ns(), now);
	sbuf_addf(out, "time=\"%.19sZ\" level=warning msg=", now);
	json_quote(out, text);
	sbuf_addc(out, '\n');
}

void cmd_warn(const char *fmt, ...)
{
	auto_sbuf struct sbuf text = SBUF_INIT, line = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	if (isatty(STDERR_FILENO)) {
		sbuf_addf(&line, "%sWARN%s[0000] ", color(STDERR_FILENO, COLOR_YELLOW),
			  color(STDERR_FILENO, COLOR_RESET));
		sbuf_add_clean(&line, sbuf_str(&text), "\n\t");
		sbuf_addc(&line, '\n');
	} else {
		warn_logfmt(sbuf_str(&text), &line);
	}
	say(&line);
}

void cmd_note(const char *fmt, ...)
{
	auto_sbuf struct sbuf text = SBUF_INIT, line = SBUF_INIT;
	va_list ap;

	if (progress_is_quiet())
		return;
	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	if (progress_is_json()) {
		sbuf_adds(&line, "{\"message\":");
		json_quote(&line, sbuf_str(&text));
		sbuf_adds(&line, "}\n");
	} else {
		sbuf_addf(&line, "%s\n", sbuf_str(&text));
	}
	say(&line);
}

void cmd_print_error(const struct err *err)
{
	auto_sbuf struct sbuf line = SBUF_INIT;

	if (progress_is_json()) {
		sbuf_adds(&line, "{\"error\":true,\"message\":");
		json_quote(&line, err_text(err));
		sbuf_adds(&line, "}\n");
	} else {
		sbuf_addf(&line, "%sctrcompose:%s ", color(STDERR_FILENO, COLOR_RED),
			  color(STDERR_FILENO, COLOR_RESET));
		sbuf_add_clean(&line, err_text(err), "\n\t");
		sbuf_addc(&line, '\n');
	}
	say(&line);
}

int cmd_print(const struct sbuf *text, struct err *err)
{
	int r;

	cmd_did_all();
	r = fd_write_all(STDOUT_FILENO, sbuf_str(text), text->len);

	return r < 0 ? err_set(err, r, "write to standard output: %s", strerror(-r)) : 0;
}

int cmd_confirm(const char *question, struct err *err)
{
	auto_sbuf struct sbuf line = SBUF_INIT;
	char answer[16] = "";

	if (global.dry_run)
		return 1;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return err_set(
			err, ENOTTY,
			"there is no terminal to ask at: nothing is removed without --force");
	sbuf_addf(&line, "%s [y/N] ", question);
	say(&line);
	if (!fgets(answer, sizeof(answer), stdin))
		return 0;
	answer[strcspn(answer, "\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}
