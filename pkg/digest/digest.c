/* digest.c - streams through libcrypto where there is one; see digest.h */
#include <ctrcompose/digest.h>

#include "sha256.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Only what libcrypto needs for a digest; typed by its own header. */
static struct {
	__typeof__(EVP_MD_CTX_new) *ctx_new;
	__typeof__(EVP_MD_CTX_free) *ctx_free;
	__typeof__(EVP_sha256) *sha256;
	__typeof__(EVP_DigestInit_ex) *init;
	__typeof__(EVP_DigestUpdate) *update;
	__typeof__(EVP_DigestFinal_ex) *final;
} crypto;
static bool crypto_there;

struct digest {
	EVP_MD_CTX *ctx; /* NULL: `own` is in use */
	struct sha256 own;
};

static bool load_symbol(void *lib, const char *name, void *slot)
{
	void *symbol = dlsym(lib, name);

	memcpy(slot, &symbol, sizeof(symbol)); /* ISO C has no cast from object to function */
	return symbol != NULL;
}

static void load_crypto(void)
{
	/* Stays loaded: it registers handlers that run at exit. */
	void *lib = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!lib)
		return;
	crypto_there = load_symbol(lib, "EVP_MD_CTX_new", &crypto.ctx_new) &&
		       load_symbol(lib, "EVP_MD_CTX_free", &crypto.ctx_free) &&
		       load_symbol(lib, "EVP_sha256", &crypto.sha256) &&
		       load_symbol(lib, "EVP_DigestInit_ex", &crypto.init) &&
		       load_symbol(lib, "EVP_DigestUpdate", &crypto.update) &&
		       load_symbol(lib, "EVP_DigestFinal_ex", &crypto.final);
}

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
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct digest *d = xcalloc(1, sizeof(*d));

	(void)pthread_once(&once, load_crypto);
	if (crypto_there) {
		d->ctx = crypto.ctx_new();
		if (d->ctx && crypto.init(d->ctx, crypto.sha256(), NULL) != 1) {
			crypto.ctx_free(d->ctx);
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
	else if (crypto.update(d->ctx, data, len) != 1)
		abort(); /* only when memory is out */
}

void digest_end(struct digest *d, char hex[DIGEST_HEX])
{
	uint8_t sum[32];

	if (!d->ctx)
		sha256_end(&d->own, sum);
	else if (crypto.final(d->ctx, sum, NULL) != 1)
		abort();
	print_hex(sum, hex);
	digest_free(d);
}

void digest_free(struct digest *d)
{
	if (d && d->ctx)
		crypto.ctx_free(d->ctx);
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
