/* What a layer becomes below its folder, and that nothing leaves it. Needs root: owners, whiteouts
 * and trusted xattrs. */
#include "../../pkg/archive/unpack.h"
#include "tar_make.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static char base[] = "/tmp/archive_test.XXXXXX";
static int basefd = -1, root = -1;
static struct sbuf tar;
static struct err err;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(base));
	basefd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(basefd, "root", 0755), 0);
	ck_assert_int_eq(file_replace(basefd, "canary", "alive", 5, 0600, false), 0);
	root = openat(basefd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
}

static void teardown(void)
{
	char *canary = NULL;

	ck_assert_int_eq(file_read(basefd, "canary", 100, &canary, NULL), 0);
	ck_assert_str_eq(canary, "alive");
	free(canary);
	(void)close(root);
	(void)close(basefd);
	ck_assert_int_eq(path_remove_tree(AT_FDCWD, base), 0);
	sbuf_clear(&tar);
	err_clear(&err);
}

struct memory {
	const char *data;
	size_t len, at, step;
};

static ssize_t from_memory(void *arg, void *buf, size_t len, struct err *e)
{
	struct memory *m = arg;

	(void)e;
	if (m->step && len > m->step)
		len = m->step;
	if (len > m->len - m->at)
		len = m->len - m->at;
	memcpy(buf, m->data + m->at, len);
	m->at += len;
	return (ssize_t)len;
}

static int unpack_with(struct archive_unpack *opt)
{
	struct memory m = { sbuf_str(&tar), tar.len, 0, 1000 };

	return archive_unpack(from_memory, &m, root, opt, &err);
}

static int unpack(void)
{
	struct archive_unpack opt = { 0 };

	return unpack_with(&opt);
}

