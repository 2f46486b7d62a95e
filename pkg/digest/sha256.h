/* sha256.h - FIPS 180-4 in portable C, for short texts and for hosts without libcrypto. */
#ifndef CTRCOMPOSE_DIGEST_SHA256_H
#define CTRCOMPOSE_DIGEST_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t h[8];
	uint64_t bytes;
	uint8_t block[64]; /* the first bytes % 64 of it are filled */
};

void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
void sha256_end(struct sha256 *s, uint8_t out[32]);

#endif
