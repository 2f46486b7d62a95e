/* SHA-256 by both ways gives what the standard's examples say. */
#include <ctrcompose/digest.h>

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
	const char *text;
	size_t times;
	const char *hex;
} examples[] = {
	{ "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

START_TEST(examples_of_the_standard)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	struct digest *d = digest_new();
	char hex[DIGEST_HEX];

	for (size_t i = 0; i < examples[_i].times; i++) {
		sbuf_adds(&b, examples[_i].text);
		digest_add(d, examples[_i].text, strlen(examples[_i].text));
	}
	digest_end(d, hex);
	ck_assert_str_eq(hex, examples[_i].hex);
	digest_text(sbuf_str(&b), b.len, hex);
	ck_assert_str_eq(hex, examples[_i].hex);
}
END_TEST

START_TEST(text_and_stream_agree_at_every_length)
{
	char data[300], a[DIGEST_HEX], b[DIGEST_HEX];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	for (size_t n = 0; n <= sizeof(data); n++) {
		struct digest *d = digest_new();

		digest_add(d, data, n / 3);
		digest_add(d, data + n / 3, n - n / 3);
		digest_end(d, a);
		digest_text(data, n, b);
		ck_assert_str_eq(a, b);
	}
}
END_TEST

START_TEST(a_descriptor_is_read_from_where_it_stands)
{
	auto_close int fd = memfd_create("digest", MFD_CLOEXEC);
	char hex[DIGEST_HEX];

	ck_assert_int_eq(write(fd, "xxabc", 5), 5);
	ck_assert_int_eq(lseek(fd, 2, SEEK_SET), 2);
	ck_assert_int_eq(digest_fd(fd, hex, NULL), 0);
	ck_assert_str_eq(hex, examples[1].hex);
}
END_TEST

START_TEST(a_write_only_descriptor_is_an_error)
{
	auto_close int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	auto_err struct err err = ERR_INIT;
	char hex[DIGEST_HEX];

	ck_assert_int_eq(digest_fd(fd, hex, &err), -EBADF);
	ck_assert_str_eq(err_text(&err), "read: Bad file descriptor");
}
END_TEST

START_TEST(only_64_lower_case_digits_are_a_digest)
{
	char bad[65];

	ck_assert(digest_hex_ok(examples[1].hex));
	ck_assert(!digest_hex_ok(NULL) && !digest_hex_ok("") && !digest_hex_ok("abc"));
	memcpy(bad, examples[1].hex, sizeof(bad));
	bad[3] = 'A';
	ck_assert(!digest_hex_ok(bad));
	bad[3] = '/';
	ck_assert(!digest_hex_ok(bad));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("digest");
	TCase *t = tcase_create("sha256");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, examples_of_the_standard, 0, ARRAY_LEN(examples));
	tcase_add_test(t, text_and_stream_agree_at_every_length);
	tcase_add_test(t, a_descriptor_is_read_from_where_it_stands);
	tcase_add_test(t, a_write_only_descriptor_is_an_error);
	tcase_add_test(t, only_64_lower_case_digits_are_a_digest);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
