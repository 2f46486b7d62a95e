/* dockerfile.h - reads a Dockerfile and a .dockerignore: text in, plain data out.
 *
 * Floor 2. Pure: no file is opened here, nothing is run. Both texts are hostile: sizes and counts
 * are bounded before they are believed, and matching takes time in proportion to pattern times path.
 *
 * What BuildKit's frontend accepts is accepted, with one difference: what it only warns about and
 * then drops is an error here.
 */
#ifndef CTRCOMPOSE_DOCKERFILE_H
#define CTRCOMPOSE_DOCKERFILE_H

#include <ctrcompose/base.h>

#define DF_SIZE_MAX   (1U << 20) /* bytes of a Dockerfile or a .dockerignore */
#define DF_COUNT_MAX  4096       /* instructions; rules of a .dockerignore */
#define DF_EXPAND_MAX (1U << 20) /* bytes that one expansion may come to */

enum df_op {
	DF_ADD,
	DF_ARG,
	DF_CMD,
	DF_COPY,
	DF_ENTRYPOINT,
	DF_ENV,
	DF_EXPOSE,
	DF_FROM,
	DF_HEALTHCHECK,
	DF_LABEL,
	DF_MAINTAINER,
	DF_ONBUILD,
	DF_RUN,
	DF_SHELL,
	DF_STOPSIGNAL,
	DF_USER,
	DF_VOLUME,
	DF_WORKDIR,
	DF_OPS,
};
const char *df_op_name(enum df_op op); /* "COPY" */

struct df_pair { /* --name=value, KEY=value */
	const char *key;
	const char *value; /* NULL: a name alone */
};

struct df_heredoc {
	const char *name;
	const char *text; /* its lines, each with its newline; leading tabs taken off for <<- */
	bool expand;      /* the name was not quoted: variables are to be replaced */
};

/* One instruction; everything in it is as written, nothing is expanded yet. */
struct df_instruction {
	enum df_op op;
	unsigned line, last_line; /* from 1 */
	const char *source;       /* in one line, as shown to people: "COPY --chown=1 a b" */
	const char *text;         /* what follows name and flags, continuation lines joined */
	struct df_pair *flags;
	size_t n_flags;
	bool exec;          /* ["a", "b"]: the words of an exec form */
	const char **words; /* exec form, or split at blanks; RUN, CMD, ... in shell form: none */
	size_t n_words;
	struct df_pair *pairs; /* ARG, ENV, LABEL */
	size_t n_pairs;
	struct df_heredoc *docs; /* ADD, COPY, RUN */
	size_t n_docs;
	struct df_instruction *trigger; /* ONBUILD */
};

struct df_stage {
	const char *name;     /* lower case, or NULL */
	const char *base;     /* not expanded */
	const char *platform; /* not expanded, or NULL */
	struct df_instruction *from;
	struct df_instruction *v; /* what follows FROM */
	size_t n;
};

struct dockerfile {
	struct arena arena;
	const char *name;               /* for messages */
	const char *syntax;             /* of "# syntax=", or NULL */
	char escape;                    /* '\\' or '`' */
	struct df_instruction *globals; /* ARGs before the first FROM */
	size_t n_globals;
	struct df_stage *stages; /* at least one */
	size_t n_stages;
};

/* `name` is for messages: "Dockerfile:3: ...". -EINVAL: not a Dockerfile; -E2BIG: beyond a bound. */
int dockerfile_parse(const char *name, const char *text, size_t len, struct dockerfile **out,
		     struct err *err);
/* One instruction that stands alone: what ONBUILD left in an image. */
int dockerfile_parse_trigger(const char *text, struct dockerfile **out, struct err *err);
void dockerfile_free(struct dockerfile *d); /* NULL is fine */
void auto_dockerfile_fn(struct dockerfile **d);
#define auto_dockerfile __attribute__((cleanup(auto_dockerfile_fn)))
const char *df_flag(const struct df_instruction *in, const char *name); /* "" when without value */

/* ---- Expansion ---------------------------------------------------------------------------------
 * $NAME, ${NAME}, ${NAME:-word} - + ? with and without colon, ${NAME#pat} ## % %%, ${NAME/pat/to}
 * and //. Quotes and escapes are taken off, as in a shell, unless raw_quotes (heredocs).
 */
struct df_scope {
	const char *(*get)(const void *arg, const char *name); /* NULL: not set */
	const void *arg;
	char escape;
	bool raw_quotes;
};
/* Caller frees *out. */
int df_expand(const char *word, const struct df_scope *scope, char **out, struct err *err);

/* ---- Matching ----------------------------------------------------------------------------------
 * '*' and '?' stop at '/', "**" does not, [a-z] and [^a-z] are classes, '\' takes the next
 * character as it is. With `flat` '/' is a character like any other.
 */
struct df_glob;
int df_glob_new(const char *pattern, bool flat, struct df_glob **out, struct err *err);
bool df_glob_match(const struct df_glob *g, const char *s, size_t len);
void df_glob_free(struct df_glob *g); /* NULL is fine */
bool df_has_glob(const char *s);      /* whether it has a character that means something */

/* ---- .dockerignore -----------------------------------------------------------------------------
 * Rules in order; "!" takes back what an earlier rule ignored; a rule that matches a folder holds
 * for all below it.
 */
struct df_ignore;
int df_ignore_parse(const char *name, const char *text, size_t len, struct df_ignore **out,
		    struct err *err);
/* From patterns that have no file: COPY --exclude. */
int df_ignore_from(const char *const *patterns, size_t n, struct df_ignore **out, struct err *err);
void df_ignore_free(struct df_ignore *ig); /* NULL is fine */
void auto_df_ignore_fn(struct df_ignore **ig);
#define auto_df_ignore __attribute__((cleanup(auto_df_ignore_fn)))
/* path is relative and clean: "a/b". NULL ignores nothing. */
bool df_ignored(const struct df_ignore *ig, const char *path);
/* Whether something below an ignored folder may come back by a "!" rule. */
bool df_ignore_has_exceptions(const struct df_ignore *ig);

/* ---- Ports ------------------------------------------------------------------------------------- */
/* "80", "8000-8010/udp" of EXPOSE: each port by itself, as "80/tcp". -EINVAL: it is something else. */
int df_ports(const char *word, void (*each)(void *arg, const char *port), void *arg,
	     struct err *err);

/* ---- Repositories ------------------------------------------------------------------------------
 * "https://host/x.git#REF:FOLDER", git:// and ssh:// addresses, "git@host:x.git", "github.com/o/x".
 */
struct df_git {
	const char *url;    /* as git takes it */
	const char *ref;    /* a branch, a tag or a commit; NULL: what the repository begins with */
	const char *folder; /* a part of it alone; NULL: all of it */
};
bool df_is_git(const char *text);
int df_git_parse(struct arena *a, const char *text, struct df_git *out, struct err *err);

#endif
