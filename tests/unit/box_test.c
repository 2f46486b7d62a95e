/* box_test.c - what box decides without a kernel: capabilities, users, order, sysctls, hierarchies */
#include "../../pkg/box/private.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Capabilities ----------------------------------------------------------------------------- */
START_TEST(capabilities_by_name)
{
	static const char *const add[] = { "net_admin", "CAP_SYS_TIME" };
	static const char *const drop[] = { "all" };
	static const char *const one[] = { "MKNOD" };
	auto_err struct err err = ERR_INIT;
	uint64_t caps;

	ck_assert_int_eq(box_caps_from(NULL, 0, NULL, 0, false, &caps, &err), 0);
	ck_assert_uint_eq(caps, BOX_CAPS_DEFAULT & box_caps_all());
	ck_assert_int_eq(box_caps_from(add, 2, drop, 1, false, &caps, &err), 0);
	ck_assert_uint_eq(caps, (UINT64_C(1) << 12 | UINT64_C(1) << 25) & box_caps_all());
	ck_assert_int_eq(box_caps_from(NULL, 0, one, 1, false, &caps, &err), 0);
	ck_assert_uint_eq(caps, (BOX_CAPS_DEFAULT & ~(UINT64_C(1) << 27)) & box_caps_all());
	ck_assert_int_eq(box_caps_from(NULL, 0, NULL, 0, true, &caps, &err), 0);
	ck_assert_uint_eq(caps, box_caps_all());
}
END_TEST

START_TEST(capabilities_unknown)
{
	static const char *const wrong[] = { "NET_ADMN" };
	auto_err struct err err = ERR_INIT;
	uint64_t caps;

	ck_assert_int_eq(box_caps_from(wrong, 1, NULL, 0, false, &caps, &err), -EINVAL);
	ck_assert_str_eq(err_text(&err), "'NET_ADMN' is not a capability; did you mean NET_ADMIN?");
	ck_assert_ptr_null(box_cap_name(63));
	ck_assert_str_eq(box_cap_name(21), "CAP_SYS_ADMIN");
}
END_TEST

/* ---- Users ------------------------------------------------------------------------------------ */
static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "short:x:5\n"
			     "+::::::\n"
			     "www:x:33:33::/var/www:/bin/false\n"
			     "1234:x:77:77::/digits:/bin/sh\n"
			     "big:x:99999999999:1::/:/\n"
			     "evil:x:50:50::../up:/bin/sh\n"
			     "last:x:60:61::/last:/bin/sh";
static const char group[] =
	"root:x:0:\nwww:x:33:\nadm:x:4:www,last\nweb:x:80:x,www\nlong:x:70:wwww\n";

static int resolve(const char *who, struct box_user *u, char why[160])
{
	return box_user_resolve(who, NULL, 0, passwd, sizeof(passwd) - 1, group, sizeof(group) - 1,
				u, why);
}

static const struct {
	const char *who;
	uid_t uid;
	gid_t gid;
	size_t n_groups;
	const char *home;
} users[] = {
	{ "", 0, 0, 1, "/root" },
	{ "root", 0, 0, 1, "/root" },
	{ "www", 33, 33, 3, "/var/www" },
	{ "33", 33, 33, 3, "/var/www" },
	{ "www:adm", 33, 4, 1, "/var/www" },
	{ "www:0", 33, 0, 1, "/var/www" },
	{ "1234", 1234, 0, 1, "/" }, /* digits are never a name */
	{ "4294967294:4294967294", 4294967294, 4294967294, 1, "/" },
	{ "last", 60, 61, 2, "/last" },
	{ "evil", 50, 50, 1, "/" },
	{ ":80", 0, 80, 1, "/root" },
};

