/* fw_xtables.c - a rule as text to what the kernel's legacy tables take, through libxtables: each match
 * and target is read and checked by its own extension, as iptables(8) does it. */
#include "fw_legacy.h"

#include <net/if.h> /* before linux/if.h, which gives way to it */

#include <arpa/inet.h>
#include <getopt.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xtables.h>

#define XTABLES_LIB_FUNCTIONS(X)     \
	X(xtables_matches)           \
	X(xtables_targets)           \
	X(xtables_init_all)          \
	X(xtables_find_match)        \
	X(xtables_find_target)       \
	X(xtables_calloc)            \
	X(xtables_load_ko)           \
	X(xtables_options_xfrm)      \
	X(xtables_merge_options)     \
	X(xtables_option_mpcall)     \
	X(xtables_option_tpcall)     \
	X(xtables_option_mfcall)     \
	X(xtables_option_tfcall)     \
	X(xtables_free_opts)         \
	X(xtables_rule_matches_free) \
	X(xtables_parse_interface)   \
	X(xtables_parse_protocol)    \
	X(xtables_compatible_revision)

static struct {
	XTABLES_LIB_FUNCTIONS(LIB_FIELD)
} lib;

enum { WORDS_MAX = 64, OPTION_SCALE = 256 /* numbers per extension */ };

