/* table.c - rows and columns for people. */
#include "screen/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 3 };

void table_start(struct table *t, const char *const *headers)
{
	*t = (struct table){ 0 };
	for (; headers[t->n_cols]; t->n_cols++)
		strs_add(&t->cells, headers[t->n_cols]);
}

void table_cell(struct table *t, const char *text)
{
	auto_sbuf struct sbuf clean = SBUF_INIT;

	sbuf_add_clean(&clean, text ? text : "", "");
	strs_add(&t->cells, sbuf_str(&clean));
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	table_cell(t, sbuf_str(&text));
}

/* Characters, taking each code point of UTF-8 as one column. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_text(const struct table *t, struct sbuf *out)
{
	auto_free size_t *width = xcalloc(t->n_cols + 1, sizeof(*width));

	for (size_t i = 0; i < t->cells.n; i++) {
		size_t w = width_of(t->cells.v[i]);

		if (w > width[i % t->n_cols])
			width[i % t->n_cols] = w;
	}
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t col = i % t->n_cols;

		sbuf_adds(out, t->cells.v[i]);
		if (col + 1 == t->n_cols) {
			/* No blanks at the end of a line whose last cells are empty. */
			while (out->len > 0 && out->s[out->len - 1] == ' ')
				out->s[--out->len] = '\0';
			sbuf_addc(out, '\n');
		} else {
			sbuf_addf(out, "%*s", (int)(width[col] - width_of(t->cells.v[i]) + GAP),
				  "");
		}
	}
}

void table_free(struct table *t)
{
	strs_clear(&t->cells);
	t->n_cols = 0;
}
