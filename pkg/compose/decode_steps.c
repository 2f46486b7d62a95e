/* decode_steps.c - pre_start: a step is the service itself with another program, run once to its end */
#include "decode.h"

#include <string.h>

/* Keys that are about the service's own containers. */
static const char *const not_of_steps[] = {
	"pre_start", "post_start",  "pre_stop", "healthcheck", "ports",    "container_name",
	"scale",     "depends_on",  "build",    "develop",     "profiles", "attach",
	"hostname",  "mac_address", "links",    "pull_policy",
};

/* A second container of the service at the same time: what is the first one's alone. */
static void forget_places(struct yaml_node *networks)
{
	static const char *const own[] = { "aliases", "ipv4_address", "ipv6_address", "mac_address",
					   "link_local_ips" };

	for (size_t i = 0; networks && networks->type == YAML_MAP && i < networks->m.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(own); k++)
			yaml_remove(networks->m.v[i].value, own[k]);
}

static void take_over(struct decode *d, struct yaml_node *n, const struct yaml_node *step,
		      const char *key)
{
	struct yaml_node *v = yaml_get(step, key);

	if (v && v->type != YAML_NULL)
		yaml_put(d->a, n, key, yaml_copy(d->a, v));
}

static void add_environment(struct decode *d, struct yaml_node *n, const struct yaml_node *step)
{
	const struct yaml_node *more = yaml_get(step, "environment");
	struct yaml_node *all = yaml_get(n, "environment");

	if (!more || more->type != YAML_MAP)
		return;
	if (!all || all->type != YAML_MAP) {
		all = yaml_new(d->a, YAML_MAP, step);
		yaml_put(d->a, n, "environment", all);
	}
	for (size_t i = 0; i < more->m.n; i++)
		yaml_put(d->a, all, more->m.v[i].key, yaml_copy(d->a, more->m.v[i].value));
}

struct yaml_node *decode_step_service(struct decode *d, const struct yaml_node *service,
				      const struct yaml_node *step)
{
	struct yaml_node *n = yaml_copy(d->a, service), *deploy;
	const char *image = yaml_str(yaml_get(step, "image"));

	for (size_t i = 0; i < ARRAY_LEN(not_of_steps); i++)
		yaml_remove(n, not_of_steps[i]);
	if (image && !str_eq(image, yaml_str(yaml_get(n, "image")))) {
		yaml_remove(n, "entrypoint"); /* another program: the image's own words */
		yaml_remove(n, "command");
		yaml_remove(n, "user");
	}
	take_over(d, n, step, "image");
	take_over(d, n, step, "command");
	take_over(d, n, step, "user");
	take_over(d, n, step, "privileged");
	take_over(d, n, step, "working_dir");
	add_environment(d, n, step);
	forget_places(yaml_get(n, "networks"));
	deploy = yaml_get(n, "deploy");
	if (deploy) {
		yaml_remove(deploy, "restart_policy");
		yaml_remove(deploy, "replicas");
	}
	yaml_put(d->a, n, "restart", yaml_new_str(d->a, "no", step));
	return n;
}
