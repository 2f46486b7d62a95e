/* Groups on the real kernel. Each test has a folder of its own in every hierarchy, and removes it.
 * Where v1 owns the controllers, a second system made of the unified hierarchy alone tries what a
 * v2 host does without controllers: kill, freeze, clone into the group, the device program; and a
 * third one without it is a host of old.
 */
#include <ctrcompose/cgroup.h>

#include <check.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static struct cgroup_system *sys;
static char root[64], group[96], box[128];

static void check_ok(int r, const struct err *err)
{
	ck_assert_msg(r == 0, "%s", err_text(err));
}
#define OK(call)                                    \
	do {                                        \
		auto_err struct err err = ERR_INIT; \
		check_ok(call, &err);               \
	} while (0)

static void setup_all(void)
{
	OK(cgroup_system_open(&sys, &err));
}

static void setup_part(bool unified)
{
	struct cgroup_layout l = { .unified = NULL };
	auto_free char *mounts = NULL;

	ck_assert_int_eq(file_read(AT_FDCWD, "/proc/self/mountinfo", 1U << 20, &mounts, NULL), 0);
	OK(cgroup_layout_parse(mounts, NULL, "", &l, &err));
	for (size_t c = 0; unified && c < CGROUP_CONTROLLERS; c++) {
		free(l.v1[c]);
		l.v1[c] = NULL;
	}
	if (!unified) {
		free(l.unified);
		l.unified = NULL;
	}
	sys = cgroup_system_new(&l);
}

static void setup_unified(void)
{
	setup_part(true);
}

static void setup_v1(void)
{
	setup_part(false);
}

static void teardown(void)
{
	OK(cgroup_kill(sys, root, 5000000, &err));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	OK(cgroup_group_remove(sys, group, &err));
	ck_assert(cgroup_is_empty(sys, root));
	cgroup_system_close(&sys);
}

