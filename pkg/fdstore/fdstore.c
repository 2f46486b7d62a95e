/* fdstore.c - descriptors that wait, in flight, in a socket pair; see fdstore.h
 *
 * The queue of the pair is the whole store. To look through it or to take something out it is turned
 * round once: each packet is looked at, sent again, and only then taken off the front, so that a
 * SIGKILL at any point loses none (a packet that is there twice does no harm).
 */
#include <ctrcompose/fdstore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct packet {
	uint64_t turn; /* when the queue was last turned round */
	uint64_t born; /* names come again: this tells them apart */
	char name[FD_STORE_NAME_MAX];
};

struct item {
	struct packet packet;
	int fds[FD_STORE_FDS]; /* of the user before us, until they are taken */
	size_t n;
};

struct fd_store {
	int in, out;
	uint64_t last; /* born of the newest */
	bool stale;    /* the queue has packets that are nobody's */
	struct {
		struct item *v;
		size_t n, cap;
	} items;
};

enum { QUEUE_BYTES = 16 << 20 };

int fd_store_pair(int ends[2], struct err *err)
{
	const int bytes = QUEUE_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, "make a socket pair");
	(void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return 0;
}

static int send_packet(const struct fd_store *st, const struct packet *p, const int *fds, size_t n)
{
	return fd_send(st->out, p, sizeof(*p), fds, n, MSG_DONTWAIT);
}

/* The front of the queue, which stays there; false: nothing there. */
static bool peek(const struct fd_store *st, struct item *out)
{
	out->n = FD_STORE_FDS;
	return fd_recv(st->in, &out->packet, sizeof(out->packet), out->fds, &out->n,
		       MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof(out->packet);
}

static void close_all(struct item *it)
{
	for (size_t i = 0; i < it->n; i++)
		auto_close_fn(&it->fds[i]);
	it->n = 0;
}

static void remove_item(struct fd_store *st, struct item *it)
{
	close_all(it);
	*it = st->items.v[--st->items.n];
	st->stale = true;
}

static struct item *find(const struct fd_store *st, const char *name)
{
	for (size_t i = 0; i < st->items.n; i++)
		if (strcmp(st->items.v[i].packet.name, name) == 0)
			return &st->items.v[i];
	return NULL;
}

/* What lies in the queue from before: the newest of each name. */
static bool is_news(struct fd_store *st, struct item *seen)
{
	struct item *it = find(st, seen->packet.name);

	if (it && it->packet.born >= seen->packet.born) {
		st->stale |= it->packet.born > seen->packet.born;
		return it->packet.born == seen->packet.born;
	}
	if (it) {
		st->stale = true;
		close_all(it);
	} else {
		it = vec_push(&st->items);
	}
	*it = *seen;
	seen->n = 0; /* they are the item's now */
	if (st->last < it->packet.born)
		st->last = it->packet.born;
	return true;
}

static bool is_ours(const struct fd_store *st, const struct item *seen)
{
	const struct item *it = find(st, seen->packet.name);

	return it && it->packet.born == seen->packet.born;
}

static void turn_round(struct fd_store *st, bool opening)
{
	const uint64_t turn = now_mono_us();
	struct item seen;
	char c;

	while (peek(st, &seen)) {
		bool again = seen.packet.turn >= turn;
		struct item copy = seen;
		bool keep = !again && (opening ? is_news(st, &seen) : is_ours(st, &seen));

		copy.packet.turn = turn;
		if (keep)
			(void)send_packet(st, &copy.packet, copy.fds, copy.n);
		close_all(&seen);
		if (again)
			return; /* what we sent ourselves */
		(void)recv(st->in, &c, 1, MSG_DONTWAIT);
	}
}

struct fd_store *fd_store_open(const int ends[2])
{
	struct fd_store *st = xcalloc(1, sizeof(*st));

	st->in = ends[0];
	st->out = ends[1];
	turn_round(st, true);
	return st;
}

void fd_store_close(struct fd_store *st)
{
	if (!st)
		return;
	for (size_t i = 0; i < st->items.n; i++)
		close_all(&st->items.v[i]);
	free(st->items.v);
	free(st);
}

size_t fd_store_take(struct fd_store *st, const char *name, int fds[FD_STORE_FDS])
{
	struct item *it = st ? find(st, name) : NULL;
	size_t n = it ? it->n : 0;

	if (n) {
		memcpy(fds, it->fds, n * sizeof(int));
		it->n = 0;
	}
	return n;
}

void fd_store_drop(struct fd_store *st, const char *name)
{
	struct item *it = st ? find(st, name) : NULL;

	if (it)
		remove_item(st, it);
}

int fd_store_put(struct fd_store *st, const char *name, const int *fds, size_t n)
{
	const uint64_t now = now_mono_us();
	struct item it = { 0 };
	int r;

	if (!st)
		return 0;
	if (n == 0 || n > FD_STORE_FDS || strlen(name) >= FD_STORE_NAME_MAX)
		return -EINVAL;
	fd_store_drop(st, name);
	it.packet.born = now > st->last ? now : st->last + 1;
	(void)memcpy(it.packet.name, name, strlen(name) + 1);
	r = send_packet(st, &it.packet, fds, n);
	if (r < 0)
		return r;
	st->last = it.packet.born;
	*vec_push(&st->items) = it;
	return 0;
}

void fd_store_sweep(struct fd_store *st)
{
	if (!st || !st->stale)
		return;
	st->stale = false;
	turn_round(st, false);
}

void fd_store_drop_untaken(struct fd_store *st)
{
	for (size_t i = st->items.n; i-- > 0;)
		if (st->items.v[i].n)
			remove_item(st, &st->items.v[i]);
}
