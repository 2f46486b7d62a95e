/* tar_make.h - tars made by hand for tests, so that they can be as wrong as an attacker's. */
#ifndef CTRCOMPOSE_TESTS_TAR_MAKE_H
#define CTRCOMPOSE_TESTS_TAR_MAKE_H

#include <ctrcompose/base.h>

#include <stdio.h>
#include <string.h>

struct tar_member {
	char type; /* '0' file, '1' hard link, '2' symlink, '3' device, '5' folder, '6' FIFO */
	const char *name, *link, *content;
	size_t len; /* 0: strlen(content) */
	unsigned mode, uid, gid;
};

static inline void tar_header(struct sbuf *b, const struct tar_member *m, size_t size)
{
	char h[512] = { 0 };
	unsigned sum = 0;

	(void)snprintf(h, 100, "%s", m->name);
	(void)snprintf(h + 100, 8, "%07o", (m->mode ? m->mode : 0644) & 07777777);
	(void)snprintf(h + 108, 8, "%07o", m->uid);
	(void)snprintf(h + 116, 8, "%07o", m->gid);
	(void)snprintf(h + 124, 12, "%011zo", size);
	(void)snprintf(h + 136, 12, "%011o", 1000000000U);
	memset(h + 148, ' ', 8);
	h[156] = m->type;
	if (m->link)
		(void)snprintf(h + 157, 100, "%s", m->link);
	memcpy(h + 257,
	       "ustar\0"
	       "00",
	       8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	(void)snprintf(h + 148, 8, "%06o", sum);
	sbuf_add(b, h, sizeof(h));
}

static inline void tar_body(struct sbuf *b, const void *data, size_t len)
{
	static const char zeros[512];

	sbuf_add(b, data, len);
	if (len % 512)
		sbuf_add(b, zeros, 512 - len % 512);
}

static inline void tar_add(struct sbuf *b, struct tar_member m)
{
	size_t len = m.len ? m.len : m.content ? strlen(m.content) : 0;

	tar_header(b, &m, len);
	if (len)
		tar_body(b, m.content, len);
}

/* TAR(&tar, '2', "name", .link = "target"); */
#define TAR(b, t, n, ...) \
	tar_add((b), (struct tar_member){ .type = (t), .name = (n), ##__VA_ARGS__ })

/* One extended attribute or other pax record for the member that follows. */
static inline void tar_pax(struct sbuf *b, const char *key, const char *value, size_t len)
{
	auto_sbuf struct sbuf record = SBUF_INIT;
	size_t n = strlen(key) + len + 3, total = n + 1;

	while (total != n + (size_t)snprintf(NULL, 0, "%zu", total))
		total++;
	sbuf_addf(&record, "%zu %s=", total, key);
	sbuf_add(&record, value, len);
	sbuf_addc(&record, '\n');
	tar_header(b, &(struct tar_member){ .type = 'x', .name = "PaxHeaders/x" }, record.len);
	tar_body(b, record.s, record.len);
}

static inline void tar_end(struct sbuf *b)
{
	static const char zeros[1024];

	sbuf_add(b, zeros, sizeof(zeros));
}

#endif
