/* job.c - which stage goes on next; see build.h */
#include "private.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { TURN_MS = 200, STAGES_MAX = 1000 };

void step_event(struct stage *s, enum build_event_kind kind, const char *text, size_t len)
{
	const struct build_world *w = s->b->all->w;
	struct build_event e = { .kind = kind,
				 .name = s->b->req->name,
				 .step = s->shown,
				 .title = s->title,
				 .text = text,
				 .len = len };

	if (w->event)
		w->event(w->arg, &e);
}

/* ---- Reading ---------------------------------------------------------------------------------- */
int context_read(const struct build *b, const char *name, char **text, size_t *len)
{
	auto_close int fd = -1;

	if (!b->req->fetched)
		return file_read(b->context, name, DF_SIZE_MAX, text, len);
	fd = path_open_in(b->context, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	return fd < 0 ? fd : file_read_fd(fd, DF_SIZE_MAX, text, len);
}

static int read_file(struct build *b, struct err *err)
{
	const struct build_request *req = b->req;
	const char *name = req->dockerfile ? req->dockerfile : "Dockerfile";
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (req->inline_text)
		return dockerfile_parse("dockerfile_inline", req->inline_text,
					strlen(req->inline_text), &b->file, err);
	r = context_read(b, name, &text, &len);
	if (r < 0)
		return err_set(err, r, "%s in %s: %s", name, req->context, strerror(-r));
	return dockerfile_parse(name, text, len, &b->file, err);
}

static int find_target(struct build *b, struct err *err)
{
	const struct dockerfile *f = b->file;
	uint64_t number;

	b->target = f->n_stages - 1;
	if (!b->req->target)
		return 0;
	for (size_t i = f->n_stages; i-- > 0;)
		if (f->stages[i].name && strcasecmp(f->stages[i].name, b->req->target) == 0) {
			b->target = i;
			return 0;
		}
	if (parse_u64(b->req->target, &number) < 0 || number >= f->n_stages)
		return err_set(err, ENOENT, "%s has no stage '%s'", f->name, b->req->target);
	b->target = number;
	return 0;
}

const char *build_context(const struct build *b, const char *name)
{
	const struct kvs *l = &b->req->contexts;
	const char *exact = kvs_get(l, name);
	auto_free char *normal = NULL;

	if (exact || l->n == 0 || image_ref_normal(name, &normal, NULL) < 0)
		return exact;
	for (size_t i = 0; i < l->n; i++) {
		auto_free char *other = NULL;

		if (image_ref_normal(l->v[i].key, &other, NULL) == 0 && strcmp(normal, other) == 0)
			return l->v[i].value;
	}
	return NULL;
}

static int layout_image(struct builder *all, const char *named, const char **ref, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct image_layout which;
	char id[65];
	int r = 0;

	if (map_has(&all->layouts, named)) {
		*ref = map_get(&all->layouts, named);
		return 0;
	}
	r = image_layout_parse(&a, named, &which, err);
	if (r == 0)
		r = image_load_layout(all->w->images, &which, id, err);
	if (r < 0)
		return r;
	map_put(&all->layouts, named, xasprintf("sha256:%s", id));
	*ref = map_get(&all->layouts, named);
	return 0;
}

int build_context_image(const struct build *b, const char *named, const char **ref, struct err *err)
{
	static const char image[] = "docker-image://";

	if (str_starts(named, "oci-layout://"))
		return layout_image(b->all, named, ref, err);
	if (!str_starts(named, image))
		return err_set(err, ENOTSUP, "'%s' is neither a folder nor an image", named);
	*ref = named + strlen(image);
	return 0;
}

size_t build_earlier(const struct build *b, const char *name, size_t before, bool numbers)
{
	uint64_t number;

	if (kvs_get(&b->req->contexts, name))
		return SIZE_MAX;
	for (size_t i = before; i-- > 0;)
		if (b->file->stages[i].name && strcasecmp(b->file->stages[i].name, name) == 0)
			return i;
	if (numbers && parse_u64(name, &number) == 0 && number < before)
		return number;
	return SIZE_MAX;
}

static void need(struct stage *s, const char *name, bool numbers)
{
	size_t i = build_earlier(s->b, name, s->index, numbers);

	if (i != SIZE_MAX)
		s->needs[i] = true;
}

static void read_needs(struct stage *s, const struct df_instruction *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct df_instruction *in = &v[i];

		for (size_t k = 0; k < in->n_flags; k++) {
			auto_free char *from = flag_from(&in->flags[k]);

			if (from)
				need(s, from, true);
		}
	}
}

