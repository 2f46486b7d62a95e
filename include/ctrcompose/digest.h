/* digest.h - SHA-256, as lower-case hex.
 *
 * Floor 1. The only place that sees libcrypto, which is loaded when the first stream needs it:
 * mapping it costs more than hashing a record, so short texts are hashed by a few lines of our
 * own, which also stand in where the library is not installed. Hence nothing here can fail but
 * reading a descriptor.
 */
#ifndef CTRCOMPOSE_DIGEST_H
#define CTRCOMPOSE_DIGEST_H

#include <ctrcompose/base.h>

#define DIGEST_HEX 65 /* 64 digits and NUL */

void digest_text(const void *data, size_t len, char hex[DIGEST_HEX]);

/* A stream: new, add..., then end, which also frees it. */
struct digest;
struct digest *digest_new(void) __attribute__((returns_nonnull));
void digest_add(struct digest *d, const void *data, size_t len);
void digest_end(struct digest *d, char hex[DIGEST_HEX]);
/* Give up a stream without a result. NULL is fine. */
void digest_free(struct digest *d);
void auto_digest_fn(struct digest **d);
#define auto_digest __attribute__((cleanup(auto_digest_fn)))

/* From the descriptor's position to its end. */
int digest_fd(int fd, char hex[DIGEST_HEX], struct err *err);

/* Exactly 64 digits 0-9a-f: safe as the name of a file. */
bool digest_hex_ok(const char *s);

#endif
