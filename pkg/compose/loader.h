/* loader.h - shared inside pkg/compose: the table of keys and the steps that walk a tree by it. */
#ifndef COMPOSE_LOADER_H
#define COMPOSE_LOADER_H

#include <ctrcompose/compose.h>
#include <ctrcompose/yaml.h>

/* ---- Environment: what interpolation sees, and what .env adds */
struct env {
	const struct env *outer; /* asked first; it wins */
	struct map vars;         /* name -> const char * */
};
const char *env_get(const struct env *e, const char *name); /* NULL: unset */
void env_from_environ(struct env *e, const char *const *environ);
void env_from_kvs(struct env *e, const struct kvs *kvs);

/* ---- One load */
struct load {
	struct arena *a;
	const struct compose_options *opt;
	struct compose_diags *diags;
	const char *cwd;
	const char *home; /* HOME, or NULL */
	const char *dir;  /* the project's folder */
	const char *name; /* the project's name, once it is known */
	const struct env *env;
	struct sbuf problems; /* one per line */
	size_t n_problems;
	size_t ports;      /* that short forms stood for */
	struct map warned; /* variables already warned about */
};

/* Where in the tree a walk stands, for the key's full name. */
struct at {
	const struct at *up;
	const char *key; /* NULL: item `index` of a list */
	size_t index;
};
char *at_name(struct arena *a, const struct at *at); /* services.web.ports[0] */

