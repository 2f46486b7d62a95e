/* Any text as a command line and as a word of EXPOSE: words without quotes of their own, ports that are
 * ports, or a refusal. */
#include <ctrcompose/compose.h>
#include <ctrcompose/dockerfile.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(void *arg, const char *port)
{
	const char *slash = strchr(port, '/');
	size_t *n = arg;
	uint64_t number;
	auto_free char *text = xstrndup(port, slash ? (size_t)(slash - port) : 0);

	if (++*n > 65536 || parse_u64(text, &number) < 0 || number > 65535)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	auto_arena struct arena a = { 0 };
	struct list words = { 0 };
	size_t bytes = 0, ports = 0;
	int r = compose_words(&a, text, &words);

	for (size_t i = 0; r >= 0 && i < words.n; i++)
		bytes += strlen(words.v[i]);
	if ((r != 0 && r != 1 && r != -EINVAL) || bytes > strlen(text))
		abort();
	r = df_ports(text, look_at, &ports, NULL);
	if ((r != 0 && r != -EINVAL) || (r == 0) != (ports > 0))
		abort();
	return 0;
}
