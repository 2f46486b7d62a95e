/* fw_legacy.c - the kernel's legacy tables through libiptc: read, change, commit, in microseconds; see
 * fw_legacy.h */
#include "fw_legacy.h"
#include "net_priv.h"

#include <fcntl.h>
#include <libiptc/libiptc.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { TRIES = 5, LOCK_TRIES = 100, LOCK_PAUSE_US = 100000 };

#define IPTC_LIB_FUNCTIONS(X) \
	X(iptc_init)          \
	X(iptc_free)          \
	X(iptc_commit)        \
	X(iptc_strerror)      \
	X(iptc_is_chain)      \
	X(iptc_first_chain)   \
	X(iptc_next_chain)    \
	X(iptc_first_rule)    \
	X(iptc_next_rule)     \
	X(iptc_get_target)    \
	X(iptc_create_chain)  \
	X(iptc_delete_chain)  \
	X(iptc_flush_entries) \
	X(iptc_append_entry)  \
	X(iptc_insert_entry)  \
	X(iptc_delete_num_entry)

static struct {
	IPTC_LIB_FUNCTIONS(LIB_FIELD)
} lib;

static int iptc_get(struct err *err)
{
	static const struct lib_symbol symbols[] = { IPTC_LIB_FUNCTIONS(LIB_SYMBOL) };
	static struct lib file = { .soname = "libip4tc.so.2",
				   .needed = "firewall: legacy tables need libiptc "
					     "(package libip4tc2)",
				   .symbols = symbols,
				   .n_symbols = ARRAY_LEN(symbols) };

	return lib_get(&file, err);
}

/* The program that a person would run, followed to what it is. */
static bool find_legacy(void)
{
	auto_free char *path =
		xasprintf("%s:/usr/sbin:/sbin", getenv("PATH") ? getenv("PATH") : "");
	char *next = path;

	for (char *dir; (dir = strsep(&next, ":")) != NULL;) {
		auto_free char *program = path_join(dir, "iptables-restore");
		auto_free char *real = *dir ? realpath(program, NULL) : NULL;

		if (real)
			return strstr(real, "legacy") != NULL;
	}
	return false;
}

bool fw_legacy(void)
{
	static int known = -1;

	if (known < 0)
		known = find_legacy();
	return known;
}

/* iptables(8) takes the same one. */
static int lock_tables(int *out, struct err *err)
{
	const char *path = getenv("XTABLES_LOCKFILE");
	auto_close int fd = -1;

	path = path ? path : "/run/xtables.lock";
	fd = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, "firewall: %s", path);
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (i == LOCK_TRIES)
			return err_set(err, -EBUSY,
				       "firewall: another program has held %s for ten seconds",
				       path);
		(void)usleep(LOCK_PAUSE_US);
	}
	*out = steal_fd(&fd);
	return 0;
}

/* ---- One table ------------------------------------------------------------------------------- */
struct table {
	struct xtc_handle *h;
	const char *name;
	struct strs chains; /* ours, all that are there */
	struct strs others;
};

static void table_close(struct table *t)
{
	if (t->h)
		lib.iptc_free(t->h);
	strs_clear(&t->chains);
	strs_clear(&t->others);
}
#define auto_table __attribute__((cleanup(table_close)))

static int said(const struct table *t, const char *doing, struct err *err)
{
	return err_set(err, -EIO, "firewall: table %s: %s: %s", t->name, doing,
		       lib.iptc_strerror(errno));
}

/* 0 without a handle: the kernel has no such table. */
static int table_open(struct table *t, const char *tag, struct err *err)
{
	int r = iptc_get(err);

	if (r < 0)
		return r;
	t->h = lib.iptc_init(t->name);
	if (!t->h && fw_module_load(NULL) == 0)
		t->h = lib.iptc_init(t->name);
	if (!t->h)
		return errno == ENOENT || errno == ENOPROTOOPT ? 0 : said(t, "read", err);
	for (const char *c = lib.iptc_first_chain(t->h); c; c = lib.iptc_next_chain(t->h))
		strs_add(str_starts(c, tag) ? &t->chains : &t->others, c);
	return 0;
}

/* Jumps to ours in a chain of others; with `away` they are taken out. */
static size_t jumps(const struct table *t, const char *chain, const char *tag, bool away)
{
	size_t n = 0;
	unsigned at = 0;

	for (const struct ipt_entry *e = lib.iptc_first_rule(chain, t->h); e;) {
		bool ours = str_starts(lib.iptc_get_target(e, t->h), tag);

		n += ours;
		if (ours && away && lib.iptc_delete_num_entry(chain, at, t->h)) {
			/* The list has changed: from its start. */
			e = lib.iptc_first_rule(chain, t->h);
			at = 0;
			continue;
		}
		e = lib.iptc_next_rule(e, t->h);
		at++;
	}
	return n;
}

