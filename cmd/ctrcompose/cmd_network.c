/* cmd_network.c - ctrcompose network: ls and inspect. */
#include "inspect.h"

#include <stdlib.h>
#include <string.h>

static struct {
	bool quiet, trunc;
	const char *format;
} ls_arg = { .trunc = true };

static const struct opt ls_opts[] = {
	{ 0, "format", OPT_STRING, &ls_arg.format, "FORMAT",
	  "table (default), json, or a template" },
	{ 0, "no-trunc", OPT_UNFLAG, &ls_arg.trunc, NULL, "Print whole ids" },
	{ 'q', "quiet", OPT_FLAG, &ls_arg.quiet, NULL, "Only print ids" },
};

/* The keys of `docker network ls --format json`. */
static void add_row(struct json *rows, const struct state_paths *paths,
		    const struct state_project *s, const struct state_network *n)
{
	struct json *row = json_add_object(rows, NULL);
	auto_free char *labels = xasprintf("com.docker.compose.network=%s,"
					   "com.docker.compose.project=%s",
					   n->key, s->name);
	char id[65];

	network_id(paths, n->name, id);
	if (ls_arg.trunc)
		id[12] = '\0';
	json_add_str(row, "Driver", n->driver ? n->driver : "bridge");
	json_add_str(row, "ID", id);
	json_add_str(row, "IPv6", n->subnet6 ? "true" : "false");
	json_add_str(row, "Internal", n->internal ? "true" : "false");
	json_add_str(row, "Labels", labels);
	json_add_str(row, "Name", n->name);
	json_add_str(row, "Project", s->name);
	json_add_str(row, "Scope", "local");
	json_add_str(row, "Subnet", n->subnet ? n->subnet : "");
}

static int ls_run(int argc, char **argv, struct err *err)
{
	static const struct template_header headers[] = {
		{ "ID", "NETWORK ID" },
		{ NULL, NULL },
	};
	static const char table[] =
		"table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}\t{{.Subnet}}";
	auto_state_paths struct state_paths paths = { 0 };
	auto_strs struct strs names = { 0 };
	auto_json struct json *rows = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = state_paths_open(&paths, err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = state_list_projects(&paths, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_state struct state_project *s = NULL;

		if (global.project_name && !str_eq(global.project_name, names.v[i]))
			continue;
		r = cmd_load_state(&paths, names.v[i], &s, err);
		for (size_t k = 0; r == 0 && k < s->networks.n; k++)
			if (!s->networks.v[k].external)
				add_row(rows, &paths, s, &s->networks.v[k]);
	}
	if (r < 0)
		return r;
	r = template_print(ls_arg.quiet ? "{{.ID}}" : template_of(ls_arg.format, table), rows,
			   headers, &out, err);
	return r < 0 ? r : cmd_print(&out, err);
}

static const struct cmd ls = {
	.name = "ls",
	.alias = "list",
	.summary = "List networks; with -p NAME those of a project",
	CMD_OPTS(ls_opts),
	.run = ls_run,
};

static int inspect_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return inspect_names(argv, "network", err);
}

static const struct cmd inspect = {
	.name = "inspect",
	.summary = "Show all about networks, as JSON",
	.operands = "NETWORK...",
	.min_operands = 1,
	.max_operands = -1,
	.run = inspect_run,
};

static const struct cmd *const subs[] = { &inspect, &ls, NULL };

const struct cmd cmd_network = {
	.name = "network",
	.summary = "List and show networks",
	.operands = "COMMAND",
	.subs = subs,
};
