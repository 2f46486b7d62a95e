/* The options of a file system: what is the mount's and what the file system's own. */
#include <ctrcompose/rootfs.h>

#include <check.h>
#include <stdlib.h>
#include <sys/mount.h>

static const struct {
	const char *options;
	unsigned attrs; /* on top of nodev */
	const char *own;
} cases[] = {
	{ NULL, 0, "" },
	{ "", 0, "" },
	{ "defaults,_netdev", 0, "" },
	{ "ro,nosuid,noexec", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, "" },
	{ "ro,rw", 0, "" },
	{ "dev", 0, "" },
	{ "noatime,relatime", MOUNT_ATTR_RELATIME, "" },
	{ "addr=10.0.0.1,nfsvers=4,soft,ro", MOUNT_ATTR_RDONLY, "addr=10.0.0.1 nfsvers=4 soft" },
	{ ",,size=1m,,", 0, "size=1m" },
	{ "lowerdir=a=b", 0, "lowerdir=a=b" },
};

START_TEST(options_are_told_apart)
{
	struct rootfs_fs_options o;
	auto_sbuf struct sbuf own = SBUF_INIT;

	ck_assert_int_eq(rootfs_fs_parse(cases[_i].options, &o, NULL), 0);
	ck_assert_uint_eq(o.attrs, cases[_i].attrs | MOUNT_ATTR_NODEV);
	for (size_t i = 0; i < o.own.n; i++)
		sbuf_addf(&own, "%s%s", i ? " " : "", o.own.v[i]);
	ck_assert_str_eq(sbuf_str(&own), cases[_i].own);
	rootfs_fs_options_clear(&o);
}
END_TEST

START_TEST(option_without_a_name_is_refused)
{
	struct rootfs_fs_options o;
	auto_err struct err err = ERR_INIT;

	ck_assert_int_eq(rootfs_fs_parse("ro,=x", &o, &err), -EINVAL);
	ck_assert_str_eq(err_text(&err), "the option '=x' has no name");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rootfs");
	TCase *t = tcase_create("rootfs");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, options_are_told_apart, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, option_without_a_name_is_refused);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
