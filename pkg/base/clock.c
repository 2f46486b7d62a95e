/* clock.c - time, ages and sizes for people, random names and the log; see base.h */
#include <ctrcompose/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum log_level log_min = LOG_INFO;
static int log_fd = STDERR_FILENO;

uint64_t now_mono_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t now_real_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void format_rfc3339(uint64_t real_ns, char out[RFC3339_LEN])
{
	time_t sec = (time_t)(real_ns / 1000000000);
	struct tm tm;
	size_t n;

	(void)gmtime_r(&sec, &tm);
	n = strftime(out, RFC3339_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(out + n, RFC3339_LEN - n, ".%09uZ", (unsigned)(real_ns % 1000000000));
}

char *format_age(uint64_t s)
{
	const uint64_t m = 60, h = 3600, d = 86400;

	if (s < 1)
		return xstrdup("Less than a second");
	if (s == 1)
		return xstrdup("1 second");
	if (s < m)
		return xasprintf("%u seconds", (unsigned)s);
	if (s < 2 * m)
		return xstrdup("About a minute");
	if (s < h)
		return xasprintf("%u minutes", (unsigned)(s / m));
	if (s < 2 * h)
		return xstrdup("About an hour");
	if (s < 2 * d)
		return xasprintf("%u hours", (unsigned)(s / h));
	if (s < 14 * d)
		return xasprintf("%u days", (unsigned)(s / d));
	if (s < 60 * d)
		return xasprintf("%u weeks", (unsigned)(s / d / 7));
	if (s < 730 * d)
		return xasprintf("%u months", (unsigned)(s / d / 30));
	return xasprintf("%u years", (unsigned)(s / d / 365));
}

void format_bytes(uint64_t bytes, char out[16])
{
	static const char units[] = "BKMGTPE";
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1024 && u + 2 < sizeof(units)) {
		v /= 1024;
		u++;
	}
	if (u == 0)
		(void)snprintf(out, 16, "%uB", (unsigned)bytes);
	else if (v - (double)(uint64_t)v < 0.05)
		(void)snprintf(out, 16, "%u%c", (unsigned)v, units[u]);
	else
		(void)snprintf(out, 16, "%.1f%c", v, units[u]);
}

void id_random_hex(char *out, size_t digits)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[64];

	for (size_t i = 0; i < digits; i++) {
		if (i % sizeof(raw) == 0 && getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
			abort(); /* up to 256 bytes can't fail once the pool is ready */
		out[i] = hex[raw[i % sizeof(raw)] & 15];
	}
	out[digits] = '\0';
}

void log_to_fd(int fd)
{
	log_fd = fd;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	auto_sbuf struct sbuf b = SBUF_INIT, text = SBUF_INIT;
	char stamp[RFC3339_LEN];
	va_list ap;

	if (level < log_min)
		return;
	format_rfc3339(now_real_ns(), stamp);
	sbuf_addf(&b, "%.23sZ %s ", stamp, names[level]);
	va_start(ap, fmt);
	sbuf_addv(&text, fmt, ap);
	va_end(ap);
	sbuf_add_clean(&b, sbuf_str(&text), ""); /* one line, whatever a container said */
	sbuf_addc(&b, '\n');
	(void)fd_write_all(log_fd, b.s, b.len);
}
