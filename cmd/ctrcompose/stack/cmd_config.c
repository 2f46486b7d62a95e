/* cmd_config.c - ctrcompose config: the project as it was understood, in canonical form. */
#include "files/outfile.h"
#include "images/store.h"
#include "screen/screen.h"

#include <ctrcompose/image.h>
#include <ctrcompose/yaml.h>
#include <string.h>
#include <unistd.h>

static struct {
	struct cmd_load load;
	const char *format, *output, *hash;
	bool environment, images, models, networks, profiles, services, variables, volumes;
	bool quiet, schema, support, lock, resolve;
} arg;

static const struct opt opts[] = {
	{ 0, "environment", OPT_FLAG, &arg.environment, NULL,
	  "Print the environment that variables are taken from" },
	{ 0, "format", OPT_STRING, &arg.format, "FORMAT", "yaml (default) or json" },
	{ 0, "hash", OPT_STRING, &arg.hash, "SERVICES",
	  "Print the hash of each service's configuration; \"*\": all" },
	{ 0, "images", OPT_FLAG, &arg.images, NULL, "Print the images, one per line" },
	{ 0, "lock-image-digests", OPT_FLAG, &arg.lock, NULL,
	  "Print a lock: a file that names every image by its digest" },
	{ 0, "resolve-image-digests", OPT_FLAG, &arg.resolve, NULL,
	  "Name every image by its digest" },
	{ 0, "models", OPT_FLAG, &arg.models, NULL, "Print the models, one per line" },
	{ 0, "networks", OPT_FLAG, &arg.networks, NULL, "Print the networks, one per line" },
	{ 0, "no-consistency", OPT_FLAG, &arg.load.no_consistency, NULL,
	  "Skip the checks across sections" },
	{ 0, "no-env-resolution", OPT_FLAG, &arg.load.no_env_resolution, NULL,
	  "Leave env_file as it is" },
	{ 0, "no-interpolate", OPT_FLAG, &arg.load.no_interpolate, NULL,
	  "Leave variables as they are" },
	{ 0, "no-normalize", OPT_FLAG, &arg.load.no_normalize, NULL, "Add no defaults" },
	{ 0, "no-path-resolution", OPT_FLAG, &arg.load.no_path_resolution, NULL,
	  "Leave relative paths as they are" },
	{ 'o', "output", OPT_STRING, &arg.output, "FILE", "Write to a file" },
	{ 0, "profiles", OPT_FLAG, &arg.profiles, NULL, "Print the profiles, one per line" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "Only check, print nothing" },
	{ 0, "schema", OPT_FLAG, &arg.schema, NULL,
	  "Print the JSON Schema of compose files, for editors" },
	{ 0, "support-page", OPT_FLAG, &arg.support, NULL, NULL },
	{ 0, "services", OPT_FLAG, &arg.services, NULL, "Print the services, one per line" },
	{ 0, "variables", OPT_FLAG, &arg.variables, NULL,
	  "Print the variables and their defaults" },
	{ 0, "volumes", OPT_FLAG, &arg.volumes, NULL, "Print the volumes, one per line" },
};

static const struct {
	const bool *wanted;
	enum compose_list list;
} lists[] = {
	{ &arg.services, COMPOSE_SERVICES }, { &arg.volumes, COMPOSE_VOLUMES },
	{ &arg.networks, COMPOSE_NETWORKS }, { &arg.profiles, COMPOSE_PROFILES },
	{ &arg.images, COMPOSE_IMAGES },     { &arg.models, COMPOSE_MODELS },
};

static void add_lines(const struct strs *l, struct sbuf *out)
{
	for (size_t i = 0; i < l->n; i++)
		sbuf_addf(out, "%s\n", l->v[i]);
}

static int hashes(const struct project *p, struct sbuf *out, struct err *err)
{
	auto_free char *names = xstrdup(arg.hash);
	char *rest = NULL;

	for (size_t i = 0; str_eq(arg.hash, "*") && i < p->n_services; i++)
		sbuf_addf(out, "%s %s\n", p->services[i].name, p->services[i].config_hash);
	if (str_eq(arg.hash, "*"))
		return 0;
	for (char *w = strtok_r(names, ",", &rest); w; w = strtok_r(NULL, ",", &rest)) {
		char *words[] = { w, NULL };
		const struct service *s = project_service(p, w);
		int r = s ? 0 : cmd_check_services(words, p, NULL, err);

		if (r < 0)
			return r;
		if (!s)
			return err_set(err, -ENOENT, "service %s is disabled by its profiles", w);
		sbuf_addf(out, "%s %s\n", s->name, s->config_hash);
	}
	return 0;
}

