/* The layout of the host from texts, and which file gets which limit. */
#include <ctrcompose/cgroup.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char v1_only[] =
	"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 master:2 - cgroup cgroup rw,memory\n"
	"36 31 0:33 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n"
	"37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
	"39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
	"39 31 0:39 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n"
	"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";
static const char v2_only[] =
	"29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
static const char unified[] = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
static const char cgroups[] = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
			      "cpuset\t0\t1\t1\ncpu\t0\t1\t1\nmemory\t0\t5\t0\npids\t0\t1\t1\n";

static struct cgroup_layout parse(const char *mounts, const char *groups, const char *controllers)
{
	struct cgroup_layout l;
	auto_err struct err err = ERR_INIT;

	ck_assert_msg(cgroup_layout_parse(mounts, groups, controllers, &l, &err) == 0, "%s",
		      err_text(&err));
	return l;
}

START_TEST(v1_hierarchies_are_found_by_controller)
{
	struct cgroup_layout l = parse(v1_only, NULL, NULL);

	ck_assert_str_eq(l.v1[CGROUP_MEMORY], "/sys/fs/cgroup/memory");
	ck_assert_str_eq(l.v1[CGROUP_CPU], "/sys/fs/cgroup/cpu,cpuacct");
	ck_assert_str_eq(l.v1[CGROUP_CPUACCT], l.v1[CGROUP_CPU]);
	ck_assert_ptr_null(l.v1[CGROUP_CPUSET]);
	ck_assert_ptr_null(l.unified);
	cgroup_layout_clear(&l);
}
END_TEST

START_TEST(v2_takes_the_controllers_file)
{
	struct cgroup_layout l = parse(v2_only, cgroups, "cpuset cpu io memory pids\n");

	ck_assert_str_eq(l.unified, "/sys/fs/cgroup");
	ck_assert(l.v2[CGROUP_MEMORY] && l.v2[CGROUP_CPU] && l.v2[CGROUP_IO]);
	ck_assert(!l.v2[CGROUP_DEVICES] && !l.v2[CGROUP_CPUACCT]);
	cgroup_layout_clear(&l);
}
END_TEST

START_TEST(v2_without_the_file_asks_proc_cgroups)
{
	struct cgroup_layout l = parse(v2_only, cgroups, NULL);

	ck_assert(l.v2[CGROUP_CPU] && l.v2[CGROUP_PIDS]);
	ck_assert_msg(!l.v2[CGROUP_MEMORY], "memory is disabled at boot");
	cgroup_layout_clear(&l);
}
END_TEST

START_TEST(hybrid_leaves_v1_what_v1_has)
{
	auto_free char *both = xasprintf("%s%s", v1_only, unified);
	struct cgroup_layout l = parse(both, NULL, "hugetlb cpuset memory\n");

	ck_assert(l.v1[CGROUP_MEMORY] && !l.v2[CGROUP_MEMORY]);
	ck_assert(l.v2[CGROUP_CPUSET]);
	ck_assert_str_eq(l.unified, "/sys/fs/cgroup/unified");
	cgroup_layout_clear(&l);
}
END_TEST

START_TEST(whole_hierarchy_wins_over_a_part)
{
	struct cgroup_layout l = parse("1 2 0:1 /docker/x /a rw - cgroup c rw,pids\n"
				       "1 2 0:1 / /b\\040c rw - cgroup c rw,pids\n"
				       "1 2 0:1 / /d rw - cgroup c rw,pids\n",
				       NULL, NULL);

	ck_assert_str_eq(l.v1[CGROUP_PIDS], "/b c");
	cgroup_layout_clear(&l);
}
END_TEST

START_TEST(no_groups_is_a_sentence)
{
	auto_err struct err err = ERR_INIT;
	struct cgroup_layout l;

	ck_assert_int_eq(cgroup_layout_parse("1 2 3 / / rw - ext4 x rw\n", "", "", &l, &err),
			 -ENOENT);
	ck_assert(strstr(err_text(&err), "mount cgroup2"));
}
END_TEST

START_TEST(broken_lines_are_skipped)
{
	static const char *const bad[] = { "",
					   "-",
					   "\n\n - cgroup2",
					   "1",
					   "1 2 3 4",
					   "1 2 0:1 / /a rw cgroup2 x rw",
					   "1 2 0:1 / relative rw - cgroup2 x rw" };
	struct cgroup_layout l;

	ck_assert_int_eq(cgroup_layout_parse(bad[_i], NULL, NULL, &l, NULL), -ENOENT);
}
END_TEST

