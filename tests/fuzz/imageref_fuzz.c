/* imageref_fuzz.c - names of images: what is taken is in normal form, and stays what it is */
#include <ctrcompose/image.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	auto_free char *normal = NULL, *again = NULL, *familiar = NULL, *back = NULL;
	auto_err struct err err = ERR_INIT;

	if (image_ref_normal(text, &normal, &err) < 0)
		return 0;
	familiar = image_ref_familiar(normal);
	if (image_ref_normal(normal, &again, NULL) < 0 || strcmp(normal, again) != 0 ||
	    image_ref_normal(familiar, &back, NULL) < 0 || strcmp(normal, back) != 0)
		abort();
	if (!strchr(normal, '/') || *normal == '.' || strstr(normal, "/.") ||
	    strpbrk(normal, " \t\n%?#\\\"'"))
		abort(); /* parts of addresses and of folders */
	return 0;
}
