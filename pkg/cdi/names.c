/* names.c - the syntax of kinds and device names; see private.h */
#include "private.h"

#include <ctype.h>
#include <string.h>

enum { VENDOR_MAX = 253, CLASS_MAX = 63, NAME_MAX_LEN = 255 };

static bool letter(char c)
{
	return isalpha((unsigned char)c) && (unsigned char)c < 128;
}

static bool letter_or_digit(char c)
{
	return letter(c) || (c >= '0' && c <= '9');
}

/* Letters and digits, and those of `between` but at the ends. */
static bool word(const char *s, size_t n, size_t max, const char *between)
{
	if (n == 0 || n > max || !letter_or_digit(s[0]) || !letter_or_digit(s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!letter_or_digit(s[i]) && !strchr(between, s[i]))
			return false;
	return true;
}

static bool kind_ok(const char *s, size_t n)
{
	const char *slash = memchr(s, '/', n);
	size_t vendor = slash ? (size_t)(slash - s) : n;

	return slash && letter(s[0]) && letter(slash[1]) && word(s, vendor, VENDOR_MAX, "._-") &&
	       word(slash + 1, n - vendor - 1, CLASS_MAX, "._-");
}

bool cdi_kind_ok(const char *kind)
{
	return kind_ok(kind, strlen(kind));
}

bool cdi_device_ok(const char *name)
{
	return word(name, strlen(name), NAME_MAX_LEN, "._-:");
}

size_t cdi_kind_len(const char *name)
{
	size_t n = strcspn(name, "=");

	return name[n] == '=' && kind_ok(name, n) && cdi_device_ok(name + n + 1) ? n : 0;
}

bool cdi_qualified(const char *name)
{
	return cdi_kind_len(name) > 0;
}
