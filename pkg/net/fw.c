/* fw.c - the firewall of a running project: what it put in place, and changes to it; see net.h */
#include "fw_legacy.h"
#include "net_priv.h"

#include <stdlib.h>
#include <string.h>

struct fw {
	char *project;
	struct fw_rules rules; /* asked for last */
	bool known;            /* they, and nothing else of ours, are there */
	bool sysctls_due;
	struct {
		bool running;
		struct proc proc;
	} family[2];
};

struct fw *fw_new(const char *project, bool fresh)
{
	struct fw *f = xcalloc(1, sizeof(*f));

	f->project = xstrdup(project);
	f->known = fresh;
	fw_tag(project, f->rules.tag);
	return f;
}

void fw_free(struct fw *f)
{
	if (!f)
		return;
	(void)fw_wait(f, NULL);
	fw_rules_clear(&f->rules);
	free(f->project);
	free(f);
}

static int begin(struct fw *f, bool v6, const struct fw_rules *rules, struct err *err)
{
	auto_free char *saved = NULL, *script = NULL;
	int r;

	if (!v6 && fw_legacy()) /* done at once, in less time than a program takes to start */
		return fw_legacy_apply(rules, err);
	if (f->known) {
		saved = fw_saved(&f->rules, v6);
	} else {
		r = fw_save(v6, &saved, err);
		if (r == -ENOENT && rules->n == 0)
			return 0; /* no program, no rules */
		if (r < 0)
			return r;
	}
	script = fw_script(rules, v6, saved);
	if (script[0] == '\0')
		return 0;
	r = fw_restore_begin(v6, script, &f->family[v6].proc, err);
	f->family[v6].running = r == 0;
	return r;
}

int fw_begin(struct fw *f, struct fw_rules *rules, struct err *err)
{
	int r = fw_wait(f, err);

	for (int v6 = 0; r == 0 && v6 < 2; v6++)
		r = begin(f, v6, rules, err);
	fw_rules_clear(&f->rules);
	f->rules = *rules;
	*rules = (struct fw_rules){ .n = 0 };
	f->known = r == 0;
	f->sysctls_due = r == 0;
	return r;
}

/* Whatever is there: read it, and change it. */
static int mend(struct fw *f, struct err *err)
{
	int r = f->rules.n ? fw_apply(&f->rules, err) : fw_remove(f->project, err);

	f->known = r == 0;
	return r;
}

int fw_wait(struct fw *f, struct err *err)
{
	bool failed = false, due = f->sysctls_due;

	for (int v6 = 0; v6 < 2; v6++) {
		bool again;

		if (!f->family[v6].running)
			continue;
		f->family[v6].running = false;
		failed |= fw_restore_end(v6, &f->family[v6].proc, &again, NULL) < 0;
	}
	f->sysctls_due = false;
	if (failed) /* it was not as we knew it; the sysctls come with it */
		return mend(f, err);
	return due ? fw_sysctls(&f->rules, err) : 0;
}

/* 1, 0 or a negative errno. */
static int holds(const struct fw *f, bool v6, struct err *err)
{
	auto_free char *saved = NULL;
	int r;

	if (fw_count(&f->rules, v6, NULL, NULL) == 0)
		return 1;
	if (!v6 && fw_legacy())
		return fw_legacy_holds(&f->rules, err);
	r = fw_save(v6, &saved, err);
	return r < 0 ? r : fw_holds(&f->rules, v6, saved);
}

int fw_check(struct fw *f, struct err *err)
{
	int r = fw_wait(f, err);

	if (r == 0)
		r = f->known ? 1 : 0;
	for (int v6 = 0; r == 1 && v6 < 2; v6++)
		r = holds(f, v6, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = mend(f, err);
	return r < 0 ? r : 1;
}