static const struct limit_case {
	struct cgroup_limits limits;
	const char *v1, *v2; /* "file=value ..." */
} limit_cases[] = {
	{ { .memory_max = 0 }, "", "" },
	{ { .memory_max = 1048576 },
	  "memory.limit_in_bytes=1048576 memory.memsw.limit_in_bytes=2097152?",
	  "memory.max=1048576 memory.swap.max=1048576?" },
	{ { .memory_max = 1000, .memory_swap_max = 1000 },
	  "memory.limit_in_bytes=1000 memory.memsw.limit_in_bytes=1000",
	  "memory.max=1000 memory.swap.max=0" },
	{ { .memory_max = 1000, .memory_swap_max = -1 },
	  "memory.limit_in_bytes=1000 memory.memsw.limit_in_bytes=-1?",
	  "memory.max=1000 memory.swap.max=max?" },
	{ { .memory_low = 7 }, "memory.soft_limit_in_bytes=7", "memory.low=7" },
	{ { .pids_max = 9 }, "pids.max=9", "pids.max=9" },
	{ { .cpu_quota_us = 50000 },
	  "cpu.cfs_period_us=100000 cpu.cfs_quota_us=50000",
	  "cpu.max=50000 100000" },
	{ { .cpu_quota_us = 5000, .cpu_period_us = 20000 },
	  "cpu.cfs_period_us=20000 cpu.cfs_quota_us=5000",
	  "cpu.max=5000 20000" },
	{ { .cpu_shares = 1024 }, "cpu.shares=1024", "cpu.weight=39" },
	{ { .cpu_shares = 262144 }, "cpu.shares=262144", "cpu.weight=10000" },
	{ { .cpu_shares = 2 }, "cpu.shares=2", "cpu.weight=1" },
	{ { .io_weight = 10 },
	  "blkio.weight=10| blkio.bfq.weight=10",
	  "io.bfq.weight=10| io.weight=1" },
	{ { .io_weight = 1000 },
	  "blkio.weight=1000| blkio.bfq.weight=1000",
	  "io.bfq.weight=1000| io.weight=10000" },
	{ { .io = (const struct cgroup_io[]){ { CGROUP_IO_READ_BPS, 8, 0, 1048576 },
					      { CGROUP_IO_WRITE_IOPS, 8, 16, 100 },
					      { CGROUP_IO_WEIGHT, 8, 0, 300 } },
	    .n_io = 3 },
	  "blkio.throttle.read_bps_device=8:0 1048576 "
	  "blkio.throttle.write_iops_device=8:16 100 "
	  "blkio.weight_device=8:0 300| blkio.bfq.weight_device=8:0 300",
	  "io.max=8:0 rbps=1048576 io.max=8:16 wiops=100 io.bfq.weight=8:0 300" },
};

START_TEST(real_time_is_of_v1_only)
{
	struct cgroup_layout one = parse(v1_only, NULL, NULL);
	struct cgroup_layout two = parse(v2_only, NULL, "cpu");
	struct cgroup_limits limits = { .cpu_rt_runtime_us = 950000, .cpu_rt_period_us = 1000000 };
	struct cgroup_writes w = { 0 };
	auto_err struct err err = ERR_INIT;

	ck_assert_int_eq(cgroup_limit_writes(&two, &limits, &w, &err), -EOPNOTSUPP);
	ck_assert_str_eq(err_text(&err),
			 "cpu_rt_period: cgroup v2 has no limits for real-time tasks");
	ck_assert_int_eq(cgroup_limit_writes(&one, &limits, &w, NULL), 0);
	ck_assert_uint_eq(w.n, 2);
	ck_assert_str_eq(w.v[0].file, "cpu.rt_period_us");
	ck_assert_str_eq(w.v[1].value, "950000");
	free(w.v);
	cgroup_layout_clear(&one);
	cgroup_layout_clear(&two);
}
END_TEST

static void expect(const struct cgroup_layout *l, const struct cgroup_limits *limits,
		   const char *want)
{
	struct cgroup_writes w = { 0 };
	auto_sbuf struct sbuf got = SBUF_INIT;

	ck_assert_int_eq(cgroup_limit_writes(l, limits, &w, NULL), 0);
	for (size_t i = 0; i < w.n; i++)
		sbuf_addf(&got, "%s%s=%s%s", i ? " " : "", w.v[i].file, w.v[i].value,
			  w.v[i].soft      ? "?"
			  : w.v[i].or_next ? "|"
					   : "");
	free(w.v);
	ck_assert_str_eq(sbuf_str(&got), want);
}

