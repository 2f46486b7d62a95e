/* import.c - a root file system as an image of one layer; see image.h */
#include "private.h"

#include <ctrcompose/archive.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int sink(void *arg, const void *data, size_t len, struct err *err)
{
	return archive_sink_fd(arg, data, len, err);
}

/* A folder goes through the same stream as a tar: packed by a child into a pipe. */
static int unpack_folder(int folder, bool overlay, int work, struct new_layer *l, struct err *err)
{
	int fds[2], status = 0, r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno(err, "make a pipe");
	pid = fork();
	if (pid == 0) {
		auto_err struct err why = ERR_INIT;

		(void)close(fds[0]);
		_exit((overlay ? archive_pack_layer : archive_pack)(folder, sink, &fds[1], &why) <
		      0);
	}
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return err_errno(err, "make a process");
	}
	r = layer_unpack(work, "0", false, archive_source_fd, &fds[0], l, err);
	(void)close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r == 0 && status != 0)
		r = err_set(err, EIO, "the folder could not be read to its end");
	return r;
}

static int unpack_source(const char *path, int work, struct new_layer *l, struct err *err)
{
	auto_close int fd = -1;
	int in = STDIN_FILENO;
	struct stat st;
	int r;

	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_errno(err, "open %s", path);
		if (S_ISDIR(st.st_mode)) {
			r = unpack_folder(fd, false, work, l, err);
			return r < 0 ? err_wrap(err, r, "import %s", path) : 0;
		}
		in = fd;
	}
	r = layer_unpack(work, "0", false, archive_source_fd, &in, l, err);
	return r < 0 ? err_wrap(err, r, "import %s", path) : 0;
}

static int make_config(const char *diff, const struct list *changes, const char *message,
		       struct new_image *n, struct err *err)
{
	auto_json struct json *o = json_object();
	auto_free char *hex = xasprintf("sha256:%s", diff);
	struct json *config, *root, *list;
	char now[RFC3339_LEN];
	int r = 0;

	format_rfc3339(now_real_ns(), now);
	n->created = xstrdup(now);
	json_add_str(o, "architecture", host_architecture());
	json_add_str(o, "os", "linux");
	json_add_str(o, "created", now);
	if (message)
		json_add_str(o, "comment", message);
	config = json_add_object(o, "config");
	for (size_t i = 0; r == 0 && changes && i < changes->n; i++)
		r = image_change(config, changes->v[i], err);
	root = json_add_object(o, "rootfs");
	json_add_str(root, "type", "layers");
	list = json_add_array(root, "diff_ids");
	json_add_str(list, NULL, hex);
	list = json_add_array(o, "history");
	root = json_add_object(list, NULL);
	json_add_str(root, "created", now);
	json_add_str(root, "comment", message ? message : "Imported");
	n->config = json_print(o);
	n->config_len = strlen(n->config);
	digest_text(n->config, n->config_len, n->id);
	return r;
}

int image_import(struct image_store *s, const char *path, const char *ref,
		 const struct list *changes, const char *message, char id[65], struct err *err)
{
	struct new_image n = { 0 };
	struct new_images all = { .v = &n, .n = 1 };
	struct new_layer layer = { 0 };
	auto_free char *name = NULL, *normal = NULL;
	auto_close int work = -1;
	int r = ref ? image_ref_normal(ref, &normal, err) : 0;

	if (r == 0 && normal && strchr(normal, '@'))
		r = err_set(err, EINVAL,
			    "'%s': an imported image can't have a digest of your choice", ref);
	if (r == 0) { /* bad changes are found before anything is unpacked */
		r = make_config("", changes, message, &n, err);
		new_image_clear(&n);
	}
	if (r == 0)
		r = store_work_open(s, &name, &work, err);
	if (r < 0)
		return r;
	r = unpack_source(path, work, &layer, err);
	/* What is in the store can be packed again, what came in cannot: the layer is the former. */
	if (r == 0)
		r = layer_pack_digest(work, "0", layer.diff, NULL, err);
	if (r == 0)
		r = make_config(layer.diff, changes, message, &n, err);
	if (r == 0) {
		if (normal)
			strs_add(&n.refs, normal);
		*vec_push(&n.layers) = &layer;
		r = store_commit(s, work, &all, err);
	}
	if (r == 0 && id)
		memcpy(id, n.id, DIGEST_HEX);
	store_work_remove(s, name);
	new_image_clear(&n);
	new_layer_clear(&layer);
	return r;
}

