/* scalar.c - what a plain scalar means: null, boolean, number, date or string. */
#include "tree.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	enum yaml_type type;
	double value;
} words[] = {
	{ "", YAML_NULL, 0 },
	{ "~", YAML_NULL, 0 },
	{ "null", YAML_NULL, 0 },
	{ "Null", YAML_NULL, 0 },
	{ "NULL", YAML_NULL, 0 },
	{ "true", YAML_BOOL, 1 },
	{ "True", YAML_BOOL, 1 },
	{ "TRUE", YAML_BOOL, 1 },
	{ "false", YAML_BOOL, 0 },
	{ "False", YAML_BOOL, 0 },
	{ "FALSE", YAML_BOOL, 0 },
	{ ".nan", YAML_FLOAT, NAN },
	{ ".NaN", YAML_FLOAT, NAN },
	{ ".NAN", YAML_FLOAT, NAN },
	{ ".inf", YAML_FLOAT, INFINITY },
	{ ".Inf", YAML_FLOAT, INFINITY },
	{ ".INF", YAML_FLOAT, INFINITY },
	{ "+.inf", YAML_FLOAT, INFINITY },
	{ "+.Inf", YAML_FLOAT, INFINITY },
	{ "+.INF", YAML_FLOAT, INFINITY },
	{ "-.inf", YAML_FLOAT, -INFINITY },
	{ "-.Inf", YAML_FLOAT, -INFINITY },
	{ "-.INF", YAML_FLOAT, -INFINITY },
};

/* [+-] then 0x.., 0b.., 0o.., 0.. (octal) or decimal; the digits are without '_' already. */
static bool scan_int(const char *s, int64_t *out)
{
	bool neg = *s == '-';
	int base = 10;
	uint64_t v;
	char *end;

	if (*s == '-' || *s == '+')
		s++;
	if (s[0] == '0' && s[1]) {
		char c = (char)tolower((unsigned char)s[1]);

		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		s += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
	}
	if (!isalnum((unsigned char)*s)) /* strtoull would take blanks and signs */
		return false;
	if (base == 16 && s[0] == '0' && tolower((unsigned char)s[1]) == 'x')
		return false;
	errno = 0;
	v = strtoull(s, &end, base);
	if (*end || errno || v > (uint64_t)INT64_MAX + neg)
		return false;
	*out = neg ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool looks_float(const char *s)
{
	size_t before, after = 0;

	if (*s == '-' || *s == '+')
		s++;
	before = strspn(s, "0123456789");
	s += before;
	if (*s == '.') {
		s++;
		after = strspn(s, "0123456789");
		s += after;
	}
	if (before + after == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '-' || *s == '+')
			s++;
		if (!isdigit((unsigned char)*s))
			return false;
		s += strspn(s, "0123456789");
	}
	return *s == '\0';
}

/* 2020-01-01 or with a time; printed as Go prints a time. */
static const char *scan_date(struct arena *a, const char *s)
{
	unsigned y, mo, d, h = 0, mi = 0, sec = 0;
	int n = 0;

	if (strlen(s) > 30 || strspn(s, "0123456789") != 4 || s[4] != '-')
		return NULL;
	if (sscanf(s, "%4u-%2u-%2u%n", &y, &mo, &d, &n) != 3)
		return NULL;
	s += n;
	if (*s) {
		if (*s != ' ' && *s != 'T' && *s != 't')
			return NULL;
		n = 0;
		if (sscanf(s + 1, "%2u:%2u:%2u%n", &h, &mi, &sec, &n) != 3)
			return NULL;
		s += 1 + n;
		if (*s == 'Z')
			s++;
		if (*s)
			return NULL;
	}
	if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || sec > 59)
		return NULL;
	return arena_printf(a, "%04u-%02u-%02u %02u:%02u:%02u +0000 UTC", y, mo, d, h, mi, sec);
}

void scalar_resolve(struct arena *a, const char *text, struct yaml_node *n)
{
	char plain[128];
	size_t len = 0;
	const char *date;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(words[i].text, text)) {
			n->type = words[i].type;
			if (n->type == YAML_BOOL)
				n->b = words[i].value != 0;
			else
				n->f = words[i].value;
			return;
		}
	n->type = YAML_STR;
	n->s = text;
	if (!isdigit((unsigned char)*text) && !strchr("+-.", *text))
		return;
	date = scan_date(a, text);
	if (date) {
		n->s = date;
		return;
	}
	for (const char *p = text; *p; p++) {
		if (*p == '_')
			continue;
		if (len == sizeof(plain) - 1)
			return;
		plain[len++] = *p;
	}
	plain[len] = '\0';
	if (scan_int(plain, &n->i)) {
		n->type = YAML_INT;
		return;
	}
	n->s = text;
	if (looks_float(plain)) {
		n->type = YAML_FLOAT;
		n->f = strtod(plain, NULL);
	}
}

void yaml_float_text(double f, char out[YAML_FLOAT_LEN])
{
	char digits[40], *e;
	int precision = 0, exponent;

	if (isnan(f) || isinf(f)) {
		snprintf(out, YAML_FLOAT_LEN, "%s", isnan(f) ? "NaN" : f > 0 ? "+Inf" : "-Inf");
		return;
	}
	do
		snprintf(digits, sizeof(digits), "%.*e", precision, f);
	while (strtod(digits, NULL) != f && precision++ < 17);
	e = strchr(digits, 'e');
	exponent = e ? atoi(e + 1) : 0;
	if (exponent < -4 || exponent >= 21)
		snprintf(out, YAML_FLOAT_LEN, "%s", digits);
	else
		snprintf(out, YAML_FLOAT_LEN, "%.*f",
			 precision > exponent ? precision - exponent : 0, f);
}
