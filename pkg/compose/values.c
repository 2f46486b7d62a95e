/* values.c - the small notations of Compose: sizes, durations, booleans, names. */
#include "loader.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Digits with an optional fraction; the value as a double and whether it had a fraction. */
static const char *scan_decimal(const char *s, double *value, bool *fraction)
{
	size_t whole = strspn(s, "0123456789"), rest = 0;
	char number[64];

	*fraction = s[whole] == '.';
	if (*fraction)
		rest = 1 + strspn(s + whole + 1, "0123456789");
	if (whole + rest == 0 || (whole == 0 && rest == 1) || whole + rest >= sizeof(number))
		return NULL;
	memcpy(number, s, whole + rest);
	number[whole + rest] = '\0';
	*value = strtod(number, NULL);
	return s + whole + rest;
}

int bytes_of(const char *text, int64_t *out)
{
	static const char units[] = "kmgtp";
	const char *s = text, *u;
	bool neg = *s == '-', fraction;
	double v, factor = 1;

	s = scan_decimal(s + neg, &v, &fraction);
	if (!s)
		return -EINVAL;
	if (*s == ' ' && s[1])
		s++;
	u = *s ? strchr(units, tolower((unsigned char)*s)) : NULL;
	if (u) {
		for (const char *p = units; p <= u; p++)
			factor *= 1024;
		s++;
		if (tolower((unsigned char)*s) == 'i')
			s++;
	}
	if (tolower((unsigned char)*s) == 'b')
		s++;
	if (*s)
		return -EINVAL;
	if (v * factor >= 9223372036854775807.0)
		return -ERANGE;
	if (!fraction && factor == 1) { /* all digits exact */
		errno = 0;
		*out = strtoll(text, NULL, 10);
		return errno ? -ERANGE : 0;
	}
	*out = (int64_t)(v * factor);
	if (neg)
		*out = -*out;
	return 0;
}

int duration_of(const char *text, int64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {
		{ "ns", 1 },      { "us", 1e3 },        { "\xc2\xb5s", 1e3 }, { "\xce\xbcs", 1e3 },
		{ "ms", 1e6 },    { "s", 1e9 },         { "m", 60e9 },        { "h", 3600e9 },
		{ "d", 86400e9 }, { "w", 7 * 86400e9 },
	};
	const char *s = text;
	bool neg = *s == '-', fraction;
	double sum = 0, v;

	if (*s == '-' || *s == '+')
		s++;
	if (!*s)
		return -EINVAL;
	while (*s) {
		size_t len = 0, i;

		s = scan_decimal(s, &v, &fraction);
		if (!s)
			return -EINVAL;
		while (s[len] && !isdigit((unsigned char)s[len]) && s[len] != '.')
			len++;
		for (i = 0; i < ARRAY_LEN(units); i++)
			if (strlen(units[i].name) == len && memcmp(units[i].name, s, len) == 0)
				break;
		if (i == ARRAY_LEN(units))
			return -EINVAL;
		sum += v * units[i].ns;
		s += len;
	}
	if (sum >= 9223372036854775807.0)
		return -ERANGE;
	*ns = (int64_t)llround(sum);
	if (neg)
		*ns = -*ns;
	return 0;
}

static void add_fraction(struct sbuf *b, uint64_t v, uint64_t unit, const char *name)
{
	char digits[24];
	unsigned width = 0;
	size_t len;

	sbuf_addf(b, "%" PRIu64, v / unit);
	for (uint64_t u = unit; u > 1; u /= 10)
		width++;
	if (v % unit) {
		v = v % unit + unit; /* the leading 1 keeps the zeros */
		snprintf(digits, sizeof(digits), "%" PRIu64, v);
		for (len = width + 1; digits[len - 1] == '0'; len--)
			;
		sbuf_addc(b, '.');
		sbuf_add(b, digits + 1, len - 1);
	}
	sbuf_adds(b, name);
}

const char *duration_text(struct arena *a, int64_t ns)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	uint64_t minutes = v / 60000000000ULL;

	if (v == 0)
		return "0s";
	if (ns < 0)
		sbuf_addc(&b, '-');
	if (v < 1000) {
		sbuf_addf(&b, "%" PRIu64 "ns", v);
	} else if (v < 1000000) {
		add_fraction(&b, v, 1000, "\xc2\xb5s");
	} else if (v < 1000000000) {
		add_fraction(&b, v, 1000000, "ms");
	} else {
		if (minutes >= 60)
			sbuf_addf(&b, "%" PRIu64 "h", minutes / 60);
		if (minutes)
			sbuf_addf(&b, "%" PRIu64 "m", minutes % 60);
		add_fraction(&b, v % 60000000000ULL, 1000000000, "s");
	}
	return arena_strdup(a, sbuf_str(&b));
}

bool bool_of(const char *text, bool *out)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = { { "true", true }, { "false", false }, { "y", true },   { "yes", true },
		      { "on", true },   { "n", false },     { "no", false }, { "off", false } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(words[i].text, text) == 0) {
			*out = words[i].value;
			return true;
		}
	return false;
}

bool service_name_ok(const char *name)
{
	if (!*name)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
			return false;
	return true;
}

bool project_name_ok(const char *name)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	return *name && *name != '_' && *name != '-' && strspn(name, ok) == strlen(name);
}

char *project_name_from(struct arena *a, const char *text)
{
	char *name = arena_alloc(a, strlen(text) + 1), *out = name;

	for (; *text; text++) {
		int c = tolower((unsigned char)*text);

		if ((isalnum(c) && c < 0x80) || ((c == '_' || c == '-') && out > name))
			*out++ = (char)c;
	}
	*out = '\0';
	return name;
}

void kvs_append(struct arena *a, struct kvs *l, size_t *cap, const char *key, const char *value)
{
	if (l->n == *cap) {
		struct kv *v = arena_array(a, *cap ? 2 * *cap : 8, sizeof(*v));

		if (l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
		*cap = *cap ? 2 * *cap : 8;
	}
	l->v[l->n++] = (struct kv){ key, value };
}

void kvs_put(struct arena *a, struct kvs *l, size_t *cap, const char *key, const char *value)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].key, key) == 0) {
			l->v[i].value = value;
			return;
		}
	kvs_append(a, l, cap, key, value);
}