static struct option base_options[] = {
	{ "source", required_argument, NULL, 's' },
	{ "destination", required_argument, NULL, 'd' },
	{ "in-interface", required_argument, NULL, 'i' },
	{ "out-interface", required_argument, NULL, 'o' },
	{ "protocol", required_argument, NULL, 'p' },
	{ "match", required_argument, NULL, 'm' },
	{ "jump", required_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

/* Where an extension that finds an error comes back to; one rule at a time. */
static jmp_buf failed;
static char failure[256];

static void on_error(enum xtables_exittype status, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
static void on_error(enum xtables_exittype status, const char *fmt, ...)
{
	va_list ap;

	(void)status;
	va_start(ap, fmt);
	(void)vsnprintf(failure, sizeof(failure), fmt, ap);
	failure[strcspn(failure, "\n")] = '\0';
	va_end(ap);
	longjmp(failed, 1);
}

static struct xtables_globals globals = {
	.program_name = "ctrcompose",
	.program_version = CTRCOMPOSE_VERSION,
	.orig_opts = base_options,
	.opts = NULL, /* with those of extensions, once there are some: the library frees them */
	.exit_err = on_error,
};

static bool start(void)
{
	globals.compat_rev = lib.xtables_compatible_revision;
	return lib.xtables_init_all(&globals, NFPROTO_IPV4) == 0;
}

/* A rule while it is read. */
struct reading {
	bool invert;
	struct xtables_rule_match *matches;
	struct xtables_target *target;
	struct ipt_entry entry; /* it ends in what is put behind it: last */
};

static void take_options(const struct xt_option_entry *own, const struct option *extra,
			 unsigned *offset)
{
	struct option *merged = globals.opts;

	if (own)
		merged = lib.xtables_options_xfrm(globals.orig_opts, globals.opts, own, offset);
	else if (extra)
		merged = lib.xtables_merge_options(globals.orig_opts, globals.opts, extra, offset);
	if (!merged && globals.opts)
		on_error(RESOURCE_PROBLEM, "no room for the options of an extension");
	globals.opts = merged;
}

static void add_match(struct reading *r, const char *name)
{
	struct xtables_match *m = lib.xtables_find_match(name, XTF_LOAD_MUST_SUCCEED, &r->matches);
	size_t size = XT_ALIGN(sizeof(struct xt_entry_match)) + m->size;

	m->m = lib.xtables_calloc(1, size);
	m->m->u.match_size = (uint16_t)size;
	(void)snprintf(m->m->u.user.name, sizeof(m->m->u.user.name), "%s",
		       m->real_name ? m->real_name : m->name);
	m->m->u.user.revision = m->revision;
	if (m->udata_size) {
		free(m->udata);
		m->udata = lib.xtables_calloc(1, m->udata_size);
	}
	if (m->init)
		m->init(m->m);
	if (m != m->next) /* not a second one of its kind */
		take_options(m->x6_options, m->extra_opts, &m->option_offset);
}

/* A chain is jumped to by the standard target. */
static void set_target(struct reading *r, const char *name)
{
	bool chain = str_starts(name, "CC-");
	struct xtables_target *t =
		lib.xtables_find_target(chain ? XT_STANDARD_TARGET : name, XTF_LOAD_MUST_SUCCEED);
	size_t size = XT_ALIGN(sizeof(struct xt_entry_target)) + t->size;

	t->t = lib.xtables_calloc(1, size);
	t->t->u.target_size = (uint16_t)size;
	(void)snprintf(t->t->u.user.name, sizeof(t->t->u.user.name), "%s",
		       t->real_name ? t->real_name : name);
	t->t->u.user.revision = t->revision;
	if (t->udata_size) {
		free(t->udata);
		t->udata = lib.xtables_calloc(1, t->udata_size);
	}
	if (t->init)
		t->init(t->t);
	take_options(t->x6_options, t->extra_opts, &t->option_offset);
	r->target = t;
}

static void set_address(struct reading *r, bool source, const char *text)
{
	struct ipt_ip *ip = &r->entry.ip;
	struct net_prefix p = { .len = 32 };
	int code = strchr(text, '/') ? net_prefix_parse(text, &p) : net_ip_parse(text, &p.addr);

	if (code < 0)
		on_error(PARAMETER_PROBLEM, "'%s' is not an address", text);
	*(source ? &ip->src : &ip->dst) = (struct in_addr){ htonl(p.addr) };
	*(source ? &ip->smsk : &ip->dmsk) =
		(struct in_addr){ htonl(p.len ? ~0U << (32 - p.len) : 0) };
	ip->invflags |= r->invert ? (source ? IPT_INV_SRCIP : IPT_INV_DSTIP) : 0;
}

static void set_interface(struct reading *r, bool in, const char *name)
{
	struct ipt_ip *ip = &r->entry.ip;

	lib.xtables_parse_interface(name, in ? ip->iniface : ip->outiface,
				    in ? ip->iniface_mask : ip->outiface_mask);
	ip->invflags |= r->invert ? (in ? IPT_INV_VIA_IN : IPT_INV_VIA_OUT) : 0;
}

static void set_protocol(struct reading *r, const char *name)
{
	r->entry.ip.proto = lib.xtables_parse_protocol(name);
	r->entry.ip.invflags |= r->invert ? XT_INV_PROTO : 0;
}

static void extension_option(struct reading *r, int c, char **argv)
{
	struct xtables_target *t = r->target;
	unsigned n = (unsigned)c;

	if (t && (t->parse || t->x6_parse) && n >= t->option_offset &&
	    n < t->option_offset + OPTION_SCALE) {
		lib.xtables_option_tpcall(n, argv, r->invert, t, &r->entry);
		return;
	}
	for (struct xtables_rule_match *m = r->matches; m; m = m->next)
		if (!m->completed && (m->match->parse || m->match->x6_parse) &&
		    n >= m->match->option_offset && n < m->match->option_offset + OPTION_SCALE) {
			lib.xtables_option_mpcall(n, argv, r->invert, m->match, &r->entry);
			return;
		}
	on_error(PARAMETER_PROBLEM, "unknown option '%s'", argv[optind - 1]);
}

/* What extensions remember of the rule before. */
static void forget(void)
{
	for (struct xtables_match *m = *lib.xtables_matches; m; m = m->next)
		m->mflags = 0;
	for (struct xtables_target *t = *lib.xtables_targets; t; t = t->next)
		t->tflags = t->used = 0;
}

static void read_words(struct reading *r, int argc, char **argv)
{
	int c;

	forget();
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "-:s:d:i:o:p:m:j:",
				globals.opts ? globals.opts : base_options, NULL)) != -1) {
		if (c == 1) {
			if (strcmp(optarg, "!") != 0 || r->invert)
				on_error(PARAMETER_PROBLEM, "unexpected word '%s'", optarg);
			r->invert = true;
			continue;
		}
		if (c == 's' || c == 'd')
			set_address(r, c == 's', optarg);
		else if (c == 'i' || c == 'o')
			set_interface(r, c == 'i', optarg);
		else if (c == 'p')
			set_protocol(r, optarg);
		else if (c == 'm')
			add_match(r, optarg);
		else if (c == 'j')
			set_target(r, optarg);
		else
			extension_option(r, c, argv);
		r->invert = false;
	}
	if (!r->target)
		on_error(PARAMETER_PROBLEM, "it has no target");
	for (struct xtables_rule_match *m = r->matches; m; m = m->next)
		lib.xtables_option_mfcall(m->match);
	lib.xtables_option_tfcall(r->target);
}