/* ---- On top of another image ------------------------------------------------------------------ */
static int extend_config(struct image_store *s, const struct image_extend *x, const char *diff,
			 struct new_image *n, struct err *err)
{
	auto_free char *hex = xasprintf("sha256:%s", diff);
	auto_json struct json *o = NULL;
	struct json *entry;
	char now[RFC3339_LEN];
	int r = image_config(s, x->parent, &o, err);

	format_rfc3339(now_real_ns(), now);
	if (r == 0 && !json_get(o, "config"))
		(void)json_add_object(o, "config");
	for (size_t i = 0; r == 0 && i < x->changes.n; i++)
		r = image_change(json_at(o, "config"), x->changes.v[i], err);
	if (r < 0)
		return r;
	json_remove(o, "created");
	json_add_str(o, "created", now);
	if (x->author) {
		json_remove(o, "author");
		json_add_str(o, "author", x->author);
	}
	json_add(json_at(json_at(o, "rootfs"), "diff_ids"), NULL, json_new_string(hex));
	if (!json_get(o, "history"))
		(void)json_add_array(o, "history");
	entry = json_add_object(json_at(o, "history"), NULL);
	json_add_str(entry, "created", now);
	if (x->author)
		json_add_str(entry, "author", x->author);
	json_add_str(entry, "comment", x->message ? x->message : "");
	n->created = xstrdup(now);
	n->config = json_print(o);
	n->config_len = strlen(n->config);
	digest_text(n->config, n->config_len, n->id);
	return 0;
}

int image_extend(struct image_store *s, const struct image_extend *x, char id[65], struct err *err)
{
	struct new_image n = { 0 };
	struct new_images all = { .v = &n, .n = 1 };
	struct new_layer layer = { 0 }, *below = NULL;
	auto_index struct index ix = { 0 };
	auto_free char *name = NULL, *normal = NULL;
	const struct index_image *parent;
	auto_close int work = -1;
	int r = x->ref ? image_ref_normal(x->ref, &normal, err) : 0;

	if (r == 0)
		r = index_read(s, &ix, err);
	parent = r == 0 ? index_by_id(&ix, x->parent) : NULL;
	if (r == 0 && !parent)
		r = err_set(err, ENOENT, "the image it was made from, sha256:%.12s, is gone",
			    x->parent);
	if (r == 0)
		r = store_work_open(s, &name, &work, err);
	if (r < 0)
		return r;
	r = unpack_folder(x->folder, true, work, &layer, err);
	if (r == 0)
		r = layer_pack_digest(work, "0", layer.diff, NULL, err);
	if (r == 0)
		r = extend_config(s, x, layer.diff, &n, err);
	below = xcalloc(parent->layers.n + 1, sizeof(*below));
	for (size_t i = 0; r == 0 && i < parent->layers.n; i++) {
		memcpy(below[i].diff, parent->layers.v[i].diff, DIGEST_HEX);
		memcpy(below[i].blob, parent->layers.v[i].blob, DIGEST_HEX);
		below[i].size = parent->layers.v[i].size;
		below[i].known = true;
		*vec_push(&n.layers) = &below[i];
	}
	if (r == 0) {
		if (normal)
			strs_add(&n.refs, normal);
		*vec_push(&n.layers) = &layer;
		r = store_commit(s, work, &all, err);
	}
	if (r == 0)
		memcpy(id, n.id, DIGEST_HEX);
	store_work_remove(s, name);
	new_image_clear(&n);
	new_layer_clear(&layer);
	free(below);
	return r;
}
