/* mem.c - allocation that can't fail, arenas, growing arrays and the undo stack; see base.h */
#include <ctrcompose/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_FIRST = 1024, ARENA_MOST = 64 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(ARENA_ALIGN) char data[];
};

static void *must(void *p)
{
	if (!p) {
		fputs("ctrcompose: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return must(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return must(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return must(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return must(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return must(strndup(s, n));
}

char *xasprintf(const char *fmt, ...)
{
	struct sbuf b = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&b, fmt, ap);
	va_end(ap);
	return sbuf_take(&b);
}

void auto_free_fn(void *p)
{
	free(*(void **)p);
}

void auto_close_fn(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

/* Each block is twice the one before: many arenas are small and live long, few are large. */
static size_t next_room(const struct arena_block *head)
{
	if (!head)
		return ARENA_FIRST;
	return head->size < ARENA_MOST / 2 ? 2 * head->size : ARENA_MOST;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->head;
	size_t need = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	void *p;

	if (need < size)
		abort();
	if (!b || b->size - b->used < need) {
		size_t room = next_room(b);

		if (need > room / 4)
			room = need;
		b = must(calloc(1, sizeof(*b) + room));
		b->size = room;
		/* A block made for one large object is full at once: keep the roomy one in front. */
		if (room == need && a->head) {
			b->next = a->head->next;
			a->head->next = b;
		} else {
			b->next = a->head;
			a->head = b;
		}
	}
	p = b->data + b->used;
	b->used += need;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		abort();
	return arena_alloc(a, bytes);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = arena_alloc(a, len + 1);

	memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	auto_sbuf struct sbuf b = SBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	sbuf_addv(&b, fmt, ap);
	va_end(ap);
	return arena_strndup(a, sbuf_str(&b), b.len);
}

void arena_free(struct arena *a)
{
	while (a->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		free(b);
	}
}

void *vec_reserve_(void *v, size_t n, size_t *cap, size_t size)
{
	if (n == *cap) {
		size_t more = *cap ? *cap * 2 : 8;

		v = xreallocarray(v, more, size);
		*cap = more;
	}
	memset((char *)v + n * size, 0, size);
	return v;
}

void undo_push(struct undo *u, undo_fn *fn, void *arg)
{
	if (u->n == ARRAY_LEN(u->steps))
		abort(); /* a fixed plan never has more steps than this */
	u->steps[u->n++] = (struct undo_step){ fn, arg };
}

void undo_commit(struct undo *u)
{
	u->n = 0;
}

void undo_run(struct undo *u)
{
	while (u->n > 0) {
		struct undo_step *step = &u->steps[--u->n];

		step->fn(step->arg);
	}
}
