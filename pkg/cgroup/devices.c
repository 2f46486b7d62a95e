/* devices.c - which devices a container may open: the v1 controller or a BPF program on v2 */
#include "internal.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANY (-1)

const struct cgroup_device cgroup_default_devices[] = {
	{ 'c', ANY, ANY, "m" }, /* making nodes is harmless, opening them is not */
	{ 'b', ANY, ANY, "m" },   { 'c', 1, 3, "rwm" }, /* null */
	{ 'c', 1, 5, "rwm" },                           /* zero */
	{ 'c', 1, 7, "rwm" },                           /* full */
	{ 'c', 1, 8, "rwm" },                           /* random */
	{ 'c', 1, 9, "rwm" },                           /* urandom */
	{ 'c', 5, 0, "rwm" },                           /* tty */
	{ 'c', 5, 1, "rwm" },                           /* console */
	{ 'c', 5, 2, "rwm" },                           /* ptmx */
	{ 'c', 136, ANY, "rwm" },                       /* pts */
};
const size_t cgroup_n_default_devices = ARRAY_LEN(cgroup_default_devices);

/* "42" or "*" */
static bool device_number(const char *s, size_t n, int64_t *out)
{
	uint64_t v = 0;

	*out = -1;
	if (n == 1 && *s == '*')
		return true;
	if (n == 0 || n > 8)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*out = (int64_t)v;
	return true;
}

bool cgroup_device_parse(const char *text, struct cgroup_device *out)
{
	const char *colon, *blank;

	if (!strchr("abc", text[0]) || !text[0] || text[1] != ' ')
		return false;
	colon = strchr(text + 2, ':');
	blank = colon ? strchr(colon, ' ') : NULL;
	if (!blank)
		return false;
	out->type = text[0];
	out->access = blank + 1;
	return device_number(text + 2, (size_t)(colon - text - 2), &out->major) &&
	       device_number(colon + 1, (size_t)(blank - colon - 1), &out->minor) && blank[1] &&
	       strlen(blank + 1) <= 3 && strspn(blank + 1, "rwm") == strlen(blank + 1);
}

static const struct cgroup_device *rule_at(size_t i, const struct cgroup_device *extra)
{
	return i < cgroup_n_default_devices ? &cgroup_default_devices[i]
					    : &extra[i - cgroup_n_default_devices];
}

static int check_rules(const struct cgroup_device *extra, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *access = extra[i].access;

		if ((extra[i].type != 'c' && extra[i].type != 'b') || !access || !*access ||
		    access[strspn(access, "rwm")] != '\0' || strlen(access) > 3 ||
		    extra[i].major > INT32_MAX || extra[i].minor > INT32_MAX)
			return err_set(err, -EINVAL, "device rule %zu: '%c %lld:%lld %s' is none",
				       i + 1, extra[i].type ? extra[i].type : '?',
				       (long long)extra[i].major, (long long)extra[i].minor,
				       access ? access : "");
	}
	return 0;
}

static void add_number(struct sbuf *b, int64_t n)
{
	if (n < 0)
		sbuf_addc(b, '*');
	else
		sbuf_addf(b, "%lld", (long long)n);
}

