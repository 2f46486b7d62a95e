/* cmd_run.c - ctrcompose run: a container of its own for one command of a service. */
#include "containers/inside.h"
#include "images/building.h"
#include "images/pulling.h"
#include "screen/screen.h"
#include "stack/online.h"

#include <ctrcompose/json.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	bool detach, rm, no_tty, no_deps, service_ports, use_aliases, interactive, tty, orphans,
		quiet, build, quiet_pull, quiet_build;
	const char *entrypoint, *name, *user, *workdir, *pull;
	struct strs env, env_files, labels, volumes, publish, cap_add, cap_drop;
} arg = { .interactive = true };

static const struct opt opts[] = {
	{ 0, "cap-add", OPT_LIST, &arg.cap_add, "CAP", "Add a capability" },
	{ 0, "cap-drop", OPT_LIST, &arg.cap_drop, "CAP", "Drop a capability" },
	{ 'd', "detach", OPT_FLAG, &arg.detach, NULL, "Run in the background and print the id" },
	{ 0, "entrypoint", OPT_STRING, &arg.entrypoint, "COMMAND", "Instead of the image's" },
	{ 'e', "env", OPT_LIST, &arg.env, "KEY=VALUE", "Set an environment variable" },
	{ 0, "env-from-file", OPT_LIST, &arg.env_files, "FILE", "Set the variables of a file" },
	{ 'i', "interactive", OPT_FLAG, &arg.interactive, NULL,
	  "Pass standard input on (default)" },
	{ 'l', "label", OPT_LIST, &arg.labels, "KEY=VALUE", "Add a label" },
	{ 0, "name", OPT_STRING, &arg.name, "NAME", "Name of the container" },
	{ 'T', "no-tty", OPT_FLAG, &arg.no_tty, NULL, "No terminal" },
	{ 0, "no-TTY", OPT_FLAG, &arg.no_tty, NULL, NULL },
	{ 0, "no-deps", OPT_FLAG, &arg.no_deps, NULL, "Do not start what it depends on" },
	{ 'p', "publish", OPT_LIST, &arg.publish, "PORT", "Publish a port" },
	{ 'q', "quiet", OPT_FLAG, &arg.quiet, NULL, "No progress lines" },
	{ 0, "build", OPT_FLAG, &arg.build, NULL, "Build the image first" },
	{ 0, "quiet-build", OPT_FLAG, &arg.quiet_build, NULL, "No lines of builds but what fails" },
	{ 0, "quiet-pull", OPT_FLAG, &arg.quiet_pull, NULL, "No progress lines for pulls" },
	{ 0, "pull", OPT_STRING, &arg.pull, "POLICY", "always, missing, never" },
	{ 0, "remove-orphans", OPT_FLAG, &arg.orphans, NULL,
	  "Remove containers of other services" },
	{ 0, "rm", OPT_FLAG, &arg.rm, NULL, "Remove the container when it ends" },
	{ 'P', "service-ports", OPT_FLAG, &arg.service_ports, NULL, "Publish the service's ports" },
	{ 't', "tty", OPT_FLAG, &arg.tty, NULL, "A terminal (default where there is one)" },
	{ 0, "use-aliases", OPT_FLAG, &arg.use_aliases, NULL, "Use the service's network aliases" },
	{ 'u', "user", OPT_STRING, &arg.user, "USER", "Run as this user" },
	{ 'v', "volume", OPT_LIST, &arg.volumes, "VOLUME",
	  "Mount a volume or a folder: SRC:DST[:ro]" },
	{ 'w', "workdir", OPT_STRING, &arg.workdir, "FOLDER", "Run in this folder" },
};

/* ---- The service as it is to be: its canonical JSON, changed -------------------------------- */
static struct json *own(const struct json *o, const char *key, bool object)
{
	struct json *parent = (struct json *)(uintptr_t)o;
	const struct json *there = json_get(o, key);

	if (there && json_kind(there) == (object ? JSON_OBJECT : JSON_ARRAY))
		return (struct json *)(uintptr_t)there;
	json_remove(parent, key);
	return object ? json_add_object(parent, key) : json_add_array(parent, key);
}

