/* cmd_network.c - ctrcompose network: inspect, ls, prune, rm; create is in a file of its own. */
#include "containers/inspect.h"
#include "screen/screen.h"

#include <ctrcompose/engine.h>
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
		    const struct network_entry *n)
{
	struct json *row = json_add_object(rows, NULL);
	auto_sbuf struct sbuf labels = SBUF_INIT;
	auto_strs struct strs list = { 0 };
	char id[65];

	network_id(paths, n->net.name, id);
	if (ls_arg.trunc)
		id[12] = '\0';
	network_entry_labels(n, &list);
	for (size_t i = 0; i < list.n; i++)
		sbuf_addf(&labels, "%s%s", i ? "," : "", list.v[i]);
	json_add_str(row, "Driver", n->net.driver ? n->net.driver : "bridge");
	json_add_str(row, "ID", id);
	json_add_str(row, "IPv6", n->net.subnet6 ? "true" : "false");
	json_add_str(row, "Internal", n->net.internal ? "true" : "false");
	json_add_str(row, "Labels", sbuf_str(&labels));
	json_add_str(row, "Name", n->net.name);
	json_add_str(row, "Project", n->project ? n->project : "");
	json_add_str(row, "Scope", "local");
	json_add_str(row, "Subnet", n->net.subnet ? n->net.subnet : "");
}

static int ls_run(int argc, char **argv, struct err *err)
{
	static const struct template_header headers[] = {
		{ "ID", "NETWORK ID" },
		{ NULL, NULL },
	};
	static const char table[] =
		"table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}\t{{.Subnet}}";
	auto_network_entries struct network_entries all = { 0 };
	auto_state_paths struct state_paths paths = { 0 };
	auto_json struct json *rows = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = state_paths_open(&paths, err);

	(void)argc;
	(void)argv;
	if (r < 0)
		return r;
	network_entries_read(&paths, &all);
	for (size_t i = 0; i < all.n; i++)
		if (!global.project_name || strs_has(&all.v[i].members, global.project_name))
			add_row(rows, &paths, &all.v[i]);
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

static const char *inspect_format;

static const struct opt inspect_opts[] = {
	{ 'f', "format", OPT_STRING, &inspect_format, "FORMAT",
	  "json, or a template like '{{.Name}}'" },
};

static int inspect_run(int argc, char **argv, struct err *err)
{
	(void)argc;
	return inspect_names(argv, "network", inspect_format, err);
}

static const struct cmd inspect = {
	.name = "inspect",
	.summary = "Show all about networks, as JSON",
	.operands = "NETWORK...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(inspect_opts),
	.run = inspect_run,
};

/* ---- rm, prune -------------------------------------------------------------------------------- */
static bool rm_force, prune_force;

static const struct opt rm_opts[] = {
	{ 'f', "force", OPT_FLAG, &rm_force, NULL, "A missing network is no error" },
};

static int rm_run(int argc, char **argv, struct err *err)
{
	auto_network_entries struct network_entries all = { 0 };
	auto_state_paths struct state_paths paths = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = state_paths_open(&paths, err), shown;

	if (r == 0)
		network_entries_read(&paths, &all);
	for (int i = 0; r == 0 && i < argc; i++) {
		const struct network_entry *n = network_entry_find(&paths, &all, argv[i]);

		r = engine_network_remove(&paths, n ? n->net.name : argv[i], err);
		if (r == -ENOENT && rm_force) {
			err_clear(err);
			r = 0;
		} else if (r == 0) {
			cmd_did(&out, "Network", argv[i], "Removed");
		}
	}
	shown = cmd_print(&out, r < 0 ? NULL : err);
	return r < 0 ? r : shown;
}

static const struct cmd rm = {
	.name = "rm",
	.alias = "remove",
	.summary = "Remove networks that were made by `network create`",
	.operands = "NETWORK...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(rm_opts),
	.dry = DRY_IN_COPY,
	.run = rm_run,
};

static const struct opt prune_opts[] = {
	{ 'f', "force", OPT_FLAG, &prune_force, NULL, "Do not ask" },
};

int cmd_networks_prune(struct strs *removed, struct err *err)
{
	auto_network_entries struct network_entries all = { 0 };
	auto_state_paths struct state_paths paths = { 0 };
	int r = state_paths_open(&paths, err);

	if (r == 0)
		network_entries_read(&paths, &all);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		if (all.v[i].members.n > 0)
			continue;
		r = engine_network_remove(&paths, all.v[i].net.name, err);
		if (r == 0)
			strs_add(removed, all.v[i].net.name);
	}
	return r;
}

static int prune_run(int argc, char **argv, struct err *err)
{
	auto_strs struct strs removed = { 0 };
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r;

	(void)argc;
	(void)argv;
	r = prune_force ? 1 : cmd_confirm("Remove all networks that no project has?", err);
	if (r <= 0)
		return r;
	r = cmd_networks_prune(&removed, err);
	for (size_t i = 0; i < removed.n; i++)
		cmd_did(&out, "Network", removed.v[i], "Removed");
	return r < 0 ? r : cmd_print(&out, err);
}

static const struct cmd prune = {
	.name = "prune",
	.summary = "Remove networks that no project has",
	CMD_OPTS(prune_opts),
	.dry = DRY_IN_COPY,
	.run = prune_run,
};

static const struct cmd *const subs[] = {
	&cmd_network_create, &inspect, &ls, &prune, &rm, NULL,
};

const struct cmd cmd_network = {
	.name = "network",
	.summary = "Manage networks",
	.operands = "COMMAND",
	.subs = subs,
};
