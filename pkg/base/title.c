/* title.c - what ps(1) shows of a process that outlives its command; see base.h
 *
 * The kernel shows the block in which it handed over arguments and environment, so that block is
 * what gets overwritten; everybody works on a copy of it from the start.
 */
#include <ctrcompose/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	char *start;
	size_t len;
	char *copy, **argv;
} area;

/* The strings lie one after the other; one that does not is somebody's own. */
static void measure(char *const *strings)
{
	for (; *strings; strings++)
		if (*strings == area.start + area.len)
			area.len += strlen(*strings) + 1;
}

static char **moved(char *const *strings)
{
	size_t n = 0;
	char **v;

	while (strings[n])
		n++;
	v = xcalloc(n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		bool inside = strings[i] >= area.start && strings[i] < area.start + area.len;

		v[i] = inside ? area.copy + (strings[i] - area.start) : strings[i];
	}
	return v;
}

char **proc_title_begin(char **argv)
{
	if (!argv[0] || area.start)
		return argv;
	area.start = argv[0];
	measure(argv);
	measure(environ);
	area.copy = xcalloc(area.len, 1);
	memcpy(area.copy, area.start, area.len);
	environ = moved(environ);
	area.argv = moved(argv);
	return area.argv;
}

void proc_title(const char *fmt, ...)
{
	va_list ap;

	if (area.len == 0)
		return;
	memset(area.start, 0, area.len);
	va_start(ap, fmt);
	(void)vsnprintf(area.start, area.len, fmt, ap);
	va_end(ap);
}