int devices_v1(const struct hier *h, const char *path, const struct cgroup_device *extra,
	       size_t n_extra, struct err *err)
{
	auto_free char *list = NULL;
	int r = check_rules(extra, n_extra, err);

	if (r < 0)
		return r;
	r = hier_read(h, path, "devices.list", &list);
	if (r < 0)
		return err_wrap(err, r, "read %s/%s/devices.list", h->mount, path);
	/* Denying again is refused once there are children, and would open a gap. */
	if (str_starts(list, "a ")) {
		r = hier_write(h, path, "devices.deny", "a", err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < cgroup_n_default_devices + n_extra; i++) {
		const struct cgroup_device *d = rule_at(i, extra);
		auto_sbuf struct sbuf rule = SBUF_INIT;

		sbuf_addf(&rule, "%c ", d->type);
		add_number(&rule, d->major);
		sbuf_addc(&rule, ':');
		add_number(&rule, d->minor);
		sbuf_addf(&rule, " %s", d->access);
		r = hier_write(h, path, "devices.allow", sbuf_str(&rule), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- v2 ---- */

struct program {
	struct bpf_insn *v;
	size_t n, cap;
};

static void emit(struct program *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off,
		 int32_t imm)
{
	*vec_push(p) = (struct bpf_insn){
		.code = code, .dst_reg = dst & 15, .src_reg = src & 15, .off = off, .imm = imm
	};
}

/* Jump over the rest of the rule when the register is not imm; patched by end_rule(). */
static void unless(struct program *p, uint8_t reg, int64_t imm)
{
	emit(p, BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, (int32_t)imm);
}

static void end_rule(struct program *p, size_t start)
{
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (size_t i = start; i < p->n; i++)
		if (p->v[i].code == (BPF_JMP | BPF_JNE | BPF_K))
			p->v[i].off = (int16_t)(p->n - i - 1);
}

static int32_t access_bits(const char *access)
{
	return (strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0) |
	       (strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0) |
	       (strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0);
}

enum { R_TYPE = BPF_REG_2, R_ACCESS = BPF_REG_3, R_MAJOR = BPF_REG_4, R_MINOR = BPF_REG_5 };

static void compile(struct program *p, const struct cgroup_device *extra, size_t n_extra)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, R_TYPE, BPF_REG_1, 0, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, R_ACCESS, R_TYPE, 0, 0);
	emit(p, BPF_ALU64 | BPF_RSH | BPF_K, R_ACCESS, 0, 0, 16);
	emit(p, BPF_ALU64 | BPF_AND | BPF_K, R_TYPE, 0, 0, 0xffff);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, R_MAJOR, BPF_REG_1, 4, 0);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, R_MINOR, BPF_REG_1, 8, 0);
	for (size_t i = 0; i < cgroup_n_default_devices + n_extra; i++) {
		const struct cgroup_device *d = rule_at(i, extra);
		size_t start = p->n;

		unless(p, R_TYPE, d->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
		emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, R_ACCESS, 0, 0);
		emit(p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, 7 & ~access_bits(d->access));
		unless(p, BPF_REG_0, 0);
		if (d->major >= 0)
			unless(p, R_MAJOR, d->major);
		if (d->minor >= 0)
			unless(p, R_MINOR, d->minor);
		end_rule(p, start);
	}
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static bool has_program(int dir)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)dir;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	return sys_bpf(BPF_PROG_QUERY, &attr) == 0 && attr.query.prog_cnt > 0;
}

static int load_and_attach(int dir, const struct program *p)
{
	union bpf_attr attr;
	auto_close int prog = -1;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)p->v;
	attr.insn_cnt = (uint32_t)p->n;
	attr.license = (uintptr_t) "none";
	memcpy(attr.prog_name, "ctrcompose_dev", sizeof("ctrcompose_dev"));
	prog = sys_bpf(BPF_PROG_LOAD, &attr);
	if (prog < 0)
		return -errno;
	(void)fcntl(prog, F_SETFD, FD_CLOEXEC);
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	return sys_bpf(BPF_PROG_ATTACH, &attr) < 0 ? -errno : 0;
}

int devices_v2(const struct hier *h, const char *path, const struct cgroup_device *extra,
	       size_t n_extra, struct err *err)
{
	auto_free char *dir_path = hier_path(h, path, NULL);
	auto_close int dir = -1;
	struct program p = { NULL, 0, 0 };
	int r = check_rules(extra, n_extra, err);

	if (r < 0)
		return r;
	dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open %s", dir_path);
	/* One that is there was put there by us; it outlives the process that did. */
	if (has_program(dir))
		return 0;
	compile(&p, extra, n_extra);
	r = load_and_attach(dir, &p);
	free(p.v);
	if (r < 0)
		return err_set(err, r, "restrict the devices of %s with a BPF program: %s",
			       dir_path, strerror(-r));
	return 0;
}