/* Stages that the target does not lead to are not built. */
static void mark(struct build *b, size_t i)
{
	if (b->stages[i].status != STAGE_UNUSED)
		return;
	b->stages[i].status = STAGE_WAITS;
	for (size_t k = 0; k < i; k++)
		if (b->stages[i].needs[k])
			mark(b, k);
}

void stage_needs(struct stage *s, const struct df_instruction *v, size_t n)
{
	read_needs(s, v, n);
	for (size_t i = 0; i < s->index; i++)
		if (s->needs[i])
			mark(s->b, i);
}

static int make_stages(struct build *b, struct err *err)
{
	b->n = b->file->n_stages;
	if (b->n > STAGES_MAX)
		return err_set(err, E2BIG, "%s has more than %d stages", b->file->name, STAGES_MAX);
	b->stages = xcalloc(b->n, sizeof(*b->stages));
	for (size_t i = 0; i < b->n; i++) {
		struct stage *s = &b->stages[i];
		auto_free char *base = NULL;
		int r;

		*s = (struct stage){ .b = b,
				     .def = &b->file->stages[i],
				     .index = i,
				     .status = STAGE_UNUSED,
				     .needs = xcalloc(i + 1, sizeof(bool)) };
		r = build_expand(b, s->def->base, &base, err);
		if (r < 0)
			return err_wrap(err, r, "%s:%u", b->file->name, s->def->from->line);
		need(s, base, false);
		read_needs(s, s->def->v, s->def->n);
	}
	mark(b, b->target);
	return 0;
}

int build_open(struct build *b, struct err *err)
{
	int r;

	b->context = open(b->req->context, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->context < 0)
		return err_errno(err, "the context %s", b->req->context);
	r = read_file(b, err);
	if (r == 0)
		r = find_target(b, err);
	if (r == 0)
		r = build_globals(b, err);
	if (r == 0)
		r = make_stages(b, err);
	return r < 0 ? err_wrap(err, r, "%s", b->req->name) : 0;
}

/* ---- One step ----------------------------------------------------------------------------------- */
static void announce(struct stage *s, const struct df_instruction *in)
{
	const char *stage = s->def->name ? s->def->name : "";
	const char *several = s->b->n > 1 && !*stage ? "stage-" : "";
	auto_free char *number = *several ? xasprintf("%zu", s->index) : xstrdup("");

	if (s->announced) {
		s->announced = false;
		return;
	}
	free(s->title);
	s->step++;
	s->shown = ++s->b->all->steps;
	s->title = xasprintf("[%s %s%s%s%s%u/%u] %s", s->b->req->name, stage, several, number,
			     s->b->n > 1 ? " " : "", s->step, s->n_steps, in->source);
	step_event(s, BUILD_STEP, NULL, 0);
}

static int step(struct stage *s, const struct df_instruction *in, struct err *err)
{
	int r;

	if (config_step(in->op))
		return config_apply(s, in, err);
	announce(s, in);
	s->cached = false;
	r = in->op == DF_RUN       ? step_run(s, in, err)
	    : in->op == DF_WORKDIR ? step_workdir(s, in, err)
				   : step_copy(s, in, err);
	if (r == 0 && !s->cached)
		step_event(s, BUILD_DONE, NULL, 0);
	return r;
}

/* ---- FROM ------------------------------------------------------------------------------------- */
static void from_nothing(struct stage *s)
{
	s->config = json_object();
	json_add_str(s->config, "architecture", strs_value(&s->b->globals, "TARGETARCH"));
	json_add_str(s->config, "os", "linux");
	(void)json_add_object(s->config, "config");
	(void)snprintf(s->created, sizeof(s->created), "1970-01-01T00:00:00Z");
}

