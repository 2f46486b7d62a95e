/* box_share_test.c - what containers share with each other, and what each is given of the host */
#include "box_trial.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* Links such as /var/log/x -> /dev/stdout in images open the pipe anew. */
START_TEST(dev_stdout_can_be_opened)
{
	struct trial t;
	auto_free char *root = NULL, *user = NULL;

	trial_init(&t);
	root = shell(&t, "echo one > /dev/stdout; echo two > /dev/stderr");
	has(root, "one\ntwo\n");
	trial_init(&t);
	t.plain = true;
	t.spec.process.user = "1000";
	user = shell(&t, "id -u; echo three > /dev/stdout");
	has(user, "1000\nthree\n");
}
END_TEST

START_TEST(dev_stdout_of_a_user)
{
	struct box_exec_spec spec = BOX_EXEC_INIT;
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	sleeper(&t);
	spec.process.user = "user";
	out = exec_shell(&t, &spec, "echo four > /dev/stdout");
	has(out, "four\n");
	end(&t);
}
END_TEST

START_TEST(files_and_mounts_by_depth)
{
	static const struct box_mount mounts[] = {
		{ "/etc/app/conf.d", -1, "mode=755", false },
		{ "/etc", -1, "mode=755", false },
		{ "/etc/app", -1, "mode=755", false },
		{ "/etc/given", -1, "mode=700", false },
	};
	static const struct box_file files[] = {
		{ .target = "/etc/app/conf.d/a.conf", .data = "deep\n", .len = 5 },
		{ .target = "/etc/hosts", .data = "1.2.3.4\n", .len = 8 },
	};
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	t.spec.mounts = mounts;
	t.spec.n_mounts = ARRAY_LEN(mounts);
	t.spec.files = files;
	t.spec.n_files = ARRAY_LEN(files);
	t.spec.process.user = "0";
	out = shell(&t, "cat /etc/app/conf.d/a.conf /etc/hosts; ls -d /etc/given");
	has(out, "deep\n1.2.3.4\n/etc/given\n");
}
END_TEST

START_TEST(working_folder_of_a_read_only_root)
{
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	t.spec.read_only = true;
	t.spec.process.cwd = "/work/deep";
	out = shell(&t, "pwd; touch x");
	has(out, "/work/deep\n");
	has(out, "Read-only file system");
}
END_TEST

/* CVE-2024-21626: a working folder that is one of our descriptors. */
START_TEST(working_folder_through_a_descriptor)
{
	auto_free char *cwd = NULL;
	char why[300] = "";

	for (int fd = 3; fd < 32; fd++) {
		auto_err struct err err = ERR_INIT;
		struct trial t;

		trial_init(&t);
		free(steal(cwd));
		cwd = xasprintf("/proc/self/fd/%d", fd);
		t.spec.process.cwd = cwd;
		t.argv[0] = "pwd";
		ck_assert_int_eq(trial_begin(&t, &err), 0);
		ck_assert_msg(trial_status(&t, &err) < 0, "%s was entered", cwd);
		(void)snprintf(why, sizeof(why), "%s", err_text(&err));
		ck_assert_int_eq(t.box.exit_code, 125);
		(void)reap(&t);
		(void)close(t.out);
	}
	has(why, "enter the working folder '/proc/self/fd/31'");
}
END_TEST

START_TEST(devices_belong_to_the_containers_root)
{
	const struct box_device devices[] = {
		{ .host = "/dev/kmsg", .target = "/dev/sub/log" },
		{ .host = "/dev/full", .target = "/dev/null" },
		{ .host = "/dev/zero", .target = "/opt/nothing" },
		{ .host = "/nosuch",
		  .target = "/dev/given",
		  .given = true,
		  .mode = S_IFBLK | 0640,
		  .number = makedev(8, 300),
		  .uid = 7,
		  .gid = 9 },
		{ .target = "/opt/fifo", .given = true, .mode = S_IFIFO | 0600 },
	};
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	t.spec.devices = devices;
	t.spec.n_devices = ARRAY_LEN(devices);
	out = shell(
		&t,
		"stat -c '%n %t:%T %u:%g %a' /dev/zero /dev/null /opt/nothing; stat -c '%n "
		"%t:%T' /dev/sub/log; stat -c '%n %t:%T %u:%g %a %F' /dev/given /opt/fifo; ls -ld /dev /dev/sub; ls -a /dev; echo x > /dev/null; "
		"cat /opt/nothing | wc -c & sleep 0.1; mknod /dev/x c 1 3");
	has(out, "/dev/zero 1:5 0:0 666\n/dev/null 1:7 0:0 666\n/opt/nothing 1:5 0:0 666\n");
	has(out, "/dev/sub/log 1:b\n");
	has(out, "/dev/given 8:12c 7:9 640 block special file\n/opt/fifo 0:0 0:0 600 fifo\n");
	has(out, "No space left on device");
	has(out, "mknod: /dev/x: Operation not permitted");
	hasnt(out, "nobody");
	hasnt(out, ".device");
}
END_TEST

