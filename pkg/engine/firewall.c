/* firewall.c - the rules that the project's networks and published ports need; see engine.h */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static void add_ports(const struct engine *e, struct arena *a, const struct state_container *c,
		      struct net_port *ports, size_t *n)
{
	const struct state_endpoint *ep = engine_published(e, c);
	uint8_t *six = arena_alloc(a, 16);
	uint32_t target = 0;

	if (c->status != STATE_RUNNING && c->pid == 0)
		return;
	if (ep && ep->ip)
		(void)net_ip_parse(ep->ip, &target);
	if (!ep || !ep->ip6 || net_ip6_parse(ep->ip6, six) < 0)
		six = NULL;
	for (size_t i = 0; target && i < c->ports.n; i++) {
		const struct state_port *p = &c->ports.v[i];
		struct net_port *out = &ports[(*n)++];
		uint8_t *host6 = arena_alloc(a, 16);

		*out = (struct net_port){ .host_port = p->published,
					  .udp = str_eq(p->proto, "udp"),
					  .target_ip = target,
					  .target_ip6 = six,
					  .target_port = p->target };
		if (p->host_ip && net_ip_parse(p->host_ip, &out->host_ip) < 0) {
			out->no_ipv4 = true;
			out->host_ip6 = net_ip6_parse(p->host_ip, host6) == 0 ? host6 : NULL;
		}
	}
}

static void make_rules(struct engine *e, struct fw_rules *out)
{
	auto_free struct net_network *nets = xcalloc(e->nets.n + 1, sizeof(*nets));
	auto_arena struct arena a = { 0 };
	auto_free struct net_port *ports = NULL;
	size_t n_nets = 0, n_ports = 0, max = 1;

	for (size_t i = 0; i < e->state->containers.n; i++)
		max += e->state->containers.v[i]->ports.n;
	ports = xcalloc(max, sizeof(*ports));
	for (size_t i = 0; i < e->nets.n; i++)
		if (e->nets.v[i]->net.kind ==
		    NET_BRIDGE) /* what passes the others passes no rule */
			nets[n_nets++] = e->nets.v[i]->net;
	for (size_t i = 0; i < e->state->containers.n; i++)
		add_ports(e, &a, e->state->containers.v[i], ports, &n_ports);
	fw_build(e->dir, nets, n_nets, ports, n_ports, out);
}

int engine_firewall_begin(struct engine *e, struct err *err)
{
	auto_fw_rules struct fw_rules rules = { 0 };

	e->fw_due = false;
	make_rules(e, &rules);
	return fw_begin(e->fw, &rules, err);
}

/* What could not be put in place is tried again. */
static int outcome(struct engine *e, int r)
{
	e->fw_failed = r < 0;
	if (r < 0)
		fw_watch_again(e->fw_watch);
	return r;
}

int engine_firewall(struct engine *e, struct err *err)
{
	int r = engine_firewall_begin(e, err);

	return outcome(e, r < 0 ? r : fw_wait(e->fw, err));
}

static void on_lost(void *arg)
{
	auto_err struct err err = ERR_INIT;
	struct engine *e = arg;
	bool failed = e->fw_failed;
	int r = outcome(e, e->state->networks.n ? fw_check(e->fw, &err) : 0);

	if (r < 0)
		log_line(LOG_ERROR, "%s: firewall rules are not all there: %s", e->state->name,
			 err_text(&err));
	else if (r > 0)
		log_line(LOG_WARN, "%s: firewall rules %s", e->state->name,
			 failed ? "are in place now"
				: "were taken out by another program, they are back");
}

int engine_firewall_open(struct engine *e, struct err *err)
{
	e->fw_due = e->state->networks.n > 0; /* who knows what happened meanwhile */
	e->fw = fw_new(e->dir, !e->fw_due);
	return fw_watch_start(e->loop, e->dir, on_lost, e, &e->fw_watch, err);
}

void engine_firewall_close(struct engine *e)
{
	fw_watch_stop(e->fw_watch);
	fw_free(e->fw);
}
