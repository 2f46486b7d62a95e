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
		int r = file_read(b->context, names[i], DF_SIZE_MAX, &text, &len);

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

static int open_image(struct stage *s, const char *ref, struct source *out, struct err *err)
{
	struct stage other = { .b = s->b };
	auto_image struct image *img = NULL;
	int r = image_find(s->b->all->w->images, ref, &img, err);

	for (size_t i = 0; r == 0 && i < img->layers.n; i++)
		(void)snprintf((*vec_push(&other.layers)).diff, 65, "%s", img->layers.v[i]);
	out->root = r < 0 ? r : root_view(&other, err);
	free(other.layers.v);
	return out->root < 0 ? out->root : 0;
}

static struct stage *stage_named(struct build *b, const char *name, size_t before)
{
	uint64_t number;

	for (size_t i = before; i-- > 0;)
		if (b->stages[i].def->name && strcasecmp(b->stages[i].def->name, name) == 0)
			return &b->stages[i];
	if (parse_u64(name, &number) == 0 && number < before)
		return &b->stages[number];
	return NULL;
}

int build_source_open(struct stage *s, const char *from, struct source *out, struct err *err)
{
	struct stage *other = from ? stage_named(s->b, from, s->index) : NULL;
	const char *named = from ? kvs_get(&s->b->req->contexts, from) : NULL;

	*out = (struct source){ .root = -1, .keep_owner = from != NULL, .what = from };
	if (!from)
		return open_context(s->b, out, err);
	if (other) {
		out->root = root_view(other, err);
		return out->root < 0 ? out->root : 0;
	}
	if (named && *named == '/') {
		out->keep_owner = false;
		out->root = open(named, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return out->root < 0 ? err_errno(err, "context %s: %s", from, named) : 0;
	}
	if (named && str_starts(named, "docker-image://"))
		from = named + strlen("docker-image://");
	else if (named)
		return err_set(err, ENOTSUP, "context %s: '%s' is neither a folder nor an image",
			       from, named);
	return open_image(s, from, out, err);
}

/* ---- What its flags say ----------------------------------------------------------------------- */
static int read_owner(struct stage *s, const char *who, struct copy *c, struct err *err)
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
		auto_free char *self = xasprintf("/proc/self/fd/%d", fd);

		if (fd >= 0)
			(void)file_read(AT_FDCWD, self, 1 << 20, i ? &group : &passwd,
					i ? &ng : &np);
	}
	r = box_user_resolve(who, NULL, 0, passwd, np, group, ng, &user, why);
	if (r < 0)
		return err_set(err, r, "--chown=%s: %s", who, why);
	c->own = true;
	c->uid = user.uid;
	c->gid = user.gid;
	return 0;
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
	if (df_flag(in, "keep-git-dir"))
		return err_set(err, ENOTSUP,
			       "--keep-git-dir is for repositories, which ADD does not fetch");
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

static int collect(struct stage *s, const struct df_instruction *in, struct strs *paths,
		   struct strs *urls, struct strs *names, struct strs *texts, char **dest,
		   struct err *err)
{
	size_t doc = 0;

	for (size_t i = 0; i < in->n_words; i++) {
		auto_free char *word = NULL;
		int r;

		if (doc < in->n_docs && !in->exec && str_starts(in->words[i], "<<")) {
			const struct df_heredoc *h = &in->docs[doc++];

			r = h->expand ? stage_expand(s, h->text, true, &word, err) : 0;
			if (r < 0)
				return r;
			strs_add(names, h->name);
			strs_add(texts, word ? word : h->text);
			continue;
		}
		r = stage_expand(s, in->words[i], false, &word, err);
		if (r < 0)
			return r;
		if (i + 1 == in->n_words)
			*dest = steal(word);
		else if (in->op == DF_ADD && (str_ends(word, ".git") || str_starts(word, "git@") ||
					      (strstr(word, "://") && !is_address(word))))
			return err_set(
				err, ENOTSUP,
				"'%s': ADD fetches files by http and https, no repositories: "
				"use RUN with git",
				word);
		else if (in->op == DF_ADD && is_address(word))
			strs_add(urls, word);
		else
			strs_add(paths, word);
	}
	return 0;
}

static int copy_all(const struct copy *c, const struct copy *fetched, int root,
		    const struct strs *names, const struct strs *texts, struct err *err)
{
	int r = c->n ? copy_write(c, root, err) : 0;

	if (r == 0 && fetched->n)
		r = copy_write(fetched, root, err);
	for (size_t i = 0; r == 0 && i < names->n; i++) {
		auto_free char *path = c->into ? path_join(c->dest, names->v[i]) : xstrdup(c->dest);

		r = copy_text(c, root, path, texts->v[i], err);
	}
	return r;
}

