/* Any packet as what an upstream says: no crash, and what counts as an answer is a response with the
 * number of the question. The first byte is the length of the question, the rest of it follows. */
#include <ctrcompose/dns.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size ? data[0] : 0;

	if (size < 1 + n)
		return 0;
	if (dns_is_answer(data + 1, n, data + 1 + n, size - 1 - n) &&
	    (memcmp(data + 1, data + 1 + n, 2) != 0 || !(data[1 + n + 2] & 0x80)))
		abort();
	return 0;
}