START_TEST(user_found)
{
	struct box_user u;
	char why[160] = "";

	ck_assert_msg(resolve(users[_i].who, &u, why) == 0, "%s", why);
	ck_assert_uint_eq(u.uid, users[_i].uid);
	ck_assert_uint_eq(u.gid, users[_i].gid);
	ck_assert_uint_eq(u.n_groups, users[_i].n_groups);
	ck_assert_uint_eq(u.groups[0], users[_i].gid); /* CVE-2022-36109 */
	ck_assert_str_eq(u.home, users[_i].home);
}
END_TEST

static const struct {
	const char *who;
	int code;
	const char *why;
} no_users[] = {
	{ "nobody", -ENOENT, "no user 'nobody' in the image's /etc/passwd" },
	{ "short", -ENOENT, "no user 'short' in the image's /etc/passwd" },
	{ "big", -ENOENT, "no user 'big' in the image's /etc/passwd" },
	{ "www:nogroup", -ENOENT, "no group 'nogroup' in the image's /etc/group" },
	{ "www:", -EINVAL, "'www:' is not a user like name, name:group or 1000:1000" },
	{ "a:b:c", -EINVAL, "'a:b:c' is not a user like name, name:group or 1000:1000" },
	{ "4294967295", -EINVAL, "user '4294967295' is out of range" },
	{ "4294967296", -EINVAL, "user '4294967296' is out of range" },
	{ "18446744073709551616", -EINVAL, "user '18446744073709551616' is out of range" },
	{ "0:4294967295", -EINVAL, "group '4294967295' is out of range" },
};

START_TEST(user_refused)
{
	struct box_user u;
	char why[160] = "";

	ck_assert_int_eq(resolve(no_users[_i].who, &u, why), no_users[_i].code);
	ck_assert_str_eq(why, no_users[_i].why);
}
END_TEST

START_TEST(user_without_files_and_with_more_groups)
{
	static const char *const more[] = { "4", "web", "4" };
	struct box_user u;
	char why[160] = "";

	ck_assert_int_eq(box_user_resolve("7:8", NULL, 0, NULL, 0, NULL, 0, &u, why), 0);
	ck_assert_uint_eq(u.uid, 7);
	ck_assert_uint_eq(u.gid, 8);
	ck_assert_int_eq(box_user_resolve("1000", more, 3, passwd, sizeof(passwd) - 1, group,
					  sizeof(group) - 1, &u, why),
			 0);
	ck_assert_uint_eq(u.n_groups, 3);
	ck_assert_uint_eq(u.groups[1], 4);
	ck_assert_uint_eq(u.groups[2], 80);
}
END_TEST

/* ---- Order, /proc, sysctls, hierarchies ------------------------------------------------------- */
START_TEST(targets_in_order)
{
	static const struct box_mount mounts[] = {
		{ .target = "/a/b/c" },
		{ .target = "/a" },
		{ .target = "//a//b/" },
		{ .target = "/z" },
	};
	static const struct box_file files[] = { { .target = "/a/b/c/d" }, { .target = "/a/b" } };
	static const size_t expected[] = { 1, 3, 5, 2, 0, 4 };
	struct box_spec spec = BOX_SPEC_INIT;
	size_t order[6];

	spec.mounts = mounts;
	spec.n_mounts = 4;
	spec.files = files;
	spec.n_files = 2;
	order_targets(&spec, order);
	ck_assert_mem_eq(order, expected, sizeof(expected));
	ck_assert_uint_eq(target_depth("/"), 0);
	ck_assert_uint_eq(target_depth("/a//b/"), 2);
}
END_TEST

START_TEST(targets_in_proc)
{
	ck_assert(proc_target_allowed("/proc/cpuinfo"));
	ck_assert(!proc_target_allowed("/proc"));
	ck_assert(!proc_target_allowed("/proc/sys/kernel/core_pattern"));
	ck_assert(!proc_target_allowed("/proc/../proc/cpuinfo"));
}
END_TEST

