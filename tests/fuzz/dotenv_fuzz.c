/* Any bytes as an env file: no crash. */
#include <ctrcompose/compose.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const environ[] = { "A=1", NULL };
	auto_arena struct arena a = { 0 };
	auto_err struct err err = ERR_INIT;
	struct kvs out = { 0 };

	(void)compose_dotenv(&a, "fuzz.env", (const char *)data, size, environ, &out, &err);
	return 0;
}
