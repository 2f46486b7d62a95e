/* cmd_export.c - ctrcompose export and commit: a container's files as a tar, or as an image. */
#include "containers/observe.h"
#include "files/copying.h"
#include "files/outfile.h"
#include "images/store.h"
#include "screen/screen.h"
#include "stack/online.h"

#include <ctrcompose/archive.h>
#include <ctrcompose/engine.h>
#include <ctrcompose/image.h>
#include <ctrcompose/json.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	int64_t index;
	const char *output, *author, *message;
	struct strs changes;
	bool pause;
} arg = { .pause = true };

struct task {
	struct observed *o;
	struct state_container *c;
	struct outfile out;
};

static int find(struct observed *o, char **argv, struct state_container **c, struct err *err)
{
	char *words[] = { argv[0], NULL };
	struct pick pick = { .service = argv[0], .index = arg.index };
	int r = observe(o, words, err);

	return r < 0 ? r : observe_pick(o->state, &pick, c, err);
}

/* ---- export ----------------------------------------------------------------------------------- */
static const struct opt export_opts[] = {
	{ 0, "index", OPT_INT, &arg.index, "N", "Which container, if the service has several" },
	{ 'o', "output", OPT_STRING, &arg.output, "FILE",
	  "Write to FILE instead of standard output" },
};

static int pack(void *data, struct err *err)
{
	struct task *t = data;
	auto_close int root = engine_root_frozen(&t->o->paths, t->o->state, t->c, err);
	auto_close int dir = -1;

	if (root < 0)
		return root;
	dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "read the files of %s", t->c->name);
	return archive_pack(dir, outfile_write, &t->out, err);
}

static int export_run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	struct task t = { .o = &o, .out = OUTFILE_INIT };
	int r = outfile_check(arg.output, "export", err);

	(void)argc;
	if (r == 0)
		r = find(&o, argv, &t.c, err);
	if (r == 0 && global.dry_run)
		return progress_dry("Container", t.c->name, "Exported", arg.output, err);
	if (r == 0)
		r = outfile_open(&t.out, arg.output, 0600, err);
	if (r == 0)
		r = cmd_apart(pack, &t, err);
	if (r == 0)
		r = outfile_done(&t.out, err);
	outfile_close(&t.out);
	return r;
}

const struct cmd cmd_export = {
	.name = "export",
	.summary = "Write a container's files to a tar archive, without its volumes",
	.operands = "SERVICE",
	.min_operands = 1,
	.max_operands = 1,
	CMD_OPTS(export_opts),
	.run = export_run,
};

/* ---- commit ----------------------------------------------------------------------------------- */
static const struct opt commit_opts[] = {
	{ 'a', "author", OPT_STRING, &arg.author, "NAME", "Who made it" },
	{ 'c', "change", OPT_LIST, &arg.changes, "INSTRUCTION",
	  "Apply a Dockerfile instruction (CMD, ENV, USER ...)" },
	{ 0, "index", OPT_INT, &arg.index, "N", "Which container, if the service has several" },
	{ 'm', "message", OPT_STRING, &arg.message, "TEXT", "Commit message" },
	{ 'p', "pause", OPT_FLAG, &arg.pause, NULL, "Pause it meanwhile (the default)" },
};

static void add_words(struct strs *l, const char *word, const struct words *w)
{
	auto_json struct json *list = json_array();
	auto_free char *text = NULL;

	if (!w->set)
		return;
	for (size_t i = 0; i < w->list.n; i++)
		json_add_str(list, NULL, w->list.v[i]);
	text = json_print(list);
	strs_addf(l, "%s %s", word, text);
}

/* What the service says of its containers is part of the image, as with Docker. */
static int service_changes(const struct state_container *c, struct strs *out, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct service *svc = NULL;
	int r = compose_service_from_json(&a, c->service, c->config_json, &svc, err);

	if (r < 0)
		return r;
	add_words(out, "ENTRYPOINT", &svc->entrypoint);
	add_words(out, "CMD", &svc->command);
	if (svc->user)
		strs_addf(out, "USER %s", svc->user);
	if (svc->working_dir)
		strs_addf(out, "WORKDIR %s", svc->working_dir);
	for (size_t i = 0; i < svc->environment.n; i++) {
		const struct kv *kv = &svc->environment.v[i];
		auto_sbuf struct sbuf text = SBUF_INIT;

		if (!kv->value)
			continue;
		json_quote(&text, kv->value);
		strs_addf(out, "ENV %s=%s", kv->key, sbuf_str(&text));
	}
	return 0;
}

static int pause_it(const struct state_container *c, bool pause, struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	auto_plan struct plan *plan = NULL;
	int r = online_open(&o, err);

	if (r == 0 && !o.client)
		r = daemon_connect(&o.paths, o.name, &o.client, err);
	if (r < 0)
		return r;
	plan_pause_one(o.state, c, pause, &plan);
	return daemon_apply(o.client, plan, NULL, NULL, NULL, err);
}

static int commit(struct observed *o, struct state_container *c, const char *ref, struct err *err)
{
	auto_strs struct strs changes = { 0 };
	auto_image_store struct image_store *store = NULL;
	auto_close int upper = engine_upper_open(&o->paths, c, err);
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct image_extend x = { .parent = c->image_id,
				  .folder = upper,
				  .ref = ref,
				  .message = arg.message,
				  .author = arg.author };
	char id[65];
	int r = upper < 0 ? upper : service_changes(c, &changes, err);

	for (size_t i = 0; i < arg.changes.n; i++)
		strs_add(&changes, arg.changes.v[i]);
	x.changes = (struct list){ (const char **)(uintptr_t)changes.v, changes.n };
	if (r == 0)
		r = cmd_image_store(&store, err);
	if (r == 0)
		r = image_extend(store, &x, id, err);
	if (r < 0)
		return r;
	sbuf_addf(&out, "sha256:%s\n", id);
	return cmd_print(&out, err);
}

static int commit_run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	struct state_container *c = NULL;
	bool froze = false;
	int r = find(&o, argv, &c, err);

	if (r == 0 && global.dry_run) {
		strs_clear(&arg.changes);
		return progress_dry("Container", c->name, "Committed", argc > 1 ? argv[1] : NULL,
				    err);
	}
	if (r == 0 && arg.pause && c->status == STATE_RUNNING) {
		r = pause_it(c, true, err);
		froze = r == 0;
	}
	if (r == 0 && !c->image_id)
		r = err_set(err, ENOENT, "container %s has no image", c->name);
	if (r == 0)
		r = commit(&o, c, argc > 1 ? argv[1] : NULL, err);
	if (froze) {
		auto_err struct err why = ERR_INIT;
		int again = pause_it(c, false, &why);

		if (again < 0 && r == 0)
			r = err_set(err, again, "%s", err_text(&why));
	}
	strs_clear(&arg.changes);
	return r;
}

const struct cmd cmd_commit = {
	.name = "commit",
	.summary = "Make an image of a container and what it has written",
	.operands = "SERVICE [REPOSITORY[:TAG]]",
	.min_operands = 1,
	.max_operands = 2,
	CMD_OPTS(commit_opts),
	.run = commit_run,
};
