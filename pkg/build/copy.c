/* copy.c - COPY, ADD and WORKDIR */
#include "private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Where from ------------------------------------------------------------------------------- */
void build_source_close(struct source *src)
{
	auto_close_fn(&src->root);
	src->root = -1;
	df_ignore_free(src->own);
	src->own = NULL;
}

/* <Dockerfile>.dockerignore goes before .dockerignore. */
static int read_ignore(struct build *b, struct err *err)
{
	auto_free char *own = xasprintf("%s.dockerignore",
					b->req->dockerfile ? b->req->dockerfile : "Dockerfile");
	const char *names[] = { own, ".dockerignore" };

	b->ignore_read = true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *text = NULL;
		size_t len = 0;
		int r = context_read(b, names[i], &text, &len);

		if (r == 0)
			return df_ignore_parse(names[i], text, len, &b->ignore, err);
		if (r != -ENOENT && r != -ENOTDIR)
			return err_set(err, r, "%s: %s", names[i], strerror(-r));
	}
	return 0;
}

static int open_context(struct build *b, struct source *out, struct err *err)
{
	int r = b->ignore_read ? 0 : read_ignore(b, err);

	out->root = r < 0 ? -1 : fcntl(b->context, F_DUPFD_CLOEXEC, 0);
	out->ignore = b->ignore;
	out->what = "the context";
	return r;
}

/* A folder that a context's name stands for, without what its own .dockerignore hides. */
static int open_folder(const char *path, struct source *out, struct err *err)
{
	static const char name[] = ".dockerignore";
	auto_free char *text = NULL;
	auto_close int fd = -1;
	size_t len = 0;
	int r = 0;

	out->keep_owner = false;
	out->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->root < 0)
		return err_errno(err, "context %s: %s", out->what, path);
	fd = path_open_in(out->root, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd == -ENOENT)
		return 0;
	r = fd < 0 ? fd : file_read_fd(fd, DF_SIZE_MAX, &text, &len);
	if (r < 0)
		r = err_set(err, r, "%s: %s", name, strerror(-r));
	else
		r = df_ignore_parse(name, text, len, &out->own, err);
	out->ignore = out->own;
	if (r < 0)
		build_source_close(out);
	return r < 0 ? err_wrap(err, r, "context %s", out->what) : 0;
}

static int open_image(struct stage *s, const char *ref, struct source *out, struct err *err)
{
	struct stage other = { .b = s->b };
	auto_image struct image *img = NULL;
	int r = build_want_image(s->b, ref, err);

	if (r == 0)
		r = image_find(s->b->all->w->images, ref, &img, err);
	for (size_t i = 0; r == 0 && i < img->layers.n; i++)
		(void)snprintf((*vec_push(&other.layers)).diff, 65, "%s", img->layers.v[i]);
	out->root = r < 0 ? r : root_view(&other, err);
	free(other.layers.v);
	return out->root < 0 ? out->root : 0;
}

int build_source_open(struct stage *s, const char *from, struct source *out, struct err *err)
{
	size_t i = from ? build_earlier(s->b, from, s->index, true) : SIZE_MAX;
	const char *named = from ? build_context(s->b, from) : NULL;

	*out = (struct source){ .root = -1, .keep_owner = from != NULL, .what = from };
	if (!from)
		return open_context(s->b, out, err);
	if (i != SIZE_MAX) {
		out->root = root_view(&s->b->stages[i], err);
		return out->root < 0 ? out->root : 0;
	}
	if (named && *named == '/')
		return open_folder(named, out, err);
	if (named) {
		int r = build_context_image(s->b, named, &from, err);

		if (r < 0)
			return err_wrap(err, r, "context %s", out->what);
	}
	return open_image(s, from, out, err);
}

/* ---- What its flags say ----------------------------------------------------------------------- */
/* As the image's files say; a number alone is the group's as well, whatever they say. */
static int find_owner(struct stage *s, const char *who, uid_t *uid, gid_t *gid, struct err *err)
{
	auto_close int root = -1;
	auto_free char *passwd = NULL, *group = NULL;
	size_t np = 0, ng = 0;
	struct box_user user;
	char why[160];
	int r;

	root = root_view(s, err);
	if (root < 0)
		return root;
	for (size_t i = 0; i < 2; i++) {
		auto_close int fd = path_open_in(root, i ? "/etc/group" : "/etc/passwd",
						 O_RDONLY | O_NONBLOCK, 0);

		if (fd >= 0)
			(void)file_read_fd(fd, 1 << 20, i ? &group : &passwd, i ? &ng : &np);
	}
	r = box_user_resolve(who, NULL, 0, passwd, np, group, ng, &user, why);
	if (r < 0)
		return err_set(err, r, "%s", why);
	*uid = user.uid;
	*gid = *who && !who[strspn(who, "0123456789")] ? user.uid : user.gid;
	return 0;
}