/* The rule, in its chain, which is made for the first one. */
static int put(const struct table *t, const struct fw_rule *rule, struct err *err)
{
	auto_free struct ipt_entry *entry = NULL;
	xt_chainlabel chain = "";
	int r = fw_entry_make(rule->args, &entry, err);

	if (r < 0)
		return r;
	(void)strncpy(chain, rule->chain, sizeof(chain) - 1);
	if (!rule->hook && !lib.iptc_is_chain(chain, t->h) && !lib.iptc_create_chain(chain, t->h))
		return said(t, chain, err);
	if (rule->hook ? !lib.iptc_insert_entry(chain, entry, 0, t->h)
		       : !lib.iptc_append_entry(chain, entry, t->h))
		return said(t, rule->args, err);
	return 0;
}

/* Ours that are there go, or become empty where rules for them follow. */
static int clear(const struct table *t, const struct fw_rules *r, const char *tag, struct err *err)
{
	for (size_t i = 0; i < t->others.n; i++)
		(void)jumps(t, t->others.v[i], tag, true);
	for (size_t i = 0; i < t->chains.n; i++)
		if (!lib.iptc_flush_entries(t->chains.v[i], t->h))
			return said(t, t->chains.v[i], err);
	for (size_t i = 0; i < t->chains.n; i++)
		if (fw_count(r, false, t->name, t->chains.v[i]) == 0 &&
		    !lib.iptc_delete_chain(t->chains.v[i], t->h))
			return said(t, t->chains.v[i], err);
	return 0;
}

static bool is_there(const struct table *t, const char *tag)
{
	bool there = t->chains.n > 0;

	for (size_t i = 0; i < t->others.n && !there; i++)
		there = jumps(t, t->others.v[i], tag, false) > 0;
	return there;
}

static int change_once(const struct fw_rules *r, const char *tag, struct table *t, struct err *err)
{
	int code = table_open(t, tag, err);

	if (code < 0)
		return code;
	if (!t->h)
		return fw_count(r, false, t->name, NULL) ? said(t, "read", err) : 0;
	if (fw_count(r, false, t->name, NULL) == 0 && !is_there(t, tag))
		return 0;
	code = clear(t, r, tag, err);
	for (size_t i = 0; i < r->n && code == 0; i++)
		if (fw_in_table(&r->v[i], false, t->name))
			code = put(t, &r->v[i], err);
	if (code < 0)
		return code;
	if (lib.iptc_commit(t->h))
		return 0;
	return errno == EAGAIN ? -EAGAIN : said(t, "commit", err);
}

int fw_legacy_apply(const struct fw_rules *r, struct err *err)
{
	auto_free char *tag = xasprintf("%s-", r->tag);
	auto_close int lock = -1;
	int code = lock_tables(&lock, err);

	for (size_t i = 0; i < FW_TABLES && code == 0; i++) {
		int tries = 0;

		do {
			auto_table struct table t = { .name = fw_tables[i] };

			code = change_once(r, tag, &t, err);
		} while (code == -EAGAIN && ++tries < TRIES);
	}
	if (code == -EAGAIN)
		return err_set(err, code, "firewall: the tables keep changing; try again");
	return code;
}

int fw_legacy_holds(const struct fw_rules *r, struct err *err)
{
	auto_free char *tag = xasprintf("%s-", r->tag);

	for (size_t i = 0; i < FW_TABLES; i++) {
		auto_table struct table t = { .name = fw_tables[i] };
		int code = fw_count(r, false, t.name, NULL) ? table_open(&t, tag, err) : 1;

		if (code < 0)
			return code;
		if (code == 1)
			continue;
		for (size_t k = 0; k < r->n; k++) {
			const struct fw_rule *rule = &r->v[k];
			size_t n = 0;

			if (!fw_in_table(rule, false, t.name))
				continue;
			if (!t.h || !lib.iptc_is_chain(rule->chain, t.h))
				return 0;
			if (rule->hook) {
				if (jumps(&t, rule->chain, tag, false) == 0)
					return 0;
				continue;
			}
			for (const struct ipt_entry *e = lib.iptc_first_rule(rule->chain, t.h); e;
			     e = lib.iptc_next_rule(e, t.h))
				n++;
			if (n != fw_count(r, false, t.name, rule->chain))
				return 0;
		}
	}
	return 1;
}