/* Note a problem and go on; load_check() turns all that were noted into the error. */
void problem(struct load *l, const struct yaml_node *n, const struct at *at, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
void warning(struct load *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
int load_check(struct load *l, struct err *err);

/* ---- The table of keys */
#define T(type)  (1U << (type))
#define T_NULL   T(YAML_NULL)
#define T_BOOL   T(YAML_BOOL)
#define T_INT    T(YAML_INT)
#define T_NUM    (T(YAML_INT) | T(YAML_FLOAT))
#define T_STR    T(YAML_STR)
#define T_LIST   T(YAML_LIST)
#define T_MAP    T(YAML_MAP)
#define T_SCALAR (T_NULL | T_BOOL | T_NUM | T_STR)
#define T_ANY    (T_SCALAR | T_LIST | T_MAP)

enum cast { /* the canonical form of a scalar */
	    AS_IS,
	    AS_STR,
	    AS_BOOL,
	    AS_INT,
	    AS_FLOAT,
	    AS_BYTES,    /* decimal string */
	    AS_DURATION, /* "1m30s" */
	    AS_MODE,     /* "0440" */
};

enum merge { /* two lists: later one ... */
	     MERGE_APPEND,
	     MERGE_REPLACE,
	     MERGE_NULL, /* null replaces as well */
	     MERGE_BY_ID, /* append, an item of the same ident() takes the place of the earlier one */
};

enum zero {                /* false, 0, "" and what is empty ... */
	    ZERO_DROPPED,  /* says no more than nothing */
	    ZERO_KEPT,     /* says more */
	    ZERO_NOT_JSON, /* isn't the default either: YAML says it, Compose's JSON doesn't */
};

enum support {
	RUNS,    /* the runtime carries it out */
	LOADS,   /* the loader is done with it */
	IGNORED, /* accepted, has no meaning or effect on one host */
	NOT_YET, /* `up` refuses it */
};

struct key;
struct shape {
	const char *expects; /* for the message; NULL: made from types */
	unsigned types;
	enum cast cast;
	enum merge merge;
	enum zero zero;
	bool unique;                 /* a duplicate in the list is an error */
	const struct key *keys;      /* of a mapping with known keys, ends with name NULL */
	const struct shape *value;   /* of a mapping with free keys */
	const struct shape *item;    /* of a list */
	const char *const *required; /* keys, NULL at the end; checked when all files are merged */
	const char *const *words;    /* the only strings allowed, NULL at the end */
	bool (*name_ok)(const char *); /* free keys */
	/* What is wrong with a value of the right type, NULL when nothing. */
	const char *(*check)(struct load *l, const struct yaml_node *n);
	/* Short to long syntax: the node to use instead; NULL after problem(). */
	struct yaml_node *(*canon)(struct load *l, const struct at *at, struct yaml_node *n);
	const char *(*ident)(struct arena *a, const struct yaml_node *item);
	/* Takes over the merge of two canonical values. */
	struct yaml_node *(*merged)(struct load *l, const struct at *at, struct yaml_node *left,
				    struct yaml_node *right);
};

struct decode {
	struct arena *a;
	const struct yaml_node *tree; /* of the project, NULL when a service stands alone */
	const struct env *env;        /* for secrets of the environment; with tree only */
	const char *dir;              /* the project's working directory; with tree only */
	bool identify;                /* services get config_json and config_hash */
};
typedef void decode_fn(struct decode *d, const struct yaml_node *v, void *field);

struct key {
	const char *name;
	const struct shape *shape;
	enum support support;
	const char *note;  /* for the table of support */
	decode_fn *decode; /* NULL: nothing to put into the struct */
	size_t offset;     /* of the field in its struct */
	/* Why this value of a key that RUNS is not carried out yet, NULL: it is. */
	const char *(*refuse)(const struct yaml_node *v);
};

extern const struct shape shape_project, shape_service, shape_network, shape_volume;
extern const struct key service_keys[], network_keys[], volume_keys[], project_keys[];
extern const struct key healthcheck_keys[], deploy_keys[], build_keys[], mount_keys[], port_keys[],
	service_network_keys[], depends_keys[];
extern const struct key limit_keys[], reservation_keys[], resource_keys[], policy_keys[],
	hook_keys[], request_keys[];
extern const struct shape shape_any;

bool is_extension(const char *key); /* x-... */
/* The shape of a key in a mapping of this shape; NULL: unknown. */
const struct shape *shape_child(const struct shape *s, const char *key);

/* ---- Steps */
struct yaml_path { /* of a key marked !reset or !override */
	const char *const *keys;
	size_t n;
};
struct yaml_paths {
	struct yaml_path *v;
	size_t n, cap;
};
void marks_collect(struct load *l, struct yaml_node *root, struct yaml_paths *out);
/* Take the marked keys out of `root`; with a service, only what lies below services.<service>,
 * which root then is. */
void marks_apply(const struct yaml_paths *paths, struct yaml_node *root, const char *service);

void interpolate_tree(struct load *l, const struct env *env, struct yaml_node *root,
		      const struct shape *shape);
void check_tree(struct load *l, const struct yaml_node *root, const struct shape *shape);
void check_required(struct load *l, const struct yaml_node *root, const struct shape *shape);
struct yaml_node *canon_tree(struct load *l, struct yaml_node *n, const struct shape *shape,
			     const struct at *at);
struct yaml_node *merge_tree(struct load *l, struct yaml_node *left, struct yaml_node *right,
			     const struct shape *shape, const struct at *at);
/* Items of the same identity in one list: the later one, at the place of the earlier. */
void list_unify(struct load *l, struct yaml_node *list, const struct shape *shape);

/* One file (all its documents) to a canonical tree merged into *tree, which may be NULL. */
struct source {
	const char *path; /* absolute; "-" = standard input */
	const char *shown;
	const char *text; /* NULL: not read yet */
	size_t len;
	struct yaml_docs docs; /* parsed for a look into it; whoever loads them takes them */
};
int load_source(struct load *l, struct source *src, struct err *err);
int load_documents(struct load *l, struct source *src, struct yaml_docs *docs, struct err *err);
struct included {
	const struct included *up;
	const char *path;
};
int load_files(struct load *l, struct source *files, size_t n, const struct included *up,
	       struct yaml_node **tree, struct err *err);
int include_apply(struct load *l, struct yaml_node *cfg, const struct yaml_paths *marks,
		  const struct included *up, struct err *err);
int extends_apply(struct load *l, struct yaml_node *cfg, const struct source *src,
		  const struct yaml_paths *marks, struct err *err);
void consistency_check(struct load *l, struct yaml_node *tree, const struct yaml_node *disabled);
void normalize_tree(struct load *l, struct yaml_node *tree);
int resolve_env_files(struct load *l, struct yaml_node *tree, struct err *err);
void resolve_environment(struct load *l, struct yaml_node *tree);
int profiles_apply(struct load *l, struct yaml_node *tree, struct yaml_node **disabled,
		   struct err *err);
/* Whether the value is the zero of its kind: false, 0, "", an empty list or mapping. */
bool is_zero(const struct yaml_node *n, const struct shape *shape);
/* Take out the zeros that say no more than their absence. */
void prune_tree(struct load *l, struct yaml_node *n, const struct shape *shape);
void drop_unused(struct load *l, struct yaml_node *tree);
void decode_project(struct load *l, struct project *p, const struct yaml_node *disabled);

/* ---- Pieces */
/* Substitute the variables of one string: NULL after an error, which *why then names. */
struct subst {
	struct arena *a;
	const struct env *env;
	const char *(*lookup)(void *arg, const char *name);
	void *arg;
	void (*unset)(void *arg, const char *name); /* plain variable without a value */
	bool literal_dollars;
};
const char *substitute(struct subst *s, const char *text, char **why);
/* Called for every variable of `text`. */
typedef void variable_fn(void *arg, const char *name, const char *op, const char *word);
void variables_of(struct arena *a, const char *text, variable_fn *fn, void *arg);

/* Words as a shell without expansions reads them; -EINVAL: a quote is not closed. */
int split_words(struct arena *a, const char *text, struct list *out);

char *path_absolute(struct load *l, const char *path); /* ~ and relative ones */
char *path_resolve(struct load *l, const char *path);  /* unchanged with no_path_resolution */
bool path_is_remote(const char *path); /* a URL or git reference of a build context */

int bytes_of(const char *text, int64_t *out); /* "64m", "-1" */
int duration_of(const char *text, int64_t *ns);
const char *duration_text(struct arena *a, int64_t ns); /* "1m30s" */
bool bool_of(const char *text, bool *out);

bool service_name_ok(const char *name);
bool project_name_ok(const char *name);
char *project_name_from(struct arena *a, const char *text); /* normalised; may be "" */

int dotenv_parse(struct arena *a, const char *file, const char *text, size_t len, bool raw,
		 const struct env *env, struct kvs *out, struct err *err);
int dotenv_read(struct load *l, const char *path, bool raw, const struct env *env, struct kvs *out,
		struct err *err);
/* kvs_put() replaces an earlier value of the key; kvs_append() does not look. */
void kvs_append(struct arena *a, struct kvs *l, size_t *cap, const char *key, const char *value);
void kvs_put(struct arena *a, struct kvs *l, size_t *cap, const char *key, const char *value);

#endif
