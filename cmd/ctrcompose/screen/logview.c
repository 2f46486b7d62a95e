/* logview.c - lines of containers on standard output: prefixes, colours, lines put together. */
#include "screen/logview.h"
#include "containers/container.h"
#include "screen/screen.h"

#include <ctrcompose/logs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	HOLD_MAX = 64 << 10,  /* bytes of an open line that are held back */
	FLUSH_AT = 64 << 10,  /* bytes for one write */
	READ_AT_ONCE = 4096,  /* records */
	PUMP_MAX = 64 * 4096, /* records before the caller may look at other things */
};

struct held { /* the beginning of a line that has not ended */
	struct sbuf text;
	uint64_t time_ns;
};

enum presence {
	HERE,
	LEAVING, /* its container is gone */
	LAST,    /* the reader knows that */
	GONE,    /* and has read the rest */
};

struct shown { /* one container */
	char *id, *name, *label;
	char *prefix; /* with colours, padded */
	size_t source;
	int live[2]; /* what its log does not keep; -1: it is all in the log */
	enum presence presence;
	struct held held[LOGS_STDERR];
};

struct logview {
	struct logview_options opt;
	bool colors, pumped;
	const char *reset;
	struct logs_reader *reader;
	int poll_fd, more_fd; /* -1: does not follow */
	struct {
		struct shown **v;
		size_t n, cap;
	} shown; /* by source */
	size_t width;
	struct sbuf out;
	struct err *err; /* for on_line() */
	/* A line too long to be held, of which a part is on the screen. */
	struct shown *open;
	enum logs_stream open_stream;
};

/* ---- Out ------------------------------------------------------------------------------------- */

static int flush(struct logview *v, struct err *err)
{
	int r = v->out.len ? cmd_print(&v->out, err) : 0;

	v->out.len = 0;
	return r;
}

static void begin_line(struct logview *v, const struct shown *s, uint64_t time_ns)
{
	if (v->open)
		sbuf_addc(&v->out, '\n');
	v->open = NULL;
	if (!v->opt.no_prefix)
		sbuf_adds(&v->out, s->prefix);
	if (v->opt.timestamps) {
		char time[RFC3339_LEN];

		format_rfc3339(time_ns, time);
		sbuf_addf(&v->out, "%s ", time);
	}
}

/* What was held back and the text that follows it. */
static void put_line(struct logview *v, struct shown *s, enum logs_stream stream, uint64_t time_ns,
		     const char *text, size_t len)
{
	struct held *h = &s->held[stream - 1];

	begin_line(v, s, h->text.len ? h->time_ns : time_ns);
	sbuf_add(&v->out, sbuf_str(&h->text), h->text.len);
	sbuf_add(&v->out, text, len);
	sbuf_clear(&h->text);
}

static void put_part(struct logview *v, struct shown *s, const struct logs_line *line)
{
	struct held *h = &s->held[line->stream - 1];

	if (h->text.len + line->len <= HOLD_MAX) {
		if (h->text.len == 0)
			h->time_ns = line->time_ns;
		sbuf_add(&h->text, line->text, line->len);
		return;
	}
	put_line(v, s, line->stream, line->time_ns, line->text, line->len);
	v->open = s;
	v->open_stream = line->stream;
}

static int on_line(void *arg, const struct logs_line *line)
{
	struct logview *v = arg;
	struct shown *s = v->shown.v[line->source];

	if (v->open == s && v->open_stream == line->stream) {
		sbuf_add(&v->out, line->text, line->len);
		if (!line->partial) {
			sbuf_addc(&v->out, '\n');
			v->open = NULL;
		}
	} else if (line->partial) {
		put_part(v, s, line);
	} else {
		put_line(v, s, line->stream, line->time_ns, line->text, line->len);
		sbuf_addc(&v->out, '\n');
	}
	return v->out.len >= FLUSH_AT ? flush(v, v->err) : 0;
}

/* A last line without newline is a line as well. */
static void end_lines(struct logview *v, struct shown *s)
{
	for (enum logs_stream i = LOGS_STDOUT; i <= LOGS_STDERR; i++) {
		if (s->held[i - 1].text.len == 0)
			continue;
		put_line(v, s, i, 0, "", 0);
		sbuf_addc(&v->out, '\n');
	}
	if (v->open == s) {
		sbuf_addc(&v->out, '\n');
		v->open = NULL;
	}
}

static void end_all_lines(struct logview *v)
{
	for (size_t i = 0; i < v->shown.n; i++)
		end_lines(v, v->shown.v[i]);
}

/* ---- Containers ------------------------------------------------------------------------------ */

