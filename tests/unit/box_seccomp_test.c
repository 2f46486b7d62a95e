/* box_seccomp_test.c - what the filter's program answers: the default profile and Docker's JSON */
#include "../../pkg/box/private.h"

#include <check.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#define ALLOWED  SECCOMP_RET_ALLOW
#define NO(code) (SECCOMP_RET_ERRNO | (code))

#if defined(__x86_64__)
enum { X32 = 0x40000000 };
#define NATIVE AUDIT_ARCH_X86_64
#define SMALL  AUDIT_ARCH_I386
#define CAP(n) (UINT64_C(1) << (n))

static uint32_t ask(const struct box_seccomp *p, uint32_t arch, uint32_t nr, uint64_t arg0)
{
	const uint64_t args[6] = { arg0 };

	return seccomp_eval(p, arch, nr, args);
}

static const struct {
	const char *what;
	uint32_t arch, nr;
	uint64_t arg0, caps;
	uint32_t answer;
} cases[] = {
	{ "read", NATIVE, 0, 0, 0, ALLOWED },
	{ "read", SMALL, 3, 0, 0, ALLOWED },
	{ "read", NATIVE, X32 + 0, 0, 0, ALLOWED },
	{ "mount", NATIVE, 165, 0, 0, NO(EPERM) },
	{ "mount", NATIVE, X32 + 165, 0, 0, NO(EPERM) },
	{ "mount", SMALL, 21, 0, 0, NO(EPERM) },
	{ "mount", NATIVE, 165, 0, CAP(21), ALLOWED },
	{ "unshare", NATIVE, 272, 0x10000000, 0, NO(EPERM) },
	{ "clone thread", NATIVE, 56, 0x3d0f00, 0, ALLOWED },
	{ "clone NEWUSER", NATIVE, 56, 0x10000000, 0, NO(EPERM) },
	{ "clone NEWUSER", SMALL, 120, 0x10000000, 0, NO(EPERM) },
	{ "clone NEWUSER", NATIVE, X32 + 56, 0x10000000, 0, NO(EPERM) },
	{ "clone NEWUSER", NATIVE, 56, 0x10000000, CAP(21), ALLOWED },
	{ "clone NEWCGROUP", NATIVE, 56, 0x02000000, 0, NO(EPERM) },
	{ "clone3", NATIVE, 435, 0, 0, NO(ENOSYS) },
	{ "clone3", NATIVE, 435, 0, CAP(21), ALLOWED },
	{ "socket unix", NATIVE, 41, 1, 0, ALLOWED },
	{ "socket alg", NATIVE, 41, 38, 0, NO(EPERM) },
	{ "socket alg", NATIVE, 41, 0x100000026, 0, NO(EPERM) },
	{ "socket vsock", NATIVE, 41, 40, 0, NO(EPERM) },
	{ "socket alg", SMALL, 359, 38, 0, NO(EPERM) },
	{ "socket alg", NATIVE, X32 + 41, 38, 0, NO(EPERM) },
	{ "personality", NATIVE, 135, 0, 0, ALLOWED },
	{ "personality", NATIVE, 135, 0xffffffff, 0, ALLOWED },
	{ "personality no aslr", NATIVE, 135, 0x0040000, 0, NO(EPERM) },
	{ "keyctl", NATIVE, 250, 0, 0, NO(EPERM) },
	{ "add_key", NATIVE, 248, 0, 0, NO(EPERM) },
	{ "io_uring_setup", NATIVE, 425, 0, 0, NO(EPERM) },
	{ "userfaultfd", NATIVE, 323, 0, 0, NO(EPERM) },
	{ "kexec_load", NATIVE, 246, 0, 0, NO(EPERM) },
	{ "bpf", NATIVE, 321, 0, 0, NO(EPERM) },
	{ "bpf", NATIVE, 321, 0, CAP(39), ALLOWED },
	{ "ptrace", NATIVE, 101, 0, 0, ALLOWED },
	{ "open_by_handle_at", NATIVE, 304, 0, 0, NO(EPERM) },
	{ "open_by_handle_at", NATIVE, 304, 0, CAP(2), ALLOWED },
	{ "futex_wait", NATIVE, 455, 0, 0, ALLOWED },
	{ "fchmodat2", SMALL, 452, 0, 0, ALLOWED },
	{ "of the future", NATIVE, 999, 0, 0, NO(ENOSYS) },
	{ "of the future", SMALL, 999, 0, 0, NO(ENOSYS) },
	{ "of the future", NATIVE, X32 + 999, 0, 0, NO(ENOSYS) },
	{ "negative", NATIVE, 0xffffffff, 0, 0, NO(ENOSYS) },
	{ "another machine", AUDIT_ARCH_AARCH64, 0, 0, 0, SECCOMP_RET_KILL_PROCESS },
};

