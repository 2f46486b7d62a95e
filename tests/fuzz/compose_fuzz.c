/* Any bytes as a compose file: no crash, no endless work; what `config` prints of an accepted one is
 * accepted again and prints the same. Interpolation, scalars, short syntax and merging are all on
 * the way. */
#include "load.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const variables[] = { "A=1", "EMPTY=", "TAG=x y", NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_project struct project *first = NULL, *second = NULL;
	auto_err struct err err = ERR_INIT;
	auto_sbuf struct sbuf a = SBUF_INIT, b = SBUF_INIT;

	if (fuzz_load(data, size, variables, &first, NULL) < 0 ||
	    compose_print_yaml(first, &a, NULL) < 0)
		return 0;
	(void)compose_check_supported(first, NULL); /* whatever its values are */
	if (fuzz_load(a.s, a.len, variables, &second, &err) < 0 ||
	    compose_print_yaml(second, &b, &err) < 0) {
		(void)fprintf(stderr, "%s\nnot accepted again: %s\n", a.s, err_text(&err));
		abort();
	}
	if (strcmp(a.s, b.s) != 0) {
		(void)fprintf(stderr, "printed:\n%s\nthen:\n%s\n", a.s, b.s);
		abort();
	}
	return 0;
}
