/* cmd_events.c - ctrcompose events: what happens to containers, as it happens or from the past. */
#include "containers/observe.h"

#include <ctrcompose/json.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 64 << 10, LOOK_MS = 200 };

static struct {
	bool json;
	uint64_t since_ns, until_ns;
} arg;

static const struct opt opts[] = {
	{ 0, "json", OPT_FLAG, &arg.json, NULL, "One JSON object per line" },
	{ 0, "since", OPT_TIME, &arg.since_ns, "TIME", "Begin with what happened then" },
	{ 0, "until", OPT_TIME, &arg.until_ns, "TIME", "End there; in the past: do not wait" },
};

/* The file that is read, which may be rotated, removed by `down`, and made again by `up`. */
struct reader {
	char *path;
	int fd;
	struct sbuf line;
	char *const *services;
};

/* "2026-01-02 15:04:05.000000 container start <id> (image=box, name=shop-web-1)" */
static void as_text(const struct json *e, struct sbuf *out)
{
	const char *time = json_str(e, "time", "");
	bool first = true;

	sbuf_addf(out, "%.10s %.15s %s %s %s (", time, strlen(time) > 11 ? time + 11 : "",
		  json_str(e, "type", ""), json_str(e, "action", ""), json_str(e, "id", ""));
	for (const struct json *a = json_first(json_get(e, "attributes")); a; a = json_next(a)) {
		sbuf_addf(out, "%s%s=%s", first ? "" : ", ", json_key(a),
			  json_string(a) ? json_string(a) : "");
		first = false;
	}
	sbuf_adds(out, ")\n");
}

static int show(const struct reader *r, const char *line, size_t len, struct err *err)
{
	auto_json struct json *e = NULL;
	auto_sbuf struct sbuf out = SBUF_INIT;
	uint64_t when;

	if (json_parse(line, len, &e, NULL) < 0 ||
	    parse_when(json_str(e, "time", ""), 0, &when) < 0 ||
	    !cmd_wants(r->services, json_str(e, "service", "")) || when < arg.since_ns ||
	    (arg.until_ns && when > arg.until_ns))
		return 0;
	if (arg.json)
		sbuf_addf(&out, "%.*s\n", (int)len, line);
	else
		as_text(e, &out);
	return cmd_print(&out, err);
}

/* All whole lines that are there now. */
static int drain(struct reader *r, struct err *err)
{
	char buf[16384];
	ssize_t n;

	while (r->fd >= 0 && (n = read(r->fd, buf, sizeof(buf))) > 0) {
		const char *at = buf, *end = buf + n, *nl;

		for (; (nl = memchr(at, '\n', (size_t)(end - at))) != NULL; at = nl + 1) {
			int result;

			sbuf_add(&r->line, at, (size_t)(nl - at));
			result = show(r, sbuf_str(&r->line), r->line.len, err);
			r->line.len = 0;
			if (result < 0)
				return result;
		}
		if (r->line.len + (size_t)(end - at) < LINE_MAX_LEN)
			sbuf_add(&r->line, at, (size_t)(end - at));
	}
	return 0;
}

/* Another file is there now under the name: go on with that one, from its beginning. */
static bool reopen(struct reader *r)
{
	struct stat mine, there;

	if (stat(r->path, &there) < 0 ||
	    (r->fd >= 0 && fstat(r->fd, &mine) == 0 && mine.st_ino == there.st_ino))
		return false;
	auto_close_fn(&r->fd);
	r->fd = open(r->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	r->line.len = 0;
	return r->fd >= 0;
}

static int past(struct reader *r, struct err *err)
{
	auto_free char *older = xasprintf("%s.1", r->path);
	int result;

	r->fd = open(older, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	result = drain(r, err);
	auto_close_fn(&r->fd);
	r->fd = -1;
	if (result == 0 && reopen(r))
		result = drain(r, err);
	return result;
}

static int follow(struct reader *r, struct observed *o, struct err *err)
{
	auto_close int watch = observe_watch(o, err);
	int result = watch < 0 ? watch : 0;

	while (result == 0 && !cmd_cancelled) {
		result = drain(r, err);
		while (result == 0 && reopen(r))
			result = drain(r, err);
		if (result < 0 || (arg.until_ns && now_real_ns() > arg.until_ns))
			break;
		observe_sleep(watch, LOOK_MS);
	}
	return result;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	auto_free char *dir = NULL;
	struct reader r = { .fd = -1, .services = argv };
	int result = observe(&o, argv, err);

	(void)argc;
	if (result < 0)
		return result;
	cmd_catch_interrupts();
	dir = state_project_dir(&o.paths, o.name);
	r.path = path_join(dir, "events");
	if (arg.since_ns) {
		result = past(&r, err);
	} else {
		arg.since_ns = now_real_ns();
		(void)reopen(&r);
		if (r.fd >= 0)
			(void)lseek(r.fd, 0, SEEK_END);
	}
	if (result == 0 && (!arg.until_ns || now_real_ns() < arg.until_ns))
		result = follow(&r, &o, err);
	auto_close_fn(&r.fd);
	sbuf_clear(&r.line);
	free(r.path);
	return result;
}

const struct cmd cmd_events = {
	.name = "events",
	.summary = "Show what happens to containers, as it happens",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
