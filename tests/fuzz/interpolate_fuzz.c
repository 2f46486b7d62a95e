/* Any bytes as a value with variables in it: no crash and no endless work, and what came out stays
 * as it is when it is printed and read again. */
#include "load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const variables[] = { "A=1",   "EMPTY=",          "TAG=x y", "D=$A",
					 "Q='\"", "LONG=0123456789", "U_1=${",  NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_project struct project *first = NULL, *second = NULL;
	auto_sbuf struct sbuf text = SBUF_INIT, printed = SBUF_INIT;
	const char *a, *b;

	sbuf_adds(&text, "services: { a: { image: i, hostname: \"");
	fuzz_quote(data, size, &text);
	sbuf_adds(&text, "\" } }\n");
	if (fuzz_load(text.s, text.len, variables, &first, NULL) < 0)
		return 0;
	if (compose_print_yaml(first, &printed, NULL) < 0 ||
	    fuzz_load(sbuf_str(&printed), printed.len, variables, &second, NULL) < 0)
		abort();
	a = first->services[0].hostname, b = second->services[0].hostname;
	if (!str_eq(a, b)) {
		(void)fprintf(stderr, "%s\n%s\n", a ? a : "(none)", b ? b : "(none)");
		abort();
	}
	return 0;
}
