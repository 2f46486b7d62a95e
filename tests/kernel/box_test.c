/* box_test.c - what is inside a container, how a start fails, exec */
#include "box_trial.h"

START_TEST(namespaces_and_identity)
{
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	out = shell(&t, "hostname; echo pid $$; id; cat /proc/self/uid_map; ls /proc/self/fd; cat "
			"/proc/self/status; echo $HOME; ls -l /proc/self/ns | wc -l; pwd");
	has(out, "boxed\n");
	has(out, "pid 1\n");
	has(out, "uid=0(root) gid=0(root)");
	has(out, "0 1877999616      65536");
	has(out, "CapInh:\t0000000000000000");
	has(out, "CapPrm:\t00000000a80425fb");
	has(out, "CapEff:\t00000000a80425fb");
	has(out, "CapBnd:\t00000000a80425fb");
	has(out, "CapAmb:\t0000000000000000");
	has(out, "Seccomp:\t2");
	has(out, "NoNewPrivs:\t0");
	has(out, "\n0\n1\n2\n3\n"); /* 3 is ls's own */
	hasnt(out, "\n4\n");
	has(out, "/root\n");
}
END_TEST

START_TEST(another_user)
{
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	t.spec.process.user = "user";
	t.spec.process.no_new_privs = true;
	t.spec.process.cwd = "/made/here";
	out = shell(
		&t,
		"id; grep -e Cap -e NoNew -e Seccomp: /proc/self/status; echo $HOME; pwd; touch "
		"/etc/x || echo refused");
	has(out, "uid=1000(user) gid=1000(user) groups=1000(user),2000(extra)");
	has(out, "CapPrm:\t0000000000000000");
	has(out, "CapEff:\t0000000000000000");
	has(out, "NoNewPrivs:\t1");
	has(out, "Seccomp:\t2");
	has(out, "/home/user\n");
	has(out, "/made/here\n");
	has(out, "refused");
}
END_TEST

START_TEST(what_is_hidden)
{
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	out = shell(
		&t,
		"cat /proc/kcore | wc -c; cat /proc/keys | wc -c; ls /sys/firmware | wc -l; echo "
		"1 > /proc/sys/vm/panic_on_oom; echo b > /proc/sysrq-trigger; ls /dev; stat -c "
		"'%t:%T %a' /dev/null; cat /proc/self/mountinfo");
	has(out, "0\n0\n0\n");
	has(out, "/proc/sys/vm/panic_on_oom: Read-only file system");
	hasnt(out, "/proc/sysrq-trigger: Permission");
	has(out, "1:3 666");
	has(out, " / / rw");
	has(out, "overlay");
	hasnt(out, "/var/tmp"); /* nothing of the host's tree */
}
END_TEST

START_TEST(without_user_namespace)
{
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	t.plain = true;
	out = shell(&t, "cat /proc/self/uid_map; id -u; ls -l /dev/null");
	has(out, "4294967295");
	has(out, "crw-rw-rw-");
}
END_TEST

START_TEST(read_only_root_tmpfs_files)
{
	static const struct box_mount mounts[] = { { "/scratch/deep", -1, "size=1m,mode=700",
						     false } };
	static const struct box_file files[] = {
		{ .target = "/etc/hosts", .data = "1.2.3.4 x\n", .len = 10, .mode = 0644 },
		{ .target = "/run/secrets/s",
		  .data = "top",
		  .len = 3,
		  .mode = 0400,
		  .uid = 1000,
		  .gid = 1000,
		  .read_only = true },
	};
	struct trial t;
	auto_free char *out = NULL;

	trial_init(&t);
	t.spec.read_only = true;
	t.spec.mounts = mounts;
	t.spec.n_mounts = 1;
	t.spec.files = files;
	t.spec.n_files = 2;
	out = shell(
		&t,
		"touch /x; touch /scratch/deep/y && echo written; stat -c %a /scratch/deep; cat "
		"/etc/hosts; stat -c '%u %g %a' /run/secrets/s; echo z > /run/secrets/s");
	has(out, "/x: Read-only file system");
	has(out, "written\n700\n");
	has(out, "1.2.3.4 x\n");
	has(out, "1000 1000 400");
	has(out, "/run/secrets/s: Read-only file system");
}
END_TEST

static int start_fails(const char *program, const char *user, char *why, size_t size)
{
	auto_err struct err err = ERR_INIT;
	struct trial t;
	int r;

	trial_init(&t);
	t.argv[0] = program;
	t.spec.process.user = user;
	r = trial_begin(&t, &err);
	ck_assert_msg(r == 0, "%s", err_text(&err));
	ck_assert_int_lt(trial_status(&t, &err), 0);
	(void)snprintf(why, size, "%s", err_text(&err));
	r = t.box.exit_code;
	ck_assert_int_eq(reap(&t), r);
	return r;
}

START_TEST(why_a_start_fails)
{
	char why[300];

	ck_assert_int_eq(start_fails("nosuch", NULL, why, sizeof(why)), 127);
	has(why, "\"nosuch\": executable file not found in $PATH");
	ck_assert_int_eq(start_fails("/nosuch", NULL, why, sizeof(why)), 127);
	has(why, "No such file");
	ck_assert_int_eq(start_fails("/etc/noexec", NULL, why, sizeof(why)), 126);
	has(why, "Permission denied");
	ck_assert_int_eq(start_fails("sh", "nobody-here", why, sizeof(why)), 125);
	has(why, "nobody-here");
}
END_TEST