START_TEST(limits_become_writes)
{
	struct cgroup_layout one = parse(v1_only, NULL, NULL);
	struct cgroup_layout two = parse(v2_only, NULL, "cpu memory pids io");

	expect(&one, &limit_cases[_i].limits, limit_cases[_i].v1);
	expect(&two, &limit_cases[_i].limits, limit_cases[_i].v2);
	cgroup_layout_clear(&one);
	cgroup_layout_clear(&two);
}
END_TEST

START_TEST(block_io_is_added_up)
{
	uint64_t r, w;

	cgroup_io_sum("8:0 rbytes=100 wbytes=5 rios=3 wios=1 dbytes=0 dios=0\n"
		      "8:16 rbytes=1 wbytes=2 rios=1 wios=1\n",
		      &r, &w);
	ck_assert_uint_eq(r, 101);
	ck_assert_uint_eq(w, 7);
	cgroup_io_sum("254:0 Read 4096\n254:0 Write 10\n254:0 Sync 9\n7:0 Read 4\nTotal 4119\n", &r,
		      &w);
	ck_assert_uint_eq(r, 4100);
	ck_assert_uint_eq(w, 10);
	cgroup_io_sum("", &r, &w);
	ck_assert_uint_eq(r + w, 0);
}
END_TEST

START_TEST(limit_without_controller_is_an_error)
{
	struct cgroup_layout l = parse(v2_only, NULL, "cpu");
	struct cgroup_limits limits = { .memory_max = 1 };
	struct cgroup_writes w = { 0 };
	auto_err struct err err = ERR_INIT;

	ck_assert_int_eq(cgroup_limit_writes(&l, &limits, &w, &err), -EOPNOTSUPP);
	ck_assert_str_eq(err_text(&err),
			 "memory limit: the kernel offers no 'memory' controller here");
	cgroup_layout_clear(&l);
}
END_TEST

START_TEST(system_names_what_is_missing)
{
	struct cgroup_layout l = parse(v2_only, NULL, "cpu memory");
	auto_cgroup_system struct cgroup_system *sys = cgroup_system_new(&l);
	auto_sbuf struct sbuf b = SBUF_INIT;

	ck_assert(cgroup_has(sys, CGROUP_CPU) && !cgroup_has(sys, CGROUP_PIDS));
	cgroup_describe(sys, &b);
	ck_assert_str_eq(sbuf_str(&b), "control groups: v2\n"
				       "/sys/fs/cgroup: cpu memory\n"
				       "missing: pids, its limits cannot be set\n"
				       "devices: BPF program on the v2 group\n"
				       "clone into the group: yes\n");
}
END_TEST

START_TEST(hostile_paths_are_refused)
{
	static const char *const bad[] = { "", "/a", "a/", "a//b", "..", "a/../b", "." };
	struct cgroup_layout l = parse(v2_only, NULL, "cpu memory");
	auto_cgroup_system struct cgroup_system *sys = cgroup_system_new(&l);

	ck_assert_int_eq(cgroup_remove(sys, bad[_i], NULL), -EINVAL);
	ck_assert_int_eq(cgroup_kill(sys, bad[_i], 0, NULL), -EINVAL);
	ck_assert_int_eq(cgroup_group(sys, bad[_i], CGROUP_DEVICES_ANY, NULL), -EINVAL);
}
END_TEST