static void put_str(struct json *o, const char *key, const char *value)
{
	if (!value)
		return;
	json_remove(o, key);
	json_add_str(o, key, value);
}

static void put_bool(struct json *o, const char *key, bool value)
{
	json_remove(o, key);
	json_add_bool(o, key, value);
}

static void put_words(struct json *o, const char *key, const char *const *words, size_t n)
{
	struct json *list;

	json_remove(o, key);
	list = json_add_array(o, key);
	for (size_t i = 0; i < n; i++)
		json_add_str(list, NULL, words[i]);
}

static void put_pairs(struct json *o, const char *key, const struct strs *pairs, bool from_environ)
{
	struct json *map = pairs->n ? own(o, key, true) : NULL;

	for (size_t i = 0; i < pairs->n; i++) {
		char *eq = strchr(pairs->v[i], '=');
		const char *value = eq ? eq + 1 : from_environ ? getenv(pairs->v[i]) : "";
		auto_free char *name = eq ? xstrndup(pairs->v[i], (size_t)(eq - pairs->v[i]))
					  : xstrdup(pairs->v[i]);

		json_remove(map, name);
		if (value)
			json_add_str(map, name, value);
	}
}

/* "SRC:DST[:ro]": a path makes a bind, a name a volume, DST alone an anonymous one. */
static int put_volume(struct json *list, const char *spec, const char *folder, struct err *err)
{
	const char *colon = strchr(spec, ':');
	const char *target = colon ? colon + 1 : spec;
	const char *mode = colon ? strchr(target, ':') : NULL;
	auto_free char *source = colon ? xstrndup(spec, (size_t)(colon - spec)) : NULL;
	auto_free char *dst = mode ? xstrndup(target, (size_t)(mode - target)) : xstrdup(target);
	bool bind = source && (source[0] == '/' || source[0] == '.' || source[0] == '~');
	struct json *m;

	if (dst[0] != '/' || (source && !source[0]))
		return usage_error(err, "--volume needs SRC:/DST[:ro], not '%s'", spec);
	m = json_add_object(list, NULL);
	json_add_str(m, "type", bind ? "bind" : "volume");
	if (bind) {
		auto_free char *home =
			source[0] == '~' ? xasprintf("%s%s", getenv("HOME"), source + 1) : NULL;
		auto_free char *joined = home               ? xstrdup(home)
					 : source[0] == '/' ? xstrdup(source)
							    : path_join(folder, source);
		auto_free char *clean = path_clean(joined);

		json_add_str(m, "source", clean);
	} else if (source) {
		json_add_str(m, "source", source);
	}
	json_add_str(m, "target", dst);
	if (mode && strcmp(mode, ":ro") == 0)
		json_add_bool(m, "read_only", true);
	else if (mode && strcmp(mode, ":rw") != 0 && strcmp(mode, ":z") != 0 &&
		 strcmp(mode, ":Z") != 0)
		return usage_error(err, "--volume: unknown mode '%s'", mode + 1);
	if (bind)
		json_add_bool(json_add_object(m, "bind"), "create_host_path", true);
	else
		(void)json_add_object(m, "volume");
	return 0;
}

/* "[IP:][HOST:]CONTAINER[/udp]" */
static int put_port(struct json *list, const char *spec, struct err *err)
{
	auto_free char *text = xstrdup(spec);
	char *slash = strchr(text, '/'), *target, *host = NULL, *ip = NULL;
	struct json *p;
	uint16_t port;

	if (slash)
		*slash++ = '\0';
	target = strrchr(text, ':');
	if (target) {
		*target++ = '\0';
		host = strrchr(text, ':');
		if (host) {
			*host++ = '\0';
			ip = text;
		} else {
			host = text;
		}
	} else {
		target = text;
	}
	if (parse_port(target, &port) < 0)
		return usage_error(err, "--publish needs [[IP:]HOST:]CONTAINER, not '%s'", spec);
	p = json_add_object(list, NULL);
	json_add_str(p, "mode", "ingress");
	if (ip && *ip)
		json_add_str(p, "host_ip", ip);
	json_add_int(p, "target", port);
	if (host && *host)
		json_add_str(p, "published", host);
	json_add_str(p, "protocol", slash ? slash : "tcp");
	return 0;
}

