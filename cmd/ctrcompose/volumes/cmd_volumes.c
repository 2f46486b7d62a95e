/* cmd_volumes.c - ctrcompose volumes: the volumes of the project, or of some of its services. */
#include "containers/observe.h"
#include "screen/screen.h"
#include "volumes/store.h"

#include <ctrcompose/json.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *format;
	bool quiet;
} arg;

static const struct opt opts[] = {
	{ 0, "format", OPT_STRING, &arg.format, "FORMAT",
	  "table (default), json, or a template like '{{.Name}}'" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "Only names" },
};

/* What containers of these services have mounted; without words also what nobody has. */
static bool has(const struct state_project *s, char *const *services, const char *volume)
{
	for (size_t i = 0; i < s->containers.n; i++) {
		const struct state_container *c = s->containers.v[i];

		if (!cmd_wants(services, c->service))
			continue;
		for (size_t m = 0; m < c->mounts.n; m++)
			if (str_eq(c->mounts.v[m].volume, volume))
				return true;
	}
	return false;
}

static char *label_text(const struct volume_record *v)
{
	auto_sbuf struct sbuf text = SBUF_INIT;

	for (size_t i = 0; i < v->label_keys.n; i++)
		sbuf_addf(&text, "%s%s=%s", i ? "," : "", v->label_keys.v[i], v->label_values.v[i]);
	return sbuf_take(&text);
}

/* The keys of `docker volume ls --format json`. */
static void add_row(struct json *rows, const struct volume_record *v)
{
	struct json *row = json_add_object(rows, NULL);
	auto_free char *labels = label_text(v);

	json_add_str(row, "Availability", "N/A");
	json_add_str(row, "Driver", "local");
	json_add_str(row, "Group", "N/A");
	json_add_str(row, "Labels", labels);
	json_add_str(row, "Links", "N/A");
	json_add_str(row, "Mountpoint", v->path);
	json_add_str(row, "Name", v->name);
	json_add_str(row, "Scope", "local");
	json_add_str(row, "Size", "N/A");
	json_add_str(row, "Status", "N/A");
}

static int run(int argc, char **argv, struct err *err)
{
	static const struct template_header headers[] = {
		{ "Name", "VOLUME NAME" },
		{ NULL, NULL },
	};
	static const char table[] = "table {{.Driver}}\t{{.Name}}";
	auto_volume_store struct volume_store *store = NULL;
	auto_volume_records struct volume_records list = { 0 };
	auto_observed struct observed o = { 0 };
	auto_json struct json *rows = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = observe(&o, argv, err);

	if (r == 0)
		r = cmd_volume_store(&store, err);
	if (r == 0)
		r = volume_list(store, NULL, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n; i++)
		if (has(o.state, argv, list.v[i].name) ||
		    (argc == 0 && str_eq(list.v[i].project, o.name)))
			add_row(rows, &list.v[i]);
	r = template_print(arg.quiet ? "{{.Name}}" : template_of(arg.format, table), rows, headers,
			   &out, err);
	return r < 0 ? r : cmd_print(&out, err);
}

const struct cmd cmd_volumes = {
	.name = "volumes",
	.summary = "List the volumes of the project",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
