/* private.h - what the files of the Dockerfile reader share. */
#ifndef CTRCOMPOSE_DOCKERFILE_PRIVATE_H
#define CTRCOMPOSE_DOCKERFILE_PRIVATE_H

#include <ctrcompose/dockerfile.h>

/* What an instruction's text is made of. */
enum df_form {
	FORM_TEXT,    /* exec form or one line of shell */
	FORM_EXEC,    /* exec form only */
	FORM_WORDS,   /* exec form or words between blanks */
	FORM_LINE,    /* one value, the rest of the line */
	FORM_PAIRS,   /* KEY=value..., or KEY and the rest of the line */
	FORM_NAMES,   /* NAME[=value]... */
	FORM_FROM,    /* base [AS name] */
	FORM_TRIGGER, /* another instruction */
	FORM_HEALTH,  /* NONE, or CMD and FORM_TEXT */
};
struct df_kind {
	const char *name;
	enum df_form form;
	bool docs;                /* may have heredocs */
	const char *const *flags; /* known ones, NULL-terminated; NULL: none */
	const char *const *many;  /* of those, the ones that may come several times */
};
extern const struct df_kind df_kinds[DF_OPS];

/* Name, flags and arguments of in->text, which is the whole line; fills in all but lines and docs. */
int df_instruction_read(struct dockerfile *d, const char *line, struct df_instruction *in,
			struct err *err);
/* Names after << in the line, in order: "EOF", "-EOF", "\"EOF\"" come as parts of a heredoc
 * without text. strip: per heredoc, whether it was <<-. */
struct df_marks {
	struct df_mark {
		const char *name;
		bool expand, strip;
	} * v;
	size_t n, cap;
};
int df_marks_find(struct dockerfile *d, const char *line, struct df_marks *out, struct err *err);
bool df_is_mark(const char *word); /* the word is a heredoc's mark */

#endif
