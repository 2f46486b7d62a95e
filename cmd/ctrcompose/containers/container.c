/* container.c - the words for what the record says about a container. */
#include "containers/container.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS 1000000000ULL

enum { COMMAND_SHOWN = 20, MOUNT_SHOWN = 15, SHORT_ID = 12 };

bool container_is_up(const struct state_container *c)
{
	return c->status == STATE_RUNNING || c->status == STATE_PAUSED ||
	       c->status == STATE_RESTARTING;
}

static int by_name(const void *a, const void *b)
{
	const struct state_container *const *x = a, *const *y = b;
	int r = strcmp((*x)->service, (*y)->service);

	if (r == 0 && (*x)->oneoff != (*y)->oneoff)
		return (*x)->oneoff - (*y)->oneoff;
	if (r == 0 && (*x)->number != (*y)->number)
		return (*x)->number < (*y)->number ? -1 : 1;
	return r ? r : strcmp((*x)->name, (*y)->name);
}

void containers_sort(struct state_container **v, size_t n)
{
	if (n)
		qsort(v, n, sizeof(struct state_container *), by_name);
}

/* ---- Times */
static char *age(uint64_t then_ns, uint64_t now_ns)
{
	return format_age(now_ns > then_ns ? (now_ns - then_ns) / NS : 0);
}

void container_ago(uint64_t then_ns, uint64_t now_ns, struct sbuf *out)
{
	auto_free char *text = age(then_ns, now_ns);

	sbuf_addf(out, "%s ago", text);
}

static const char *const health_words[STATE_HEALTHS] = {
	[STATE_HEALTH_NONE] = "",
	[STATE_HEALTH_STARTING] = " (health: starting)",
	[STATE_HEALTHY] = " (healthy)",
	[STATE_UNHEALTHY] = " (unhealthy)",
};

const char *container_label(const char *project, const struct state_container *c)
{
	size_t n = strlen(project);

	if (strncmp(c->name, project, n) == 0 && (c->name[n] == '-' || c->name[n] == '_') &&
	    c->name[n + 1])
		return c->name + n + 1;
	return c->name;
}

void container_log(const struct state_paths *paths, const char *project,
		   const struct state_container *c, char **dir, char **name)
{
	*dir = state_project_dir(paths, project);
	*name = xstrdup(c->name);
}

const char *container_oom(const struct state_container *c)
{
	if (!c->oom_killed)
		return NULL;
	return c->error && str_starts(c->error, "OOM-killed") ? c->error : "OOM-killed";
}

void container_status(const struct state_container *c, uint64_t now_ns, struct sbuf *out)
{
	auto_free char *up = age(c->started_ns, now_ns), *down = age(c->finished_ns, now_ns);

	switch (c->status) {
	case STATE_RUNNING:
		sbuf_addf(out, "Up %s%s", up, health_words[c->health]);
		return;
	case STATE_PAUSED:
		sbuf_addf(out, "Up %s (Paused)", up);
		return;
	case STATE_RESTARTING:
		sbuf_addf(out, "Restarting (%d) %s ago", c->exit_code, down);
		return;
	case STATE_EXITED:
		sbuf_addf(out, "Exited (%d)", c->exit_code);
		if (c->finished_ns)
			sbuf_addf(out, " %s ago", down);
		if (c->oom_killed)
			sbuf_addf(out, ", %s", container_oom(c));
		return;
	case STATE_CREATED:
	case STATE_STATUSES:
		sbuf_adds(out, "Created");
		return;
	case STATE_DEAD:
		sbuf_adds(out, "Dead");
		return;
	case STATE_REMOVING:
		sbuf_adds(out, "Removal In Progress");
		return;
	}
}

/* ---- Ports */
struct port_ips port_ips(const struct state_port *p)
{
	if (p->host_ip && p->host_ip[0])
		return (struct port_ips){ .v = { p->host_ip }, .n = 1 };
	return (struct port_ips){ .v = { "0.0.0.0", "::" }, .n = 2 };
}

static int by_port(const void *a, const void *b)
{
	const struct state_port *const *x = a, *const *y = b;
	int r = strcmp((*x)->proto ? (*x)->proto : "tcp", (*y)->proto ? (*y)->proto : "tcp");

	if (r == 0)
		r = strcmp((*x)->host_ip ? (*x)->host_ip : "", (*y)->host_ip ? (*y)->host_ip : "");
	if (r == 0)
		r = (int)(*x)->target - (int)(*y)->target;
	return r ? r : (int)(*x)->published - (int)(*y)->published;
}

