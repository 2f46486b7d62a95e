/* words.c - a command line in one string to its words, as Compose splits it: quotes and
 * backslashes, no expansion; an unquoted ; & | < > ends the command.
 */
#include "loader.h"

#include <string.h>

struct split {
	struct arena *a;
	struct sbuf word;
	bool has_word;
	struct {
		const char **v;
		size_t n, cap;
	} words;
};

static void end_word(struct split *s)
{
	if (!s->has_word)
		return;
	if (s->words.n == s->words.cap) {
		size_t cap = s->words.cap ? 2 * s->words.cap : 8;
		const char **v = arena_array(s->a, cap, sizeof(*v));

		if (s->words.n)
			memcpy(v, s->words.v, s->words.n * sizeof(*v));
		s->words.v = v;
		s->words.cap = cap;
	}
	s->words.v[s->words.n++] = arena_strdup(s->a, sbuf_str(&s->word));
	sbuf_clear(&s->word);
	s->has_word = false;
}

static void add_char(struct split *s, char c)
{
	sbuf_addc(&s->word, c);
	s->has_word = true;
}

static bool ends_command(struct split *s, char c)
{
	if (!strchr(";&|<>", c))
		return false;
	/* "2>file": the descriptor is no word */
	if (c == '>' && s->word.len && s->word.s[0] >= '0' && s->word.s[0] <= '9')
		s->has_word = false;
	return true;
}

int split_words(struct arena *a, const char *text, struct list *out)
{
	struct split s = { .a = a };
	char quote = 0; /* ' " ` or ( for $(...) */
	bool escaped = false, cut = false;

	for (; *text && !cut; text++) {
		char c = *text;

		if (escaped) {
			add_char(&s, c == 't' ? '\t' : c == 'n' ? '\n' : c);
			escaped = false;
		} else if (c == '\\' && quote != '\'') {
			escaped = true;
		} else if (strchr(" \t\r\n", c) && !quote) {
			end_word(&s);
		} else if ((c == '"' || c == '\'') && (!quote || quote == c)) {
			quote = quote ? 0 : c;
			s.has_word = true;
		} else if (c == '`' && (!quote || quote == c)) {
			quote = quote ? 0 : c;
			add_char(&s, c);
		} else if (c == '(' && !quote) {
			if (!s.word.len || s.word.s[s.word.len - 1] != '$')
				goto unbalanced;
			quote = c;
			add_char(&s, c);
		} else if (c == ')' && (!quote || quote == '(')) {
			if (!quote)
				goto unbalanced;
			quote = 0;
			add_char(&s, c);
		} else if (!quote && ends_command(&s, c)) {
			cut = true;
		} else {
			add_char(&s, c);
		}
	}
	if (escaped || quote)
		goto unbalanced;
	end_word(&s);
	out->v = s.words.v;
	out->n = s.words.n;
	sbuf_clear(&s.word);
	return cut;
unbalanced:
	sbuf_clear(&s.word);
	return -EINVAL;
}

int compose_words(struct arena *a, const char *text, struct list *out)
{
	return split_words(a, text, out);
}