static void put_list(struct json *o, const char *key, const struct strs *more)
{
	struct json *list = more->n ? own(o, key, false) : NULL;

	for (size_t i = 0; i < more->n; i++)
		json_add_str(list, NULL, more->v[i]);
}

/* "KEY=value" of each file of --env-from-file, in order. */
static int read_env_files(struct strs *out, struct err *err)
{
	for (size_t i = 0; i < arg.env_files.n; i++) {
		auto_arena struct arena a = { 0 };
		auto_free char *text = NULL;
		struct kvs l = { 0 };
		size_t len = 0;
		int r = file_read(AT_FDCWD, arg.env_files.v[i], 1 << 20, &text, &len);

		if (r < 0)
			return err_set(err, r, "%s: %s", arg.env_files.v[i], strerror(-r));
		r = compose_dotenv(&a, arg.env_files.v[i], text, len, (const char *const *)environ,
				   &l, err);
		if (r < 0)
			return r;
		for (size_t k = 0; k < l.n; k++)
			strs_addf(out, "%s=%s", l.v[k].key, l.v[k].value ? l.v[k].value : "");
	}
	return 0;
}

/* Words as a shell splits them, without the service's command but with that of `run`. */
static int put_entrypoint(struct json *o, bool command, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct list words = { 0 };

	if (compose_words(&a, arg.entrypoint, &words) < 0)
		return usage_error(err, "--entrypoint: a quote is not closed in '%s'",
				   arg.entrypoint);
	put_words(o, "entrypoint", words.v, words.n);
	if (!command)
		json_remove(o, "command");
	return 0;
}

static int change(struct json *o, char **command, bool tty, const char *folder, struct err *err)
{
	auto_strs struct strs env = { 0 };
	size_t n = 0;
	int r;

	while (command[n])
		n++;
	if (n)
		put_words(o, "command", online_words(command), n);
	r = arg.entrypoint ? put_entrypoint(o, n > 0, err) : 0;
	if (r == 0)
		r = read_env_files(&env, err);
	for (size_t i = 0; i < arg.env.n; i++)
		strs_add(&env, arg.env.v[i]);
	put_pairs(o, "environment", &env, true);
	put_pairs(o, "labels", &arg.labels, false);
	put_str(o, "user", arg.user);
	put_str(o, "working_dir", arg.workdir);
	put_list(o, "cap_add", &arg.cap_add);
	put_list(o, "cap_drop", &arg.cap_drop);
	put_bool(o, "tty", tty);
	put_bool(o, "stdin_open", true);
	json_remove(o, "container_name");
	json_remove(o, "restart");
	json_remove(o, "healthcheck");
	if (!arg.service_ports)
		json_remove(o, "ports");
	for (size_t i = 0; r == 0 && i < arg.publish.n; i++)
		r = put_port(own(o, "ports", false), arg.publish.v[i], err);
	for (size_t i = 0; r == 0 && i < arg.volumes.n; i++)
		r = put_volume(own(o, "volumes", false), arg.volumes.v[i], folder, err);
	return r;
}

static int changed_service(struct arena *a, const struct online *o, const char *service,
			   char **command, bool tty, struct service **out, struct err *err)
{
	const struct service *svc = project_service(o->project, service);
	char *const words[] = { (char *)(uintptr_t)service, NULL };
	auto_json struct json *j = NULL;
	auto_free char *text = NULL;
	int r;

	if (!svc)
		return cmd_check_services(words, o->project, NULL, err);
	r = json_parse(svc->config_json, strlen(svc->config_json), &j, err);
	if (r == 0)
		r = change(j, command, tty, o->project->working_dir, err);
	if (r < 0)
		return r;
	text = json_print(j);
	r = compose_service_from_json(a, service, text, out, err);
	if (r == 0) {
		(*out)->config_json = arena_strdup(a, text);
		memcpy((*out)->config_hash, svc->config_hash, sizeof(svc->config_hash));
	}
	return r;
}

/* ---- Running it ------------------------------------------------------------------------------- */
static const struct state_container *find_named(const struct online *o, const char *name)
{
	for (size_t i = 0; i < o->state->containers.n; i++)
		if (strcmp(o->state->containers.v[i]->name, name) == 0)
			return o->state->containers.v[i];
	return NULL;
}

