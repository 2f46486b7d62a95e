/* cmd_inspect.c - ctrcompose inspect: whatever has that name, as JSON. */
#include "containers/inspect.h"
#include "screen/screen.h"

#include <stdlib.h>
#include <string.h>

static const char *type, *format;

static const struct opt opts[] = {
	{ 'f', "format", OPT_STRING, &format, "FORMAT",
	  "json, or a template like '{{.State.Status}}'" },
	{ 0, "type", OPT_STRING, &type, "TYPE", "Only a container, network, volume or image" },
};

struct stores {
	struct state_paths paths;
	struct image_store *images;
	struct volume_store *volumes;
};

/* Each gives -ENOENT when there is none of that name. */
typedef int find_fn(struct stores *s, const char *name, struct json **out, struct err *err);

/* By name or id, in all projects. */
static int find_container(struct stores *s, const char *name, struct json **out, struct err *err)
{
	auto_state struct state_project *found = NULL, *p = NULL;
	struct state_container *c = NULL;
	int r = state_find_anywhere(&s->paths, name, &found, &c, err);

	if (r == 0)
		r = cmd_load_state(&s->paths, found->name, &p, err);
	if (r == 0)
		r = state_find(p, c->id, &c, err);
	if (r == 0)
		*out = inspect_container(&s->paths, p, c, s->images);
	return r;
}

static int find_network(struct stores *s, const char *name, struct json **out, struct err *err)
{
	auto_network_entries struct network_entries all = { 0 };
	const struct network_entry *n;

	network_entries_read(&s->paths, &all);
	n = network_entry_find(&s->paths, &all, name);
	if (!n)
		return err_set(err, ENOENT, "there is no network %s", name);
	*out = inspect_network(&s->paths, n);
	return 0;
}

static int find_volume(struct stores *s, const char *name, struct json **out, struct err *err)
{
	auto_volume_record struct volume_record v = { 0 };
	int r = volume_name_ok(name) ? volume_find(s->volumes, name, &v, err)
				     : err_set(err, ENOENT, "there is no volume %s", name);

	if (r == 0)
		*out = inspect_volume(&v);
	return r;
}

static int find_image(struct stores *s, const char *name, struct json **out, struct err *err)
{
	return image_inspect(s->images, name, out, err);
}

static const struct {
	const char *type;
	find_fn *find;
} types[] = {
	{ "container", find_container },
	{ "network", find_network },
	{ "volume", find_volume },
	{ "image", find_image },
};

static int inspect_one(struct stores *s, const char *name, const char *only, struct json **out,
		       struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		int r;

		if (only && !str_eq(only, types[i].type))
			continue;
		r = types[i].find(s, name, out, err);
		if (r == 0 || only || (r != -ENOENT && r != -EINVAL))
			return r;
		err_clear(err);
	}
	return err_set(err, ENOENT, "there is no container, network, volume or image %s", name);
}

int inspect_names(char *const *names, const char *only, const char *form, struct err *err)
{
	auto_volume_store struct volume_store *volumes = NULL;
	auto_image_store struct image_store *images = NULL;
	auto_state_paths struct state_paths paths = { 0 };
	auto_json struct json *all = json_array();
	auto_sbuf struct sbuf out = SBUF_INIT;
	auto_free char *text = NULL;
	int r = state_paths_open(&paths, err);

	if (r == 0)
		r = cmd_image_store(&images, err);
	if (r == 0)
		r = cmd_volume_store(&volumes, err);
	for (size_t i = 0; r == 0 && names[i]; i++) {
		struct stores s = { paths, images, volumes };
		struct json *one = NULL;

		r = inspect_one(&s, names[i], only, &one, err);
		if (r == 0)
			json_add(all, NULL, one);
	}
	if (r < 0)
		return r;
	if (form && !str_eq(form, "json")) {
		r = template_print(form, all, NULL, &out, err);
		return r < 0 ? r : cmd_print(&out, err);
	}
	text = form ? json_print(all) : json_print_pretty(all);
	sbuf_addf(&out, "%s\n", text);
	return cmd_print(&out, err);
}

static int run(int argc, char **argv, struct err *err)
{
	bool known = !type;

	(void)argc;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		known = known || str_eq(type, types[i].type);
	if (!known)
		return usage_error(err, "--type: '%s' is none of container, network, volume, image",
				   type);
	return inspect_names(argv, type, format, err);
}

const struct cmd cmd_inspect = {
	.name = "inspect",
	.summary = "Show all about containers, networks, volumes or images, as JSON",
	.operands = "NAME|ID...",
	.min_operands = 1,
	.max_operands = -1,
	CMD_OPTS(opts),
	.run = run,
};
