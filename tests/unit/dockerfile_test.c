/* Dockerfiles: lines, forms, flags, heredocs, expansion; .dockerignore and its patterns. */
#include <ctrcompose/dockerfile.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- What a Dockerfile is read as, in one line per instruction ---- */
static void show_pairs(struct sbuf *out, const char *lead, const struct df_pair *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sbuf_addf(out, " %s%s%s%s", lead, v[i].key, v[i].value ? "=" : "",
			  v[i].value ? v[i].value : "");
}

static void show(struct sbuf *out, const struct df_instruction *in)
{
	sbuf_addf(out, "%u %s", in->line, df_op_name(in->op));
	show_pairs(out, "--", in->flags, in->n_flags);
	show_pairs(out, "", in->pairs, in->n_pairs);
	if (in->exec)
		sbuf_adds(out, " exec");
	for (size_t i = 0; i < in->n_words; i++)
		sbuf_addf(out, " (%s)", in->words[i]);
	if (!in->n_words && !in->n_pairs && !in->trigger)
		sbuf_addf(out, " {%s}", in->text);
	for (size_t i = 0; i < in->n_docs; i++)
		sbuf_addf(out, " %s%s{%s}", in->docs[i].name, in->docs[i].expand ? "" : "'",
			  in->docs[i].text);
	if (in->trigger) {
		sbuf_adds(out, " -> ");
		show(out, in->trigger);
		return;
	}
	sbuf_addc(out, '\n');
}

static char *golden(const char *text)
{
	auto_dockerfile struct dockerfile *d = NULL;
	auto_err struct err err = ERR_INIT;
	struct sbuf out = SBUF_INIT;

	if (dockerfile_parse("Dockerfile", text, strlen(text), &d, &err) < 0)
		return xasprintf("! %s", err_text(&err));
	for (size_t i = 0; i < d->n_globals; i++)
		show(&out, &d->globals[i]);
	for (size_t i = 0; i < d->n_stages; i++) {
		const struct df_stage *s = &d->stages[i];

		sbuf_addf(&out, "%u FROM %s%s%s\n", s->from->line, s->base, s->name ? " as " : "",
			  s->name ? s->name : "");
		for (size_t k = 0; k < s->n; k++)
			show(&out, &s->v[k]);
	}
	return sbuf_take(&out);
}

