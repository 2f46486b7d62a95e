/* progress.c - one line per container, network or volume on standard error: what happens to it. */
#include "screen/screen.h"

#include <ctrcompose/json.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum mode { MODE_QUIET, MODE_PLAIN, MODE_TTY, MODE_JSON };
enum mood { MOOD_WORKING, MOOD_DONE, MOOD_WARNING, MOOD_ERROR, MOODS };

enum { TICK_MS = 100, HEAD_LINES = 1 };

struct line {
	char *id; /* "Container shop-web-1" */
	char *status, *detail;
	enum mood mood;
	uint64_t since_us, until_us;
};

struct progress {
	enum mode mode;
	char *what;
	bool utf8;
	struct {
		struct line *v;
		size_t n, cap;
	} lines;
	size_t drawn; /* lines on the terminal that the next frame replaces */
	unsigned frame;
	/* All above is guarded by the lock once the thread runs. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool threaded, stop;
};

static const char *const json_moods[MOODS] = { "Working", "Done", "Warning", "Error" };

static const enum color mood_colors[MOODS] = { COLOR_CYAN, COLOR_GREEN, COLOR_YELLOW, COLOR_RED };

static const char *const marks[2][MOODS] = {
	{ "", "+", "!", "x" },
	{ "", "✔", "!", "✘" },
};

static const char *const spinner[2][10] = {
	{ "|", "/", "-", "\\", "|", "/", "-", "\\", "|", "/" },
	{ "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" },
};

/* Words that do not tell by their ending. */
static const struct {
	const char *status;
	enum mood mood;
} words[] = {
	{ "Recreate", MOOD_WORKING },  { "Running", MOOD_DONE },    { "Error", MOOD_ERROR },
	{ "Interrupted", MOOD_ERROR }, { "Unhealthy", MOOD_ERROR }, { "Skipped", MOOD_WARNING },
	{ "Warning", MOOD_WARNING },
};

static enum mood mood_of(const char *status)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(words[i].status, status))
			return words[i].mood;
	return str_ends(status, "ing") ? MOOD_WORKING : MOOD_DONE;
}

/* ---- Which form */
static const char *asked_for(void)
{
	const char *env = getenv("COMPOSE_PROGRESS");

	return global.progress ? global.progress : env && env[0] ? env : "auto";
}

bool progress_is_live(const struct progress *p)
{
	return p->mode == MODE_TTY;
}

bool progress_is_json(void)
{
	return str_eq(asked_for(), "json");
}

bool progress_is_quiet(void)
{
	return str_eq(asked_for(), "quiet") || str_eq(asked_for(), "none");
}

static int choose(enum mode *out, struct err *err)
{
	static const struct {
		const char *name;
		enum mode mode;
	} modes[] = {
		{ "tty", MODE_TTY },     { "plain", MODE_PLAIN }, { "json", MODE_JSON },
		{ "quiet", MODE_QUIET }, { "none", MODE_QUIET },
	};
	const char *name = asked_for(), *ansi = global.ansi, *term = getenv("TERM");

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (str_eq(modes[i].name, name)) {
			*out = modes[i].mode;
			return 0;
		}
	if (!str_eq(name, "auto"))
		return usage_error(err, "--progress: '%s' is none of auto, tty, plain, json, quiet",
				   name);
	if (str_eq(ansi, "never") || !term || str_eq(term, "dumb") || !isatty(STDERR_FILENO))
		*out = MODE_PLAIN;
	else
		*out = MODE_TTY;
	return 0;
}

static bool locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = getenv(names[i]);

		if (v && v[0])
			return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
	}
	return false;
}

