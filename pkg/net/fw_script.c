/* fw_script.c - from what is there to what should be, as one input for iptables-restore. Pure.
 *
 * With --noflush a line ":CHAIN" makes a chain of ours, or empties it; everything else stays. What
 * is deleted is named exactly as iptables-save printed it, so nothing foreign is ever matched.
 */
#include "net_priv.h"

#include <stdlib.h>
#include <string.h>

/* What iptables-save says about us in one table. */
struct found {
	struct strs chains; /* ours */
	struct strs jumps;  /* "FORWARD -j CC-..." in chains that are not */
};

/* The word after " -j " or " -g ", ours or not. */
static bool jumps_to(const char *line, const char *tag)
{
	static const char *const jumps[] = { " -j ", " -g " };

	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		const char *at = strstr(line, jumps[i]);

		for (; at; at = strstr(at + 1, jumps[i]))
			if (str_starts(at + 4, tag))
				return true;
	}
	return false;
}

static void look(char *line, const char *tag, struct found *found)
{
	if (line[0] == ':' && str_starts(line + 1, tag)) {
		line[strcspn(line, " ")] = '\0';
		strs_add(&found->chains, line + 1);
	} else if (str_starts(line, "-A ") && !str_starts(line + 3, tag) && jumps_to(line, tag)) {
		strs_add(&found->jumps, line + 3);
	}
}

static void find(const char *saved, const char *table, const char *tag, struct found *found)
{
	auto_free char *text = xstrdup(saved);
	bool inside = false;

	for (char *next = text, *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
		if (line[0] == '*')
			inside = str_eq(line + 1, table);
		else if (inside)
			look(line, tag, found);
	}
}

static void script_table(struct sbuf *out, const struct fw_rules *r, bool v6, const char *table,
			 const struct found *found)
{
	auto_strs struct strs wanted = { 0 };

	for (size_t i = 0; i < r->n; i++)
		if (fw_in_table(&r->v[i], v6, table) && !r->v[i].hook &&
		    !strs_has(&wanted, r->v[i].chain))
			strs_add(&wanted, r->v[i].chain);
	if (wanted.n == 0 && found->chains.n == 0 && found->jumps.n == 0)
		return;
	sbuf_addf(out, "*%s\n", table);
	for (size_t i = 0; i < wanted.n; i++)
		sbuf_addf(out, ":%s - [0:0]\n", wanted.v[i]);
	for (size_t i = 0; i < found->jumps.n; i++)
		sbuf_addf(out, "-D %s\n", found->jumps.v[i]);
	for (size_t i = 0; i < found->chains.n; i++)
		if (!strs_has(&wanted, found->chains.v[i]))
			sbuf_addf(out, "-F %s\n-X %s\n", found->chains.v[i], found->chains.v[i]);
	for (size_t i = 0; i < r->n; i++)
		if (fw_in_table(&r->v[i], v6, table))
			sbuf_addf(out, r->v[i].hook ? "-I %s 1 %s\n" : "-A %s %s\n", r->v[i].chain,
				  r->v[i].args);
	sbuf_adds(out, "COMMIT\n");
}

char *fw_script(const struct fw_rules *r, bool v6, const char *saved)
{
	/* With the dash: a tag is never the beginning of another chain's tag. */
	auto_free char *tag = xasprintf("%s-", r->tag);
	auto_sbuf struct sbuf out = SBUF_INIT;

	for (size_t i = 0; i < FW_TABLES; i++) {
		struct found found = { .chains = { 0 } };

		find(saved, fw_tables[i], tag, &found);
		script_table(&out, r, v6, fw_tables[i], &found);
		strs_clear(&found.chains);
		strs_clear(&found.jumps);
	}
	return sbuf_take(&out);
}

char *fw_saved(const struct fw_rules *r, bool v6)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	for (size_t t = 0; t < FW_TABLES; t++) {
		auto_strs struct strs chains = { 0 };

		sbuf_addf(&out, "*%s\n", fw_tables[t]);
		for (size_t i = 0; i < r->n; i++) {
			const struct fw_rule *rule = &r->v[i];

			if (!fw_in_table(rule, v6, fw_tables[t]))
				continue;
			if (!rule->hook && !strs_has(&chains, rule->chain)) {
				strs_add(&chains, rule->chain);
				sbuf_addf(&out, ":%s - [0:0]\n", rule->chain);
			}
			sbuf_addf(&out, "-A %s %s\n", rule->chain, rule->args);
		}
		sbuf_adds(&out, "COMMIT\n");
	}
	return sbuf_take(&out);
}

/* Lines of the table that begin so, or are so. */
static size_t count(const char *saved, const char *table, const char *line, bool whole)
{
	bool inside = false;
	size_t n = 0;

	for (const char *p = saved; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\n");

		if (*p == '*')
			inside = strlen(table) == len - 1 && strncmp(p + 1, table, len - 1) == 0;
		else if (inside && strncmp(p, line, strlen(line)) == 0)
			n += !whole || strlen(line) == len;
	}
	return n;
}

bool fw_holds(const struct fw_rules *r, bool v6, const char *saved)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct fw_rule *rule = &r->v[i];
		auto_free char *line = xasprintf("-A %s %s", rule->chain, rule->args);
		auto_free char *begin = xasprintf("-A %s ", rule->chain);

		if (rule->v6 != v6)
			continue;
		if (count(saved, rule->table, line, true) == 0)
			return false;
		if (!rule->hook && count(saved, rule->table, begin, false) !=
					   fw_count(r, v6, rule->table, rule->chain))
			return false; /* one that is not ours */
	}
	return true;
}