START_TEST(init_reaps_and_passes_signals)
{
	auto_err struct err err = ERR_INIT;
	struct trial t;
	char text[4096] = "";

	trial_init(&t);
	t.spec.init = true;
	t.argv[0] = "sh";
	t.argv[1] = "-c";
	t.argv[2] =
		"trap 'exit 7' TERM; (true &) ; sleep 0.2; ps; echo ready; while :; do sleep 0.1; done";
	ck_assert_int_eq(trial_begin(&t, &err), 0);
	ck_assert_msg(trial_status(&t, &err) == 0, "%s", err_text(&err));
	while (!strstr(text, "ready"))
		ck_assert_int_gt(read(t.out, text + strlen(text), sizeof(text) - strlen(text) - 1),
				 0);
	has(text, "init");
	hasnt(text, "[true]");
	ck_assert_int_eq(kill(t.box.pid, SIGTERM), 0);
	ck_assert_int_eq(reap(&t), 7);
}
END_TEST

START_TEST(init_tells_why_the_program_failed)
{
	auto_err struct err err = ERR_INIT;
	struct trial t;

	trial_init(&t);
	t.spec.init = true;
	t.argv[0] = "/etc/noexec";
	ck_assert_int_eq(trial_begin(&t, &err), 0);
	ck_assert_int_lt(trial_status(&t, &err), 0);
	has(err_text(&err), "/etc/noexec");
	ck_assert_int_eq(t.box.exit_code, 126);
	ck_assert_int_eq(reap(&t), 126);
}
END_TEST

START_TEST(terminal)
{
	auto_err struct err err = ERR_INIT;
	struct trial t;
	char text[1024] = "";
	int master;
	ssize_t n;
	size_t len = 0;

	trial_init(&t);
	t.spec.process.tty = true;
	t.argv[0] = "sh";
	t.argv[1] = "-c";
	t.argv[2] = "tty; test -t 0 && echo terminal; ls -l /dev/console";
	ck_assert_int_eq(trial_begin(&t, &err), 0);
	ck_assert_msg(trial_status(&t, &err) == 0, "%s", err_text(&err));
	master = box_take_tty(&t.box);
	ck_assert_int_ge(master, 0);
	while ((n = read(master, text + len, sizeof(text) - len - 1)) > 0)
		len += (size_t)n;
	has(text, "/dev/pts/0");
	has(text, "terminal");
	has(text, "/dev/console");
	ck_assert_int_eq(reap(&t), 0);
	(void)close(master);
}
END_TEST

/* A sleeping container and one more process in it. */
START_TEST(exec_in_a_container)
{
	auto_err struct err err = ERR_INIT;
	struct box_exec_spec spec = BOX_EXEC_INIT;
	const char *argv[] = { "sh", "-c",
			       "hostname; id -u; ps | wc -l; grep Cap /proc/self/status; exit 3",
			       NULL };
	const char *bad[] = { "nosuch", NULL };
	struct trial t, x;
	char text[2048] = "";
	int fds[2];

	trial_init(&t);
	t.argv[0] = "sleep";
	t.argv[1] = "100";
	ck_assert_int_eq(trial_begin(&t, &err), 0);
	ck_assert_msg(trial_status(&t, &err) == 0, "%s", err_text(&err));
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	spec.pid = t.box.pid;
	spec.pidfd = t.box.pidfd;
	spec.process.argv = argv;
	spec.process.env = t.env;
	spec.process.user = "1000";
	spec.process.stdout_fd = spec.process.stderr_fd = fds[1];
	trial_init(&x);
	ck_assert_msg(box_exec(&spec, &x.box, &err) == 0, "%s", err_text(&err));
	(void)close(fds[1]);
	ck_assert_msg(trial_status(&x, &err) == 0, "%s", err_text(&err));
	ck_assert_int_ge(fd_read_full(fds[0], text, sizeof(text) - 1), 0);
	ck_assert_int_eq(reap(&x), 3);
	has(text, "boxed\n1000\n");
	has(text, "CapEff:\t0000000000000000");
	(void)close(fds[0]);
	spec.process.argv = bad;
	spec.process.stdout_fd = spec.process.stderr_fd = -1;
	if (box_exec(&spec, &x.box, &err) == 0) {
		ck_assert_int_lt(trial_status(&x, &err), 0);
		ck_assert_int_eq(reap(&x), 127);
	}
	ck_assert_int_eq(x.box.exit_code, 127);
	has(err_text(&err), "nosuch");
	ck_assert_int_eq(kill(t.box.pid, SIGKILL), 0);
	ck_assert_int_eq(reap(&t), 137);
}
END_TEST

/* network_mode: service:x */
START_TEST(joins_the_network_of_another)
{
	char path[64], theirs[64] = "";
	auto_free char *out = NULL;
	struct trial t, x;

	trial_init(&t);
	sleeper(&t);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)t.box.pid);
	trial_init(&x);
	x.spec.net = BOX_NET_JOIN;
	x.spec.netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(readlink(path, theirs, sizeof(theirs) - 1), 0);
	out = second(&x, "readlink /proc/self/ns/net; ls /sys | wc -l; id -u");
	has(out, theirs);
	ck_assert_int_eq(kill(t.box.pid, SIGKILL), 0);
	ck_assert_int_eq(reap(&t), 137);
}
END_TEST

int main(void)
{
	const TTest *tests[] = { namespaces_and_identity,
				 another_user,
				 what_is_hidden,
				 without_user_namespace,
				 read_only_root_tmpfs_files,
				 why_a_start_fails,
				 init_reaps_and_passes_signals,
				 init_tells_why_the_program_failed,
				 terminal,
				 exec_in_a_container,
				 joins_the_network_of_another };

	return trial_main("box", tests, ARRAY_LEN(tests));
}