static int read_owner(struct stage *s, const char *who, struct copy *c, struct err *err)
{
	int r = find_owner(s, who, &c->uid, &c->gid, err);

	c->own = r == 0;
	return r < 0 ? err_wrap(err, r, "--chown=%s", who) : 0;
}

static int read_mode(char **value, struct copy *c, struct err *err)
{
	char *text = *value;
	char *end;
	unsigned long v = strtoul(text, &end, 8);
	mode_t any;

	if (*text && !*end && v <= 07777)
		c->mode = (int)v;
	else if (chmod_symbolic(text, 0, false, &any) == 0)
		c->symbolic = steal(*value);
	else
		return err_set(
			err, EINVAL,
			"--chmod=%s: it is neither an octal number like 0644 nor like u=rwX,go-w",
			text);
	return 0;
}

static int read_flags(struct stage *s, const struct df_instruction *in, struct copy *c,
		      struct df_ignore **exclude, struct err *err)
{
	const char *patterns[64], *parents = df_flag(in, "parents"),
				  *unpack = df_flag(in, "unpack");
	size_t n = 0;
	int r = 0;

	c->parents = parents && strcmp(parents, "false") != 0;
	if (unpack)
		c->archives = strcmp(unpack, "false") != 0;
	for (size_t i = 0; r == 0 && i < in->n_flags; i++) {
		auto_free char *value = NULL;

		if (strcmp(in->flags[i].key, "exclude") == 0 && n < ARRAY_LEN(patterns)) {
			patterns[n++] = in->flags[i].value ? in->flags[i].value : "";
			continue;
		}
		r = stage_expand(s, in->flags[i].value ? in->flags[i].value : "", false, &value,
				 err);
		if (r == 0 && strcmp(in->flags[i].key, "chown") == 0)
			r = read_owner(s, value, c, err);
		else if (r == 0 && strcmp(in->flags[i].key, "chmod") == 0 && !c->symbolic)
			r = read_mode(&value, c, err);
	}
	if (r == 0 && n) {
		r = df_ignore_from(patterns, n, exclude, err);
		c->exclude = *exclude;
	}
	return r;
}

/* ---- COPY ------------------------------------------------------------------------------------- */
static char *in_image(const struct stage *s, const char *path)
{
	auto_free char *joined = path_join(config_text(s, "WorkingDir", "/"), path);
	auto_free char *rooted = xasprintf("/%s", joined);

	return path_clean(rooted);
}

/* What a COPY or ADD names. */
struct named {
	struct strs paths;       /* of the context */
	struct strs urls, files; /* what was fetched, as files */
	struct strs repositories;
	struct strs names, texts; /* heredocs */
	char *dest;
};

static void named_clear(struct named *n)
{
	strs_clear(&n->paths);
	strs_clear(&n->urls);
	strs_clear(&n->files);
	strs_clear(&n->repositories);
	strs_clear(&n->names);
	strs_clear(&n->texts);
	free(n->dest);
}

static int add_name(struct named *n, enum df_op op, const char *word, struct err *err)
{
	if (op == DF_ADD && df_is_git(word))
		strs_add(&n->repositories, word);
	else if (op == DF_ADD && is_address(word))
		strs_add(&n->urls, word);
	else if (op == DF_ADD && strstr(word, "://"))
		return err_set(err, ENOTSUP,
			       "'%s': ADD fetches files by http and https, and repositories", word);
	else
		strs_add(&n->paths, word);
	return 0;
}

static int collect(struct stage *s, const struct df_instruction *in, struct named *n,
		   struct err *err)
{
	size_t doc = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < in->n_words; i++) {
		auto_free char *word = NULL;

		if (doc < in->n_docs && !in->exec && str_starts(in->words[i], "<<")) {
			const struct df_heredoc *h = &in->docs[doc++];

			r = h->expand ? stage_expand(s, h->text, true, &word, err) : 0;
			strs_add(&n->names, h->name);
			strs_add(&n->texts, word ? word : h->text);
			continue;
		}
		r = stage_expand(s, in->words[i], false, &word, err);
		if (r == 0 && i + 1 == in->n_words)
			n->dest = steal(word);
		else if (r == 0)
			r = add_name(n, in->op, word, err);
	}
	return r;
}