static const char *color_for(const struct logview *v, const struct shown *s)
{
	return v->colors ? color_of(s->source) : "";
}

static void set_prefixes(struct logview *v)
{
	for (size_t i = 0; i < v->shown.n; i++) {
		struct shown *s = v->shown.v[i];

		free(s->prefix);
		s->prefix = xasprintf("%s%-*s | %s", color_for(v, s), (int)v->width + 1, s->label,
				      v->reset);
	}
}

static struct shown *find_id(const struct logview *v, const char *id)
{
	for (size_t i = 0; i < v->shown.n; i++)
		if (v->shown.v[i]->presence <= LEAVING && str_eq(v->shown.v[i]->id, id))
			return v->shown.v[i];
	return NULL;
}

static struct shown *find_name(const struct logview *v, const char *name)
{
	for (size_t i = 0; i < v->shown.n; i++)
		if (v->shown.v[i]->presence <= LEAVING && str_eq(v->shown.v[i]->name, name))
			return v->shown.v[i];
	return NULL;
}

static int add_new(struct logview *v, const struct state_paths *paths, const char *project,
		   const struct state_container *c, struct err *err)
{
	auto_free char *dir = NULL, *name = NULL;
	struct shown *s;
	size_t source;
	int r;

	container_log(paths, project, c, &dir, &name);
	r = logs_reader_add(v->reader, dir, name, &source, err);
	if (r < 0)
		return r;
	s = xcalloc(1, sizeof(*s));
	s->id = xstrdup(c->id);
	s->name = xstrdup(c->name);
	s->label = xstrdup(container_label(project, c));
	s->source = source;
	s->live[0] = s->live[1] = -1;
	*vec_push(&v->shown) = s; /* NOLINT(bugprone-sizeof-expression) */
	if (strlen(s->label) > v->width)
		v->width = strlen(s->label);
	set_prefixes(v);
	return 0;
}

int logview_add(struct logview *v, const struct state_paths *paths, const char *project,
		const struct state_container *c, struct err *err)
{
	/* One of the same name had its log where this one's is. */
	struct shown *s = find_name(v, c->name);

	if (!s)
		return add_new(v, paths, project, c, err);
	s->presence = HERE;
	if (!str_eq(s->id, c->id)) {
		free(s->id);
		s->id = xstrdup(c->id);
	}
	return 0;
}

int logview_listen(struct logview *v, const char *name, int fds[2], struct err *err)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct shown *s = find_name(v, name);

	for (size_t i = 0; s && i < 2; i++) {
		if (v->poll_fd >= 0 && epoll_ctl(v->poll_fd, EPOLL_CTL_ADD, fds[i], &ev) < 0)
			return err_errno(err, "watch the output of %s", name);
		auto_close_fn(&s->live[i]);
		s->live[i] = steal_fd(&fds[i]);
	}
	return 0;
}

void logview_remove(struct logview *v, const char *id)
{
	struct shown *s = find_id(v, id);

	if (s)
		s->presence = LEAVING;
}

static void tell_reader(struct logview *v)
{
	for (size_t i = 0; i < v->shown.n; i++) {
		struct shown *s = v->shown.v[i];

		if (s->presence != LEAVING)
			continue;
		logs_reader_remove(v->reader, s->source);
		s->presence = LAST;
	}
}

/* After all has been read. */
static void let_go(struct logview *v)
{
	for (size_t i = 0; i < v->shown.n; i++) {
		struct shown *s = v->shown.v[i];

		if (s->presence != LAST)
			continue;
		end_lines(v, s);
		s->presence = GONE;
	}
}

/* ---- The whole ------------------------------------------------------------------------------- */

static int watch(struct logview *v, struct err *err)
{
	const int fds[] = { logs_reader_fd(v->reader), eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };

	v->more_fd = fds[1];
	v->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		struct epoll_event ev = { .events = EPOLLIN };

		if (v->poll_fd < 0 || epoll_ctl(v->poll_fd, EPOLL_CTL_ADD, fds[i], &ev) < 0)
			return err_errno(err, "watch logs");
	}
	return 0;
}

int logview_open(const struct logs_query *query, const struct logview_options *opt,
		 struct logview **out, struct err *err)
{
	struct logview *v = xcalloc(1, sizeof(*v));
	int r;

	v->opt = *opt;
	v->colors = !opt->no_color && color_on(STDOUT_FILENO);
	v->reset = v->colors ? color(STDOUT_FILENO, COLOR_RESET) : "";
	v->poll_fd = v->more_fd = -1;
	r = logs_reader_new(query, &v->reader, err);
	if (r == 0 && query->follow)
		r = watch(v, err);
	if (r < 0) {
		logview_close(v);
		return r;
	}
	*out = v;
	return 0;
}

