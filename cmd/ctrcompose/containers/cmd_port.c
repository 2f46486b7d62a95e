/* cmd_port.c - ctrcompose port: where a port of a container is published. */
#include "containers/container.h"
#include "containers/observe.h"

#include <string.h>

static struct {
	int64_t index;
	const char *protocol;
} arg = { .protocol = "tcp" };

static const struct opt opts[] = {
	{ 0, "index", OPT_INT, &arg.index, "N", "Which container, if the service has several" },
	{ 0, "protocol", OPT_STRING, &arg.protocol, "NAME", "tcp (default) or udp" },
};

static int show(const struct state_container *c, uint16_t target, struct err *err)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	for (size_t i = 0; i < c->ports.n; i++) {
		const struct state_port *p = &c->ports.v[i];
		const char *ip = port_ips(p).v[0];
		bool v6 = strchr(ip, ':') != NULL;

		if (p->target != target || !p->published ||
		    !str_eq(p->proto ? p->proto : "tcp", arg.protocol))
			continue;
		sbuf_addf(&out, "%s%s%s:%u\n", v6 ? "[" : "", ip, v6 ? "]" : "", p->published);
		return cmd_print(&out, err);
	}
	container_published(c, &out);
	return err_set(err, -ENOENT, "no port %u/%s for container %s: %s%s", target, arg.protocol,
		       c->name, out.len ? "it publishes " : "it publishes none", sbuf_str(&out));
}

static int run(int argc, char **argv, struct err *err)
{
	auto_observed struct observed o = { 0 };
	struct pick pick = { .service = argv[0], .index = arg.index, .running = true };
	struct state_container *c;
	char *words[] = { argv[0], NULL };
	uint16_t target;
	int r;

	(void)argc;
	if (parse_port(argv[1], &target) < 0)
		return usage_error(err, "port: '%s' is not a port", argv[1]);
	if (!str_eq(arg.protocol, "tcp") && !str_eq(arg.protocol, "udp"))
		return usage_error(err, "--protocol: '%s' is neither tcp nor udp", arg.protocol);
	r = observe(&o, words, err);
	if (r == 0)
		r = observe_pick(o.state, &pick, &c, err);
	return r < 0 ? r : show(c, target, err);
}

const struct cmd cmd_port = {
	.name = "port",
	.summary = "Print the public port of a container's port",
	.operands = "SERVICE PRIVATE_PORT",
	.min_operands = 2,
	.max_operands = 2,
	CMD_OPTS(opts),
	.run = run,
};