/* ---- Hooks ------------------------------------------------------------------------------------- */
#define SHELL_HOOK(inside_, text)                                                     \
	{                                                                             \
		.inside = (inside_), .name = "test", .at = "here", .path = "/bin/sh", \
		.args = (const char *const[]){ "sh", "-c", (text), NULL },            \
		.env = (const char *const[]){ "PATH=/bin:/usr/bin", "MARK=x", NULL }, \
		.timeout_s = 20                                                       \
	}
#define BUNDLE "b=$(sed 's/.*\"bundle\":\"//; s/\".*//'); "

START_TEST(hooks_see_the_root_and_leave_nothing)
{
	const struct box_hook hooks[] = {
		SHELL_HOOK(true, BUNDLE "[ -e $b/config.json ] && [ -x $b/rootfs/bin/sh ] && echo "
					"$MARK$$ >$b/rootfs/from-inside; sleep 1000 & exit 0"),
		SHELL_HOOK(false, BUNDLE "[ -x $b/rootfs/bin/sh ] && [ -e $b/config.json ]"),
	};
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	t.spec.hooks = hooks;
	t.spec.n_hooks = ARRAY_LEN(hooks);
	t.spec.id = "trial";
	out = shell(&t, "cat /from-inside; cat /proc/mounts; ls /proc/fs /; ps; "
			"ls /proc/self/fd");
	has(out, "x2\n");
	hasnt(out, "rootfs");
	hasnt(out, "config.json");
	hasnt(out, "sleep");
}
END_TEST

START_TEST(a_hook_that_fails_is_told_of)
{
	const struct {
		struct box_hook hook;
		const char *want;
	} cases[] = {
		{ SHELL_HOOK(true, "echo why; exit 9"),
		  "the test hook /bin/sh (here) exited with 9: why" },
		{ SHELL_HOOK(false, "echo why; kill -9 $$"),
		  "the test hook /bin/sh (here) was ended by SIGKILL: why" },
		{ SHELL_HOOK(true, "seq 1 100000 >&2; exit 1"),
		  "exited with 1: 99996; 99997; 99998; 99999; 100000" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct trial t;

		trial_init(&t);
		t.argv[0] = "true";
		t.spec.hooks = &cases[i].hook;
		t.spec.n_hooks = 1;
		ck_assert_int_eq(trial_begin(&t, &err), 0);
		ck_assert(trial_status(&t, &err) < 0);
		has(err_text(&err), cases[i].want);
		ck_assert_int_eq(t.box.exit_code, 125);
		(void)reap(&t);
		(void)close(t.out);
	}
}
END_TEST

START_TEST(shares_pid_ipc_and_shm)
{
	struct trial t, x;
	auto_free char *put = NULL, *out = NULL;
	struct box_exec_spec spec = BOX_EXEC_INIT;

	trial_init(&t);
	sleeper(&t);
	put = exec_shell(&t, &spec, "echo mine > /dev/shm/seen; ls /dev/mqueue; id -u");
	has(put, "0\n");
	trial_init(&x);
	x.spec.pid = x.spec.ipc = BOX_JOIN;
	x.spec.pidns_fd = ns_of(t.box.pid, "pid");
	x.spec.ipcns_fd = ns_of(t.box.pid, "ipc");
	x.spec.shm_mntns_fd = ns_of(t.box.pid, "mnt");
	out = second(&x, "cat /dev/shm/seen; ps; echo me $$; grep mqueue /proc/mounts; cat "
			 "/proc/self/uid_map; touch /only-here");
	has(out, "mine\n");
	has(out, "sleep 1000");
	hasnt(out, "me 1\n");
	has(out, "mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec");
	has(out, "1877999616      65536");
	end(&t);
}
END_TEST

/* The other one is in the host's user namespace: this one still has its own. */
START_TEST(joins_one_without_user_namespace)
{
	struct trial t, x;
	auto_free char *out = NULL, *at = NULL;
	int userns = rootfs_userns(BASE, 65536, NULL);

	trial_init(&t);
	t.plain = true;
	sleeper(&t);
	at = xasprintf("%s/at", store);
	ck_assert_int_eq(rootfs_attach_idmapped(store, at, userns, NULL), 0);
	trial_init(&x);
	x.spec.net = BOX_NET_JOIN;
	x.spec.netns_fd = ns_of(t.box.pid, "net");
	out = second(&x, "id -u; cat /proc/self/uid_map; readlink /proc/self/ns/net; touch /x");
	has(out, "0\n");
	has(out, "1877999616      65536");
	hasnt(out, "touch");
	end(&t);
}
END_TEST

START_TEST(limits_are_a_tables_or_the_specs)
{
	static const struct box_rlimit limits[] = { { RLIMIT_NOFILE, 64, 128, true } };
	struct rlimit ours = { 100, 4096 };
	struct box_exec_spec spec = BOX_EXEC_INIT;
	struct trial t;
	auto_free char *out = NULL;
	auto_free char *again = NULL;

	ck_assert_int_eq(setrlimit(RLIMIT_STACK, &(struct rlimit){ 1 << 20, RLIM_INFINITY }), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &ours), 0);
	trial_init(&t);
	t.spec.rlimits = limits;
	t.spec.n_rlimits = 1;
	t.spec.oom_score_adj = 321;
	sleeper(&t);
	out = exec_shell(&t, &spec, "cat /proc/1/limits /proc/1/oom_score_adj");
	has(out, "Max open files            64                   128                  files");
	has(out, "Max stack size            8388608              unlimited            bytes");
	has(out, "Max core file size        0 ");
	has(out, "\n321\n");
	again = exec_shell(&t, &spec, "cat /proc/self/limits /proc/self/oom_score_adj");
	has(again, "Max open files            64                   128                  files");
	has(again, "Max stack size            8388608              unlimited            bytes");
	has(again, "\n321\n");
	end(&t);
}
END_TEST

