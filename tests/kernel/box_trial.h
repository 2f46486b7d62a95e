/* box_trial.h - containers from /bin/busybox for the tests of box: a store of one layer, a trial that
 * runs a script in a container and hands its output over
 */
#ifndef BOX_TRIAL_H
#define BOX_TRIAL_H

#include <ctrcompose/box.h>
#include <ctrcompose/rootfs.h>

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

enum { BASE = 0x6ff00000 };

static char store[64];

UNUSED static void put(const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", store, name);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

UNUSED static void make_store(void)
{
	auto_free char *cmd = NULL;

	strcpy(store, "/var/tmp/box-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(store));
	cmd = xasprintf(
		"cd %s && mkdir -p l/bin l/etc l/tmp u w at && chmod 755 l u && cp "
		"/bin/busybox l/bin/ && for a in sh cat id ls sleep env mount stat hostname ps "
		"grep readlink mknod tty stty true false wc nproc touch kill pwd; do ln -s busybox "
		"l/bin/$a; done",
		store);
	ck_assert_int_eq(system(cmd), 0);
	put("l/etc/passwd", "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n");
	put("l/etc/group", "root:x:0:\nuser:x:1000:\nextra:x:2000:user\n");
	put("l/etc/noexec", "text\n");
}

UNUSED static void drop_store(void)
{
	auto_free char *at = xasprintf("%s/at", store);

	while (umount2(at, MNT_DETACH) == 0)
		;
	ck_assert_int_eq(path_remove_tree(AT_FDCWD, store), 0);
}

/* A container with its output in a pipe. */
struct trial {
	struct box_spec spec;
	struct box box;
	const char *argv[8];
	const char *env[4];
	int out, root, userns;
	bool plain; /* without a user namespace */
};

UNUSED static void trial_init(struct trial *t)
{
	*t = (struct trial){ .spec = BOX_SPEC_INIT, .box = BOX_INIT, .out = -1, .userns = -1 };
	t->env[0] = "PATH=/bin";
	t->spec.process.env = t->env;
	t->spec.process.argv = t->argv;
	t->spec.hostname = "boxed";
	t->spec.net = BOX_NET_NONE;
	t->spec.process.seccomp = box_seccomp(BOX_CAPS_DEFAULT);
}

UNUSED static int trial_begin(struct trial *t, struct err *err)
{
	static const char *const lower[] = { "l" };
	struct rootfs_overlay o = { .lower = lower, .n_lower = 1, .upper = "u", .work = "w" };
	auto_free char *at = xasprintf("%s/at", store);
	int fds[2], r;

	ck_assert_int_eq(rootfs_enter_private(NULL), 0);
	o.store = store;
	if (!t->plain) {
		t->userns = rootfs_userns(BASE, 65536, NULL);
		ck_assert_int_ge(t->userns, 0);
		ck_assert_int_eq(rootfs_attach_idmapped(store, at, t->userns, NULL), 0);
		o.store = at;
		o.uid = o.gid = BASE;
		t->spec.uid_base = BASE;
	}
	t->root = rootfs_overlay(&o, err);
	ck_assert_msg(t->root >= 0, "%s", err_text(err));
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	t->out = fds[0];
	t->spec.root_fd = t->root;
	if (!t->spec.process.tty)
		t->spec.process.stdout_fd = t->spec.process.stderr_fd = fds[1];
	r = box_create(&t->spec, &t->box, err);
	(void)close(fds[1]);
	(void)close(t->root);
	return r < 0 ? r : box_release(&t->box, err);
}

UNUSED static int trial_status(struct trial *t, struct err *err)
{
	int r;

	do {
		struct pollfd p = { .fd = t->box.ctl_fd, .events = POLLIN };

		ck_assert_int_eq(poll(&p, 1, 10000), 1);
		r = box_read_status(&t->box, err);
	} while (r == -EAGAIN);
	return r;
}

UNUSED static int reap(struct trial *t)
{
	int status = 0;

	ck_assert_int_eq(waitpid(t->box.pid, &status, __WALL), t->box.pid);
	box_close(&t->box);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run `sh -c script` to its end; its output. */
UNUSED static char *shell(struct trial *t, const char *script)
{
	auto_err struct err err = ERR_INIT;
	char *text = xcalloc(1, 65536);

	t->argv[0] = "sh";
	t->argv[1] = "-c";
	t->argv[2] = script;
	ck_assert_msg(trial_begin(t, &err) == 0, "%s", err_text(&err));
	ck_assert_msg(trial_status(t, &err) == 0, "%s", err_text(&err));
	ck_assert_int_ge(fd_read_full(t->out, text, 65535), 0);
	(void)reap(t);
	return text;
}

/* A container that only sleeps. */
UNUSED static void sleeper(struct trial *t)
{
	auto_err struct err err = ERR_INIT;

	t->argv[0] = "sleep";
	t->argv[1] = "1000";
	ck_assert_msg(trial_begin(t, &err) == 0, "%s", err_text(&err));
	ck_assert_msg(trial_status(t, &err) == 0, "%s", err_text(&err));
}

UNUSED static void end(struct trial *t)
{
	ck_assert_int_eq(kill(t->box.pid, SIGKILL), 0);
	ck_assert_int_eq(reap(t), 137);
}

UNUSED static int ns_of(pid_t pid, const char *name)
{
	auto_free char *path = xasprintf("/proc/%d/ns/%s", (int)pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Run `sh -c script` in the container of t; its output. spec may hold more. */
UNUSED static char *exec_shell(const struct trial *t, struct box_exec_spec *spec,
			       const char *script)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	auto_err struct err err = ERR_INIT;
	char *text = xcalloc(1, 65536);
	struct trial x;
	int fds[2];

	trial_init(&x);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	spec->pid = t->box.pid;
	spec->pidfd = t->box.pidfd;
	spec->process.argv = argv;
	spec->process.env = t->env;
	spec->process.stdout_fd = spec->process.stderr_fd = fds[1];
	ck_assert_msg(box_exec(spec, &x.box, &err) == 0, "%s", err_text(&err));
	(void)close(fds[1]);
	ck_assert_msg(trial_status(&x, &err) == 0, "%s", err_text(&err));
	ck_assert_int_ge(fd_read_full(fds[0], text, 65535), 0);
	(void)close(fds[0]);
	(void)reap(&x);
	return text;
}

UNUSED static void has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
}

UNUSED static void hasnt(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in:\n%s", part, text);
}

/* One more container beside the first, with an upper of its own; its output. */
UNUSED static char *second(struct trial *t, const char *script)
{
	static const char *const lower[] = { "l" };
	auto_err struct err err = ERR_INIT;
	auto_free char *at = xasprintf("%s/at", store);
	auto_free char *make = xasprintf("mkdir %s/u2 %s/w2", store, store);
	struct rootfs_overlay o = { .store = at,
				    .lower = lower,
				    .n_lower = 1,
				    .upper = "u2",
				    .work = "w2",
				    .uid = BASE,
				    .gid = BASE };
	char *text = xcalloc(1, 4096);
	int fds[2];

	ck_assert_int_eq(system(make), 0);
	t->spec.uid_base = BASE;
	t->spec.root_fd = rootfs_overlay(&o, &err);
	ck_assert_msg(t->spec.root_fd >= 0, "%s", err_text(&err));
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	t->argv[0] = "sh";
	t->argv[1] = "-c";
	t->argv[2] = script;
	t->spec.process.stdout_fd = t->spec.process.stderr_fd = fds[1];
	ck_assert_msg(box_create(&t->spec, &t->box, &err) == 0, "%s", err_text(&err));
	(void)close(fds[1]);
	(void)close(t->spec.root_fd);
	ck_assert_int_eq(box_release(&t->box, &err), 0);
	ck_assert_msg(trial_status(t, &err) == 0, "%s", err_text(&err));
	ck_assert_int_ge(fd_read_full(fds[0], text, 4095), 0);
	(void)close(fds[0]);
	(void)reap(t);
	return text;
}

UNUSED static int trial_main(const char *name, const TTest **tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *c = tcase_create("kernel");
	SRunner *sr;
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, make_store, drop_store);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(c, tests[i]);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}

#endif