static int copy_key(const struct stage *s, const struct copy *c, const struct copy *fetched,
		    const struct strs *names, const struct strs *texts, char key[DIGEST_HEX],
		    struct err *err)
{
	struct digest *d = digest_new();
	auto_free char *head = xasprintf("copy %s %d %d %d %u %u %d", c->dest, c->into, c->archives,
					 c->own, c->uid, c->gid, c->mode);
	int r;

	stage_chain(s, d);
	key_add(d, head);
	if (c->symbolic)
		key_add(d, c->symbolic);
	for (size_t i = 0; i < names->n; i++) {
		key_add(d, names->v[i]);
		key_add(d, texts->v[i]);
	}
	r = c->n ? copy_digest(c, d, err) : 0;
	if (r == 0 && fetched->n) {
		key_add(d, fetched->archives ? "unpacked" : "fetched");
		r = copy_digest(fetched, d, err);
	}
	digest_end(d, key);
	return r;
}

static int copy_into(struct stage *s, const struct copy *c, const struct copy *fetched,
		     const struct df_instruction *in, const struct strs *names,
		     const struct strs *texts, struct err *err)
{
	struct new_root root = { .fd = -1 };
	char key[DIGEST_HEX];
	int r = copy_key(s, c, fetched, names, texts, key, err);

	if (r < 0 || stage_cached(s, key, in->source))
		return r;
	r = root_open(s, false, &root, err);
	if (r == 0)
		r = copy_all(c, fetched, root.fd, names, texts, err);
	if (r < 0) {
		root_drop(&root);
		return r;
	}
	r = root_keep(s, &root, key, err);
	if (r == 0)
		config_history(s, in->source, false);
	return r;
}

int step_copy(struct stage *s, const struct df_instruction *in, struct err *err)
{
	auto_strs struct strs paths = { 0 }, names = { 0 }, texts = { 0 }, urls = { 0 },
			      files = { 0 };
	auto_free char *dest = NULL, *clean = NULL, *symbolic = NULL;
	auto_df_ignore struct df_ignore *exclude = NULL;
	struct source src = { .root = -1 }, other = { .root = -1, .what = "what was fetched" };
	struct copy c = { .src = &src, .mode = -1, .archives = in->op == DF_ADD }, fetched;
	const char *unpack = df_flag(in, "unpack"), *checksum = df_flag(in, "checksum");
	int r = collect(s, in, &paths, &urls, &names, &texts, &dest, err);

	if (r == 0)
		r = read_flags(s, in, &c, &exclude, err);
	symbolic = c.symbolic;
	if (r == 0 && checksum && urls.n == 0)
		r = err_set(err, EINVAL, "--checksum is for an address");
	if (r == 0 && urls.n)
		r = fetch_all(s, &urls, checksum, &files, &other.root, err);
	if (r == 0 && paths.n)
		r = build_source_open(s, df_flag(in, "from"), &src, err);
	if (r < 0) {
		build_source_close(&other);
		return r;
	}
	clean = in_image(s, dest);
	c.dest = clean;
	c.paths = paths.v;
	c.n = paths.n;
	c.into = str_ends(dest, "/") || strcmp(dest, ".") == 0 || str_ends(dest, "/.") ||
		 paths.n + names.n + urls.n > 1 || c.parents;
	fetched = c;
	fetched.src = &other;
	fetched.paths = files.v;
	fetched.n = files.n;
	fetched.exclude = NULL;
	/* An archive stays one unless somebody says so. */
	fetched.archives = unpack && strcmp(unpack, "false") != 0;
	r = copy_into(s, &c, &fetched, in, &names, &texts, err);
	build_source_close(&src);
	build_source_close(&other);
	return r;
}

/* ---- WORKDIR ---------------------------------------------------------------------------------- */
int step_workdir(struct stage *s, const struct df_instruction *in, struct err *err)
{
	auto_free char *word = NULL, *path = NULL;
	struct new_root root = { .fd = -1 };
	struct digest *d;
	char key[DIGEST_HEX];
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
	digest_end(d, key);
	if (stage_cached(s, key, in->source))
		return 0;
	r = root_open(s, false, &root, err);
	if (r < 0)
		return r;
	dir = path_mkdirs_in(root.fd, path, 0755);
	if (dir < 0) {
		root_drop(&root);
		return err_set(err, dir, "make %s: %s", path, strerror(-dir));
	}
	(void)close(dir);
	r = root_keep(s, &root, key, err);
	if (r == 0)
		config_history(s, in->source, false);
	return r;
}
