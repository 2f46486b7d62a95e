/* git.c - repositories as folders, fetched by the git program; see build.h, private.h */
#include "private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMIT_MIN = 4, COMMIT_MAX = 64 };

/* What an address of somebody else leads to: no program (ext::), no file of this machine, no
 * question to a terminal, no hook. */
static const char *const shell[] = { "env",
				     "-u",
				     "GIT_DIR",
				     "-u",
				     "GIT_WORK_TREE",
				     "-u",
				     "GIT_INDEX_FILE",
				     "GIT_TERMINAL_PROMPT=0",
				     "GIT_ALLOW_PROTOCOL=http:https:ssh:git" };

/* One line of what it said: why it failed, else the first. */
static void only_line(char *text)
{
	char *why = strstr(text, "fatal: ");

	if (why)
		memmove(text, why + strlen("fatal: "), strlen(why + strlen("fatal: ")) + 1);
	text[strcspn(text, "\n")] = '\0';
}

/* What `git -C folder WORDS...` prints, a line; words end in NULL. */
static int git(const char *folder, const char *const *words, char **output, struct err *err)
{
	auto_strs struct strs argv = { 0 };
	auto_free char *text = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(shell); i++)
		strs_add(&argv, shell[i]);
	if (!getenv("GIT_SSH_COMMAND"))
		strs_add(&argv, "GIT_SSH_COMMAND=ssh -oBatchMode=yes");
	strs_add(&argv, "git");
	strs_add(&argv, "-c");
	strs_add(&argv, "core.hooksPath=/dev/null");
	strs_add(&argv, "-C");
	strs_add(&argv, folder);
	for (size_t i = 0; words[i]; i++)
		strs_add(&argv, words[i]);
	r = proc_run(argv.v, NULL, 0, &text);
	if (r == 127)
		return err_set(err, ENOTSUP,
			       "repositories are fetched by git, which is not installed");
	if (r < 0)
		return err_set(err, r, "run git: %s", strerror(-r));
	if (text)
		only_line(text);
	if (r > 0)
		return err_set(err, EREMOTEIO, "git %s: %s", words[0],
			       text && *text ? text : "it failed");
	if (output)
		*output = steal(text);
	return 0;
}
#define GIT(folder, output, err, ...) \
	git(folder, (const char *const[]){ __VA_ARGS__, NULL }, output, err)

static bool is_commit(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n >= COMMIT_MIN && n <= COMMIT_MAX && !s[n];
}

/* A branch, a tag or a whole commit comes alone. Of a commit's beginning and of servers that are no
 * more than files, more has to be fetched. */
static int fetch(const struct df_git *g, const char *folder, char **commit, struct err *err)
{
	const char *ref = g->ref ? g->ref : "HEAD";
	auto_free char *named = xasprintf("%s^{commit}", ref);
	auto_err struct err why = ERR_INIT, again = ERR_INIT;
	int r = GIT(folder, NULL, &why, "fetch", "-q", "--depth=1", "--no-tags", "origin", ref);

	if (r < 0 && strstr(err_text(&why), "shallow"))
		r = GIT(folder, NULL, &again, "fetch", "-q", "--no-tags", "origin", ref);
	if (r == 0)
		return GIT(folder, commit, err, "rev-parse", "-q", "--verify",
			   "FETCH_HEAD^{commit}");
	if (r == -EREMOTEIO && is_commit(ref) &&
	    GIT(folder, NULL, &again, "fetch", "-q", "origin") == 0)
		r = GIT(folder, commit, &again, "rev-parse", "-q", "--verify", named);
	return r < 0 ? err_set(err, r, "%s", err_text(&why)) : 0;
}

static int checkout(const struct df_git *g, const char *folder, const char *wanted, struct err *err)
{
	auto_free char *commit = NULL, *modules = path_join(folder, ".gitmodules");
	int r = GIT(folder, NULL, err, "init", "-q", "--template=");

	if (r == 0)
		r = GIT(folder, NULL, err, "remote", "add", "--", "origin", g->url);
	if (r == 0)
		r = fetch(g, folder, &commit, err);
	if (r == 0 && wanted && !str_starts(commit, wanted))
		return err_set(err, EBADMSG, "it is the commit %s, not %s", commit, wanted);
	if (r == 0)
		r = GIT(folder, NULL, err, "checkout", "-q", "--detach", commit);
	if (r == 0 && faccessat(AT_FDCWD, modules, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = GIT(folder, NULL, err, "submodule", "-q", "update", "--init", "--recursive",
			"--depth=1");
	return r;
}

int git_fetch(int at, const char *name, const struct git_how *how, char **path, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_close int dir = -1, part = -1;
	auto_free char *whole = NULL;
	struct df_git g;
	mode_t mask;
	int r = df_git_parse(&a, how->address, &g, err);

	if (r < 0)
		return r;
	if (how->offline)
		return err_set(err, ENETUNREACH, "--offline is given, so %s is not fetched",
			       how->address);
	if (how->commit && !is_commit(how->commit))
		return err_set(err, EINVAL,
			       "--checksum=%s: that of a repository is a commit, in hexadecimal",
			       how->commit);
	if (mkdirat(at, name, 0700) < 0)
		return err_errno(err, "make a folder");
	dir = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A COPY of all of it has this mode. */
	whole = dir < 0 || fchmod(dir, 0755) < 0 ? NULL : fd_path(dir);
	if (!whole)
		return err_errno(err, "make a folder");
	mask = umask(022);
	r = checkout(&g, whole, how->commit, err);
	(void)umask(mask);
	if (r == 0 && !how->keep)
		r = path_remove_tree(dir, ".git");
	if (r < 0)
		return err_wrap(err, r, "%s", how->address);
	part = path_open_in(dir, g.folder ? g.folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (part < 0)
		return err_set(err, part, "%s: it has no folder '%s'", how->address, g.folder);
	*path = fd_path(part);
	return *path ? 0 : err_errno(err, "%s", how->address);
}