static int variables(struct sbuf *out, struct err *err)
{
	static const char *const headers[] = { "NAME", "REQUIRED", "DEFAULT VALUE",
					       "ALTERNATE VALUE", NULL };
	auto_table struct table t;
	auto_arena struct arena a = { 0 };
	auto_strs struct strs rows = { 0 };
	struct compose_options opt;
	int r;

	table_start(&t, headers);
	cmd_compose_options(&a, &arg.load, &opt);
	r = compose_variables(&opt, &rows, err);
	if (r < 0)
		return cmd_load_failed(r);
	for (size_t i = 0; i < rows.n; i++) {
		char *rest = rows.v[i];

		for (size_t col = 0; col < t.n_cols; col++)
			table_cell(&t, rest ? strsep(&rest, "\t") : "");
	}
	table_text(&t, out);
	return 0;
}

static int environment(struct sbuf *out, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_strs struct strs lines = { 0 };
	struct compose_options opt;
	int r;

	cmd_compose_options(&a, &arg.load, &opt);
	r = compose_environment(&opt, &lines, err);
	if (r < 0)
		return cmd_load_failed(r);
	add_lines(&lines, out);
	return 0;
}

/* Images by digest, in the tree that is printed. */
static int pin_images(struct project *p, struct err *err)
{
	auto_image_store struct image_store *store = NULL;
	struct yaml_node *services = yaml_get(p->tree, "services");
	int r = cmd_image_store(&store, err);

	for (size_t i = 0; r == 0 && services && i < services->m.n; i++) {
		struct yaml_node *s = services->m.v[i].value;
		const char *image = yaml_str(yaml_get(s, "image"));
		auto_free char *pinned = NULL, *normal = NULL;
		const char *both;

		/* What is built has no digest of a registry. */
		if (!image || strchr(image, '@') || yaml_get(s, "build"))
			continue;
		r = image_pin(store, image, !global.offline, &pinned, err);
		if (r == 0)
			r = image_ref_normal(image, &normal, err);
		if (r < 0)
			break;
		/* The tag stays: it tells what the digest was taken for. */
		both = arena_printf(&p->arena, "%s%s", normal, strchr(pinned, '@'));
		yaml_put(&p->arena, s, "image", yaml_new_str(&p->arena, both, s));
	}
	return r;
}

static void print_lock(const struct project *p, struct sbuf *out)
{
	const struct yaml_node *services = yaml_get(p->tree, "services");

	sbuf_adds(out, "services:\n");
	for (size_t i = 0; services && i < services->m.n; i++) {
		const char *image = yaml_str(yaml_get(services->m.v[i].value, "image"));

		if (image && !yaml_get(services->m.v[i].value, "build"))
			sbuf_addf(out, "  %s:\n    image: %s\n", services->m.v[i].key, image);
	}
}

static int project(struct sbuf *out, struct err *err)
{
	auto_project struct project *p = NULL;
	bool listed = false;
	int r;

	arg.load.no_identity = !arg.hash;
	r = cmd_load_project_with(&arg.load, &p, err);

	if (r < 0)
		return r;
	if (arg.lock || arg.resolve)
		r = pin_images(p, err);
	if (r < 0)
		return r;
	if (arg.lock) {
		print_lock(p, out);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		auto_strs struct strs names = { 0 };

		if (!*lists[i].wanted)
			continue;
		compose_names(p, lists[i].list, &names);
		add_lines(&names, out);
		listed = true;
	}
	if (arg.hash)
		return hashes(p, out, err);
	if (listed)
		return 0;
	if (!str_eq(arg.format, "json"))
		return compose_print_yaml(p, out, err);
	compose_print_json(p, out);
	return 0;
}

static int save(const struct sbuf *out, struct err *err)
{
	auto_outfile struct outfile file = OUTFILE_INIT;
	int r;

	if (!arg.output || str_eq(arg.output, "-"))
		return cmd_print(out, err);
	r = outfile_open(&file, arg.output, 0666, err);
	if (r == 0)
		r = outfile_write(&file, sbuf_str(out), out->len, err);
	return r < 0 ? r : outfile_done(&file, err);
}

static int run(int argc, char **argv, struct err *err)
{
	auto_sbuf struct sbuf out = SBUF_INIT;
	int r = 0;

	if (arg.format && !str_eq(arg.format, "yaml") && !str_eq(arg.format, "json"))
		return usage_error(err, "--format: '%s' is neither yaml nor json", arg.format);
	arg.load.services = argv;
	arg.load.only_services = argc > 0;
	if (arg.schema)
		compose_schema(&out);
	else if (arg.support)
		compose_support_page(&out);
	else if (arg.variables)
		r = variables(&out, err);
	else if (arg.environment)
		r = environment(&out, err);
	else
		r = project(&out, err);
	if (r < 0 || arg.quiet)
		return r;
	return save(&out, err);
}

const struct cmd cmd_config = {
	.name = "config",
	.alias = "convert",
	.summary = "Check the compose file and print it in canonical form",
	.operands = "[SERVICE...]",
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
