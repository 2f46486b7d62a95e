/* yaml.h - a YAML text as a tree that knows where each value stood.
 *
 * Wraps libyaml; also the tree that the compose loader works on, so it can be changed and built.
 * Every node lives in the arena given by the caller and shares strings with it. A tree is bounded
 * while it is read: YAML_DEPTH_MAX levels, YAML_NODES_MAX nodes that somebody wrote and
 * YAML_ALIASED_MAX that aliases stand for.
 *
 * Plain scalars are read as Compose files expect: yes/no/on/off are strings, 017 and 0o17 are octal,
 * 1_000 is 1000, a date is the text "2020-01-01 00:00:00 +0000 UTC". Merge keys (<<) are applied.
 * Duplicate keys, keys that are no strings, unknown aliases and tabs as indent are errors.
 */
#ifndef CTRCOMPOSE_YAML_H
#define CTRCOMPOSE_YAML_H

#include <ctrcompose/base.h>

#define YAML_DEPTH_MAX   100
#define YAML_NODES_MAX   150000 /* 24,000 ports in full, and what is around them */
#define YAML_ALIASED_MAX 100000
#define YAML_SCALAR_MAX  (4 << 20) /* bytes */

enum yaml_type { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_STR, YAML_LIST, YAML_MAP };
enum yaml_mark { YAML_PLAIN, YAML_RESET, YAML_OVERRIDE }; /* the tags !reset and !override */

struct yaml_node {
	enum yaml_type type;
	enum yaml_mark mark;
	const char *file;   /* as given to yaml_parse(), NULL for nodes nobody wrote */
	unsigned line, col; /* from 1; 0 = unknown */
	union {
		bool b;
		int64_t i;
		double f;
		const char *s;
		struct { /* list: items; map: pairs, keys unique, in the order of the file */
			struct yaml_pair *v;
			size_t n, cap;
		} m;
	};
};

struct yaml_pair {
	const char *key; /* NULL in lists */
	unsigned line, col;
	struct yaml_node *value;
};

struct yaml_docs {
	struct yaml_node **v; /* one root per document; NULL = an empty document */
	size_t n, cap;
};

/* -EINVAL: not YAML (the text says file:line:col); -E2BIG: a bound was passed. docs->v is in the
 * arena. `text` need not outlive the call. */
int yaml_parse(struct arena *a, const char *file, const char *text, size_t len,
	       struct yaml_docs *docs, struct err *err);

/* ---- Reading */
const char *yaml_type_name(enum yaml_type t); /* "a string", "a mapping", ... */
struct yaml_node *yaml_get(const struct yaml_node *map,
			   const char *key); /* NULL: not there, no map */
struct yaml_pair *yaml_pair_of(const struct yaml_node *map, const char *key);
const char *yaml_str(const struct yaml_node *n); /* the string, NULL for all other types */
/* The string at a key of a map; NULL as well where it is empty or the key isn't there. */
const char *yaml_str_at(const struct yaml_node *map, const char *key);
bool yaml_equal(const struct yaml_node *a, const struct yaml_node *b); /* maps in any order */
bool yaml_is_scalar(const struct yaml_node *n);
/* A scalar as text, numbers as Go prints them ("1.5", "1000"); "" for null, NULL for list and map. */
const char *yaml_text(struct arena *a, const struct yaml_node *n);
#define YAML_FLOAT_LEN 40
void yaml_float_text(double f, char out[YAML_FLOAT_LEN]); /* shortest that reads back */

/* ---- Building; `at` (may be NULL) gives the new node its position */
struct yaml_node *yaml_new(struct arena *a, enum yaml_type type, const struct yaml_node *at);
struct yaml_node *yaml_new_str(struct arena *a, const char *s, const struct yaml_node *at);
struct yaml_node *yaml_new_int(struct arena *a, int64_t i, const struct yaml_node *at);
struct yaml_node *yaml_new_bool(struct arena *a, bool b, const struct yaml_node *at);
struct yaml_node *yaml_new_float(struct arena *a, double f, const struct yaml_node *at);
struct yaml_node *yaml_copy(struct arena *a, const struct yaml_node *n);
void yaml_put(struct arena *a, struct yaml_node *map, const char *key, struct yaml_node *value);
void yaml_add(struct arena *a, struct yaml_node *list, struct yaml_node *value);
bool yaml_remove(struct yaml_node *map, const char *key);
void yaml_remove_at(struct yaml_node *n, size_t i);
void yaml_sort(struct yaml_node *n); /* keys of all maps below, byte order; lists stay */

/* ---- Writing. With double_dollar every $ in a value becomes $$, as `config` prints it. */
int yaml_print(const struct yaml_node *n, bool double_dollar, struct sbuf *out, struct err *err);
/* indent 0: one line without blanks; else that many blanks per level, and a newline at the end. */
void yaml_print_json(const struct yaml_node *n, bool double_dollar, unsigned indent,
		     struct sbuf *out);

#endif