/* How many ports from v[0] on go up by one on both sides. */
static size_t run_length(struct state_port *const *v, size_t n)
{
	size_t i = 1;

	while (i < n && str_eq(v[i]->proto, v[0]->proto) && str_eq(v[i]->host_ip, v[0]->host_ip) &&
	       v[i]->target == v[0]->target + i && v[i]->published == v[0]->published + i)
		i++;
	return i;
}

static void add_range(uint16_t first, size_t n, struct sbuf *out)
{
	sbuf_addf(out, "%u", first);
	if (n > 1)
		sbuf_addf(out, "-%zu", first + n - 1);
}

static void list_ports(const struct state_container *c, bool all, struct sbuf *out)
{
	auto_free struct state_port **v = xcalloc(c->ports.n + 1, sizeof(struct state_port *));
	size_t have = 0;

	for (size_t i = 0; i < c->ports.n; i++)
		if (all || c->ports.v[i].published)
			v[have++] = &c->ports.v[i];
	if (have)
		qsort(v, have, sizeof(struct state_port *), by_port);
	for (size_t i = 0, n; i < have; i += n) {
		struct port_ips ips = port_ips(v[i]);

		n = run_length(v + i, have - i);
		for (size_t k = 0; k < (v[i]->published ? ips.n : 1); k++) {
			bool v6 = strchr(ips.v[k], ':') != NULL;

			sbuf_adds(out, out->len ? ", " : "");
			if (v[i]->published) {
				sbuf_addf(out, "%s%s%s:", v6 ? "[" : "", ips.v[k], v6 ? "]" : "");
				add_range(v[i]->published, n, out);
				sbuf_adds(out, "->");
			}
			add_range(v[i]->target, n, out);
			sbuf_addf(out, "/%s", v[i]->proto ? v[i]->proto : "tcp");
		}
	}
}

void container_ports(const struct state_container *c, struct sbuf *out)
{
	list_ports(c, true, out);
}

void container_published(const struct state_container *c, struct sbuf *out)
{
	list_ports(c, false, out);
}

/* ---- Command */
static size_t add_words(const struct json *list, struct sbuf *out)
{
	size_t n = 0;

	for (const struct json *w = json_first(list); w; w = json_next(w), n++)
		sbuf_addf(out, "%s%s", out->len ? " " : "", json_string(w) ? json_string(w) : "");
	return n;
}

static bool is_list(const struct json *v)
{
	return v && json_kind(v) == JSON_ARRAY;
}

bool container_command(const struct state_container *c, const struct json *image, struct sbuf *out)
{
	auto_json struct json *config = NULL;
	const struct json *entry, *command;

	if (!c->config_json ||
	    json_parse(c->config_json, strlen(c->config_json), &config, NULL) < 0)
		return false;
	entry = json_get(config, "entrypoint");
	command = json_get(config, "command");
	/* An entrypoint of the file makes the image's command void, not the other way round. */
	(void)add_words(is_list(entry) ? entry : json_get(image, "Entrypoint"), out);
	(void)add_words(is_list(command) || is_list(entry) ? command : json_get(image, "Cmd"), out);
	return is_list(entry);
}

char *ellipsis(const char *s, size_t max)
{
	size_t chars = 0, keep = 0, at = 0;

	for (; s[at]; at++) {
		if (((unsigned char)s[at] & 0xc0) == 0x80)
			continue;
		if (chars == max - 1)
			keep = at;
		if (chars == max)
			return xasprintf("%.*s…", (int)keep, s);
		chars++;
	}
	return xstrdup(s);
}

/* ---- Labels */
static void label(struct json *out, const char *name, const char *value)
{
	auto_free char *key = xasprintf("com.docker.compose.%s", name);

	json_add_str(out, key, value ? value : "");
}

static void join(const struct strs *l, struct sbuf *out)
{
	for (size_t i = 0; i < l->n; i++)
		sbuf_addf(out, "%s%s", i ? "," : "", l->v[i]);
}

struct json *container_labels(const struct state_project *s, const struct state_container *c)
{
	struct json *out = json_object();
	auto_json struct json *config = NULL;
	auto_sbuf struct sbuf files = SBUF_INIT;
	auto_free char *number = xasprintf("%u", c->number);

	join(&s->config_files, &files);
	label(out, "config-hash", c->config_hash);
	label(out, "container-number", number);
	label(out, "image", c->image_id);
	label(out, "oneoff", c->oneoff ? "True" : "False");
	label(out, "project", s->name);
	label(out, "project.config_files", sbuf_str(&files));
	label(out, "project.working_dir", s->working_dir);
	label(out, "service", c->service);
	if (!c->config_json ||
	    json_parse(c->config_json, strlen(c->config_json), &config, NULL) < 0)
		return out;
	for (const struct json *l = json_first(json_get(config, "labels")); l; l = json_next(l))
		if (json_key(l) && json_string(l))
			json_add_str(out, json_key(l), json_string(l));
	return out;
}

