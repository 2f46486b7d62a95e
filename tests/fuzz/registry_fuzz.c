/* registry_fuzz.c - what a registry and a config.json say */
#include <ctrcompose/registry.h>

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	struct registry_challenge c;
	struct registry_login l;

	if (registry_challenge_parse(text, &c) == 0)
		registry_challenge_clear(&c);
	if (registry_login_parse((const char *)data, size, "h", &l, NULL) == 0)
		registry_login_clear(&l);
	return 0;
}
