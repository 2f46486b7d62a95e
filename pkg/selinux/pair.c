/* pair.c - two categories for each container; see selinux.h */
#include <ctrcompose/selinux.h>

#include <stdlib.h>
#include <string.h>

enum {
	CATEGORIES = 1024,
	GIVEN = CATEGORIES - 2,
	PAIRS = GIVEN * (GIVEN - 1) / 2,
};

static bool category(const char **s, uint16_t *out)
{
	unsigned v = 0, digits = 0;

	if (**s != 'c')
		return false;
	for (++*s; **s >= '0' && **s <= '9' && digits < 5; ++*s, digits++)
		v = v * 10 + (unsigned)(**s - '0');
	*out = (uint16_t)v;
	return digits > 0 && v < CATEGORIES;
}

bool selinux_pair_parse(const char *level, struct selinux_pair *out)
{
	const char *s = level + strcspn(level, ":");
	struct selinux_pair p;

	if (s == level || *s++ != ':' || !category(&s, &p.low) || *s++ != ',' ||
	    !category(&s, &p.high) || *s || p.low >= p.high)
		return false;
	*out = p;
	return true;
}

/* All pairs in a row: (0,1), (0,2) ... (0,1021), (1,2) ... */
static struct selinux_pair nth(unsigned i)
{
	unsigned low = 0;

	for (unsigned row = GIVEN - 1; i >= row; row--, low++)
		i -= row;
	return (struct selinux_pair){ (uint16_t)low, (uint16_t)(low + 1 + i) };
}

static bool is_in(struct selinux_pair p, const struct selinux_pair *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].low == p.low && v[i].high == p.high)
			return true;
	return false;
}

int selinux_pair_choose(uint64_t seed, const struct selinux_pair *taken, size_t n,
			struct selinux_pair *out)
{
	for (unsigned i = 0; i < PAIRS; i++) {
		struct selinux_pair p = nth((unsigned)((seed + i) % PAIRS));

		if (is_in(p, taken, n))
			continue;
		*out = p;
		return 0;
	}
	return -ENOSPC;
}