/* ---- Drawing on a terminal */
/* Text of others, at most `room` characters of it; gives how many it took. */
static size_t add_clean(struct sbuf *out, const char *s, size_t room)
{
	size_t n = 0;

	for (size_t skip; *s; s += skip ? skip : 1) {
		bool first_byte = ((unsigned char)*s & 0xc0) != 0x80;

		if (first_byte && n == room)
			break;
		n += first_byte;
		skip = control_len(s);
		sbuf_addc(out, skip ? ' ' : *s);
	}
	return n;
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void draw_line(const struct progress *p, const struct line *l, size_t id_width, size_t room,
		      uint64_t now, struct sbuf *out)
{
	const char *mark =
		l->mood == MOOD_WORKING ? spinner[p->utf8][p->frame % 10] : marks[p->utf8][l->mood];
	const char *tint = color(STDERR_FILENO, mood_colors[l->mood]);
	const char *plain = color(STDERR_FILENO, COLOR_RESET);
	uint64_t spent = (l->mood == MOOD_WORKING ? now : l->until_us) - l->since_us;
	auto_free char *seconds = xasprintf("%.1fs", (double)spent / 1e6);
	size_t used = 3 + strlen(seconds) + 1; /* " ✔ " and " 0.3s" */

	sbuf_addf(out, " %s%s%s ", tint, mark, plain);
	room = room > used ? room - used : 0;
	used = add_clean(out, l->id, room);
	for (room -= used; used < id_width + 2 && room > 0; used++, room--)
		sbuf_addc(out, ' ');
	sbuf_adds(out, tint);
	room -= used = add_clean(out, l->status, room);
	sbuf_adds(out, plain);
	for (; used < 11 && room > 0; used++, room--)
		sbuf_addc(out, ' ');
	sbuf_addf(out, " %s%s%s", color(STDERR_FILENO, COLOR_DIM), seconds, plain);
	if (l->detail && room > 2) {
		sbuf_adds(out, "  ");
		(void)add_clean(out, l->detail, room - 2);
	}
	sbuf_adds(out, "\033[K\n");
}

/* One frame over the last one. The final one shows all lines, others what fits on the screen:
 * finished lines give way first. */
static void draw(struct progress *p, bool final)
{
	auto_sbuf struct sbuf out = SBUF_INIT;
	unsigned columns, rows;
	size_t done = 0, hide = 0, id_width = 0;
	uint64_t now = now_mono_us();

	tty_size(STDERR_FILENO, &columns, &rows);
	for (size_t i = 0; i < p->lines.n; i++) {
		size_t w = characters(p->lines.v[i].id);

		done += p->lines.v[i].mood != MOOD_WORKING;
		id_width = w > id_width ? w : id_width;
	}
	if (!final && p->lines.n + HEAD_LINES + 1 > rows)
		hide = p->lines.n + HEAD_LINES + 1 - rows;
	if (p->drawn)
		sbuf_addf(&out, "\033[%zuA\r", p->drawn);
	sbuf_addf(&out, "%s[+] %s %zu/%zu\033[K\n", global.dry_run ? "DRY-RUN MODE - " : "",
		  p->what, done, p->lines.n);
	p->drawn = HEAD_LINES;
	for (size_t i = 0, left = p->lines.n; i < p->lines.n; i++, left--) {
		const struct line *l = &p->lines.v[i];

		if (hide && (l->mood == MOOD_DONE || hide >= left)) {
			hide--;
			continue;
		}
		draw_line(p, l, id_width, columns > 1 ? columns - 1 : 1, now, &out);
		p->drawn++;
	}
	sbuf_adds(&out, "\033[J");
	(void)fd_write_all(STDERR_FILENO, out.s, out.len);
}

static void *tick(void *arg)
{
	struct progress *p = arg;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct timespec until;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_nsec -= 1000000000L;
			until.tv_sec++;
		}
		(void)pthread_cond_clockwait(&p->wake, &p->lock, CLOCK_MONOTONIC, &until);
		p->frame++;
		if (!p->stop)
			draw(p, false);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Without a thread the lines still change, only the spinner stands still. Under the lock. */
static void start_thread(struct progress *p)
{
	sigset_t all, before;

	if (p->mode != MODE_TTY || p->threaded)
		return;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	p->threaded = pthread_create(&p->thread, NULL, tick, p) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- Lines */
static void print_plain(const struct line *l)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	sbuf_addf(&out, "%s ", global.dry_run ? "DRY-RUN MODE - " : "");
	(void)add_clean(&out, l->id, SIZE_MAX);
	sbuf_addf(&out, "  %s", l->status);
	if (l->detail) {
		sbuf_adds(&out, "  ");
		(void)add_clean(&out, l->detail, SIZE_MAX);
	}
	sbuf_addc(&out, '\n');
	(void)fd_write_all(STDERR_FILENO, out.s, out.len);
}

static void print_json(const struct line *l)
{
	auto_json struct json *j = json_object();
	auto_free char *text = NULL;
	auto_sbuf struct sbuf out = SBUF_INIT;

	if (global.dry_run)
		json_add_bool(j, "dry-run", true);
	json_add_str(j, "id", l->id);
	json_add_str(j, "status", json_moods[l->mood]);
	json_add_str(j, "text", l->status);
	if (l->detail)
		json_add_str(j, "details", l->detail);
	text = json_print(j);
	sbuf_addf(&out, "%s\n", text);
	(void)fd_write_all(STDERR_FILENO, out.s, out.len);
}

static struct line *find_line(struct progress *p, const char *id)
{
	struct line *l;

	for (size_t i = 0; i < p->lines.n; i++)
		if (strcmp(p->lines.v[i].id, id) == 0)
			return &p->lines.v[i];
	l = vec_push(&p->lines);
	*l = (struct line){ .id = xstrdup(id), .since_us = now_mono_us() };
	return l;
}

/* Whether anything is different now. */
static bool update(struct line *l, const char *status, const char *detail)
{
	if (str_eq(l->status, status) && str_eq(l->detail, detail))
		return false;
	free(l->status);
	free(l->detail);
	l->status = xstrdup(status);
	l->detail = detail ? xstrdup(detail) : NULL;
	l->mood = mood_of(status);
	l->until_us = now_mono_us();
	return true;
}

void progress_step(struct progress *p, const char *kind, const char *name, const char *status,
		   const char *detail)
{
	auto_free char *id = xasprintf("%s%s%s", kind ? kind : "", kind ? " " : "", name);
	struct line *l;
	bool news;

	(void)pthread_mutex_lock(&p->lock);
	l = find_line(p, id);
	news = update(l, status, detail && detail[0] ? detail : NULL);
	if (news && p->mode == MODE_PLAIN)
		print_plain(l);
	else if (news && p->mode == MODE_JSON)
		print_json(l);
	else if (news && p->mode == MODE_TTY)
		draw(p, false);
	start_thread(p);
	(void)pthread_mutex_unlock(&p->lock);
}

void progress_warn(struct progress *p, const char *text)
{
	(void)pthread_mutex_lock(&p->lock);
	if (p->mode == MODE_TTY && p->drawn) {
		auto_free char *up = xasprintf("\033[%zuA\r\033[J", p->drawn);

		(void)fd_write_all(STDERR_FILENO, up, strlen(up));
		p->drawn = 0;
	}
	cmd_warn("%s", text);
	if (p->mode == MODE_TTY && p->lines.n)
		draw(p, false);
	(void)pthread_mutex_unlock(&p->lock);
}

int progress_open(const char *what, struct progress **out, struct err *err)
{
	enum mode mode = MODE_QUIET;
	struct progress *p;
	int r = choose(&mode, err);

	if (r < 0)
		return r;
	p = xcalloc(1, sizeof(*p));
	p->mode = mode;
	p->what = xstrdup(what);
	p->utf8 = locale_is_utf8();
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->wake, NULL);
	*out = p;
	return 0;
}

void progress_close(struct progress *p)
{
	if (!p)
		return;
	if (p->threaded) {
		(void)pthread_mutex_lock(&p->lock);
		p->stop = true;
		(void)pthread_cond_signal(&p->wake);
		(void)pthread_mutex_unlock(&p->lock);
		(void)pthread_join(p->thread, NULL);
	}
	if (p->mode == MODE_TTY && p->lines.n)
		draw(p, true);
	for (size_t i = 0; i < p->lines.n; i++) {
		free(p->lines.v[i].id);
		free(p->lines.v[i].status);
		free(p->lines.v[i].detail);
	}
	free(p->lines.v);
	free(p->what);
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

void progress_close_fn(struct progress **p)
{
	progress_close(*p);
}

int progress_dry(const char *kind, const char *name, const char *done, const char *detail,
		 struct err *err)
{
	auto_progress struct progress *pg = NULL;
	int r = progress_open("Running", &pg, err);

	if (r == 0)
		progress_step(pg, kind, name, done, detail);
	return r;
}
