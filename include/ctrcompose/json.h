/* json.h - JSON values (RFC 8259) for records, requests, image manifests and output.
 *
 * Floor 1. The only place that sees cJSON. A value owns everything below it; json_free() releases
 * the tree. What a getter returns belongs to the tree. Getters take NULL and missing or wrongly
 * typed members as "not there" and give the default.
 */
#ifndef CTRCOMPOSE_JSON_H
#define CTRCOMPOSE_JSON_H

#include <ctrcompose/base.h>

struct json;

#define JSON_SIZE_MAX  (64U << 20) /* bytes of text that json_parse() takes */
#define JSON_DEPTH_MAX 128

/* The whole text must be one value; duplicate keys keep the first. -EBADMSG: not JSON; -E2BIG: too
 * long or too deep. A NUL byte in the text is refused. */
int json_parse(const char *text, size_t len, struct json **out, struct err *err);
void json_free(struct json *j); /* NULL is fine */
void auto_json_fn(struct json **j);
#define auto_json __attribute__((cleanup(auto_json_fn)))

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
enum json_kind json_kind(const struct json *j); /* NULL counts as JSON_NULL */

/* ---- Reading --------------------------------------------------------------------------------- */
const struct json *json_get(const struct json *object, const char *key); /* or NULL */
const char *json_str(const struct json *object, const char *key, const char *otherwise);
int64_t json_int(const struct json *object, const char *key, int64_t otherwise); /* integers only */
bool json_bool(const struct json *object, const char *key, bool otherwise);
double json_double(const struct json *object, const char *key, double otherwise);
/* Children of an array or object in order: for (c = json_first(j); c; c = json_next(c)). */
const struct json *json_first(const struct json *j);
const struct json *json_next(const struct json *child);
const char *json_key(const struct json *child); /* of an object's member, else NULL */
size_t json_count(const struct json *j);
/* The value itself. NULL / otherwise when it is of another kind. */
const char *json_string(const struct json *j);
int64_t json_integer(const struct json *j, int64_t otherwise);

/* ---- Building -------------------------------------------------------------------------------- */
struct json *json_object(void);
struct json *json_array(void);
struct json *json_new_string(const char *s);
/* The parent takes the child over. In an array the key is NULL. */
void json_add(struct json *parent, const char *key, struct json *child);
struct json *json_add_object(struct json *parent, const char *key);
struct json *json_add_array(struct json *parent, const char *key);
void json_add_str(struct json *parent, const char *key, const char *s); /* NULL: null */
void json_add_int(struct json *parent, const char *key, int64_t v);     /* all 64 bits are kept */
void json_add_bool(struct json *parent, const char *key, bool v);
void json_add_null(struct json *parent, const char *key);
struct json *json_at(struct json *object, const char *key); /* to be changed; or NULL */
void json_remove(struct json *object, const char *key);     /* missing is fine */
struct json *json_copy(const struct json *j);

/* Text without blanks, or indented; the caller frees. */
char *json_print(const struct json *j);
char *json_print_pretty(const struct json *j);
/* Append s as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void json_quote(struct sbuf *out, const char *s);

#endif