static void from_stage(struct stage *s, const struct stage *base)
{
	s->config = json_copy(base->config);
	for (size_t i = 0; i < base->layers.n; i++)
		*vec_push(&s->layers) = base->layers.v[i];
	for (size_t i = 0; i < base->args.n; i++)
		strs_add(&s->args, base->args.v[i]);
	memcpy(s->created, base->created, sizeof(s->created));
}

static int from_image(struct stage *s, const char *ref, struct err *err)
{
	struct image_store *store = s->b->all->w->images;
	const struct json *ids;
	int r;

	r = image_config(store, ref, &s->config, err);
	if (r < 0)
		return r;
	json_remove(s->config, IMAGE_STEPS_KEY); /* of its own build */
	ids = json_get(json_get(s->config, "rootfs"), "diff_ids");
	for (const struct json *c = json_first(ids); c; c = json_next(c)) {
		const char *id = json_string(c);

		if (!id || !str_starts(id, "sha256:") || !digest_hex_ok(id + 7))
			return err_set(err, EBADMSG, "image '%s' has a layer without a digest",
				       ref);
		(void)snprintf((*vec_push(&s->layers)).diff, DIGEST_HEX, "%s", id + 7);
	}
	image_layer_sizes(store, s->layers.v, s->layers.n);
	(void)snprintf(s->created, sizeof(s->created), "%.35s", json_str(s->config, "created", ""));
	return 0;
}

/* A folder that the request has for the name: its content is the image. */
static int from_folder(struct stage *s, const char *name, struct err *err)
{
	const char *words[] = { ".", "/" };
	auto_free char *source = xasprintf("FROM %s", name);
	struct df_pair from = { "from", name };
	const struct df_instruction in = { .op = DF_COPY,
					   .source = source,
					   .flags = &from,
					   .n_flags = 1,
					   .words = words,
					   .n_words = 2 };

	from_nothing(s);
	s->n_steps++;
	return step(s, &in, err);
}

/* What the base image wants done first in each image made from it. */
static int take_triggers(struct stage *s, struct err *err)
{
	const struct json *there = json_get(stage_config(s), "OnBuild");
	auto_json struct json *list = NULL;
	int r = 0;

	if (json_kind(there) != JSON_ARRAY)
		return 0;
	list = json_copy(there);
	json_remove(stage_config(s), "OnBuild");
	s->triggers = xcalloc(json_count(list) + 1, sizeof(struct dockerfile *));
	for (const struct json *c = json_first(list); r == 0 && c; c = json_next(c))
		r = dockerfile_parse_trigger(json_string(c) ? json_string(c) : "",
					     &s->triggers[s->n_triggers++], err);
	return r;
}

static int base_image(struct stage *s, const char *base, const char *named, struct err *err)
{
	int r = named ? build_context_image(s->b, named, &base, err) : 0;

	return r < 0 ? err_wrap(err, r, "context %s", base) : from_image(s, base, err);
}

static int from_base(struct stage *s, struct err *err)
{
	struct build *b = s->b;
	auto_free char *base = NULL;
	const char *named;
	size_t i;
	int r = build_expand(b, s->def->base, &base, err);

	if (r < 0)
		return r;
	i = build_earlier(b, base, s->index, false);
	named = build_context(b, base);
	if (i != SIZE_MAX)
		from_stage(s, &b->stages[i]);
	else if (strcmp(base, "scratch") == 0)
		from_nothing(s);
	else if (named && *named == '/')
		r = from_folder(s, base, err);
	else
		r = base_image(s, base, named, err);
	if (r == 0 && !stage_env(s, "PATH"))
		config_env(s, "PATH", BUILD_PATH);
	return r < 0 ? r : take_triggers(s, err);
}

static int check_platform(struct stage *s, struct err *err)
{
	auto_free char *platform = NULL;
	int r = s->def->platform ? build_expand(s->b, s->def->platform, &platform, err) : 0;

	if (r == 0 && platform && *platform && !build_platform_ok(platform))
		r = err_set(err, ENOTSUP, "--platform=%s: only this machine's own, %s, is built",
			    platform, build_platform());
	return r;
}