START_TEST(sysctls_go_with_their_namespace)
{
	struct box_spec spec = BOX_SPEC_INIT;

	ck_assert_ptr_null(sysctl_refused(&spec, "net.ipv4.ip_forward"));
	ck_assert_ptr_null(sysctl_refused(&spec, "kernel.domainname"));
	spec.net = BOX_NET_HOST;
	spec.ipc = BOX_JOIN;
	spec.uts_host = true;
	ck_assert_str_eq(sysctl_refused(&spec, "net.ipv4.ip_forward"),
			 "needs a network namespace of its own");
	ck_assert_str_eq(sysctl_refused(&spec, "kernel.sem"), "needs an IPC namespace of its own");
	ck_assert_str_eq(sysctl_refused(&spec, "kernel.domainname"),
			 "needs a UTS namespace of its own");
	ck_assert_str_eq(sysctl_refused(&spec, "kernel.semx"), "belongs to the whole host");
	ck_assert_str_eq(sysctl_refused(&spec, "net/.."), "is not the name of a sysctl");
}
END_TEST

START_TEST(apparmor_profiles)
{
	static const char text[] =
		"docker-default (enforce)\n/usr/bin/a b (complain)\nx//y (enforce)\n";

	ck_assert(apparmor_listed(text, "docker-default"));
	ck_assert(apparmor_listed(text, "/usr/bin/a b"));
	ck_assert(apparmor_listed(text, "x//y"));
	ck_assert(apparmor_listed(text, "docker-default//&x//y"));
	ck_assert(!apparmor_listed(text, "docker"));
	ck_assert(!apparmor_listed(text, "default"));
	ck_assert(!apparmor_listed(text, "docker-default//&z"));
	ck_assert(!apparmor_listed(text, ""));
	ck_assert(!apparmor_listed("", "x"));
	ck_assert(!apparmor_listed("x", "x"));
}
END_TEST

START_TEST(hierarchies)
{
	struct hiers h;

	hiers_parse("12:cpu,cpuacct:/x\n1:name=systemd:/init.scope\n0::/\nrubbish\n3:a/b:/\n", &h);
	ck_assert_uint_eq(h.n, 3);
	ck_assert_str_eq(h.v[0].name, "cpu,cpuacct");
	ck_assert_str_eq(h.v[1].name, "systemd");
	ck_assert(h.v[1].named && !h.v[0].named);
	ck_assert_str_eq(h.v[2].name, "unified");
	ck_assert(h.v[2].v2);
}
END_TEST

/* What comes on the status socket once the program was begun may be the container's word. */
START_TEST(a_terminal_comes_before_the_program_or_not_at_all)
{
	struct box box = BOX_INIT;
	auto_err struct err err = ERR_INIT;
	const struct frame tty = { .type = FRAME_TTY }, exec = { .type = FRAME_EXEC };
	auto_close int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int ctl[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl), 0);
	box.ctl_fd = ctl[0];
	if (_i == 0)
		ck_assert_int_eq(frame_send(ctl[1], &tty, other), 0);
	ck_assert_int_eq(frame_send(ctl[1], &exec, -1), 0);
	ck_assert_int_eq(frame_send(ctl[1], &tty, other), 0);
	(void)close(ctl[1]);
	ck_assert_int_eq(box_read_status(&box, &err), 0);
	ck_assert((box.tty_fd >= 0) == (_i == 0));
	box_close(&box);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("box");
	TCase *c = tcase_create("pure");
	SRunner *sr;
	int failed;

	tcase_add_test(c, capabilities_by_name);
	tcase_add_test(c, capabilities_unknown);
	tcase_add_loop_test(c, user_found, 0, (int)ARRAY_LEN(users));
	tcase_add_loop_test(c, user_refused, 0, (int)ARRAY_LEN(no_users));
	tcase_add_test(c, user_without_files_and_with_more_groups);
	tcase_add_test(c, targets_in_order);
	tcase_add_test(c, targets_in_proc);
	tcase_add_test(c, sysctls_go_with_their_namespace);
	tcase_add_test(c, apparmor_profiles);
	tcase_add_test(c, hierarchies);
	tcase_add_loop_test(c, a_terminal_comes_before_the_program_or_not_at_all, 0, 2);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
