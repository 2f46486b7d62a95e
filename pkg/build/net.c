/* net.c - the network of the RUNs of one build: a bridge with a way out, made when the first one
 * wants it, and a name server in each container that asks the host's resolvers */
#include "run.h"

#include <ctrcompose/netlink.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct build_net {
	struct nl_conn *nl;
	struct net_pins *pins;
	struct net_network net;
	char *name; /* of the network, and what the rules belong to */
	struct loop *loop;
	struct dns_server *dns;
	struct {
		uint32_t *v;
		size_t n, cap;
	} taken;
};

static char *name_of(const char *id)
{
	return xasprintf("build-%s", id);
}

static char *rules_of(const char *run, const char *id)
{
	return xasprintf("%s/.builds/%s", run, id);
}

void build_net_remove(const char *run, const char *id)
{
	auto_free char *name = name_of(id), *rules = rules_of(run, id);
	auto_nl struct nl_conn *nl = NULL;

	if (nl_conn_open(&nl, NULL) < 0)
		return;
	(void)fw_remove(rules, NULL);
	(void)net_networks_down(nl, net_group(run, name), NULL);
}

static void add_subnet(const char *project, const struct state_network *net, void *arg)
{
	struct net_prefixes *out = arg;
	struct net_prefix p;

	(void)project;
	if (net->subnet && net_prefix_parse(net->subnet, &p) == 0)
		*vec_push(out) = p;
}

/* Small ones, out of the way of those that projects get. */
static int choose_subnet(struct build_net *n, const struct state_paths *paths, struct err *err)
{
	static const struct net_pool pools[] = {
		{ { 10U << 24 | 213U << 16, 16 }, 24 },
		{ { 10U << 24, 8 }, 24 },
	};
	struct net_prefixes host = { 0 }, taken = { 0 };
	int r = net_host_routes(n->nl, &host, err);

	if (r == 0) {
		state_networks_each(paths, NULL, add_subnet, &taken);
		r = net_pick_subnet(&host, &taken, pools, ARRAY_LEN(pools), &n->net.subnet, err);
	}
	free(host.v);
	free(taken.v);
	return r;
}

/* Until the bridge is up nobody else may choose. */
static int bridge_up(struct build_net *n, const struct builder *b, struct err *err)
{
	const struct state_paths *paths = b->w->paths;
	auto_free char *lock = path_join(paths->state, "ipam.lock");
	auto_close int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_errno(err, "lock %s", lock);
	n->net.name = n->name;
	net_bridge_name(paths->run, n->name, n->net.bridge);
	n->net.group = net_group(paths->run, n->name);
	r = choose_subnet(n, paths, err);
	return r < 0 ? r : net_network_up(n->nl, &n->net, err);
}

static int net_open(struct builder *b, struct err *err)
{
	struct build_net *n = b->net = xcalloc(1, sizeof(*n));
	auto_free char *owner = rules_of(b->w->paths->run, b->id);
	auto_fw_rules struct fw_rules rules = { 0 };
	int r = nl_conn_open(&n->nl, err);

	n->pins = net_pins_new();
	n->name = name_of(b->id);
	if (r == 0)
		r = bridge_up(n, b, err);
	if (r < 0)
		return r;
	fw_build(owner, &n->net, 1, NULL, 0, &rules);
	r = fw_apply(&rules, err);
	if (r == 0)
		r = loop_new(&n->loop, err);
	return r < 0 ? r : dns_server_new(n->loop, &n->dns, err);
}

void build_net_close(struct builder *b)
{
	struct build_net *n = b->net;

	if (!n)
		return;
	dns_server_free(n->dns);
	loop_free(n->loop);
	build_net_remove(b->w->paths->run, b->id);
	nl_conn_close(&n->nl);
	net_pins_free(n->pins);
	free(n->name);
	free(n->taken.v);
	free(n);
	b->net = NULL;
}

int build_net_fd(const struct builder *b)
{
	return b->net && b->net->loop ? loop_fd(b->net->loop) : -1;
}

void build_net_turn(struct builder *b)
{
	if (b->net && b->net->loop)
		(void)loop_turn(b->net->loop, 0);
}

uint32_t build_net_gateway(const struct builder *b)
{
	return b->net ? net_gateway(&b->net->net) : 0;
}

int build_net_ready(struct builder *b, struct err *err)
{
	int r = b->net ? 0 : net_open(b, err);

	return r < 0 ? err_wrap(err, r, "the network of RUN") : 0;
}

int build_net_attach(struct stage *s, struct err *err)
{
	struct builder *b = s->b->all;
	struct run *run = s->run;
	struct build_net *n = b->net;
	const struct dns_endpoint_config cfg = { .forward = true, .inside = NET_NAMES_PORT };
	struct net_endpoint ep = { .network = &n->net,
				   .ifname = "eth0",
				   .netns_fd = run->box.netns_fd,
				   .default_route = true };
	int r = net_pick_address(&n->net, n->taken.v, n->taken.n, 0, &run->ip, err);

	if (r < 0)
		return r;
	*vec_push(&n->taken) = ep.ipv4 = run->ip;
	net_host_if_name(run->key, n->name, ep.host_if);
	r = net_attach(n->nl, n->pins, &ep, 1, err);
	return r < 0 ? r : dns_server_open_in(n->dns, ep.netns_fd, &cfg, &run->dns, err);
}

void build_net_detach(struct stage *s)
{
	struct build_net *n = s->b->all->net;
	struct run *run = s->run;

	dns_endpoint_close(steal(run->dns));
	for (size_t i = 0; n && run->ip && i < n->taken.n; i++)
		if (n->taken.v[i] == run->ip) {
			n->taken.v[i] = n->taken.v[--n->taken.n];
			break;
		}
	run->ip = 0;
}