/* Triggers may name stages of this file, which nobody has asked for until now, and images that other
 * builds make. 1: one of them is not done. */
static int need_more(struct stage *s, struct err *err)
{
	bool waits = false;
	int r;

	for (size_t i = 0; i < s->n_triggers; i++)
		stage_needs(s, s->triggers[i]->stages[0].v, 1);
	for (size_t i = 0; i < s->index; i++)
		waits |= s->needs[i] && s->b->stages[i].status != STAGE_DONE;
	r = build_order_triggers(s, err);
	return r < 0 ? r : r > 0 || waits;
}

/* 1: it has to wait. */
static int begin(struct stage *s, struct err *err)
{
	const struct json *shell;
	int r = check_platform(s, err);

	for (size_t i = 0; i < s->def->n; i++)
		s->n_steps += !config_step(s->def->v[i].op);
	if (r == 0)
		r = from_base(s, err);
	s->started = true;
	if (r < 0)
		return err_wrap(err, r, "%s:%u", s->b->file->name, s->def->from->line);
	shell = json_get(stage_config(s), "Shell");
	for (const struct json *c = json_first(shell); c; c = json_next(c))
		if (json_string(c))
			strs_add(&s->shell, json_string(c));
	for (size_t i = 0; i < s->n_triggers; i++)
		s->n_steps += !config_step(s->triggers[i]->stages[0].v[0].op);
	return need_more(s, err);
}

/* ---- Steps ------------------------------------------------------------------------------------ */
static const struct df_instruction *next_of(struct stage *s)
{
	if (s->trigger < s->n_triggers)
		return &s->triggers[s->trigger++]->stages[0].v[0];
	return s->at < s->def->n ? &s->def->v[s->at++] : NULL;
}

/* The step has to be tried again. */
static void put_back(struct stage *s)
{
	if (s->at == 0 && s->trigger > 0)
		s->trigger--;
	else
		s->at--;
	s->announced = true;
}

static int failed(struct stage *s, int r, unsigned line, const char *source, struct err *err)
{
	if (s->title)
		step_event(s, BUILD_FAILED, NULL, 0);
	return err_wrap(err, r, "%s:%u: %s", s->b->file->name, line, source);
}

static const struct df_instruction *last_of(const struct stage *s)
{
	return s->at ? &s->def->v[s->at - 1] : s->def->from;
}

/* On until a RUN is in the background or nothing is left. */
static int advance(struct stage *s, struct err *err)
{
	const struct df_instruction *in;
	int r = s->started ? 0 : begin(s, err);

	if (r > 0) {
		s->status = STAGE_WAITS;
		return 0;
	}
	while (r == 0) {
		if (s->b->all->w->cancelled && *s->b->all->w->cancelled)
			return -EINTR;
		in = next_of(s);
		if (!in) {
			s->status = STAGE_DONE;
			return 0;
		}
		r = step(s, in, err);
		if (r == -EAGAIN) {
			put_back(s);
			s->b->all->waits = true;
			s->status = STAGE_READY;
			return r;
		}
		if (r < 0)
			return failed(s, r, in->line, in->source, err);
	}
	if (r > 0)
		s->status = STAGE_RUNS;
	return r < 0 ? r : 0;
}

static bool is_ready(const struct stage *s)
{
	if (s->status == STAGE_READY)
		return true;
	if (s->status != STAGE_WAITS)
		return false;
	for (size_t i = 0; i < s->index; i++)
		if (s->needs[i] && s->b->stages[i].status != STAGE_DONE)
			return false;
	for (size_t i = 0; s->b->after && i < s->b->all->n; i++)
		if (s->b->after[i] && !s->b->all->v[i].committed)
			return false;
	return true;
}

static int turn(struct stage *s, struct err *err)
{
	int r = run_turn(s, err);

	if (r < 0)
		return failed(s, r, last_of(s)->line, last_of(s)->source, err);
	if (r == 0) {
		step_event(s, BUILD_DONE, NULL, 0);
		s->status = STAGE_READY;
	}
	return 0;
}

/* ---- All of them ------------------------------------------------------------------------------ */
struct wait {
	struct pollfd *v;
	size_t n, cap;
};