static const struct {
	const char *text, *want;
} files[] = {
	{ "FROM scratch", "1 FROM scratch\n" },
	{ "from A:1 aS Build\n\nFROM build\n", "1 FROM A:1 as build\n3 FROM build\n" },
	{ "\xef\xbb\xbf"
	  "ARG V=1 W\nFROM a:$V\n",
	  "1 ARG V=1 W\n2 FROM a:$V\n" },
	{ "FROM a\r\nRUN x\r\n", "1 FROM a\n2 RUN {x}\n" },
	{ "FROM a\nRUN a \\\n  # no\n\n  && b\\\n && c\n", "1 FROM a\n2 RUN {a   && b && c}\n" },
	{ "# escape=`\nFROM a\nRUN c:\\ `\n x\n", "2 FROM a\n3 RUN {c:\\  x}\n" },
	{ "#Syntax = docker/dockerfile:1\n# Escape=`\nFROM a\nCOPY a `\nb",
	  "3 FROM a\n4 COPY (a) (b)\n" },
	{ "# a comment\n# escape=`\nFROM a\nRUN a \\\nb\n", "3 FROM a\n4 RUN {a b}\n" },
	{ "FROM a\nCMD [\"a\", \"b c\"]\nCMD [a]\n",
	  "1 FROM a\n2 CMD exec (a) (b c)\n3 CMD {[a]}\n" },
	{ "FROM a\nENV A=1 B=\"x y\" C=a\\ b\nENV D  e f\n",
	  "1 FROM a\n2 ENV A=1 B=\"x y\" C=a\\ b\n3 ENV D=e f\n" },
	{ "FROM a\nLABEL \"a b\"=c\n", "1 FROM a\n2 LABEL \"a b\"=c\n" },
	{ "FROM a\nCOPY --chown=1:2 --exclude=*.o --exclude=x --parents a b/ /c\n",
	  "1 FROM a\n2 COPY --chown=1:2 --exclude=*.o --exclude=x --parents (a) (b/) (/c)\n" },
	{ "FROM a\nCOPY [\"a b\", \"/c\"]\n", "1 FROM a\n2 COPY exec (a b) (/c)\n" },
	{ "FROM a\nRUN --mount=type=cache,target=/c --network=none make\n",
	  "1 FROM a\n2 RUN --mount=type=cache,target=/c --network=none {make}\n" },
	{ "FROM a\nRUN <<EOF\na\n#b\n\nEOF\nUSER x\n",
	  "1 FROM a\n2 RUN {<<EOF} EOF{a\n#b\n\n}\n7 USER {x}\n" },
	{ "FROM a\nCOPY <<A <<-\"B C\" /d/\n$x\nA\n\t\ty\n\tB C\n",
	  "1 FROM a\n2 COPY (<<A) (<<-\"B) (C\") (/d/) A{$x\n} B C'{y\n}\n" },
	{ "FROM a\nCOPY <<'A' /d\n$x\nA\n", "1 FROM a\n2 COPY (<<'A') (/d) A'{$x\n}\n" },
	{ "FROM a\nRUN cat < x << y\n", "1 FROM a\n2 RUN {cat < x << y}\n" },
	{ "FROM a\nONBUILD COPY --from=b c d\n",
	  "1 FROM a\n2 ONBUILD -> 2 COPY --from=b (c) (d)\n" },
	{ "FROM a\nHEALTHCHECK --interval=1s CMD x y\nHEALTHCHECK none\n",
	  "1 FROM a\n2 HEALTHCHECK --interval=1s {x y}\n3 HEALTHCHECK {NONE}\n" },
	{ "FROM a\nSHELL [\"/bin/sh\", \"-c\"]\n", "1 FROM a\n2 SHELL exec (/bin/sh) (-c)\n" },
	{ "FROM a\nEXPOSE 80 90/udp\nVOLUME [\"/a\"]\nVOLUME /b /c\n",
	  "1 FROM a\n2 EXPOSE (80) (90/udp)\n3 VOLUME exec (/a)\n4 VOLUME (/b) (/c)\n" },
	{ "", "! Dockerfile: no FROM, so there is nothing to build" },
	{ "RUN x\n", "! Dockerfile:1: only ARG may stand before FROM, not RUN" },
	{ "FROM a\nCPOY a b\n", "! Dockerfile:2: unknown instruction CPOY, did you mean COPY?" },
	{ "FROM a b\n", "! Dockerfile:1: FROM needs an image, or an image AS a name" },
	{ "FROM a AS 1\n", "! Dockerfile:1: '1' can't be the name of a stage" },
	{ "FROM a\nCOPY a\n", "! Dockerfile:2: COPY needs a source and a destination" },
	{ "FROM a\nCOPY --form=x a b\n", "! Dockerfile:2: COPY does not know --form" },
	{ "FROM a\nCOPY --from=x --from=y a b\n", "! Dockerfile:2: --from is given twice" },
	{ "FROM a\n\nRUN\n", "! Dockerfile:3: RUN needs an argument" },
	{ "FROM a\nRUN <<E\nx\n", "! Dockerfile:2: the heredoc E has no end" },
	{ "FROM a\nONBUILD ONBUILD RUN x\n", "! Dockerfile:2: ONBUILD ONBUILD is not allowed" },
	{ "FROM a\nENV A\n", "! Dockerfile:2: ENV needs KEY=value" },
	{ "FROM a\nSHELL sh\n",
	  "! Dockerfile:2: SHELL needs its words in JSON form: [\"a\", \"b\"]" },
	{ "# escape=x\nFROM a\n", "! Dockerfile:1: escape=x: it can be \\ or `" },
};

START_TEST(files_are_read)
{
	auto_free char *got = golden(files[_i].text);

	ck_assert_str_eq(got, files[_i].want);
}
END_TEST