/* ---- Row of `ps` */
static void add_labels(struct json *row, const struct state_project *s,
		       const struct state_container *c)
{
	auto_json struct json *labels = container_labels(s, c);
	auto_sbuf struct sbuf text = SBUF_INIT;

	for (const struct json *l = json_first(labels); l; l = json_next(l))
		sbuf_addf(&text, "%s%s=%s", text.len ? "," : "", json_key(l), json_string(l));
	json_add_str(row, "Labels", sbuf_str(&text));
}

static void add_mounts(struct json *row, const struct state_container *c, bool trunc)
{
	auto_sbuf struct sbuf text = SBUF_INIT;
	auto_free char *count = NULL;
	size_t volumes = 0;

	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct state_mount *m = &c->mounts.v[i];
		const char *name = m->volume ? m->volume : m->source ? m->source : m->target;
		auto_free char *shown = trunc ? ellipsis(name, MOUNT_SHOWN) : xstrdup(name);

		volumes += str_eq(m->kind, "volume");
		sbuf_addf(&text, "%s%s", i ? "," : "", shown);
	}
	count = xasprintf("%zu", volumes);
	json_add_str(row, "LocalVolumes", count);
	json_add_str(row, "Mounts", sbuf_str(&text));
}

static void add_publishers(struct json *row, const struct state_container *c)
{
	struct json *list = json_add_array(row, "Publishers");

	for (size_t i = 0; i < c->ports.n; i++) {
		const struct state_port *p = &c->ports.v[i];
		struct port_ips ips = port_ips(p);

		for (size_t k = 0; k < ips.n; k++) {
			struct json *j = json_add_object(list, NULL);

			json_add_str(j, "URL", ips.v[k]);
			json_add_int(j, "TargetPort", p->target);
			json_add_int(j, "PublishedPort", p->published);
			json_add_str(j, "Protocol", p->proto ? p->proto : "tcp");
		}
	}
}

static void add_command(struct json *row, const struct state_container *c, const struct json *image,
			bool trunc)
{
	auto_sbuf struct sbuf text = SBUF_INIT, quoted = SBUF_INIT;
	auto_free char *shown = NULL;

	(void)container_command(c, image, &text);
	shown = trunc ? ellipsis(sbuf_str(&text), COMMAND_SHOWN) : xstrdup(sbuf_str(&text));
	json_quote(&quoted, shown);
	json_add_str(row, "Command", sbuf_str(&quoted));
}

static void add_created(struct json *row, const struct state_container *c)
{
	char text[64] = "";
	time_t t = (time_t)(c->created_ns / NS);
	struct tm tm;

	if (localtime_r(&t, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z %Z", &tm);
	json_add_str(row, "CreatedAt", text);
}

struct json *container_row(const struct state_project *s, const struct state_container *c,
			   const struct json *image, uint64_t now_ns, bool trunc)
{
	struct json *row = json_object();
	auto_free char *id = xasprintf("%.*s", trunc ? SHORT_ID : 64, c->id);
	auto_sbuf struct sbuf ports = SBUF_INIT, ago = SBUF_INIT, status = SBUF_INIT;
	auto_sbuf struct sbuf networks = SBUF_INIT;

	container_ports(c, &ports);
	container_ago(c->created_ns, now_ns, &ago);
	container_status(c, now_ns, &status);
	for (size_t i = 0; i < c->endpoints.n; i++)
		sbuf_addf(&networks, "%s%s", i ? "," : "", c->endpoints.v[i].network);
	add_command(row, c, image, trunc);
	add_created(row, c);
	json_add_int(row, "ExitCode", c->exit_code);
	json_add_str(row, "Health",
		     c->health == STATE_HEALTH_NONE ? "" : state_health_name(c->health));
	json_add_str(row, "ID", id);
	json_add_str(row, "Image", c->image);
	add_labels(row, s, c);
	add_mounts(row, c, trunc);
	json_add_str(row, "Name", c->name);
	json_add_str(row, "Names", c->name);
	json_add_str(row, "Networks", sbuf_str(&networks));
	json_add_str(row, "Ports", sbuf_str(&ports));
	json_add_str(row, "Project", s->name);
	add_publishers(row, c);
	json_add_str(row, "RunningFor", sbuf_str(&ago));
	json_add_str(row, "Service", c->service);
	json_add_str(row, "Size", "0B");
	json_add_str(row, "State", state_status_name(c->status));
	json_add_str(row, "Status", sbuf_str(&status));
	return row;
}