static void wait_for(struct wait *w, int fd)
{
	if (fd >= 0)
		*vec_push(w) = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* As soon as its target is there: another build may begin with it. */
static int commit(struct build *b, struct err *err)
{
	struct stage *s = &b->stages[b->target];
	auto_free char *text = NULL;
	int r;

	if (b->committed || s->status != STAGE_DONE)
		return 0;
	build_cache_inline(s);
	r = config_finish(s, &text, err);
	if (r == 0)
		r = image_commit(b->all->w->images, text, s->layers.v, s->layers.n, &b->req->tags,
				 b->all->ids[b - b->all->v], err);
	b->committed = r == 0;
	return r < 0 ? err_wrap(err, r, "%s", b->req->name) : 0;
}

/* One look at every stage. *busy: something runs. */
static int round_trip(struct builder *all, struct wait *w, bool *moved, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->n; i++)
		for (size_t k = 0; r == 0 && k < all->v[i].n; k++) {
			struct stage *s = &all->v[i].stages[k];
			int out, end, ctl;

			if (s->status == STAGE_RUNS)
				r = turn(s, err);
			if (r == 0 && is_ready(s)) {
				r = advance(s, err);
				*moved |= r == 0;
				if (r == -EAGAIN) {
					err_clear(err);
					r = 0;
				}
			}
			if (r == 0)
				r = commit(s->b, err);
			if (r < 0 || s->status != STAGE_RUNS)
				continue;
			run_fds(s->run, &out, &end, &ctl);
			wait_for(w, out);
			wait_for(w, end);
			wait_for(w, ctl);
		}
	return r;
}

static int work(struct builder *all, struct err *err)
{
	for (;;) {
		struct wait w = { 0 };
		bool moved = false, busy;
		int r;

		all->waits = false;
		r = round_trip(all, &w, &moved, err);

		busy = w.n > 0 || all->waits;
		wait_for(&w, build_net_fd(all));
		if (r == 0 && !moved && busy)
			(void)poll(w.v, w.n, TURN_MS);
		free(w.v);
		build_net_turn(all);
		if (r < 0)
			return r;
		if (all->w->cancelled && *all->w->cancelled)
			return err_set(err, EINTR, "the build was interrupted");
		if (!moved && !busy)
			return 0;
	}
}

static void stage_clear(struct stage *s)
{
	run_abort(s);
	for (size_t i = 0; i < s->n_triggers; i++)
		dockerfile_free(s->triggers[i]);
	free(s->triggers);
	free(s->needs);
	free(s->title);
	free(s->layers.v);
	json_free(s->config);
	strs_clear(&s->args);
	strs_clear(&s->shell);
}

void build_clear(struct build *b)
{
	for (size_t i = 0; b->stages && i < b->n; i++)
		stage_clear(&b->stages[i]);
	free(b->stages);
	free(b->after);
	image_steps_clear(&b->steps);
	df_ignore_free(b->ignore);
	dockerfile_free(b->file);
	strs_clear(&b->globals);
	auto_close_fn(&b->context);
}

int build_run(const struct build_world *w, const struct build_request *req, size_t n,
	      char (*ids)[65], struct err *err)
{
	struct builder all = { .w = w,
			       .v = xcalloc(n + 1, sizeof(struct build)),
			       .n = n,
			       .ids = ids,
			       .userns = -1,
			       .mark = -1 };
	int r = 0;

	for (size_t i = 0; i < n; i++)
		all.v[i] = (struct build){ .all = &all, .req = &req[i], .context = -1 };
	r = image_hold(w->images, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = build_open(&all.v[i], err);
	if (r == 0)
		r = build_order(&all, err);
	if (r == 0)
		r = build_cache_in(&all, err);
	if (r == 0)
		r = work(&all, err);
	if (r == 0)
		r = build_cache_out(&all, err);
	for (size_t i = 0; i < n; i++)
		build_clear(&all.v[i]);
	run_world_close(&all);
	image_work_close(all.work);
	build_cache_close(&all);
	for (size_t i = 0; i < all.layouts.n; i++)
		free(all.layouts.entries[i].value);
	map_clear(&all.layouts);
	free(all.v);
	return r;
}
