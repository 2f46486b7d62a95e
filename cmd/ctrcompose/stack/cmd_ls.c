/* cmd_ls.c - ctrcompose ls: all projects of this host. */
#include "containers/container.h"
#include "screen/screen.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static struct {
	struct strs filters;
	const char *format;
	bool all, quiet;
} arg;

static const struct opt opts[] = {
	{ 'a', "all", OPT_FLAG, &arg.all, NULL, "Also projects that are stopped" },
	{ 0, "filter", OPT_LIST, &arg.filters, "NAME=VALUE", "Only name=EXPRESSION" },
	{ 0, "format", OPT_STRING, &arg.format, "FORMAT", "table (default) or json" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "Only names" },
};

static int check_args(struct err *err)
{
	if (arg.format && !str_eq(arg.format, "table") && !str_eq(arg.format, "json"))
		return usage_error(err, "--format: '%s' is neither table nor json", arg.format);
	for (size_t i = 0; i < arg.filters.n; i++) {
		const char *f = arg.filters.v[i];
		regex_t re;

		if (!str_starts(f, "name="))
			return usage_error(err, "--filter: '%s' is not name=EXPRESSION", f);
		if (regcomp(&re, f + strlen("name="), REG_EXTENDED | REG_NOSUB) != 0)
			return usage_error(err, "--filter: '%s' is not a regular expression", f);
		regfree(&re);
	}
	return 0;
}

static bool matches(const char *name)
{
	for (size_t i = 0; i < arg.filters.n; i++) {
		regex_t re;
		bool hit;

		if (regcomp(&re, arg.filters.v[i] + strlen("name="), REG_EXTENDED | REG_NOSUB) != 0)
			return false;
		hit = regexec(&re, name, 0, NULL, 0) == 0;
		regfree(&re);
		if (hit)
			return true;
	}
	return arg.filters.n == 0;
}

/* "exited(1), running(2)"; false: nothing of it is to be shown. */
static bool count(const struct state_project *s, struct sbuf *out)
{
	static const enum state_status order[] = {
		STATE_CREATED,  STATE_DEAD,       STATE_EXITED,  STATE_PAUSED,
		STATE_REMOVING, STATE_RESTARTING, STATE_RUNNING,
	};
	unsigned n[STATE_STATUSES] = { 0 };

	for (size_t i = 0; i < s->containers.n; i++)
		if (arg.all || container_is_up(s->containers.v[i]))
			n[s->containers.v[i]->status]++;
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (n[order[i]])
			sbuf_addf(out, "%s%s(%u)", out->len ? ", " : "",
				  state_status_name(order[i]), n[order[i]]);
	return out->len > 0;
}

static void add_row(struct json *rows, const struct state_project *s)
{
	auto_sbuf struct sbuf status = SBUF_INIT, files = SBUF_INIT;
	struct json *row;

	if (!count(s, &status) && !(arg.all && s->containers.n == 0 && s->networks.n > 0))
		return;
	for (size_t i = 0; i < s->config_files.n; i++)
		sbuf_addf(&files, "%s%s", i ? "," : "", s->config_files.v[i]);
	row = json_add_object(rows, NULL);
	json_add_str(row, "Name", s->name);
	json_add_str(row, "Status", sbuf_str(&status));
	json_add_str(row, "ConfigFiles", sbuf_str(&files));
}

static void print_table(const struct json *rows, struct sbuf *out)
{
	static const char *const headers[] = { "NAME", "STATUS", "CONFIG FILES", NULL };
	auto_table struct table t;

	table_start(&t, headers);
	for (const struct json *row = json_first(rows); row; row = json_next(row)) {
		table_cell(&t, json_str(row, "Name", ""));
		table_cell(&t, json_str(row, "Status", ""));
		table_cell(&t, json_str(row, "ConfigFiles", ""));
	}
	table_text(&t, out);
}

static int run(int argc, char **argv, struct err *err)
{
	auto_state_paths struct state_paths paths = { 0 };
	auto_strs struct strs names = { 0 };
	auto_json struct json *rows = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = check_args(err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = state_paths_open(&paths, err);
	if (r == 0)
		r = state_list_projects(&paths, &names, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n; i++) {
		auto_state struct state_project *s = NULL;
		auto_err struct err why = ERR_INIT;

		if (!matches(names.v[i]))
			continue;
		if (cmd_load_state(&paths, names.v[i], &s, &why) < 0)
			cmd_warn("%s", err_text(&why));
		else
			add_row(rows, s);
	}
	if (arg.quiet) {
		r = template_print("{{.Name}}", rows, NULL, &out, err);
	} else if (str_eq(arg.format, "json")) {
		auto_free char *text = json_print(rows);

		sbuf_addf(&out, "%s\n", text);
	} else {
		print_table(rows, &out);
	}
	return r < 0 ? r : cmd_print(&out, err);
}

const struct cmd cmd_ls = {
	.name = "ls",
	.summary = "List projects",
	CMD_OPTS(opts),
	.run = run,
};
