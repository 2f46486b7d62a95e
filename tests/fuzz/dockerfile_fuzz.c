/* Any text as a Dockerfile: what is accepted has stages, flags and heredocs in order, and each of
 * its words expands or is refused within the bound. */
#include <ctrcompose/dockerfile.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(const void *arg, const char *name)
{
	(void)arg;
	return *name == 'A' ? "value/of.a" : *name == 'B' ? "" : NULL;
}

static void expand(const char *word)
{
	struct df_scope scope = { .get = get, .escape = '\\' };
	auto_free char *out = NULL;

	if (word && df_expand(word, &scope, &out, NULL) == 0 && strlen(out) > 2 * DF_EXPAND_MAX)
		abort();
}

static void look(const struct df_instruction *in)
{
	if (in->op >= DF_OPS || !in->text || !in->source || !*in->text)
		abort();
	for (size_t i = 0; i < in->n_words; i++)
		expand(in->words[i]);
	for (size_t i = 0; i < in->n_pairs; i++)
		expand(in->pairs[i].value);
	for (size_t i = 0; i < in->n_docs; i++)
		expand(in->docs[i].text);
	if (in->trigger)
		look(in->trigger);
}

/* A word of ADD as a repository: no option of git's, and nothing but parts of the word. */
static void look_at_address(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	const char *text = arena_strndup(&a, (const char *)data, size);
	struct df_git g;

	if (!df_is_git(text) || df_git_parse(&a, text, &g, NULL) < 0)
		return;
	if (*g.url == '-' || (g.ref && (*g.ref == '-' || !strstr(text, g.ref))) ||
	    (g.folder && !strstr(text, g.folder)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_dockerfile struct dockerfile *d = NULL;

	look_at_address(data, size);
	if (size > 8192 || dockerfile_parse("D", (const char *)data, size, &d, NULL) < 0)
		return 0;
	if (d->n_stages == 0)
		abort();
	for (size_t i = 0; i < d->n_stages; i++)
		for (size_t k = 0; k < d->stages[i].n; k++)
			look(&d->stages[i].v[k]);
	return 0;
}