START_TEST(default_profile)
{
	const struct box_seccomp *p = box_seccomp(cases[_i].caps);
	uint32_t got = ask(p, cases[_i].arch, cases[_i].nr, cases[_i].arg0);

	ck_assert_msg(got == cases[_i].answer, "%s %u: %x instead of %x", cases[_i].what,
		      cases[_i].nr, got, cases[_i].answer);
	ck_assert_ptr_eq(box_seccomp(cases[_i].caps), p);
	ck_assert_uint_le(seccomp_length(p), 4096);
}
END_TEST

/* ---- Profiles --------------------------------------------------------------------------------- */
static const struct box_seccomp *profile(const char *text, uint64_t caps)
{
	auto_err struct err err = ERR_INIT;
	const struct box_seccomp *p = NULL;

	ck_assert_msg(box_seccomp_profile(text, strlen(text), caps, &p, &err) == 0, "%s",
		      err_text(&err));
	return p;
}

static const char rules[] =
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":99,"
	"\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]},"
	"{\"architecture\":\"SCMP_ARCH_AARCH64\",\"subArchitectures\":[\"SCMP_ARCH_ARM\"]}],"
	"\"syscalls\":["
	"{\"names\":[\"read\",\"nonsense\"],\"action\":\"SCMP_ACT_ALLOW\"},"
	"{\"name\":\"write\",\"action\":\"SCMP_ACT_LOG\"},"
	"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
	"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":7,\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
	"{\"names\":[\"open\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"arm64\"]}},"
	"{\"names\":[\"close\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4.8\"}},"
	"{\"names\":[\"stat\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4096.1\"}},"
	"{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},"
	"{\"names\":[\"gettid\"],\"action\":\"SCMP_ACT_TRAP\"}"
	"]}";

static const struct {
	const char *what;
	uint32_t arch, nr;
	uint64_t caps;
	uint32_t answer;
} by_rule[] = {
	{ "read", NATIVE, 0, 0, ALLOWED },
	{ "read", SMALL, 3, 0, ALLOWED },
	{ "write", NATIVE, 1, 0, SECCOMP_RET_LOG },
	{ "mount", NATIVE, 165, 0, NO(7) },
	{ "mount", NATIVE, 165, CAP(21), ALLOWED },
	{ "open", NATIVE, 2, 0, NO(99) },
	{ "close", NATIVE, 3, 0, ALLOWED },
	{ "stat", NATIVE, 4, 0, NO(99) },
	{ "getpid", NATIVE, 39, 0, SECCOMP_RET_KILL_PROCESS },
	{ "gettid", NATIVE, 186, 0, SECCOMP_RET_TRAP },
	{ "future", NATIVE, 999, 0, NO(ENOSYS) },
	{ "x32, which is not listed", NATIVE, X32 + 0, 0, NO(ENOSYS) },
	{ "arm", AUDIT_ARCH_ARM, 3, 0, SECCOMP_RET_KILL_PROCESS },
};

START_TEST(profile_rules)
{
	const struct box_seccomp *p = profile(rules, by_rule[_i].caps);
	uint32_t got = ask(p, by_rule[_i].arch, by_rule[_i].nr, 0);

	ck_assert_msg(got == by_rule[_i].answer, "%s: %x instead of %x", by_rule[_i].what, got,
		      by_rule[_i].answer);
	ck_assert_ptr_eq(profile(rules, by_rule[_i].caps), p);
}
END_TEST

/* Argument 1 of a call that takes 64 bits against 0x500000007. */
static const struct {
	const char *op;
	uint64_t arg;
	bool holds;
} compare[] = {
	{ "EQ", 0x500000007, true },
	{ "EQ", 7, false },
	{ "EQ", 0x500000008, false },
	{ "NE", 0x500000007, false },
	{ "NE", 7, true },
	{ "NE", 0x500000008, true },
	{ "LT", 0x500000006, true },
	{ "LT", 0x500000007, false },
	{ "LT", 0x600000000, false },
	{ "LT", 0x4ffffffff, true },
	{ "LE", 0x500000007, true },
	{ "LE", 0x500000008, false },
	{ "LE", 0x600000001, false },
	{ "LE", 9, true },
	{ "GT", 0x500000007, false },
	{ "GT", 0x500000008, true },
	{ "GT", 0x600000000, true },
	{ "GT", 0xffffffff, false },
	{ "GE", 0x500000007, true },
	{ "GE", 0x500000006, false },
	{ "GE", 0x700000000, true },
	{ "GE", 0x400000009, false },
};