/* A child that joined and then runs fn; the parent goes on once the child is in. */
static pid_t spawn(const struct cgroup *cg, void (*fn)(void))
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	int ready[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	if (cg->v2_dirfd >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cg->v2_dirfd;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (cgroup_join_self(cg) < 0 || write(ready[1], "x", 1) != 1)
			_exit(99);
		fn();
		_exit(0);
	}
	(void)close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void sleep_long(void)
{
	for (;;)
		(void)pause();
}

static int wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void make(const struct cgroup_limits *limits, struct cgroup *cg)
{
	OK(cgroup_group(sys, group, CGROUP_DEVICES_DEFAULT, &err));
	OK(cgroup_create(sys, box, limits, cg, &err));
}

static const struct cgroup_limits none = { .memory_max = 0 };

START_TEST(joined_child_is_listed_and_killed)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_free pid_t *pids = NULL;
	size_t n;
	pid_t pid;

	make(&none, &cg);
	ck_assert(cgroup_is_empty(sys, box));
	pid = spawn(&cg, sleep_long);
	OK(cgroup_pids(sys, box, &pids, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(pids[0], pid);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	OK(cgroup_kill(sys, box, 0, &err));
	ck_assert_int_eq(WTERMSIG(wait_for(pid)), SIGKILL);
	ck_assert(cgroup_is_empty(sys, box));
	OK(cgroup_remove(sys, box, &err));
	ck_assert_int_eq(cgroup_open(sys, box, &cg, NULL), -ENOENT);
}
END_TEST

static void fork_bomb(void)
{
	for (;;)
		(void)!fork();
}

START_TEST(fork_bomb_is_bounded_and_dies)
{
	struct cgroup_limits limits = { .pids_max = 50 };
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	struct cgroup_stats stats;
	pid_t pid;

	if (!cgroup_has(sys, CGROUP_PIDS))
		return;
	make(&limits, &cg);
	pid = spawn(&cg, fork_bomb);
	do
		OK(cgroup_stats(sys, box, &stats, &err));
	while (stats.pids_current < 50);
	ck_assert_uint_eq(stats.pids_max, 50);
	OK(cgroup_kill(sys, box, 0, &err));
	(void)wait_for(pid);
	OK(cgroup_kill(sys, box, 5000000, &err));
}
END_TEST

static void eat_memory(void)
{
	size_t size = 64U << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, size);
	_exit(0);
}

START_TEST(out_of_memory_is_counted)
{
	struct cgroup_limits limits = { .memory_max = 16U << 20, .memory_swap_max = 0 };
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	struct cgroup_stats stats;
	uint64_t kills;

	if (!cgroup_has(sys, CGROUP_MEMORY))
		return;
	make(&limits, &cg);
	ck_assert_int_eq(WTERMSIG(wait_for(spawn(&cg, eat_memory))), SIGKILL);
	ck_assert_int_eq(cgroup_oom_kills(sys, box, &kills), 0);
	ck_assert_uint_ge(kills, 1);
	OK(cgroup_stats(sys, box, &stats, &err));
	ck_assert_uint_eq(stats.memory_limit, 16U << 20);
	ck_assert_uint_ge(stats.memory_peak, 8U << 20);
}
END_TEST

START_TEST(limits_are_set_and_changed)
{
	struct cgroup_limits limits = {
		.memory_low = 1U << 20, .cpu_quota_us = 20000, .cpu_shares = 512, .cpuset_cpus = "0"
	};
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	int i;

	if (!cgroup_has(sys, CGROUP_CPU) || !cgroup_has(sys, CGROUP_CPUSET))
		return;
	make(&limits, &cg);
	i = WEXITSTATUS(wait_for(spawn(&cg, sync)));
	ck_assert_int_eq(i, 0);
	limits.cpu_quota_us = 1; /* less than the kernel takes */
	{
		auto_err struct err err = ERR_INIT;

		ck_assert_int_eq(cgroup_update(&cg, &limits, &err), -EINVAL);
		ck_assert_msg(strstr(err_text(&err), "write '1") && strstr(err_text(&err), "cpu."),
			      "%s", err_text(&err));
	}
	limits.cpu_quota_us = 30000;
	OK(cgroup_update(&cg, &limits, &err));
}
END_TEST

START_TEST(frozen_stands_still_and_can_be_killed)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	pid_t pid;

	make(&none, &cg);
	pid = spawn(&cg, sleep_long);
	OK(cgroup_freeze(sys, box, &err));
	OK(cgroup_thaw(sys, box, &err));
	ck_assert_int_eq(kill(pid, 0), 0);
	OK(cgroup_freeze(sys, box, &err));
	OK(cgroup_kill(sys, box, 0, &err));
	ck_assert_int_eq(WTERMSIG(wait_for(pid)), SIGKILL);
}
END_TEST

/* 1: allowed; 0: refused by the policy. In a folder of its own, since /dev may be nodev. */
static int can_open(const struct cgroup *cg, unsigned major, unsigned minor)
{
	char name[64];
	int status;
	pid_t pid;

	(void)snprintf(name, sizeof(name), "/dev/ctrcompose-test-%d-%u", (int)getpid(), minor);
	ck_assert_int_eq(mknod(name, S_IFCHR | 0600, makedev(major, minor)), 0);
	pid = fork();
	if (pid == 0) {
		/* A clone into the group is the other tests' business: move by hand here. */
		if (cgroup_join_self(cg) < 0 ||
		    (cg->v2_dirfd >= 0 && file_put(cg->v2_dirfd, "cgroup.procs", "0") < 0))
			_exit(99);
		_exit(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) >= 0 ? 1 : errno == EPERM ? 0 : 2);
	}
	status = wait_for(pid);
	(void)unlink(name);
	return WEXITSTATUS(status);
}