START_TEST(sysctls_of_ones_own_only)
{
	static const struct {
		const char *key;
		bool ok;
	} cases[] = {
		{ "net.core.somaxconn", true },     { "kernel.shmmax", true },
		{ "fs.mqueue.msg_max", true },      { "kernel.panic", false },
		{ "vm.overcommit_memory", false },  { "net/../kernel.panic", false },
		{ "net../../kernel/panic", false }, { "", false },
		{ "kernel.hostname", false },       { "kernel.core_pattern", false },
		{ "fs.mqueue/../file-max", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_err struct err err = ERR_INIT;
		const struct box_sysctl one = { cases[i].key, "512" };
		struct trial t;
		int r;

		trial_init(&t);
		t.spec.sysctls = &one;
		t.spec.n_sysctls = 1;
		t.argv[0] = "true";
		r = trial_begin(&t, &err);
		ck_assert_msg((r == 0) == cases[i].ok, "%s: %s", cases[i].key, err_text(&err));
		if (r == 0) {
			ck_assert_msg(trial_status(&t, &err) == 0, "%s", err_text(&err));
			(void)reap(&t);
		}
		(void)close(t.out);
	}
}
END_TEST

START_TEST(sysctl_values)
{
	static const struct box_sysctl some[] = { { "net.core.somaxconn", "777" },
						  { "kernel.shmmni", "99" } };
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	t.spec.sysctls = some;
	t.spec.n_sysctls = 2;
	out = shell(&t, "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmni "
			"/proc/sys/net/ipv4/ip_unprivileged_port_start "
			"/proc/sys/net/ipv4/ping_group_range");
	has(out, "777\n99\n0\n0\t65535\n");
}
END_TEST

START_TEST(keyring_of_its_own)
{
	struct trial t;
	auto_free char *out = NULL;

	ck_assert_int_ge(syscall(SYS_keyctl, 1 /* join */, "box-test-host"), 0);
	ck_assert_int_ge(syscall(SYS_add_key, "user", "box-test-key", "secret", 6, -3), 0);
	trial_init(&t);
	t.spec.masked = (const char *const[]){ NULL };
	out = shell(&t, "cat /proc/keys; echo done");
	hasnt(out, "box-test");
	has(out, "done");
}
END_TEST

int main(void)
{
	const TTest *tests[] = { dev_stdout_can_be_opened,
				 dev_stdout_of_a_user,
				 files_and_mounts_by_depth,
				 working_folder_of_a_read_only_root,
				 working_folder_through_a_descriptor,
				 devices_belong_to_the_containers_root,
				 hooks_see_the_root_and_leave_nothing,
				 a_hook_that_fails_is_told_of,
				 shares_pid_ipc_and_shm,
				 joins_one_without_user_namespace,
				 limits_are_a_tables_or_the_specs,
				 sysctls_of_ones_own_only,
				 sysctl_values,
				 keyring_of_its_own };

	return trial_main("box_share", tests, ARRAY_LEN(tests));
}