void logview_close(struct logview *v)
{
	if (!v)
		return;
	end_all_lines(v);
	(void)flush(v, NULL); /* who has closed our output does not miss it */
	for (size_t i = 0; i < v->shown.n; i++) {
		struct shown *s = v->shown.v[i];

		free(s->id);
		free(s->name);
		free(s->label);
		free(s->prefix);
		auto_close_fn(&s->live[0]);
		auto_close_fn(&s->live[1]);
		sbuf_clear(&s->held[0].text);
		sbuf_clear(&s->held[1].text);
		free(s);
	}
	free(v->shown.v);
	logs_reader_free(v->reader);
	if (v->poll_fd >= 0)
		(void)close(v->poll_fd);
	if (v->more_fd >= 0)
		(void)close(v->more_fd);
	sbuf_clear(&v->out);
	free(v);
}

void logview_close_fn(struct logview **v)
{
	logview_close(*v);
}

int logview_fd(const struct logview *v)
{
	return v->poll_fd;
}

static int add_text(struct logview *v, const struct shown *s, enum logs_stream stream,
		    const char *text, size_t len)
{
	struct logs_line line = { .source = s->source, .time_ns = now_real_ns(), .stream = stream };
	int r = 0;

	while (r == 0 && len) {
		const char *end = memchr(text, '\n', len);

		line.text = text;
		line.len = end ? (size_t)(end - text) : len;
		line.partial = !end;
		r = on_line(v, &line);
		text += line.len + (end ? 1 : 0);
		len -= line.len + (end ? 1 : 0);
	}
	return r;
}

/* Who floods has to let others speak. */
static int read_stream(struct logview *v, struct shown *s, enum logs_stream stream)
{
	enum { TURNS = 16 };
	int *fd = &s->live[stream - 1], r = 0;
	char data[4096];
	ssize_t n = 1;

	for (int k = 0; r == 0 && *fd >= 0 && n > 0 && k < TURNS; k++) {
		n = read(*fd, data, sizeof(data));
		if (n > 0)
			r = add_text(v, s, stream, data, (size_t)n);
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		auto_close_fn(fd);
		*fd = -1;
	}
	return r;
}

/* What comes from containers themselves. */
static int read_live(struct logview *v, struct err *err)
{
	int r = 0;

	v->err = err;
	for (size_t i = 0; r == 0 && i < v->shown.n; i++)
		for (enum logs_stream k = LOGS_STDOUT; r == 0 && k <= LOGS_STDERR; k++)
			r = read_stream(v, v->shown.v[i], k);
	v->err = NULL;
	return r;
}

/* Up to max records (0: all): 1 when there are more. */
static int read_some(struct logview *v, size_t max, struct err *err)
{
	size_t done = 0;
	int r;

	v->err = err;
	do {
		r = logs_reader_read(v->reader, READ_AT_ONCE, on_line, v, err);
		done += READ_AT_ONCE;
	} while (r > 0 && (!max || done < max));
	v->err = NULL;
	return r;
}

/* The reader has no news to tell of what it has not handed over yet: we do. */
static void set_more(struct logview *v, bool more)
{
	eventfd_t n;

	if (v->more_fd < 0)
		return;
	if (more)
		(void)eventfd_write(v->more_fd, 1);
	else
		(void)eventfd_read(v->more_fd, &n);
}

int logview_pump(struct logview *v, struct err *err)
{
	int r;

	tell_reader(v);
	r = read_live(v, err);
	if (r < 0)
		return r;
	r = read_some(v, v->poll_fd >= 0 ? PUMP_MAX : 0, err);
	if (r < 0)
		return r;
	set_more(v, r > 0);
	if (r == 0)
		let_go(v);
	if (r == 0 && v->poll_fd < 0)
		end_all_lines(v);
	if (!v->pumped)
		logs_reader_tail(v->reader, -1);
	v->pumped = true;
	return flush(v, err);
}

int logview_exited(struct logview *v, const struct state_container *c, bool restarting,
		   struct err *err)
{
	struct shown *s = find_id(v, c->id);
	const char *oom = container_oom(c);
	int r = logview_pump(v, err);

	if (r < 0 || !s)
		return r;
	end_lines(v, s);
	if (v->open)
		sbuf_addc(&v->out, '\n');
	v->open = NULL;
	sbuf_addf(&v->out, "%s%s exited with code %d%s%s%s%s\n", color_for(v, s), s->label,
		  c->exit_code, oom ? ": " : "", oom ? oom : "", restarting ? " (restarting)" : "",
		  v->reset);
	return flush(v, err);
}
