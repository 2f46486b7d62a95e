/* Any text as a number, a size, a duration, a port, a signal: no crash; what is accepted lies within
 * its bounds, and formatting an accepted number gives it back. */
#include <ctrcompose/base.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	auto_free char *bytes = NULL;
	uint64_t u = 0, again = 0;
	int64_t i = 0, same = 0;
	uint16_t port = 0;
	char out[32];
	int sig = 0;

	if (parse_u64(text, &u) == 0) {
		(void)snprintf(out, sizeof(out), "%" PRIu64, u);
		if (parse_u64(out, &again) < 0 || again != u)
			abort();
	}
	if (parse_i64(text, &i) == 0) {
		(void)snprintf(out, sizeof(out), "%" PRId64, i);
		if (parse_i64(out, &same) < 0 || same != i)
			abort();
	}
	if (parse_port(text, &port) == 0 && (parse_u64(text, &u) < 0 || u != port))
		abort();
	if (parse_bytes(text, &u) == 0) {
		(void)snprintf(out, sizeof(out), "%" PRIu64, u);
		if (parse_bytes(out, &again) < 0 || again != u)
			abort();
	}
	if (parse_duration_us(text, &u) == 0) {
		(void)snprintf(out, sizeof(out), "%" PRIu64 "us", u);
		if (parse_duration_us(out, &again) < 0 || again != u)
			abort();
	}
	if (parse_signal(text, &sig) == 0 && (sig < 1 || sig > 64))
		abort();
	(void)base64_decode(text, &bytes);
	return 0;
}
