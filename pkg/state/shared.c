/* shared.c - networks that no project owns or that others than their owner have joined; state.h */
#include "internal.h"

#include <ctrcompose/json.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SUFFIX ".json"

bool state_network_name_ok(const char *name)
{
	static const char alnum[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	if (!name || !*name || strlen(name) > 200 || !strchr(alnum, *name))
		return false;
	while (*name && (strchr(alnum, *name) || strchr("_.-", *name)))
		name++;
	return *name == '\0';
}

char *state_shared_dir(const struct state_paths *p)
{
	return path_join(p->state, "networks");
}

static char *file_of(const struct state_paths *p, const char *name)
{
	return xasprintf("%s/networks/%s" SUFFIX, p->state, name);
}

int state_shared_lock(const struct state_paths *p, bool exclusive, int *out, struct err *err)
{
	auto_free char *dir = state_shared_dir(p), *file = path_join(dir, "lock");
	auto_close int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 && errno == ENOENT ? path_mkdirs(dir, 0700) : 0;

	if (r < 0)
		return err_set(err, r, "make folder %s: %s", dir, strerror(-r));
	if (fd < 0)
		fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, "open %s", file);
	while (flock(fd, exclusive ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR)
			return err_errno(err, "lock %s", file);
	*out = steal_fd(&fd);
	return 0;
}

bool state_shared_exists(const struct state_paths *p, const char *name)
{
	auto_free char *file = file_of(p, name);

	return state_network_name_ok(name) && access(file, F_OK) == 0;
}

int state_shared_load(const struct state_paths *p, const char *name, struct state_shared **out,
		      struct err *err)
{
	auto_free char *file = file_of(p, name), *text = NULL;
	auto_shared struct state_shared *s = xcalloc(1, sizeof(*s));
	auto_json struct json *j = NULL;
	const char *body = NULL;
	size_t len = 0;
	int r;

	if (!state_network_name_ok(name))
		return err_set(err, -EINVAL, "'%s' is not a valid name of a network", name);
	r = file_read(AT_FDCWD, file, STATE_SIZE_MAX, &text, &len);
	if (r == -ENOENT)
		return err_set(err, r, "no such network: %s", name);
	if (r < 0)
		return err_set(err, r, "read %s: %s", file, strerror(-r));
	r = envelope_open(text, len, file, &body, &len, err);
	if (r < 0)
		return r;
	r = json_parse(body, len, &j, err);
	if (r < 0)
		return err_wrap(err, -EBADMSG, "%s", file);
	r = table_decode(&shared_table, j, false, file, s, err);
	if (r == 0 && !json_get(j, "network"))
		r = err_set(err, -EBADMSG, "%s: network is missing", file);
	if (r == 0)
		r = table_decode(&network_table, json_get(j, "network"), false, file, &s->net, err);
	if (r == 0 && !str_eq(s->net.name, name))
		r = err_set(err, -EBADMSG, "%s: belongs to network '%s'", file, s->net.name);
	if (r < 0)
		return r;
	*out = steal(s);
	return 0;
}

int state_shared_save(const struct state_paths *p, const struct state_shared *s, struct err *err)
{
	auto_free char *file = file_of(p, s->net.name), *body = NULL;
	auto_json struct json *j = json_object();
	auto_sbuf struct sbuf text = SBUF_INIT;
	int r;

	if (!state_network_name_ok(s->net.name))
		return err_set(err, -EINVAL,
			       "'%s' is not a valid name of a network: letters, digits, '_', '.' "
			       "and '-' only",
			       s->net.name);
	table_encode(&shared_table, s, false, j);
	table_encode(&network_table, &s->net, false, json_add_object(j, "network"));
	body = json_print(j);
	envelope_add(body, &text);
	r = file_replace(AT_FDCWD, file, text.s, text.len, 0600, true);
	return r < 0 ? err_set(err, r, "write %s: %s", file, strerror(-r)) : 0;
}

int state_shared_remove(const struct state_paths *p, const char *name, struct err *err)
{
	auto_free char *file = file_of(p, name);

	return unlink(file) < 0 && errno != ENOENT ? err_errno(err, "remove %s", file) : 0;
}

int state_shared_list(const struct state_paths *p, struct strs *out, struct err *err)
{
	auto_free char *parent = state_shared_dir(p);
	DIR *dir = opendir(parent);
	struct dirent *e;

	if (!dir)
		return errno == ENOENT ? 0 : err_errno(err, "read folder %s", parent);
	while ((e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name), end = strlen(SUFFIX);

		if (len <= end || !str_eq(e->d_name + len - end, SUFFIX))
			continue;
		e->d_name[len - end] = '\0';
		if (state_network_name_ok(e->d_name))
			strs_add(out, e->d_name);
	}
	(void)closedir(dir);
	strs_sort(out);
	return 0;
}

void state_shared_free(struct state_shared *s)
{
	if (!s)
		return;
	table_clear(&network_table, &s->net);
	table_clear(&shared_table, s);
	free(s);
}

void auto_shared_fn(struct state_shared **s)
{
	state_shared_free(*s);
}

void state_network_copy(struct state_network *to, const struct state_network *from)
{
	auto_json struct json *j = json_object();

	table_encode(&network_table, from, false, j);
	(void)table_decode(&network_table, j, false, "network", to, NULL);
}

void state_network_clear(struct state_network *net)
{
	table_clear(&network_table, net);
}

/* ---- Who uses it (pure) ---- */

void state_shared_join(struct state_shared *s, const char *project)
{
	if (!strs_has(&s->users, project))
		strs_add(&s->users, project);
}

void state_shared_leave(struct state_shared *s, const char *project)
{
	if (s->owned && str_eq(s->project, project))
		s->owned = false;
	strs_remove(&s->users, project);
}

void state_shared_others(const struct state_shared *s, const char *project, struct strs *out)
{
	if (s->owned && !str_eq(s->project, project))
		strs_add(out, s->project);
	for (size_t i = 0; i < s->users.n; i++)
		if (!str_eq(s->users.v[i], project) && !strs_has(out, s->users.v[i]))
			strs_add(out, s->users.v[i]);
}

bool state_shared_used(const struct state_shared *s)
{
	return s->owned || s->users.n > 0;
}

bool state_shared_kept(const struct state_shared *s)
{
	return s->users.n > 0 || !s->project;
}

/* ---- Projects that were forgotten without a `down` ---- */

static bool has_network(const struct state_paths *p, const char *project, const char *name)
{
	auto_state struct state_project *s = NULL;

	return state_load(p, project, &s, NULL) == 0 && state_network_named(s, name);
}

void state_shared_refresh(const struct state_paths *p, struct state_shared *s)
{
	for (size_t i = s->users.n; i-- > 0;)
		if (!has_network(p, s->users.v[i], s->net.name))
			strs_remove(&s->users, s->users.v[i]);
	s->owned = s->owned && has_network(p, s->project, s->net.name);
}

/* ---- All there are ---- */

static void each_of(const struct state_project *s, state_network_fn *fn, void *arg)
{
	for (size_t i = 0; i < s->networks.n; i++)
		if (!s->networks.v[i].external)
			fn(s->name, &s->networks.v[i], arg);
}

void state_networks_each(const struct state_paths *p, const struct state_project *mine,
			 state_network_fn *fn, void *arg)
{
	auto_strs struct strs projects = { 0 }, shared = { 0 };

	(void)state_list_projects(p, &projects, NULL);
	for (size_t i = 0; i < projects.n; i++) {
		auto_state struct state_project *s = NULL;

		if ((!mine || !str_eq(projects.v[i], mine->name)) &&
		    state_load(p, projects.v[i], &s, NULL) == 0)
			each_of(s, fn, arg);
	}
	if (mine)
		each_of(mine, fn, arg);
	(void)state_shared_list(p, &shared, NULL);
	for (size_t i = 0; i < shared.n; i++) {
		auto_shared struct state_shared *s = NULL;

		if (state_shared_load(p, shared.v[i], &s, NULL) == 0 && !s->owned)
			fn(NULL, &s->net, arg);
	}
}