static int one_pidfd = -1;

static void pass_on(int sig)
{
	if (one_pidfd >= 0)
		(void)pidfd_kill(one_pidfd, sig);
}

static void forward_signals(struct online *o, const char *name)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	struct sigaction sa = { .sa_handler = pass_on };
	const struct state_container *c;

	if (online_refresh(o, NULL) < 0 || !(c = find_named(o, name)) || c->pid <= 0)
		return;
	one_pidfd = pidfd_open_pid(c->pid);
	for (size_t i = 0; i < ARRAY_LEN(sigs); i++)
		(void)sigaction(sigs[i], &sa, NULL);
}

static void give_lock_back(struct online *o)
{
	auto_close_fn(&o->lock);
	o->lock = -1;
}

static int with_terminal(struct online *o, const char *name, int *code, struct err *err)
{
	struct daemon_run dr = { .name = name, .tty = true, .fds = { -1, -1, -1 } };
	struct tty_relay relay = { .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO };
	auto_close int master = -1;
	int r = daemon_run_start(o->client, &dr, &master, err);

	if (r < 0)
		return r;
	give_lock_back(o);
	relay.master_fd = master;
	relay.done_fd = daemon_fd(o->client);
	relay.detach_keys = "\x10\x11"; /* Ctrl-P Ctrl-Q */
	r = tty_relay(&relay, err);
	if (r < 0 && r != -EINTR)
		return r;
	if (relay.detached) {
		*code = -1;
		return 0;
	}
	if (r == -EINTR) {
		forward_signals(o, name);
		pass_on(relay.signal);
	}
	return daemon_run_wait(o->client, code, err);
}

static int with_pipes(struct online *o, const char *name, int *code, struct err *err)
{
	struct daemon_run dr = { .name = name };
	auto_pipes struct pipes p;
	int master = -1, r = pipes_open(&p, err);

	if (r == 0) {
		memcpy(dr.fds, p.theirs, sizeof(dr.fds));
		r = daemon_run_start(o->client, &dr, &master, err);
	}
	if (r < 0)
		return r;
	pipes_started(&p);
	give_lock_back(o);
	forward_signals(o, name);
	r = pipes_run(&p, daemon_fd(o->client), err);
	return r < 0 ? r : daemon_run_wait(o->client, code, err);
}

static int remove_it(struct online *o, const char *name, struct err *err)
{
	auto_plan struct plan *plan = NULL;
	const struct state_container *c;
	int r = o->lock >= 0 ? 0 : state_lock(&o->paths, o->name, UINT64_MAX, &o->lock, err);

	if (r == 0)
		r = online_refresh(o, err);
	c = r == 0 ? find_named(o, name) : NULL;
	if (!c)
		return r;
	plan_remove_one(o->state, c, &plan);
	return daemon_apply(o->client, plan, NULL, NULL, NULL, err);
}

/* Volumes of -v that the file does not have: by the name they were given. */
static size_t extra_volumes(struct arena *a, const struct online *o, const struct service *svc,
			    struct volume **out)
{
	size_t n = 0;

	*out = arena_array(a, svc->n_mounts + 1, sizeof(**out));
	for (size_t i = 0; i < svc->n_mounts; i++) {
		const struct service_mount *m = &svc->mounts[i];

		if (m->kind == MOUNT_VOLUME && m->source && !project_volume(o->project, m->source))
			(*out)[n++] = (struct volume){ .key = m->source,
						       .name = m->source,
						       .driver = "local" };
	}
	return n;
}

static int print_id(struct online *o, const char *name, struct err *err)
{
	auto_sbuf struct sbuf out = SBUF_INIT;
	const struct state_container *c;
	int r = online_refresh(o, err);

	c = r == 0 ? find_named(o, name) : NULL;
	sbuf_addf(&out, "%s\n", c ? c->id : name); /* it may have ended and be gone */
	return r < 0 ? r : cmd_print(&out, err);
}