/* What is copied from where: the context, files that were fetched, repositories. */
struct copies {
	struct copy *v;
	struct source *from; /* of each */
	size_t n;
};

static void copies_clear(struct copies *l)
{
	for (size_t i = 0; i < l->n; i++)
		build_source_close(&l->from[i]);
	free(l->v);
	free(l->from);
}

/* With --link neither the layer nor its key depends on what is below. */
static bool is_linked(const struct df_instruction *in)
{
	const char *link = df_flag(in, "link");

	return link && strcmp(link, "false") != 0;
}

static void key_head(const struct stage *s, const struct copy *c, const struct named *n,
		     bool linked, struct digest *d)
{
	auto_free char *head = xasprintf("copy %s %d %d %d %u %u %d", c->dest, c->into, c->archives,
					 c->own, c->uid, c->gid, c->mode);

	if (linked)
		key_add(d, "linked");
	else
		stage_chain(s, d);
	key_add(d, head);
	if (c->symbolic)
		key_add(d, c->symbolic);
	for (size_t i = 0; i < n->names.n; i++) {
		key_add(d, n->names.v[i]);
		key_add(d, n->texts.v[i]);
	}
}

/* Into the key, and into a root unless it is -1. */
static int pass_copies(const struct copies *l, int root, struct digest *d, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		if (l->v[i].n && i > 0)
			key_add(d, l->v[i].archives ? "unpacked" : "fetched");
		if (l->v[i].n)
			r = root < 0 ? copy_digest(&l->v[i], d, err)
				     : copy_write(&l->v[i], root, d, err);
	}
	return r;
}

static int write_texts(const struct copy *c, int root, const struct named *n, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n->names.n; i++) {
		auto_free char *path =
			c->into ? path_join(c->dest, n->names.v[i]) : xstrdup(c->dest);

		r = copy_text(c, root, path, n->texts.v[i], err);
	}
	return r;
}

/* root -1: to know whether it was done before. Else what is written is what the key says: files may have
 * become others since they were looked at. */
static int copy_pass(const struct stage *s, const struct copies *l, const struct named *n,
		     bool linked, int root, char key[DIGEST_HEX], struct err *err)
{
	struct digest *d = digest_new();
	int r;

	key_head(s, &l->v[0], n, linked, d);
	r = pass_copies(l, root, d, err);
	if (r == 0 && root >= 0)
		r = write_texts(&l->v[0], root, n, err);
	digest_end(d, key);
	return r;
}

static int copy_into(struct stage *s, const struct copies *l, const struct df_instruction *in,
		     const struct named *n, struct err *err)
{
	struct new_root root = { .fd = -1 };
	bool linked = is_linked(in);
	struct stage none = { .b = s->b };
	char key[DIGEST_HEX];
	int r = copy_pass(s, l, n, linked, -1, key, err);

	if (r < 0 || stage_cached(s, key, in->source))
		return r;
	r = root_open(linked ? &none : s, false, &root, err);
	root.alone = linked;
	if (r == 0)
		r = copy_pass(s, l, n, linked, root.fd, key, err);
	if (r < 0) {
		root_drop(&root);
		return r;
	}
	return root_keep(s, &root, key, in->source, err);
}

static char whole_folder[] = ".";
static char *all_of_it[] = { whole_folder };

/* The first is of the context, the second of files that were fetched, then one for each repository;
 * all as c says. */
static int open_sources(struct stage *s, const struct df_instruction *in, struct named *n,
			const struct copy *c, struct copies *l, struct err *err)
{
	const char *unpack = df_flag(in, "unpack"), *written = df_flag(in, "checksum");
	auto_free char *checksum = NULL;
	int r = written ? stage_expand(s, written, false, &checksum, err) : 0;

	l->n = 2 + n->repositories.n;
	l->v = xcalloc(l->n, sizeof(*l->v));
	l->from = xcalloc(l->n, sizeof(*l->from));
	for (size_t i = 0; i < l->n; i++) {
		l->from[i] = (struct source){ .root = -1, .what = "what was fetched" };
		l->v[i] = *c;
		l->v[i].src = &l->from[i];
		if (i == 0)
			continue;
		/* An archive stays one unless somebody says so. */
		l->v[i].archives = unpack && strcmp(unpack, "false") != 0;
		l->v[i].exclude = i > 1 ? c->exclude : NULL;
		l->v[i].parents = false;
	}
	if (r == 0 && n->urls.n)
		r = fetch_all(s, &n->urls, checksum, &n->files, &l->from[1].root, err);
	for (size_t i = 2; r == 0 && i < l->n; i++) {
		l->v[i].paths = all_of_it;
		l->v[i].n = 1;
		l->v[i].archives = false;
		r = fetch_repository(s, n->repositories.v[i - 2], df_flag(in, "keep-git-dir"),
				     checksum, &l->from[i].root, err);
	}
	if (r == 0 && n->paths.n)
		r = build_source_open(s, df_flag(in, "from"), &l->from[0], err);
	l->v[0].paths = n->paths.v;
	l->v[0].n = n->paths.n;
	l->v[1].paths = n->files.v;
	l->v[1].n = n->files.n;
	return r;
}