static const struct {
	const char *name;
	const char *plain;   /* the path where systemd does not run; NULL: refused everywhere */
	const char *systemd; /* where it does, NULL: refused; with a * in front it is a slice */
} parent_cases[] = {
	{ "/foo/bar", "foo/bar", "foo/bar" },
	{ "foo/bar", "foo/bar", "foo/bar" },
	{ "//foo///bar/", "foo/bar", "foo/bar" },
	{ "/", "", "" },
	{ "m-executor-abcd", "m-executor-abcd", "m-executor-abcd" },
	{ "a b\xc3\xa9:c", "a b\xc3\xa9:c", "a b\xc3\xa9:c" },
	{ "..a/.b/c...", "..a/.b/c...", "..a/.b/c..." },
	{ "tasks2/cgroups/memory", "tasks2/cgroups/memory", "tasks2/cgroups/memory" },
	{ "foo.slice", "foo.slice", "*foo.slice" },
	{ "/foo.slice", "foo.slice", "*foo.slice" },
	{ "foo-bar.slice", "foo-bar.slice", "*foo.slice/foo-bar.slice" },
	{ "foo.slice/foo-bar.slice", "foo.slice/foo-bar.slice", "*foo.slice/foo-bar.slice" },
	{ "a-b-c_d.e.slice", "a-b-c_d.e.slice", "*a.slice/a-b.slice/a-b-c_d.e.slice" },
	{ "-.slice", "-.slice", "" },
	{ ".slice", ".slice", ".slice" },
	{ "foo/bar.slice", "foo/bar.slice", NULL },
	{ "foo.slice/bar.slice", "foo.slice/bar.slice", NULL },
	{ "foo--bar.slice", "foo--bar.slice", NULL },
	{ "-foo.slice", "-foo.slice", NULL },
	{ "foo-.slice", "foo-.slice", NULL },
	{ "_foo.slice", "_foo.slice", NULL },
	{ "fo o.slice", "fo o.slice", NULL },
	{ "a@b.slice", "a@b.slice", NULL },
	{ "system.slice/ssh.service", "system.slice/ssh.service", NULL },
	{ "foo.slice/x", "foo.slice/x", NULL },
	{ "init.scope", "init.scope", NULL },
	{ "x/y.scope/z", "x/y.scope/z", NULL },
	{ "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q.slice", "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q.slice",
	  NULL },
	{ "", NULL, NULL },
	{ "..", NULL, NULL },
	{ "/a/../b", NULL, NULL },
	{ "a/.", NULL, NULL },
	{ "a\nb", NULL, NULL },
	{ "a\177", NULL, NULL },
	{ "cgroup.procs", NULL, NULL },
	{ "/x/memory.max", NULL, NULL },
	{ "tasks", NULL, NULL },
	{ "memory.slice", NULL, NULL },
	{ "ctrcompose", NULL, NULL },
	{ "/x/ctrcompose-12345678/shop", NULL, NULL },
	{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", NULL, NULL },
};

static void check_parent(const char *name, bool systemd, const char *expected)
{
	auto_err struct err err = ERR_INIT;
	auto_free char *path = NULL;
	bool slice = false;
	int r = cgroup_parent_path(name, systemd, &path, &slice, &err);

	if (!expected) {
		ck_assert_msg(r == -EINVAL || r == -EPERM, "'%s' is taken", name);
		ck_assert_ptr_null(path);
		ck_assert(*err_text(&err));
		return;
	}
	ck_assert_msg(r == 0, "'%s': %s", name, err_text(&err));
	ck_assert_int_eq(slice, *expected == '*');
	ck_assert_str_eq(path, expected + slice);
}

START_TEST(parents_become_paths)
{
	const char *name = parent_cases[_i].name;

	check_parent(name, false, parent_cases[_i].plain);
	check_parent(name, true, parent_cases[_i].systemd);
	ck_assert_int_eq(cgroup_parent_problem(name) != NULL, parent_cases[_i].plain == NULL);
}
END_TEST

START_TEST(a_long_name_of_a_parent_is_refused)
{
	char name[300] = { 0 };

	memset(name, 'a', 255);
	ck_assert_ptr_null(cgroup_parent_problem(name));
	name[255] = 'a';
	ck_assert_ptr_nonnull(cgroup_parent_problem(name));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cgroup");
	TCase *t = tcase_create("cgroup");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, v1_hierarchies_are_found_by_controller);
	tcase_add_test(t, v2_takes_the_controllers_file);
	tcase_add_test(t, v2_without_the_file_asks_proc_cgroups);
	tcase_add_test(t, hybrid_leaves_v1_what_v1_has);
	tcase_add_test(t, whole_hierarchy_wins_over_a_part);
	tcase_add_test(t, no_groups_is_a_sentence);
	tcase_add_loop_test(t, broken_lines_are_skipped, 0, 7);
	tcase_add_loop_test(t, limits_become_writes, 0, (int)ARRAY_LEN(limit_cases));
	tcase_add_test(t, limit_without_controller_is_an_error);
	tcase_add_test(t, real_time_is_of_v1_only);
	tcase_add_test(t, block_io_is_added_up);
	tcase_add_test(t, system_names_what_is_missing);
	tcase_add_loop_test(t, hostile_paths_are_refused, 0, 7);
	tcase_add_loop_test(t, parents_become_paths, 0, (int)ARRAY_LEN(parent_cases));
	tcase_add_test(t, a_long_name_of_a_parent_is_refused);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
