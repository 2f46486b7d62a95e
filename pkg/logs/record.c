/* record.c - one line of a log file: made and taken apart. */
#include "private.h"

#include <stdio.h>
#include <string.h>

#define NS 1000000000ULL

static const char *const words[] = { [LOGS_STDOUT] = " stdout F ", [LOGS_STDERR] = " stderr F " };
#define WORD_LEN (RECORD_HEAD_LEN - RECORD_TIME_LEN)

void record_head(char out[RECORD_HEAD_LEN], uint64_t time_ns, enum logs_stream stream)
{
	char time[RFC3339_LEN];

	format_rfc3339(time_ns, time);
	memcpy(out, time, RECORD_TIME_LEN);
	memcpy(out + RECORD_TIME_LEN, words[stream], WORD_LEN);
}

/* ---- Taking apart */

/* The digits of s at the places of the '0' in form; all else has to be as in form. */
static bool scan_numbers(const char *s, const char *form, unsigned *out)
{
	unsigned v = 0;

	for (; *form; s++, form++) {
		if (*form == '0') {
			if (*s < '0' || *s > '9')
				return false;
			v = v * 10 + (unsigned)(*s - '0');
			continue;
		}
		if (*s != *form)
			return false;
		*out++ = v;
		v = 0;
	}
	return true;
}

/* Days after 1970-01-01 of a date of the Gregorian calendar. */
static uint64_t days_of(unsigned year, unsigned month, unsigned day)
{
	unsigned y = month <= 2 ? year - 1 : year;
	unsigned m = month <= 2 ? month + 9 : month - 3; /* March is 0: leap days come last */
	uint64_t days = (uint64_t)y * 365 + y / 4 - y / 100 + y / 400;

	return days + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int parse_time(const char *s, uint64_t *out)
{
	enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, NANO, PARTS };
	unsigned v[PARTS];

	if (!scan_numbers(s, "0000-00-00T00:00:00.000000000Z", v))
		return -EINVAL;
	if (v[YEAR] < 1970 || v[YEAR] > 2500 || v[MONTH] < 1 || v[MONTH] > 12 || v[DAY] < 1 ||
	    v[DAY] > 31 || v[HOUR] > 23 || v[MINUTE] > 59 || v[SECOND] > 60)
		return -EINVAL;
	*out = ((days_of(v[YEAR], v[MONTH], v[DAY]) * 24 + v[HOUR]) * 3600 + v[MINUTE] * 60ULL +
		v[SECOND]) *
		       NS +
	       v[NANO];
	return 0;
}

static int parse_words(const char *s, struct record *out)
{
	char flag = s[WORD_LEN - 2];

	out->stream = s[4] == 'o' ? LOGS_STDOUT : LOGS_STDERR;
	if (memcmp(s, words[out->stream], WORD_LEN - 2) != 0 || s[WORD_LEN - 1] != ' ')
		return -EINVAL;
	if (flag != 'F' && flag != 'P')
		return -EINVAL;
	out->partial = flag == 'P';
	return 0;
}

int record_parse(const char *line, size_t len, struct record *out)
{
	struct record r;

	if (len < RECORD_HEAD_LEN || len - RECORD_HEAD_LEN > LOGS_LINE_MAX)
		return -EINVAL;
	if (parse_time(line, &r.time_ns) < 0 || parse_words(line + RECORD_TIME_LEN, &r) < 0)
		return -EINVAL;
	r.text = line + RECORD_HEAD_LEN;
	r.len = len - RECORD_HEAD_LEN;
	*out = r;
	return 0;
}

/* ---- Many at once */

static void add_record(struct batch *b, const char *head, const char *text, size_t len, char flag)
{
	char *p = b->buf + b->len;

	memcpy(p, head, RECORD_HEAD_LEN);
	p[RECORD_FLAG] = flag;
	memcpy(p + RECORD_HEAD_LEN, text, len);
	p[RECORD_HEAD_LEN + len] = '\n';
	b->len += RECORD_HEAD_LEN + len + 1;
	b->open = flag == 'P';
	b->lines += flag == 'F';
}

size_t batch_fill(struct batch *b, size_t max, uint64_t time_ns, enum logs_stream stream,
		  const char *data, size_t len)
{
	char head[RECORD_HEAD_LEN];
	size_t at = 0;

	b->len = 0;
	b->lines = 0;
	record_head(head, time_ns, stream);
	while (at < len) {
		size_t most = len - at < LOGS_LINE_MAX + 1 ? len - at : LOGS_LINE_MAX + 1;
		const char *nl = memchr(data + at, '\n', most);
		size_t n = nl                     ? (size_t)(nl - data) - at
			   : most < LOGS_LINE_MAX ? most
						  : LOGS_LINE_MAX;

		if (b->len && b->len + RECORD_HEAD_LEN + n + 1 > max)
			break;
		add_record(b, head, data + at, n, nl ? 'F' : 'P');
		at += n + (nl != NULL);
	}
	return at;
}

void batch_end_line(struct batch *b, uint64_t time_ns, enum logs_stream stream)
{
	char head[RECORD_HEAD_LEN];

	b->len = 0;
	b->lines = 0;
	record_head(head, time_ns, stream);
	add_record(b, head, "", 0, 'F');
}

size_t batch_raw_len(const char *buf, size_t len, size_t *whole)
{
	size_t at = 0, raw = 0;

	while (at < len) {
		const char *nl = memchr(buf + at, '\n', len - at);
		struct record r;

		if (!nl || record_parse(buf + at, (size_t)(nl - buf) - at, &r) < 0)
			break;
		raw += r.len + !r.partial;
		at = (size_t)(nl - buf) + 1;
	}
	*whole = at;
	return raw;
}