/* Entry, matches and target, one behind the other. */
static struct ipt_entry *join(struct reading *r)
{
	size_t at = sizeof(r->entry);
	char *out;

	for (const struct xtables_rule_match *m = r->matches; m; m = m->next)
		at += m->match->m->u.match_size;
	r->entry.target_offset = (uint16_t)at;
	r->entry.next_offset = (uint16_t)(at + r->target->t->u.target_size);
	out = xcalloc(1, r->entry.next_offset);
	memcpy(out, &r->entry, sizeof(r->entry));
	at = sizeof(r->entry);
	for (const struct xtables_rule_match *m = r->matches; m; m = m->next) {
		memcpy(out + at, m->match->m, m->match->m->u.match_size);
		at += m->match->m->u.match_size;
	}
	memcpy(out + at, r->target->t, r->target->t->u.target_size);
	return (struct ipt_entry *)(void *)out;
}

static void release(struct reading *r)
{
	lib.xtables_rule_matches_free(&r->matches);
	if (r->target) {
		free(r->target->t);
		r->target->t = NULL;
		if (r->target == r->target->next) /* a copy, for its second use */
			free(r->target);
	}
	lib.xtables_free_opts(1);
}

static int xtables_get(struct err *err)
{
	static const struct lib_symbol symbols[] = { XTABLES_LIB_FUNCTIONS(LIB_SYMBOL) };
	static struct lib file = { .soname = "libxtables.so.12",
				   .needed = "firewall: legacy tables need libxtables "
					     "(package libxtables12)",
				   .symbols = symbols,
				   .n_symbols = ARRAY_LEN(symbols),
				   .start = start };

	return lib_get(&file, err);
}

int fw_module_load(struct err *err)
{
	int r = xtables_get(err);

	if (r == 0 && lib.xtables_load_ko(NULL, true) < 0)
		r = err_set(err, -ENOTSUP, "firewall: the kernel module ip_tables can't be loaded");
	return r;
}

int fw_entry_make(const char *args, struct ipt_entry **out, struct err *err)
{
	static struct reading r; /* survives longjmp(3) */
	auto_free char *text = xstrdup(args);
	char *argv[WORDS_MAX + 1] = { text };
	char *next = text;
	int argc = 1, code = xtables_get(err);

	if (code < 0)
		return code;
	for (char *word; argc < WORDS_MAX && (word = strsep(&next, " ")) != NULL;)
		if (*word)
			argv[argc++] = word;
	r = (struct reading){ .invert = false };
	globals.opts = NULL;
	if (setjmp(failed)) {
		release(&r);
		return err_set(err, -EINVAL, "firewall: the rule '%s': %s", args, failure);
	}
	read_words(&r, argc, argv);
	*out = join(&r);
	release(&r);
	return 0;
}