START_TEST(profile_comparisons)
{
	auto_free char *text = xasprintf(
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"lseek\"],"
		"\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"value\":21474836487,"
		"\"op\":\"SCMP_CMP_%s\"},{\"index\":5,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
		compare[_i].op);
	const struct box_seccomp *p = profile(text, 0);
	uint64_t args[6] = { 0, compare[_i].arg, 0, 0, 0, 1 };
	uint32_t got = seccomp_eval(p, NATIVE, 8, args);

	ck_assert_msg((got == ALLOWED) == compare[_i].holds, "%s %llx: %x", compare[_i].op,
		      (unsigned long long)compare[_i].arg, got);
	args[5] = 0; /* all conditions have to hold */
	ck_assert_uint_eq(seccomp_eval(p, NATIVE, 8, args), NO(EPERM));
}
END_TEST

START_TEST(profile_masks_and_several_rules)
{
	static const char text[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
		"{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,"
		"\"value\":2114060288,\"valueTwo\":0,\"op\":\"SCMP_CMP_MASKED_EQ\"}]},"
		"{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":0,"
		"\"value\":268435456,\"op\":\"SCMP_CMP_EQ\"}]},"
		"{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_LOG\"},"
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":97,\"args\":"
		"[{\"index\":0,\"value\":38,\"op\":\"SCMP_CMP_EQ\"}]}]}";
	const struct box_seccomp *p = profile(text, 0);

	ck_assert_uint_eq(ask(p, NATIVE, 56, 0x11), NO(EPERM));
	ck_assert_uint_eq(ask(p, NATIVE, 56, 0x10000000), SECCOMP_RET_KILL_THREAD);
	ck_assert_uint_eq(ask(p, NATIVE, 56, 0x20000000), SECCOMP_RET_LOG);
	ck_assert_uint_eq(ask(p, NATIVE, 41, 38), NO(97));
	ck_assert_uint_eq(ask(p, NATIVE, 41, 0x100000026), NO(97)); /* an int for the kernel */
	ck_assert_uint_eq(ask(p, NATIVE, 41, 39), ALLOWED);
	ck_assert_uint_eq(ask(p, NATIVE, 999, 0), ALLOWED);
	/* A list of what is forbidden must not be passed by on another ABI. */
	ck_assert_uint_eq(ask(p, NATIVE, X32 + 41, 38), NO(ENOSYS));
	ck_assert_uint_eq(ask(p, SMALL, 359, 38), SECCOMP_RET_KILL_PROCESS);
}
END_TEST

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "seccomp profile: " },
	{ "[]", "seccomp profile: is not an object" },
	{ "{}", "seccomp profile: defaultAction: '' is not an action that is supported" },
	{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
	  "seccomp profile: defaultAction: 'SCMP_ACT_NOTIFY' is not an action that is supported" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],\"archMap\":[{}]}",
	  "seccomp profile: has both architectures and archMap" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"X\"}]}",
	  "seccomp profile: syscalls[0]: action: 'X' is not an action that is supported" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"name\":\"a\",\"names\":[\"b\"]}]}",
	  "seccomp profile: syscalls[0]: has both name and names" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[3],\"action\":\"SCMP_ACT_LOG\"}]}",
	  "seccomp profile: syscalls[0]: a name is not a string" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_LOG\","
	  "\"args\":[{\"index\":6,\"op\":\"SCMP_CMP_EQ\"}]}]}",
	  "seccomp profile: syscalls[0]: args[0]: index: system calls have six arguments" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_LOG\","
	  "\"args\":[{\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
	  "seccomp profile: syscalls[0]: args[0]: value is not a number that can be compared with" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_LOG\","
	  "\"args\":[{\"index\":0,\"op\":\"EQ\"}]}]}",
	  "seccomp profile: syscalls[0]: args[0]: op: 'EQ' is not a comparison" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":70000}",
	  "seccomp profile: defaultErrnoRet: 70000 is out of range" },
};

START_TEST(profile_refused)
{
	auto_err struct err err = ERR_INIT;
	const struct box_seccomp *p = NULL;

	ck_assert_int_lt(box_seccomp_profile(bad[_i].text, strlen(bad[_i].text), 0, &p, &err), 0);
	ck_assert_msg(str_starts(err_text(&err), bad[_i].why), "%s", err_text(&err));
	ck_assert_ptr_null(p);
}
END_TEST
#endif

int main(void)
{
	Suite *s = suite_create("box_seccomp");
	TCase *c = tcase_create("filter");
	SRunner *sr;
	int failed;

#if defined(__x86_64__)
	tcase_add_loop_test(c, default_profile, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(c, profile_rules, 0, (int)ARRAY_LEN(by_rule));
	tcase_add_loop_test(c, profile_comparisons, 0, (int)ARRAY_LEN(compare));
	tcase_add_test(c, profile_masks_and_several_rules);
	tcase_add_loop_test(c, profile_refused, 0, (int)ARRAY_LEN(bad));
#endif
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
