/* compose.h - loads a project: (files, environment, profiles) -> typed project, or what is wrong.
 *
 * Pure: it reads files and its arguments, never the process environment, never a container.
 *
 * Steps: find files, .env, then per file: YAML, interpolate, check and bring every value into its
 * canonical form (long syntax) by the table of keys in pkg/compose/keys*.c, extends, include,
 * merge; then defaults, consistency, and the typed structs of model.h. The canonical tree is kept
 * in project->tree: `config` prints it whole, whatever the runtime can carry out.
 */
#ifndef CTRCOMPOSE_COMPOSE_H
#define CTRCOMPOSE_COMPOSE_H

#include <ctrcompose/cdi.h>
#include <ctrcompose/model.h>

struct compose_options {
	struct list
		files; /* -f, in order, "-" = standard input; empty: COMPOSE_FILE, else default names */
	struct list env_files; /* --env-file; empty: COMPOSE_ENV_FILES, else .env of the project */
	struct list profiles;  /* --profile; empty: COMPOSE_PROFILES; "*" = all */
	struct list services;  /* named on the command line: enabled in spite of their profiles */
	const char *project_dir;    /* --project-directory or NULL */
	const char *project_name;   /* -p or NULL */
	const char *cwd;            /* NULL = the current folder */
	const char *const *environ; /* "KEY=value"..., NULL at the end; may be NULL */
	bool no_interpolate;        /* $ stays as it is */
	bool no_path_resolution;    /* relative paths stay */
	bool no_env_resolution;     /* env_file stays */
	bool no_consistency;        /* no checks across sections */
	bool no_normalize;          /* no defaults and names */
	bool no_env_file;           /* do not read .env (COMPOSE_DISABLE_ENV_FILE does the same) */
	bool all_resources;         /* keep networks, volumes, ... that no enabled service uses */
	bool no_identity; /* services get no config_json and config_hash: nothing is made of them */
	bool compatibility; /* names with _; COMPOSE_COMPATIBILITY does the same */
	bool only_services; /* with `services`: drop all but those and what they depend on */
};

/* Warnings, in order, each one sentence without newline: to be printed on standard error. */
struct compose_diags {
	struct strs warnings;
};
void compose_diags_clear(struct compose_diags *d);
#define auto_diags __attribute__((cleanup(compose_diags_clear)))

/*
 * Errors: -ENOENT no compose file, or a named one is missing (exit code 14); -EINVAL the files are
 * not valid (exit code 15; the text names file:line:col and the full key; with several problems it
 * has one per line); others: reading failed. diags may be NULL. project_free() releases *out.
 */
int compose_load(const struct compose_options *opt, struct project **out,
		 struct compose_diags *diags, struct err *err);

/* Only the project's name (for commands that need no file): -p, COMPOSE_PROJECT_NAME, the file's
 * `name:`, the folder. -ENOENT when that needs a file and there is none. Caller frees *name. */
int compose_project_name(const struct compose_options *opt, char **name, struct err *err);

/* Everything the enabled part of the project asks for that the runtime does not do yet: -ENOTSUP
 * with file:line:col and key, one per line. Call before `up`, `run`, `create`. */
int compose_check_supported(const struct project *p, struct err *err);

/* What the enabled part asks for that this machine does not have, as compose_check_supported() has
 * it: AppArmor profiles; devices by name; parents of control groups; SELinux labels, which do no harm
 * where it is off. */
struct compose_host {
	/* NULL: SELinux is off. Whether a service can have these values of label=, and whether a folder
	 * of the host can be given a label. */
	int (*label)(const char *const *options, size_t n, bool no_new_privs, struct err *err);
	int (*relabel)(const char *path, struct err *err);
	int (*apparmor)(const char *profile, struct err *err); /* whether it can be taken */
	const struct cdi *(*cdi)(void); /* its specs; only called when somebody asks for a device */
	int (*cgroup_parent)(const char *name, struct err *err); /* whether it is a place here */
};
int compose_check_host(const struct project *p, const struct compose_host *host, struct err *err);

/* The request in the words of cdi.h; borrows. */
struct cdi_request compose_cdi_request(const struct service_request *r);

/* What the loaded files say of a service under a key: NULL is nothing. */
struct yaml_node;
const struct yaml_node *compose_section(const struct project *p, const char *service,
					const char *key);

/* The canonical tree, `config`. $ is doubled unless loaded with no_interpolate. */
int compose_print_yaml(const struct project *p, struct sbuf *out, struct err *err);
void compose_print_json(const struct project *p, struct sbuf *out);
enum compose_list {
	COMPOSE_SERVICES,
	COMPOSE_VOLUMES,
	COMPOSE_NETWORKS,
	COMPOSE_PROFILES,
	COMPOSE_IMAGES,
	COMPOSE_MODELS
};
/* `config --services` and the like: names, sorted. */
void compose_names(const struct project *p, enum compose_list which, struct strs *out);
/* `config --variables`: one "NAME\trequired\tdefault\talternate" per variable named in the files. */
int compose_variables(const struct compose_options *opt, struct strs *out, struct err *err);
/* `config --environment`: "KEY=value" of what interpolation sees, sorted. */
int compose_environment(const struct compose_options *opt, struct strs *out, struct err *err);

/* The service whose canonical JSON (service->config_json) was stored when its container was made. */
int compose_service_from_json(struct arena *a, const char *name, const char *json,
			      struct service **out, struct err *err);

/* The table of supported keys as Markdown: docs/COMPOSE_SUPPORT.md. */
void compose_support_page(struct sbuf *out);
/* The same table as a JSON Schema: `config --schema`. */
void compose_schema(struct sbuf *out);

/* A line of `--env-file` of `run` and of a test: parses the text of one .env file. lookup may see
 * what was read so far. Values are put into *out (order of the file, later ones replace). */
int compose_dotenv(struct arena *a, const char *file, const char *text, size_t len,
		   const char *const *environ, struct kvs *out, struct err *err);
/* A command line in words, as `command:` of a file is split. 1: a ; & | < or > ended it, and what
 * follows is left out. -EINVAL: a quote is not closed. */
int compose_words(struct arena *a, const char *text, struct list *out);

/* -ENOENT and one sentence for a service that there is none of: with the one that is meant, if it looks
 * like one of those that are known, else with all of them. */
int compose_no_service(const char *name, const struct strs *known, struct err *err);

#endif