static int run_it(struct online *o, char **argv, bool tty, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_plan struct plan *plan = NULL;
	struct plan_options po = { .no_deps = arg.no_deps,
				   .grace_us = -1,
				   .no_recreate = true,
				   .use_aliases = arg.use_aliases };
	struct service *svc = NULL;
	struct volume *extra = NULL;
	const char *name = arg.name;
	char id[13];
	size_t n_extra;
	int code = 0, r = changed_service(&a, o, argv[0], argv + 1, tty, &svc, err);

	if (r < 0)
		return r;
	id_random_hex(id, 12);
	if (!name)
		name = arena_printf(&a, o->project->underscores ? "%s_%s_run_%s" : "%s-%s-run-%s",
				    o->name, argv[0], id);
	if (find_named(o, name))
		return err_set(err, EEXIST, "container name %s is in use", name);
	n_extra = extra_volumes(&a, o, svc, &extra);
	r = plan_run(o->project, o->state, &po, svc, name, arg.detach, extra, n_extra, &plan, err);
	if (r == 0)
		r = online_apply(o, plan, "Running", err);
	if (r < 0 || global.dry_run)
		return r;
	if (arg.detach)
		return print_id(o, name, err);
	r = tty ? with_terminal(o, name, &code, err) : with_pipes(o, name, &code, err);
	if (r < 0 && r != -EINTR) {
		cmd_print_error(err);
		err_clear(err);
		r = daemon_run_wait(o->client, &code, err);
		if (r == 0 && code == 0)
			code = EXIT_FAILED; /* it never ran */
	}
	if (code == -1)
		return 0; /* detached from: it goes on */
	if (r == 0 && arg.rm)
		r = remove_it(o, name, err);
	return r < 0 ? r : code;
}

/* Containers of services that the file does not have. */
static int remove_orphans(struct online *o, struct err *err)
{
	static const enum plan_verb verbs[] = { PLAN_VERB_STOP, PLAN_VERB_RM };
	auto_strs struct strs names = { 0 };
	struct plan_options po = { .grace_us = -1 };
	int r = 0;

	for (size_t i = 0; i < o->state->containers.n; i++) {
		const struct state_container *c = o->state->containers.v[i];

		if (!c->oneoff && !project_service(o->project, c->service) &&
		    !strs_has(&names, c->service))
			strs_add(&names, c->service);
	}
	strs_add(&names, "");
	free(names.v[--names.n]);
	names.v[names.n] = NULL;
	po.services = (const char *const *)(uintptr_t)names.v;
	for (size_t i = 0; r == 0 && names.n && i < ARRAY_LEN(verbs); i++) {
		auto_plan struct plan *plan = NULL;

		r = plan_verb(verbs[i], o->project, o->state, &po, &plan, err);
		if (r == 0)
			r = online_apply(o, plan, "Running", err);
		if (r == 0)
			r = online_refresh(o, err);
	}
	return r;
}

static int run(int argc, char **argv, struct err *err)
{
	auto_online struct online o = ONLINE_INIT;
	char *words[] = { argv[0], NULL };
	struct cmd_load how = { .services = words };
	bool tty = !arg.no_tty && !arg.detach &&
		   (arg.tty || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)));
	int r;

	(void)argc;
	if (arg.quiet)
		global.progress = "quiet";
	r = online_open_file(&o, &how, err);
	if (r == 0 && !arg.interactive)
		r = no_input(err);
	if (r == 0 && arg.orphans)
		r = remove_orphans(&o, err);
	if (r == 0)
		r = pull_check_policy(arg.pull, err);
	if (r == 0)
		r = pull_for_up(&o, words, arg.pull, arg.quiet || arg.quiet_pull, err);
	if (r == 0)
		r = build_for_up(&o, words, arg.build, false, arg.quiet_build, err);
	if (r == 0)
		r = run_it(&o, argv, tty, err);
	strs_clear(&arg.env);
	strs_clear(&arg.env_files);
	strs_clear(&arg.labels);
	strs_clear(&arg.volumes);
	strs_clear(&arg.publish);
	strs_clear(&arg.cap_add);
	strs_clear(&arg.cap_drop);
	return r;
}

const struct cmd cmd_run = {
	.name = "run",
	.summary = "Run one command in a container of its own",
	.operands = "SERVICE [COMMAND] [ARG...]",
	.min_operands = 1,
	.max_operands = -1,
	.operands_end_options = true,
	CMD_OPTS(opts),
	.run = run,
};
