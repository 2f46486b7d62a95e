/* Records survive what happens to files, and never claim what the kernel does not confirm. */
#include <ctrcompose/state.h>

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID(c) c c c c c c c c c c c c c c c c /* 16 times */
#define ID_A  ID("a0b1")
#define ID_B  ID("a0c2")

static char base[] = "/tmp/ctrcompose-state-XXXXXX";
static struct state_paths paths;

#define OK(call)                                                             \
	do {                                                                 \
		auto_err struct err err = ERR_INIT;                          \
		ck_assert_msg((call) == 0, "%s: %s", #call, err_text(&err)); \
	} while (0)

static void setup(void)
{
	auto_free char *state = NULL, *run = NULL;

	ck_assert_ptr_nonnull(mkdtemp(base));
	state = path_join(base, "lib/state");
	run = path_join(base, "run");
	(void)setenv("CTRCOMPOSE_STATE", state, 1);
	(void)setenv("CTRCOMPOSE_RUN", run, 1);
	OK(state_paths_open(&paths, &err));
}

static void teardown(void)
{
	state_paths_clear(&paths);
	ck_assert_int_eq(path_remove_tree(AT_FDCWD, base), 0);
}

static struct state_container *add(struct state_project *s, const char *id, const char *name)
{
	struct state_container *c = state_container_add(s);

	state_set(&c->id, id);
	state_set(&c->name, name);
	state_set(&c->service, "web");
	c->number = 1;
	return c;
}

static struct state_project *sample(void)
{
	struct state_project *s = state_new("shop");
	struct state_container *c = add(s, ID_A, "shop-web-1");
	struct state_network *net = state_network_add(s);
	struct state_endpoint *e = state_endpoint_add(c);
	struct state_port *port = state_port_add(c);
	struct state_mount *m = state_mount_add(c);

	state_set(&s->working_dir, "/srv/shop \"quoted\"");
	strs_add(&s->config_files, "/srv/shop/compose.yaml");
	strs_add(&s->volumes, "shop_data");
	s->uid_base = STATE_UID_FIRST + STATE_UID_COUNT;
	state_set(&net->key, "default");
	state_set(&net->name, "shop_default");
	state_set(&net->subnet, "172.30.0.0/24");
	net->internal = true;
	state_set(&c->image, "busybox:1");
	state_set(&c->config_json, "{\"image\": \"busybox:1\"}\n");
	c->created_ns = 1764000000123456789ULL;
	c->status = STATE_RUNNING;
	c->pid = getpid();
	ck_assert_int_eq(proc_start_time(c->pid, &c->start_time), 0);
	c->want_running = true;
	c->health = STATE_HEALTHY;
	state_set(&e->network, "shop_default");
	state_set(&e->ip, "172.30.0.2");
	strs_add(&e->aliases, "web");
	port->published = 8080;
	port->target = 80;
	state_set(&port->proto, "tcp");
	state_set(&m->kind, "volume");
	state_set(&m->target, "/data");
	m->anonymous = true;
	return s;
}

static void same(const struct state_project *a, const struct state_project *b)
{
	auto_sbuf struct sbuf x = SBUF_INIT, y = SBUF_INIT;

	state_encode(a, &x);
	state_encode(b, &y);
	ck_assert_str_eq(sbuf_str(&x), sbuf_str(&y));
}

static char *record_path(void)
{
	auto_free char *dir = state_project_dir(&paths, "shop");

	return path_join(dir, "state.json");
}

START_TEST(what_was_saved_is_loaded)
{
	auto_state struct state_project *s = sample(), *t = NULL;
	const struct state_container *c;
	auto_free char *file = record_path();
	struct stat st;

	OK(state_save(&paths, s, &err));
	OK(state_load(&paths, "shop", &t, &err));
	same(s, t);
	c = t->containers.v[0];
	ck_assert_uint_eq(c->created_ns, 1764000000123456789ULL);
	ck_assert_str_eq(c->config_json, "{\"image\": \"busybox:1\"}\n");
	ck_assert_str_eq(c->endpoints.v[0].aliases.v[0], "web");
	ck_assert_uint_eq(c->ports.v[0].published, 8080);
	ck_assert(c->mounts.v[0].anonymous && c->want_running && t->networks.v[0].internal);
	ck_assert_ptr_null(c->error);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(paths.state, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
}
END_TEST

/* Refused, or the same as what was written: nothing in between. */
static void try_text(const struct state_project *s, const char *text, size_t len)
{
	auto_state struct state_project *t = NULL;
	auto_err struct err why = ERR_INIT;
	int r = state_decode(text, len, "/x/state.json", &t, &why);

	if (r == 0) {
		same(s, t);
		return;
	}
	ck_assert_msg(r == -EBADMSG || r == -EPROTO, "%d", r);
	ck_assert_msg(str_starts(err_text(&why), "/x/state.json: "), "%s", err_text(&why));
}

START_TEST(every_prefix_and_bit_flip_is_refused)
{
	auto_state struct state_project *s = sample();
	auto_sbuf struct sbuf text = SBUF_INIT;

	state_encode(s, &text);
	for (size_t n = 0; n < text.len; n++) {
		auto_state struct state_project *t = NULL;

		ck_assert_int_eq(state_decode(text.s, n, "x", &t, NULL), -EBADMSG);
	}
	for (size_t i = 0; i < text.len * 8; i++) {
		text.s[i / 8] = (char)(text.s[i / 8] ^ 1 << i % 8);
		try_text(s, text.s, text.len);
		text.s[i / 8] = (char)(text.s[i / 8] ^ 1 << i % 8);
	}
	try_text(s, text.s, text.len);
}
END_TEST

START_TEST(newer_version_is_refused_with_the_path)
{
	static const char text[] = "{\"version\":2,\"sum\":\"x\",\"state\":{}}\n";
	struct state_project *s;
	auto_err struct err why = ERR_INIT;

	ck_assert_int_eq(state_decode(text, strlen(text), "/s/state.json", &s, &why), -EPROTO);
	ck_assert_str_eq(err_text(&why), "/s/state.json: was written by a newer ctrcompose "
					 "(version 2, this one knows 1)");
}
END_TEST

START_TEST(damaged_file_names_its_path)
{
	auto_free char *file = record_path();
	auto_state struct state_project *s = sample(), *t = NULL;
	auto_err struct err why = ERR_INIT;

	OK(state_save(&paths, s, &err));
	ck_assert_int_eq(truncate(file, 0), 0);
	ck_assert_int_eq(state_load(&paths, "shop", &t, &why), -EBADMSG);
	ck_assert_msg(strstr(err_text(&why), file) && strstr(err_text(&why), "is empty"), "%s",
		      err_text(&why));
	ck_assert_int_eq(state_load(&paths, "none", &t, NULL), -ENOENT);
	ck_assert_int_eq(state_load(&paths, "../shop", &t, NULL), -EINVAL);
}
END_TEST

START_TEST(live_record_lies_over_the_durable_one_until_the_next_save)
{
	auto_state struct state_project *s = sample(), *t = NULL, *u = NULL;
	struct state_container *c = s->containers.v[0];

	state_set(&c->error, "boom");
	OK(state_save(&paths, s, &err));
	c->status = STATE_PAUSED;
	c->restarts = 3;
	state_set(&c->error, NULL);
	OK(state_live_save(&paths, s, c, &err));
	OK(state_load(&paths, "shop", &t, &err));
	same(s, t);
	ck_assert_int_eq(t->containers.v[0]->status, STATE_PAUSED);
	ck_assert_ptr_null(t->containers.v[0]->error);
	t->containers.v[0]->status = STATE_RUNNING;
	OK(state_save(&paths, t, &err));
	OK(state_load(&paths, "shop", &u, &err));
	ck_assert_int_eq(u->containers.v[0]->status, STATE_RUNNING);
}
END_TEST

START_TEST(broken_live_record_is_ignored)
{
	auto_state struct state_project *s = sample(), *t = NULL;
	auto_free char *run = state_run_dir(&paths, "shop");
	auto_free char *file = xasprintf("%s/c/%s", run, ID_A);

	OK(state_save(&paths, s, &err));
	s->containers.v[0]->restarts = 9;
	OK(state_live_save(&paths, s, s->containers.v[0], &err));
	ck_assert_int_eq(truncate(file, 40), 0);
	OK(state_load(&paths, "shop", &t, &err));
	ck_assert_uint_eq(t->containers.v[0]->restarts, 0);
}
END_TEST

START_TEST(lock_is_exclusive_and_survives_removal)
{
	auto_close int a = -1, b = -1;
	auto_err struct err why = ERR_INIT;
	auto_free char *want =
		xasprintf("project 'shop' is being changed by process %d", (int)getpid());

	OK(state_lock(&paths, "shop", 0, &a, &err));
	ck_assert_int_eq(state_lock(&paths, "shop", 0, &b, &why), -EAGAIN);
	ck_assert_str_eq(err_text(&why), want);
	ck_assert_int_eq(state_lock(&paths, "shop", 20000, &b, NULL), -EAGAIN);
	OK(state_project_remove(&paths, "shop", &err));
	OK(state_lock(&paths, "shop", 0, &b, &err));
	ck_assert_int_eq(state_lock(&paths, "shop", 0, &a, NULL), -EAGAIN);
	(void)close(steal_fd(&b));
	(void)close(steal_fd(&a));
	OK(state_lock(&paths, "shop", UINT64_MAX, &a, &err));
}
END_TEST

START_TEST(list_and_remove)
{
	auto_state struct state_project *s = sample(), *t = state_new("app");
	auto_strs struct strs names = { NULL, 0, 0 }, after = { NULL, 0, 0 };
	auto_free char *dir = state_project_dir(&paths, "shop");
	int fd;

	OK(state_list_projects(&paths, &names, &err));
	ck_assert_uint_eq(names.n, 0);
	OK(state_save(&paths, s, &err));
	OK(state_save(&paths, t, &err));
	OK(state_lock(&paths, "locked-only", 0, &fd, &err));
	(void)close(fd);
	OK(state_list_projects(&paths, &names, &err));
	ck_assert_uint_eq(names.n, 2);
	ck_assert_str_eq(names.v[0], "app");
	OK(state_project_remove(&paths, "shop", &err));
	OK(state_project_remove(&paths, "shop", &err));
	ck_assert_int_ne(access(dir, F_OK), 0);
	OK(state_list_projects(&paths, &after, &err));
	ck_assert_uint_eq(after.n, 1);
}
END_TEST

START_TEST(find_by_name_id_and_prefix)
{
	auto_state struct state_project *s = sample(), *other = state_new("other"), *in = NULL;
	struct state_container *c = NULL, *b = add(s, ID_B, "shop-db-1");
	auto_err struct err why = ERR_INIT;

	OK(state_find(s, "shop-db-1", &c, &err));
	ck_assert_ptr_eq(c, b);
	OK(state_find(s, "a0c", &c, &err));
	ck_assert_ptr_eq(c, b);
	ck_assert_int_eq(state_find(s, "a0", &c, &why), -ENOTUNIQ);
	ck_assert_str_eq(err_text(&why), "'a0' may be any of shop-web-1, shop-db-1");
	ck_assert_int_eq(state_find(s, "", &c, NULL), -ENOENT);
	(void)add(other, ID("ffff"), "other-web-1");
	OK(state_save(&paths, s, &err));
	OK(state_save(&paths, other, &err));
	OK(state_find_anywhere(&paths, "fff", &in, &c, &err));
	ck_assert_str_eq(in->name, "other");
	ck_assert_str_eq(c->name, "other-web-1");
	state_free(steal(in));
	OK(state_find_anywhere(&paths, ID_A, &in, &c, &err));
	ck_assert_str_eq(c->name, "shop-web-1");
}
END_TEST

START_TEST(removing_keeps_the_others_where_they_are)
{
	auto_state struct state_project *s = sample();
	struct state_container *a = s->containers.v[0], *b = add(s, ID_B, "b");

	state_container_remove(s, a);
	ck_assert_uint_eq(s->containers.n, 1);
	ck_assert_ptr_eq(s->containers.v[0], b);
	state_network_remove(s, "default");
	ck_assert_ptr_null(state_network_find(s, "default"));
}
END_TEST

/* a is shop-web-1; b takes its place. */
static struct state_container *successor(struct state_project *s)
{
	struct state_container *a = s->containers.v[0], *b = add(s, ID_B, "web");
	auto_free char *spare = state_spare_name(a->id, "shop-web-1");

	state_set(&b->replaces, a->id);
	state_set(&b->name, spare);
	a->status = STATE_RUNNING;
	ck_assert_str_eq(state_own_name(b), "shop-web-1");
	ck_assert_ptr_eq(state_replaced(s, b), a);
	ck_assert_ptr_eq(state_replacement(s, a->id), b);
	ck_assert_ptr_null(state_replaced(s, a));
	ck_assert_ptr_null(state_replacement(s, b->id));
	return b;
}

START_TEST(a_successor_is_not_seen_before_it_has_run)
{
	auto_state struct state_project *s = sample(), *t = NULL, *all = NULL;
	struct state_container *b = successor(s);

	OK(state_save(&paths, s, &err));
	OK(state_load(&paths, "shop", &t, &err));
	ck_assert_uint_eq(t->containers.n, 1);
	ck_assert_str_eq(t->containers.v[0]->id, ID_A);
	ck_assert_str_eq(t->containers.v[0]->name, "shop-web-1");
	OK(state_load_all(&paths, "shop", &all, &err));
	same(s, all);
	b->started_ns = 1;
	state_hide_replaced(s);
	ck_assert_uint_eq(s->containers.n, 1);
	ck_assert_ptr_eq(s->containers.v[0], b);
	ck_assert_str_eq(b->name, "shop-web-1");
	ck_assert_ptr_null(b->replaces);
}
END_TEST

START_TEST(one_that_made_way_in_vain_runs_again_by_its_name)
{
	auto_state struct state_project *s = sample();
	struct state_container *a = s->containers.v[0], *b = successor(s);

	state_set(&a->name, b->name);
	state_set(&b->name, "shop-web-1");
	a->status = STATE_EXITED;
	b->resume = true;
	state_hide_replaced(s);
	ck_assert_uint_eq(s->containers.n, 1);
	ck_assert_str_eq(s->containers.v[0]->id, ID_A);
	ck_assert_str_eq(s->containers.v[0]->name, "shop-web-1");
	ck_assert_int_eq(s->containers.v[0]->status, STATE_RESTARTING);
	b = add(s, ID_B, "web"); /* the one it names is gone */
	state_set(&b->replaces, "dead");
	state_hide_replaced(s);
	ck_assert_uint_eq(s->containers.n, 2);
	ck_assert_ptr_null(b->replaces);
}
END_TEST

START_TEST(id_ranges_are_kept_and_differ)
{
	uint32_t first, again, v[40];

	OK(state_alloc_uid_base(&paths, "shop", &first, &err));
	ck_assert_uint_ge(first, STATE_UID_FIRST);
	for (unsigned i = 0; i < ARRAY_LEN(v); i++) {
		auto_free char *name = xasprintf("p%u", i);

		OK(state_alloc_uid_base(&paths, name, &v[i], &err));
		ck_assert_uint_eq((v[i] - STATE_UID_FIRST) % STATE_UID_COUNT, 0);
		ck_assert_uint_ne(v[i], first);
		for (unsigned k = 0; k < i; k++)
			ck_assert_uint_ne(v[i], v[k]);
	}
	OK(state_alloc_uid_base(&paths, "shop", &again, &err));
	ck_assert_uint_eq(first, again);
}
END_TEST

START_TEST(exits_are_read_from_where_one_stopped)
{
	struct state_exit e = { .pid = 7, .start_time = 8, .wait_status = 256, .real_ns = 9 };
	auto_free struct state_exit *v = NULL, *w = NULL;
	uint64_t offset = 0;
	size_t n;
	int fd;

	OK(state_exits_read(&paths, "shop", &offset, &v, &n, &err));
	ck_assert_uint_eq(n, 0);
	fd = state_exits_open(&paths, "shop", NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(state_exits_append(fd, &e), 0);
	ck_assert_int_eq(write(fd, "torn", 4), 4);
	(void)close(fd);
	fd = state_exits_open(&paths, "shop", NULL);
	OK(state_exits_read(&paths, "shop", &offset, &v, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(memcmp(v, &e, sizeof(e)), 0);
	e.pid = 70;
	ck_assert_int_eq(state_exits_append(fd, &e), 0);
	(void)close(fd);
	OK(state_exits_read(&paths, "shop", &offset, &w, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(w[0].pid, 70);
}
END_TEST

START_TEST(old_exits_go_and_who_reads_misses_none)
{
	enum { MANY = 5000 };
	struct state_exit e = { .start_time = 8 };
	uint64_t offset = 0, next = 1;
	struct stat st;
	int fd = state_exits_open(&paths, "shop", NULL);

	for (e.pid = 1; e.pid <= MANY; e.pid++) {
		auto_free struct state_exit *v = NULL;
		size_t n = 0;

		ck_assert_int_eq(state_exits_append(fd, &e), 0);
		ck_assert_int_eq(state_exits_trim(&paths, "shop", &fd), 0);
		if (e.pid % 10)
			continue;
		OK(state_exits_read(&paths, "shop", &offset, &v, &n, &err));
		for (size_t i = 0; i < n; i++)
			next += v[i].pid == next; /* those seen before may come again */
		ck_assert_uint_eq(next, e.pid + 1);
	}
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_le(st.st_size, 65536);
	(void)close(fd);
}
END_TEST

START_TEST(folders_are_made_while_the_last_family_removes_them)
{
	auto_free char *run = state_run_dir(&paths, "shop"), *live = path_join(run, "c");
	pid_t remover;

	OK(state_dirs_make(&paths, "shop", &err));
	remover = fork();
	for (;;)
		if (remover == 0) {
			(void)rmdir(live);
			(void)rmdir(run);
		} else {
			break;
		}
	for (int i = 0; i < 20000; i++)
		OK(state_dirs_make(&paths, "shop", &err));
	ck_assert_int_eq(kill(remover, SIGKILL), 0);
	ck_assert_int_eq(waitpid(remover, NULL, 0), remover);
}
END_TEST

START_TEST(exit_codes_as_a_shell_has_them)
{
	ck_assert_int_eq(state_exit_code(0), 0);
	ck_assert_int_eq(state_exit_code(3 << 8), 3);
	ck_assert_int_eq(state_exit_code(9), 137);
}
END_TEST

START_TEST(refresh_believes_the_kernel)
{
	auto_state struct state_project *s = sample();
	struct state_container *gone = add(s, ID_B, "gone"), *lost = add(s, ID("1234"), "lost");
	struct state_container *fresh = add(s, ID("5678"), "fresh");
	struct state_exit e = { .pid = 4000000, .start_time = 11, .wait_status = 9, .real_ns = 99 };
	int fd = state_exits_open(&paths, "shop", NULL);
	size_t changed;

	ck_assert_int_eq(state_exits_append(fd, &e), 0);
	e.start_time = 12; /* somebody else with that number */
	e.wait_status = 0;
	ck_assert_int_eq(state_exits_append(fd, &e), 0);
	(void)close(fd);
	gone->status = STATE_RUNNING;
	gone->pid = 4000000;
	gone->start_time = 11;
	lost->status = STATE_RUNNING;
	lost->pid = getpid(); /* reused: the number lives, the process does not */
	lost->start_time = 1;
	OK(state_refresh(&paths, s, &changed, &err));
	ck_assert_uint_eq(changed, 2);
	ck_assert_int_eq(s->containers.v[0]->status, STATE_RUNNING);
	ck_assert_int_eq(gone->status, STATE_EXITED);
	ck_assert_int_eq(gone->exit_code, 137);
	ck_assert_uint_eq(gone->finished_ns, 99);
	ck_assert_int_eq(lost->status, STATE_EXITED);
	ck_assert_int_eq(lost->exit_code, 255);
	ck_assert_int_eq(lost->pid, 0);
	ck_assert_int_eq(fresh->status, STATE_CREATED);
}
END_TEST

START_TEST(nothing_runs_after_a_reboot)
{
	auto_state struct state_project *s = sample();
	struct state_container *c = s->containers.v[0], *again = add(s, ID_B, "again");
	size_t changed;

	again->status = STATE_RESTARTING;
	again->exit_code = 4;
	state_set(&s->boot_id, "00000000-1111-2222-3333-444444444444");
	OK(state_refresh(&paths, s, &changed, &err));
	ck_assert_uint_eq(changed, 2);
	ck_assert_int_eq(c->status, STATE_EXITED);
	ck_assert_int_eq(c->pid, 0);
	ck_assert(c->want_running);
	ck_assert_int_eq(again->exit_code, 4);
	OK(state_refresh(&paths, s, &changed, &err));
	ck_assert_uint_eq(changed, 0);
}
END_TEST

START_TEST(a_shared_network_lives_as_long_as_somebody_has_it)
{
	auto_shared struct state_shared *s = xcalloc(1, sizeof(*s));
	auto_strs struct strs others = { 0 };

	state_set(&s->project, "one");
	s->owned = true;
	state_shared_join(s, "two");
	state_shared_join(s, "two");
	state_shared_join(s, "three");
	ck_assert_uint_eq(s->users.n, 2);
	state_shared_others(s, "two", &others);
	ck_assert_uint_eq(others.n, 2);
	ck_assert_str_eq(others.v[0], "one");
	state_shared_leave(s, "one");
	ck_assert(!s->owned && state_shared_used(s) && state_shared_kept(s));
	state_shared_leave(s, "two");
	ck_assert(state_shared_used(s) && state_shared_kept(s));
	state_shared_leave(s, "three");
	ck_assert(!state_shared_used(s) && !state_shared_kept(s));
	s->owned = true; /* its owner's alone again: its own record says it all */
	ck_assert(state_shared_used(s) && !state_shared_kept(s));
	s->owned = false;
	state_set(&s->project, NULL); /* one that a person made */
	ck_assert(!state_shared_used(s) && state_shared_kept(s));
}
END_TEST

static void save_with_network(const char *project, const char *network, bool external)
{
	auto_state struct state_project *s = state_new(project);
	struct state_network *net = state_network_add(s);

	state_set(&net->key, "default");
	state_set(&net->name, network);
	net->external = external;
	OK(state_save(&paths, s, &err));
}

static void save_shared(const char *network, const char *project, const char *user)
{
	auto_shared struct state_shared *s = xcalloc(1, sizeof(*s));
	auto_close int lock = -1;

	OK(state_shared_lock(&paths, true, &lock, &err));
	state_set(&s->net.key, "default");
	state_set(&s->net.name, network);
	state_set(&s->project, project);
	s->owned = project != NULL;
	state_shared_join(s, user);
	OK(state_shared_save(&paths, s, &err));
}

START_TEST(shared_records_drop_projects_that_are_gone)
{
	auto_shared struct state_shared *s = NULL, *none = NULL;

	ck_assert_int_eq(state_shared_load(&paths, "net", &none, NULL), -ENOENT);
	ck_assert_int_eq(state_shared_load(&paths, "../net", &none, NULL), -EINVAL);
	save_with_network("one", "net", false);
	save_with_network("two", "net", true);
	save_shared("net", "one", "two");
	ck_assert(state_shared_exists(&paths, "net"));
	OK(state_shared_load(&paths, "net", &s, &err));
	state_shared_join(s, "ghost");
	state_shared_refresh(&paths, s);
	ck_assert(s->owned);
	ck_assert_uint_eq(s->users.n, 1);
	OK(state_project_remove(&paths, "one", &err));
	OK(state_project_remove(&paths, "two", &err));
	state_shared_refresh(&paths, s);
	ck_assert(!state_shared_used(s));
	OK(state_shared_remove(&paths, "net", &err));
	ck_assert(!state_shared_exists(&paths, "net"));
}
END_TEST

static void note_name(const char *project, const struct state_network *net, void *arg)
{
	sbuf_addf(arg, "%s/%s ", project ? project : "-", net->name);
}

START_TEST(every_network_is_seen_once)
{
	auto_sbuf struct sbuf seen = SBUF_INIT;

	save_with_network("one", "net", false);
	save_with_network("two", "net", true);
	save_shared("net", "one", "two");
	save_shared("alone", NULL, "two");
	state_networks_each(&paths, NULL, note_name, &seen);
	ck_assert_str_eq(sbuf_str(&seen), "one/net -/alone ");
}
END_TEST

START_TEST(full_or_foreign_folders_are_refused)
{
	auto_err struct err why = ERR_INIT;
	struct state_paths p;

	(void)setenv("CTRCOMPOSE_STATE", "relative", 1);
	ck_assert_int_eq(state_paths_open(&p, &why), -EINVAL);
	ck_assert_str_eq(err_text(&why), "CTRCOMPOSE_STATE: 'relative' is not an absolute path");
	ck_assert_int_eq(chmod(paths.run, 0777), 0);
	(void)setenv("CTRCOMPOSE_STATE", paths.run, 1);
	ck_assert_int_eq(state_paths_open(&p, NULL), -EPERM);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("state");
	TCase *t = tcase_create("state");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_was_saved_is_loaded);
	tcase_add_test(t, every_prefix_and_bit_flip_is_refused);
	tcase_add_test(t, newer_version_is_refused_with_the_path);
	tcase_add_test(t, damaged_file_names_its_path);
	tcase_add_test(t, live_record_lies_over_the_durable_one_until_the_next_save);
	tcase_add_test(t, broken_live_record_is_ignored);
	tcase_add_test(t, lock_is_exclusive_and_survives_removal);
	tcase_add_test(t, list_and_remove);
	tcase_add_test(t, find_by_name_id_and_prefix);
	tcase_add_test(t, removing_keeps_the_others_where_they_are);
	tcase_add_test(t, a_successor_is_not_seen_before_it_has_run);
	tcase_add_test(t, one_that_made_way_in_vain_runs_again_by_its_name);
	tcase_add_test(t, id_ranges_are_kept_and_differ);
	tcase_add_test(t, exits_are_read_from_where_one_stopped);
	tcase_add_test(t, old_exits_go_and_who_reads_misses_none);
	tcase_add_test(t, folders_are_made_while_the_last_family_removes_them);
	tcase_add_test(t, exit_codes_as_a_shell_has_them);
	tcase_add_test(t, refresh_believes_the_kernel);
	tcase_add_test(t, nothing_runs_after_a_reboot);
	tcase_add_test(t, a_shared_network_lives_as_long_as_somebody_has_it);
	tcase_add_test(t, shared_records_drop_projects_that_are_gone);
	tcase_add_test(t, every_network_is_seen_once);
	tcase_add_test(t, full_or_foreign_folders_are_refused);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
