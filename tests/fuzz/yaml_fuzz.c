/* Any bytes as YAML: no crash, and what is printed of an accepted tree is read and printed the same.
 * (Not the same tree: 0487 is a float, as in Go, and printed 487.) */
#include <ctrcompose/yaml.h>

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	auto_sbuf struct sbuf text = SBUF_INIT, again = SBUF_INIT;
	auto_err struct err err = ERR_INIT;
	struct yaml_docs first = { 0 }, second = { 0 };

	if (yaml_parse(&a, "fuzz", (const char *)data, size, &first, NULL) < 0 || first.n == 0 ||
	    !first.v[0] || yaml_print(first.v[0], false, &text, NULL) < 0)
		return 0;
	if (yaml_parse(&a, "printed", text.s, text.len, &second, &err) < 0 || second.n != 1 ||
	    yaml_print(second.v[0], false, &again, &err) < 0 || strcmp(text.s, again.s) != 0) {
		(void)fprintf(stderr, "%s\nthen: %s\n%s", text.s, err_text(&err), sbuf_str(&again));
		abort();
	}
	return 0;
}