START_TEST(texts_are_bounded)
{
	auto_dockerfile struct dockerfile *d = NULL;
	auto_free char *big = xcalloc(DF_SIZE_MAX + 1, 1);
	auto_sbuf struct sbuf many = SBUF_INIT;

	ck_assert_int_eq(dockerfile_parse("D", "FROM a\0", 7, &d, NULL), -EINVAL);
	memset(big, '\n', DF_SIZE_MAX + 1);
	ck_assert_int_eq(dockerfile_parse("D", big, DF_SIZE_MAX + 1, &d, NULL), -E2BIG);
	for (size_t i = 0; i <= DF_COUNT_MAX; i++)
		sbuf_adds(&many, "FROM a\n");
	ck_assert_int_eq(dockerfile_parse("D", many.s, many.len, &d, NULL), -E2BIG);
}
END_TEST

/* ---- Expansion ---- */
static const char *get(const void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "A") == 0   ? "one"
	       : strcmp(name, "E") == 0 ? ""
	       : strcmp(name, "P") == 0 ? "/a/b.c.d"
					: NULL;
}

static const struct {
	const char *word, *want; /* NULL: refused */
	bool raw;
} words[] = {
	{ "a", "a", false },
	{ "$A", "one", false },
	{ "x${A}y$U.", "xoney.", false },
	{ "$", "$", false },
	{ "a$-", "a$-", false },
	{ "\\$A", "$A", false },
	{ "'$A'\"$A\"", "$Aone", false },
	{ "\"a\\\"\\n\"", "a\"\\n", false },
	{ "a\\ b", "a b", false },
	{ "${U:-x$A}", "xone", false },
	{ "${E:-x}", "x", false },
	{ "${E-x}", "", false },
	{ "${A:+x}${U:+y}", "x", false },
	{ "${E+x}", "x", false },
	{ "${U:-${E:-'}'}}", "}", false },
	{ "${U:?is missing}", NULL, false },
	{ "${A?}", "one", false },
	{ "${P#*/}", "a/b.c.d", false },
	{ "${P##*/}", "b.c.d", false },
	{ "${P%.*}", "/a/b.c", false },
	{ "${P%%.*}", "/a/b", false },
	{ "${P/./-}", "/a/b-c.d", false },
	{ "${P//./-}", "/a/b-c-d", false },
	{ "${P//[a-c]/}", "//..d", false },
	{ "${", NULL, false },
	{ "${A", NULL, false },
	{ "${A:=x}", NULL, false },
	{ "'", NULL, false },
	{ "\"", NULL, false },
	{ "it's \"$A\" \\$A \\x", "it's \"one\" $A \\x", true },
};