START_TEST(only_harmless_devices_open)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	make(&none, &cg);
	ck_assert_int_eq(can_open(&cg, 1, 3), 1);
	ck_assert_int_eq(can_open(&cg, 1, 11), 0); /* /dev/kmsg */
	OK(cgroup_group(sys, group, CGROUP_DEVICES_DEFAULT, &err));
	ck_assert_int_eq(can_open(&cg, 1, 5), 1);
	ck_assert_int_eq(can_open(&cg, 1, 11), 0);
}
END_TEST

START_TEST(extra_devices_in_an_open_group)
{
	static const struct cgroup_device kmsg = { 'c', 1, 11, "rw" };
	struct cgroup_limits limits = { .devices = &kmsg, .n_devices = 1 };
	auto_cgroup struct cgroup some = CGROUP_INIT, all = CGROUP_INIT;
	auto_free char *open_group = xasprintf("%s.open", group);
	auto_free char *a = xasprintf("%s/a", open_group), *b = xasprintf("%s/b", open_group);

	OK(cgroup_group(sys, open_group, CGROUP_DEVICES_ANY, &err));
	OK(cgroup_create(sys, a, &limits, &some, &err));
	OK(cgroup_create(sys, b, &none, &all, &err));
	ck_assert_int_eq(can_open(&some, 1, 11), 1);
	ck_assert_int_eq(can_open(&some, 10, 200), 0);
	ck_assert_int_ne(can_open(&all, 10, 200), 0);
	OK(cgroup_group_remove(sys, open_group, &err));
}
END_TEST

START_TEST(left_over_is_replaced_busy_is_not)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT, again = CGROUP_INIT, third = CGROUP_INIT;
	auto_strs struct strs names = { NULL, 0, 0 };
	pid_t pid;

	make(&none, &cg);
	OK(cgroup_create(sys, box, &none, &again, &err));
	OK(cgroup_children(sys, group, &names, &err));
	ck_assert_uint_eq(names.n, 1);
	ck_assert_str_eq(names.v[0], "box");
	pid = spawn(&again, sleep_long);
	ck_assert_int_eq(cgroup_create(sys, box, &none, &third, NULL), -EBUSY);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	(void)wait_for(pid);
}
END_TEST

START_TEST(cpu_time_is_counted)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT, open = CGROUP_INIT;
	struct cgroup_stats stats;
	pid_t pid;

	make(&none, &cg);
	OK(cgroup_open(sys, box, &open, &err));
	ck_assert_uint_eq(open.n_tasks, cg.n_tasks);
	pid = spawn(&open, eat_memory);
	(void)wait_for(pid);
	OK(cgroup_stats(sys, box, &stats, &err));
	ck_assert_uint_gt(stats.cpu_usec, 0);
}
END_TEST

static void fork_until_refused(void)
{
	int n = 1;

	for (pid_t pid; n < 50; n++) {
		pid = fork();
		if (pid < 0)
			break;
		if (pid == 0)
			sleep_long();
	}
	_exit(n);
}

static bool there(const char *path)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	return cgroup_open(sys, path, &cg, NULL) == 0;
}

/* What was there before us, with what it says, and what was made on the way to it. */
static char theirs[64];

static const char *mount_of(enum cgroup_controller c)
{
	static struct cgroup_layout l;
	auto_free char *mounts = NULL;

	if (!l.unified && !l.v1[CGROUP_MEMORY]) {
		ck_assert_int_eq(
			file_read(AT_FDCWD, "/proc/self/mountinfo", 1U << 20, &mounts, NULL), 0);
		OK(cgroup_layout_parse(mounts, NULL, "", &l, &err));
	}
	return l.v1[c] ? l.v1[c] : l.unified;
}