static int check_checksum(const struct df_instruction *in, const struct named *n, struct err *err)
{
	if (df_flag(in, "keep-git-dir") && !n->repositories.n)
		return err_set(err, EINVAL, "--keep-git-dir is for a repository");
	if (!df_flag(in, "checksum"))
		return 0;
	if (n->urls.n + n->repositories.n == 0)
		return err_set(err, EINVAL, "--checksum is for an address");
	return n->urls.n + n->repositories.n > 1
		       ? err_set(err, EINVAL, "--checksum is for one address")
		       : 0;
}

static int check_from(const struct df_instruction *in, struct err *err)
{
	const char *from = df_flag(in, "from");

	if (from && strchr(from, '$'))
		return err_set(err, ENOTSUP,
			       "--from=%s: it can't have variables: name a stage with FROM, which "
			       "can",
			       from);
	return 0;
}

static bool is_folder(const char *dest)
{
	return str_ends(dest, "/") || strcmp(dest, ".") == 0 || strcmp(dest, "..") == 0 ||
	       str_ends(dest, "/.") || str_ends(dest, "/..");
}

int step_copy(struct stage *s, const struct df_instruction *in, struct err *err)
{
	auto_free char *clean = NULL, *symbolic = NULL;
	auto_df_ignore struct df_ignore *exclude = NULL;
	struct copy c = { .mode = -1, .archives = in->op == DF_ADD };
	struct copies l = { 0 };
	struct named n = { 0 };
	int r = collect(s, in, &n, err);

	if (r == 0)
		r = read_flags(s, in, &c, &exclude, err);
	symbolic = c.symbolic;
	if (r == 0)
		r = check_from(in, err);
	if (r == 0)
		r = check_checksum(in, &n, err);
	if (r == 0) {
		clean = in_image(s, n.dest);
		c.dest = clean;
		c.into = is_folder(n.dest) || c.parents;
		if (!c.into && n.paths.n + n.names.n + n.urls.n + n.repositories.n > 1)
			r = err_set(
				err, EINVAL,
				"more than one source: '%s' has to be a folder and end with a /",
				n.dest);
	}
	if (r == 0)
		r = open_sources(s, in, &n, &c, &l, err);
	if (r == 0)
		r = copy_into(s, &l, in, &n, err);
	copies_clear(&l);
	named_clear(&n);
	return r;
}

/* ---- WORKDIR ---------------------------------------------------------------------------------- */
int step_workdir(struct stage *s, const struct df_instruction *in, struct err *err)
{
	auto_free char *word = NULL, *path = NULL;
	struct new_root root = { .fd = -1 };
	struct digest *d;
	char key[DIGEST_HEX];
	const char *user = config_text(s, "User", NULL);
	uid_t uid = 0;
	gid_t gid = 0;
	int r = stage_expand(s, in->text, false, &word, err), dir;

	if (r < 0)
		return r;
	path = in_image(s, word);
	json_remove(stage_config(s), "WorkingDir");
	json_add_str(stage_config(s), "WorkingDir", path);
	d = digest_new();
	stage_chain(s, d);
	key_add(d, "workdir");
	key_add(d, path);
	if (user)
		key_add(d, user);
	digest_end(d, key);
	if (stage_cached(s, key, in->source))
		return 0;
	if (user)
		r = find_owner(s, user, &uid, &gid, err);
	if (r == 0)
		r = root_open(s, false, &root, err);
	if (r < 0)
		return r;
	dir = mkdirs_owned(root.fd, path, uid, gid);
	if (dir < 0) {
		root_drop(&root);
		return err_set(err, dir, "make %s: %s", path, strerror(-dir));
	}
	(void)close(dir);
	return root_keep(s, &root, key, in->source, err);
}