START_TEST(words_are_expanded)
{
	struct df_scope scope = { .get = get, .escape = '\\', .raw_quotes = words[_i].raw };
	auto_free char *got = NULL;
	int r = df_expand(words[_i].word, &scope, &got, NULL);

	if (!words[_i].want) {
		ck_assert_int_eq(r, -EINVAL);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(got, words[_i].want);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
	struct df_scope scope = { .get = get, .escape = '\\' };
	auto_err struct err err = ERR_INIT;
	auto_free char *got = NULL;

	ck_assert_int_eq(df_expand("${U:?is needed}", &scope, &got, &err), -EINVAL);
	ck_assert_str_eq(err_text(&err), "U: is needed");
}
END_TEST

/* ---- Patterns ---- */
static const struct {
	const char *rules, *path;
	bool ignored;
} ignores[] = {
	{ "a", "a", true },
	{ "a", "a/b/c", true },
	{ "a", "b/a", false },
	{ "/a/", "a", true },
	{ "*.o", "x.o", true },
	{ "*.o", "d/x.o", false },
	{ "*/*.o", "d/x.o", true },
	{ "**/*.o", "d/e/x.o", true },
	{ "**/*.o", "x.o", true },
	{ "**/b", "ab", false },
	{ "a/**", "a/b/c", true },
	{ "a/**", "a", false },
	{ "a/**/z", "a/z", true },
	{ "a/**/z", "a/b/c/z", true },
	{ "a/**/z", "a/bz", false },
	{ "**", "x/y", true },
	{ "a?c", "abc", true },
	{ "a?c", "a/c", false },
	{ "[a-c]x", "bx", true },
	{ "[^a-c]x", "bx", false },
	{ "[^a-c]x", "dx", true },
	{ "\\*", "*", true },
	{ "\\*", "x", false },
	{ "a.c", "abc", false },
	{ "*\n!keep", "keep", false },
	{ "*\n!keep", "other", true },
	{ "*\n!keep\nkeep/x", "keep/x", true },
	{ "d\n!d/e", "d/e/f", false },
	{ "d\n!d/e", "d/f", true },
	{ "!a\na", "a", true },
	{ "# a\n  b  \r\n", "b", true },
	{ "#a", "#a", false },
	{ ".", "a", false },
	{ "a/../b", "b", true },
	{ "*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

START_TEST(rules_ignore_in_order)
{
	auto_df_ignore struct df_ignore *ig = NULL;
	const char *rules = ignores[_i].rules;

	ck_assert_int_eq(df_ignore_parse("i", rules, strlen(rules), &ig, NULL), 0);
	ck_assert_int_eq(df_ignored(ig, ignores[_i].path), ignores[_i].ignored);
}
END_TEST

START_TEST(bad_rules_are_named)
{
	auto_df_ignore struct df_ignore *ig = NULL;
	auto_err struct err err = ERR_INIT;

	ck_assert_int_eq(df_ignore_parse(".dockerignore", "a\n[", 3, &ig, &err), -EINVAL);
	ck_assert_str_eq(err_text(&err), ".dockerignore:2: '[' is not a pattern");
}
END_TEST

/* ---- Repositories ----------------------------------------------------------------------------- */
static const struct {
	const char *text, *url, *ref, *folder; /* url NULL: no repository; "": refused */
} repositories[] = {
	{ "https://h/x.git", "https://h/x.git", NULL, NULL },
	{ "http://h:8080/a/x.git#v1", "http://h:8080/a/x.git", "v1", NULL },
	{ "https://h/x.git#v1:a/b", "https://h/x.git", "v1", "a/b" },
	{ "https://h/x.git#:a", "https://h/x.git", NULL, "a" },
	{ "https://h/x.git#", "https://h/x.git", NULL, NULL },
	{ "https://h/x.git#v1:", "https://h/x.git", "v1", NULL },
	{ "git://h/x", "git://h/x", NULL, NULL },
	{ "ssh://git@h:22/x.git#main", "ssh://git@h:22/x.git", "main", NULL },
	{ "git@h:x.git#main:d", "git@h:x.git", "main", "d" },
	{ "github.com/o/x#main", "https://github.com/o/x", "main", NULL },
	{ "https://h/x", NULL, NULL, NULL },
	{ "https://h/x.git.tar", NULL, NULL, NULL },
	{ "https://h/x.tar#.git", NULL, NULL, NULL },
	{ "ftp://h/x.git", NULL, NULL, NULL },
	{ "x.git", NULL, NULL, NULL },
	{ "./git@h/x", NULL, NULL, NULL },
	{ "-u@h:x", NULL, NULL, NULL },
	{ "git@-oProxyCommand=x:y", NULL, NULL, NULL },
	{ "", NULL, NULL, NULL },
	{ "https://h/x.git#--upload-pack=x", "", NULL, NULL },
	{ "https://h/x.git?ref=v1", "", NULL, NULL },
	{ "https://h/x.git#a b", "", NULL, NULL },
};

START_TEST(repositories_are_told_from_files)
{
	auto_arena struct arena a = { 0 };
	struct df_git g;
	const char *url = repositories[_i].url;
	int r;

	ck_assert_int_eq(df_is_git(repositories[_i].text), url != NULL);
	if (!url)
		return;
	r = df_git_parse(&a, repositories[_i].text, &g, NULL);
	ck_assert_int_eq(r < 0, !*url);
	if (r < 0)
		return;
	ck_assert_str_eq(g.url, url);
	ck_assert_pstr_eq(g.ref, repositories[_i].ref);
	ck_assert_pstr_eq(g.folder, repositories[_i].folder);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dockerfile");
	TCase *c = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(c, files_are_read, 0, ARRAY_LEN(files));
	tcase_add_test(c, texts_are_bounded);
	tcase_add_loop_test(c, words_are_expanded, 0, ARRAY_LEN(words));
	tcase_add_test(c, what_is_missing_is_named);
	tcase_add_loop_test(c, rules_ignore_in_order, 0, ARRAY_LEN(ignores));
	tcase_add_test(c, bad_rules_are_named);
	tcase_add_loop_test(c, repositories_are_told_from_files, 0, ARRAY_LEN(repositories));
	suite_add_tcase(s, c);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
