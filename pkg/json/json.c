/* json.c - cJSON behind our own names; see json.h */
#include <ctrcompose/json.h>

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* struct json is never completed: a value is a cJSON item under another name. */
static cJSON *item(struct json *j)
{
	return (cJSON *)(void *)j;
}

static const cJSON *citem(const struct json *j)
{
	return (const cJSON *)(const void *)j;
}

static struct json *json(cJSON *c)
{
	if (!c)
		abort(); /* only when memory is out */
	return (struct json *)(void *)c;
}

/* cJSON's own bound on nesting is generous and fixed at its build; ours comes first. */
static bool too_deep(const char *s, size_t len)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				quoted = false;
		} else if (s[i] == '"') {
			quoted = true;
		} else if (s[i] == '{' || s[i] == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return true;
		} else if ((s[i] == '}' || s[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

int json_parse(const char *text, size_t len, struct json **out, struct err *err)
{
	const char *end = NULL;
	cJSON *c;

	if (len > JSON_SIZE_MAX)
		return err_set(err, E2BIG, "the JSON text is longer than %u bytes", JSON_SIZE_MAX);
	if (too_deep(text, len))
		return err_set(err, E2BIG, "the JSON text is nested deeper than %d",
			       JSON_DEPTH_MAX);
	if (memchr(text, '\0', len))
		return err_set(err, EBADMSG, "the JSON text holds a NUL byte");
	c = cJSON_ParseWithLengthOpts(text, len, &end, false);
	if (!c)
		return err_set(err, EBADMSG, "not valid JSON at byte %zu",
			       end ? (size_t)(end - text) : (size_t)0);
	while (end < text + len && strchr(" \t\r\n", *end))
		end++;
	if (end != text + len) {
		cJSON_Delete(c);
		return err_set(err, EBADMSG, "there is more after the JSON value at byte %zu",
			       (size_t)(end - text));
	}
	*out = json(c);
	return 0;
}

void json_free(struct json *j)
{
	cJSON_Delete(item(j));
}

void auto_json_fn(struct json **j)
{
	json_free(*j);
}

enum json_kind json_kind(const struct json *j)
{
	const cJSON *c = citem(j);

	if (!c || cJSON_IsNull(c))
		return JSON_NULL;
	if (cJSON_IsBool(c))
		return JSON_BOOL;
	if (cJSON_IsNumber(c) || cJSON_IsRaw(c))
		return JSON_NUMBER;
	if (cJSON_IsString(c))
		return JSON_STRING;
	return cJSON_IsArray(c) ? JSON_ARRAY : JSON_OBJECT;
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!object || !cJSON_IsObject(citem(object)))
		return NULL;
	return (const struct json *)(const void *)cJSON_GetObjectItemCaseSensitive(citem(object),
										   key);
}

struct json *json_at(struct json *object, const char *key)
{
	return (struct json *)(uintptr_t)json_get(object, key);
}

const char *json_string(const struct json *j)
{
	return j && cJSON_IsString(citem(j)) ? citem(j)->valuestring : NULL;
}

int64_t json_integer(const struct json *j, int64_t otherwise)
{
	const cJSON *c = citem(j);
	double v;

	if (!c || !cJSON_IsNumber(c))
		return otherwise;
	v = c->valuedouble;
	if (isnan(v) || v < -9007199254740992.0 || v > 9007199254740992.0 || v != floor(v))
		return otherwise;
	return (int64_t)v;
}

const char *json_str(const struct json *object, const char *key, const char *otherwise)
{
	const char *s = json_string(json_get(object, key));

	return s ? s : otherwise;
}

int64_t json_int(const struct json *object, const char *key, int64_t otherwise)
{
	return json_integer(json_get(object, key), otherwise);
}

bool json_bool(const struct json *object, const char *key, bool otherwise)
{
	const struct json *j = json_get(object, key);

	return j && cJSON_IsBool(citem(j)) ? cJSON_IsTrue(citem(j)) : otherwise;
}

double json_double(const struct json *object, const char *key, double otherwise)
{
	const struct json *j = json_get(object, key);

	return j && cJSON_IsNumber(citem(j)) ? citem(j)->valuedouble : otherwise;
}

const struct json *json_first(const struct json *j)
{
	const cJSON *c = citem(j);

	if (!c || !(cJSON_IsArray(c) || cJSON_IsObject(c)))
		return NULL;
	return (const struct json *)(const void *)c->child;
}

const struct json *json_next(const struct json *child)
{
	return (const struct json *)(const void *)citem(child)->next;
}

const char *json_key(const struct json *child)
{
	return child ? citem(child)->string : NULL;
}

size_t json_count(const struct json *j)
{
	return j ? (size_t)cJSON_GetArraySize(citem(j)) : 0;
}

struct json *json_object(void)
{
	return json(cJSON_CreateObject());
}

struct json *json_array(void)
{
	return json(cJSON_CreateArray());
}

struct json *json_new_string(const char *s)
{
	return json(s ? cJSON_CreateString(s) : cJSON_CreateNull());
}

void json_add(struct json *parent, const char *key, struct json *child)
{
	bool ok = key ? cJSON_AddItemToObject(item(parent), key, item(child))
		      : cJSON_AddItemToArray(item(parent), item(child));

	if (!ok)
		abort();
}

struct json *json_add_object(struct json *parent, const char *key)
{
	struct json *j = json_object();

	json_add(parent, key, j);
	return j;
}

struct json *json_add_array(struct json *parent, const char *key)
{
	struct json *j = json_array();

	json_add(parent, key, j);
	return j;
}

void json_add_str(struct json *parent, const char *key, const char *s)
{
	json_add(parent, key, json_new_string(s));
}

void json_add_int(struct json *parent, const char *key, int64_t v)
{
	char digits[24];

	/* A double holds 53 bits: larger ones go in as text that prints as a number. */
	if (v >= -9007199254740992 && v <= 9007199254740992) {
		json_add(parent, key, json(cJSON_CreateNumber((double)v)));
		return;
	}
	(void)snprintf(digits, sizeof(digits), "%" PRId64, v);
	json_add(parent, key, json(cJSON_CreateRaw(digits)));
}

void json_add_bool(struct json *parent, const char *key, bool v)
{
	json_add(parent, key, json(cJSON_CreateBool(v)));
}

void json_add_null(struct json *parent, const char *key)
{
	json_add(parent, key, json(cJSON_CreateNull()));
}

void json_remove(struct json *object, const char *key)
{
	cJSON_DeleteItemFromObjectCaseSensitive((cJSON *)object, key);
}

struct json *json_copy(const struct json *j)
{
	return json(cJSON_Duplicate(citem(j), true));
}

static char *checked(char *text)
{
	if (!text)
		abort();
	return text;
}

char *json_print(const struct json *j)
{
	return checked(cJSON_PrintUnformatted(citem(j)));
}

char *json_print_pretty(const struct json *j)
{
	return checked(cJSON_Print(citem(j)));
}

/* Length of the UTF-8 sequence at s, 0 if it is none. */
static size_t utf8_len(const unsigned char *s)
{
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void json_quote(struct sbuf *out, const char *s)
{
	static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	const unsigned char *p = (const unsigned char *)s;

	sbuf_addc(out, '"');
	while (*p) {
		size_t n = utf8_len(p);
		const char *e = NULL;

		for (size_t i = 0; !e && escapes[i]; i += 2)
			if ((unsigned char)escapes[i] == *p)
				e = &escapes[i];
		if (e)
			sbuf_addf(out, "\\%c", e[1]);
		else if (*p < 0x20)
			sbuf_addf(out, "\\u%04x", *p);
		else if (n == 0)
			sbuf_adds(out, "\xef\xbf\xbd");
		else
			sbuf_add(out, (const char *)p, n);
		p += n ? n : 1;
	}
	sbuf_addc(out, '"');
}
