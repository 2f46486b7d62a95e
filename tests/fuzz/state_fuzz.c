/* Any record: no crash; what is accepted is written again and read again as the same. The bytes
 * are tried as a file and, with a right envelope around them, as a body. */
#include <ctrcompose/state.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const char *text, size_t len)
{
	auto_state struct state_project *a = NULL, *b = NULL;
	auto_sbuf struct sbuf x = SBUF_INIT, y = SBUF_INIT;

	if (state_decode(text, len, "fuzz", &a, NULL) < 0)
		return;
	state_encode(a, &x);
	if (state_decode(x.s, x.len, "fuzz", &b, NULL) < 0)
		abort();
	state_encode(b, &y);
	if (strcmp(x.s, y.s) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *body = xstrndup((const char *)data, size);
	auto_sbuf struct sbuf file = SBUF_INIT;

	round_trip((const char *)data, size);
	sbuf_addf(&file, "{\"version\":1,\"sum\":\"%016llx\",\"state\":%s}\n",
		  (unsigned long long)str_hash(body), body);
	round_trip(file.s, file.len);
	return 0;
}
