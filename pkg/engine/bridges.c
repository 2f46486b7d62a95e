/* bridges.c - a bridge that somebody else deletes is made again, and its containers joined to it */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static void rejoin(const struct state_container *c, const struct engine_net *n,
		   struct nl_batch *batch)
{
	for (size_t i = 0; n->net.kind == NET_BRIDGE && c->pid && i < c->endpoints.n; i++)
		if (str_eq(c->endpoints.v[i].network, n->name) && c->endpoints.v[i].host_if)
			net_put_rejoin(batch, &n->net, c->endpoints.v[i].host_if);
}

int engine_net_rejoin(struct engine *e, const struct state_container *c, struct engine_net *n,
		      struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };

	rejoin(c, n, &batch);
	return nl_batch_send(e->nl, &batch, err);
}

static int mend(struct engine *e, struct engine_net *n, struct err *err)
{
	auto_nlbatch struct nl_batch batch = { .buf = NULL };
	int r = net_network_up(e->nl, &n->net, err);

	for (size_t i = 0; r == 0 && i < e->state->containers.n; i++)
		rejoin(e->state->containers.v[i], n, &batch);
	if (r == 0)
		r = nl_batch_send(e->nl, &batch, err);
	/* The rules name it and still stand; what is set on the link itself went with it. */
	return r < 0 ? r : engine_firewall(e, err);
}

static void on_gone(int index, void *arg)
{
	struct engine *e = arg;

	for (size_t i = 0; i < e->nets.n; i++) {
		struct engine_net *n = e->nets.v[i];
		auto_err struct err err = ERR_INIT;
		int r;

		if (n->net.ifindex != index)
			continue;
		if (n->net.kind != NET_BRIDGE) {
			log_line(
				LOG_WARN,
				"%s: the link below network %s was deleted by another program: its "
				"containers are cut off until they are started again",
				e->state->name, n->name);
			return;
		}
		r = mend(e, n, &err);
		log_line(r < 0 ? LOG_ERROR : LOG_WARN,
			 "%s: bridge %s of network %s was deleted by another program%s%s",
			 e->state->name, n->net.bridge, n->name, r < 0 ? ": " : ", it is back",
			 r < 0 ? err_text(&err) : "");
		return;
	}
}

static void on_readable(void *arg, uint32_t events)
{
	struct engine *e = arg;

	(void)events;
	if (!nl_gone_read(e->gone_fd, on_gone, e))
		return;
	for (size_t i = 0; i < e->nets.n; i++) { /* some message was lost */
		struct nl_link link;

		if (e->nets.v[i]->net.kind == NET_BRIDGE &&
		    nl_link_get(e->nl, e->nets.v[i]->net.bridge, &link, NULL) == -ENODEV)
			on_gone(e->nets.v[i]->net.ifindex, e);
	}
}

int engine_bridges_open(struct engine *e, struct err *err)
{
	e->gone_fd = nl_gone_open(err);
	return e->gone_fd < 0 ? e->gone_fd
			      : loop_io_add(e->loop, e->gone_fd, EPOLLIN, on_readable, e,
					    &e->gone_io, err);
}

void engine_bridges_close(struct engine *e)
{
	loop_source_free(e->gone_io);
	auto_close_fn(&e->gone_fd);
}
