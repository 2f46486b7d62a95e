/* store.c - named volumes: make, find, list, remove; see volume.h */
#include "private.h"

#include <ctrcompose/json.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_MAX = 1 << 20 };

int volume_store_open(int state_dirfd, const char *state_path, struct volume_store **out,
		      struct err *err)
{
	auto_close int dir = -1;

	if (mkdirat(state_dirfd, "volumes", 0700) < 0 && errno != EEXIST)
		return err_errno(err, "make %s/volumes", state_path);
	dir = openat(state_dirfd, "volumes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open %s/volumes", state_path);
	*out = xcalloc(1, sizeof(**out));
	(*out)->dir = steal_fd(&dir);
	(*out)->path = path_join(state_path, "volumes");
	return 0;
}

void volume_store_close(struct volume_store *s)
{
	if (!s)
		return;
	auto_close_fn(&s->dir);
	free(s->path);
	free(s);
}

void auto_volume_store_fn(struct volume_store **s)
{
	volume_store_close(*s);
}

void volume_record_clear(struct volume_record *r)
{
	free(r->name);
	free(r->project);
	free(r->created);
	free(r->path);
	strs_clear(&r->label_keys);
	strs_clear(&r->label_values);
	*r = (struct volume_record){ 0 };
}

void volume_records_clear(struct volume_records *l)
{
	for (size_t i = 0; i < l->n; i++)
		volume_record_clear(&l->v[i]);
	free(l->v);
	*l = (struct volume_records){ 0 };
}

bool volume_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 255 || strchr("_.-", name[0]))
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
	       n;
}

static int check_name(const char *name, struct err *err)
{
	if (volume_name_ok(name))
		return 0;
	return err_set(
		err, EINVAL,
		"'%s' is not a name of a volume: it begins with a letter or digit, then come "
		"letters, digits, '_', '.' and '-'",
		name);
}

/* ---- Records ---------------------------------------------------------------------------------- */
static int write_record(int dir, const char *name, const char *project, bool anonymous,
			const struct kvs *labels)
{
	auto_json struct json *o = json_object();
	auto_free char *text = NULL;
	char now[RFC3339_LEN];
	struct json *l;

	format_rfc3339(now_real_ns(), now);
	json_add_int(o, "version", 1);
	json_add_str(o, "name", name);
	if (project)
		json_add_str(o, "project", project);
	json_add_str(o, "created", now);
	json_add_bool(o, "anonymous", anonymous);
	l = json_add_object(o, "labels");
	for (size_t i = 0; labels && i < labels->n; i++)
		json_add_str(l, labels->v[i].key, labels->v[i].value ? labels->v[i].value : "");
	text = json_print(o);
	return file_replace(dir, "volume.json", text, strlen(text), 0600, false);
}

/* What Docker's tools know them by. */
static const char anonymous_label[] = "com.docker.volume.anonymous";

static int read_record(struct volume_store *s, const char *name, struct volume_record *out,
		       struct err *err)
{
	auto_free char *file = xasprintf("%s/volume.json", name);
	auto_free char *text = NULL;
	auto_json struct json *o = NULL;
	const struct json *labels;
	size_t len;
	int r = file_read(s->dir, file, RECORD_MAX, &text, &len);

	if (r == -ENOENT || r == -ENOTDIR)
		return err_set(err, ENOENT, "no such volume: %s", name);
	if (r < 0)
		return err_wrap(err, r, "%s/%s", s->path, file);
	r = json_parse(text, len, &o, err);
	if (r < 0)
		return err_wrap(err, r, "%s/%s", s->path, file);
	*out = (struct volume_record){ .name = xstrdup(name),
				       .created = xstrdup(json_str(o, "created", "")),
				       .anonymous = json_bool(o, "anonymous", false),
				       .path = xasprintf("%s/%s/_data", s->path, name) };
	if (json_str(o, "project", NULL))
		out->project = xstrdup(json_str(o, "project", ""));
	labels = json_get(o, "labels");
	if (out->anonymous && !json_get(labels, anonymous_label)) {
		strs_add(&out->label_keys, anonymous_label);
		strs_add(&out->label_values, "");
	}
	for (const struct json *c = json_first(labels); c; c = json_next(c)) {
		strs_add(&out->label_keys, json_key(c));
		strs_add(&out->label_values, json_string(c) ? json_string(c) : "");
	}
	return 0;
}

