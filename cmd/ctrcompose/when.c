/* when.c - points in time as people write them on a command line. */
#include "cmd.h"

#include <string.h>
#include <time.h>

#define NS 1000000000ULL

static bool digits(const char **s, size_t n, int *out)
{
	int v = 0;

	for (size_t i = 0; i < n; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (**s - '0');
	}
	*out = v;
	return true;
}

static bool skip(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* ".123" in nanoseconds; nothing there is 0. */
static bool fraction(const char **s, uint64_t *ns)
{
	uint64_t unit = NS;

	*ns = 0;
	if (!skip(s, '.'))
		return true;
	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		unit /= 10;
		*ns += unit * (uint64_t)(**s - '0');
	}
	return true;
}

/* "Z", "+02:00", or nothing: local time. */
static bool zone(const char **s, bool *local, int *offset_s)
{
	int sign = **s == '-' ? -1 : 1, h, m;

	*local = false;
	*offset_s = 0;
	if (skip(s, 'Z') || skip(s, 'z'))
		return true;
	if (!**s) {
		*local = true;
		return true;
	}
	if (!skip(s, '+') && !skip(s, '-'))
		return false;
	if (!digits(s, 2, &h) || !skip(s, ':') || !digits(s, 2, &m) || h > 23 || m > 59)
		return false;
	*offset_s = sign * (h * 3600 + m * 60);
	return true;
}

/* 2026-01-02, 2026-01-02T13:23, ...:37, ...:37.5, each with or without a zone. */
static int parse_date(const char *s, uint64_t *out_ns)
{
	struct tm tm = { .tm_isdst = -1 };
	uint64_t ns = 0;
	bool local;
	int offset;
	time_t t;

	if (!digits(&s, 4, &tm.tm_year) || !skip(&s, '-') || !digits(&s, 2, &tm.tm_mon) ||
	    !skip(&s, '-') || !digits(&s, 2, &tm.tm_mday))
		return -EINVAL;
	if (skip(&s, 'T') || skip(&s, ' ')) {
		if (!digits(&s, 2, &tm.tm_hour) || !skip(&s, ':') || !digits(&s, 2, &tm.tm_min))
			return -EINVAL;
		if (skip(&s, ':') && (!digits(&s, 2, &tm.tm_sec) || !fraction(&s, &ns)))
			return -EINVAL;
	}
	if (!zone(&s, &local, &offset) || *s)
		return -EINVAL;
	if (tm.tm_year < 1970 || tm.tm_year > 2500 || tm.tm_mon < 1 || tm.tm_mon > 12 ||
	    tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 60)
		return -ERANGE;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	t = local ? mktime(&tm) : timegm(&tm);
	if (t < offset)
		return -ERANGE;
	*out_ns = (uint64_t)(t - offset) * NS + ns;
	return 0;
}

/* 1767225600, 1767225600.25 */
static int parse_unix(const char *s, uint64_t *out_ns)
{
	uint64_t secs = 0, ns;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++) {
		secs = secs * 10 + (uint64_t)(*s - '0');
		if (secs > UINT64_MAX / NS / 2)
			return -ERANGE;
	}
	if (!fraction(&s, &ns) || *s)
		return -EINVAL;
	*out_ns = secs * NS + ns;
	return 0;
}

int parse_when(const char *s, uint64_t now_ns, uint64_t *out_ns)
{
	uint64_t ago_us;
	int r;

	if (parse_unix(s, out_ns) == 0)
		return 0;
	r = parse_date(s, out_ns);
	if (r == 0 || r == -ERANGE)
		return r;
	r = parse_duration_us(s, &ago_us);
	if (r < 0)
		return r;
	*out_ns = ago_us > now_ns / 1000 ? 0 : now_ns - ago_us * 1000;
	return 0;
}
