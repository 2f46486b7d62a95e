/* digest.c - streams through libcrypto where there is one; see digest.h */
#include <ctrcompose/digest.h>

#include "sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CRYPTO_LIB_FUNCTIONS(X) \
	X(EVP_MD_CTX_new)       \
	X(EVP_MD_CTX_free)      \
	X(EVP_sha256)           \
	X(EVP_DigestInit_ex)    \
	X(EVP_DigestUpdate)     \
	X(EVP_DigestFinal_ex)

static struct {
	CRYPTO_LIB_FUNCTIONS(LIB_FIELD)
} lib;

struct digest {
	EVP_MD_CTX *ctx; /* NULL: `own` is in use */
	struct sha256 own;
};

static void print_hex(const uint8_t sum[32], char hex[DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 32; i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[64] = '\0';
}

void digest_text(const void *data, size_t len, char hex[DIGEST_HEX])
{
	struct sha256 s;
	uint8_t sum[32];

	sha256_begin(&s);
	sha256_add(&s, data, len);
	sha256_end(&s, sum);
	print_hex(sum, hex);
}

struct digest *digest_new(void)
{
	static const struct lib_symbol symbols[] = { CRYPTO_LIB_FUNCTIONS(LIB_SYMBOL) };
	static struct lib file = { .soname = "libcrypto.so.3",
				   .needed = "fast digests need libcrypto (package libssl3)",
				   .symbols = symbols,
				   .n_symbols = ARRAY_LEN(symbols) };
	struct digest *d = xcalloc(1, sizeof(*d));

	if (lib_get(&file, NULL) == 0) {
		d->ctx = lib.EVP_MD_CTX_new();
		if (d->ctx && lib.EVP_DigestInit_ex(d->ctx, lib.EVP_sha256(), NULL) != 1) {
			lib.EVP_MD_CTX_free(d->ctx);
			d->ctx = NULL;
		}
	}
	sha256_begin(&d->own);
	return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	if (!d->ctx)
		sha256_add(&d->own, data, len);
	else if (lib.EVP_DigestUpdate(d->ctx, data, len) != 1)
		abort(); /* only when memory is out */
}

void digest_end(struct digest *d, char hex[DIGEST_HEX])
{
	uint8_t sum[32];

	if (!d->ctx)
		sha256_end(&d->own, sum);
	else if (lib.EVP_DigestFinal_ex(d->ctx, sum, NULL) != 1)
		abort();
	print_hex(sum, hex);
	digest_free(d);
}

void digest_free(struct digest *d)
{
	if (d && d->ctx)
		lib.EVP_MD_CTX_free(d->ctx);
	free(d);
}

void auto_digest_fn(struct digest **d)
{
	digest_free(*d);
}

int digest_fd(int fd, char hex[DIGEST_HEX], struct err *err)
{
	auto_digest struct digest *d = digest_new();
	auto_free uint8_t *buf = xmalloc(1 << 16);

	for (;;) {
		ssize_t n = read(fd, buf, 1 << 16);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read");
		if (n == 0)
			break;
		digest_add(d, buf, (size_t)n);
	}
	digest_end(steal(d), hex);
	return 0;
}

bool digest_hex_ok(const char *s)
{
	return s && strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}
