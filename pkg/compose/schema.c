/* schema.c - the table of keys as a JSON Schema (draft 2020-12), for editors. */
#include "loader.h"

#include <ctrcompose/json.h>

#include <string.h>

enum { DEPTH_MAX = 16 }; /* shapes don't nest deeper */

static const struct {
	unsigned type;
	const char *name;
} types[] = {
	{ T_STR, "string" },         { T_INT, "integer" }, { T(YAML_FLOAT), "number" },
	{ T(YAML_BOOL), "boolean" }, { T_NULL, "null" },   { T_LIST, "array" },
	{ T_MAP, "object" },
};

static const char *const no_effect[] = {
	[IGNORED] = "Accepted, without effect.", [NOT_YET] = "Refused by up: not supported yet."
};

static struct json *schema_of(const struct shape *s, unsigned depth);

static void add_properties(struct json *o, const struct key *keys, unsigned depth)
{
	struct json *properties = json_add_object(o, "properties");
	struct json *patterns;

	for (; keys->name; keys++) {
		struct json *p = schema_of(keys->shape, depth + 1);
		bool less = keys->support == IGNORED || keys->support == NOT_YET;
		auto_free char *text = xasprintf("%s%s%s", keys->note ? keys->note : "",
						 keys->note && less ? ". " : "",
						 less ? no_effect[keys->support] : "");

		if (*text)
			json_add_str(p, "description", text);
		json_add(properties, keys->name, p);
	}
	patterns = json_add_object(o, "patternProperties");
	(void)json_add_object(patterns, "^x-");
	json_add_bool(o, "additionalProperties", false);
}

static void add_strings(struct json *o, const char *key, const char *const *v)
{
	struct json *list = json_add_array(o, key);

	for (; *v; v++)
		json_add_str(list, NULL, *v);
}

static struct json *schema_of(const struct shape *s, unsigned depth)
{
	struct json *o = json_object(), *list;

	if (!s || depth > DEPTH_MAX || s->types == T_ANY)
		return o;
	list = json_add_array(o, "type");
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (s->types & types[i].type)
			json_add_str(list, NULL, types[i].name);
	/* a variable may stand for any scalar */
	if (s->types & T_SCALAR && !(s->types & T_STR))
		json_add_str(list, NULL, "string");
	if (s->words && s->types == T_STR)
		add_strings(o, "enum", s->words);
	if (s->item)
		json_add(o, "items", schema_of(s->item, depth + 1));
	if (s->unique)
		json_add_bool(o, "uniqueItems", true);
	if (s->keys)
		add_properties(o, s->keys, depth);
	else if (s->value)
		json_add(o, "additionalProperties", schema_of(s->value, depth + 1));
	if (s->required)
		add_strings(o, "required", s->required);
	return o;
}

void compose_schema(struct sbuf *out)
{
	auto_json struct json *o = schema_of(&shape_project, 0);
	auto_free char *text = NULL;

	json_add_str(o, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_add_str(o, "title", "Compose file");
	text = json_print(o);
	sbuf_addf(out, "%s\n", text);
}