/* ---- Make ------------------------------------------------------------------------------------- */
int volume_create(struct volume_store *s, const char *name, const char *project, bool anonymous,
		  const struct kvs *labels, bool *created, struct err *err)
{
	auto_close int dir = -1;
	int r = check_name(name, err);

	if (r < 0)
		return r;
	if (created)
		*created = false;
	if (volume_exists(s, name))
		return 0;
	/* What a maker that was killed has left is taken over: the record comes last. */
	if (mkdirat(s->dir, name, 0700) < 0 && errno != EEXIST)
		return err_errno(err, "make %s/%s", s->path, name);
	dir = openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open %s/%s", s->path, name);
	if (mkdirat(dir, "_data", 0755) < 0 && errno != EEXIST)
		return err_errno(err, "make %s/%s/_data", s->path, name);
	r = write_record(dir, name, project, anonymous, labels);
	if (r < 0)
		return err_wrap(err, r, "write %s/%s/volume.json", s->path, name);
	if (created)
		*created = true;
	return 0;
}

/* ---- Find ------------------------------------------------------------------------------------- */
bool volume_exists(struct volume_store *s, const char *name)
{
	auto_free char *file = xasprintf("%s/volume.json", name);

	return volume_name_ok(name) && faccessat(s->dir, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int volume_find(struct volume_store *s, const char *name, struct volume_record *out,
		struct err *err)
{
	int r = check_name(name, err);

	return r < 0 ? r : read_record(s, name, out, err);
}

static int by_name(const void *a, const void *b)
{
	const struct volume_record *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int volume_list(struct volume_store *s, const char *project, struct volume_records *out,
		struct err *err)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return err_errno(err, "list %s", s->path);
	while ((e = readdir(d))) {
		struct volume_record rec;

		if (!volume_name_ok(e->d_name) || read_record(s, e->d_name, &rec, NULL) < 0)
			continue; /* half made, or not ours */
		if (project && !str_eq(rec.project, project))
			volume_record_clear(&rec);
		else
			*vec_push(out) = rec;
	}
	(void)closedir(d);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	return 0;
}

int volume_open(struct volume_store *s, const char *name, struct err *err)
{
	auto_free char *data = xasprintf("%s/_data", name);
	int r = check_name(name, err), fd;

	if (r < 0)
		return r;
	if (!volume_exists(s, name))
		return err_set(err, ENOENT, "no such volume: %s", name);
	fd = path_open_in(s->dir, data, O_PATH | O_DIRECTORY, 0);
	return fd < 0 ? err_wrap(err, fd, "open volume %s", name) : fd;
}

/* ---- Remove ----------------------------------------------------------------------------------- */
int volume_remove(struct volume_store *s, const char *name, const struct strs *users,
		  struct err *err)
{
	return volume_remove_small(s, name, users, SIZE_MAX, err);
}

int volume_move(struct volume_store *s, const char *name, int dirfd, const char *to)
{
	return renameat(s->dir, name, dirfd, to) < 0 ? -errno : 0;
}

int volume_remove_small(struct volume_store *s, const char *name, const struct strs *users,
			size_t most, struct err *err)
{
	auto_sbuf struct sbuf who = SBUF_INIT;
	auto_close int dir = -1;
	int r = check_name(name, err);

	if (r < 0)
		return r;
	for (size_t i = 0; users && i < users->n; i++)
		sbuf_addf(&who, "%s%s", i ? ", " : "", users->v[i]);
	if (who.len)
		return err_set(err, EBUSY, "volume %s is in use by %s", name, sbuf_str(&who));
	dir = openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, errno, "no such volume: %s", name);
	/* Content first: while the record is there, a removal that was cut off can be repeated. */
	r = path_remove_small(dir, "_data", most);
	if (r == 0)
		r = path_remove_tree(s->dir, name);
	if (r < 0)
		return err_wrap(err, r, "remove volume %s", name);
	return 0;
}