static void unpack_ok(void)
{
	int r;

	tar_end(&tar);
	r = unpack();
	ck_assert_msg(r == 0, "%s", err_text(&err));
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	ck_assert_msg(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s is missing", path);
	return st;
}

static bool exists(const char *path)
{
	struct stat st;

	return fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_whiteout(const char *path)
{
	struct stat st = stat_of(path);

	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

static bool is_opaque(const char *path)
{
	auto_close int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value[8];

	return fgetxattr(fd, "trusted.overlay.opaque", value, sizeof(value)) == 1 &&
	       value[0] == 'y';
}

static void content_is(const char *path, const char *want)
{
	auto_free char *got = NULL;

	ck_assert_msg(file_read(root, path, 1 << 20, &got, NULL) == 0, "%s is missing", path);
	ck_assert_str_eq(got, want);
}

START_TEST(kinds_modes_owners_and_times_are_kept)
{
	struct stat st;
	char link[32];

	umask(077);
	TAR(&tar, '5', "./d/", .mode = 02750, .uid = 7, .gid = 8);
	TAR(&tar, '0', "./d/f", .content = "hello", .mode = 04711, .uid = 1000, .gid = 70000);
	TAR(&tar, '2', "./d/l", .link = "../../../etc/passwd", .uid = 5);
	TAR(&tar, '1', "./d/h", .link = "./d/f");
	TAR(&tar, '6', "p", .mode = 0620);
	TAR(&tar, '0', "deep/er/x", .content = "1");
	unpack_ok();
	st = stat_of("d");
	ck_assert(st.st_mode == (S_IFDIR | 02750) && st.st_uid == 7 && st.st_gid == 8);
	ck_assert_int_eq(st.st_mtime, 1000000000);
	st = stat_of("d/f");
	ck_assert(st.st_mode == (S_IFREG | 04711) && st.st_uid == 1000 && st.st_gid == 70000);
	ck_assert(st.st_nlink == 2 && st.st_mtime == 1000000000);
	content_is("d/h", "hello");
	ck_assert_int_eq(readlinkat(root, "d/l", link, sizeof(link)), 19);
	ck_assert_uint_eq(stat_of("d/l").st_uid, 5);
	ck_assert_uint_eq(stat_of("p").st_mode, S_IFIFO | 0620);
	ck_assert_uint_eq(stat_of("deep/er").st_mode, S_IFDIR | 0755);
}
END_TEST

START_TEST(names_that_would_leave_stay_inside)
{
	TAR(&tar, '0', "/abs", .content = "1");
	TAR(&tar, '0', "../../up", .content = "2");
	TAR(&tar, '0', "a/../../../canary", .content = "3");
	TAR(&tar, '0', "..", .content = "4", .mode = 0777);
	unpack_ok();
	content_is("abs", "1");
	content_is("up", "2");
	content_is("canary", "3");
}
END_TEST

START_TEST(links_are_followed_inside_only)
{
	TAR(&tar, '5', "dir", .mode = 0755);
	TAR(&tar, '2', "up", .link = "..");
	TAR(&tar, '2', "in", .link = "/dir");
	TAR(&tar, '0', "up/canary", .content = "x");
	TAR(&tar, '0', "in/file", .content = "y");
	TAR(&tar, '2', "target", .link = "../canary");
	TAR(&tar, '0', "target", .content = "replaced, not written through");
	unpack_ok();
	content_is("canary", "x");
	content_is("dir/file", "y");
	ck_assert(S_ISREG(stat_of("target").st_mode));
}
END_TEST

START_TEST(a_hardlink_reaches_nothing_outside)
{
	TAR(&tar, '1', "x", .link = "../canary");
	tar_end(&tar);
	ck_assert_int_eq(unpack(), -EBADMSG);
	ck_assert_str_eq(err_text(&err),
			 "'x': it is a hard link to '../canary', which the layer lacks");
	ck_assert(!exists("x"));
}
END_TEST

START_TEST(a_hardlink_through_a_link_stays_inside)
{
	TAR(&tar, '2', "up", .link = "../..");
	TAR(&tar, '1', "x", .link = "up/canary");
	tar_end(&tar);
	ck_assert_int_eq(unpack(), -EBADMSG);
}
END_TEST

START_TEST(devices_are_skipped)
{
	struct archive_unpack opt = { 0 };

	TAR(&tar, '3', "null", .mode = 0666);
	TAR(&tar, '4', "sda");
	TAR(&tar, '0', "f", .content = "x");
	tar_end(&tar);
	ck_assert_int_eq(unpack_with(&opt), 0);
	ck_assert(!exists("null") && !exists("sda") && exists("f"));
	ck_assert_uint_eq(opt.skipped, 2);
	ck_assert_uint_eq(opt.entries, 3);
	ck_assert_uint_eq(opt.bytes, 1);
}
END_TEST

START_TEST(whiteouts_take_the_form_of_overlayfs)
{
	TAR(&tar, '5', "d", .mode = 0755);
	TAR(&tar, '0', "d/.wh.gone");
	TAR(&tar, '5', "o", .mode = 0755);
	TAR(&tar, '0', "o/.wh..wh..opq");
	TAR(&tar, '0', "o/kept", .content = "k");
	TAR(&tar, '0', ".wh..wh.aufs");
	TAR(&tar, '5', ".wh..wh.plnk", .mode = 0700);
	TAR(&tar, '0', ".wh..wh.plnk/123.4", .content = "x");
	unpack_ok();
	ck_assert(is_whiteout("d/gone") && !is_opaque("d"));
	ck_assert(is_opaque("o"));
	content_is("o/kept", "k");
	ck_assert(!exists(".wh..wh.aufs") && !exists(".wh..wh.plnk"));
}
END_TEST

START_TEST(a_whiteout_beside_its_own_name_hides_only_what_is_below)
{
	TAR(&tar, '0', ".wh.a");
	TAR(&tar, '5', "a", .mode = 0755);
	TAR(&tar, '5', "b", .mode = 0755);
	TAR(&tar, '0', ".wh.b");
	TAR(&tar, '0', "c", .content = "new");
	TAR(&tar, '0', ".wh.c");
	TAR(&tar, '0', ".wh.d");
	TAR(&tar, '0', "d", .content = "new");
	unpack_ok();
	ck_assert(is_opaque("a") && is_opaque("b"));
	content_is("c", "new");
	content_is("d", "new");
}
END_TEST

static const char *const bad_whiteouts[] = { ".wh.", ".wh..", ".wh...", "d/.wh.." };

START_TEST(a_whiteout_of_no_name_is_refused)
{
	TAR(&tar, '5', "d", .mode = 0755);
	TAR(&tar, '0', bad_whiteouts[_i]);
	tar_end(&tar);
	ck_assert_int_eq(unpack(), -EBADMSG);
	ck_assert(exists("d"));
}
END_TEST

START_TEST(a_hardlink_to_a_whiteout_is_refused)
{
	TAR(&tar, '0', ".wh.a");
	TAR(&tar, '1', "b", .link = "a");
	tar_end(&tar);
	ck_assert_int_eq(unpack(), -EBADMSG);
}
END_TEST

START_TEST(the_last_of_two_wins)
{
	TAR(&tar, '5', "a/b/c", .mode = 0755);
	TAR(&tar, '0', "a/b/c/f", .content = "old");
	TAR(&tar, '0', "a/b", .content = "file now");
	TAR(&tar, '5', "a", .mode = 0700);
	TAR(&tar, '2', "l", .link = "x");
	TAR(&tar, '5', "l", .mode = 0711);
	TAR(&tar, '0', "l/in", .content = "in");
	TAR(&tar, '0', "f", .content = "long old text");
	TAR(&tar, '0', "f", .content = "new");
	unpack_ok();
	content_is("a/b", "file now");
	ck_assert_uint_eq(stat_of("a").st_mode, S_IFDIR | 0700);
	ck_assert_uint_eq(stat_of("l").st_mode, S_IFDIR | 0711);
	content_is("f", "new");
}
END_TEST

START_TEST(only_harmless_xattrs_are_kept)
{
	static const char cap[20] = { 1, 0, 0, 2, 0, 0x20 };
	char value[64];
	auto_close int fd = -1;

	tar_pax(&tar, "SCHILY.xattr.security.capability", cap, sizeof(cap));
	TAR(&tar, '0', "ping", .content = "x", .mode = 0755);
	tar_pax(&tar, "SCHILY.xattr.user.a", "1", 1);
	TAR(&tar, '0', "u", .content = "x");
	tar_pax(&tar, "SCHILY.xattr.trusted.overlay.redirect", "/etc", 4);
	TAR(&tar, '5', "r", .mode = 0755);
	tar_pax(&tar, "SCHILY.xattr.user.overlay.opaque", "y", 1);
	TAR(&tar, '5', "o", .mode = 0755);
	unpack_ok();
	fd = openat(root, "ping", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fgetxattr(fd, "security.capability", value, sizeof(value)), 20);
	ck_assert_int_eq(memcmp(value, cap, sizeof(cap)), 0);
	(void)close(fd);
	fd = openat(root, "u", O_RDONLY | O_CLOEXEC);
	ck_assert(fgetxattr(fd, "user.a", value, sizeof(value)) == 1 || errno == ENOTSUP);
	(void)close(fd);
	fd = openat(root, "r", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fgetxattr(fd, "trusted.overlay.redirect", value, sizeof(value)), -1);
	(void)close(fd);
	fd = openat(root, "o", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fgetxattr(fd, "user.overlay.opaque", value, sizeof(value)), -1);
}
END_TEST

/* Bytes as they are: UTF-8 in a pax header, Latin-1 in a plain one. */
static const char *const odd_names[] = { "caf\xc3\xa9", "caf\xe9", "new\nline" };

START_TEST(names_are_bytes)
{
	if (_i == 0)
		tar_pax(&tar, "path", odd_names[_i], strlen(odd_names[_i]));
	TAR(&tar, '0', odd_names[_i], .content = "x");
	unpack_ok();
	content_is(odd_names[_i], "x");
}
END_TEST

START_TEST(bounds_hold)
{
	struct archive_unpack few = { .max_entries = 2 }, small = { .max_bytes = 4096 };

	TAR(&tar, '0', "a", .content = "x");
	TAR(&tar, '0', "b", .content = "x");
	TAR(&tar, '0', "c", .content = "x");
	tar_end(&tar);
	ck_assert_int_eq(unpack_with(&few), -E2BIG);
	ck_assert_str_eq(err_text(&err), "it has more than 2 members");
	for (int i = 0; i < 10; i++)
		tar_end(&tar);
	ck_assert_int_eq(unpack_with(&small), -E2BIG);
	ck_assert_str_eq(err_text(&err), "it is larger than 4096 bytes");
}
END_TEST

START_TEST(a_cut_archive_is_an_error)
{
	static char big[5000];

	memset(big, 'x', sizeof(big));
	TAR(&tar, '0', "f", .content = big, .len = sizeof(big));
	tar.len = 2000;
	ck_assert_int_eq(unpack(), -EBADMSG);
}
END_TEST

START_TEST(what_is_no_tar_is_an_error)
{
	sbuf_adds(&tar, "#!/bin/sh\necho this is a script, not an archive\n");
	ck_assert_int_eq(unpack(), -EBADMSG);
	ck_assert_str_eq(err_text(&err), "Unrecognized archive format");
}
END_TEST

START_TEST(an_empty_layer_is_fine)
{
	ck_assert_int_eq(unpack(), 0);
	tar_end(&tar);
	ck_assert_int_eq(unpack(), 0);
}
END_TEST

static void count_bytes(void *arg, const void *data, size_t len)
{
	(void)data;
	*(size_t *)arg += len;
}

START_TEST(the_tap_sees_every_byte_after_decompression)
{
	static const char *const filters[] = { "cat", "gzip -c", "xz -c", "zstd -c" };
	size_t seen = 0, want;
	struct archive_unpack opt = { .tap = count_bytes, .tap_arg = &seen };
	char *argv[4] = { 0 };
	auto_free char *in = path_join(base, "in"), *out = path_join(base, "out"), *text = NULL;
	size_t len;

	TAR(&tar, '0', "f", .content = "hello");
	for (int i = 0; i < 20; i++)
		tar_end(&tar); /* docker pads, too */
	want = tar.len;
	ck_assert_int_eq(file_replace(AT_FDCWD, in, tar.s, tar.len, 0600, false), 0);
	text = xasprintf("%s < %s > %s", filters[_i], in, out);
	argv[0] = (char[]){ "sh" };
	argv[1] = (char[]){ "-c" };
	argv[2] = text;
	if (proc_run(argv, NULL, 0, NULL) != 0)
		return; /* the tool is not here */
	sbuf_clear(&tar);
	free(text);
	ck_assert_int_eq(file_read(AT_FDCWD, out, 1 << 20, &text, &len), 0);
	sbuf_add(&tar, text, len);
	ck_assert_msg(unpack_with(&opt) == 0, "%s", err_text(&err));
	ck_assert_uint_eq(seen, want);
	content_is("f", "hello");
}
END_TEST

static int note_member(void *arg, const struct archive_member *m, struct err *e)
{
	struct sbuf *b = arg;
	char text[16] = "";

	if (m->kind == ARCHIVE_FILE)
		ck_assert_int_eq(archive_member_read(m->stream, text, 3, e), 3);
	sbuf_addf(b, "%d %s %s %s %d\n", (int)m->kind, m->path, m->link ? m->link : "-", text,
		  (int)m->size);
	return strcmp(m->path, "stop") == 0;
}

START_TEST(a_walk_sees_members_in_order_and_can_stop)
{
	auto_sbuf struct sbuf seen = SBUF_INIT;
	struct memory m;

	TAR(&tar, '0', "f", .content = "hello");
	TAR(&tar, '2', "l", .link = "f");
	TAR(&tar, '1', "h", .link = "f");
	TAR(&tar, '5', "d/");
	TAR(&tar, '5', "stop");
	TAR(&tar, '0', "never", .content = "seen");
	tar_end(&tar);
	m = (struct memory){ sbuf_str(&tar), tar.len, 0, 0 };
	ck_assert_int_eq(archive_walk(from_memory, &m, note_member, &seen, &err), 0);
	ck_assert_str_eq(sbuf_str(&seen),
			 "0 f - hel 5\n2 l f  0\n3 h f  0\n1 d/ -  0\n1 stop -  0\n");
}
END_TEST

static ssize_t broken_source(void *arg, void *buf, size_t len, struct err *e)
{
	(void)arg;
	(void)buf;
	(void)len;
	return err_set(e, EIO, "the disk is on fire");
}

START_TEST(the_sources_own_words_come_through)
{
	struct archive_unpack opt = { 0 };

	ck_assert_int_eq(archive_unpack(broken_source, NULL, root, &opt, &err), -EIO);
	ck_assert_str_eq(err_text(&err), "the disk is on fire");
}
END_TEST

static int to_tar(void *arg, const void *data, size_t len, struct err *e)
{
	(void)e;
	sbuf_add(arg, data, len);
	return 0;
}

START_TEST(packed_and_unpacked_is_the_same)
{
	auto_sbuf struct sbuf again = SBUF_INIT;
	char value[8];
	auto_close int fd = -1;

	TAR(&tar, '5', "d", .mode = 01777, .gid = 9);
	TAR(&tar, '0', "d/f", .content = "hello", .mode = 04711, .uid = 1000);
	TAR(&tar, '1', "z", .link = "d/f");
	TAR(&tar, '2', "l", .link = "d/f");
	tar_pax(&tar, "SCHILY.xattr.user.a", "1", 1);
	TAR(&tar, '0', "caf\xc3\xa9", .content = "x");
	TAR(&tar, '6', "p");
	unpack_ok();
	ck_assert_int_eq(mknodat(root, "dev", S_IFCHR | 0600, makedev(0, 0)), 0);
	sbuf_clear(&tar);
	ck_assert_msg(archive_pack(root, to_tar, &tar, &err) == 0, "%s", err_text(&err));
	ck_assert_int_eq(archive_pack(root, to_tar, &again, &err), 0);
	ck_assert(tar.len == again.len && memcmp(tar.s, again.s, tar.len) == 0);
	(void)close(root);
	ck_assert_int_eq(path_remove_tree(basefd, "root"), 0);
	ck_assert_int_eq(mkdirat(basefd, "root", 0755), 0);
	root = openat(basefd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_msg(unpack() == 0, "%s", err_text(&err));
	ck_assert_uint_eq(stat_of("d").st_mode, S_IFDIR | 01777);
	ck_assert(stat_of("z").st_ino == stat_of("d/f").st_ino);
	ck_assert_uint_eq(stat_of("d/f").st_mode, S_IFREG | 04711);
	content_is("caf\xc3\xa9", "x");
	ck_assert(exists("l") && exists("p") && !exists("dev"));
	fd = openat(root, "caf\xc3\xa9", O_RDONLY | O_CLOEXEC);
	ck_assert(fgetxattr(fd, "user.a", value, sizeof(value)) == 1 || errno == ENOTSUP);
}
END_TEST

/* ---- Reading ahead ---------------------------------------------------------------------------- */
struct pattern {
	size_t len, piece, at;
	int error; /* at the end */
};

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 31 + (i >> 11));
}

static ssize_t give(void *arg, void *buf, size_t len, struct err *e)
{
	struct pattern *p = arg;
	size_t n = p->len - p->at;

	n = n < len ? n : len;
	n = n < p->piece ? n : p->piece;
	for (size_t i = 0; i < n; i++)
		((unsigned char *)buf)[i] = byte_at(p->at + i);
	p->at += n;
	return n == 0 && p->error ? err_set(e, p->error, "it broke") : (ssize_t)n;
}

struct looked {
	size_t at;
	bool wrong;
};

static void look(void *arg, const void *data, size_t len)
{
	struct looked *l = arg;

	for (size_t i = 0; i < len; i++)
		l->wrong |= ((const unsigned char *)data)[i] != byte_at(l->at + i);
	l->at += len;
}

/* Sizes around those where threads begin and where buffers end, in pieces of all kinds; all of it, and
 * given up after so many bytes. */
static const struct {
	size_t len, piece, stop;
	int error;
} streams[] = {
	{ 0, 1, SIZE_MAX, 0 },
	{ 1, 1, SIZE_MAX, 0 },
	{ 1 << 20, 65536, SIZE_MAX, 0 },
	{ (1 << 20) + 1, 65536, SIZE_MAX, 0 },
	{ 3 << 20, 1 << 18, SIZE_MAX, 0 },
	{ (3 << 20) + 17, 100003, SIZE_MAX, 0 },
	{ 20 << 20, 9 << 20, SIZE_MAX, 0 },
	{ 5 << 20, 4096, SIZE_MAX, 0 },
	{ 1500000, 777, SIZE_MAX, 0 },
	{ 20 << 20, 1 << 18, 0, 0 },
	{ 20 << 20, 1 << 18, 3 << 20, 0 },
	{ 100, 10, SIZE_MAX, EIO },
	{ 9 << 20, 1 << 18, SIZE_MAX, EIO },
};

START_TEST(a_stream_read_ahead_is_the_same_for_both_who_see_it)
{
	struct pattern p = { streams[_i].len, streams[_i].piece, 0, streams[_i].error };
	struct looked tapped = { 0 }, seen = { 0 };
	struct ahead *a = ahead_open(give, &p, look, &tapped);
	auto_err struct err why = ERR_INIT;
	bool whole = streams[_i].stop == SIZE_MAX;
	const void *data;
	ssize_t n = 1;

	while (seen.at < streams[_i].stop && (n = ahead_next(a, &data, &why)) > 0)
		look(&seen, data, (size_t)n);
	if (whole)
		ck_assert_int_eq(n, -p.error);
	if (p.error)
		ck_assert_str_eq(err_text(&why), "it broke");
	ahead_close(a);
	ck_assert(!tapped.wrong && !seen.wrong);
	if (whole)
		ck_assert(tapped.at == p.len && seen.at == p.len);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("archive");
	TCase *t = tcase_create("layers");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, kinds_modes_owners_and_times_are_kept);
	tcase_add_test(t, names_that_would_leave_stay_inside);
	tcase_add_test(t, links_are_followed_inside_only);
	tcase_add_test(t, a_hardlink_reaches_nothing_outside);
	tcase_add_test(t, a_hardlink_through_a_link_stays_inside);
	tcase_add_test(t, devices_are_skipped);
	tcase_add_test(t, whiteouts_take_the_form_of_overlayfs);
	tcase_add_test(t, a_whiteout_beside_its_own_name_hides_only_what_is_below);
	tcase_add_loop_test(t, a_whiteout_of_no_name_is_refused, 0, ARRAY_LEN(bad_whiteouts));
	tcase_add_test(t, a_hardlink_to_a_whiteout_is_refused);
	tcase_add_test(t, the_last_of_two_wins);
	tcase_add_test(t, only_harmless_xattrs_are_kept);
	tcase_add_loop_test(t, names_are_bytes, 0, ARRAY_LEN(odd_names));
	tcase_add_test(t, bounds_hold);
	tcase_add_test(t, a_cut_archive_is_an_error);
	tcase_add_test(t, what_is_no_tar_is_an_error);
	tcase_add_test(t, an_empty_layer_is_fine);
	tcase_add_loop_test(t, the_tap_sees_every_byte_after_decompression, 0, 4);
	tcase_add_loop_test(t, a_stream_read_ahead_is_the_same_for_both_who_see_it, 0,
			    ARRAY_LEN(streams));
	tcase_add_test(t, a_walk_sees_members_in_order_and_can_stop);
	tcase_add_test(t, the_sources_own_words_come_through);
	tcase_add_test(t, packed_and_unpacked_is_the_same);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
