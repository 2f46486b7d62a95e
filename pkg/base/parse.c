/* parse.c - strict numbers, sizes, durations and signals; see base.h */
#include <ctrcompose/base.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Read digits at *s, leave *s after them. */
static int scan_u64(const char **s, uint64_t *out)
{
	uint64_t v = 0;

	if (!is_digit(**s))
		return -EINVAL;
	for (; is_digit(**s); (*s)++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(**s - '0'), &v))
			return -ERANGE;
	*out = v;
	return 0;
}

int parse_u64(const char *s, uint64_t *out)
{
	uint64_t v;
	int r = scan_u64(&s, &v);

	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*out = v;
	return 0;
}

int parse_i64(const char *s, int64_t *out)
{
	bool negative = *s == '-';
	uint64_t v;
	int r = parse_u64(s + negative, &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*out = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int parse_port(const char *s, uint16_t *out)
{
	uint64_t v;
	int r = parse_u64(s, &v);

	if (r < 0)
		return r;
	if (v == 0 || v > UINT16_MAX)
		return -ERANGE;
	*out = (uint16_t)v;
	return 0;
}

/* A decimal like "1.5" or ".5": whole part, and the fraction in billionths. */
static int scan_decimal(const char **s, uint64_t *whole, uint64_t *billionths)
{
	uint64_t scale = 100000000, frac = 0;
	int r;

	*whole = 0;
	if (is_digit(**s)) {
		r = scan_u64(s, whole);
		if (r < 0)
			return r;
	} else if (**s != '.' || !is_digit((*s)[1])) {
		return -EINVAL;
	}
	if (**s == '.')
		for ((*s)++; is_digit(**s); (*s)++) {
			frac += (uint64_t)(**s - '0') * scale;
			scale /= 10;
		}
	*billionths = frac;
	return 0;
}

/* whole.billionths * factor, rounded down. */
static int scale(uint64_t whole, uint64_t billionths, uint64_t factor, uint64_t *out)
{
	uint64_t v;

	if (__builtin_mul_overflow(whole, factor, &v))
		return -ERANGE;
	if (__builtin_add_overflow(
		    v, (uint64_t)((unsigned __int128)billionths * factor / 1000000000U), &v))
		return -ERANGE;
	*out = v;
	return 0;
}

int parse_bytes(const char *s, uint64_t *out)
{
	static const char letters[] = "kmgtp";
	uint64_t whole, frac, factor = 1, v;
	int r = scan_decimal(&s, &whole, &frac);
	const char *letter;

	if (r < 0)
		return r;
	if (*s == ' ' && s[1])
		s++;
	letter = *s ? strchr(letters, *s | 0x20) : NULL;
	if (letter) {
		factor <<= 10 * (letter - letters + 1);
		s++;
		if (*s == 'i' || *s == 'I')
			s++;
	}
	if (*s == 'b' || *s == 'B')
		s++;
	if (*s)
		return -EINVAL;
	r = scale(whole, frac, factor, &v);
	if (r < 0)
		return r;
	if (v > INT64_MAX)
		return -ERANGE;
	*out = v;
	return 0;
}

int parse_duration_us(const char *s, uint64_t *out)
{
	static const struct unit {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 }, /* micro sign */
		{ "\xce\xbcs", 1000 }, /* Greek mu */
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", 60000000000ULL },
		{ "h", 3600000000000ULL },
		{ "d", 86400000000000ULL },
		{ "w", 604800000000000ULL },
	};
	uint64_t total = 0;

	if (*s == '-')
		return -ERANGE;
	if (*s == '+')
		s++;
	if (!*s)
		return -EINVAL;
	while (*s) {
		const struct unit *unit = NULL;
		uint64_t whole, frac, v;
		size_t len;
		int r = scan_decimal(&s, &whole, &frac);

		if (r < 0)
			return r;
		len = strcspn(s, ".0123456789");
		for (size_t i = 0; i < ARRAY_LEN(units); i++)
			if (strlen(units[i].name) == len && memcmp(units[i].name, s, len) == 0)
				unit = &units[i];
		if (!unit)
			return -EINVAL;
		r = scale(whole, frac, unit->ns, &v);
		if (r < 0 || __builtin_add_overflow(total, v, &total) || total > INT64_MAX)
			return -ERANGE;
		s += len;
	}
	*out = total / 1000;
	return 0;
}

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },       { "QUIT", SIGQUIT }, { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT },     { "BUS", SIGBUS },   { "FPE", SIGFPE },
	{ "KILL", SIGKILL }, { "USR1", SIGUSR1 },     { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE }, { "ALRM", SIGALRM },     { "TERM", SIGTERM }, { "STKFLT", SIGSTKFLT },
	{ "CHLD", SIGCHLD }, { "CONT", SIGCONT },     { "STOP", SIGSTOP }, { "TSTP", SIGTSTP },
	{ "TTIN", SIGTTIN }, { "TTOU", SIGTTOU },     { "URG", SIGURG },   { "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF }, { "WINCH", SIGWINCH },
	{ "IO", SIGIO },     { "PWR", SIGPWR },       { "SYS", SIGSYS },   { "IOT", SIGIOT },
	{ "POLL", SIGPOLL }, { "CLD", SIGCHLD },
};

int parse_signal(const char *s, int *out)
{
	uint64_t v;

	if (parse_u64(s, &v) == 0) {
		if (v == 0 || v > (uint64_t)SIGRTMAX)
			return -ERANGE;
		*out = (int)v;
		return 0;
	}
	if (strncasecmp(s, "SIG", 3) == 0)
		s += 3;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (strcasecmp(s, signals[i].name) == 0) {
			*out = signals[i].number;
			return 0;
		}
	if (strncasecmp(s, "RTMIN", 5) == 0 || strncasecmp(s, "RTMAX", 5) == 0) {
		bool from_min = (s[3] | 0x20) == 'i' && (s[4] | 0x20) == 'n';
		int base = from_min ? SIGRTMIN : SIGRTMAX;

		if (s[5] == '\0') {
			*out = base;
			return 0;
		}
		if (s[5] != (from_min ? '+' : '-') || parse_u64(s + 6, &v) < 0 ||
		    v > (uint64_t)(SIGRTMAX - SIGRTMIN))
			return -EINVAL;
		*out = from_min ? base + (int)v : base - (int)v;
		return 0;
	}
	return -EINVAL;
}

const char *signal_name(int sig)
{
	static const char *const full[] = {
		[SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT",
		[SIGILL] = "SIGILL",   [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT",
		[SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",   [SIGKILL] = "SIGKILL",
		[SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
		[SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
		[SIGSYS] = "SIGSYS",   [SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ",
	};

	if (sig > 0 && (size_t)sig < ARRAY_LEN(full) && full[sig])
		return full[sig];
	return "signal";
}

int base64_decode(const char *in, char **out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	auto_free char *text = xmalloc(strlen(in) + 1);
	unsigned bits = 0, acc = 0;
	char *o = text;

	for (; *in && *in != '='; in++) {
		const char *d = strchr(digits, *in);

		if (strchr(" \t\r\n", *in))
			continue;
		if (!d)
			return -EINVAL;
		acc = (acc << 6 | (unsigned)(d - digits)) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*o++ = (char)(acc >> bits & 0xff);
		}
	}
	*o = '\0';
	*out = steal(text);
	return 0;
}