START_TEST(below_a_parent_only_ours_goes)
{
	auto_free char *dir = xasprintf("%s/%s", mount_of(CGROUP_PIDS), theirs);
	auto_free char *in = xasprintf("%s/new/ctrcompose-1/shop", theirs);
	auto_free char *box_in = xasprintf("%s/box", in), *parent = xasprintf("%s/new", theirs);
	struct cgroup_limits limits = { .everywhere = true };
	auto_free char *max = NULL, *control = NULL, *text = NULL, *made = NULL;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	pid_t pid;

	if (!cgroup_has(sys, CGROUP_PIDS))
		return; /* the unified hierarchy of a hybrid host: no limit to look at */
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	max = xasprintf("%s/pids.max", dir);
	ck_assert_int_eq(file_put(AT_FDCWD, max, "5"), 0);
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) {
		auto_err struct err err = ERR_INIT;

		ck_assert_int_eq(cgroup_parent_ready(sys, parent, false, &limits, &err), -EPERM);
		ck_assert_msg(strstr(err_text(&err), "/cgroup.subtree_control"), "%s",
			      err_text(&err));
		control = xasprintf("%s/cgroup.subtree_control", dir);
		ck_assert_int_eq(file_put(AT_FDCWD, control, "+cpu +memory +pids"), 0);
	}
	OK(cgroup_parent_ready(sys, parent, false, &limits, &err));
	OK(cgroup_group(sys, in, CGROUP_DEVICES_DEFAULT, &err));
	OK(cgroup_parent_ready(sys, parent, false, &limits, &err));
	OK(cgroup_create(sys, box_in, &limits, &cg, &err));
	pid = spawn(&cg, fork_until_refused);
	ck_assert_int_eq(WEXITSTATUS(wait_for(pid)), 5);
	cgroup_group_leave(sys, in);
	ck_assert_msg(there(in), "in use, and gone");
	OK(cgroup_kill(sys, box_in, 5000000, &err));
	OK(cgroup_remove(sys, box_in, &err));
	cgroup_group_leave(sys, in);
	made = xasprintf("%s/new", dir);
	ck_assert_int_ne(access(made, F_OK), 0);
	ck_assert_int_eq(file_read(AT_FDCWD, max, 64, &text, NULL), 0);
	ck_assert_str_eq(text, "5\n");
	ck_assert_int_eq(rmdir(dir), 0);
	/* In the other hierarchies the whole path was made, and is gone. */
	ck_assert(!there(theirs));
}
END_TEST

static TCase *tests(const char *name, void (*up)(void))
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, up, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, joined_child_is_listed_and_killed);
	tcase_add_test(t, fork_bomb_is_bounded_and_dies);
	tcase_add_test(t, out_of_memory_is_counted);
	tcase_add_test(t, limits_are_set_and_changed);
	tcase_add_test(t, frozen_stands_still_and_can_be_killed);
	tcase_add_test(t, only_harmless_devices_open);
	tcase_add_test(t, extra_devices_in_an_open_group);
	tcase_add_test(t, left_over_is_replaced_busy_is_not);
	tcase_add_test(t, cpu_time_is_counted);
	tcase_add_test(t, below_a_parent_only_ours_goes);
	return t;
}

int main(void)
{
	Suite *s = suite_create("cgroup on this kernel");
	SRunner *sr = srunner_create(s);
	int failed;

	(void)snprintf(root, sizeof(root), "ctrcompose-test-%d", (int)getpid());
	(void)snprintf(theirs, sizeof(theirs), "theirs-%d", (int)getpid());
	(void)snprintf(group, sizeof(group), "%s/shop", root);
	(void)snprintf(box, sizeof(box), "%s/box", group);
	suite_add_tcase(s, tests("as the host has it", setup_all));
	if (access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0)
		suite_add_tcase(s, tests("the unified hierarchy alone", setup_unified));
	if (access("/sys/fs/cgroup/memory/tasks", F_OK) == 0)
		suite_add_tcase(s, tests("the v1 hierarchies alone", setup_v1));
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	/* A failed test does not reach its teardown. */
	if (cgroup_system_open(&sys, NULL) == 0) {
		(void)cgroup_kill(sys, root, 5000000, NULL);
		(void)cgroup_remove(sys, root, NULL);
		(void)cgroup_kill(sys, theirs, 5000000, NULL);
		(void)cgroup_remove(sys, theirs, NULL);
		cgroup_system_close(&sys);
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
